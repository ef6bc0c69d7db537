//! The session handle: cheap to clone, shared by commands, scripts and the shell.

mod reach;
mod warned;

use std::any::Any;
use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use url::Url;

use crate::api::request::Request;
use crate::api::{Remote, Side, Wait};
use crate::error::{Error, Result};
use crate::model::document::Document;
use crate::net::Policy;
use crate::session::dry_run::{self, DryRun};
use crate::session::grant::{Grant, Op};
use crate::session::hook::{Hook, Hooks};
use crate::session::interrupt::{self, Interrupt};
use crate::session::network::Minted;
use crate::session::target::{self, Chosen, Given, ProfileUsed, Target};
use crate::session::written;
use crate::ui::Ui;
use reach::{Place, Reached};

/// A server that was started inside this process, and what keeps it running.
pub struct Local {
    /// Its admin API.
    pub admin: Url,
    /// Its public API.
    pub public: Url,
    /// Dropped when the session ends.
    pub running: Box<dyn Any + Send + Sync>,
}

/// Starts the sandbox: handed in from above, as a session knows no server.
pub type Starter = Arc<dyn Fn() -> Wait<'static, Result<Local>> + Send + Sync>;

/// What the flags of one command say of the session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The target, as far as flags name it.
    pub given: Given,
    /// How the server is reached.
    pub policy: Policy,
    /// Sent with each request to the admin API.
    pub headers: HeaderMap,
    /// What is agreed to beforehand.
    pub assent: Assent,
}

/// What flags agree to, so that nobody is asked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Assent {
    /// `--yes`: to everything.
    pub yes: bool,
    /// `--confirm`: to changing the production profile of this name.
    pub confirm: Option<String>,
    /// Whether it is a script that says yes, and not a person: that counts for nothing on production.
    pub by_script: bool,
    /// Whether it is a script that names the target.
    pub place_by_script: bool,
}

/// Where commands act, as whom, and what waits for them.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    /// Where its target is, once it was asked for.
    place: Arc<OnceLock<Arc<OnceCell<Place>>>>,
    ui: Ui,
    /// The target, once it was chosen for this command.
    chosen: Arc<OnceLock<Chosen>>,
    /// Whether the command as a whole was agreed to, so that its parts need not be.
    granted: Arc<AtomicBool>,
    /// What hears of clients that are written.
    hooks: Hooks,
    /// Where a part of a script acts, instead of what the shell was told to use.
    within: Option<Arc<Given>>,
    /// Where all of a line acts that names no target, whatever is changed while it is done.
    pinned: Option<Arc<Chosen>>,
    /// What would have been written, where nothing is.
    dry_run: Option<Arc<DryRun>>,
    /// What hooks would have written, where they write nothing as the command itself does not.
    dry_run_of_hooks: Option<Arc<DryRun>>,
    /// Whether it acts on its own sandbox, and nowhere else.
    confined: bool,
    /// What the plugin may do that acts here, where one does.
    grant: Option<Arc<Grant>>,
    /// What tells the script from others that acts here, or has called what does.
    script: Option<Arc<str>>,
    interrupt: Interrupt,
}

/// What all sessions of a process share.
struct Shared {
    runtime: OnceLock<Runtime>,
    workers: usize,
    starter: Starter,
    sandbox: OnceCell<Local>,
    /// What the shell was told to use.
    used: Mutex<Option<Given>>,
    /// What the flags of the shell meant when it began, if anything.
    began_at: OnceLock<Option<Target>>,
    /// Whether the shell was told to use what its own flags are not of.
    has_left: AtomicBool,
    /// How often the shell was told to use something.
    uses: AtomicU64,
    /// How often the plugins that are there were changed.
    plugins: AtomicU64,
    /// Whether something was sent that changes clients.
    writes: AtomicU64,
    /// When that was sent last.
    sent: Mutex<SystemTime>,
    /// What the lines of a shell have written.
    lines: Mutex<written::Lines>,
    /// A line that came of one and was not typed.
    left: Mutex<Option<String>>,
    /// Keys that were made for this session.
    minted: Mutex<Vec<Minted>>,
    /// The targets on which a first change was agreed to.
    agreed: Mutex<HashSet<String>>,
    /// What was warned of.
    warned: Mutex<HashSet<String>>,
    /// The places that were reached of late, for the next command on the same target.
    reached: Mutex<Vec<Reached>>,
}

impl Session {
    /// A session of its own runtime: of `workers` threads, or with none of the one that waits.
    pub fn new(ui: Ui, settings: Settings, workers: usize, starter: Starter) -> Self {
        let shared = Shared {
            runtime: OnceLock::new(),
            workers,
            starter,
            sandbox: OnceCell::new(),
            used: Mutex::default(),
            began_at: OnceLock::new(),
            has_left: AtomicBool::new(false),
            uses: AtomicU64::new(0),
            plugins: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            sent: Mutex::new(SystemTime::UNIX_EPOCH),
            lines: Mutex::default(),
            left: Mutex::default(),
            minted: Mutex::default(),
            agreed: Mutex::default(),
            warned: Mutex::default(),
            reached: Mutex::default(),
        };
        Session {
            shared: Arc::new(shared),
            settings: Arc::new(settings),
            place: Arc::default(),
            ui,
            chosen: Arc::default(),
            granted: Arc::default(),
            hooks: Arc::from([]),
            within: None,
            pinned: None,
            dry_run: None,
            dry_run_of_hooks: None,
            confined: false,
            grant: None,
            script: None,
            interrupt: Interrupt::default(),
        }
    }

    /// The session for one more command. Its target is chosen anew: files may have changed.
    #[must_use]
    pub fn for_command(&self, ui: Ui, mut settings: Settings) -> Self {
        let within = self.within.as_deref().cloned();
        settings.given.used = within.or_else(|| locked(&self.shared.used).clone()).map(Box::new);
        Session {
            ui,
            settings: Arc::new(settings),
            place: Arc::default(),
            chosen: Arc::default(),
            granted: Arc::default(),
            ..self.clone()
        }
    }

    /// The session for a part of a script, which acts there until something names another target. `by` says who named it.
    ///
    /// Of the connection is kept what belongs to the console of Ory Network, where both are projects of that. Errors: nothing
    /// is there by that name.
    pub fn elsewhere(&self, given: Given, by: String) -> Result<Session> {
        if self.confined {
            return Err(Error::usage(format!("{by}: a test acts on its own sandbox, and nowhere else")));
        }
        if let Some(grant) = &self.grant {
            return Err(Error::usage(format!("{by}: plugin `{}` acts where the command acts", grant.plugin)));
        }
        let mut policy = Policy { timeout: self.settings.policy.timeout, ..Policy::default() };
        if given.is_of_network() && matches!(self.chosen()?.target, Target::Network(_)) {
            policy = self.settings.policy.clone();
        }
        let given = Given { named_by: Some(by), trust: self.settings.given.trust.clone(), ..given };
        let settings = Settings { policy, assent: self.settings.assent.clone(), ..Settings::default() };
        let within = Session { within: Some(Arc::new(given)), pinned: None, ..self.clone() };
        let session = within.for_command(self.ui, settings);
        session.chosen()?;
        Ok(session)
    }

    /// The same session, which acts where it does now and nowhere else.
    #[must_use]
    pub fn confined(self) -> Self {
        Session { confined: true, ..self }
    }

    /// Whether it acts on its own sandbox, and nowhere else.
    pub fn is_confined(&self) -> bool {
        self.confined
    }

    /// The same session, in which a plugin acts: it may do what it was granted, the hooks hear of that where it is no hook itself, and
    /// what a person agreed to for the command as a whole is not agreed to for the plugin.
    #[must_use]
    pub fn granted_to(&self, grant: Arc<Grant>) -> Self {
        Session { granted: Arc::default(), grant: Some(grant), ..self.clone() }
    }

    /// The same session, in which a person has agreed to nothing.
    #[must_use]
    pub fn without_assent(self) -> Self {
        if self.settings.assent == Assent::default() {
            return self;
        }
        let settings = Settings { assent: Assent::default(), ..(*self.settings).clone() };
        Session { settings: Arc::new(settings), ..self }
    }

    /// What the plugin may do that acts here, where one does.
    pub fn grant(&self) -> Option<&Arc<Grant>> {
        self.grant.as_ref()
    }

    /// The same session, in which a script acts that this tells from others.
    #[must_use]
    pub fn by_script(self, script: Arc<str>) -> Self {
        Session { script: Some(script), ..self }
    }

    /// Whether a script makes clients here, or a plugin.
    pub fn is_by_script(&self) -> bool {
        self.script.is_some() || self.grant.is_some()
    }

    /// What tells who makes clients here from others: a script, and a plugin that it has called.
    pub fn script(&self) -> String {
        let script = self.script.as_deref().unwrap_or("script");
        self.grant.as_ref().map_or(script.to_owned(), |grant| format!("plugin {} of {script}", grant.plugin))
    }

    /// Whether whoever acts here gets to see secrets of clients.
    pub fn sees_secrets(&self) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.secrets)
    }

    /// A client's document as whoever acts here gets to see it: a plugin that may not look at clients sees which one it is, of one
    /// that it has not made itself.
    pub fn seen(&self, document: Document, is_its: bool) -> Document {
        let document = if self.sees_secrets() { document } else { document.without_secrets() };
        if is_its || self.may_look().is_ok() { document } else { document.only("client_id") }
    }

    /// Errors: a plugin acts here that may not look at clients for their own sake.
    pub fn may_look(&self) -> Result<()> {
        self.grant.as_ref().map_or(Ok(()), |grant| grant.client_op(Op::Read))
    }

    /// Errors: a plugin acts here that may not have that sent; or nothing is sent that changes anything.
    pub fn permits(&self, request: &Request) -> Result<()> {
        if let Some(grant) = &self.grant {
            grant.request(request)?;
        }
        if request.writes && self.dry_run.is_some() {
            return Err(Error::failed(format!("a dry run sends no {}", request.method)).with_code(dry_run::WRITES));
        }
        if request.writes {
            self.shared.writes.fetch_add(1, Ordering::Relaxed);
            *locked(&self.shared.sent) = SystemTime::now();
        }
        Ok(())
    }

    /// When something that changes clients was sent last.
    pub fn sent(&self) -> SystemTime {
        *locked(&self.shared.sent)
    }

    /// How many requests were sent in this process that change clients.
    pub fn writes(&self) -> u64 {
        self.shared.writes.load(Ordering::Relaxed)
    }

    /// What the lines of a shell have written.
    pub(super) fn lines(&self) -> &Mutex<written::Lines> {
        &self.shared.lines
    }

    /// Leaves a line for the history of the shell, where there is one.
    pub fn leave_line(&self, line: String) {
        *locked(&self.shared.left) = Some(line);
    }

    /// The line that was left for it.
    pub fn left_line(&self) -> Option<String> {
        locked(&self.shared.left).take()
    }

    /// The same session, which writes nothing and remembers what it would have written.
    #[must_use]
    pub fn in_dry_run(self) -> Self {
        Session { dry_run: Some(Arc::default()), ..self }
    }

    /// The same session, whose hooks write nothing: the command tells what it would do, and does not do it.
    #[must_use]
    pub fn with_hooks_dry(self) -> Self {
        Session { dry_run_of_hooks: Some(Arc::default()), ..self }
    }

    /// The session that hooks work in. In it none is called.
    #[must_use]
    pub fn for_hooks(&self) -> Self {
        let dry_run = self.dry_run_of_hooks.as_ref().or(self.dry_run.as_ref()).cloned();
        Session { dry_run, ..self.without_hooks() }
    }

    /// The same session, in which what was begun comes to its end, whatever arrives meanwhile.
    #[must_use]
    pub fn to_the_end(self) -> Self {
        Session { interrupt: self.interrupt.unheard(), ..self }
    }

    /// What would have been written, where nothing is.
    pub fn dry_run(&self) -> Option<&DryRun> {
        self.dry_run.as_deref()
    }

    /// The same session, where this hears of clients that are written, too.
    #[must_use]
    pub fn with_hook(self, hook: Arc<dyn Hook>) -> Self {
        let hooks = self.hooks.iter().cloned().chain([hook]).collect();
        Session { hooks, ..self }
    }

    /// The same session, where nobody does.
    #[must_use]
    pub fn without_hooks(&self) -> Self {
        Session { hooks: Arc::from([]), ..self.clone() }
    }

    /// What hears of clients that are written.
    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// What the flags said.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What a command's own flags are put on top of: what the flags of the process said, of which nothing about the
    /// target counts any more once the shell was told to use another.
    pub fn base_settings(&self) -> Settings {
        let without_target = || Settings {
            policy: Policy { timeout: self.settings.policy.timeout, ..Policy::default() },
            assent: self.settings.assent.clone(),
            ..Settings::default()
        };
        if self.within.is_some() {
            let policy = self.settings.policy.clone();
            return Settings { policy, ..without_target() };
        }
        if let Some(used) = &*locked(&self.shared.used) {
            // Another project of the same console is reached in the same way.
            let given = &self.settings.given;
            let was_of_network = given.endpoint.is_none() && !given.sandbox && given.profile.is_none();
            let is_kept = used.is_of_network() && was_of_network && !self.shared.has_left.load(Ordering::SeqCst);
            let policy = if is_kept { self.settings.policy.clone() } else { without_target().policy };
            return Settings { policy, ..without_target() };
        }
        let mut settings = (*self.settings).clone();
        let is_for_one = !settings.headers.is_empty() || settings.given.public_endpoint.is_some();
        if let Some(began_at) = self.shared.began_at.get().filter(|_| is_for_one)
            && target::choose(&settings.given).ok().map(|chosen| chosen.target) != *began_at
        {
            // What was given for one server goes to no other that a file names by now.
            settings.headers = HeaderMap::new();
            settings.given.public_endpoint = None;
        }
        settings
    }

    /// Notes what the flags of the shell mean as it begins.
    pub fn note_target(&self) {
        self.shared.began_at.get_or_init(|| target::choose(&self.settings.given).ok().map(|chosen| chosen.target));
    }

    /// What writes to the terminal.
    pub fn ui(&self) -> Ui {
        self.ui
    }

    /// Where interruptions arrive.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The one place that blocks: runs the future to its end, or until Ctrl-C.
    pub fn wait<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let _watch = self.interrupt.watch();
        if self.interrupt.has_arrived() {
            return Err(Error::interrupted());
        }
        let runtime = self.runtime()?;
        #[expect(clippy::disallowed_methods, reason = "this is the one place that blocks")]
        runtime.block_on(async {
            let mut future = std::pin::pin!(future);
            tokio::select! {
                biased;
                () = self.interrupt.arrival() => {}
                result = &mut future => return result,
            }
            // What must not be cut off in the middle comes to its end first.
            while interrupt::is_undisturbed() {
                tokio::select! {
                    result = &mut future => return result,
                    () = tokio::time::sleep(Duration::from_millis(10)) => {}
                }
            }
            Err(Error::interrupted())
        })
    }

    /// Runs what has to be finished after an interruption; only a second one ends it, and the process.
    pub fn finish<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let _watch = self.interrupt.watch();
        #[expect(clippy::disallowed_methods, reason = "waiting after an interruption is still waiting in one place")]
        Ok(self.runtime()?.block_on(future))
    }

    /// Where the session acts, as a person would say it: address, and who named it.
    pub fn described(&self) -> Result<String> {
        let chosen = self.chosen()?;
        let place = match self.known_place().and_then(|place| place.get()) {
            Some(place) => place.admin.to_string(),
            None => chosen.place(),
        };
        Ok(format!("{place} ({})", chosen.named_by))
    }

    /// What the server is called in files: its address; of the sandbox inside this program its name, as its ports change.
    pub fn server(&self) -> Result<String> {
        let chosen = self.chosen()?;
        if chosen.target == Target::Sandbox { Ok(chosen.place()) } else { Ok(self.admin_url()?.to_string()) }
    }

    /// The target, and who named it; nothing is sent for it.
    pub fn chosen(&self) -> Result<Chosen> {
        if let Some(chosen) = self.chosen.get() {
            return Ok(chosen.clone());
        }
        let pinned = self.pinned.as_deref().filter(|_| !self.settings.given.names_target());
        let chosen = pinned.map_or_else(|| target::choose(&self.settings.given), |chosen| Ok(chosen.clone()))?;
        Ok(self.chosen.get_or_init(|| chosen).clone())
    }

    /// The same session, which looks anew where it acts.
    #[must_use]
    pub fn unpinned(&self) -> Self {
        Session { pinned: None, ..self.clone() }
    }

    /// The same session, which stays where it acts by now, as do those that are made of it and name no target.
    #[must_use]
    pub fn pinned(self) -> Self {
        let pinned = self.chosen().ok().map(Arc::new);
        Session { pinned, ..self }
    }

    /// From now on, commands that name no target act there. Those that were made before are not affected.
    pub fn use_from_now_on(&self, given: Given) {
        if !given.is_of_network() {
            self.shared.has_left.store(true, Ordering::SeqCst);
        }
        self.shared.uses.fetch_add(1, Ordering::SeqCst);
        let trust = given.trust.clone().or_else(|| self.settings.given.trust.clone());
        *locked(&self.shared.used) = Some(Given { trust, ..given });
    }

    /// How often that was said.
    pub fn uses(&self) -> u64 {
        self.shared.uses.load(Ordering::SeqCst)
    }

    /// A command may change what plugins there are: a shell looks at them anew behind it.
    pub fn changes_plugins(&self) {
        self.shared.plugins.fetch_add(1, Ordering::SeqCst);
    }

    /// How often that was said.
    pub fn plugin_changes(&self) -> u64 {
        self.shared.plugins.load(Ordering::SeqCst)
    }

    /// Credentials have changed: commands from now on look at them anew.
    pub fn look_anew(&self) {
        locked(&self.shared.reached).clear();
    }

    /// Whether the command as a whole was agreed to.
    pub fn is_agreed(&self) -> bool {
        self.granted.load(Ordering::SeqCst)
    }

    /// The command as a whole is agreed to.
    pub fn agree(&self) {
        self.granted.store(true, Ordering::SeqCst);
    }

    /// Whether a first change of that target was agreed to; `remember`: it is, now.
    pub fn has_agreed(&self, target: &str, remember: bool) -> bool {
        let mut agreed = locked(&self.shared.agreed);
        if remember {
            agreed.insert(target.to_owned());
        }
        agreed.contains(target)
    }

    /// The address of the admin API; looked up, and the sandbox started, when first asked for.
    pub fn admin_url(&self) -> Result<Url> {
        self.wait(async { Ok(self.door(Side::Admin).await?.base) })
    }

    /// The public address, as far as it is known by now.
    pub fn public_url(&self) -> Option<Url> {
        self.known_place().and_then(|place| place.get()).and_then(Place::public)
    }

    fn runtime(&self) -> Result<&Runtime> {
        if let Some(runtime) = self.shared.runtime.get() {
            return Ok(runtime);
        }
        let mut builder = match self.shared.workers {
            0 => Builder::new_current_thread(),
            workers => {
                let mut builder = Builder::new_multi_thread();
                builder.worker_threads(workers);
                builder
            }
        };
        let runtime = builder
            .enable_all()
            .build()
            .map_err(|source| Error::failed("cannot start the runtime").caused_by(source))?;
        // Another thread may have been first; its runtime is as good.
        let _ = self.shared.runtime.set(runtime);
        self.shared.runtime.get().ok_or_else(|| Error::failed("the runtime is gone"))
    }

    /// Deletes the keys that were made for this session, also after an interruption.
    pub fn close(&self) {
        for minted in std::mem::take(&mut *locked(&self.shared.minted)) {
            if let Err(error) = self.finish(minted.delete()).and_then(|deleted| deleted) {
                self.ui.warn(&format!("{}: it ends by itself", error.full_message()));
            }
        }
    }

    /// How the server is reached: as the flags say, and for the rest as its profile does.
    pub fn policy(&self, profile: Option<&ProfileUsed>) -> Policy {
        let own = &self.settings.policy;
        let Some(ProfileUsed { policy: said, .. }) = profile else { return own.clone() };
        Policy {
            timeout: own.timeout,
            ca_file: own.ca_file.clone().or_else(|| said.ca_file.clone()),
            client_cert: own.client_cert.clone().or_else(|| said.client_cert.clone()),
            client_key: own.client_key.clone().or_else(|| said.client_key.clone()),
            proxy: own.proxy.clone().or_else(|| said.proxy.clone()),
            skip_tls_verify: own.skip_tls_verify || said.skip_tls_verify,
        }
    }
}

/// What a lock holds. A thread that broke down with it leaves it as it was then.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
