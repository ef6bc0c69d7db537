//! `revoke consent`: takes back what a person has consented to.

use clap::{Arg, ArgAction};

use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::client::ClientId;
use crate::ops::guard;
use crate::ops::tokens;
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh revoke consent --subject alice@example.org --client app-1
  orysh revoke consent --subject alice@example.org --all

The tokens that were issued by that consent end with it.";

/// The command.
pub fn command() -> Command {
    Command::new(["revoke", "consent"], "Take back what a person has consented to", run)
        .runs_dry()
        .args(|| {
            let text = |name: &'static str, value: &'static str, help: &'static str| {
                Arg::new(name).long(name).value_name(value).help(help)
            };
            vec![
                text("subject", "SUBJECT", "Whose consent").required(true).allow_hyphen_values(true),
                text("client", "CLIENT_ID", "The client that it was given to")
                    .conflicts_with("all")
                    .allow_hyphen_values(true),
                Arg::new("all").long("all").action(ArgAction::SetTrue).help("To whichever client it was given"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let subject = args.text("subject").unwrap_or_default();
    let client = args.text("client").map(ClientId::parse).transpose()?;
    let whom = match &client {
        Some(id) => format!("client `{id}`"),
        None if args.flag("all") => "every client".to_owned(),
        None => return Err(Error::usage("which consent is not said").hint("name --client ID, or --all")),
    };
    guard::ask(session, &format!("revoke the consent of `{subject}` to {whom}"), "nothing was revoked", false)?;
    tokens::withdraw_consent(session, subject, client.as_ref())?;
    ui.note(&format!("the consent of `{subject}` to {whom} is revoked, if there was one"));
    Ok(Outcome::nothing())
}
