//! `replace oauth2-client ID --file FILE`: the whole document; what it does not name is reset.

use clap::{Arg, ArgAction};

use crate::commands::client::described;
use crate::commands::client::{ALIASES, COLUMNS, change, id, id_arg, with_members};
use crate::config::read;
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::model::input::Entry;
use crate::ops::guard;
use crate::ops::replace;
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh replace oauth2-client app-1 --file client.yaml
  orysh replace oauth2-client app-1 --file client.yaml --dry-run

What the file does not name is reset, but for the secret. `update oauth2-client` changes only what is named.";

/// The command.
pub fn command() -> Command {
    Command::new(["replace", "oauth2-client"], "Replace an OAuth 2.0 client by a whole document", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(replace_args)
        .after(EXAMPLES)
}

fn replace_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    vec![
        id_arg(),
        Arg::new("file")
            .long("file")
            .short('f')
            .value_name("FILE")
            .required(true)
            .help("The document, in JSON or YAML, - for stdin"),
        switch("dry-run", "Show the request that would be sent, its secret redacted, and send nothing"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let id = id(args)?;
    let file = args.text("file").unwrap_or_default();
    let Entry { spec, .. } = described::one(ui, file)?;
    let planned = replace::plan(session, &id, spec, args.flag("no-lint"))?;
    let resets: Vec<&str> = planned.resets().iter().map(|field| field.json).collect();
    if args.flag("dry-run") {
        if !resets.is_empty() {
            ui.note(&format!("would reset what is not named: {}", resets.join(", ")));
        }
        return change::dry_run(args, planned.shown(session)?);
    }
    if !resets.is_empty() {
        ui.warn(&format!("resets what {} does not name: {}", read::name(file), resets.join(", ")));
        guard::ask(session, &format!("replace client `{id}`"), "nothing was replaced", file == "-")?;
    }
    let session = session.clone();
    let work = move || {
        let replaced = replace::replace(&session, planned)?;
        change::tell(&session, &replaced.changes);
        Ok(change::written_row(replaced.client, replaced.kept, false, replaced.undelivered))
    };
    Ok(with_members(Outcome::later_but(work, COLUMNS)))
}
