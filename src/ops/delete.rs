//! Deleting a client.

use serde_json::{Map, Value};

use crate::api::send::exchange;
use crate::api::{Remote, refusal, request};
use crate::error::{Kind, Result};
use crate::model::client::{Client, ClientId};
use crate::ops::guard::{self, Deed};
use crate::ops::{deliver, dry_run};
use crate::session::Session;
use crate::session::hook::{self, Done, Event, Planned};
use crate::session::written::Write;

/// `DELETE /admin/clients/{id}`. A 404 is an error, unless a reply was lost before it: then it is done.
pub fn delete(session: &Session, id: &ClientId) -> Result<()> {
    hook::before_one(session, Planned::Delete(id))?;
    if session.dry_run().is_some() {
        return dry_run::delete(session, id);
    }
    guard::check(session, Deed::Grave, &format!("delete client `{id}`"))?;
    let deleted = session.wait(send(session, id, false));
    deleted.map_err(|error| {
        let error = match error.kind() {
            Kind::Interrupted => error.about(format!("client `{id}` may be deleted or not")),
            _ => error,
        };
        hook::failed(session, id.as_str(), error)
    })?;
    session.wrote(|| Write::ForGood(Done::Deleted, id.clone()));
    let event = gone(id);
    if hook::is_wanted(session, &event) {
        deliver::tell(session, event).map_or(Ok(()), Err)?;
    }
    deliver::let_go(session, id);
    Ok(())
}

/// What hooks are told of a client that is no more: its id.
pub fn gone(id: &ClientId) -> Event {
    let members = Map::from_iter([("client_id".to_owned(), Value::from(id.as_str()))]);
    Event { done: Done::Deleted, client: Client::from_server(members) }
}

/// Sends the delete. `was_sent`: it may have been sent before, so that a client that is gone is as it should be.
pub async fn send(remote: &dyn Remote, id: &ClientId, was_sent: bool) -> Result<()> {
    let about = format!("cannot delete client `{id}`");
    let request = request::delete_client(id);
    let sent = exchange(remote, &request).await;
    let answer = sent.result.map_err(|error| error.about(&about))?;
    if answer.is_success() || (answer.status == 404 && (sent.unsettled || was_sent)) {
        Ok(())
    } else {
        Err(refusal::error(&answer, &request, &about))
    }
}

/// The request that [`delete`] sends, as `--dry-run` shows it. Errors: a hook refuses it.
pub fn shown(session: &Session, id: &ClientId) -> Result<Value> {
    let asked = hook::before_one(session, Planned::Delete(id));
    asked.map_err(|error| error.about(format!("client `{id}`")))?;
    Ok(request::delete_client(id).shown(&session.admin_url()?))
}
