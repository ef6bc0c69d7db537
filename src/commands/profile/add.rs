//! `profile add NAME`: keeps a target under a name.

use super::name_arg;
use crate::config::edit;
use crate::config::profile::{self, CURRENT, CURRENT_FROM, Profile, TEXTS};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, common};
use crate::net;
use crate::output::outcome::Outcome;
use crate::session::target::Given;
use clap::{Arg, ArgAction};

const EXAMPLES: &str = "\
Examples:
  orysh profile add hydra --endpoint http://127.0.0.1:4445
  orysh profile add shop --endpoint https://hydra.example.org --production --credential env:SHOP_KEY
  orysh profile add staging --project quiet-lake-staging --credential file

The first profile is in use from then on; `orysh profile use NAME` changes that. The file may be edited by hand: what is
written there beside the profiles stays.";

/// The command.
pub fn command() -> Command {
    Command::new(["profile", "add"], "Keep a target under a name", run)
        .offline()
        .in_tests()
        .args(add_args)
        .after(EXAMPLES)
}

fn add_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let mut args = vec![name_arg("What the profile is called")];
    args.extend(TEXTS.iter().map(|key| Arg::new(key.name).long(key.name).value_name(key.value).help(key.help)));
    args.push(
        Arg::new("header")
            .long("header")
            .short('H')
            .value_name("NAME: VALUE")
            .action(ArgAction::Append)
            .help("Header to send to the admin API (can be repeated)"),
    );
    args.push(switch("skip-tls-verify", "Believe any TLS certificate: whoever is on the way can change everything"));
    args.push(switch("production", "Ask before it is changed"));
    args.push(switch("use", "Use it from now on"));
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let name = args.text("name").unwrap_or_default();
    profile::check_name(name)?;
    let profile = described(args)?;
    profile.check(name)?;
    let path = profile::user_file()?;
    let is_used = profile::change(|document, known| {
        if known.all.contains_key(name) {
            return Err(Error::usage(format!("there is a profile `{name}` already"))
                .hint(format!("edit {}, or remove it: orysh profile remove {name}", path.display())));
        }
        profile.write(profile::table(document, name)?);
        let is_used = args.flag("use") || known.current.is_none() && known.all.is_empty();
        if is_used {
            edit::set(document.as_table_mut(), CURRENT, name);
            if document.contains_key(CURRENT_FROM) {
                edit::set(document.as_table_mut(), CURRENT_FROM, "");
            }
        }
        Ok(is_used)
    })?;
    ui.note(&format!("profile {name} ({}) is kept in {}", profile.target(), path.display()));
    if is_used {
        host.session.use_from_now_on(Given { profile: Some(name.to_owned()), ..Given::default() });
        ui.note(&format!("it is in use: commands that name no other target act on {}", profile.target()));
    }
    Ok(Outcome::nothing())
}

fn described(args: &Args) -> Result<Profile> {
    let mut profile = Profile::default();
    for key in TEXTS {
        if let Some(text) = args.text(key.name) {
            profile.set(key.name, text).map_err(|error| error.about(format!("--{}", key.name)))?;
        }
    }
    let urls = [
        (&profile.endpoint, "--endpoint"),
        (&profile.public_endpoint, "--public-endpoint"),
        (&profile.console_url, "--console-url"),
        (&profile.apis_url, "--apis-url"),
    ];
    for (url, flag) in urls {
        url.as_deref().map(|url| net::server_url(url, flag)).transpose()?;
    }
    for header in args.texts("header") {
        let (name, value) = common::split_header(&header)?;
        profile.headers.insert(name.to_owned(), value.to_owned());
    }
    if let Some(key) = profile.credential_in_it() {
        return Err(Error::usage(format!("a profile holds no credential, and `{key}` looks like one"))
            .hint("say where a key is with --credential: env:NAME, or with `orysh auth key set`"));
    }
    // It works from wherever it is used.
    for file in [&mut profile.ca_file, &mut profile.client_cert, &mut profile.client_key].into_iter().flatten() {
        *file = std::path::absolute(&*file).unwrap_or_else(|_| file.clone());
    }
    profile.skip_tls_verify = args.flag("skip-tls-verify");
    profile.production = args.flag("production");
    Ok(profile)
}
