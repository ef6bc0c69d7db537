//! `version`: which orysh this is.

use serde_json::json;

use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[Column { title: "VERSION", member: "version" }];

const EXAMPLES: &str = "\
Examples:
  orysh version --format json";

/// The command.
pub fn command() -> Command {
    Command::new(["version"], "Print the version", run).runs_dry().offline().after(EXAMPLES)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every command")]
fn run(_host: &Host, _args: &Args) -> Result<Outcome> {
    Ok(Outcome::one(Row::value(json!({"version": env!("CARGO_PKG_VERSION")})), COLUMNS))
}
