//! `patch oauth2-client ID PATCH`: a JSON Patch, or fields to merge, as far as they harm no other client.

use clap::{Arg, ArgAction};

use crate::commands::client::{ALIASES, change, id, id_arg};
use crate::config::read;
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::model::json;
use crate::model::patch::Asked;
use crate::ops::update;
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh patch oauth2-client app-1 '[{\"op\": \"replace\", \"path\": \"/metadata/tier\", \"value\": \"gold\"}]'
  orysh patch oauth2-client app-1 '{\"owner\": \"team@example.org\", \"contacts\": null}'
  orysh patch oauth2-client app-1 @changes.json --dry-run

A list is a JSON Patch (RFC 6902) of add, remove and replace; an object is merged
(RFC 7396): it sets its fields, and empties those that are null.";

/// The command.
pub fn command() -> Command {
    Command::new(["patch", "oauth2-client"], "Change an OAuth 2.0 client by a JSON Patch", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(patch_args)
        .after(EXAMPLES)
}

fn patch_args() -> Vec<Arg> {
    vec![
        id_arg(),
        Arg::new("patch").value_name("PATCH").required(true).help("JSON, @FILE, or - for stdin"),
        Arg::new("dry-run")
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .help("Show the request that would be sent, its secret redacted, and send nothing"),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let given = args.text("patch").unwrap_or_default();
    let (text, name) = match given.strip_prefix('@').or((given == "-").then_some("-")) {
        Some(file) => (read::text(file)?, read::name(file)),
        None => (given.to_owned(), "the patch"),
    };
    let value = json::value(&text).map_err(|error| error.about(format!("{name} is not JSON")))?;
    let asked = Asked::read(value).map_err(|error| error.about(name))?;
    let id = id(args)?;
    change::carry_out(&host.session, update::plan_patch(&host.session, &id, asked)?, args)
}
