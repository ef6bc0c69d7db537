//! `batch resume`, `batch retry` and `batch deliver`: going on with a run.

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

const DELIVER: &str = "\
Examples:
  orysh batch deliver 7f3a
  orysh batch deliver 7f3a --deliver './hand-over --mount apps'

The clients are there, and their secrets are in the run: nothing but handing them over is done again.";

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

/// `batch deliver`.
pub fn deliver() -> Command {
    Command::new(["batch", "deliver"], "Hand the clients of a run over again for which that failed", hand_over)
        .args(|| args(run_arg().required(true)))
        .after(DELIVER)
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
    go_on(session, &run, args, |_| Ok(()))
}

fn hand_over(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let states = [State::Undelivered, State::DeliveryFailed];
    let run = run_with(host, args, &states, "no client is left to be handed over")?;
    let left = engine::count(&run.counts(session)?, &[State::Planned, State::Sent]);
    if left > 0 {
        let name = &run.folder.name;
        let error = Error::usage(format!("run {name} has {left} rows left, and hands over as it goes on"));
        return Err(error.hint(format!("go on with it first: orysh batch resume {name}")));
    }
    go_on(session, &run, args, store::deliver_again)
}

fn again(host: &Host, args: &Args) -> Result<Outcome> {
    let states = [State::Failed, State::Unproven];
    let run = run_with(host, args, &states, "no row has failed, and none is unproven")?;
    engine::demand_rules(&host.session, &run)?;
    go_on(&host.session, &run, args, store::again)
}

/// The run that is named, with its key. Errors: no row is in these states.
fn run_with(host: &Host, args: &Args, states: &[State], nothing: &str) -> Result<Run> {
    let run = Run::open_with_key(&host.session, args.text("run").unwrap_or_default())?;
    if engine::count(&run.counts(&host.session)?, states) == 0 {
        return Err(Error::usage(format!("run {}: {nothing}", run.folder.name)));
    }
    run.key()?;
    Ok(run)
}
