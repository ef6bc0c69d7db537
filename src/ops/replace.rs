//! Replacing a client by another document: what is not named is reset.

use serde_json::Value;

use crate::api::send::exchange;
use crate::api::{clients, refusal, request};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::compare;
use crate::model::fields::{FIELDS, Field, SetBy};
use crate::model::lint;
use crate::ops::guard::{self, Deed};
use crate::ops::update::{Updated, changes};
use crate::ops::{deliver, dry_run, mark};
use crate::session::Session;
use crate::session::hook::{self, Done, Moment, Planned};
use crate::session::written::Write;

/// A replacement that is ready to be sent.
#[derive(Debug)]
pub struct Replacement {
    id: ClientId,
    before: Client,
    spec: ClientSpec,
    /// The fields that the document names.
    named: Vec<&'static Field>,
}

/// Completes a document with the table's defaults and checks it.
///
/// Errors: no such client; a document of another; what lint finds wrong, unless it is switched off; a client that would
/// come to need a secret and is given none, as nobody would have it.
pub fn plan(session: &Session, id: &ClientId, spec: ClientSpec, no_lint: bool) -> Result<Replacement> {
    if spec.client_id()?.is_some_and(|named| named != *id) {
        return Err(Error::usage(format!("the document is of another client: its client_id is not `{id}`"))
            .hint("the server would ignore that, and write to the client that is named first"));
    }
    let before = hook::there(session, id, session.wait(clients::get(session, id)))?;
    let named = spec.given().collect();
    let mut spec = mark::keep(spec.with_defaults(), &before);
    if hook::is_at(session, Moment::BeforeUpdate) {
        // What is not named goes: hooks are to see that.
        for field in FIELDS.iter().filter(|field| field.set_by == SetBy::Caller && !field.secret) {
            let was = before.get(field.json).unwrap_or(&Value::Null);
            if spec.get(field.json).is_none() && !compare::is_same(field, &field.empty(), was) {
                spec.set(field, field.empty());
            }
        }
    }
    hook::before_one(session, Planned::Update(&before, &mut spec))?;
    spec.set_id(id);
    if spec.uses_secret() && !before.uses_secret() && spec.secret().is_none() {
        return Err(Error::usage(format!("client `{id}` had no secret of use, and the document names none"))
            .hint("name one, or let `update oauth2-client` make one"));
    }
    if !no_lint {
        let findings = lint::lint(&spec).into_iter().chain(hook::lint(session, &spec)?).collect();
        for finding in hook::judged(session, id.as_str(), findings)? {
            session.ui().warn(&finding.told());
        }
    }
    Ok(Replacement { id: id.clone(), before, spec, named })
}

impl Replacement {
    /// The request that would be sent, its secret redacted.
    pub fn shown(&self, session: &Session) -> Result<Value> {
        Ok(request::replace_client(&self.id, &self.spec).shown(&session.admin_url()?))
    }

    /// The client as it is, and the one that would take its place.
    pub fn would_be(&self) -> (&Client, &ClientSpec) {
        (&self.before, &self.spec)
    }

    /// The fields whose value goes, as the document does not name them.
    pub fn resets(&self) -> Vec<&'static Field> {
        let is_reset = |field: &&Field| {
            let is_named = self.named.iter().any(|named| named.json == field.json);
            let becomes = self.spec.get(field.json).unwrap_or(&Value::Null);
            !is_named && !compare::is_same(field, becomes, self.before.get(field.json).unwrap_or(&Value::Null))
        };
        FIELDS.iter().filter(|field| field.set_by == SetBy::Caller && !field.secret).filter(is_reset).collect()
    }
}

/// `PUT /admin/clients/{id}`. The document names all of the client, so that it may be sent again after a lost reply.
/// The hooks hear of it as of any change.
pub fn replace(session: &Session, replacement: Replacement) -> Result<Updated> {
    let id = replacement.id.clone();
    send(session, &replacement).map_err(|error| hook::failed(session, id.as_str(), error))
}

fn send(session: &Session, replacement: &Replacement) -> Result<Updated> {
    if session.dry_run().is_some() {
        let (client, changes) = dry_run::replace(session, replacement)?;
        return Ok(Updated { client, kept: None, changes, undelivered: None });
    }
    guard::check(session, Deed::Write, &format!("replace client `{}`", replacement.id))?;
    let about = format!("cannot replace client `{}`", replacement.id);
    let request = request::replace_client(&replacement.id, &replacement.spec);
    let unknown = |error: Error| {
        error
            .about(format!("it is not known whether client `{}` was replaced", replacement.id))
            .with_code("unknown_outcome")
    };
    let sent = session.wait(async { Ok(exchange(session, &request).await) }).map_err(unknown)?;
    let answer = match sent.result {
        Ok(answer) if answer.is_success() => answer,
        result => {
            let error =
                result.map_or_else(|error| error.about(&about), |answer| refusal::error(&answer, &request, &about));
            return Err(if sent.unsettled { unknown(error) } else { error });
        }
    };
    let mut client = clients::client(&answer, &about).map_err(unknown)?;
    session.wrote(|| Write::updated(&replacement.before, &client));
    let secret = replacement.spec.secret();
    let changes = changes(&replacement.before, &client, secret.is_some());
    if let Some(secret) = secret {
        client.set_secret(secret.clone());
    }
    let (kept, undelivered) = deliver::deliver(session, Done::Updated, &client, None, &[]);
    Ok(Updated { client, kept, changes, undelivered })
}
