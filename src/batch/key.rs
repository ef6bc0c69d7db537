//! The key of a run: from it secrets are derived, and with it those that rows gave are sealed. No secret is in a journal.

use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::job::Job;
use crate::config::credentials::{Found, Tell};
use crate::config::{files, key_store};
use crate::error::{Error, Result};
use crate::model::client::ClientSpec;
use crate::secret::Secret;
use crate::text::hex;

/// Bytes of a run's key.
const LENGTH: usize = 32;

/// The key of a run.
pub struct RunKey(Zeroizing<[u8; LENGTH]>);

impl RunKey {
    /// A new one, from the operating system.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        getrandom::fill(bytes.as_mut()).map_err(|source| {
            Error::failed("the operating system gives no random bytes").caused_by(source.to_string())
        })?;
        Ok(RunKey(bytes))
    }

    /// Writes it to a new 0600 file of that folder, on disk when this returns.
    pub fn write(&self, folder: &Path) -> Result<()> {
        files::write_new(&file(folder), self.to_text().expose().as_bytes())
    }

    /// As text, for a key store.
    pub fn to_text(&self) -> Secret {
        Secret::new(STANDARD.encode(self.0.as_ref()))
    }

    /// The key that [`RunKey::to_text`] gave.
    pub fn from_text(text: &Secret) -> Result<Self> {
        let bytes = STANDARD.decode(text.expose().trim()).ok().map(Zeroizing::new);
        let bytes = bytes.and_then(|bytes| <[u8; LENGTH]>::try_from(bytes.as_slice()).ok());
        bytes.map(|bytes| RunKey(Zeroizing::new(bytes))).ok_or_else(|| Error::failed("the run's key is broken"))
    }

    /// Puts it into the key store of the desktop instead.
    pub async fn keep(&self, run: &str, tell: Tell<'_>) -> Result<()> {
        let label = format!("orysh: key of batch run {run}");
        key_store::keep(&label, &stored(run), ORIGIN, &self.to_text(), tell).await
    }

    /// Fetches it from the key store; `None` where there is none any more.
    pub async fn fetch(run: &str, tell: Tell<'_>) -> Result<Option<Self>> {
        match key_store::of_profile(&stored(run), ORIGIN, tell).await? {
            Found::Key(text) => RunKey::from_text(&text).map(Some),
            Found::Nothing | Found::ForAnother(_) => Ok(None),
        }
    }

    /// Removes it from the key store.
    pub async fn forget_stored(run: &str, tell: Tell<'_>) -> Result<()> {
        key_store::forget(&stored(run), tell).await.map(drop)
    }

    /// Reads it from its file; `None` where there is none any more.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = file(folder);
        if !path.exists() {
            return Ok(None);
        }
        Secret::read_file(&path, "run's key").and_then(|text| RunKey::from_text(&text)).map(Some)
    }

    /// Removes the file: secrets that were derived from it cannot be told any more.
    pub fn forget(folder: &Path) -> Result<()> {
        let path = file(folder);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::failed(format!("cannot remove {}", path.display())).caused_by(source))
            }
            _ => Ok(()),
        }
    }

    /// The secret of a row that gave none: 192 bits as 32 characters of `[A-Za-z0-9_-]` (HKDF, RFC 5869).
    pub fn secret_of(&self, row: u64) -> Secret {
        let mut bytes = Zeroizing::new([0; 24]);
        self.derive("secret", row, bytes.as_mut());
        Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()))
    }

    /// The secret that a row gave, for the journal (AES-256-GCM, with a key of the row's own).
    pub fn seal(&self, row: u64, secret: &Secret) -> Result<Vec<u8>> {
        self.cipher(row)
            .encrypt(&Nonce::default(), secret.expose().as_bytes())
            .map_err(|_| Error::failed("a row's secret cannot be sealed"))
    }

    /// The secret that was sealed. Errors: it was changed, or is of another run.
    pub fn open(&self, row: u64, sealed: &[u8]) -> Result<Secret> {
        let broken = || Error::failed(format!("the secret of row {row} is broken in the journal"));
        let bytes = Zeroizing::new(self.cipher(row).decrypt(&Nonce::default(), sealed).map_err(|_| broken())?);
        std::str::from_utf8(&bytes).map(Secret::new).map_err(|_| broken())
    }

    /// One nonce does: each row has a key of its own, which seals one secret.
    fn cipher(&self, row: u64) -> Aes256Gcm {
        let mut bytes = Zeroizing::new([0; 32]);
        self.derive("seal", row, bytes.as_mut());
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(bytes.as_ref()))
    }

    /// What tells it from other keys, and nothing of it.
    pub fn tag(&self) -> String {
        let mut bytes = [0; 8];
        self.derive("tag", 0, &mut bytes);
        hex(&bytes)
    }

    /// The secret in clear of a row that asks for `spec`, if it has one: the one that was sealed, or that of the row.
    pub fn secret_for(&self, job: Job, row: u64, sealed: Option<&[u8]>, spec: &ClientSpec) -> Result<Option<Secret>> {
        match sealed {
            Some(sealed) => self.open(row, sealed).map(Some),
            None if job == Job::Create && spec.uses_secret() => Ok(Some(self.secret_of(row))),
            None => Ok(None),
        }
    }

    fn derive(&self, what: &str, row: u64, into: &mut [u8]) {
        let key = Hkdf::<Sha256>::new(None, self.0.as_ref());
        let row = row.to_be_bytes();
        let filled = key.expand_multi_info(&[b"orysh batch ", what.as_bytes(), b" ", &row], into);
        // It fails for more than 8,160 bytes only.
        debug_assert!(filled.is_ok());
    }
}

/// What a run's key is for, in the key store: no server is to get it.
const ORIGIN: &str = "batch";

/// What a run's key is called in the key store; no profile is called so.
fn stored(run: &str) -> String {
    format!("run/{run}")
}

fn file(folder: &Path) -> PathBuf {
    folder.join("key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_for_the_same_row_of_the_same_run_only() {
        let (one, other) = (RunKey::generate().unwrap(), RunKey::generate().unwrap());
        let again = RunKey::from_text(&one.to_text()).unwrap();
        assert_eq!(one.secret_of(7).expose(), again.secret_of(7).expose());
        assert_eq!(one.secret_of(7).expose().len(), 32);
        assert_ne!(one.secret_of(7).expose(), one.secret_of(8).expose());
        assert_ne!(one.secret_of(7).expose(), other.secret_of(7).expose());
        let sealed = one.seal(7, &Secret::new("canary")).unwrap();
        assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"));
        assert_eq!(again.open(7, &sealed).unwrap().expose(), "canary");
        assert!(one.open(8, &sealed).is_err() && other.open(7, &sealed).is_err());
    }
}
