//! `apply -f FILE…`: makes clients exist as files describe them; a second run changes nothing.

use std::collections::{BTreeMap, HashSet};

use clap::{Arg, ArgAction};
use serde_json::{Map, Value, json};

use crate::batch::begin::Again;
use crate::batch::carry;
use crate::batch::check::{self, Ready, Recipients};
use crate::batch::engine::Going;
use crate::batch::job::Job;
use crate::batch::run::Became;
use crate::commands::client::change;
use crate::commands::client::described::{described, with_folders};
use crate::commands::client::keeper::Keeper;
use crate::commands::in_turn;
use crate::crypt::Recipient;
use crate::crypt::source::Material;
use crate::error::{self, Error, Kind, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::{Args, Command, Host, recipients as recipient_flags};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::document::Document;
use crate::model::fields;
use crate::model::input::Entry;
use crate::ops::apply::{self, Due, How};
use crate::ops::update::{self, FieldChange};
use crate::ops::{guard, recipients};
use crate::output::outcome::{Column, Outcome, Row};
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
    args.push(deliver_arg());
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
    let found = recipients::load_with_material(session, &recipient_flags::wanted(args)?)?;
    let how = How {
        no_lint: args.flag("no-lint"),
        recipients: found.iter().map(|(recipient, _)| recipient.clone()).collect(),
        set: args.text("set").map(str::to_owned),
        set_secrets: args.flag("set-secrets"),
        prune: args.flag("prune"),
    };
    if !only_shows {
        carry::tell_older(session, "apply")?;
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
    let carrying = Carrying {
        session: session.clone(),
        no_lint: how.no_lint,
        recipients: found,
        keepers: Vec::new(),
        stopped: None,
        failed: 0,
    };
    let detailed = args.flag("detailed-exitcode");
    let rows = std::iter::once_with(move || {
        if only_shows { would_be(&carrying.session, &plan, detailed) } else { carrying.out(plan) }
    });
    Ok(Outcome::many(rows.flatten(), COLUMNS).writing())
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
    let (made, changed) = (of(|due| matches!(due, Due::Create(_))), of(|due| matches!(due, Due::Change { .. })));
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
        Due::Change { .. } => {
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

/// What was done, and what would be.
const ACTIONS: [(&str, &str); 4] =
    [("created", "create"), ("changed", "change"), ("unchanged", "none"), ("deleted", "delete")];

/// The place of what is due in [`ACTIONS`].
fn action(due: &Due) -> usize {
    match due {
        Due::Create(_) => 0,
        Due::Change { .. } => 1,
        Due::Nothing(_) => 2,
        Due::Delete(_) => 3,
    }
}

/// What is due as rows; nothing is sent. `detailed`: changes that are due are an exit code of their own.
fn would_be(session: &Session, plan: &[Due], detailed: bool) -> Vec<Result<Row>> {
    let mut counts = [0; 4];
    let mut rows = Vec::with_capacity(plan.len());
    for due in plan {
        counts[action(due)] += 1;
        rows.push(Ok(row(due.id(), ACTIONS[action(due)].1, &due.changes(), None)));
    }
    tell_counts(session, counts, "would be: ");
    let is_due = detailed && plan.iter().any(|due| !matches!(due, Due::Nothing(_)));
    rows.extend(is_due.then(|| Err(Error::new(Kind::Due, "changes are due").already_told())));
    rows
}

fn tell_counts(session: &Session, [created, changed, unchanged, deleted]: [usize; 4], would: &str) {
    let pruned = if deleted > 0 { format!(", {deleted} deleted") } else { String::new() };
    session.ui().note(&format!("{would}{created} created, {changed} changed, {unchanged} unchanged{pruned}"));
}

/// Carries a plan out: what is absent is made, then what differs is changed, and only where all of that succeeded is deleted
/// what is described no more. Rows are in the order of the plan.
struct Carrying {
    session: Session,
    no_lint: bool,
    recipients: Vec<(Recipient, Material)>,
    keepers: Vec<Keeper>,
    stopped: Option<Error>,
    failed: usize,
}

impl Carrying {
    fn out(mut self, plan: Vec<Due>) -> Vec<Result<Row>> {
        let mut rows: BTreeMap<usize, Vec<Result<Row>>> = BTreeMap::new();
        let mut counts = [0; 4];
        let mut due: [Vec<(usize, Due)>; 4] = Default::default();
        for (at, one) in plan.into_iter().enumerate() {
            due[action(&one)].push((at, one));
        }
        let [creates, changes, nothing, deletes] = due;
        for (at, one) in nothing {
            counts[2] += 1;
            rows.insert(at, vec![Ok(row(one.id(), ACTIONS[2].0, &[], None))]);
        }
        for (job, kind) in [(Job::Create, creates), (Job::Update, changes), (Job::Delete, deletes)] {
            if kind.is_empty() {
                continue;
            }
            if job == Job::Delete && self.failed > 0 {
                // What was to take a client's place may not be there.
                let kept: Vec<String> = kind.iter().map(|(_, due)| format!("`{}`", safe(due.id()))).collect();
                let ui = self.session.ui();
                ui.warn(&format!("not deleted, as not everything else could be done: {}", kept.join(", ")));
            } else if self.stopped.is_some() {
                let first = kind.first().map(|(_, due)| format!("`{}`", safe(due.id())));
                self.stopped = self.stopped.take().map(|error| in_turn::not_tried(error, kind.len(), first));
            } else {
                let at = action(&kind[0].1);
                counts[at] += self.kind(job, kind, &mut rows);
            }
        }
        let mut all: Vec<Result<Row>> = rows.into_values().flatten().collect();
        all.extend(self.stopped.take().map(Err));
        all.extend(self.keepers.iter().filter_map(|keeper| keeper.let_go().err()).map(Err));
        if self.failed == 0 || counts.iter().any(|count| *count > 0) {
            tell_counts(&self.session, counts, "");
        }
        if counts[3] > 0 {
            self.session.ui().note("JWT access tokens of deleted clients live until they expire");
        }
        all
    }

    /// Carries out what is of one kind. Gives how many it was done for.
    fn kind(&mut self, job: Job, dues: Vec<(usize, Due)>, rows: &mut BTreeMap<usize, Vec<Result<Row>>>) -> usize {
        let told: Vec<(usize, Told)> = dues.iter().map(|(at, due)| (*at, Told::of(due))).collect();
        let ready = dues.into_iter().map(|(_, due)| due.into()).collect();
        let recipients = if job == Job::Delete { Vec::new() } else { self.recipients.clone() };
        let how = check::How { no_lint: self.no_lint, recipients: Recipients::Read(recipients), ..check::How::of(job) };
        let mut carried =
            match carry::carry_out(&self.session, ("apply", Again::Allowed), ready, how, &Going::default()) {
                Ok(carried) => carried,
                Err(error) => {
                    self.failed += 1;
                    self.stopped = Some(error);
                    return 0;
                }
            };
        let mut became = std::mem::take(&mut carried.became);
        if let Some(error) = carried.stopped.take() {
            self.failed += 1;
            self.stopped = Some(error);
        }
        let keeper = Keeper::new(&self.session, carried);
        let mut done = 0;
        for (number, (at, mut told)) in told.into_iter().enumerate() {
            let Some(Became { result, is_delivered, undelivered }) = became.remove(&(number as u64 + 1)) else {
                continue;
            };
            let id = told.id.clone();
            // One that was handed over is elsewhere by now.
            told.is_held &= !is_delivered;
            let mut all = vec![match result {
                Ok(client) => {
                    done += 1;
                    Ok(told.row(&self.session, job, client.as_ref(), &keeper))
                }
                Err(error) => {
                    self.failed += 1;
                    Err(error)
                }
            }];
            all.extend(undelivered.map(|error| Err(keeper.undelivered(&id, error))));
            rows.insert(at, all);
        }
        self.keepers.push(keeper);
        done
    }
}

/// What has to be known of a client to tell what became of it.
struct Told {
    id: ClientId,
    action: &'static str,
    changes: Vec<FieldChange>,
    before: Option<Client>,
    /// Whether its secret is made here.
    is_new: bool,
    /// Whether that is nowhere else yet.
    is_held: bool,
    /// Whether a person named another secret for it.
    is_named: bool,
}

impl Told {
    fn of(due: &Due) -> Self {
        let (before, is_new, is_named) = match due {
            Due::Create(plan) => (None, plan.secret_is_ours(), false),
            Due::Change { update, .. } => {
                let is_new = update.secret_is_ours();
                let is_named = update.sets_secret() && !is_new && !update.is_sealed();
                (Some(update.before().clone()), is_new, is_named)
            }
            Due::Nothing(_) | Due::Delete(_) => (None, false, false),
        };
        Told {
            id: due.client_id().clone(),
            action: ACTIONS[action(due)].0,
            changes: due.changes(),
            before,
            is_new,
            is_held: is_new,
            is_named,
        }
    }

    fn row(self, session: &Session, job: Job, client: Option<&Client>, keeper: &Keeper) -> Row {
        if self.is_named
            && let Some(client) = client
        {
            apply::confirm_secret(session, client);
        }
        // What the server made of it is told where that is known.
        let changes = match (&self.before, client) {
            (Some(before), Some(after)) => update::changes(before, after, self.is_new || self.is_named),
            _ if job == Job::Update => self.changes,
            _ => Vec::new(),
        };
        let secret = client.and_then(Client::secret).filter(|_| self.is_held);
        let row = row(self.id.as_str(), self.action, &changes, client);
        match secret {
            Some(secret) => keeper.hold(row, &self.id, secret),
            None => row,
        }
    }
}

impl From<Due> for Ready {
    fn from(due: Due) -> Self {
        match due {
            Due::Create(plan) => plan.into(),
            Due::Change { update, set } => {
                let (id, is_sealed) = (update.id().clone(), update.is_sealed());
                let planned = update.before().text("updated_at").map(str::to_owned);
                Ready { id, id_is_ours: false, spec: set, is_sealed, planned }
            }
            Due::Nothing(id) | Due::Delete(id) => {
                Ready { id, id_is_ours: false, spec: ClientSpec::new(), is_sealed: false, planned: None }
            }
        }
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
