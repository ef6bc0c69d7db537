//! Commands on OAuth 2.0 clients.

pub mod apply;
mod change;
pub mod create;
pub mod delete;
pub mod deliver;
pub mod described;
pub mod diff;
pub mod export;
mod form;
pub mod get;
pub mod import;
pub mod lifespans;
pub mod lint;
pub mod list;
pub mod patch;
pub mod replace;
pub mod rotate;
mod secret_box;
pub mod test;
pub mod update;

use clap::{Arg, ArgAction};
use serde_json::Value;

use crate::commands::given;
use crate::config::read;
use crate::error::{Error, Position, Result};
use crate::grammar::Args;
use crate::model::client::ClientId;
use crate::model::fields::FIELDS;
use crate::output::outcome::{Column, Outcome};
use crate::secret::Secret;
use crate::text;
use crate::ui::Ui;

/// The noun's other names.
pub const ALIASES: &[&str] = &["client", "oauth2-clients", "clients"];

/// The columns of a table, those of the Ory CLI.
pub const COLUMNS: &[Column] = &[
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "CLIENT SECRET", member: "client_secret" },
    Column { title: "GRANT TYPES", member: "grant_types" },
    Column { title: "RESPONSE TYPES", member: "response_types" },
    Column { title: "SCOPE", member: "scope" },
    Column { title: "AUDIENCE", member: "audience" },
    Column { title: "REDIRECT URIS", member: "redirect_uris" },
];

/// An outcome of clients knows the columns of CSV: the whole field table.
pub fn with_members(outcome: Outcome) -> Outcome {
    outcome.with_members(FIELDS.iter().map(|field| field.json))
}

/// The same of a script's value, where that is clients.
pub fn with_members_of_clients(outcome: Outcome) -> Outcome {
    if outcome.columns.is_empty() { outcome } else { with_members(outcome) }
}

/// The ids of clients, as words of a command.
fn ids_arg() -> Arg {
    Arg::new("id").value_name("ID").action(ArgAction::Append).required(true).help("Client id (can be repeated)")
}

/// The id of the one client that a command is about.
fn id_arg() -> Arg {
    Arg::new("id").value_name("ID").required(true).help("Client id")
}

fn id(args: &Args) -> Result<ClientId> {
    ClientId::parse(args.text("id").unwrap_or_default())
}

/// The ways to give a secret that other users of the machine cannot see.
fn secret_args(heading: &'static str) -> [Arg; 2] {
    [
        Arg::new("secret-stdin")
            .long("secret-stdin")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(["client_secret", "secret-file"])
            .help("Read the secret from stdin")
            .help_heading(heading),
        Arg::new("secret-file")
            .long("secret-file")
            .value_name("FILE")
            .conflicts_with("client_secret")
            .help("Read the secret from a file")
            .help_heading(heading),
    ]
}

/// The secret from stdin or a file, if one is given so; of the flag it is warned.
fn given_secret(args: &Args, ui: Ui) -> Result<Option<Secret>> {
    if args.text("client_secret").is_some() {
        given::warn_of_argv(args, ui, "--secret", "use --secret-stdin or --secret-file");
    }
    if args.flag("secret-stdin") {
        return given::from_stdin(ui, "secret").map(Some);
    }
    args.text("secret-file").map(|path| given::from_file(path, "secret")).transpose()
}

/// The ids that are named; a dash stands for those on stdin, one a line, as `--quiet` prints them.
fn ids(args: &Args) -> Result<Vec<ClientId>> {
    let mut ids = Vec::new();
    for id in args.texts("id") {
        if id == "-" {
            let text = read::clients("-")?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            ids.extend(lines.map(|(at, line)| id_of(at + 1, line)).collect::<Result<Vec<_>>>()?);
        } else {
            ids.push(ClientId::parse(&id)?);
        }
    }
    Ok(ids)
}

fn id_of(number: usize, line: &str) -> Result<ClientId> {
    let place = Position { line: number, column: 1 };
    let id = text::from_line(line).ok_or_else(|| {
        let line = Value::from(line).to_string();
        Error::usage(format!("stdin, line {number}: {line} is no id"))
            .hint("an id with spaces around it is written as JSON text")
    });
    id.and_then(|id| ClientId::parse(&id).map_err(|error| error.about(format!("stdin, line {number}"))))
        .map_err(|error| error.at(place))
}

/// Whether ids are read from stdin.
fn ids_from_stdin(args: &Args) -> bool {
    args.texts("id").iter().any(|id| id == "-")
}
