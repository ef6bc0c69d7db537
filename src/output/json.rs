//! JSON: an object, an array, the object of a list, or an object a line; written row by row.

use serde_json::Value;
use zeroize::Zeroizing;

use super::outcome::{Body, Id, Shape, Trailer};
use super::render::{Clear, Formatter, Progress};
use crate::error::{Error, Result};
use crate::text;

/// `json` and `json-pretty`.
pub(super) struct Json {
    shape: Shape,
    pretty: bool,
    on_screen: bool,
    started: bool,
}

impl Json {
    pub(super) fn new(shape: Shape, pretty: bool, on_screen: bool) -> Self {
        Json { shape, pretty, on_screen, started: false }
    }

    /// What stands before the first item: nothing is printed before it is there.
    fn open(&self) -> &'static str {
        match (self.shape, self.pretty) {
            (Shape::One, _) => "",
            (Shape::Many, _) => "[",
            (Shape::List, false) => "{\"items\":[",
            (Shape::List, true) => "{\n  \"items\": [",
        }
    }

    fn item_indent(&self) -> usize {
        match self.shape {
            Shape::One => 0,
            Shape::Many => 2,
            Shape::List => 4,
        }
    }
}

impl Formatter for Json {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        text.push_str(if self.started && self.shape != Shape::One { "," } else { self.open() });
        self.started = true;
        // The whole line at once: whoever reads lines has it before the kept secret goes.
        let after = if self.shape == Shape::One { "\n" } else { "" };
        if !self.pretty {
            push_line(&body, self.on_screen, text)?;
            text.push_str(after);
            return Ok(Progress::Written);
        }
        let json = Zeroizing::new(to_text(&Clear::of(&body).0, true)?);
        let shown = if self.on_screen { text::safe_json(&json) } else { json.as_str().into() };
        if self.shape == Shape::One {
            text.extend([&shown, after]);
            return Ok(Progress::Written);
        }
        for line in shown.lines() {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', self.item_indent()));
            text.push_str(line);
        }
        Ok(Progress::Written)
    }

    fn end(&mut self, trailer: Option<Trailer>, text: &mut String) -> Result<()> {
        let started = std::mem::replace(&mut self.started, true);
        if !started {
            text.push_str(self.open());
        }
        match (self.shape, self.pretty) {
            (Shape::One, _) => return Ok(()),
            (Shape::Many, true) if started => text.push_str("\n]"),
            (Shape::List, true) if started => text.push_str("\n  ]"),
            (Shape::Many | Shape::List, _) => text.push(']'),
        }
        if self.shape == Shape::List {
            let (before, between, after) = if self.pretty { (",\n  ", ": ", "\n}") } else { (",", ":", "}") };
            for (name, value) in trailer.unwrap_or_else(Trailer::last_page).members() {
                let value = value.to_string();
                let shown = if self.on_screen { text::safe_json(&value) } else { value.as_str().into() };
                text.extend([before, "\"", &name, "\"", between, &shown]);
            }
            text.push_str(after);
        }
        text.push('\n');
        Ok(())
    }
}

/// `jsonl`.
pub(super) struct Jsonl {
    on_screen: bool,
}

impl Jsonl {
    pub(super) fn new(on_screen: bool) -> Self {
        Jsonl { on_screen }
    }
}

impl Formatter for Jsonl {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        push_line(&body, self.on_screen, text)?;
        text.push('\n');
        Ok(Progress::Written)
    }

    fn end(&mut self, _: Option<Trailer>, _: &mut String) -> Result<()> {
        Ok(())
    }
}

/// Writes a row on one line; as the server wrote it, where nobody has changed it.
fn push_line(body: &Body, on_screen: bool, text: &mut String) -> Result<()> {
    let push = |json: &str, text: &mut String| {
        text.push_str(&if on_screen { text::safe_json(json) } else { json.into() });
    };
    if let Body::Document(document) = body
        && let Some(line) = document.line()
    {
        push(line, text);
        return Ok(());
    }
    push(&Zeroizing::new(to_text(&Clear::of(body).0, false)?), text);
    Ok(())
}

fn to_text(value: &Value, pretty: bool) -> Result<String> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map_err(|error| Error::failed("cannot write a value as JSON").caused_by(error))
}
