//! JSON Patch (RFC 6902), as far as Hydra takes it and it does no harm to another client.

mod asked;

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::fields::Field;
use crate::secret::{REDACTED, Secret};

pub use asked::Asked;

/// What an operation does. Hydra has no `test`, `move` and `copy`, and answers them with a 500.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Adds a member, or inserts into a list.
    Add,
    /// Removes what is there.
    Remove,
    /// Sets a value; to Hydra it need not be there yet.
    Replace,
}

const KINDS: &[(&str, Kind)] = &[("add", Kind::Add), ("remove", Kind::Remove), ("replace", Kind::Replace)];

/// A value to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Of a field that is no secret.
    Plain(Value),
    /// Of a secret.
    Secret(Secret),
}

/// One operation on one path.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    kind: Kind,
    path: String,
    given: Option<Given>,
}

/// A patch that has been checked. `Debug` shows no secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch(Vec<Operation>);

impl Patch {
    /// A patch of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field as a whole.
    pub fn set(&mut self, field: &Field, value: Value) {
        self.0.push(Operation {
            kind: Kind::Replace,
            path: format!("/{}", field.json),
            given: Some(Given::Plain(value)),
        });
    }

    /// Sets the secret.
    pub fn set_secret(&mut self, secret: Secret) {
        self.0.push(Operation {
            kind: Kind::Replace,
            path: "/client_secret".into(),
            given: Some(Given::Secret(secret)),
        });
    }

    /// The secret that it sets, if any.
    pub fn secret(&self) -> Option<&Secret> {
        self.0.iter().rev().find_map(|operation| match &operation.given {
            Some(Given::Secret(secret)) => Some(secret),
            _ => None,
        })
    }

    /// What it sets a field to as a whole, if it does.
    pub fn value(&self, json: &str) -> Option<&Value> {
        self.0.iter().rev().find(|operation| operation.path[1..] == *json).and_then(|operation| {
            match &operation.given {
                Some(Given::Plain(value)) => Some(value),
                _ => None,
            }
        })
    }

    /// Whether the last that it does to a field as a whole is to remove it.
    pub fn removes(&self, json: &str) -> bool {
        let last = self.0.iter().rev().find(|operation| operation.path[1..] == *json);
        last.is_some_and(|operation| operation.kind == Kind::Remove)
    }

    /// The authentication method that it leaves the client with, if it changes that; empty: the server's.
    pub fn auth_method(&self) -> Option<&str> {
        let last = self.0.iter().rev().find(|operation| operation.path == "/token_endpoint_auth_method")?;
        match &last.given {
            Some(Given::Plain(value)) => Some(value.as_str().unwrap_or_default()),
            _ => Some(""),
        }
    }

    /// Whether doing it twice does no more than doing it once: no insertion into a list, no removal from one.
    pub fn is_repeatable(&self) -> bool {
        let is_whole = |path: &str| path.matches('/').count() == 1;
        self.0.iter().all(|operation| operation.kind == Kind::Replace || is_whole(&operation.path))
    }

    /// Whether some operation goes into a field, where there may be nothing.
    pub fn goes_deep(&self) -> bool {
        self.0.iter().any(|operation| operation.path.matches('/').count() > 1)
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As JSON, with `[REDACTED]` for a secret.
    pub fn redacted(&self) -> Value {
        let shown = |operation: &Operation| {
            let mut object = Map::new();
            object.insert("op".into(), json!(operation.kind.to_string()));
            object.insert("path".into(), json!(operation.path));
            match &operation.given {
                None => {}
                Some(Given::Plain(value)) => drop(object.insert("value".into(), value.clone())),
                Some(Given::Secret(_)) => drop(object.insert("value".into(), json!(REDACTED))),
            }
            Value::Object(object)
        };
        self.0.iter().map(shown).collect()
    }

    /// As JSON text with a secret in clear, which is zeroized when it is dropped: for the wire.
    pub fn to_wire(&self) -> Zeroizing<Vec<u8>> {
        let secret = self.secret().map_or(0, |secret| secret.expose().len() * 6);
        let mut text = Zeroizing::new(Vec::with_capacity(self.redacted().to_string().len() + secret));
        serde_json::to_writer(&mut *text, &self.0).expect("operations are JSON");
        text
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KINDS.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name))
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("op", &self.kind.to_string())?;
        map.serialize_entry("path", &self.path)?;
        match &self.given {
            None => {}
            Some(Given::Plain(value)) => map.serialize_entry("value", value)?,
            Some(Given::Secret(secret)) => map.serialize_entry("value", secret.expose())?,
        }
        map.end()
    }
}
