//! Secrets of clients that a script made, on disk until the script has shown them.

use std::collections::BTreeSet;

use crate::batch::carry::Carried;
use crate::error::Result;
use crate::model::client::ClientId;
use crate::ops::keep::Kept;
use crate::secret::Secret;
use crate::session::Session;

/// What keeps them.
pub enum Held {
    /// A file that keeps one.
    File(Kept),
    /// A run of many clients.
    Run {
        /// The run.
        carried: Box<Carried>,
        /// The session that it was of.
        session: Session,
        /// The secrets that were made for it.
        secrets: Vec<(ClientId, Secret)>,
    },
}

impl Held {
    /// The secrets in it.
    pub fn secrets(&self) -> Vec<&Secret> {
        match self {
            Held::File(kept) => vec![kept.secret()],
            Held::Run { secrets, .. } => secrets.iter().map(|(_, secret)| secret).collect(),
        }
    }

    /// Whether it holds nothing any more once the secret of this client counts for nothing.
    pub fn is_only_of(&mut self, id: &ClientId) -> bool {
        match self {
            Held::File(kept) => kept.id() == id,
            Held::Run { secrets, .. } => {
                let count = secrets.len();
                secrets.retain(|(other, _)| other != id);
                secrets.is_empty() && count > 0
            }
        }
    }

    /// Lets go of them.
    pub fn let_go(self) -> Result<()> {
        match self {
            Held::File(kept) => kept.discard(),
            Held::Run { carried, session, .. } => carried.close(&session),
        }
    }

    fn place(&self) -> String {
        match self {
            Held::File(kept) => kept.path().parent().unwrap_or(kept.path()).display().to_string(),
            Held::Run { carried, .. } => {
                let name = carried.name();
                format!("run {name} (orysh batch results {name} --secrets plain)")
            }
        }
    }
}

/// How many secrets are kept.
pub fn count(held: &[Held]) -> usize {
    held.iter().map(|held| held.secrets().len()).sum()
}

/// Where they are.
pub fn places(held: &[Held]) -> String {
    let places: BTreeSet<String> = held.iter().map(Held::place).collect();
    places.into_iter().collect::<Vec<_>>().join(", ")
}
