//! Runs that have some of the rows of an input, and not all: whether clients would be made a second time.

use std::path::Path;

use super::again::{Again, SAME_INPUT, way_to_secrets, why_open};
use super::carry::{BY_HAND, SCRIPT, TAKEN};
use super::engine::{Run, count, due};
use super::folder::{self, Folder};
use super::job::Job;
use super::journal::Journal;
use super::key::RunKey;
use super::state::State;
use super::store::{self, Which, Wishes};
use crate::error::{Error, Result};
use crate::session::Session;

/// A run at the same server of which some of the rows may be.
pub struct Near {
    /// What it is called.
    pub name: String,
    /// Whether it is of the same input, which was changed since.
    pub is_its: bool,
    /// Whether clients of the same names are taken for the same, where it is done.
    pub by_names: bool,
}

/// So many rows are looked through of runs that are done, the newest first, and of an input that is compared with those.
const MOST_LOOKED: u64 = 200_000;

/// Refuses rows that one of these runs has, the newest first, where they would be made a second time; warns where one of the same
/// input has other rows, and is there still. `rows`: how many rows the input has; `hint`: how they are made a second time.
pub fn refuse(
    session: &Session,
    own: &Folder,
    rows: u64,
    runs: Vec<Near>,
    again: Again,
    hint: &dyn Fn(Error, &str) -> Error,
) -> Result<()> {
    // Read once, and where there is something to compare with it.
    let (mut wanted, mut open) = (None, Vec::new());
    let mut looked = if rows > MOST_LOOKED { MOST_LOOKED } else { 0 };
    for near in runs.into_iter().rev() {
        let mut is_looked_through = |made| {
            looked += made;
            looked <= MOST_LOOKED
        };
        let Some(standing) = standing(session, &near, &mut is_looked_through)? else { continue };
        let wanted = match &wanted {
            Some(wanted) => wanted,
            None => wanted.insert(wishes(&own.path, Which::All)?),
        };
        let before = wishes(&folder::path(&near.name)?, standing.rows())?;
        let whole = wanted.rows.intersection(&before.rows).count();
        let named = wanted.names.intersection(&before.names).count().max(whole);
        // Another input may well have clients of the names of one that is done.
        let is_other = matches!(standing, Standing::Done { by_script: false, .. });
        let is_other = is_other && !near.by_names && !before.is_vague;
        let same = if is_other { whole } else { named };
        if same > 0 {
            return Err(refused(&near.name, standing, (same, whole), again, hint));
        }
        let is_told = near.is_its && matches!(standing, Standing::Open { .. });
        open.extend(
            is_told.then(|| {
                format!("run {}, begun on {} with other rows, {}", near.name, standing.begun(), standing.told())
            }),
        );
    }
    match open.as_slice() {
        [] => {}
        [one] => session.ui().warn(one),
        [one, rest @ ..] => session.ui().warn(&format!("{one}, and {} more of it: orysh batch list", rest.len())),
    }
    Ok(())
}

/// What rows of a run ask for.
fn wishes(folder: &Path, which: Which) -> Result<Wishes> {
    let key = RunKey::read(folder)?;
    Journal::peek(folder, |connection| store::wishes(connection, key.as_ref(), which))
}

/// How it stands with a run.
enum Standing {
    /// It is worked on; `is_here`: by this process, whose secrets nobody has taken. Else all of its rows are to be there.
    Held { is_here: bool, error: Error },
    /// Some of its rows are left, or nobody has taken what came of them.
    Open { begun: String, left: u64, untaken: Option<String>, way: Option<String> },
    /// Its clients were made.
    Done { begun: String, by_script: bool },
}

/// How it stands with a run; nothing where it is in nobody's way. `is_looked_through`: whether so many rows more of runs that are
/// done are.
fn standing(
    session: &Session,
    near: &Near,
    is_looked_through: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Standing>> {
    let run = match Run::open(session, &near.name) {
        Ok(run) => run,
        Err(error) if error.code() == Some(folder::HELD) => {
            return Ok(Some(Standing::Held { is_here: folder::is_held_here(&near.name), error }));
        }
        Err(_) => return Ok(None),
    };
    let counts = run.counts(session)?;
    let (left, made) = (due(&counts), count(&counts, &State::MADE));
    let (taken, begun) = (run.fact(TAKEN), run.fact("begun").unwrap_or_default().to_owned());
    let by_script = run.fact("input") == Some(SCRIPT);
    let is_untaken = by_script && made > 0 && taken != Some(BY_HAND);
    if left > 0 || is_untaken {
        let untaken = is_untaken.then(|| why_open(made, taken));
        let way = if is_untaken && taken.is_none() { Some(way_to_secrets(&run)?) } else { None };
        return Ok(Some(Standing::Open { begun, left, untaken, way }));
    }
    let is_done = made > 0 && run.fact("kind") == Some(Job::Create.verb());
    Ok((is_done && is_looked_through(made)).then_some(Standing::Done { begun, by_script }))
}

impl Standing {
    /// Which rows of it would be made a second time.
    fn rows(&self) -> Which {
        match self {
            Standing::Held { is_here: false, .. } => Which::All,
            Standing::Held { .. } | Standing::Open { .. } => Which::There,
            Standing::Done { .. } => Which::Ours,
        }
    }

    fn begun(&self) -> &str {
        match self {
            Standing::Held { .. } => "",
            Standing::Open { begun, .. } | Standing::Done { begun, .. } => begun,
        }
    }

    /// Why it is in the way.
    fn told(&self) -> String {
        match self {
            Standing::Held { .. } => "which is worked on".into(),
            Standing::Open { left: 0, untaken, .. } => untaken.clone().unwrap_or_default(),
            Standing::Open { left, untaken: Some(untaken), .. } => format!("of which {left} are left, {untaken}"),
            Standing::Open { left, untaken: None, .. } => format!("of which {left} are left"),
            Standing::Done { .. } => "whose clients were made, and would be made a second time".into(),
        }
    }
}

/// Why rows are refused, and the ways on. `same`, `whole`: how many of them the run has, and how many with all that they say.
fn refused(
    name: &str,
    standing: Standing,
    (same, whole): (usize, usize),
    again: Again,
    hint: &dyn Fn(Error, &str) -> Error,
) -> Error {
    let why = format!("begun on {}, {}", standing.begun(), standing.told());
    let (left, way) = match standing {
        Standing::Held { error, .. } => {
            let told = format!("{same} of these rows are there already, or about to be");
            let error = error.about(told).with_code(SAME_INPUT);
            return if again == Again::Offered { hint(error, name) } else { error };
        }
        Standing::Open { left, way, .. } => (left, way),
        Standing::Done { .. } => (0, None),
    };
    let told = match (same, whole) {
        (1, 1) => "one of these rows is".into(),
        (_, 0) => format!("clients of the names of {same} of these rows are"),
        _ => format!("{same} of these rows are"),
    };
    let mut error = Error::usage(format!("{told} in run {name}, {why}")).with_code(SAME_INPUT);
    if left > 0 {
        error = error.hint(format!("go on with that as it was: orysh batch resume {name}"));
    }
    if let Some(way) = way {
        error = error.hint(way);
    }
    hint(error.hint(format!("take its clients back: orysh batch undo {name}")), name)
}
