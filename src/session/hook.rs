//! What others do before a client is written, once it was, and around batches: one trait, fired for single commands and for the rows
//! of a batch alike.

use std::sync::Arc;

use super::Session;
use super::stack::{aside, on_big_stack};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::lint::{self, Finding};
use crate::secret::concealed;
use crate::ui;

/// What was done to a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Done {
    /// It was made.
    Created,
    /// Fields of it were changed.
    Updated,
    /// It got another secret.
    Rotated,
    /// It is no more.
    Deleted,
}

impl Done {
    /// By the name that events give it.
    pub fn of(name: &str) -> Option<Self> {
        [Done::Created, Done::Updated, Done::Rotated, Done::Deleted].into_iter().find(|done| done.name() == name)
    }

    /// As events name it.
    pub fn name(self) -> &'static str {
        match self {
            Done::Created => "created",
            Done::Updated => "updated",
            Done::Rotated => "rotated",
            Done::Deleted => "deleted",
        }
    }
}

/// A client that was written.
#[derive(Clone, Debug)]
pub struct Event {
    /// What was done.
    pub done: Done,
    /// The client as the server told it, with its new secret as it is passed on: encrypted, where it is for somebody.
    pub client: Client,
}

/// What is about to be done to a client.
#[derive(Debug)]
pub enum Planned<'a> {
    /// It is made: what is asked for, with defaults.
    Create(&'a mut ClientSpec),
    /// It is changed: the client as it is, and the fields that are set.
    Update(&'a Client, &'a mut ClientSpec),
    /// It is deleted.
    Delete(&'a ClientId),
}

/// A moment at which hooks are called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// Before a client is made.
    BeforeCreate,
    /// Before a client is changed.
    BeforeUpdate,
    /// Before a client is deleted.
    BeforeDelete,
    /// As a client is looked through for what is wrong with it.
    Lint,
    /// As something went wrong with a client.
    OnError,
    /// Before the rows of a batch are sent.
    BeforeBatch,
    /// Once they have been.
    AfterBatch,
}

/// A batch, before it is sent and after.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What its rows are for: create, update, delete, rotate.
    pub job: &'static str,
    /// How many there are.
    pub total: u64,
    /// What they came to, by the name of it; before they are sent nothing.
    pub outcomes: Vec<(String, u64)>,
}

/// What is to happen around the writing of clients. That it fails afterwards changes nothing about a client and its secret.
pub trait Hook: Send + Sync {
    /// What errors call it.
    fn name(&self) -> String;

    /// What a run and a kept secret call it: whether it has heard of a client is known by that.
    fn key(&self) -> String;

    /// Whether the event is of interest.
    fn wants(&self, event: &Event) -> bool;

    /// The words that name it on a command line, where it was named there: a run that is gone on with knows it by them.
    fn words(&self) -> Option<&[String]> {
        None
    }

    /// Whether a client's secret has reached its owner once it was told of it.
    fn delivers(&self) -> bool;

    /// Whether it is given the secret of a client that it hears of.
    fn sees_secrets(&self) -> bool {
        true
    }

    /// Called on a plain thread. In `session` no hook is fired.
    fn after(&self, session: &Session, event: &Event) -> Result<()>;

    /// Whether it is to be called at that moment.
    fn is_at(&self, _moment: Moment) -> bool {
        false
    }

    /// Why nothing at all may be written, where this stands in for what cannot say that.
    fn refuses(&self) -> Option<Error> {
        None
    }

    /// What tells this one from others, where a run that is gone on with has to have had the same.
    fn mark(&self) -> Option<String> {
        None
    }

    /// Changes what is about to be done, and tells what. Errors: it is not to be done, and why.
    fn before(&self, _session: &Session, _planned: &mut Planned<'_>) -> Result<Option<String>> {
        Ok(None)
    }

    /// What is wrong with what is asked for.
    fn lint(&self, _session: &Session, _spec: &ClientSpec) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }

    /// Something went wrong with a client.
    fn failed(&self, _session: &Session, _id: &str, _error: &Error) -> Result<()> {
        Ok(())
    }

    /// A batch is to be sent, or was. Errors, before it: it is not to be.
    fn batch(&self, _session: &Session, _moment: Moment, _batch: &Batch) -> Result<()> {
        Ok(())
    }
}

/// The hooks of a session, in their order.
pub type Hooks = Arc<[Arc<dyn Hook>]>;

/// Whether some hook is to hear of it.
pub fn is_wanted(session: &Session, event: &Event) -> bool {
    session.hooks().iter().any(|hook| hook.wants(event))
}

/// Whether a client's secret has reached its owner once the hooks have heard of it.
pub fn delivers(session: &Session, event: &Event) -> bool {
    session.hooks().iter().any(|hook| hook.wants(event) && hook.delivers())
}

/// Whether some hook is to be given the secret of the client that was just made or changed.
pub fn shows_secret(session: &Session, event: &Event) -> bool {
    event.client.secret().is_some() && session.hooks().iter().any(|hook| hook.wants(event) && hook.sees_secrets())
}

/// Whether some hook is to be called at that moment.
pub fn is_at(session: &Session, moment: Moment) -> bool {
    session.hooks().iter().any(|hook| hook.is_at(moment))
}

/// Errors: some plugin is broken, and nobody knows what it would say.
pub fn demand_whole(session: &Session) -> Result<()> {
    session.hooks().iter().find_map(|hook| hook.refuses()).map_or(Ok(()), Err)
}

/// The hooks that say what may be made, in their order, by their marks.
pub fn rules(session: &Session) -> String {
    let says = |hook: &&Arc<dyn Hook>| hook.is_at(Moment::BeforeCreate) || hook.is_at(Moment::Lint);
    let marks: Vec<String> = session.hooks().iter().filter(says).filter_map(|hook| hook.mark()).collect();
    marks.join(", ")
}

/// Lets the hooks of that moment work, one after the other. The error is the first one, with who says it.
fn each(
    session: &Session,
    moment: Moment,
    mut call: impl FnMut(&dyn Hook, &Session) -> Result<()> + Send,
) -> Result<()> {
    if !is_at(session, moment) {
        return Ok(());
    }
    let hooks = Arc::clone(session.hooks());
    let inner = session.for_hooks();
    // What tells of what has been done is not cut off.
    let is_after = matches!(moment, Moment::OnError | Moment::AfterBatch);
    let inner = if is_after { inner.to_the_end() } else { inner };
    on_big_stack(|| {
        let _undisturbed = is_after.then(ui::undisturbed);
        let mut all = hooks.iter().filter(|hook| hook.is_at(moment));
        let mut call = |hook: &Arc<dyn Hook>| call(hook.as_ref(), &inner).map_err(|error| error.about(hook.name()));
        if is_after {
            // One that fails does not keep the others from hearing of it.
            let failed: Vec<Error> = all.filter_map(|hook| call(hook).err()).collect();
            return failed.into_iter().next().map_or(Ok(()), Err);
        }
        all.try_for_each(call)
    })
}

/// Lets the hooks change what is about to be done, and gives what they changed. Errors: one of them refuses it, with its name and
/// its reason.
pub fn before(session: &Session, mut planned: Planned<'_>) -> Result<Vec<String>> {
    let moment = match planned {
        Planned::Create(_) => Moment::BeforeCreate,
        Planned::Update(..) => Moment::BeforeUpdate,
        Planned::Delete(_) => Moment::BeforeDelete,
    };
    if let Planned::Create(spec) | Planned::Update(_, spec) = &planned {
        demand_public(session, moment, spec)?;
    }
    let mut changed = Vec::new();
    each(session, moment, |hook, session| {
        changed.extend(hook.before(session, &mut planned)?.map(|what| format!("{} changed {what}", hook.name())));
        Ok(())
    })?;
    Ok(changed)
}

/// Errors: the keys of what is asked for are no public ones, and hooks would see them.
fn demand_public(session: &Session, moment: Moment, spec: &ClientSpec) -> Result<()> {
    if !is_at(session, moment) {
        return Ok(());
    }
    let judged = lint::judge(lint::key_set(spec).into_iter().collect()).map(drop);
    judged.map_err(|error| error.hint("plugins would see it: --no-plugins goes on without them"))
}

/// [`before_heard`], where what was changed is told at once.
pub fn before_one(session: &Session, planned: Planned<'_>) -> Result<()> {
    for what in &before_heard(session, planned)? {
        session.ui().note(what);
    }
    Ok(())
}

/// [`before`], where whoever hears of what went wrong hears of a refusal.
pub fn before_heard(session: &Session, planned: Planned<'_>) -> Result<Vec<String>> {
    let id = match &planned {
        Planned::Create(spec) => spec.id().unwrap_or_default().to_owned(),
        Planned::Update(client, _) => client.id().to_owned(),
        Planned::Delete(id) => id.as_str().to_owned(),
    };
    before(session, planned).map_err(|error| failed(session, &id, error))
}

/// What the hooks find wrong with what is asked for. Errors: one of them broke down.
pub fn lint(session: &Session, spec: &ClientSpec) -> Result<Vec<Finding>> {
    demand_public(session, Moment::Lint, spec)?;
    let mut found = Vec::new();
    let looked = each(session, Moment::Lint, |hook, session| {
        found.extend(hook.lint(session, spec)?);
        Ok(())
    });
    looked.map_err(|error| failed(session, spec.id().unwrap_or_default(), error))?;
    Ok(found)
}

/// What is doubtful of what was found. Errors: something is wrong, which whoever hears of errors hears.
pub fn judged(session: &Session, id: &str, found: Vec<Finding>) -> Result<Vec<Finding>> {
    lint::judge(found).map_err(|error| failed(session, id, error))
}

/// What they find wrong with a client as it would be, and not with it as it is.
pub fn lint_change(session: &Session, before: &ClientSpec, after: &ClientSpec) -> Result<Vec<Finding>> {
    if !is_at(session, Moment::Lint) {
        return Ok(Vec::new());
    }
    let known = lint(session, before)?;
    let found = lint(session, after)?;
    Ok(found.into_iter().filter(|finding| !known.contains(finding)).collect())
}

/// The same for a row of a batch.
pub async fn lint_row(session: &Session, before: ClientSpec, after: ClientSpec) -> Result<Vec<Finding>> {
    if !is_at(session, Moment::Lint) {
        return Ok(Vec::new());
    }
    let session = session.clone();
    aside(move || lint_change(&session, &before, &after)).await
}

/// Tells the hooks that something went wrong with a client, and gives the error back. What goes wrong with that is warned of.
pub fn failed(session: &Session, id: &str, error: Error) -> Error {
    if let Err(other) = each(session, Moment::OnError, |hook, session| hook.failed(session, id, &error)) {
        session.ui().warn(&other.placed_message());
    }
    error
}

/// A client that is to be changed; whoever hears of what went wrong hears of one that is not there.
pub fn there(session: &Session, id: &ClientId, found: Result<Client>) -> Result<Client> {
    found.map_err(|error| failed(session, id.as_str(), error))
}

/// Tells the hooks of a batch. Errors: one of them refuses it.
pub fn batch(session: &Session, moment: Moment, batch: &Batch) -> Result<()> {
    each(session, moment, |hook, session| hook.batch(session, moment, batch))
}

/// [`before`] for a row of a batch that changes a client: what is to be set, then, and what they changed of that.
pub async fn before_update(
    session: &Session,
    client: &Client,
    mut set: ClientSpec,
) -> Result<(ClientSpec, Vec<String>)> {
    if !is_at(session, Moment::BeforeUpdate) {
        return Ok((set, Vec::new()));
    }
    let (session, client) = (session.clone(), client.clone());
    aside(move || before(&session, Planned::Update(&client, &mut set)).map(|changed| (set, changed))).await
}

/// [`before`] for a row of a batch that deletes a client.
pub async fn before_delete(session: &Session, id: &ClientId) -> Result<()> {
    if !is_at(session, Moment::BeforeDelete) {
        return Ok(());
    }
    let (session, id) = (session.clone(), id.clone());
    aside(move || before(&session, Planned::Delete(&id)).map(drop)).await
}

/// [`failed`] for a row of a batch.
pub async fn row_failed(session: &Session, id: &str, error: Error) -> Error {
    if !is_at(session, Moment::OnError) {
        return error;
    }
    let (inner, id) = (session.clone(), id.to_owned());
    match aside(move || Ok(failed(&inner, &id, error))).await {
        Ok(error) | Err(error) => error,
    }
}

/// How the keys of programs begin.
pub const PROGRAM: &str = "program ";

/// Who has heard of an event by now, and who is to: hooks by their keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Past {
    /// Those that have.
    pub heard: Vec<String>,
    /// Those that are to, and have not yet.
    pub due: Vec<String>,
}

impl Past {
    /// Of an event that nobody has heard of yet.
    pub fn of(session: &Session, event: &Event) -> Self {
        let wanted = session.hooks().iter().filter(|hook| hook.wants(event));
        Past { heard: Vec::new(), due: wanted.map(|hook| hook.key()).collect() }
    }

    /// As text, a line each.
    pub fn to_lines(&self) -> String {
        let heard = self.heard.iter().map(|key| format!("heard {key}"));
        let due = self.due.iter().map(|key| format!("due {key}"));
        heard.chain(due).collect::<Vec<_>>().join("\n")
    }

    /// From that.
    pub fn from_lines(text: &str) -> Self {
        let of = |what: &str| text.lines().filter_map(|line| Some(line.strip_prefix(what)?.to_owned())).collect();
        Past { heard: of("heard "), due: of("due ") }
    }
}

/// What telling the hooks of an event came to.
#[derive(Debug, Default)]
pub struct Fired {
    /// Who has heard of it by now, and who has not.
    pub past: Past,
    /// What went wrong with the first of those that have not.
    pub error: Option<Error>,
}

/// Tells every hook that wants to hear of it, but for those that have by now, one after the other on plain threads. What was begun
/// comes to its end. `note` is told who has heard where others have not yet, so that whatever ends the process ends no more than one.
pub async fn fire<F: Future<Output = ()>>(
    session: &Session,
    event: Event,
    mut past: Past,
    note: impl Fn(Past) -> F,
) -> Fired {
    let event = Arc::new(event);
    let inner = session.for_hooks().to_the_end();
    let wanted = |hook: &&Arc<dyn Hook>| hook.wants(&event) && !past.heard.contains(&hook.key());
    let left: Vec<Arc<dyn Hook>> = session.hooks().iter().filter(wanted).cloned().collect();
    let here: Vec<String> = left.iter().map(|hook| hook.key()).collect();
    // A program that is named now stands in for the one that was named before.
    if session.hooks().iter().any(|hook| hook.words().is_some()) {
        past.due.retain(|key| !key.starts_with(PROGRAM));
    }
    // Who was to hear of it before, and is not here now.
    let absent = past.due.iter().find(|key| !here.contains(key)).cloned();
    past.due.extend(here.into_iter().filter(|key| !past.due.contains(key)).collect::<Vec<_>>());
    let (count, mut failed) = (left.len(), None);
    for (at, hook) in left.into_iter().enumerate() {
        let (key, event, inner) = (hook.key(), Arc::clone(&event), inner.clone());
        let told = aside(move || {
            let _undisturbed = ui::undisturbed();
            hook.after(&inner, &event).map_err(|error| told(hook.as_ref(), &event, error))
        });
        match told.await {
            Ok(()) => {
                past.due.retain(|due| *due != key);
                past.heard.push(key);
                if at + 1 < count {
                    note(past.clone()).await;
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let missing = absent.map(|key| {
        let who = if key.starts_with(PROGRAM) { "program of --deliver" } else { &key };
        Error::failed(format!("the {who} has not heard of it, and is not here"))
            .hint("have it as it was: installed, switched on, in its repository, or named by --deliver")
    });
    Fired { past, error: failed.or(missing) }
}

/// [`fire`], where the secret of the client counts no more or nobody knows whether it does: who would be given it is left out, and
/// then `why` says so. The others hear of it without.
pub async fn fire_without_secret<F: Future<Output = ()>>(
    session: &Session,
    mut event: Event,
    mut past: Past,
    note: impl Fn(Past) -> F,
    why: Error,
) -> Fired {
    let sees = |hook: &&Arc<dyn Hook>| hook.wants(&event) && hook.sees_secrets() && !past.heard.contains(&hook.key());
    let waiting: Vec<String> = session.hooks().iter().filter(sees).map(|hook| hook.key()).collect();
    event.client.remove_secret();
    past.due.retain(|key| !waiting.contains(key));
    past.heard.extend(waiting.iter().cloned());
    let as_it_is = |mut past: Past| {
        past.heard.retain(|key| !waiting.contains(key));
        past.due.extend(waiting.iter().cloned());
        past
    };
    let Fired { past, error } = fire(session, event, past, |past| note(as_it_is(past))).await;
    Fired { past: as_it_is(past), error: error.or_else(|| (!waiting.is_empty()).then_some(why)) }
}

/// What goes wrong with a hook, whatever it says of what it was given.
fn told(hook: &dyn Hook, event: &Event, error: Error) -> Error {
    concealed(error, event.client.secret()).about(hook.name())
}

/// [`fire`], or with a reason [`fire_without_secret`], waiting for it.
pub fn fire_and_wait(
    session: &Session,
    event: Event,
    past: Past,
    note: impl Fn(Past),
    without_secret: Option<Error>,
) -> Fired {
    let before = past.clone();
    let note = |past| {
        note(past);
        std::future::ready(())
    };
    let fired = match without_secret {
        Some(why) => session.finish(fire_without_secret(session, event, past, note, why)),
        None => session.finish(fire(session, event, past, note)),
    };
    fired.unwrap_or_else(|error| Fired { past: before, error: Some(error) })
}
