//! The id of a client, which is a part of the path of most requests.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::text::safe;

/// A client's id that can stand in a path. Any other text is allowed: Hydra's ids may hold spaces and slashes.
///
/// Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId(Arc<str>);

/// So many bytes an id has at most: no address has room for more.
const LONGEST: usize = 64 * 1024;

impl ClientId {
    /// Takes an id as given. Refused is what would make the request's path another one.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::usage(format!("the client id is longer than {} KiB", LONGEST >> 10)));
        }
        let why = match text {
            "" => "a client id is due, but this one is empty",
            "." | ".." => "it names a folder in a URL's path, so a request for it would go elsewhere",
            _ if text.contains(char::is_control) => "it holds a control character",
            _ => return Ok(ClientId(text.into())),
        };
        Err(Error::usage(if text.is_empty() {
            why.to_owned()
        } else {
            format!("`{}` cannot be a client id: {why}", safe(text))
        }))
    }

    /// A new id: a random UUID (RFC 9562 §5.4), as Hydra makes them.
    pub fn generate() -> Self {
        ClientId(uuid::Uuid::new_v4().to_string().into())
    }

    /// The id as the server knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&safe(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_would_change_the_path_are_refused() {
        for text in ["", ".", "..", "a\r\nb", "a\nb", "a\0", "\u{7f}", "\u{9b}x"] {
            assert!(ClientId::parse(text).is_err(), "{text:?}");
        }
        for text in ["te am/ü#1", "...", "a.b", " ", "%2e"] {
            assert_eq!(ClientId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_made_id_is_a_uuid_and_shown_safely() {
        assert_eq!(ClientId::generate().as_str().len(), 36);
        assert_ne!(ClientId::generate(), ClientId::generate());
        assert_eq!(ClientId::parse("a\u{202e}b").unwrap().to_string(), "a\\u{202e}b");
    }
}
