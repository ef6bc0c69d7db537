//! `batch update`, `batch delete` and `batch rotate`: many clients that are there, with the same journal and limits.

use clap::{Arg, ArgAction};

use super::create::begin;
use super::{begin_args, going, switch};
use crate::api::request::ListQuery;
use crate::batch::again::{Again, Whose};
use crate::batch::begin::New;
use crate::batch::check::{self, Input};
use crate::batch::job::Job;
use crate::batch::rows::Rows;
use crate::batch::shape::Shape;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, recipients};
use crate::model::client::{ClientId, ClientSpec};
use crate::output::outcome::Outcome;
use crate::script::condition::Condition;
use crate::session::pages::Clients;

const UPDATE: &str = "\
Examples:
  orysh batch update --file changes.csv
  orysh batch update --where 'c.owner == \"team@example.org\"' --set contacts=team@example.org --dry-run
  orysh batch update app-1 app-2 --set metadata.tier=gold

What each client was before is in the journal: `orysh batch undo` puts the old fields back where nobody has changed them
since.";

const DELETE: &str = "\
Examples:
  orysh batch delete app-1 app-2 --yes
  orysh batch delete --where 'c.client_name.starts_with(\"load-test\")' --dry-run";

const ROTATE: &str = "\
Examples:
  orysh batch rotate app-1 app-2 --out secrets.csv --secrets plain
  orysh batch rotate --where 'c.owner == \"team@example.org\"' --pgp-key @alice.asc --out secrets.csv

The old secrets go on counting until `orysh rotate secret ID --drop-old`.";

/// `batch update`.
pub fn update() -> Command {
    Command::new(["batch", "update"], "Change many clients", |host, args| run(host, args, Job::Update))
        .runs_dry()
        .args(|| {
            let mut args = which_args();
            args.push(several(
                "set",
                "FIELD=VALUE",
                "A field of every client, which may hold columns (can be repeated)",
            ));
            args.push(several("map", "COLUMN=FIELD", "What a column of another name is for (can be repeated)"));
            args.push(switch("no-lint", "Send what the check of the values refuses, too"));
            args.extend(recipients::recipient_args());
            args
        })
        .after(UPDATE)
}

/// `batch delete`.
pub fn delete() -> Command {
    Command::new(["batch", "delete"], "Delete many clients", |host, args| run(host, args, Job::Delete))
        .runs_dry()
        .args(which_args)
        .after(DELETE)
}

/// `batch rotate`.
pub fn rotate() -> Command {
    Command::new(["batch", "rotate"], "Give many clients new secrets", |host, args| run(host, args, Job::Rotate))
        .runs_dry()
        .args(|| {
            let mut args = which_args();
            args.extend(recipients::recipient_args());
            args
        })
        .after(ROTATE)
}

fn several(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).action(ArgAction::Append).help(help).help_heading("Batch")
}

/// Which clients, and how it goes.
fn which_args() -> Vec<Arg> {
    let mut args = vec![
        Arg::new("id").value_name("ID").action(ArgAction::Append).help("Id of a client (can be repeated)"),
        Arg::new("file")
            .long("file")
            .short('f')
            .value_name("INPUT")
            .help("Their ids in a column client_id, or as JSON or YAML; - for stdin")
            .help_heading("Batch"),
        Arg::new("where")
            .long("where")
            .value_name("EXPR")
            .allow_hyphen_values(true)
            .help("All clients that a Rhai expression over `c` holds for")
            .help_heading("Batch"),
        switch("skip-invalid", "Go on with the good rows where some are wrong"),
        switch("dry-run", "Check which clients are meant, and send nothing"),
    ];
    args.extend(begin_args());
    args
}

fn run(host: &Host, args: &Args, job: Job) -> Result<Outcome> {
    let session = &host.session;
    let (ids, file, condition) = (args.texts("id"), args.text("file"), args.text("where"));
    let named = usize::from(!ids.is_empty()) + usize::from(file.is_some()) + usize::from(condition.is_some());
    if named != 1 {
        let why = if named == 0 { "no client is named" } else { "clients are named in more than one way" };
        return Err(Error::usage(why).hint("name ids, or --file INPUT, or --where EXPR"));
    }
    let is_update = job == Job::Update;
    let (maps, sets) = if is_update { (args.texts("map"), args.texts("set")) } else { (Vec::new(), Vec::new()) };
    let shape = Shape::new(&maps, &sets, ClientSpec::new())?;
    let shape = if is_update { shape } else { shape.of_ids() };
    let input = match (file, condition) {
        (Some(file), _) => Input::Rows(Rows::open(file)?.into()),
        (None, Some(condition)) => Input::Ids(matching(host, condition)?),
        (None, None) => {
            let ids = ids.iter().map(|id| ClientId::parse(id)).collect::<Result<Vec<_>>>()?;
            Input::Ids(Box::new(ids.into_iter().map(Ok)))
        }
    };
    let new = New {
        input,
        shape,
        check: check::How {
            job,
            no_lint: is_update && args.flag("no-lint"),
            skip_invalid: args.flag("skip-invalid"),
            recipients: match job {
                Job::Delete => check::Recipients::default(),
                _ => check::Recipients::Wanted(recipients::wanted(args)?),
            },
        },
        going: going(args)?,
        // What is changed twice is as it is wanted all the same.
        again: Again::Allowed,
        key_store: args.flag("key-store"),
        whose: Whose::default(),
    };
    match begin(session, new, args.only_shows(session), file == Some("-")) {
        // A condition that holds for nobody is no mistake.
        Err(error) if error.code() == Some(check::NOBODY) => {
            session.ui().note(error.message());
            Ok(Outcome::nothing())
        }
        begun => begun,
    }
}

/// The ids of all clients that a condition holds for.
fn matching(host: &Host, condition: &str) -> Result<Box<dyn Iterator<Item = Result<ClientId>>>> {
    let condition = Condition::parse(host, condition)?;
    let query = ListQuery { page_size: Some(500), ..ListQuery::default() };
    let clients = Clients::new(host.session.clone(), query, true).ahead()?;
    Ok(Box::new(clients.filter_map(move |client| {
        let client = match client {
            Ok(client) => client,
            Err(error) => return Some(Err(error)),
        };
        match condition.holds(&client) {
            Ok(true) => Some(client.client_id()),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    })))
}
