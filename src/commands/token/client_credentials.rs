//! `perform client-credentials`: a token by the client credentials grant.

use std::time::{Duration, SystemTime};

use clap::{Arg, ArgAction};
use serde_json::{Map, Value};

use crate::api::tokens;
use crate::commands::token::{credential_args, credentials};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::model::document::Document;
use crate::output::outcome::{Column, Outcome, Row};

const COLUMNS: &[Column] = &[
    Column { title: "ACCESS TOKEN", member: "access_token" },
    Column { title: "REFRESH TOKEN", member: "refresh_token" },
    Column { title: "ID TOKEN", member: "id_token" },
    Column { title: "EXPIRY", member: "expiry" },
];

/// The members of an answer (RFC 6749 §5.1), with `expiry` in the place of `expires_in`.
const MEMBERS: &[&str] = &["access_token", "token_type", "expiry", "scope", "refresh_token", "id_token"];

const EXAMPLES: &str = "\
Examples:
  orysh perform client-credentials --client-id job --client-secret-file job.secret --scope read --format json
  orysh perform client-credentials --client-id job --client-secret-file job.secret -q

With -q the access token alone is printed. The token endpoint is at the server's public address (--public-endpoint).";

/// The command.
pub fn command() -> Command {
    Command::new(["perform", "client-credentials"], "Get a token by the client credentials grant", run)
        .args(grant_args)
        .public_side()
        .after(EXAMPLES)
}

fn grant_args() -> Vec<Arg> {
    let list = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).action(ArgAction::Append).value_delimiter(',').help(help)
    };
    let mut args = credential_args().to_vec();
    args.push(list("scope", "SCOPE", "Scope to ask for (can be repeated)"));
    args.push(list("audience", "AUDIENCE", "Audience to ask for (can be repeated)"));
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let client = credentials(session, args)?;
    let (scope, audience) = (args.texts("scope").join(" "), args.texts("audience").join(" "));
    let session = session.clone();
    let work = move || {
        let answer = session.wait(tokens::client_credentials(&session, &client, &scope, &audience))?;
        Ok(row(answer))
    };
    Ok(Outcome::later(work, COLUMNS).with_members(MEMBERS.iter().copied()))
}

fn row(mut answer: Map<String, Value>) -> Row {
    // As the Ory CLI tells it: when the token ends, not how long it has left.
    if let Some(seconds) = answer.shift_remove("expires_in").as_ref().and_then(Value::as_u64) {
        let expiry = SystemTime::now() + Duration::from_secs(seconds);
        answer.insert("expiry".into(), humantime::format_rfc3339_seconds(expiry).to_string().into());
    }
    let document = Document::new(answer, |name| matches!(name, "access_token" | "refresh_token" | "id_token"));
    Row::document(document, "access_token")
}
