//! Commands on who one is: signing in to Ory Network, and the keys of profiles.

pub mod key;
pub mod login;
pub mod logout;
pub mod status;

use std::path::PathBuf;

use url::Url;

use crate::config::{paths, profile};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::target::{console_base, prefixed};

/// Where a sign-in is kept: the file of the Ory CLI.
fn file(session: &Session) -> Result<PathBuf> {
    let given = session.settings().given.config.clone();
    given
        .or_else(paths::ory_config)
        .ok_or_else(|| Error::usage("there is no home folder to keep the sign-in in").hint("name a file with --config"))
}

/// The console's API, and where people sign in to it: one signs in to the console that the environment names.
fn servers(session: &Session) -> Result<(Url, Url)> {
    let base = console_base()?;
    let given = &session.settings().given;
    if given.endpoint.is_some() {
        return Err(Error::usage("one signs in to Ory Network, and no server of one's own is signed in to")
            .hint("leave --endpoint out"));
    }
    if let Some(name) = &given.profile
        && let profiles = profile::user()?
        && let found = profiles.get(name)?
        && (found.endpoint.is_some() || found.console(name)?.origin() != base.origin())
    {
        return Err(Error::usage(format!("one signs in to {base}, and profile {name} is elsewhere"))
            .hint("ORY_CONSOLE_URL names the console that is signed in to"));
    }
    let (api, server) = (prefixed(&base, "api")?, prefixed(&base, "project")?);
    session.warn_of_risks(&session.settings().policy, &server);
    Ok((api, server))
}
