//! `import oauth2-clients FILE`: creates every client of a file; one that exists is reported, never overwritten.

use clap::{Arg, ArgAction};

use crate::commands::client::{COLUMNS, change, with_members};
use crate::config::read;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, recipients as recipient_flags};
use crate::model::input;
use crate::ops::create::{self, How, Plan};
use crate::ops::recipients;
use crate::output::outcome::{Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh import oauth2-clients clients.json --format jsonl
  orysh import oauth2-clients services.csv --format csv > made.csv
  orysh export oauth2-clients | orysh import oauth2-clients - --endpoint https://other.example.org

The whole file is checked before anything is sent. Each result is shown as it comes, in the order of the file.";

/// The command.
pub fn command() -> Command {
    Command::new(["import", "oauth2-clients"], "Create every client of a file", run)
        .aliases(&["clients", "oauth2-client", "client"])
        .args(import_args)
        .after(EXAMPLES)
}

fn import_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let mut args = vec![
        Arg::new("file")
            .value_name("FILE")
            .help("A JSON list, one JSON object, JSON Lines, YAML or CSV; - or none for stdin"),
        switch("dry-run", "Show the requests that would be sent, secrets redacted, and send nothing"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ];
    args.extend(recipient_flags::recipient_args());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = host.session.clone();
    if args.flag("quiet") && !args.flag("dry-run") {
        return Err(
            Error::usage("--quiet would leave out the secrets that are made").hint("use --format jsonl, or csv")
        );
    }
    let file = match args.text("file") {
        Some(file) => file,
        None if session.ui().stdin_is_terminal() => {
            return Err(
                Error::usage("no file is named, and stdin is a terminal").hint("name a file, or - to type it in")
            );
        }
        None => "-",
    };
    let how = How {
        no_lint: args.flag("no-lint"),
        recipients: recipients::load(&session, &recipient_flags::wanted(args)?)?,
        ..How::default()
    };
    let plans = plans(host, file, &how)?;
    if args.flag("dry-run") {
        let shown = plans.iter().map(|plan| plan.shown(&session)).collect::<Result<Vec<_>>>()?;
        return Ok(Outcome::many(shown.into_iter().map(|value| Ok(Row::value(value))), &[]));
    }
    let rows = plans.into_iter().map(move |plan| {
        let created = create::create(&session, plan, &how)?;
        Ok(change::kept_row(created.client, created.kept))
    });
    Ok(with_members(Outcome::many(rows, COLUMNS)))
}

/// Every client of the file, checked. Errors name its place.
fn plans(host: &Host, file: &str, how: &How) -> Result<Vec<Plan>> {
    let name = read::name(file);
    let mut seen = std::collections::HashSet::new();
    let mut plans = Vec::new();
    for entry in input::parse_documents(&read::text(file)?, name)? {
        if let Some(id) = entry.spec.id().filter(|id| !seen.insert((*id).to_owned())) {
            return Err(Error::usage(format!("{name}, {}: client `{id}` is there twice", entry.at)).at(entry.at));
        }
        let plan = create::plan(&host.session, entry.spec, how);
        plans.push(plan.map_err(|error| error.about(format!("{name}, {}", entry.at)).at(entry.at))?);
    }
    Ok(plans)
}
