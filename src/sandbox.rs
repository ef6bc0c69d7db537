//! A server that behaves as Ory Hydra does, on loopback, from one SQLite file: to try things out and to test.
//!
//! It keeps real clients, secrets and tokens, gives the answers a live Hydra gives, its dangerous ones too,
//! and makes trouble when it is asked to. It shares nothing with the client side of this program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

mod admin;
mod authentication;
mod crypt;
mod document;
mod duration;
mod fields;
mod gourl;
mod network;
mod oauth;
mod paging;
mod patch;
mod register;
mod reply;
mod rules;
mod seed;
mod server;
mod shared;
mod store;
pub mod trouble;

pub use network::help as network_help;
pub use server::demand_loopback;
pub use store::Location;
pub use trouble::Trouble;

use network::Network;
use shared::Shared;
use store::Store;
use trouble::Rehearsal;

/// The most bytes that a request's body may have.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Clients to begin with.
#[derive(Clone, Debug)]
pub enum Seed {
    /// A file that holds a JSON array of client documents.
    File(PathBuf),
    /// The documents.
    Documents(Vec<Value>),
}

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where clients are kept.
    pub store: Location,
    /// Where the admin side listens: a loopback address; port 0 takes a free one.
    pub admin: SocketAddr,
    /// Where the public side listens: likewise.
    pub public: SocketAddr,
    /// Where the network listener is, if there is one: likewise.
    pub network: Option<SocketAddr>,
    /// Clients to add where their ids are free.
    pub seed: Option<Seed>,
    /// How often PBKDF2 goes over a new secret. Low, because nothing here is worth an attack.
    pub hash_iterations: u32,
    /// What trouble to make.
    pub trouble: Trouble,
}

impl Default for Options {
    /// In memory, on free ports of 127.0.0.1, without trouble.
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Options {
            store: Location::Memory,
            admin: any,
            public: any,
            network: None,
            seed: None,
            hash_iterations: 100,
            trouble: Trouble::default(),
        }
    }
}

/// A running sandbox; dropping it ends it at once.
#[derive(Debug)]
pub struct Running {
    /// Where the admin side listens.
    pub admin: SocketAddr,
    /// Where the public side listens.
    pub public: SocketAddr,
    /// Where the network listener is, if there is one.
    pub network: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

impl Running {
    /// The admin side's address, without a slash at its end.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// The public side's address, without a slash at its end: the issuer.
    pub fn public_url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// The network listener's address, without a slash at its end.
    pub fn network_url(&self) -> Option<String> {
        self.network.map(|address| format!("http://{address}"))
    }

    /// Stops: no new connections, and those that are not done within two seconds are cut.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for listener in std::mem::take(&mut self.listeners) {
            // A listener that was aborted is stopped as well.
            let _ = listener.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}

/// Starts a sandbox on the runtime that this is called on.
///
/// Errors: an address that is not loopback or a seed that is wrong is usage; an address that is taken or a
/// file that cannot be opened is a failure.
pub async fn start(options: Options) -> Result<Running> {
    let (admin_listener, admin) = server::listen(options.admin).await?;
    let (public_listener, public) = server::listen(options.public).await?;
    let network_listener = match options.network {
        Some(address) => Some(server::listen(address).await?),
        None => None,
    };
    let Options { store: location, seed, hash_iterations, trouble, .. } = options;
    let store = location.clone();
    let (stop, stopping) = watch::channel(false);
    let opened = tokio::task::spawn_blocking(move || -> Result<Store> {
        let store = Store::open(&store)?;
        if let Some(seed) = seed {
            seed::plant(&store, seed, hash_iterations)?;
        }
        Ok(store)
    });
    let store = opened.await.map_err(|source| Error::failed("cannot open the sandbox").caused_by(source))??;
    let shared = Arc::new(Shared {
        store: Arc::new(store),
        public_url: format!("http://{public}"),
        hash_iterations,
        rehearsal: Arc::new(Rehearsal::new(trouble)),
        stopping: stopping.clone(),
    });
    let mut served = vec![
        (admin_listener, finished(admin::routes(), &shared)),
        (public_listener, finished(oauth::routes(), &shared)),
    ];
    let network = network_listener.as_ref().map(|(_, address)| *address);
    if let Some((listener, _)) = network_listener {
        let opened = tokio::task::spawn_blocking(move || Network::open(shared, &location));
        let opened = opened.await.map_err(|source| Error::failed("cannot open the sandbox").caused_by(source))??;
        served.push((listener, opened.routes()));
    }
    let spawn = |(listener, routes)| tokio::spawn(server::serve(listener, routes, stopping.clone()));
    Ok(Running { admin, public, network, stop, listeners: served.into_iter().map(spawn).collect() })
}

/// Adds what both sides have: health, the page for wrong routes, and the rehearsed trouble.
fn finished(routes: Router<Arc<Shared>>, shared: &Arc<Shared>) -> Router {
    routes
        .route("/health/ready", get(admin::healthy))
        .route("/health/alive", get(admin::healthy))
        .fallback(reply::wrong_route)
        .method_not_allowed_fallback(reply::wrong_route)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(shared.clone(), trouble::rehearse))
        .with_state(shared.clone())
}
