//! Deleting a client.

use crate::api::send::exchange;
use crate::api::{refusal, request};
use crate::error::Result;
use crate::model::client::ClientId;
use crate::session::Session;

/// `DELETE /admin/clients/{id}`. A 404 is an error, unless a reply was lost before it: then it is done.
pub fn delete(session: &Session, id: &ClientId) -> Result<()> {
    session.wait(async {
        let about = format!("cannot delete client `{id}`");
        let request = request::delete_client(id);
        let sent = exchange(session, &request).await;
        let answer = sent.result.map_err(|error| error.about(&about))?;
        if answer.is_success() || (answer.status == 404 && sent.unsettled) {
            Ok(())
        } else {
            Err(refusal::error(&answer, &request, &about))
        }
    })
}
