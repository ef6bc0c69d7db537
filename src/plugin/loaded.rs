//! A plugin that can be called: its own engine, in which it has what it was granted, made when it is first needed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use rhai::{
    AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, Map, Module, ModuleResolver, Position, Scope, Shared, Stmt,
};

use sha2::{Digest, Sha256};

use super::content::{Content, MAIN};
use super::manifest::{Key, Kind, Manifest, Setting};
use crate::config::read;
use crate::env;
use crate::error::{self, Error, Result, nearest};
use crate::grammar::{Host, Registry};
use crate::output::outcome::{Column, Outcome};
use crate::script::compile::{begin_of, compiled};
use crate::script::engine::keeping::End;
use crate::script::engine::{Context, engine};
use crate::script::errors::{self, ScriptResult, Source, settled, thrown};
use crate::script::held::Held;
use crate::script::missing;
use crate::script::{ending, limits, resolve, run, value};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::grant::Grant;
use crate::session::handle::locked;
use crate::session::stack::on_big_stack;
use crate::text::{hex, safe, safe_lines, size};

/// The module that a plugin has beside the API's.
pub const PLUGIN: &str = "plugin";

/// How long a hook may take.
const HOOK: Duration = Duration::from_secs(30);

/// How long a command of a plugin may take.
const COMMAND: Duration = Duration::from_secs(3600);

/// How many calls into plugins may be within each other: what each takes of the stack is bounded, too.
const MOST_DEPTH: usize = 8;

/// So many characters of what a plugin throws are told.
const MOST_TOLD: usize = 4_000;

/// So many steps a call into a plugin may take.
const MOST_STEPS: u64 = 500_000_000;

/// A plugin that is switched on.
pub struct Plugin {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The hash of the content that was granted what it asks for.
    pub hash: String,
    /// Where its files are.
    pub folder: PathBuf,
    /// Where it comes from, as a person reads it.
    pub source: String,
    /// What is said of its configuration.
    pub settings: BTreeMap<String, Setting>,
    /// Whether the user said that, and not a repository.
    pub is_own: bool,
    /// The commands, for what it gives to `sh`.
    pub registry: OnceLock<Weak<Registry>>,
    loaded: OnceLock<std::result::Result<Loaded, String>>,
}

/// What one of its functions is called as.
#[derive(Clone, Copy, Eq, PartialEq)]
enum As {
    Command,
    /// By what imports it.
    Import,
    Hook,
}

/// What a call leaves to whoever has made it: secrets that nobody has seen, and what is to be done at the end.
#[derive(Default)]
struct Left {
    held: Vec<Held>,
    end: End,
}

struct Loaded {
    engine: Engine,
    ast: AST,
    context: Context,
    grant: Arc<Grant>,
    /// The text of its main file, for errors.
    text: String,
    /// What errors call that.
    name: String,
}

impl Plugin {
    /// One that is not loaded yet.
    pub fn new(
        manifest: Manifest,
        hash: String,
        folder: PathBuf,
        source: String,
        (settings, is_own): (BTreeMap<String, Setting>, bool),
    ) -> Self {
        Plugin { manifest, hash, folder, source, settings, is_own, registry: OnceLock::new(), loaded: OnceLock::new() }
    }

    /// What errors call it.
    pub fn told(&self) -> String {
        format!("plugin `{}`", safe(&self.manifest.name))
    }

    /// What this user trusts of it, where a repository lists it: its content, and how that repository configures it.
    pub fn trust_key(&self) -> String {
        if self.is_own { self.hash.clone() } else { trust_key(&self.hash, &self.settings) }
    }

    /// What tells its rules from others: its content, and how it is configured by whomever.
    pub fn rules_key(&self) -> String {
        trust_key(&self.hash, &self.settings)
    }

    /// Its content, which is what was granted. Errors: it is another.
    pub fn content(&self) -> Result<Content> {
        let content = Content::read(&self.folder)?;
        if content.hash() == self.hash {
            return Ok(content);
        }
        Err(Error::failed(format!("{} is not what was granted: its files were changed", self.told()))
            .with_code(CHANGED)
            .hint(format!("orysh plugin verify {}", self.manifest.name)))
    }

    fn loaded(&self, session: &Session) -> Result<&Loaded> {
        let loaded = self.loaded.get_or_init(|| self.load(session).map_err(|error| error.placed_message()));
        loaded.as_ref().map_err(|why| Error::failed(why.clone()).with_code(BROKEN))
    }

    fn load(&self, session: &Session) -> Result<Loaded> {
        let files = Arc::new(self.content()?);
        let grant = Arc::new(self.manifest.grant.clone());
        let registry = self.registry.get().and_then(Weak::upgrade).unwrap_or_default();
        let host = Host { session: session.granted_to(Arc::clone(&grant)), registry };
        let context = Context::new(host).with_memory(limits::MOST_MEMORY);
        let mut engine = engine(&context);
        engine.set_max_operations(MOST_STEPS);
        // A plugin moves no cursor, wherever its output goes.
        let printing = context.clone();
        engine.on_print(move |text| printing.print(&format!("{}\n", safe_lines(text))));
        self.prepare(&mut engine, &files, &context);
        let text = files.text(MAIN)?.unwrap_or_default().to_owned();
        let name = format!("{}/{MAIN}", self.manifest.name);
        let source = Source { name: &name, text: &text };
        let ast = compiled(&engine, &Scope::new(), source)?;
        let has = |name: &str| ast.iter_functions().any(|function| function.name == name);
        let takes = |name: &str, count: usize| {
            ast.iter_functions().any(|function| function.name == name && function.params.len() == count)
        };
        let commands = self.manifest.commands.iter().map(|command| command.name.replace('-', "_"));
        let declared = self.manifest.hooks.iter().map(|hook| (*hook).to_owned()).chain(commands);
        if let Some(missing) = declared.chain(self.manifest.exports.iter().cloned()).find(|name| !has(name)) {
            let wrong = format!("{name} has no function `{}`", safe(&missing));
            return Err(self.manifest.wrong_name(&files, &missing, wrong));
        }
        let hooks = self.manifest.hooks.iter().map(|hook| ((*hook).to_owned(), parameters(hook)));
        let commands = self.manifest.commands.iter().map(|command| (command.name.replace('-', "_"), 1));
        if let Some((wrong, count)) = hooks.chain(commands).find(|(name, count)| !takes(name, *count)) {
            let error = Error::usage(format!("`{}` is called with {}", safe(&wrong), missing::counted(count)));
            return Err(errors::shown(error, begin_of(&text, &wrong), source));
        }
        let exported = |function: &rhai::ScriptFnMetadata<'_>| {
            self.manifest.exports.iter().any(|name| name == function.name) && function.params.len() > MOST_EXPORTED
        };
        if let Some(wrong) = ast.iter_functions().find(exported) {
            let error =
                Error::usage(format!("`{}` is exported with more than {MOST_EXPORTED} parameters", safe(wrong.name)));
            return Err(errors::shown(error, begin_of(&text, wrong.name), source));
        }
        Ok(Loaded { engine, ast, context, grant, text, name })
    }

    /// Errors: it cannot be loaded, or has not what it names.
    pub fn check(&self, session: &Session) -> Result<()> {
        let loaded = self.loaded(session)?;
        self.imports(&loaded.engine, &self.content()?, MAIN, &mut Vec::new(), &mut HashSet::new())
    }

    /// Errors: a file of its own that is imported is not there, cannot be read, or leads back to itself. Nothing is run.
    fn imports(
        &self,
        engine: &Engine,
        files: &Content,
        file: &str,
        within: &mut Vec<String>,
        done: &mut HashSet<String>,
    ) -> Result<()> {
        let name = format!("{}/{file}", self.manifest.name);
        let text = files.text(file)?.unwrap_or_default();
        let source = Source { name: &name, text };
        let ast = compiled(engine, &Scope::new(), source)?;
        within.push(file.to_owned());
        let mut wrong = None;
        ast.walk(&mut |nodes| {
            if let Some(ASTNode::Stmt(Stmt::Import(import, at))) = nodes.last()
                && let Expr::StringConstant(path, _) = &import.0
                && !path.starts_with(resolve::PLUGIN)
            {
                let imported = own_file(Some(file), path);
                let none = || Error::usage(format!("{} has no file {}", self.told(), safe(&imported)));
                let round = || Error::usage(format!("{} imports itself, by itself or by others", safe(&imported)));
                wrong = match files.text(&imported) {
                    Err(error) => Some(errors::shown(error, *at, source)),
                    Ok(None) => Some(errors::shown(none(), *at, source)),
                    Ok(Some(_)) if within.contains(&imported) => Some(errors::shown(round(), *at, source)),
                    Ok(Some(_)) if done.contains(&imported) => None,
                    Ok(Some(_)) => self.imports(engine, files, &imported, within, done).err(),
                };
            }
            wrong.is_none()
        });
        done.extend(within.pop());
        wrong.map_or(Ok(()), Err)
    }

    /// Gives an engine what is the plugin's own: its files to import, its configuration.
    pub fn prepare(&self, engine: &mut Engine, files: &Arc<Content>, context: &Context) {
        engine.set_module_resolver(Packed::new(files, &self.manifest.grant, context));
        engine.register_static_module(PLUGIN, self.own_module().into());
    }

    /// `plugin::config(key)` and `plugin::name()`.
    fn own_module(&self) -> Module {
        let mut module = Module::new();
        let name = self.manifest.name.clone();
        module.set_native_fn("name", move || Ok(name.clone()));
        let values: BTreeMap<String, Option<Setting>> = self
            .manifest
            .config
            .iter()
            .map(|(name, key)| (name.clone(), self.settings.get(name).cloned().or_else(|| key.default.clone())))
            .collect();
        let keys: BTreeMap<String, Key> = self.manifest.config.clone();
        // Where a secret is the user says; a manifest and a repository may name what was granted.
        let said: Vec<String> = self.settings.keys().filter(|_| self.is_own).cloned().collect();
        let grant = self.manifest.grant.clone();
        let told = self.told();
        module.set_native_fn("config", move |name: &str| -> ScriptResult<Dynamic> {
            let unknown = || {
                Error::usage(format!("{told} has no configuration `{}`", safe(name)))
                    .did_you_mean(nearest(name, keys.keys().map(String::as_str)))
            };
            let key = keys.get(name).ok_or_else(unknown).map_err(thrown)?;
            let grant = (!said.iter().any(|own| own == name)).then_some(&grant);
            configured(name, key, values.get(name).and_then(Option::as_ref), grant).map_err(thrown)
        });
        module
    }

    /// Calls one of its functions, as a hook. Errors: what it throws; what it may not; that it takes too long or too much.
    pub fn call(&self, session: &Session, function: &str, arguments: Vec<Dynamic>) -> Result<Dynamic> {
        let (value, left) = self.call_as(As::Hook, session, function, arguments)?;
        left.end.come()?;
        Ok(value)
    }

    /// What it gives, and what it leaves to whoever has called it.
    fn call_as(&self, what: As, session: &Session, function: &str, arguments: Vec<Dynamic>) -> Result<(Dynamic, Left)> {
        self.one_call(|| {
            let value = self.called(session, function, arguments, HOOK, what);
            if let Some(Ok(loaded)) = self.loaded.get() {
                loaded.context.settle_files();
                // What an import gives may hold them.
                let held = match what {
                    As::Import if value.is_ok() => loaded.context.take_held(),
                    _ => Vec::new(),
                };
                loaded.context.tell_unseen();
                let value = value?;
                return Ok((value, Left { held, end: loaded.context.end() }));
            }
            value.map(|value| (value, Left::default()))
        })
    }

    /// A call with limits of its own; what it put into folders for a while goes with it.
    fn one_call<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        on_big_stack(|| {
            limits::of(limits::next(), || {
                let value = work();
                let Some(Ok(loaded)) = self.loaded.get() else { return value };
                loaded.context.remove_temporary();
                value.map_err(|error| loaded.context.break_off(error))
            })
        })
    }

    /// Runs one of its commands.
    pub fn command(&self, session: &Session, function: &str, args: Map, columns: &'static [Column]) -> Result<Outcome> {
        self.one_call(|| {
            let loaded = self.loaded(session)?;
            let value = self.called(session, function, vec![args.into()], COMMAND, As::Command);
            // Whoever catches the error hears of what is kept all the same.
            let value = value.inspect_err(|_| loaded.context.tell_unseen())?;
            let source = Source { name: &loaded.name, text: &loaded.text };
            let outcome = settled(run::outcome(&value, columns), source)?;
            loaded.context.settle_files();
            let shown = loaded.context.take_shown(&value);
            loaded.context.tell_unseen();
            Ok(run::release(outcome, shown, loaded.context.end()))
        })
    }

    fn called(
        &self,
        session: &Session,
        function: &str,
        arguments: Vec<Dynamic>,
        time: Duration,
        as_what: As,
    ) -> Result<Dynamic> {
        let loaded = self.loaded(session)?;
        if limits::depth() >= MOST_DEPTH {
            return Err(Error::failed(format!(
                "plugins call each other more than {MOST_DEPTH} deep: here {}",
                self.told()
            )));
        }
        let here = session.granted_to(Arc::clone(&loaded.grant));
        // What a person agreed to is what the command does, and nothing that a hook does beside.
        let here = if as_what == As::Hook { here.without_assent() } else { here };
        let _watch = here.interrupt().watch();
        let mut scope = Scope::new();
        let called = loaded.context.within(here, || {
            limits::within(time, as_what != As::Command, || {
                ending::to_its_end(|| {
                    let value = loaded.engine.call_fn::<Dynamic>(&mut scope, &loaded.ast, function, arguments)?;
                    // What waited was let go as the time was up.
                    ending::wait(session.interrupt())?;
                    Ok(value)
                })
            })
        });
        let called = called.map_err(|error| missing::at_home(*error, &loaded.ast, &|_| None).into());
        let source = Source { name: &loaded.name, text: &loaded.text };
        settled(called, source).map_err(|error| {
            // Of what ends a call Rhai often tells no place.
            let error = match error.position() {
                Some(_) => error,
                None => errors::at_place(error, begin_of(&loaded.text, function), source),
            };
            // It is told by those as well who tell messages only.
            let told = error.placed_message();
            let error = if error.kind() == error::Kind::Interrupted { error } else { error.saying(told) };
            if error.code() == Some("memory") {
                let most = format!("a call into a plugin may take {}", size(limits::MOST_MEMORY));
                return error.unhinted().hint(most);
            }
            if error.message().len() <= MOST_TOLD {
                return error;
            }
            let short: String = error.message().chars().take(MOST_TOLD).collect();
            Error::failed(format!("{short}…")).of_kind(error.kind())
        })
    }

    /// What is wrong with what a function gave, where that stands.
    pub fn wrongly_given(&self, function: &str, error: Error) -> Error {
        let Some(Ok(loaded)) = self.loaded.get() else { return error };
        let source = Source { name: &loaded.name, text: &loaded.text };
        let error = errors::shown(error, begin_of(&loaded.text, function), source);
        let told = error.placed_message();
        error.saying(told)
    }

    /// Its functions that others can import, as stubs that call into its own engine: plain data goes in and comes out.
    pub fn stubs(self: &Arc<Self>, caller: &Context) -> Result<Module> {
        let loaded = self.loaded(&caller.session())?;
        let mut module = Module::new();
        for function in loaded.ast.iter_functions() {
            if self.manifest.exports.iter().any(|name| name == function.name) {
                stub(&mut module, self, caller, function.name, function.params.len());
            }
        }
        Ok(module)
    }
}

/// So many parameters what is exported has at most.
const MOST_EXPORTED: usize = 3;

/// How many arguments a hook is called with.
fn parameters(hook: &str) -> usize {
    if ["before_update", "on_error"].contains(&hook) { 2 } else { 1 }
}

/// What is trusted of a plugin that a repository lists, by its content and how it is configured there.
pub fn trust_key(hash: &str, settings: &BTreeMap<String, Setting>) -> String {
    if settings.is_empty() {
        return hash.to_owned();
    }
    hex(&Sha256::digest(format!("{hash} {settings:?}")))
}

/// The code of an error that says that a plugin's files are not those that were granted.
pub const CHANGED: &str = "changed";

/// The code of an error that says that a plugin cannot be loaded.
pub const BROKEN: &str = "broken_plugin";

fn stub(module: &mut Module, plugin: &Arc<Plugin>, caller: &Context, function: &str, count: usize) {
    let name = function.to_owned();
    let (plugin, caller) = (Arc::clone(plugin), caller.clone());
    let call = move |arguments: &[Dynamic]| -> ScriptResult<Dynamic> {
        let plain = arguments.iter().map(plain).collect::<ScriptResult<Vec<_>>>()?;
        // It acts with its own powers: whoever calls it was granted that, or is the user's own script.
        let (value, left) = plugin.call_as(As::Import, &caller.session(), &name, plain).map_err(thrown)?;
        for held in left.held {
            caller.hold(held);
        }
        caller.adopt(left.end);
        self::plain(&value)
    };
    match count {
        0 => drop(module.set_native_fn(function, move || call(&[]))),
        1 => drop(module.set_native_fn(function, move |a: Dynamic| call(&[a]))),
        2 => drop(module.set_native_fn(function, move |a: Dynamic, b: Dynamic| call(&[a, b]))),
        _ => drop(module.set_native_fn(function, move |a: Dynamic, b: Dynamic, c: Dynamic| call(&[a, b, c]))),
    }
}

/// A value as plain data; secrets do not cross.
fn plain(data: &Dynamic) -> ScriptResult<Dynamic> {
    value::to_json(data, false).map(|data| value::from_json(&data))
}

fn configured(name: &str, key: &Key, setting: Option<&Setting>, grant: Option<&Grant>) -> Result<Dynamic> {
    Ok(match (key.kind, setting) {
        (_, None) => Dynamic::UNIT,
        (Kind::Secret, Some(Setting::Text(place))) => Dynamic::from(secret(name, place, grant)?),
        (_, Some(Setting::Text(text))) => text.clone().into(),
        (_, Some(Setting::Number(number))) => (*number).into(),
        (_, Some(Setting::Bool(is))) => (*is).into(),
        (_, Some(Setting::List(all))) => all.iter().cloned().map(Dynamic::from).collect::<rhai::Array>().into(),
    })
}

/// A secret of a plugin's configuration: `env:NAME` or `file:PATH`; `grant`: what is asked whether the plugin may read that.
fn secret(name: &str, place: &str, grant: Option<&Grant>) -> Result<Secret> {
    let none = |why: String| Error::usage(format!("the secret `{}` is in {}: {why}", safe(name), safe(place)));
    if let Some(variable) = place.strip_prefix("env:") {
        grant.map_or(Ok(()), |grant| grant.variable(variable))?;
        return env::named(variable).map(Secret::new).ok_or_else(|| none("it is not set".into()));
    }
    let path = place.strip_prefix("file:").unwrap_or(place);
    grant.map_or(Ok(()), |grant| grant.readable(path).map(drop))?;
    // What is none may be waited for without end.
    if !std::fs::metadata(path).is_ok_and(|about| about.is_file()) {
        return Err(none("there is no such file".into()));
    }
    let text = read::text(path).map_err(|error| none(error.full_message()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// The file that an import names.
fn own_file(from: Option<&str>, path: &str) -> String {
    let folder = from.map(Path::new).and_then(Path::parent).unwrap_or(Path::new(""));
    format!("{}.rhai", folder.join(path.trim_end_matches(".rhai")).display())
}

/// Finds what a plugin imports among its own files, of which nothing is read any more; and other plugins.
struct Packed {
    content: Arc<Content>,
    name: String,
    grant: Grant,
    caller: Context,
    known: Mutex<HashMap<String, Shared<Module>>>,
    /// What is being read, by the threads that read it.
    reading: Mutex<HashSet<(ThreadId, String)>>,
}

impl Packed {
    fn new(content: &Arc<Content>, grant: &Grant, caller: &Context) -> Self {
        let (name, grant) = (grant.plugin.clone(), grant.clone());
        Packed {
            content: Arc::clone(content),
            name,
            grant,
            caller: caller.clone(),
            known: Mutex::default(),
            reading: Mutex::default(),
        }
    }

    fn module(&self, engine: &Engine, path: &str, text: &str) -> ScriptResult<Module> {
        let name = format!("{}/{path}", self.name);
        let source = Source { name: &name, text };
        let mut ast = compiled(engine, &Scope::new(), source).map_err(thrown)?;
        ast.set_source(path);
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(|error| match *error {
            terminated if ending::due(&terminated).is_some() => terminated.into(),
            other => thrown(errors::uncaught(other, source)),
        })
    }
}

impl ModuleResolver for Packed {
    fn resolve(&self, engine: &Engine, from: Option<&str>, path: &str, at: Position) -> ScriptResult<Shared<Module>> {
        let placed = |mut error: Box<EvalAltResult>| {
            error.set_position(at);
            error
        };
        if let Some(name) = path.strip_prefix(resolve::PLUGIN) {
            self.grant.plugin_of(name).map_err(thrown).map_err(placed)?;
        }
        if let Some(module) = resolve::plugin(Some(&self.caller), path) {
            return module.map_err(thrown).map_err(placed);
        }
        let file = own_file(from, path);
        let none = || thrown(Error::usage(format!("plugin `{}` has no file {}", self.name, safe(&file))));
        let text = self.content.text(&file).map_err(thrown).map_err(placed)?.ok_or_else(none).map_err(placed)?;
        if let Some(module) = locked(&self.known).get(&file).cloned() {
            return Ok(module);
        }
        let reading = (thread::current().id(), file.clone());
        if !locked(&self.reading).insert(reading.clone()) {
            let round = Error::usage(format!("{} imports itself, by itself or by others", safe(&file)));
            return Err(placed(thrown(round)));
        }
        let module = self.module(engine, &file, text).map(Shared::new);
        locked(&self.reading).remove(&reading);
        let module = module.map_err(placed)?;
        Ok(locked(&self.known).entry(file).or_insert(module).clone())
    }
}
