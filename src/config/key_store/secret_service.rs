//! One item a profile and origin, in the collection that the user has made the default one.

use std::collections::HashMap;

use secret_service::{EncryptionType, Item, SecretService};

use super::absent;
use crate::config::credentials::{Found, Tell};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// What this program's items are found by, beside the profile.
const SERVICE: (&str, &str) = ("service", "orysh");
const PROFILE: &str = "profile";
const ORIGIN: &str = "origin";

/// The key that is kept for a profile and this origin. One for another origin is not even asked for.
pub async fn of_profile(name: &str, origin: &str, tell: Tell<'_>) -> Result<Found> {
    let store = connect().await?;
    let exactly = HashMap::from([SERVICE, (PROFILE, name), (ORIGIN, origin)]);
    if let Some(item) = found(&store, exactly, tell).await?.first() {
        let bytes = zeroize::Zeroizing::new(item.get_secret().await.map_err(failed)?);
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::denied(format!("what the key store has for profile {name} is no text")))?;
        return Ok(Found::Key(Secret::new(text)));
    }
    let others = of_name(&store, name, tell).await?;
    Ok(others.into_iter().next().map_or(Found::Nothing, |(_, kept_for)| Found::ForAnother(kept_for)))
}

/// Keeps a key under a label that people see, and then forgets those of the same name for other origins.
pub async fn keep(label: &str, name: &str, origin: &str, key: &Secret, tell: Tell<'_>) -> Result<()> {
    let store = connect().await?;
    let collection = store.get_default_collection().await.map_err(|source| match source {
        secret_service::Error::NoResult => absent("it has no default collection to keep anything in"),
        other => failed(other),
    })?;
    if collection.is_locked().await.map_err(failed)? {
        tell(LOCKED);
        collection.unlock().await.map_err(failed)?;
    }
    let attributes = HashMap::from([SERVICE, (PROFILE, name), (ORIGIN, origin)]);
    collection.create_item(label, attributes, key.expose().as_bytes(), true, "text/plain").await.map_err(failed)?;
    for (item, kept_for) in of_name(&store, name, tell).await? {
        if kept_for != origin {
            item.delete().await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Forgets all that is kept for a profile. False if nothing was.
pub async fn forget(name: &str, tell: Tell<'_>) -> Result<bool> {
    let store = connect().await?;
    let items = of_name(&store, name, tell).await?;
    for (item, _) in &items {
        item.delete().await.map_err(failed)?;
    }
    Ok(!items.is_empty())
}

const LOCKED: &str = "the key store is locked, and asks to be unlocked";

/// Its own encryption is left out: it costs 4 ms, and hides a key from nobody who could not ask the store for it.
async fn connect() -> Result<SecretService<'static>> {
    SecretService::connect(EncryptionType::Plain).await.map_err(|source| {
        absent(&match source {
            secret_service::Error::Zbus(source) => source.to_string(),
            other => other.to_string(),
        })
    })
}

async fn of_name<'a>(store: &'a SecretService<'static>, name: &str, tell: Tell<'_>) -> Result<Vec<(Item<'a>, String)>> {
    let mut items = Vec::new();
    for item in found(store, HashMap::from([SERVICE, (PROFILE, name)]), tell).await? {
        let origin = item.get_attributes().await.map_err(failed)?.remove(ORIGIN).unwrap_or_default();
        items.push((item, origin));
    }
    Ok(items)
}

async fn found<'a>(
    store: &'a SecretService<'static>,
    attributes: HashMap<&str, &str>,
    tell: Tell<'_>,
) -> Result<Vec<Item<'a>>> {
    let mut items = store.search_items(attributes).await.map_err(failed)?;
    if !items.locked.is_empty() {
        tell(LOCKED);
        store.unlock_all(&items.locked.iter().collect::<Vec<_>>()).await.map_err(failed)?;
        items.unlocked.append(&mut items.locked);
    }
    Ok(items.unlocked)
}

fn failed(source: secret_service::Error) -> Error {
    match source {
        secret_service::Error::Prompt | secret_service::Error::Locked => {
            Error::denied("the key store is locked, and was not unlocked").hint("unlock it, and try again")
        }
        other => Error::denied(format!("the key store fails: {other}")),
    }
}
