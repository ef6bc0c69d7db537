//! A secret on disk from before it is sent until it has reached its reader.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::{files, paths};
use crate::crypt::Fingerprint;
use crate::error::{Error, Result};
use crate::model::client::ClientId;
use crate::secret::Secret;
use crate::session::hook::Done;

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
    /// The keys of the hooks that have heard of it.
    pub heard: Vec<String>,
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

    /// The file says from now on that the client was not delivered: `undelivered` is what was done to it, `heard` the keys of the
    /// hooks that have heard of that.
    pub fn undelivered(&self, done: Done, heard: &[String]) -> Result<()> {
        let unreadable =
            |source: std::io::Error| Error::failed(format!("cannot read {}", self.path.display())).caused_by(source);
        let text = Zeroizing::new(std::fs::read(&self.path).map_err(unreadable)?);
        let mut content: Value = serde_json::from_slice(&text).unwrap_or_default();
        content["undelivered"] = done.name().into();
        content["heard"] = heard.into();
        files::replace(&self.path, Zeroizing::new(content.to_string()).as_bytes())
    }

    /// The files of a client of that server that was not delivered, the newest first.
    pub fn of_undelivered(id: &ClientId, endpoint: &str) -> Result<Vec<Undelivered>> {
        let folder = paths::state()?.join("pending");
        let mut found: Vec<(SystemTime, Undelivered)> = Vec::new();
        // That there is no folder says that nothing is kept.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(text) = std::fs::read(&path).map(Zeroizing::new) else { continue };
            let Ok(content) = serde_json::from_slice::<Value>(&text) else { continue };
            let done = content["undelivered"].as_str().and_then(Done::of);
            let (Some(done), Some(secret)) = (done, content["client_secret"].as_str()) else { continue };
            if content["client_id"] == id.as_str() && content["endpoint"] == endpoint {
                let written = entry.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                let is_sealed = !content["encrypted_for"].is_null();
                let kept = Kept { path, id: id.clone(), secret: Secret::new(secret) };
                let heard = content["heard"].as_array().into_iter().flatten();
                let heard = heard.filter_map(|key| key.as_str().map(str::to_owned)).collect();
                found.push((written, Undelivered { done, kept, is_sealed, heard }));
            }
        }
        found.sort_by_key(|(written, _)| std::cmp::Reverse(*written));
        Ok(found.into_iter().map(|(_, undelivered)| undelivered).collect())
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
        match std::fs::remove_file(&self.path) {
            // Another process was quicker.
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|source| {
                Error::failed(format!("cannot remove {}, which holds a secret", self.path.display())).caused_by(source)
            }),
        }
    }
}

/// What was done to a client, of which not everybody has heard: a file of its own, as no secret is kept for it.
#[derive(Debug)]
#[must_use = "the file stays on disk until it is discarded"]
pub struct Untold {
    /// What was done.
    pub done: Done,
    /// The keys of the hooks that have heard of it.
    pub heard: Vec<String>,
    path: PathBuf,
}

impl Untold {
    fn folder() -> Result<PathBuf> {
        Ok(paths::state()?.join("untold"))
    }

    /// Writes `{client_id, done, heard, endpoint}` to a new file in the state folder.
    pub fn write(id: &ClientId, done: Done, heard: &[String], endpoint: &str) -> Result<Untold> {
        let folder = Untold::folder()?;
        files::private_folder(&folder)?;
        let path = folder.join(format!("{}.json", Uuid::new_v4()));
        let content = json!({"client_id": id.as_str(), "done": done.name(), "heard": heard, "endpoint": endpoint});
        files::write_new(&path, content.to_string().as_bytes())?;
        Ok(Untold { done, heard: heard.to_vec(), path })
    }

    /// Those of a client of that server, in no order.
    pub fn of(id: &ClientId, endpoint: &str) -> Result<Vec<Untold>> {
        let mut found = Vec::new();
        // That there is no folder says that nothing is kept.
        for entry in std::fs::read_dir(Untold::folder()?).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(text) = std::fs::read(&path) else { continue };
            let Ok(content) = serde_json::from_slice::<Value>(&text) else { continue };
            let Some(done) = content["done"].as_str().and_then(Done::of) else { continue };
            if content["client_id"] == id.as_str() && content["endpoint"] == endpoint {
                let heard = content["heard"].as_array().into_iter().flatten();
                let heard = heard.filter_map(|key| key.as_str().map(str::to_owned)).collect();
                found.push(Untold { done, heard, path });
            }
        }
        Ok(found)
    }

    /// Says who has heard of it by now.
    pub fn note(&self, id: &ClientId, heard: &[String], endpoint: &str) -> Result<()> {
        let content = json!({"client_id": id.as_str(), "done": self.done.name(), "heard": heard, "endpoint": endpoint});
        files::replace(&self.path, content.to_string().as_bytes())
    }

    /// Removes it: everybody has heard of it.
    pub fn discard(self) -> Result<()> {
        match std::fs::remove_file(&self.path) {
            // Another process was quicker.
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed
                .map_err(|source| Error::failed(format!("cannot remove {}", self.path.display())).caused_by(source)),
        }
    }
}
