//! The token endpoint, as far as it tells whether a client's secret is right.

use serde_json::Value;

use crate::api::request;
use crate::api::send::exchange;
use crate::api::{Remote, clients};
use crate::error::Result;
use crate::model::client::ClientId;
use crate::secret::Secret;

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
