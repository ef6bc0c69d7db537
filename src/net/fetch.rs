//! Fetching from addresses that come from people: https only, never a private address, with bounds on everything.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use url::{Host, Url};

use super::{Policy, address, body, build, builder, causes, transport, with_proxy, with_tls};
use crate::error::{Error, Kind, Result};
use crate::text::safe;

/// What bounds a fetch.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How servers are reached; no client certificate is shown, and no wrong certificate believed, whatever it says.
    pub policy: Policy,
    /// Hosts whose addresses may be private: `host`, or `host:port`.
    pub allowed_private: Vec<String>,
    /// How many redirects are followed.
    pub redirects: usize,
    /// For all of it, redirects included.
    pub time: Duration,
    /// The most bytes of a body.
    pub bytes: usize,
}

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// The body.
    pub bytes: Vec<u8>,
    /// Its media type, as the server named it.
    pub content_type: String,
    /// A host whose address could not be checked, because a proxy resolved it.
    pub unchecked_host: Option<String>,
}

/// Reads an address to fetch from: absolute, https, without user name and password. `what` names what it is of.
pub fn fetch_url(text: &str, what: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Error::usage(format!("the address of {what} is refused: {why}"))
            .hint("an address looks like https://example.org/alice.asc")
    };
    let url = Url::parse(text).map_err(|source| wrong("it is no address").caused_by(source))?;
    check(&url).map_err(|why| wrong(&why))?;
    Ok(url)
}

/// `GET`, following redirects by hand and checking each of them.
///
/// Errors: of usage where the address is not one to fetch from, the answer is too large or has not status 200 (whose
/// number is the error's status); a failure where there is no answer.
pub async fn fetch(limits: &Limits, url: &Url, what: &str) -> Result<Fetched> {
    match tokio::time::timeout(limits.time, follow(limits, url, what)).await {
        Ok(result) => result,
        Err(_) => Err(Error::failed(format!("{what} did not come within {} s", limits.time.as_secs_f32()))),
    }
}

async fn follow(limits: &Limits, url: &Url, what: &str) -> Result<Fetched> {
    let refused = |url: &Url, why: &str| Error::usage(format!("{what} is not fetched from {}: {why}", place(url)));
    let mut url = url.clone();
    let mut unchecked_host = None;
    for _ in 0..=limits.redirects {
        let (client, guard) = client(limits, &url)?;
        let sent = client.get(url.clone()).send().await;
        let response = sent.map_err(|source| {
            if let Some(private) = private(&source) {
                return refused(&url, &private).hint(allow(&url));
            }
            let error = transport(source, &url).about(format!("cannot fetch {what}"));
            match &guard.proxy_host {
                Some(proxy) => error.hint(format!("it is asked for through the proxy {}", safe(proxy))),
                None => error,
            }
        })?;
        if let Some(Host::Domain(host)) = url.host()
            && !is_allowed(limits, &url)
            && !guard.asked.load(Ordering::SeqCst)
        {
            unchecked_host = Some(host.to_owned());
        }
        let status = response.status().as_u16();
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            let Some(to) = to else { return Err(refused(&url, "it redirects to nowhere")) };
            check(&to).map_err(|why| refused(&url, &format!("it redirects to {}, and {why}", place(&to))))?;
            url = to;
            continue;
        }
        if status != 200 {
            let error = refused(&url, &format!("the server answered with HTTP {status}")).with_status(status);
            return Err(if status >= 500 { error.of_kind(Kind::Failed) } else { error });
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let read = body(response, limits.bytes).await.map_err(|source| transport(source, &url))?;
        let too_large = || {
            let most = limits.bytes / 1024;
            Error::usage(format!("{what} from {} is larger than {most} KiB", place(&url)))
        };
        let bytes = read.ok_or_else(too_large)?.to_vec();
        return Ok(Fetched { bytes, content_type, unchecked_host });
    }
    Err(refused(&url, &format!("it redirects more than {} times", limits.redirects)))
}

/// Why an address is not one to fetch from.
fn check(url: &Url) -> std::result::Result<(), String> {
    match url.scheme() {
        "https" if url.host().is_none() => Err("it names no host".into()),
        "https" if !url.username().is_empty() || url.password().is_some() => {
            Err("it holds a user name or password".into())
        }
        "https" => Ok(()),
        other => Err(format!("its scheme is {other}, not https")),
    }
}

fn client(limits: &Limits, url: &Url) -> Result<(reqwest::Client, Arc<Guard>)> {
    let is_allowed = is_allowed(limits, url);
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    // An address that is written as one is never resolved.
    if let Some(address) = literal
        && !is_allowed
        && !address::is_public(address)
    {
        return Err(Error::usage(format!("{} is not fetched from: {}", place(url), Private(address))).hint(allow(url)));
    }
    let policy = Policy { client_cert: None, client_key: None, skip_tls_verify: false, ..limits.policy.clone() };
    let (builder, proxy) = with_proxy(builder(&policy), &policy, url)?;
    let is_proxied = proxy.is_some();
    let proxy_host = proxy.and_then(|proxy| proxy.host_str().map(str::to_owned));
    // A host that is fetched from gets no exception for being a proxy as well.
    let proxy_host = proxy_host.filter(|host| url.host_str() != Some(host));
    let guard = Arc::new(Guard { is_proxied, proxy_host, is_allowed, asked: AtomicBool::new(false) });
    Ok((build(with_tls(builder.dns_resolver(Arc::clone(&guard)), &policy)?)?, guard))
}

/// A client for a host that a plugin was granted: at no private address, unless that was granted as well. No redirect is
/// followed.
pub fn guarded(policy: &Policy, url: &Url, may_be_private: bool) -> Result<Guarded> {
    let allowed_private = if may_be_private { vec![url.host_str().unwrap_or_default().to_owned()] } else { Vec::new() };
    let limits = Limits {
        policy: policy.clone(),
        allowed_private,
        redirects: 0,
        time: policy.timeout,
        bytes: super::MOST_BYTES,
    };
    let (client, guard) = client(&limits, url)?;
    let name = url.host().filter(|host| matches!(host, Host::Domain(_)) && !may_be_private);
    Ok(Guarded { client, guard, name: name.map(|host| host.to_string()) })
}

/// Such a client.
pub struct Guarded {
    /// The client.
    pub client: reqwest::Client,
    guard: Arc<Guard>,
    /// The name whose address may not be private.
    name: Option<String>,
}

impl Guarded {
    /// Why nothing is to be asked for through a proxy: it would resolve the name, which stands for a private address here.
    pub async fn refuses(&self) -> Option<String> {
        let name = self.name.as_deref().filter(|_| self.guard.is_proxied)?;
        // What is not known here may be known to the proxy.
        let mut found = tokio::net::lookup_host((name, 0)).await.ok()?;
        let private = found.find(|found| !address::is_public(found.ip()))?;
        Some(Private(private.ip()).to_string())
    }

    /// The host whose address could not be checked, because a proxy resolved it.
    pub fn unchecked(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| !self.guard.asked.load(Ordering::SeqCst))
    }
}

/// What is said of such a host.
pub fn unchecked(host: &str) -> String {
    format!("{} was reached through a proxy: whether its address is a private one could not be checked", safe(host))
}

/// A host, or a host and a port: what [`Limits::allowed_private`] holds. `what` names what gave it.
pub fn host(what: &str, text: String) -> Result<String> {
    if is_host(&text) {
        return Ok(text);
    }
    Err(Error::usage(format!("{what}: `{}` is no host", safe(&text)))
        .hint("name a host, or host:port, without a scheme or a path"))
}

fn is_host(text: &str) -> bool {
    let url = |host: &str| Url::parse(&format!("https://{host}/"));
    let is_plain = |url: Url| url.path() == "/" && url.query().is_none() && url.username().is_empty();
    !text.contains(['/', '?', '#', '@']) && (url(text).is_ok_and(is_plain) || text.parse::<IpAddr>().is_ok())
}

fn is_allowed(limits: &Limits, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let with_port = format!("{host}:{port}");
    limits.allowed_private.iter().any(|allowed| {
        allowed.eq_ignore_ascii_case(host)
            || allowed.eq_ignore_ascii_case(&with_port)
            || allowed.eq_ignore_ascii_case(host.trim_matches(['[', ']']))
    })
}

fn allow(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("if that is right, allow it with --allow-private-key-host {host} (in a script: allow_private_key_host)")
}

/// Where an address points to, without path and query.
fn place(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host().map(|host| host.to_string()).unwrap_or_default())
}

/// Resolves names, and lets public addresses through only: what was checked is what is connected to.
struct Guard {
    /// Whether a proxy may be what asks for addresses.
    is_proxied: bool,
    /// The host of a proxy, which may well be a private one.
    proxy_host: Option<String>,
    is_allowed: bool,
    /// Whether a name other than the proxy's was resolved.
    asked: AtomicBool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxy_host.as_deref() == Some(name.as_str());
        if !is_proxy {
            self.asked.store(true, Ordering::SeqCst);
        }
        let lets_all = is_proxy || self.is_allowed;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let usable: Vec<SocketAddr> =
                found.iter().copied().filter(|found| lets_all || address::is_public(found.ip())).collect();
            match (found.first(), usable.is_empty()) {
                (Some(first), true) => Err(Box::new(Private(first.ip())) as Box<dyn StdError + Send + Sync>),
                (None, _) => Err(io::Error::other(format!("{} has no address", name.as_str())).into()),
                _ => Ok(Box::new(usable.into_iter()) as Addrs),
            }
        })
    }
}

/// That an address is private, where nothing was asked of it for that.
pub fn private(error: &reqwest::Error) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<Private>()).map(ToString::to_string)
}

/// An address that nothing is fetched from.
#[derive(Debug)]
struct Private(IpAddr);

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its address {} is a private one", self.0)
    }
}

impl StdError for Private {}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "nothing else waits here")]
    #[tokio::test]
    async fn a_proxy_is_not_asked_for_what_is_private_here() {
        let guarded = |is_proxied: bool, name: Option<&str>| {
            let guard = Guard { is_proxied, proxy_host: None, is_allowed: false, asked: AtomicBool::new(false) };
            let client = crate::net::client(&Policy::default(), &Url::parse("http://a.invalid").unwrap()).unwrap();
            Guarded { client, guard: Arc::new(guard), name: name.map(str::to_owned) }
        };
        let private = guarded(true, Some("localhost")).refuses().await;
        assert!(private.is_some_and(|why| why.contains("private")));
        for other in [(true, Some("a.invalid")), (false, Some("localhost")), (true, None)] {
            assert_eq!(guarded(other.0, other.1).refuses().await, None);
        }
    }
}
