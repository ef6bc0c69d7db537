//! `auth key set` and `auth key remove`: the key of a profile, in the key store or in a file that its owner alone can read.

use clap::{Arg, ArgAction};

use crate::commands::given;
use crate::config::credentials::{self, Place};
use crate::config::edit;
use crate::config::profile::{self, Profile, Whence};
use crate::config::team;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::net;
use crate::output::outcome::Outcome;
use crate::session::Session;
use crate::session::target::{of_network, prefixed};

const SET: &str = "\
Examples:
  orysh auth key set --profile local --stdin < local.key
  orysh auth key set --profile local --stdin --in file < local.key

The key is kept in the key store of the desktop (Secret Service) with the address of its profile, and is sent nowhere
else. Where there is no key store, nothing is kept, unless --in file chooses a file that you alone can read. The profile
says from then on where its credential is.";

const REMOVE: &str = "\
Examples:
  orysh auth key remove --profile local";

fn stdin_arg() -> Arg {
    Arg::new("stdin")
        .long("stdin")
        .action(ArgAction::SetTrue)
        .help("Read the key from stdin [default: type it in unseen]")
}

fn place_arg() -> Arg {
    Arg::new("in")
        .long("in")
        .value_name("PLACE")
        .value_parser(Place::ALL.map(Place::name))
        .help("Where to keep it [default: where the profile says, else the key store]")
}

/// `auth key set`.
pub fn set() -> Command {
    Command::new(["auth", "key", "set"], "Keep the key of a profile", keep)
        .args(|| vec![stdin_arg(), place_arg()])
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
    match profiles.get(&name) {
        Ok(found) => Ok((name.clone(), found.clone())),
        Err(_) if team::found()?.is_some_and(|team| team.profiles.all.contains_key(&name)) => {
            Err(Error::usage(format!("profile {name} is the repository's, and no key is kept for it"))
                .hint("keep a profile of your own for that target: orysh profile add NAME --endpoint URL"))
        }
        Err(error) => Err(error),
    }
}

/// The origin that the key of a profile is for.
fn origin(name: &str, profile: &Profile) -> Result<String> {
    profile.check(name)?;
    if let Some(endpoint) = &profile.endpoint {
        return Ok(net::server_url(endpoint, "endpoint")?.origin().ascii_serialization());
    }
    Ok(of_network(&prefixed(&profile.console(name)?, "api")?, &profile.apis(name)?))
}

fn keep(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let (name, found) = named(host)?;
    let origin = origin(&name, &found)?;
    let place = match (args.text("in"), &found.credential) {
        (Some(named), _) => Place::parse(named)?,
        (None, Some(Whence::Kept(place))) => *place,
        (None, _) => Place::KeyStore,
    };
    if !args.flag("stdin") && !ui.stdin_is_terminal() {
        return Err(Error::usage("there is no key").hint("--stdin reads it from stdin"));
    }
    let key = given::from_stdin(ui, "key")?;
    session.wait(credentials::keep(place, &name, &origin, &key, &|message| ui.note(message)))?;
    if found.credential != Some(Whence::Kept(place)) {
        profile::change(|document, _| {
            edit::set(profile::table(document, &name)?, "credential", place.name());
            Ok(())
        })?;
        // A key is in one place only.
        forgotten(session, &name, found.credential.as_ref())?;
    }
    session.look_anew();
    ui.note(&format!("the key of profile {name}, for {origin}, is kept in {}", place.described()?));
    Ok(Outcome::nothing())
}

fn forget(host: &Host, _args: &Args) -> Result<Outcome> {
    let (name, found) = named(host)?;
    let was_there = forgotten(&host.session, &name, found.credential.as_ref())?;
    host.session.look_anew();
    host.session.ui().note(&if was_there {
        format!("the key of profile {name} is forgotten")
    } else {
        format!("no key was kept for profile {name}")
    });
    Ok(Outcome::nothing())
}

/// Forgets the key of a profile where that says that it is kept. False if there was none.
pub fn forgotten(session: &Session, name: &str, credential: Option<&Whence>) -> Result<bool> {
    let Some(Whence::Kept(place)) = credential else { return Ok(false) };
    session.wait(credentials::forget(*place, name, &|message| session.ui().note(message)))
}
