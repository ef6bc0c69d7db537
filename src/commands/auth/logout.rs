//! `auth logout`: ends the sign-in to Ory Network, here and at the server.

use super::{file, servers};
use crate::api::sign_in;
use crate::config::ory;
use crate::error::{Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::session::credential::console;

const EXAMPLES: &str = "\
Examples:
  orysh auth logout

The Ory CLI is signed out as well, as it uses the same sign-in. What was selected stays.";

/// The command.
pub fn command() -> Command {
    Command::new(["auth", "logout"], "End the sign-in to Ory Network", run).after(EXAMPLES)
}

fn run(host: &Host, _args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let (file, (_, server)) = (file(session)?, servers(session)?);
    let policy = session.policy(session.chosen().ok().and_then(|chosen| chosen.profile).as_ref());
    if !file.exists() {
        ui.note("nobody is signed in");
        return Ok(Outcome::nothing());
    }
    let kept = match ory::read(&file) {
        Ok(kept) => Some(kept),
        Err(error) if error.code() == Some(ory::SIGNED_OUT) => {
            ui.note("nobody is signed in");
            return Ok(Outcome::nothing());
        }
        // An expired one is forgotten all the same.
        Err(error) if error.kind() == Kind::Denied => None,
        Err(error) => return Err(error),
    };
    // The refresh token ends all that was issued with it; without one the access token ends itself.
    if let Some(token) = kept.map(|kept| kept.refresh_token.unwrap_or(kept.access_token)) {
        let revoked = session.wait(async { sign_in::revoke(&console(&server, None, &policy)?, &token).await });
        if let Err(error) = revoked {
            ui.warn(&format!(
                "{}: it is forgotten here, and may count at the server until it expires",
                error.full_message()
            ));
        }
    }
    ory::change(&file, |members| {
        ory::forget(members);
    })?;
    session.look_anew();
    ui.note("signed out");
    Ok(Outcome::nothing())
}
