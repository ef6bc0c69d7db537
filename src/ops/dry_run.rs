//! What would be written, told instead of done, and remembered for what follows in the same script.

use std::time::SystemTime;

use serde_json::Value;

use crate::api::clients;
use crate::error::Result;
use crate::model::client::{Client, ClientId};
use crate::model::compare;
use crate::ops::create::{self, Created, How, Plan};
use crate::ops::replace::Replacement;
use crate::ops::rotate::Rotated;
use crate::ops::update::{self, FieldChange, Update, Updated};
use crate::session::Session;
use crate::session::dry_run::{DryRun, placeholder};
use crate::text::{safe, safe_json};
use crate::ui::{Mark, Ui};

/// Tells what would be done, and that it is done, as far as that goes: true. False: this is no dry run.
pub fn would(session: &Session, mark: Mark, what: &str) -> Result<bool> {
    let Some(dry_run) = session.dry_run() else { return Ok(false) };
    tell_place(session, dry_run)?;
    session.ui().marked(mark, &dry_run.hidden(what));
    Ok(true)
}

/// A client that would be made; one of its id would be in its way.
pub fn create(session: &Session, plan: &Plan, how: &How) -> Result<Created> {
    if !plan.id_is_ours()
        && let Some(client) = session.wait(clients::get_opt(session, plan.id()))?
    {
        return if how.if_absent {
            Ok(create::existing(session, plan, client))
        } else {
            Err(create::conflict(session, plan.id()))
        };
    }
    let mut fields = plan.spec().redacted();
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    for field in ["created_at", "updated_at"] {
        fields.insert(field.to_owned(), now.as_str().into());
    }
    let mut client = Client::from_server(fields);
    if plan.spec().secret().is_some() {
        client.set_secret(plan.sealed().cloned().unwrap_or_else(placeholder));
    }
    tell(session, |ui| tell_created(ui, plan.id().as_str(), &plan.changes()))?;
    leave(session, plan.id(), Some(client.clone()))?;
    Ok(Created { client, kept: None, undelivered: None })
}

/// A client that would be changed.
pub fn update(session: &Session, update: &Update) -> Result<Updated> {
    let mut client = update.would_be();
    let changes = update.changes();
    if changes.is_empty() {
        let what = format!("client `{}` is changed: {}", safe(update.id().as_str()), shown(&update.operations()));
        would(session, Mark::Changed, &what)?;
    } else {
        tell(session, |ui| tell_changed(ui, update.id().as_str(), &changes))?;
    }
    leave(session, update.id(), Some(client.clone()))?;
    if update.sets_secret() {
        client.set_secret(update.sealed().cloned().unwrap_or_else(placeholder));
    }
    Ok(Updated { client, kept: None, changes, undelivered: None })
}

/// A client that would be replaced.
pub fn replace(session: &Session, replacement: &Replacement) -> Result<(Client, Vec<FieldChange>)> {
    let (before, spec) = replacement.would_be();
    let mut client = Client::from_server(spec.redacted());
    client.remove_secret();
    let changes = update::changes(before, &client, spec.secret().is_some());
    let id = before.client_id()?;
    tell(session, |ui| tell_changed(ui, id.as_str(), &changes))?;
    leave(session, &id, Some(client.clone()))?;
    if spec.secret().is_some() {
        client.set_secret(placeholder());
    }
    Ok((client, changes))
}

/// A client that would get another secret.
pub fn rotate(session: &Session, before: Client) -> Result<Rotated> {
    let id = before.client_id()?;
    would(session, Mark::Changed, &format!("client `{}` gets a new secret, beside the old one", safe(id.as_str())))?;
    let mut client = before;
    client.set_secret(placeholder());
    Ok(Rotated { client, kept: None, undelivered: None })
}

/// A client that would be deleted. Errors: there is none.
pub fn delete(session: &Session, id: &ClientId) -> Result<()> {
    session.wait(clients::get(session, id)).map_err(|error| error.about(format!("cannot delete client `{id}`")))?;
    tell(session, |ui| tell_deleted(ui, id.as_str()))?;
    leave(session, id, None)
}

fn tell(session: &Session, told: impl FnOnce(Ui)) -> Result<()> {
    if let Some(dry_run) = session.dry_run() {
        tell_place(session, dry_run)?;
    }
    told(session.ui());
    Ok(())
}

fn leave(session: &Session, id: &ClientId, client: Option<Client>) -> Result<()> {
    if let Some(dry_run) = session.dry_run() {
        dry_run.leave(&session.chosen()?.place(), id, client);
    }
    Ok(())
}

fn tell_place(session: &Session, dry_run: &DryRun) -> Result<()> {
    let place = session.described()?;
    if dry_run.is_elsewhere(&place) {
        session.ui().note(&format!("a dry run on {place}: nothing is written, and what would be is told"));
    }
    Ok(())
}

/// Shows a client that is to be made, a field a line.
pub fn tell_created(ui: Ui, id: &str, changes: &[FieldChange]) {
    ui.marked(Mark::Added, &format!("client `{}` is created", safe(id)));
    for FieldChange { field, after, .. } in changes.iter().filter(|change| !compare::is_empty(&change.after)) {
        ui.marked(Mark::Added, &format!("    {}: {}", field.json, shown(after)));
    }
}

/// Shows a client that is to be changed, a field a line.
pub fn tell_changed(ui: Ui, id: &str, changes: &[FieldChange]) {
    ui.marked(Mark::Changed, &format!("client `{}` is changed", safe(id)));
    for FieldChange { field, before, after } in changes {
        ui.marked(Mark::Removed, &format!("    {}: {}", field.json, shown(before)));
        ui.marked(Mark::Added, &format!("    {}: {}", field.json, shown(after)));
    }
}

/// Shows a client that is to be deleted.
pub fn tell_deleted(ui: Ui, id: &str) {
    ui.marked(Mark::Removed, &format!("client `{}` is deleted", safe(id)));
}

/// A value as a person reads it.
pub fn shown(value: &Value) -> String {
    safe_json(&value.to_string()).into_owned()
}
