//! What an argument takes that is known beforehand, as its name and the field table tell; and whether it takes a file.

use clap::{Arg, ValueHint};

use super::Candidate;
use crate::config::shell::SETTINGS;
use crate::config::tier::TIERS;
use crate::model::fields::{self, FIELDS, Field, Item, Kind, SetBy};
use crate::output::format::Format;
use crate::ui::PAINTS;

/// What a word can be that is in no list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Wants {
    /// Something that only a person knows.
    #[default]
    Nothing,
    /// A file.
    File,
    /// Rhai.
    Rhai,
    /// The same about a client, which is `c`.
    Condition,
}

/// How the value of an argument has begun.
struct Begun<'a> {
    text: &'a str,
    /// The words of the command before it.
    behind: &'a [String],
}

type Known = fn(&Begun<'_>) -> Vec<Candidate>;

/// Arguments by their names and those of their values.
const KNOWN: [(&str, &str, Known); 10] = [
    ("format", "FORMAT", |_| formats()),
    ("columns", "FIELDS", |begun| listed(begun.text, shown().map(of_field).collect())),
    ("sort", "FIELD", order),
    ("unset", "FIELD", |_| changed().map(of_field).collect()),
    ("set", "FIELD=VALUE", assignment),
    ("map", "COLUMN=FIELD", mapping),
    ("value", "VALUE", setting),
    ("tier", "TIER", |_| tiers()),
    ("rate-limit-tier", "TIER", |_| tiers()),
    ("prompt-color", "COLOR", |_| PAINTS.iter().map(|(name, _)| Candidate::plain(*name)).collect()),
];

/// The names of values that are files, between `|`.
const FILES: [&str; 5] = ["FILE", "DIR", "PATH", "INPUT", "ARGS"];

/// The names of values that are files behind an `@`.
const BEHIND_AT: [&str; 3] = ["KEY", "JSON", "PATCH"];

/// What an argument can be whose value has begun so, behind these words of its command.
pub fn of(arg: &Arg, begun: &str, behind: &[String]) -> Vec<Candidate> {
    if !arg.get_action().takes_values() {
        return Vec::new();
    }
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let of = |value: &clap::builder::PossibleValue| Candidate {
            word: value.get_name().to_owned(),
            about: value.get_help().map(ToString::to_string).unwrap_or_default(),
        };
        return possible.iter().map(of).collect();
    }
    let (id, name) = (arg.get_id().as_str(), value_name(arg));
    let begun = Begun { text: begun, behind };
    if let Some((_, _, known)) = KNOWN.iter().find(|(known, value, _)| (*known, *value) == (id, name)) {
        return known(&begun);
    }
    let list = id.strip_prefix("add-").or_else(|| id.strip_prefix("remove-"));
    let field = list.map_or_else(|| fields::field(id), fields::by_flag);
    field.map(|field| values(field, begun.text)).unwrap_or_default()
}

/// What else an argument takes whose value has begun so.
pub fn wanted(arg: &Arg, begun: &str) -> Wants {
    let name = value_name(arg);
    match name {
        "EXPR" if arg.get_id() == "where" => Wants::Condition,
        "EXPR" | "CODE" => Wants::Rhai,
        _ if arg.get_value_hint() == ValueHint::FilePath => Wants::File,
        _ if BEHIND_AT.contains(&name) && begun.starts_with('@') => Wants::File,
        _ if name.split(['|', '[']).any(|part| FILES.contains(&part)) => Wants::File,
        _ => Wants::Nothing,
    }
}

fn value_name(arg: &Arg) -> &str {
    arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str())
}

fn of_field(field: &Field) -> Candidate {
    Candidate { word: field.json.to_owned(), about: field.help.to_owned() }
}

/// Fields that a list shows.
fn shown() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| !field.secret)
}

/// Fields that a change may empty.
fn changed() -> impl Iterator<Item = &'static Field> {
    shown().filter(|field| field.set_by == SetBy::Caller && field.json != "client_id")
}

fn tiers() -> Vec<Candidate> {
    TIERS.iter().map(|tier| Candidate::plain(tier.name)).collect()
}

fn formats() -> Vec<Candidate> {
    let about = |name: &str| if name.ends_with('=') { "a path behind it" } else { "" };
    // The default has a name of its own, which nobody needs to learn.
    let names = Format::NAMES.into_iter().filter(|name| *name != "default");
    names.map(|name| Candidate { word: name.to_owned(), about: about(name).to_owned() }).collect()
}

/// Each behind the entries of a list that are there already, none twice.
fn listed(begun: &str, all: Vec<Candidate>) -> Vec<Candidate> {
    let Some(at) = begun.rfind(',') else { return all };
    let before = &begun[..=at];
    let is_new = |one: &Candidate| !before.split(',').any(|entry| entry == one.word);
    all.into_iter().filter(is_new).map(|one| Candidate { word: format!("{before}{}", one.word), ..one }).collect()
}

/// What a field can be.
fn values(field: &Field, begun: &str) -> Vec<Candidate> {
    match field.kind {
        Kind::Bool => ["true", "false"].map(Candidate::plain).into(),
        Kind::List(Item::Choice(choices)) => {
            listed(begun, choices.iter().map(|word| Candidate::plain(*word)).collect())
        }
        kind => kind.choices().iter().map(|word| Candidate::plain(*word)).collect(),
    }
}

fn order(begun: &Begun<'_>) -> Vec<Candidate> {
    let before = if begun.text.starts_with('-') { "-" } else { "" };
    let candidate = |field: &Field| Candidate { word: format!("{before}{}", field.json), about: field.help.to_owned() };
    shown().map(candidate).collect()
}

fn assignment(begun: &Begun<'_>) -> Vec<Candidate> {
    let Some((name, value)) = begun.text.split_once('=') else {
        return changed().map(of_field).map(|one| Candidate { word: format!("{}=", one.word), ..one }).collect();
    };
    let field = fields::field(name).or_else(|| fields::by_flag(name));
    let found = field.map(|field| values(field, value)).unwrap_or_default();
    found.into_iter().map(|one| Candidate { word: format!("{name}={}", one.word), ..one }).collect()
}

fn mapping(begun: &Begun<'_>) -> Vec<Candidate> {
    let Some((column, _)) = begun.text.split_once('=') else { return Vec::new() };
    changed().map(of_field).map(|one| Candidate { word: format!("{column}={}", one.word), ..one }).collect()
}

fn setting(begun: &Begun<'_>) -> Vec<Candidate> {
    let named = begun.behind.first();
    let setting = SETTINGS.iter().find(|setting| named.is_some_and(|name| name == setting.name));
    setting.map(|setting| setting.choices.iter().map(|word| Candidate::plain(*word)).collect()).unwrap_or_default()
}
