//! `update oauth2-client ID`: changes exactly what is asked for.

use clap::{Arg, ArgAction};

use crate::commands::client::described;
use crate::commands::client::{ALIASES, change, given_secret, id, id_arg, secret_args};
use crate::config::read;
use crate::error::{Error, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::{Args, Command, Host, changes, recipients as recipient_flags};
use crate::model::input::Entry;
use crate::ops::{recipients, update};
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh update oauth2-client app-1 --name \"new name\"
  orysh update oauth2-client app-1 --add-redirect-uri https://app.example.org/cb --unset owner
  orysh update oauth2-client app-1 --file changes.yaml --dry-run

What is not named stays as it is. A client that comes to need a secret gets one, which is shown.";

/// The command.
pub fn command() -> Command {
    Command::new(["update", "oauth2-client"], "Change an OAuth 2.0 client", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(update_args)
        .after(EXAMPLES)
}

fn update_args() -> Vec<Arg> {
    let heading = "Change";
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading(heading)
    };
    let mut args = vec![
        id_arg(),
        Arg::new("file")
            .long("file")
            .short('f')
            .value_name("FILE")
            .help("Read the fields to change from a JSON or YAML file, - for stdin; flags win over it")
            .help_heading(heading),
        switch("dry-run", "Show the request that would be sent, its secret redacted, and send nothing"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ];
    args.extend(secret_args(heading));
    args.extend(recipient_flags::recipient_args());
    args.push(deliver_arg());
    args.extend(changes::change_args());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let id = id(args)?;
    let wanted = recipient_flags::wanted(args)?;
    let mut change = changes::change(&args.matches)?;
    if let Some(secret) = given_secret(args, session.ui())? {
        change.set.set_secret(secret);
    }
    if let Some(file) = args.text("file") {
        let Entry { mut spec, .. } = described::one(session.ui(), file)?;
        if spec.client_id()?.is_some_and(|named| named != id) {
            return Err(Error::usage(format!(
                "{} is of another client: its client_id is not `{id}`",
                read::name(file)
            )));
        }
        spec.merge(change.set);
        change.set = spec;
    }
    if change.is_empty() {
        return Err(Error::usage("nothing is named that is to be changed")
            .hint("name fields by their flags, or a file with --file: see --help"));
    }
    let how = update::How { no_lint: args.flag("no-lint"), recipients: recipients::load(session, &wanted)? };
    let planned = update::plan(session, &id, change, &how)?;
    if !how.recipients.is_empty() && !planned.sets_secret() {
        return Err(Error::usage(format!("client `{id}` gets no new secret, and there is nothing to encrypt"))
            .hint("leave --pgp-key, --pgp-key-url and --keybase out, or give a secret"));
    }
    recipients::tell(session, &how.recipients);
    change::carry_out(session, planned, args)
}
