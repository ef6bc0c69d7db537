//! Files that a person names, `-` for stdin: whole, bounded, as UTF-8.

use std::fs::OpenOptions;
use std::io::{Error as IoError, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::{Error, Result};
use crate::text::safe;
use crate::ui::input::Input;

/// The most bytes of a file that holds one thing.
pub const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The most bytes of a file that holds many clients: 100,000 of them and more.
const MOST_OF_CLIENTS: u64 = 256 * 1024 * 1024;

/// What a file is called in messages.
pub fn name(file: &str) -> &str {
    if file == "-" { "stdin" } else { file }
}

/// What some editors begin a file with.
const MARK: char = '\u{feff}';

/// Reads a file, or stdin, of at most 4 MiB of UTF-8.
///
/// Errors are of usage: it cannot be opened, is larger, or holds at some byte what is no UTF-8.
pub fn text(file: &str) -> Result<String> {
    let mut text = at_most(file, MOST_BYTES)?;
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}

/// The same for a file of many clients, of at most 256 MiB.
pub fn clients(file: &str) -> Result<String> {
    at_most(file, MOST_OF_CLIENTS)
}

/// The same for a script, which has no more memory than for so many bytes of a file.
pub fn within(file: &str, most: u64) -> Result<String> {
    let is_bounded = most < MOST_OF_CLIENTS;
    let read = at_most(file, most.min(MOST_OF_CLIENTS));
    read.map_err(|error| {
        if is_bounded && error.code() == Some(TOO_LARGE) {
            error.hint("--memory gives it more, up to 256 MiB of a file")
        } else {
            error
        }
    })
}

/// The most bytes of a file by which a repository or this user says what counts.
const MOST_OF_SETTINGS: u64 = 1024 * 1024;

/// Reads a regular file that somebody else may have put there, and at most a byte more than `most`: a link is not followed, a pipe not
/// waited for.
pub fn regular(path: &Path, most: u64) -> Result<Vec<u8>, IoError> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(IoError::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What stands in such a file of at most 1 MiB of UTF-8; `None` where it is not there. Errors are of usage.
pub fn settings(path: &Path) -> Result<Option<String>> {
    let shown = path.display().to_string();
    let failed = |source| Error::usage(format!("cannot read {}", safe(&shown))).caused_by(source);
    let bytes = match regular(path, MOST_OF_SETTINGS) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    if bytes.len() as u64 > MOST_OF_SETTINGS {
        return Err(Error::usage(format!("{} is larger than 1 MiB", safe(&shown))).with_code(TOO_LARGE));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| Error::usage(format!("{} is not UTF-8", safe(&shown))))
}

/// The code of an error that says that a file is larger than it may be.
const TOO_LARGE: &str = "too_large";

/// Opens a file, or stdin. Errors are of usage.
pub fn open(file: &str) -> Result<Input> {
    if file == "-" {
        return Ok(Input::Stdin);
    }
    let failed = |source| Error::usage(format!("cannot open {}", safe(file))).caused_by(source);
    let input = Input::open(file).map_err(failed)?;
    let is_folder = input.file().is_some_and(|file| file.metadata().is_ok_and(|about| about.is_dir()));
    if is_folder { Err(Error::usage(format!("{} is a folder", safe(file)))) } else { Ok(input) }
}

fn at_most(file: &str, most: u64) -> Result<String> {
    let name = name(file);
    let reader = open(file)?;
    // What grows as it comes is copied over and over.
    let expected = std::fs::metadata(file).map_or(0, |found| found.len().min(most));
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    reader
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::usage(format!("cannot read {name}")).caused_by(source))?;
    if bytes.len() as u64 > most {
        let error = Error::usage(format!("{name} is larger than {} MiB", most / 1024 / 1024));
        return Err(error.with_code(TOO_LARGE));
    }
    String::from_utf8(bytes)
        .map_err(|source| Error::usage(format!("{name} is not UTF-8: byte {}", source.utf8_error().valid_up_to() + 1)))
}
