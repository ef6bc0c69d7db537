//! The table of a terminal: no lines, a bold header, and never wider than the window.

use std::borrow::Cow;
use std::time::SystemTime;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use nu_ansi_term::Style;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use super::dates::make_relative;
use super::layout::{Extent, GAP, widths};
use super::{Shown, below, cell, columns, plain};
use crate::error::Result;
use crate::output::outcome::{Body, Column, Id, Outcome, Shape, Trailer};
use crate::output::render::{Clear, Formatter, Progress, Screen};

/// So many rows at most are held back to find the widths.
const FIRST_PAGE: usize = 100;

/// A column that is shown only if a row has something to show there: hardly any answer holds a secret. Where it has not
/// got the room to stand there whole, it stands below its row.
const SELDOM: &str = "client_secret";

pub(in crate::output) struct OnScreen {
    shape: Shape,
    screen: Screen,
    declared: &'static [Column],
    members: Vec<Cow<'static, str>>,
    /// How many rows have been shown as lines.
    expanded: usize,
    /// Rows that wait for the widths.
    held: Vec<Body>,
    laid_out: Option<LaidOut>,
}

/// What the first page has decided.
struct LaidOut {
    columns: Vec<(Shown, usize)>,
    hidden: Vec<String>,
}

impl OnScreen {
    pub(in crate::output) fn new(outcome: &Outcome, screen: &Screen) -> Self {
        OnScreen {
            shape: outcome.shape,
            declared: outcome.columns,
            members: outcome.members.clone(),
            screen: *screen,
            expanded: 0,
            held: Vec::new(),
            laid_out: None,
        }
    }

    fn bold(&self, words: &str) -> String {
        if self.screen.color { Style::new().bold().paint(words).to_string() } else { words.to_owned() }
    }

    fn dim(&self, words: &str) -> String {
        if self.screen.color { Style::new().dimmed().paint(words).to_string() } else { words.to_owned() }
    }

    /// A row as the table tells it.
    fn row_of(&self, body: &Body) -> Clear {
        let mut row = Clear::of(body);
        if self.screen.tells_ages {
            make_relative(&mut row.0, SystemTime::now());
        }
        row
    }

    /// Finds the widths from the rows that were held back, and prints those; `early` where others are still to come.
    fn lay_out(&mut self, early: bool, text: &mut String) {
        let rows: Vec<Clear> = std::mem::take(&mut self.held).iter().map(|body| self.row_of(body)).collect();
        let Some(first) = rows.first() else { return };
        let mut shown = columns(self.declared, &self.members, &first.0);
        shown.retain(|column| column.member != SELDOM || rows.iter().any(|row| !cell(&row.0, column).is_empty()));
        let extents: Vec<_> = shown
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let whole = at == 0 || column.member == SELDOM;
                let cells: Vec<_> = rows.iter().map(|row| cell(&row.0, column)).collect();
                let extent = Extent::new(&column.title, cells.iter().map(|cell| cell.as_str()), whole);
                if early { extent.roomy() } else { extent }
            })
            .collect();
        let mut laid_out = LaidOut { columns: Vec::new(), hidden: Vec::new() };
        for (column, width) in shown.into_iter().zip(widths(&extents, self.screen.width)) {
            match width {
                Some(width) => laid_out.columns.push((column, width)),
                None if column.member == SELDOM => {}
                None => laid_out.hidden.push(column.title.into_owned()),
            }
        }
        let titles = laid_out.columns.iter().map(|(column, _)| column.title.to_string());
        for line in laid_out.lines(titles) {
            text.push_str(&self.bold(&line));
            text.push('\n');
        }
        for row in &rows {
            laid_out.row(&row.0, text);
        }
        self.laid_out = Some(laid_out);
    }

    /// Name and value, a line each; values wrap under their column.
    fn vertical<'a>(&self, lines: impl Iterator<Item = (&'a str, &'a str)> + Clone, text: &mut String) {
        let name_width = lines.clone().map(|(name, _)| name.width()).max().unwrap_or(0);
        let indent = name_width + GAP;
        for (name, value) in lines {
            text.push_str(&self.bold(name));
            if value.is_empty() {
                text.push('\n');
                continue;
            }
            let mut missing = indent - name.width();
            for line in wrapped(value, self.screen.width.map(|width| width.saturating_sub(indent))) {
                text.extend(std::iter::repeat_n(' ', missing));
                text.push_str(line);
                text.push('\n');
                missing = indent;
            }
        }
    }
}

impl LaidOut {
    fn row(&self, row: &Value, text: &mut String) {
        let secret = cell(row, &Shown { title: "".into(), member: SELDOM.into() });
        let fits = |(column, width): &(Shown, usize)| column.member == SELDOM && secret.width() <= *width;
        let is_below = !secret.is_empty() && !self.columns.iter().any(fits);
        let cells = self.columns.iter().map(|(column, _)| {
            if is_below && column.member == SELDOM { "(below)".to_owned() } else { cell(row, column).to_string() }
        });
        for line in self.lines(cells) {
            text.push_str(&Zeroizing::new(line));
            text.push('\n');
        }
        if is_below {
            text.extend(["  client secret: ", &secret, "\n"]);
        }
    }

    /// One row as the lines it takes.
    fn lines(&self, cells: impl Iterator<Item = String>) -> Vec<String> {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.add_row(cells);
        let last = self.columns.len().saturating_sub(1);
        for (at, (_, width)) in self.columns.iter().enumerate() {
            let gap = if at == last { 0 } else { GAP };
            if let Some(column) = table.column_mut(at) {
                let fits = |width: usize| u16::try_from(width).unwrap_or(u16::MAX);
                column.set_padding((0, fits(gap)));
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(fits(width + gap))));
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

impl Formatter for OnScreen {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        if let Some(plain) = plain(self.declared, &Clear::of(&body).0) {
            text.push_str(&plain);
            return Ok(Progress::Written);
        }
        if self.shape == Shape::One || self.screen.is_expanded {
            if self.shape != Shape::One {
                self.expanded += 1;
                text.push_str(&self.dim(&format!("- row {} -", self.expanded)));
                text.push('\n');
            }
            let row = Clear::of(&body);
            let columns = columns(self.declared, &self.members, &row.0);
            let cells: Vec<_> = columns.iter().map(|column| (column, cell(&row.0, column))).collect();
            let lines = cells.iter().filter(|(column, cell)| column.member != SELDOM || !cell.is_empty());
            self.vertical(lines.map(|(column, cell)| (column.title.as_ref(), cell.as_str())), text);
            return Ok(Progress::Written);
        }
        if let Some(laid_out) = &self.laid_out {
            laid_out.row(&self.row_of(&body).0, text);
            return Ok(Progress::Written);
        }
        self.held.push(body);
        if self.held.len() < FIRST_PAGE {
            return Ok(Progress::Held);
        }
        self.lay_out(false, text);
        Ok(Progress::Written)
    }

    fn end(&mut self, trailer: Option<Trailer>, text: &mut String) -> Result<()> {
        self.lay_out(false, text);
        if let Some(LaidOut { hidden, .. }) = &self.laid_out
            && !hidden.is_empty()
        {
            let columns = if hidden.len() == 1 { "column" } else { "columns" };
            let how = match self.screen.all_by {
                "" => String::new(),
                way => format!("; {way} shows all"),
            };
            let note = format!("({} {columns} hidden: {}{how})", hidden.len(), hidden.join(", "));
            for line in wrapped(&note, self.screen.width) {
                text.push_str(&self.dim(line));
                text.push('\n');
            }
        }
        // A person is told of a next page, and needs no telling that there is none.
        if let Some(trailer) = trailer.filter(|trailer| self.shape == Shape::List && trailer.next_page_token.is_some())
        {
            let lines = below(&trailer);
            text.push('\n');
            self.vertical(lines.iter().map(|(name, value)| (*name, value.as_str())), text);
        }
        Ok(())
    }

    fn none(&mut self, text: &mut String) {
        text.push_str(&self.dim("(no rows)"));
        text.push('\n');
    }

    fn pause(&mut self, text: &mut String) -> Progress {
        self.lay_out(true, text);
        Progress::Written
    }
}

/// Lines that break at spaces only: an id, a secret or a URI that is too long stays whole, so that it can be copied.
fn wrapped(value: &str, width: Option<usize>) -> Vec<&str> {
    let Some(width) = width else { return vec![value] };
    let (mut lines, mut start, mut end) = (Vec::new(), 0, 0);
    for word in value.split_inclusive(' ') {
        let next = end + word.len();
        if end > start && value[start..next].trim_end().width() > width {
            lines.push(value[start..end].trim_end());
            start = end;
        }
        end = next;
    }
    lines.push(&value[start..]);
    lines
}
