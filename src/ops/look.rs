//! The command that shows a client as it is now, as hints name it.

use crate::model::client::ClientId;
use crate::session::Session;
use crate::text::shell_word;

/// `orysh get oauth2-client ID`, with the flags that lead to the same server.
pub fn at(session: &Session, id: &ClientId) -> String {
    format!("orysh get oauth2-client {}{}", shell_word(id.as_str()), target(session))
}

/// The flags that name the session's target, each with a space before it.
pub fn target(session: &Session) -> String {
    let flag = |(flag, value): (&str, String)| match value.as_str() {
        "" => format!(" --{flag}"),
        value => format!(" --{flag} {}", shell_word(value)),
    };
    session.settings().given.names().into_iter().map(flag).collect()
}
