//! How far a row is, and what comes next for it.

use crate::error::{Error, Kind};
use crate::model::client::Client;
use crate::net;
use crate::ops::create;
use crate::ops::settle::{self, Fate};
use crate::session::grant::CAPABILITY;

/// How far a row is. The numbers are those of the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Nothing was sent for it.
    Planned = 0,
    /// It may have been sent.
    Sent = 1,
    /// It is done: there is one client for it, which is ours, or its client is as it should be.
    Done = 2,
    /// The server refused it: there is no client for it.
    Failed = 3,
    /// Another's client has its id.
    Conflict = 4,
    /// A client has its id, and whose it is cannot be told.
    Unproven = 5,
    /// The input had it wrong, and it was passed over.
    Skipped = 6,
    /// Its client was made, and deleted again by `batch undo`.
    Undone = 7,
    /// Its client is as it should be, and is to be handed over.
    Undelivered = 8,
    /// Its client is as it should be, and handing it over failed.
    DeliveryFailed = 9,
}

impl State {
    /// All of them.
    pub const ALL: [State; 10] = [
        State::Planned,
        State::Sent,
        State::Done,
        State::Failed,
        State::Conflict,
        State::Unproven,
        State::Skipped,
        State::Undone,
        State::Undelivered,
        State::DeliveryFailed,
    ];

    /// Those in which there is something to do yet.
    pub const DUE: [State; 3] = [State::Planned, State::Sent, State::Undelivered];

    /// Those in which the client is as the row asks.
    pub const MADE: [State; 3] = [State::Done, State::Undelivered, State::DeliveryFailed];

    /// Whether the client is as the row asks.
    pub fn is_made(self) -> bool {
        State::MADE.contains(&self)
    }

    /// From the journal's number.
    pub fn of(number: i64) -> Option<Self> {
        State::ALL.into_iter().find(|state| *state as i64 == number)
    }

    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Sent => "unsettled",
            State::Done => "done",
            State::Failed => "failed",
            State::Conflict => "conflict",
            State::Unproven => "unproven",
            State::Skipped => "invalid",
            State::Undone => "undone",
            State::Undelivered => "undelivered",
            State::DeliveryFailed => "delivery_failed",
        }
    }
}

/// What comes next for a row.
#[derive(Debug)]
pub enum Next {
    /// It is done; the client as the server told it, where it did.
    Done(Option<Box<Client>>),
    /// It has come to another end.
    End(State, Error),
    /// It is sent again later: the server was not there.
    Again(Error),
    /// It is sent again later: the server was there, and did not serve it now.
    Later(Error),
    /// The whole run stops: the next row would fare no better.
    Stop(Error),
}

/// What follows from what became of a create. `served`: other rows were served meanwhile, so that it is this one's fault;
/// `tries`: how often it was tried by now.
pub fn after(fate: Fate, served: bool, tries: u32) -> Next {
    match fate {
        Fate::Made { client, .. } => Next::Done(Some(client.into())),
        Fate::Exists(_) => Next::End(
            State::Conflict,
            Error::failed("another's client has this id: nothing was changed").with_status(409).with_code(create::CONFLICT),
        ),
        Fate::Refused(error) | Fate::Unknown(error) if is_of_all(&error) => Next::Stop(error),
        Fate::Refused(error) | Fate::Unknown(error) if error.kind() == Kind::Interrupted => Next::Again(error),
        Fate::Refused(error) if error.code() == Some(net::UNREACHABLE) && !(served && tries >= MOST_TRIES) => {
            Next::Again(error)
        }
        Fate::Refused(error) if refuses_ids(&error) => Next::Stop(
            error
                .hint("Hydra v2.0 and v2.1 take no id from a client's maker, and without one no row can be told from another")
                .hint("Hydra 2.2.0 and later, and Ory Network, take it"),
        ),
        Fate::Unknown(error) if error.code() == Some(settle::OTHER) => Next::Stop(error),
        // That there is no client of the id was asked afterwards: the server is there.
        Fate::Refused(error) if error.status().is_some_and(|status| status >= 500) => {
            if tries >= MOST_TRIES { Next::End(State::Failed, error) } else { Next::Later(error) }
        }
        Fate::Refused(error) if is_of_server(&error) && !(served && tries >= MOST_TRIES) => Next::Again(error),
        Fate::Refused(error) => Next::End(State::Failed, error),
        Fate::Unknown(error) if error.code() == Some(settle::UNPROVEN) => Next::End(State::Unproven, error),
        Fate::Unknown(error) if error.code() == Some(settle::DISPUTED) => Next::End(State::Conflict, error),
        Fate::Unknown(error) if served && tries >= MOST_TRIES => Next::End(State::Sent, error),
        Fate::Unknown(error) => Next::Again(error),
    }
}

/// A row is tried so often while others are served, each time with the repeats of a single create.
pub const MOST_TRIES: u32 = 3;

/// Whether an error says that no row would fare better: nobody is signed in, or a plugin may not do that.
pub fn is_of_all(error: &Error) -> bool {
    error.kind() == Kind::Denied || error.code() == Some(CAPABILITY)
}

/// Whether an error says nothing about the row: the server was not there, or not itself.
pub fn is_of_server(error: &Error) -> bool {
    error.kind() != Kind::Usage
        && (error.code() == Some(net::UNREACHABLE)
            || error.status().is_none_or(|status| status >= 500 || status == 429)
            || error.message().contains("serialize"))
}

/// What Hydra v2.0 and v2.1 answer to any id (400).
fn refuses_ids(error: &Error) -> bool {
    error.status() == Some(400) && error.full_message().contains("no longer possible to set an OAuth2 Client ID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_server_s_fault_is_tried_again_and_what_is_the_row_s_is_not() {
        let refused = |status: u16| Fate::Refused(Error::failed("x").with_status(status));
        let is = |next: Next| match next {
            Next::Done(_) => "done",
            Next::End(state, _) => state.name(),
            Next::Again(_) => "again",
            Next::Later(_) => "later",
            Next::Stop(_) => "stop",
        };
        let made = || Fate::Made { client: Client::default(), settled: false };
        for (fate, served, tries, expected) in [
            (made(), false, 1, "done"),
            (Fate::Exists(Client::default()), false, 1, "conflict"),
            (refused(400), true, 1, "failed"),
            (refused(503), false, 1, "later"),
            (refused(503), false, 3, "failed"),
            (refused(429), false, 9, "again"),
            (Fate::Unknown(Error::failed("x").with_code(settle::OTHER)), true, 1, "stop"),
            (Fate::Refused(Error::denied("x").with_status(401)), true, 1, "stop"),
            (Fate::Unknown(Error::denied("x").with_status(403)), true, 1, "stop"),
            (Fate::Unknown(Error::failed("x").with_code(settle::UNPROVEN)), true, 1, "unproven"),
            (Fate::Unknown(Error::failed("x").with_code(settle::DISPUTED)), true, 1, "conflict"),
            (Fate::Unknown(Error::failed("x")), true, 1, "again"),
            (Fate::Unknown(Error::failed("x")), true, 3, "unsettled"),
            (Fate::Unknown(Error::failed("x")), false, 99, "again"),
            (
                Fate::Refused(
                    Error::failed("It is no longer possible to set an OAuth2 Client ID as a user").with_status(400),
                ),
                true,
                1,
                "stop",
            ),
        ] {
            assert_eq!(is(after(fate, served, tries)), expected);
        }
    }
}
