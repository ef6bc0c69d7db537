//! `clients::`: the API for OAuth 2.0 clients, thin over what the commands use.

use rhai::{Array, Dynamic, Engine, Map, Module, NativeCallContext as Call};

use crate::api;
use crate::api::request::ListQuery;
use crate::error::{Error, Result, nearest};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::ops;
use crate::ops::create::How;
use crate::script::create_all::create_all;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::held::Held;
use crate::script::{recipients, value};
use crate::session::Session;
use crate::session::pages::Clients;

/// The module, bound to a session.
pub fn module(context: &Context) -> Module {
    let mut module = Module::new();
    let bound = context.clone();
    module
        .set_native_fn("create", move |call: Call<'_>, map: Map| placed(&call, create_for(&bound, &map, &Map::new())));
    let bound = context.clone();
    module.set_native_fn("create", move |call: Call<'_>, map: Map, options: Map| {
        placed(&call, create_for(&bound, &map, &options))
    });
    let bound = context.clone();
    module.set_native_fn("create_all", move |call: Call<'_>, rows: Array| {
        placed(&call, create_all(&bound, &rows, &Map::new()))
    });
    let bound = context.clone();
    module.set_native_fn("create_all", move |call: Call<'_>, rows: Array, options: Map| {
        placed(&call, create_all(&bound, &rows, &options))
    });
    let session = context.host.session.clone();
    module.set_native_fn("get", move |call: Call<'_>, id: &str| placed(&call, get(&session, id)));
    let session = context.host.session.clone();
    module.set_native_fn("find", move |call: Call<'_>, id: &str| placed(&call, find(&session, id)));
    let bound = context.clone();
    module.set_native_fn("delete", move |call: Call<'_>, id: &str| placed(&call, delete(&bound, id)));
    let session = context.host.session.clone();
    module.set_native_fn("list", move || Ok(Query { session: session.clone(), query: all() }));
    let session = context.host.session.clone();
    module.set_native_fn("list", move |call: Call<'_>, filter: Map| placed(&call, filtered(&session, &filter)));
    module
}

/// Rhai leaves the errors of a module's functions without a place: it is that of the call.
fn placed<T>(call: &Call<'_>, result: ScriptResult<T>) -> ScriptResult<T> {
    result.map_err(|mut error| {
        if error.position().is_none() {
            error.set_position(call.call_position());
        }
        error
    })
}

/// `clients::create(map) -> Client`: the map's fields are the field table's, with the same defaults as flags.
/// `clients::create(map, options)`: the secret is encrypted for whom the options name, and is the ciphertext from then on.
fn create_for(context: &Context, map: &Map, options: &Map) -> ScriptResult<Client> {
    let fields = value::fields_of(map)?;
    let made = || {
        let session = &context.host.session;
        let spec = spec_of(fields)?;
        let wanted = recipients::wanted(options, "clients::create", &[])?;
        let how = How { recipients: ops::recipients::load(session, &wanted)?, ..How::default() };
        let plan = ops::create::plan(session, spec, &how)?;
        ops::recipients::tell(session, &how.recipients);
        ops::create::create(session, plan, &how)
    };
    let created = made().map_err(thrown)?;
    if let Some(error) = created.undelivered {
        context.host.session.ui().error(&error);
    }
    if let Some(kept) = created.kept {
        context.hold(Held::file(kept));
    }
    Ok(created.client)
}

/// What a map of fields asks for. Errors are of usage: a field that there is not, or that only the server sets.
pub fn spec_of(fields: serde_json::Map<String, serde_json::Value>) -> Result<ClientSpec> {
    let (spec, left_out) = ClientSpec::from_object(fields)?;
    if !left_out.is_empty() {
        return Err(Error::usage(format!("only the server sets {}", left_out.join(", "))));
    }
    Ok(spec)
}

/// `clients::get(id) -> Client`. Throws `#{status: 404, …}` when there is none.
fn get(session: &Session, id: &str) -> ScriptResult<Client> {
    let client = || session.wait(api::clients::get(session, &ClientId::parse(id)?));
    client().map_err(thrown)
}

/// `clients::find(id) -> Client or ()`.
fn find(session: &Session, id: &str) -> ScriptResult<Dynamic> {
    let client = || session.wait(api::clients::get_opt(session, &ClientId::parse(id)?));
    Ok(client().map_err(thrown)?.map_or(Dynamic::UNIT, Dynamic::from))
}

/// `clients::delete(id)`. Throws `#{status: 404, …}` when there is none.
fn delete(context: &Context, id: &str) -> ScriptResult<()> {
    let deleted = || {
        let id = ClientId::parse(id)?;
        ops::delete::delete(&context.host.session, &id)?;
        context.forget(&id)
    };
    deleted().map_err(thrown)
}

/// `clients::list()`, `clients::list(#{client_name, owner, page_size})`: what a `for` fetches page by page.
#[derive(Clone)]
pub struct Query {
    session: Session,
    query: ListQuery,
}

fn all() -> ListQuery {
    ListQuery { page_size: Some(500), ..ListQuery::default() }
}

fn filtered(session: &Session, filter: &Map) -> ScriptResult<Query> {
    let query = || -> Result<ListQuery> {
        let mut query = all();
        for (key, value) in filter {
            let text =
                || value.clone().into_string().map_err(|kind| Error::usage(format!("`{key}` wants text, not {kind}")));
            match key.as_str() {
                "client_name" => query.name = Some(text()?),
                "owner" => query.owner = Some(text()?),
                "page_size" => {
                    let size = value
                        .as_int()
                        .ok()
                        .and_then(|size| u32::try_from(size).ok())
                        .filter(|size| (1..=500).contains(size));
                    query.page_size =
                        Some(size.ok_or_else(|| Error::usage("`page_size` wants a number from 1 to 500"))?);
                }
                other => {
                    let known = ["client_name", "owner", "page_size"];
                    return Err(Error::usage(format!("a list has no filter `{other}`"))
                        .did_you_mean(nearest(other, known))
                        .hint(format!("the server filters by {}", known.join(", "))));
                }
            }
        }
        Ok(query)
    };
    Ok(Query { session: session.clone(), query: query().map_err(thrown)? })
}

impl Query {
    /// The clients, fetched as they are pulled.
    pub fn clients(&self) -> Clients {
        Clients::new(self.session.clone(), self.query.clone(), true)
    }
}

/// Makes a query something that `for` goes through, fetching as it gets there.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Query>("Clients")
        .register_fn("to_string", |_: &mut Query| "clients::list(…)".to_owned())
        .register_fn("to_debug", |_: &mut Query| "clients::list(…)".to_owned());
    engine.register_iterator_result::<Query, Dynamic>();
}

impl IntoIterator for Query {
    type Item = ScriptResult<Dynamic>;
    type IntoIter = std::iter::Map<Clients, fn(Result<Client>) -> ScriptResult<Dynamic>>;

    fn into_iter(self) -> Self::IntoIter {
        self.clients().map(|client| client.map(Dynamic::from).map_err(thrown))
    }
}
