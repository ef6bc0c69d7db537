//! Keys that are kept for profiles, each with the origin it is for: in the key store, or in a 0600 file where the user
//! chose that. Never in the one when the other was named.

use std::path::PathBuf;

use toml_edit::{Item, Table, value};

use crate::config::{edit, key_store, paths};
use crate::error::{Error, Result, nearest};
use crate::secret::Secret;
use crate::text::safe;

/// Where a key is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The key store of the user's desktop.
    KeyStore,
    /// A 0600 file of the user's configuration folder.
    File,
}

impl Place {
    /// Both, the better first.
    pub const ALL: [Place; 2] = [Place::KeyStore, Place::File];

    /// As flags and files name it.
    pub fn name(self) -> &'static str {
        match self {
            Place::KeyStore => "key-store",
            Place::File => "file",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Result<Self> {
        Place::ALL.into_iter().find(|place| place.name() == text).ok_or_else(|| {
            Error::usage(format!("`{}` is no place for a key", safe(text)))
                .did_you_mean(nearest(text, Place::ALL.map(Place::name)))
                .hint("a key is kept in `key-store` or in `file`")
        })
    }

    /// As a person would say it.
    pub fn described(self) -> Result<String> {
        Ok(match self {
            Place::KeyStore => "the key store".into(),
            Place::File => file()?.display().to_string(),
        })
    }
}

/// What is kept for a profile.
#[derive(Debug)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A key for another origin, which is named.
    ForAnother(String),
    /// Its key.
    Key(Secret),
}

/// Told to the user while something waits for them.
pub type Tell<'a> = &'a (dyn Fn(&str) + Sync);

/// The file of keys.
fn file() -> Result<PathBuf> {
    Ok(paths::config()?.join("credentials.toml"))
}

/// The key of a profile, for an origin (`https://host`).
///
/// Errors: none is kept there, the one that is was kept for another origin: it goes nowhere else; there is no key store.
pub async fn of_profile(place: Place, name: &str, origin: &str, tell: Tell<'_>) -> Result<Secret> {
    let found = match place {
        Place::KeyStore => key_store::of_profile(name, origin, tell).await?,
        Place::File => in_file(name, origin)?,
    };
    let again = format!("orysh auth key set --profile {name} --stdin");
    match found {
        Found::Key(key) => Ok(key),
        Found::ForAnother(kept_for) => Err(Error::denied(format!(
            "the key of profile {name} was kept for {}, and the profile is at {origin} now: it is sent nowhere",
            safe(&kept_for)
        ))
        .hint(format!("if that is right, keep it anew: {again}"))),
        Found::Nothing => Err(Error::denied(format!("no key is kept for profile {name} in {}", place.described()?))
            .hint(format!("{again} keeps one"))),
    }
}

fn in_file(name: &str, origin: &str) -> Result<Found> {
    let path = file()?;
    // It holds keys.
    let text = zeroize::Zeroizing::new(edit::text(&path)?);
    let document = edit::parse(&text, &path)?;
    let entry = document.get(name).and_then(|entry| entry.get_ref().as_table());
    let said = |key: &str| entry.and_then(|entry| edit::text_of(entry, key));
    Ok(match (said("key"), said("origin")) {
        (None, _) => Found::Nothing,
        (Some(key), Some(kept_for)) if kept_for == origin => Found::Key(Secret::new(key)),
        (Some(_), kept_for) => Found::ForAnother(kept_for.unwrap_or("no origin").to_owned()),
    })
}

/// Keeps a key for a profile and its origin, in the place of those before.
pub async fn keep(place: Place, name: &str, origin: &str, key: &Secret, tell: Tell<'_>) -> Result<()> {
    match place {
        Place::KeyStore => {
            let label = format!("orysh: profile {name} at {origin}");
            key_store::keep(&label, name, origin, key, tell).await
        }
        Place::File => edit::change(&file()?, |document| {
            let mut entry = Table::new();
            entry.insert("origin", value(origin));
            entry.insert("key", value(key.expose()));
            document.insert(name, Item::Table(entry));
            Ok(())
        }),
    }
}

/// Forgets the key of a profile. False if there was none.
pub async fn forget(place: Place, name: &str, tell: Tell<'_>) -> Result<bool> {
    match place {
        Place::KeyStore => key_store::forget(name, tell).await,
        Place::File => {
            let path = file()?;
            if !path.exists() {
                return Ok(false);
            }
            edit::change(&path, |document| Ok(document.remove(name).is_some()))
        }
    }
}
