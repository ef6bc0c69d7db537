//! When clients got a new secret from here: one from before that still counts at the server, and is handed over no more.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::config::{files, paths};
use crate::env;
use crate::error::{Error, Result};
use crate::model::client::Client;
use crate::text::hex;

/// A longer file is begun anew, with the later half of its lines.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Where they are noted.
const FOLDER: &str = "untold";
const NAME: &str = "newest";

fn file() -> Result<PathBuf> {
    let folder = paths::state()?.join(FOLDER);
    files::private_folder(&folder)?;
    Ok(folder.join(NAME))
}

/// How this machine is called where nothing else is meant.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// A client of a server, which is all that a line tells of it. This machine is one by its usual names.
fn key(server: &str, id: &str) -> String {
    let is_here = |url: &Url| url.host_str().is_some_and(|host| THIS_MACHINE.contains(&host));
    let server = Url::parse(server).ok().filter(is_here).map_or_else(
        || server.to_owned(),
        |url| format!("{}{}", url.port_or_known_default().unwrap_or_default(), url.path().trim_end_matches('/')),
    );
    hex(&Sha256::digest(format!("{server}\0{id}"))[..16])
}

/// While this lives, nobody else hands a secret of the client over: what was set first comes first. None is held by a program that is
/// given the client just now and may write that itself: whoever gives it waits for it.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is held as long as it is open")] Option<File>);

/// Which file says whose turn it is: so few that they can stay. Several clients may share one.
fn stripe(server: &str, id: &str) -> String {
    key(server, id)[..2].to_owned()
}

/// How often it is looked whether another process has handed a client over.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits for its turn to hand secrets of a client over; `None`: `is_over` said so before.
///
/// Errors: it cannot be held.
pub async fn turn(server: &str, id: &str, is_over: impl Fn() -> bool) -> Result<Option<Turn>> {
    let own = stripe(server, id);
    if env::ORYSH_CLIENT_ID.get().is_some_and(|given| stripe(server, &given) == own) {
        return Ok(Some(Turn(None)));
    }
    let path = paths::state()?.join(FOLDER).join(format!(".turn-{own}"));
    let open = || files::to_hold(&path);
    let failed = |source| Error::failed(format!("cannot hold {}", path.display())).caused_by(source);
    let file = match open() {
        Err(source) if source.kind() == ErrorKind::NotFound => {
            file()?;
            open()
        }
        file => file,
    };
    let file = file.map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Turn(Some(file)))),
            Err(TryLockError::WouldBlock) if is_over() => return Ok(None),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(GLANCE).await,
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
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

/// What is noted, as far as it was read.
#[derive(Debug, Default)]
pub struct Known {
    read: u64,
    times: HashMap<String, SystemTime>,
}

impl Known {
    /// Whether a client has got another secret from here since it was changed then; `made`: the server's time of that change.
    pub fn is_set_since(&mut self, server: &str, id: &str, made: Option<&str>) -> bool {
        let Some(made) = made.and_then(|text| humantime::parse_rfc3339(text).ok()) else { return false };
        self.learn();
        self.times.get(&key(server, id)).is_some_and(|at| *at > made)
    }

    /// Reads what was noted since.
    fn learn(&mut self) {
        let Ok(path) = paths::state().map(|state| state.join(FOLDER).join(NAME)) else { return };
        let length = std::fs::metadata(&path).map_or(0, |about| about.len());
        // One that was begun anew is shorter.
        if length < self.read {
            self.read = 0;
        }
        if length == self.read {
            return;
        }
        let Ok(mut file) = File::open(&path) else { return };
        let mut bytes = Vec::new();
        if file.seek(SeekFrom::Start(self.read)).and_then(|_| file.read_to_end(&mut bytes)).is_err() {
            return;
        }
        // A line that is being written is read as a whole next time.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.read += whole as u64;
        for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
            if let Some((key, at)) =
                line.split_once(' ').and_then(|(key, at)| Some((key, humantime::parse_rfc3339(at).ok()?)))
            {
                let known = self.times.entry(key.to_owned()).or_insert(at);
                *known = (*known).max(at);
            }
        }
    }
}
