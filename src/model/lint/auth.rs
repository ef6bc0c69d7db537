//! Rules for how a client authenticates: its secret, its keys, its method.

use serde_json::Value;

use super::{Finding, shown};
use crate::error::nearest;
use crate::model::fields;
use crate::model::spec::ClientSpec;
use crate::secret::REDACTED;

const SECRET: &str = "client_secret";
const METHOD: &str = "token_endpoint_auth_method";
const ALG: &str = "token_endpoint_auth_signing_alg";

/// Hydra counts bytes: at least 6, and bcrypt takes 72.
pub fn secret_length(spec: &ClientSpec) -> Option<Finding> {
    let secret = spec.secret()?.expose();
    match secret.len() {
        _ if secret == REDACTED => {
            let message =
                "`client_secret` is what stands for a secret where that is not shown: anybody could sign in with it";
            Some(Finding::error(SECRET, message).hint("name the secret itself: in a script, without making it a text"))
        }
        0 => Some(Finding::error(SECRET, "`client_secret` is empty").hint("leave it out to have one made")),
        1..6 => Some(Finding::error(SECRET, "`client_secret` has fewer than 6 characters")),
        6..=72 => None,
        _ => Some(
            Finding::warning(SECRET, "`client_secret` is over 72 bytes long, which servers that use bcrypt refuse")
                .hint("use 72 bytes or fewer"),
        ),
    }
}

/// A public client has no secret (RFC 6749 §2.1), and one with keys has no use for it.
pub fn secret_without_use(spec: &ClientSpec) -> Option<Finding> {
    spec.secret()?;
    match spec.auth_method() {
        "none" => {
            let message = "`client_secret` is given, but a client with the authentication method `none` has no secret";
            Some(Finding::error(SECRET, message).hint("leave the secret out, or choose `client_secret_basic`"))
        }
        "private_key_jwt" => {
            let message =
                "`client_secret` is given, but a client with the authentication method `private_key_jwt` never uses it";
            Some(Finding::warning(SECRET, message).hint("leave the secret out"))
        }
        _ => None,
    }
}

/// Hydra takes any method without a word, and the client can then never authenticate.
pub fn method(spec: &ClientSpec) -> Option<Finding> {
    let choices = choices(METHOD);
    let given = spec.auth_method();
    (!choices.contains(&given)).then(|| {
        let finding = Finding::error(METHOD, format!("`{METHOD}` is {}, which Hydra does not know", shown(given)));
        match nearest(given, choices.iter().copied()) {
            Some(name) => finding.did_you_mean(Some(name)),
            None => finding.hint(format!("one of {}", choices.join(", "))),
        }
    })
}

/// RFC 7591 §2: one or the other.
pub fn both_key_sets(spec: &ClientSpec) -> Option<Finding> {
    (has_jwks(spec) && spec.text("jwks_uri").is_some())
        .then(|| Finding::error("jwks", "`jwks` and `jwks_uri` exclude each other").hint("give one of them"))
}

/// RFC 7523 §2.2: the server checks assertions against the client's keys.
pub fn no_keys(spec: &ClientSpec) -> Option<Finding> {
    let is_due = spec.auth_method() == "private_key_jwt" && !has_jwks(spec) && spec.text("jwks_uri").is_none();
    is_due.then(|| {
        let message = "the authentication method `private_key_jwt` needs `jwks` or `jwks_uri`";
        Finding::error(METHOD, message)
    })
}

/// RFC 7517 §5: an object whose `keys` is a list of objects, each with a key type (§4.1).
///
/// A server tells `{}` where there are no keys. Private parts (RFC 7518 §6) are for the client alone.
pub fn key_set(spec: &ClientSpec) -> Option<Finding> {
    let jwks = spec.get("jwks").filter(|_| has_jwks(spec))?;
    let keys = jwks.get("keys").and_then(Value::as_array);
    let has_type = |key: &Value| key.get("kty").is_some_and(Value::is_string);
    match keys {
        Some(keys) if !keys.iter().all(has_type) => {
            Some(Finding::error("jwks", "`jwks` holds a key without a key type (`kty`)"))
        }
        Some(keys) if keys.iter().any(is_private) => {
            Some(Finding::error("jwks", "`jwks` holds a private key").hint("give the server public keys only"))
        }
        Some(_) => None,
        None => {
            Some(Finding::error("jwks", "`jwks` is not a JSON Web Key Set").hint(r#"write `{"keys": [{"kty": …}]}`"#))
        }
    }
}

/// Hydra refuses other algorithms.
pub fn signing_alg(spec: &ClientSpec) -> Option<Finding> {
    let given = spec.text(ALG)?;
    let choices = choices(ALG);
    (!choices.contains(&given)).then(|| {
        Finding::error(ALG, format!("`{ALG}` is {}, which Hydra refuses", shown(given)))
            .hint(format!("one of {}", choices.join(", ")))
    })
}

/// The members of a key that are private (RFC 7518 §6).
pub const PRIVATE: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

fn is_private(key: &Value) -> bool {
    PRIVATE.iter().any(|member| key.get(member).is_some()) || key.get("kty").and_then(Value::as_str) == Some("oct")
}

fn has_jwks(spec: &ClientSpec) -> bool {
    spec.get("jwks").is_some_and(|jwks| jwks.as_object().is_none_or(|jwks| !jwks.is_empty()))
}

fn choices(json: &str) -> &'static [&'static str] {
    fields::field(json).map_or(&[], |field| field.kind.choices())
}
