//! A JSON object whose secret members are kept apart, so that no copy of it shows them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use memchr::memchr2;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::unread::Unread;
use crate::secret::{REDACTED, Secret};

/// A JSON object; members that are marked secret are [`Secret`]s and stand apart.
///
/// Keys that the table does not know (a newer server's) survive. `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Document {
    /// Shared by copies: scripts hand clients about by value.
    members: Arc<OnceLock<Members>>,
    /// What the members are read from when somebody asks for one.
    unread: Option<Source>,
}

/// An object as text.
#[derive(Clone)]
struct Source {
    text: Unread,
    is_secret: IsSecret,
    /// Whether secrets are in it.
    has_secrets: bool,
}

/// Tells by its name whether a member is a secret.
type IsSecret = fn(&str) -> bool;

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Members {
    /// Shared by copies that differ in their secrets only.
    fields: Arc<Map<String, Value>>,
    secrets: BTreeMap<String, Secret>,
}

impl Members {
    fn new(object: Map<String, Value>, is_secret: impl Fn(&str) -> bool) -> Self {
        let (mut fields, mut secrets) = (object, BTreeMap::new());
        let is_secret = |(name, value): (&String, &Value)| (value.is_string() && is_secret(name)).then(|| name.clone());
        for name in fields.iter().filter_map(is_secret).collect::<Vec<_>>() {
            if let Some(Value::String(text)) = fields.shift_remove(&name) {
                secrets.insert(name, Secret::new(text));
            }
        }
        Members { fields: Arc::new(fields), secrets }
    }
}

impl Document {
    /// Takes an object apart; `is_secret` tells which members are secrets (those that hold text).
    pub fn new(object: Map<String, Value>, is_secret: impl Fn(&str) -> bool) -> Self {
        Document { members: Arc::new(Members::new(object, is_secret).into()), unread: None }
    }

    /// An object that is taken apart when somebody first asks for a member. It is for answers that hold no secrets.
    pub fn unread(text: Unread, is_secret: fn(&str) -> bool) -> Self {
        Document { members: Arc::default(), unread: Some(Source { text, is_secret, has_secrets: false }) }
    }

    /// An object and the text that it was read from, which may hold secrets.
    pub fn with_text(text: String, object: Map<String, Value>, is_secret: fn(&str) -> bool) -> Self {
        let document = Document::new(object, is_secret);
        let has_secrets = document.has_secrets();
        let source = Source { text: Unread::of_object(text), is_secret, has_secrets };
        Document { unread: Some(source), ..document }
    }

    /// The text that it was read from, where it was not changed since.
    pub fn text_as_read(&self) -> Option<&str> {
        self.unread.as_ref().map(|source| source.text.text())
    }

    /// An object that was read before, and may hold secrets, from its text.
    pub fn reread(text: Unread, is_secret: fn(&str) -> bool) -> Self {
        Document { members: Arc::default(), unread: Some(Source { text, is_secret, has_secrets: true }) }
    }

    fn members(&self) -> &Members {
        self.members.get_or_init(|| match &self.unread {
            Some(Source { text, is_secret, .. }) => Members::new(text.read(), is_secret),
            None => Members::default(),
        })
    }

    fn members_mut(&mut self) -> &mut Members {
        self.members();
        self.unread = None;
        Arc::make_mut(&mut self.members).get_mut().expect("they have just been read")
    }

    /// The object as the server wrote it, where it was not changed, is on one line and holds no secret.
    pub fn line(&self) -> Option<&str> {
        self.unread
            .as_ref()
            .filter(|source| !source.has_secrets)
            .map(|source| source.text.text())
            .filter(|text| memchr2(b'\n', b'\r', text.as_bytes()).is_none())
    }

    /// One member as text, empty if it is none, without the others being read for it.
    pub fn peek(&self, name: &str) -> Cow<'_, str> {
        match (&self.unread, self.members.get()) {
            (Some(Source { text, .. }), None) => {
                let member = text.some(|other| other == name).remove(name);
                member.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default().into()
            }
            _ => self.text(name).unwrap_or_default().into(),
        }
    }

    /// Those members that are no secrets and whose names are wanted, without the others being read for it.
    pub fn some(&self, is_wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
        if let (Some(Source { text, is_secret, .. }), None) = (&self.unread, self.members.get()) {
            return text.some(|name| is_wanted(name) && !is_secret(name));
        }
        let wanted = self.fields().iter().filter(|(name, _)| is_wanted(name));
        wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The members that are no secrets, in the order they came in.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.members().fields
    }

    /// One member that is no secret.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields().get(name)
    }

    /// One member as text, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// One secret member.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.members().secrets.get(name)
    }

    /// Whether there are secrets in it that must not stay in memory.
    pub fn has_secrets(&self) -> bool {
        match &self.unread {
            Some(source) => source.has_secrets,
            None => !self.members().secrets.is_empty(),
        }
    }

    /// Sets a member that is no secret.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        Arc::make_mut(&mut self.members_mut().fields).insert(name.into(), value);
    }

    /// Sets a secret member.
    pub fn set_secret(&mut self, name: impl Into<String>, secret: Secret) {
        self.members_mut().secrets.insert(name.into(), secret);
    }

    /// The same without its secret members.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.members_mut().secrets.clear();
        self
    }

    /// The same with no member but this one and the secret ones.
    #[must_use]
    pub fn only(mut self, name: &str) -> Self {
        Arc::make_mut(&mut self.members_mut().fields).retain(|key, _| key == name);
        self
    }

    /// Removes a member of either sort.
    pub fn remove(&mut self, name: &str) {
        let members = self.members_mut();
        if members.fields.contains_key(name) {
            Arc::make_mut(&mut members.fields).shift_remove(name);
        }
        members.secrets.remove(name);
    }

    /// Whether there is such a member of either sort.
    pub fn contains(&self, name: &str) -> bool {
        self.members().fields.contains_key(name) || self.members().secrets.contains_key(name)
    }

    /// Takes over every member of another document; its values win.
    pub fn absorb(&mut self, mut other: Document) {
        let Members { fields, secrets } = std::mem::take(other.members_mut());
        for (name, value) in Arc::unwrap_or_clone(fields) {
            self.remove(&name);
            self.set(name, value);
        }
        for (name, secret) in secrets {
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
        // What a buffer leaves behind as it grows is wiped as all that is freed.
        let mut text = Zeroizing::new(Vec::with_capacity(USUAL_BYTES));
        let whole = Whole(self.members(), Secret::expose);
        serde_json::to_writer(&mut *text, &whole).expect("an object of JSON values is JSON");
        text
    }

    fn with_secrets(&self, text: impl Fn(&Secret) -> String) -> Map<String, Value> {
        let Members { fields, secrets } = self.members();
        let mut object = Map::clone(fields);
        for (name, secret) in secrets {
            object.insert(name.clone(), Value::String(text(secret)));
        }
        object
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

impl Eq for Document {}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.members().fmt(f)
    }
}

/// What a client takes as JSON, in bytes, mostly.
const USUAL_BYTES: usize = 2048;

/// A document with its secrets as that shows them, written without a copy of them.
struct Whole<'a>(&'a Members, fn(&Secret) -> &str);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Members { fields, secrets } = self.0;
        let mut map = serializer.serialize_map(Some(fields.len() + secrets.len()))?;
        fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        secrets.iter().try_for_each(|(name, secret)| map.serialize_entry(name, (self.1)(secret)))?;
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

    #[test]
    fn an_object_that_is_read_again_is_the_same() {
        let text = "{\"client_id\":\"a\",\"client_secret\":\"canary\",\"n\":1.50}";
        let is_secret = |name: &str| name == "client_secret";
        let mut read = Document::with_text(text.into(), serde_json::from_str(text).unwrap(), is_secret);
        assert_eq!(read.text_as_read(), Some(text));
        let again = Document::reread(Unread::of_object(text.into()), is_secret);
        assert_eq!((again.line(), again.has_secrets()), (None, true), "a line would show its secret");
        assert_eq!((again.peek("client_id").as_ref(), again.reveal()), ("a", read.reveal()));
        assert_eq!(again, read);
        assert!(!format!("{again:?}").contains("canary"));
        read.remove("client_secret");
        assert!(read.text_as_read().is_none() && !read.has_secrets());
    }

    #[test]
    fn an_unread_object_is_the_same_once_it_is_read() {
        let text = "[{\"client_id\":\"a\",\"client_secret\":\"canary\"},{\n}]";
        let is_secret = |name: &str| name == "client_secret";
        let documents: Vec<Document> =
            Unread::of_array(text.into()).unwrap().into_iter().map(|text| Document::unread(text, is_secret)).collect();
        let mut document = documents[0].clone();
        assert_eq!(document.line().unwrap(), "{\"client_id\":\"a\",\"client_secret\":\"canary\"}");
        assert_eq!(documents[1].line(), None, "it is on two lines");
        assert_eq!(document.secret("client_secret").unwrap().expose(), "canary");
        assert!(!format!("{document:?}").contains("canary"));
        document.set("client_id", "b".into());
        assert_eq!((document.line(), document.text("client_id")), (None, Some("b")));
    }
}
