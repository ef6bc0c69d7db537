//! What is longer than the screen goes through a pager.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use memchr::memchr_iter;

use crate::env;
use crate::ui::{self, Ui};

/// What is shown, held back until it is known whether it fits.
pub struct Pager {
    ui: Ui,
    held: Vec<u8>,
    lines: usize,
    program: Option<(Child, ChildStdin)>,
    /// Whether there is no pager to be had.
    is_plain: bool,
}

impl Pager {
    /// Nothing yet.
    pub fn new(ui: Ui) -> Self {
        Pager { ui, held: Vec::new(), lines: 0, program: None, is_plain: false }
    }

    /// Shows what is held back still, and waits until the person has seen enough.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some((mut child, stdin)) = self.program.take() {
            drop(stdin);
            return child.wait().map(drop);
        }
        let held = std::mem::take(&mut self.held);
        self.ui.stdout().write_all(&held)
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
        let Some((mut stdin, child)) = begun else {
            self.is_plain = true;
            return self.ui.stdout().write_all(&held);
        };
        let written = stdin.write_all(&held);
        self.program = Some((child, stdin));
        written
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, stdin)) = &mut self.program {
            return stdin.write(bytes);
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
