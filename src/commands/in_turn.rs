//! Requests for many clients, one after the other, until one shows that the rest would fare no better.

use crate::error::{Error, Kind, Result};
use crate::net;
use crate::output::outcome::{Column, Outcome, Row};

/// A row for each of `items`, in their order. The first that is interrupted, not allowed or finds no server ends it, and
/// says of the rest that it was not tried. `name` is what a person calls an item.
pub fn in_turn<T: Send + 'static>(
    items: Vec<T>,
    name: impl Fn(&T) -> String + Send + 'static,
    mut work: impl FnMut(T) -> Result<Row> + Send + 'static,
) -> impl Iterator<Item = Result<Row>> + Send {
    let mut items = items.into_iter();
    let mut has_ended = false;
    std::iter::from_fn(move || {
        let item = items.next().filter(|_| !has_ended)?;
        let row = work(item);
        match row {
            Err(error) if ends(&error) => {
                has_ended = true;
                Some(Err(error.not_tried(items.len(), items.as_slice().first().map(&name))))
            }
            row => Some(row),
        }
    })
}

/// The same as an outcome that shows each row as it comes.
pub fn outcome(
    count: usize,
    rows: impl Iterator<Item = Result<Row>> + Send + 'static,
    columns: &'static [Column],
) -> Outcome {
    let outcome = Outcome::each(count, rows, columns);
    if count == 1 { outcome } else { outcome.slow() }
}

/// Whether what comes after an error would fare no better.
pub fn ends(error: &Error) -> bool {
    matches!(error.kind(), Kind::Interrupted | Kind::Denied) || error.code() == Some(net::UNREACHABLE)
}
