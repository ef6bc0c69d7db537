//! The lines that were typed in this shell, and those that are kept for the place where it acts.

use crate::error::{Error, Result};
use crate::shell::history::History;
use crate::text::safe;

/// What can be done again.
#[derive(Default)]
pub struct Typed {
    /// Those of the place; none off a terminal, or where they cannot be kept.
    pub history: Option<History>,
    /// Those of this shell, wherever it acted, the last one last; nothing stands for one that is not kept.
    here: Vec<Option<String>>,
}

impl Typed {
    /// Another one was typed; `is_kept`: it may be shown again.
    pub fn add(&mut self, line: &str, is_kept: bool) {
        if !line.trim().is_empty() {
            self.here.push(is_kept.then(|| line.trim().to_owned()));
        }
    }

    /// Forgets those of this shell.
    pub fn clear(&mut self) {
        self.here.clear();
    }

    /// The last one of this shell: what others have typed is not done by mistake. Errors: there is none, or it is not kept.
    pub fn last(&self) -> Result<String> {
        Self::kept(self.here.last())
    }

    /// The last one before lines that are this one.
    pub fn before(&self, this: &str) -> Result<String> {
        Self::kept(self.here.iter().rev().find(|line| line.as_deref() != Some(this)))
    }

    fn kept(line: Option<&Option<String>>) -> Result<String> {
        match line {
            Some(Some(line)) => Ok(line.clone()),
            Some(None) => Err(Error::usage("the line before this one is not kept: type it again")),
            None => Err(Error::usage("no line was typed in this shell before this one").hint(
                "Up goes through those of before, Ctrl-R searches them, `!text` does the last one that begins so",
            )),
        }
    }

    /// The last one that begins so, of this shell rather than of the place.
    pub fn beginning(&self, beginning: &str) -> Result<String> {
        let here = self.here.iter().rev().flatten().map(String::as_str).find(|line| line.starts_with(beginning));
        let found = here.or_else(|| self.history.as_ref()?.last(beginning));
        found.map(str::to_owned).ok_or_else(|| Error::usage(format!("no line begins with `{}`", safe(beginning))))
    }
}
