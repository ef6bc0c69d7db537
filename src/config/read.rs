//! Files that a person names, `-` for stdin: whole, bounded, as UTF-8.

use std::fs::File;
use std::io::Read;

use crate::error::{Error, Result};

/// The most bytes of a file that is read as a whole.
pub const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What a file is called in messages.
pub fn name(file: &str) -> &str {
    if file == "-" { "stdin" } else { file }
}

/// Reads a file, or stdin, of at most 4 MiB of UTF-8.
///
/// Errors are of usage: it cannot be opened, is larger, or holds at some byte what is no UTF-8.
pub fn text(file: &str) -> Result<String> {
    let name = name(file);
    let reader: Box<dyn Read> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = File::open(file);
        Box::new(opened.map_err(|source| Error::usage(format!("cannot open {file}")).caused_by(source))?)
    };
    let mut bytes = Vec::new();
    reader
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::usage(format!("cannot read {name}")).caused_by(source))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::usage(format!("{name} is larger than {} MiB", MOST_BYTES / 1024 / 1024)));
    }
    String::from_utf8(bytes)
        .map_err(|source| Error::usage(format!("{name} is not UTF-8: byte {}", source.utf8_error().valid_up_to() + 1)))
}
