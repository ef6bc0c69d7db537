//! The commands that only a shell has: its lines, and files of lines.

use std::sync::{Arc, Mutex};

use clap::{Arg, builder::PossibleValuesParser};
use serde_json::json;

use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::ops::guard;
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::handle::locked;
use crate::shell::history::History;

/// The lines of the place where a shell acts; none off a terminal, or where they cannot be kept.
pub type Lines = Arc<Mutex<Option<History>>>;

/// What a command asks of the shell that runs it.
#[derive(Debug)]
pub enum Request {
    /// The lines of a file are done.
    Load(String),
}

/// What has been asked for.
pub type Requests = Arc<Mutex<Vec<Request>>>;

const COLUMNS: &[Column] = &[Column { title: "LINE", member: "number" }, Column { title: "TEXT", member: "text" }];

/// All of them, for a shell with these lines, which does what is asked for.
pub fn commands(lines: &Lines, requests: &Requests) -> Vec<Command> {
    let (lines, requests) = (Arc::clone(lines), Arc::clone(requests));
    vec![
        Command::new(["history"], "Show the lines that were typed here, or forget them", move |host, args| {
            history(host, args, &lines)
        })
        .offline()
        .args(|| {
            let clear = PossibleValuesParser::new(["clear"]);
            vec![
                Arg::new("what")
                    .value_name("clear")
                    .value_parser(clear)
                    .help("Forget all of them, in the file as well"),
            ]
        })
        .after("Examples:\n  history | grep rotate\n  history clear"),
        Command::new(["load"], "Do the lines of a file, as if they were typed", move |_, args| {
            locked(&requests).push(Request::Load(args.text("file").unwrap_or_default().to_owned()));
            Ok(Outcome::nothing())
        })
        .offline()
        .args(|| {
            vec![Arg::new("file").value_name("FILE").required(true).help("A file of lines; the first error ends it")]
        })
        .after("Examples:\n  load evening.txt"),
    ]
}

fn history(host: &Host, args: &Args, lines: &Lines) -> Result<Outcome> {
    let mut lines = locked(lines);
    let none = || Error::usage("there is no history here").hint("lines are kept where they are typed, on a terminal");
    let history = lines.as_mut().ok_or_else(none)?;
    if args.text("what").is_some() {
        guard::ask(&host.session, "forget the lines that were typed here", "nothing was forgotten", false)?;
        history.clear()?;
        return Ok(Outcome::nothing());
    }
    let row = |(at, text): (usize, &str)| Ok(Row::value(json!({"number": at + 1, "text": text})));
    let rows: Vec<Result<Row>> = history.lines().enumerate().map(row).collect();
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}
