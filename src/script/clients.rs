//! `clients::`: the API for OAuth 2.0 clients, thin over what the commands use.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext as Call};

use crate::api;
use crate::api::request::ListQuery;
use crate::error::{Error, Result, nearest};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::lint;
use crate::ops;
use crate::ops::create::{Created, How};
use crate::ops::keep::Kept;
use crate::ops::rotate::Rotated;
use crate::ops::update::{Change, Updated};
use crate::script::apply::apply;
use crate::script::create_all::create_all;
use crate::script::engine::Context;
use crate::script::errors::{self, ScriptResult, Spot, thrown, thrown_of};
use crate::script::held::Held;
use crate::script::library::Library;
use crate::script::missing::named;
use crate::script::rows::{self, Fetched};
use crate::script::{recipients, value};
use crate::session::pages::Clients;
use crate::session::{Session, hook};
use crate::ui::Ui;

/// The options of `clients::create` beside those that say whom its secret is for.
pub const OPTIONS: [&str; 1] = ["no_lint"];

/// Registers the module, bound to a session, and what `for` goes through.
pub fn register(library: &mut Library, engine: &mut Engine, context: &Context) {
    rows::register::<Query>(engine);
    let bound = context.clone();
    library.add(
        ("clients", "create(fields) -> Client"),
        (
            "Makes a client; fields, defaults and checks are those of the command",
            r#"clients::create(#{client_name: "app"}).client_id"#,
        ),
        move |map: Map| create_for(&bound, &map, &Map::new()),
    );
    let bound = context.clone();
    library.add(
        ("clients", "create(fields, options) -> Client"),
        (
            "The same, whose secret is encrypted for whom the options name: pgp_key, pgp_key_url, keybase, pgp_fingerprint; with `no_lint: true` unchecked",
            r#"clients::create(#{client_name: "app"}, #{}).client_id"#,
        ),
        move |map: Map, options: Map| create_for(&bound, &map, &options),
    );
    let bound = context.clone();
    library.add(
        ("clients", "create_all(rows) -> array"),
        (
            "Makes a client for each map, each exactly once: `#{row, outcome, client, error}` for each; to try again those that failed, give them alone",
            r#"clients::create_all([#{owner: "a"}, #{owner: "b"}]).map(|row| row.outcome)"#,
        ),
        move |rows: Array| create_all(&bound, &rows, &Map::new()),
    );
    let bound = context.clone();
    library.add(
        ("clients", "create_all(rows, options) -> array"),
        (
            "The same with the options of `create`, and concurrency, rate, no_lint",
            r#"clients::create_all([#{owner: "c"}], #{rate: "300/min"}).len()"#,
        ),
        move |rows: Array, options: Map| create_all(&bound, &rows, &options),
    );
    let bound = context.clone();
    library.add(
        ("clients", "get(id) -> Client"),
        (
            "A client by its id; it is an error with `status` 404 where there is none",
            "clients::get(clients::create(#{}).client_id).scope",
        ),
        move |id: &str| get(&bound.session(), id),
    );
    let bound = context.clone();
    library.add(
        ("clients", "find(id) -> Client"),
        ("A client by its id; `()` where there is none", r#"clients::find("nobody") == ()"#),
        move |id: &str| find(&bound.session(), id),
    );
    let bound = context.clone();
    library.add(
        ("clients", "list() -> clients"),
        ("All clients, fetched as a `for` gets to them", "for c in clients::list() { print(c.client_id) }"),
        move |call: Call<'_>| Query::of(&bound, all(), Spot::of(&call)),
    );
    let bound = context.clone();
    library.add(
        ("clients", "list(filter) -> clients"),
        (
            "Those of a name or an owner: `#{client_name, owner, page_size}`",
            r#"for c in clients::list(#{owner: "a"}) { print(c.client_id) }"#,
        ),
        move |call: Call<'_>, filter: Map| filtered(&bound, &filter, Spot::of(&call)),
    );
    let bound = context.clone();
    library.add(
        ("clients", "apply(rows) -> array"),
        (
            "Clients exist as maps describe them, by `client_id`; a second time nothing is changed",
            r#"clients::apply([#{client_id: "shop", owner: "a"}]).map(|row| row.action)"#,
        ),
        move |rows: Array| apply(&bound, &rows, &Map::new()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("clients", "apply(rows, options) -> array"),
        (
            "Clients exist as maps describe them, by `client_id`: `#{client_id, action, fields, changes, client_secret}` for each; options are those of `create`, and set, prune, set_secrets, no_lint",
            r#"clients::apply([#{client_id: "shop", owner: "a"}], #{set: "ours"}).map(|row| row.action)"#,
        ),
        move |rows: Array, options: Map| apply(&bound, &rows, &options).map_err(thrown),
    );
    changing(library, context);
}

fn changing(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("clients", "update(id, fields) -> Client"),
        (
            "Changes exactly the fields that are named",
            r#"clients::update(clients::create(#{}).client_id, #{owner: "a"}).owner"#,
        ),
        move |id: &str, map: Map| update(&bound, id, &map),
    );
    let bound = context.clone();
    library.add(
        ("clients", "update(client) -> Client"),
        (
            "Sends what was changed about a client: `c.owner = \"a\"`",
            r#"let c = clients::create(#{}); c.owner = "a"; clients::update(c).owner"#,
        ),
        move |client: Client| change_read(&bound, &client),
    );
    let bound = context.clone();
    library.add(
        ("clients", "replace(id, fields) -> Client"),
        (
            "Replaces a client as a whole: what is not named is as in a new one",
            r#"clients::replace(clients::create(#{}).client_id, #{owner: "a"}).owner"#,
        ),
        move |id: &str, map: Map| replace(&bound, id, &map),
    );
    let bound = context.clone();
    library.add(
        ("clients", "rotate_secret(id) -> Client"),
        (
            "Gives a client a new secret, while the old one still counts",
            "clients::rotate_secret(clients::create(#{}).client_id).client_secret",
        ),
        move |id: &str| rotate(&bound, id, &Map::new()),
    );
    let bound = context.clone();
    library.add(
        ("clients", "rotate_secret(id, options) -> Client"),
        (
            "The same, whose secret is encrypted for whom the options name, as with `create`",
            "clients::rotate_secret(clients::create(#{}).client_id, #{}).client_secret",
        ),
        move |id: &str, options: Map| rotate(&bound, id, &options),
    );
    let bound = context.clone();
    library.add(
        ("clients", "drop_old_secrets(id)"),
        (
            "Ends the secrets that were rotated out",
            "let c = clients::rotate_secret(clients::create(#{}).client_id); clients::drop_old_secrets(c.client_id)",
        ),
        move |id: &str| drop_old(&bound, id).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("clients", "delete(id)"),
        (
            "Deletes a client; it is an error with `status` 404 where there is none",
            "clients::delete(clients::create(#{}).client_id)",
        ),
        move |id: &str| delete(&bound, id),
    );
    let of_lint = context.clone();
    library.add(
        ("clients", "lint(fields) -> array"),
        (
            "What is wrong or doubtful about fields: `#{field, message, is_wrong}` for each",
            r#"clients::lint(#{redirect_uris: ["not an address"]})"#,
        ),
        move |map: Map| findings(&of_lint, &map),
    );
}

/// `clients::create(map) -> Client`: the map's fields are the field table's, with the same defaults as flags.
/// `clients::create(map, options)`: the secret is encrypted for whom the options name, and is the ciphertext from then on.
fn create_for(context: &Context, map: &Map, options: &Map) -> ScriptResult<Client> {
    let fields = value::fields_of(map)?;
    let made = || {
        let session = &context.session();
        let spec = spec_of(fields)?;
        let wanted = recipients::wanted(context, options, "clients::create", &OPTIONS)?;
        let no_lint = value::switch(options, "no_lint")?;
        let how = How { no_lint, recipients: ops::recipients::load(session, &wanted)?, ..How::default() };
        let plan = ops::create::plan(session, spec, &how)?;
        ops::recipients::tell(session, &how.recipients);
        let is_new = plan.secret_is_ours();
        let Created { client, mut kept, undelivered } = ops::create::create(session, plan, &how)?;
        // One that the script named is where it has it from.
        if !is_new && undelivered.is_none() {
            kept.take().map_or(Ok(()), Kept::discard)?;
        }
        Ok(Created { client, kept, undelivered })
    };
    let Created { client, kept, undelivered } = made().map_err(thrown)?;
    Ok(written(context, client, kept, undelivered, true))
}

/// A client that was written: its secret is kept until it was shown, and what went wrong with handing it over is told.
fn written(context: &Context, client: Client, kept: Option<Kept>, undelivered: Option<Error>, is_new: bool) -> Client {
    if let Some(error) = undelivered {
        context.session().ui().error(&error);
        context.not_delivered();
    }
    if let Some(kept) = kept {
        context.hold(Held::file(&context.session(), kept));
    }
    noted(&context.session(), client, is_new)
}

/// What a map of fields asks for. Errors are of usage: a field that there is not, or that only the server sets.
fn spec_of(fields: serde_json::Map<String, serde_json::Value>) -> Result<ClientSpec> {
    let (spec, left_out) = ClientSpec::from_object(fields)?;
    if !left_out.is_empty() {
        let error = Error::usage(format!("only the server sets {}", left_out.join(", ")));
        return Err(error.hint("to_fields() of a client gives those that make another"));
    }
    Ok(spec)
}

/// The same of a row of a list. Errors: it is no map, or one of those of [`spec_of`].
pub fn spec_of_row(row: &Dynamic) -> Result<ClientSpec> {
    if row.is::<Client>() {
        return Err(
            Error::usage("a map of fields is due, not a client").hint("to_fields() gives those that make another")
        );
    }
    let map = row.read_lock::<Map>();
    let map = map.ok_or_else(|| Error::usage(format!("a map of fields is due, not {}", named(row.type_name()))))?;
    spec_of(value::fields_of(&map).map_err(|error| errors::message(&error))?)
}

fn update(context: &Context, id: &str, map: &Map) -> ScriptResult<Client> {
    let fields = value::fields_of(map)?;
    spec_of(fields).map_err(thrown).and_then(|set| change(context, id, set))
}

/// A client goes back to where it was read, and nowhere else.
fn change_read(context: &Context, client: &Client) -> ScriptResult<Client> {
    let here = context.session().chosen().map_err(thrown)?.place();
    if let Some(place) = client.place().filter(|place| *place != here) {
        let wrong = format!("client `{}` was read from {place}, and the script acts on {here} now", client.id());
        return Err(thrown(
            Error::usage(wrong).hint("change it where it was read, or name its id: clients::update(id, fields)"),
        ));
    }
    change(context, client.id(), client.changes())
}

/// As a script gets to see it; `is_its`: it has just made it.
fn noted(session: &Session, client: Client, is_its: bool) -> Client {
    let client = client.seen(|document| session.seen(document, is_its));
    match session.chosen() {
        Ok(chosen) => client.at(&chosen.place()),
        Err(_) => client,
    }
}

fn change(context: &Context, id: &str, set: ClientSpec) -> ScriptResult<Client> {
    let updated = || {
        let session = &context.session();
        let change = Change { set, ..Change::default() };
        let how = ops::update::How::default();
        ops::update::update(session, ops::update::plan(session, &ClientId::parse(id)?, change, &how)?)
    };
    let Updated { client, kept, undelivered, .. } = updated().map_err(thrown)?;
    Ok(written(context, client, kept, undelivered, false))
}

fn replace(context: &Context, id: &str, map: &Map) -> ScriptResult<Client> {
    let fields = value::fields_of(map)?;
    let replaced = || {
        let session = &context.session();
        let planned = ops::replace::plan(session, &ClientId::parse(id)?, spec_of(fields)?, false)?;
        ops::replace::replace(session, planned)
    };
    let Updated { client, kept, undelivered, .. } = replaced().map_err(thrown)?;
    Ok(written(context, client, kept, undelivered, false))
}

fn drop_old(context: &Context, id: &str) -> Result<()> {
    ops::rotate::drop_old(&context.session(), &ClientId::parse(id)?)
}

fn rotate(context: &Context, id: &str, options: &Map) -> ScriptResult<Client> {
    let rotated = || {
        let session = &context.session();
        let wanted = recipients::wanted(context, options, "clients::rotate_secret", &[])?;
        let recipients = ops::recipients::load(session, &wanted)?;
        let before = ops::rotate::check(session, &ClientId::parse(id)?, &recipients)?;
        ops::recipients::tell(session, &recipients);
        ops::rotate::rotate(session, before, &recipients)
    };
    let Rotated { client, kept, undelivered } = rotated().map_err(thrown)?;
    Ok(written(context, client, kept, undelivered, false))
}

fn findings(context: &Context, map: &Map) -> ScriptResult<Array> {
    let spec = spec_of(value::fields_of(map)?).map_err(thrown)?.with_defaults();
    let shown = |finding: lint::Finding| {
        let mut map = Map::new();
        map.insert("field".into(), finding.field.to_owned().into());
        map.insert("message".into(), finding.told().into());
        map.insert("is_wrong".into(), (finding.level == lint::Level::Error).into());
        Dynamic::from(map)
    };
    let of_plugins = hook::lint(&context.session(), &spec).map_err(thrown)?;
    Ok(lint::lint(&spec).into_iter().chain(of_plugins).map(shown).collect())
}

/// `clients::get(id) -> Client`. Throws `#{status: 404, …}` when there is none.
fn get(session: &Session, id: &str) -> ScriptResult<Client> {
    let client = || session.wait(api::clients::get(session, &ClientId::parse(id)?));
    client().map(|client| noted(session, client, false)).map_err(thrown)
}

/// `clients::find(id) -> Client or ()`.
fn find(session: &Session, id: &str) -> ScriptResult<Dynamic> {
    let client = || session.wait(api::clients::get_opt(session, &ClientId::parse(id)?));
    Ok(client().map_err(thrown)?.map_or(Dynamic::UNIT, |client| Dynamic::from(noted(session, client, false))))
}

/// `clients::delete(id)`. Throws `#{status: 404, …}` when there is none.
fn delete(context: &Context, id: &str) -> ScriptResult<()> {
    let deleted = || {
        let id = ClientId::parse(id)?;
        ops::delete::delete(&context.session(), &id)?;
        context.forget(&context.session().server()?, &id)
    };
    deleted().map_err(thrown)
}

/// What a list can be filtered by.
pub const FILTERS: [&str; 3] = ["client_name", "owner", "page_size"];

/// `clients::list()`, `clients::list(#{client_name, owner, page_size})`: what a `for` fetches page by page.
#[derive(Clone)]
pub struct Query {
    session: Session,
    filter: ListQuery,
    /// Whom it is told to how long fetching took.
    listener: Option<Ui>,
    /// Where the script asks for them.
    at: Spot,
}

fn all() -> ListQuery {
    ListQuery { page_size: Some(500), ..ListQuery::default() }
}

fn filtered(context: &Context, filter: &Map, at: Spot) -> ScriptResult<Query> {
    let query = || -> Result<ListQuery> {
        let mut query = all();
        for (key, value) in filter {
            let text = || {
                value
                    .clone()
                    .into_string()
                    .map_err(|kind| Error::usage(format!("`{key}` wants text, not {}", named(kind))))
            };
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
                    return Err(Error::usage(format!("a list has no filter `{other}`"))
                        .did_you_mean(nearest(other, FILTERS))
                        .hint(format!("the server filters by {}", FILTERS.join(", "))));
                }
            }
        }
        Ok(query)
    };
    Ok(Query::of(context, query().map_err(thrown)?, at))
}

impl Query {
    fn of(context: &Context, filter: ListQuery, at: Spot) -> Self {
        Query { session: context.session(), filter, listener: context.listener(), at }
    }

    /// The clients, fetched as they are pulled.
    pub fn clients(&self) -> Clients {
        Clients::new(self.session.clone(), self.filter.clone(), true)
    }
}

impl Fetched for Query {
    const NAME: &'static str = "Clients";

    fn shown(&self) -> String {
        "clients::list(…)".into()
    }

    fn rows(&self) -> impl Iterator<Item = ScriptResult<Dynamic>> {
        self.clone().into_iter()
    }
}

impl IntoIterator for Query {
    type Item = ScriptResult<Dynamic>;
    type IntoIter = Listing;

    fn into_iter(self) -> Listing {
        let would_be = WouldBe::of(&self);
        let place = self.session.chosen().map(|chosen| chosen.place()).unwrap_or_default();
        let (clients, listener) = (self.clients(), self.listener);
        Listing { clients, place, would_be, listener, count: 0, took: Duration::ZERO, at: self.at }
    }
}

/// The clients of a query, as a script goes through them.
pub struct Listing {
    clients: Clients,
    place: String,
    would_be: WouldBe,
    listener: Option<Ui>,
    count: usize,
    took: Duration,
    at: Spot,
}

impl Iterator for Listing {
    type Item = ScriptResult<Dynamic>;

    fn next(&mut self) -> Option<Self::Item> {
        let began = self.listener.map(|_| Instant::now());
        let client = self.would_be.next(&mut self.clients);
        self.took += began.map(|began| began.elapsed()).unwrap_or_default();
        self.count += usize::from(client.is_some());
        Some(client?.map(|client| Dynamic::from(client.at(&self.place))).map_err(|error| thrown_of(error, &self.at)))
    }
}

/// What a dry run would have made of the clients of a list.
#[derive(Default)]
struct WouldBe {
    /// Those that it has touched and did not come yet.
    left: BTreeMap<ClientId, Option<Client>>,
    filter: ListQuery,
}

impl WouldBe {
    fn of(query: &Query) -> Self {
        let place = query.session.chosen().map(|chosen| chosen.place());
        let touched = query.session.dry_run().zip(place.ok()).map(|(dry_run, place)| dry_run.clients(&place));
        WouldBe { left: touched.into_iter().flatten().collect(), filter: query.filter.clone() }
    }

    fn next(&mut self, clients: &mut Clients) -> Option<Result<Client>> {
        let is_meant = |filter: &ListQuery, client: &Client| {
            filter.name.as_ref().is_none_or(|name| client.name() == name)
                && filter.owner.as_ref().is_none_or(|owner| client.text("owner") == Some(owner))
        };
        for client in clients.by_ref() {
            if self.left.is_empty() {
                return Some(client);
            }
            let touched = client.as_ref().ok().and_then(|client| self.left.remove(&client.client_id().ok()?));
            match touched {
                None => return Some(client),
                Some(Some(client)) if is_meant(&self.filter, &client) => return Some(Ok(client)),
                Some(_) => {}
            }
        }
        while let Some((_, client)) = self.left.pop_first() {
            if let Some(client) = client.filter(|client| is_meant(&self.filter, client)) {
                return Some(Ok(client));
            }
        }
        None
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        if let Some(ui) = self.listener {
            ui.note(&format!("clients::list gave {} clients, fetched in {:.1?}", self.count, self.took));
        }
    }
}
