//! `lint oauth2-client`: what is wrong with a client, in a file or on the server, without changing any.

use clap::{Arg, ArgAction};
use serde_json::json;

use crate::api::clients;
use crate::commands::client::ALIASES;
use crate::config::read;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::client::{ClientId, ClientSpec};
use crate::model::input;
use crate::model::lint::{self, Level};
use crate::output::outcome::{Column, Outcome, Row};

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
    Command::new(["lint", "oauth2-client"], "Show what is wrong with OAuth 2.0 clients", run)
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
                    .help("Clients in a JSON, JSON Lines or YAML file, - for stdin (can be repeated)"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let (ids, files) = (args.texts("id"), args.texts("file"));
    if ids.is_empty() && files.is_empty() {
        return Err(Error::usage("no client is named").hint("name ids, or files with --file"));
    }
    let mut found = Vec::new();
    for file in &files {
        for entry in input::parse_documents(&read::text(file)?, read::name(file))? {
            let name = entry.spec.id().or(entry.spec.name()).map_or("unnamed".into(), str::to_owned);
            found.push((format!("{}, {}: {name}", read::name(file), entry.at), entry.spec.with_defaults()));
        }
    }
    for id in &ids {
        let id = ClientId::parse(id)?;
        let client = session.wait(clients::get(session, &id))?;
        found.push((id.as_str().to_owned(), client.to_spec()));
    }
    let findings: Vec<(String, lint::Finding)> = found.iter().flat_map(|(name, spec)| findings(name, spec)).collect();
    let errors = findings.iter().filter(|(_, finding)| finding.level == Level::Error).count();
    let mut rows: Vec<Result<Row>> = findings.into_iter().map(|(name, finding)| Ok(row(&name, &finding))).collect();
    if rows.is_empty() {
        session.ui().note("nothing is wrong");
    }
    if errors > 0 {
        rows.push(Err(Error::failed(format!("{errors} of them must not be"))));
    }
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}

fn findings(name: &str, spec: &ClientSpec) -> Vec<(String, lint::Finding)> {
    lint::lint(spec).into_iter().map(|finding| (name.to_owned(), finding)).collect()
}

fn row(name: &str, finding: &lint::Finding) -> Row {
    Row::value(json!({
        "client": name,
        "level": if finding.level == Level::Error { "error" } else { "warning" },
        "field": finding.field,
        "message": finding.message,
        "hint": finding.hint,
    }))
}
