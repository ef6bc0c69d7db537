//! `--quiet`: ids, one a line.

use super::outcome::{Body, Id, Trailer};
use super::render::{Formatter, Progress};
use crate::error::Result;
use crate::text;

pub(super) struct Quiet;

impl Formatter for Quiet {
    fn row(&mut self, body: Body, id: &Id, text: &mut String) -> Result<Progress> {
        if let Some(id) = id.of(&body) {
            // In a pipe too: one line is one id, and reads back as it.
            text.push_str(&text::to_line(id));
            text.push('\n');
        }
        Ok(Progress::Written)
    }

    fn end(&mut self, _: Option<Trailer>, _: &mut String) -> Result<()> {
        Ok(())
    }
}
