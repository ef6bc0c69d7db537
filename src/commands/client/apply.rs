//! `apply -f FILE…`: makes clients exist as files describe them; a second run changes nothing.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction};
use serde_json::{Map, Value, json};

use crate::commands::client::change;
use crate::config::read;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::client::{Client, ClientSpec};
use crate::model::document::Document;
use crate::model::{fields, input};
use crate::ops::apply::{self, Due};
use crate::ops::create::{self, Created};
use crate::ops::keep::Kept;
use crate::ops::update::{self, FieldChange, Updated};
use crate::output::outcome::{Column, Outcome, Row, Rows, Trailer};
use crate::session::Session;

const COLUMNS: &[Column] = &[
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "ACTION", member: "action" },
    Column { title: "FIELDS", member: "fields" },
    Column { title: "CLIENT SECRET", member: "client_secret" },
];

const EXAMPLES: &str = "\
Examples:
  orysh apply -f clients.yaml
  orysh apply -f clients/ --diff
  orysh apply -f clients.yaml --dry-run --detailed-exitcode

By client_id: what is absent is created, what differs in the fields that the files name is changed, and for the rest
nothing is sent. An existing secret is touched only where a file names one, and then only if it is another.";

/// The command.
pub fn command() -> Command {
    Command::new(["apply"], "Make clients exist as files describe them", run).args(apply_args).after(EXAMPLES)
}

fn apply_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    vec![
        Arg::new("file")
            .long("file")
            .short('f')
            .value_name("FILE|DIR")
            .action(ArgAction::Append)
            .required(true)
            .help("JSON, JSON Lines, YAML or CSV, a folder of such, or - for stdin (can be repeated)"),
        switch("dry-run", "Show what is due, and send nothing"),
        switch("diff", "Show what is due, field by field, and send nothing"),
        switch("detailed-exitcode", "With --dry-run or --diff: exit code 5 where changes are due"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let only_shows = args.flag("dry-run") || args.flag("diff");
    if args.flag("detailed-exitcode") && !only_shows {
        return Err(Error::usage("--detailed-exitcode goes with --dry-run or --diff"));
    }
    let specs = specs(session, &args.texts("file"))?;
    let plan = apply::plan(session, specs, args.flag("no-lint"))?;
    if args.flag("diff") {
        for due in &plan {
            tell(session, due);
        }
    }
    let steps = Steps {
        session: session.clone(),
        due: plan.into_iter(),
        only_shows,
        detailed: args.flag("detailed-exitcode"),
        counts: [0; 3],
        is_done: false,
    };
    Ok(Outcome { rows: Box::new(steps), ..Outcome::many(std::iter::empty(), COLUMNS) })
}

/// Every client that the files describe.
fn specs(session: &Session, named: &[String]) -> Result<Vec<ClientSpec>> {
    let mut specs = Vec::new();
    for file in named.iter().map(|name| files(name)).collect::<Result<Vec<_>>>()?.concat() {
        for entry in input::parse_documents(&read::text(&file)?, read::name(&file))? {
            if !entry.left_out.is_empty() {
                let id = entry.spec.id().unwrap_or("without an id").to_owned();
                session.ui().note(&format!("client `{id}`: only the server sets {}", entry.left_out.join(", ")));
            }
            specs.push(entry.spec);
        }
    }
    Ok(specs)
}

/// A file, or the files of a folder in the order of their names.
fn files(name: &str) -> Result<Vec<String>> {
    if name == "-" || !Path::new(name).is_dir() {
        return Ok(vec![name.to_owned()]);
    }
    let unreadable = |source| Error::usage(format!("cannot read the folder {name}")).caused_by(source);
    let mut found = std::fs::read_dir(name)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(unreadable))
        .collect::<Result<Vec<PathBuf>>>()?;
    let is_ours = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        path.is_file() && ["json", "jsonl", "ndjson", "yaml", "yml", "csv"].contains(&extension)
    };
    found.retain(is_ours);
    found.sort();
    if found.is_empty() {
        return Err(Error::usage(format!("there is no JSON or YAML file in {name}")));
    }
    Ok(found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

fn tell(session: &Session, due: &Due) {
    match due {
        Due::Create(plan) => session.ui().note(&format!("client `{}` would be created", plan.id())),
        Due::Change(_) => {
            session.ui().note(&format!("client `{}` would be changed", due.id()));
            change::tell(session, &due.changes());
        }
        Due::Nothing(_) => {}
    }
}

/// What is due, carried out as it is pulled.
struct Steps {
    session: Session,
    due: std::vec::IntoIter<Due>,
    only_shows: bool,
    detailed: bool,
    /// Created, changed, unchanged.
    counts: [usize; 3],
    is_done: bool,
}

impl Rows for Steps {
    fn next(&mut self) -> Option<Result<Row>> {
        if let Some(due) = self.due.next() {
            return Some(self.step(due));
        }
        if std::mem::replace(&mut self.is_done, true) {
            return None;
        }
        let [created, changed, unchanged] = self.counts;
        let would = if self.only_shows { "would be: " } else { "" };
        self.session.ui().note(&format!("{would}{created} created, {changed} changed, {unchanged} unchanged"));
        let is_due = self.detailed && created + changed > 0;
        is_due.then(|| Err(Error::new(Kind::Due, "changes are due").already_told()))
    }

    fn trailer(&self) -> Option<Trailer> {
        None
    }
}

impl Steps {
    fn step(&mut self, due: Due) -> Result<Row> {
        let at = match &due {
            Due::Create(_) => 0,
            Due::Change(_) => 1,
            Due::Nothing(_) => 2,
        };
        let (done, shown) = [("created", "create"), ("changed", "change"), ("unchanged", "none")][at];
        let row = if self.only_shows {
            row(due.id(), shown, &due.changes(), None, None)
        } else {
            match due {
                Due::Create(plan) => {
                    let Created { client, kept } = create::create(&self.session, plan, &create::How::default())?;
                    row(client.id(), done, &[], Some(&client), kept)
                }
                Due::Change(update) => {
                    let Updated { client, kept, changes } = update::update(&self.session, update)?;
                    row(client.id(), done, &changes, Some(&client), kept)
                }
                Due::Nothing(id) => row(id.as_str(), done, &[], None, None),
            }
        };
        self.counts[at] += 1;
        Ok(row)
    }
}

fn row(id: &str, action: &str, changes: &[FieldChange], client: Option<&Client>, kept: Option<Kept>) -> Row {
    let names: Vec<&str> = changes.iter().map(|change| change.field.json).collect();
    let mut members = Map::new();
    members.insert("client_id".into(), id.into());
    members.insert("action".into(), action.into());
    members.insert("fields".into(), json!(names));
    let of =
        |change: &FieldChange| (change.field.json.to_owned(), json!({"before": change.before, "after": change.after}));
    members.insert("changes".into(), Value::Object(changes.iter().map(of).collect()));
    let mut document = Document::new(members, fields::is_secret);
    if let Some(secret) = client.and_then(Client::secret) {
        document.set_secret("client_secret", secret.clone());
    }
    let row = Row::document(document, "client_id");
    match kept {
        Some(kept) => {
            let otherwise = format!("client `{id}` was {action}, and its secret is kept in {}", kept.path().display());
            row.afterwards(Box::new(move || kept.discard()), otherwise)
        }
        None => row,
    }
}
