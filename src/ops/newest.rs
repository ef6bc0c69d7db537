//! When clients got a new secret from here: one from before that still counts at the server, and is handed over no more.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::config::{files, paths};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId};
use crate::text::hex;

/// A longer file is begun anew, with the later half of its lines.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

fn file() -> Result<PathBuf> {
    let folder = paths::state()?.join("untold");
    files::private_folder(&folder)?;
    Ok(folder.join("newest"))
}

/// A client of a server, which is all that a line tells of it.
fn key(server: &str, id: &str) -> String {
    hex(&Sha256::digest(format!("{server}\0{id}"))[..16])
}

/// Notes that a client has got another secret just now, as the server tells it.
pub fn note(server: &str, client: &Client) -> Result<()> {
    let Some(at) = client.text("updated_at").filter(|at| humantime::parse_rfc3339(at).is_ok()) else { return Ok(()) };
    let path = file()?;
    let failed = |source| Error::failed(format!("cannot write {}", path.display())).caused_by(source);
    let length = std::fs::metadata(&path).map_or(0, |about| about.len());
    if length > MOST_BYTES {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        files::replace(&path, format!("{}\n", lines[lines.len() / 2..].join("\n")).as_bytes())?;
    }
    let line = format!("{} {at}\n", key(server, client.id()));
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)
}

/// Whether a client has got another secret from here since it was changed then; `made`: the server's time of that change.
pub fn is_set_since(server: &str, id: &ClientId, made: Option<&str>) -> bool {
    let time = |text: &str| humantime::parse_rfc3339(text).ok();
    let (Some(made), Ok(path)) = (made.and_then(time), file()) else { return false };
    let key = key(server, id.as_str());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let of_client = text.lines().filter_map(|line| line.strip_prefix(key.as_str())?.strip_prefix(' '));
    of_client.filter_map(time).any(|at: SystemTime| at > made)
}
