//! Keys that are kept for profiles: in a 0600 file, where the user chose that, each with the origin it is for.

use std::path::PathBuf;

use toml_edit::{Item, Table, value};

use crate::config::{edit, paths};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The file of keys.
pub fn file() -> Result<PathBuf> {
    Ok(paths::config()?.join("credentials.toml"))
}

/// The key of a profile, for an origin (`https://host`).
///
/// Errors: none is kept, or the one that is was kept for another origin: it goes nowhere else.
pub fn of_profile(name: &str, origin: &str) -> Result<Secret> {
    let path = file()?;
    let document = edit::read(&path)?;
    let entry = document.get(name).and_then(Item::as_table_like);
    let text = |key: &str| entry.and_then(|entry| entry.get(key)).and_then(Item::as_str);
    let Some(key) = text("key") else {
        return Err(Error::denied(format!("no key is kept for profile {name}"))
            .hint(format!("orysh auth key set --profile {name} --stdin keeps one")));
    };
    match text("origin") {
        Some(kept_for) if kept_for == origin => Ok(Secret::new(key)),
        kept_for => Err(Error::denied(format!(
            "the key of profile {name} was kept for {}, and the profile is at {origin} now: it is sent nowhere",
            kept_for.unwrap_or("no origin")
        ))
        .hint(format!("if that is right, keep it anew: orysh auth key set --profile {name} --stdin"))),
    }
}

/// Keeps a key for a profile and its origin.
pub fn keep(name: &str, origin: &str, key: &Secret) -> Result<()> {
    edit::change(&file()?, |document| {
        let mut entry = Table::new();
        entry.insert("origin", value(origin));
        entry.insert("key", value(key.expose()));
        document.insert(name, Item::Table(entry));
        Ok(())
    })
}

/// Forgets the key of a profile. False if there was none.
pub fn forget(name: &str) -> Result<bool> {
    let path = file()?;
    if !path.exists() {
        return Ok(false);
    }
    edit::change(&path, |document| Ok(document.remove(name).is_some()))
}
