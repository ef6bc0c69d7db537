//! One client document from a file's text, JSON or YAML; errors name the file, the line and the column.

#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::Value;

use super::convert;
use super::fields::{Field, Kind, SetBy};
use super::node::{self, Content, Node};
use super::spec::{self, ClientSpec};
use super::{json, table_input, yaml};
use crate::error::{Error, Position, Result};
use crate::text::safe;

/// The client that a text asks for, and the names of the fields that were left out because the server sets them.
///
/// `name` is the file's, for errors and for its extension; where that is neither JSON's nor YAML's, a text that
/// starts with a bracket is JSON. YAML is typed by the fields' kinds: `client_name: no` is the text `no`.
pub fn parse_document(text: &str, name: &str) -> Result<(ClientSpec, Vec<String>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = if is_json(text, name) { json_root(text) } else { yaml_root(text) };
    root.and_then(client).map_err(|error| located(error, name))
}

/// One of several clients in a file.
#[derive(Debug)]
pub struct Entry {
    /// What is asked for.
    pub spec: ClientSpec,
    /// The fields that were left out because the server sets them.
    pub left_out: Vec<String>,
    /// Where it begins.
    pub at: Position,
}

/// Every client that a text asks for: a JSON list, one object, JSON Lines, YAML documents of objects or lists, or CSV.
///
/// Errors are those of [`parse_document`], and a text without any client.
pub fn parse_documents(text: &str, name: &str) -> Result<Vec<Entry>> {
    if has_extension(name, &["csv"]) || is_csv(text, name) {
        return table_input::parse(text, name);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let roots = if is_json(text, name) { json_roots(text) } else { yaml::parse(text) };
    let entries = roots.and_then(|roots| {
        let items = roots.into_iter().flat_map(|root| match root.content {
            Content::List(items) => items,
            content => vec![Node { at: root.at, content }],
        });
        let entry = |node: Node| {
            let at = node.at;
            client(node).map(|(spec, left_out)| Entry { spec, left_out, at })
        };
        items.map(entry).collect::<Result<Vec<_>>>()
    });
    let entries = entries.map_err(|error| located(error, name))?;
    if entries.is_empty() { Err(located(empty(), name)) } else { Ok(entries) }
}

/// One JSON text, or one a line.
fn json_roots(text: &str) -> Result<Vec<Node>> {
    match json_root(text) {
        Ok(root) => Ok(vec![root]),
        Err(error) if error.message() == SEVERAL => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            lines
                .map(|(at, line)| json::parse(line).map(|node| moved(node, at)).map_err(|error| below(error, at)))
                .collect()
        }
        Err(error) => Err(error),
    }
}

fn below(error: Error, lines: usize) -> Error {
    match error.position() {
        Some(position) => error.at(Position { line: position.line + lines, ..position }),
        None => error,
    }
}

/// A node whose text began some lines further down.
fn moved(node: Node, lines: usize) -> Node {
    let shift = |at: Position| Position { line: at.line + lines, ..at };
    let content = match node.content {
        Content::List(items) => Content::List(items.into_iter().map(|item| moved(item, lines)).collect()),
        Content::Object(entries) => Content::Object(
            entries
                .into_iter()
                .map(|entry| node::Entry { at: shift(entry.at), value: moved(entry.value, lines), ..entry })
                .collect(),
        ),
        plain => plain,
    };
    Node { at: shift(node.at), content }
}

fn is_json(text: &str, name: &str) -> bool {
    has_extension(name, &["json", "jsonl", "ndjson"])
        || !has_extension(name, &["yaml", "yml"]) && text.trim_start().starts_with(['{', '['])
}

/// Whether a text without a telling name begins as a header of fields: names with commas, and none of YAML's colons.
fn is_csv(text: &str, name: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    !has_extension(name, &["json", "jsonl", "ndjson", "yaml", "yml"])
        && first.contains(',')
        && !first.contains([':', '{', '['])
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or("");
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn json_root(text: &str) -> Result<Node> {
    if text.trim().is_empty() {
        return Err(empty());
    }
    json::parse(text).map_err(|error| if error.message() == "trailing characters" { several(error) } else { error })
}

fn yaml_root(text: &str) -> Result<Node> {
    let mut documents = yaml::parse(text)?.into_iter();
    match (documents.next(), documents.next()) {
        (None, _) => Err(empty()),
        (Some(root), None) => Ok(root),
        (Some(_), Some(second)) => Err(several(Error::usage("").at(second.at))),
    }
}

fn client(root: Node) -> Result<(ClientSpec, Vec<String>)> {
    let at = root.at;
    let entries = match root.content {
        Content::Object(entries) => entries,
        Content::List(_) => {
            let error = Error::usage("one client is due here, but this is a list");
            return Err(error.hint("give each client a file of its own").at(at));
        }
        Content::Plain(text) if yaml::is_null(&text) => return Err(empty()),
        Content::Plain(_) | Content::Typed(_) => {
            return Err(Error::usage("a client's fields are due here, but this is a single value").at(at));
        }
    };
    let mut spec = ClientSpec::new();
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
fn value(field: &Field, node: Node) -> Result<Value> {
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

const SEVERAL: &str = "one client is due here, but another document follows";

fn several(error: Error) -> Error {
    let at = error.position().unwrap_or(Position { line: 1, column: 1 });
    Error::usage(SEVERAL).at(at)
}

fn located(error: Error, name: &str) -> Error {
    match error.position() {
        Some(position) => error.about(format!("{}, {position}", safe(name))),
        None => error.about(safe(name)),
    }
}
