//! What servers list, looked up in the background: Tab offers what is known by now, and never waits.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::commands::completion::listed::{ALL, Listed};
use crate::commands::completion::sources::Source;
use crate::session::Session;
use crate::session::handle::locked;

/// What was listed longer ago is listed again as somebody asks for it.
const OLD: Duration = Duration::from_secs(300);

/// A server that did not answer is left alone for so long.
const PAUSE: Duration = Duration::from_secs(30);

/// So long Tab waits for a list that is on its way: nobody notices, and a server nearby has answered by then.
const GLANCE: Duration = Duration::from_millis(80);

/// The lists of all places.
#[derive(Clone, Default)]
pub struct Listings(Arc<(Mutex<HashMap<String, Listing>>, Condvar)>);

#[derive(Default)]
struct Listing {
    known: Arc<Listed>,
    /// Whether a thread asks for it.
    is_asked: bool,
    /// When it is to be asked for again.
    due: Option<Instant>,
}

impl Listings {
    /// What is known of what is listed where a session acts, once it was waited for no longer than a glance. Where that is nothing,
    /// or old, it is asked for.
    pub fn of(&self, source: Source, session: &Session) -> Arc<Listed> {
        if let Some(kept) = source.kept() {
            return Arc::new(kept);
        }
        let Some(key) = self.begin(source, session) else { return Arc::default() };
        let (all, told) = &*self.0;
        let is_asked = |all: &mut HashMap<String, Listing>| all.get(&key).is_some_and(|listing| listing.is_asked);
        let waited = told.wait_timeout_while(locked(all), GLANCE, is_asked);
        // Whoever broke down holding it has left what is known as it was.
        let (all, _) = waited.unwrap_or_else(PoisonError::into_inner);
        all.get(&key).map(|listing| Arc::clone(&listing.known)).unwrap_or_default()
    }

    /// Has it asked for where it is to be, and gives where it is kept. None: a session acts nowhere, or it is on this machine.
    pub fn begin(&self, source: Source, session: &Session) -> Option<String> {
        if source.is_kept() {
            return None;
        }
        let key = source.key(&session.chosen().ok()?.place());
        let mut all = locked(&self.0.0);
        let listing = all.entry(key.clone()).or_default();
        if !listing.is_asked && listing.due.is_none_or(|due| due <= Instant::now()) {
            listing.is_asked = self.ask(source, session, key.clone());
        }
        Some(key)
    }

    /// Something was written: what is known of clients may be another by now.
    pub fn outdate(&self) {
        locked(&self.0.0).values_mut().for_each(|listing| listing.due = None);
    }

    /// Asks on a thread of its own. Whether it does.
    fn ask(&self, source: Source, session: &Session, key: String) -> bool {
        // Ctrl-C is for what somebody waits for.
        let (listings, session) = (self.clone(), session.clone().to_the_end());
        let ask = move || {
            let found = source.listed(&session, ALL);
            let mut all = locked(&listings.0.0);
            let listing = all.entry(key.clone()).or_default();
            listing.is_asked = false;
            listings.0.1.notify_all();
            let now = Instant::now();
            match found {
                Ok(found) => {
                    (listing.known, listing.due) = (Arc::new(found), Some(now + OLD));
                    let known = Arc::clone(&listing.known);
                    drop(all);
                    // Other shells complete without it as well.
                    let _ = known.write(&key);
                }
                Err(_) => listing.due = Some(now + PAUSE),
            }
        };
        thread::Builder::new().name("listing".into()).spawn(ask).is_ok()
    }
}
