//! A run of a command that has checked its clients itself, and tells of each: `import`, `apply`, a script.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::again::{self, Again, Whose};
use super::begin::{self, New};
use super::check::{How, Input, Ready};
use super::earlier::{self, Earlier};
use super::engine::{self, Going, Limits, Run};
use super::folder::{self, Folder};
use super::heard::{Heard, Rows};
use super::identity::Identity;
use super::journal::Journal;
use super::results::Secrets;
use super::run::{Ended, Sending};
use super::shape::Shape;
use super::state::State;
use super::store::{self, Counts, Facts};
use crate::error::{Error, Result};
use crate::model::client::ClientId;
use crate::ops::create::{self, Plan};
use crate::ops::settle;
use crate::secret::Secret;
use crate::session::Session;
use crate::session::handle::locked;

/// A run that lasts longer by what limits allow is told of.
const LONG: Duration = Duration::from_secs(10);

/// What a run came to.
pub struct Carried {
    /// What each client came to, by its place from 1; absent: it was not tried, or it is not known.
    pub became: Rows,
    /// What ended it before its end, with what to do next.
    pub stopped: Option<Error>,
    /// Of a run that was gone on with the id of each client, and whether its secret is made here.
    pub earlier: Option<Vec<(ClientId, bool)>>,
    /// Whether a client may be ours of which the token endpoint says that it is not.
    is_disputed: bool,
    run: Option<Run>,
}

impl From<Plan> for Ready {
    fn from(plan: Plan) -> Self {
        let (id, id_is_ours, is_sealed) = (plan.id().clone(), plan.id_is_ours(), plan.is_sealed());
        let is_ours = plan.secret_is_ours();
        let mut spec = plan.into_spec();
        if is_ours {
            spec.remove_secret();
        }
        Ready { id, id_is_ours, is_sealed, planned: None, spec }
    }
}

/// Clients to be carried out, checked as they are taken.
pub struct Clients<I> {
    /// What they are called together, and whether they may be made again.
    pub name: (&'static str, Again),
    /// Whose they are.
    pub whose: Whose,
    /// How many there are.
    pub total: u64,
    /// Each of them. Errors: it is wrong, and nothing is to be sent.
    pub each: I,
}

/// Sends for each client what `how` says of it, once all of them are known to be right; `ask` asks whoever is to be asked then.
/// Errors: nothing was sent.
pub fn carry_out(
    session: &Session,
    clients: Clients<impl Iterator<Item = Result<Ready>>>,
    how: How,
    going: &Going,
    ask: impl FnOnce() -> Result<()>,
) -> Result<Carried> {
    let Clients { name: (name, again), whose, total, each } = clients;
    if total == 0 {
        return Ok(Carried { became: Rows::default(), stopped: None, earlier: None, is_disputed: false, run: None });
    }
    let ids = RefCell::new(Vec::new());
    let each = each.inspect(|ready| ids.borrow_mut().extend(ready.as_ref().ok().map(|ready| ready.id.clone())));
    let limits = Limits::of(session, going)?;
    let (job, no_lint) = (how.job, how.no_lint);
    let input = Input::Ready(name, Box::new(each));
    let shape = Shape::default();
    let new = New { input, shape, check: how, going: going.clone(), again, key_store: false, whose };
    let (run, checked) = begin::prepare(session, new, false)?;
    let mut ids: Vec<ClientId> = ids.take();
    if let Err(error) = ask() {
        if !checked.is_resumed {
            engine::discard(session, run)?;
        }
        return Err(error);
    }
    let mut due = total;
    let mut before = Earlier::default();
    if checked.is_resumed {
        // Whoever asks for the same again wants what failed as well.
        session.finish(run.journal.write(store::again))??;
        due = engine::due(&run.counts(session)?);
        let (name, begun) = (&run.folder.name, run.fact("begun").unwrap_or_default());
        session
            .ui()
            .note(&format!("run {name} of these rows, begun on {begun}, is gone on with: {due} of {total} are left (orysh batch forget {name} has them made anew)"));
        before = earlier::of(session, &run)?;
        ids = before.about.iter().map(|(id, _)| id.clone()).collect();
    }
    if limits.time_for(due) > LONG {
        session.ui().note(&format!("{total} clients to {}, {}", session.described()?, limits.told(total)));
    }
    let heard = Heard::default();
    let sending = Sending { job, no_lint, claims: false, patience: Duration::ZERO, heard: Some(&heard) };
    let ended = match due {
        0 => Ended::default(),
        _ => engine::send(session, &run, run.key()?, sending, (going, limits), due)?,
    };
    // From here on something may have been sent: whatever goes wrong, what is known is told.
    let counts = run.counts(session);
    let (left, planned) = match &counts {
        Ok(counts) => (engine::due(counts), engine::count(counts, &[State::Planned])),
        Err(_) => (total, 0),
    };
    let interrupted = (ended.interrupted && left > 0).then(Error::interrupted);
    let error = ended.stopped.or(interrupted).or_else(|| counts.err());
    let stopped = error.map(|error| match total {
        _ if planned < total && left > 0 => error
            .hint(format!("{left} of {total} clients are left, go on with: orysh batch resume {}", run.folder.name)),
        1 => error,
        _ => error.hint(format!("none of the {total} clients was written, and the rest were not tried")),
    });
    let mut became = heard.into_rows();
    for (n, earlier) in before.became {
        became.add_earlier(n, earlier);
    }
    let mut is_disputed = false;
    became.explain(|n, error| {
        let id = usize::try_from(n - 1).ok().and_then(|at| ids.get(at));
        match (error.code(), id) {
            (Some(settle::DISPUTED), _) => {
                is_disputed = true;
                let name = &run.folder.name;
                error.hint(format!("its secret is kept in run {name}: orysh batch results {name} --secrets plain"))
            }
            (Some(create::CONFLICT), Some(id)) => create::conflict(session, id),
            _ => error,
        }
    });
    let earlier = checked.is_resumed.then_some(before.about);
    Ok(Carried { became, stopped, earlier, is_disputed, run: Some(run) })
}

/// What the rows of scripts are called together.
pub const SCRIPT: &str = "script";

/// Tells of runs of a script on the same server that have not come to their end, where nothing is written.
pub fn tell_unfinished(session: &Session, script: &str) -> Result<()> {
    let of = again::of(script);
    for (run, counts) in here(session, |facts| facts.get("hash").is_some_and(|hash| hash.ends_with(&of)))? {
        let (left, made) = (engine::due(&counts), engine::count(&counts, &State::MADE));
        if left + made > 0 {
            session.ui().note(&format!(
                "run {} of this script, begun on {}, has made {made} clients, and {left} are left: its rows would be gone on with, and not made again",
                run.folder.name,
                run.fact("begun").unwrap_or_default()
            ));
        }
    }
    Ok(())
}

/// Tells of runs of this name on the same server that have something left.
pub fn tell_older(session: &Session, name: &str) -> Result<()> {
    for (run, counts) in here(session, |facts| facts.get("input").map(String::as_str) == Some(name))? {
        let (left, failed) = (engine::due(&counts), engine::count(&counts, &[State::DeliveryFailed]));
        let (run_name, begun) = (&run.folder.name, run.fact("begun").unwrap_or_default());
        if left > 0 {
            session.ui().warn(&format!(
                "run {run_name} of an earlier {name}, begun on {begun}, has {left} clients left: `orysh batch resume {run_name}` goes on with it, `orysh batch forget {run_name}` gives it up"
            ));
        }
        if failed > 0 {
            session.ui().warn(&format!(
                "run {run_name} has {failed} clients that were not delivered: orysh batch deliver {run_name}"
            ));
        }
    }
    Ok(())
}

/// The runs on the server where a session acts of which the facts say that they are wanted, and how far their rows are.
fn here(session: &Session, is_wanted: impl Fn(&Facts) -> bool) -> Result<Vec<(Run, Counts)>> {
    let (mut identity, mut found) = (None, Vec::new());
    for name in folder::names()? {
        let facts = Journal::peek(&folder::path(&name)?, store::facts).unwrap_or_default();
        if !is_wanted(&facts) {
            continue;
        }
        // The server is asked who it is only where there is something to compare with that, and once.
        let now = match &identity {
            Some(identity) => identity,
            None => identity.insert(Identity::of(session)?),
        };
        if !Identity::read(&facts).may_be(now) {
            continue;
        }
        // One that is worked on, or is broken, is left alone.
        let Ok(run) = Run::open(session, &name) else { continue };
        let counts = run.counts(session)?;
        found.push((run, counts));
    }
    Ok(found)
}

impl Carried {
    /// What its run is called.
    pub fn name(&self) -> &str {
        self.run.as_ref().map_or("", |run| run.folder.name.as_str())
    }

    /// Ends it, once its secrets have reached their reader: the run goes, unless something of it is left to do, or a client may
    /// be ours after all.
    pub fn close(self, session: &Session) -> Result<()> {
        match self.over(session)? {
            Some((run, _)) => engine::discard(session, run),
            None => Ok(()),
        }
    }

    /// The same, where whoever asked for it is to get it again until it has come to its own end. Nothing: there is nothing to wait for.
    pub fn spend(self, session: &Session, is_whole: bool) -> Result<Option<Spent>> {
        let Some((run, made)) = self.over(session)? else { return Ok(None) };
        if made == 0 {
            return engine::discard(session, run).map(|()| None);
        }
        let name = run.folder.name.clone();
        take(session, &run, BY_SCRIPT)?;
        locked(&SPENT_HERE).push((name.clone(), is_whole));
        Ok(Some(Spent { name, is_whole, in_files: Vec::new() }))
    }

    /// Whether all of its clients were made.
    fn is_whole(&self, session: &Session) -> Result<bool> {
        let Some(run) = &self.run else { return Ok(true) };
        let counts = run.counts(session)?;
        Ok(engine::count(&counts, &State::MADE) == counts.values().sum::<u64>())
    }

    /// Its run, if that is over, and how many clients it made.
    fn over(self, session: &Session) -> Result<Option<(Run, u64)>> {
        let Some(run) = self.run else { return Ok(None) };
        let counts = run.counts(session)?;
        let is_tried = engine::count(&counts, &[State::Planned]) < counts.values().sum();
        let left = engine::due(&counts) + engine::count(&counts, &[State::Unproven, State::DeliveryFailed]);
        let stays = left > 0 && is_tried || self.is_disputed;
        Ok((!stays).then(|| (run, engine::count(&counts, &State::MADE))))
    }
}

/// The fact that says how the secrets of a run were taken that is there still: by its script, which has not come to its end, or by
/// hand.
pub const TAKEN: &str = "taken";

/// How a script has taken them.
pub const BY_SCRIPT: &str = "by its script";

/// How somebody has.
pub const BY_HAND: &str = "by hand";

/// Somebody has had the results of a run written, with these secrets: where those are all, nobody else need take them.
pub fn take_by_hand(session: &Session, run: &Run, secrets: Secrets) -> Result<()> {
    let has_all = secrets == Secrets::Plain || secrets == Secrets::Pgp && !run.has_plain(session)?;
    if !has_all || engine::due(&run.counts(session)?) > 0 {
        return Ok(());
    }
    take(session, run, BY_HAND)
}

fn take(session: &Session, run: &Run, how: &str) -> Result<()> {
    let taken = Facts::from([(TAKEN.to_owned(), how.to_owned())]);
    session.finish(run.journal.write(move |connection| store::set_facts(connection, &taken)))?
}

/// A run whose secrets a script has taken. Unless that comes to its end, it is there for whoever runs it again.
pub struct Spent {
    /// What it is called.
    pub name: String,
    /// Whether all of its clients were made.
    pub is_whole: bool,
    /// What is taken only if the files that it is in have it at the end as well.
    pub in_files: Vec<(Option<ClientId>, Secret)>,
}

/// What runs a command has for a script, each of which is over once that has come to its end.
#[derive(Clone, Default)]
pub struct Spending(Arc<Mutex<Vec<Spent>>>);

impl Spending {
    /// All secrets of a run have been taken.
    pub fn take(&self, carried: Carried, session: &Session) -> Result<()> {
        let is_whole = carried.is_whole(session)?;
        locked(&self.0).extend(carried.spend(session, is_whole)?);
        Ok(())
    }

    /// The script has come to its end.
    pub fn end(&self) -> Result<()> {
        end_all(&std::mem::take(&mut *locked(&self.0)))
    }
}

/// The runs of this process that are spent and not over, and whether all of their clients were made: whoever asks for the same rows
/// once more wants others.
static SPENT_HERE: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());

/// What they are called.
pub fn spent_here() -> Vec<String> {
    locked(&SPENT_HERE).iter().map(|(name, _)| name.clone()).collect()
}

/// Whose rows they are of which a script asks for a client each: of those that are spent it has had the clients.
pub fn whose(session: &Session) -> Whose {
    let spent = locked(&SPENT_HERE);
    let whole = spent.iter().filter(|(_, is_whole)| *is_whole);
    Whose {
        script: session.script(),
        done: whole.map(|(name, _)| name.clone()).collect(),
        settled: spent.iter().map(|(name, _)| name.clone()).collect(),
    }
}

impl Drop for Spent {
    fn drop(&mut self) {
        locked(&SPENT_HERE).retain(|(name, _)| *name != self.name);
    }
}

/// A script has come to its end: all of its runs go at once.
pub fn end_all(spent: &[Spent]) -> Result<()> {
    // One that somebody else has by now, or has given up, is theirs.
    let folders: Vec<Folder> = spent.iter().filter_map(|spent| Folder::open(&spent.name).ok()).collect();
    if folders.is_empty() { Ok(()) } else { folder::remove_all(folders) }
}
