//! Where what a command shows goes: to stdout, into a file, to a program.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Kind, Result};
use crate::session::interrupt;
use crate::text::safe;
use crate::ui::{self, output};

/// A place that is open.
pub enum Pipe {
    /// A file; what is flushed to it is on disk.
    File(File),
    /// A program that `sh` started.
    Program(Child, Option<ChildStdin>),
}

impl Pipe {
    /// A file of which nothing is there yet, or nothing in it, unless `over` says so; 0600 where it is new. Errors are of usage.
    pub fn file(path: &str, over: bool) -> Result<Self> {
        let is_full = std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0);
        if is_full && !over {
            let error = Error::usage(format!("{} is there already, and may hold a secret", safe(path)));
            return Err(error.hint("`>>` writes below what is in it, `>|` in its place"));
        }
        Pipe::open(path, OpenOptions::new().write(true).create(true).truncate(true))
    }

    /// A file, below what is in it.
    pub fn below(path: &str) -> Result<Self> {
        Pipe::open(path, OpenOptions::new().append(true).create(true))
    }

    fn open(path: &str, how: &mut OpenOptions) -> Result<Self> {
        if Path::new(path).is_dir() {
            return Err(Error::usage(format!("{} is a folder", safe(path))));
        }
        let failed = |source| Error::usage(format!("cannot write {}", safe(path))).caused_by(source);
        how.mode(0o600).open(path).map(Pipe::File).map_err(failed)
    }

    /// A program, as `sh` reads it, with these variables.
    pub fn program(line: &str, values: Vec<(String, String)>) -> Result<Self> {
        let failed = |source| Error::failed("cannot start sh").caused_by(source);
        let mut child =
            Command::new("sh").arg("-c").arg(line).envs(values).stdin(Stdio::piped()).spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        Ok(Pipe::Program(child, stdin))
    }

    /// Ends it. Errors: the program ended with another exit code than 0, which it has told of itself.
    pub fn close(self) -> Result<()> {
        let Pipe::Program(mut child, stdin) = self else { return Ok(()) };
        drop(stdin);
        let status = ended(&mut child)?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => {
                let code = u8::try_from(code).unwrap_or(1);
                Err(Error::new(Kind::Exit(code), format!("the program ended with {code}")).already_told())
            }
            None => Err(Error::failed(format!("the program was ended: {status}"))),
        }
    }
}

/// How long a program that is told to end may take.
const GRACE: Duration = Duration::from_millis(500);

/// So often, at most, it is looked whether one has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits for a program. Errors: the shell is to end, and so is the program.
pub fn ended(child: &mut Child) -> Result<ExitStatus> {
    let failed = |source| Error::failed("cannot wait for the program").caused_by(source);
    let (mut pause, mut told) = (Duration::from_millis(1), None::<Instant>);
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return if told.is_some() { Err(Error::interrupted()) } else { Ok(status) };
        }
        match told {
            None if interrupt::is_to_end() => {
                told = Some(Instant::now());
                let _ = kill_process(Pid::from_child(child), Signal::TERM);
            }
            Some(since) if since.elapsed() > GRACE => return Err(Error::interrupted()),
            _ => {}
        }
        thread::sleep(pause);
        pause = GLANCE.min(pause * 2);
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Pipe::File(file) => file.write(bytes),
            Pipe::Program(_, Some(stdin)) => output::give(stdin, bytes, ui::is_interrupted).map(|()| bytes.len()),
            Pipe::Program(_, None) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            // A pipe or a device has no disk.
            Pipe::File(file) => file.sync_data().or_else(|error| match error.raw_os_error() {
                Some(22) => Ok(()),
                _ => Err(error),
            }),
            Pipe::Program(_, Some(stdin)) => stdin.flush(),
            Pipe::Program(_, None) => Ok(()),
        }
    }
}
