//! What is written to stdout, a pipe or a device: waited for until it is taken, or until Ctrl-C.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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

fn cut_off() -> io::Error {
    io::Error::other(Error::interrupted())
}

/// Writes all of it. Errors: nobody reads it; Ctrl-C came.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().write(true).custom_flags(flags).open(path)?;
    write_to(&file, bytes)
}

/// Stdout, for results: what its reader takes at once is written even as Ctrl-C comes, but nothing after it.
#[derive(Debug, Default)]
pub(super) struct Stdout {
    is_over: bool,
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_over {
            return Err(cut_off());
        }
        self.is_over = is_interrupted();
        write_to(io::stdout(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_to(file: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let is_ready = |time| poll(&mut [PollFd::new(&file, PollFlags::OUT)], Some(time)).is_ok_and(|ready| ready > 0);
        if !is_ready(&NO_TIME) {
            if is_interrupted() {
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
