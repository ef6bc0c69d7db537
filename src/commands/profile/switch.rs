//! `profile use NAME`: which profile commands act on, where nothing else names a target.

use crate::config::profile::{self, CURRENT, CURRENT_FROM};
use crate::config::{edit, team};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::session::target::{self, Given};
use clap::{Arg, ArgAction};

const EXAMPLES: &str = "\
Examples:
  orysh profile use local
  orysh use profile local
  orysh profile use --none

In the shell it counts for this session at once, before the variables of the environment. Shells that run already stay where they are.";

/// The command.
pub fn command() -> Command {
    of(["profile", "use"])
}

/// The same beside `use project` and `use workspace`.
pub fn select() -> Command {
    of(["use", "profile"])
}

fn of(words: [&'static str; 2]) -> Command {
    Command::new(words, "Act on a profile from now on", run)
        .offline()
        .in_tests()
        .args(|| {
            vec![
                Arg::new("name").value_name("PROFILE").required_unless_present("none").help("The profile"),
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
            // The comments around them stay.
            for key in [CURRENT, CURRENT_FROM] {
                if document.contains_key(key) {
                    edit::set(document.as_table_mut(), key, "");
                }
            }
            Ok(())
        })?;
        host.session.use_from_now_on(Given::default());
        ui.note("no profile is in use");
        return Ok(Outcome::nothing());
    };
    // The user's own need no other file.
    let team = if profile::user()?.all.contains_key(name) { None } else { team::found()? };
    let found = profile::change(|document, known| {
        let added = team.as_ref().and_then(|team| team.profiles.all.get(name).map(|found| (found, &team.path)));
        let (found, from) = match (known.all.get(name), added) {
            (Some(own), _) => (own.clone(), None),
            (None, Some((added, path))) => (added.clone(), Some(path.display().to_string())),
            (None, None) => return Err(profile::absent(name, known.all.keys().map(String::as_str))),
        };
        found.check(name)?;
        edit::set(document.as_table_mut(), CURRENT, name);
        match from {
            Some(path) => edit::set(document.as_table_mut(), CURRENT_FROM, path),
            None if document.contains_key(CURRENT_FROM) => edit::set(document.as_table_mut(), CURRENT_FROM, ""),
            None => {}
        }
        Ok(found)
    })?;
    host.session.use_from_now_on(Given { profile: Some(name.to_owned()), ..Given::default() });
    // In the shell it counts at once, before the variables.
    if args.from_argv
        && let Ok(chosen) = target::choose(&Given::default())
        && chosen.profile.as_ref().is_none_or(|used| used.name != name)
    {
        ui.warn(&format!("commands act on {} all the same, as long as {} says so", chosen.place(), chosen.named_by));
    }
    let production = if found.production { ", which is production" } else { "" };
    let everywhere = if args.from_argv { "" } else { ", here and by whatever begins from now on" };
    ui.note(&format!("profile {name} is in use{everywhere}: {}{production}", found.target()));
    Ok(Outcome::nothing())
}
