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

/// The console's API, and where people sign in to it: of the profile that a flag names, else of the environment.
fn servers(session: &Session) -> Result<(Url, Url)> {
    let base = match &session.settings().given.profile {
        Some(name) => profile::user()?.get(name)?.console(name)?,
        None => console_base()?,
    };
    Ok((prefixed(&base, "api")?, prefixed(&base, "project")?))
}
