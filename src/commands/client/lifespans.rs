//! `set lifespans ID`: changes how long a client's tokens live, and leaves the others as they are.

use clap::{Arg, ArgAction};

use crate::commands::client::{change, id, id_arg};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, args as flags, changes};
use crate::model::fields::{FIELDS, Kind};
use crate::ops::update::{self, Change};
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh set lifespans app-1 --client-credentials-grant-access-token-lifespan 15m
  orysh set lifespans app-1 --unset refresh_token_grant_refresh_token_lifespan

A lifespan that is not set is the server's. Those that are not named stay as they are.";

/// The command.
pub fn command() -> Command {
    Command::new(["set", "lifespans"], "Set how long a client's tokens live", run)
        .runs_dry()
        .aliases(&["client-lifespans", "oauth2-client-lifespans"])
        .args(lifespan_args)
        .after(EXAMPLES)
}

fn lifespan_args() -> Vec<Arg> {
    let is_lifespan = |arg: &Arg| {
        FIELDS.iter().any(|field| field.kind == Kind::Duration && arg.get_id() == field.json) || arg.get_id() == "unset"
    };
    let mut args = vec![
        id_arg(),
        Arg::new("dry-run")
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .help("Show the request that would be sent, and send nothing"),
    ];
    args.extend(changes::change_args().into_iter().filter(is_lifespan));
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let id = id(args)?;
    let change =
        Change { set: flags::spec(&args.matches)?, unset: changes::unset(&args.matches)?, ..Change::default() };
    if let Some(other) = change.unset.iter().find(|field| field.kind != Kind::Duration) {
        return Err(Error::usage(format!("`{}` is no lifespan", other.json)).hint("use `update oauth2-client`"));
    }
    if change.set.is_empty() && change.unset.is_empty() {
        return Err(Error::usage("no lifespan is named").hint("`orysh set lifespans --help` lists them"));
    }
    change::carry_out(session, update::plan(session, &id, change, &update::How::default())?, args)
}
