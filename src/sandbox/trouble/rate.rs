//! Rate limits as Ory Network has them: several windows on one bucket, told in `x-ratelimit-*` headers.

use std::time::{Duration, Instant};

use crate::error::{Error, Result, nearest};

/// So many requests in so long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// How many requests.
    pub limit: u32,
    /// In how long.
    pub span: Duration,
}

/// The limits of the three buckets; an empty one has none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rate {
    /// Creating, changing and deleting clients.
    pub writes: Vec<Window>,
    /// Listing clients.
    pub lists: Vec<Window>,
    /// Getting a client by its id.
    pub gets: Vec<Window>,
}

/// Ory Network's tiers: writes a minute and a second, lists a minute, gets a minute.
const TIERS: [(&str, u32, u32, u32, u32); 5] = [
    ("developer", 15, 5, 15, 80),
    ("dev", 30, 5, 30, 175),
    ("production", 35, 5, 30, 175),
    ("growth", 350, 15, 60, 4300),
    ("enterprise", 700, 29, 125, 8750),
];

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

impl Rate {
    /// Reads limits for writes, separated by commas: `300/min,15/s`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut writes = text.split(',').map(|part| window(part.trim())).collect::<Result<Vec<_>>>()?;
        writes.sort_by_key(|window| window.span);
        Ok(Rate { writes, ..Rate::default() })
    }

    /// The limits of a tier of Ory Network: developer, dev, production, growth or enterprise.
    pub fn tier(name: &str) -> Result<Self> {
        let names = || TIERS.iter().map(|tier| tier.0);
        let wanted = name.to_lowercase();
        // A paid project's staging environment has the limits of its development.
        let wanted = if wanted == "staging" { "dev" } else { wanted.as_str() };
        let Some((_, writes, burst, lists, gets)) = TIERS.iter().find(|tier| tier.0 == wanted) else {
            return Err(Error::usage(format!("there is no tier `{name}`"))
                .did_you_mean(nearest(name, names()))
                .hint(format!("the tiers are {}", names().collect::<Vec<_>>().join(", "))));
        };
        let minute = |limit: u32| Window { limit, span: MINUTE };
        Ok(Rate {
            writes: vec![Window { limit: *burst, span: SECOND }, minute(*writes)],
            lists: vec![minute(*lists)],
            gets: vec![minute(*gets)],
        })
    }
}

fn window(text: &str) -> Result<Window> {
    let wrong = || {
        Error::usage(format!("`{text}` is not a rate")).hint("a rate is a number a second, minute or hour: `300/min`")
    };
    let (limit, span) = text.split_once('/').ok_or_else(wrong)?;
    let span = match span {
        "s" | "sec" | "second" => SECOND,
        "m" | "min" | "minute" => MINUTE,
        "h" | "hour" => Duration::from_secs(3600),
        _ => return Err(wrong()),
    };
    let limit = limit.parse().ok().filter(|limit| *limit > 0).ok_or_else(wrong)?;
    Ok(Window { limit, span })
}

/// What a bucket says of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Whether the request may pass.
    pub allowed: bool,
    /// `x-ratelimit-limit`: the nearest limit, then each with its window in seconds.
    pub limit: String,
    /// `x-ratelimit-remaining`: requests that may still pass now.
    pub remaining: u32,
    /// `x-ratelimit-reset`, and `Retry-After` of a 429: seconds until more may pass.
    pub reset: u64,
}

/// A bucket: how much of each of its windows is used up.
#[derive(Debug)]
pub struct Bucket(Vec<(Window, Instant, u32)>);

impl Bucket {
    /// An unused bucket.
    pub fn new(windows: &[Window], now: Instant) -> Self {
        Bucket(windows.iter().map(|window| (*window, now, 0)).collect())
    }

    /// Counts a request, unless there is no room for it; `None` where nothing is limited.
    pub fn take(&mut self, now: Instant) -> Option<Verdict> {
        for (window, start, used) in &mut self.0 {
            if now.duration_since(*start) >= window.span {
                (*start, *used) = (now, 0);
            }
        }
        let allowed = self.0.iter().all(|(window, _, used)| *used < window.limit);
        if allowed {
            self.0.iter_mut().for_each(|(_, _, used)| *used += 1);
        }
        // The fullest window is told; of two that are full, the one that lasts longer.
        let left = |(window, start, used): &(Window, Instant, u32)| {
            (window.limit - used, std::cmp::Reverse(*start + window.span))
        };
        let (window, start, used) = self.0.iter().min_by_key(|entry| left(entry))?;
        let rest = (*start + window.span).saturating_duration_since(now);
        let each = self.0.iter().map(|(window, _, _)| format!(", {};w={}", window.limit, window.span.as_secs()));
        Some(Verdict {
            allowed,
            limit: format!("{}{}", window.limit, each.collect::<String>()),
            remaining: window.limit - used,
            reset: rest.as_secs() + u64::from(rest.subsec_nanos() > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_tiers_are_read() {
        let rate = Rate::parse("300/min,15/s").unwrap();
        assert_eq!(rate.writes, [Window { limit: 15, span: SECOND }, Window { limit: 300, span: MINUTE }]);
        assert_eq!(Rate::tier("Growth").unwrap().gets[0].limit, 4300);
        assert!(Rate::parse("0/s").is_err() && Rate::parse("3").is_err() && Rate::parse("3/day").is_err());
        assert_eq!(Rate::tier("develper").unwrap_err().hints()[0], "did you mean `developer`?");
    }

    #[test]
    fn every_window_counts() {
        let start = Instant::now();
        let mut bucket = Bucket::new(&Rate::parse("3/min,2/s").unwrap().writes, start);
        let first = bucket.take(start).unwrap();
        assert!(first.allowed);
        assert_eq!((first.limit.as_str(), first.remaining), ("2, 2;w=1, 3;w=60", 1));
        assert!(bucket.take(start).unwrap().allowed);
        let refused = bucket.take(start).unwrap();
        assert_eq!((refused.allowed, refused.remaining, refused.reset), (false, 0, 1));
        assert!(bucket.take(start + SECOND).unwrap().allowed);
        let refused = bucket.take(start + SECOND * 2).unwrap();
        assert_eq!((refused.allowed, refused.reset), (false, 58));
        assert!(bucket.take(start + MINUTE).unwrap().allowed);
        assert!(Bucket::new(&[], start).take(start).is_none());
    }
}
