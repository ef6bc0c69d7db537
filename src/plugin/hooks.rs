//! A plugin as a hook: its functions, called with plain maps, and what they give put back.

use std::sync::Arc;

use rhai::{Array, Dynamic, INT, ImmutableString, Map};

use super::loaded::Plugin;
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientSpec};
use crate::model::fields::{self, FIELDS};
use crate::model::lint::{Finding, Level};
use crate::script::errors::{self, as_map};
use crate::script::missing;
use crate::script::value;
use crate::session::Session;
use crate::session::hook::{Batch, Done, Event, Hook, Moment, Planned};
use crate::text::safe;

/// The hooks of a plugin that are not switched off.
pub struct PluginHooks {
    plugin: Arc<Plugin>,
    hooks: Vec<&'static str>,
}

impl PluginHooks {
    /// Those of a plugin but for `off`, names of hooks; `None` where none is left.
    pub fn of(plugin: &Arc<Plugin>, off: &[String]) -> Option<Self> {
        let is_on = |hook: &&&str| !off.iter().any(|name| name == **hook);
        let hooks: Vec<&str> = plugin.manifest.hooks.iter().filter(is_on).copied().collect();
        (!hooks.is_empty()).then(|| PluginHooks { plugin: Arc::clone(plugin), hooks })
    }

    fn has(&self, hook: &str) -> bool {
        self.hooks.contains(&hook)
    }

    fn fields(&self, spec: &ClientSpec) -> Map {
        let mut map: Map =
            spec.document().fields().iter().map(|(key, value)| (key.into(), value::from_json(value))).collect();
        if let Some(secret) = spec.secret().filter(|_| self.sees_secrets()) {
            map.insert("client_secret".into(), Dynamic::from(secret.clone()));
        }
        map
    }

    fn client(&self, client: &Client) -> Dynamic {
        let client = client.clone();
        Dynamic::from(if self.sees_secrets() { client } else { client.without_secrets() })
    }

    /// Puts what a hook gave in the place of what was asked for, and tells what is another now.
    fn put(&self, given: Dynamic, set: &mut ClientSpec, hook: &str) -> Result<Option<String>> {
        if given.is_unit() {
            return Ok(None);
        }
        let kind = missing::named(given.type_name());
        let map = given.try_cast::<Map>().ok_or_else(|| {
            Error::failed(format!("{hook} gives {kind}, where a map of fields is due, or nothing"))
                .hint("a function gives what its last statement does: `()` as the last one gives nothing")
        })?;
        let fields = value::fields_of(&map).map_err(|error| errors::message(&error))?;
        let (mut asked, left_out) = ClientSpec::from_object(fields).map_err(|error| error.about(hook))?;
        if let Some(field) = left_out.first() {
            return Err(Error::failed(format!("{hook} sets `{}`, which only the server sets", safe(field))));
        }
        if asked.id() != set.id() {
            return Err(Error::failed(format!("{hook} changes the client_id, by which a client is known")));
        }
        match set.secret() {
            Some(secret) if asked.secret().is_none() => asked.set_secret(secret.clone()),
            before if before != asked.secret() && !self.sees_secrets() => {
                return self.plugin.manifest.grant.secret().map(|()| None);
            }
            _ => {}
        }
        let is_other = |name: &&str| asked.get(name) != set.get(name);
        let changed: Vec<&str> = FIELDS.iter().map(|field| field.json).filter(is_other).collect();
        let is_same_secret = asked.secret() == set.secret();
        *set = asked;
        let told = changed.iter().map(|name| {
            let value = set.get(name).map_or("nothing".to_owned(), ToString::to_string);
            format!("{name} to {}", safe(&value))
        });
        let told: Vec<String> = told.chain((!is_same_secret).then(|| "the secret".to_owned())).collect();
        Ok((!told.is_empty()).then(|| told.join(", ")))
    }
}

impl Hook for PluginHooks {
    fn name(&self) -> String {
        self.plugin.told()
    }

    fn key(&self) -> String {
        format!("plugin {}", self.plugin.manifest.name)
    }

    fn wants(&self, event: &Event) -> bool {
        self.has(after(event.done))
    }

    fn delivers(&self) -> bool {
        self.plugin.manifest.delivers
    }

    fn sees_secrets(&self) -> bool {
        self.plugin.manifest.grant.secrets
    }

    fn after(&self, session: &Session, event: &Event) -> Result<()> {
        self.plugin.call(session, after(event.done), vec![self.client(&event.client)]).map(drop)
    }

    fn is_at(&self, moment: Moment) -> bool {
        self.has(name(moment))
    }

    fn mark(&self) -> Option<String> {
        Some(format!("{} {}", self.plugin.manifest.name, self.plugin.rules_key()))
    }

    fn before(&self, session: &Session, planned: &mut Planned<'_>) -> Result<Option<String>> {
        match planned {
            Planned::Create(spec) => {
                let given = self.plugin.call(session, "before_create", vec![self.fields(spec).into()])?;
                let put = self.put(given, spec, "before_create");
                put.map_err(|error| self.plugin.wrongly_given("before_create", error))
            }
            Planned::Update(client, set) => {
                let arguments = vec![self.client(client), self.fields(set).into()];
                let given = self.plugin.call(session, "before_update", arguments)?;
                let put = self.put(given, set, "before_update");
                put.map_err(|error| self.plugin.wrongly_given("before_update", error))
            }
            Planned::Delete(id) => {
                self.plugin.call(session, "before_delete", vec![id.as_str().to_owned().into()]).map(|_| None)
            }
        }
    }

    fn lint(&self, session: &Session, spec: &ClientSpec) -> Result<Vec<Finding>> {
        let given = self.plugin.call(session, "lint", vec![self.fields(spec).into()])?;
        if given.is_unit() {
            return Ok(Vec::new());
        }
        let wrong = || {
            let error = Error::failed("lint gives a list: of texts, or of #{field, message, is_wrong}");
            self.plugin.wrongly_given("lint", error)
        };
        let found = given.try_cast::<Array>().ok_or_else(wrong)?;
        found.into_iter().map(|one| finding(&self.plugin.told(), one).ok_or_else(wrong)).collect()
    }

    fn failed(&self, session: &Session, id: &str, error: &Error) -> Result<()> {
        let arguments = vec![id.to_owned().into(), as_map(error).into()];
        self.plugin.call(session, "on_error", arguments).map(drop)
    }

    fn batch(&self, session: &Session, moment: Moment, batch: &Batch) -> Result<()> {
        let count = |count: u64| INT::try_from(count).unwrap_or(INT::MAX);
        let outcomes: Map = batch.outcomes.iter().map(|(name, number)| (name.into(), count(*number).into())).collect();
        let members =
            [("job", Dynamic::from(batch.job)), ("total", count(batch.total).into()), ("outcomes", outcomes.into())];
        let batch: Map = members.into_iter().map(|(key, value)| (key.into(), value)).collect();
        self.plugin.call(session, name(moment), vec![batch.into()]).map(drop)
    }
}

/// Stands in for a plugin that does not count as it is broken: nothing is written while nobody knows what it would say.
pub struct Refusing(pub String, pub Vec<String>);

impl Hook for Refusing {
    fn name(&self) -> String {
        "nothing is written".into()
    }

    fn key(&self) -> String {
        self.name()
    }

    fn wants(&self, _: &Event) -> bool {
        false
    }

    fn delivers(&self) -> bool {
        false
    }

    fn after(&self, _: &Session, _: &Event) -> Result<()> {
        Ok(())
    }

    fn is_at(&self, moment: Moment) -> bool {
        !matches!(moment, Moment::OnError | Moment::AfterBatch)
    }

    fn before(&self, _: &Session, _: &mut Planned<'_>) -> Result<Option<String>> {
        Err(self.error())
    }

    fn lint(&self, _: &Session, _: &ClientSpec) -> Result<Vec<Finding>> {
        Err(self.error())
    }

    fn batch(&self, _: &Session, _: Moment, _: &Batch) -> Result<()> {
        Err(self.error())
    }

    fn refuses(&self) -> Option<Error> {
        Some(self.error().about("nothing is written"))
    }
}

impl Refusing {
    fn error(&self) -> Error {
        let error = self.1.iter().fold(Error::usage(self.0.clone()), Error::hint);
        error.hint("--no-plugins goes without any")
    }
}

fn after(done: Done) -> &'static str {
    match done {
        Done::Created => "after_create",
        Done::Updated => "after_update",
        Done::Rotated => "after_rotate",
        Done::Deleted => "after_delete",
    }
}

fn name(moment: Moment) -> &'static str {
    match moment {
        Moment::BeforeCreate => "before_create",
        Moment::BeforeUpdate => "before_update",
        Moment::BeforeDelete => "before_delete",
        Moment::Lint => "lint",
        Moment::OnError => "on_error",
        Moment::BeforeBatch => "before_batch",
        Moment::AfterBatch => "after_batch",
    }
}

fn finding(plugin: &str, one: Dynamic) -> Option<Finding> {
    if one.is_string() {
        let message = format!("{plugin}: {}", safe(&one.to_string()));
        return Some(Finding { field: "client", level: Level::Warning, message, hint: None });
    }
    let map = one.try_cast::<Map>()?;
    let field = match map.get("field") {
        Some(name) => fields::field(&name.read_lock::<ImmutableString>()?)?.json,
        None => "client",
    };
    let message = format!("{plugin}: {}", safe(&map.get("message")?.read_lock::<ImmutableString>()?));
    let is_wrong = map.get("is_wrong").map_or(Some(false), |is| is.as_bool().ok())?;
    let level = if is_wrong { Level::Error } else { Level::Warning };
    Some(Finding { field, level, message, hint: None })
}
