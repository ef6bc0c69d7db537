//! Running a script: on a thread with a big stack, to an outcome.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rhai::{Array, Dynamic, Position, Scope};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::memory;
use crate::model::client::Client;
use crate::output::outcome::{Body, Column, Id, LATE, Outcome, Row};
use crate::script::api;
use crate::script::api::language::Left;
use crate::script::clients::Query;
use crate::script::compile::compiled;
use crate::script::engine::keeping::End;
use crate::script::engine::{Context, engine};
use crate::script::errors::{self, Source, settled};
use crate::script::held::{self, Held, Over, Shared};
use crate::script::missing;
use crate::script::resolve::Below;
use crate::script::variables::{self, ARGS};
use crate::script::{ending, traps, value};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::handle::locked;
use crate::session::stack::on_big_stack;
use crate::ui::{self, Ui};

/// `#!/usr/bin/env -S orysh run` is for the system, not for Rhai; the line stays, so that positions do.
pub fn for_rhai(text: String) -> String {
    match text.strip_prefix("#!") {
        Some(rest) => format!("// {rest}"),
        None => text,
    }
}

/// A script and what it is given.
pub struct Script<'a> {
    /// Its text.
    pub text: &'a str,
    /// What errors call it.
    pub name: &'a str,
    /// The constant `args`: what the script declares as a map, else the words as a list.
    pub args: Dynamic,
    /// What ends it once it has run for too long.
    pub alarm: Option<Arc<Alarm>>,
}

impl<'a> Script<'a> {
    fn source(&self) -> Source<'a> {
        Source { name: self.name, text: self.text }
    }
}

/// Runs a script to its end. Its value is the outcome; `columns` are those of clients.
pub fn run(context: &Context, script: &Script<'_>, columns: &'static [Column]) -> Result<Outcome> {
    on_big_stack(|| {
        let _watch = context.session().interrupt().watch();
        memory::bound(memory::allocated().saturating_add(context.most_memory()));
        let alarm = script.alarm.clone();
        let session = context.session();
        let interrupt = session.interrupt();
        // Some functions of Rhai take an error of their closure for an answer.
        let result = evaluate(context, script)
            .and_then(|value| if interrupt.has_arrived() { Err(Error::interrupted()) } else { Ok(value) });
        let result = Alarm::settle(alarm.as_deref(), result).map_err(|error| match error.kind() {
            Kind::Interrupted => errors::interrupted(error),
            _ => error,
        });
        context.settle_files();
        // What a script printed may be all that it was for, unless it was about to change more.
        let result = match context.unwritten() {
            Some(error) if error.kind() == ErrorKind::BrokenPipe && !context.has_held() && session.writes() == 0 => {
                Ok(Left { code: 0, value: Dynamic::UNIT })
            }
            Some(error) => Err(Error::failed("cannot write what the script prints").caused_by(error)),
            None => result,
        };
        let last = |left: &Left| {
            let outcome = settled(outcome(&left.value, columns), script.source());
            Alarm::settle(alarm.as_deref(), outcome).map_err(|error| match (error.kind(), error.code()) {
                (Kind::Interrupted, _) => errors::interrupted(error),
                (_, Some(_)) => error,
                _ => error.hint("what a script ends with is its output: `()` as its last line gives none"),
            })
        };
        let shown = result.and_then(|left| Ok((last(&left)?, left)));
        match shown {
            Ok((outcome, Left { code, value })) => {
                let shown = context.take_shown(&value);
                context.tell_unseen();
                let outcome = release(outcome, shown, context.end());
                let outcome = match context.take_undelivered() {
                    // What the script says itself counts.
                    count if count > 0 && code == 0 => undelivered(outcome, count),
                    _ => ending(outcome, code),
                };
                Ok(bounded(outcome, alarm))
            }
            Err(error) => Err(context.break_off(still_kept(error, &context.take_held()))),
        }
    })
}

/// Interrupts a script once it has run for too long, wherever it is, and be it that it is read still.
pub struct Alarm {
    deadline: Duration,
    /// What errors call the script.
    name: String,
    has_rung: Arc<AtomicBool>,
    /// The thread that waits ends with it.
    _quiet: Sender<()>,
}

impl Alarm {
    /// From now on.
    pub fn set(session: &Session, deadline: Duration, name: &str) -> Self {
        let (quiet, rings) = channel::<()>();
        let has_rung = Arc::new(AtomicBool::new(false));
        let (flag, interrupt) = (Arc::clone(&has_rung), session.interrupt().clone());
        thread::spawn(move || {
            if rings.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::SeqCst);
                interrupt.raise();
            }
        });
        Alarm { deadline, name: name.to_owned(), has_rung, _quiet: quiet }
    }

    /// An interruption that was its own is told as such, where there is one.
    pub fn settle<T>(alarm: Option<&Alarm>, result: Result<T>) -> Result<T> {
        match alarm {
            Some(alarm) => result.map_err(|error| alarm.told(error)),
            None => result,
        }
    }

    fn told(&self, error: Error) -> Error {
        let was_rung = error.kind() == Kind::Interrupted && self.has_rung.load(Ordering::SeqCst);
        if was_rung { errors::too_late(error, self.deadline, &self.name) } else { error }
    }
}

/// The same outcome, whose rows are fetched as they are shown, within the deadline as well; Ctrl-C ends it between two.
fn bounded(outcome: Outcome, alarm: Option<Arc<Alarm>>) -> Outcome {
    let of_rows = alarm.clone();
    let outcome = outcome.or_else(move |error| match &alarm {
        Some(alarm) => alarm.told(error),
        None => error,
    });
    let (mut is_told, mut is_begun) = (false, false);
    outcome.through(move |rows| {
        if is_told {
            return None;
        }
        let settle = |result: Result<Row>| Alarm::settle(of_rows.as_deref(), result);
        let is_late = of_rows.as_ref().is_some_and(|alarm| alarm.has_rung.load(Ordering::SeqCst));
        if is_late || is_begun && ui::is_interrupted() {
            is_told = true;
            return Some(settle(Err(Error::interrupted())));
        }
        is_begun = true;
        let row = rows.next().map(settle);
        is_told = matches!(&row, Some(Err(error)) if error.code() == Some(LATE));
        row
    })
}

/// The same outcome, at whose end it is told that clients were not delivered.
fn undelivered(outcome: Outcome, count: usize) -> Outcome {
    let what = if count == 1 { "1 client was".to_owned() } else { format!("{count} clients were") };
    let mut last = Some(Error::new(Kind::Partial, format!("{what} written, and not delivered")));
    outcome.through(move |rows| rows.next().or_else(|| last.take().map(Err)))
}

/// The same outcome, which ends with an exit code.
fn ending(outcome: Outcome, code: u8) -> Outcome {
    if code == 0 {
        return outcome;
    }
    let mut last = Some(errors::exit(code));
    outcome.through(move |rows| rows.next().or_else(|| last.take().map(Err)))
}

/// Tells what is doubtful about a script, each with its place.
pub fn warn(ui: Ui, doubtful: impl IntoIterator<Item = (Position, Error)>, source: Source<'_>) {
    for (at, doubtful) in doubtful {
        let doubtful = doubtful.about(source.name);
        let (told, hint) = (doubtful.full_message(), doubtful.hints().join("; "));
        ui.warn(&format!("{told} ({}); {hint}", errors::place(at)));
    }
}

/// What a script gives: by its last value, or as it says itself. Errors: what it did not catch.
fn evaluate(context: &Context, script: &Script<'_>) -> Result<Left> {
    let mut engine = engine(context);
    engine.set_module_resolver(Below::of(Path::new(script.name)).with_plugins(context));
    let mut scope = Scope::new();
    scope.push_constant_dynamic(ARGS, script.args.clone());
    let ast = compiled(&engine, &scope, script.source())?;
    traps::refused(&ast, script.source())?;
    variables::give(&mut engine, &script.args);
    warn(context.session().ui(), traps::uneven(&ast), script.source());
    let ended = ending::to_its_end(|| engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast));
    let imports = |path: &str| Below::of(Path::new(script.name)).ast(&engine, path).ok();
    let ended = ended.map_err(|error| missing::at_home(*error, &ast, &imports).into());
    // Some functions of Rhai take what ends a script for an answer of their closure.
    match context.left() {
        Some(left) => Ok(left),
        None => settled(ended, script.source()).map(|value| Left { code: 0, value }),
    }
}

/// A script's value as an outcome: nothing, a value, or a row for each element of an array or a list.
pub fn outcome(value: &Dynamic, columns: &'static [Column]) -> errors::ScriptResult<Outcome> {
    if value.is_unit() {
        return Ok(Outcome::nothing());
    }
    if let Some(query) = value.read_lock::<Query>() {
        return Ok(Outcome::list(query.clients(), columns));
    }
    if let Some(rows) = value.read_lock::<api::data::Rows>() {
        return outcome(&rows.clone().collect::<Result<Array, _>>()?.into(), columns);
    }
    if let Some(items) = value.read_lock::<Array>() {
        let of_clients = !items.is_empty() && items.iter().all(Dynamic::is::<Client>);
        let rows = items.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let members = if of_clients { Vec::new() } else { members(&rows) };
        let columns = if of_clients { columns } else { &[] };
        return Ok(Outcome::many(rows.into_iter().map(Ok), columns).with_members(members));
    }
    let is_client = value.is::<Client>();
    Ok(Outcome::one(row(value)?, if is_client { columns } else { &[] }))
}

/// What rows have together, in the order in which they first have it.
pub fn members(rows: &[Row]) -> Vec<String> {
    let (mut members, mut known) = (Vec::new(), HashSet::new());
    for row in rows {
        let names: Vec<String> = match &row.body {
            Body::Document(document) => document.redacted().keys().cloned().collect(),
            Body::Value(Value::Object(row)) => row.keys().cloned().collect(),
            Body::Value(_) => Vec::new(),
        };
        members.extend(names.into_iter().filter(|name| known.insert(name.clone())));
    }
    members
}

/// What `--quiet` prints of a row.
const CLIENT_ID: &str = "client_id";

fn row(value: &Dynamic) -> errors::ScriptResult<Row> {
    Ok(match value::body(value)? {
        Body::Document(document) => Row::document(document, CLIENT_ID),
        Body::Value(value) => Row { id: Id::Member(CLIENT_ID), ..Row::value(value) },
    })
}

/// What the result is to show is let go of row by row, where the row shows it; the `end` comes once all of it has been shown.
pub fn release(outcome: Outcome, shown: Vec<Held>, end: End) -> Outcome {
    if shown.is_empty() && end.is_empty() {
        return outcome;
    }
    let over = Over::default();
    let of_rows = Arc::clone(&over);
    let all: Vec<Shared> = shown.into_iter().map(Shared::of).collect();
    let mut kept = held::by_secret(&all);
    outcome
        .through(move |rows| Some(rows.next()?.map(|row| with_kept(row, &mut kept, &of_rows))))
        .or_else(move |error| match held::still(&all) {
            (0, _) => error,
            (count, places) => error.hint(kept_secrets(count, &places)),
        })
        .then(move || {
            let shown = std::mem::take(&mut *locked(&over));
            End { over: end.over.into_iter().chain(shown).collect(), ..end }.come()
        })
}

/// A row with what keeps its secret, where it shows one.
fn with_kept(row: Row, kept: &mut HashMap<String, Shared>, over: &Over) -> Row {
    let secret = match &row.body {
        Body::Document(document) => document.secret("client_secret").cloned(),
        Body::Value(value) => shown_in(&value.to_string(), kept),
    };
    let shared = secret.as_ref().and_then(|secret| kept.remove(secret.expose()));
    match secret.zip(shared) {
        Some((secret, shared)) => row.pending(shared.pending(secret, over)),
        None => row,
    }
}

fn shown_in(text: &str, kept: &HashMap<String, Shared>) -> Option<Secret> {
    let secrets: Vec<Secret> = kept.keys().map(|secret| Secret::new(secret.as_str())).collect();
    let wanted: HashMap<&str, &Secret> = secrets.iter().map(|secret| (secret.expose(), secret)).collect();
    held::found(text.as_bytes(), &wanted).first().map(|secret| (*secret).clone())
}

/// Says where the secrets of the clients are that a failed script made.
pub fn still_kept(error: Error, kept: &[Held]) -> Error {
    if kept.is_empty() { error } else { error.hint(kept_secrets(held::count(kept), &held::places(kept))) }
}

fn kept_secrets(count: usize, places: &str) -> String {
    match count {
        0 => format!("the script had made clients by then: their secrets are kept in {places}"),
        count => format!("the script had made clients by then: {count} of their secrets are kept in {places}"),
    }
}
