//! A run from its input to its end, and from where it was left off.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::check;
use super::folder::{self, Folder};
use super::identity::Identity;
use super::job::Job;
use super::journal::{Journal, UNBEGUN};
use super::key::RunKey;
use super::pace::{self, Pace, Window};
use super::results::{self, Reader, Secrets};
use super::run::{Ended, PATIENCE, Sender, Sending, Tally};
use super::state::State;
use super::store::{self, Counts, Facts};
use super::tell;
use crate::config::tier::{self, Tier};
use crate::error::{Error, Kind, Result};
use crate::ops::deliver::Program;
use crate::ops::guard;
use crate::session::Session;
use crate::session::hook::{self, Batch, Moment};
use crate::session::interrupt::LastWords;
use crate::session::written::Write;
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
        let unchecked = || {
            Error::usage(format!("run {}: its input was never checked to its end", folder.name))
                .hint(format!("nothing was sent: orysh batch forget {}", folder.name))
        };
        let journal = Journal::open(&folder.path)
            .map_err(|error| if error.code() == Some(UNBEGUN) { unchecked() } else { error })?;
        let facts = session.wait(journal.write(store::facts))?;
        if !facts.contains_key("hash") {
            return Err(unchecked());
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
        if let (Some(key), Some(tag)) = (&key, run.fact(KEY_TAG))
            && key.tag() != tag
        {
            return Err(Error::usage(format!("the key of run {} is that of another", run.folder.name))
                .hint("no secret of its rows would be the right one: put its own key back"));
        }
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
    /// Whether it has secrets that are encrypted for nobody.
    pub fn has_plain(&self, session: &Session) -> Result<bool> {
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

    /// One of its facts.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str)
    }
}

/// Removes a run of which nothing was sent, with its key.
pub fn discard(session: &Session, run: Run) -> Result<()> {
    forget_key(session, &run.folder, &run.facts)?;
    run.folder.remove()
}

/// Rows for which there is something to do yet.
pub fn due(counts: &Counts) -> u64 {
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
    if left == 0 {
        ui.note(&format!("run {name} has nothing left to do"));
        if run.key.is_some() {
            return finish(session, run, going, Ended::default(), Duration::ZERO);
        }
        let error = verdict(name, &counts, left, Ended::default());
        return Ok((row(run, &counts, None, out(run, going).as_deref()), error));
    }
    let key = run.key()?;
    let limits = Limits::of(session, going)?;
    let lasts = limits.time_for(left);
    check::check_keys(session, &run.journal, lasts)?;
    let job = run.job()?;
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
    session.wrote(|| Write::Run(run.folder.name.clone()));
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
    let mut batch = Batch { job: how.job.verb(), total: left, outcomes: Vec::new() };
    hook::batch(session, Moment::BeforeBatch, &batch)?;
    let pace = Arc::new(Pace::new(going.concurrency.unwrap_or(CONCURRENCY), limits.windows, limits.tier));
    let tally = Tally::default();
    let began = Instant::now();
    let sender = Sender::new(session, &run.journal, key, how, Arc::clone(&pace), &tally);
    let _last = LastWords::are(format!("go on with: orysh batch resume {}", run.folder.name));
    let mut progress = Progress::begin(session.ui(), left, going.json);
    let sent = || {
        session.finish(async {
            tokio::select! {
                ended = sender.send() => ended,
                never = tell::watch(session, &mut progress, &tally, &pace, left, began) => match never {},
            }
        })
    };
    // On a thread of its own the memory of requests stays together, however scattered that of a script is.
    let ended = thread::scope(|scope| scope.spawn(sent).join()).unwrap_or_else(|panic| resume_unwind(panic))?;
    progress.end(|| tell::state_of(&tally, &pace, left, began));
    if hook::is_at(session, Moment::AfterBatch) {
        let counts = run.counts(session)?;
        batch.outcomes = counts.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
        // All of it is done by then.
        if let Err(error) = hook::batch(session, Moment::AfterBatch, &batch) {
            session.ui().warn(&error.full_message());
        }
    }
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
        format!("{}, {}: {}", pace::described(&self.windows), self.named_by, tell::about(self.time_for(rows)))
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

/// The session that goes on with a run: the program that it was begun with hears of clients, unless a flag names another.
///
/// Errors are of usage: it is another's or of another server; the program is not there, or none is named for clients that are
/// to be handed over.
pub fn resumed(session: &Session, run: &Run) -> Result<Session> {
    Identity::read(&run.facts).demand(&Identity::of(session)?, &safe(&run.folder.name))?;
    if due(&run.counts(session)?) > 0 {
        demand_rules(session, run)?;
    }
    if let Some(words) = session.hooks().iter().find_map(|hook| hook.words()) {
        let facts = Facts::from([(DELIVER.to_owned(), json!(words).to_string())]);
        session.finish(run.journal.write(move |connection| store::set_facts(connection, &facts)))??;
        return Ok(session.clone());
    }
    let Some(words) = run.fact(DELIVER) else {
        let undelivered = count(&run.counts(session)?, &[State::Undelivered, State::DeliveryFailed]);
        if undelivered > 0 && session.hooks().is_empty() {
            return Err(Error::usage(format!(
                "{undelivered} clients of run {} are to be handed over, and no program is named",
                run.folder.name
            ))
            .hint("--deliver names it"));
        }
        return Ok(session.clone());
    };
    let words = serde_json::from_str(words).map_err(|_| Error::failed("the program is broken in the journal"))?;
    let program = Program::find(words).map_err(|error| error.hint("--deliver names another"))?;
    Ok(session.clone().with_hook(program.hook()))
}

/// The fact that names the plugins whose rules the rows of a run have passed.
pub const RULES: &str = "rules";

/// Errors: the rows of a run that makes clients have not passed the rules that hold now.
pub fn demand_rules(session: &Session, run: &Run) -> Result<()> {
    let (passed, now) = (run.fact(RULES).unwrap_or_default(), hook::rules(session));
    let is_create = run.fact("kind") == Some(Job::Create.verb());
    if passed == now || now.is_empty() || !is_create {
        return Ok(());
    }
    let name = &run.folder.name;
    let names = |marks: &str| -> String {
        let names: Vec<&str> = marks.split(", ").filter_map(|mark| mark.split(' ').next()).collect();
        if marks.is_empty() { "no plugin".into() } else { names.join(", ") }
    };
    Err(Error::usage(format!(
        "the rows of run {name} were looked at by {}, and by now it would be {}, or others of that name",
        names(passed),
        names(&now)
    ))
    .hint("--no-plugins goes on with them as they are")
    .hint(format!("orysh batch forget {name} gives them up, to begin anew")))
}

/// The fact that names the program that clients are handed to.
pub const DELIVER: &str = "deliver";

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
        let clients = if undelivered == 1 { "client was" } else { "clients were" };
        told.push(format!("{undelivered} {clients} not delivered"));
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

/// The fact that tells the run's key from others.
pub const KEY_TAG: &str = "key_tag";

/// What the journal says of a key that is in the key store.
pub const IN_STORE: &str = "key-store";

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
