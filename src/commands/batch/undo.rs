//! `batch undo RUN`: deletes exactly the clients that a run made, or puts back what it changed.

use super::{at_its_target, outcome, run_arg};
use crate::batch::engine::{self, Run};
use crate::batch::identity::Identity;
use crate::batch::job::Job;
use crate::batch::state::State;
use crate::batch::undo::undo;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::ops::guard;
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh batch undo 7f3a --yes

Of `batch create` it deletes exactly the clients that it made, whatever became of them since: one that is not the run's, or
of which that cannot be told, is left alone. Of `batch update` it puts the old fields back where nobody has changed them since.";

/// The command.
pub fn command() -> Command {
    Command::new(["batch", "undo"], "Take back what a run did", run)
        .args(|| vec![run_arg().required(true)])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let run = Run::open_with_key(&host.session, args.text("run").unwrap_or_default())?;
    let session = at_its_target(&host.session, &run);
    Identity::read(&run.facts).demand(&Identity::of(&session)?, &run.folder.name)?;
    let counts = run.counts(&session)?;
    let states = State::MADE.into_iter().chain([State::Sent, State::Unproven]);
    let made = states.filter_map(|state| counts.get(state.name())).sum();
    if made == 0 {
        return Err(Error::usage(format!("run {} has made no client that is not undone", run.folder.name)));
    }
    let deed = match run.job()? {
        Job::Create => Job::Delete.deed(made),
        Job::Update => format!("put the old fields of {made} clients back"),
        job => {
            return Err(Error::usage(format!(
                "run {} is of `batch {}`, which cannot be undone",
                run.folder.name,
                job.verb()
            )));
        }
    };
    let assent = &session.settings().assent;
    if !assent.yes && assent.confirm.is_none() && !session.ui().can_ask(false) {
        return Err(
            Error::usage(format!("undoing run {} would {deed}", run.folder.name)).hint("--yes does it without asking")
        );
    }
    guard::ask(&session, &deed, "nothing was undone", false)?;
    let undone = undo(&session, &run, made)?;
    let ui = session.ui();
    let kept = undone.kept.iter().map(|(_, error)| error);
    for error in kept.take(10).chain(undone.untold.iter().take(10)) {
        ui.error(error);
    }
    let (kept, untold) = (undone.kept.len(), undone.untold.len());
    let error = match undone.stopped {
        Some(error) => Some(error.about(format!("{} were undone, and then it was stopped", undone.deleted))),
        None if kept > 0 => Some(Error::new(Kind::Partial, format!("{kept} clients are left as they are"))),
        None if untold > 0 => {
            Some(Error::new(Kind::Partial, format!("all is undone, and of {untold} clients not everybody was told")))
        }
        None => None,
    };
    Ok(outcome(engine::row(&run, &run.counts(&session)?, None, None), error))
}
