//! Making clients exist as they are described: created where absent, changed where they differ, else left alone.

use std::collections::{BTreeSet, HashMap};

use crate::api::clients;
use crate::api::request::ListQuery;
use crate::api::tokens::{self, Verdict};
use crate::crypt::Recipient;
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::input::Entry;
use crate::model::{compare, lint};
use crate::ops::create::{self, Plan};
use crate::ops::mark;
use crate::ops::update::{self, Change, FieldChange, Update};
use crate::session::Session;
use crate::session::pages::Clients;
use crate::text::safe;

/// A page of 500 clients is worth so many that are fetched one by one.
const GETS_A_PAGE: usize = 10;

/// What has to be done for one client.
#[derive(Debug)]
pub enum Due {
    /// It is absent.
    Create(Plan),
    /// It differs.
    Change {
        /// What is sent for it.
        update: Update,
        /// What it is to be.
        set: ClientSpec,
    },
    /// It is as it should be.
    Nothing(ClientId),
    /// The set made it once, and does not describe it any more.
    Delete(ClientId),
}

/// How clients are to be applied.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Send what lint finds wrong, too.
    pub no_lint: bool,
    /// Whom new secrets are encrypted for, if anybody.
    pub recipients: Vec<Recipient>,
    /// The set that the clients belong to: those that it creates are marked with it, in their metadata.
    pub set: Option<String>,
    /// Set the secrets that are named where it cannot be told whether they are right already.
    pub set_secrets: bool,
    /// Delete the clients that the set made and does not describe any more.
    pub prune: bool,
}

impl Due {
    /// The client's id.
    pub fn id(&self) -> &str {
        self.client_id().as_str()
    }

    /// The same, checked.
    pub fn client_id(&self) -> &ClientId {
        match self {
            Due::Create(plan) => plan.id(),
            Due::Change { update, .. } => update.id(),
            Due::Nothing(id) | Due::Delete(id) => id,
        }
    }

    /// Whether a secret is encrypted for somebody.
    pub fn is_sealed(&self) -> bool {
        match self {
            Due::Create(plan) => plan.is_sealed(),
            Due::Change { update, .. } => update.is_sealed(),
            Due::Nothing(_) | Due::Delete(_) => false,
        }
    }

    /// What would change, field by field; of an absent client what would be set and is no default.
    pub fn changes(&self) -> Vec<FieldChange> {
        match self {
            Due::Change { update, .. } => update.changes(),
            Due::Create(plan) => plan.changes(),
            Due::Nothing(_) | Due::Delete(_) => Vec::new(),
        }
    }
}

/// Finds out what is due, in the order given; nothing is written. Every client has an id of its own.
///
/// A secret that is named for an existing client is set where it is proved to be wrong.
/// Errors: a client without an id, or two of one, with their places; what lint finds wrong.
pub fn plan(session: &Session, entries: Vec<Entry>, how: &How) -> Result<Vec<Due>> {
    let mut places: HashMap<&str, &str> = HashMap::new();
    for Entry { spec, at, place, .. } in &entries {
        let Some(id) = spec.id() else {
            let name = spec.name().map(|name| format!(" `{}`", safe(name))).unwrap_or_default();
            return Err(Error::usage(format!(
                "{place}: the client{name} has no client_id: it could not be found again"
            ))
            .hint("name one; `import oauth2-clients` makes clients without")
            .at(*at));
        };
        ClientId::parse(id).map_err(|error| error.about(place).at(*at))?;
        if let Some(first) = places.insert(id, place) {
            return Err(
                Error::usage(format!("{place}: client `{}` is described twice, first in {first}", safe(id))).at(*at)
            );
        }
    }
    let ids: BTreeSet<String> = places.into_keys().map(str::to_owned).collect();
    let mut found = existing(session, &ids)?;
    let due = |Entry { spec, at, place, .. }: Entry| {
        let before = spec.id().and_then(|id| found.remove(id));
        due(session, spec, before, how).map_err(|error| error.about(place).at(at))
    };
    let mut plan = entries.into_iter().map(due).collect::<Result<Vec<_>>>()?;
    if how.prune
        && let Some(set) = &how.set
    {
        let query = ListQuery { page_size: Some(500), ..ListQuery::default() };
        for client in Clients::new(session.clone(), query, true).ahead()? {
            let client = client?;
            if mark::of(&client).as_ref() == Some(set) && !ids.contains(client.id()) {
                plan.push(Due::Delete(client.client_id()?));
            }
        }
    }
    Ok(plan)
}

fn due(session: &Session, mut spec: ClientSpec, before: Option<Client>, how: &How) -> Result<Due> {
    let (no_lint, recipients) = (how.no_lint, how.recipients.clone());
    let id = spec.client_id()?.ok_or_else(|| Error::usage("a client has no client_id"))?;
    let about = |error: Error| error.about(format!("client `{id}`"));
    let Some(before) = before else {
        let spec = mark::put(spec, how.set.as_deref());
        let recipients = create::recipients_of(&spec, &recipients);
        let how = create::How { no_lint, recipients, ..create::How::default() };
        return Ok(Due::Create(create::plan(session, spec, &how).map_err(about)?));
    };
    spec = wanted(spec, &before);
    // Whether it is sent or not: it is wrong in either case.
    if spec.secret().is_some() && !no_lint {
        let findings = lint::lint(&spec).into_iter();
        lint::judge(findings.filter(|finding| finding.field == "client_secret").collect()).map_err(about)?;
    }
    if spec.secret().is_some() && before.uses_secret() && keeps_secret(session, &id, &spec, &before, how) {
        spec.remove_secret();
    }
    if spec.secret().is_none() && compare::differences(&spec, &before).is_empty() {
        return Ok(Due::Nothing(id));
    }
    let change = Change { set: spec.clone(), ..Change::default() };
    let how = update::How { no_lint, recipients };
    let update = update::plan_from(session, before, change, &how).map_err(about)?;
    // A hook may want it as it is.
    if update.is_empty() {
        return Ok(Due::Nothing(id));
    }
    Ok(Due::Change { update, set: spec })
}

/// Tries a secret that was just set, as it was held for another before. Warns where the public address does not take it.
pub fn confirm_secret(session: &Session, client: &Client) {
    let (Ok(id), Some(secret)) = (client.client_id(), client.secret()) else { return };
    if let Ok(Verdict::Wrong) = session.wait(tokens::prove(session, &id, secret, client.auth_method())) {
        session.ui().warn(&format!(
            "the secret of client `{id}` was set, and the public address does not take it: --public-endpoint may be of another server"
        ));
    }
}

/// What a file asks of a client that is there, so that it can be compared: `null` is what a client that is made gets, and a
/// mark stays where it is. A client that was there before is not taken into the set.
pub fn wanted(spec: ClientSpec, before: &Client) -> ClientSpec {
    mark::keep(spec.with_nulls_filled(), before)
}

/// Whether the secret that a file names stays as it is on the server: it is proved to be right, or it cannot be told
/// and is not to be set all the same.
fn keeps_secret(session: &Session, id: &ClientId, spec: &ClientSpec, before: &Client, how: &How) -> bool {
    let Some(secret) = spec.secret() else { return true };
    match session.wait(tokens::prove(session, id, secret, before.auth_method())) {
        Ok(Verdict::Right) => true,
        Ok(Verdict::Wrong) => false,
        Ok(Verdict::Unknown) | Err(_) if how.set_secrets => false,
        Ok(Verdict::Unknown) | Err(_) => {
            session.ui().warn(&format!(
                "whether the secret of client `{id}` is the one that is named cannot be told, and it stays as it is: \
                 --public-endpoint names the address to try it at, --set-secrets sets it on every run"
            ));
            true
        }
    }
}

/// Those of the clients that are there. Some pages of a list come cheaper than many clients one by one.
fn existing(session: &Session, ids: &BTreeSet<String>) -> Result<HashMap<String, Client>> {
    let mut found = HashMap::new();
    let mut missing: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    if ids.len() >= GETS_A_PAGE {
        let query = ListQuery { page_size: Some(500), ..ListQuery::default() };
        let mut clients = Clients::new(session.clone(), query, true).ahead()?;
        for (at, client) in clients.by_ref().enumerate() {
            let client = client?;
            let id = client.peek_id();
            if missing.remove(id.as_ref()) {
                found.insert(id.into_owned(), client);
            }
            let pages = at / 500 + 1;
            if missing.is_empty() || missing.len() < pages * GETS_A_PAGE && at % 500 == 499 {
                break;
            }
        }
        if clients.has_ended() {
            return Ok(found);
        }
    }
    for id in missing {
        if let Some(client) = session.wait(clients::get_opt(session, &ClientId::parse(id)?))? {
            found.insert(id.to_owned(), client);
        }
    }
    Ok(found)
}
