//! Rehearsed trouble: failures, rate limits and latency, in front of every route.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use serde_json::json;
use tokio::time::{Sleep, sleep};

use super::reply::{self, Fault};
use super::shared::Shared;
use super::{crypt, oauth};
use crate::error::{Error, Result};

mod fail;
mod rate;

pub use fail::{Fail, Kind, Often};
use rate::{Bucket, Verdict};
pub use rate::{Rate, Window};

/// How long a slow answer takes: longer than clients usually wait.
const SLOW: Duration = Duration::from_secs(35);

/// How long a broken answer takes to break.
const BREATH: Duration = Duration::from_millis(20);

/// What trouble a sandbox makes.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// What fails; of several that could hit a request, the first does.
    pub fail: Vec<Fail>,
    /// How much longer every answer takes.
    pub latency: Option<Duration>,
    /// How many requests are let through.
    pub rate: Option<Rate>,
}

impl Trouble {
    /// Reads a latency: `20ms`, `1s 500ms`.
    pub fn parse_latency(text: &str) -> Result<Duration> {
        humantime::parse_duration(text).map_err(|source| {
            Error::usage(format!("`{text}` is not a latency")).hint("for instance `20ms`").caused_by(source)
        })
    }
}

/// The trouble of a running sandbox: what is still to fail, and how full the buckets are.
pub struct Rehearsal {
    fails: Mutex<Vec<Fail>>,
    latency: Option<Duration>,
    writes: Mutex<Bucket>,
    lists: Mutex<Bucket>,
    gets: Mutex<Bucket>,
}

impl Rehearsal {
    /// Sets the trouble up.
    pub fn new(trouble: Trouble) -> Self {
        let rate = trouble.rate.unwrap_or_default();
        let bucket = |windows| Mutex::new(Bucket::new(windows, Instant::now()));
        Rehearsal {
            fails: Mutex::new(trouble.fail),
            latency: trouble.latency,
            writes: bucket(&rate.writes),
            lists: bucket(&rate.lists),
            gets: bucket(&rate.gets),
        }
    }

    /// Which bucket a request is counted in, and what that says.
    fn count(&self, method: &Method, path: &str) -> Option<Verdict> {
        let bucket = match (is_write(method, path), path.strip_prefix("/admin/clients")) {
            (_, None) => return None,
            (true, _) => &self.writes,
            (false, Some("")) => &self.lists,
            (false, Some(_)) => &self.gets,
        };
        bucket.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }

    /// What happens to a request, if anything does.
    fn draw(&self, method: &Method, path: &str) -> Option<Kind> {
        let mut fails = self.fails.lock().unwrap_or_else(PoisonError::into_inner);
        fails.iter_mut().find_map(|fail| {
            let hits = match fail.kind {
                Kind::DatabaseDown => needs_database(path),
                Kind::LostRotate => *method == Method::POST && path.ends_with("/secrets/rotate"),
                _ => is_write(method, path),
            };
            let fires = hits
                && match &mut fail.often {
                    Often::Times(left) => left.checked_sub(1).map(|fewer| *left = fewer).is_some(),
                    Often::Probability(chance) => random_fraction() < *chance,
                };
            fires.then_some(fail.kind)
        })
    }
}

/// Marks a response that never goes out: its connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub struct Cut;

/// The layer around every route: latency, then rate limits, then failures.
pub async fn rehearse(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let rehearsal = &shared.rehearsal;
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if let Some(latency) = rehearsal.latency
        && !shared.pause(latency).await
    {
        return cut();
    }
    let verdict = rehearsal.count(&method, &path);
    if let Some(verdict) = verdict.as_ref().filter(|verdict| !verdict.allowed) {
        let mut response = too_many(verdict.reset);
        add_limits(response.headers_mut(), verdict);
        return response;
    }
    let mut response = match rehearsal.draw(&method, &path) {
        None => next.run(request).await,
        Some(Kind::Unavailable) => Fault::unavailable().into_response(),
        Some(Kind::DropBefore) => cut(),
        Some(Kind::LoseReply | Kind::LostRotate) => {
            next.run(request).await;
            cut()
        }
        Some(Kind::DropAfterHeaders) => broken_off(next.run(request).await),
        Some(Kind::Serialize) => Fault::serialization().into_response(),
        Some(Kind::DatabaseDown) => without_database(&path),
        Some(Kind::TooMany) => too_many(1),
        Some(Kind::Html) => reply::page(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        Some(Kind::Slow) => {
            let response = next.run(request).await;
            if shared.pause(SLOW).await { response } else { cut() }
        }
        Some(Kind::Empty) => {
            let (mut parts, _) = next.run(request).await.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::empty())
        }
    };
    if let Some(verdict) = verdict {
        add_limits(response.headers_mut(), &verdict);
    }
    // Hydra says so of every GET, pages for wrong routes among them.
    if method == Method::GET {
        let never = HeaderValue::from_static("private, no-cache, no-store, must-revalidate");
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(never);
    }
    response
}

fn is_write(method: &Method, path: &str) -> bool {
    path.starts_with("/admin/clients") && ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

fn needs_database(path: &str) -> bool {
    path.starts_with("/admin/") || path.starts_with("/oauth2/") || path == "/health/ready"
}

/// What Hydra answers while its database is stopped: a right secret looks wrong, and a revocation looks done.
fn without_database(path: &str) -> Response {
    match path {
        "/oauth2/token" => Fault::invalid_client("").oauth().into_response(),
        "/oauth2/revoke" => oauth::revoked(),
        "/admin/oauth2/introspect" => oauth::inactive(),
        "/health/ready" => {
            let body = json!({ "errors": { "database": "connection refused" } });
            reply::json_body(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
        path if path.starts_with("/oauth2/register/") => Fault::unauthorized().into_response(),
        _ => Fault::unrecognizable().into_response(),
    }
}

fn too_many(seconds: u64) -> Response {
    let body = json!({ "error": {
        "code": 429, "status": "Too Many Requests", "message": "Rate limit exceeded. Try again later.",
    }});
    let mut response = reply::json_body(StatusCode::TOO_MANY_REQUESTS, &body);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn add_limits(headers: &mut HeaderMap, verdict: &Verdict) {
    if let Ok(limit) = HeaderValue::from_str(&verdict.limit) {
        headers.insert("x-ratelimit-limit", limit);
    }
    headers.insert("x-ratelimit-remaining", HeaderValue::from(verdict.remaining));
    headers.insert("x-ratelimit-reset", HeaderValue::from(verdict.reset));
}

fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

/// The same answer, of which the body never comes.
fn broken_off(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("4096"));
    Response::from_parts(parts, Body::new(Broken { begun: false, pause: Box::pin(sleep(BREATH)) }))
}

/// A body that breaks off after its first bytes.
struct Broken {
    begun: bool,
    // The first bytes go out only while the body lets them wait for more.
    pause: Pin<Box<Sleep>>,
}

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if !std::mem::replace(&mut self.begun, true) {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{\"client_id\":")))));
        }
        self.pause.as_mut().poll(context).map(|()| Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
    }
}

/// A random number from 0 up to 1. Without random bytes nothing fails by chance.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn random_fraction() -> f64 {
    const STEPS: u64 = 1 << 53;
    crypt::random().map_or(1.0, |bytes| (u64::from_le_bytes(bytes) % STEPS) as f64 / STEPS as f64)
}
