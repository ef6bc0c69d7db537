//! A key's fingerprint, as people write it.

use std::fmt;

use pgp::types::KeyDetails;

use crate::error::{Error, Result};

/// The fingerprint of a key or subkey: 40 (version 4) or 64 (version 6) hexadecimal digits in capitals.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Reads one, with spaces, colons and `0x` or without. Key ids are refused: others can be made that have them too.
    pub fn parse(text: &str) -> Result<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let digits = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(&digits);
        let digits = digits.to_ascii_uppercase();
        if let Some(other) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(Error::usage(format!("`{other}` does not belong in a fingerprint (`{text}`)")).hint(EXAMPLE));
        }
        match digits.len() {
            40 | 64 => Ok(Fingerprint(digits)),
            8 | 16 => Err(Error::usage(format!(
                "`{text}` is a key id, not a fingerprint: anybody can make a key that has it"
            ))
            .hint(EXAMPLE)),
            length => {
                Err(Error::usage(format!("a fingerprint has 40 or 64 digits, `{text}` has {length}")).hint(EXAMPLE))
            }
        }
    }

    /// The fingerprint of a key.
    pub fn of(key: &impl KeyDetails) -> Self {
        Fingerprint(key.fingerprint().to_string().to_ascii_uppercase())
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const EXAMPLE: &str = "`gpg --fingerprint KEY` and `orysh inspect key` show it";

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_gpg_prints_it() {
        let plain = "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C1";
        for text in
            [plain, "CB18 6C4F 0609 A697 E4D5  2DFA 6C72 2B0C 1F1E 27C1", "0xcb186c4f0609a697e4d52dfa6c722b0c1f1e27c1"]
        {
            assert_eq!(Fingerprint::parse(text).unwrap().as_str(), plain);
        }
        for (text, why) in [("6C722B0C1F1E27C1", "key id"), ("", "has 0"), ("xyz", "`X`"), (&plain[1..], "has 39")] {
            assert!(Fingerprint::parse(text).unwrap_err().message().contains(why), "{text}");
        }
    }
}
