//! What is done for one row of a run that changes clients, deletes them or rotates their secrets.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::journal::Journal;
use super::key::RunKey;
use super::run::{Trip, spec};
use super::state::{Next, State, is_of_all, is_of_server};
use super::store::{self, Due};
use crate::api::send::exchange;
use crate::api::{Remote, clients, refusal, request};
use crate::crypt::{Recipient, recipient};
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::{compare, fields, lint};
use crate::ops::update::{self, Change};
use crate::ops::{delete, rotate};
use crate::secret::Secret;
use crate::session::{Session, hook};

/// What a row came to.
pub struct Worked {
    /// What comes next.
    pub next: Next,
    /// A secret that it got: encrypted for its owners, or sealed with the run's key.
    pub secret: Option<Got>,
    /// What is to be known of it, though it is done.
    pub note: Option<Error>,
}

/// A secret that is kept in the journal.
pub enum Got {
    /// Encrypted for its owners.
    For(Secret),
    /// Sealed with the run's key.
    Sealed(Vec<u8>),
}

/// What the work on a row has at hand.
pub struct Bench<'a> {
    /// Where requests go.
    pub remote: &'a dyn Remote,
    /// Whose hooks are called.
    pub session: &'a Session,
    /// The run's journal.
    pub journal: &'a Journal,
    /// The run's key.
    pub key: &'a RunKey,
    /// Whom the row's secret is for.
    pub recipients: Vec<Recipient>,
    /// Whether what lint finds wrong is sent, too.
    pub no_lint: bool,
    /// How many changes of hooks have been told by now.
    pub told: &'a AtomicU64,
}

/// So many changes of hooks are told.
const MOST_TOLD: u64 = 20;

impl Bench<'_> {
    /// Tells what hooks changed of a row.
    fn tell(&self, n: u64, changed: &[String]) {
        for what in changed {
            if self.told.fetch_add(1, Ordering::Relaxed) < MOST_TOLD {
                self.session.ui().note(&format!("row {n}: {what}"));
            }
        }
    }

    /// A row's secret as the journal keeps it; the client gets it as it is passed on.
    fn kept(&self, n: u64, secret: &Secret, client: &mut Client) -> Result<Got> {
        if self.recipients.is_empty() {
            client.set_secret(secret.clone());
            return Ok(Got::Sealed(self.key.seal(n, secret)?));
        }
        let sealed = recipient::encrypt(&self.recipients, secret)?;
        client.set_secret(sealed.clone());
        Ok(Got::For(sealed))
    }
}

impl Worked {
    /// Of what gets no secret.
    pub fn of(next: Next) -> Self {
        Worked { next, secret: None, note: None }
    }
}

/// An error that ends a row, is tried again, or ends the run.
fn after(error: Error) -> Worked {
    Worked::of(match error.kind() {
        _ if is_of_all(&error) => Next::Stop(error),
        Kind::Interrupted => Next::Again(error),
        _ if is_of_server(&error) => Next::Again(error),
        _ => Next::End(State::Failed, error),
    })
}

/// Deletes the client of a row.
pub async fn delete(bench: &Bench<'_>, trip: &mut Trip) -> Result<Worked> {
    let id = ClientId::parse(&trip.due.id)?;
    if trip.due.state == State::Planned {
        // One that was there, and is not any more after a lost reply, was deleted here.
        if let Err(error) = clients::get(bench.remote, &id).await {
            return Ok(after(error));
        }
        if let Err(error) = hook::before_delete(bench.session, &id).await {
            return Ok(Worked::of(Next::End(State::Failed, error)));
        }
        let n = trip.due.n;
        bench.journal.write(move |connection| store::begun(connection, n, "{}")).await?;
        trip.due.state = State::Sent;
    }
    let was_sent = std::mem::replace(&mut trip.was_sent, true);
    Ok(match delete::send(bench.remote, &id, was_sent).await {
        Ok(()) => Worked::of(Next::Done(None)),
        Err(error) => after(error),
    })
}

/// Changes the client of a row. What it was before is in the journal first. Errors are those of the journal.
pub async fn update(bench: &Bench<'_>, trip: &mut Trip) -> Result<Worked> {
    let due = &mut trip.due;
    let id = ClientId::parse(&due.id)?;
    let before = match clients::get(bench.remote, &id).await {
        Ok(before) => before,
        Err(error) => return Ok(after(error)),
    };
    if let Some(ended) = overtaken(due, &before) {
        return Ok(ended);
    }
    let set = match spec(&due.body) {
        Ok(set) => hook::before_update(bench.session, &before, set).await,
        Err(error) => Err(error),
    };
    let planned = set.and_then(|(set, changed)| {
        bench.tell(due.n, &changed);
        planned(bench, due.n, set, due.sealed.as_deref(), before)
    });
    let linted = match planned {
        Ok(update) if !bench.no_lint && !update.is_empty() => {
            let (before, after) = (update.before().to_spec(), update.would_be().to_spec());
            hook::lint_row(bench.session, before, after).await.and_then(lint::judge).map(|_| update)
        }
        planned => planned,
    };
    let update = match linted {
        Ok(update) => update,
        Err(error) => return Ok(Worked::of(Next::End(State::Failed, error))),
    };
    // A secret that is made here is so as well for whoever goes on after the client was changed.
    let noted: Value = due.before.as_deref().and_then(|note| serde_json::from_str(note).ok()).unwrap_or_default();
    let makes_secret = update.secret_is_ours() || noted["makes_secret"] == true;
    if due.state == State::Planned {
        let changes = update.changes();
        let fields = |value: fn(&update::FieldChange) -> &Value| -> Map<String, Value> {
            let plain = changes.iter().filter(|change| !change.field.secret);
            plain.map(|change| (change.field.json.to_owned(), value(change).clone())).collect()
        };
        let note = json!({
            "old": fields(|change| &change.before),
            "new": fields(|change| &change.after),
            "makes_secret": makes_secret,
            "sets_secret": update.sets_secret(),
        });
        let note = note.to_string();
        due.before = Some(note.clone());
        let n = due.n;
        bench.journal.write(move |connection| store::begun(connection, n, &note)).await?;
        due.state = State::Sent;
    }
    let mut client = if update.is_empty() {
        update.before().clone()
    } else {
        match update::send(bench.remote, &update).await {
            Ok(client) => client,
            Err(error) => return Ok(after(error)),
        }
    };
    if let Some(passed_on) = update.passed_on() {
        client.set_secret(passed_on.clone());
    }
    let secret = match (update.sealed(), makes_secret) {
        (Some(sealed), _) => Some(Got::For(sealed.clone())),
        (None, true) => Some(bench.kept(trip.due.n, &bench.key.secret_of(trip.due.n), &mut client)?),
        (None, false) => None,
    };
    Ok(Worked { next: Next::Done(Some(client.into())), secret, note: None })
}

/// What a row comes to that was planned for the client as it was, where another has changed it since.
fn overtaken(due: &Due, now: &Client) -> Option<Worked> {
    let planned = due.planned.as_deref()?;
    if now.text("updated_at") == Some(planned) {
        return None;
    }
    // Sent before, by a process that ended: it is as it was to become, or somebody came after.
    if due.state == State::Sent {
        let note: Value = serde_json::from_str(due.before.as_deref()?).ok()?;
        let is_new = |(name, value): (&String, &Value)| {
            let field = fields::field(name)?;
            Some(compare::is_same(field, value, now.get(name).unwrap_or(&Value::Null)))
        };
        if note["new"].as_object()?.iter().filter_map(is_new).all(|is_new| is_new) {
            return None;
        }
    }
    let error = Error::failed("it was changed since this was planned: nothing was sent")
        .with_code("overtaken")
        .hint("apply again, so that it is planned anew");
    Some(Worked::of(Next::End(State::Failed, error)))
}

fn planned(
    bench: &Bench<'_>,
    n: u64,
    mut set: ClientSpec,
    sealed: Option<&[u8]>,
    before: Client,
) -> Result<update::Update> {
    if let Some(sealed) = sealed {
        set.set_secret(bench.key.open(n, sealed)?);
    }
    let how = update::How { no_lint: bench.no_lint, recipients: bench.recipients.clone() };
    let change = Change { set, ..Change::default() };
    let (planned, _) = update::plan_quietly(before.clone(), change.clone(), &how)?;
    if !planned.secret_is_ours() {
        return Ok(planned);
    }
    // A secret that is made here is the run's: whoever goes on with it knows the same.
    let mut set = change.set;
    set.set_secret(bench.key.secret_of(n));
    let (planned, _) = update::plan_quietly(before, Change { set, ..Change::default() }, &how)?;
    Ok(planned.with_secret_of_ours())
}

/// Rotates the secret of the client of a row. Errors are those of the journal.
pub async fn rotate(bench: &Bench<'_>, trip: &mut Trip) -> Result<Worked> {
    let due = &mut trip.due;
    let id = ClientId::parse(&due.id)?;
    let mut client = match clients::get(bench.remote, &id).await {
        Ok(client) => client,
        Err(error) => return Ok(after(error)),
    };
    if let Err(error) = rotate::rotatable(&client, &bench.recipients) {
        return Ok(Worked::of(Next::End(State::Failed, error)));
    }
    let updated = |client: &Client| client.text("updated_at").unwrap_or_default().to_owned();
    let n = due.n;
    if due.state == State::Sent {
        // What is still on its way would come after the look, and take a second place for old secrets.
        let timeout = bench.remote.door(crate::api::Side::Admin).await?.timeout;
        tokio::time::sleep(timeout).await;
        client = match clients::get(bench.remote, &id).await {
            Ok(client) => client,
            Err(error) => return Ok(after(error)),
        };
        let is_as_it_was = due.before.as_deref() == Some(&updated(&client));
        if !is_as_it_was && due.before.as_deref().is_some_and(|before| before.starts_with(AGAIN)) {
            return Ok(Worked::of(Next::End(
                State::Unproven,
                Error::failed("its secret was rotated twice, and the new one is not known: the old one still counts"),
            )));
        }
        if !is_as_it_was {
            let note = format!("{AGAIN}{}", updated(&client));
            due.before = Some(note.clone());
            bench.journal.write(move |connection| store::begun(connection, n, &note)).await?;
        }
    } else {
        let note = updated(&client);
        due.before = Some(note.clone());
        bench.journal.write(move |connection| store::begun(connection, n, &note)).await?;
        due.state = State::Sent;
    }
    let request = request::rotate_secret(&id);
    let about = format!("cannot rotate the secret of client `{id}`");
    let sent = exchange(bench.remote, &request).await;
    let mut client = match sent.result {
        Ok(answer) if answer.is_success() => match clients::client(&answer, &about) {
            Ok(client) => client,
            Err(error) => return Ok(Worked::of(Next::Again(error))),
        },
        Ok(answer) => {
            let error = refusal::error(&answer, &request, &about);
            return Ok(if sent.unsettled { Worked::of(Next::Again(error)) } else { not_rotated(trip, error) });
        }
        Err(error) if sent.unsettled => return Ok(Worked::of(Next::Again(error))),
        Err(error) => return Ok(not_rotated(trip, error)),
    };
    let Some(secret) = client.secret().cloned() else {
        let error =
            Error::failed("the server rotated the secret and does not tell the new one: the old one still counts");
        return Ok(Worked::of(Next::End(State::Unproven, error)));
    };
    let got = bench.kept(n, &secret, &mut client)?;
    let is_again = trip.due.before.as_deref().is_some_and(|before| before.starts_with(AGAIN));
    let note = is_again.then(|| {
        Error::failed("its secret was rotated twice, as the first reply was lost: an old secret took one place more")
    });
    Ok(Worked { next: Next::Done(Some(client.into())), secret: Some(got), note })
}

/// Marks in the journal that a rotation was lost once already.
const AGAIN: &str = "again ";

/// Nothing was carried out: the row is as if it had not been tried.
fn not_rotated(trip: &mut Trip, error: Error) -> Worked {
    if is_of_server(&error) {
        trip.due.state = State::Planned;
    }
    after(error)
}
