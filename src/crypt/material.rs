//! From what was given (armored, binary, base64 of either) to public keys.

use std::path::Path;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pgp::composed::{PublicOrSecret, SignedPublicKey};

use crate::crypt::{Fingerprint, MOST_BYTES, armor};
use crate::error::{Error, Result};

/// Standard base64, with or without padding: `base64 -w0`, and what strips it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads every public key in `bytes`: armored text, binary packets, or base64 of either.
///
/// `from` names where they came from. Errors: nothing at all, too much, no key, a private key, damage, and the line
/// of broken armor.
pub fn read(bytes: &[u8], from: &str) -> Result<Vec<SignedPublicKey>> {
    if bytes.len() > MOST_BYTES {
        return Err(too_large(from));
    }
    match form(bytes) {
        Form::Base64(text) => {
            let decoded = decode(&text, from)?;
            match form(&decoded) {
                Form::Base64(_) => {
                    Err(no_key(from).hint("it is base64, but neither of armored text nor of a binary key"))
                }
                form => keys(form, from),
            }
        }
        form => keys(form, from),
    }
}

/// The refusal of what is larger than keys are.
pub fn too_large(from: &str) -> Error {
    Error::usage(format!("{from} is larger than a key can be ({} KiB)", MOST_BYTES / 1024))
        .hint("`gpg --export-options export-minimal --export KEY` leaves the signatures of others out")
}

/// The refusal of a private key, which should never have come here.
fn private_key(fingerprint: &Fingerprint, from: &str) -> Error {
    Error::usage(format!(
        "{from} is a private key, {fingerprint}: it must not leave its owner, and nothing is encrypted with it"
    ))
    .hint("its owner exports the public one with `gpg --armor --export KEY`")
}

enum Form<'a> {
    Armored(&'a str),
    Binary(&'a [u8]),
    Base64(String),
}

fn form(bytes: &[u8]) -> Form<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) if armor::is_armored(text) => Form::Armored(text),
        Ok(text) => Form::Base64(text.split_ascii_whitespace().collect()),
        // Every packet begins with a byte above 0x7f, which no text does that is not UTF-8.
        Err(_) => Form::Binary(bytes),
    }
}

fn keys(form: Form<'_>, from: &str) -> Result<Vec<SignedPublicKey>> {
    let blocks = match form {
        Form::Armored(text) => armor::blocks(text, from)?,
        Form::Binary(bytes) => vec![bytes.to_vec()],
        Form::Base64(_) => Vec::new(),
    };
    let mut keys = Vec::new();
    for block in &blocks {
        // The library's own words hold its stack.
        let damaged = |_: pgp::errors::Error| {
            Error::usage(format!("{from} holds no key that can be read: it was cut off or damaged"))
                .hint("copy it again, whole")
        };
        for key in PublicOrSecret::from_bytes_many(block.as_slice()).map_err(damaged)? {
            match key.map_err(damaged)? {
                PublicOrSecret::Public(key) => keys.push(key),
                PublicOrSecret::Secret(key) => {
                    return Err(private_key(&Fingerprint::of(key.primary_key.public_key()), from));
                }
            }
        }
    }
    if keys.is_empty() { Err(no_key(from)) } else { Ok(keys) }
}

fn decode(text: &str, from: &str) -> Result<Vec<u8>> {
    if text.is_empty() {
        return Err(Error::usage(format!("{from} is empty: there is no key in it")));
    }
    let bytes = BASE64.decode(text).map_err(|source| {
        let error = no_key(from);
        if text.starts_with('<') {
            return error.hint("it is a page of HTML");
        }
        if text.len() < 4096 && Path::new(text).is_file() {
            return error.hint(format!("did you mean the file `@{text}`?"));
        }
        error.caused_by(format!("it is not base64 either: {source}"))
    })?;
    if bytes.is_empty() { Err(Error::usage(format!("{from} is base64 of nothing"))) } else { Ok(bytes) }
}

fn no_key(from: &str) -> Error {
    Error::usage(format!("there is no OpenPGP key in {from}"))
        .hint(format!("a key is armored text ({}), binary, or base64 of either", armor::EXAMPLE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypt::Certificate;

    const KEY: &str = include_str!("../../tests/data/pgp/rfc9580-v6.asc");

    #[test]
    fn every_form_gives_the_same_key() {
        let binary = armor::blocks(KEY, "x").unwrap().remove(0);
        let wrapped = BASE64.encode(KEY).as_bytes().chunks(64).map(|line| [line, b"\n"].concat()).collect::<Vec<_>>();
        let forms = [
            KEY.as_bytes().to_vec(),
            BASE64.encode(KEY).into_bytes(),
            wrapped.concat(),
            binary.clone(),
            BASE64.encode(&binary).into_bytes(),
            BASE64.encode(&binary).trim_end_matches('=').as_bytes().to_vec(),
        ];
        let keys: Vec<_> = forms.iter().map(|form| read(form, "x").unwrap()).collect();
        assert!(keys.iter().all(|key| key.len() == 1 && *key == keys[0]));
        assert_eq!(read([&binary[..], &binary[..]].concat().as_slice(), "x").unwrap().len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn damage_is_an_error_or_another_key(changes in proptest::collection::vec((0..500usize, 0..=255u8), 1..4)) {
            let mut binary = armor::blocks(KEY, "x").unwrap().remove(0);
            for (at, byte) in changes {
                let length = binary.len();
                if at < length { binary[at] = byte } else { binary.truncate(length - at % length / 2) }
            }
            for key in read(&binary, "x").into_iter().flatten() {
                let _ = Certificate::read(key, std::time::SystemTime::now());
            }
        }
    }

    #[test]
    fn what_holds_no_key_is_refused_with_its_reason() {
        let refused = |bytes: &[u8]| {
            let error = read(bytes, "it").unwrap_err();
            format!("{} {}", error.full_message(), error.hints().join(" "))
        };
        for (bytes, why) in [
            (&b""[..], "is empty"),
            (b" \n ", "is empty"),
            (b"====", "no OpenPGP key"),
            (b"<html><body>404</body></html>", "page of HTML"),
            (b"Cargo.toml", "`@Cargo.toml`"),
            (b"AAAA", "no OpenPGP key"),
            (b"aGVsbG8gd29ybGQ=", "neither of armored"),
            (b"\xff\xfe\x00", "no key that can be read"),
            (&vec![b'A'; MOST_BYTES + 1], "larger"),
        ] {
            assert!(
                refused(bytes).contains(why),
                "{:?}: {}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(30)]),
                refused(bytes)
            );
        }
    }
}
