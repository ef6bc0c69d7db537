//! Some of a list's rows: those that a condition holds for, so many of them, in another order.

use serde_json::Value;

use crate::error::Result;
use crate::model::client::Client;
use crate::model::{duration, fields};
use crate::output::outcome::{Row, Rows, Trailer};
use crate::session::pages::Clients;

/// How many more clients than wanted wait for the next look at which of them are the first.
const MOST_SPARE: usize = 1_000;

/// Whether a client is wanted.
pub type Test = Box<dyn Fn(&Client) -> Result<bool> + Send>;

/// The clients of a list that pass a test, at most so many.
pub struct Chosen {
    clients: Clients,
    test: Option<Test>,
    left: usize,
    failed: bool,
    columns: Vec<&'static str>,
}

impl Chosen {
    /// All that pass; an error of the test ends the list.
    pub fn new(clients: Clients, test: Option<Test>, limit: Option<usize>) -> Self {
        Chosen { clients, test, left: limit.unwrap_or(usize::MAX), failed: false, columns: Vec::new() }
    }

    /// Shows these fields only, in this order; none: all of them.
    #[must_use]
    pub fn columns(self, columns: Vec<&'static str>) -> Self {
        Chosen { columns, ..self }
    }

    /// The rest, ordered by a field; where it has none, a client comes last. Tells as well whether none was left out.
    pub fn sorted(self, field: &str, descending: bool) -> Result<(Vec<Client>, bool)> {
        let left = self.left;
        let mut found: Vec<(Option<Key>, Client)> = Vec::new();
        let mut is_whole = true;
        let mut keep_first = |found: &mut Vec<(Option<Key>, Client)>| {
            found.sort_by(|(a, _), (b, _)| {
                let absent = a.is_none().cmp(&b.is_none());
                absent.then(if descending { b.cmp(a) } else { a.cmp(b) })
            });
            is_whole &= found.len() <= left;
            found.truncate(left);
        };
        for client in (Chosen { left: usize::MAX, ..self }) {
            let client = client?;
            found.push((key(&client, field), client));
            // Those that cannot be among the first are not kept.
            if found.len() >= left.saturating_mul(2).saturating_add(MOST_SPARE) {
                keep_first(&mut found);
            }
        }
        keep_first(&mut found);
        Ok((found.into_iter().map(|(_, client)| client).collect(), is_whole))
    }
}

/// A client as a row of these fields; none: of all.
pub fn row(client: Client, columns: &[&'static str]) -> Row {
    if columns.is_empty() {
        return Row::client(client);
    }
    let field = |name: &&'static str| ((*name).to_owned(), client.get(name).cloned().unwrap_or(Value::Null));
    Row::value(Value::Object(columns.iter().map(field).collect())).with_id(client.id())
}

/// What a client is ordered by: numbers and durations by their size, text by its letters, small and capital ones alike.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Key {
    Number(i64),
    Text(String),
}

fn key(client: &Client, field: &str) -> Option<Key> {
    // The rest of it is not read for that: there may be very many.
    match client.document().some(|name| name == field).shift_remove(field)? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => {
            let is_duration = fields::field(field).is_some_and(|field| field.kind == fields::Kind::Duration);
            let length = is_duration.then(|| duration::parse(&text).ok()).flatten();
            Some(length.map_or_else(|| Key::Text(text.to_lowercase()), Key::Number))
        }
        Value::Number(number) if number.is_i64() => number.as_i64().map(Key::Number),
        other => Some(Key::Text(other.to_string())),
    }
}

impl Iterator for Chosen {
    type Item = Result<Client>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 || self.failed {
            return None;
        }
        loop {
            let client = match Iterator::next(&mut self.clients)? {
                Ok(client) => client,
                Err(error) => return Some(Err(error)),
            };
            match self.test.as_ref().map_or(Ok(true), |test| test(&client)) {
                Ok(false) => {}
                Ok(true) => {
                    self.left -= 1;
                    return Some(Ok(client));
                }
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Rows for Chosen {
    fn next(&mut self) -> Option<Result<Row>> {
        Iterator::next(self).map(|client| client.map(|client| row(client, &self.columns)))
    }

    fn is_ready(&self) -> bool {
        self.left == 0 || self.clients.is_ready()
    }

    fn trailer(&self) -> Option<Trailer> {
        self.clients.trailer()
    }
}
