//! Files for secrets: 0600, in folders of 0700, on disk before anything depends on them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ui::output;

/// Opens a file that is there to be held, which is made where it is not there: nothing is in it.
pub fn to_hold(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Makes a folder and its parents, readable by its owner only.
pub fn private_folder(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Error::failed(format!("cannot make the folder {}", path.display())).caused_by(source))
}

/// A folder that goes again, with all that is in it.
pub struct Passing(pub PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // What is left lies where such things do.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a new file, 0600, and returns once file and folder entry are on disk. An existing file is refused.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    write_new_as(path, path, bytes)
}

/// The same, where errors name another path.
fn write_new_as(name: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|source| {
        let exists = source.kind() == std::io::ErrorKind::AlreadyExists;
        let error = Error::usage(format!("cannot write {}", name.display())).caused_by(source);
        if exists {
            error.hint("it is there already, and may hold a secret: name another, or move it away")
        } else {
            error
        }
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // What could not be written whole is of no use to anyone.
        let _ = std::fs::remove_file(path);
        Error::failed(format!("cannot write {} to disk", name.display())).caused_by(source)
    })
}

/// Puts a file in the place of another, or of none: 0600, by a temporary file and a rename, and on disk when it returns.
///
/// Whoever reads meanwhile has the old file or the new one, whole.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_file_name(format!("{}{}", temporary_prefix(path), Uuid::new_v4()));
    write_new_as(path, &temporary, bytes)?;
    std::fs::rename(&temporary, path).and_then(|()| sync_folder(path)).map_err(|source| {
        // Nobody else knows its name.
        let _ = std::fs::remove_file(&temporary);
        Error::failed(format!("cannot write {}", path.display())).caused_by(source)
    })
}

/// Writes to where a person says, whatever is there: the file that a link leads to is replaced, a pipe or a device is written
/// to.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::failed(format!("cannot write {}", path.display())).caused_by(source);
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(Error::usage(format!("{} is a folder", path.display()))),
        Ok(about) if about.is_file() => replace(&real(path), bytes),
        Ok(_) => output::write(path, bytes).map_err(|source| {
            let is_cut_off = output::is_cut_off(&source);
            if is_cut_off { Error::interrupted().about(path.display().to_string()) } else { failed(source) }
        }),
        Err(_) => replace(path, bytes),
    }
}

/// Where a link leads to: the file there is replaced, and the link stays.
pub fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Removes what a process that was killed in [`replace`] has left; for whoever holds the file's lock.
pub fn sweep(path: &Path) {
    let prefix = temporary_prefix(path);
    let entries = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            // It is of no use to anyone, and the next change tries again.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn temporary_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
