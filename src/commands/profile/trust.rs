//! `profile trust`: says that the `orysh.toml` of this repository may name targets.

use clap::Arg;
use serde_json::json;

use crate::config::team;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[Column { title: "NAME", member: "name" }, Column { title: "TARGET", member: "target" }];

const EXAMPLES: &str = "\
Examples:
  orysh profile trust --yes

Trust is kept in the user's folder and is for the very content of the file: a change of it is asked about again. Off a
terminal, --trust HASH on a command trusts it for that command.";

/// The command.
pub fn command() -> Command {
    Command::new(["profile", "trust"], "Trust the orysh.toml of this repository", run)
        .offline()
        .in_tests()
        .args(|| {
            vec![Arg::new("file").value_name("FILE").help("The file [default: that of this folder, or of one above]")]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let found = match args.text("file") {
        Some(file) => Some(team::at(&std::path::absolute(file).unwrap_or_else(|_| file.into()))?),
        None => team::found()?,
    };
    let Some(team) = found else {
        return Err(Error::usage("there is no orysh.toml in this folder or one above"));
    };
    let path = team.path.display();
    let rows: Vec<Result<Row>> = team
        .profiles
        .all
        .iter()
        .map(|(name, profile)| Ok(Row::value(json!({"name": name, "target": profile.target()})).with_id(name)))
        .collect();
    if team.is_trusted()? {
        ui.note(&format!("{path} is trusted already"));
        return Ok(Outcome::many(rows.into_iter(), COLUMNS));
    }
    if !args.yes && !ui.can_ask(false) {
        return Err(Error::usage(format!("nobody can be asked whether {path} is trusted"))
            .hint(format!("its hash is {}: --yes trusts it", team.hash)));
    }
    ui.line(&format!("{path} says:\n  {}", team.described().join("\n  ")));
    if !args.yes && !ui.agrees(&format!("Trust {path}?"), false) {
        return Err(Error::usage("nothing is trusted"));
    }
    team.trust()?;
    ui.note(&format!("{path} is trusted as long as it stays as it is"));
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}
