//! `plugin.toml`: what a plugin is called, its commands with their arguments, its hooks, what can be configured, and what it asks to
//! be granted. It is all that is read for help, completion and `plugin show`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::content::{Content, MAIN, MANIFEST};
use crate::config::edit;
use crate::error::{Error, Result, nearest};
use crate::grammar::common;
use crate::grammar::words::SHELL_WORDS;
use crate::net::fetch;
use crate::script::arguments::{self, Declared};
use crate::session::grant::{Grant, Op};
use crate::text::{is_unsafe, safe};

/// The hooks that a plugin can have, by the names of their functions.
pub const HOOKS: [&str; 11] = [
    "before_create",
    "after_create",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
    "after_rotate",
    "on_error",
    "before_batch",
    "after_batch",
    "lint",
];

/// A command of a plugin.
#[derive(Debug)]
pub struct Declares {
    /// Its word.
    pub name: String,
    /// What it does, in one line.
    pub about: String,
    /// What it takes.
    pub arguments: Declared,
}

/// What a key of a plugin's configuration can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Bool,
    /// A list of texts.
    List,
    /// Where a secret is: `env:NAME` or `file:PATH`.
    Secret,
}

/// By the names that manifests give them.
const KINDS: [(&str, Kind); 5] = [
    ("text", Kind::Text),
    ("number", Kind::Number),
    ("bool", Kind::Bool),
    ("list", Kind::List),
    ("secret", Kind::Secret),
];

/// A value of a plugin's configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Text, or where a secret is.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Text(text) => write!(f, "{}", safe(&Value::from(text.as_str()).to_string())),
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Bool(is) => write!(f, "{is}"),
            Setting::List(all) => write!(f, "{}", safe(&Value::from(all.as_slice()).to_string())),
        }
    }
}

impl Setting {
    /// As JSON has it.
    pub fn value(&self) -> Value {
        match self {
            Setting::Text(text) => text.as_str().into(),
            Setting::Number(number) => (*number).into(),
            Setting::Bool(is) => (*is).into(),
            Setting::List(all) => all.as_slice().into(),
        }
    }
}

impl Kind {
    /// As a manifest names it.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// A key of a plugin's configuration.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it can be.
    pub kind: Kind,
    /// What it is where nothing is said.
    pub default: Option<Setting>,
    /// What it does.
    pub help: String,
}

/// What a manifest says.
#[derive(Debug)]
pub struct Manifest {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in one line.
    pub description: String,
    /// Its licence.
    pub license: String,
    /// Its place among the hooks of all plugins: the lower, the earlier.
    pub order: i64,
    /// Whether a secret has reached its owner once its hooks have heard of it.
    pub delivers: bool,
    /// Its hooks.
    pub hooks: Vec<&'static str>,
    /// Its commands.
    pub commands: Vec<Declares>,
    /// What can be configured.
    pub config: BTreeMap<String, Key>,
    /// Functions that others can import.
    pub exports: Vec<String>,
    /// What it asks to be granted.
    pub grant: Grant,
}

/// Reads a table of the manifest: each key once, with its place for errors.
struct Reader<'a> {
    table: &'a DeTable<'a>,
    text: &'a str,
    name: &'a str,
    /// Where it begins.
    begin: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, start: usize, what: String) -> Error {
        let at = edit::position(self.text, start);
        Error::usage(format!("{}, {at}: {what}", self.name)).at(at)
    }

    /// Errors: a text in it has a character that could harm a terminal, written as an escape.
    fn demand_harmless(&self, table: &DeTable<'_>) -> Result<()> {
        table.iter().try_for_each(|(key, item)| {
            let is_harmful = key.get_ref().chars().any(is_unsafe);
            if is_harmful {
                return Err(self.wrong(key.span().start, "a key with a character that could harm a terminal".into()));
            }
            self.demand_harmless_value(item)
        })
    }

    fn demand_harmless_value(&self, item: &Spanned<DeValue<'_>>) -> Result<()> {
        match item.get_ref() {
            DeValue::String(text) if text.chars().any(|c| c != '\n' && c != '\t' && is_unsafe(c)) => {
                Err(self.wrong(item.span().start, "a text with a character that could harm a terminal".into()))
            }
            DeValue::Array(items) => items.iter().try_for_each(|item| self.demand_harmless_value(item)),
            DeValue::Table(table) => self.demand_harmless(table),
            _ => Ok(()),
        }
    }

    fn known(&self, of: &str, known: &[&str]) -> Result<()> {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let error = self.wrong(key.span().start, format!("{of} has no key `{}`", safe(name)));
                return Err(error.did_you_mean(nearest(name, known.iter().copied())));
            }
        }
        Ok(())
    }

    fn get<T>(
        &self,
        key: &str,
        wants: &str,
        read: impl FnOnce(&'a Spanned<DeValue<'a>>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(item) = self.table.get(key) else { return Ok(None) };
        read(item).map(Some).ok_or_else(|| self.wrong(item.span().start, format!("`{key}` wants {wants}")))
    }

    /// Where what a key says is; of one that is not there where the table begins.
    fn place(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.begin, |item| item.span().start)
    }

    fn text_of(&self, key: &str) -> Result<Option<String>> {
        self.get(key, "text", |item| item.get_ref().as_str().map(str::to_owned))
    }

    fn needed(&self, key: &str) -> Result<String> {
        let found = self.text_of(key)?.filter(|text| !text.trim().is_empty());
        found.ok_or_else(|| self.wrong(self.place(key), format!("`{key}` is missing")))
    }

    fn bool_of(&self, key: &str) -> Result<bool> {
        Ok(self.get(key, "true or false", |item| item.get_ref().as_bool())?.unwrap_or_default())
    }

    fn number_of(&self, key: &str) -> Result<Option<i64>> {
        self.get(key, "a whole number", |item| number(item.get_ref()))
    }

    fn list_of(&self, key: &str) -> Result<Vec<(usize, String)>> {
        let texts = |item: &'a Spanned<DeValue<'a>>| {
            let items = item.get_ref().as_array()?.iter();
            items.map(|item| Some((item.span().start, item.get_ref().as_str()?.to_owned()))).collect()
        };
        Ok(self.get(key, "a list of texts", texts)?.unwrap_or_default())
    }

    fn tables(&self, key: &str) -> Result<Vec<(&'a str, usize, Reader<'a>)>> {
        let table = self.get(key, "a table of tables", |item| item.get_ref().as_table())?;
        let each = table.into_iter().flatten().map(|(name, item)| {
            let table = item.get_ref().as_table();
            let table =
                table.ok_or_else(|| self.wrong(item.span().start, format!("`{key}` wants a table of tables")))?;
            let name: &str = name.get_ref();
            Ok((name, item.span().start, Reader { table, begin: item.span().start, ..*self }))
        });
        each.collect()
    }
}

fn number(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok())
}

impl Manifest {
    /// Reads that of a plugin. Errors are of usage, with line and column.
    pub fn of(content: &Content) -> Result<Manifest> {
        let text = content.text(MANIFEST)?.unwrap_or_default();
        let manifest = Manifest::parse(text, MANIFEST)?;
        let needs_code = !manifest.hooks.is_empty() || !manifest.commands.is_empty() || !manifest.exports.is_empty();
        if needs_code && content.text(MAIN)?.is_none() {
            return Err(Error::usage(format!("plugin `{}` has no {MAIN}", manifest.name)));
        }
        Ok(manifest)
    }

    /// An error about a command that it has, or asks for, where its text says that.
    pub fn wrong_name(&self, content: &Content, name: &str, what: String) -> Error {
        let text = content.text(MANIFEST).ok().flatten().unwrap_or_default();
        let Ok(document) = edit::parse(text, std::path::Path::new(MANIFEST)) else { return Error::usage(what) };
        let table_of = |name: &str| document.get(name).and_then(|item| item.get_ref().as_table());
        let is_it = |given: &str| given == name || given.replace('-', "_") == name;
        let own = table_of("commands").and_then(|all| all.iter().find(|(given, _)| is_it(given.get_ref())));
        let own = own.map(|(_, item)| item.span().start);
        let capabilities = table_of("capabilities");
        let lists = [
            document.get("hooks"),
            document.get("exports"),
            capabilities.and_then(|all| all.get("commands")),
            capabilities.and_then(|all| all.get("plugins")),
        ];
        let mut entries = lists.into_iter().flatten().filter_map(|item| item.get_ref().as_array()).flatten();
        let listed = || {
            let entry = entries.find(|item| item.get_ref().as_str().is_some_and(is_it));
            entry.map(|item| item.span().start)
        };
        let at = edit::position(text, own.or_else(listed).unwrap_or(0));
        Error::usage(format!("plugin `{}`: {MANIFEST}, {at}: {what}", self.name)).at(at)
    }

    /// The same of a text; `name` is what errors call it.
    pub fn parse(text: &str, name: &str) -> Result<Manifest> {
        let document = edit::parse(text, std::path::Path::new(name))?;
        let top = Reader { table: &document, text, name, begin: 0 };
        // It is shown wherever commands are.
        if let Some((at, _)) =
            text.char_indices().find(|(_, c)| *c != '\n' && *c != '\r' && *c != '\t' && is_unsafe(*c))
        {
            return Err(top.wrong(at, "a character that could harm a terminal".into()));
        }
        top.demand_harmless(&document)?;
        top.known(
            "a manifest",
            &[
                "name",
                "version",
                "description",
                "license",
                "orysh",
                "order",
                "delivers",
                "hooks",
                "exports",
                "commands",
                "config",
                "capabilities",
            ],
        )?;
        let plugin = top.needed("name")?;
        if !is_word(&plugin) {
            return Err(top.wrong(top.place("name"), "`name` wants small letters, digits and dashes".into()));
        }
        if let Some(wanted) = top.text_of("orysh")? {
            demand_version(&wanted).map_err(|error| top.wrong(top.place("orysh"), error.full_message()))?;
        }
        let hooks = top.list_of("hooks")?.into_iter().map(|(at, hook)| {
            HOOKS.iter().find(|known| **known == hook).copied().ok_or_else(|| {
                top.wrong(at, format!("there is no hook `{}`", safe(&hook))).did_you_mean(nearest(&hook, HOOKS))
            })
        });
        let hooks = hooks.collect::<Result<Vec<_>>>()?;
        if let Some((_, twice)) = hooks.iter().enumerate().find(|(at, hook)| hooks[..*at].contains(hook)) {
            return Err(top.wrong(top.place("hooks"), format!("`hooks` names `{twice}` twice")));
        }
        let manifest = Manifest {
            version: top.needed("version")?,
            description: top.needed("description")?,
            license: top.needed("license")?,
            order: top.number_of("order")?.unwrap_or(100),
            delivers: top.bool_of("delivers")?,
            hooks,
            commands: commands(&top)?,
            config: config(&top)?,
            exports: top.list_of("exports")?.into_iter().map(|(_, name)| name).collect(),
            grant: grant(&top, &plugin)?,
            name: plugin,
        };
        let secrets = manifest.config.iter().filter(|(_, key)| key.kind == Kind::Secret).map(|(name, _)| name.clone());
        let grant = Grant { configured: secrets.collect(), ..manifest.grant };
        let manifest = Manifest { grant, ..manifest };
        if manifest.delivers && !manifest.grant.secrets {
            return Err(top
                .wrong(top.place("delivers"), "what `delivers` has to see secrets".into())
                .hint("secrets = true, below [capabilities]"));
        }
        Ok(manifest)
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 40
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Errors: the plugin is for a newer orysh.
fn demand_version(wanted: &str) -> Result<()> {
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let wrong = || Error::usage(format!("`orysh` wants the least version, as \"0.1\", not {}", safe(wanted)));
    let least = numbers(wanted).ok_or_else(wrong)?;
    let own = numbers(env!("CARGO_PKG_VERSION").split('-').next().unwrap_or_default()).unwrap_or_default();
    if least > own {
        let own = env!("CARGO_PKG_VERSION");
        return Err(Error::usage(format!("the plugin is for orysh {} or later, and this is {own}", safe(wanted))));
    }
    Ok(())
}

/// POSIX.1-2017 §8.1.
fn is_variable(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn commands(top: &Reader<'_>) -> Result<Vec<Declares>> {
    let taken: Vec<String> = common::output_args()
        .iter()
        .chain(&common::server_args(true))
        .filter_map(|arg| arg.get_long().map(str::to_owned))
        .chain(["dry-run", "help", "version", "keep-going", "norc"].map(str::to_owned))
        .collect();
    let each = top.tables("commands")?.into_iter().map(|(name, at, table)| {
        table.known("a command", &["about", "arguments"])?;
        let function = name.replace('-', "_");
        if !is_word(name) || HOOKS.contains(&function.as_str()) || !rhai::is_valid_function_name(&function) {
            return Err(top.wrong(at, format!("`{}` is no name for a command", safe(name))));
        }
        if SHELL_WORDS.contains(&name) {
            return Err(top.wrong(at, format!("`{name}` means another thing at the prompt of the shell")));
        }
        let about = table.needed("about").map_err(|error| error.about(format!("command `{name}`")))?;
        let lines: Vec<(usize, String)> = table.list_of("arguments")?;
        let text: Vec<String> = lines.iter().map(|(_, line)| format!("//! @arg {}", line.replace('\n', " "))).collect();
        let arguments = arguments::declared(&text.join("\n")).map_err(|error| {
            let line = error.position().map_or(1, |at| at.line);
            let wrong = top.wrong(lines.get(line - 1).map_or(at, |(at, _)| *at), error.full_message());
            error.hints().iter().fold(wrong, Error::hint)
        })?;
        if let Some(key) = arguments.keys().find(|key| taken.contains(&key.replace('_', "-"))) {
            return Err(top.wrong(at, format!("argument `{key}` of `{name}` is a flag that all commands take")));
        }
        Ok(Declares { name: name.to_owned(), about, arguments })
    });
    each.collect()
}

fn config(top: &Reader<'_>) -> Result<BTreeMap<String, Key>> {
    let each = top.tables("config")?.into_iter().map(|(name, at, table)| {
        table.known("a key of the configuration", &["type", "default", "help"])?;
        let said = table.needed("type").map_err(|error| error.about(format!("config `{}`", safe(name))))?;
        let kind = KINDS.iter().find(|(known, _)| *known == said).map(|(_, kind)| *kind).ok_or_else(|| {
            top.wrong(at, format!("config `{}` has the type `{}`", safe(name), safe(&said)))
                .did_you_mean(nearest(&said, KINDS.map(|(name, _)| name)))
        })?;
        let default = table.get("default", &format!("a value of type {said}"), |item| setting(kind, item.get_ref()))?;
        Ok((name.to_owned(), Key { kind, default, help: table.needed("help")? }))
    });
    each.collect()
}

/// A value of that kind, if it is one.
pub fn setting(kind: Kind, value: &DeValue<'_>) -> Option<Setting> {
    match kind {
        Kind::Text => value.as_str().map(|text| Setting::Text(text.to_owned())),
        Kind::Secret => {
            let text = value.as_str().filter(|text| text.starts_with("env:") || text.starts_with("file:"))?;
            Some(Setting::Text(text.to_owned()))
        }
        Kind::Number => number(value).map(Setting::Number),
        Kind::Bool => value.as_bool().map(Setting::Bool),
        Kind::List => {
            let items = value.as_array()?.iter();
            items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect::<Option<_>>().map(Setting::List)
        }
    }
}

fn grant(top: &Reader<'_>, plugin: &str) -> Result<Grant> {
    let mut grant = Grant { plugin: plugin.to_owned(), ..Grant::default() };
    let table = top.get("capabilities", "a table", |item| item.get_ref().as_table())?;
    let Some(table) = table else { return Ok(grant) };
    let asked = Reader { table, ..*top };
    asked.known(
        "[capabilities]",
        &[
            "clients",
            "tokens",
            "secrets",
            "network",
            "private-network",
            "read",
            "write",
            "environment",
            "commands",
            "plugins",
            "prompts",
        ],
    )?;
    for (at, op) in asked.list_of("clients")? {
        let names = Op::ALL.map(|(name, _)| name);
        let (_, op) = *Op::ALL.iter().find(|(name, _)| *name == op).ok_or_else(|| {
            asked
                .wrong(at, format!("`{}` is nothing that is done with clients", safe(&op)))
                .did_you_mean(nearest(&op, names))
        })?;
        grant.clients.push(op);
    }
    let hosts = |key: &str| -> Result<Vec<String>> {
        let each = asked.list_of(key)?.into_iter().map(|(at, host)| {
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            if !has_port || fetch::host(key, host.clone()).is_err() || host.contains('*') {
                return Err(asked.wrong(at, format!("`{}` is no host with a port, as a.example:443", safe(&host))));
            }
            Ok(host)
        });
        each.collect()
    };
    let texts = |key: &str| -> Result<Vec<String>> {
        let each = asked.list_of(key)?.into_iter().map(|(at, text)| {
            if text.trim().is_empty() {
                return Err(asked.wrong(at, format!("an entry of `{key}` is empty")));
            }
            Ok(text)
        });
        each.collect()
    };
    grant.network = hosts("network")?;
    grant.private_network = hosts("private-network")?;
    grant.read = texts("read")?;
    grant.write = texts("write")?;
    let named = |key: &str, what: &str, is_name: fn(&str) -> bool| -> Result<Vec<String>> {
        let wrong = |(at, text): &(usize, String)| asked.wrong(*at, format!("`{}` is no name of a {what}", safe(text)));
        let list = asked.list_of(key)?;
        match list.iter().find(|(_, text)| !is_name(text)) {
            Some(other) => Err(wrong(other)),
            None => Ok(list.into_iter().map(|(_, text)| text).collect()),
        }
    };
    grant.environment = named("environment", "variable", is_variable)?;
    grant.commands = texts("commands")?;
    grant.plugins = named("plugins", "plugin", is_word)?;
    grant.tokens = asked.bool_of("tokens")?;
    grant.secrets = asked.bool_of("secrets")?;
    grant.prompts = asked.bool_of("prompts")?;
    Ok(grant)
}
