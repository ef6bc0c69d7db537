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
    let given = &session.settings().given;
    match (&given.endpoint, given.sandbox) {
        (Some(endpoint), _) => format!(" --endpoint {}", shell_word(endpoint)),
        (None, true) => " --sandbox".into(),
        (None, false) => String::new(),
    }
}
