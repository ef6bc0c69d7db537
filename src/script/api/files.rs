//! Files of the user: read, written whole, listed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rhai::Array;

use crate::config::{files, read};
use crate::error::{Error, Result};
use crate::ops::dry_run::would;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::secret::Secret;
use crate::text::safe;
use crate::ui::Mark;

/// Registers the module.
pub fn register(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("fs", "read(path) -> text"),
        ("What is in a file; `-` is stdin", r#"fs::write("x.txt", "a text"); fs::read("x.txt")"#),
        move |path: &str| bound.readable(path).and_then(|path| read::within(&path, bound.most_read())).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "write(path, text)"),
        (
            "Writes a file, whole, in the place of what was there; its owner alone can read it; `-` is stdout",
            r#"fs::write("x.txt", "a text")"#,
        ),
        move |path: &str, text: &str| write(&bound, path, text.as_bytes()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "write(path, secret)"),
        (
            "Writes a secret into a file that its owner alone can read",
            r#"fs::write("x.secret", clients::create(#{}).client_secret)"#,
        ),
        move |path: &str, secret: Secret| write(&bound, path, secret.expose().as_bytes()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "exists(path) -> bool"),
        ("Whether there is a file or a folder", r#"fs::exists("no-such-file")"#),
        move |path: &str| bound.readable(path).map(|path| Path::new(&path).exists()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "list(folder) -> array"),
        ("The names in a folder, in their order", r#"fs::write("x.txt", ""); "x.txt" in fs::list(".")"#),
        move |path: &str| bound.readable(path).and_then(|path| names(&path)).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "remove(path)"),
        ("Removes a file, or a folder in which there is nothing", r#"fs::write("x.txt", ""); fs::remove("x.txt")"#),
        move |path: &str| remove(&bound, path).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "make_folder(path)"),
        (
            "Makes a folder and those above it, unless they are there; its owner alone can look into it",
            "fs::make_folder(fs::temp() + \"/a/b\")",
        ),
        move |path: &str| make_folder(&bound, path).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("fs", "temp() -> text"),
        (
            "The path of a new folder, which goes as the script ends, or the call into a plugin; its owner alone can look into it",
            "fs::exists(fs::temp())",
        ),
        move || {
            let path = std::env::temp_dir().join(format!("orysh-{}", uuid::Uuid::new_v4()));
            files::private_folder(&path).map_err(thrown)?;
            bound.temporary(path.clone());
            ScriptResult::Ok(path.display().to_string())
        },
    );
}

/// Writes a file, whole. Errors: it cannot be written.
pub fn write(context: &Context, path: &str, bytes: &[u8]) -> Result<()> {
    let path = &context.writable(path)?;
    if is_told(context, path, &format!("{} is written, {} bytes", safe(path), bytes.len()))? {
        return Ok(());
    }
    if path == "-" {
        context.print(&String::from_utf8_lossy(bytes));
        return Ok(());
    }
    files::write(Path::new(path), bytes)?;
    context.note_file(Path::new(path));
    Ok(())
}

/// Whether a change of a file is told instead of made. What goes with the script is written in a dry run as well.
fn is_told(context: &Context, path: &str, what: &str) -> Result<bool> {
    if context.is_temporary(Path::new(path)) {
        return Ok(false);
    }
    if context.session().dry_run().is_some() && path != "-" {
        rehearse(context, Path::new(path))?;
    }
    would(&context.session(), Mark::Changed, what)
}

/// Errors: it could not be written.
fn rehearse(context: &Context, path: &Path) -> Result<()> {
    let refused = |why: &str| Err(Error::failed(format!("cannot write {}: {why}", safe(&path.display().to_string()))));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match () {
        () if path.is_dir() => refused("it is a folder"),
        () if folder.is_dir() || context.would_have_made(folder) => Ok(()),
        () => refused(&format!("there is no folder {}", safe(&folder.display().to_string()))),
    }
}

/// Puts `text` at the end of a file, which is on disk when it returns; it is told whether the file is empty or was not there. Of
/// several that do so at once, each waits for its turn.
pub fn append(context: &Context, path: &str, text: impl Fn(bool) -> ScriptResult<String>) -> ScriptResult<()> {
    let is_empty = |about: &std::fs::Metadata| about.is_file() && about.len() == 0;
    let path = &context.writable(path).map_err(thrown)?;
    if context.session().dry_run().is_some() && !context.is_temporary(Path::new(path)) {
        let text = text(std::fs::metadata(path).as_ref().map_or(true, is_empty))?;
        return is_told(context, path, &format!("{} gets {} bytes more", safe(path), text.len()))
            .map(drop)
            .map_err(thrown);
    }
    let failed = |source| Error::failed(format!("cannot write {}", safe(path))).caused_by(source);
    let file = OpenOptions::new().mode(0o600).read(true).append(true).create(true).open(path);
    let file = file.and_then(|file| file.metadata().map(|about| (file, about)));
    let (mut file, about) = file.map_err(failed).map_err(thrown)?;
    if about.is_file() {
        file.lock().map_err(failed).map_err(thrown)?;
    }
    let about = file.metadata().map_err(failed).map_err(thrown)?;
    let text = text(is_empty(&about))?;
    put_below(&mut file, text.as_bytes()).map_err(failed).map_err(thrown)?;
    context.note_file(Path::new(path));
    Ok(())
}

fn put_below(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    // Of a row that was cut off by whatever ended the script before, the rest is not there.
    let begin: &[u8] = if last == *b"\n" { b"" } else { b"\n" };
    let length = file.metadata()?.len();
    file.write_all(&[begin, bytes].concat()).and_then(|()| file.sync_data()).inspect_err(|_| {
        // Half a row would make the whole file unreadable.
        let _ = file.set_len(length);
    })
}

fn remove(context: &Context, path: &str) -> Result<()> {
    let path = &context.writable(path)?;
    let failed = |source| Error::failed(format!("cannot remove {}", safe(path))).caused_by(source);
    // A link to a folder is no folder.
    let is_folder = std::fs::symlink_metadata(path).map_err(failed)?.is_dir();
    if would(&context.session(), Mark::Removed, &format!("{} is removed", safe(path)))? {
        return Ok(());
    }
    let removed = if is_folder { std::fs::remove_dir(path) } else { std::fs::remove_file(path) };
    removed.map_err(failed)
}

fn make_folder(context: &Context, path: &str) -> Result<()> {
    let path = &context.writable(path)?;
    if !Path::new(path).is_dir() && context.session().dry_run().is_some() {
        context.would_make(Path::new(path));
    }
    if Path::new(path).is_dir()
        || would(&context.session(), Mark::Added, &format!("the folder {} is made", safe(path)))?
    {
        return Ok(());
    }
    files::private_folder(Path::new(path))
}

fn names(path: &str) -> Result<Array> {
    let failed = |source| Error::usage(format!("cannot list {}", safe(path))).caused_by(source);
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.into_iter().map(Into::into).collect())
}
