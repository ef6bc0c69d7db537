//! `delete oauth2-client ID…`: deletes clients by id.

use crate::commands::client::{ALIASES, ids, ids_arg};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::ops;
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[Column { title: "ID", member: "" }];

const EXAMPLES: &str = "\
Examples:
  orysh delete oauth2-client app-1
  orysh list oauth2-clients --all --owner team@example.org -q | orysh delete oauth2-client -";

/// The command.
pub fn command() -> Command {
    Command::new(["delete", "oauth2-client"], "Delete OAuth 2.0 clients by id", run)
        .aliases(ALIASES)
        .args(|| vec![ids_arg().help("Client id, - to read ids from stdin, one a line (can be repeated)")])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let mut ids = ids(args)?;
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let session = host.session.clone();
    let ui = session.ui();
    if ids.is_empty() {
        ui.note("stdin names no client: nothing was deleted");
        return Ok(Outcome::nothing());
    }
    if !args.yes && ui.can_ask() {
        let what = if ids.len() == 1 { format!("client `{}`", ids[0]) } else { format!("{} clients", ids.len()) };
        if !ui.confirm(&format!("Delete {what} on {}?", session.described()?)) {
            return Err(Error::usage("nothing was deleted").hint("--yes deletes without asking"));
        }
    }
    let count = ids.len();
    let mut left = count;
    let mut deleted = 0;
    let rows = ids.into_iter().map(move |id| {
        let row = ops::delete::delete(&session, &id).map(|()| Row::id(id.as_str()));
        left -= 1;
        deleted += usize::from(row.is_ok());
        if left == 0 && deleted > 0 {
            ui.note(&format!("{deleted} of {count} deleted; JWT access tokens live until they expire"));
        }
        row
    });
    Ok(Outcome::each(count, rows, COLUMNS))
}
