//! What the commands that change one client have in common: telling what changed, and keeping a new secret.

use serde_json::Value;

use crate::commands::client::{COLUMNS, with_members};
use crate::error::{Error, Result};
use crate::grammar::Args;
use crate::model::client::Client;
use crate::ops::keep::Kept;
use crate::ops::update::{self, FieldChange, Update};
use crate::output::Format;
use crate::output::outcome::{Outcome, Row};
use crate::session::Session;
use crate::text;

/// Sends a planned change, or shows it; the outcome is the client as it is now.
pub fn carry_out(session: &Session, update: Update, args: &Args) -> Result<Outcome> {
    if args.flag("dry-run") {
        return dry_run(args, update.shown(session)?);
    }
    if update.is_empty() {
        session.ui().note("it is so already: nothing was sent");
    }
    let secret_is_ours = update.secret_is_ours();
    let mut updated = update::update(session, update)?;
    tell(session, &updated.changes);
    if secret_is_ours
        && !args.shows_secret(&updated.client)
        && let Some(kept) = updated.kept.take()
    {
        session.ui().warn(&format!("the new secret is not shown: it is kept in {}", kept.path().display()));
    }
    Ok(with_members(Outcome::one(kept_row(updated.client, updated.kept), COLUMNS)))
}

/// A request in place of an outcome.
pub fn dry_run(args: &Args, shown: Value) -> Result<Outcome> {
    if args.flag("quiet") || args.format == Format::Env {
        return Err(Error::usage("--dry-run shows a request, which --quiet and the format `env` cannot")
            .hint("leave them out, or use --format json"));
    }
    Ok(Outcome::one(Row::value(shown), &[]))
}

/// A client with a new secret as a row that lets go of the kept file once it has been written.
pub fn kept_row(client: Client, kept: Option<Kept>) -> Row {
    let row = Row::client(client);
    match kept {
        Some(kept) => {
            let otherwise = format!("the client has a new secret, which is kept in {}", kept.path().display());
            row.afterwards(Box::new(move || kept.discard()), otherwise)
        }
        None => row,
    }
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

fn shown(value: &Value) -> String {
    text::safe_json(&value.to_string()).into_owned()
}
