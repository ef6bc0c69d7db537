//! The servers' APIs: requests built by pure functions, one sender, typed calls.
//!
//! Knows nothing of sessions: only a [`Remote`], where to send and as whom.

pub mod clients;
pub mod console;
pub mod page;
pub mod refusal;
pub mod request;
pub mod send;
pub mod sign_in;
pub mod tokens;

use std::future::Future;
use std::pin::Pin;

use reqwest::header::HeaderMap;
use url::Url;

use crate::api::request::Request;
use crate::error::Result;
use crate::model::client::{Client, ClientId};

/// A boxed future, so that [`Remote`] can be a plain trait object.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which of a server's two addresses a request goes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The admin API (Hydra's port 4445).
    Admin,
    /// The public API: token and registration endpoints (Hydra's port 4444).
    Public,
}

/// Where to send a request, as whom, and through which client.
#[derive(Clone, Debug)]
pub struct Door {
    /// The address that the request's path is put behind.
    pub base: Url,
    /// Sent with each request: credential and the user's own headers.
    pub headers: HeaderMap,
    /// The HTTP client, with its pool of connections.
    pub client: reqwest::Client,
    /// The bound on one request.
    pub timeout: std::time::Duration,
}

/// Where and as whom, as it is now: a credential may change in the middle of a batch.
pub trait Remote: Send + Sync {
    /// The way to one side of the server. Errors: no target, no credential, the public address is not known.
    fn door(&self, side: Side) -> Wait<'_, Result<Door>>;

    /// Learns the public address from what the server says of itself.
    fn learn_public(&self, url: Url);

    /// Tells the person that something takes longer.
    fn tell(&self, message: &str);

    /// Returns once the request may be sent: what keeps a pace holds it back. Errors: nothing is sent any more.
    fn admit<'a>(&'a self, _request: &'a Request) -> Wait<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// A client as a dry run has left it: `None` where that has not touched it, `Some(None)` where it is no more.
    fn would_be(&self, _id: &ClientId) -> Option<Option<Client>> {
        None
    }

    /// Hears what became of a sending, for the next one to be paced.
    fn observe(&self, _request: &Request, _seen: &Seen<'_>) {}

    /// Whether a server that limits the rate is waited for as often and as long as it says.
    fn is_patient(&self) -> bool {
        false
    }
}

/// What became of one sending.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The answer's status and headers; `None`: there was none.
    pub answer: Option<(u16, &'a HeaderMap)>,
    /// How long it took.
    pub took: std::time::Duration,
}
