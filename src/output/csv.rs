//! CSV (RFC 4180, with line feeds): scalars as they are, `null` as nothing, lists and objects as JSON.
//!
//! A value that a spreadsheet would take for a formula stays as it is: what is exported can be imported again.

use std::borrow::Cow;

use serde_json::Value;
use zeroize::Zeroizing;

use super::outcome::{Body, Id, Trailer};
use super::render::{Clear, Formatter, Progress};
use crate::error::{Error, Result};
use crate::text;

pub(super) struct Csv {
    members: Vec<Cow<'static, str>>,
    on_screen: bool,
    started: bool,
}

impl Csv {
    /// `members` are the columns; none: those of the first row.
    pub(super) fn new(members: Vec<Cow<'static, str>>, on_screen: bool) -> Self {
        Csv { members, on_screen, started: false }
    }

    fn start(&mut self, first: Option<&Value>, text: &mut String) -> Result<()> {
        if self.members.is_empty() {
            self.members = match first {
                Some(Value::Object(row)) => row.keys().map(|name| name.clone().into()).collect(),
                Some(_) => vec!["id".into()],
                None => return Ok(()),
            };
        }
        self.started = true;
        self.record(self.members.iter().map(AsRef::as_ref), text)
    }

    fn record<'a>(&self, cells: impl Iterator<Item = &'a str>, text: &mut String) -> Result<()> {
        let broken = |error: csv::Error| Error::failed("cannot write a row as CSV").caused_by(error);
        let mut writer = csv::Writer::from_writer(Vec::new());
        for cell in cells {
            let shown = if self.on_screen { text::escaped(cell) } else { cell.into() };
            writer.write_field(shown.as_bytes()).map_err(broken)?;
        }
        writer.write_record(None::<&[u8]>).map_err(broken)?;
        let bytes = writer.into_inner().map_err(|error| broken(error.into_error().into()))?;
        text.push_str(&String::from_utf8_lossy(&Zeroizing::new(bytes)));
        Ok(())
    }
}

impl Formatter for Csv {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        let value = Clear::of(&body);
        if !self.started {
            self.start(Some(&value.0), text)?;
        }
        let cells: Vec<_> = match &value.0 {
            Value::Object(row) => self.members.iter().map(|name| cell(row.get(name.as_ref()))).collect(),
            // A row that is nothing but an id stands in the first column.
            other => self.members.iter().enumerate().map(|(at, _)| cell((at == 0).then_some(other))).collect(),
        };
        self.record(cells.iter().map(|cell| cell.as_str()), text)?;
        Ok(Progress::Written)
    }

    fn end(&mut self, _: Option<Trailer>, text: &mut String) -> Result<()> {
        if self.started { Ok(()) } else { self.start(None, text) }
    }
}

fn cell(value: Option<&Value>) -> Zeroizing<String> {
    Zeroizing::new(match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    })
}
