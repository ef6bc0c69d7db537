//! `introspect token TOKEN`: whether a token counts, and what for.

use clap::{Arg, ArgAction};
use serde_json::Value;

use crate::api::tokens;
use crate::commands::token::{token, token_arg};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[
    Column { title: "ACTIVE", member: "active" },
    Column { title: "SUBJECT", member: "sub" },
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "SCOPE", member: "scope" },
    Column { title: "EXPIRY", member: "exp" },
    Column { title: "TOKEN USE", member: "token_use" },
];

const EXAMPLES: &str = "\
Examples:
  orysh introspect token - < token.txt
  orysh introspect token - --scope read --format jsonpath=active < token.txt

With --scope a token that lacks it is not active. With -q it is told by `true` or `false`.";

/// The command.
pub fn command() -> Command {
    Command::new(["introspect", "token"], "Show whether a token counts, and what for", run)
        .runs_dry()
        .args(|| {
            let scope = Arg::new("scope").long("scope").value_name("SCOPE").action(ArgAction::Append);
            vec![token_arg(), scope.value_delimiter(',').help("Scope that the token must have (can be repeated)")]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let token = token(args, session.ui())?;
    let known = session.wait(tokens::introspect(session, &token, &args.texts("scope").join(" ")))?;
    // What scripts ask: whether it counts.
    let counts = known.get("active").and_then(Value::as_bool).unwrap_or(false);
    Ok(Outcome::one(Row::value(Value::Object(known)).with_id(counts.to_string()), COLUMNS))
}
