//! What the commands that change one client have in common: telling what changed, and keeping a new secret.

use serde_json::Value;

use crate::commands::client::{COLUMNS, with_members};
use crate::error::{Error, Result};
use crate::grammar::Args;
use crate::model::client::Client;
use crate::ops::dry_run::shown;
use crate::ops::keep::Kept;
use crate::ops::update::{self, FieldChange, Update};
use crate::output::Format;
use crate::output::outcome::{Outcome, Pending, Row};
use crate::session::Session;

/// Sends a planned change, or shows it; the outcome is the client as it is now.
pub fn carry_out(session: &Session, update: Update, args: &Args) -> Result<Outcome> {
    if args.flag("dry-run") {
        return dry_run(args, update.shown(session)?);
    }
    let session = session.clone();
    let work = move || {
        if update.is_empty() {
            session.ui().note("it is so already: nothing was sent");
        }
        let secret_is_ours = update.secret_is_ours();
        let updated = update::update(&session, update)?;
        tell(&session, &updated.changes);
        Ok(written_row(updated.client, updated.kept, secret_is_ours, updated.undelivered))
    };
    Ok(with_members(Outcome::later_but(work, COLUMNS)))
}

/// A request in place of an outcome.
pub fn dry_run(args: &Args, shown: Value) -> Result<Outcome> {
    dry_runs(args, vec![Ok(shown)])
}

/// Requests in place of an outcome, and why others would not be sent.
pub fn dry_runs(args: &Args, shown: Vec<Result<Value>>) -> Result<Outcome> {
    if args.flag("quiet") || args.format == Format::Env {
        return Err(Error::usage("--dry-run shows a request, which --quiet and the format `env` cannot")
            .hint("leave them out, or use --format json"));
    }
    Ok(Outcome::each(shown.len(), shown.into_iter().map(|value| value.map(Row::value)), &[]))
}

/// A client that was written, as a row that lets go of the kept file once it is shown: with the secret, where that was chosen
/// here or by the server, so that nobody has it yet. Beside it, why it was not delivered.
pub fn written_row(
    client: Client,
    kept: Option<Kept>,
    is_new: bool,
    undelivered: Option<Error>,
) -> (Row, Option<Error>) {
    let row = Row::client(client);
    let Some(kept) = kept else { return (row, undelivered) };
    let (what, place) = (format!("the secret of client `{}`", kept.id()), kept.path().display().to_string());
    let secret = is_new.then(|| kept.secret().clone());
    let pending = Pending { afterwards: Box::new(move || kept.discard()), secret, what, place };
    (row.pending(pending), undelivered)
}

/// Tells each field that changed, with its values before and after.
pub fn tell(session: &Session, changes: &[FieldChange]) {
    for FieldChange { field, before, after } in changes {
        session.ui().note(&if field.secret {
            format!("{}: there is a new one", field.json)
        } else {
            format!("{}: {} → {}", field.json, shown(before), shown(after))
        });
    }
}
