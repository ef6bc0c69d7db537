//! `batch list`, `batch status`, `batch show` and `batch results`: looking at runs.

use std::path::Path;

use clap::Arg;
use serde_json::Value;

use super::create::told;
use super::{COLUMNS, run_arg};
use crate::batch::carry;
use crate::batch::engine::{self, Run};
use crate::batch::folder;
use crate::batch::results::{self, Reader, Secrets};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::text::safe;
use crate::ui::Mark;

const ROWS: &[Column] = &[
    Column { title: "ROW", member: "row" },
    Column { title: "OUTCOME", member: "outcome" },
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "CLIENT SECRET", member: "client_secret" },
    Column { title: "ERROR", member: "error" },
];

/// `batch list`.
pub fn list() -> Command {
    Command::new(["batch", "list"], "Show every run", all).runs_dry().offline().after(
        "\
Examples:
  orysh batch list
  orysh batch list --format json",
    )
}

/// `batch status`.
pub fn status() -> Command {
    Command::new(["batch", "status"], "Show how far a run is", one)
        .runs_dry()
        .offline()
        .args(|| vec![run_arg().required(true)])
        .after(
            "\
Examples:
  orysh batch status 7f3a",
        )
}

/// `batch show`.
pub fn show() -> Command {
    Command::new(["batch", "show"], "Show the rows of a run, without secrets", rows)
        .runs_dry()
        .offline()
        .args(|| vec![run_arg().required(true)])
        .after(
            "\
Examples:
  orysh batch show 7f3a
  orysh batch show 7f3a --format jsonl | jq 'select(.outcome == \"failed\")'",
        )
}

/// `batch results`.
pub fn results() -> Command {
    Command::new(["batch", "results"], "Write the results of a run", write)
        .runs_dry()
        .offline()
        .in_tests()
        .args(|| {
            vec![
                run_arg().required(true),
                Arg::new("out")
                    .long("out")
                    .value_name("FILE|DIR")
                    .help("Write them there: .csv, .jsonl, or a folder with a file an owner [default: show them]"),
                Arg::new("secrets")
                    .long("secrets")
                    .value_name("WHICH")
                    .value_parser(Secrets::NAMES)
                    .help("Secrets in them: none, pgp (those encrypted for their owners), plain [default: pgp]"),
            ]
        })
        .after(
            "\
Examples:
  orysh batch results 7f3a --out made.csv --secrets plain
  orysh batch results 7f3a --format jsonl",
        )
}

fn all(host: &Host, _args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let mut found = Vec::new();
    for name in folder::names()? {
        match Run::open(session, &name) {
            Ok(run) => found.push(Ok(told(engine::row(&run, &run.counts(session)?, None, None)))),
            Err(error) if error.code() == Some(folder::HELD) => session.ui().note(error.message()),
            Err(error) => {
                let hints = error.hints().iter().fold(String::new(), |told, hint| format!("{told}; {hint}"));
                session.ui().warn(&format!("{}{hints}", error.full_message()));
            }
        }
    }
    Ok(Outcome::many(found.into_iter(), COLUMNS))
}

fn one(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    if let Some((row, _)) = planned(session, args) {
        return Ok(Outcome::one(told(row), COLUMNS));
    }
    let run = Run::open(session, args.text("run").unwrap_or_default())?;
    Ok(Outcome::one(told(engine::row(&run, &run.counts(session)?, None, None)), COLUMNS))
}

fn rows(host: &Host, args: &Args) -> Result<Outcome> {
    shown(host, args, Secrets::None)
}

fn write(host: &Host, args: &Args) -> Result<Outcome> {
    let secrets = args.text("secrets").map_or(Secrets::Pgp, Secrets::parse);
    if let (Secrets::Plain, Some(grant)) = (secrets, host.session.grant()) {
        grant.secret()?;
    }
    let Some(out) = args.text("out") else { return shown(host, args, secrets) };
    let session = &host.session;
    if session.dry_run().is_some() {
        if planned(session, args).is_none() {
            Run::open(session, args.text("run").unwrap_or_default())?;
        }
        session.ui().marked(Mark::Added, &format!("{} is written", safe(out)));
        return Ok(Outcome::nothing());
    }
    results::rehearse(Path::new(out))?;
    results::refuse_others(Path::new(out))?;
    let run = Run::open_with_key(session, args.text("run").unwrap_or_default())?;
    engine::write_results(session, &run, Path::new(out), secrets)?;
    carry::take_by_hand(session, &run, secrets)?;
    session.ui().note(&format!("results: {}", results::shown(Path::new(out))));
    Ok(Outcome::nothing())
}

fn shown(host: &Host, args: &Args, secrets: Secrets) -> Result<Outcome> {
    let session = &host.session;
    let rows = match planned(session, args) {
        Some((_, rows)) => rows,
        None => rows_of(session, &Run::open_with_key(session, args.text("run").unwrap_or_default())?, secrets)?,
    };
    Ok(Outcome::many(rows.into_iter().map(|row| Ok(Row::value(row))), ROWS))
}

/// What each row of a run came to.
pub fn rows_of(session: &Session, run: &Run, secrets: Secrets) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    Reader::new(session, &run.journal, run.job()?, run.key.as_ref(), secrets)?.each(|row| {
        found.push(results::value(row));
        Ok(())
    })?;
    Ok(found)
}

/// A run that a dry run has planned, and its rows.
fn planned(session: &Session, args: &Args) -> Option<(Value, Vec<Value>)> {
    session.dry_run()?.run(args.text("run").unwrap_or_default())
}
