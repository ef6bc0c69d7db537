//! `get oauth2-client ID…`: shows clients by id, in the order asked.

use crate::api::clients;
use crate::commands::client::{ALIASES, COLUMNS, ids, ids_arg, with_members};
use crate::commands::in_turn::{self, in_turn};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh get oauth2-client app-1
  orysh get oauth2-client app-1 app-2 --format jsonl
  orysh get oauth2-client app-1 --format jsonpath=redirect_uris.0";

/// The command.
pub fn command() -> Command {
    Command::new(["get", "oauth2-client"], "Show OAuth 2.0 clients by id", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(|| vec![ids_arg()])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ids = ids(args)?;
    let session = host.session.clone();
    let count = ids.len();
    if count == 0 {
        session.ui().note("stdin names no client");
    }
    let get = move |id| session.wait(clients::get(&session, &id)).map(Row::client);
    let rows = in_turn(ids, |id| format!("`{id}`"), get);
    Ok(with_members(in_turn::outcome(count, rows, COLUMNS)))
}
