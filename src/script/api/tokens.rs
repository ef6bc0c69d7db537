//! Tokens, and whether secrets are right.

use rhai::{Dynamic, Map};
use serde_json::json;

use crate::api;
use crate::api::tokens::{Credentials, Verdict};
use crate::error::Result;
use crate::model::client::ClientId;
use crate::ops::dry_run::would;
use crate::script::engine::Context;
use crate::script::errors::thrown;
use crate::script::library::Library;
use crate::script::value;
use crate::secret::Secret;
use crate::session::Session;
use crate::session::dry_run::{is_placeholder, placeholder};
use crate::text::safe;
use crate::ui::Mark;

/// The options of `tokens::client_credentials`.
pub const OPTIONS: [&str; 2] = ["scope", "audience"];

/// Registers the module.
pub fn register(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("tokens", "client_credentials(id, secret) -> map"),
        (
            "A token of a client of its own (RFC 6749 §4.4), whose `access_token` is a secret",
            r#"let c = clients::create(#{grant_types: ["client_credentials"]}); tokens::client_credentials(c.client_id, c.client_secret).token_type"#,
        ),
        move |id: &str, secret: Secret| client_credentials(&bound.session(), id, secret, "", "").map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("tokens", "client_credentials(id, secret, options) -> map"),
        (
            "The same for `#{scope, audience}`, words with a space between them",
            r#"let c = clients::create(#{grant_types: ["client_credentials"], scope: "read"}); tokens::client_credentials(c.client_id, c.client_secret, #{scope: "read"}).scope"#,
        ),
        move |id: &str, secret: Secret, options: Map| {
            let token = || {
                let [scope, audience] = value::options(&options, "tokens::client_credentials", OPTIONS)?;
                client_credentials(&bound.session(), id, secret, &scope, &audience)
            };
            token().map_err(thrown)
        },
    );
    let bound = context.clone();
    library.add(
        ("tokens", "introspect(token) -> map"),
        (
            "What the server knows of a token (RFC 7662): `#{active, …}`",
            r#"let c = clients::create(#{grant_types: ["client_credentials"]}); let t = tokens::client_credentials(c.client_id, c.client_secret); tokens::introspect(t.access_token).active"#,
        ),
        move |token: Secret| {
            let session = bound.session();
            let known = session.wait(api::tokens::introspect(&session, &token, ""));
            known.map(|object| with_secrets(&object)).map_err(thrown)
        },
    );
    let bound = context.clone();
    library.add(
        ("tokens", "revoke(token, id, secret)"),
        (
            "Revokes a token of a client (RFC 7009)",
            r#"let c = clients::create(#{grant_types: ["client_credentials"]}); let t = tokens::client_credentials(c.client_id, c.client_secret); tokens::revoke(t.access_token, c.client_id, c.client_secret)"#,
        ),
        move |token: Secret, id: &str, secret: Secret| revoke(&bound.session(), &token, id, secret).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("tokens", "test(id, secret) -> bool"),
        (
            "Whether a secret is a client's own; `()` where that cannot be told",
            "let c = clients::create(#{}); tokens::test(c.client_id, c.client_secret)",
        ),
        move |id: &str, secret: Secret| test(&bound.session(), id, &secret).map_err(thrown),
    );
}

fn client_credentials(session: &Session, id: &str, secret: Secret, scope: &str, audience: &str) -> Result<Map> {
    if would(session, Mark::Added, &format!("client `{}` gets a token", safe(id)))? {
        let answer = json!({"token_type": "bearer", "expires_in": 3600, "scope": scope});
        let mut map: Map = answer.as_object().into_iter().flat_map(with_secrets).collect();
        map.insert("access_token".into(), Dynamic::from(placeholder()));
        return Ok(map);
    }
    let client = Credentials { id: ClientId::parse(id)?, secret };
    let answer = session.wait(api::tokens::client_credentials(session, &client, scope, audience))?;
    Ok(with_secrets(&answer))
}

fn revoke(session: &Session, token: &Secret, id: &str, secret: Secret) -> Result<()> {
    if would(session, Mark::Removed, &format!("a token of client `{}` is revoked", safe(id)))? {
        return Ok(());
    }
    let client = Credentials { id: ClientId::parse(id)?, secret };
    session.wait(api::tokens::revoke(session, token, &client))
}

fn test(session: &Session, id: &str, secret: &Secret) -> Result<Dynamic> {
    // What a dry run stands in for would be right.
    if session.dry_run().is_some() && is_placeholder(secret) {
        return Ok(true.into());
    }
    let id = ClientId::parse(id)?;
    let client = session.wait(api::clients::get(session, &id))?;
    Ok(match session.wait(api::tokens::prove(session, &id, secret, client.auth_method()))? {
        Verdict::Right => true.into(),
        Verdict::Wrong => false.into(),
        Verdict::Unknown => Dynamic::UNIT,
    })
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
