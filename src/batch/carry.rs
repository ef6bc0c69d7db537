//! A run of a command that has checked its clients itself, and tells of each: `import`, `apply`, a script.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use super::begin::{self, New};
use super::check::{How, Input, Ready};
use super::engine::{self, Going, Limits, Run};
use super::run::{Became, Heard, Sending};
use super::shape::Shape;
use super::state::State;
use crate::error::{Error, Result};
use crate::ops::create::Plan;
use crate::session::Session;

/// A run that lasts longer by what limits allow is told of.
const LONG: Duration = Duration::from_secs(10);

/// What a run came to.
pub struct Carried {
    /// What each client came to, by its place from 1; absent: it was not tried, or it is not known.
    pub became: BTreeMap<u64, Became>,
    /// What ended it before its end, with what to do next.
    pub stopped: Option<Error>,
    run: Option<Run>,
}

impl From<Plan> for Ready {
    fn from(plan: Plan) -> Self {
        let mut spec = plan.spec().clone();
        if plan.secret_is_ours() {
            spec.remove_secret();
        }
        Ready { id: plan.id().clone(), id_is_ours: plan.id_is_ours(), is_sealed: plan.is_sealed(), spec }
    }
}

/// Sends for each client what `how` says of it; nobody is asked. Errors: nothing was sent.
pub fn carry_out(
    session: &Session,
    name: &'static str,
    clients: Vec<Ready>,
    how: How,
    going: &Going,
) -> Result<Carried> {
    if clients.is_empty() {
        return Ok(Carried { became: BTreeMap::new(), stopped: None, run: None });
    }
    let total = clients.len() as u64;
    let limits = Limits::of(session, going)?;
    let (job, no_lint) = (how.job, how.no_lint);
    let new = New {
        input: Input::Ready(name, clients),
        shape: Shape::default(),
        check: how,
        going: going.clone(),
        again: false,
        key_store: false,
    };
    let (run, _) = begin::prepare(session, new, false)?;
    if limits.time_for(total) > LONG {
        session.ui().note(&format!("{total} clients to {}, {}", session.described()?, limits.told(total)));
    }
    let heard = Heard::default();
    let sending = Sending { job, no_lint, claims: false, patience: Duration::ZERO, heard: Some(&heard) };
    let ended = engine::send(session, &run, run.key()?, sending, (going, limits), total)?;
    let counts = run.counts(session)?;
    let resume = format!("go on with: orysh batch resume {}", run.folder.name);
    let (left, was_sent) = (engine::count(&counts, &State::DUE), engine::count(&counts, &[State::Planned]) < total);
    let error = ended.stopped.or_else(|| (ended.interrupted && left > 0).then(Error::interrupted));
    let stopped = error.map(|error| match (was_sent, left) {
        (true, 1..) => error.hint(format!("{left} of {total} clients are left, {resume}")),
        _ if total > 1 => error.hint(format!("the {} other clients were not tried", total - 1)),
        _ => error,
    });
    let became = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Carried { became, stopped, run: Some(run) })
}

impl Carried {
    /// What its run is called.
    pub fn name(&self) -> &str {
        self.run.as_ref().map_or("", |run| run.folder.name.as_str())
    }

    /// Ends it, once its secrets have reached their reader: the run goes, unless something of it is left to do.
    pub fn close(self, session: &Session) -> Result<()> {
        let Some(run) = self.run else { return Ok(()) };
        let counts = run.counts(session)?;
        let is_tried = engine::count(&counts, &[State::Planned]) < counts.values().sum();
        let open = [State::Sent, State::Undelivered, State::Unproven, State::DeliveryFailed];
        let left = engine::count(&counts, &open) + engine::count(&counts, &[State::Planned]);
        if left > 0 && is_tried {
            return Ok(());
        }
        engine::discard(session, run)
    }
}
