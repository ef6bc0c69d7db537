//! `profile list`: every profile, the user's and those of the repository.

use serde_json::json;

use crate::config::profile::{self, Profile};
use crate::config::team;
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[
    Column { title: "NAME", member: "name" },
    Column { title: "IN USE", member: "in_use" },
    Column { title: "TARGET", member: "target" },
    Column { title: "PRODUCTION", member: "production" },
    Column { title: "CREDENTIAL", member: "credential" },
    Column { title: "FILE", member: "file" },
    Column { title: "TRUSTED", member: "trusted" },
];

const EXAMPLES: &str = "\
Examples:
  orysh profile list
  orysh profile list -q

The orysh.toml of a repository, in this folder or one above, may add profiles: see `orysh profile trust`.";

/// The command.
pub fn command() -> Command {
    Command::new(["profile", "list"], "Show every profile", run).runs_dry().offline().after(EXAMPLES)
}

fn run(host: &Host, _args: &Args) -> Result<Outcome> {
    let own = profile::user()?;
    for warning in &own.warnings {
        host.session.ui().warn(warning);
    }
    let path = profile::user_file()?.display().to_string();
    let row = |name: &str, profile: &Profile, file: &str, trusted: bool| {
        let value = json!({
            "name": name,
            "in_use": own.current.as_deref() == Some(name) && own.current_from.as_deref().is_none_or(|from| from.display().to_string() == file) && (own.current_from.is_some() || file == path),
            "target": profile.target(),
            "production": profile.production,
            "credential": profile.credential.as_ref().map(profile::Whence::to_text),
            "file": file,
            "trusted": trusted,
        });
        Ok(Row::value(value).with_id(name))
    };
    let mut rows: Vec<Result<Row>> = own.all.iter().map(|(name, profile)| row(name, profile, &path, true)).collect();
    // What is wrong with the repository's is no reason not to show the user's own.
    let team = team::found().unwrap_or_else(|error| {
        host.session.ui().warn(&error.full_message());
        None
    });
    if let Some(team) = team {
        let (file, trusted) = (team.path.display().to_string(), team.is_trusted()?);
        // The user's own profile of that name is the one that counts.
        let added = team.profiles.all.iter().filter(|(name, _)| !own.all.contains_key(*name));
        rows.extend(added.map(|(name, profile)| row(name, profile, &file, trusted)));
    }
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}
