//! From a row to what is asked for: columns to fields, fixed and templated values, defaults.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::rows::{Given, Raw};
use super::template::Template;
use crate::crypt::Source;
use crate::error::{self, Error, Result};
use crate::model::client::ClientSpec;
use crate::model::fields::{self, FIELDS, Field, Kind, SetBy};
use crate::model::{input, json, table_input};
use crate::text::safe;

/// What a column is for.
#[derive(Clone, Debug)]
enum Target {
    Field(&'static Field),
    /// A member of a JSON field, by its path in it: `metadata.tier`.
    Member(&'static Field, Vec<String>),
    /// A key that the secret is encrypted for.
    Key(FromText),
    /// For templates only.
    Template,
    /// Nothing that is known: the name, and the nearest one.
    Unknown(Option<String>),
}

/// The columns of keys, and where each has them from.
const KEYS: [(&str, FromText); 3] =
    [("pgp_key", Source::Word), ("pgp_key_url", Source::Url), ("keybase", Source::Keybase)];

/// Where a key comes from, by a text.
type FromText = fn(String) -> Source;

/// A value for a member of a JSON field, by its path in it.
type Member<'a> = (&'static Field, &'a [String], Value);

/// A field that every row has: what it is for, its name, its value.
type Fixed = (Target, String, Template);

/// How rows become clients.
#[derive(Debug, Default)]
pub struct Shape {
    /// The fields that columns of other names are for.
    maps: HashMap<String, String>,
    sets: Vec<Fixed>,
    defaults: ClientSpec,
    /// What it was made from, without secrets.
    variant: String,
    /// Only ids and keys count, and all other columns are passed over.
    only_ids: bool,
    /// By the number of the name.
    targets: Vec<Target>,
}

/// What a row asks for.
#[derive(Debug)]
pub struct Asked {
    /// The client.
    pub spec: ClientSpec,
    /// Whom its secret is for.
    pub keys: Vec<Source>,
}

impl Shape {
    /// From `COLUMN=FIELD`, `FIELD=TEMPLATE` and the fields of every row that says nothing else.
    pub fn new(maps: &[String], sets: &[String], defaults: ClientSpec) -> Result<Shape> {
        let mut shape = Shape { defaults, ..Shape::default() };
        let mut plain = Vec::new();
        for map in maps {
            let (column, field) = pair("--map", map, "COLUMN=FIELD")?;
            target(field).ok_or_else(|| unknown(field).about("--map"))?;
            if shape.maps.insert(column.to_owned(), field.to_owned()).is_some() {
                return Err(Error::usage(format!("--map says twice what `{}` is for", safe(column))));
            }
        }
        for set in sets {
            let (field, text) = pair("--set", set, "FIELD=VALUE")?;
            let target = target(field).ok_or_else(|| unknown(field).about("--set"))?;
            if let Target::Field(field) = &target
                && field.set_by == SetBy::Server
            {
                return Err(Error::usage(format!("`{}` is set by the server", field.json)).about("--set"));
            }
            plain.push(match &target {
                Target::Field(field) if field.secret => field.json,
                _ => set.as_str(),
            });
            shape.sets.push((target, field.to_owned(), Template::parse(text).map_err(|error| error.about("--set"))?));
        }
        shape.variant = json!([maps, plain, shape.defaults.redacted()]).to_string();
        Ok(shape)
    }

    /// What makes the same input another one: of a secret only that there is one.
    pub fn variant(&self) -> &str {
        &self.variant
    }

    /// The same, for rows of which nothing but the id and whom a secret is for counts.
    #[must_use]
    pub fn of_ids(self) -> Self {
        Shape { only_ids: true, ..self }
    }

    /// Takes in the names that came up since. Errors are of usage: a name that is no field and in no template.
    pub fn learn(&mut self, names: &[String], are_columns: bool) -> Result<()> {
        for (at, name) in names.iter().enumerate().skip(self.targets.len()) {
            let is_in_template =
                self.sets.iter().any(|(_, _, template)| template.columns().any(|column| column == name));
            let wanted = self.maps.get(name).map_or(name.as_str(), String::as_str);
            let found = match target(wanted) {
                Some(Target::Field(field)) if self.only_ids && field.json != "client_id" => Target::Template,
                Some(target) => target,
                None if is_in_template || self.only_ids => Target::Template,
                None => {
                    let known = FIELDS.iter().map(|field| field.json).chain(KEYS.map(|(key, _)| key));
                    let near = error::nearest(name, known).map(str::to_owned);
                    if are_columns {
                        return Err(unknown_name(name, near.as_deref()).about(format!("column {}", at + 1)));
                    }
                    // It is wrong in each row that has it, and in no other.
                    Target::Unknown(near)
                }
            };
            if let Target::Field(field) = &found
                && let Some(first) = self
                    .targets
                    .iter()
                    .position(|other| matches!(other, Target::Field(other) if other.json == field.json))
            {
                return Err(Error::usage(format!(
                    "`{}` and `{}` are both for `{}`",
                    safe(&names[first]),
                    safe(name),
                    field.json
                )));
            }
            self.targets.push(found);
        }
        Ok(())
    }

    /// How many names were taken in.
    pub fn known(&self) -> usize {
        self.targets.len()
    }

    /// Checks that what templates and maps name is there, once all columns are known.
    pub fn check_columns(&self, names: &[String]) -> Result<()> {
        let mapped = self.maps.keys().map(|column| ("--map", column.as_str()));
        let in_templates = self.sets.iter().flat_map(|(_, _, template)| template.columns());
        for (flag, column) in mapped.chain(in_templates.map(|column| ("--set", column))) {
            if !names.iter().any(|name| name == column) {
                return Err(Error::usage(format!("{flag} names `{}`, and the input has no such column", safe(column)))
                    .did_you_mean(error::nearest(column, names.iter().map(String::as_str))));
            }
        }
        Ok(())
    }

    /// The client that a row asks for. Errors: all that is wrong in it, each with its column or place.
    pub fn asked(&self, raw: &mut Raw, names: &[String]) -> std::result::Result<Asked, Vec<Error>> {
        let mut asked = Asked { spec: self.defaults.clone(), keys: Vec::new() };
        let mut members: Vec<Member<'_>> = Vec::new();
        let mut errors = Vec::new();
        let texts = self.texts(raw, names);
        for (number, given) in std::mem::take(&mut raw.cells) {
            let place = |error: Error, is_cell: bool| {
                if is_cell { error.about(format!("column {} (`{}`)", number + 1, safe(&names[number]))) } else { error }
            };
            let is_text = matches!(given, Given::Text(_));
            let read = match &self.targets[number] {
                Target::Template => Ok(()),
                Target::Unknown(near) => Err(unknown_name(&names[number], near.as_deref())),
                // Exports hold it, and it is not for a client to say.
                Target::Field(field) if field.set_by == SetBy::Server => Ok(()),
                Target::Field(field) => value(field, given).map(|value| asked.spec.set(field, value)),
                Target::Member(field, path) => member(given).map(|value| members.push((*field, path, value))),
                Target::Key(make) => match text(&given) {
                    Some(text) => {
                        asked.keys.push(make(text));
                        Ok(())
                    }
                    None => Err(Error::usage(format!("`{}` wants text", safe(&names[number])))),
                },
            };
            if let Err(error) = read {
                errors.push(raw.moved(place(error, is_text)));
            }
        }
        for (target, name, template) in &self.sets {
            let filled = template.fill(|column| texts.get(column).cloned()).and_then(|text| match target {
                Target::Field(field) => table_input::value(field, &text).map(|value| asked.spec.set(field, value)),
                Target::Member(field, path) => {
                    members.push((*field, path, cell_value(&text)));
                    Ok(())
                }
                Target::Key(make) => {
                    asked.keys.push(make(text));
                    Ok(())
                }
                Target::Template | Target::Unknown(_) => Ok(()),
            });
            if let Err(error) = filled {
                errors.push(raw.moved(error.about(format!("--set {}", safe(name)))));
            }
        }
        for (field, path, value) in members {
            let mut whole = asked.spec.get(field.json).cloned().unwrap_or_else(|| Value::Object(Map::new()));
            match put(&mut whole, path, value) {
                Ok(()) => asked.spec.set(field, whole),
                Err(error) => errors.push(raw.moved(error.about(format!("{}.{}", field.json, path.join("."))))),
            }
        }
        if errors.is_empty() { Ok(asked) } else { Err(errors) }
    }

    /// What templates may name, where there are any.
    fn texts(&self, raw: &Raw, names: &[String]) -> HashMap<String, String> {
        if self.sets.iter().all(|(_, _, template)| template.columns().next().is_none()) {
            return HashMap::new();
        }
        let cells = raw.cells.iter();
        cells.filter_map(|(number, given)| Some((names[*number].clone(), text(given)?))).collect()
    }
}

fn pair<'a>(flag: &str, text: &'a str, form: &str) -> Result<(&'a str, &'a str)> {
    match text.split_once('=') {
        Some((left, right)) if !left.trim().is_empty() => Ok((left.trim(), right)),
        _ => Err(Error::usage(format!("{flag} wants {form}, not `{}`", safe(text)))),
    }
}

fn unknown_name(name: &str, near: Option<&str>) -> Error {
    Error::usage(format!("unknown field `{}`", safe(name)))
        .did_you_mean(near)
        .hint(format!("--map '{}=FIELD' says which field it is for", safe(name)))
}

fn unknown(name: &str) -> Error {
    Error::usage(format!("unknown field `{}`", safe(name))).did_you_mean(fields::nearest(name))
}

fn target(name: &str) -> Option<Target> {
    let name = name.trim();
    if let Some(field) = fields::field(name).or_else(|| fields::by_flag(name)) {
        return Some(Target::Field(field));
    }
    let key = name.replace('-', "_");
    if let Some((_, make)) = KEYS.iter().find(|(known, _)| *known == key) {
        return Some(Target::Key(*make));
    }
    let (field, path) = name.split_once('.')?;
    let field = fields::field(field).filter(|field| field.kind == Kind::Json)?;
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    path.iter().all(|part| !part.is_empty()).then_some(Target::Member(field, path))
}

fn value(field: &'static Field, given: Given) -> Result<Value> {
    match given {
        Given::Text(cell) => table_input::value(field, &cell),
        Given::Node(node) => input::value(field, node),
    }
}

fn member(given: Given) -> Result<Value> {
    match given {
        Given::Text(cell) => Ok(cell_value(&cell)),
        Given::Node(node) => node.value(&|text| Ok(Value::from(text))),
    }
}

/// What is JSON in a cell is taken for that, and all else for text.
fn cell_value(cell: &str) -> Value {
    json::value(cell).unwrap_or_else(|_| Value::from(cell))
}

fn text(given: &Given) -> Option<String> {
    match given {
        Given::Text(cell) => Some(cell.clone()),
        Given::Node(node) => match node.clone().value(&|text| Ok(Value::from(text))).ok()? {
            Value::String(text) => Some(text),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        },
    }
}

fn put(whole: &mut Value, path: &[String], value: Value) -> Result<()> {
    let Value::Object(members) = whole else {
        return Err(Error::usage("what it would be a member of is no object"));
    };
    match path {
        [] => Ok(()),
        [last] => {
            members.insert(last.clone(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            put(members.entry(first.clone()).or_insert_with(|| Value::Object(Map::new())), rest, value)
        }
    }
}
