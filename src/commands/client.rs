//! Commands on OAuth 2.0 clients.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;

use std::sync::LazyLock;

use clap::{Arg, ArgAction};

use crate::error::Result;
use crate::grammar::Args;
use crate::model::client::ClientId;
use crate::model::fields::FIELDS;
use crate::output::outcome::{Column, Outcome};

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

fn ids(args: &Args) -> Result<Vec<ClientId>> {
    args.texts("id").iter().map(|id| ClientId::parse(id)).collect()
}
