//! Replacing a client by another document: what is not named is reset.

use serde_json::Value;

use crate::api::send::ask;
use crate::api::{clients, request};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::compare;
use crate::model::fields::{FIELDS, Field, SetBy};
use crate::model::lint;
use crate::ops::update::{FieldChange, changes};
use crate::session::Session;

/// A replacement that is ready to be sent.
#[derive(Debug)]
pub struct Replacement {
    id: ClientId,
    before: Client,
    spec: ClientSpec,
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
    let before = session.wait(clients::get(session, id))?;
    let mut spec = spec.with_defaults();
    spec.set_id(id);
    if spec.uses_secret() && !before.to_spec().uses_secret() && spec.secret().is_none() {
        return Err(Error::usage(format!("client `{id}` had no secret of use, and the document names none"))
            .hint("name one, or let `update oauth2-client` make one"));
    }
    if !no_lint {
        for finding in lint::judge(lint::lint(&spec))? {
            session.ui().warn(&finding.told());
        }
    }
    Ok(Replacement { id: id.clone(), before, spec })
}

impl Replacement {
    /// The request that would be sent, its secret redacted.
    pub fn shown(&self, session: &Session) -> Result<Value> {
        Ok(request::replace_client(&self.id, &self.spec).shown(&session.admin_url()?))
    }

    /// The fields that have a value now and that the document does not name.
    pub fn resets(&self) -> Vec<&'static Field> {
        let is_reset = |field: &&Field| {
            let was = self.before.get(field.json).unwrap_or(&Value::Null);
            !compare::is_empty(was) && self.spec.get(field.json).is_none()
        };
        FIELDS.iter().filter(|field| field.set_by == SetBy::Caller && !field.secret).filter(is_reset).collect()
    }
}

/// `PUT /admin/clients/{id}`. The document names all of the client, so that it may be sent again after a lost reply.
pub fn replace(session: &Session, replacement: Replacement) -> Result<(Client, Vec<FieldChange>)> {
    let about = format!("cannot replace client `{}`", replacement.id);
    let request = request::replace_client(&replacement.id, &replacement.spec);
    let answer = session.wait(ask(session, &request, &about))?;
    let mut client = clients::client(&answer, &about)?;
    let secret = replacement.spec.secret();
    let changes = changes(&replacement.before, &client, secret.is_some());
    if let Some(secret) = secret {
        client.set_secret(secret.clone());
    }
    Ok((client, changes))
}
