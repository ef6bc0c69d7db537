//! `--quiet`: ids, one a line.

use super::outcome::{Body, Trailer};
use super::render::{Formatter, Progress};
use crate::error::Result;
use crate::text;

pub(super) struct Quiet;

impl Formatter for Quiet {
    fn row(&mut self, _: Body, id: Option<&str>, text: &mut String) -> Result<Progress> {
        if let Some(id) = id {
            // Escaped in a pipe too: one line is one id.
            text.push_str(&text::safe(id));
            text.push('\n');
        }
        Ok(Progress::Written)
    }

    fn end(&mut self, _: Option<Trailer>, _: &mut String) -> Result<()> {
        Ok(())
    }
}
