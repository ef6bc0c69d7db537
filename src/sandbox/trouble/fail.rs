//! What can be made to fail, and how often: `5xx:3`, `lose-reply:0.1`.

use std::fmt;

use crate::error::{Error, Result, nearest};

/// A way to fail. It hits writes to `/admin/clients` unless it says otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// 503, before anything is done.
    Unavailable,
    /// The connection is closed before anything is done.
    DropBefore,
    /// The work is done; the connection is closed without an answer.
    LoseReply,
    /// The work is done; the connection is closed within the answer's body.
    DropAfterHeaders,
    /// 400: a concurrent update; nothing is done.
    Serialize,
    /// Any request is answered as by a server whose database is stopped.
    DatabaseDown,
    /// A rotation is done; the connection is closed without an answer.
    LostRotate,
    /// 429 with `Retry-After: 1`, before anything is done.
    TooMany,
    /// 502 with a page of HTML, as from a proxy; nothing is done.
    Html,
    /// The work is done; the answer waits for 35 seconds.
    Slow,
    /// The work is done; the answer has its status and no body.
    Empty,
}

impl Kind {
    /// Every kind with its name and what it does.
    pub const ALL: [(&str, Kind, &str); 11] = [
        ("5xx", Kind::Unavailable, "503 before anything is done"),
        ("drop-before", Kind::DropBefore, "close the connection before anything is done"),
        ("lose-reply", Kind::LoseReply, "do the work, then close the connection without an answer"),
        ("drop-after-headers", Kind::DropAfterHeaders, "do the work, then close the connection within the answer"),
        ("serialize", Kind::Serialize, "400 of a concurrent update; nothing is done"),
        ("db-down", Kind::DatabaseDown, "any request: answer as with a stopped database"),
        ("lost-rotate", Kind::LostRotate, "rotations: rotate, then close the connection without an answer"),
        ("429", Kind::TooMany, "429 with Retry-After: 1; nothing is done"),
        ("html", Kind::Html, "502 with a page of HTML; nothing is done"),
        ("slow", Kind::Slow, "do the work, then wait 35 seconds before the answer"),
        ("empty", Kind::Empty, "do the work, then answer without a body"),
    ];

    /// The name in `--fail NAME:…`.
    pub fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(_, kind, _)| *kind == self).map_or("", |(name, _, _)| name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often something fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Often {
    /// The next so many times.
    Times(u32),
    /// With this probability, from 0 to 1.
    Probability(f64),
}

/// One thing that fails: a kind, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fail {
    /// The way to fail.
    pub kind: Kind,
    /// How often.
    pub often: Often,
}

impl Fail {
    /// Reads `KIND:COUNT` (a whole number) or `KIND:PROBABILITY` (a number with a dot, up to `1.0`).
    pub fn parse(text: &str) -> Result<Self> {
        let (name, often) = text.split_once(':').unwrap_or((text, ""));
        let names = || Kind::ALL.iter().map(|(name, _, _)| *name);
        let Some((_, kind, _)) = Kind::ALL.iter().find(|(known, _, _)| *known == name) else {
            return Err(Error::usage(format!("there is no failure `{name}`"))
                .did_you_mean(nearest(name, names()))
                .hint(format!("the kinds are {}", names().collect::<Vec<_>>().join(", "))));
        };
        let often = if often.contains('.') {
            often.parse().ok().filter(|chance| (0.0..=1.0).contains(chance)).map(Often::Probability)
        } else {
            often.parse().ok().map(Often::Times)
        };
        let Some(often) = often else {
            return Err(Error::usage(format!("how often should `{text}` fail?"))
                .hint(format!("a count as in `{name}:3`, or a probability as in `{name}:0.1`")));
        };
        Ok(Fail { kind: *kind, often })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_probabilities_are_told_apart_by_the_dot() {
        assert_eq!(Fail::parse("5xx:3").unwrap(), Fail { kind: Kind::Unavailable, often: Often::Times(3) });
        assert_eq!(Fail::parse("429:1").unwrap().often, Often::Times(1));
        assert_eq!(Fail::parse("lose-reply:0.25").unwrap().often, Often::Probability(0.25));
        assert_eq!(Fail::parse("html:1.0").unwrap().often, Often::Probability(1.0));
        for wrong in ["5xx", "5xx:", "5xx:1.5", "5xx:-1", "5xx:many", "5xx:NaN."] {
            assert_eq!(Fail::parse(wrong).unwrap_err().kind(), crate::error::Kind::Usage, "{wrong}");
        }
    }

    #[test]
    fn an_unknown_kind_names_the_nearest_and_all() {
        let error = Fail::parse("lose-replies:1").unwrap_err();
        assert_eq!(error.hints()[0], "did you mean `lose-reply`?");
        assert!(Kind::ALL.iter().all(|(name, kind, _)| error.hints()[1].contains(name) && kind.name() == *name));
    }
}
