//! Small things that scripts want: encodings, hashes, identifiers, addresses, the environment.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use rhai::{Array, Dynamic, INT, Map};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use crate::env;
use crate::error::{Error, Result};
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::script::made::{made, unwritten};
use crate::script::value;
use crate::secret::Secret;
use crate::text::{hex, safe};

/// Registers them.
pub fn register(library: &mut Library, context: &Context) {
    encodings(library, context);
    hashes(library);
    addresses(library);
    library.add(("uuid", "v4() -> text"), ("A random identifier (UUIDv4)", "uuid::v4().len()"), || {
        Uuid::new_v4().to_string()
    });
    library.add(
        ("uuid", "is_valid(text) -> bool"),
        ("Whether a text is a UUID", r#"uuid::is_valid("not one")"#),
        |text: &str| Uuid::parse_str(text).is_ok(),
    );
    let (bound, other) = (context.clone(), context.clone());
    library.add(
        ("env", "get(name) -> text"),
        ("A variable of the environment; `()` where it is not set", r#"env::get("NO_SUCH_VARIABLE") == ()"#),
        move |name: &str| variable(&bound, name, Dynamic::UNIT).map_err(thrown),
    );
    library.add(
        ("env", "get(name, otherwise) -> text"),
        ("A variable of the environment, or something else", r#"env::get("NO_SUCH_VARIABLE", "none")"#),
        move |name: &str, otherwise: Dynamic| variable(&other, name, otherwise).map_err(thrown),
    );
}

fn variable(context: &Context, name: &str, otherwise: Dynamic) -> Result<Dynamic> {
    if let Some(grant) = context.session().grant() {
        grant.variable(name)?;
    }
    Ok(env::named(name).map_or(otherwise, Dynamic::from))
}

fn encodings(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("base64", "encode(text) -> text"),
        ("Base64 of the bytes of a text (RFC 4648 §4)", r#"base64::encode("a text")"#),
        move |text: &str| {
            let encoded = in_base64(&STANDARD, text)?;
            // Whoever writes it has written what is in it.
            bound.seal(&encoded, &Secret::new(text));
            ScriptResult::Ok(encoded)
        },
    );
    library.add(
        ("base64", "decode(text) -> text"),
        ("The text that was encoded so", r#"base64::decode("YSB0ZXh0")"#),
        |text: &str| decoded(STANDARD.decode(text.trim())),
    );
    library.add(
        ("base64", "encode_url(text) -> text"),
        ("Base64 for addresses, without padding (RFC 4648 §5)", r#"base64::encode_url("a text?")"#),
        |text: &str| in_base64(&URL_SAFE_NO_PAD, text),
    );
    library.add(
        ("base64", "decode_url(text) -> text"),
        ("The text that was encoded so", r#"base64::decode_url("YSB0ZXh0")"#),
        |text: &str| decoded(URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('='))),
    );
}

fn in_base64(alphabet: &GeneralPurpose, text: &str) -> ScriptResult<String> {
    // Three bytes are four characters.
    if !value::has_room(text.len().div_ceil(3).saturating_mul(4)) {
        return Err(value::too_much());
    }
    Ok(alphabet.encode(text))
}

fn decoded(bytes: std::result::Result<Vec<u8>, base64::DecodeError>) -> ScriptResult<String> {
    let text = || -> Result<String> {
        let bytes = bytes.map_err(|source| Error::usage("the text is no base64").caused_by(source.to_string()))?;
        String::from_utf8(bytes).map_err(|_| Error::usage("what was encoded is no text"))
    };
    text().map_err(thrown)
}

fn hashes(library: &mut Library) {
    library.add(
        ("hash", "sha256(text) -> text"),
        ("The SHA-256 of a text, in hex", r#"hash::sha256("a text")"#),
        |text: &str| hex(&Sha256::digest(text)),
    );
    library.add(
        ("hash", "hmac_sha256(key, text) -> text"),
        ("The HMAC-SHA-256 of a text under a key, in hex (RFC 2104)", r#"hash::hmac_sha256("key", "a text")"#),
        |key: &str, text: &str| hmac(key, text),
    );
    library.add(
        ("hash", "hmac_sha256(secret, text) -> text"),
        (
            "The same under a secret, which stays one",
            r#"hash::hmac_sha256(clients::create(#{}).client_secret, "a text").len()"#,
        ),
        |key: Secret, text: &str| hmac(key.expose(), text),
    );
}

fn hmac(key: &str, text: &str) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn addresses(library: &mut Library) {
    library.add(
        ("url", "parse(text) -> map"),
        (
            "The parts of an address: `#{scheme, host, port, path, segments, query, fragment}`; what `query` has several times is an array there",
            r#"url::parse("https://a.example:8443/cb?x=1").host"#,
        ),
        |text: &str| parts(text).map_err(thrown),
    );
    library.add(
        ("url", "encode(text) -> text"),
        ("A text as a part of an address or a form", r#"url::encode("a b&c")"#),
        |text: &str| {
            let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
            made(|out| write!(out, "{encoded}").map_err(unwritten))
        },
    );
    library.add(
        ("url", "decode(text) -> text"),
        ("The text that was encoded so", r#"url::decode("a%20b")"#),
        |text: &str| {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
            let decoded = decoded.map(std::borrow::Cow::into_owned);
            decoded.map_err(|_| thrown(Error::usage("what was encoded is no text")))
        },
    );
    library.add(
        ("url", "is_loopback(text) -> bool"),
        ("Whether an address is of this machine", r#"url::is_loopback("http://localhost:3000/cb")"#),
        |text: &str| address(text).is_ok_and(|url| crate::net::is_loopback(&url)),
    );
}

/// So many bytes an address has at most: it is read as a whole, in which nothing stops that.
const LONGEST_ADDRESS: usize = 1024 * 1024;

fn address(text: &str) -> Result<Url> {
    if text.len() > LONGEST_ADDRESS {
        return Err(Error::usage("the address is longer than 1 MiB"));
    }
    Url::parse(text).map_err(|source| {
        Error::usage(format!("`{}` is no address", safe(&crate::net::without_password(text))))
            .caused_by(source.to_string())
    })
}

fn parts(text: &str) -> Result<Map> {
    let url = address(text)?;
    let text = |text: Option<&str>| text.map_or(Dynamic::UNIT, |text| text.to_owned().into());
    let mut query = Map::new();
    for (key, value) in url.query_pairs() {
        let value = Dynamic::from(value.into_owned());
        // What stands there several times is a list.
        match query.get_mut(key.as_ref()) {
            None => {
                query.insert(key.as_ref().into(), value);
            }
            Some(several) if several.is_array() => {
                several.write_lock::<Array>().into_iter().for_each(|mut several| several.push(value.clone()));
            }
            Some(one) => *one = vec![one.clone(), value].into(),
        }
    }
    let mut parts = Map::new();
    parts.insert("scheme".into(), url.scheme().to_owned().into());
    parts.insert("host".into(), text(url.host_str()));
    parts.insert("port".into(), url.port_or_known_default().map_or(Dynamic::UNIT, |port| INT::from(port).into()));
    parts.insert("path".into(), url.path().to_owned().into());
    parts.insert(
        "segments".into(),
        url.path_segments().map_or_else(Array::new, |all| all.map(|part| part.to_owned().into()).collect()).into(),
    );
    parts.insert("query".into(), query.into());
    parts.insert("fragment".into(), text(url.fragment()));
    Ok(parts)
}
