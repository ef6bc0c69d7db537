//! Client documents from a file's text, JSON, YAML or CSV; errors name the file, the line and the column.

#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::Value;

use super::convert;
use super::fields::{self, Field, Kind, SetBy};
use super::json::Standing;
use super::node::{self, Content, Node};
use super::spec::{self, ClientSpec};
use super::{json, table_input, yaml};
use crate::error::{Error, Position, Result};
use crate::text::safe;

/// One of the clients in a file.
#[derive(Debug)]
pub struct Entry {
    /// What is asked for.
    pub spec: ClientSpec,
    /// The fields that were left out because the server sets them.
    pub left_out: Vec<String>,
    /// Where it begins.
    pub at: Position,
    /// File, line and column, for messages.
    pub place: String,
}

/// The one client that a text asks for; a list of one is one as well.
///
/// `name` is the file's, for errors and for its extension; where that is none of those known, a text that starts with a
/// bracket is JSON. YAML is typed by the fields' kinds: `client_name: no` is the text `no`.
pub fn parse_document(text: &str, name: &str) -> Result<Entry> {
    let mut entries = parse_documents(text, name)?;
    match entries.len() {
        1 => Ok(entries.remove(0)),
        many => {
            let error = Error::usage(format!("one client is due here, but there are {many}")).at(entries[1].at);
            Err(located(error, name).hint("give each client a file of its own"))
        }
    }
}

/// Every client that a text asks for: JSON objects or lists, one after the other or a line each, YAML documents of
/// them, CSV, or what `list --format json` printed.
///
/// Errors are those of [`parse_document`], and a text without any client.
pub fn parse_documents(text: &str, name: &str) -> Result<Vec<Entry>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if has_extension(name, &["csv"]) || is_csv(text, name) {
        return table_input::parse(text, name);
    }
    let mut entries = Vec::new();
    let mut add = |node: Node| {
        let at = node.at;
        let (spec, left_out) = client(node)?;
        entries.push(Entry { spec, left_out, at, place: format!("{}, {at}", safe(name)) });
        Ok(())
    };
    let read = if is_json(text, name) {
        json::each(text, |node, standing| match standing {
            Standing::Listed => add(node),
            Standing::Alone => items(node)?.into_iter().try_for_each(&mut add),
        })
    } else {
        yaml::parse(text)
            .and_then(|roots| roots.into_iter().try_for_each(|root| items(root)?.into_iter().try_for_each(&mut add)))
    };
    read.map_err(|error| located(error, name))?;
    if entries.is_empty() { Err(located(empty(), name)) } else { Ok(entries) }
}

/// The clients of a list, of a page of one, or the one that stands by itself.
pub fn items(root: Node) -> Result<Vec<Node>> {
    let at = root.at;
    match root.content {
        Content::List(items) => Ok(items),
        // An empty document, as templates leave them behind.
        Content::Plain(text) if yaml::is_null(&text) => Ok(Vec::new()),
        Content::Object(entries) if entries.iter().any(|entry| entry.key == "items") => page(entries),
        content => Ok(vec![Node { at, content }]),
    }
}

/// The items of a page as `list --format json` prints it.
fn page(entries: Vec<node::Entry>) -> Result<Vec<Node>> {
    let mut items = Vec::new();
    for node::Entry { key, at, value } in entries {
        let longer = || Error::usage("this is one page of a longer list").at(at).hint("list with --all, or export");
        match (key.as_str(), value.content) {
            ("items", Content::List(found)) => items = found,
            ("next_page_token", Content::Typed(Value::String(token))) if !token.is_empty() => return Err(longer()),
            ("next_page_token", Content::Plain(token)) if !yaml::is_null(&token) => return Err(longer()),
            ("is_last_page", Content::Typed(Value::Bool(false))) => return Err(longer()),
            ("is_last_page", Content::Plain(text)) if text == "false" => return Err(longer()),
            ("next_page_token" | "is_last_page", _) => {}
            _ => return Err(Error::usage(format!("`{}` has no place beside the items of a list", safe(&key))).at(at)),
        }
    }
    Ok(items)
}

pub fn is_json(text: &str, name: &str) -> bool {
    has_extension(name, &["json", "jsonl", "ndjson"])
        || !has_extension(name, &["yaml", "yml"]) && text.trim_start().starts_with(['{', '['])
}

/// Whether a text without a telling name begins as a header of fields: names with commas, and none of YAML's colons.
pub fn is_csv(text: &str, name: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    !has_extension(name, &["json", "jsonl", "ndjson", "yaml", "yml"])
        && (first.contains(',') || fields::field(first.trim()).is_some())
        && !first.contains([':', '{', '['])
        && !first.starts_with(['#', '-', '%'])
}

pub fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or("");
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn client(root: Node) -> Result<(ClientSpec, Vec<String>)> {
    let at = root.at;
    let entries = match root.content {
        Content::Object(entries) => entries,
        Content::List(_) => return Err(Error::usage("a client is due here, but this is a list").at(at)),
        Content::Plain(text) if yaml::is_null(&text) => return Err(empty()),
        Content::Plain(_) | Content::Typed(_) => {
            return Err(Error::usage("a client's fields are due here, but this is a single value").at(at));
        }
    };
    let mut spec = ClientSpec::with_capacity(entries.len());
    let mut left_out = Vec::new();
    for entry in entries {
        let field = known(&entry)?;
        match field.set_by {
            SetBy::Server => left_out.push(entry.key),
            SetBy::Caller => spec.set(field, value(field, entry.value)?),
        }
    }
    Ok((spec, left_out))
}

fn known(entry: &node::Entry) -> Result<&'static Field> {
    let error = match entry.key.as_str() {
        "<<" => Error::usage("YAML's merge key `<<` is not supported").hint("write the fields out"),
        key => match spec::known(key) {
            Ok(field) => return Ok(field),
            Err(error) => error,
        },
    };
    Err(error.at(entry.at))
}

/// The value of a field; what YAML leaves open is decided by the field's kind.
pub fn value(field: &Field, node: Node) -> Result<Value> {
    let at = node.at;
    let plain = |text: &str| match field.kind {
        Kind::Json | Kind::Bool | Kind::Integer => yaml::core(text),
        _ if yaml::is_null(text) => Ok(Value::Null),
        _ => Ok(Value::from(text)),
    };
    let is_switch_word =
        field.kind == Kind::Bool && matches!(&node.content, Content::Plain(text) if is_yes_or_no(text));
    let checked = convert::check(field, node.value(&plain)?).map_err(|error| error.at(at));
    if is_switch_word { checked.map_err(|error| error.hint("YAML 1.2 has only `true` and `false`")) } else { checked }
}

fn is_yes_or_no(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off" | "y" | "n")
}

fn empty() -> Error {
    Error::usage("there is no client in it: it is empty")
}

fn located(error: Error, name: &str) -> Error {
    match error.position() {
        Some(position) => error.about(format!("{}, {position}", safe(name))),
        None => error.about(safe(name)),
    }
}
