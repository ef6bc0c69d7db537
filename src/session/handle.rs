//! The session handle: cheap to clone, shared by commands, scripts and the shell.

use std::any::Any;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use url::{Origin, Url};

use crate::api::{Door, Remote, Side, Wait};
use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::session::interrupt::Interrupt;
use crate::session::network;
use crate::session::target::{self, Chosen, Given, Target};
use crate::ui::Ui;

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
}

/// Where commands act, as whom, and what waits for them.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    place: Arc<OnceCell<Place>>,
    ui: Ui,
}

/// What all sessions of a process share.
struct Shared {
    runtime: OnceLock<Runtime>,
    workers: usize,
    interrupt: Interrupt,
    starter: Starter,
    sandbox: OnceCell<Local>,
}

/// The target with its addresses known.
struct Place {
    named_by: String,
    admin: Url,
    headers: HeaderMap,
    client: Client,
    public: Mutex<Option<Url>>,
    /// The public side's own client, made when first needed.
    public_client: OnceCell<(Origin, Client)>,
}

impl Session {
    /// A session of its own runtime: of `workers` threads, or with none of the one that waits.
    pub fn new(ui: Ui, settings: Settings, workers: usize, starter: Starter) -> Self {
        let shared = Shared {
            runtime: OnceLock::new(),
            workers,
            interrupt: Interrupt::default(),
            starter,
            sandbox: OnceCell::new(),
        };
        Session { shared: Arc::new(shared), settings: Arc::new(settings), place: Arc::default(), ui }
    }

    /// The session for one more command: the same connection where its settings are the same.
    #[must_use]
    pub fn for_command(&self, ui: Ui, settings: Settings) -> Self {
        let mut session = Session { ui, ..self.clone() };
        if settings != *self.settings {
            session.place = Arc::default();
            session.settings = Arc::new(settings);
        }
        session
    }

    /// What the flags said, for a command's own flags to be put on top.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What writes to the terminal.
    pub fn ui(&self) -> Ui {
        self.ui
    }

    /// Where interruptions arrive.
    pub fn interrupt(&self) -> &Interrupt {
        &self.shared.interrupt
    }

    /// The one place that blocks: runs the future to its end, or until Ctrl-C.
    pub fn wait<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        let _watch = self.shared.interrupt.watch();
        if self.shared.interrupt.has_arrived() {
            return Err(Error::interrupted());
        }
        let runtime = self.runtime()?;
        #[expect(clippy::disallowed_methods, reason = "this is the one place that blocks")]
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.shared.interrupt.arrival() => Err(Error::interrupted()),
                result = future => result,
            }
        })
    }

    /// Runs what has to be finished after an interruption; only a second one ends it, and the process.
    pub fn finish<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        let _watch = self.shared.interrupt.watch();
        #[expect(clippy::disallowed_methods, reason = "waiting after an interruption is still waiting in one place")]
        Ok(self.runtime()?.block_on(future))
    }

    /// Where the session acts, as a person would say it: address, and who named it.
    pub fn described(&self) -> Result<String> {
        if let Some(place) = self.place.get() {
            return Ok(format!("{} ({})", place.admin, place.named_by));
        }
        let chosen = target::choose(&self.settings.given)?;
        Ok(match &chosen.target {
            Target::Server { admin, .. } => format!("{admin} ({})", chosen.named_by),
            Target::Network(network) => {
                let project = network.project.as_deref().unwrap_or("the key's own project");
                format!("Ory Network, {project} ({})", chosen.named_by)
            }
            Target::Sandbox => format!("the sandbox ({})", chosen.named_by),
        })
    }

    /// The address of the admin API; looked up, and the sandbox started, when first asked for.
    pub fn admin_url(&self) -> Result<Url> {
        self.wait(async { Ok(self.door(Side::Admin).await?.base) })
    }

    /// The public address, as far as it is known by now.
    pub fn public_url(&self) -> Option<Url> {
        self.place.get().and_then(Place::public)
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

    async fn resolve(&self) -> Result<Place> {
        let Chosen { target, named_by, warnings } = target::choose(&self.settings.given)?;
        for warning in warnings {
            self.ui.warn(&warning);
        }
        let policy = &self.settings.policy;
        let (admin, public, mut headers) = match target {
            Target::Server { admin, public, credential } => {
                let headers = credential.as_ref().map(network::bearer).transpose()?.unwrap_or_default();
                (admin, public, headers)
            }
            Target::Network(network) => {
                let address = network::resolve(&network, policy).await?;
                (address.clone(), Some(address), network::bearer(&network.credential)?)
            }
            Target::Sandbox => {
                let local = self.shared.sandbox.get_or_try_init(|| (self.shared.starter)()).await?;
                (local.admin.clone(), Some(local.public.clone()), HeaderMap::new())
            }
        };
        for name in self.settings.headers.keys() {
            headers.remove(name);
        }
        // One name may come several times.
        for (name, value) in &self.settings.headers {
            headers.append(name, value.clone());
        }
        let client = net::client(policy, &admin)?;
        Ok(Place { named_by, admin, headers, client, public: Mutex::new(public), public_client: OnceCell::new() })
    }

    async fn place(&self) -> Result<&Place> {
        self.place.get_or_try_init(|| self.resolve()).await
    }

    async fn public_door(&self, place: &Place) -> Result<Door> {
        let url = place.public().ok_or_else(|| {
            Error::usage("the server's public address is not known").hint("name it with --public-endpoint")
        })?;
        let policy = &self.settings.policy;
        let (origin, client) = place
            .public_client
            .get_or_try_init(async || Ok::<_, Error>((url.origin(), net::client(policy, &url)?)))
            .await?;
        let client = if *origin == url.origin() { client.clone() } else { net::client(policy, &url)? };
        // A credential goes to its own origin only, and at the token endpoint the client signs in as itself.
        let mut headers = if url.origin() == place.admin.origin() { place.headers.clone() } else { HeaderMap::new() };
        headers.remove(AUTHORIZATION);
        Ok(Door { base: url, headers, client, timeout: policy.timeout })
    }
}

impl Place {
    fn public(&self) -> Option<Url> {
        self.public.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Remote for Session {
    fn door(&self, side: Side) -> Wait<'_, Result<Door>> {
        Box::pin(async move {
            let place = self.place().await?;
            match side {
                Side::Admin => Ok(Door {
                    base: place.admin.clone(),
                    headers: place.headers.clone(),
                    client: place.client.clone(),
                    timeout: self.settings.policy.timeout,
                }),
                Side::Public => self.public_door(place).await,
            }
        })
    }

    fn learn_public(&self, url: Url) {
        if let Some(place) = self.place.get() {
            // Where the admin API is spoken to by TLS, no secret goes anywhere in the clear.
            if place.admin.scheme() == "https" && url.scheme() != "https" {
                return;
            }
            place.public.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(url);
        }
    }

    fn tell(&self, message: &str) {
        self.ui.note(message);
    }
}
