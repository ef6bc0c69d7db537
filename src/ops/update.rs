//! Changing a client: a patch of exactly what is asked for, and what came of it.

use serde_json::Value;

use crate::api::send::exchange;
use crate::api::{Remote, clients, refusal, request};
use crate::crypt::{Recipient, recipient};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::compare;
use crate::model::fields::{self, FIELDS, Field, SetBy};
use crate::model::lint::{self, Finding};
use crate::model::patch::{self, Patch};
use crate::ops::guard::{self, Deed};
use crate::ops::keep::Kept;
use crate::ops::{deliver, dry_run, look, mark};
use crate::secret::{REDACTED, Secret};
use crate::session::Session;
use crate::session::hook::{self, Done, Moment, Planned};
use crate::session::written::Write;
use crate::text::safe;

/// What is to become of a client.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Fields that are set as a whole.
    pub set: ClientSpec,
    /// Fields that are emptied.
    pub unset: Vec<&'static Field>,
    /// Entries that lists get where they have them not yet.
    pub add: Vec<(&'static Field, Vec<String>)>,
    /// Entries that are taken out of lists.
    pub remove: Vec<(&'static Field, Vec<String>)>,
}

impl Change {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty() && self.add.is_empty() && self.remove.is_empty()
    }
}

/// How a client is to be changed.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Send what lint finds wrong, too.
    pub no_lint: bool,
    /// Whom a new secret is encrypted for, if anybody.
    pub recipients: Vec<Recipient>,
}

/// A change that is ready to be sent.
#[derive(Debug)]
pub struct Update {
    id: ClientId,
    before: Client,
    patch: Patch,
    secret_is_ours: bool,
    recipients: Vec<Recipient>,
    /// The new secret encrypted for them.
    sealed: Option<Secret>,
    /// What it is told as.
    done: Done,
}

/// What came of it.
#[derive(Debug)]
pub struct Updated {
    /// The client as it is now, with its new secret if it got one.
    pub client: Client,
    /// The file that keeps a secret that was made here until the result has reached its reader.
    pub kept: Option<Kept>,
    /// The fields that changed, with their values before and after.
    pub changes: Vec<FieldChange>,
    /// What went wrong as it was delivered.
    pub undelivered: Option<Error>,
}

/// What a field was and is.
#[derive(Clone, Debug)]
pub struct FieldChange {
    /// The field.
    pub field: &'static Field,
    /// Its value before.
    pub before: Value,
    /// Its value after; of a secret only that it is another.
    pub after: Value,
}

impl FieldChange {
    /// Of a secret field, where the client gets a new secret: only that it is another.
    fn of_secret(field: &'static Field, is_new: bool) -> Option<Self> {
        let redacted = Value::from(REDACTED);
        let is_it = is_new && field.json == "client_secret";
        is_it.then(|| FieldChange { field, before: redacted.clone(), after: redacted })
    }
}

/// Gets the client and works out what has to be sent: lists as a whole, and a secret where none was of use before.
///
/// Errors: no such client; what lint finds wrong with the result and was not wrong before.
pub fn plan(session: &Session, id: &ClientId, change: Change, how: &How) -> Result<Update> {
    let before = hook::there(session, id, session.wait(clients::get(session, id)))?;
    plan_from(session, before, change, how)
}

/// The same for a client that was just fetched.
pub fn plan_from(session: &Session, before: Client, mut change: Change, how: &How) -> Result<Update> {
    if hook::is_at(session, Moment::BeforeUpdate) {
        change.set = whole(&before, &change);
        change = Change { set: change.set, ..Change::default() };
        hook::before_one(session, Planned::Update(&before, &mut change.set))?;
    }
    let (update, mut warnings) = plan_quietly(before, change, how)?;
    if !how.no_lint && !update.is_empty() {
        let found = hook::lint_change(session, &update.before.to_spec(), &update.would_be().to_spec())?;
        warnings.extend(hook::judged(session, update.id.as_str(), found)?);
    }
    for finding in warnings {
        session.ui().warn(&finding.told());
    }
    Ok(update)
}

/// What is to be set, every field as a whole.
fn whole(before: &Client, change: &Change) -> ClientSpec {
    let mut set = change.set.clone();
    for (field, value) in values(before, change) {
        set.set(field, value);
    }
    set
}

/// The same, with what is doubtful about the result.
pub fn plan_quietly(before: Client, change: Change, how: &How) -> Result<(Update, Vec<Finding>)> {
    let id = before.client_id()?;
    refuse_other_id(&id, &change)?;
    let change = Change { set: mark::keep(change.set, &before), ..change };
    let mut patch = Patch::new();
    let mut after = before.to_spec();
    for (field, value) in values(&before, &change) {
        if !compare::is_same(field, &value, before.get(field.json).unwrap_or(&Value::Null)) {
            after.set(field, value.clone());
            patch.set(field, value);
        }
    }
    if let Some(secret) = change.set.secret() {
        if secret.expose().is_empty() {
            return Err(Error::usage("`client_secret` is empty: it would end the secrets that were rotated out")
                .hint("leave it out to keep the secret as it is"));
        }
        patch.set_secret(secret.clone());
    }
    let secret_is_ours = add_secret(&mut patch, &before, &after)?;
    if let Some(secret) = patch.secret() {
        after.set_secret(secret.clone());
    }
    let warnings = if how.no_lint || patch.is_empty() { Vec::new() } else { judge(&before.to_spec(), &after)? };
    let sealed = match patch.secret() {
        Some(secret) if !how.recipients.is_empty() => Some(recipient::encrypt(&how.recipients, secret)?),
        _ => None,
    };
    Ok((
        Update { id, before, patch, secret_is_ours, recipients: how.recipients.clone(), sealed, done: Done::Updated },
        warnings,
    ))
}

/// What sets the fields of a client back that are as a change left them, each given with its values before and after that.
///
/// Errors: somebody has changed one since.
pub fn back<'a>(
    now: &Client,
    changed: impl IntoIterator<Item = (&'static Field, &'a Value, &'a Value)>,
) -> Result<ClientSpec> {
    let (mut set, mut since) = (ClientSpec::new(), Vec::new());
    for (field, before, after) in changed {
        let is = now.get(field.json).unwrap_or(&Value::Null);
        if compare::is_same(field, before, is) {
            // It was put back already.
        } else if compare::is_same(field, after, is) {
            set.set(field, if before.is_null() { field.empty() } else { before.clone() });
        } else {
            since.push(field.json);
        }
    }
    if since.is_empty() { Ok(set) } else { Err(changed_since(now.id(), &since)) }
}

/// What is told where a client is not as it was left.
pub fn changed_since(id: &str, fields: &[&str]) -> Error {
    Error::failed(format!("client `{}` was changed since in {}: it is left as it is", safe(id), fields.join(", ")))
}

/// Errors: the change names another id, to which a server would write instead.
fn refuse_other_id(id: &ClientId, change: &Change) -> Result<()> {
    let is_id = |field: &&'static Field| field.json == "client_id";
    let is_changed = change.unset.iter().any(is_id)
        || change.add.iter().chain(&change.remove).any(|(field, _)| is_id(field))
        || change.set.document().get("client_id").is_some_and(|named| named.as_str() != Some(id.as_str()));
    if !is_changed {
        return Ok(());
    }
    Err(Error::usage(format!("the id of client `{id}` cannot be changed"))
        .hint("the server would write over the client that has the other one"))
}

/// Nobody has the secret of a client that did without: it gets one that is chosen here. Tells whether it did.
fn add_secret(patch: &mut Patch, before: &Client, after: &ClientSpec) -> Result<bool> {
    let is_due = after.uses_secret() && !before.uses_secret() && patch.secret().is_none();
    if is_due {
        patch.set_secret(Secret::generate()?);
    }
    Ok(is_due)
}

/// A patch of nothing but a secret that was chosen here.
pub fn plan_secret(before: Client, patch: Patch, recipients: &[Recipient]) -> Result<Update> {
    let sealed = match patch.secret() {
        Some(secret) if !recipients.is_empty() => Some(recipient::encrypt(recipients, secret)?),
        _ => None,
    };
    Ok(Update {
        id: before.client_id()?,
        before,
        patch,
        secret_is_ours: true,
        recipients: recipients.to_vec(),
        sealed,
        done: Done::Updated,
    })
}

/// A patch that was written by somebody else, ready to be sent.
pub fn plan_patch(session: &Session, id: &ClientId, asked: patch::Asked) -> Result<Update> {
    let before = hook::there(session, id, session.wait(clients::get(session, id)))?;
    let mut patch = asked.on(&before);
    if hook::is_at(session, Moment::BeforeUpdate) {
        let mut set = ClientSpec::new();
        if patch.goes_deep() {
            return Err(Error::usage("the patch goes into fields, and plugins look at what fields are as a whole")
                .hint("`update oauth2-client` sets fields as a whole, and adds to lists and takes from them"));
        }
        for field in FIELDS.iter().filter(|field| !field.secret) {
            if patch.removes(field.json) {
                set.set(field, Value::Null);
            } else if let Some(value) = patch.value(field.json) {
                set.set(field, value.clone());
            }
        }
        let asked = set.clone();
        hook::before_one(session, Planned::Update(&before, &mut set))?;
        if set.document() != asked.document() {
            return Err(Error::usage(
                "a plugin would change what the patch sets, and a patch is sent as it is written",
            )
            .hint("`update oauth2-client` sets fields"));
        }
    }
    let mut after = before.to_spec();
    if let (Some(method), Some(field)) = (patch.auth_method(), fields::field("token_endpoint_auth_method")) {
        after.set(field, method.into());
    }
    let secret_is_ours = add_secret(&mut patch, &before, &after)?;
    let update = Update {
        id: id.clone(),
        before,
        patch,
        secret_is_ours,
        recipients: Vec::new(),
        sealed: None,
        done: Done::Updated,
    };
    let found = hook::lint_change(session, &update.before.to_spec(), &update.would_be().to_spec())?;
    for finding in hook::judged(session, id.as_str(), found)? {
        session.ui().warn(&finding.told());
    }
    Ok(update)
}

/// Every field that is asked for with its value as a whole.
fn values(before: &Client, change: &Change) -> Vec<(&'static Field, Value)> {
    let wanted = |field: &'static Field| {
        let set = change.set.document().get(field.json).cloned();
        let set = set.map(|value| if value.is_null() { field.empty() } else { value });
        let unset = || change.unset.iter().any(|other| other.json == field.json).then(|| field.empty());
        let whole = set.or_else(unset);
        let of = |lists: &[(&'static Field, Vec<String>)]| -> Option<Vec<String>> {
            lists.iter().find(|(other, _)| other.json == field.json).map(|(_, entries)| entries.clone())
        };
        let (add, remove) = (of(&change.add), of(&change.remove));
        if add.is_none() && remove.is_none() {
            return whole;
        }
        let mut entries = entries(whole.as_ref().or(before.get(field.json)));
        entries.retain(|entry| !remove.iter().flatten().any(|gone| gone == entry));
        for entry in add.into_iter().flatten() {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        // A scope is one text of words.
        Some(if field.empty().is_array() { entries.into() } else { entries.join(" ").into() })
    };
    FIELDS
        .iter()
        .filter(|field| field.set_by == SetBy::Caller && !field.secret)
        .filter_map(|field| Some((field, wanted(field)?)))
        .collect()
}

/// The entries of a list, or the words of a text.
fn entries(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(entries)) => entries.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// What a change makes doubtful, or refuses what it makes wrong; what was wrong before is not the change's fault.
fn judge(before: &ClientSpec, after: &ClientSpec) -> Result<Vec<Finding>> {
    let known: Vec<Finding> = lint::lint(before);
    lint::judge(lint::lint(after).into_iter().filter(|finding| !known.contains(finding)).collect())
}

impl Update {
    /// The request that would be sent, its secret redacted.
    pub fn shown(&self, session: &Session) -> Result<Value> {
        Ok(request::patch_client(&self.id, &self.patch).shown(&session.admin_url()?))
    }

    /// The client as it would be; what goes deeper than a field stays as it is.
    pub fn would_be(&self) -> Client {
        let mut document = self.before.document().clone();
        for field in FIELDS {
            if let Some(value) = self.patch.value(field.json).filter(|_| !field.secret) {
                document.set(field.json, value.clone());
            }
        }
        Client::from_document(document)
    }

    /// The operations that would be sent, a secret redacted.
    pub fn operations(&self) -> Value {
        self.patch.redacted()
    }

    /// Whether everything is as it is wanted already.
    pub fn is_empty(&self) -> bool {
        self.patch.is_empty()
    }

    /// The fields that would change, with their values before and after.
    pub fn changes(&self) -> Vec<FieldChange> {
        let change = |field: &'static Field| {
            if field.secret {
                return FieldChange::of_secret(field, self.sets_secret());
            }
            let before = self.before.get(field.json).cloned().unwrap_or(Value::Null);
            Some(FieldChange { field, before, after: self.patch.value(field.json)?.clone() })
        };
        FIELDS.iter().filter_map(change).collect()
    }

    /// The client's id.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The client as it is.
    pub fn before(&self) -> &Client {
        &self.before
    }

    /// Whether the client gets a new secret.
    pub fn sets_secret(&self) -> bool {
        self.patch.secret().is_some()
    }

    /// Whether its new secret is encrypted for somebody.
    pub fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Whether the secret was chosen here, so that nobody has it yet.
    pub fn secret_is_ours(&self) -> bool {
        self.secret_is_ours
    }

    /// The same, whose secret was chosen here.
    #[must_use]
    pub fn with_secret_of_ours(self) -> Self {
        Update { secret_is_ours: true, ..self }
    }

    /// The same, which is told as a rotation.
    #[must_use]
    pub fn that_rotates(self) -> Self {
        Update { done: Done::Rotated, ..self }
    }

    /// Its new secret, encrypted for its recipients.
    pub fn sealed(&self) -> Option<&Secret> {
        self.sealed.as_ref()
    }

    /// Its new secret as it is passed on: encrypted, where it is for somebody.
    pub fn passed_on(&self) -> Option<&Secret> {
        self.sealed.as_ref().or(self.patch.secret())
    }
}

/// Sends the patch. Sent twice it does no more than once.
pub async fn send(remote: &dyn Remote, update: &Update) -> Result<Client> {
    let about = format!("cannot change client `{}`", update.id);
    let request = request::patch_client(&update.id, &update.patch);
    let answer = exchange(remote, &request).await.result.map_err(|error| error.about(&about))?;
    if answer.is_success() { clients::client(&answer, &about) } else { Err(refusal::error(&answer, &request, &about)) }
}

/// `PATCH /admin/clients/{id}`, unless nothing is to be changed.
///
/// A secret that was made here is on disk before the request, encrypted if it is for somebody. Errors name the client;
/// where it is not known whether it was changed, the file as well.
pub fn update(session: &Session, update: Update) -> Result<Updated> {
    let id = update.id.clone();
    change(session, update).map_err(|error| hook::failed(session, id.as_str(), error))
}

fn change(session: &Session, update: Update) -> Result<Updated> {
    if update.is_empty() {
        return Ok(Updated { client: update.before, kept: None, changes: Vec::new(), undelivered: None });
    }
    if session.dry_run().is_some() {
        return dry_run::update(session, &update);
    }
    guard::check(session, Deed::Write, &format!("change client `{}`", update.id))?;
    let endpoint = session.server()?;
    let owners: Vec<_> = update.recipients.iter().map(Recipient::fingerprint).collect();
    let passed_on = update.passed_on().cloned();
    let kept = match &passed_on {
        Some(secret) if update.secret_is_ours => Some(Kept::write(&update.id, secret, &owners, &endpoint)?),
        _ => None,
    };
    let about = format!("cannot change client `{}`", update.id);
    let request = request::patch_client(&update.id, &update.patch);
    let (result, is_unknown) = match session.wait(async { Ok(exchange(session, &request).await) }) {
        // It may have been on its way.
        Err(interrupted) => (Err(interrupted), true),
        Ok(sent) => match sent.result {
            Ok(answer) if answer.is_success() => (clients::client(&answer, &about), true),
            Ok(answer) => {
                let error = refusal::error(&answer, &request, &about);
                let misses = answer.status == 500 && update.patch.goes_deep();
                let hint = "servers answer so where a path of the patch leads to nothing in the client";
                (Err(if misses { error.hint(hint) } else { error }), sent.unsettled)
            }
            Err(error) => (Err(error.about(&about)), sent.unsettled),
        },
    };
    let mut client = match result {
        Ok(client) => client,
        Err(error) if is_unknown => {
            let id = &update.id;
            let error = error.about(format!("it is not known whether client `{id}` was changed"));
            let error = error.unhinted().with_code("unknown_outcome");
            let error = match &kept {
                Some(kept) => error.hint(format!("its new secret is kept in {}", kept.path().display())),
                None => error,
            };
            let first = if update.patch.is_repeatable() { "" } else { " first, as the same patch would be made twice" };
            return Err(error.hint(format!("look at it{first}: {}", look::at(session, id))));
        }
        Err(error) => {
            if let Some(Err(left)) = kept.map(Kept::discard) {
                session.ui().warn(&left.full_message());
            }
            return Err(error);
        }
    };
    session.wrote(|| Write::updated(&update.before, &client));
    let changes = changes(&update.before, &client, passed_on.is_some());
    if let Some(secret) = passed_on {
        client.set_secret(secret);
    }
    let (kept, undelivered) = deliver::deliver(session, update.done, &client, kept, &update.recipients);
    Ok(Updated { client, kept, changes, undelivered })
}

/// What differs between two states of a client, but for what the server sets.
pub fn changes(before: &Client, after: &Client, has_new_secret: bool) -> Vec<FieldChange> {
    let null = Value::Null;
    let change = |field: &'static Field| {
        if field.secret {
            return FieldChange::of_secret(field, has_new_secret);
        }
        let (was, is) = (before.get(field.json).unwrap_or(&null), after.get(field.json).unwrap_or(&null));
        let same = was == is || (compare::is_empty(was) && compare::is_empty(is));
        (!same).then(|| FieldChange { field, before: was.clone(), after: is.clone() })
    };
    FIELDS.iter().filter(|field| field.set_by == SetBy::Caller).filter_map(change).collect()
}
