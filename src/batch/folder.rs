//! Where runs are kept: a folder each, with the journal, the key and a lock.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::config::{edit, files, paths};
use crate::error::{Error, Result, nearest};
use crate::text::{hex, safe};

/// A run's folder, held for as long as this lives: another process is refused meanwhile.
#[derive(Debug)]
pub struct Folder {
    /// What the run is called.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

fn root() -> Result<PathBuf> {
    Ok(paths::state()?.join("batch"))
}

/// Where a run is kept.
pub fn path(name: &str) -> Result<PathBuf> {
    Ok(root()?.join(name))
}

impl Folder {
    /// Makes one for a new run, called by its time and some letters: `20261125-134502123-7f3a`.
    pub fn create() -> Result<Self> {
        let root = root()?;
        files::private_folder(&root)?;
        sweep(&root);
        // To the millisecond, so that names have the order of time.
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let time = time.replace(['-', ':', '.', 'Z'], "").replace('T', "-");
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes).map_err(|source| {
            Error::failed("the operating system gives no random bytes").caused_by(source.to_string())
        })?;
        let name = format!("{time}-{}", hex(&bytes));
        let path = root.join(&name);
        files::private_folder(&path)?;
        Folder::hold(name, path)
    }

    /// The run of that name, or the only one whose name begins or ends so.
    ///
    /// Errors are of usage: there is none, or several; another process holds it.
    pub fn open(wanted: &str) -> Result<Self> {
        let names = names()?;
        let is = |name: &&String| name.starts_with(wanted) || name.ends_with(wanted);
        let found: Vec<&String> = match names.iter().find(|name| *name == wanted) {
            Some(name) => vec![name],
            None if wanted.is_empty() => Vec::new(),
            None => names.iter().filter(is).collect(),
        };
        match found.as_slice() {
            [name] => Folder::hold((*name).clone(), root()?.join(name)),
            [] => Err(Error::usage(format!("there is no run `{}`", safe(wanted)))
                .did_you_mean(nearest(wanted, names.iter().map(String::as_str)))
                .hint("`orysh batch list` shows them")),
            several => {
                let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
                Err(Error::usage(format!("`{}` is part of {} runs: {}", safe(wanted), names.len(), names.join(", "))))
            }
        }
    }

    fn hold(name: String, path: PathBuf) -> Result<Self> {
        let file = path.join("lock");
        let failed = |source: std::io::Error| Error::failed(format!("cannot lock run {name}")).caused_by(source);
        let lock = files::to_hold(&file).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {
                held().push(name.clone());
                Ok(Folder { name, path, _lock: lock })
            }
            Err(TryLockError::WouldBlock) if is_held_here(&name) => Err(Error::usage(format!(
                "run {name} keeps secrets that this session has made and nobody has taken yet"
            ))
            .with_code(HELD)
            .hint("show or write them, or leave the shell")),
            Err(TryLockError::WouldBlock) => {
                Err(Error::usage(format!("run {name} is being worked on by another process"))
                    .with_code(HELD)
                    .hint("wait for it, or stop it there"))
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Removes it with all that is in it.
    pub fn remove(self) -> Result<()> {
        remove(&self.path)
    }
}

/// Waits until no other process begins a run, and holds them off for as long as what it gives lives.
pub fn turn() -> Result<File> {
    edit::lock(&root()?)
}

/// The runs that this process holds.
static HELD_HERE: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<String>> {
    HELD_HERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a run is held by this process.
pub fn is_held_here(name: &str) -> bool {
    held().iter().any(|held| held == name)
}

impl Drop for Folder {
    fn drop(&mut self) {
        held().retain(|held| *held != self.name);
    }
}

/// The code of an error that says that another process holds a run.
pub const HELD: &str = "held";

fn remove(path: &Path) -> Result<()> {
    fs::remove_dir_all(path)
        .map_err(|source| Error::failed(format!("cannot remove {}", path.display())).caused_by(source))
}

/// How a file is called that lists runs which are none any more, a line each.
const OVER: &str = ".over-";

/// Removes several runs, of which either all are there after that or none.
pub fn remove_all(folders: Vec<Folder>) -> Result<()> {
    let root = root()?;
    let names: Vec<&str> = folders.iter().map(|folder| folder.name.as_str()).collect();
    let list = root.join(format!("{OVER}{}", uuid::Uuid::new_v4()));
    files::write_new(&list, names.join("\n").as_bytes())?;
    folders.into_iter().try_for_each(Folder::remove)?;
    fs::remove_file(&list)
        .map_err(|source| Error::failed(format!("cannot remove {}", list.display())).caused_by(source))
}

/// The lists of runs that are none any more, and what is in them.
fn over(root: &Path) -> Vec<(PathBuf, Vec<String>)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let lists = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(OVER)).map(|entry| entry.path());
    let names = |path: &PathBuf| fs::read_to_string(path).ok().map(|text| text.lines().map(str::to_owned).collect());
    lists.filter_map(|path| names(&path).map(|names| (path, names))).collect()
}

/// Removes what whoever listed it did not come to.
fn sweep(root: &Path) {
    for (list, names) in over(root) {
        // Another process may be at it.
        for name in names {
            let _ = fs::remove_dir_all(root.join(name));
        }
        let _ = fs::remove_file(list);
    }
}

/// The names of all runs, the oldest first.
pub fn names() -> Result<Vec<String>> {
    let root = root()?;
    let Ok(entries) = fs::read_dir(&root) else { return Ok(Vec::new()) };
    let over: Vec<String> = over(&root).into_iter().flat_map(|(_, names)| names).collect();
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !over.contains(name))
        .collect();
    names.sort();
    Ok(names)
}
