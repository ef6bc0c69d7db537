//! Whether two values of a field mean the same to a server.

use serde_json::Value;

use super::client::{Client, ClientSpec};
use super::duration;
use super::fields::{self, FIELDS, Field, Kind};

/// What Hydra puts in the place of a value that is empty.
const FILLED_IN: &[(&str, &str)] = &[
    ("scope", "offline_access offline openid"),
    ("subject_type", "public"),
    ("token_endpoint_auth_method", "client_secret_basic"),
    ("userinfo_signed_response_alg", "none"),
];

/// What Hydra puts in the place of a field that is empty, if anything.
pub fn filled_in(field: &Field) -> Option<&'static str> {
    FILLED_IN.iter().find(|(name, _)| *name == field.json).map(|(_, own)| *own)
}

/// The fields that were asked for and that the server's client has otherwise, secrets aside.
pub fn differences(spec: &ClientSpec, client: &Client) -> Vec<&'static Field> {
    let wanted = spec.document().fields();
    let found = client.document().some(|name| wanted.keys().any(|key| key == name));
    let differing: Vec<&str> = wanted
        .iter()
        .filter(|(name, value)| {
            let found = found.get(*name).unwrap_or(&Value::Null);
            fields::field(name).is_some_and(|field| !is_same(field, value, found))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if differing.is_empty() {
        return Vec::new();
    }
    FIELDS.iter().filter(|field| differing.contains(&field.json)).collect()
}

/// Whether a wanted and a found value mean the same.
///
/// `null` is an empty list, text, object or switch, and for an empty text the server may have put its own; a lifespan is
/// its length; an origin ends with a slash or without.
pub fn is_same(field: &Field, wanted: &Value, found: &Value) -> bool {
    if is_empty(wanted) {
        let is_filled_in = |(name, value): &(&str, &str)| *name == field.json && found.as_str() == Some(value);
        return is_empty(found) || FILLED_IN.iter().any(is_filled_in);
    }
    match (field.kind, wanted, found) {
        (Kind::Duration, Value::String(wanted), Value::String(found)) => duration::same(wanted, found),
        (Kind::List(_), Value::Array(wanted), Value::Array(found)) if field.json == "allowed_cors_origins" => {
            let plain = |list: &[Value]| -> Vec<String> {
                list.iter().map(|origin| origin.as_str().unwrap_or_default().trim_end_matches('/').to_owned()).collect()
            };
            plain(wanted) == plain(found)
        }
        _ => wanted == found,
    }
}

/// Whether a value says nothing.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fields::field;
    use serde_json::json;

    #[test]
    fn values_are_compared_by_what_they_mean() {
        for (name, wanted, found, same) in [
            ("contacts", json!([]), json!(null), true),
            ("contacts", json!(["a"]), json!(null), false),
            ("contacts", json!([]), json!(["a"]), false),
            ("scope", json!(""), json!("offline_access offline openid"), true),
            ("scope", json!("a"), json!("a b"), false),
            ("scope", json!(""), json!("a b"), false),
            ("scope", json!(null), json!("a b"), false),
            ("grant_types", json!([]), json!(["authorization_code"]), false),
            ("contacts", json!(null), json!(["a"]), false),
            ("request_object_signing_alg", json!(""), json!("RS256"), false),
            ("subject_type", json!(""), json!("public"), true),
            ("subject_type", json!(""), json!("pairwise"), false),
            ("skip_consent", json!(false), json!(null), true),
            ("metadata", json!({}), json!(null), true),
            ("metadata", json!({"a": 1}), json!({"a": 1}), true),
            ("implicit_grant_id_token_lifespan", json!("90m"), json!("1h30m0s"), true),
            ("implicit_grant_id_token_lifespan", json!("90m"), json!("1h"), false),
            ("allowed_cors_origins", json!(["https://a.example/"]), json!(["https://a.example"]), true),
            ("redirect_uris", json!(["https://a.example/"]), json!(["https://a.example"]), false),
        ] {
            assert_eq!(is_same(field(name).unwrap(), &wanted, &found), same, "{name}: {wanted} {found}");
        }
    }
}
