//! `apply -f FILE…`: makes clients exist as files describe them; a second run changes nothing.

use std::collections::HashSet;

use clap::{Arg, ArgAction};
use serde_json::{Map, Value, json};

use crate::commands::client::change;
use crate::commands::client::described::{described, with_folders};
use crate::commands::in_turn;
use crate::error::{self, Error, Kind, Result};
use crate::grammar::{Args, Command, Host, recipients as recipient_flags};
use crate::model::client::Client;
use crate::model::document::Document;
use crate::model::fields;
use crate::model::input::Entry;
use crate::ops::apply::{self, Due, How};
use crate::ops::create::{self, Created};
use crate::ops::guard;
use crate::ops::keep::Kept;
use crate::ops::update::{self, FieldChange, Updated};
use crate::ops::{delete, recipients};
use crate::output::outcome::{Column, Outcome, Row, Rows, Trailer};
use crate::session::Session;
use crate::text::safe;
use crate::ui::{Mark, Ui};

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
    let mut args = own_args();
    args.extend(recipient_flags::recipient_args());
    args
}

fn own_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    vec![
        Arg::new("file")
            .long("file")
            .short('f')
            .value_name("FILE|DIR")
            .action(ArgAction::Append)
            .required(true)
            .help("JSON, JSON Lines, YAML or CSV, a folder of such files, or - for stdin (can be repeated)"),
        switch("dry-run", "Show what is due, field by field, and send nothing"),
        switch("diff", "The same as --dry-run"),
        Arg::new("overlay")
            .long("overlay")
            .value_name("FILE")
            .action(ArgAction::Append)
            .help("Fields of the same clients that are otherwise here, by client_id (can be repeated)"),
        Arg::new("set").long("set").value_name("NAME").help("Mark the clients that are created as made by this set"),
        switch(
            "set-secrets",
            "Set the secrets that files name, where it cannot be told whether they are right already",
        ),
        switch("prune", "Delete the clients that the set made and the files do not describe any more").requires("set"),
        switch("detailed-exitcode", "With --dry-run or --diff: exit code 5 where changes are due"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let only_shows = args.flag("dry-run") || args.flag("diff");
    if args.flag("detailed-exitcode") && !only_shows {
        return Err(Error::usage("--detailed-exitcode goes with --dry-run or --diff"));
    }
    if args.text("set") == Some("") {
        return Err(Error::usage("--set wants a name, and this one is empty"));
    }
    let files = args.texts("file");
    let mut entries = described(ui, &with_folders(ui, &files)?)?;
    lay_over(&mut entries, described(ui, &args.texts("overlay"))?)?;
    let how = How {
        no_lint: args.flag("no-lint"),
        recipients: recipients::load(session, &recipient_flags::wanted(args)?)?,
        set: args.text("set").map(str::to_owned),
        set_secrets: args.flag("set-secrets"),
        prune: args.flag("prune"),
    };
    if !only_shows {
        Kept::rehearse()?;
    }
    let plan = apply::plan(session, entries, &how)?;
    if plan.iter().any(Due::is_sealed) {
        recipients::tell(session, &how.recipients);
    } else if !how.recipients.is_empty() && plan.iter().any(|due| matches!(due, Due::Create(_))) {
        return Err(Error::usage("none of the new clients has a secret, and there is nothing to encrypt")
            .hint("leave --pgp-key, --pgp-key-url and --keybase out"));
    }
    let asks = plan.iter().any(|due| matches!(due, Due::Delete(_))) && !args.yes;
    if only_shows || asks {
        for due in &plan {
            tell(ui, due);
        }
    }
    if !only_shows {
        confirm(session, &plan, files.iter().any(|file| file == "-"))?;
    }
    let steps = Steps {
        session: session.clone(),
        due: plan.into_iter(),
        only_shows,
        detailed: args.flag("detailed-exitcode"),
        counts: [0; 4],
        failed: 0,
        is_done: false,
    };
    let outcome = Outcome { rows: Box::new(steps), ..Outcome::many(std::iter::empty(), COLUMNS) };
    Ok(if only_shows { outcome.writing() } else { outcome.slow().writing() })
}

/// Puts the fields of `overlays` over the clients of the same ids.
fn lay_over(entries: &mut [Entry], overlays: Vec<Entry>) -> Result<()> {
    let mut seen = HashSet::new();
    for Entry { spec: overlay, place, at, .. } in overlays {
        let Some(id) = overlay.id().map(str::to_owned) else {
            let what = format!("{place}: the overlay has no client_id: it is not known which client it is of");
            return Err(Error::usage(what).at(at));
        };
        if !seen.insert(id.clone()) {
            let what = format!("{place}: there is another overlay of client `{}` before this one", safe(&id));
            return Err(Error::usage(what).at(at));
        }
        let Some(entry) = entries.iter_mut().find(|entry| entry.spec.id() == Some(&id)) else {
            let near = error::nearest(&id, entries.iter().filter_map(|entry| entry.spec.id()));
            let what = format!("{place}: the overlay is of client `{}`, which no file describes", safe(&id));
            return Err(Error::usage(what).did_you_mean(near).at(at));
        };
        entry.spec.merge(overlay);
    }
    Ok(())
}

/// Asks before clients are deleted, and before a production target is changed at all. Off a terminal only a flag agrees to
/// deleting any.
fn confirm(session: &Session, plan: &[Due], stdin_is_read: bool) -> Result<()> {
    let of = |is: fn(&Due) -> bool| plan.iter().filter(|due| is(due)).count();
    let gone: Vec<String> =
        plan.iter().filter(|due| matches!(due, Due::Delete(_))).map(|due| format!("`{}`", safe(due.id()))).collect();
    let named = if gone.len() > 10 { format!("{} clients", gone.len()) } else { gone.join(", ") };
    if !gone.is_empty() {
        let assent = &session.settings().assent;
        if !assent.yes && assent.confirm.is_none() && !session.ui().can_ask(stdin_is_read) {
            return Err(Error::usage(format!("--prune would delete {named}")).hint("--yes deletes without asking"));
        }
        return guard::ask(session, &format!("delete {named}"), "nothing was changed", stdin_is_read);
    }
    let (made, changed) = (of(|due| matches!(due, Due::Create(_))), of(|due| matches!(due, Due::Change(_))));
    if made + changed == 0 {
        return Ok(());
    }
    guard::batch(session, &format!("create {made} clients and change {changed}"), stdin_is_read)
}

/// Shows what is due for one client, a field a line.
fn tell(ui: Ui, due: &Due) {
    let id = safe(due.id());
    match due {
        Due::Create(_) => {
            ui.marked(Mark::Added, &format!("client `{id}` is created"));
            for FieldChange { field, after, .. } in due.changes() {
                ui.marked(Mark::Added, &format!("    {}: {}", field.json, change::shown(&after)));
            }
        }
        Due::Change(_) => {
            ui.marked(Mark::Changed, &format!("client `{id}` is changed"));
            for FieldChange { field, before, after } in due.changes() {
                ui.marked(Mark::Removed, &format!("    {}: {}", field.json, change::shown(&before)));
                ui.marked(Mark::Added, &format!("    {}: {}", field.json, change::shown(&after)));
            }
        }
        Due::Delete(_) => ui.marked(Mark::Removed, &format!("client `{id}` is deleted")),
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
    failed: usize,
    is_done: bool,
}

impl Rows for Steps {
    fn next(&mut self) -> Option<Result<Row>> {
        if self.is_done {
            return None;
        }
        if let Some(due) = self.due.next() {
            // What was to take a client's place may not be there.
            if self.failed > 0 && matches!(due, Due::Delete(_)) {
                self.tell_kept(due);
                return self.next();
            }
            let step = self.step(due);
            let Err(error) = step else { return Some(step) };
            self.failed += 1;
            if !in_turn::ends(&error) {
                return Some(Err(error));
            }
            self.is_done = true;
            self.tell_counts();
            let first = self.due.as_slice().first().map(|due| format!("`{}`", safe(due.id())));
            return Some(Err(in_turn::not_tried(error, self.due.len(), first)));
        }
        self.is_done = true;
        self.tell_counts();
        let [created, changed, _, deleted] = self.counts;
        if deleted > 0 && !self.only_shows {
            self.session.ui().note("JWT access tokens of deleted clients live until they expire");
        }
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
    /// Says which clients were not deleted: that one and all after it.
    fn tell_kept(&mut self, due: Due) {
        let kept: Vec<String> =
            std::iter::once(due).chain(self.due.by_ref()).map(|due| format!("`{}`", safe(due.id()))).collect();
        self.session.ui().warn(&format!("not deleted, as not everything else could be done: {}", kept.join(", ")));
    }

    fn tell_counts(&self) {
        let [created, changed, unchanged, deleted] = self.counts;
        let pruned = if deleted > 0 { format!(", {deleted} deleted") } else { String::new() };
        let would = if self.only_shows { "would be: " } else { "" };
        self.session.ui().note(&format!("{would}{created} created, {changed} changed, {unchanged} unchanged{pruned}"));
    }

    fn step(&mut self, due: Due) -> Result<Row> {
        let at = match &due {
            Due::Create(_) => 0,
            Due::Change(_) => 1,
            Due::Nothing(_) => 2,
            Due::Delete(_) => 3,
        };
        let (done, shown) = ACTIONS[at];
        let row = if self.only_shows {
            row(due.id(), shown, &due.changes(), None)
        } else {
            match due {
                Due::Create(plan) => {
                    let is_new = plan.secret_is_ours();
                    let Created { client, kept } = create::create(&self.session, plan, &create::How::default())?;
                    change::pending(row(client.id(), done, &[], Some(&client)), kept, is_new)
                }
                Due::Change(update) => {
                    let is_new = update.secret_is_ours();
                    let is_named = update.sets_secret() && !is_new && !update.is_sealed();
                    let Updated { client, kept, changes } = update::update(&self.session, update)?;
                    if is_named {
                        apply::confirm_secret(&self.session, &client);
                    }
                    change::pending(row(client.id(), done, &changes, Some(&client)), kept, is_new)
                }
                Due::Nothing(id) => row(id.as_str(), done, &[], None),
                Due::Delete(id) => {
                    delete::delete(&self.session, &id)?;
                    row(id.as_str(), done, &[], None)
                }
            }
        };
        self.counts[at] += 1;
        Ok(row)
    }
}

fn row(id: &str, action: &str, changes: &[FieldChange], client: Option<&Client>) -> Row {
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
    Row::document(document, "client_id")
}
