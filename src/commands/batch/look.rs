//! `batch list`, `batch status`, `batch show` and `batch results`: looking at runs.

use std::path::Path;

use clap::Arg;

use super::create::told;
use super::{COLUMNS, run_arg};
use crate::batch::engine::{self, Run};
use crate::batch::folder;
use crate::batch::results::{self, Reader, Secrets};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
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
            Err(error) => session.ui().warn(&error.full_message()),
        }
    }
    Ok(Outcome::many(found.into_iter(), COLUMNS))
}

fn one(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
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
        Run::open(session, args.text("run").unwrap_or_default())?;
        session.ui().marked(Mark::Added, &format!("{} is written", safe(out)));
        return Ok(Outcome::nothing());
    }
    results::rehearse(Path::new(out))?;
    results::refuse_others(Path::new(out))?;
    let run = Run::open_with_key(session, args.text("run").unwrap_or_default())?;
    engine::write_results(session, &run, Path::new(out), secrets)?;
    session.ui().note(&format!("results: {}", results::shown(Path::new(out))));
    Ok(Outcome::nothing())
}

fn shown(host: &Host, args: &Args, secrets: Secrets) -> Result<Outcome> {
    let session = &host.session;
    let run = Run::open_with_key(session, args.text("run").unwrap_or_default())?;
    let mut found = Vec::new();
    Reader::new(session, &run.journal, run.job()?, run.key.as_ref(), secrets)?.each(|row| {
        found.push(Ok(Row::value(results::value(row))));
        Ok(())
    })?;
    Ok(Outcome::many(found.into_iter(), ROWS))
}
