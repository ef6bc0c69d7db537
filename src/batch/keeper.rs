//! A run that keeps the secrets of its clients until each of them has reached its reader.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::batch::carry::{Carried, Spending};
use crate::error::{Error, Kind, Result};
use crate::model::client::ClientId;
use crate::ops::deliver::UNDELIVERED;
use crate::output::outcome::{Pending, Row};
use crate::secret::Secret;
use crate::session::Session;

/// Ends a run once all rows have been written that hold a secret of it.
#[derive(Clone)]
pub struct Keeper(Arc<Kept>);

struct Kept {
    session: Session,
    name: String,
    /// Rows that were not written yet, and one for those that are not there yet.
    waiting: AtomicUsize,
    carried: Mutex<Option<Carried>>,
    /// Where the run goes that a script waits for the end of.
    spending: Option<Spending>,
}

impl Keeper {
    /// Of this run; `spending`: it stays until the script that asked for it has come to its end.
    pub fn new(session: &Session, carried: Carried, spending: Option<Spending>) -> Self {
        Keeper(Arc::new(Kept {
            session: session.clone(),
            name: carried.name().to_owned(),
            waiting: AtomicUsize::new(1),
            carried: Mutex::new(Some(carried)),
            spending,
        }))
    }

    /// A row that holds a secret which nobody else has.
    pub fn hold(&self, row: Row, id: &ClientId, secret: &Secret) -> Row {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let keeper = self.clone();
        row.pending(Pending {
            afterwards: Box::new(move || keeper.let_go()),
            secret: Some(secret.clone()),
            what: format!("the secret of client `{id}`"),
            place: kept_in(&self.0.name),
        })
    }

    /// All rows are there. Where none holds a secret, the run ends here.
    pub fn let_go(&self) -> Result<()> {
        if self.0.waiting.fetch_sub(1, Ordering::SeqCst) > 1 {
            return Ok(());
        }
        let carried = self.0.carried.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (carried, &self.0.spending) {
            (None, _) => Ok(()),
            (Some(carried), None) => carried.close(&self.0.session),
            (Some(carried), Some(spending)) => spending.take(carried, &self.0.session),
        }
    }

    /// An error of handing a client of it over.
    pub fn undelivered(&self, id: &ClientId, error: Error) -> Error {
        error
            .about(format!("client `{id}` was not delivered"))
            .of_kind(Kind::Partial)
            .with_code(UNDELIVERED)
            .hint(format!("try that again: orysh batch deliver {}", self.0.name))
    }
}

/// Where the secrets of a run are, as a person finds them.
pub fn kept_in(run: &str) -> String {
    format!("run {run} (orysh batch results {run} --secrets plain)")
}
