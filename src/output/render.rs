//! The one loop that pulls rows, writes them, and only then tells that they were written.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::csv::Csv;
use super::env::Env;
use super::format::Format;
use super::json::{Json, Jsonl};
use super::outcome::{Body, Id, Outcome, Pending, Rendered, Shape, Trailer};
use super::path::Picked;
use super::quiet::Quiet;
use super::table;
use super::yaml::Yaml;
use crate::error::{Error, Result};
use crate::ui::output;

/// Text is handed to the writer when there is this much of it.
const BUFFER: usize = 64 * 1024;

/// No row that was written waits for others longer than this, once the next one is there.
const PATIENCE: Duration = Duration::from_millis(50);

/// What the writer is like.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property by itself")]
pub struct Screen {
    /// The width in columns, where a terminal has one.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: bool,
    /// Whether a person reads it as it is: what could move the cursor is escaped.
    pub is_terminal: bool,
    /// Whether nobody reads it.
    pub is_discarded: bool,
    /// Whether each row of a table is shown as lines of name and value.
    pub is_expanded: bool,
    /// How all columns are shown where some are hidden; empty: there is no such way.
    pub all_by: &'static str,
    /// Whether the rows of a table tell times from now on, as `2 hours ago`.
    pub tells_ages: bool,
}

/// One format: takes rows, appends text.
pub(super) trait Formatter {
    /// Takes a row; tells whether all rows so far are in `text` now, or are held back.
    fn row(&mut self, body: Body, id: &Id, text: &mut String) -> Result<Progress>;

    /// After the last row: what is still missing.
    fn end(&mut self, trailer: Option<Trailer>, text: &mut String) -> Result<()>;

    /// Instead of rows, where there is none and nothing went wrong.
    fn none(&mut self, _text: &mut String) {}

    /// Before a wait, and when a list breaks off: shows what is held back, if it can be shown without the rest.
    fn pause(&mut self, _text: &mut String) -> Progress {
        Progress::Held
    }
}

/// Where a row is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// It, and all before it, are in the text.
    Written,
    /// It will be in the text later.
    Held,
}

/// Pulls the rows of `outcome` and writes them to `out`.
///
/// What is kept on disk for a row is let go of once its bytes, with the secret in them, were written and flushed without
/// error, and never otherwise.
/// An error in the place of a row goes to `on_failure` and into [`Rendered::failures`]; in a list it ends the list.
///
/// # Errors
/// The error that ended a list; a path that matched nothing; a writer that failed. A closed pipe is an error only if
/// a row for which something is kept could not be written; then [`io::ErrorKind::BrokenPipe`] is its source.
pub fn render(
    mut outcome: Outcome,
    format: &Format,
    quiet: bool,
    screen: &Screen,
    out: &mut dyn Write,
    on_failure: &mut dyn FnMut(&Error),
) -> Result<Rendered> {
    if !quiet {
        format.fits(outcome.shape).map_err(&outcome.broken_off)?;
        if let (true, Format::Path(query)) = (outcome.writes, format) {
            query.reaches(&outcome)?;
        }
    }
    let formatter = formatter(&outcome, format, quiet, screen);
    let sink =
        Sink { out, text: Zeroizing::new(String::new()), flushed: None, eager: screen.is_terminal, wipes: false };
    let mut run = Run {
        formatter,
        sink,
        due: Vec::new(),
        waiting: 0,
        is_read: !screen.is_discarded,
        rendered: Rendered::default(),
        on_failure,
    };
    let Err(stop) = run.pull(&mut outcome) else { return Ok(run.rendered) };
    let is_closed = matches!(&stop, Stop::Write(error) if error.kind() == io::ErrorKind::BrokenPipe);
    let error = match stop {
        Stop::Error(error) => error,
        Stop::Write(error) if output::is_cut_off(&error) => Error::interrupted(),
        Stop::Write(error) => Error::failed("cannot write the result").caused_by(error),
    };
    let error = (outcome.broken_off)(run.otherwise(error));
    // Whoever has read enough misses nothing but what is kept.
    if is_closed && error.hints().is_empty() { Ok(run.rendered) } else { Err(error) }
}

fn formatter(outcome: &Outcome, format: &Format, quiet: bool, screen: &Screen) -> Box<dyn Formatter> {
    let (shape, on_screen) = (outcome.shape, screen.is_terminal);
    if quiet {
        return Box::new(Quiet);
    }
    match format {
        Format::Table if on_screen => Box::new(table::OnScreen::new(outcome, screen)),
        Format::Table => Box::new(table::Tabbed::new(outcome)),
        Format::Json => Box::new(Json::new(shape, false, on_screen)),
        Format::JsonPretty => Box::new(Json::new(shape, true, on_screen)),
        Format::Jsonl => Box::new(Jsonl::new(on_screen)),
        Format::Yaml => Box::new(Yaml::new(shape)),
        Format::Csv => Box::new(Csv::new(outcome.members.clone(), on_screen)),
        Format::Env => Box::new(Env::new(on_screen)),
        Format::Path(query) => Box::new(Picked::new(query.clone(), shape, on_screen)),
    }
}

/// Why rendering ended early.
enum Stop {
    Error(Error),
    Write(io::Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Write(error)
    }
}

struct Run<'a> {
    formatter: Box<dyn Formatter>,
    sink: Sink<'a>,
    /// Of rows that were not flushed yet, and whether their secrets were seen in the text.
    due: Vec<(Pending, bool)>,
    /// Rows that were taken and not written yet.
    waiting: usize,
    /// Whether somebody reads what is written.
    is_read: bool,
    rendered: Rendered,
    on_failure: &'a mut dyn FnMut(&Error),
}

impl Run<'_> {
    fn pull(&mut self, outcome: &mut Outcome) -> Result<(), Stop> {
        loop {
            if !outcome.rows.is_ready() {
                self.pause()?;
            }
            let Some(next) = outcome.rows.next() else { break };
            match next {
                Ok(row) => {
                    self.due.extend(row.pending.map(|pending| (pending, false)));
                    self.waiting += 1;
                    self.sink.wipes |= row.body.has_secrets();
                    let before = self.sink.text.len();
                    let progress = self.formatter.row(row.body, &row.id, &mut self.sink.text)?;
                    self.look_through(before);
                    self.hand_over(progress, false)?;
                }
                Err(error) if outcome.shape == Shape::List => {
                    self.pause()?;
                    return Err(error.into());
                }
                Err(error) => self.fail(error),
            }
        }
        let is_empty = self.rendered.rows + self.waiting == 0 && self.rendered.failures.is_empty();
        if is_empty && outcome.shape != Shape::One {
            self.formatter.none(&mut self.sink.text);
        }
        let before = self.sink.text.len();
        match self.formatter.end(outcome.rows.trailer(), &mut self.sink.text) {
            Ok(()) => {}
            Err(error) if self.rendered.failures.is_empty() => return Err(error.into()),
            // What failed before says more of how it ended.
            Err(error) => {
                let error = self.otherwise(error);
                self.fail(error);
            }
        }
        self.look_through(before);
        self.hand_over(Progress::Written, true)
    }

    fn pause(&mut self) -> Result<(), Stop> {
        let before = self.sink.text.len();
        let progress = if self.waiting == 0 { Progress::Written } else { self.formatter.pause(&mut self.sink.text) };
        self.look_through(before);
        self.hand_over(progress, true)
    }

    /// Looks for the secrets that are due in the text that has come: ids, paths and narrow tables leave them out.
    fn look_through(&mut self, before: usize) {
        let text = &self.sink.text[before..];
        for (pending, seen) in self.due.iter_mut().filter(|(_, seen)| !seen) {
            *seen = pending.secret.as_ref().is_none_or(|secret| self.is_read && text.contains(secret.expose()));
        }
    }

    /// Passes text on; once it has arrived, calls what was waiting for that.
    fn hand_over(&mut self, progress: Progress, last: bool) -> Result<(), Stop> {
        let done = progress == Progress::Written;
        self.sink.pass_on(last || (done && !self.due.is_empty()))?;
        if !done {
            return Ok(());
        }
        self.rendered.rows += std::mem::take(&mut self.waiting);
        for (pending, seen) in std::mem::take(&mut self.due) {
            if !seen {
                self.rendered.unseen.push(pending.told());
            } else if let Err(error) = (pending.afterwards)() {
                self.fail(error);
            }
        }
        Ok(())
    }

    /// The error, with what is to be known of the rows that it kept from being written.
    fn otherwise(&mut self, error: Error) -> Error {
        self.due.drain(..).fold(error, |error, (pending, _)| error.hint(pending.told()))
    }

    fn fail(&mut self, error: Error) {
        (self.on_failure)(&error);
        self.rendered.failures.push(error);
    }
}

/// The text that was not written yet, and where it goes.
struct Sink<'a> {
    out: &'a mut dyn Write,
    text: Zeroizing<String>,
    /// When text last arrived; `None`: never.
    flushed: Option<Instant>,
    /// Whether each row is flushed: somebody watches.
    eager: bool,
    /// Whether the text may hold a secret, and is wiped.
    wipes: bool,
}

impl Sink<'_> {
    /// Writes and flushes: the first text there is, what was waiting for long, much, or (with `now`) anything.
    fn pass_on(&mut self, now: bool) -> io::Result<()> {
        let is_due = now
            || self.eager
            || self.text.len() >= BUFFER
            || self.flushed.is_none_or(|flushed| flushed.elapsed() >= PATIENCE);
        if !is_due || self.text.is_empty() {
            return Ok(());
        }
        let written = self.out.write_all(self.text.as_bytes()).and_then(|()| self.out.flush());
        if self.wipes {
            self.text.zeroize();
        }
        self.text.clear();
        self.flushed = Some(Instant::now());
        written
    }
}

/// A value with its secrets in clear, wiped when it goes.
pub(super) struct Clear(pub(super) Value);

impl Clear {
    pub(super) fn of(body: &Body) -> Self {
        Clear(body.reveal())
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
