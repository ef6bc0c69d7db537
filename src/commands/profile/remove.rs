//! `profile remove NAME`: forgets a profile, and the key that was kept for it.

use super::name_arg;
use crate::commands::auth::key;
use crate::config::edit;
use crate::config::profile::{self, CURRENT, PROFILES};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh profile remove local --yes

The key that was kept for it (`orysh auth key set`) goes as well.";

/// The command.
pub fn command() -> Command {
    Command::new(["profile", "remove"], "Forget a profile", run)
        .offline()
        .in_tests()
        .args(|| vec![name_arg("The profile")])
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let name = args.text("name").unwrap_or_default();
    let credential = profile::user()?.get(name)?.credential.clone();
    if !args.yes && !ui.agrees(&format!("Forget profile {name}?"), false) {
        return Err(Error::usage("nothing was removed").hint("--yes removes without asking"));
    }
    profile::change(|document, known| {
        known.get(name)?;
        edit::remove(document, PROFILES, name);
        if known.current.as_deref() == Some(name) && known.current_from.is_none() {
            edit::set(document.as_table_mut(), CURRENT, "");
        }
        Ok(())
    })?;
    // The profile is gone by now, whatever becomes of its key.
    let key = match key::forgotten(&host.session, name, credential.as_ref()) {
        Ok(true) => ", and the key that was kept for it",
        Ok(false) => "",
        Err(error) => {
            ui.warn(&format!("its key could not be forgotten: {}", error.full_message()));
            ""
        }
    };
    ui.note(&format!("profile {name} is removed{key}"));
    Ok(Outcome::nothing())
}
