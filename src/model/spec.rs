//! `ClientSpec`: a client as somebody asks for it.

use serde_json::{Map, Value};

use super::convert;
use super::document::Document;
use super::fields::{self, FIELDS, Field, SetBy};
use super::id::ClientId;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::text::safe;

const ID: &str = "client_id";
const NAME: &str = "client_name";
const SECRET: &str = "client_secret";
const AUTH_METHOD: &str = "token_endpoint_auth_method";

/// What a client shall be: only fields of the table that a caller may set. `Debug` shows no secret.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientSpec(Document);

impl ClientSpec {
    /// Asks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with room for so many fields.
    pub fn with_capacity(fields: usize) -> Self {
        ClientSpec(Document::new(Map::with_capacity(fields), |_| false))
    }

    /// Takes a JSON object apart; gives the names of the fields that were left out because the server sets them.
    ///
    /// Refused: names that are not in the table, values of another kind.
    pub fn from_object(object: Map<String, Value>) -> Result<(Self, Vec<String>)> {
        let mut spec = ClientSpec::new();
        let mut left_out = Vec::new();
        for (key, value) in object {
            let field = known(&key)?;
            match field.set_by {
                SetBy::Server => left_out.push(key),
                SetBy::Caller => spec.set(field, convert::check(field, value)?),
            }
        }
        Ok((spec, left_out))
    }

    /// Asks for a value that [`convert`] made or checked. `null` asks a change to empty the field; a client that is made
    /// as a whole gets its default.
    pub fn set(&mut self, field: &'static Field, value: Value) {
        self.0.remove(field.json);
        match value {
            Value::Null if field.secret => {}
            Value::String(text) if field.secret => self.0.set_secret(field.json, Secret::new(text)),
            value => self.0.set(field.json, value),
        }
    }

    /// Asks for this secret.
    pub fn set_secret(&mut self, secret: Secret) {
        self.0.set_secret(SECRET, secret);
    }

    /// Asks for no secret.
    pub fn remove_secret(&mut self) {
        self.0.remove(SECRET);
    }

    /// Asks for this id.
    pub fn set_id(&mut self, id: &ClientId) {
        self.0.set(ID, Value::from(id.as_str()));
    }

    /// Asks for nothing in this field any more.
    pub fn remove(&mut self, field: &Field) {
        self.0.remove(field.json);
    }

    /// What is asked for in a field that is no secret and not to be emptied, by its JSON name.
    pub fn get(&self, json: &str) -> Option<&Value> {
        self.0.get(json).filter(|value| !value.is_null())
    }

    /// A field that is text and is not empty: to the server, an empty text is none.
    pub fn text(&self, json: &str) -> Option<&str> {
        self.0.text(json).filter(|text| !text.is_empty())
    }

    /// The texts of a list, or its default's where the list is not given.
    pub fn list(&self, json: &str) -> Vec<&str> {
        match (self.get(json), fields::field(json).map(|field| field.default)) {
            (Some(value), _) => value.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
            (None, Some(fields::Default::List(texts))) => texts.to_vec(),
            (None, _) => Vec::new(),
        }
    }

    /// The id that is asked for, as given.
    pub fn id(&self) -> Option<&str> {
        self.0.text(ID)
    }

    /// The id that is asked for, if it can be one.
    pub fn client_id(&self) -> Result<Option<ClientId>> {
        self.id().map(ClientId::parse).transpose()
    }

    /// The name that is asked for.
    pub fn name(&self) -> Option<&str> {
        self.text(NAME)
    }

    /// The secret that is asked for.
    pub fn secret(&self) -> Option<&Secret> {
        self.0.secret(SECRET)
    }

    /// How the client is to authenticate at the token endpoint; by default `client_secret_basic`.
    pub fn auth_method(&self) -> &str {
        self.text(AUTH_METHOD).unwrap_or("client_secret_basic")
    }

    /// Whether a client of this authentication method has a secret that is of use.
    pub fn uses_secret(&self) -> bool {
        uses_secret(self.auth_method())
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        FIELDS.iter().all(|field| !self.0.contains(field.json))
    }

    /// The fields that are given, in the table's order.
    pub fn given(&self) -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(|field| self.0.contains(field.json))
    }

    /// The document underneath.
    pub fn document(&self) -> &Document {
        &self.0
    }

    /// The body of a request, with its secret in clear, in the table's order.
    pub fn body(&self) -> Map<String, Value> {
        in_order(self.0.reveal())
    }

    /// The body with `[REDACTED]` for its secret.
    pub fn redacted(&self) -> Map<String, Value> {
        in_order(self.0.redacted())
    }

    /// The same with the table's defaults where nothing or `null` is given; an empty list stays empty.
    #[must_use]
    pub fn with_defaults(mut self) -> Self {
        for field in FIELDS {
            if self.0.get(field.json).is_some_and(Value::is_null) {
                self.0.remove(field.json);
            }
            if let (false, Some(default)) = (self.0.contains(field.json), field.default.value()) {
                self.set(field, default);
            }
        }
        self
    }

    /// The same with the table's default in the place of `null`, as a client that is made would get it.
    #[must_use]
    pub fn with_nulls_filled(mut self) -> Self {
        let is_null = |(name, value): (&String, &Value)| value.is_null().then(|| fields::field(name)).flatten();
        for field in self.0.fields().iter().filter_map(is_null).collect::<Vec<_>>() {
            if let Some(default) = field.default.value() {
                self.set(field, default);
            }
        }
        self
    }

    /// Takes over what `over` asks for; each of its fields replaces the whole field here.
    pub fn merge(&mut self, over: ClientSpec) {
        self.0.absorb(over.0);
    }
}

/// Whether clients that authenticate so have a secret that is of use.
pub(super) fn uses_secret(auth_method: &str) -> bool {
    !matches!(auth_method, "none" | "private_key_jwt")
}

/// The field of that JSON name, or an error with the nearest one.
pub fn known(key: &str) -> Result<&'static Field> {
    fields::field(key)
        .ok_or_else(|| Error::usage(format!("unknown field `{}`", safe(key))).did_you_mean(fields::nearest(key)))
}

fn in_order(mut object: Map<String, Value>) -> Map<String, Value> {
    FIELDS.iter().filter_map(|field| object.shift_remove_entry(field.json)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_document_from_the_server_can_be_asked_for_again() {
        let (spec, left_out) = ClientSpec::from_object(object(json!({
            "client_name": "x", "created_at": "2026-01-01T00:00:00Z", "registration_access_token": "canary",
            "client_id": "a", "contacts": null, "scope": ["a", "b"],
        })))
        .unwrap();
        assert_eq!(left_out, ["created_at", "registration_access_token"]);
        let body = Value::from(spec.body()).to_string();
        assert_eq!(body, r#"{"client_id":"a","client_name":"x","scope":"a b","contacts":null}"#);
        assert_eq!(spec.get("contacts"), None);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let error = ClientSpec::from_object(object(json!({"redirect_uri": []}))).unwrap_err();
        assert_eq!(error.message(), "unknown field `redirect_uri`");
        assert_eq!(error.hints(), ["did you mean `redirect_uris`?"]);
    }

    #[test]
    fn defaults_fill_gaps_and_leave_empty_lists() {
        let (spec, _) = ClientSpec::from_object(object(json!({"grant_types": [], "response_types": null}))).unwrap();
        let body = spec.with_defaults().body();
        assert_eq!(body["grant_types"], json!([]));
        assert_eq!(body["response_types"], json!(["code"]));
        assert_eq!(body["metadata"], json!({}));
        assert_eq!(body["skip_consent"], json!(false));
        assert_eq!(body.len(), 10);
    }

    #[test]
    fn the_secret_is_shown_only_in_the_body() {
        let mut spec = ClientSpec::new();
        spec.set(fields::field("client_secret").unwrap(), json!("canary"));
        assert!(!format!("{spec:?} {:?}", spec.redacted()).contains("canary"));
        assert_eq!(spec.body()["client_secret"], "canary");
        assert_eq!(spec.secret().unwrap().expose(), "canary");
        let mut over = ClientSpec::new();
        over.set_secret(Secret::new("second"));
        spec.merge(over);
        assert_eq!(spec.secret().unwrap().expose(), "second");
    }

    #[test]
    fn only_methods_with_a_secret_use_one() {
        let method = |name: &str| {
            let mut spec = ClientSpec::new();
            spec.set(fields::field(AUTH_METHOD).unwrap(), json!(name));
            spec.uses_secret()
        };
        assert!(ClientSpec::new().uses_secret() && method("client_secret_post") && method(""));
        assert!(!method("none") && !method("private_key_jwt"));
    }

    #[test]
    fn merging_replaces_whole_fields() {
        let (mut spec, _) = ClientSpec::from_object(object(json!({"contacts": ["a"], "owner": "o"}))).unwrap();
        let (over, _) = ClientSpec::from_object(object(json!({"contacts": ["b"]}))).unwrap();
        spec.merge(over);
        assert_eq!(Value::from(spec.body()), json!({"owner": "o", "contacts": ["b"]}));
    }
}
