//! The session at the pace of a run.

use std::sync::Arc;

use url::Url;

use super::pace::Pace;
use crate::api::request::Request;
use crate::api::{Door, Remote, Seen, Side, Wait};
use crate::error::Result;
use crate::session::Session;

/// The session at the run's pace.
pub struct Paced {
    pub(super) session: Session,
    pace: Arc<Pace>,
}

impl Paced {
    /// The session at this pace.
    pub fn new(session: Session, pace: Arc<Pace>) -> Self {
        Paced { session, pace }
    }
}

impl Remote for Paced {
    fn door(&self, side: Side) -> Wait<'_, Result<Door>> {
        self.session.door(side)
    }

    fn learn_public(&self, url: Url) {
        self.session.learn_public(url);
    }

    fn tell(&self, _message: &str) {
        // The progress tells it.
    }

    fn admit<'a>(&'a self, request: &'a Request) -> Wait<'a, Result<()>> {
        Box::pin(async move {
            self.session.permits(request)?;
            self.pace.admit(request).await
        })
    }

    fn observe(&self, request: &Request, seen: &Seen<'_>) {
        self.pace.observe(request, seen);
        self.session.observe(request, seen);
    }

    fn is_patient(&self) -> bool {
        true
    }
}
