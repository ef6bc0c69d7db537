//! Tables: columns and cells, and the form they take in a pipe, separated by tabs and never cut.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use zeroize::Zeroizing;

use super::outcome::{Body, Column, Id, Outcome, Shape, Trailer};
use super::render::{Clear, Formatter, Progress};
use crate::error::Result;
use crate::text;

mod dates;
mod layout;
mod screen;

pub(super) use screen::OnScreen;

/// A column whose title and member may come from a row.
#[derive(Clone)]
struct Shown {
    title: Cow<'static, str>,
    member: Cow<'static, str>,
}

/// The columns that were declared; if none were, a column for each member that rows have, or that the row has.
fn columns(declared: &'static [Column], members: &[Cow<'static, str>], row: &Value) -> Vec<Shown> {
    let of = |name: &str| Shown { title: title(name).into(), member: name.to_owned().into() };
    match row {
        _ if !declared.is_empty() => known(declared),
        _ if !members.is_empty() => members.iter().map(|name| of(name)).collect(),
        Value::Object(row) => row.keys().map(|name| of(name)).collect(),
        _ => Vec::new(),
    }
}

fn known(declared: &'static [Column]) -> Vec<Shown> {
    declared.iter().map(|column| Shown { title: column.title.into(), member: column.member.into() }).collect()
}

fn title(member: &str) -> String {
    text::safe(&member.replace('_', " ").to_uppercase()).into_owned()
}

/// A value that is no object, where no columns are declared: it is printed as it is, without a title.
fn plain(declared: &'static [Column], row: &Value) -> Option<Zeroizing<String>> {
    if !declared.is_empty() || row.is_object() {
        return None;
    }
    let shown = match row {
        Value::String(given) => text::safe_lines(given).into_owned(),
        other => text::safe_json(&other.to_string()).into_owned(),
    };
    Some(Zeroizing::new(shown + "\n"))
}

/// What stands in a cell: one line without anything that could move a cursor or end the cell.
fn cell(row: &Value, column: &Shown) -> Zeroizing<String> {
    let value = match row {
        Value::Object(members) if !column.member.is_empty() => {
            members.get(column.member.as_ref()).unwrap_or(&Value::Null)
        }
        other if column.member.is_empty() => other,
        _ => &Value::Null,
    };
    if TIMES.contains(&column.member.as_ref())
        && let Some(time) = time(value)
    {
        return Zeroizing::new(time);
    }
    Zeroizing::new(match value {
        Value::Null => String::new(),
        Value::String(given) => text::escaped(given).into_owned(),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            let items: Vec<_> =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
            text::escaped(&items.join(", ")).into_owned()
        }
        other => text::escaped(&other.to_string()).into_owned(),
    })
}

/// Members that say when a token ends: in seconds since 1970 (RFC 7662 §2.2), or as RFC 3339.
const TIMES: &[&str] = &["exp", "expiry"];

/// Such a time as the Ory CLI's tables tell it.
fn time(value: &Value) -> Option<String> {
    let time = match value {
        Value::Number(seconds) => UNIX_EPOCH.checked_add(Duration::from_secs(seconds.as_u64()?))?,
        Value::String(text) => humantime::parse_rfc3339(text).ok()?,
        _ => return None,
    };
    let text = humantime::format_rfc3339_seconds(time).to_string();
    Some(format!("{} +0000 UTC", text.trim_end_matches('Z').replace('T', " ")))
}

/// What stands below a list: the Ory CLI's words.
fn below(trailer: &Trailer) -> [(&'static str, String); 2] {
    let token = trailer.next_page_token.as_deref().unwrap_or_default();
    [("NEXT PAGE TOKEN", text::escaped(token).into_owned()), ("IS LAST PAGE", trailer.is_last_page.to_string())]
}

/// The table of a pipe: columns stand where they were declared, whatever the rows hold.
pub(super) struct Tabbed {
    shape: Shape,
    declared: &'static [Column],
    members: Vec<Cow<'static, str>>,
    columns: Vec<Shown>,
    started: bool,
}

impl Tabbed {
    pub(super) fn new(outcome: &Outcome) -> Self {
        let (declared, members) = (outcome.columns, outcome.members.clone());
        Tabbed { shape: outcome.shape, declared, members, columns: known(declared), started: false }
    }

    fn header(&mut self, text: &mut String) {
        self.started = true;
        let titles: Vec<_> = self.columns.iter().map(|column| column.title.as_ref()).collect();
        text.push_str(&titles.join("\t"));
        text.push('\n');
    }
}

impl Formatter for Tabbed {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        let value = Clear::of(&body);
        if let Some(plain) = plain(self.declared, &value.0) {
            text.push_str(&plain);
            return Ok(Progress::Written);
        }
        if self.columns.is_empty() {
            self.columns = columns(self.declared, &self.members, &value.0);
        }
        if self.shape == Shape::One {
            for column in &self.columns {
                text.push_str(&column.title);
                text.push('\t');
                text.push_str(&cell(&value.0, column));
                text.push('\n');
            }
            return Ok(Progress::Written);
        }
        if !self.started {
            self.header(text);
        }
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                text.push('\t');
            }
            text.push_str(&cell(&value.0, column));
        }
        text.push('\n');
        Ok(Progress::Written)
    }

    fn end(&mut self, trailer: Option<Trailer>, text: &mut String) -> Result<()> {
        if self.shape != Shape::List {
            return Ok(());
        }
        if !self.started && !self.columns.is_empty() {
            self.header(text);
        }
        text.push('\n');
        for (title, value) in below(&trailer.unwrap_or_else(Trailer::last_page)) {
            text.extend([title, "\t", &value, "\n"]);
        }
        Ok(())
    }
}
