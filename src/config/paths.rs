//! Where files are kept: one folder when `ORYSH_HOME` names it, else the XDG folders.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::env;
use crate::error::{Error, Result};

/// The folder for what the user configures: profiles, trust.
pub fn config() -> Result<PathBuf> {
    folder("config", &env::XDG_CONFIG_HOME, ".config")
}

/// The folder for data that the user made: the sandbox's database.
pub fn data() -> Result<PathBuf> {
    folder("data", &env::XDG_DATA_HOME, ".local/share")
}

/// The folder for state: history, secrets of creates whose outcome is not known.
pub fn state() -> Result<PathBuf> {
    folder("state", &env::XDG_STATE_HOME, ".local/state")
}

/// The Ory CLI's configuration file, unless a flag names one.
pub fn ory_config() -> Option<PathBuf> {
    if MOVED.get().is_some() {
        return None;
    }
    env::ORY_CONFIG_PATH
        .get()
        .map(PathBuf::from)
        .or_else(|| env::HOME.get().map(|home| PathBuf::from(home).join(".ory-cloud.json")))
}

/// Where everything is for the rest of this process, in the place of what the environment says.
static MOVED: OnceLock<PathBuf> = OnceLock::new();

/// Moves everything to a folder, for the rest of this process: nothing of the user's own is read or changed any more.
pub fn move_to(folder: PathBuf) {
    // The first one stays: what was begun there goes on there.
    let _ = MOVED.set(folder);
}

fn folder(name: &str, xdg: &env::Var, fallback: &str) -> Result<PathBuf> {
    if let Some(moved) = MOVED.get() {
        return Ok(moved.join(name));
    }
    if let Some(home) = env::ORYSH_HOME.get() {
        return absolute(PathBuf::from(home).join(name));
    }
    // The XDG specification has relative paths ignored.
    if let Some(base) = xdg.get().map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(base.join("orysh"));
    }
    match env::HOME.get() {
        Some(home) => absolute(PathBuf::from(home).join(fallback).join("orysh")),
        None => Err(Error::usage(format!("there is no folder for {name}: neither ORYSH_HOME nor HOME is set"))
            .hint("set ORYSH_HOME to a folder of your own")),
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf> {
    std::path::absolute(&path)
        .map_err(|source| Error::usage(format!("cannot use {}", path.display())).caused_by(source))
}
