//! `test oauth2-client ID`: whether a secret is the client's, without any effect.

use clap::Arg;
use serde_json::json;

use crate::api::tokens::{self, Verdict};
use crate::api::{Remote as _, Side, clients};
use crate::commands::client::{ALIASES, given_secret, id, id_arg, secret_args};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::secret::Secret;

const COLUMNS: &[Column] =
    &[Column { title: "CLIENT ID", member: "client_id" }, Column { title: "SECRET", member: "secret" }];

const EXAMPLES: &str = "\
Examples:
  orysh test oauth2-client job --secret-file job.secret
  orysh test oauth2-client job --secret-stdin --format jsonpath=secret

A right secret is told as `right` (exit code 0); a wrong one is an error (1), and so is one that cannot be told.
The token endpoint, at the server's public address (--public-endpoint), is asked for a token that it cannot give.";

/// The command.
pub fn command() -> Command {
    Command::new(["test", "oauth2-client"], "Test whether a secret is the client's", run)
        .runs_dry()
        .aliases(ALIASES)
        .args(test_args)
        .after(EXAMPLES)
}

fn test_args() -> Vec<Arg> {
    let mut args = vec![
        id_arg(),
        Arg::new("client_secret")
            .long("secret")
            .allow_hyphen_values(true)
            .value_name("SECRET")
            .help("The secret (others on this machine can see it: prefer the two below)"),
    ];
    args.extend(secret_args("Secret"));
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let id = id(args)?;
    let given = given_secret(args, session.ui())?;
    let secret = given
        .or_else(|| args.text("client_secret").map(Secret::new))
        .ok_or_else(|| Error::usage("the secret is missing").hint("give it with --secret-stdin or --secret-file"))?;
    let client = session.wait(clients::get(session, &id))?;
    match client.auth_method() {
        "client_secret_basic" | "client_secret_post" => {}
        other => {
            return Err(Error::usage(format!("client `{id}` signs in by `{other}`, with which no secret is of use")));
        }
    }
    // Without a public address there is nobody to ask.
    session.wait(session.door(Side::Public))?;
    let verdict = session.wait(tokens::prove(session, &id, &secret, client.auth_method()))?;
    let row = |found: &str| Row::value(json!({"client_id": id.as_str(), "secret": found})).with_id(found);
    match verdict {
        Verdict::Right => Ok(Outcome::one(row("right"), COLUMNS)),
        Verdict::Wrong => Err(Error::failed(format!("the secret of client `{id}` is wrong")).with_code("wrong_secret")),
        Verdict::Unknown => Err(Error::failed(format!("whether the secret of client `{id}` is right cannot be told"))
            .hint("the token endpoint gave no answer that tells: is the public address right (--public-endpoint)?")),
    }
}
