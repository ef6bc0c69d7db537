//! `diff oauth2-client ID FILE`: how a client differs from what a file describes.

use clap::{Arg, ArgAction};
use serde_json::{Value, json};

use crate::api::clients;
use crate::commands::client::described;
use crate::commands::client::{ALIASES, id, id_arg};
use crate::config::read;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::compare;
use crate::model::input::Entry;
use crate::ops::apply;
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[
    Column { title: "FIELD", member: "field" },
    Column { title: "ON THE SERVER", member: "found" },
    Column { title: "IN THE FILE", member: "wanted" },
];

const EXAMPLES: &str = "\
Examples:
  orysh diff oauth2-client app-1 client.yaml
  orysh diff oauth2-client app-1 client.yaml --detailed-exitcode

Only the fields that the file names are compared, by their meaning: 90m is 1h30m0s. Secrets cannot be.";

/// The command.
pub fn command() -> Command {
    Command::new(["diff", "oauth2-client"], "Show how a client differs from a file", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(|| {
            vec![
                id_arg(),
                Arg::new("file").value_name("FILE").required(true).help("JSON or YAML, - for stdin"),
                Arg::new("detailed-exitcode")
                    .long("detailed-exitcode")
                    .action(ArgAction::SetTrue)
                    .help("Exit code 5 where they differ"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let id = id(args)?;
    let file = args.text("file").unwrap_or_default();
    let Entry { spec, .. } = described::one(session.ui(), file)?;
    if spec.client_id()?.is_some_and(|named| named != id) {
        return Err(Error::usage(format!("{} is of another client: its client_id is not `{id}`", read::name(file))));
    }
    let client = session.wait(clients::get(session, &id))?;
    let spec = apply::wanted(spec, &client);
    let differing = compare::differences(&spec, &client);
    let value = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
    let row = |field: &crate::model::fields::Field| {
        let (found, wanted) = (value(client.get(field.json)), value(spec.get(field.json)));
        Row::value(json!({"field": field.json, "found": found, "wanted": wanted})).with_id(field.json)
    };
    let mut rows: Vec<Result<Row>> = differing.into_iter().map(|field| Ok(row(field))).collect();
    if rows.is_empty() {
        session.ui().note(&format!("client `{id}` is as {} describes it", read::name(file)));
    } else if args.flag("detailed-exitcode") {
        rows.push(Err(Error::new(Kind::Due, "they differ").already_told()));
    }
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}
