//! `revoke token TOKEN`: ends an access or refresh token, as the client it was issued to.

use clap::Arg;

use crate::api::tokens;
use crate::commands::token::{credential_args, credentials, token, token_arg};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;

const EXAMPLES: &str = "\
Examples:
  orysh revoke token - --client-id job --client-secret-file job.secret < token.txt

A token that the server does not know is taken for revoked (RFC 7009); a JWT access token lives until it expires.";

/// The command.
pub fn command() -> Command {
    Command::new(["revoke", "token"], "Revoke an access or refresh token", run)
        .args(revoke_args)
        .public_side()
        .after(EXAMPLES)
}

fn revoke_args() -> Vec<Arg> {
    let mut args = vec![token_arg()];
    args.extend(credential_args());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let token = token(args, session.ui())?;
    let client = credentials(session, args)?;
    session.wait(tokens::revoke(session, &token, &client))?;
    session.ui().note("the token is revoked, or was not known");
    Ok(Outcome::nothing())
}
