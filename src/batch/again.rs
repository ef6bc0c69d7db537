//! Rows that come again: whether their run is gone on with, or they are refused, as their clients would be made a second time.

use sha2::{Digest as _, Sha256};

use super::carry::{BY_HAND, TAKEN};
use super::engine::{IN_STORE, Run, count, due};
use super::folder::{self, Folder};
use super::identity::Identity;
use super::journal::Journal;
use super::key::RunKey;
use super::part::{self, Near};
use super::state::State;
use super::store;
use crate::error::{Error, Result};
use crate::session::Session;
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
pub struct Same {
    pub identity: Identity,
    pub hash: String,
    /// Whom secrets are for, and what is not checked.
    pub options: String,
    /// What the input is called, whose rows they are, and what is done for them.
    pub input: String,
    pub whose: Whose,
    pub kind: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Whose rows they are, where those of another are others though they say the same.
#[derive(Default)]
pub struct Whose {
    /// The script.
    pub script: String,
    /// Runs of it that are whole: of the same rows more are wanted.
    pub done: Vec<String>,
    /// Runs of it whose secrets it has taken: it may have other rows of those names.
    pub settled: Vec<String>,
}

/// What tells the rows of a script from those of another, at the end of what tells a run from others.
pub fn of(script: &str) -> String {
    if script.is_empty() { String::new() } else { format!(" {}", hex(&Sha256::digest(script))) }
}

/// The fact that says whom the secrets of a run are for, and what was not checked.
pub const OPTIONS: &str = "options";

/// The code of an error that says that an input was run already.
pub const SAME_INPUT: &str = "same_input";

/// What inputs are called that no file has, and no script.
const OWN_INPUTS: [&str; 2] = ["apply", "ids"];

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
    let taken = run.fact(TAKEN);
    if made > 0 {
        let error = Error::usage(format!("these {rows}, {}", why_open(made, taken))).with_code(SAME_INPUT);
        let error = match taken {
            None => error.hint(way_to_secrets(&run)?),
            Some(_) => error.hint("the script that began it gets them once more, and goes on"),
        };
        return Err(error
            .hint(format!("or take the clients back: orysh batch undo {name}"))
            .hint(format!("if they are to be made a second time: orysh batch forget {name}")));
    }
    Ok(())
}

/// Whether the secrets of a run can be told.
fn has_key(run: &Run) -> Result<bool> {
    Ok(run.fact("key") == Some(IN_STORE) || RunKey::read(&run.folder.path)?.is_some())
}

/// How somebody gets secrets that nobody has taken.
pub fn way_to_secrets(run: &Run) -> Result<String> {
    let name = &run.folder.name;
    Ok(if has_key(run)? {
        format!("take its secrets: orysh batch results {name} --secrets plain --out FILE.csv")
    } else {
        "its key is gone, and its secrets with it: orysh rotate secret gives a client a new one".into()
    })
}

/// Why a run of a script of which nothing is left is there still.
pub fn why_open(made: u64, taken: Option<&str>) -> String {
    match taken {
        None => format!("and nobody has taken the secrets of its {made} clients"),
        Some(BY_HAND) => format!("whose {made} clients were made, and would be made a second time"),
        Some(_) => format!("whose script has made {made} clients and has not come to its end"),
    }
}

/// Refuses an input that was run already on the same server: its clients would be made twice. Gives the run that is gone on with
/// instead, where that may be.
pub fn refuse_again(
    session: &Session,
    own: &Folder,
    same: &Same,
    has_ids: bool,
    again: Again,
) -> Result<Option<String>> {
    let hint = |error: Error, name: &str| match again {
        Again::Offered => error.hint("--again makes a run of its own, and so the clients a second time"),
        Again::Never | Again::GoneOn | Again::Allowed => {
            error.hint(format!("if they are to be made a second time: orysh batch forget {name}"))
        }
    };
    let mut others = Vec::new();
    for name in folder::names()?.into_iter().filter(|name| *name != own.name && !same.whose.done.contains(name)) {
        // Most runs are of something else, and need not be looked through.
        let facts = Journal::peek(&folder::path(&name)?, store::facts).unwrap_or_default();
        if !Identity::read(&facts).may_be(&same.identity) {
            continue;
        }
        let hash = facts.get("hash").map_or("", String::as_str);
        if hash != same.hash {
            if same.whose.settled.contains(&name) {
                continue;
            }
            if again == Again::GoneOn && has_same_rows(hash, &same.hash) {
                refuse_rows_of_another(session, &name)?;
            }
            // Another script, or another file, with some of the same rows.
            let input = facts.get("input").map_or("", String::as_str);
            let is_near = again != Again::Allowed
                && !OWN_INPUTS.contains(&same.input.as_str())
                && facts.get("kind") == Some(&same.kind)
                && !OWN_INPUTS.contains(&input);
            let is_its =
                if again == Again::GoneOn { hash.ends_with(&of(&same.whose.script)) } else { input == same.input };
            // What an import's file is called is not known any more.
            let by_names = is_its || again == Again::Never;
            others.extend(is_near.then_some(Near { name, is_its, by_names }));
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
        if again == Again::GoneOn {
            if gone_on(session, &run, same)? {
                return Ok(Some(name));
            }
            continue;
        }
        let counts = run.counts(session)?;
        let (left, made) = (due(&counts), count(&counts, &State::MADE));
        let begun = run.fact("begun").unwrap_or_default().to_owned();
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
            let of_script = format!("a script has it by `batch::results(\"{name}\")`");
            let error = if session.is_by_script() { error.hint(of_script) } else { error };
            return Err(hint(error, &name));
        }
    }
    part::refuse(session, own, same.rows, others, again, &hint)?;
    Ok(None)
}

/// Whether a run of the same rows of the same script is gone on with. Errors: it cannot be, and what is to be done with it.
fn gone_on(session: &Session, run: &Run, same: &Same) -> Result<bool> {
    let name = &run.folder.name;
    let counts = run.counts(session)?;
    // A run of which everything has been taken goes; what was taken back is to be made anew.
    if due(&counts) + count(&counts, &State::MADE) == 0 {
        return Ok(false);
    }
    let begun = run.fact("begun").unwrap_or_default();
    let elsewhere =
        |why: &str| Error::usage(format!("these rows are run {name}, begun on {begun}, {why}")).with_code(SAME_INPUT);
    let anew = format!("if its clients are to be made a second time: orysh batch forget {name}");
    if count(&counts, &[State::Undone]) > 0 {
        let all = format!("to take back what is left of it: orysh batch undo {name}");
        return Err(elsewhere("which was taken back in part").hint(all).hint(anew));
    }
    if run.fact(OPTIONS).is_some_and(|options| options != same.options) {
        let as_it_was = match due(&counts) {
            0 => format!(
                "its secrets: orysh batch results {name} --secrets plain; its clients go by orysh batch undo {name}"
            ),
            _ => format!("to go on with it as it was: orysh batch resume {name}"),
        };
        return Err(elsewhere("whose secrets are for others, or which was checked otherwise")
            .hint(as_it_was)
            .hint(anew));
    }
    if !has_key(run)? {
        let seen = format!("see what it came to: orysh batch show {name}");
        let why = "whose key is gone: its secrets were written elsewhere, or are not known any more";
        return Err(elsewhere(why).hint(seen).hint(anew));
    }
    Ok(true)
}
