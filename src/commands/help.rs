//! `help [COMMAND…|TOPIC]`: help on commands and topics.

use clap::{Arg, ArgAction};

use crate::error::Result;
use crate::grammar::{Args, Command, Host, help};
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh help create oauth2-client
  orysh help environment";

/// The command.
pub fn command() -> Command {
    let args =
        || vec![Arg::new("words").value_name("COMMAND or TOPIC").action(ArgAction::Append).help("What to help with")];
    Command::new(["help"], "Show help on a command or a topic", run).runs_dry().args(args).offline().after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    ui.print(&help::about(&host.registry, &args.texts("words"), ui.colors_stdout())?);
    Ok(Outcome::nothing())
}
