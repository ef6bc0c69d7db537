//! The network listener: Ory Network in small, on one address. Its console API, and of each of its projects the admin
//! and the public API, told apart by the name of the host as Ory Network does, and by path where there is no such name.
//!
//! A client that takes the address for an HTTP proxy sends requests in absolute form (RFC 9112 §3.2.2): the host is
//! the one that is named there, and need not resolve.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::shared::Shared;
use super::store::{Location, Store};
use super::{admin, finished, oauth, reply};
use crate::error;

mod console;
mod keys;
mod places;
mod sign_in;

use keys::{Keys, Subject};
use places::{PROJECTS, Project};
use sign_in::SignIns;

pub use places::help;

/// How many hosts' routes are remembered.
const MOST_HOSTS: usize = 64;

/// What the network listener holds.
pub struct Network {
    /// The sandbox itself, whose clients are those of the first project.
    shared: Arc<Shared>,
    /// The stores of the other projects.
    stores: HashMap<&'static str, Arc<Store>>,
    keys: Keys,
    sign_ins: SignIns,
    /// The routes of each project under each name that it was asked by: its own address stands in its answers.
    routers: Mutex<HashMap<(&'static str, String), Router>>,
}

impl Network {
    /// Opens the projects' stores beside the sandbox's own.
    pub fn open(shared: Arc<Shared>, location: &Location) -> error::Result<Arc<Self>> {
        let mut stores = HashMap::new();
        for project in &PROJECTS[1..] {
            stores.insert(project.slug, Arc::new(Store::open(&beside(location, project.slug))?));
        }
        Ok(Arc::new(Network {
            shared,
            stores,
            keys: Keys::default(),
            sign_ins: SignIns::default(),
            routers: Mutex::default(),
        }))
    }

    /// All of it, as one service.
    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(self))
    }

    fn router_of(&self, project: &'static Project, origin: &str) -> Router {
        let mut routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        if routers.len() >= MOST_HOSTS {
            routers.clear();
        }
        let make = || {
            let store = self.stores.get(project.slug).unwrap_or(&self.shared.store);
            let shared = Arc::new(Shared {
                store: Arc::clone(store),
                public_url: origin.to_owned(),
                hash_iterations: self.shared.hash_iterations,
                rehearsal: Arc::clone(&self.shared.rehearsal),
                stopping: self.shared.stopping.clone(),
            });
            finished(admin::routes().merge(oauth::routes()), &shared)
        };
        routers.entry((project.slug, origin.to_owned())).or_insert_with(make).clone()
    }
}

/// `sandbox.sqlite` → `sandbox.sqlite.quiet-lake`.
fn beside(location: &Location, slug: &str) -> Location {
    match location {
        Location::Memory => Location::Memory,
        Location::File(path) => {
            let mut name = path.clone().into_os_string();
            name.push(".");
            name.push(slug);
            Location::File(PathBuf::from(name))
        }
    }
}

/// Which part of Ory Network a request is for.
#[derive(Debug, Eq, PartialEq)]
enum Place<'a> {
    Console,
    /// Where people sign in.
    SignIn,
    Project(&'a str),
    /// A host that is neither: its path and key have to tell.
    Any,
    Unknown,
}

fn place(host: &str) -> Place<'_> {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.contains(']') { host } else { name });
    match name.split_once('.') {
        Some(("api", _)) => Place::Console,
        Some(("project", _)) => Place::SignIn,
        Some((slug, rest)) if rest.starts_with("projects.") => Place::Project(slug),
        _ if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') || name == "localhost" => Place::Any,
        _ => Place::Unknown,
    }
}

async fn answer(State(network): State<Arc<Network>>, mut request: Request) -> Result<Response, Refusal> {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(named).unwrap_or_default().to_lowercase();
    let path = request.uri().path().to_owned();
    if percent_decode_str(&path).decode_utf8().is_err() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "The path is not UTF-8."));
    }
    let subject = network.keys.subject(request.headers(), &network.sign_ins);
    if place(&host) == Place::SignIn {
        if let Some(rest) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(rest);
        }
        let Ok(response) = TowerToHyperService::new(sign_in::routes(&network)).call(request).await;
        return Ok(response);
    }
    let is_console = path == "/projects" || path == "/workspaces" || console::is_below(&path);
    let project = match place(&host) {
        Place::Console | Place::SignIn => None,
        Place::Any if is_console => None,
        Place::Project(slug) => match PROJECTS.iter().find(|project| project.slug == slug && project.is_running()) {
            Some(project) => Some(project),
            None => return Err(Refusal::unknown(format!("There is no running project {slug}."))),
        },
        Place::Any => Some(match subject {
            Some(Subject::Project(project)) => project,
            _ => &PROJECTS[0],
        }),
        Place::Unknown => return Err(Refusal::unknown(format!("Nothing is served at {host}."))),
    };
    // Without the authority it is the request that the server of that host would have got.
    if let Some(rest) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(rest);
    }
    let router = match project {
        None => console::routes(&network),
        Some(project) if path.starts_with("/admin/") && !subject.is_some_and(|subject| subject.may_admin(project)) => {
            return Err(Refusal::unauthorized(request.headers()));
        }
        Some(project) => network.router_of(project, &format!("http://{host}")),
    };
    let Ok(response) = TowerToHyperService::new(router).call(request).await;
    Ok(response)
}

/// An error as Ory Network tells it, which is not as Hydra does.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Refusal { status, reason: reason.into() }
    }

    fn unknown(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }

    fn unauthorized(headers: &HeaderMap) -> Self {
        let is_given = headers.contains_key(header::AUTHORIZATION);
        let reason = if is_given { "Access credentials are invalid" } else { "Access credentials are not set" };
        Self::new(StatusCode::UNAUTHORIZED, reason)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let message = match self.status {
            StatusCode::UNAUTHORIZED => "The request could not be authorized",
            StatusCode::FORBIDDEN => "The requested action was forbidden",
            StatusCode::NOT_FOUND => "The requested resource could not be found",
            StatusCode::BAD_REQUEST => "The request was malformed or contained invalid parameters",
            _ => "The error is unrecognizable",
        };
        let error = json!({
            "code": self.status.as_u16(),
            "status": self.status.canonical_reason(),
            "reason": self.reason,
            "message": message,
        });
        reply::json_body(self.status, &json!({ "error": error }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_tells_what_is_asked() {
        for (host, expected) in [
            ("api.console.test", Place::Console),
            ("project.console.test", Place::SignIn),
            ("api.console.test:80", Place::Console),
            ("happy-hill.projects.oryapis.test", Place::Project("happy-hill")),
            ("127.0.0.1:4000", Place::Any),
            ("[::1]:4000", Place::Any),
            ("localhost:4000", Place::Any),
            ("example.org", Place::Unknown),
            ("", Place::Unknown),
        ] {
            assert_eq!(place(host), expected, "{host}");
        }
    }
}
