//! A run's journal: one SQLite file, written by a thread of its own. What was written is on disk when it is told.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// The file in a run's folder.
const FILE: &str = "journal.sqlite";

/// The version of the schema.
const VERSION: i32 = 3;

/// So many changes do not wait for more of their kind.
const ENOUGH: usize = 1024;

/// How long what nobody waits for waits for more of its kind: a commit costs more than a row does.
const LINGER: Duration = Duration::from_millis(20);

/// The code of an error that says that a journal has nothing in it.
pub const UNBEGUN: &str = "unbegun";

/// The code of an error that says that nothing can be written any more.
pub const BROKEN: &str = "journal";

type Work = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

struct Job {
    work: Work,
    /// Whether nothing goes on until it is on disk.
    is_urgent: bool,
    done: oneshot::Sender<std::result::Result<(), String>>,
}

/// Changes that are to be written. What nobody waits for wakes no thread that lingers: for each row of a batch that would cost more
/// than its change does.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    is_urgent: bool,
    thread: State,
    /// Whether nothing is written any more.
    is_closed: bool,
}

/// What the journal's thread is at.
#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Busy,
    /// It has nothing to do.
    Idle,
    /// It waits for more of what it has.
    Lingering,
}

impl Desk {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Errors: nothing is written any more.
    fn put(&self, job: Job) -> Result<(), ()> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(());
        }
        waiting.is_urgent |= job.is_urgent;
        waiting.jobs.push(job);
        let wakes = match waiting.thread {
            State::Busy => false,
            State::Idle => true,
            State::Lingering => waiting.is_urgent || waiting.jobs.len() >= ENOUGH,
        };
        if wakes {
            waiting.thread = State::Busy;
        }
        drop(waiting);
        if wakes {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// What is to be written together; nothing: it has ended.
    fn take(&self) -> Vec<Job> {
        let mut waiting = self.waiting();
        while waiting.jobs.is_empty() && !waiting.is_closed {
            waiting.thread = State::Idle;
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.thread = State::Lingering;
        let lingers = |waiting: &mut Waiting| !waiting.is_urgent && !waiting.is_closed && waiting.jobs.len() < ENOUGH;
        let lingered = self.arrived.wait_timeout_while(waiting, LINGER, lingers);
        let (mut waiting, _) = lingered.unwrap_or_else(PoisonError::into_inner);
        (waiting.thread, waiting.is_urgent) = (State::Busy, false);
        std::mem::take(&mut waiting.jobs)
    }

    fn close(&self) {
        self.waiting().is_closed = true;
        self.arrived.notify_one();
    }
}

/// Ends what waits for a thread that has ended, however it did.
struct Worker(Arc<Desk>);

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.close();
        self.0.waiting().jobs.clear();
    }
}

/// The journal. The thread ends with it.
pub struct Journal {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Makes a new one in a folder.
    pub fn create(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        // SQLite gives its other files the mode of this one.
        crate::config::files::write_new(&path, b"")?;
        let connection = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch(include_str!("schema.sql")).map_err(|source| failed(&source))?;
        Ok(Journal::on(connection))
    }

    /// Opens the one of a folder. Errors: it is not there, of another version, or broken.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(Error::usage(format!("{} is not there: the run has no journal", path.display())));
        }
        let connection = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let broken = |source: rusqlite::Error| {
            Error::failed(format!("{} is broken, or no journal", path.display())).caused_by(source.to_string())
        };
        let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(broken)?;
        if version == 0 {
            return Err(Error::usage("the run's journal was never begun").with_code(UNBEGUN));
        }
        if version != VERSION {
            return Err(Error::usage(format!(
                "the run's journal has version {version}, and this program reads version {VERSION}"
            ))
            .hint("use the program that began the run"));
        }
        let checked: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(broken)?;
        if checked != "ok" {
            return Err(Error::failed(format!("{} is broken: {checked}", path.display())));
        }
        Ok(Journal::on(connection))
    }

    /// Looks at the one of a folder that another process may work on.
    pub fn peek<T>(folder: &Path, look: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = open(&folder.join(FILE), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        look(&connection).map_err(|source| failed(&source))
    }

    fn on(connection: Connection) -> Self {
        let desk: Arc<Desk> = Arc::default();
        let worker = Worker(Arc::clone(&desk));
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || work(connection, &worker));
        Journal { desk, thread: thread.ok() }
    }

    /// Makes a change, together with those of others that wait; it is on disk when this returns.
    ///
    /// Errors: it could not be written, or one before it could not: after that nothing is certain any more.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.change(true, change).await
    }

    /// The same, for what others do not wait for: it may wait a moment for more of its kind.
    pub async fn note(&self, change: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static) -> Result<()> {
        self.change(false, change).await
    }

    /// The same; `is_urgent`: somebody waits for it.
    pub async fn change<T: Send + 'static>(
        &self,
        is_urgent: bool,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let value = change(connection)?;
            // Nobody listens any more where the process ends.
            let _ = tell.send(value);
            Ok(())
        });
        let gone = || Error::failed("the journal has ended").with_code(BROKEN);
        self.desk.put(Job { work, is_urgent, done }).map_err(|()| gone())?;
        match is_done.await {
            Ok(Ok(())) => told.await.map_err(|_| gone()),
            Ok(Err(why)) => Err(Error::failed(format!("the journal cannot be written: {why}"))
                .with_code(BROKEN)
                .hint("is the disk full?")),
            Err(_) => Err(gone()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.desk.close();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell that was not told.
            let _ = thread.join();
        }
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags).map_err(|source| failed(&source))?;
    connection.set_prepared_statement_cache_capacity(64);
    let began = Instant::now();
    loop {
        let set = connection.execute_batch(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -4096;",
        );
        let Err(source) = set else { return Ok(connection) };
        // Two that set the mode of one file at once are told so at once, whatever they would wait.
        let is_busy = matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
        if !is_busy || began.elapsed() > PATIENCE {
            let error = Error::failed(format!("{} cannot be used", path.display()));
            return Err(error.caused_by(source.to_string()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// So long another one is waited for that looks at the same file.
const PATIENCE: Duration = Duration::from_secs(5);

fn failed(source: &rusqlite::Error) -> Error {
    Error::failed(format!("the journal cannot be written: {source}")).with_code(BROKEN)
}

fn work(mut connection: Connection, Worker(desk): &Worker) {
    let mut broken: Option<String> = None;
    loop {
        let jobs = desk.take();
        if jobs.is_empty() {
            return;
        }
        let (works, told): (Vec<Work>, Vec<_>) = jobs.into_iter().map(|job| (job.work, job.done)).unzip();
        // After a sync that failed, the next one may seem to succeed: nothing is written any more.
        let result = match &broken {
            Some(why) => Err(why.clone()),
            None => commit(&mut connection, works).map_err(|source| source.to_string()),
        };
        if let Err(why) = &result {
            broken = Some(why.clone());
        }
        for done in told {
            // Nobody listens any more where the process ends.
            let _ = done.send(result.clone());
        }
    }
}

fn commit(connection: &mut Connection, works: Vec<Work>) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in works {
        work(&transaction)?;
    }
    transaction.commit()
}
