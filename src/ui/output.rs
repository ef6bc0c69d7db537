//! What is written to stdout, a pipe or a device: waited for until it is taken, or until Ctrl-C.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{GLANCE, NO_TIME, is_interrupted};
use crate::error::{Error, Kind};

/// A pipe that takes anything takes this much without making its writer wait (POSIX).
const MOST_AT_ONCE: usize = 4096;

/// Whether an error of writing says that Ctrl-C came.
pub fn is_cut_off(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    inner.is_some_and(|inner| inner.kind() == Kind::Interrupted)
}

/// The error that says that.
pub fn cut_off() -> io::Error {
    io::Error::other(Error::interrupted())
}

/// Writes all of it. Errors: nobody reads it; Ctrl-C came.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().write(true).custom_flags(flags).open(path)?;
    write_to(&file, bytes, Duration::ZERO)
}

/// Tells a person: whoever is to be told why all ends has a moment to take it.
pub(super) fn tell(text: &str) {
    // Nobody is left to tell that nobody listens.
    let _ = write_to(io::stderr(), text.as_bytes(), MOMENT);
}

/// See [`tell`].
const MOMENT: Duration = Duration::from_millis(500);

/// Stdout, for results: what its reader takes at once is written even as Ctrl-C comes.
#[derive(Debug)]
pub(super) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_to(io::stdout(), bytes, Duration::ZERO).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `patience`: for how long it waits once Ctrl-C has come.
fn write_to(file: impl AsFd, bytes: &[u8], patience: Duration) -> io::Result<()> {
    let mut since: Option<Instant> = None;
    give(file, bytes, || is_interrupted() && since.get_or_insert_with(Instant::now).elapsed() >= patience)
}

/// Writes all of it, unless it is over before a reader has taken it. Errors: it is; nobody reads it.
pub fn give(file: impl AsFd, mut bytes: &[u8], mut is_over: impl FnMut() -> bool) -> io::Result<()> {
    while !bytes.is_empty() {
        let is_ready = |time| poll(&mut [PollFd::new(&file, PollFlags::OUT)], Some(time)).is_ok_and(|ready| ready > 0);
        if !is_ready(&NO_TIME) {
            if is_over() {
                return Err(cut_off());
            }
            if !is_ready(&GLANCE) {
                continue;
            }
        }
        match rustix::io::write(&file, &bytes[..bytes.len().min(MOST_AT_ONCE)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
