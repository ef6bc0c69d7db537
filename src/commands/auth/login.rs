//! `auth login`: signs in to Ory Network in a browser (authorization code with PKCE).

use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use url::Url;

use super::{file, servers};
use crate::api::sign_in::{self, Begun, Person};
use crate::config::ory;
use crate::env;
use crate::error::{Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::session::callback::Callback;
use crate::session::credential::{console, tokens};
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  orysh auth login
  orysh auth login --no-browser

The sign-in is kept where the Ory CLI keeps its own (~/.ory-cloud.json), and both use it. A browser is opened on a
terminal with a display only; elsewhere the address is printed.";

/// The command.
pub fn command() -> Command {
    Command::new(["auth", "login"], "Sign in to Ory Network", run)
        .args(|| {
            vec![
                Arg::new("no-browser")
                    .long("no-browser")
                    .action(ArgAction::SetTrue)
                    .help("Print the address, and open no browser"),
                Arg::new("port")
                    .long("port")
                    .value_name("PORT")
                    .value_parser(value_parser!(u16))
                    .help("Port of this machine that the answer comes to [default: a free one]"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let (file, (api, server)) = (file(session)?, servers(session)?);
    // A file that is broken, or that others can read, is told of before anybody signs in.
    if file.exists()
        && let Err(error) = ory::read(&file)
        && error.kind() == Kind::Usage
    {
        return Err(error);
    }
    let policy = session.policy(session.chosen().ok().and_then(|chosen| chosen.profile).as_ref());
    let port = args.matches.get_one::<u16>("port").copied().unwrap_or(0);
    let (tokens, person) = session.wait(async {
        let callback = Callback::listen(port).await?;
        let begun = Begun::new(callback.redirect_uri.clone())?;
        let url = begun.url(&server, &api);
        let is_opened = !args.flag("no-browser") && open(ui, &url);
        let told = if is_opened { "A browser is opened; if none comes up, open this" } else { "Open this" };
        ui.line(&format!("{told} address to sign in:\n{url}"));
        let code = callback.code(&begun.state, ui).await?;
        let issued = sign_in::exchange(&console(&server, None, &policy)?, &begun, code.expose()).await?;
        // Who it is, is worth less than the sign-in itself.
        let person = sign_in::person(&console(&server, Some(&issued.access), &policy)?).await.unwrap_or_else(|error| {
            ui.warn(&error.full_message());
            Person { id: String::new(), email: "somebody".into(), name: String::new() }
        });
        Ok((tokens(issued), person))
    })?;
    let Person { id, email, name } = &person;
    ory::change(&file, |members| {
        // Nothing of whoever was signed in before stays.
        ory::forget(members);
        ory::set_tokens(members, &tokens);
        members.insert("session_identity_traits".into(), json!({"ID": id, "email": email, "name": name}));
    })?;
    session.look_anew();
    ui.note(&format!("signed in as {email}; kept in {}", file.display()));
    Ok(Outcome::nothing())
}

/// Opens a browser, where a person sits in front of a screen. False: it was not.
fn open(ui: Ui, url: &Url) -> bool {
    let has_display = env::DISPLAY.get().is_some() || env::WAYLAND_DISPLAY.get().is_some();
    has_display && ui.can_ask(false) && ui.open_browser(url.as_str())
}
