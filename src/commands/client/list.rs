//! `list oauth2-clients`: a page of clients, or all of them as a stream.

use clap::{Arg, ArgAction, value_parser};

use crate::api::request::ListQuery;
use crate::commands::client::{COLUMNS, with_members};
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::session::pages::Clients;

const EXAMPLES: &str = "\
Examples:
  orysh list oauth2-clients --page-size 20
  orysh list oauth2-clients --all --format jsonl
  orysh list oauth2-clients --owner team@example.org -q";

/// The command.
pub fn command() -> Command {
    Command::new(["list", "oauth2-clients"], "List OAuth 2.0 clients", run)
        .aliases(&["clients", "oauth2-client", "client"])
        .args(list_args)
        .after(EXAMPLES)
}

fn list_args() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    vec![
        Arg::new("all").long("all").action(ArgAction::SetTrue).help("All pages, as they come"),
        text("page-size", "N", "Clients a page, 1 to 500 [default: the server's, 100; with --all 500]")
            .value_parser(value_parser!(u32).range(1..=500)),
        text("page-token", "TOKEN", "Where to go on: the token that an earlier page ended with"),
        text("name", "NAME", "Only clients of exactly this name"),
        text("owner", "OWNER", "Only clients of exactly this owner"),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every command")]
fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let all = args.flag("all");
    let query = ListQuery {
        page_size: args.matches.get_one::<u32>("page-size").copied().or(all.then_some(500)),
        page_token: args.text("page-token").map(str::to_owned),
        name: args.text("name").map(str::to_owned),
        owner: args.text("owner").map(str::to_owned),
    };
    Ok(with_members(Outcome::list(Clients::new(host.session.clone(), query, all), COLUMNS)))
}
