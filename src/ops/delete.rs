//! Deleting a client.

use serde_json::Value;

use crate::api::send::exchange;
use crate::api::{Remote, refusal, request};
use crate::error::{Kind, Result};
use crate::model::client::ClientId;
use crate::ops::dry_run;
use crate::ops::guard::{self, Deed};
use crate::session::Session;

/// `DELETE /admin/clients/{id}`. A 404 is an error, unless a reply was lost before it: then it is done.
pub fn delete(session: &Session, id: &ClientId) -> Result<()> {
    if session.dry_run().is_some() {
        return dry_run::delete(session, id);
    }
    guard::check(session, Deed::Grave, &format!("delete client `{id}`"))?;
    let deleted = session.wait(send(session, id, false));
    deleted.map_err(|error| match error.kind() {
        Kind::Interrupted => error.about(format!("client `{id}` may be deleted or not")),
        _ => error,
    })
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

/// The request that [`delete`] sends, as `--dry-run` shows it.
pub fn shown(session: &Session, id: &ClientId) -> Result<Value> {
    Ok(request::delete_client(id).shown(&session.admin_url()?))
}
