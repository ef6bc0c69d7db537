//! Commands on runs: many clients, each exactly once.

pub mod change;
pub mod create;
pub mod forget;
pub mod look;
pub mod resume;
pub mod undo;

use std::time::SystemTime;

use clap::{Arg, ArgAction, value_parser};
use rusqlite::Connection;
use serde_json::Value;

use crate::batch::begin::RESUMED;
use crate::batch::engine::{self, Going, Run};
use crate::batch::pace;
use crate::batch::results::Secrets;
use crate::batch::store::{self, Facts};
use crate::error::{Error, Result};
use crate::grammar::Args;
use crate::grammar::deliver::deliver_arg;
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::session::target::Given;

const COLUMNS: &[Column] = &[
    Column { title: "RUN", member: "run" },
    Column { title: "ROWS", member: "rows" },
    Column { title: "DOES", member: "kind" },
    Column { title: "DONE", member: "done" },
    Column { title: "FAILED", member: "failed" },
    Column { title: "CONFLICT", member: "conflict" },
    Column { title: "UNPROVEN", member: "unproven" },
    Column { title: "LEFT", member: "planned" },
    Column { title: "UNSETTLED", member: "unsettled" },
    Column { title: "INVALID", member: "invalid" },
    Column { title: "UNDONE", member: "undone" },
    Column { title: "UNDELIVERED", member: "undelivered" },
    Column { title: "DELIVERY FAILED", member: "delivery_failed" },
    Column { title: "INPUT", member: "input" },
    Column { title: "BEGUN", member: "begun" },
];

/// The flags of what sends rows.
fn going_args() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Batch")
    };
    vec![
        text("out", "FILE|DIR", "Write results there: .csv, .jsonl, or a folder with a file an owner"),
        text(
            "secrets",
            "WHICH",
            "Secrets in the results: none, pgp (those encrypted for their owners), plain [default: pgp]",
        )
        .value_parser(Secrets::NAMES),
        text("concurrency", "N", "At most so many requests at once; how many is found out [default: 32]")
            .value_parser(value_parser!(u16).range(1..)),
        text(
            "rate",
            "RATE",
            "Keep to these limits: 300/min, or 300/min,15/s [default: those of the profile's tier, or what the server says]",
        ),
        deliver_arg().help_heading("Batch"),
        text("progress", "HOW", "How to tell how far it is: auto, json [default: auto]").value_parser(["auto", "json"]),
    ]
}

/// The same, of what begins a run.
fn begin_args() -> Vec<Arg> {
    let mut args = going_args();
    args.push(switch("key-store", "Keep the run's key in the key store of the desktop instead of a file"));
    args
}

fn going(args: &Args) -> Result<Going> {
    Ok(Going {
        concurrency: args.matches.get_one::<u16>("concurrency").map(|number| usize::from(*number)),
        rate: args.text("rate").map(pace::parse).transpose().map_err(|error| error.about("--rate"))?,
        out: match args.text("out") {
            Some("") => return Err(Error::usage("--out is empty")),
            out => out.map(Into::into),
        },
        secrets: args.text("secrets").map(Secrets::parse),
        claims: args.matches.try_get_one::<bool>("claim-unproven").ok().flatten().copied().unwrap_or(false),
        json: args.text("progress") == Some("json"),
    })
}

fn run_arg() -> Arg {
    Arg::new("run").value_name("RUN").help("The run, by its name, or how that begins or ends")
}

/// The session at the target that a run was begun at, unless flags name another.
fn at_its_target(session: &Session, run: &Run) -> Session {
    let given = &session.settings().given;
    if given.names_target() {
        return session.clone();
    }
    let names: Vec<(String, String)> =
        run.facts.get("given").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut settings = session.settings().clone();
    settings.given = Given {
        public_endpoint: given.public_endpoint.clone(),
        trust: given.trust.clone(),
        ..Given::from_names(&names)
    };
    session.for_command(session.ui(), settings)
}

/// What a run came to, as an outcome.
fn outcome(row: Value, error: Option<Error>) -> Outcome {
    let name = row["run"].as_str().unwrap_or_default().to_owned();
    let rows = [Ok(Row::value(row).with_id(name))].into_iter().chain(error.map(Err));
    Outcome { shape: crate::output::outcome::Shape::One, ..Outcome::many(rows, COLUMNS) }
}

/// Sends what is left of a run, after a change of its journal.
fn go_on(
    session: &Session,
    run: &Run,
    args: &Args,
    change: fn(&Connection) -> rusqlite::Result<()>,
) -> Result<Outcome> {
    let session = engine::resumed(&at_its_target(session, run), run)?;
    let going = going(args)?;
    session.finish(run.journal.write(move |connection| {
        change(connection)?;
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        store::set_facts(connection, &Facts::from([(RESUMED.to_owned(), now)]))
    }))??;
    let (row, error) = engine::go(&session, run, &going, false, &mut false)?;
    Ok(outcome(row, error))
}

/// A switch of these commands.
fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Batch")
}
