//! Texts that are made in one step of a script, in which nobody else looks at what that takes, or whether the script goes on.

use std::fmt;
use std::io;

use rhai::EvalAltResult;

use crate::script::errors::ScriptResult;
use crate::script::value::{has_room, too_much, within_budget};

/// A text that is being made. What is written to it fails where the script is to end, or would take more than it may.
#[derive(Default)]
pub struct Made {
    bytes: Vec<u8>,
    /// How many were written since it was looked whether the script goes on.
    unseen: usize,
}

/// After so many bytes that is looked at.
const GLANCE: usize = 64 * 1024;

/// The text that is written. Errors: those of whoever writes it.
pub fn made(write: impl FnOnce(&mut Made) -> ScriptResult<()>) -> ScriptResult<String> {
    let mut out = Made::default();
    write(&mut out).map(|()| out.text())
}

/// Why something could not be written.
#[expect(clippy::unnecessary_box_returns, reason = "it is what Rhai functions fail with")]
pub fn unwritten<E>(_: E) -> Box<EvalAltResult> {
    too_much()
}

impl Made {
    /// What was written.
    pub fn text(self) -> String {
        // Whoever writes bytes writes those of a text.
        String::from_utf8(self.bytes).unwrap_or_default()
    }

    /// So many bytes are to come. Errors: they would be too much.
    pub fn reserve(&mut self, more: usize) -> fmt::Result {
        if !has_room(self.bytes.len().saturating_add(more)) {
            return Err(fmt::Error);
        }
        self.bytes.reserve_exact(more);
        Ok(())
    }

    fn put(&mut self, part: &[u8]) -> fmt::Result {
        self.unseen += part.len();
        if self.unseen >= GLANCE {
            self.unseen = 0;
            within_budget().map_err(|_| fmt::Error)?;
        }
        if self.bytes.capacity() - self.bytes.len() < part.len() {
            let (length, due) = (self.bytes.len(), part.len());
            // Where there is no room for twice as much, some more may do.
            self.reserve(due.max(length)).or_else(|_| self.reserve(due.saturating_add(length / 8)))?;
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }
}

impl fmt::Write for Made {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.put(part.as_bytes())
    }
}

impl io::Write for Made {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.put(part).map(|()| part.len()).map_err(|_| io::ErrorKind::OutOfMemory.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
