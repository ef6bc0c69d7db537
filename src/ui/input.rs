//! What is read from a person, a pipe or a file: waited for until it comes, or until Ctrl-C.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::termios::{QueueSelector, isatty, tcflush};

use super::{GLANCE, NO_TIME, is_interrupted, thinking};

/// A source of bytes that Ctrl-C ends the waiting for.
pub enum Input {
    /// What the process was given; nothing of it is read ahead.
    Stdin,
    /// A file, a pipe, a device.
    File(File),
}

impl Input {
    /// Opens a file. A pipe is not waited for until somebody writes to it.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Input> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        File::options().read(true).custom_flags(flags).open(path).map(Input::File)
    }

    /// The terminal that the process belongs to, if any.
    pub fn terminal() -> Option<Input> {
        File::options().read(true).open("/dev/tty").ok().map(Input::File)
    }

    /// What is known of it.
    pub fn file(&self) -> Option<&File> {
        match self {
            Input::Stdin => None,
            Input::File(file) => Some(file),
        }
    }
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            // It lives as long as the process.
            Input::Stdin => rustix::stdio::stdin(),
            Input::File(file) => file.as_fd(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !is_there(&*self) {
                return Err(io::Error::other("it was interrupted"));
            }
            match rustix::io::read(&*self, &mut *buffer) {
                // Somebody else was first, or the pipe has no writer yet; or a signal came.
                Err(Errno::AGAIN | Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }
}

/// A line that is typed at a terminal; `None`: Ctrl-C, or its end, came instead.
pub fn line(input: &mut Input) -> Option<String> {
    let _thinking = thinking();
    let mut typed = Vec::new();
    let mut buffer = [0; 4096];
    while !typed.ends_with(b"\n") {
        // Ctrl-C is heard of on another thread, and what is typed right behind it is no answer.
        if is_there(&*input) {
            std::thread::sleep(HEARING);
        }
        match input.read(&mut buffer) {
            Ok(read) if read > 0 => typed.extend_from_slice(&buffer[..read]),
            ended => {
                // What comes next begins on a line of its own.
                super::Ui::default().line("");
                if typed.is_empty() || ended.is_err() {
                    return None;
                }
                break;
            }
        }
    }
    Some(String::from_utf8_lossy(&typed).trim_end_matches(['\n', '\r']).to_owned())
}

/// Until then Ctrl-C has been heard of.
const HEARING: Duration = Duration::from_millis(10);

/// So often more is looked for: what somebody holds a key for does not come to its end.
const MOST_GLANCES: usize = 20;

/// Discards what was typed at a terminal and not read, and what comes while it `waits`: what is pasted does for a moment still. True:
/// there was more than blank lines.
pub fn discard(input: &impl AsFd, waits: bool) -> bool {
    if !isatty(input) {
        return false;
    }
    let patience = if waits { GLANCE } else { NO_TIME };
    let (mut buffer, mut was_there) = ([0; 4096], false);
    for _ in 0..MOST_GLANCES {
        if !matches!(poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&patience)), Ok(1)) {
            break;
        }
        let Ok(read @ 1..) = rustix::io::read(input, &mut buffer) else { break };
        was_there |= !buffer[..read].trim_ascii().is_empty();
    }
    // A line that was not ended is no input yet.
    let _ = tcflush(input, QueueSelector::IFlush);
    was_there
}

/// Whether what an editor of lines has read ahead is not to be done any more.
static IS_STALE: AtomicBool = AtomicBool::new(false);

/// From now on it is not: it was typed before Ctrl-C, or may be what a question is not to be answered with.
pub fn make_stale() {
    IS_STALE.store(true, Ordering::SeqCst);
}

/// Whether it has come to that since this was asked last.
pub fn is_stale() -> bool {
    IS_STALE.swap(false, Ordering::SeqCst)
}

/// Waits until there is something to be read. False: Ctrl-C came instead.
fn is_there(input: &impl AsFd) -> bool {
    while !is_interrupted() {
        let mut polled = [PollFd::new(input, PollFlags::IN)];
        match poll(&mut polled, Some(&GLANCE)) {
            Ok(0) | Err(Errno::INTR) => {}
            // Where that cannot be asked, reading tells.
            Ok(_) | Err(_) => return !is_interrupted(),
        }
    }
    false
}
