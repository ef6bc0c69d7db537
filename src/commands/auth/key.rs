//! `auth key set` and `auth key remove`: the key of a profile, in a file that its owner alone can read.

use clap::{Arg, ArgAction};
use toml_edit::value;

use crate::commands::given;
use crate::config::credentials;
use crate::config::profile::{self, Profile, Whence};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::net;
use crate::output::outcome::Outcome;
use crate::session::target::prefixed;

const SET: &str = "\
Examples:
  orysh auth key set --profile local --stdin < local.key

The key is kept with the address of its profile, and is sent nowhere else. The profile says from then on that its
credential is in the file.";

const REMOVE: &str = "\
Examples:
  orysh auth key remove --profile local";

fn stdin_arg() -> Arg {
    Arg::new("stdin")
        .long("stdin")
        .action(ArgAction::SetTrue)
        .help("Read the key from stdin [default: type it in unseen]")
}

/// `auth key set`.
pub fn set() -> Command {
    Command::new(["auth", "key", "set"], "Keep the key of a profile in a file", keep)
        .args(|| vec![stdin_arg()])
        .after(SET)
}

/// `auth key remove`.
pub fn remove() -> Command {
    Command::new(["auth", "key", "remove"], "Forget the key of a profile", forget).after(REMOVE)
}

fn named(host: &Host) -> Result<(String, Profile)> {
    let profiles = profile::user()?;
    let given = host.session.settings().given.profile.clone();
    let name = given
        .or_else(|| profiles.current.clone())
        .ok_or_else(|| Error::usage("the key is of no profile").hint("name one with --profile"))?;
    let found = profiles.get(&name)?.clone();
    Ok((name, found))
}

/// The origin that the key of a profile is for.
fn origin(name: &str, profile: &Profile) -> Result<String> {
    profile.check(name)?;
    let url = if let Some(endpoint) = &profile.endpoint {
        net::server_url(endpoint, "endpoint")?
    } else {
        prefixed(&profile.console(name)?, "api")?
    };
    Ok(url.origin().ascii_serialization())
}

fn keep(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let (name, found) = named(host)?;
    let origin = origin(&name, &found)?;
    if !args.flag("stdin") && !ui.stdin_is_terminal() {
        return Err(Error::usage("there is no key").hint("--stdin reads it from stdin"));
    }
    let key = given::from_stdin(ui, "key")?;
    credentials::keep(&name, &origin, &key)?;
    if found.credential != Some(Whence::File) {
        profile::change(|document, _| {
            profile::table(document, &name)?.insert("credential", value(Whence::File.to_text()));
            Ok(())
        })?;
    }
    ui.note(&format!("the key of profile {name}, for {origin}, is kept in {}", credentials::file()?.display()));
    Ok(Outcome::nothing())
}

fn forget(host: &Host, _args: &Args) -> Result<Outcome> {
    let (name, _) = named(host)?;
    let was_there = credentials::forget(&name)?;
    host.session.ui().note(&if was_there {
        format!("the key of profile {name} is forgotten")
    } else {
        format!("no key was kept for profile {name}")
    });
    Ok(Outcome::nothing())
}
