//! Values between Rhai and JSON, and the types that scripts see.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::BuildHasher;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FLOAT, INT, ImmutableString, Map, NativeCallContext as Call};
use serde_json::{Number, Value};

use crate::error::{Error, Result, nearest};
use crate::memory;
use crate::model::client::{Client, ClientSpec};
use crate::model::fields::{self, SetBy};
use crate::model::json;
use crate::model::spec;
use crate::output::outcome::Body;
use crate::script::api::time::{Span, Time};
use crate::script::engine::runtime_error;
use crate::script::errors::{self, ScriptResult, Spot, thrown};
use crate::script::library::placed;
use crate::script::made::{made, unwritten};
use crate::script::missing::named;
use crate::script::{bounded, held, limits};
use crate::secret::Secret;
use crate::text;
use crate::ui;

/// The types that scripts see, and what can be done with them; `most`: the bytes that one may take.
pub fn register(engine: &mut Engine, most: usize) {
    engine
        .register_fn("to_json", |map: &mut Map| json_text(&Dynamic::from(map.clone())))
        .register_fn("parse_json", move |text: &str| parse_json(text, most));
    engine
        .register_type_with_name::<Client>("Client")
        .register_indexer_get(member)
        .register_indexer_set(set_member)
        .register_fn("to_string", |client: &mut Client| shown(client))
        .register_fn("to_debug", |client: &mut Client| shown(client))
        .register_fn("==", |a: Client, b: Client| a.document() == b.document())
        .register_fn("!=", |a: Client, b: Client| a.document() != b.document())
        .register_fn("keys", |client: &mut Client| -> Array {
            to_map(client).into_keys().map(|key| ImmutableString::from(key).into()).collect()
        })
        .register_fn("values", |client: &mut Client| to_map(client).into_values().collect::<Array>())
        .register_fn("len", |client: &mut Client| INT::try_from(to_map(client).len()).unwrap_or(INT::MAX))
        .register_fn("get", |client: &mut Client, name: &str| to_map(client).remove(name).unwrap_or_default())
        .register_fn("contains", |client: &mut Client, name: &str| {
            client.get(name).is_some_and(|value| !value.is_null())
        });
    engine
        .register_type_with_name::<Secret>("Secret")
        .register_fn("to_string", |secret: &mut Secret| secret.to_string())
        .register_fn("to_debug", |secret: &mut Secret| secret.to_string())
        .register_fn("==", |a: Secret, b: &str| a.expose() == b)
        .register_fn("!=", |a: Secret, b: &str| a.expose() != b)
        .register_fn("==", |a: &str, b: Secret| a == b.expose())
        .register_fn("!=", |a: &str, b: Secret| a != b.expose())
        .register_fn("==", |a: Secret, b: Secret| a == b)
        .register_fn("!=", |a: Secret, b: Secret| a != b);
    engine
        .register_type_with_name::<Number>("Number")
        .register_fn("to_string", |number: &mut Number| number.to_string())
        .register_fn("to_debug", |number: &mut Number| number.to_string())
        .register_fn("==", |a: Number, b: Number| a == b)
        .register_fn("!=", |a: Number, b: Number| a != b);
    // Rhai takes what it cannot compare for neither more nor less.
    macro_rules! compared {
        ($($operator:tt),*) => { $(
            engine
                .register_fn(stringify!($operator), |a: Number, b: Number| order(&a, &b).is_some_and(|order| order $operator Ordering::Equal))
                .register_fn(stringify!($operator), |a: Number, b: INT| order(&a, &b.into()).is_some_and(|order| order $operator Ordering::Equal))
                .register_fn(stringify!($operator), |a: INT, b: Number| order(&a.into(), &b).is_some_and(|order| order $operator Ordering::Equal))
                .register_fn(stringify!($operator), |a: Number, b: FLOAT| float(&a).partial_cmp(&b).is_some_and(|order| order $operator Ordering::Equal))
                .register_fn(stringify!($operator), |a: FLOAT, b: Number| a.partial_cmp(&float(&b)).is_some_and(|order| order $operator Ordering::Equal));
        )* };
    }
    compared!(<, <=, >, >=);
}

/// Which of two numbers is more: exactly, where they are whole and not beyond 128 bits.
fn order(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => float(a).partial_cmp(&float(b)),
    }
}

fn float(number: &Number) -> FLOAT {
    number.as_f64().unwrap_or(FLOAT::NAN)
}

/// `client.member`: `()` where the server said nothing, of a list an empty one; an unknown name is an error.
fn member(call: Call<'_>, client: &mut Client, name: ImmutableString) -> ScriptResult<Dynamic> {
    let document = client.document();
    if let Some(secret) = document.secret(&name) {
        return Ok(Dynamic::from(secret.clone()));
    }
    let field = fields::field(&name);
    match document.get(&name) {
        Some(value) if !value.is_null() => Ok(from_json(value)),
        // A list that a server says nothing of is one in which there is nothing, to which something may be put.
        _ if field.is_some_and(|field| field.empty().is_array()) => Ok(Array::new().into()),
        Some(_) => Ok(Dynamic::UNIT),
        None if field.is_some() => Ok(Dynamic::UNIT),
        None => {
            let none = Error::usage(format!("a client has no field `{name}`")).did_you_mean(fields::nearest(&name));
            placed(Err(thrown(none)), &Spot::of(&call))
        }
    }
}

/// `client.member = value`: checked as a field of a map is; nothing is sent.
fn set_member(call: Call<'_>, client: &mut Client, name: ImmutableString, value: Dynamic) -> ScriptResult<()> {
    let set = |client: &mut Client| -> Result<()> {
        let field = spec::known(&name)?;
        // Rhai puts back what a method was called on, though that only looked.
        if is_there(client, field.json, &value) {
            return Ok(());
        }
        if field.set_by == SetBy::Server || field.json == "client_id" {
            return Err(Error::usage(format!("`{}` cannot be changed", field.json)));
        }
        let mut fields = serde_json::Map::new();
        fields.insert(field.json.into(), field_of(field.json, &value).map_err(|error| errors::message(&error))?);
        let (asked, _) = ClientSpec::from_object(fields)?;
        client.change(field, &asked);
        Ok(())
    };
    placed(set(client).map_err(thrown), &Spot::of(&call))
}

/// Whether a value is what a client has there already.
fn is_there(client: &Client, name: &str, value: &Dynamic) -> bool {
    let document = client.document();
    match (document.secret(name), value.read_lock::<Secret>()) {
        (Some(is), Some(given)) => *is == *given,
        (Some(_), None) | (None, Some(_)) => false,
        (None, None) => match document.get(name).filter(|is| !is.is_null()) {
            Some(is) => to_json(value, false).is_ok_and(|given| given == *is),
            None => value.is_unit() || value.read_lock::<Array>().is_some_and(|list| list.is_empty()),
        },
    }
}

fn shown(client: &Client) -> String {
    Value::Object(client.document().redacted()).to_string()
}

/// The fields of a client as a map, its secrets among them.
pub fn to_map(client: &Client) -> Map {
    let document = client.document();
    let mut map: Map = document.fields().iter().map(|(key, value)| (key.into(), from_json(value))).collect();
    for field in fields::FIELDS.iter().filter(|field| field.secret) {
        if let Some(secret) = document.secret(field.json) {
            map.insert(field.json.into(), Dynamic::from(secret.clone()));
        }
    }
    map
}

/// The fields that make the same client elsewhere, but for its secret.
pub fn to_fields(client: &Client) -> Map {
    let mut spec = client.to_spec();
    spec.remove_secret();
    spec.document().fields().iter().map(|(key, value)| (key.into(), from_json(value))).collect()
}

/// About what a byte of JSON or YAML takes as a value.
const JSON: usize = 40;

/// Errors: a value of that much JSON or YAML would take more than a script may.
pub fn fits(most: usize, text: &str) -> ScriptResult<()> {
    bounded::fits(most, text.len().saturating_mul(JSON))
}

/// The value of a JSON text; `most`: the bytes that it may take.
pub fn parse_json(text: &str, most: usize) -> ScriptResult<Dynamic> {
    fits(most, text)?;
    json::value(text).map(|value| from_json(&value)).map_err(thrown)
}

/// A JSON value as a script sees it: null is `()`, a number beyond 64 bits is a `Number`.
pub fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => from_number(number),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(from_json).collect::<Array>().into(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.into(), from_json(value))).collect::<Map>().into()
        }
    }
}

fn from_number(number: &Number) -> Dynamic {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => integer.into(),
        // A fraction or exponent makes it a float; an integer that does not fit stays what it is.
        (None, Some(float)) if number.to_string().contains(['.', 'e', 'E']) => float.into(),
        _ => Dynamic::from(number.clone()),
    }
}

/// A script's value as JSON. Secrets come out as `reveal` says. Errors: a value that JSON has nothing for, or that nests too deep.
pub fn to_json(value: &Dynamic, reveal: bool) -> ScriptResult<Value> {
    to_json_at(value, reveal, 0)
}

/// A script's value as JSON text, in which secrets do not show.
pub fn json_text(value: &Dynamic) -> ScriptResult<String> {
    let value = to_json(value, false)?;
    made(|out| write!(out, "{value}").map_err(unwritten))
}

/// So deep a value may nest that is written: what nests deeper nobody reads back, and it would need more stack than there is.
pub const MOST_DEPTH: usize = 500;

fn to_json_at(value: &Dynamic, reveal: bool, depth: usize) -> ScriptResult<Value> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    within_budget()?;
    if depth > MOST_DEPTH {
        return Err(thrown(Error::failed(format!("a value nests more than {MOST_DEPTH} deep"))));
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(flag.into());
    }
    if let Ok(integer) = value.as_int() {
        return Ok(INT::into(integer));
    }
    if let Ok(float) = value.as_float() {
        return Number::from_f64(float).map(Value::Number).ok_or_else(|| no_json(&format!("{float}")));
    }
    if value.is_string() || value.is_char() {
        return Ok(value.to_string().into());
    }
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().map(|item| to_json_at(item, reveal, depth + 1)).collect();
    }
    if let Some(members) = value.read_lock::<Map>() {
        let member =
            |(key, value): (&_, &Dynamic)| Ok((ToString::to_string(key), to_json_at(value, reveal, depth + 1)?));
        return members.iter().map(member).collect();
    }
    if let Some(number) = value.read_lock::<Number>() {
        return Ok(Value::Number(number.clone()));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(if reveal { secret.expose().into() } else { secret.to_string().into() });
    }
    if let Some(client) = value.read_lock::<Client>() {
        let document = client.document();
        return Ok(Value::Object(if reveal { document.reveal() } else { document.redacted() }));
    }
    if let Some(time) = value.read_lock::<Time>() {
        return Ok(time.to_string().into());
    }
    if let Some(span) = value.read_lock::<Span>() {
        // As servers write one.
        let (seconds, nanos) = (span.0.as_secs(), span.0.subsec_nanos());
        let part = if nanos == 0 { String::new() } else { format!(".{nanos:09}") };
        let part = part.trim_end_matches('0');
        return Ok(format!("{}h{}m{}{part}s", seconds / 3600, seconds / 60 % 60, seconds % 60).into());
    }
    if let Some(text) = value.clone().try_cast::<std::ops::Range<INT>>() {
        return Ok(format!("{}..{}", text.start, text.end).into());
    }
    Err(no_json(&named(value.type_name())))
}

/// Errors: the script has taken too much, or is to end.
pub fn within_budget() -> ScriptResult<()> {
    if has_room(0) && !ui::is_interrupted() { Ok(()) } else { Err(too_much()) }
}

/// Whether the script may take so many bytes more.
pub fn has_room(bytes: usize) -> bool {
    memory::has_room(bytes) && limits::has_room(bytes)
}

/// What a script fails with that takes too much.
pub fn too_much() -> Box<EvalAltResult> {
    thrown(Error::failed("it takes more memory than a script may").with_code("memory").hint(errors::MORE_MEMORY))
}

#[expect(clippy::unnecessary_box_returns, reason = "it is what Rhai functions fail with")]
fn no_json(what: &str) -> Box<EvalAltResult> {
    runtime_error(format!("JSON has nothing for {what}").into())
}

/// A map of client fields, as `clients::create` takes it, with its secrets in clear.
pub fn fields_of(map: &Map) -> ScriptResult<serde_json::Map<String, Value>> {
    map.iter().map(|(key, value)| Ok((key.to_string(), field_of(key, value)?))).collect()
}

/// What a field is to be. Errors: a secret that stands in a field that everybody may see.
fn field_of(name: &str, value: &Dynamic) -> ScriptResult<Value> {
    if !fields::is_secret(name) && holds_secret(value) {
        let wrong = format!("`{name}` is no secret, and what it is given is one");
        return Err(thrown(Error::usage(wrong).hint("reveal() takes it out of its wrapping")));
    }
    to_json(value, true)
}

fn holds_secret(value: &Dynamic) -> bool {
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().any(holds_secret);
    }
    if let Some(members) = value.read_lock::<Map>() {
        return members.values().any(holds_secret);
    }
    value.is::<Secret>() || value.read_lock::<Client>().is_some_and(|client| client.secret().is_some())
}

/// What a map of options says, by their names; empty: nothing. `of` is the function whose options they are. Errors: an option
/// that there is not, or that is no text.
pub fn options<const N: usize>(given: &Map, of: &str, names: [&str; N]) -> Result<[String; N]> {
    let mut values = [const { String::new() }; N];
    for (name, value) in given {
        let Some(at) = names.iter().position(|known| name == known) else {
            return Err(Error::usage(format!("`{of}` has no option `{name}`")).did_you_mean(nearest(name, names)));
        };
        let text = value.clone().into_string();
        values[at] = text.map_err(|found| Error::usage(format!("option `{name}` wants text, not {found}")))?;
    }
    Ok(values)
}

/// About how many bytes a value takes beside its own entry.
pub fn size(value: &Dynamic) -> usize {
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().map(|item| size_of::<Dynamic>() + size(item)).sum();
    }
    if let Some(members) = value.read_lock::<Map>() {
        return members.iter().map(|(key, value)| 2 * size_of::<Dynamic>() + key.len() + size(value)).sum();
    }
    0
}

/// Whether an option is on. Errors: it is neither true nor false.
pub fn switch(options: &Map, name: &str) -> Result<bool> {
    let is_on = options.get(name).map_or(Ok(false), Dynamic::as_bool);
    is_on.map_err(|kind| Error::usage(format!("option `{name}` wants true or false, not {}", named(kind))))
}

/// A script's result as a row's body: a client shows its secret as the command that made it does.
pub fn body(value: &Dynamic) -> ScriptResult<Body> {
    match value.read_lock::<Client>() {
        Some(client) => Ok(Body::Document(client.document().clone())),
        None => displayed(value).map(Body::Value),
    }
}

/// A value as it is shown. Errors: it would take too much.
pub fn displayed(value: &Dynamic) -> ScriptResult<Value> {
    let value = to_json(value, false)?;
    // Its text is made twice at least: a cell, and the line that it is in.
    if has_room(2 * growth(&value)) { Ok(value) } else { Err(too_much()) }
}

/// How many bytes more the texts of a value have as they are shown.
fn growth(value: &Value) -> usize {
    match value {
        Value::String(text) => text::growth(text),
        Value::Array(items) => items.iter().map(growth).sum(),
        Value::Object(members) => members.iter().map(|(key, value)| text::growth(key) + growth(value)).sum(),
        _ => 0,
    }
}

/// Those of the wanted secrets that a script's result shows, in each row at most one: that of a client, or one in a text.
pub fn secrets<S: BuildHasher>(value: &Dynamic, wanted: &HashMap<&str, &Secret, S>) -> HashSet<String> {
    let of = |value: &Dynamic| {
        if let Some(client) = value.read_lock::<Client>() {
            return client.secret().map(|secret| secret.expose().to_owned());
        }
        let text = to_json(value, false).ok()?.to_string();
        match held::found(text.as_bytes(), wanted)[..] {
            [one] => Some(one.expose().to_owned()),
            _ => None,
        }
    };
    match value.read_lock::<Array>() {
        Some(items) => items.iter().filter_map(of).collect(),
        None => of(value).into_iter().collect(),
    }
}

/// A row's body as a map, with its secrets.
pub fn map_of(body: &Body) -> Dynamic {
    match body {
        Body::Document(document) => to_map(&Client::from_document(document.clone())).into(),
        Body::Value(_) => from_body(body),
    }
}

/// A row's body as a script sees it.
pub fn from_body(body: &Body) -> Dynamic {
    match body {
        Body::Document(document) => Dynamic::from(Client::from_document(document.clone())),
        Body::Value(Value::Object(members)) => {
            let of = |(name, value): (&String, &Value)| match value.as_str() {
                Some(text) if fields::is_secret(name) && !text.is_empty() => {
                    (name.into(), Dynamic::from(Secret::new(text)))
                }
                _ => (name.into(), from_json(value)),
            };
            members.iter().map(of).collect::<Map>().into()
        }
        Body::Value(value) => from_json(value),
    }
}
