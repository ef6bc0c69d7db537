//! What a command returns: rows that are pulled one at a time, and how they are meant to look.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::client::Client;
use crate::model::document::Document;
use crate::secret::Secret;

/// What is to happen once a row has reached stdout without error (removing the file that kept its secret).
pub type Afterwards = Box<dyn FnOnce() -> Result<()> + Send>;

/// One result: a document (which may hold secrets) or any other JSON value.
#[derive(Clone, Debug)]
pub enum Body {
    /// A JSON object whose secrets are kept apart.
    Document(Document),
    /// Any JSON value without secrets.
    Value(Value),
}

impl Body {
    /// The value with its secrets in clear, for output that was asked for.
    pub fn reveal(&self) -> Value {
        match self {
            Body::Document(document) => Value::Object(document.reveal()),
            Body::Value(value) => value.clone(),
        }
    }

    /// Whether there are secrets in it that must not stay in memory.
    pub fn has_secrets(&self) -> bool {
        match self {
            Body::Document(document) => document.has_secrets(),
            Body::Value(_) => false,
        }
    }

    /// The same as somebody gets to see it.
    #[must_use]
    pub fn seen(self, by: impl FnOnce(Document) -> Document) -> Self {
        match self {
            Body::Document(document) => Body::Document(by(document)),
            Body::Value(value) => Body::Value(value),
        }
    }

    /// The value with `[REDACTED]` for its secrets.
    pub fn redacted(&self) -> Value {
        match self {
            Body::Document(document) => Value::Object(document.redacted()),
            Body::Value(value) => value.clone(),
        }
    }
}

/// The id of a row, where it has one.
#[derive(Clone, Debug)]
pub enum Id {
    /// It has none.
    None,
    /// This text.
    Text(String),
    /// This member of it.
    Member(&'static str),
}

impl Id {
    /// The id of a row with this body.
    pub fn of<'a>(&'a self, body: &'a Body) -> Option<&'a str> {
        match (self, body) {
            (Id::Text(id), _) => Some(id),
            (Id::Member(name), Body::Document(document)) => {
                document.text(name).or_else(|| document.secret(name).map(Secret::expose))
            }
            (Id::Member(name), Body::Value(value)) => value.get(name).and_then(Value::as_str),
            (Id::None, _) => None,
        }
    }
}

/// One row of an outcome.
pub struct Row {
    /// What it is.
    pub body: Body,
    /// What `--quiet` prints.
    pub id: Id,
    /// What is on disk for it until it has reached its reader.
    pub pending: Option<Pending>,
}

/// The code of an error that ends an outcome before its end, as the time for it is up.
pub const LATE: &str = "deadline";

/// What is kept on disk until a row has reached its reader.
pub struct Pending {
    /// To be called once the row has been written and flushed without error, and its secret was in what was written.
    pub afterwards: Afterwards,
    /// The secret that nobody else has.
    pub secret: Option<Secret>,
    /// What is kept: `the secret of client a`.
    pub what: String,
    /// Where it is kept.
    pub place: String,
}

impl Pending {
    /// As a person is told where it did not reach its reader.
    pub fn told(&self) -> String {
        format!("{} is kept in {}", self.what, self.place)
    }
}

impl Row {
    /// A row without secrets and without an id.
    pub fn value(value: Value) -> Self {
        Row { body: Body::Value(value), id: Id::None, pending: None }
    }

    /// A row from a document; its id is the member `id_field`.
    pub fn document(document: Document, id_field: &'static str) -> Self {
        Row { body: Body::Document(document), id: Id::Member(id_field), pending: None }
    }

    /// A client as a row.
    pub fn client(client: Client) -> Self {
        Row::document(client.into_document(), "client_id")
    }

    /// The same row under this id.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Row { id: Id::Text(id.into()), ..self }
    }

    /// A row that is nothing but an id: JSON prints it as a string.
    pub fn id(id: impl Into<String>) -> Self {
        let id = id.into();
        Row { body: Body::Value(Value::String(id.clone())), id: Id::Text(id), pending: None }
    }

    /// The same row, for which something is kept on disk.
    #[must_use]
    pub fn pending(self, pending: Pending) -> Self {
        Row { pending: Some(pending), ..self }
    }
}

/// Rows, pulled; `next` may wait for the network.
pub trait Rows: Send {
    /// The next row, an error in its place, or `None` at the end.
    ///
    /// Where the shape is [`Shape::List`], an error ends the list. Elsewhere it stands for one row.
    fn next(&mut self) -> Option<Result<Row>>;

    /// Whether `next` can answer without waiting. If it says no, what was pulled so far is shown first.
    fn is_ready(&self) -> bool {
        true
    }

    /// What is known of the list once its rows have been pulled: paging.
    fn trailer(&self) -> Option<Trailer> {
        None
    }
}

/// Where a page of a list ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trailer {
    /// The token of the next page; `None` on the last one, and where the list stopped in the middle of a page.
    pub next_page_token: Option<String>,
    /// Whether there is nothing behind it.
    pub is_last_page: bool,
}

impl Trailer {
    /// Of a list that has no more pages.
    pub fn last_page() -> Self {
        Trailer::before(None)
    }

    /// Of a list with this token of the next page.
    pub fn before(next_page_token: Option<String>) -> Self {
        Trailer { is_last_page: next_page_token.is_none(), next_page_token }
    }

    /// Of a list that was cut off in the middle of a page.
    pub fn cut_off() -> Self {
        Trailer { next_page_token: None, is_last_page: false }
    }

    /// `next_page_token` and `is_last_page`, as the Ory CLI names them.
    pub fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("next_page_token".into(), self.next_page_token.clone().unwrap_or_default().into());
        members.insert("is_last_page".into(), self.is_last_page.into());
        members
    }
}

/// How many rows there can be, which decides the shape of JSON and of tables.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Exactly one: an object; a vertical table.
    One,
    /// One for each thing asked for, and more than one was asked for: an array; a horizontal table.
    Many,
    /// A page, or all pages, of a list: `{"items": […], …}`; a horizontal table.
    List,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    /// The title as printed.
    pub title: &'static str,
    /// The member of the row that it shows; empty: the row itself.
    pub member: &'static str,
}

/// What a command returns. It has printed nothing.
pub struct Outcome {
    /// The rows, not yet pulled.
    pub rows: Box<dyn Rows>,
    /// How many there can be.
    pub shape: Shape,
    /// What a table shows; empty: every member of the row.
    pub columns: &'static [Column],
    /// The members that rows have, known before the first row is there: the columns of CSV, and of a table that has no others;
    /// empty: those of the first row.
    pub members: Vec<Cow<'static, str>>,
    /// Whether pulling a row changes something, so that what cannot be shown has to be refused before.
    pub writes: bool,
    /// What is told where its rows are not all taken, from why they are not.
    pub broken_off: BrokenOff,
    /// What is done once all of its rows were shown, and nothing went wrong.
    pub ended: Option<Ended>,
}

/// What is done at the end.
pub type Ended = Box<dyn FnOnce() -> Result<()> + Send>;

/// An error, with what is to be known beside it.
pub type BrokenOff = Box<dyn Fn(Error) -> Error + Send>;

impl Outcome {
    /// Nothing changes as these are pulled.
    fn of(rows: impl Rows + 'static, shape: Shape, columns: &'static [Column]) -> Self {
        let broken_off: BrokenOff = Box::new(|error| error);
        Outcome { rows: Box::new(rows), shape, columns, members: Vec::new(), writes: false, broken_off, ended: None }
    }

    /// One row.
    pub fn one(row: Row, columns: &'static [Column]) -> Self {
        Outcome::of(Each(std::iter::once(Ok(row))), Shape::One, columns)
    }

    /// One row that is there once the work has been done, which changes something.
    pub fn later(work: impl FnOnce() -> Result<Row> + Send + 'static, columns: &'static [Column]) -> Self {
        Outcome::later_but(move || Ok((work()?, None)), columns)
    }

    /// The same, with what went wrong nevertheless.
    pub fn later_but(
        work: impl FnOnce() -> Result<(Row, Option<Error>)> + Send + 'static,
        columns: &'static [Column],
    ) -> Self {
        let rows = std::iter::once_with(work).flat_map(|done| match done {
            Ok((row, error)) => [Some(Ok(row)), error.map(Err)].into_iter().flatten(),
            Err(error) => [Some(Err(error)), None].into_iter().flatten(),
        });
        Outcome::of(Each(rows), Shape::One, columns).writing()
    }

    /// Nothing to show.
    pub fn nothing() -> Self {
        Outcome::of(Each(std::iter::empty()), Shape::One, &[])
    }

    /// A row for each of `count` things asked for: an object if one was asked for, else an array.
    pub fn each(
        count: usize,
        rows: impl Iterator<Item = Result<Row>> + Send + 'static,
        columns: &'static [Column],
    ) -> Self {
        Outcome::of(Each(rows), if count == 1 { Shape::One } else { Shape::Many }, columns)
    }

    /// As many rows as there are: an array, even of one.
    pub fn many(rows: impl Iterator<Item = Result<Row>> + Send + 'static, columns: &'static [Column]) -> Self {
        Outcome::of(Each(rows), Shape::Many, columns)
    }

    /// A list.
    pub fn list(rows: impl Rows + 'static, columns: &'static [Column]) -> Self {
        Outcome::of(rows, Shape::List, columns)
    }

    /// The rows wait for a server, each on its own: what is there is shown before the next one is asked for.
    #[must_use]
    pub fn slow(self) -> Self {
        Outcome { rows: Box::new(Slow(self.rows)), ..self }
    }

    /// The same outcome, where `next` pulls each row.
    #[must_use]
    pub fn through(self, next: impl FnMut(&mut dyn Rows) -> Option<Result<Row>> + Send + 'static) -> Self {
        Outcome { rows: Box::new(Through { rows: self.rows, next }), ..self }
    }

    /// The same outcome, of which this is told where its rows are not all taken.
    #[must_use]
    pub fn or_else(self, told: impl Fn(Error) -> Error + Send + 'static) -> Self {
        let broken_off = self.broken_off;
        Outcome { broken_off: Box::new(move |error| told(broken_off(error))), ..self }
    }

    /// The same outcome, at whose good end this is done.
    #[must_use]
    pub fn then(self, ended: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        Outcome { ended: Some(Box::new(ended)), ..self }
    }

    /// Pulling a row changes something.
    #[must_use]
    pub fn writing(self) -> Self {
        Outcome { writes: true, ..self }
    }

    /// Sets the members that rows have.
    #[must_use]
    pub fn with_members(self, members: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Outcome { members: members.into_iter().map(Into::into).collect(), ..self }
    }
}

struct Each<I>(I);

impl<I: Iterator<Item = Result<Row>> + Send> Rows for Each<I> {
    fn next(&mut self) -> Option<Result<Row>> {
        self.0.next()
    }
}

/// Rows that are never there by themselves.
struct Slow(Box<dyn Rows>);

impl Rows for Slow {
    fn next(&mut self) -> Option<Result<Row>> {
        self.0.next()
    }

    fn is_ready(&self) -> bool {
        false
    }

    fn trailer(&self) -> Option<Trailer> {
        self.0.trailer()
    }
}

/// Rows that something pulls from others.
struct Through<F> {
    rows: Box<dyn Rows>,
    next: F,
}

impl<F: FnMut(&mut dyn Rows) -> Option<Result<Row>> + Send> Rows for Through<F> {
    fn next(&mut self) -> Option<Result<Row>> {
        (self.next)(&mut *self.rows)
    }

    fn is_ready(&self) -> bool {
        self.rows.is_ready()
    }

    fn trailer(&self) -> Option<Trailer> {
        self.rows.trailer()
    }
}

/// How rendering went.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Rows written.
    pub rows: usize,
    /// Errors that stood in the place of a row, in order.
    pub failures: Vec<Error>,
    /// Where secrets are kept that were in no row that was written, as the format leaves them out.
    pub unseen: Vec<String>,
}
