//! `delete oauth2-client ID…`: deletes clients by id.

use std::collections::HashSet;

use clap::{Arg, ArgAction};

use crate::commands::client::{ALIASES, change, ids, ids_arg, ids_from_stdin};
use crate::commands::in_turn::{self, in_turn};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::ops::{self, guard};
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[Column { title: "ID", member: "" }];

const EXAMPLES: &str = "\
Examples:
  orysh delete oauth2-client app-1
  orysh list oauth2-clients --all --owner team@example.org -q | orysh delete oauth2-client -";

/// The command.
pub fn command() -> Command {
    Command::new(["delete", "oauth2-client"], "Delete OAuth 2.0 clients by id", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(|| {
            vec![
                ids_arg().help("Client id, - to read ids from stdin, one a line (can be repeated)"),
                Arg::new("dry-run")
                    .long("dry-run")
                    .action(ArgAction::SetTrue)
                    .help("Show the requests that would be sent, and send nothing"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let mut ids = ids(args)?;
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let session = host.session.clone();
    let ui = session.ui();
    if ids.is_empty() {
        ui.note("stdin names no client: nothing was deleted");
        return Ok(Outcome::nothing());
    }
    if args.flag("dry-run") {
        let shown = ids.iter().map(|id| ops::delete::shown(&session, id)).collect();
        return change::dry_runs(args, shown);
    }
    let what = if ids.len() == 1 { format!("client `{}`", ids[0]) } else { format!("{} clients", ids.len()) };
    guard::ask(&session, &format!("delete {what}"), "nothing was deleted", ids_from_stdin(args))?;
    let (count, is_dry, of_rows) = (ids.len(), session.dry_run().is_some(), session.clone());
    let mut rows = in_turn(
        ids,
        |id| format!("`{id}`"),
        move |id| ops::delete::delete(&of_rows, &id).map(|()| Row::id(id.as_str())),
    );
    let mut deleted = 0;
    let rows = std::iter::from_fn(move || {
        let row = rows.next();
        match &row {
            Some(done) => deleted += usize::from(done.is_ok()),
            // Below the last of them, and once.
            None if deleted > 0 && !is_dry => {
                let told = std::mem::take(&mut deleted);
                ui.note(&format!("{told} of {count} deleted; JWT access tokens live until they expire"));
            }
            None => {}
        }
        row
    });
    Ok(in_turn::outcome(count, rows, COLUMNS).writing())
}
