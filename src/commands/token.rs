//! Commands on tokens, and on what people have consented to.

pub mod client_credentials;
pub mod consent;
pub mod delete;
pub mod introspect;
pub mod revoke;

use clap::{Arg, ArgAction};

use crate::api::tokens::Credentials;
use crate::commands::given;
use crate::env;
use crate::error::{Error, Result};
use crate::grammar::Args;
use crate::model::client::ClientId;
use crate::secret::Secret;
use crate::session::Session;
use crate::ui::Ui;

/// The flags by which a client signs in as itself.
fn credential_args() -> [Arg; 4] {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Client")
    };
    [
        text("client-id", "ID", "Id of the client [default: OAUTH2_CLIENT_ID]").allow_hyphen_values(true),
        text("client-secret", "SECRET", "Its secret (others on this machine can see it: prefer the two below)")
            .allow_hyphen_values(true),
        Arg::new("client-secret-stdin")
            .long("client-secret-stdin")
            .action(ArgAction::SetTrue)
            .conflicts_with("client-secret")
            .help("Read its secret from stdin")
            .help_heading("Client"),
        text("client-secret-file", "FILE", "Read its secret from a file")
            .conflicts_with_all(["client-secret", "client-secret-stdin"]),
    ]
}

fn credentials(session: &Session, args: &Args) -> Result<Credentials> {
    let ui = session.ui();
    // What is in the environment is the user's, and not a plugin's.
    if let Some(grant) = session.grant() {
        for (flag, variable) in [("client-id", &env::OAUTH2_CLIENT_ID), ("client-secret", &env::OAUTH2_CLIENT_SECRET)] {
            if args.text(flag).is_none() {
                grant.variable(variable.name)?;
            }
        }
    }
    let given = args.text("client-id").map(str::to_owned).or_else(|| env::OAUTH2_CLIENT_ID.get());
    let id = given.ok_or_else(|| Error::usage("the client's id is missing").hint("give it with --client-id"))?;
    let id = ClientId::parse(&id)?;
    let secret = if args.flag("client-secret-stdin") {
        given::from_stdin(ui, "secret")?
    } else if let Some(path) = args.text("client-secret-file") {
        given::from_file(path, "secret")?
    } else if let Some(secret) = args.text("client-secret") {
        given::warn_of_argv(args, ui, "--client-secret", "use --client-secret-stdin");
        Secret::new(secret)
    } else if let Some(secret) = env::OAUTH2_CLIENT_SECRET.get() {
        Secret::new(secret)
    } else {
        return Err(Error::usage("the client's secret is missing")
            .hint("give it with --client-secret-stdin or --client-secret-file"));
    };
    Ok(Credentials { id, secret })
}

/// The token that a command is about, as a word or on stdin.
fn token_arg() -> Arg {
    Arg::new("token").value_name("TOKEN").required(true).help("The token, or - to read it from stdin")
}

fn token(args: &Args, ui: Ui) -> Result<Secret> {
    match args.text("token").unwrap_or_default() {
        "-" => given::from_stdin(ui, "token"),
        token => {
            given::warn_of_argv(args, ui, "a token as a word", "use `-`, which reads it from stdin,");
            Ok(Secret::new(token))
        }
    }
}
