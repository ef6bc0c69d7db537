//! Commands from a script, where it acts, and tokens.

use rhai::{Array, Dynamic, Map, NativeCallContext as Call};

use crate::api;
use crate::api::tokens::Credentials;
use crate::error::{Error, Result};
use crate::grammar::{common, execute, parse, words};
use crate::model::client::ClientId;
use crate::script::engine::Context;
use crate::script::errors::thrown;
use crate::script::held::Held;
use crate::script::library::{Library, placed};
use crate::script::value;
use crate::secret::Secret;

/// Registers them.
pub fn register(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("", "sh(line) -> value"),
        ("What a command returns: one value, or an array", r#"sh("list clients --page-size 2").len() >= 0"#),
        move |call: Call<'_>, line: &str| placed(&call, sh(&bound, line).map_err(thrown)),
    );
    place(library, context);
    tokens(library, context);
}

/// Runs a command, quoted as a POSIX shell does. Errors: its own; the first of several that failed.
fn sh(context: &Context, line: &str) -> Result<Dynamic> {
    let host = &context.host;
    let words = words::split(line)?;
    let (command, matches) = match parse::parse(&host.registry, &words, false)? {
        parse::Parsed::Command(command, matches) => (command, matches),
        parse::Parsed::Help(text) => return Ok(text.into()),
        parse::Parsed::Bare(_) => return Err(Error::usage("the line names no command")),
    };
    if ["run", "eval"].contains(&command.words[0]) || command.long_running {
        return Err(Error::usage(format!("`{}` is not for scripts", command.words.join(" "))));
    }
    let output = common::output(&matches, command.format)?;
    let mut outcome = execute::begin(host, command, &matches, &output, true)?;
    let is_one = outcome.shape == crate::output::outcome::Shape::One;
    let mut values = Array::new();
    while let Some(row) = outcome.rows.next() {
        let row = row?;
        values.push(value::from_body(&row.body));
        if let Some(pending) = row.pending {
            context.hold(Held::pending(pending));
        }
    }
    Ok(match values.len() {
        0 if is_one => Dynamic::UNIT,
        1 if is_one => values.remove(0),
        _ => values.into(),
    })
}

fn place(library: &mut Library, context: &Context) {
    let session = context.host.session.clone();
    library.add(
        ("session", "target() -> map"),
        ("Where the script acts: `#{place, named_by, subject, profile, is_production}`", "session::target().place"),
        move |call: Call<'_>| {
            let told = session.chosen().map(|chosen| {
                let mut map = Map::new();
                map.insert("place".into(), chosen.place().into());
                map.insert("named_by".into(), chosen.named_by.clone().into());
                map.insert("subject".into(), chosen.subject.clone().into());
                let profile = chosen.profile.as_ref();
                map.insert("profile".into(), profile.map_or(Dynamic::UNIT, |profile| profile.name.clone().into()));
                map.insert("is_production".into(), profile.is_some_and(|profile| profile.production).into());
                map
            });
            placed(&call, told.map_err(thrown))
        },
    );
}

fn tokens(library: &mut Library, context: &Context) {
    let session = context.host.session.clone();
    library.add(
        ("tokens", "client_credentials(id, secret) -> map"),
        (
            "A token of a client of its own (RFC 6749 §4.4), whose `access_token` is a secret",
            r#"let c = clients::create(#{grant_types: ["client_credentials"]}); tokens::client_credentials(c.client_id, c.client_secret).token_type"#,
        ),
        move |call: Call<'_>, id: &str, secret: Secret| {
            let got = || {
                let client = Credentials { id: ClientId::parse(id)?, secret };
                session.wait(api::tokens::client_credentials(&session, &client, "", ""))
            };
            placed(&call, got().map(|object| with_secrets(&object)).map_err(thrown))
        },
    );
    let session = context.host.session.clone();
    library.add(
        ("tokens", "introspect(token) -> map"),
        (
            "What the server knows of a token (RFC 7662): `#{active, …}`",
            r#"let c = clients::create(#{grant_types: ["client_credentials"]}); let t = tokens::client_credentials(c.client_id, c.client_secret); tokens::introspect(t.access_token).active"#,
        ),
        move |call: Call<'_>, token: Secret| {
            let known = session.wait(api::tokens::introspect(&session, &token, ""));
            placed(&call, known.map(|object| with_secrets(&object)).map_err(thrown))
        },
    );
    let session = context.host.session.clone();
    library.add(
        ("tokens", "revoke(token, id, secret)"),
        (
            "Revokes a token of a client (RFC 7009)",
            r#"let c = clients::create(#{grant_types: ["client_credentials"]}); let t = tokens::client_credentials(c.client_id, c.client_secret); tokens::revoke(t.access_token, c.client_id, c.client_secret)"#,
        ),
        move |call: Call<'_>, token: Secret, id: &str, secret: Secret| {
            let revoked = || {
                let client = Credentials { id: ClientId::parse(id)?, secret };
                session.wait(api::tokens::revoke(&session, &token, &client))
            };
            placed(&call, revoked().map_err(thrown))
        },
    );
    let session = context.host.session.clone();
    library.add(
        ("tokens", "test(id, secret) -> bool"),
        (
            "Whether a secret is a client's own; `()` where that cannot be told",
            "let c = clients::create(#{}); tokens::test(c.client_id, c.client_secret)",
        ),
        move |call: Call<'_>, id: &str, secret: Secret| {
            let told = || {
                let id = ClientId::parse(id)?;
                let client = session.wait(api::clients::get(&session, &id))?;
                session.wait(api::tokens::prove(&session, &id, &secret, client.auth_method()))
            };
            let verdict = told().map(|verdict| match verdict {
                api::tokens::Verdict::Right => true.into(),
                api::tokens::Verdict::Wrong => false.into(),
                api::tokens::Verdict::Unknown => Dynamic::UNIT,
            });
            placed(&call, verdict.map_err(thrown))
        },
    );
}

/// An answer whose tokens are secrets.
fn with_secrets(object: &serde_json::Map<String, serde_json::Value>) -> Map {
    let of = |(key, value): (&String, &serde_json::Value)| {
        let value = match value.as_str() {
            Some(token) if key.ends_with("_token") => Dynamic::from(Secret::new(token)),
            _ => value::from_json(value),
        };
        (key.as_str().into(), value)
    };
    object.iter().map(of).collect()
}
