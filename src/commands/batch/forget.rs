//! `batch forget RUN`: deletes a run's journal and key.

use super::run_arg;
use crate::batch::engine::{self, Run};
use crate::batch::folder::{self, Folder};
use crate::batch::store::Facts;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::text::safe;

const EXAMPLES: &str = "\
Examples:
  orysh batch forget 7f3a --yes

The clients stay. Secrets that were not written to results are lost with the key, and what was left unsettled stays so.
Where a command of a plugin forgets a run a person is asked, whatever --yes says.";

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
    // What a person has agreed to on a command line is no loss of secrets that a plugin thinks of.
    let plugin = session.grant().map(|grant| format!("plugin `{}`", safe(&grant.plugin)));
    let is_agreed = args.yes && plugin.is_none();
    if !is_agreed && !ui.can_ask(false) {
        let who = plugin.map(|plugin| format!(" by {plugin}")).unwrap_or_default();
        let what = format!("nobody can be asked whether run {} is forgotten{who} ({what})", folder.name);
        return Err(
            Error::usage(what).hint(format!("orysh batch forget {} --yes forgets it, and its secrets", folder.name))
        );
    }
    let asked = match plugin {
        Some(plugin) => format!("Let {plugin} forget run"),
        None => "Forget run".to_owned(),
    };
    if !is_agreed && !ui.agrees(&format!("{asked} {} ({what}), and its secrets?", folder.name), false) {
        return Err(Error::usage("nothing was forgotten"));
    }
    let name = folder.name.clone();
    engine::forget_key(session, &folder, &facts)?;
    folder.remove()?;
    ui.note(&format!("run {name} is forgotten"));
    Ok(Outcome::nothing())
}
