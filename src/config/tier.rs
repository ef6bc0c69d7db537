//! Ory Network's rate limits, by tier and environment (Ory's documentation, July 2026).

/// What a tier allows on clients: requests a minute, and for writes a second as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tier {
    /// Its name.
    pub name: &'static str,
    /// Creating, changing and deleting, a minute.
    pub writes: u32,
    /// The same, a second.
    pub burst: u32,
    /// Lists, a minute.
    pub lists: u32,
    /// Gets by id, a minute.
    pub gets: u32,
}

const fn tier(name: &'static str, writes: u32, burst: u32, lists: u32, gets: u32) -> Tier {
    Tier { name, writes, burst, lists, gets }
}

/// All of them.
pub const TIERS: [Tier; 5] = [
    tier("developer", 15, 5, 15, 80),
    tier("dev", 30, 5, 30, 175),
    tier("production", 35, 5, 30, 175),
    tier("growth", 350, 15, 60, 4300),
    tier("enterprise", 700, 29, 125, 8750),
];

/// The tier of that name.
pub fn named(name: &str) -> Option<Tier> {
    TIERS.into_iter().find(|tier| tier.name == name)
}
