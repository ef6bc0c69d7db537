//! `script test PATH…`: every `fn test_…` of scripts, each on a fresh sandbox.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction};
use rhai::Engine;
use serde_json::json;

use crate::commands::sandbox::fresh_starter;
use crate::commands::script::{deadline, run as script, scripts};
use crate::config::files::{self, Passing};
use crate::config::paths;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::plugin::loaded::Plugin;
use crate::script::engine::{Context, MOST_MEMORY};
use crate::script::errors::{self, Source};
use crate::script::testing;
use crate::session::Session;
use crate::session::handle::{Settings, locked};
use crate::session::stack::STACK_BYTES;
use crate::session::target::Given;
use crate::text::safe;
use crate::ui::Ui;

const COLUMNS: &[Column] = &[
    Column { title: "SCRIPT", member: "script" },
    Column { title: "TEST", member: "test" },
    Column { title: "OUTCOME", member: "outcome" },
    Column { title: "SECONDS", member: "seconds" },
];

/// So many tests run side by side.
const AT_ONCE: usize = 4;

/// Threads of a session that a test has for itself: its sandbox answers while it waits.
const WORKERS: usize = 2;

/// The command.
pub fn command() -> Command {
    Command::new(["script", "test"], "Run the tests of scripts, each on a fresh sandbox", run)
        .offline().in_tests()
        .args(|| {
            let mut args = limits_args();
            args.push(
                Arg::new("path")
                    .value_name("FILE|DIR")
                    .action(ArgAction::Append)
                    .required(true)
                    .help("A script, or a folder of scripts (can be repeated)"),
            );
            args
        })
        .after(
            "\
Examples:
  orysh script test fleet.rhai

A test is a function without parameters whose name begins with test_. It calls assert(bool), assert(bool, text) and
assert_eq(is, due). Of its script the imports and constants are there, and nothing else is run. It acts on a sandbox of its own
and nowhere else; profiles and runs that tests make go with them.",
        )
}

/// A test that is to be run.
pub struct Test {
    /// What its file is called.
    pub script: String,
    /// The text of that.
    pub text: String,
    /// Its function.
    pub name: String,
    /// The plugin that it is of, whose powers it has then.
    pub plugin: Option<Arc<Plugin>>,
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let (tests, unread) = found(host, &args.texts("path"))?;
    run_tests(host, tests, unread, limits(args)?)
}

/// What a test may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    time: Duration,
    bytes: usize,
}

/// The flags that say it.
pub fn limits_args() -> Vec<Arg> {
    vec![
        super::deadline_arg().help("End a test once it has run for so long [default: 60s]"),
        super::memory_arg().help("End a test once it takes more than that: 512M, 2G [default: 512M]"),
    ]
}

/// What they say. Errors are of usage.
pub fn limits(args: &Args) -> Result<Limits> {
    Ok(Limits { time: deadline(args)?.unwrap_or(LONGEST), bytes: super::memory(args)?.unwrap_or(MOST_MEMORY) })
}

/// Runs tests side by side, and tells what each came to; `unread`: what could not be read.
pub fn run_tests(host: &Host, tests: Vec<Test>, unread: Vec<Error>, limits: Limits) -> Result<Outcome> {
    let _watch = host.session.interrupt().watch();
    let home = home()?;
    let (next, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(tests.len()) {
            let (tests, next, told) = (&tests, &next, &told);
            let work = move || {
                while let Some((at, test)) =
                    Some(next.fetch_add(1, Ordering::SeqCst)).and_then(|at| Some((at, tests.get(at)?)))
                {
                    if host.session.interrupt().has_arrived() {
                        return;
                    }
                    let result = one(host, test, limits);
                    locked(told).push((at, result));
                }
            };
            // Where no thread can be had, the others do it.
            let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        }
    });
    let mut told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What the others took at that time was counted as well.
    let took_too_much = |error: &Option<Error>| error.as_ref().and_then(Error::code) == Some("memory");
    for (at, result) in told.iter_mut().filter(|(_, (_, error))| took_too_much(error)) {
        if !host.session.interrupt().has_arrived() {
            *result = one(host, &tests[*at], limits);
        }
    }
    drop(home);
    let ui = host.session.ui();
    told.sort_by_key(|(at, _)| *at);
    let failed = told.iter().filter(|(_, (_, error))| error.is_some()).count() + unread.len();
    ui.note(&format!("{} of {} tests passed", told.len() - (failed - unread.len()), tests.len()));
    let mut rows: Vec<Result<Row>> = Vec::new();
    for error in &unread {
        ui.error(error);
    }
    for (_, (row, error)) in told {
        rows.push(Ok(row));
        if let Some(error) = error {
            ui.error(&error);
        }
    }
    if host.session.interrupt().has_arrived() {
        rows.push(Err(Error::interrupted()));
    } else if failed > 0 {
        rows.push(Err(Error::new(Kind::Failed, format!("{failed} tests failed")).already_told()));
    }
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}

/// A folder in the place of the user's own: what tests keep goes with it.
fn home() -> Result<Passing> {
    let folder = std::env::temp_dir().join(format!("orysh-tests-{}", uuid::Uuid::new_v4()));
    files::private_folder(&folder)?;
    paths::move_to(folder.clone());
    Ok(Passing(folder))
}

fn one(host: &Host, test: &Test, limits: Limits) -> (Row, Option<Error>) {
    let settings = Settings { given: Given { sandbox: true, ..Given::default() }, ..Settings::default() };
    // What its commands note is nobody's concern.
    let ui = Ui { quiet: true, ..host.session.ui() };
    let session = Session::new(ui, settings, WORKERS, fresh_starter()).confined();
    let session = match &test.plugin {
        Some(plugin) => session.granted_to(Arc::new(plugin.manifest.grant.clone())),
        None => session,
    };
    let deadline = limits.time;
    let context = Context::new(Host { session: session.clone(), registry: Arc::clone(&host.registry) });
    let context = context.with_memory(limits.bytes);
    let began = Instant::now();
    let source = Source { name: &test.script, text: &test.text };
    let watch = session.interrupt().watch();
    let (done, is_done) = channel::<()>();
    let (ending, whole) = (session.interrupt(), host.session.interrupt());
    let (result, printed) = thread::scope(|scope| {
        scope.spawn(move || {
            let is_over = || began.elapsed() > deadline || whole.has_arrived();
            while is_done.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                if is_over() {
                    ending.raise_here();
                    return;
                }
            }
        });
        let prepare = |engine: &mut Engine| match &test.plugin {
            Some(plugin) => plugin.content().map(|files| plugin.prepare(engine, &Arc::new(files), &context)),
            None => Ok(()),
        };
        let ran = testing::run(&context, source, &test.name, &prepare);
        drop(done);
        ran
    });
    drop(watch);
    session.close();
    let seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let outcome = if result.is_ok() { "passed" } else { "failed" };
    let row = json!({"script": test.script, "test": test.name, "outcome": outcome, "seconds": seconds});
    let error = result.err().map(|error| {
        let error = match error.kind() {
            Kind::Interrupted if began.elapsed() > deadline => {
                errors::too_late(error, deadline, &test.script).hint("--deadline gives it more")
            }
            Kind::Interrupted => error.of_kind(Kind::Failed).saying("it was interrupted").about(&test.script),
            _ => error,
        };
        let error = error.about(&test.name);
        printed.into_iter().fold(error, |error, line| error.hint(format!("it printed: {}", safe(&line))))
    });
    (Row::value(row).with_id(test.name.clone()), error)
}

/// How often it is looked whether a test is to be ended.
const GLANCE: Duration = Duration::from_millis(50);

/// The longest that a test may take.
const LONGEST: Duration = Duration::from_secs(60);

/// The tests of scripts, and what is wrong with scripts that cannot be read.
fn found(host: &Host, paths: &[String]) -> Result<(Vec<Test>, Vec<Error>)> {
    let (mut tests, mut unread) = (Vec::new(), Vec::new());
    for script in scripts(paths)? {
        let read = script::read(&script, &script).and_then(|text| {
            let names =
                testing::names(&Context::new(host.clone()), Source { name: &script, text: &text }, &|_| Ok(()))?;
            Ok((text, names))
        });
        match read {
            Ok((text, names)) => {
                tests.extend(names.into_iter().map(|name| Test {
                    script: script.clone(),
                    text: text.clone(),
                    name,
                    plugin: None,
                }));
            }
            Err(error) => unread.push(error),
        }
    }
    if tests.is_empty() {
        let none = Error::usage("there is no test").hint("a test is a function whose name begins with test_");
        return Err(unread.into_iter().next().unwrap_or(none));
    }
    Ok((tests, unread))
}
