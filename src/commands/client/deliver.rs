//! `deliver oauth2-client ID`: hands a client over for which that failed.

use crate::commands::client::{ALIASES, COLUMNS, id, id_arg, with_members};
use crate::error::{Error, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::{Args, Command, Host};
use crate::ops::deliver;
use crate::output::outcome::{Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh deliver oauth2-client app-1 --deliver './hand-over --mount apps'

The program reads one line from its stdin: {\"event\": \"created\", \"server\": …, \"client\": {…, \"client_secret\": …}}. A secret
that is kept as it was not handed over before goes with the client, and is let go of once the program ends with 0.";

/// The command.
pub fn command() -> Command {
    Command::new(["deliver", "oauth2-client"], "Hand a client to a program again", run)
        .aliases(ALIASES)
        .args(|| vec![id_arg(), deliver_arg()])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = host.session.clone();
    let id = id(args)?;
    if session.hooks().is_empty() {
        return Err(Error::usage("there is nobody to hand the client over to")
            .hint("--deliver names a program; a plugin with after_create is one as well"));
    }
    Ok(with_members(Outcome::later(move || deliver::again(&session, &id).map(Row::client), COLUMNS)))
}
