//! `script api [NAME]`: what scripts can call, with an example each.

use clap::Arg;
use serde_json::json;

use crate::error::{Error, Result, nearest};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::script::engine::{self, Context};
use crate::script::library::{self, Function};

const COLUMNS: &[Column] = &[
    Column { title: "FUNCTION", member: "function" },
    Column { title: "WHAT IT DOES", member: "about" },
    Column { title: "EXAMPLE", member: "example" },
];

/// The command.
pub fn command() -> Command {
    Command::new(["script", "api"], "Show the functions that scripts can call", run)
        .runs_dry()
        .offline()
        .args(|| vec![Arg::new("name").value_name("NAME").help("Those of a module, or a function")])
        .after(
            "\
Examples:
  orysh script api
  orysh script api csv
  orysh script api clients::create --format json",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    // What is registered is known once it was.
    drop(engine::engine(&Context::new(host.clone())));
    let all = library::known();
    let wanted = args.text("name").unwrap_or_default();
    let is_wanted = |function: &&Function| wanted.is_empty() || function.module == wanted || function.name() == wanted;
    let found: Vec<&Function> = all.iter().filter(is_wanted).collect();
    if found.is_empty() {
        let names: Vec<String> =
            all.iter().flat_map(|function| [function.module.to_owned(), function.name()]).collect();
        return Err(Error::usage(format!("scripts have no module or function `{}`", crate::text::safe(wanted)))
            .did_you_mean(nearest(wanted, names.iter().map(String::as_str)))
            .hint("`orysh script api` shows them all"));
    }
    let row = |function: &Function| {
        let (signature, about, example) = (function.whole_signature(), function.about, function.example);
        Ok(Row::value(json!({"function": signature, "about": about, "example": example})).with_id(function.name()))
    };
    Ok(Outcome::many(found.into_iter().map(row).collect::<Vec<_>>().into_iter(), COLUMNS))
}
