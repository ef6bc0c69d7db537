//! A secret on disk from before it is sent until it has reached its reader.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;
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
