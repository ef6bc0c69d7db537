//! The engine: limits, cancelling, and the modules of the API.

pub mod keeping;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};

use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, INT, OptimizationLevel, Position};
use sha2::{Digest as _, Sha256};

use crate::batch::carry::Spent;
use crate::error::{Error, Result};
use crate::grammar::Host;
use crate::memory;
use crate::output::outcome::Ended;
use crate::script::api::language::Left;
use crate::script::errors::ScriptResult;
use crate::script::held::Held;
use crate::script::library::Library;
use crate::script::{api, asking, bounded, clients, ending, errors, limits, shown, sorting, value, variables};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::grant::Grant;
use crate::session::handle::locked;
use crate::text::{hex, safe, safe_painted};
use crate::ui::{self, Ui, output};

/// What a line of Rhai is called that is given as such.
pub const EVAL: &str = "eval";

/// How deep an expression may be nested: Rhai's default refuses a hundred concatenations.
const EXPRESSION_DEPTH: usize = 256;

/// How deep functions may call each other that use no variable: others are told of before.
const CALL_DEPTH: usize = variables::MOST_CALLS + 8;

/// What a script works with, shared by all functions of the API.
#[derive(Clone)]
pub struct Context {
    host: Host,
    /// Where parts of the script act, the innermost last; a plugin is called from several threads.
    within: Arc<Mutex<HashMap<ThreadId, Vec<Session>>>>,
    /// Whom each call of the API is told to, with its time.
    listener: Option<Ui>,
    /// What is kept, each with the number of the call that keeps it.
    held: Arc<Mutex<Vec<(u64, Held)>>>,
    /// Files that the script has written while something was kept.
    files: Arc<Mutex<BTreeSet<(u64, PathBuf)>>>,
    /// Ciphertexts, and the secrets that are in them.
    sealed: Arc<Mutex<HashMap<String, Secret>>>,
    temporary: Arc<Temporary>,
    /// Folders that would have been made, where nothing is written.
    would_be: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// How the script ends itself, once it does.
    left: Arc<OnceLock<Left>>,
    /// Why something that was printed went nowhere.
    unwritten: Arc<OnceLock<io::Error>>,
    most_memory: usize,
    /// The runs of the lines before.
    earlier: Arc<Mutex<Vec<String>>>,
    /// Runs whose secrets the script has taken, each with the call.
    spent: Arc<Mutex<Vec<(u64, Spent)>>>,
    /// What is done at its end for commands that it has called, each with the call.
    ends: Arc<Mutex<Vec<(u64, Ended)>>>,
    /// How many clients were not delivered, of which the script does not know.
    undelivered: Arc<AtomicUsize>,
}

impl Context {
    /// A context in which no secret is kept yet.
    pub fn new(host: Host) -> Self {
        Context {
            host,
            within: Arc::default(),
            listener: None,
            held: Arc::default(),
            files: Arc::default(),
            sealed: Arc::default(),
            temporary: Arc::default(),
            would_be: Arc::default(),
            left: Arc::default(),
            unwritten: Arc::default(),
            most_memory: MOST_MEMORY,
            earlier: Arc::default(),
            spent: Arc::default(),
            ends: Arc::default(),
            undelivered: Arc::default(),
        }
    }

    /// The same, where each call of the API is told with its time.
    #[must_use]
    pub fn telling(self) -> Self {
        let ui = self.host.session.ui();
        Context { listener: Some(ui), ..self }
    }

    /// Whom each call is told to.
    pub fn listener(&self) -> Option<Ui> {
        self.listener
    }

    /// Where the script acts now.
    pub fn session(&self) -> Session {
        let within = locked(&self.within);
        let innermost = within.get(&thread::current().id()).and_then(|all| all.last());
        innermost.unwrap_or(&self.host.session).clone()
    }

    /// The same, with the commands.
    pub fn host(&self) -> Host {
        Host { session: self.session(), registry: Arc::clone(&self.host.registry) }
    }

    /// What comes of work that acts in that session.
    pub fn within<T>(&self, session: Session, work: impl FnOnce() -> T) -> T {
        let thread = thread::current().id();
        locked(&self.within).entry(thread).or_default().push(session);
        let result = work();
        let mut within = locked(&self.within);
        if let Entry::Occupied(mut all) = within.entry(thread) {
            all.get_mut().pop();
            if all.get().is_empty() {
                all.remove();
            }
        }
        result
    }

    /// The same for a script: that of a file, or of a text.
    #[must_use]
    pub fn of_script(self, name: &str, text: &str) -> Self {
        let path = std::fs::canonicalize(name).ok().filter(|path| path.is_file() && name != EVAL);
        let of_text = || format!("{name} {}", hex(&Sha256::digest(text)));
        let script = path.map_or_else(of_text, |path| path.display().to_string()).into();
        let session = self.host.session.clone().by_script(script);
        Context { host: Host { session, ..self.host }, ..self }
    }

    /// The same, where scripts may take so many bytes.
    #[must_use]
    pub fn with_memory(self, most_memory: usize) -> Self {
        Context { most_memory, ..self }
    }

    /// The same context, secrets included, where another session acts.
    #[must_use]
    pub fn at(&self, session: Session) -> Self {
        self.with(Host { session, registry: Arc::clone(&self.host.registry) })
    }

    /// The same, where there are other commands as well.
    #[must_use]
    pub fn with(&self, host: Host) -> Self {
        // How an earlier line ended is over.
        let (left, unwritten) = (Arc::default(), Arc::default());
        Context { host, within: Arc::default(), left, unwritten, ..self.clone() }
    }

    /// A client was written, and not delivered.
    pub fn not_delivered(&self) {
        self.undelivered.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were not since this was asked last.
    pub fn take_undelivered(&self) -> usize {
        self.undelivered.swap(0, Ordering::Relaxed)
    }

    /// How many bytes a file may have that is read as a whole: what is made of it takes several times as many.
    pub fn most_read(&self) -> u64 {
        self.most_memory as u64 / 4
    }

    /// How many bytes scripts may take.
    pub fn most_memory(&self) -> usize {
        self.most_memory
    }

    /// Prints to stdout. A script whose output goes nowhere is ended.
    pub fn print(&self, text: &str) {
        limits::say(text.len());
        if !limits::may_say() || ending::goes_on().is_err() {
            return;
        }
        // What the command prints is not to be mixed with it.
        if limits::is_hook() {
            // Its line has an end already.
            let text = text.strip_suffix('\n').unwrap_or(text);
            if !text.is_empty() {
                self.session().ui().note(text);
            }
            return;
        }
        match self.session().ui().try_print(text) {
            Ok(()) => {
                if let Err(error) = self.has_written(text.as_bytes()) {
                    self.session().ui().warn(&error.full_message());
                }
            }
            // The script ends with the next step.
            Err(error) if output::is_cut_off(&error) => {}
            Err(error) => {
                // The first one tells.
                let _ = self.unwritten.set(error);
            }
        }
    }

    /// The script ends itself.
    pub fn leave(&self, left: Left) {
        // The first one counts.
        let _ = self.left.set(left);
    }

    /// How it did.
    pub fn left(&self) -> Option<Left> {
        self.left.get().cloned()
    }

    /// Why something that was printed went nowhere.
    pub fn unwritten(&self) -> Option<io::Error> {
        self.unwritten.get().map(|error| io::Error::new(error.kind(), error.to_string()))
    }

    /// Whether a path is in a folder that goes with the script.
    pub fn is_temporary(&self, path: &Path) -> bool {
        !path.components().any(|part| part == Component::ParentDir)
            && locked(&self.temporary.0).iter().any(|(_, folder)| path.starts_with(folder))
    }

    /// A folder that goes once the script has ended.
    pub fn temporary(&self, folder: PathBuf) {
        locked(&self.temporary.0).push((limits::id(), folder));
    }

    /// A call into a plugin is over, whose script goes on with the next one: its folders go with it.
    pub fn remove_temporary(&self) {
        keeping::take_own(&self.temporary.0).into_iter().for_each(remove);
    }

    /// Where a file is that may be read. Errors: a plugin may not.
    pub fn readable(&self, path: &str) -> Result<String> {
        self.reachable(path, Grant::readable)
    }

    /// Where a file is that may be written. Errors: a plugin may not.
    pub fn writable(&self, path: &str) -> Result<String> {
        self.reachable(path, Grant::writable)
    }

    fn reachable(&self, path: &str, real: fn(&Grant, &str) -> Result<PathBuf>) -> Result<String> {
        let session = self.session();
        let Some(grant) = session.grant() else { return Ok(path.to_owned()) };
        // What is typed or piped is for the command, and folders of its own are anybody's.
        if path == "-" {
            return grant.prompt().map(|()| path.to_owned());
        }
        if self.is_temporary(Path::new(path)) {
            return Ok(path.to_owned());
        }
        let real = real(grant, path)?;
        // What is neither file nor folder may be waited for without end.
        if std::fs::metadata(&real).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            return Err(Error::failed(format!("plugin `{}`: {} is no file", grant.plugin, safe(path))));
        }
        real.to_str().map(str::to_owned).ok_or_else(|| Error::usage(format!("{} is not UTF-8", real.display())))
    }

    /// A folder would be made, where nothing is written.
    pub fn would_make(&self, folder: &Path) {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        locked(&self.would_be).insert(folder);
    }

    /// Whether it would be there by then.
    pub fn would_have_made(&self, folder: &Path) -> bool {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        locked(&self.would_be).iter().any(|made| made.starts_with(&folder))
    }

    /// A secret's text.
    pub fn reveal(&self, secret: &Secret) -> String {
        if let Some(dry_run) = self.session().dry_run() {
            dry_run.hide(secret);
        }
        secret.expose().to_owned()
    }
}

/// Folders that go with the script, each with the call that made it.
#[derive(Debug, Default)]
struct Temporary(Mutex<Vec<(u64, PathBuf)>>);

impl Drop for Temporary {
    fn drop(&mut self) {
        locked(&self.0).drain(..).for_each(|(_, folder)| remove(folder));
    }
}

fn remove(folder: PathBuf) {
    // It may be gone already.
    let _ = std::fs::remove_dir_all(folder);
}

/// An engine with the whole API. Ctrl-C ends any script.
pub fn engine(context: &Context) -> Engine {
    let mut engine = pure(context);
    // What a script does stands in it.
    engine.disable_symbol("eval");
    library(&mut engine, context).register(&mut engine);
    let ui = context.host.session.ui();
    let bound = context.clone();
    engine.on_print(move |text| bound.print(&ui.printable(text)));
    engine.on_debug(move |text, _, _| {
        limits::say(text.len());
        if limits::may_say() && ending::goes_on().is_ok() {
            ui.line(&safe_painted(text));
        }
    });
    engine
}

/// All functions of the API; their types and operators are registered at once.
pub fn library(engine: &mut Engine, context: &Context) -> Library {
    let mut library = Library::new(context.listener, context.host.session.grant().cloned());
    api::language::register(&mut library, engine, context);
    clients::register(&mut library, engine, context);
    api::commands::register(&mut library, context);
    api::session::register(&mut library, context);
    api::tokens::register(&mut library, context);
    api::data::register(&mut library, engine, context);
    api::time::register(&mut library, engine);
    api::files::register(&mut library, context);
    api::small::register(&mut library, context);
    api::patterns::register(&mut library, context);
    api::http::register(&mut library, context);
    api::tell::register(&mut library, context);
    api::ui::register(&mut library, engine, context);
    library
}

/// An engine for expressions over clients: it reaches no server, no terminal and no file.
pub fn looking_only(context: &Context) -> Engine {
    let mut engine = pure(context);
    for word in ["eval", "print", "debug", "import"] {
        engine.disable_symbol(word);
    }
    // Rhai has it among its standard functions.
    engine.register_fn("sleep", no_sleep::<INT>).register_fn("sleep", no_sleep::<FLOAT>);
    engine
}

fn no_sleep<T>(_: T) -> ScriptResult<()> {
    Err(errors::thrown(Error::usage("`sleep` is for scripts only")))
}

/// The language with the types of clients. Ctrl-C ends whatever runs.
fn pure(context: &Context) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    // Rhai puts a constant where a loop's variable of that name is meant.
    engine.set_optimization_level(OptimizationLevel::None);
    // In debug and release alike, so that tests see what users see.
    engine.set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    engine.set_max_call_levels(CALL_DEPTH);
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    cancel(&mut engine, context);
    bounded::register(&mut engine, context.most_memory);
    sorting::register(&mut engine);
    asking::register(&mut engine);
    shown::register(&mut engine, context.most_memory);
    value::register(&mut engine, context.most_memory);
    variables::register(&mut engine);
    engine
}

fn cancel(engine: &mut Engine, context: &Context) {
    let interrupt = context.host.session.interrupt().heard();
    let (most, before) = (context.most_memory, memory::allocated());
    let (unwritten, left) = (Arc::clone(&context.unwritten), Arc::clone(&context.left));
    engine.on_progress(move |count| {
        // What a native function takes is seen once it is back: its own limits bound it.
        let has_too_much = || memory::allocated().saturating_sub(limits::allocated().unwrap_or(before)) > most;
        let why = || {
            if count % GLANCE == 0 && limits::is_over() {
                Some(Dynamic::from(TimedOut(limits::may_say())))
            } else if interrupt.has_arrived() && !ui::is_undisturbed()
                || unwritten.get().is_some()
                || left.get().is_some()
            {
                Some(Dynamic::UNIT)
            } else {
                has_too_much().then(|| Dynamic::from(Exhausted(most)))
            }
        };
        ending::step(why)
    });
}

/// After so many steps it is looked at the time.
const GLANCE: u64 = 128;

/// What ends a script that has taken so many bytes and more.
#[derive(Clone, Copy, Debug)]
pub struct Exhausted(pub usize);

/// What ends a call into a plugin that takes too long, or says too much.
#[derive(Clone, Copy, Debug)]
pub struct TimedOut(pub bool);

/// How many bytes a script may take, where nobody says otherwise.
pub const MOST_MEMORY: usize = 512 * 1024 * 1024;

/// A thrown value with a position that Rhai fills in.
pub fn runtime_error(value: Dynamic) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(value, Position::NONE).into()
}
