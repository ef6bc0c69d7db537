//! From text to JSON and back, as a field's kind says.

mod split;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::fields::{Field, Item, Kind};
use super::{duration, json};
use crate::error::{Error, Result};
use crate::text::safe;

/// The JSON value that the occurrences of a flag mean, or the cells of a column.
///
/// Lists and scopes join their occurrences; of other kinds the last one counts, and a switch without a value is on.
/// Lists split at commas as Ory's flags do, but URIs only where another scheme follows the comma.
pub fn from_text(field: &Field, texts: &[String]) -> Result<Value> {
    match field.kind {
        Kind::List(Item::Uri) => Ok(strings(texts.iter().flat_map(|text| split::uris(text)))),
        Kind::List(_) => Ok(strings(texts.iter().flat_map(|text| split::commas(text)))),
        Kind::Words => Ok(Value::String(words(texts.iter().map(String::as_str)))),
        kind => match (texts.last(), kind) {
            (Some(text), _) => scalar(field, text),
            (None, Kind::Bool) => Ok(Value::Bool(true)),
            (None, _) => Err(Error::usage(format!("`{}` needs a value", name(field)))),
        },
    }
}

fn scalar(field: &Field, text: &str) -> Result<Value> {
    match field.kind {
        Kind::Bool => boolean(text)
            .map(Value::Bool)
            .ok_or_else(|| Error::usage(format!("`{}` wants true or false, not `{}`", name(field), safe(text)))),
        Kind::Json => {
            let value = json::value(text).map_err(|error| error.about(format!("`{}` is not JSON", name(field))))?;
            check(field, value)
        }
        Kind::Duration => {
            duration::parse(text).map_err(|error| error.about(format!("`{}`", name(field))))?;
            Ok(Value::String(text.to_owned()))
        }
        Kind::Integer => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| Error::usage(format!("`{}` wants a whole number, not `{}`", name(field), safe(text)))),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// The value of a file or a script, if its type is the field's; a list of scopes becomes one text.
///
/// `null` passes: it stands for a field that is not given.
pub fn check(field: &Field, value: Value) -> Result<Value> {
    match (field.kind, &value) {
        (_, Value::Null)
        | (Kind::Text | Kind::Uri | Kind::Choice(_) | Kind::Words | Kind::Time, Value::String(_))
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Json, Value::Object(_)) => Ok(value),
        // Servers take any JSON for it; what is wrong with that is for lint to say.
        (Kind::Json, _) if field.json == "metadata" => Ok(value),
        (Kind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(value),
        (Kind::Duration, Value::String(text)) => {
            // An empty text is how a document without a value may be written.
            if text.is_empty() {
                return Ok(Value::Null);
            }
            duration::parse(text).map_err(|error| error.about(format!("`{}`", field.json)))?;
            Ok(value)
        }
        (Kind::Words, Value::Array(entries)) => {
            let texts = texts(field, entries)?;
            Ok(Value::String(words(texts.into_iter())))
        }
        (Kind::List(_), Value::Array(entries)) => {
            texts(field, entries)?;
            Ok(value)
        }
        _ => Err(mismatch(field, &value)),
    }
}

/// The entries of a list, all of which must be text.
fn texts<'a>(field: &Field, entries: &'a [Value]) -> Result<Vec<&'a str>> {
    let entry = |(index, entry): (usize, &'a Value)| {
        entry.as_str().ok_or_else(|| {
            let given = given(field, entry);
            Error::usage(format!("`{}` wants text in its list, but entry {} is {given}", field.json, index + 1))
        })
    };
    entries.iter().enumerate().map(entry).collect()
}

fn mismatch(field: &Field, value: &Value) -> Error {
    let error = Error::usage(format!("`{}` wants {}, not {}", field.json, wanted(field.kind), given(field, value)));
    match (field.kind, value) {
        (Kind::List(_), Value::String(text)) if !field.secret => {
            error.hint(format!("write `[{}]`", safe(&Value::String(shortened(text)).to_string())))
        }
        (Kind::Text | Kind::Words, Value::Number(_) | Value::Bool(_)) => error.hint("put it in quotes"),
        (Kind::Duration, Value::Number(_)) => error.hint("write it with a unit, such as `\"1h30m\"`"),
        _ => error,
    }
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Choice(_) => "text",
        Kind::Uri => "a URI as text",
        Kind::Words => "text with spaces between the words, or a list of texts",
        Kind::List(Item::Uri) => "a list of URIs",
        Kind::List(_) => "a list of texts",
        Kind::Bool => "true or false",
        Kind::Json => "an object",
        Kind::Duration => "a duration as text, such as \"1h30m\"",
        Kind::Integer => "a whole number",
        Kind::Time => "a time as text",
    }
}

/// What a value is, with the value where it is short and no secret.
fn given(field: &Field, value: &Value) -> String {
    let what = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "the truth value",
        Value::Number(_) => "the number",
        Value::String(_) => "the text",
        Value::Array(_) => return "a list".to_owned(),
        Value::Object(_) => return "an object".to_owned(),
    };
    // What was meant as keys may be private ones.
    let is_secret = field.secret || field.kind == Kind::Json;
    if is_secret { what.replacen("the", "a", 1) } else { format!("{what} {}", safe(&shortened(&value.to_string()))) }
}

/// Text cut to what an error can show.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}

/// A value as people read it: lists with `, ` between the entries. Not made safe for a terminal.
pub fn to_text(field: &Field, value: &Value) -> String {
    match (field.kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::Json, value) => value.to_string(),
        (_, Value::String(text)) => text.clone(),
        (Kind::List(_) | Kind::Words, Value::Array(entries)) => {
            let separator = if field.kind == Kind::Words { " " } else { ", " };
            let texts: Vec<String> =
                entries.iter().map(|entry| entry.as_str().map_or_else(|| entry.to_string(), str::to_owned)).collect();
            texts.join(separator)
        }
        (_, value) => value.to_string(),
    }
}

/// What Go's `strconv.ParseBool` takes.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn words<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let is_gap = |c: char| c == ',' || c.is_whitespace();
    texts.flat_map(|text| text.split(is_gap)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn strings(texts: impl Iterator<Item = String>) -> Value {
    Value::Array(texts.map(Value::String).collect())
}

fn name(field: &Field) -> String {
    field.flag.map_or_else(|| field.json.to_owned(), |flag| format!("--{flag}"))
}
