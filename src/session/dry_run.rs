//! What a dry run would have written: remembered, so that what follows finds it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;

use crate::model::client::{Client, ClientId};
use crate::secret::{REDACTED, Secret};
use crate::session::handle::locked;

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
    /// What may be in no text that is told.
    hidden: Vec<Secret>,
    /// Runs that would have been, by their names: what is told of each, and its rows.
    runs: HashMap<String, (Value, Vec<Value>)>,
}

impl DryRun {
    /// A run would be there, with these rows.
    pub fn keep_run(&self, name: &str, told: Value, rows: Vec<Value>) {
        self.would_be().runs.insert(name.to_owned(), (told, rows));
    }

    /// What is told of a run that would be there, and its rows.
    pub fn run(&self, name: &str) -> Option<(Value, Vec<Value>)> {
        self.would_be().runs.get(name).cloned()
    }

    /// A client would be like that; `None`: it would be no more.
    pub fn leave(&self, place: &str, id: &ClientId, client: Option<Client>) {
        self.would_be().clients.insert((place.to_owned(), id.clone()), client);
    }

    /// A client as it would be; `None`: nothing would have been done to it.
    pub fn client(&self, place: &str, id: &ClientId) -> Option<Option<Client>> {
        self.would_be().clients.get(&(place.to_owned(), id.clone())).cloned()
    }

    /// The clients that would be there as they would be, of one place; `None`: they would be no more.
    pub fn clients(&self, place: &str) -> Vec<(ClientId, Option<Client>)> {
        let would_be = self.would_be();
        let mut found: Vec<_> = would_be
            .clients
            .iter()
            .filter(|((other, _), _)| other == place)
            .map(|((_, id), client)| (id.clone(), client.clone()))
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// A secret was taken out of its wrapping: what is told shows it as `[REDACTED]` all the same.
    pub fn hide(&self, secret: &Secret) {
        self.would_be().hidden.push(secret.clone());
    }

    /// A text without the secrets that were taken out.
    pub fn hidden(&self, text: &str) -> String {
        let would_be = self.would_be();
        let shown = would_be.hidden.iter().filter(|secret| !secret.expose().is_empty());
        shown.fold(text.to_owned(), |text, secret| text.replace(secret.expose(), REDACTED))
    }

    /// Whether what comes is of another place than what was told of last.
    pub fn is_elsewhere(&self, place: &str) -> bool {
        let mut would_be = self.would_be();
        let is_other = would_be.place != place;
        place.clone_into(&mut would_be.place);
        is_other
    }

    fn would_be(&self) -> MutexGuard<'_, WouldBe> {
        locked(&self.0)
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
