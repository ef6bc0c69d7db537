//! Commands on Ory Network's workspaces and projects.

pub mod key;
pub mod project;
pub mod workspace;

use serde_json::Value;

use crate::api::console::Console;
use crate::error::{Error, Result};
use crate::output::outcome::Row;
use crate::session::Session;
use crate::session::credential::{Credential, console};
use crate::session::target::{Network, Target};

/// The network that the session is at, and its console.
fn at(session: &Session) -> Result<(Network, Console)> {
    let chosen = session.chosen()?;
    for warning in &chosen.warnings {
        session.ui().warn(warning);
    }
    let Target::Network(network) = chosen.target else {
        return Err(Error::usage(format!("{} is no part of Ory Network", chosen.place()))
            .hint("sign in with `orysh auth login`, or use a profile of Ory Network"));
    };
    let (policy, ui) = (session.policy(chosen.profile.as_ref()), session.ui());
    session.warn_of_risks(&policy, &network.console);
    let console = session.wait(async {
        let current = network.credential.current(&policy, &|message| ui.note(message)).await?;
        console(&network.console, Some(&current.secret), &policy)
    })?;
    Ok((*network, console))
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

/// A document of the console as a row.
fn row(document: Value) -> Row {
    let id = document["id"].as_str().unwrap_or_default().to_owned();
    Row::value(document).with_id(id)
}
