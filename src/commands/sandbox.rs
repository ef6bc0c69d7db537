//! Commands on the server inside this program, and how a session starts it.

pub mod serve;

use std::sync::Arc;

use url::Url;

use crate::config::{files, paths};
use crate::error::{Error, Result};
use crate::sandbox::{self, Location, Options};
use crate::session::handle::{Local, Starter};

/// Where the sandbox keeps its clients, unless told otherwise: made, with its folder, when first needed.
pub fn default_store() -> Result<Location> {
    let folder = paths::data()?;
    files::private_folder(&folder)?;
    Ok(Location::File(folder.join("sandbox.sqlite")))
}

/// Starts the sandbox inside this process, on its default store and on ports of its own.
pub fn starter() -> Starter {
    starter_on(default_store)
}

/// The same in memory: a server that has no client yet, and none any more when it ends.
pub fn fresh_starter() -> Starter {
    starter_on(|| Ok(Location::Memory))
}

fn starter_on(store: fn() -> Result<Location>) -> Starter {
    Arc::new(move || {
        Box::pin(async move {
            let running = sandbox::start(Options { store: store()?, ..Options::default() }).await?;
            let url = |text: String| {
                Url::parse(&text).map_err(|source| Error::failed("the sandbox has no address").caused_by(source))
            };
            Ok(Local {
                admin: url(running.admin_url())?,
                public: url(running.public_url())?,
                running: Box::new(running),
            })
        })
    })
}
