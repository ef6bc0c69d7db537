//! Secrets: a type whose text is shown only when asked for by name, and how they are made.

use std::fmt;
use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};

/// What stands for a secret wherever it may not be shown.
pub const REDACTED: &str = "[REDACTED]";

/// The most bytes that a file or stdin may hold to be taken for a secret.
const MOST_BYTES: u64 = 64 * 1024;

/// The error, which may tell what a server or a plugin says, without the secret.
pub fn concealed(error: Error, secret: Option<&Secret>) -> Error {
    match secret {
        Some(secret) => error.without(secret.expose(), REDACTED),
        None => error,
    }
}

/// A secret text. `Debug` and `Display` show `[REDACTED]`; memory is zeroized on drop.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(SecretString::from(text.into()))
    }

    /// The text itself: for the wire, and for output that was asked for.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// 192 bits from the operating system as 32 characters of `[A-Za-z0-9_-]`.
    pub fn generate() -> Result<Self> {
        let mut bytes = zeroize::Zeroizing::new([0u8; 24]);
        getrandom::fill(bytes.as_mut()).map_err(|source| {
            Error::failed("the operating system gives no random bytes").caused_by(source.to_string())
        })?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
    }

    /// Reads a secret from `reader` to its end, without one line end at the end.
    ///
    /// `what` names it in errors, `from` where it came from. Refused: nothing at all, more than 64 KiB, text that is not
    /// UTF-8.
    pub fn read(reader: impl Read, what: &str, from: &str) -> Result<Self> {
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
        reader
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| Error::usage(format!("cannot read the {what} from {from}")).caused_by(source))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Error::usage(format!("{from} is too long for a {what}")));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|source| Error::usage(format!("the {what} in {from} is not UTF-8")).caused_by(source))?;
        let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        if text.is_empty() {
            return Err(Error::usage(format!("the {what} in {from} is empty")));
        }
        Ok(Secret::new(text))
    }

    /// Reads a secret from a file: as [`Secret::read`].
    pub fn read_file(path: &Path, what: &str) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|source| {
            Error::usage(format!("cannot open the {what}'s file {}", path.display())).caused_by(source)
        })?;
        Secret::read(file, what, &path.display().to_string())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_is_long_plain_and_never_the_same() {
        let (a, b) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.expose().len(), 32);
        assert!(a.expose().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    }

    #[test]
    fn no_way_of_formatting_shows_it() {
        let secret = Secret::new("canary");
        assert!(!format!("{secret} {secret:?} {:?}", Some(&secret)).contains("canary"));
    }

    #[test]
    fn one_line_end_is_taken_off() {
        assert_eq!(Secret::read(&b"abc\r\n"[..], "secret", "x").unwrap().expose(), "abc");
        assert_eq!(Secret::read(&b"abc\n\n"[..], "secret", "x").unwrap().expose(), "abc\n");
        assert!(Secret::read(&b"\n"[..], "secret", "x").is_err());
        assert!(Secret::read(&b"\xff"[..], "secret", "x").is_err());
    }
}
