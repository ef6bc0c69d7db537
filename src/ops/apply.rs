//! Making clients exist as they are described: created where absent, changed where they differ, else left alone.

use std::collections::{BTreeSet, HashMap};

use crate::api::clients;
use crate::api::request::ListQuery;
use crate::api::tokens::{self, Verdict};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::fields;
use crate::ops::create::{self, Plan};
use crate::ops::update::{self, Change, FieldChange, Update};
use crate::session::Session;
use crate::session::pages::Clients;

/// From so many clients on they are listed, not fetched one by one.
const MANY: usize = 20;

/// What has to be done for one client.
#[derive(Debug)]
pub enum Due {
    /// It is absent.
    Create(Plan),
    /// It differs.
    Change(Update),
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
    /// The set that the clients belong to: those that it creates are marked with it, in their metadata.
    pub set: Option<String>,
    /// Delete the clients that the set made and does not describe any more.
    pub prune: bool,
}

/// The member of the metadata that holds the name of the set.
pub const MARK: &str = "orysh_set";

impl Due {
    /// The client's id.
    pub fn id(&self) -> &str {
        match self {
            Due::Create(plan) => plan.id().as_str(),
            Due::Change(update) => update.before().id(),
            Due::Nothing(id) | Due::Delete(id) => id.as_str(),
        }
    }

    /// What would change, field by field; of an absent client nothing is told.
    pub fn changes(&self) -> Vec<FieldChange> {
        match self {
            Due::Change(update) => update.changes(),
            Due::Create(_) | Due::Nothing(_) | Due::Delete(_) => Vec::new(),
        }
    }
}

/// Finds out what is due, in the order given; nothing is written. Every specification has an id of its own.
///
/// A secret that is named for an existing client is set unless it is proved to be right already.
/// Errors: a specification without an id, or two of one; what lint finds wrong.
pub fn plan(session: &Session, specs: Vec<ClientSpec>, how: &How) -> Result<Vec<Due>> {
    let mut ids = BTreeSet::new();
    for (at, spec) in specs.iter().enumerate() {
        let Some(id) = spec.client_id()? else {
            let name = spec.name().map(|name| format!(" (`{name}`)")).unwrap_or_default();
            return Err(Error::usage(format!("client {}{name} has no client_id: it could not be found again", at + 1))
                .hint("name one; `import oauth2-clients` makes clients without"));
        };
        if !ids.insert(id.as_str().to_owned()) {
            return Err(Error::usage(format!("client `{id}` is described twice")));
        }
    }
    let mut found = existing(session, &ids)?;
    let mut plan = specs.into_iter().map(|spec| due(session, spec, &mut found, how)).collect::<Result<Vec<_>>>()?;
    if how.prune
        && let Some(set) = &how.set
    {
        for client in Clients::new(session.clone(), ListQuery { page_size: Some(500), ..ListQuery::default() }, true) {
            let client = client?;
            if mark(&client) == Some(set) && !ids.contains(client.id()) {
                plan.push(Due::Delete(client.client_id()?));
            }
        }
    }
    Ok(plan)
}

/// The set that made a client.
fn mark(client: &Client) -> Option<&str> {
    client.get("metadata")?.get(MARK)?.as_str()
}

/// The same with the mark of a set in its metadata, where those are not named or an object.
fn marked(mut spec: ClientSpec, set: Option<&str>) -> ClientSpec {
    if let (Some(set), Some(field)) = (set, fields::field("metadata")) {
        let mut metadata = spec.get("metadata").cloned().unwrap_or_else(|| field.empty());
        if let Some(members) = metadata.as_object_mut() {
            members.insert(MARK.into(), set.into());
            spec.set(field, metadata);
        }
    }
    spec
}

fn due(session: &Session, mut spec: ClientSpec, found: &mut HashMap<String, Client>, how: &How) -> Result<Due> {
    let no_lint = how.no_lint;
    let id = spec.client_id()?.ok_or_else(|| Error::usage("a client has no client_id"))?;
    let about = |error: Error| error.about(format!("client `{id}`"));
    let Some(before) = found.remove(id.as_str()) else {
        let spec = marked(spec, how.set.as_deref());
        let how = create::How { no_lint, ..create::How::default() };
        return Ok(Due::Create(create::plan(session, spec, &how).map_err(about)?));
    };
    if let Some(secret) = spec.secret() {
        let verdict = session.wait(tokens::prove(session, &id, secret, before.auth_method()));
        if matches!(verdict, Ok(Verdict::Right)) {
            spec.remove_secret();
        }
    }
    // A mark stays where it is; a client that was there before is not taken into the set.
    if spec.get("metadata").is_some() {
        spec = marked(spec, mark(&before));
    }
    let change = Change { set: spec, ..Change::default() };
    let how = update::How { no_lint, ..update::How::default() };
    let update = update::plan_from(session, before, change, &how).map_err(about)?;
    Ok(if update.is_empty() { Due::Nothing(id) } else { Due::Change(update) })
}

/// Those of the clients that are there. Lists come in the order of ids, so that the rest need not be listed.
fn existing(session: &Session, ids: &BTreeSet<String>) -> Result<HashMap<String, Client>> {
    let mut found = HashMap::new();
    let Some(last) = ids.last() else { return Ok(found) };
    if ids.len() < MANY {
        for id in ids {
            if let Some(client) = session.wait(clients::get_opt(session, &ClientId::parse(id)?))? {
                found.insert(id.clone(), client);
            }
        }
        return Ok(found);
    }
    let query = ListQuery { page_size: Some(500), ..ListQuery::default() };
    for client in Clients::new(session.clone(), query, true) {
        let client = client?;
        if ids.contains(client.id()) {
            found.insert(client.id().to_owned(), client);
            if found.len() == ids.len() {
                break;
            }
        } else if client.id() > last.as_str() && is_ordered(ids) {
            break;
        }
    }
    Ok(found)
}

/// Whether every database puts these ids in the same order as here: collations differ in all but the plainest.
fn is_ordered(ids: &BTreeSet<String>) -> bool {
    ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}
