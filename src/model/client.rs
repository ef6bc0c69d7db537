//! `Client`: a client as the server tells it, beside the id and the spec that it was asked for with.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::document::Document;
use super::fields::{self, FIELDS, Field, SetBy};
use super::unread::Unread;
use crate::error::Result;
use crate::secret::Secret;

pub use super::id::ClientId;
pub use super::spec::ClientSpec;

use super::spec::uses_secret;

/// A client as the server tells it; fields that the table does not know survive. `Debug` shows no secret.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Client {
    document: Document,
    /// The fields that were changed here since the server told it.
    changed: Vec<&'static str>,
    /// Where it was read, where that is of interest.
    place: Option<Arc<str>>,
}

impl Client {
    /// Takes a server's answer as it is, with its secrets put apart.
    pub fn from_server(object: Map<String, Value>) -> Self {
        Client::from_document(Document::new(object, fields::is_secret))
    }

    /// Takes a client of a list, which is taken apart only where somebody looks into it.
    pub fn unread(text: Unread) -> Self {
        Client::from_document(Document::unread(text, fields::is_secret))
    }

    /// Takes a server's answer with its text, which takes little memory where there are many of them.
    pub fn with_text(text: String, object: Map<String, Value>) -> Self {
        Client::from_document(Document::with_text(text, object, fields::is_secret))
    }

    /// The server's answer, where it has that still and nothing was changed since.
    pub fn text_as_read(&self) -> Option<&str> {
        self.document.text_as_read()
    }

    /// Takes a server's answer that was read before, to be taken apart where somebody looks into it.
    pub fn reread(text: Unread) -> Self {
        Client::from_document(Document::reread(text, fields::is_secret))
    }

    /// Takes a document that a client was made into.
    pub fn from_document(document: Document) -> Self {
        Client { document, changed: Vec::new(), place: None }
    }

    /// The id as the server told it; empty if it told none.
    pub fn id(&self) -> &str {
        self.document.text("client_id").unwrap_or("")
    }

    /// The id, without the rest of an unread client being read for it.
    pub fn peek_id(&self) -> Cow<'_, str> {
        self.document.peek("client_id")
    }

    /// The id, if a request can be made for it.
    pub fn client_id(&self) -> Result<ClientId> {
        ClientId::parse(self.id())
    }

    /// The name; empty if there is none.
    pub fn name(&self) -> &str {
        self.document.text("client_name").unwrap_or("")
    }

    /// The secret, which only the answer that set it holds.
    pub fn secret(&self) -> Option<&Secret> {
        self.document.secret("client_secret")
    }

    /// Replaces the secret, such as by its ciphertext.
    pub fn remove_secret(&mut self) {
        self.document.remove("client_secret");
    }

    /// The same without anything that is a secret.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        Client { document: self.document.without_secrets(), ..self }
    }

    /// The same as somebody gets to see it.
    #[must_use]
    pub fn seen(self, by: impl FnOnce(Document) -> Document) -> Self {
        Client { document: by(self.document), ..self }
    }

    /// Sets the secret.
    pub fn set_secret(&mut self, secret: Secret) {
        self.document.set_secret("client_secret", secret);
    }

    /// Changes a field here, for a change that is to be sent.
    pub fn change(&mut self, field: &'static Field, set: &ClientSpec) {
        match set.secret().filter(|_| field.secret) {
            Some(secret) => self.set_secret(secret.clone()),
            None => self.document.set(field.json, set.get(field.json).cloned().unwrap_or(Value::Null)),
        }
        self.changed.push(field.json);
    }

    /// The same, as it was read there.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Client { place: Some(place.into()), ..self }
    }

    /// Where it was read, as far as that was noted.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What was changed here, as it is to be sent.
    pub fn changes(&self) -> ClientSpec {
        let mut spec = ClientSpec::new();
        for field in FIELDS.iter().filter(|field| self.changed.contains(&field.json)) {
            match self.secret().filter(|_| field.secret) {
                Some(secret) => spec.set_secret(secret.clone()),
                None => spec.set(field, self.get(field.json).cloned().unwrap_or(Value::Null)),
            }
        }
        spec
    }

    /// A field of any type that is no secret, by its JSON name.
    pub fn get(&self, json: &str) -> Option<&Value> {
        self.document.get(json)
    }

    /// A field that is text, by its JSON name.
    pub fn text(&self, json: &str) -> Option<&str> {
        self.document.text(json)
    }

    /// How the client authenticates at the token endpoint; by default `client_secret_basic`.
    pub fn auth_method(&self) -> &str {
        self.text("token_endpoint_auth_method").filter(|text| !text.is_empty()).unwrap_or("client_secret_basic")
    }

    /// Whether a client of this authentication method has a secret that is of use.
    pub fn uses_secret(&self) -> bool {
        uses_secret(self.auth_method())
    }

    /// Where the client can manage itself (RFC 7592 §3): it tells the server's public address.
    pub fn registration_client_uri(&self) -> Option<&str> {
        self.text("registration_client_uri").filter(|text| !text.is_empty())
    }

    /// When the client was made.
    pub fn created_at(&self) -> Option<SystemTime> {
        self.time("created_at")
    }

    /// When the client was last changed.
    pub fn updated_at(&self) -> Option<SystemTime> {
        self.time("updated_at")
    }

    fn time(&self, json: &str) -> Option<SystemTime> {
        humantime::parse_rfc3339(self.text(json)?).ok()
    }

    /// The document underneath.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The document itself.
    pub fn into_document(self) -> Document {
        self.document
    }

    /// What to ask for to have the same client again: without what the server sets, what is unknown, and `null`s.
    ///
    /// Values are taken as the server told them, so that one of an odd type does not get in the way.
    pub fn to_spec(&self) -> ClientSpec {
        let mut spec = ClientSpec::new();
        for field in FIELDS.iter().filter(|field| field.set_by == SetBy::Caller && !field.secret) {
            if let Some(value) = self.get(field.json).filter(|value| !value.is_null()) {
                spec.set(field, value.clone());
            }
        }
        if let Some(secret) = self.secret() {
            spec.set_secret(secret.clone());
        }
        spec
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client() -> Client {
        let told = json!({
            "client_id": "a", "client_name": "x", "client_secret": "canary", "registration_access_token": "canary",
            "created_at": "2026-11-23T18:49:04Z", "updated_at": "2026-11-23T18:49:04.43984Z",
            "registration_client_uri": "http://127.0.0.1:4444/oauth2/register", "contacts": null, "newer": {"n": 1},
        });
        Client::from_server(told.as_object().unwrap().clone())
    }

    #[test]
    fn what_the_server_told_can_be_read() {
        let client = client();
        assert_eq!((client.id(), client.name()), ("a", "x"));
        assert_eq!(client.client_id().unwrap().as_str(), "a");
        assert!(client.created_at().unwrap() < client.updated_at().unwrap());
        assert_eq!(client.registration_client_uri(), Some("http://127.0.0.1:4444/oauth2/register"));
        assert_eq!(client.auth_method(), "client_secret_basic");
        assert_eq!(client.get("newer"), Some(&json!({"n": 1})));
        assert_eq!(client.secret().unwrap().expose(), "canary");
        assert!(!format!("{client:?}").contains("canary"));
    }

    #[test]
    fn the_spec_of_a_client_has_what_a_caller_may_set() {
        let body = client().to_spec().body();
        assert_eq!(Value::from(body), json!({"client_id": "a", "client_name": "x", "client_secret": "canary"}));
    }
}
