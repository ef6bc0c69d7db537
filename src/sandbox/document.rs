//! A client document as the server holds it: read from JSON as Go reads it, written as Go writes it.

use serde_json::{Map, Value, json};

use super::duration;
use super::fields::{FIELDS, Field, Type, find};

/// How a list that was never sent is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unsent {
    /// As `null`: in the answer to the request that did not send it.
    Null,
    /// As `[]`: once it went through the store.
    Empty,
}

/// A client document: known fields only, each of its type; a field that is absent has no value.
#[derive(Clone, Debug, Default)]
pub struct Document(Map<String, Value>);

impl Document {
    /// Takes in a decoded JSON value. Names match in any case, the last one counts, unknown ones are
    /// ignored, and `null` is an empty document. The error is worded as Go's decoder words it.
    pub fn from_json(value: Value) -> Result<Self, String> {
        let object = match value {
            Value::Object(object) => object,
            Value::Null => Map::new(),
            other => {
                return Err(format!("json: cannot unmarshal {} into Go value of type client.Client", go_name(&other)));
            }
        };
        let mut document = Document::default();
        for (name, value) in object {
            let Some(field) = find(&name) else { continue };
            // A null leaves the field as it is, except where the type keeps it.
            if value.is_null() && field.kind != Type::Json {
                if matches!(field.kind, Type::List | Type::FilledList | Type::OptionalList | Type::Keys) {
                    document.0.remove(field.name);
                }
                continue;
            }
            let value = checked(field, value)?;
            document.0.insert(field.name.to_owned(), value);
        }
        Ok(document)
    }

    /// The text of a field; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The members of a list; none if there is none.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The value of a field as it was sent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether a boolean is true.
    pub fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Sets a field.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// How the client authenticates at the token endpoint (RFC 7591 §2).
    pub fn auth_method(&self) -> &str {
        match self.text("token_endpoint_auth_method") {
            "" => "client_secret_basic",
            method => method,
        }
    }

    /// Whether there is a key set with keys in it, even an empty list of them.
    pub fn has_keys(&self) -> bool {
        self.0.get("jwks").is_some_and(|keys| keys.get("keys").is_some())
    }

    /// The document as the server writes it: every field in order, with what stands for nothing.
    pub fn to_json(&self, unsent: Unsent) -> Value {
        let mut object = Map::new();
        for field in FIELDS {
            if let Some(value) = written(field, self.0.get(field.name), unsent) {
                object.insert(field.name.to_owned(), value);
            }
        }
        Value::Object(object)
    }
}

fn written(field: &Field, value: Option<&Value>, unsent: Unsent) -> Option<Value> {
    let given = value.cloned();
    match field.kind {
        Type::Text => Some(given.unwrap_or_else(|| json!(""))),
        Type::OptionalText => given.filter(|value| value != ""),
        Type::List if unsent == Unsent::Null => Some(given.unwrap_or(Value::Null)),
        Type::List | Type::FilledList => Some(given.unwrap_or_else(|| json!([]))),
        Type::OptionalList => given.filter(|value| value.as_array().is_some_and(|list| !list.is_empty())),
        Type::Bool => Some(given.unwrap_or_else(|| json!(false))),
        Type::OptionalBool => given.filter(|value| *value == json!(true)),
        Type::NullableBool | Type::Duration => Some(given.unwrap_or(Value::Null)),
        Type::Integer => Some(given.unwrap_or_else(|| json!(0))),
        Type::Time => Some(given.unwrap_or_else(|| json!("0001-01-01T00:00:00Z"))),
        Type::Keys | Type::Json => Some(given.unwrap_or_else(|| json!({}))),
    }
}

/// The value if it fits the field's type, else what Go's decoder says.
fn checked(field: &Field, value: Value) -> Result<Value, String> {
    let misfit = |value: &Value, kind: &str| {
        format!("json: cannot unmarshal {} into Go struct field Client.{} of type {kind}", go_name(value), field.name)
    };
    match field.kind {
        Type::Text | Type::OptionalText if !value.is_string() => Err(misfit(&value, "string")),
        Type::Bool | Type::OptionalBool if !value.is_boolean() => Err(misfit(&value, "bool")),
        // These two decode themselves, so that Go knows no field to name.
        Type::NullableBool if !value.is_boolean() => {
            Err(format!("json: cannot unmarshal {} into Go value of type bool", go_name(&value)))
        }
        Type::Duration => match value.as_str() {
            Some(text) => duration::parse(text).map(|nanoseconds| json!(duration::format(nanoseconds))),
            None => Err(format!("json: cannot unmarshal {} into Go value of type string", go_name(&value))),
        },
        Type::Integer => match &value {
            Value::Number(number) if number.as_i64().is_none() => {
                Err(misfit(&json!(0), "int").replacen("number", &format!("number {number}"), 1))
            }
            Value::Number(_) => Ok(value),
            _ => Err(misfit(&value, "int")),
        },
        Type::List | Type::FilledList | Type::OptionalList => match value {
            Value::Array(members) => members
                .into_iter()
                .map(|member| match member {
                    Value::String(_) => Ok(member),
                    Value::Null => Ok(json!("")),
                    other => Err(misfit(&other, "string")),
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            other => Err(misfit(&other, "sqlxx.StringSliceJSONFormat")),
        },
        Type::Time => match value.as_str() {
            Some(text) if is_time(text) => Ok(value),
            Some(text) => Err(format!(
                "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
            )),
            None => Err("Time.UnmarshalJSON: input is not a JSON string".into()),
        },
        Type::Keys => key_set(value, &misfit),
        _ => Ok(value),
    }
}

/// The order in which the server writes a key's members (RFC 7517 §4, RFC 7518 §6).
const KEY_MEMBERS: [&str; 19] =
    ["use", "kty", "kid", "crv", "alg", "k", "x", "y", "n", "e", "d", "p", "q", "dp", "dq", "qi", "x5c", "x5u", "x5t"];

fn key_set(value: Value, misfit: &impl Fn(&Value, &str) -> String) -> Result<Value, String> {
    let Value::Object(set) = value else {
        return Err(misfit(&value, "jose.JSONWebKeySet"));
    };
    let Some((_, keys)) = set.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("keys")) else {
        return Ok(json!({}));
    };
    let keys = match keys {
        Value::Null => return Ok(json!({ "keys": null })),
        Value::Array(keys) => keys,
        other => return Err(misfit(&other, "[]jose.JSONWebKey")),
    };
    let keys: Vec<Value> = keys.iter().map(key).collect::<Result<_, _>>()?;
    Ok(json!({ "keys": keys }))
}

fn key(key: &Value) -> Result<Value, String> {
    let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = member("kty");
    let needed: &[&str] = match kind {
        "EC" => &["crv", "x", "y"],
        "RSA" => &["n", "e"],
        "oct" => &["k"],
        "OKP" => &["crv", "x"],
        _ => return Err(format!("go-jose/go-jose: unknown json web key type '{kind}'")),
    };
    if needed.iter().any(|name| member(name).is_empty()) {
        return Err(format!("go-jose/go-jose: invalid {kind} key, missing {} value(s)", needed.join("/")));
    }
    let mut ordered = Map::new();
    for name in KEY_MEMBERS.into_iter().chain(["x5t#S256"]) {
        if let Some(value) = key.get(name) {
            ordered.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Value::Object(ordered))
}

fn is_time(text: &str) -> bool {
    let pattern = "0000-00-00T00:00:00";
    text.len() > pattern.len()
        && text
            .bytes()
            .zip(pattern.bytes())
            .all(|(c, shape)| if shape == b'0' { c.is_ascii_digit() } else { c == shape })
}

fn go_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads the first JSON value of a body, as Go's stream decoder does: what follows it is ignored.
pub fn decode(body: &[u8]) -> Result<Value, String> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    match values.next() {
        None => Err("EOF".into()),
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) if error.is_eof() => Err("unexpected EOF".into()),
        Some(Err(error)) => {
            let line = body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
            let text = String::from_utf8_lossy(&line[error.column().saturating_sub(1).min(line.len())..]).into_owned();
            let found = text.chars().next().unwrap_or('\n');
            Err(format!("invalid character {found:?} looking for beginning of value"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_unknown_ones_are_ignored() {
        let document = Document::from_json(json!({"Client_NAME": "a", "redirect_uri": "http://x"})).unwrap();
        assert_eq!(document.text("client_name"), "a");
        assert_eq!(document.to_json(Unsent::Null)["redirect_uris"], Value::Null);
        assert_eq!(document.to_json(Unsent::Empty)["redirect_uris"], json!([]));
    }

    #[test]
    fn a_wrong_type_is_told_as_go_tells_it() {
        let error = |value| Document::from_json(value).unwrap_err();
        assert_eq!(
            error(json!({"redirect_uris": "http://x"})),
            "json: cannot unmarshal string into Go struct field Client.redirect_uris of type sqlxx.StringSliceJSONFormat"
        );
        assert_eq!(
            error(json!({"contacts": [1]})),
            "json: cannot unmarshal number into Go struct field Client.contacts of type string"
        );
        assert_eq!(error(json!([])), "json: cannot unmarshal array into Go value of type client.Client");
        assert!(error(json!({"jwks": {"keys": [{"kty": "no"}]}})).contains("unknown json web key type 'no'"));
    }

    #[test]
    fn bodies_end_as_go_says() {
        assert_eq!(decode(b" ").unwrap_err(), "EOF");
        assert_eq!(decode(b"{\"a\": ").unwrap_err(), "unexpected EOF");
        assert_eq!(decode(b"nope").unwrap_err(), "invalid character 'o' looking for beginning of value");
        assert_eq!(decode(b"{} trailing").unwrap(), json!({}));
    }
}
