//! `batch create INPUT`: a client a row, each exactly once.

use super::{begin_args, going, look, outcome, switch};
use crate::batch::again::{Again, Whose};
use crate::batch::begin::{self, New};
use crate::batch::check::{self, Input};
use crate::batch::engine;
use crate::batch::job::Job;
use crate::batch::results::Secrets;
use crate::batch::rows::Rows;
use crate::batch::shape::Shape;
use crate::batch::trial;
use crate::commands::client::described;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Audience, Command, Host, recipients};
use crate::model::client::ClientSpec;
use crate::output::outcome::{Outcome, Row};
use crate::session::Session;
use crate::text::safe;
use crate::ui::Mark;
use clap::{Arg, ArgAction};

const EXAMPLES: &str = "\
Examples:
  orysh batch create services.csv --out made.csv --secrets plain
  orysh batch create services.csv --set 'scope=read write' --set 'metadata.tier=silver' --dry-run
  orysh batch create services.csv --rate 300/min --pgp-key @alice.asc --out made.csv
  orysh batch create services.csv --deliver './hand-over --mount apps'

The whole input is checked before anything is sent, and kept in a journal. Whatever happens then, `orysh batch resume` goes
on where it was left off: every row has one client at the end, and every secret is known. Columns are fields or flags, and
metadata.NAME; pgp_key, pgp_key_url and keybase say whom a row's secret is encrypted for.";

/// The command.
pub fn command() -> Command {
    Command::new(["batch", "create"], "Create a client for each row of an input", run)
        .runs_dry()
        .only_for(Audience::NoPlugin)
        .args(create_args)
        .after(EXAMPLES)
}

fn create_args() -> Vec<Arg> {
    let several = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).action(ArgAction::Append).help(help).help_heading("Batch")
    };
    let mut args = vec![
        Arg::new("input").value_name("INPUT").required(true).help("CSV, a JSON list, JSON Lines or YAML; - for stdin"),
        several("map", "COLUMN=FIELD", "What a column of another name is for (can be repeated)"),
        several(
            "set",
            "FIELD=VALUE",
            "A field of every row, which may hold columns: client_name={{name}}-{{env}} (can be repeated)",
        ),
        Arg::new("defaults")
            .long("defaults")
            .value_name("FILE")
            .help("Fields of every row that does not say otherwise, as JSON or YAML")
            .help_heading("Batch"),
        switch("skip-invalid", "Go on with the good rows where some are wrong"),
        switch("no-lint", "Send what the check of the values refuses, too"),
        switch("again", "Make clients a second time of rows that were run already"),
        switch("dry-run", "Check the input, and send nothing"),
    ];
    args.extend(begin_args());
    args.extend(recipients::recipient_args());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let input = args.text("input").unwrap_or_default().to_owned();
    if input == "-" && !args.from_argv && !session.ui().stdin_is_terminal() {
        return Err(Error::usage("stdin holds the lines of the shell").hint("name a file"));
    }
    let defaults = match args.text("defaults") {
        Some(file) => described::one(session.ui(), file)?.spec,
        None => ClientSpec::new(),
    };
    if let (Some(out), Ok(read)) = (args.text("out"), std::fs::canonicalize(&input))
        && std::fs::canonicalize(out).is_ok_and(|out| out == read)
    {
        return Err(Error::usage("--out is the input itself, which it would replace").hint("name another file"));
    }
    let new = New {
        input: Input::Rows(Rows::open(&input)?.into()),
        shape: Shape::new(&args.texts("map"), &args.texts("set"), defaults)?,
        check: check::How {
            job: Job::Create,
            no_lint: args.flag("no-lint"),
            skip_invalid: args.flag("skip-invalid"),
            recipients: check::Recipients::Wanted(recipients::wanted(args)?),
        },
        going: going(args)?,
        again: if args.flag("again") { Again::Allowed } else { Again::Offered },
        key_store: args.flag("key-store"),
        whose: Whose::default(),
    };
    begin(session, new, args.only_shows(session), input == "-")
}

/// Checks the rows of a new run, and sends them.
pub fn begin(session: &Session, new: New<'_>, is_trial: bool, stdin_is_read: bool) -> Result<Outcome> {
    let going = new.going.clone();
    let (run, checked) = begin::prepare(session, new, is_trial)?;
    if is_trial {
        let counts = run.counts(session)?;
        let row = engine::row(&run, &counts, None, going.out.as_deref());
        let refused = trial::ask_hooks(session, &run);
        if let Some(dry_run) = session.dry_run() {
            dry_run.keep_run(&run.folder.name, row.clone(), look::rows_of(session, &run, Secrets::None)?);
            if let Some(out) = &going.out {
                session.ui().marked(Mark::Added, &format!("{} would be written", safe(&out.display().to_string())));
            }
        }
        engine::discard(session, run)?;
        let refused = refused?;
        session.ui().note(&format!("{} rows are right: nothing was sent", checked.good - refused));
        let error = match (checked.skipped, refused) {
            (0, 0) => None,
            (skipped, 0) => Some(format!("{skipped} rows are wrong")),
            (0, refused) => Some(format!("{refused} rows would be refused")),
            (skipped, refused) => Some(format!("{skipped} rows are wrong, and {refused} would be refused")),
        };
        let error = error.map(|why| Error::new(Kind::Partial, why));
        return Ok(outcome(row, error));
    }
    let mut was_sent = false;
    match engine::go(session, &run, &going, stdin_is_read, &mut was_sent) {
        Ok((row, error)) => Ok(outcome(row, error)),
        Err(error) if was_sent => Err(error.hint(format!("go on with: orysh batch resume {}", run.folder.name))),
        Err(error) => {
            // Nothing was sent: there is nothing to go on with.
            engine::discard(session, run)?;
            Err(error)
        }
    }
}

/// A row of what there is.
pub fn told(row: serde_json::Value) -> Row {
    let name = row["run"].as_str().unwrap_or_default().to_owned();
    Row::value(row).with_id(name)
}
