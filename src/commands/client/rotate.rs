//! `rotate secret ID`: a new secret, while the old one still counts.

use clap::{Arg, ArgAction};

use crate::api::request;
use crate::commands::client::{COLUMNS, change, id, id_arg, with_members};
use crate::error::{Error, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::{Args, Command, Host, recipients as recipient_flags};
use crate::ops::guard;
use crate::ops::recipients;
use crate::ops::rotate::{self, Rotated};
use crate::output::outcome::{Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh rotate secret app-1 --format jsonpath=client_secret
  orysh rotate secret app-1 --pgp-key @alice.asc
  orysh rotate secret app-1 --drop-old

The server picks the new secret, and up to five old ones still count until --drop-old. A server older than that route
takes --cut-over: the new secret is chosen here, and the old one ends at once.";

/// The command.
pub fn command() -> Command {
    Command::new(["rotate", "secret"], "Give a client a new secret", run)
        .runs_dry()
        .aliases(&["client-secret", "oauth2-client-secret"])
        .args(rotate_args)
        .after(EXAMPLES)
}

fn rotate_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let mut args = vec![
        id_arg(),
        switch("drop-old", "End the secrets that were rotated out, and make no new one").conflicts_with("cut-over"),
        switch("cut-over", "Set a secret that is chosen here; the old one ends at once"),
        switch("dry-run", "Show the request that would be sent, and send nothing"),
    ];
    args.extend(recipient_flags::recipient_args());
    args.push(deliver_arg());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let id = id(args)?;
    let (drop_old, cut_over) = (args.flag("drop-old"), args.flag("cut-over"));
    let wanted = recipient_flags::wanted(args)?;
    if drop_old && !wanted.sources.is_empty() {
        return Err(Error::usage("--drop-old makes no new secret: there is nothing to encrypt"));
    }
    let recipients = recipients::load(session, &wanted)?;
    let client = rotate::check(session, &id, &recipients)?;
    recipients::tell(session, &recipients);
    if args.flag("dry-run") && !cut_over {
        let request = if drop_old { request::drop_rotated(&id) } else { request::rotate_secret(&id) };
        return change::dry_run(args, request.shown(&session.admin_url()?));
    }
    let what = match (drop_old, cut_over) {
        (true, _) => Some("end the old secrets of"),
        (_, true) => Some("end the secret of"),
        _ => None,
    };
    if let (Some(what), false) = (what, args.flag("dry-run")) {
        guard::ask(session, &format!("{what} client `{id}`"), "nothing was changed", false)?;
    }
    if drop_old {
        let session = session.clone();
        let work = move || {
            rotate::drop_old(&session, &id)?;
            ui.note("only the current secret still counts");
            Ok(Row::client(client))
        };
        return Ok(with_members(Outcome::later(work, COLUMNS)));
    }
    if cut_over {
        return change::carry_out(session, rotate::cut_over(session, client, &recipients)?, args);
    }
    let session = session.clone();
    let work = move || {
        let Rotated { client, kept, undelivered } = rotate::rotate(&session, client, &recipients)?;
        ui.note("the old secret still counts: --drop-old ends it");
        Ok(change::written_row(client, kept, true, undelivered))
    };
    Ok(with_members(Outcome::later_but(work, COLUMNS)))
}
