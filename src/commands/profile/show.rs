//! `profile show [NAME]`: what a profile says.

use clap::Arg;
use serde_json::{Map, Value};

use crate::config::profile::{self, Profile};
use crate::config::team;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh profile show local
  orysh profile show --format json";

/// The command.
pub fn command() -> Command {
    Command::new(["profile", "show"], "Show what a profile says", run)
        .runs_dry()
        .offline()
        .args(|| vec![Arg::new("name").value_name("PROFILE").help("The profile [default: the one in use]")])
        .after(EXAMPLES)
}

fn run(_host: &Host, args: &Args) -> Result<Outcome> {
    let own = profile::user()?;
    let name = args
        .text("name")
        .map(str::to_owned)
        .or_else(|| own.current.clone())
        .ok_or_else(|| Error::usage("no profile is in use").hint("name one, or use one: orysh profile use NAME"))?;
    let team = if own.all.contains_key(&name) { None } else { team::found()? };
    let found = team.as_ref().and_then(|team| team.profiles.all.get(&name));
    let profile = found.map_or_else(|| own.get(&name), Ok)?;
    Ok(Outcome::one(Row::value(members(&name, profile)).with_id(name), &[]))
}

fn members(name: &str, profile: &Profile) -> Value {
    let mut members = Map::new();
    members.insert("name".into(), name.into());
    for (key, text) in profile.shown() {
        members.insert(key, text.into());
    }
    if members.shift_remove("header").is_some() {
        members.insert("headers".into(), profile.headers.keys().cloned().collect());
    }
    members.insert("skip-tls-verify".into(), profile.skip_tls_verify.into());
    members.insert("production".into(), profile.production.into());
    Value::Object(members)
}
