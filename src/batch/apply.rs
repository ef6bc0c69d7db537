//! Carrying out what is due for clients that are described: a run for what is made, one for what is changed, one for the rest.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::again::{Again, Whose};
use super::carry::{self, Clients};
use super::check::{self, Ready, Recipients};
use super::engine::Going;
use super::heard::Became;
use super::job::Job;
use super::keeper::Keeper;
use crate::crypt::Recipient;
use crate::crypt::source::Material;
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::document::Document;
use crate::model::fields;
use crate::ops;
use crate::ops::apply::{self, Due};
use crate::ops::create;
use crate::ops::update::{self, FieldChange};
use crate::ops::{dry_run, guard};
use crate::output::outcome::Row;
use crate::session::Session;
use crate::session::hook::Done;
use crate::text::safe;
use crate::ui::Ui;

/// How it is carried out.
#[derive(Clone, Debug, Default)]
pub struct Doing {
    /// Send what lint finds wrong, too.
    pub no_lint: bool,
    /// Whom new secrets are encrypted for, if anybody.
    pub recipients: Vec<(Recipient, Material)>,
}

/// A row, or an error, and the client that it is of.
pub type RowOf = (Option<ClientId>, Result<Row>);

/// Carries a plan out: what is absent is made, then what differs is changed, and only where all of that succeeded is deleted
/// what is described no more. Rows are in the order of the plan: `{client_id, action, fields, changes, client_secret}`.
pub fn carry_out(session: &Session, plan: Vec<Due>, doing: Doing) -> Vec<RowOf> {
    let Doing { no_lint, recipients } = doing;
    Carrying { session: session.clone(), no_lint, recipients, keepers: Vec::new(), stopped: None, failed: 0 }.out(plan)
}

/// Asks before clients are deleted, and before a production target is changed at all. Off a terminal only a flag agrees to
/// deleting any.
pub fn confirm(session: &Session, plan: &[Due], stdin_is_read: bool) -> Result<()> {
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

/// Shows what is due, a field a line.
pub fn tell(ui: Ui, plan: &[Due]) {
    for due in plan {
        let id = due.id();
        match due {
            Due::Create(_) => dry_run::tell_created(ui, id, &due.changes()),
            Due::Change { .. } => dry_run::tell_changed(ui, id, &due.changes()),
            Due::Delete(_) => dry_run::tell_deleted(ui, id),
            Due::Nothing(_) => {}
        }
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
pub fn would_be(session: &Session, plan: &[Due], detailed: bool) -> Vec<Result<Row>> {
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

/// Rows as of what was done, where nothing is written and each is told.
pub fn rehearse(session: &Session, plan: Vec<Due>) -> Vec<RowOf> {
    let rehearsed = |due: Due| {
        let (action, id, changes) = (ACTIONS[action(&due)].0, due.client_id().clone(), due.changes());
        let client = match due {
            Due::Create(plan) => Some(create::create(session, plan, &create::How::default())?.client),
            Due::Change { update, .. } => Some(update::update(session, update)?.client),
            Due::Delete(id) => ops::delete::delete(session, &id).map(|()| None)?,
            Due::Nothing(_) => None,
        };
        Ok(row(id.as_str(), action, &changes, client.as_ref()))
    };
    plan.into_iter().map(|due| (Some(due.client_id().clone()), rehearsed(due))).collect()
}

fn tell_counts(session: &Session, [created, changed, unchanged, deleted]: [usize; 4], would: &str) {
    let pruned = if deleted > 0 { format!(", {deleted} deleted") } else { String::new() };
    session.ui().note(&format!("{would}{created} created, {changed} changed, {unchanged} unchanged{pruned}"));
}

struct Carrying {
    session: Session,
    no_lint: bool,
    recipients: Vec<(Recipient, Material)>,
    keepers: Vec<Keeper>,
    stopped: Option<Error>,
    failed: usize,
}

impl Carrying {
    fn out(mut self, plan: Vec<Due>) -> Vec<RowOf> {
        let mut rows: BTreeMap<usize, Vec<RowOf>> = BTreeMap::new();
        let mut counts = [0; 4];
        let mut due: [Vec<(usize, Due)>; 4] = Default::default();
        for (at, one) in plan.into_iter().enumerate() {
            due[action(&one)].push((at, one));
        }
        let [creates, changes, nothing, deletes] = due;
        for (at, one) in nothing {
            counts[2] += 1;
            let row = row(one.id(), ACTIONS[2].0, &[], None);
            rows.insert(at, vec![(Some(one.client_id().clone()), Ok(row))]);
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
                self.stopped = self.stopped.take().map(|error| error.not_tried(kind.len(), first));
            } else {
                let at = action(&kind[0].1);
                counts[at] += self.kind(job, kind, &mut rows);
            }
        }
        let mut all: Vec<RowOf> = rows.into_values().flatten().collect();
        let unkept = self.keepers.iter().filter_map(|keeper| keeper.let_go().err());
        all.extend(self.stopped.take().into_iter().chain(unkept).map(|error| (None, Err(error))));
        if self.failed == 0 || counts.iter().any(|count| *count > 0) {
            tell_counts(&self.session, counts, "");
        }
        if counts[3] > 0 {
            self.session.ui().note("JWT access tokens of deleted clients live until they expire");
        }
        all
    }

    /// Carries out what is of one kind. Gives how many it was done for.
    fn kind(&mut self, job: Job, dues: Vec<(usize, Due)>, rows: &mut BTreeMap<usize, Vec<RowOf>>) -> usize {
        let told: Vec<(usize, Told)> = dues.iter().map(|(at, due)| (*at, Told::of(due))).collect();
        let total = dues.len() as u64;
        let each = dues.into_iter().map(|(_, due)| Ok(due.into()));
        let clients = Clients { name: ("apply", Again::Allowed), whose: Whose::default(), total, each };
        let recipients = if job == Job::Delete { Vec::new() } else { self.recipients.clone() };
        let how = check::How { no_lint: self.no_lint, recipients: Recipients::Read(recipients), ..check::How::of(job) };
        let mut carried = match carry::carry_out(&self.session, clients, how, &Going::default(), || Ok(())) {
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
        let keeper = Keeper::new(&self.session, carried, None);
        let mut done = 0;
        for (number, (at, mut told)) in told.into_iter().enumerate() {
            let Some(Became { result, is_delivered, undelivered, .. }) = became.take(number as u64 + 1) else {
                continue;
            };
            let id = told.id.clone();
            // One that was handed over is elsewhere by now.
            told.is_held &= !is_delivered;
            let mut all = vec![match result {
                Ok(client) => {
                    done += 1;
                    if let Some(what) = Done::of(job.done()) {
                        self.session.wrote_one(what, &id, told.before.as_ref(), client.as_ref());
                    }
                    Ok(told.row(&self.session, job, client.as_ref(), &keeper))
                }
                Err(error) => {
                    self.failed += 1;
                    Err(error)
                }
            }];
            all.extend(undelivered.map(|error| Err(keeper.undelivered(&id, error))));
            rows.insert(at, all.into_iter().map(|row| (Some(id.clone()), row)).collect());
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
