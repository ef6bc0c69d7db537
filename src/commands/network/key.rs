//! `create project-key` and `delete project-key`: keys to a project that end by themselves.

use std::time::{Duration, SystemTime};

use clap::Arg;

use super::at;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::document::Document;
use crate::ops::guard::{self, Deed};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::session::network;

const COLUMNS: &[Column] = &[
    Column { title: "ID", member: "id" },
    Column { title: "KEY", member: "value" },
    Column { title: "EXPIRES", member: "expires_at" },
    Column { title: "PROJECT", member: "project_id" },
];

/// The longest that a key is made for.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const DELETED: &[Column] = &[Column { title: "ID", member: "" }];

/// `create project-key`.
pub fn create() -> Command {
    Command::new(["create", "project-key"], "Make an API key to a project of Ory Network", make)
        .args(|| {
            vec![
                Arg::new("name")
                    .long("name")
                    .short('n')
                    .value_name("NAME")
                    .default_value("orysh")
                    .help("What it is called"),
                Arg::new("expires-in")
                    .long("expires-in")
                    .value_name("DURATION")
                    .default_value("1h")
                    .help("How long it counts"),
            ]
        })
        .after(
            "\
Examples:
  orysh create project-key --project happy-hill --expires-in 15m --format jsonpath=value

The key is shown once. It is for the project in use, or the one that --project names.",
        )
}

/// `delete project-key`.
pub fn delete() -> Command {
    Command::new(["delete", "project-key"], "Delete an API key to a project of Ory Network", remove)
        .args(|| vec![Arg::new("key").value_name("KEY_ID").required(true).help("Id of the key")])
        .after(
            "\
Examples:
  orysh delete project-key 5a0c9c1e-0000-4000-8000-000000000001 --project happy-hill --yes",
        )
}

/// The project that is named or in use.
fn project(session: &Session) -> Result<(crate::api::console::Console, String)> {
    let (at_network, console) = at(session)?;
    let place = session.wait(network::find(&at_network, &console))?;
    Ok((console, place.id))
}

fn make(host: &Host, args: &Args) -> Result<Outcome> {
    let session = host.session.clone();
    let name = args.text("name").unwrap_or_default().to_owned();
    let expires_in = args.text("expires-in").unwrap_or_default();
    let lasts: Duration = humantime::parse_duration(expires_in).map_err(|source| {
        Error::usage(format!("--expires-in `{expires_in}` is no duration"))
            .caused_by(source)
            .hint("as 15m, 8h or 2days")
    })?;
    if session.ui().quiet {
        return Err(Error::usage("-q prints ids only, and the key would be lost")
            .hint("--format jsonpath=value prints the key"));
    }
    if lasts.is_zero() {
        return Err(Error::usage("--expires-in is zero: the key would never count"));
    }
    if lasts > LONGEST {
        return Err(Error::usage(format!("--expires-in `{expires_in}` is longer than ten years")));
    }
    let expires_at = humantime::format_rfc3339_seconds(SystemTime::now() + lasts).to_string();
    let (console, project) = project(&session)?;
    guard::check(&session, Deed::Grave, &format!("make a key to project `{project}`"))?;
    let work = move || {
        let made = session.wait(console.make_key(&project, &name, &expires_at))?;
        Ok(Row::document(Document::new(made, |name| name == "value"), "id"))
    };
    Ok(Outcome::later(work, COLUMNS).with_members(["id", "value", "name", "expires_at", "project_id", "owner"]))
}

fn remove(host: &Host, args: &Args) -> Result<Outcome> {
    let session = host.session.clone();
    let key = args.text("key").unwrap_or_default().to_owned();
    let (console, project) = project(&session)?;
    guard::ask(&session, &format!("delete key `{key}`"), "nothing was deleted", false)?;
    let work = move || {
        session.wait(console.delete_key(&project, &key))?;
        Ok(Row::id(key))
    };
    Ok(Outcome::later(work, DELETED))
}
