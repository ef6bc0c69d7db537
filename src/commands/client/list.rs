//! `list oauth2-clients`: a page of clients, or all of them as a stream.

use clap::{Arg, ArgAction, value_parser};

use crate::api::request::ListQuery;
use crate::commands::client::{COLUMNS, with_members};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::fields;
use crate::output::outcome::{Outcome, Row, Rows, Trailer};
use crate::script::condition::Condition;
use crate::session::chosen::{self, Chosen, Test};
use crate::session::pages::{Clients, Resume};

const EXAMPLES: &str = "\
Examples:
  orysh list oauth2-clients --page-size 20
  orysh list oauth2-clients --all --format jsonl
  orysh list oauth2-clients --owner team@example.org -q
  orysh list oauth2-clients --where 'c.grant_types.contains(\"implicit\")' --columns client_id,client_name
  orysh list oauth2-clients --sort -updated_at --limit 10

--where, --sort and --limit go through all pages. In --where, a Rhai expression, `c` is the client.";

/// The command.
pub fn command() -> Command {
    Command::new(["list", "oauth2-clients"], "List OAuth 2.0 clients", run)
        .runs_dry()
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
        text("page-size", "N", "Clients a page, at most 500; 0: the server's [default: 100, with --all 500]")
            .allow_negative_numbers(true)
            .value_parser(value_parser!(i64)),
        text("page-token", "TOKEN", "Where to go on: the token that an earlier page ended with")
            .allow_hyphen_values(true),
        text("limit", "N", "At most so many clients").value_parser(value_parser!(u64).range(1..)),
        text("where", "EXPR", "Only clients that a Rhai expression over `c` holds for").allow_hyphen_values(true),
        text("sort", "FIELD", "Order by this field; -FIELD from the last to the first").allow_hyphen_values(true),
        text("columns", "FIELDS", "Show these fields only, separated by commas (can be repeated)")
            .action(ArgAction::Append)
            .value_delimiter(','),
        text("name", "NAME", "Only clients of exactly this name").allow_hyphen_values(true),
        text("owner", "OWNER", "Only clients of exactly this owner").allow_hyphen_values(true),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let limit = args.matches.get_one::<u64>("limit").map(|limit| usize::try_from(*limit).unwrap_or(usize::MAX));
    let condition = args.text("where").map(|text| Condition::parse(host, text)).transpose()?;
    let sort = args.text("sort").map(order).transpose()?;
    let columns = args.texts("columns").iter().map(|name| column(name)).collect::<Result<Vec<_>>>()?;
    let all = args.flag("all") || limit.is_some() || condition.is_some() || sort.is_some();
    let query = ListQuery {
        page_size: match args.matches.get_one::<i64>("page-size") {
            None => all.then_some(500),
            // As the server takes it.
            Some(..=0) => None,
            Some(size) => u32::try_from(*size).ok(),
        },
        page_token: args.text("page-token").map(str::to_owned),
        name: args.text("name").map(str::to_owned),
        owner: args.text("owner").map(str::to_owned),
    };
    if query.page_size.is_some_and(|size| size > 500) {
        host.session.ui().note("a server gives at most 500 clients a page");
    }
    let clients = Clients::new(host.session.clone(), query, all);
    let resume = Resume { takes_token: true, all: "--all ", condition: args.text("where").map(str::to_owned) };
    // A list that is put in order shows nothing before it is whole.
    let clients = if sort.is_none() { clients.resumable(resume) } else { clients };
    let clients = match limit {
        None => clients.ahead()?,
        Some(limit) if condition.is_none() && sort.is_none() => {
            clients.at_most(u32::try_from(limit).unwrap_or(u32::MAX))
        }
        Some(_) => clients,
    };
    let test = condition.map(|condition| -> Test { Box::new(move |client| condition.holds(client)) });
    let chosen = Chosen::new(clients, test, limit).columns(columns.clone());
    let shown = if columns.is_empty() { COLUMNS } else { &[] };
    let outcome = match sort {
        None => Outcome::list(chosen, shown),
        Some((field, descending)) => {
            let (rows, is_whole) = chosen.sorted(field, descending)?;
            let rows = rows.into_iter().map(move |client| chosen::row(client, &columns));
            Outcome::list(Sorted { rows, is_whole }, shown)
        }
    };
    Ok(if shown.is_empty() { outcome } else { with_members(outcome) })
}

/// `FIELD` or `-FIELD`: the field, and whether the last comes first.
fn order(text: &str) -> Result<(&'static str, bool)> {
    match text.strip_prefix('-') {
        Some(name) => Ok((column(name)?, true)),
        None => Ok((column(text)?, false)),
    }
}

fn column(name: &str) -> Result<&'static str> {
    let plain = name.trim();
    if fields::is_secret(plain) {
        return Err(Error::usage(format!("a list has no `{plain}`: it is told once, where it is made")));
    }
    let field = fields::field(plain).or_else(|| fields::by_flag(plain)).filter(|field| !field.secret);
    field
        .map(|field| field.json)
        .ok_or_else(|| Error::usage(format!("a list has no field `{plain}`")).did_you_mean(fields::nearest(plain)))
}

/// Clients that are all there.
struct Sorted<I> {
    rows: I,
    /// Whether none was left out.
    is_whole: bool,
}

impl<I: Iterator<Item = Row> + Send> Rows for Sorted<I> {
    fn next(&mut self) -> Option<Result<Row>> {
        self.rows.next().map(Ok)
    }

    fn trailer(&self) -> Option<Trailer> {
        Some(if self.is_whole { Trailer::last_page() } else { Trailer::cut_off() })
    }
}
