//! `script test PATH…`: every `fn test_…` of scripts, each on a fresh sandbox.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use clap::{Arg, ArgAction};
use serde_json::json;

use crate::commands::sandbox::fresh_starter;
use crate::commands::script::{run as script, scripts};
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::script::engine::Context;
use crate::script::errors::Source;
use crate::script::testing;
use crate::session::handle::Settings;
use crate::session::hook::STACK_BYTES;
use crate::session::target::Given;
use crate::text::safe;

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
        .offline()
        .args(|| {
            vec![
                Arg::new("path")
                    .value_name("FILE|DIR")
                    .action(ArgAction::Append)
                    .required(true)
                    .help("A script, or a folder of scripts (can be repeated)"),
            ]
        })
        .after(
            "\
Examples:
  orysh script test fleet.rhai

A test is a function without parameters whose name begins with test_. It calls assert(bool), assert(bool, text) and
assert_eq(is, due); nothing else of its script is run, and no other server than its own sandbox is reached by `clients::`.",
        )
}

/// A test that is to be run.
struct Test {
    script: String,
    text: String,
    name: String,
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let tests = found(host, &args.texts("path"))?;
    let _watch = host.session.interrupt().watch();
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
                    let result = one(host, test);
                    told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, result));
                }
            };
            // Where no thread can be had, the others do it.
            let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        }
    });
    if host.session.interrupt().has_arrived() {
        return Err(Error::interrupted());
    }
    let mut told = told.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    told.sort_by_key(|(at, _)| *at);
    let failed = told.iter().filter(|(_, (_, error))| error.is_some()).count();
    host.session.ui().note(&format!("{} of {} tests passed", told.len() - failed, told.len()));
    let mut rows: Vec<Result<Row>> = Vec::new();
    for (_, (row, error)) in told {
        rows.push(Ok(row));
        if let Some(error) = error {
            host.session.ui().error(&error);
        }
    }
    if failed > 0 {
        rows.push(Err(Error::new(Kind::Failed, format!("{failed} tests failed")).already_told()));
    }
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}

fn one(host: &Host, test: &Test) -> (Row, Option<Error>) {
    let settings = Settings { given: Given { sandbox: true, ..Given::default() }, ..Settings::default() };
    let session = host.session.beside(settings, WORKERS, fresh_starter());
    let context = Context::new(Host { session: session.clone(), registry: std::sync::Arc::clone(&host.registry) });
    let began = Instant::now();
    let source = Source { name: &test.script, text: &test.text };
    let (result, printed) = testing::run(&context, source, &test.name);
    session.close();
    let seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let outcome = if result.is_ok() { "passed" } else { "failed" };
    let row = json!({"script": test.script, "test": test.name, "outcome": outcome, "seconds": seconds});
    let error = result.err().map(|error| {
        let error = error.about(&test.name);
        printed.into_iter().fold(error, |error, line| error.hint(format!("it printed: {}", safe(&line))))
    });
    (Row::value(row).with_id(test.name.clone()), error)
}

fn found(host: &Host, paths: &[String]) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for path in scripts(paths)? {
        let script = path;
        let text = script::read(&script, &script)?;
        let source = Source { name: &script, text: &text };
        for name in testing::names(&Context::new(host.clone()), source)? {
            tests.push(Test { script: script.clone(), text: text.clone(), name });
        }
    }
    if tests.is_empty() {
        return Err(Error::usage("there is no test").hint("a test is a function whose name begins with test_"));
    }
    Ok(tests)
}
