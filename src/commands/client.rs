//! Commands on OAuth 2.0 clients.

pub mod apply;
mod change;
pub mod create;
pub mod delete;
pub mod diff;
pub mod export;
pub mod get;
pub mod import;
pub mod lifespans;
pub mod lint;
pub mod list;
pub mod patch;
pub mod replace;
pub mod rotate;
pub mod test;
pub mod update;

use std::path::Path;
use std::sync::LazyLock;

use clap::{Arg, ArgAction};

use crate::config::read;
use crate::error::{Error, Result};
use crate::grammar::Args;
use crate::model::client::ClientId;
use crate::model::fields::FIELDS;
use crate::output::outcome::{Column, Outcome};
use crate::secret::Secret;
use crate::ui::Ui;

/// The noun's other name.
pub const ALIASES: &[&str] = &["client"];

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
    static MEMBERS: LazyLock<Vec<&str>> = LazyLock::new(|| FIELDS.iter().map(|field| field.json).collect());
    outcome.with_members(&MEMBERS)
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

/// The secret from stdin or a file, if one is given so; of the flag it is warned. Errors: two of them read stdin.
fn given_secret(args: &Args, ui: Ui) -> Result<Option<Secret>> {
    // Not every command takes all of them.
    let file = args.matches.try_get_one::<String>("file").ok().flatten();
    let keys = args.matches.try_get_many::<String>("pgp-key").ok().flatten();
    let from_stdin = [
        (file.is_some_and(|file| file == "-"), "--file -"),
        (args.flag("secret-stdin"), "--secret-stdin"),
        (keys.into_iter().flatten().any(|key| key == "@-"), "--pgp-key @-"),
    ];
    let readers: Vec<&str> = from_stdin.into_iter().filter_map(|(reads, flag)| reads.then_some(flag)).collect();
    if readers.len() > 1 {
        return Err(Error::usage(format!("{} all read stdin", readers.join(" and "))).hint("give all but one a file"));
    }
    if args.text("client_secret").is_some() {
        ui.warn("other users of this machine can read --secret in the list of processes: --secret-stdin and --secret-file keep it to yourself");
    }
    if args.flag("secret-stdin") {
        return Secret::read(std::io::stdin().lock(), "stdin").map(Some);
    }
    args.text("secret-file").map(|path| Secret::read_file(Path::new(path))).transpose()
}

/// The ids that are named; a dash stands for those on stdin, one a line.
fn ids(args: &Args) -> Result<Vec<ClientId>> {
    let mut ids = Vec::new();
    for id in args.texts("id") {
        if id == "-" {
            let text = read::text("-")?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            ids.extend(lines.map(ClientId::parse).collect::<Result<Vec<_>>>()?);
        } else {
            ids.push(ClientId::parse(&id)?);
        }
    }
    Ok(ids)
}
