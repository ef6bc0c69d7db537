//! What others do once a client was written: one trait, fired for single commands and for the rows of a batch alike.

use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;

use super::Session;
use crate::error::{Error, Result};
use crate::model::client::Client;

/// What was done to a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Done {
    /// It was made.
    Created,
    /// Fields of it were changed.
    Updated,
    /// It got another secret.
    Rotated,
}

impl Done {
    /// By the name that events give it.
    pub fn of(name: &str) -> Option<Self> {
        [Done::Created, Done::Updated, Done::Rotated].into_iter().find(|done| done.name() == name)
    }

    /// As events name it.
    pub fn name(self) -> &'static str {
        match self {
            Done::Created => "created",
            Done::Updated => "updated",
            Done::Rotated => "rotated",
        }
    }
}

/// A client that was written.
#[derive(Clone, Debug)]
pub struct Event {
    /// What was done.
    pub done: Done,
    /// The client as the server told it, with its new secret as it is passed on: encrypted, where it is for somebody.
    pub client: Client,
}

/// What is to happen once a client was written. That it fails changes nothing about the client and its secret.
pub trait Hook: Send + Sync {
    /// What errors call it.
    fn name(&self) -> String;

    /// Whether the event is of interest.
    fn wants(&self, event: &Event) -> bool;

    /// The words that name it on a command line, where it was named there: a run that is gone on with knows it by them.
    fn words(&self) -> Option<&[String]>;

    /// Called on a plain thread. In `session` no hook is fired.
    fn after(&self, session: &Session, event: &Event) -> Result<()>;
}

/// The hooks of a session, in their order.
pub type Hooks = Arc<[Arc<dyn Hook>]>;

/// The stack of a thread that scripts run on: deeply nested values overflow that of an ordinary one.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Whether some hook is to hear of it.
pub fn is_wanted(session: &Session, event: &Event) -> bool {
    session.hooks().iter().any(|hook| hook.wants(event))
}

/// Tells every hook that wants to hear of it, on a plain thread. The error is the first one, once all have been told.
pub async fn fire(session: &Session, event: Event) -> Result<()> {
    let hooks = Arc::clone(session.hooks());
    let session = session.without_hooks();
    let (tell, told) = oneshot::channel();
    let work = move || {
        let all = hooks.iter().filter(|hook| hook.wants(&event));
        let results: Vec<Result<()>> =
            all.map(|hook| hook.after(&session, &event).map_err(|error| error.about(hook.name()))).collect();
        // Nobody listens any more where the process ends.
        let _ = tell.send(results.into_iter().collect());
    };
    let thread = thread::Builder::new().name("hook".into()).stack_size(STACK_BYTES).spawn(work);
    thread.map_err(|source| Error::failed("cannot start a thread for a hook").caused_by(source))?;
    let broken = || Error::failed("a hook broke down").hint("this is a fault of orysh: please report it");
    told.await.unwrap_or_else(|_| Err(broken()))
}

/// The same, waiting for it.
pub fn fire_and_wait(session: &Session, event: Event) -> Result<()> {
    session.finish(fire(session, event))?
}
