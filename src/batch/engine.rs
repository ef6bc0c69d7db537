//! A run from its input to its end, and from where it was left off.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::check::{self, Checked, Checker, Input};
use super::folder::{self, Folder};
use super::identity::Identity;
use super::job::Job;
use super::journal::Journal;
use super::key::RunKey;
use super::pace::{self, Pace, Window};
use super::results::{self, Reader, Secrets};
use super::run::{Ended, PATIENCE, Sender, Sending, Tally};
use super::shape::Shape;
use super::state::State;
use super::store::{self, Counts, Facts};
use crate::config::tier::{self, Tier};
use crate::error::{Error, Kind, Result};
use crate::ops::deliver::Program;
use crate::ops::guard;
use crate::session::Session;
use crate::text::{safe, shell_word};
use crate::ui::progress::Progress;

/// How rows are sent and told.
#[derive(Clone, Debug, Default)]
pub struct Going {
    /// At most so many requests at once.
    pub concurrency: Option<usize>,
    /// Limits that are kept to, instead of those that the profile or the server names.
    pub rate: Option<Vec<Window>>,
    /// Where results go.
    pub out: Option<PathBuf>,
    /// Which secrets they hold.
    pub secrets: Option<Secrets>,
    /// Give clients of which it cannot be told whose they are the secrets of their rows.
    pub claims: bool,
    /// Tell the progress as JSON.
    pub json: bool,
}

/// At most so many requests at once, where nobody says otherwise.
const CONCURRENCY: usize = 32;

/// A new run.
pub struct New {
    /// Where its rows come from.
    pub input: Input,
    /// How rows become clients.
    pub shape: Shape,
    /// What is checked.
    pub check: check::How,
    /// How they are sent.
    pub going: Going,
    /// Make the rows of an input again that was run already.
    pub again: bool,
    /// Keep the run's key in the key store instead of a file.
    pub key_store: bool,
}

/// A run that is worked on.
pub struct Run {
    /// Its folder, which is held.
    pub folder: Folder,
    /// Its journal.
    pub journal: Journal,
    /// Its key, where there is one still.
    pub key: Option<RunKey>,
    /// What it is.
    pub facts: Facts,
}

impl Run {
    /// Opens a run. Errors are of usage: it is not there, is held by another process, of another version, or broken.
    pub fn open(session: &Session, name: &str) -> Result<Run> {
        let folder = Folder::open(name)?;
        let journal = Journal::open(&folder.path)?;
        let facts = session.wait(journal.write(store::facts))?;
        if !facts.contains_key("hash") {
            return Err(Error::usage(format!("run {}: its input was never checked to its end", folder.name))
                .hint(format!("nothing was sent: orysh batch forget {}", folder.name)));
        }
        Ok(Run { folder, journal, key: None, facts })
    }

    /// The same, with its key where there is one still.
    pub fn open_with_key(session: &Session, name: &str) -> Result<Run> {
        let run = Run::open(session, name)?;
        let key = if run.fact("key") == Some(IN_STORE) {
            session.wait(RunKey::fetch(&run.folder.name, &|message| session.ui().note(message)))?
        } else {
            RunKey::read(&run.folder.path)?
        };
        Ok(Run { key, ..run })
    }

    /// How many rows are how far.
    pub fn counts(&self, session: &Session) -> Result<Counts> {
        session.finish(self.journal.write(store::counts))?
    }

    /// Its key. Errors: it is gone.
    pub fn key(&self) -> Result<&RunKey> {
        self.key.as_ref().ok_or_else(|| {
            Error::usage(format!(
                "the key of run {} is gone: no secret of its rows can be told or sent",
                self.folder.name
            ))
        })
    }

    /// Whether it knows secrets that are encrypted for nobody.
    fn has_plain(&self, session: &Session) -> Result<bool> {
        if self.job()? == Job::Create {
            return Ok(self.asks_plain());
        }
        session.finish(self.journal.write(store::has_sealed))?
    }

    /// Whether its input asks for secrets that are encrypted for nobody.
    fn asks_plain(&self) -> bool {
        self.fact("plain").is_some_and(|plain| plain != "0")
    }

    /// What it does with the clients of its rows.
    pub fn job(&self) -> Result<Job> {
        Job::parse(self.fact("kind").unwrap_or("create"))
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str)
    }
}

/// Checks and spools an input. Nothing is sent; what is wrong is told.
pub fn prepare(session: &Session, new: New, is_trial: bool) -> Result<(Run, Checked)> {
    if let Some(out) = &new.going.out {
        results::rehearse(out)?;
        results::refuse_others(out)?;
    }
    let folder = Folder::create()?;
    let is_stored = new.key_store;
    let prepared = spool(session, &folder, new, is_trial);
    match prepared {
        Ok((journal, key, facts, checked)) => Ok((Run { folder, journal, key: Some(key), facts }, checked)),
        Err(error) => {
            if is_stored {
                let tell = |message: &str| session.ui().note(message);
                session.finish(RunKey::forget_stored(&folder.name, &tell))??;
            }
            folder.remove()?;
            Err(error)
        }
    }
}

/// Removes a run of which nothing was sent, with its key.
pub fn discard(session: &Session, run: Run) -> Result<()> {
    forget_key(session, &run.folder, &run.facts)?;
    run.folder.remove()
}

fn spool(session: &Session, folder: &Folder, new: New, is_trial: bool) -> Result<(Journal, RunKey, Facts, Checked)> {
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
    let checked = Checker::new(session, &journal, &key, new.shape, new.check)?.run(new.input)?;
    let mut same = None;
    if !is_trial {
        let identity = Identity::of(session)?;
        let hash = format!("{} {} {}", job.verb(), checked.hash, variant);
        identity.write(&mut facts);
        facts.insert("hash".into(), hash.clone());
        same = Some((identity, hash)).filter(|_| !new.again);
    }
    facts.insert("kind".into(), job.verb().into());
    facts.insert("no_lint".into(), no_lint.to_string());
    facts.insert("input".into(), name);
    facts.insert("begun".into(), humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    facts.insert("given".into(), json!(session.settings().given.names()).to_string());
    facts.insert("plain".into(), checked.plain.to_string());
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
    if let Some((identity, hash)) = &same {
        refuse_again(session, folder, identity, hash, checked.given == checked.good)?;
    }
    let kept = facts.clone();
    session.wait(journal.write(move |connection| store::set_facts(connection, &kept)))?;
    Ok((journal, key, facts, checked))
}

/// The code of an error that says that an input was run already.
const SAME_INPUT: &str = "same_input";

/// Refuses an input that was run already on the same server: its clients would be made twice.
fn refuse_again(session: &Session, own: &Folder, identity: &Identity, hash: &str, has_ids: bool) -> Result<()> {
    for name in folder::names()?.into_iter().filter(|name| *name != own.name) {
        let run = match Run::open(session, &name) {
            Ok(run) => run,
            Err(error) if error.code() == Some(folder::HELD) => {
                let facts = Journal::peek(&folder::path(&name)?, store::facts).unwrap_or_default();
                if facts.get("hash").map(String::as_str) == Some(hash) && Identity::read(&facts).may_be(identity) {
                    return Err(Error::usage(format!("this input is run {name}, which another process works on"))
                        .with_code(SAME_INPUT)
                        .hint("--again makes a run of its own, and so the clients a second time"));
                }
                continue;
            }
            Err(_) => continue,
        };
        let before = Identity::read(&run.facts);
        if run.fact("hash") != Some(hash) || !before.may_be(identity) {
            continue;
        }
        let counts = run.counts(session)?;
        let left = due(&counts);
        let begun = run.fact("begun").unwrap_or_default().to_owned();
        if left > 0 {
            return Err(Error::usage(format!("this input is run {name}, begun on {begun}: {left} rows are left"))
                .with_code(SAME_INPUT)
                .hint(format!("go on with it: orysh batch resume {name}"))
                .hint("--again makes a run of its own, and so the clients a second time"));
        }
        let made = counts.get(State::Done.name()).copied().unwrap_or_default();
        if !has_ids && made > 0 {
            return Err(Error::usage(format!(
                "this input was run {name}, begun on {begun}: its clients were made, and would be made a second time"
            ))
            .with_code(SAME_INPUT)
            .hint(format!("see what it came to: orysh batch show {name}"))
            .hint("--again makes them a second time"));
        }
    }
    Ok(())
}

/// Rows for which there is something to do yet.
fn due(counts: &Counts) -> u64 {
    count(counts, &State::DUE)
}

/// How many rows are in one of these states.
pub fn count(counts: &Counts, states: &[State]) -> u64 {
    states.iter().filter_map(|state| counts.get(state.name())).sum()
}

/// Asks, estimates, sends, writes results. Gives what it came to, as a row and what was wrong.
///
/// `was_sent` is set once something may have been: from then on the run is kept, whatever happens.
pub fn go(
    session: &Session,
    run: &Run,
    going: &Going,
    stdin_is_read: bool,
    was_sent: &mut bool,
) -> Result<(Value, Option<Error>)> {
    let ui = session.ui();
    if let Some(path) = out(run, going) {
        results::rehearse(&path)?;
    }
    if let Some(path) = &going.out
        && run.fact("out").map(PathBuf::from) != std::path::absolute(path).ok()
    {
        results::refuse_others(path)?;
    }
    let counts = run.counts(session)?;
    let (left, total) = (due(&counts), counts.values().sum::<u64>());
    let name = &run.folder.name;
    let key = run.key()?;
    let limits = Limits::of(session, going)?;
    let lasts = limits.time_for(left);
    check::check_keys(session, &run.journal, lasts)?;
    let job = run.job()?;
    let session = &with_program(session, run)?;
    let to_send = left - count(&counts, &[State::Undelivered]);
    if to_send > 0 {
        ask(session, job, to_send, stdin_is_read)?;
    }
    let rows = if left == total { format!("{left} rows") } else { format!("{left} rows of {total}") };
    ui.note(&if to_send == 0 && left > 0 {
        format!("run {name}: {left} clients of {} to hand over", session.described()?)
    } else {
        format!("run {name}: {rows} to {}, {}", session.described()?, limits.told(left))
    });
    warn_of_key(session, run, going);
    *was_sent = true;
    let no_lint = run.fact("no_lint") == Some("true");
    let how = Sending { job, no_lint, claims: going.claims, patience: PATIENCE, heard: None };
    let began = Instant::now();
    let ended = send(session, run, key, how, (going, limits), left)?;
    finish(session, run, going, ended, began.elapsed())
}

/// Sends what is due, and tells how far it is.
pub fn send(
    session: &Session,
    run: &Run,
    key: &RunKey,
    how: Sending<'_>,
    (going, limits): (&Going, Limits),
    left: u64,
) -> Result<Ended> {
    let pace = Arc::new(Pace::new(going.concurrency.unwrap_or(CONCURRENCY), limits.windows, limits.tier));
    let tally = Tally::default();
    let began = Instant::now();
    let sender = Sender::new(session, &run.journal, key, how, Arc::clone(&pace), &tally);
    let mut progress = Progress::begin(session.ui(), left, going.json);
    let ended = session.finish(async {
        tokio::select! {
            ended = sender.send() => ended,
            never = watch(session, &mut progress, &tally, &pace, left, began) => match never {},
        }
    })?;
    progress.end(|| state_of(&tally, &pace, left, began));
    Ok(ended)
}

/// Which limits are known before anything is sent.
pub struct Limits {
    windows: Vec<Window>,
    tier: Option<Tier>,
    /// Who names them.
    named_by: String,
}

impl Limits {
    /// As flags say, else the profile.
    pub fn of(session: &Session, going: &Going) -> Result<Self> {
        let tier =
            session.chosen()?.profile.and_then(|profile| profile.rate_limit_tier).and_then(|name| tier::named(&name));
        let (windows, named_by) = match (&going.rate, tier) {
            (Some(rate), _) => (rate.clone(), "as --rate says".to_owned()),
            (None, Some(tier)) => (pace::of_tier(tier), format!("as tier {}", tier.name)),
            (None, None) => (Vec::new(), String::new()),
        };
        Ok(Limits { windows, tier, named_by })
    }

    /// How long so many rows take by them.
    pub fn time_for(&self, rows: u64) -> Duration {
        pace::time_for(&self.windows, rows)
    }

    /// The estimate for so many rows, with its reason.
    pub fn told(&self, rows: u64) -> String {
        if self.windows.is_empty() {
            return "as fast as the server allows".into();
        }
        format!("{}, {}: {}", pace::described(&self.windows), self.named_by, about(self.time_for(rows)))
    }
}

/// Asks before it begins: on a production target in any case, and on any other where clients end.
fn ask(session: &Session, job: Job, left: u64, stdin_is_read: bool) -> Result<()> {
    let assent = &session.settings().assent;
    let ends = job == Job::Delete;
    if ends && !assent.yes && assent.confirm.is_none() && !session.ui().can_ask(stdin_is_read) {
        return Err(Error::usage(format!("nobody can be asked whether to {}", job.deed(left)))
            .hint("--yes does it without asking"));
    }
    if ends {
        return guard::ask(session, &job.deed(left), "nothing was sent", stdin_is_read);
    }
    guard::batch(session, &job.deed(left), stdin_is_read)
}

/// The session, where the program that the run was begun with hears of clients, unless a flag names one.
fn with_program(session: &Session, run: &Run) -> Result<Session> {
    let words = run.fact(DELIVER).filter(|_| session.hooks().iter().all(|hook| hook.words().is_none()));
    let Some(words) = words else { return Ok(session.clone()) };
    let words = serde_json::from_str(words).map_err(|_| Error::failed("the program is broken in the journal"))?;
    Ok(session.clone().with_hook(Program::find(words)?.hook()))
}

/// The fact that names the program that clients are handed to.
const DELIVER: &str = "deliver";

/// Says beforehand what can be told afterwards.
fn warn_of_key(session: &Session, run: &Run, going: &Going) {
    let has_plain = run.asks_plain();
    let name = &run.folder.name;
    match secrets(run, going) {
        Secrets::None | Secrets::Pgp if !has_plain && out(run, going).is_some() => session.ui().note(
            "once all is done and written the run's key is deleted: secrets in clear cannot be had from it any more",
        ),
        Secrets::Plain if out(run, going).is_some() => session.ui().note(
            "the results hold secrets in clear; once all is done and written the run's key is deleted, and the results are the only place of them",
        ),
        Secrets::None | Secrets::Pgp if has_plain => session.ui().note(&format!(
            "secrets that are encrypted for nobody stay in the run: orysh batch results {name} --secrets plain --out FILE.csv"
        )),
        _ => {}
    }
}

fn secrets(run: &Run, going: &Going) -> Secrets {
    going.secrets.or_else(|| run.fact("secrets").map(Secrets::parse)).unwrap_or(Secrets::Pgp)
}

fn out(run: &Run, going: &Going) -> Option<PathBuf> {
    going.out.clone().or_else(|| run.fact("out").map(PathBuf::from))
}

async fn watch(
    session: &Session,
    progress: &mut Progress,
    tally: &Tally,
    pace: &Pace,
    total: u64,
    began: Instant,
) -> std::convert::Infallible {
    let mut windows = pace.going().windows;
    loop {
        tokio::time::sleep(progress.interval()).await;
        let going = pace.going();
        let done = tally.ended.load(Ordering::Relaxed);
        if going.windows != windows {
            windows.clone_from(&going.windows);
            let left = total.saturating_sub(done);
            session.ui().note(&format!(
                "the server allows {}: {} for the {left} rows that are left",
                pace::described(&windows),
                about(pace::time_for(&windows, left))
            ));
        }
        let message = message(tally, &going, total, began);
        progress.at(done, total, &message, || state_of(tally, pace, total, began));
    }
}

fn message(tally: &Tally, going: &pace::Going, total: u64, began: Instant) -> String {
    let (done, failed) = (tally.ended.load(Ordering::Relaxed), tally.failed.load(Ordering::Relaxed));
    let rate = rate(done, began);
    let mut parts = vec![if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if let Some(blocked) = going.blocked {
        parts.push(format!("waiting {} s for the server's limit", blocked.as_secs() + 1));
    }
    #[expect(clippy::cast_precision_loss, reason = "it is told to the minute")]
    let measured = Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / rate).unwrap_or_default();
    // Where limits decide, they decided from the beginning.
    let limited = pace::time_for(&going.windows, total).saturating_sub(began.elapsed());
    let left = if limited.is_zero() { measured } else { limited };
    if done > 0 {
        parts.push(format!("{} left", about(left)));
    }
    parts.join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "it is told to a tenth")]
fn rate(done: u64, began: Instant) -> f64 {
    done as f64 / began.elapsed().as_secs_f64().max(0.001)
}

fn state_of(tally: &Tally, pace: &Pace, total: u64, began: Instant) -> Value {
    let going = pace.going();
    let (done, failed) = (tally.ended.load(Ordering::Relaxed), tally.failed.load(Ordering::Relaxed));
    json!({
        "done": done, "failed": failed, "total": total, "seconds": began.elapsed().as_secs(),
        "per_second": (rate(done, began) * 10.0).round() / 10.0, "at_once": going.at_once, "limited": going.limited,
        "waiting_seconds": going.blocked.map(|blocked| blocked.as_secs()),
    })
}

/// A length of time as people say it: `14 min`, `3 h 5 min`.
pub fn about(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".into(),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Tells what it came to, and writes results.
fn finish(session: &Session, run: &Run, going: &Going, ended: Ended, took: Duration) -> Result<(Value, Option<Error>)> {
    let ui = session.ui();
    let name = &run.folder.name;
    let counts = run.counts(session)?;
    let left = due(&counts);
    let path = out(run, going);
    let written = match &path {
        Some(path) => write_results(session, run, path, secrets(run, going)).map(|()| {
            ui.note(&format!("results: {}", results::shown(path)));
        }),
        None => Ok(()),
    };
    for (error, count, first) in session.finish(run.journal.write(|connection| store::errors(connection, 5)))?? {
        let rows = if count == 1 { format!("row {first}") } else { format!("{count} rows, as row {first}") };
        ui.warn(&format!("{rows}: {error}"));
    }
    if path.is_some() && written.is_ok() {
        drop_key(session, run, &counts, secrets(run, going))?;
    }
    let error = written.err().or_else(|| verdict(name, &counts, left, ended));
    Ok((row(run, &counts, Some(took), path.as_deref()), error))
}

fn verdict(name: &str, counts: &Counts, left: u64, ended: Ended) -> Option<Error> {
    let resume = format!("go on with: orysh batch resume {name}");
    if let Some(error) = ended.stopped {
        return Some(error.about(format!("the run was stopped, {left} rows are left")).hint(resume));
    }
    if ended.interrupted && left > 0 {
        return Some(Error::new(Kind::Interrupted, format!("interrupted: {left} rows are left")).hint(resume));
    }
    let without = count(counts, &[State::Sent, State::Failed, State::Conflict, State::Unproven, State::Skipped]);
    let count = |state: State| count(counts, &[state]);
    let undelivered = count(State::DeliveryFailed);
    if without + undelivered == 0 {
        return None;
    }
    let mut told = Vec::new();
    if without > 0 {
        told.push(format!("{without} rows did not come to a good end"));
    }
    if undelivered > 0 {
        told.push(format!("{undelivered} clients were not delivered"));
    }
    let mut error = Error::new(Kind::Partial, told.join(", and "));
    if undelivered > 0 {
        error = error.hint(format!("try that again: orysh batch deliver {name}"));
    }
    if count(State::Failed) > 0 {
        error = error.hint(format!("try the failed ones again: orysh batch retry {name}"));
    }
    if count(State::Unproven) > 0 {
        error = error.hint(format!("settle the unproven ones: orysh batch retry {name} --public-endpoint URL"));
    }
    if count(State::Sent) > 0 {
        error = error.hint(resume);
    }
    Some(error.hint(format!("see them: orysh batch show {name}")))
}

/// What a run is and has come to.
pub fn row(run: &Run, counts: &Counts, took: Option<Duration>, out: Option<&Path>) -> Value {
    let mut row = json!({
        "run": run.folder.name,
        "kind": run.fact("kind"),
        "input": run.fact("input"),
        "server": run.fact("server"),
        "begun": run.fact("begun"),
        "rows": counts.values().sum::<u64>(),
    });
    for state in State::ALL {
        row[state.name()] = counts.get(state.name()).copied().unwrap_or_default().into();
    }
    if let Some(took) = took {
        row["seconds"] = ((took.as_secs_f64() * 1000.0).round() / 1000.0).into();
    }
    row["out"] = out.map_or(Value::Null, |out| out.display().to_string().into());
    row
}

/// Writes results of a run to a file.
pub fn write_results(session: &Session, run: &Run, path: &Path, secrets: Secrets) -> Result<()> {
    let reader = Reader::new(session, &run.journal, run.job()?, run.key.as_ref(), secrets)?;
    results::write(&reader, path).map_err(|error| {
        error.hint(format!(
            "the run has them still: orysh batch results {} --out {}",
            run.folder.name,
            shell_word("results.csv")
        ))
    })
}

/// What the journal says of a key that is in the key store.
const IN_STORE: &str = "key-store";

/// Deletes the key of a run.
pub fn forget_key(session: &Session, folder: &Folder, facts: &Facts) -> Result<()> {
    if facts.get("key").is_some_and(|place| place == IN_STORE) {
        return session.finish(RunKey::forget_stored(&folder.name, &|message| session.ui().note(message)))?;
    }
    RunKey::forget(&folder.path)
}

/// Deletes the key once nothing needs it any more: all rows are done, and every secret is written.
fn drop_key(session: &Session, run: &Run, counts: &Counts, secrets: Secrets) -> Result<()> {
    // What is disputed may be ours after all.
    let is_over = |state: &str| [State::Done, State::Skipped, State::Undone].iter().any(|over| over.name() == state);
    let is_done = counts.keys().all(|state| is_over(state));
    if is_done && (secrets == Secrets::Plain || !run.has_plain(session)?) {
        forget_key(session, &run.folder, &run.facts)?;
    }
    Ok(())
}

/// Makes sure that a run goes on where it was begun.
pub fn demand_same(session: &Session, run: &Run) -> Result<()> {
    Identity::read(&run.facts).demand(&Identity::of(session)?, &safe(&run.folder.name))
}

/// The newest run that has something left.
pub fn unfinished(session: &Session) -> Result<Run> {
    for name in folder::names()?.into_iter().rev() {
        match Run::open(session, &name) {
            Ok(run) if due(&run.counts(session)?) > 0 => {
                drop(run);
                return Run::open_with_key(session, &name);
            }
            Ok(_) => {}
            Err(error) if error.code() == Some(folder::HELD) => return Err(error),
            Err(error) => session.ui().warn(&error.full_message()),
        }
    }
    Err(Error::usage("no run has anything left to send").hint("`orysh batch list` shows them"))
}
