//! What is written to a pipe or a device: waited for until it is taken, or until Ctrl-C.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{GLANCE, is_interrupted};

/// Writes all of it. Errors: nobody reads it; Ctrl-C came.
pub fn write(path: &Path, mut bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().write(true).custom_flags(flags).open(path)?;
    while !bytes.is_empty() {
        if is_interrupted() {
            return Err(io::Error::other("it was interrupted"));
        }
        match rustix::io::write(&file, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::AGAIN | Errno::INTR) => {
                // Whether it is taken by then, writing tells.
                let _ = poll(&mut [PollFd::new(&file, PollFlags::OUT)], Some(&GLANCE));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
