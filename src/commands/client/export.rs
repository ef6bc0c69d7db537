//! `export oauth2-clients`: clients in a form that `import`, `apply` and `replace` take.

use clap::{Arg, ArgAction};
use serde_json::Value;

use crate::api::request::ListQuery;
use crate::commands::client::with_members;
use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::model::{compare, fields};
use crate::ops::mark;
use crate::output::outcome::{Outcome, Row};
use crate::script::condition::Condition;
use crate::session::chosen::{Chosen, Test};
use crate::session::pages::{Clients, Resume};

const EXAMPLES: &str = "\
Examples:
  orysh export oauth2-clients > clients.jsonl
  orysh export oauth2-clients --owner team@example.org --format yaml > clients.yaml
  orysh export oauth2-clients --where 'c.metadata.tier == \"gold\"' --format json

The server keeps secrets as hashes: none is exported. What only the server sets, and what is empty, is left out, unless
--with-server-fields: only with it does `apply` empty what a client that is there has otherwise.";

/// The command.
pub fn command() -> Command {
    Command::new(["export", "oauth2-clients"], "Write clients in a form that can be imported", run)
        .runs_dry()
        .aliases(&["clients", "oauth2-client", "client"])
        .format("jsonl")
        .args(|| {
            let text = |name: &'static str, value: &'static str, help: &'static str| {
                Arg::new(name).long(name).value_name(value).help(help)
            };
            vec![
                text("name", "NAME", "Only clients of exactly this name"),
                text("owner", "OWNER", "Only clients of exactly this owner"),
                text("where", "EXPR", "Only clients that a Rhai expression over `c` holds for")
                    .allow_hyphen_values(true),
                Arg::new("with-server-fields")
                    .long("with-server-fields")
                    .action(ArgAction::SetTrue)
                    .help("Write what only the server sets, and what is empty, as well"),
            ]
        })
        .after(EXAMPLES)
}

/// Whether leaving a value out means the same to whoever makes the client anew.
fn is_implied(name: &str, value: &Value) -> bool {
    let default = fields::field(name).and_then(|field| field.default.value());
    compare::is_empty(value) && default.as_ref().is_none_or(compare::is_empty)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let condition = args.text("where").map(|text| Condition::parse(host, text)).transpose()?;
    let query = ListQuery {
        page_size: Some(500),
        name: args.text("name").map(str::to_owned),
        owner: args.text("owner").map(str::to_owned),
        page_token: None,
    };
    let test = condition.map(|condition| -> Test { Box::new(move |client| condition.holds(client)) });
    let whole = args.flag("with-server-fields");
    let resume = Resume { takes_token: false, all: "", condition: args.text("where").map(str::to_owned) };
    let clients = Clients::new(host.session.clone(), query, true).resumable(resume).ahead()?;
    let clients = Chosen::new(clients, test, None);
    let rows = clients.map(move |client| {
        let client = client?;
        let members = if whole {
            client.document().fields().clone()
        } else {
            let mut spec = client.to_spec();
            mark::take(&mut spec);
            let mut members = spec.body();
            members.retain(|name, value| !is_implied(name, value));
            members
        };
        Ok(Row::value(Value::Object(members)).with_id(client.id()))
    });
    Ok(with_members(Outcome::many(rows, &[])))
}
