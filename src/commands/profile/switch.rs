//! `profile use NAME`: which profile commands act on, where nothing else names a target.

use clap::{Arg, ArgAction};
use toml_edit::value;

use crate::config::profile::{self, CURRENT};
use crate::config::team;
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::session::target::Given;

const EXAMPLES: &str = "\
Examples:
  orysh profile use local
  orysh profile use --none

In the shell it counts for this session at once, before the variables of the environment.";

/// The command.
pub fn command() -> Command {
    Command::new(["profile", "use"], "Act on a profile from now on", run)
        .offline()
        .args(|| {
            vec![
                Arg::new("name").value_name("NAME").required_unless_present("none").help("The profile"),
                Arg::new("none")
                    .long("none")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("name")
                    .help("Use none any more"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let Some(name) = args.text("name") else {
        profile::change(|document, _| {
            document.remove(CURRENT);
            Ok(())
        })?;
        host.session.use_from_now_on(Given::default());
        ui.note("no profile is in use");
        return Ok(Outcome::nothing());
    };
    let team = team::found()?;
    let found = profile::change(|document, known| {
        let added = team.as_ref().and_then(|team| team.profiles.all.get(name));
        let found = match (known.all.get(name), added) {
            (Some(own), _) => own.clone(),
            (None, Some(added)) => added.clone(),
            (None, None) => return Err(profile::absent(name, known.all.keys().map(String::as_str))),
        };
        found.check(name)?;
        document.insert(CURRENT, value(name));
        Ok(found)
    })?;
    host.session.use_from_now_on(Given { profile: Some(name.to_owned()), ..Given::default() });
    let production = if found.production { ", which is production" } else { "" };
    ui.note(&format!("profile {name} is in use: {}{production}", found.target()));
    Ok(Outcome::nothing())
}
