//! Taking away what clients and people were given: tokens and consent.

use crate::api::request;
use crate::api::send::ask;
use crate::error::Result;
use crate::model::client::ClientId;
use crate::ops::dry_run;
use crate::ops::guard::{self, Deed};
use crate::session::Session;
use crate::ui::Mark;

/// `DELETE /admin/oauth2/tokens`: every opaque access token and refresh token of a client.
pub fn delete_all(session: &Session, id: &ClientId) -> Result<()> {
    if dry_run::would(session, Mark::Removed, &format!("every token of client `{id}` is deleted"))? {
        return Ok(());
    }
    guard::check(session, Deed::Grave, &format!("delete every token of client `{id}`"))?;
    let about = format!("cannot delete the tokens of client `{id}`");
    session.wait(ask(session, &request::delete_tokens(id), &about)).map(drop)
}

/// `DELETE /admin/oauth2/auth/sessions/consent`: what a subject has consented to, for one client or all.
pub fn withdraw_consent(session: &Session, subject: &str, client: Option<&ClientId>) -> Result<()> {
    if dry_run::would(session, Mark::Removed, &format!("the consent of `{subject}` is revoked"))? {
        return Ok(());
    }
    guard::check(session, Deed::Grave, &format!("revoke the consent of `{subject}`"))?;
    let about = format!("cannot revoke the consent of `{subject}`");
    session.wait(ask(session, &request::revoke_consent(subject, client), &about)).map(drop)
}
