//! What every handler holds: the store, the settings, and how work is kept off the runtime's threads.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use tokio::sync::watch;

use super::document::Document;
use super::reply::Fault;
use super::store::{Kept, Store};
use super::trouble::Rehearsal;

/// The state of a running sandbox.
pub struct Shared {
    /// The database.
    pub store: Arc<Store>,
    /// The public side's address, without a slash at its end: the issuer.
    pub public_url: String,
    /// How often a new secret is hashed.
    pub hash_iterations: u32,
    /// The trouble that is rehearsed.
    pub rehearsal: Arc<Rehearsal>,
    /// Turns true when the sandbox stops.
    pub stopping: watch::Receiver<bool>,
}

impl Shared {
    /// Runs hashing and SQLite on a thread where they may block.
    pub async fn work<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Shared) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        tokio::task::spawn_blocking(move || work(&self)).await.unwrap_or_else(|_| Err(Fault::unrecognizable()))
    }

    /// Waits; false if the sandbox stopped meanwhile.
    pub async fn pause(&self, duration: Duration) -> bool {
        let mut stopping = self.stopping.clone();
        tokio::time::timeout(duration, stopping.wait_for(|stopping| *stopping)).await.is_err()
    }
}

impl Kept {
    /// The document, taken apart.
    pub fn document(&self) -> Result<Document, Fault> {
        let value = serde_json::from_str(&self.document).map_err(|_| Fault::unrecognizable())?;
        Document::from_json(value).map_err(|_| Fault::unrecognizable())
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Fault::serialization(),
            _ => Fault::unrecognizable(),
        }
    }
}

impl From<crate::error::Error> for Fault {
    fn from(_: crate::error::Error) -> Self {
        Fault::unrecognizable()
    }
}

/// The id in `/admin/clients/{id}…` or `/oauth2/register/{id}`: it may hold `/`, escaped.
pub struct Id(pub String);

impl<S: Sync> FromRequestParts<S> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let segment = parts.uri.path().split('/').nth(3).unwrap_or_default();
        Ok(Id(percent_decode_str(segment).decode_utf8_lossy().into_owned()))
    }
}

/// Now, in seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Now to the nearest second, as `created_at` is told.
pub fn now_in_seconds() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_millis(500);
    time_text(Duration::from_secs(since.as_secs()))
}

/// Now in microseconds, as `updated_at` is told.
pub fn now_in_micros() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    time_text(Duration::new(since.as_secs(), since.subsec_micros() * 1000))
}

/// Now in nanoseconds.
pub fn now_in_nanos() -> String {
    time_text(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A time of RFC 3339 without zeros at the end of its fraction, as Go writes it.
fn time_text(since_1970: Duration) -> String {
    let text = humantime::format_rfc3339_nanos(UNIX_EPOCH + since_1970).to_string();
    let text = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    // Zeros of the seconds may not be cut off.
    let seconds = "0000-00-00T00:00:00".len();
    format!("{text:0<seconds$}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        for (nanos, text) in [
            (1_795_459_744_439_840_000, "2026-11-23T18:49:04.43984Z"),
            (1_795_459_744_000_000_000, "2026-11-23T18:49:04Z"),
            (1_795_459_740_000_000_000, "2026-11-23T18:49:00Z"),
        ] {
            assert_eq!(time_text(Duration::from_nanos(nanos)), text);
        }
    }
}
