//! A JSON object whose secret members are kept apart, so that no copy of it shows them.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::secret::{REDACTED, Secret};

/// A JSON object; members that the field table marks secret are [`Secret`]s and stand apart.
///
/// Keys that the table does not know (a newer server's) survive. `Debug` shows no secret.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Document {
    fields: Map<String, Value>,
    secrets: BTreeMap<String, Secret>,
}

impl Document {
    /// Takes an object apart; `is_secret` tells which members are secrets (those that hold text).
    pub fn new(object: Map<String, Value>, is_secret: impl Fn(&str) -> bool) -> Self {
        let mut document = Document::default();
        for (key, value) in object {
            match value {
                Value::String(text) if is_secret(&key) => {
                    document.secrets.insert(key, Secret::new(text));
                }
                value => {
                    document.fields.insert(key, value);
                }
            }
        }
        document
    }

    /// The members that are no secrets, in the order they came in.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// One member that is no secret.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// One member as text, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// One secret member.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// Sets a member that is no secret.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.fields.insert(name.into(), value);
    }

    /// Sets a secret member.
    pub fn set_secret(&mut self, name: impl Into<String>, secret: Secret) {
        self.secrets.insert(name.into(), secret);
    }

    /// Removes a member of either sort.
    pub fn remove(&mut self, name: &str) {
        self.fields.shift_remove(name);
        self.secrets.remove(name);
    }

    /// Whether there is such a member of either sort.
    pub fn contains(&self, name: &str) -> bool {
        self.fields.contains_key(name) || self.secrets.contains_key(name)
    }

    /// Takes over every member of another document; its values win.
    pub fn absorb(&mut self, other: Document) {
        for (name, value) in other.fields {
            self.remove(&name);
            self.set(name, value);
        }
        for (name, secret) in other.secrets {
            self.remove(&name);
            self.set_secret(name, secret);
        }
    }

    /// The whole object with its secrets in clear: for the wire, and for output that was asked for.
    pub fn reveal(&self) -> Map<String, Value> {
        self.with_secrets(|secret| secret.expose().to_owned())
    }

    /// The whole object with `[REDACTED]` for its secrets.
    pub fn redacted(&self) -> Map<String, Value> {
        self.with_secrets(|_| REDACTED.to_owned())
    }

    /// The whole object with its secrets in clear as JSON text, which is zeroized when it is dropped: for the wire.
    pub fn to_wire(&self) -> Zeroizing<Vec<u8>> {
        // Every character of a secret takes at most six (`\u0000`). A buffer that grew would leave a copy behind.
        let secrets: usize = self.secrets.iter().map(|(name, secret)| name.len() + secret.expose().len() * 6 + 8).sum();
        let fields = serde_json::to_vec(&self.fields).unwrap_or_default();
        let mut text = Zeroizing::new(Vec::with_capacity(fields.len() + secrets + 8));
        serde_json::to_writer(&mut *text, &Revealed(self)).expect("an object of JSON values is JSON");
        text
    }

    fn with_secrets(&self, text: impl Fn(&Secret) -> String) -> Map<String, Value> {
        let mut object = self.fields.clone();
        for (name, secret) in &self.secrets {
            object.insert(name.clone(), Value::String(text(secret)));
        }
        object
    }
}

/// A document with its secrets, written without a copy of them.
struct Revealed<'a>(&'a Document);

impl Serialize for Revealed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document { fields, secrets } = self.0;
        let mut map = serializer.serialize_map(Some(fields.len() + secrets.len()))?;
        fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        secrets.iter().try_for_each(|(name, secret)| map.serialize_entry(name, secret.expose()))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_shown_only_by_reveal() {
        let Value::Object(object) = json!({"client_id": "a", "client_secret": "canary"}) else { panic!() };
        let document = Document::new(object.clone(), |name| name == "client_secret");
        assert!(!format!("{document:?} {:?}", document.redacted()).contains("canary"));
        assert_eq!(document.reveal(), object);
        assert_eq!(serde_json::from_slice::<Value>(&document.to_wire()).unwrap(), Value::Object(object));
    }
}
