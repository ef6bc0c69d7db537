//! Telling people, and what only they may read.

use std::path::Path;

use crate::crypt::{Source, recipient};
use crate::error::Result;
use crate::ops::recipients::{self, Wanted};
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::script::limits;
use crate::secret::Secret;

/// Registers the modules.
pub fn register(library: &mut Library, context: &Context) {
    let ui = context.session().ui();
    library.add(
        ("log", "info(text)"),
        ("Tells something on stderr, unless --quiet is given", "log::info(\"on we go\")"),
        move |text: &str| told(text, |text| ui.note(text)),
    );
    library.add(("log", "warn(text)"), ("Warns on stderr", "log::warn(\"mind the gap\")"), move |text: &str| {
        told(text, |text| ui.warn(text));
    });
    library.add(
        ("log", "error(text)"),
        ("Tells on stderr what went wrong, and goes on", "log::error(\"it is gone\")"),
        move |text: &str| told(text, |text| ui.complain(text)),
    );
    let bound = context.clone();
    library.add(
        ("pgp", "encrypt(secret, key) -> text"),
        (
            "A secret encrypted for a key: a file as `@FILE`, armored text, or base64",
            "try { pgp::encrypt(clients::create(#{}).client_secret, \"@none.asc\") } catch (e) { print(e.message) }",
        ),
        move |secret: Secret, key: &str| {
            let sealed = encrypted(&bound, &secret, key).map_err(thrown)?;
            bound.seal(&sealed, &secret);
            ScriptResult::Ok(sealed)
        },
    );
    let bound = context.clone();
    library.add(
        ("pgp", "encrypt(text, key) -> text"),
        (
            "A text encrypted for a key",
            "try { pgp::encrypt(\"a text\", \"@none.asc\") } catch (e) { print(e.message) }",
        ),
        move |text: &str, key: &str| encrypted(&bound, &Secret::new(text), key).map_err(thrown),
    );
}

/// What a call into a plugin may say is limited, wherever it says it.
fn told(text: &str, tell: impl Fn(&str)) {
    limits::say(text.len());
    if limits::may_say() {
        tell(text);
    }
}

/// Base64 of an armored message, as `--pgp-key` makes it.
fn encrypted(context: &Context, secret: &Secret, key: &str) -> Result<String> {
    let session = &context.session();
    // A key by its text reaches nothing; one in a file is read.
    let key = match (session.grant(), key.strip_prefix('@')) {
        (Some(_), Some(path)) => format!("@{}", context.readable(path)?),
        (Some(_), None) if !key.contains("BEGIN PGP") && Path::new(key).exists() => context.readable(key)?,
        _ => key.to_owned(),
    };
    let key = key.as_str();
    let wanted = Wanted { sources: vec![Source::Word(key.to_owned())], ..Wanted::default() };
    let found = recipients::load(session, &wanted)?;
    recipient::encrypt(&found, secret).map(|sealed| sealed.expose().to_owned())
}
