//! Secrets and tokens that a command is given: from stdin, from a file, or where others can see them.

use std::path::Path;

use crate::error::Result;
use crate::grammar::Args;
use crate::secret::Secret;
use crate::ui::Ui;
use crate::ui::input::Input;

/// From stdin, or typed in unseen where that is a terminal. `what` names it.
pub fn from_stdin(ui: Ui, what: &str) -> Result<Secret> {
    match ui.typed_unseen(what) {
        Some(typed) => typed,
        None => Secret::read(Input::Stdin, what, "stdin"),
    }
}

/// From a file. `what` names it.
pub fn from_file(path: &str, what: &str) -> Result<Secret> {
    Secret::read_file(Path::new(path), what)
}

/// Warns of one that was given as an argument, and says what to give `instead`.
pub fn warn_of_argv(args: &Args, ui: Ui, what: &str, instead: &str) {
    // A line of the shell is in no list of processes.
    if args.from_argv {
        ui.warn(&format!(
            "other users of this machine can read {what} in the list of processes: {instead} to keep it to yourself"
        ));
    }
}
