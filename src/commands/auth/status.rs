//! `auth status`: who one is, where, and until when.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::config::ory;
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::session::credential::Credential;
use crate::session::target::Target;

const COLUMNS: &[Column] = &[
    Column { title: "AS", member: "subject" },
    Column { title: "TARGET", member: "target" },
    Column { title: "BY", member: "kind" },
    Column { title: "EXPIRES", member: "expires_at" },
    Column { title: "RENEWED", member: "is_renewed" },
    Column { title: "KEPT IN", member: "file" },
];

const EXAMPLES: &str = "\
Examples:
  orysh auth status

Nothing is sent, and no secret is shown.";

/// The command.
pub fn command() -> Command {
    Command::new(["auth", "status"], "Show who one is, where, and until when", run).runs_dry().after(EXAMPLES)
}

fn run(host: &Host, _args: &Args) -> Result<Outcome> {
    let chosen = host.session.chosen()?;
    let mut row = json!({"subject": chosen.subject, "target": chosen.place(), "kind": "none", "expires_at": null});
    match &chosen.target {
        Target::Network(network) => match &network.credential {
            Credential::SignIn { file, .. } => {
                let kept = ory::read(file)?;
                let time = |time: SystemTime| Value::from(humantime::format_rfc3339_seconds(time).to_string());
                row["kind"] = "sign-in".into();
                row["expires_at"] = kept.expires.map_or(Value::Null, time);
                row["is_renewed"] = kept.refresh_token.is_some().into();
                row["file"] = file.display().to_string().into();
            }
            key => tell_of_key(&host.session, key, &mut row)?,
        },
        Target::Server { credential: Some(key), .. } => tell_of_key(&host.session, key, &mut row)?,
        Target::Server { credential: None, .. } | Target::Sandbox => {}
    }
    Ok(Outcome::one(Row::value(row).with_id(chosen.subject), COLUMNS))
}

fn tell_of_key(session: &Session, credential: &Credential, row: &mut Value) -> Result<()> {
    row["kind"] = "key".into();
    if let Credential::Kept { place, .. } = credential {
        // It is fetched, so that one that is not there is told of.
        session.wait(credential.current(&session.settings().policy, &|message| session.ui().note(message)))?;
        row["file"] = place.described()?.into();
    }
    Ok(())
}
