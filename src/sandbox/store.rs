//! What the sandbox keeps: one SQLite file, or a database in memory. Two processes may share the file.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde_json::json;

use super::crypt::{self, SealKey};
use super::document::{Document, Unsent};
use super::paging::Page;
use crate::error::{Error, Result};

mod tokens;

pub use tokens::Token;

/// How long a writer waits for another process's.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many replaced secrets stay valid.
const ROTATED: usize = 5;

/// The layout of `schema.sql`.
const VERSION: i64 = 1;

/// Where a sandbox keeps its clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// In one file, made with mode 0600 in a folder made with mode 0700.
    File(PathBuf),
    /// In memory: gone when the sandbox stops.
    Memory,
}

/// The open database.
pub struct Store {
    connection: Mutex<Connection>,
    /// What page tokens are sealed with; the same for every process on the file.
    pub page_key: SealKey,
}

/// A client as it is kept.
pub struct Kept {
    /// The document as a GET answers it, as JSON text.
    pub document: String,
    /// The hash of the secret.
    pub secret: String,
    /// The hashes of the secrets it replaced, newest first.
    pub rotated: Vec<String>,
    /// The digest of the registration access token, while it counts.
    pub registration: Option<Vec<u8>>,
}

/// What an update does to the secret.
pub enum SecretChange {
    /// Nothing.
    Keep,
    /// The replaced secrets stop to count.
    DropRotated,
    /// A new hash; the replaced secrets stop to count.
    Replace(String),
    /// A new hash; the old one is kept as a replaced one.
    Rotate(String),
}

/// What an update does to the registration access token.
pub enum RegistrationChange {
    /// Nothing.
    Keep,
    /// It stops to count.
    Drop,
    /// The digest of another one.
    Replace(Vec<u8>),
}

impl Store {
    /// Opens the database, and makes it where there is none.
    pub fn open(location: &Location) -> Result<Self> {
        let told = |source: rusqlite::Error| {
            let name = match location {
                Location::File(path) => path.display().to_string(),
                Location::Memory => "in memory".into(),
            };
            Error::failed(format!("cannot open the sandbox's database {name}")).caused_by(source)
        };
        let mut connection = match location {
            Location::File(path) => {
                make_private(path)?;
                Connection::open(path).map_err(told)?
            }
            Location::Memory => Connection::open_in_memory().map_err(told)?,
        };
        let page_key = prepare(&mut connection, &crypt::random()?).map_err(told)?;
        Ok(Store { connection: Mutex::new(connection), page_key })
    }

    /// Keeps a new client. False if its id is taken.
    pub fn insert(&self, document: &Document, secret: &str, registration: Option<&[u8]>) -> rusqlite::Result<bool> {
        self.write(|transaction| {
            let added = transaction
                .prepare_cached(
                    "INSERT INTO clients (id, name, owner, created, document, secret, registration)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
                )?
                .execute(params![
                    document.text("client_id"),
                    document.text("client_name"),
                    document.text("owner"),
                    document.text("created_at"),
                    at_rest(document),
                    secret,
                    registration,
                ])?;
            Ok(added == 1)
        })
    }

    /// The client of that id.
    pub fn get(&self, id: &str) -> rusqlite::Result<Option<Kept>> {
        self.lock()
            .prepare_cached("SELECT document, secret, rotated, registration FROM clients WHERE id = ?1")?
            .query_row([id], |row| {
                Ok(Kept {
                    document: row.get(0)?,
                    secret: row.get(1)?,
                    rotated: rotated_from(&row.get::<_, String>(2)?),
                    registration: row.get(3)?,
                })
            })
            .optional()
    }

    /// A page of documents as JSON text, by id, and the last id if more follow.
    pub fn list(&self, page: &Page) -> rusqlite::Result<(Vec<String>, Option<String>)> {
        let connection = self.lock();
        let mut select = "SELECT id, document FROM clients WHERE id > ?1".to_owned();
        if page.name.is_some() {
            select.push_str(" AND name = ?2");
        }
        if page.owner.is_some() {
            select.push_str(" AND owner = ?3");
        }
        select.push_str(" ORDER BY id LIMIT ?4");
        let mut statement = connection.prepare_cached(&select)?;
        // One more than asked for tells whether there is another page.
        let limit = i64::try_from(page.size).unwrap_or(i64::MAX - 1) + 1;
        for (place, value) in [(2, &page.name), (3, &page.owner)] {
            if value.is_some() {
                statement.raw_bind_parameter(place, value)?;
            }
        }
        statement.raw_bind_parameter(1, &page.after)?;
        statement.raw_bind_parameter(4, limit)?;
        let (mut documents, mut last) = (Vec::new(), None);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if documents.len() == page.size {
                return Ok((documents, last));
            }
            last = Some(row.get(0)?);
            documents.push(row.get(1)?);
        }
        Ok((documents, None))
    }

    /// Writes a document over the client of its id; when it was created stays. False if there is none.
    pub fn update(
        &self,
        document: &Document,
        secret: SecretChange,
        registration: RegistrationChange,
    ) -> rusqlite::Result<bool> {
        let id = document.text("client_id");
        let mut document = document.clone();
        self.write(|transaction| {
            let kept = transaction
                .prepare_cached("SELECT created, secret, rotated, registration FROM clients WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, String>(2)?,
                        row.get::<_, Option<Vec<u8>>>(3)?,
                    ))
                })
                .optional()?;
            let Some((created, old_secret, old_rotated, old_registration)) = kept else {
                return Ok(false);
            };
            document.set("created_at", created);
            let (secret, rotated) = match secret {
                SecretChange::Keep => (old_secret, old_rotated),
                SecretChange::DropRotated => (old_secret, "[]".into()),
                SecretChange::Replace(hash) => (hash, "[]".into()),
                SecretChange::Rotate(hash) => {
                    let mut rotated = rotated_from(&old_rotated);
                    rotated.insert(0, old_secret);
                    rotated.truncate(ROTATED);
                    (hash, json!(rotated).to_string())
                }
            };
            let registration = match registration {
                RegistrationChange::Keep => old_registration,
                RegistrationChange::Drop => None,
                RegistrationChange::Replace(digest) => Some(digest),
            };
            transaction
                .prepare_cached(
                    "UPDATE clients SET name = ?2, owner = ?3, document = ?4, secret = ?5, rotated = ?6,
                     registration = ?7 WHERE id = ?1",
                )?
                .execute(params![
                    id,
                    document.text("client_name"),
                    document.text("owner"),
                    at_rest(&document),
                    secret,
                    rotated,
                    registration,
                ])?;
            Ok(true)
        })
    }

    /// Deletes a client, and its tokens with it. False if there is none.
    pub fn delete(&self, id: &str) -> rusqlite::Result<bool> {
        self.write(|transaction| {
            Ok(transaction.prepare_cached("DELETE FROM clients WHERE id = ?1")?.execute([id])? == 1)
        })
    }

    /// A transaction that takes the writer's lock at its start, so that it never has to be given up half-way.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere rolled its transaction back: the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The document as it is kept: without what is shown once.
fn at_rest(document: &Document) -> String {
    let mut document = document.clone();
    for name in ["client_secret", "registration_access_token", "registration_client_uri"] {
        document.remove(name);
    }
    document.to_json(Unsent::Empty).to_string()
}

fn rotated_from(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Makes the file for its owner only, before SQLite would make it for everybody.
fn make_private(path: &Path) -> Result<()> {
    let told =
        |source| Error::failed(format!("cannot make the sandbox's database {}", path.display())).caused_by(source);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told)?;
    }
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map(drop).map_err(told)
}

/// Sets a connection up, makes the tables where they are missing, and gives the page key.
fn prepare(connection: &mut Connection, fresh_key: &SealKey) -> rusqlite::Result<SealKey> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Changing to WAL does not wait for another process that does the same, so it is waited for here.
    let started = Instant::now();
    while let Err(error) = connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
        let busy = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
        if !busy || started.elapsed() > PATIENCE {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // A lost power supply may undo the last writes, never tear one: enough for what is not production.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")?;
    if connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? != VERSION {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.execute("INSERT OR IGNORE INTO settings VALUES ('page_key', ?1)", [fresh_key.as_slice()])?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    connection.query_row("SELECT value FROM settings WHERE name = 'page_key'", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn document(id: &str) -> Document {
        Document::from_json(json!({"client_id": id, "client_secret": "canary-secret"})).unwrap()
    }

    #[test]
    fn the_file_is_private_and_holds_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/sandbox.db");
        let store = Store::open(&Location::File(path.clone())).unwrap();
        assert!(store.insert(&document("a"), "hash", None).unwrap());
        assert!(!store.insert(&document("a"), "hash", None).unwrap());
        for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
            let bytes = std::fs::read(file.path()).unwrap();
            assert!(!bytes.windows(13).any(|part| part == b"canary-secret"));
        }
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn stores_on_one_file_write_side_by_side() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("sandbox.db"));
        let keys: Vec<SealKey> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let location = &location;
                    scope.spawn(move || {
                        let store = Store::open(location).unwrap();
                        for number in 0..50 {
                            assert!(store.insert(&document(&format!("{writer}-{number}")), "h", None).unwrap());
                            let kept = store.get(&format!("{writer}-{number}")).unwrap().unwrap();
                            let parsed = Document::from_json(serde_json::from_str(&kept.document).unwrap()).unwrap();
                            let rotate = SecretChange::Rotate("h2".into());
                            assert!(store.update(&parsed, rotate, RegistrationChange::Keep).unwrap());
                        }
                        store.page_key
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
        let page = Page::read("page_size=500", &keys[0]).unwrap();
        assert_eq!(Store::open(&location).unwrap().list(&page).unwrap().0.len(), 200);
    }

    #[test]
    fn five_rotated_secrets_stay() {
        let store = Store::open(&Location::Memory).unwrap();
        store.insert(&document("a"), "0", None).unwrap();
        for number in 1..=7 {
            let change = SecretChange::Rotate(number.to_string());
            store.update(&document("a"), change, RegistrationChange::Keep).unwrap();
        }
        let kept = store.get("a").unwrap().unwrap();
        assert_eq!(kept.secret, "7");
        assert_eq!(kept.rotated, ["6", "5", "4", "3", "2"]);
    }
}
