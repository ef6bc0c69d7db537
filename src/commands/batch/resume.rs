//! `batch resume` and `batch retry`: going on with a run.

use clap::Arg;

use super::{go_on, going_args, run_arg, switch};
use crate::batch::engine::{self, Run};
use crate::batch::state::State;
use crate::batch::store;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;

const RESUME: &str = "\
Examples:
  orysh batch resume
  orysh batch resume 7f3a --out made.csv --secrets plain

It goes on at the target that the run was begun at, and as the same; what was left unsettled is settled first.";

const RETRY: &str = "\
Examples:
  orysh batch retry 7f3a
  orysh batch retry 7f3a --public-endpoint http://127.0.0.1:4444

Rows that are unproven are settled again: with the public side at hand the token endpoint tells whose they are.";

/// `batch resume`.
pub fn resume() -> Command {
    Command::new(["batch", "resume"], "Go on with a run that was left off", go)
        .args(|| args(run_arg().help("The run [default: the newest that has rows left]")))
        .after(RESUME)
}

/// `batch retry`.
pub fn retry() -> Command {
    Command::new(["batch", "retry"], "Try the rows of a run again that failed, or are unproven", again)
        .args(|| {
            let mut args = args(run_arg().required(true));
            args.push(switch(
                "claim-unproven",
                "Give clients of which it cannot be told whose they are the secrets of their rows: say so only if they are yours",
            ));
            args
        })
        .after(RETRY)
}

fn args(run: Arg) -> Vec<Arg> {
    let mut args = vec![run];
    args.extend(going_args());
    args
}

fn go(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let run = match args.text("run") {
        Some(name) => Run::open_with_key(session, name)?,
        None => engine::unfinished(session)?,
    };
    go_on(session, &run, args)
}

fn again(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let run = Run::open_with_key(session, args.text("run").unwrap_or_default())?;
    run.key()?;
    let counts = run.counts(session)?;
    if ![State::Failed, State::Unproven].iter().any(|state| counts.contains_key(state.name())) {
        return Err(Error::usage(format!("no row of run {} has failed, and none is unproven", run.folder.name)));
    }
    session.finish(run.journal.write(store::again))??;
    go_on(session, &run, args)
}
