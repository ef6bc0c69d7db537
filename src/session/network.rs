//! From a project of Ory Network to its address.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest, Sha256};
use toml_edit::value;
use url::Url;

use crate::api::console::{Console, Place, pick};
use crate::config::credentials::Tell;
use crate::config::{edit, paths};
use crate::error::{Error, Result};
use crate::net::Policy;
use crate::secret::Secret;
use crate::session::credential::{Credential, Current, console};
use crate::session::target::{Network, prefixed};
use crate::text::{hex, safe};

/// A project's API, and what is shown there.
pub struct Resolved {
    /// Its address.
    pub address: Url,
    /// The credential as it is now.
    pub current: Current,
    /// The key that was made for this session.
    pub minted: Option<Minted>,
}

/// A key to a project that is deleted when the session ends.
pub struct Minted {
    console: Console,
    project: String,
    key: String,
}

impl Minted {
    /// Deletes it.
    pub async fn delete(&self) -> Result<()> {
        self.console.delete_key(&self.project, &self.key).await
    }
}

/// Looks the project up in the console and returns the address of its API, with the credential as it is now.
///
/// Which project a key is for is looked up once, and kept. For a workspace's key one to the project is made.
pub async fn resolve(network: &Network, policy: &Policy, tell: Tell<'_>) -> Result<Resolved> {
    let current = network.credential.current(policy, tell).await?;
    let address = |slug: &str| prefixed(&network.apis, &format!("{slug}.projects"));
    if let Some(place) = known(network, &current) {
        return Ok(Resolved { address: address(&running(&place)?)?, current, minted: None });
    }
    let console = console(&network.console, Some(&current.secret), policy)?;
    let place = find(network, &console).await?;
    let slug = running(&place)?;
    if network.credential.is_of_workspace() {
        let (secret, minted) = mint(console, place.id).await?;
        let current = Current { secret, expires: None, changed: None };
        return Ok(Resolved { address: address(&slug)?, current, minted: Some(minted) });
    }
    keep(network, &current, &place);
    Ok(Resolved { address: address(&slug)?, current, minted: None })
}

/// How long a key lives where the session does not end it.
const KEY_LASTS: Duration = Duration::from_secs(8 * 3600);

async fn mint(console: Console, project: String) -> Result<(Secret, Minted)> {
    let expires_at = humantime::format_rfc3339_seconds(SystemTime::now() + KEY_LASTS).to_string();
    let made = console.make_key(&project, "orysh session", &expires_at).await?;
    let text = |name: &str| made.get(name).and_then(Value::as_str).map(str::to_owned);
    match (text("value"), text("id")) {
        (Some(value), Some(key)) => Ok((Secret::new(value), Minted { console, project, key })),
        _ => Err(Error::failed("the console made a key and does not tell it")),
    }
}

/// The project as it was looked up before, else as the console has it now.
pub async fn known_or_found(network: &Network, policy: &Policy, tell: Tell<'_>) -> Result<Place> {
    let current = network.credential.current(policy, tell).await?;
    if let Some(place) = known(network, &current) {
        return Ok(place);
    }
    let place = find(network, &console(&network.console, Some(&current.secret), policy)?).await?;
    keep(network, &current, &place);
    Ok(place)
}

/// The project that is named, or the only one that the credential sees.
pub async fn find(network: &Network, console: &Console) -> Result<Place> {
    if network.project.as_deref() == Some("") {
        return Err(Error::usage("the name of the project is empty"));
    }
    // An id needs no list to be found in.
    if let Some(id) = network.project.as_deref().filter(|wanted| is_id(wanted))
        && let Some(project) = console.project(id).await?
    {
        return Ok(project);
    }
    let projects = match &network.workspace {
        Some(wanted) => {
            let workspaces = console.workspaces().await?;
            console.projects_of(pick(&workspaces, wanted, "workspace")?).await?
        }
        None => console.projects().await?,
    };
    match &network.project {
        Some(wanted) => pick(&projects, wanted, "project").cloned(),
        None => only(&projects).cloned(),
    }
}

/// The slug of a project whose API answers.
fn running(project: &Place) -> Result<String> {
    match project.state.as_str() {
        state @ ("halted" | "deleted") => {
            Err(Error::denied(format!("project {} is {state}: its API does not answer", safe(&project.name)))
                .hint("start it again in the console, or use another project"))
        }
        // It becomes part of the address that the credential goes to.
        _ if project.name.is_empty() || !project.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
            Err(Error::denied(format!("the console names a project `{}`, which can be no slug", safe(&project.name))))
        }
        _ => Ok(project.name.clone()),
    }
}

/// Whether a text is a whole id.
pub fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

fn only(projects: &[Place]) -> Result<&Place> {
    match projects {
        [project] => Ok(project),
        [] => Err(Error::denied("the credential sees no project of Ory Network")),
        several => Err(Error::usage(format!("the credential sees {} projects of Ory Network", several.len()))
            .hint("name one with --project or ORY_PROJECT; who has signed in can use one: orysh use project SLUG")),
    }
}

fn file() -> Option<PathBuf> {
    paths::state().ok().map(|folder| folder.join("projects.toml"))
}

/// What a key is known by: its hash, with the console that it is for. Only a key that names its own project is kept.
fn name_of(network: &Network, current: &Current) -> Option<String> {
    match (&network.credential, &network.project, &network.workspace) {
        (Credential::Key(_) | Credential::Kept { is_of_workspace: false, .. }, None, None) => {
            let digest = Sha256::digest(format!("{} {}", network.console, current.secret.expose()));
            Some(hex(&digest))
        }
        _ => None,
    }
}

/// The project that a key names, as it was looked up once.
pub fn known(network: &Network, current: &Current) -> Option<Place> {
    let (path, name) = (file()?, name_of(network, current)?);
    let text = edit::text(&path).ok()?;
    let document = edit::parse(&text, &path).ok()?;
    let entry = document.get(name.as_str())?.get_ref().as_table()?;
    let text = |key: &str| edit::text_of(entry, key).map(str::to_owned);
    Some(Place { id: text("id")?, name: text("slug")?, title: text("name"), state: String::new() })
}

fn keep(network: &Network, current: &Current, place: &Place) {
    if let (Some(path), Some(name)) = (file(), name_of(network, current)) {
        let mut entry = toml_edit::InlineTable::new();
        let title = place.title.as_deref().unwrap_or_default();
        for (key, text) in [("slug", place.name.as_str()), ("id", place.id.as_str()), ("name", title)] {
            entry.insert(key, text.into());
        }
        // Without it the next command looks it up again.
        let _ = edit::change(&path, |document| {
            document.insert(&name, value(entry));
            Ok(())
        });
    }
}
