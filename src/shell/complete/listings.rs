//! What servers list, looked up in the background: Tab offers what is known by now, and never waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
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

/// The lists of all places.
#[derive(Clone, Default)]
pub struct Listings(Arc<Mutex<HashMap<String, Listing>>>);

#[derive(Default)]
struct Listing {
    known: Arc<Listed>,
    /// Whether a thread asks for it.
    is_asked: bool,
    /// When it is to be asked for again.
    due: Option<Instant>,
}

impl Listings {
    /// What is known by now of what is listed where a session acts. Where that is nothing, or old, it is asked for.
    pub fn of(&self, source: Source, session: &Session) -> Arc<Listed> {
        if let Some(kept) = source.kept() {
            return Arc::new(kept);
        }
        let Ok(chosen) = session.chosen() else { return Arc::default() };
        let key = source.key(&chosen.place());
        let mut all = locked(&self.0);
        let listing = all.entry(key.clone()).or_default();
        if !listing.is_asked && listing.due.is_none_or(|due| due <= Instant::now()) {
            listing.is_asked = self.ask(source, session, key);
        }
        Arc::clone(&listing.known)
    }

    /// Something was written: what is known of clients may be another by now.
    pub fn outdate(&self) {
        locked(&self.0).values_mut().for_each(|listing| listing.due = None);
    }

    /// Asks on a thread of its own. Whether it does.
    fn ask(&self, source: Source, session: &Session, key: String) -> bool {
        // Ctrl-C is for what somebody waits for.
        let (listings, session) = (self.clone(), session.clone().to_the_end());
        let ask = move || {
            let found = source.listed(&session, ALL);
            let mut all = locked(&listings.0);
            let listing = all.entry(key.clone()).or_default();
            listing.is_asked = false;
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
