//! What a run does with the clients of its rows.

use crate::error::{Error, Result};

/// What a run does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Job {
    /// Makes a client a row.
    Create,
    /// Changes the fields that rows name.
    Update,
    /// Deletes them.
    Delete,
    /// Gives them new secrets, while the old ones still count.
    Rotate,
}

impl Job {
    const ALL: [(Job, &'static str, &'static str); 4] = [
        (Job::Create, "create", "created"),
        (Job::Update, "update", "updated"),
        (Job::Delete, "delete", "deleted"),
        (Job::Rotate, "rotate", "rotated"),
    ];

    /// Its verb.
    pub fn verb(self) -> &'static str {
        Job::ALL.iter().find(|(job, _, _)| *job == self).map_or("", |(_, verb, _)| verb)
    }

    /// What a row is called for which it was done.
    pub fn done(self) -> &'static str {
        Job::ALL.iter().find(|(job, _, _)| *job == self).map_or("", |(_, _, done)| done)
    }

    /// By its verb. Errors: a verb of a newer program.
    pub fn parse(verb: &str) -> Result<Self> {
        Job::ALL.iter().find(|(_, known, _)| *known == verb).map(|(job, _, _)| *job).ok_or_else(|| {
            Error::usage(format!("the run is of a kind that this program does not know: {}", crate::text::safe(verb)))
        })
    }

    /// What is about to be done to so many clients, for a question: `delete 12 clients`.
    pub fn deed(self, count: u64) -> String {
        let what = if self == Job::Rotate { "rotate the secrets of" } else { self.verb() };
        format!("{what} {count} client{}", if count == 1 { "" } else { "s" })
    }
}
