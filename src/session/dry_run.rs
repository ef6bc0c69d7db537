//! What a dry run would have written: remembered, so that what follows finds it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::client::{Client, ClientId};
use crate::secret::Secret;

/// The code of an error that says that a dry run does not write.
pub const WRITES: &str = "dry_run";

/// What would have been written so far.
#[derive(Debug, Default)]
pub struct DryRun(Mutex<WouldBe>);

#[derive(Debug, Default)]
struct WouldBe {
    /// Clients by where they are and their ids; `None`: they would have been deleted.
    clients: HashMap<(String, ClientId), Option<Client>>,
    /// Where what was told of last would have been written.
    place: String,
}

impl DryRun {
    /// A client would be like that; `None`: it would be no more.
    pub fn leave(&self, place: &str, id: &ClientId, client: Option<Client>) {
        self.would_be().clients.insert((place.to_owned(), id.clone()), client);
    }

    /// A client as it would be; `None`: nothing would have been done to it.
    pub fn client(&self, place: &str, id: &ClientId) -> Option<Option<Client>> {
        self.would_be().clients.get(&(place.to_owned(), id.clone())).cloned()
    }

    /// Whether what comes is of another place than what was told of last.
    pub fn is_elsewhere(&self, place: &str) -> bool {
        let mut would_be = self.would_be();
        let is_other = would_be.place != place;
        place.clone_into(&mut would_be.place);
        is_other
    }

    fn would_be(&self) -> MutexGuard<'_, WouldBe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PLACEHOLDER: &str = "[dry run]";

/// What stands for a secret that was not made.
pub fn placeholder() -> Secret {
    Secret::new(PLACEHOLDER)
}

/// Whether a secret was not made.
pub fn is_placeholder(secret: &Secret) -> bool {
    secret.expose() == PLACEHOLDER
}
