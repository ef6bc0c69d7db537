//! Secrets of clients that a script made, on disk until the script has shown them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

use memchr::memmem;

use crate::batch::carry::{Carried, Spent};
use crate::batch::keeper::kept_in;
use crate::error::Result;
use crate::model::client::ClientId;
use crate::ops::keep::Kept;
use crate::output::outcome::{Afterwards, Pending};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::handle::locked;

/// What keeps them, and those that nobody has seen.
pub struct Held {
    keeps: Keeps,
    unseen: Vec<(Option<ClientId>, Secret)>,
    /// Where the clients are.
    server: String,
}

enum Keeps {
    File(Kept),
    Run {
        carried: Box<Carried>,
        session: Session,
        is_whole: bool,
    },
    /// What a command keeps until its row is written.
    Pending {
        afterwards: Afterwards,
        place: String,
    },
}

impl Held {
    /// A file that keeps one.
    pub fn file(session: &Session, kept: Kept) -> Self {
        let unseen = vec![(Some(kept.id().clone()), kept.secret().clone())];
        Held { keeps: Keeps::File(kept), unseen, server: session.server().unwrap_or_default() }
    }

    /// A run of many clients, with the secrets that were made for it. `is_whole`: all of them were made.
    pub fn of_run(session: &Session, carried: Carried, secrets: Vec<(ClientId, Secret)>, is_whole: bool) -> Self {
        let unseen = secrets.into_iter().map(|(id, secret)| (Some(id), secret)).collect();
        let server = session.server().unwrap_or_default();
        Held { keeps: Keeps::Run { carried: carried.into(), session: session.clone(), is_whole }, unseen, server }
    }

    /// What a command keeps for a row.
    pub fn pending(pending: Pending) -> Self {
        let Pending { afterwards, secret, place, .. } = pending;
        Held {
            keeps: Keeps::Pending { afterwards, place },
            unseen: secret.into_iter().map(|secret| (None, secret)).collect(),
            server: String::new(),
        }
    }

    /// The secrets in it that nobody has seen.
    pub fn secrets(&self) -> &[(Option<ClientId>, Secret)] {
        &self.unseen
    }

    /// The run, if it is one.
    pub fn run(&self) -> Option<&str> {
        match &self.keeps {
            Keeps::Run { carried, .. } => Some(carried.name()),
            _ => None,
        }
    }

    /// The run of which all clients were made, if it is one.
    pub fn whole_run(&self) -> Option<&str> {
        match &self.keeps {
            Keeps::Run { carried, is_whole: true, .. } => Some(carried.name()),
            _ => None,
        }
    }

    /// Whether it is a run, all of whose secrets are among these.
    pub fn is_run_of(&self, seen: &HashSet<String>) -> bool {
        matches!(self.keeps, Keeps::Run { .. }) && self.unseen.iter().all(|(_, secret)| seen.contains(secret.expose()))
    }

    /// These have been seen.
    pub fn see(&mut self, is_seen: impl Fn(&Secret) -> bool) {
        self.unseen.retain(|(_, secret)| !is_seen(secret));
    }

    /// The secret of this client counts for nothing any more. Tells whether it was the last one.
    pub fn forget(&mut self, server: &str, id: &ClientId) -> bool {
        if self.server != server {
            return false;
        }
        let count = self.unseen.len();
        self.unseen.retain(|(other, _)| other.as_ref() != Some(id));
        self.unseen.is_empty() && count > 0
    }

    /// Lets go of them. Of a run it gives what stays until the script has come to its end.
    pub fn let_go(self) -> Result<Option<Spent>> {
        match self.keeps {
            Keeps::File(kept) => kept.discard().map(|()| None),
            // A sandbox of its own knows nothing of what was made before.
            Keeps::Run { carried, session, .. } if session.is_confined() => carried.close(&session).map(|()| None),
            Keeps::Run { carried, session, is_whole } => carried.spend(&session, is_whole),
            Keeps::Pending { afterwards, .. } => afterwards().map(|()| None),
        }
    }

    /// The same behind the end of the script.
    pub fn close(self) -> Result<()> {
        match self.keeps {
            Keeps::Run { carried, session, .. } => carried.close(&session),
            _ => self.let_go().map(drop),
        }
    }

    fn place(&self) -> String {
        match &self.keeps {
            Keeps::File(kept) => kept.path().parent().unwrap_or(kept.path()).display().to_string(),
            Keeps::Pending { place, .. } => place.clone(),
            Keeps::Run { carried, .. } => kept_in(carried.name()),
        }
    }
}

/// Runs that are over once the script is.
pub type Over = Arc<Mutex<Vec<Spent>>>;

/// What keeps several secrets, until each of them has been shown.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Option<Held>>>);

/// The same by the secrets in them.
pub fn by_secret(all: &[Shared]) -> HashMap<String, Shared> {
    let each = all.iter().flat_map(|shared| {
        let secrets = shared.look(|held| held.secrets().iter().map(|(_, secret)| secret.expose().to_owned()).collect());
        let secrets: Vec<String> = secrets.unwrap_or_default();
        secrets.into_iter().map(|secret| (secret, shared.clone()))
    });
    each.collect()
}

/// How many secrets are kept still, and where.
pub fn still(all: &[Shared]) -> (usize, String) {
    let count = all.iter().filter_map(|shared| shared.look(|held| held.secrets().len())).sum();
    (count, listed(all.iter().filter_map(|shared| shared.look(Held::place))))
}

impl Shared {
    /// Of what nobody has seen all of.
    pub fn of(held: Held) -> Self {
        Shared(Arc::new(Mutex::new(Some(held))))
    }

    fn look<T>(&self, at: impl FnOnce(&Held) -> T) -> Option<T> {
        locked(&self.0).as_ref().map(at)
    }

    /// What a row that shows one of them has pending. `over`: where a run goes of which all have been shown.
    pub fn pending(self, secret: Secret, over: &Over) -> Pending {
        let over = Arc::clone(over);
        let place = self.look(Held::place).unwrap_or_default();
        let seen = secret.clone();
        let afterwards = move || {
            let mut held = locked(&self.0);
            if let Some(held) = &mut *held {
                held.see(|secret| *secret == seen);
            }
            match held.take_if(|held| held.secrets().is_empty()) {
                Some(held) => {
                    locked(&over).extend(held.let_go()?);
                    Ok(())
                }
                None => Ok(()),
            }
        };
        Pending { afterwards: Box::new(afterwards), secret: Some(secret), what: "a client's secret".into(), place }
    }
}

/// Few enough to look for one by one.
const FEW: usize = 64;

/// Those of the secrets that are in some bytes.
pub fn found<'a, S: BuildHasher>(bytes: &[u8], wanted: &HashMap<&str, &'a Secret, S>) -> Vec<&'a Secret> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(byte);
    let one_by_one = |text: &str| wanted.len() <= FEW || !text.as_bytes().iter().all(is_word);
    let mut found: Vec<&Secret> = wanted
        .iter()
        .filter(|(text, _)| !text.is_empty() && one_by_one(text) && memmem::find(bytes, text.as_bytes()).is_some())
        .map(|(_, secret)| *secret)
        .collect();
    if wanted.len() > FEW {
        let words = bytes.split(|byte| !is_word(byte)).filter_map(|word| std::str::from_utf8(word).ok());
        found.extend(words.filter_map(|word| wanted.get(word)).copied());
    }
    found
}

/// The secrets that nobody has seen.
pub fn unseen<'a>(held: impl Iterator<Item = &'a Held>) -> Vec<Secret> {
    held.flat_map(Held::secrets).map(|(_, secret)| secret.clone()).collect()
}

/// How many secrets are kept.
pub fn count(held: &[Held]) -> usize {
    held.iter().map(|held| held.secrets().len()).sum()
}

/// Where they are.
pub fn places(held: &[Held]) -> String {
    listed(held.iter().map(Held::place))
}

fn listed(places: impl Iterator<Item = String>) -> String {
    places.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}
