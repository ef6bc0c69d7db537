//! `delete access-tokens CLIENT_ID`: ends every token of a client.

use clap::Arg;

use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::model::client::ClientId;
use crate::ops::guard;
use crate::ops::tokens;
use crate::output::outcome::{Column, Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh delete access-tokens job

JWT access tokens live until they expire.";

/// The command.
pub fn command() -> Command {
    Command::new(["delete", "access-tokens"], "Delete every token of a client", run)
        .runs_dry()
        .aliases(&["tokens", "oauth2-tokens"])
        .args(|| vec![Arg::new("id").value_name("CLIENT_ID").required(true).help("Id of the client")])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let id = ClientId::parse(args.text("id").unwrap_or_default())?;
    guard::ask(session, &format!("delete every token of client `{id}`"), "nothing was deleted", false)?;
    let session = session.clone();
    let work = move || {
        tokens::delete_all(&session, &id)?;
        ui.note("JWT access tokens live until they expire");
        Ok(Row::id(id.as_str()))
    };
    Ok(Outcome::later(work, &[Column { title: "ID", member: "" }]))
}
