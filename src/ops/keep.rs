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

/// The file that keeps one client's id and secret. It stays unless it is discarded by name.
#[derive(Debug)]
#[must_use = "the file stays on disk until it is discarded"]
pub struct Kept {
    path: PathBuf,
    id: ClientId,
    secret: Secret,
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

    /// The newest file that keeps a secret of a client of that server, if there is one.
    pub fn find(id: &ClientId, endpoint: &str) -> Result<Option<Kept>> {
        let folder = paths::state()?.join("pending");
        let mut newest: Option<(SystemTime, Kept)> = None;
        // That there is no folder says that nothing is kept.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(text) = std::fs::read(&path).map(Zeroizing::new) else { continue };
            let Ok(content) = serde_json::from_slice::<Value>(&text) else { continue };
            let Some(secret) = content["client_secret"].as_str() else { continue };
            let written = entry.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            let is_it = content["client_id"] == id.as_str() && content["endpoint"] == endpoint;
            if is_it && newest.as_ref().is_none_or(|(before, _)| *before < written) {
                newest = Some((written, Kept { path, id: id.clone(), secret: Secret::new(secret) }));
            }
        }
        Ok(newest.map(|(_, kept)| kept))
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
        std::fs::remove_file(&self.path).map_err(|source| {
            Error::failed(format!("cannot remove {}, which holds a secret", self.path.display())).caused_by(source)
        })
    }
}
