//! A new secret for a client, while the old one still counts: the server picks it, so that a lost reply loses it.
//!
//! Each rotation takes one of five places for old secrets, so that none is repeated without need: whether a lost one was
//! carried out is told by `updated_at`.

use std::time::Instant;

use serde_json::Value;

use crate::api::request::Request;
use crate::api::send::{Answer, Exchange, exchange};
use crate::api::{clients, refusal, request};
use crate::crypt::{Recipient, recipient};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::patch::Patch;
use crate::ops::guard::{self, Deed};
use crate::ops::keep::Kept;
use crate::ops::update::{self, Update};
use crate::ops::{deliver, dry_run};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::hook::{self, Done, Event, Moment, Planned};
use crate::session::written::Write;
use crate::ui::Mark;

/// What came of it.
#[derive(Debug)]
pub struct Rotated {
    /// The client with its new secret, encrypted if it is for somebody.
    pub client: Client,
    /// The file that keeps it until the result has reached its reader.
    pub kept: Option<Kept>,
    /// What went wrong as it was delivered.
    pub undelivered: Option<Error>,
}

/// The client, if it has a secret that can be rotated; nothing is sent but a GET.
///
/// Errors: no such client; one that signs in without a secret; recipients that cannot be encrypted for.
pub fn check(session: &Session, id: &ClientId, recipients: &[Recipient]) -> Result<Client> {
    hook::demand_whole(session)?;
    let client = hook::there(session, id, session.wait(clients::get(session, id)))?;
    rotatable(&client, recipients)?;
    Ok(client)
}

/// Errors: the client signs in without a secret; recipients that cannot be encrypted for.
pub fn rotatable(client: &Client, recipients: &[Recipient]) -> Result<()> {
    match client.auth_method() {
        "client_secret_basic" | "client_secret_post" => {}
        other => {
            return Err(Error::usage(format!(
                "client `{}` signs in by `{other}`: it has no secret to rotate",
                client.id()
            )));
        }
    }
    if !recipients.is_empty() {
        recipient::encrypt(recipients, &Secret::new("trial"))?;
    }
    Ok(())
}

/// `POST /admin/clients/{id}/secrets/rotate`, at most once more where a reply is lost after it was carried out.
///
/// `before` is what [`check`] gave. Errors: a server without that route (404); what is not known, with what to do;
/// before anything is sent, a state folder that could not keep the new secret.
pub fn rotate(session: &Session, before: Client, recipients: &[Recipient]) -> Result<Rotated> {
    let id = before.client_id()?;
    hook::demand_whole(session)?;
    send(session, before, recipients).map_err(|error| hook::failed(session, id.as_str(), error))
}

fn send(session: &Session, before: Client, recipients: &[Recipient]) -> Result<Rotated> {
    let id = before.client_id()?;
    if session.dry_run().is_some() {
        return dry_run::rotate(session, before);
    }
    guard::check(session, Deed::Grave, &format!("rotate the secret of client `{id}`"))?;
    Kept::rehearse()?;
    let about = format!("cannot rotate the secret of client `{id}`");
    let request = request::rotate_secret(&id);
    let mut lost = 0;
    loop {
        let began = Instant::now();
        let Exchange { result, unsettled, .. } = match session.wait(async { Ok(exchange(session, &request).await) }) {
            Ok(sent) => sent,
            Err(interrupted) => return Err(unknown(interrupted, &id)),
        };
        let error = match result {
            Ok(answer) if answer.is_success() => match clients::client(&answer, &about) {
                Ok(client) => return keep(session, client, recipients),
                Err(error) => error,
            },
            Ok(answer) if answer.status == 404 && !unsettled => return Err(absent(&answer, &request, &about)),
            Ok(answer) if !unsettled => return Err(refusal::error(&answer, &request, &about)),
            Ok(answer) => refusal::error(&answer, &request, &about),
            Err(error) if !unsettled => return Err(error.about(&about)),
            Err(error) => error,
        };
        lost += 1;
        if lost > 1 {
            return Err(unknown(error, &id));
        }
        // What is still on its way would come after the look, and take a second place for old secrets.
        let rest = session.settings().policy.timeout.saturating_sub(began.elapsed());
        session.ui().note(&format!(
            "the reply was lost: waiting {} s until the server has settled whether client `{id}` got a new secret",
            rest.as_secs_f32().ceil()
        ));
        let now = session.wait(async {
            tokio::time::sleep(rest).await;
            clients::get(session, &id).await
        });
        let Ok(now) = now else { return Err(unknown(error, &id)) };
        session.ui().warn(&if now.text("updated_at") == before.text("updated_at") {
            format!("client `{id}` is as it was: rotating again")
        } else {
            format!("client `{id}` got a new secret, which nobody has: rotating once more")
        });
    }
}

/// A 404: there is no such client any more, or the page of a router that knows no such route.
fn absent(answer: &Answer, request: &Request, about: &str) -> Error {
    if serde_json::from_slice::<Value>(&answer.body).is_ok() {
        return refusal::error(answer, request, about);
    }
    Error::failed(format!("{about}: the server is older than the rotation of secrets (HTTP 404)"))
        .with_status(404)
        .hint("--cut-over sets a new secret, and the old one ends at once")
}

fn keep(session: &Session, mut client: Client, recipients: &[Recipient]) -> Result<Rotated> {
    let id = client.client_id()?;
    session.wrote(|| Write::ForGood(Done::Rotated, id.clone()));
    let Some(secret) = client.secret().cloned() else {
        return Err(Error::failed(format!(
            "the server rotated the secret of client `{id}` and does not tell the new one"
        ))
        .hint("the old one still counts"));
    };
    let secret = if recipients.is_empty() { secret } else { recipient::encrypt(recipients, &secret)? };
    let owners: Vec<_> = recipients.iter().map(Recipient::fingerprint).collect();
    // It is on its way to its reader from here on; a file that cannot be written must not take it away.
    let kept = match Kept::write(&id, &secret, &owners, &session.server()?) {
        Ok(kept) => Some(kept),
        Err(error) => {
            session.ui().warn(&error.about("the new secret is not kept on disk").full_message());
            None
        }
    };
    client.set_secret(secret);
    let (kept, undelivered) = deliver::deliver(session, Done::Rotated, &client, kept, recipients);
    Ok(Rotated { client, kept, undelivered })
}

fn unknown(error: Error, id: &ClientId) -> Error {
    error
        .about(format!("it is not known whether the secret of client `{id}` was rotated"))
        .with_code("unknown_outcome")
        .hint("the old secret still counts; rotate again for a new one")
}

/// The change that sets a secret that is chosen here; the old one, and those rotated out before, end at once. Whoever hears of changes
/// is asked as for any, and hears of a rotation.
pub fn cut_over(session: &Session, before: Client, recipients: &[Recipient]) -> Result<Update> {
    let (mut patch, secret) = (Patch::new(), Secret::generate()?);
    let mut set = ClientSpec::new();
    set.set_secret(secret.clone());
    let asked = set.clone();
    hook::before_one(session, Planned::Update(&before, &mut set))?;
    if set.document() != asked.document() {
        return Err(Error::usage("a plugin would change more than the secret of the client")
            .hint("`update oauth2-client` sets fields"));
    }
    patch.set_secret(secret);
    Ok(update::plan_secret(before, patch, recipients)?.that_rotates())
}

/// `DELETE /admin/clients/{id}/secrets/rotate`: the secrets that were rotated out end.
pub fn drop_old(session: &Session, id: &ClientId) -> Result<()> {
    hook::demand_whole(session)?;
    ask_of_end(session, id)?;
    if dry_run::would(session, Mark::Removed, &format!("the old secrets of client `{id}` end"))? {
        return Ok(());
    }
    guard::check(session, Deed::Grave, &format!("end the old secrets of client `{id}`"))?;
    let about = format!("cannot drop the old secrets of client `{id}`");
    let request = request::drop_rotated(id);
    let dropped = session.wait(async {
        let answer = exchange(session, &request).await.result.map_err(|error| error.about(&about))?;
        match answer.status {
            404 => Err(absent(&answer, &request, &about)),
            _ if answer.is_success() => Ok(()),
            _ => Err(refusal::error(&answer, &request, &about)),
        }
    });
    dropped.map_err(|error| hook::failed(session, id.as_str(), error))?;
    tell_of_end(session, id)
}

/// Asks whoever is asked of changes. Errors: one of them refuses that secrets end, or would change the client.
fn ask_of_end(session: &Session, id: &ClientId) -> Result<()> {
    if !hook::is_at(session, Moment::BeforeUpdate) {
        return Ok(());
    }
    let client = hook::there(session, id, session.wait(clients::get(session, id)))?;
    let mut set = ClientSpec::new();
    hook::before_one(session, Planned::Update(&client, &mut set))?;
    if set.document() == ClientSpec::new().document() {
        return Ok(());
    }
    Err(Error::usage("a plugin would change the client, of which old secrets end and nothing else")
        .hint("`update oauth2-client` sets fields"))
}

/// Tells whoever hears of changes that secrets have ended. Errors: one of them has not heard of it.
fn tell_of_end(session: &Session, id: &ClientId) -> Result<()> {
    if !hook::is_wanted(session, &Event { done: Done::Updated, client: Client::default() }) {
        return Ok(());
    }
    let client = session.wait(clients::get(session, id))?;
    let (_, undelivered) = deliver::deliver(session, Done::Updated, &client, None, &[]);
    undelivered.map_or(Ok(()), Err)
}
