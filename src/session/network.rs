//! From a project of Ory Network to its address.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

use crate::api::Door;
use crate::api::console::{Console, Place, pick};
use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::secret::Secret;
use crate::session::target::{Network, prefixed};

/// Looks the project up in the console and returns the address of its API.
pub async fn resolve(network: &Network, policy: &Policy) -> Result<Url> {
    let console = Console(Door {
        base: network.console.clone(),
        headers: bearer(&network.credential)?,
        client: net::client(policy, &network.console)?,
        timeout: policy.timeout,
    });
    let projects = match &network.workspace {
        Some(wanted) => {
            let workspaces = console.workspaces().await?;
            console.projects_of(pick(&workspaces, wanted, "workspace")?).await?
        }
        None => console.projects().await?,
    };
    let project = match &network.project {
        Some(wanted) => pick(&projects, wanted, "project")?,
        None => only(&projects)?,
    };
    prefixed(&network.apis, &format!("{}.projects", project.name))
}

fn only(projects: &[Place]) -> Result<&Place> {
    match projects {
        [project] => Ok(project),
        [] => Err(Error::denied("the credential sees no project of Ory Network")),
        several => Err(Error::usage(format!("the credential sees {} projects of Ory Network", several.len()))
            .hint("name one with --project or ORY_PROJECT")),
    }
}

/// `Authorization: Bearer …` (RFC 6750 §2.1), kept out of debug output.
pub fn bearer(credential: &Secret) -> Result<HeaderMap> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", credential.expose()))
        .map_err(|_| Error::usage("the credential holds characters that no HTTP header takes"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}
