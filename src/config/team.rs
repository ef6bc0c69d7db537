//! The profiles that a repository's `orysh.toml` adds, once the user has said that its content is trusted.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use toml_edit::value;

use crate::config::profile::{self, Profile, Profiles};
use crate::config::{edit, paths, read};
use crate::error::{Error, Result};
use crate::text::{hex, safe, shell_word};

/// What it is called.
pub const NAME: &str = "orysh.toml";

/// The file of a repository.
#[derive(Debug)]
pub struct Team {
    /// Where it is.
    pub path: PathBuf,
    /// What it adds.
    pub profiles: Profiles,
    /// The SHA-256 of its content, in hex.
    pub hash: String,
}

/// The file in the working folder or the nearest one above. Errors: it is broken, or holds what only a user may say.
pub fn found() -> Result<Option<Team>> {
    path()?.map(|path| read(&path)).transpose()
}

/// Where it is.
pub fn path() -> Result<Option<PathBuf>> {
    let folder =
        std::env::current_dir().map_err(|source| Error::usage("there is no working folder").caused_by(source))?;
    // A link that leads nowhere, or a pipe, is no reason to go without what stands there.
    Ok(folder.ancestors().map(|folder| folder.join(NAME)).find(|path| path.symlink_metadata().is_ok()))
}

/// The file at a place that was noted before.
pub fn at(path: &Path) -> Result<Team> {
    read(path)
}

/// What stands in it. Errors are of usage: it is gone, or no file that a repository brings as its own.
pub fn text(path: &Path) -> Result<String> {
    read::settings(path)?.ok_or_else(|| Error::usage(format!("there is no {}", safe(&path.display().to_string()))))
}

fn read(path: &Path) -> Result<Team> {
    let name = path.display().to_string();
    let text = text(path)?;
    let hash = hex(&Sha256::digest(text.as_bytes()));
    let profiles = profile::profiles(&text, path)?;
    if profiles.current.is_some() {
        return Err(Error::usage(format!("{}: which profile is in use is for each user to say", safe(&name))));
    }
    // A key that is misspelt here may have been meant to say what is production.
    if let Some(warning) = profiles.warnings.first() {
        return Err(Error::usage(warning.clone()));
    }
    for (profile, said) in &profiles.all {
        let secret = said.credential.is_some().then(|| "credential".to_owned());
        if let Some(key) = secret.or_else(|| said.credential_in_it()) {
            return Err(Error::usage(format!("{}: profile `{}` has `{}`", safe(&name), safe(profile), safe(&key)))
                .hint("a repository names targets and no credentials: these belong to each user"));
        }
    }
    Ok(Team { path: path.to_owned(), profiles, hash })
}

impl Team {
    /// Errors: the user has not said that this very content is trusted. `given` is the hash that a flag trusts.
    pub fn demand_trust(&self, given: Option<&str>) -> Result<()> {
        if given.is_some_and(|hash| hash.eq_ignore_ascii_case(&self.hash)) || self.is_trusted()? {
            return Ok(());
        }
        if let Some(other) = given {
            return Err(Error::usage(format!("--trust {} is not the hash of {}", safe(other), self.path.display()))
                .hint(format!("it is {}", self.hash)));
        }
        Err(Error::usage(format!("{} is not trusted, or has changed since it was", self.path.display()))
            .with_code(UNTRUSTED)
            .hint(format!(
                "look at it, then: orysh profile trust {}, or --trust {}",
                shell_word(&self.path.display().to_string()),
                self.hash
            )))
    }

    /// All that it says, a line a profile, for a person to look at before it is trusted.
    pub fn described(&self) -> Vec<String> {
        let shown = |said: &Profile| {
            let members = said.shown().into_iter().map(|(key, text)| format!("{key} = {}", safe(&text)));
            members.collect::<Vec<_>>().join(", ")
        };
        self.profiles.all.iter().map(|(name, said)| format!("{}: {}", safe(name), shown(said))).collect()
    }

    /// Whether the user trusts its content.
    pub fn is_trusted(&self) -> Result<bool> {
        let path = file()?;
        let text = edit::text(&path)?;
        Ok(edit::text_of(&edit::parse(&text, &path)?, &self.path.display().to_string()) == Some(&self.hash))
    }

    /// Remembers that the user trusts its content.
    pub fn trust(&self) -> Result<()> {
        edit::change(&file()?, |document| {
            document.insert(&self.path.display().to_string(), value(&self.hash));
            Ok(())
        })
    }
}

/// The code of an error that asks for trust.
pub const UNTRUSTED: &str = "untrusted";

fn file() -> Result<PathBuf> {
    Ok(paths::config()?.join("trust.toml"))
}
