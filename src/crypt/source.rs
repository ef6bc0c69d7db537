//! Where a recipient's key comes from: a word, a file, stdin, an address, Keybase.

use std::io::Read;

use crate::crypt::{MOST_BYTES, fetch, material};
use crate::error::{Error, Result};
use crate::net::fetch::{Fetched, Limits};
use crate::ui::input::Input;

/// Where a key comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// The key itself in any form that is text, `@FILE`, or `@-` for stdin.
    Word(String),
    /// An https address.
    Url(String),
    /// A Keybase user.
    Keybase(String),
}

/// A key as it came.
#[derive(Clone, Debug)]
pub struct Material {
    /// Armored text, binary, or base64 of either.
    pub bytes: Vec<u8>,
    /// Where it came from, as a person would say it.
    pub from: String,
    /// The host of an address that could not be checked, as a proxy resolved it.
    pub unchecked_host: Option<String>,
}

impl Source {
    /// Reads the key's bytes, at most 256 KiB. Errors are of usage: nothing has been sent to any server of clients.
    pub async fn read(&self, limits: &Limits) -> Result<Material> {
        let fetched = |fetched: Fetched, from: String| Material {
            unchecked_host: fetched.unchecked_host,
            bytes: fetched.bytes,
            from,
        };
        match self {
            Source::Word(word) if word == "@" => {
                Err(Error::usage("`@` names no file").hint("a key's file is named as @alice.asc, and @- is stdin"))
            }
            Source::Word(word) => match word.strip_prefix('@') {
                Some(path) => read_file(path),
                None => Ok(Material {
                    bytes: word.clone().into_bytes(),
                    from: "the key that was given".into(),
                    unchecked_host: None,
                }),
            },
            Source::Url(url) => Ok(fetched(fetch::url(limits, url).await?, url.clone())),
            Source::Keybase(user) => Ok(fetched(fetch::keybase(limits, user).await?, format!("Keybase user {user}"))),
        }
    }
}

fn read_file(path: &str) -> Result<Material> {
    let from = if path == "-" { "stdin" } else { path }.to_owned();
    let failed = |source: std::io::Error| Error::usage(format!("cannot read the key from {from}")).caused_by(source);
    let reader = if path == "-" { Input::Stdin } else { Input::open(path).map_err(failed)? };
    let mut bytes = Vec::new();
    reader.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MOST_BYTES {
        return Err(material::too_large(&from));
    }
    Ok(Material { bytes, from, unchecked_host: None })
}
