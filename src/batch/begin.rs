//! A new run: its input is checked and spooled, and refused where it would make clients a second time.

use std::path::Path;
use std::time::SystemTime;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::check::{self, Checked, Checker, Input};
use super::engine::{self, DELIVER, Going, IN_STORE, KEY_TAG, RULES, Run, count, due};
use super::folder::{self, Folder};
use super::identity::Identity;
use super::journal::Journal;
use super::key::RunKey;
use super::results;
use super::shape::Shape;
use super::state::State;
use super::store::{self, Facts, Wishes};
use crate::error::{Error, Result};
use crate::session::{Session, hook};
use crate::text::hex;

/// Whether an input may be made again that was run already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Again {
    /// It may.
    Allowed,
    /// It may not, unless `--again` says so.
    Offered,
    /// It may not, and no flag says so.
    Never,
    /// Where something of it is left to do, or nobody has taken what it came to, that run is gone on with; else it may.
    GoneOn,
}

/// What makes an input the same: where it goes, and what it says.
struct Same {
    identity: Identity,
    hash: String,
    /// Whom secrets are for, and what is not checked.
    options: String,
    /// What the input is called, whose rows they are, and what is done for them.
    input: String,
    of: String,
    kind: String,
    /// Runs that it is no repetition of.
    done: Vec<String>,
}

/// A new run.
pub struct New<'a> {
    /// Where its rows come from.
    pub input: Input<'a>,
    /// How rows become clients.
    pub shape: Shape,
    /// What is checked.
    pub check: check::How,
    /// How they are sent.
    pub going: Going,
    /// Whether an input may be made again that was run already.
    pub again: Again,
    /// Keep the run's key in the key store instead of a file.
    pub key_store: bool,
    /// Whose rows they are: another's are others, though they say the same.
    pub of: String,
    /// Runs of the same rows that are whole, and of which more are wanted.
    pub done: Vec<String>,
}

/// What tells the rows of a script from those of another, at the end of what tells a run from others.
pub fn of(script: &str) -> String {
    if script.is_empty() { String::new() } else { format!(" {}", hex(&Sha256::digest(script))) }
}

/// Checks and spools an input. Nothing is sent; what is wrong is told.
pub fn prepare(session: &Session, new: New<'_>, is_trial: bool) -> Result<(Run, Checked)> {
    if let Some(out) = &new.going.out {
        results::rehearse(out)?;
        results::refuse_others(out)?;
    }
    let folder = Folder::create()?;
    let is_stored = new.key_store;
    let prepared = spool(session, &folder, new, is_trial);
    let gone_on = match prepared {
        Ok((_, _, _, Spooled { earlier: Some(name), checked })) => Ok((name, checked)),
        Ok((journal, key, facts, Spooled { checked, .. })) => {
            return Ok((Run { folder, journal, key: Some(key), facts }, checked));
        }
        Err(error) => Err(error),
    };
    if is_stored {
        let tell = |message: &str| session.ui().note(message);
        session.finish(RunKey::forget_stored(&folder.name, &tell))??;
    }
    folder.remove()?;
    let (name, checked) = gone_on?;
    let run = Run::open_with_key(session, &name)?;
    engine::resumed(session, &run)?;
    Ok((run, Checked { is_resumed: true, ..checked }))
}

/// An input in the journal.
struct Spooled {
    checked: Checked,
    /// The run of before that is gone on with instead.
    earlier: Option<String>,
}

fn spool(
    session: &Session,
    folder: &Folder,
    new: New<'_>,
    is_trial: bool,
) -> Result<(Journal, RunKey, Facts, Spooled)> {
    let key = RunKey::generate()?;
    let mut facts = Facts::new();
    if new.key_store {
        session.wait(key.keep(&folder.name, &|message| session.ui().note(message)))?;
        facts.insert("key".into(), IN_STORE.into());
    } else {
        key.write(&folder.path)?;
    }
    let journal = Journal::create(&folder.path)?;
    let name = match &new.input {
        Input::Rows(rows) => rows.name.clone(),
        Input::Ids(_) => "ids".into(),
        Input::Ready(name, _) => (*name).to_owned(),
    };
    let (job, no_lint) = (new.check.job, new.check.no_lint);
    let variant = new.shape.variant().to_owned();
    let options = format!("{no_lint} {}", new.check.recipients.told());
    let of = of(&new.of);
    let checked = Checker::new(session, &journal, &key, new.shape, new.check)?.run(new.input)?;
    let mut same = None;
    if !is_trial {
        let identity = Identity::of(session)?;
        let hash = format!("{} {} {variant}{of}", job.verb(), checked.hash);
        identity.write(&mut facts);
        facts.insert("hash".into(), hash.clone());
        facts.insert(OPTIONS.into(), options.clone());
        let input = name.clone();
        same = Some(Same { identity, hash, options, input, of, kind: job.verb().to_owned(), done: new.done })
            .filter(|_| new.again != Again::Allowed);
    }
    facts.insert(KEY_TAG.into(), key.tag());
    facts.insert("kind".into(), job.verb().into());
    facts.insert("no_lint".into(), no_lint.to_string());
    facts.insert("input".into(), name);
    facts.insert("begun".into(), humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    facts.insert("given".into(), json!(session.settings().given.names()).to_string());
    facts.insert("plain".into(), checked.plain.to_string());
    facts.insert(RULES.into(), hook::rules(session));
    if let Some(words) = session.hooks().iter().find_map(|hook| hook.words()) {
        facts.insert(DELIVER.into(), json!(words).to_string());
    }
    if let Some(out) = &new.going.out {
        let out = std::path::absolute(out).unwrap_or_else(|_| out.clone());
        facts.insert("out".into(), out.display().to_string());
    }
    if let Some(secrets) = new.going.secrets {
        facts.insert("secrets".into(), secrets.name().into());
    }
    // Of two that begin at once, one looks at the other once it says what it is.
    let _turn = same.is_some().then(folder::turn).transpose()?;
    let earlier = match &same {
        Some(same) => refuse_again(session, folder, same, checked.given == checked.good, new.again)?,
        None => None,
    };
    let kept = facts.clone();
    session.wait(journal.write(move |connection| store::set_facts(connection, &kept)))?;
    Ok((journal, key, facts, Spooled { checked, earlier }))
}

/// The fact that says whom the secrets of a run are for, and what was not checked.
const OPTIONS: &str = "options";

/// Tells when a run was gone on with.
pub const RESUMED: &str = "resumed";

/// The code of an error that says that an input was run already.
const SAME_INPUT: &str = "same_input";

/// What inputs are called that no file has.
const OWN_INPUTS: [&str; 4] = ["script", "apply", "import", "ids"];

/// Whether two runs have the same rows, of different scripts.
fn has_same_rows(one: &str, other: &str) -> bool {
    let rows = |hash: &str| hash.rsplit_once(' ').map(|(rows, _)| rows.to_owned());
    rows(one) == rows(other)
}

/// Errors: another script has begun these rows and has not come to their end, or nobody has taken what came of them; a script that
/// was renamed is another one, and so is a line of `eval` that was mended.
fn refuse_rows_of_another(session: &Session, name: &str) -> Result<()> {
    let run = match Run::open(session, name) {
        Ok(run) => run,
        Err(error) if error.code() == Some(folder::HELD) => {
            let error = error.about("these rows are being made, by another script or under another name");
            return Err(error.with_code(SAME_INPUT));
        }
        Err(_) => return Ok(()),
    };
    let counts = run.counts(session)?;
    let (left, made) = (due(&counts), count(&counts, &State::MADE));
    let begun = run.fact("begun").unwrap_or_default();
    let rows = format!("rows are run {name}, begun on {begun} by another script or under another name");
    if left > 0 {
        return Err(Error::usage(format!("these {rows}, and {left} of them are left"))
            .with_code(SAME_INPUT)
            .hint(format!("go on with it: orysh batch resume {name}"))
            .hint(format!("if its clients are to be made a second time: orysh batch forget {name}")));
    }
    if made > 0 {
        return Err(Error::usage(format!("these {rows}, and nobody has taken the secrets of its {made} clients"))
            .with_code(SAME_INPUT)
            .hint(format!("take them: orysh batch results {name} --secrets plain --out FILE.csv"))
            .hint(format!("or take the clients back: orysh batch undo {name}"))
            .hint(format!("if they are to be made a second time: orysh batch forget {name}")));
    }
    Ok(())
}

/// Refuses an input that was run already on the same server: its clients would be made twice. Gives the run that is gone on with
/// instead, where that may be.
fn refuse_again(session: &Session, own: &Folder, same: &Same, has_ids: bool, again: Again) -> Result<Option<String>> {
    let hint = |error: Error, name: &str| match again {
        Again::Offered => error.hint("--again makes a run of its own, and so the clients a second time"),
        Again::Never | Again::GoneOn | Again::Allowed => {
            error.hint(format!("if they are to be made a second time: orysh batch forget {name}"))
        }
    };
    let mut others = Vec::new();
    for name in folder::names()?.into_iter().filter(|name| *name != own.name && !same.done.contains(name)) {
        // Most runs are of something else, and need not be looked through.
        let facts = Journal::peek(&folder::path(&name)?, store::facts).unwrap_or_default();
        if !Identity::read(&facts).may_be(&same.identity) {
            continue;
        }
        let hash = facts.get("hash").map_or("", String::as_str);
        if hash != same.hash {
            if again == Again::GoneOn && has_same_rows(hash, &same.hash) {
                refuse_rows_of_another(session, &name)?;
            }
            // Another script, or another file, with some of the same rows.
            let input = facts.get("input").map_or("", String::as_str);
            let is_near = match again {
                Again::GoneOn => input == same.input,
                Again::Offered => facts.get("kind") == Some(&same.kind) && !OWN_INPUTS.contains(&input),
                Again::Allowed | Again::Never => false,
            };
            let is_its = if again == Again::GoneOn { hash.ends_with(&same.of) } else { input == same.input };
            others.extend(is_near.then_some((name, is_its)));
            continue;
        }
        let run = match Run::open(session, &name) {
            Ok(run) => run,
            Err(error)
                if error.code() == Some(folder::HELD) && folder::is_held_here(&name) && again == Again::GoneOn =>
            {
                let error = Error::usage(format!("the script has made these rows already, as run {name}"));
                return Err(error
                    .with_code(SAME_INPUT)
                    .hint("show or write the secrets that it got before it makes as much again, or have other rows"));
            }
            Err(error) if error.code() == Some(folder::HELD) && folder::is_held_here(&name) => continue,
            Err(error) if error.code() == Some(folder::HELD) => {
                let error = Error::usage(format!("this input is run {name}, which another process works on"));
                let error = error.with_code(SAME_INPUT);
                return Err(if again == Again::Offered { hint(error, &name) } else { error.hint("wait for it") });
            }
            Err(_) => continue,
        };
        let counts = run.counts(session)?;
        let (left, made) = (due(&counts), count(&counts, &State::MADE));
        let begun = run.fact("begun").unwrap_or_default().to_owned();
        if again == Again::GoneOn {
            // A run of which everything has been taken goes; what was taken back is to be made anew.
            if left + made == 0 {
                continue;
            }
            let elsewhere = |why: &str| {
                let error = Error::usage(format!("these rows are run {name}, begun on {begun}, {why}"));
                error.with_code(SAME_INPUT)
            };
            let anew = format!("if its clients are to be made a second time: orysh batch forget {name}");
            if count(&counts, &[State::Undone]) > 0 {
                let all = format!("to take back what is left of it: orysh batch undo {name}");
                return Err(elsewhere("which was taken back in part").hint(all).hint(anew));
            }
            if run.fact(OPTIONS).is_some_and(|options| options != same.options) {
                return Err(elsewhere("whose secrets are for others, or which was checked otherwise")
                    .hint(format!("to go on with it as it was: orysh batch resume {name}"))
                    .hint(anew));
            }
            let run = Run { key: None, ..run };
            let has_key = run.fact("key") == Some(IN_STORE) || RunKey::read(&run.folder.path)?.is_some();
            if !has_key {
                let seen = format!("see what it came to: orysh batch show {name}");
                return Err(elsewhere("whose secrets have been written elsewhere").hint(seen).hint(anew));
            }
            return Ok(Some(name));
        }
        if left > 0 {
            let error = Error::usage(format!("this input is run {name}, begun on {begun}: {left} rows are left"));
            let error = error.with_code(SAME_INPUT).hint(format!("go on with it: orysh batch resume {name}"));
            return Err(hint(error, &name));
        }
        if !has_ids && made > 0 {
            let error = Error::usage(format!(
                "this input was run {name}, begun on {begun}: its clients were made, and would be made a second time"
            ));
            let error = error.with_code(SAME_INPUT).hint(format!("see what it came to: orysh batch show {name}"));
            return Err(hint(error, &name));
        }
    }
    // Read once, and where there is something to compare with it.
    let mut rows = None;
    for (name, is_its) in others {
        let part = Part { name: &name, again, is_its };
        refuse_part(session, &part, &|error| hint(error, &name), |before| {
            let rows = match &rows {
                Some(rows) => rows,
                None => rows.insert(Journal::peek(&own.path, |connection| store::wishes(connection, false))?),
            };
            Ok(part.same(rows, before))
        })?;
    }
    Ok(None)
}

/// A run of which some of the rows may be.
struct Part<'a> {
    name: &'a str,
    again: Again,
    /// Whether it is of the same input, which was changed since.
    is_its: bool,
}

impl Part<'_> {
    /// How many rows are the same as a whole, and how many at least by their clients' names.
    fn same(&self, rows: &Wishes, before: &Wishes) -> (usize, usize) {
        let whole = rows.rows.intersection(&before.rows).count();
        let is_named = self.is_its || self.again == Again::GoneOn;
        (whole, whole.max(if is_named { rows.names.intersection(&before.names).count() } else { 0 }))
    }
}

/// Errors: some of the rows are of a run that has not come to its end, or of which nobody has taken what came; its input has been
/// changed since. `hint`: how they are made a second time; `same`: how many of them are among those.
fn refuse_part(
    session: &Session,
    part: &Part<'_>,
    hint: &dyn Fn(Error) -> Error,
    mut same: impl FnMut(&Wishes) -> Result<(usize, usize)>,
) -> Result<()> {
    let Part { name, again, is_its } = *part;
    let there = |folder: &Path, only_there| Journal::peek(folder, |connection| store::wishes(connection, only_there));
    let run = match Run::open(session, name) {
        Ok(run) => run,
        // It is worked on: all of its rows are to be there, or of this process, whose secrets nobody has taken.
        Err(error) if error.code() == Some(folder::HELD) => {
            let is_here = folder::is_held_here(name);
            let (_, same) = same(&there(&folder::path(name)?, is_here)?)?;
            if same == 0 {
                return Ok(());
            }
            let error = error.about(format!("{same} of these rows are there already, or about to be"));
            let error = error.with_code(SAME_INPUT);
            return Err(if again == Again::Offered { hint(error) } else { error });
        }
        Err(_) => return Ok(()),
    };
    let counts = run.counts(session)?;
    let (left, made) = (due(&counts), count(&counts, &State::MADE));
    let is_untaken = again == Again::GoneOn && made > 0;
    if left == 0 && !is_untaken {
        return Ok(());
    }
    let (whole, same) = same(&there(&run.folder.path, true)?)?;
    let begun = run.fact("begun").unwrap_or_default();
    let state = match (left, is_untaken) {
        (0, _) => format!("and nobody has taken the secrets of its {made} clients"),
        (_, true) => format!("of which {left} are left, and nobody has taken the secrets of {made} clients"),
        (_, false) => format!("of which {left} are left"),
    };
    if same == 0 && !is_its {
        return Ok(());
    }
    if same == 0 {
        session.ui().warn(&format!("run {name}, begun on {begun} with other rows, {state}"));
        return Ok(());
    }
    let told = match (same, whole) {
        (1, 1) => "one of these rows is".into(),
        (_, 0) => format!("clients of the names of {same} of these rows are"),
        _ => format!("{same} of these rows are"),
    };
    let error = Error::usage(format!("{told} in run {name}, begun on {begun}, {state}")).with_code(SAME_INPUT);
    let error =
        if left > 0 { error.hint(format!("go on with that as it was: orysh batch resume {name}")) } else { error };
    let error = if is_untaken {
        error.hint(format!("take its secrets: orysh batch results {name} --secrets plain --out FILE.csv"))
    } else {
        error
    };
    Err(hint(error.hint(format!("take its clients back: orysh batch undo {name}"))))
}
