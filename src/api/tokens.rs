//! Tokens: issued to a client, introspected, revoked; and whether a client's secret is right.

use serde_json::{Map, Value};

use crate::api::request::{self, Request};
use crate::api::send::{Answer, ask, exchange};
use crate::api::{Remote, clients, refusal};
use crate::error::{Error, Result};
use crate::model::client::ClientId;
use crate::secret::Secret;

/// A client, and the secret that it signs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its id.
    pub id: ClientId,
    /// Its secret.
    pub secret: Secret,
}

/// The client credentials grant (RFC 6749 §4.4). The answer holds the token: `{access_token, expires_in, token_type, …}`.
pub async fn client_credentials(
    remote: &dyn Remote,
    client: &Credentials,
    scope: &str,
    audience: &str,
) -> Result<Map<String, Value>> {
    let about = format!("client `{}` gets no token", client.id);
    let build = |in_body| request::client_credentials(&client.id, &client.secret, in_body, scope, audience);
    object(&signed_in(remote, build, &about).await?, &about)
}

/// Revokes an access or refresh token (RFC 7009). A token that is not known is no error.
pub async fn revoke(remote: &dyn Remote, token: &Secret, client: &Credentials) -> Result<()> {
    let about = format!("client `{}` cannot revoke the token", client.id);
    let build = |in_body| request::revoke_token(token, &client.id, &client.secret, in_body);
    signed_in(remote, build, &about).await.map(drop)
}

/// What the server knows of a token (RFC 7662): `{active, …}`.
pub async fn introspect(remote: &dyn Remote, token: &Secret, scope: &str) -> Result<Map<String, Value>> {
    let about = "cannot introspect the token";
    object(&ask(remote, &request::introspect_token(token, scope), about).await?, about)
}

/// Asks as a client, by Basic and then in the body: which of them is right only the admin API tells.
async fn signed_in(remote: &dyn Remote, build: impl Fn(bool) -> Request, about: &str) -> Result<Answer> {
    match ask(remote, &build(false), about).await {
        Err(first) if first.code() == Some("invalid_client") => match ask(remote, &build(true), about).await {
            // It is the client that may not, whoever is signed in.
            Err(second) if second.code() == Some("invalid_client") => Err(wrong_credentials(about)),
            other => other,
        },
        other => other,
    }
}

fn wrong_credentials(about: &str) -> Error {
    Error::failed(format!("{about}: the server does not take its id and secret (HTTP 401 invalid_client)"))
        .with_status(401)
        .with_code("invalid_client")
        .hint("`orysh test oauth2-client` tells whether a secret is right; --public-endpoint, whose server is asked")
}

fn object(answer: &Answer, about: &str) -> Result<Map<String, Value>> {
    match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(refusal::not_understood(answer, about, "a JSON object")),
    }
}

/// Whether a secret is a client's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The token endpoint authenticated the client.
    Right,
    /// It did not, twice, while the admin API answered.
    Wrong,
    /// Neither could be established.
    Unknown,
}

/// Proves a secret at the token endpoint, without any effect.
///
/// Hydra answers `invalid_client` too when its database is in trouble: a "wrong" is believed only
/// when the admin API answers before and after, and a second probe agrees.
pub async fn prove(remote: &dyn Remote, id: &ClientId, secret: &Secret, auth_method: &str) -> Result<Verdict> {
    let first = probe(remote, id, secret, auth_method).await;
    if first != Verdict::Wrong {
        return Ok(first);
    }
    if clients::get_opt(remote, id).await?.is_none() {
        return Ok(Verdict::Unknown);
    }
    let second = probe(remote, id, secret, auth_method).await;
    if second == Verdict::Wrong && clients::get_opt(remote, id).await?.is_none() {
        return Ok(Verdict::Unknown);
    }
    Ok(second)
}

async fn probe(remote: &dyn Remote, id: &ClientId, secret: &Secret, auth_method: &str) -> Verdict {
    let Ok(answer) = exchange(remote, &request::probe_secret(id, secret, auth_method)).await.result else {
        return Verdict::Unknown;
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status, body.get("error").and_then(Value::as_str)) {
        (400, Some("unauthorized_client" | "invalid_grant")) => Verdict::Right,
        (401, Some("invalid_client")) => Verdict::Wrong,
        _ => Verdict::Unknown,
    }
}
