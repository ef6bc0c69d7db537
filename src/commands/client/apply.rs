//! `apply -f FILE…`: makes clients exist as files describe them; a second run changes nothing.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction};
use serde_json::{Map, Value, json};

use crate::commands::client::change;
use crate::config::read;
use crate::error::{self, Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::model::client::{Client, ClientSpec};
use crate::model::document::Document;
use crate::model::{fields, input};
use crate::ops::apply::{self, Due, How};
use crate::ops::create::{self, Created};
use crate::ops::delete;
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
  orysh apply -f clients.yaml --overlay staging.yaml --set shop --prune --yes

By client_id: what is absent is created, what differs in the fields that the files name is changed, and for the rest
nothing is sent. An existing secret is touched only where a file names one, and then only if it is another. With --set,
the clients that are created are marked in their metadata (orysh_set), and --prune deletes no others.";

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
        Arg::new("overlay")
            .long("overlay")
            .value_name("FILE")
            .action(ArgAction::Append)
            .help("Fields of the same clients that are otherwise here, by client_id (can be repeated)"),
        Arg::new("set").long("set").value_name("NAME").help("Mark the clients that are created as made by this set"),
        switch("prune", "Delete the clients that the set made and the files do not describe any more").requires("set"),
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
    let mut specs = specs(session, &args.texts("file"))?;
    lay_over(&mut specs, self::specs(session, &args.texts("overlay"))?)?;
    let how =
        How { no_lint: args.flag("no-lint"), set: args.text("set").map(str::to_owned), prune: args.flag("prune") };
    let plan = apply::plan(session, specs, &how)?;
    if !only_shows {
        confirm(session, &plan, args.yes)?;
    }
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
        counts: [0; 4],
        is_done: false,
    };
    Ok(Outcome { rows: Box::new(steps), ..Outcome::many(std::iter::empty(), COLUMNS) })
}

/// Puts the fields of `overlays` over the clients of the same ids.
fn lay_over(specs: &mut [ClientSpec], overlays: Vec<ClientSpec>) -> Result<()> {
    for overlay in overlays {
        let id = overlay.id().unwrap_or_default().to_owned();
        let Some(spec) = specs.iter_mut().find(|spec| spec.id() == Some(&id) && !id.is_empty()) else {
            let near = error::nearest(&id, specs.iter().filter_map(|spec| spec.id()));
            return Err(
                Error::usage(format!("the overlay is of client `{id}`, which no file describes")).did_you_mean(near)
            );
        };
        spec.merge(overlay);
    }
    Ok(())
}

/// Asks before clients are deleted. Off a terminal only `--yes` does.
fn confirm(session: &Session, plan: &[Due], yes: bool) -> Result<()> {
    let gone: Vec<&str> = plan.iter().filter(|due| matches!(due, Due::Delete(_))).map(Due::id).collect();
    if gone.is_empty() || yes {
        return Ok(());
    }
    let named = if gone.len() > 10 { format!("{} clients", gone.len()) } else { gone.join(", ") };
    if !session.ui().can_ask() {
        return Err(Error::usage(format!("--prune would delete {named}")).hint("--yes deletes without asking"));
    }
    if session.ui().confirm(&format!("Delete {named} on {}?", session.described()?)) {
        Ok(())
    } else {
        Err(Error::usage("nothing was changed").hint("leave --prune out to delete none"))
    }
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
        Due::Delete(id) => session.ui().note(&format!("client `{id}` would be deleted")),
        Due::Nothing(_) => {}
    }
}

/// What is due, carried out as it is pulled.
struct Steps {
    session: Session,
    due: std::vec::IntoIter<Due>,
    only_shows: bool,
    detailed: bool,
    /// Created, changed, unchanged, deleted.
    counts: [usize; 4],
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
        let [created, changed, unchanged, deleted] = self.counts;
        let pruned = if deleted > 0 { format!(", {deleted} deleted") } else { String::new() };
        let would = if self.only_shows { "would be: " } else { "" };
        self.session.ui().note(&format!("{would}{created} created, {changed} changed, {unchanged} unchanged{pruned}"));
        let is_due = self.detailed && created + changed + deleted > 0;
        is_due.then(|| Err(Error::new(Kind::Due, "changes are due").already_told()))
    }

    fn trailer(&self) -> Option<Trailer> {
        None
    }
}

/// What was done, and what would be.
const ACTIONS: [(&str, &str); 4] =
    [("created", "create"), ("changed", "change"), ("unchanged", "none"), ("deleted", "delete")];

impl Steps {
    fn step(&mut self, due: Due) -> Result<Row> {
        let at = match &due {
            Due::Create(_) => 0,
            Due::Change(_) => 1,
            Due::Nothing(_) => 2,
            Due::Delete(_) => 3,
        };
        let (done, shown) = ACTIONS[at];
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
                Due::Delete(id) => {
                    delete::delete(&self.session, &id)?;
                    row(id.as_str(), done, &[], None, None)
                }
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
