//! A new run: its input is checked and spooled, and refused where it would make clients a second time.

use std::time::SystemTime;

use serde_json::json;

use super::again::{self, Again, OPTIONS, Same, Whose, refuse_again};
use super::check::{self, Checked, Checker, Input};
use super::engine::{self, DELIVER, Going, IN_STORE, KEY_TAG, RULES, Run};
use super::folder::{self, Folder};
use super::identity::Identity;
use super::journal::Journal;
use super::key::RunKey;
use super::results;
use super::shape::Shape;
use super::store::{self, Facts};
use crate::error::Result;
use crate::session::{Session, hook};

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
    /// Whose rows they are.
    pub whose: Whose,
}

/// Checks and spools an input. Nothing is sent; what is wrong is told.
pub fn prepare(session: &Session, new: New<'_>, is_trial: bool) -> Result<(Run, Checked)> {
    if let Some(out) = &new.going.out {
        results::rehearse(out)?;
        results::refuse_others(out)?;
    }
    hook::demand_whole(session)?;
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
    let of = again::of(&new.whose.script);
    let checked = Checker::new(session, &journal, &key, new.shape, new.check)?.run(new.input)?;
    let mut same = None;
    if !is_trial {
        let identity = Identity::of(session)?;
        let hash = format!("{} {} {variant}{of}", job.verb(), checked.hash);
        identity.write(&mut facts);
        facts.insert("hash".into(), hash.clone());
        facts.insert(OPTIONS.into(), options.clone());
        let input = name.clone();
        let (whose, kind) = (new.whose, job.verb().to_owned());
        let rows = checked.good;
        same = Some(Same { identity, hash, options, input, whose, kind, rows }).filter(|_| new.again != Again::Allowed);
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

/// Tells when a run was gone on with.
pub const RESUMED: &str = "resumed";
