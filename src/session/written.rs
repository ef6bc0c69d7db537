//! What the lines of a shell have written, so that it can be undone.

use super::Session;
use super::handle::locked;
use crate::model::client::{Client, ClientId};
use crate::session::hook::Done;

/// Something that was written.
#[derive(Clone, Debug)]
pub enum Write {
    /// A client was made.
    Created(Box<Client>),
    /// Fields of one were changed: as it was, and as it is.
    Updated {
        /// As it was.
        before: Box<Client>,
        /// As the server told it.
        after: Box<Client>,
    },
    /// What cannot be undone.
    ForGood(Done, ClientId),
    /// The rows of a run were sent.
    Run(String),
}

impl Write {
    /// A client was made; its secret is not remembered.
    pub fn created(client: &Client) -> Self {
        Write::Created(client.clone().without_secrets().into())
    }

    /// One was changed.
    pub fn updated(before: &Client, after: &Client) -> Self {
        let plain = |client: &Client| client.clone().without_secrets().into();
        Write::Updated { before: plain(before), after: plain(after) }
    }
}

/// What one line wrote.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Each with the server where it is, in their order.
    pub writes: Vec<(String, Write)>,
    /// Whether there was more than is remembered.
    pub is_cut: bool,
}

/// So many lines are remembered, and of each so many writes.
const MOST_LINES: usize = 20;
const MOST_WRITES: usize = 100;

/// The lines that wrote something, the last one last.
#[derive(Debug, Default)]
pub struct Lines {
    /// Whether there is a shell.
    is_kept: bool,
    /// Whether what is written takes something back.
    is_back: bool,
    all: Vec<Line>,
}

impl Session {
    /// Another line of a shell begins: what is written from here on is its own.
    pub fn begin_line(&self) {
        let mut lines = locked(self.lines());
        lines.is_kept = true;
        lines.all.retain(|line| !line.writes.is_empty());
        let more = (lines.all.len() + 1).saturating_sub(MOST_LINES);
        lines.all.drain(..more);
        lines.all.push(Line::default());
    }

    /// Something was written.
    pub fn wrote(&self, write: impl FnOnce() -> Write) {
        let mut lines = locked(self.lines());
        let is_kept = lines.is_kept && !lines.is_back;
        let Some(line) = lines.all.last_mut().filter(|_| is_kept) else { return };
        if line.writes.len() == MOST_WRITES {
            line.is_cut = true;
        } else {
            line.writes.push((self.server().unwrap_or_default(), write()));
        }
    }

    /// The same of a client of several that were written together: as it was, if it was, and as it is, if it is.
    pub fn wrote_one(&self, done: Done, id: &ClientId, before: Option<&Client>, after: Option<&Client>) {
        self.wrote(|| match (done, before, after) {
            (Done::Created, _, Some(client)) => Write::created(client),
            (Done::Updated, Some(before), Some(after)) => Write::updated(before, after),
            _ => Write::ForGood(done, id.clone()),
        });
    }

    /// Forgets the last line that wrote something: it cannot be undone, and those before it can.
    pub fn pass_over(&self) {
        let mut lines = locked(self.lines());
        if let Some(at) = lines.all.iter().rposition(|line| !line.writes.is_empty()) {
            lines.all.remove(at);
        }
    }

    /// The last line that wrote something; what it wrote is remembered still.
    pub fn last_written(&self) -> Option<Line> {
        locked(self.lines()).all.iter().rfind(|line| !line.writes.is_empty()).cloned()
    }

    /// Does something that takes that line back: what it writes itself is not remembered, and where it succeeds the line is not either.
    pub fn taking_back<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        locked(self.lines()).is_back = true;
        let done = work();
        let mut lines = locked(self.lines());
        lines.is_back = false;
        if done.is_ok()
            && let Some(at) = lines.all.iter().rposition(|line| !line.writes.is_empty())
        {
            lines.all.remove(at);
        }
        done
    }
}
