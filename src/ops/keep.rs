//! A secret on disk from before it is sent until it has reached its reader.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::{files, paths};
use crate::crypt::Fingerprint;
use crate::error::{Error, Result};
use crate::model::client::ClientId;
use crate::secret::Secret;
use crate::session::hook::{Done, Past};

/// The file that keeps one client's id and secret. It stays unless it is discarded by name.
#[derive(Debug)]
#[must_use = "the file stays on disk until it is discarded"]
pub struct Kept {
    path: PathBuf,
    id: ClientId,
    secret: Secret,
}

/// A client that was written, and not delivered.
#[derive(Debug)]
pub struct Undelivered {
    /// What was done to it.
    pub done: Done,
    /// What keeps its secret.
    pub kept: Kept,
    /// Whether that is encrypted for somebody.
    pub is_sealed: bool,
    /// Who has heard of it, and who has not.
    pub past: Past,
    /// Since when, in microseconds since 1970.
    pub since: u64,
    /// The server's time of the change that gave the client the secret.
    pub made: Option<String>,
}

/// Microseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Undelivered {
    /// Whether its secret is from before another that the server made then, for a request that was sent at `sent` or later: where that
    /// cannot be told it is not.
    pub fn is_before(&self, made: Option<&str>, sent: SystemTime) -> bool {
        let time = |text: Option<&str>| text.and_then(|text| humantime::parse_rfc3339(text).ok());
        match (time(self.made.as_deref()), time(made)) {
            // A server may tell seconds only.
            (Some(own), Some(other)) if own != other => own < other,
            _ => SystemTime::UNIX_EPOCH + Duration::from_micros(self.since) < sent,
        }
    }
}

fn past(content: &Value) -> Past {
    let keys = |member: &str| {
        let keys = content[member].as_array().into_iter().flatten();
        keys.filter_map(|key| key.as_str().map(str::to_owned)).collect()
    };
    Past { heard: keys("heard"), due: keys("due") }
}

fn since(content: &Value) -> u64 {
    content["since"].as_u64().unwrap_or_default()
}

/// The files in a folder that are of a client of that server, with what is in them, the oldest first.
fn of_client(folder: &Path, id: &ClientId, endpoint: &str) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    // That there is no folder says that nothing is kept.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(text) = std::fs::read(&path).map(Zeroizing::new) else { continue };
        let Ok(content) = serde_json::from_slice::<Value>(&text) else { continue };
        if content["client_id"] == id.as_str() && content["endpoint"] == endpoint {
            found.push((path, content));
        }
    }
    found.sort_by_key(|(_, content)| since(content));
    found
}

/// Removes a file; `what` is said of it where that fails.
fn remove(path: &Path, what: &str) -> Result<()> {
    match std::fs::remove_file(path) {
        // Another process was quicker.
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => {
            removed.map_err(|source| Error::failed(format!("cannot remove {}{what}", path.display())).caused_by(source))
        }
    }
}

/// While this lives, nobody else tells of what a file notes.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that is left is held by nobody.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Holds what a file notes, which may be written after that; `None`: another process tells of it just now.
pub fn hold(noted: &Path) -> Result<Option<Held>> {
    let folder = Untold::folder()?;
    files::private_folder(&folder)?;
    let path = folder.join(format!(".{}", noted.file_name().unwrap_or_default().to_string_lossy()));
    let failed = |source| Error::failed(format!("cannot hold {}", path.display())).caused_by(source);
    let file = files::to_hold(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Held { path, _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// While this lives, nobody else tells again of what was not delivered.
pub fn turn() -> Result<File> {
    let folder = paths::state()?.join("untold");
    files::private_folder(&folder)?;
    let path = folder.join(".turn");
    let failed = |source| Error::failed(format!("cannot hold {}", path.display())).caused_by(source);
    let file = files::to_hold(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

impl Kept {
    /// Writes `{client_id, client_secret, endpoint, created_at}` to a new 0600 file in the state folder, and syncs it.
    ///
    /// A secret that is encrypted comes with its owners' fingerprints, as `encrypted_for`.
    pub fn write(id: &ClientId, secret: &Secret, owners: &[Fingerprint], endpoint: &str) -> Result<Kept> {
        let folder = paths::state()?.join("pending");
        files::private_folder(&folder)?;
        let path = folder.join(format!("{}.json", Uuid::new_v4()));
        let mut content = json!({
            "client_id": id.as_str(),
            "client_secret": secret.expose(),
            "endpoint": endpoint,
            "created_at": humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        });
        if !owners.is_empty() {
            content["encrypted_for"] = owners.iter().map(Fingerprint::as_str).collect();
        }
        files::write_new(&path, Zeroizing::new(content.to_string()).as_bytes())?;
        Ok(Kept { path, id: id.clone(), secret: secret.clone() })
    }

    /// The file says when the server gave the client the secret.
    pub fn made(&self, at: Option<&str>) -> Result<()> {
        self.change(|content| content["made"] = at.into())
    }

    /// The file says from now on that the client was not delivered: `undelivered` is what was done to it, `past` who has heard of
    /// that and who has not.
    pub fn undelivered(&self, done: Done, past: &Past) -> Result<()> {
        self.change(|content| {
            content["undelivered"] = done.name().into();
            content["heard"] = past.heard.clone().into();
            content["due"] = past.due.clone().into();
            if content["since"].is_null() {
                content["since"] = now().into();
            }
        })
    }

    /// Everybody has heard of the client: the file keeps its secret for whoever shows it, and says nothing else.
    pub fn told(&self) -> Result<()> {
        self.change(|content| {
            if let Some(content) = content.as_object_mut() {
                for key in ["undelivered", "heard", "due", "since", "made"] {
                    content.remove(key);
                }
            }
        })
    }

    /// The secret that it keeps is another from now on, encrypted for those owners if there are any.
    pub fn replace_secret(&self, secret: &Secret, owners: &[Fingerprint]) -> Result<()> {
        self.change(|content| {
            content["client_secret"] = secret.expose().into();
            let owners: Vec<&str> = owners.iter().map(Fingerprint::as_str).collect();
            content["encrypted_for"] = if owners.is_empty() { Value::Null } else { owners.into() };
        })
    }

    fn change(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        let unreadable =
            |source: std::io::Error| Error::failed(format!("cannot read {}", self.path.display())).caused_by(source);
        let text = Zeroizing::new(std::fs::read(&self.path).map_err(unreadable)?);
        let mut content: Value = serde_json::from_slice(&text).unwrap_or_default();
        change(&mut content);
        files::replace(&self.path, Zeroizing::new(content.to_string()).as_bytes())
    }

    /// The files of a client of that server that was not delivered, the oldest first.
    pub fn of_undelivered(id: &ClientId, endpoint: &str) -> Result<Vec<Undelivered>> {
        let folder = paths::state()?.join("pending");
        let undelivered = |(path, content): (PathBuf, Value)| {
            let done = content["undelivered"].as_str().and_then(Done::of)?;
            let secret = Secret::new(content["client_secret"].as_str()?);
            let is_sealed = !content["encrypted_for"].is_null();
            let kept = Kept { path, id: id.clone(), secret };
            let made = content["made"].as_str().map(str::to_owned);
            Some(Undelivered { done, kept, is_sealed, past: past(&content), since: since(&content), made })
        };
        Ok(of_client(&folder, id, endpoint).into_iter().filter_map(undelivered).collect())
    }

    /// The clients of a server of which something was not delivered.
    pub fn undelivered_of(endpoint: &str) -> HashSet<String> {
        let folders =
            paths::state().ok().into_iter().flat_map(|state| ["pending", "untold"].map(|name| state.join(name)));
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        let texts = files.filter_map(|entry| std::fs::read(entry.path()).map(Zeroizing::new).ok());
        let contents = texts.filter_map(|text| serde_json::from_slice::<Value>(&text).ok());
        let is_due = |content: &Value| content["endpoint"] == endpoint && content["due"].is_array();
        contents.filter(is_due).filter_map(|content| Some(content["client_id"].as_str()?.to_owned())).collect()
    }

    /// Finds out whether a secret that only the server will choose could be kept. Errors: it could not.
    pub fn rehearse() -> Result<()> {
        let folder = paths::state()?.join("pending");
        files::private_folder(&folder)?;
        let path = folder.join(format!("{}.json", Uuid::new_v4()));
        files::write_new(&path, b"{}")?;
        std::fs::remove_file(&path)
            .map_err(|source| Error::failed(format!("cannot remove {}", path.display())).caused_by(source))
    }

    /// The client that the secret is of.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The secret that it keeps.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: the secret has reached its reader, or there is no client that it is for.
    pub fn discard(self) -> Result<()> {
        remove(&self.path, ", which holds a secret")
    }
}

/// What was done to a client, of which not everybody has heard: a file of its own, as no secret is kept for it.
#[derive(Debug)]
#[must_use = "the file stays on disk until it is discarded"]
pub struct Untold {
    /// What was done.
    pub done: Done,
    /// Who has heard of it, and who has not.
    pub past: Past,
    /// Since when, in microseconds since 1970.
    pub since: u64,
    path: PathBuf,
    id: String,
    endpoint: String,
    _held: Option<Held>,
}

impl Untold {
    fn folder() -> Result<PathBuf> {
        Ok(paths::state()?.join("untold"))
    }

    /// Writes `{client_id, done, heard, due, since, endpoint}` to a new file in the state folder. While what is given lives, nobody
    /// else tells of it.
    pub fn write(id: &ClientId, done: Done, past: Past, endpoint: &str) -> Result<Untold> {
        Untold::write_of(id, done, past, endpoint, now())
    }

    /// The same, of what was done then.
    pub fn write_of(id: &ClientId, done: Done, past: Past, endpoint: &str, since: u64) -> Result<Untold> {
        let folder = Untold::folder()?;
        files::private_folder(&folder)?;
        let path = folder.join(format!("{}.json", Uuid::new_v4()));
        let held = hold(&path)?;
        let (id, endpoint) = (id.as_str().to_owned(), endpoint.to_owned());
        let untold = Untold { done, past, since, path, id, endpoint, _held: held };
        files::write_new(&untold.path, untold.content(&untold.past).as_bytes())?;
        Ok(untold)
    }

    fn content(&self, past: &Past) -> String {
        let (heard, due) = (&past.heard, &past.due);
        json!({"client_id": self.id, "done": self.done.name(), "heard": heard, "due": due, "since": self.since, "endpoint": self.endpoint})
            .to_string()
    }

    /// Those of a client of that server, the oldest first.
    pub fn of(id: &ClientId, endpoint: &str) -> Result<Vec<Untold>> {
        let untold = |(path, content): (PathBuf, Value)| {
            let done = content["done"].as_str().and_then(Done::of)?;
            let (id, endpoint) = (id.as_str().to_owned(), endpoint.to_owned());
            Some(Untold { done, past: past(&content), since: since(&content), path, id, endpoint, _held: None })
        };
        Ok(of_client(&Untold::folder()?, id, endpoint).into_iter().filter_map(untold).collect())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says who has heard of it by now.
    pub fn note(&self, past: &Past) -> Result<()> {
        files::replace(&self.path, self.content(past).as_bytes())
    }

    /// Removes it: everybody has heard of it.
    pub fn discard(self) -> Result<()> {
        remove(&self.path, "")
    }
}
