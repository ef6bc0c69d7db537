//! Whether two values of a field mean the same to a server.

use serde_json::Value;

use super::client::{Client, ClientSpec};
use super::duration;
use super::fields::{FIELDS, Field, Kind, SetBy};

/// The fields that were asked for and that the server's client has otherwise, secrets aside.
pub fn differences(spec: &ClientSpec, client: &Client) -> Vec<&'static Field> {
    let differs = |field: &&Field| {
        let Some(wanted) = spec.document().get(field.json) else { return false };
        !is_same(field, wanted, client.get(field.json).unwrap_or(&Value::Null))
    };
    FIELDS.iter().filter(|field| field.set_by == SetBy::Caller && !field.secret).filter(differs).collect()
}

/// Whether a wanted and a found value mean the same.
///
/// `null` is an empty list, text or switch; a lifespan is its length; a scope that is left empty is the server's own;
/// an origin ends with a slash or without.
pub fn is_same(field: &Field, wanted: &Value, found: &Value) -> bool {
    if is_empty(wanted) {
        return is_empty(found) || field.kind == Kind::Words || field.default.value().as_ref() == Some(found);
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
