//! The lines of a shell, kept in a file for each place where it acts, which running shells share. No secret is in it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::{files, paths};
use crate::error::{Error, Result};

/// Lines that are kept.
pub const MOST_LINES: usize = 10_000;

/// So many lines more are borne with before a file is made shorter.
const SLACK: usize = 1_000;

/// The lines, the oldest first, and the file that they are kept in.
pub struct History {
    path: PathBuf,
    lines: VecDeque<String>,
    /// How far the file has been read, and which one that was.
    read: u64,
    inode: u64,
    /// How often all of it was forgotten.
    pub cleared: usize,
}

impl History {
    /// Of a place, by its name. What others have kept is there. Errors: the file is not ours, or cannot be read.
    pub fn of(place: &str) -> Result<Self> {
        let folder = paths::state()?.join("history");
        files::private_folder(&folder)?;
        // Two places are never one file.
        let name =
            |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.into() } else { format!("_{:x}_", u32::from(c)) };
        let path = folder.join(place.chars().map(name).collect::<String>());
        let mut history = History { path, lines: VecDeque::new(), read: 0, inode: 0, cleared: 0 };
        history.news()?;
        Ok(history)
    }

    /// The lines, the oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Adds a line, which holds no secret. Gives those that other shells have kept since.
    pub fn add(&mut self, line: &str) -> Result<Vec<String>> {
        let line = line.trim();
        let (mut file, news) = self.locked()?;
        if self.lines.back().is_none_or(|last| last != line) {
            file.write_all(format!("{}\n", escaped(line)).as_bytes()).map_err(|source| self.failed(source))?;
            self.read = file.metadata().map_err(|source| self.failed(source))?.len();
        }
        self.put(line.to_owned());
        Ok(news)
    }

    /// What other shells have kept since.
    pub fn news(&mut self) -> Result<Vec<String>> {
        self.locked().map(|(_, news)| news)
    }

    /// Forgets all of it, the file's lines as well.
    pub fn clear(&mut self) -> Result<()> {
        self.lines.clear();
        let (file, _) = self.locked()?;
        self.lines.clear();
        (self.read, self.cleared) = (0, self.cleared + 1);
        file.set_len(0).map_err(|source| self.failed(source))
    }

    /// The last line that begins so.
    pub fn last(&self, beginning: &str) -> Option<&str> {
        self.lines().rev().find(|line| line.starts_with(beginning))
    }

    fn put(&mut self, line: String) {
        if self.lines.len() >= MOST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The file, held alone, and what is new in it.
    fn locked(&mut self) -> Result<(File, Vec<String>)> {
        let mut file = loop {
            let file = open(&self.path).map_err(|source| self.failed(source))?;
            file.lock().map_err(|source| self.failed(source))?;
            let about = file.metadata().map_err(|source| self.failed(source))?;
            if !about.is_file() || about.uid() != rustix::process::getuid().as_raw() {
                return Err(Error::failed(format!("{} is not a file of yours: no line is kept", self.path.display())));
            }
            // Another shell may have put a shorter one in its place meanwhile.
            if std::fs::metadata(&self.path).is_ok_and(|now| now.ino() == about.ino()) {
                break file;
            }
        };
        let about = file.metadata().map_err(|source| self.failed(source))?;
        if about.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600)).map_err(|source| self.failed(source))?;
        }
        if about.ino() != self.inode {
            let is_first = self.inode == 0;
            // Of a file that was made shorter all is known.
            self.read = if is_first { 0 } else { about.len() };
            self.inode = about.ino();
        } else if about.len() < self.read {
            // Another shell has forgotten all of it.
            self.lines.clear();
            (self.read, self.cleared) = (0, self.cleared + 1);
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.read))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(|source| self.failed(source))?;
        self.read += bytes.len() as u64;
        if bytes.last().is_some_and(|byte| *byte != b'\n') {
            // A line that was cut off by whatever ended its shell.
            file.write_all(b"\n").map_err(|source| self.failed(source))?;
            self.read += 1;
        }
        // What is no text is nobody's line.
        let whole = bytes.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        let news: Vec<String> =
            whole.filter(|line| !line.is_empty() && !line.starts_with("#V")).map(unescaped).collect();
        let is_long = news.len() > MOST_LINES + SLACK;
        news.iter().cloned().for_each(|line| self.put(line));
        if is_long {
            file = self.shorten(&file)?;
        }
        Ok((file, news))
    }

    /// Puts a file with the last lines in the place of one that is too long.
    fn shorten(&mut self, _held: &File) -> Result<File> {
        let lines: Vec<String> = self.lines.iter().map(|line| escaped(line)).collect();
        files::replace(&self.path, format!("{}\n", lines.join("\n")).as_bytes())?;
        let file = open(&self.path).map_err(|source| self.failed(source))?;
        file.lock().map_err(|source| self.failed(source))?;
        let about = file.metadata().map_err(|source| self.failed(source))?;
        (self.inode, self.read) = (about.ino(), about.len());
        Ok(file)
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::failed(format!("cannot keep lines in {}", self.path.display())).caused_by(source)
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().mode(0o600).custom_flags(NO_FOLLOW).read(true).append(true).create(true).open(path)
}

/// A link leads to what is not ours, and a pipe would be waited for.
const NO_FOLLOW: i32 = (rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()).cast_signed();

fn escaped(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(next) = characters.next() {
        match (next, next == '\\') {
            (_, true) => match characters.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            (other, false) => text.push(other),
        }
    }
    text
}
