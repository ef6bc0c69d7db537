//! The flags that change a client: each field as a whole, entries of lists, and what is emptied.

use clap::{Arg, ArgAction, ArgMatches};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::grammar::args;
use crate::model::convert;
use crate::model::fields::{self, FIELDS, Field, SetBy};
use crate::ops::update::Change;

const LISTS: &str = "Lists";

/// A flag for each field but the id, `--add-…` and `--remove-…` for each list, and `--unset`.
pub fn change_args() -> Vec<Arg> {
    let mut args: Vec<Arg> = args::field_args()
        .into_iter()
        .filter(|arg| arg.get_id() != "client_id")
        .map(|arg| {
            // A change has no defaults.
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            arg.help(help.split(" [default:").next().unwrap_or_default().to_owned())
        })
        .collect();
    for (field, flag) in lists() {
        for (verb, help) in [("add", "Add to"), ("remove", "Take out of")] {
            let name = format!("{verb}-{flag}");
            args.push(
                Arg::new(name.clone())
                    .long(name)
                    .value_name(field.value_name)
                    .action(ArgAction::Append)
                    .help(format!("{help} `{}` (can be repeated)", field.json))
                    .help_heading(LISTS),
            );
        }
    }
    args.push(
        Arg::new("unset")
            .long("unset")
            .value_name("FIELD")
            .action(ArgAction::Append)
            .help("Empty a field, named as its flag or as in JSON (can be repeated)")
            .help_heading("Change"),
    );
    args
}

/// The fields that hold several entries, with their flags.
fn lists() -> impl Iterator<Item = (&'static Field, &'static str)> {
    FIELDS.iter().filter(|field| field.kind.is_repeatable()).filter_map(|field| Some((field, field.flag?)))
}

/// What the flags of [`change_args`] ask for. Errors: a field that is changed in two ways that exclude each other.
pub fn change(matches: &ArgMatches) -> Result<Change> {
    let mut change = Change { set: args::spec(matches)?, unset: unset(matches)?, ..Change::default() };
    for (field, flag) in lists() {
        for (verb, into) in [("add", &mut change.add), ("remove", &mut change.remove)] {
            let given = texts(matches, &format!("{verb}-{flag}"));
            if given.is_empty() {
                continue;
            }
            let whole = change.set.get(field.json).is_some().then_some(flag);
            if let Some(flag) = whole {
                return Err(Error::usage(format!("--{flag} sets the whole list: leave --{verb}-{flag} out")));
            }
            let value = convert::from_text(field, &given).map_err(|error| error.about(format!("--{verb}-{flag}")))?;
            into.push((field, entries(value)));
        }
    }
    if let Some(field) = change.unset.iter().find(|field| change.set.document().contains(field.json)) {
        return Err(Error::usage(format!("`{}` is set and unset", field.json)).hint("leave one of them out"));
    }
    Ok(change)
}

fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).map(|values| values.cloned().collect()).unwrap_or_default()
}

fn entries(value: Value) -> Vec<String> {
    match value {
        Value::Array(entries) => entries.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The fields that `--unset` names.
pub fn unset(matches: &ArgMatches) -> Result<Vec<&'static Field>> {
    texts(matches, "unset").iter().map(|name| unsettable(name)).collect()
}

fn unsettable(name: &str) -> Result<&'static Field> {
    let plain = name.trim_start_matches('-');
    let field = fields::field(plain).or_else(|| fields::by_flag(plain)).ok_or_else(|| {
        Error::usage(format!("--unset: there is no field `{name}`")).did_you_mean(fields::nearest(name))
    })?;
    if field.set_by == SetBy::Server || field.json == "client_id" {
        return Err(Error::usage(format!("--unset: `{}` cannot be changed", field.json)));
    }
    if field.secret {
        return Err(Error::usage("--unset: a secret cannot be removed, only replaced")
            .hint("a client without one has --token-endpoint-auth-method none"));
    }
    Ok(field)
}
