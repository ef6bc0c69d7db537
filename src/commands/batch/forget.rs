//! `batch forget RUN`: deletes a run's journal and key.

use super::run_arg;
use crate::batch::engine::{self, Run};
use crate::batch::folder::{self, Folder};
use crate::batch::store::Facts;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh batch forget 7f3a --yes

The clients stay. Secrets that were not written to results are lost with the key, and what was left unsettled stays so.";

/// The command.
pub fn command() -> Command {
    Command::new(["batch", "forget"], "Delete the journal and the key of a run", run)
        .offline()
        .in_tests()
        .args(|| vec![run_arg().required(true)])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let wanted = args.text("run").unwrap_or_default();
    // One that is broken can be forgotten as well.
    let (folder, facts, what): (Folder, Facts, String) = match Run::open(session, wanted) {
        Ok(run) => {
            let counts = run.counts(session)?;
            let told: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
            (run.folder, run.facts, told.join(", "))
        }
        Err(error) if error.code() == Some(folder::HELD) => return Err(error),
        Err(error) => (Folder::open(wanted)?, Facts::new(), error.full_message()),
    };
    if !args.yes && !ui.can_ask(false) {
        return Err(Error::usage(format!("nobody can be asked whether run {} is forgotten ({what})", folder.name))
            .hint("--yes forgets it, and its secrets"));
    }
    if !args.yes && !ui.agrees(&format!("Forget run {} ({what}), and its secrets?", folder.name), false) {
        return Err(Error::usage("nothing was forgotten"));
    }
    let name = folder.name.clone();
    engine::forget_key(session, &folder, &facts)?;
    folder.remove()?;
    ui.note(&format!("run {name} is forgotten"));
    Ok(Outcome::nothing())
}
