//! `lint oauth2-client`: what is wrong with a client, in a file or on the server, without changing any.

use clap::{Arg, ArgAction};
use serde_json::json;

use crate::api::clients;
use crate::commands::client::ALIASES;
use crate::commands::client::described::{described, with_folders};
use crate::commands::client::ids;
use crate::commands::in_turn;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::client::ClientSpec;
use crate::model::input::Entry;
use crate::model::lint::{self, Level};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::hook;

const COLUMNS: &[Column] = &[
    Column { title: "CLIENT", member: "client" },
    Column { title: "LEVEL", member: "level" },
    Column { title: "FIELD", member: "field" },
    Column { title: "MESSAGE", member: "message" },
    Column { title: "HINT", member: "hint" },
];

const EXAMPLES: &str = "\
Examples:
  orysh lint oauth2-client --file client.yaml
  orysh lint oauth2-client app-1 app-2 --format jsonl

Exit code 3 where a server would refuse something, or nobody can want it; warnings are shown only.";

/// The command.
pub fn command() -> Command {
    Command::new(["lint", "oauth2-client"], "Show what is wrong with OAuth 2.0 clients", run).runs_dry()
        .aliases(ALIASES)
        .args(|| {
            vec![
                Arg::new("id")
                    .value_name("ID")
                    .action(ArgAction::Append)
                    .help("Client on the server (can be repeated)"),
                Arg::new("file")
                    .long("file")
                    .short('f')
                    .value_name("FILE")
                    .action(ArgAction::Append)
                    .help("Clients in JSON, JSON Lines, YAML or CSV, a folder of such files, or - for stdin (can be repeated)"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let (ids, files) = (ids(args)?, args.texts("file"));
    if ids.is_empty() && files.is_empty() {
        return Err(Error::usage("no client is named").hint("name ids, or files with --file"));
    }
    if !ids.is_empty() {
        session.may_look()?;
    }
    let mut rows = Vec::new();
    let mut errors = 0;
    let mut judge = |name: &str, spec: &ClientSpec| -> Result<()> {
        // The rules of plugins count as well.
        let found: Vec<lint::Finding> = lint::lint(spec).into_iter().chain(hook::lint(session, spec)?).collect();
        errors += found.iter().filter(|finding| finding.level == Level::Error).count();
        rows.extend(found.iter().map(|finding| Ok(row(name, finding))));
        Ok(())
    };
    for Entry { spec, place, .. } in described(session.ui(), &with_folders(session.ui(), &files)?)? {
        let name = spec.id().or(spec.name()).unwrap_or("unnamed").to_owned();
        judge(&format!("{place}: {name}"), &spec.with_defaults())?;
    }
    let mut absent = Vec::new();
    for id in ids {
        match session.wait(clients::get(session, &id)) {
            Ok(client) => judge(id.as_str(), &client.to_spec())?,
            Err(error) if in_turn::ends(&error) => return Err(error),
            Err(error) => absent.push(Err(error)),
        }
    }
    if rows.is_empty() && absent.is_empty() {
        session.ui().note("nothing is wrong");
    }
    rows.extend(absent);
    if errors > 0 {
        let errors = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
        rows.push(Err(Error::new(Kind::Partial, format!("{errors} among the findings"))));
    }
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}

fn row(name: &str, finding: &lint::Finding) -> Row {
    Row::value(json!({
        "client": name,
        "level": if finding.level == Level::Error { "error" } else { "warning" },
        "field": finding.field,
        "message": finding.message,
        "hint": finding.hint,
    }))
    .with_id(name)
}
