//! The table of client fields: flags, help, completion, checks, columns and lint are read off it.

mod table;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::error;

pub use table::FIELDS;

/// One property of the client document, and all that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name in JSON.
    pub json: &'static str,
    /// The flag without its dashes; none where the server sets the field.
    pub flag: Option<&'static str>,
    /// The one-letter flag.
    pub short: Option<char>,
    /// What a value is.
    pub kind: Kind,
    /// What a create sends where the field is not given.
    pub default: Default,
    /// Who decides the value.
    pub set_by: SetBy,
    /// Whether the value may be shown only where it was asked for.
    pub secret: bool,
    /// What stands for the value in help, such as `URI`.
    pub value_name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// The specification that the field comes from.
    pub source: &'static str,
}

impl Field {
    /// The value that says nothing, which the server takes for the field's absence.
    pub fn empty(&self) -> Value {
        match self.kind {
            Kind::List(_) => json!([]),
            Kind::Bool => json!(false),
            Kind::Json => json!({}),
            Kind::Duration => Value::Null,
            Kind::Integer => json!(0),
            Kind::Text | Kind::Uri | Kind::Choice(_) | Kind::Words | Kind::Time => json!(""),
        }
    }
}

/// What a field's value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A URI as text.
    Uri,
    /// One of these texts; a newer server may know more.
    Choice(&'static [&'static str]),
    /// Words in one text, with spaces between them (`scope`).
    Words,
    /// A list of texts.
    List(Item),
    /// `true` or `false`.
    Bool,
    /// A JSON object.
    Json,
    /// A duration in Go's syntax as text, such as `1h30m`.
    Duration,
    /// A whole number.
    Integer,
    /// A time of RFC 3339 as text.
    Time,
}

/// What the entries of a list are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Item {
    /// Any text.
    Text,
    /// URIs.
    Uri,
    /// One of these texts each; a newer server may know more.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// The texts to choose from, of the value or of a list's entries; none where any text will do.
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            Kind::Choice(choices) | Kind::List(Item::Choice(choices)) => choices,
            _ => &[],
        }
    }

    /// Whether a flag of this kind can be repeated.
    pub fn is_repeatable(self) -> bool {
        matches!(self, Kind::List(_) | Kind::Words)
    }
}

/// Who decides a field's value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetBy {
    /// Whoever makes or changes the client.
    Caller,
    /// The server; never sent to it.
    Server,
}

/// What a create sends where a field is not given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Default {
    /// Nothing.
    None,
    /// A text.
    Text(&'static str),
    /// A list of texts.
    List(&'static [&'static str]),
    /// `{}`.
    Object,
    /// `false`.
    False,
}

impl Default {
    /// The default as JSON, if there is one.
    pub fn value(self) -> Option<Value> {
        match self {
            Default::None => None,
            Default::Text(text) => Some(json!(text)),
            Default::List(texts) => Some(json!(texts)),
            Default::Object => Some(json!({})),
            Default::False => Some(json!(false)),
        }
    }
}

/// The field of that JSON name.
pub fn field(json: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.json == json)
}

/// The field of that flag, given without its dashes.
pub fn by_flag(flag: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.flag == Some(flag))
}

/// The JSON name that a misspelt JSON name or flag most likely means.
pub fn nearest(name: &str) -> Option<&'static str> {
    let given = name.trim_start_matches('-').replace('-', "_");
    let names: Vec<(String, &'static str)> = FIELDS
        .iter()
        .flat_map(|field| {
            let flag = field.flag.map(|flag| (flag.replace('-', "_"), field.json));
            [(field.json.to_owned(), field.json)].into_iter().chain(flag)
        })
        .collect();
    let near = error::nearest(&given, names.iter().map(|(name, _)| name.as_str()))?;
    names.iter().find(|(name, _)| name == near).map(|(_, json)| *json)
}

/// Whether the field of that JSON name holds a secret.
pub fn is_secret(json: &str) -> bool {
    FIELDS.iter().any(|field| field.secret && field.json == json)
}
