//! What a plugin consists of: files of a few kinds, read once. What was read is what is hashed, kept, compiled and run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::config::{files, read};
use crate::error::{Error, Result};
use crate::text::{hex, safe};

/// The file that says what a plugin is.
pub const MANIFEST: &str = "plugin.toml";

/// The file in which its hooks and commands are.
pub const MAIN: &str = "main.rhai";

/// So many files a plugin has at most.
const MOST_FILES: usize = 200;

/// So many bytes they are together at most.
const MOST_BYTES: u64 = 5 * 1024 * 1024;

/// What files are called that a plugin can have; others would be of no use to it.
const KINDS: [&str; 8] = ["toml", "rhai", "md", "txt", "json", "csv", "yaml", "asc"];
const NAMES: [&str; 3] = ["LICENSE", "NOTICE", "README"];

/// The files of a plugin, by their paths from its folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    files: BTreeMap<String, Vec<u8>>,
}

impl Content {
    /// Reads a folder. What begins with a dot is passed over.
    ///
    /// Errors are of usage: a link, a device, a file of another kind; too many of them, or too much in them.
    pub fn read(folder: &Path) -> Result<Content> {
        let mut content = Content { files: BTreeMap::new() };
        let mut bytes = 0;
        content.add(folder, "", &mut bytes)?;
        if !content.files.contains_key(MANIFEST) {
            return Err(Error::usage(format!("{} is no plugin: there is no {MANIFEST} in it", shown(folder))));
        }
        Ok(content)
    }

    fn add(&mut self, folder: &Path, below: &str, bytes: &mut u64) -> Result<()> {
        let failed = |source: std::io::Error| Error::usage(format!("cannot read {}", shown(folder))).caused_by(source);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let wrong = |why: &str| Error::usage(format!("{}: {why}", shown(&entry.path())));
            let name = name.to_str().ok_or_else(|| wrong("its name is not UTF-8"))?;
            if name.starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            let path = format!("{below}{name}");
            if kind.is_dir() {
                if below.matches('/').count() > 8 {
                    return Err(wrong("it lies too deep for a plugin"));
                }
                self.add(&entry.path(), &format!("{path}/"), bytes)?;
                continue;
            }
            if !kind.is_file() {
                return Err(wrong("a plugin has regular files, no links and no devices"));
            }
            let is_kind = Path::new(name).extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known));
            if !is_kind && !NAMES.contains(&name) {
                return Err(wrong("a plugin has no files of that kind").hint(format!("it has {}", KINDS.join(", "))));
            }
            if self.files.len() == MOST_FILES {
                return Err(Error::usage(format!("{} has more than {MOST_FILES} files", shown(folder))));
            }
            self.files.insert(path, file(&entry.path(), bytes)?);
        }
        Ok(())
    }

    /// The SHA-256 of all of it, in hex.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (path, bytes) in &self.files {
            // With their lengths, so that no two contents are the same text.
            for part in [path.as_bytes(), bytes] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    }

    /// The text of a file, if it is there. Errors: it is not UTF-8.
    pub fn text(&self, path: &str) -> Result<Option<&str>> {
        let Some(bytes) = self.files.get(path) else { return Ok(None) };
        std::str::from_utf8(bytes).map(Some).map_err(|_| Error::usage(format!("{path} is not UTF-8")))
    }

    /// Its files, in their order.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// Puts all of it into a new folder; whoever looks meanwhile sees none of it or all.
    pub fn write(&self, folder: &Path) -> Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let temporary = folder.with_file_name(format!(".{}", Uuid::new_v4()));
        let written = self.write_into(&temporary).and_then(|()| {
            fs::rename(&temporary, folder)
                .map_err(|source| Error::failed(format!("cannot make {}", folder.display())).caused_by(source))
        });
        if written.is_err() {
            // Nobody else knows its name.
            let _ = fs::remove_dir_all(&temporary);
        }
        // Another process was quicker.
        if folder.is_dir() { Ok(()) } else { written }
    }

    fn write_into(&self, folder: &Path) -> Result<()> {
        files::private_folder(folder)?;
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            path.parent().map_or(Ok(()), files::private_folder)?;
            files::write_new(&path, bytes)?;
        }
        Ok(())
    }
}

fn file(path: &Path, bytes: &mut u64) -> Result<Vec<u8>> {
    let failed = |source: std::io::Error| Error::usage(format!("cannot read {}", shown(path))).caused_by(source);
    // Whatever it was when the folder was looked at.
    let text = read::regular(path, MOST_BYTES - *bytes).map_err(failed)?;
    *bytes += text.len() as u64;
    if *bytes > MOST_BYTES {
        return Err(Error::usage(format!("{}: a plugin has at most 5 MiB", shown(path))));
    }
    Ok(text)
}

fn shown(path: &Path) -> String {
    safe(&path.display().to_string()).into_owned()
}
