//! What is longer than the screen goes through a pager.

use std::io::{self, ErrorKind, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use memchr::memchr_iter;

use crate::env;
use crate::session::interrupt;
use crate::shell::pipe::ended;
use crate::ui::{self, Ui, output};

/// What is shown, held back until it is known whether it fits.
pub struct Pager {
    ui: Ui,
    held: Vec<u8>,
    lines: usize,
    program: Option<(Child, ChildStdin)>,
    /// What the program was given, for as long as it may not have begun to read.
    given: Vec<u8>,
    /// Whether there is no pager to be had.
    is_plain: bool,
}

/// So much a pipe takes that nobody reads.
const PIPE: usize = 64 * 1024;

/// What `sh` ends with where a program is not there, or cannot be run.
const NOT_RUN: [i32; 2] = [126, 127];

impl Pager {
    /// Nothing yet.
    pub fn new(ui: Ui) -> Self {
        Pager { ui, held: Vec::new(), lines: 0, program: None, given: Vec::new(), is_plain: false }
    }

    /// Shows what is held back still, and waits until the person has seen enough.
    pub fn finish(mut self) -> io::Result<()> {
        if self.program.is_some() {
            return self.end().map(drop);
        }
        let held = std::mem::take(&mut self.held);
        self.ui.stdout().write_all(&held)
    }

    /// Waits for the pager. Whether there was none after all: then what it was given is shown without.
    fn end(&mut self) -> io::Result<bool> {
        let Some((mut child, stdin)) = self.program.take() else { return Ok(false) };
        drop(stdin);
        let _thinking = ui::thinking();
        let status = ended(&mut child).map_err(io::Error::other)?;
        self.is_plain = status.code().is_some_and(|code| NOT_RUN.contains(&code)) && self.given.len() <= PIPE;
        let given = std::mem::take(&mut self.given);
        if self.is_plain {
            self.ui.stdout().write_all(&given)?;
        }
        Ok(self.is_plain)
    }

    /// Begins the pager, and gives it what was held back. What cannot be begun is gone without.
    fn begin(&mut self) -> io::Result<()> {
        let wanted = env::PAGER.get().unwrap_or_else(|| "less".into());
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec {wanted}")).stdin(Stdio::piped());
        if env::LESS.get().is_none() {
            // Lines are not broken, colours stay, what fits is only shown, and the screen is left as it is.
            command.env(env::LESS.name, "SRXF");
        }
        let begun = command.spawn().ok().and_then(|mut child| Some((child.stdin.take()?, child)));
        let held = std::mem::take(&mut self.held);
        let Some((stdin, child)) = begun else {
            self.is_plain = true;
            return self.ui.stdout().write_all(&held);
        };
        self.program = Some((child, stdin));
        self.write_all(&held)
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, stdin)) = &mut self.program {
            let thinking = ui::thinking();
            // Ctrl-C is for the pager, which may go on.
            let written = output::give(stdin, bytes, interrupt::is_to_end);
            drop(thinking);
            return match written {
                Ok(()) => {
                    // Once it has been given more it has read some.
                    if self.given.len() <= PIPE {
                        self.given.extend_from_slice(bytes);
                    }
                    Ok(bytes.len())
                }
                Err(error) if error.kind() == ErrorKind::BrokenPipe && self.end()? => self.write(bytes),
                Err(error) => Err(error),
            };
        }
        if self.is_plain {
            return self.ui.stdout().write(bytes);
        }
        self.held.extend_from_slice(bytes);
        self.lines += memchr_iter(b'\n', bytes).count();
        // The prompt comes below.
        if self.lines >= ui::rows().unwrap_or(usize::MAX) {
            self.begin()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.program {
            Some((_, stdin)) => stdin.flush(),
            None => Ok(()),
        }
    }
}
