//! Commands on Ory Network's workspaces and projects.

pub mod key;
pub mod project;
pub mod workspace;

use serde_json::Value;

use crate::api::console::{Console, Place};
use crate::config::profile::{self, Profile};
use crate::config::team;
use crate::error::{Error, Result};
use crate::grammar::{Args, Host};
use crate::output::outcome::Row;
use crate::session::Session;
use crate::session::credential::{Credential, console};
use crate::session::target::{self, Given, Layer, Network, Target};

/// The network that the session is at, and its console.
fn at(session: &Session) -> Result<(Network, Console)> {
    let chosen = session.chosen()?;
    for warning in &chosen.warnings {
        session.ui().warn(warning);
    }
    if let Target::Network(network) = &chosen.target {
        session.warn_of_risks(&session.policy(chosen.profile.as_ref()), &network.console);
    }
    silently_at(session)
}

/// The same for whoever only looks, and tells nobody.
fn silently_at(session: &Session) -> Result<(Network, Console)> {
    let chosen = session.chosen()?;
    let Target::Network(network) = chosen.target else {
        return Err(Error::usage(format!("{} is no part of Ory Network", chosen.place()))
            .hint("sign in with `orysh auth login`, or use a profile of Ory Network"));
    };
    let (policy, ui) = (session.policy(chosen.profile.as_ref()), session.ui());
    let console = session.wait(async {
        let current = network.credential.current(&policy, &|message| ui.note(message)).await?;
        console(&network.console, Some(&current.secret), &policy)
    })?;
    Ok((*network, console))
}

/// What a session's network has of a noun, `projects` or `workspaces`; `name`: the member that is the name.
pub fn places(session: &Session, noun: &str, name: &str) -> Result<Vec<Place>> {
    let (_, console) = silently_at(session)?;
    let found = session.wait(console.documents(&[noun], noun))?;
    Ok(found.iter().filter_map(|document| Place::of(document, name)).collect())
}

/// The file of the sign-in, in which things are selected. Errors of usage: a key is not signed in.
fn selection(network: &Network) -> Result<&std::path::Path> {
    match &network.credential {
        Credential::SignIn { file, .. } => Ok(file),
        Credential::Key(_) | Credential::Kept { .. } | Credential::WorkspaceKey(_) => {
            Err(Error::usage("a key is at work: nothing can be selected for it")
                .hint("sign in with `orysh auth login`, or name it with --project and --workspace"))
        }
    }
}

/// Refuses to choose what a profile names already: it would have no effect.
fn may_choose(host: &Host, what: &str, names_it: fn(&Profile) -> bool) -> Result<()> {
    let Some(used) = host.session.chosen()?.profile else { return Ok(()) };
    let own = profile::user()?;
    let team = match &own.current_from {
        Some(path) => Some(team::at(path)?),
        None => team::found()?,
    };
    let found = own.all.get(&used.name).filter(|_| own.current_from.is_none());
    let found = found.or_else(|| team.as_ref()?.profiles.all.get(&used.name));
    match found.or_else(|| own.all.get(&used.name)) {
        Some(profile) if names_it(profile) => {
            Err(Error::usage(format!("profile {} names its {what} itself: nothing was changed", used.name))
                .hint(format!("edit {}, or use another profile", profile::user_file()?.display())))
        }
        _ => Ok(()),
    }
}

/// Acts on what was chosen from now on, as the same and by the same profile, which says what is production.
fn act_on_it(host: &Host, given: Given) -> Result<()> {
    let profile = host.session.chosen()?.profile.map(|profile| profile.name);
    let config = host.session.settings().given.config.clone().filter(|_| profile.is_none());
    host.session.use_from_now_on(Given { profile, config, ..given });
    Ok(())
}

/// Says where the next process acts all the same, where something else decides that.
fn told_where(host: &Host, args: &Args) {
    // The shell acts on it at once.
    if !args.from_argv {
        return;
    }
    if let Ok(chosen) = target::choose(&Given::default())
        && !matches!(chosen.layer, Layer::OryCli)
        && !matches!(&chosen.target, Target::Network(network) if matches!(network.credential, Credential::SignIn { .. }) && chosen.layer == Layer::Profile)
    {
        host.session.ui().warn(&format!(
            "commands act on {} all the same, as long as {} says so",
            chosen.place(),
            chosen.named_by
        ));
    }
}

/// A document of the console as a row.
fn row(document: Value) -> Row {
    let id = document["id"].as_str().unwrap_or_default().to_owned();
    Row::value(document).with_id(id)
}
