//! The one door to the network: turns a policy into an HTTP client.
//!
//! For a plain http address no TLS roots are loaded. No client follows redirects: a body replayed on a 307 would
//! hand its secret to another host. What people give addresses for is fetched under bounds of its own (`net/fetch.rs`).

use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, Identity, NoProxy, Proxy, Response, redirect, tls};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::env;
use crate::error::{Error, Result};

mod address;
pub mod fetch;
mod transport;

pub use transport::{UNREACHABLE, causes, transport};

/// The most bytes of an answer that are read.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How a server is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// For one whole request.
    pub timeout: Duration,
    /// A PEM file of the authorities that are trusted, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the client's certificate chain.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    pub client_key: Option<PathBuf>,
    /// Whether any certificate is believed.
    pub skip_tls_verify: bool,
    /// A proxy, instead of the environment's.
    pub proxy: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            timeout: Duration::from_secs(30),
            ca_file: None,
            client_cert: None,
            client_key: None,
            skip_tls_verify: false,
            proxy: None,
        }
    }
}

/// Whether an address is on this machine: a proxy is never used for it, and plain http is no risk.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an address is one of this machine's own, by whichever of its names.
pub fn is_this_machine(url: &Url) -> bool {
    let is_own = |address: IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || address.is_unspecified()
    };
    is_loopback(url)
        || match url.host() {
            Some(Host::Ipv4(address)) => is_own(address.into()),
            Some(Host::Ipv6(address)) => is_own(address.into()),
            Some(Host::Domain(name)) => {
                let found = (name, url.port_or_known_default().unwrap_or_default()).to_socket_addrs();
                found.is_ok_and(|mut found| found.any(|address| is_own(address.ip())))
            }
            None => false,
        }
}

/// Reads an address of a server: absolute, http or https, without user, query or fragment.
///
/// `what` names the flag or variable that gave it.
pub fn server_url(text: &str, what: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Error::usage(format!("{what} is not the address of a server: {why}"))
            .hint("an address looks like http://127.0.0.1:4445 or https://hydra.example.org")
    };
    if text.is_empty() {
        return Err(wrong("it is empty"));
    }
    let url = Url::parse(text).map_err(|source| {
        let error = wrong(&format!("`{}`", without_user(text))).caused_by(source);
        if text.contains("://") { error } else { error.hint(format!("did you mean `http://{text}`?")) }
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        let error = wrong(&format!("its scheme is `{}`, not http or https", url.scheme()));
        // `localhost:4445` reads as a scheme and a path.
        return Err(if text.contains("://") { error } else { error.hint(format!("did you mean `http://{text}`?")) });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password").hint("give credentials with --header 'Authorization: …'"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it holds a query or fragment"));
    }
    Ok(url)
}

/// A text without the user name and password that stand in it if it is an address.
pub fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://[REDACTED]@{}", &rest[at + 1..]),
        None => text.to_owned(),
    }
}

fn without_user(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}

/// Reads a body to its end; `None` where it has more than `most` bytes, of which no more are read then.
pub async fn body(mut response: Response, most: usize) -> reqwest::Result<Option<Zeroizing<Vec<u8>>>> {
    let length = response.content_length().unwrap_or_default();
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= most) else { return Ok(None) };
    // A buffer that grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// Makes the HTTP client for one server.
pub fn client(policy: &Policy, server: &Url) -> Result<Client> {
    let (builder, proxy) = with_proxy(builder(policy), policy, server)?;
    // A proxy may be spoken to by TLS, whatever the server is.
    let uses_tls = [Some(server), proxy.as_ref()].into_iter().flatten().any(|url| url.scheme() == "https");
    let builder = if uses_tls { with_tls(builder, policy)? } else { without_tls(builder) };
    build(builder)
}

/// What all clients have in common.
fn builder(policy: &Policy) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("orysh/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5).min(policy.timeout))
        .timeout(policy.timeout)
        .http1_only()
        .referer(false)
        .no_proxy()
}

fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|source| Error::failed("cannot set up the HTTP client").caused_by(source))
}

/// Adds the proxy for a server, and gives its address; the server may be excepted from it yet.
fn with_proxy(builder: ClientBuilder, policy: &Policy, server: &Url) -> Result<(ClientBuilder, Option<Url>)> {
    if is_loopback(server) {
        return Ok((builder, None));
    }
    let named = if server.scheme() == "https" { &env::HTTPS_PROXY } else { &env::HTTP_PROXY };
    let from_environment = || env::proxy_variable(named).or_else(|| env::proxy_variable(&env::ALL_PROXY));
    let Some((address, from_flag)) = policy
        .proxy
        .clone()
        .map(|address| (address, true))
        .or_else(|| from_environment().map(|address| (address, false)))
    else {
        return Ok((builder, None));
    };
    let wrong = || {
        let what = if from_flag { "--proxy" } else { named.name };
        Error::usage(format!("{what} does not name a proxy")).hint("a proxy looks like http://proxy:3128")
    };
    // As for curl, a proxy without a scheme is one of http.
    let address = if address.contains("://") { address } else { format!("http://{address}") };
    let address = Url::parse(&address).map_err(|source| wrong().caused_by(source))?;
    let proxy = Proxy::all(address.clone()).map_err(|source| wrong().caused_by(source))?;
    let exceptions = if from_flag { None } else { env::proxy_variable(&env::NO_PROXY) };
    Ok((builder.proxy(proxy.no_proxy(exceptions.as_deref().and_then(NoProxy::from_string))), Some(address)))
}

/// An empty store of roots: nothing is read from disk, and https would fail rather than go unchecked.
fn without_tls(builder: ClientBuilder) -> ClientBuilder {
    install_provider();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    builder.tls_backend_preconfigured(config)
}

fn with_tls(mut builder: ClientBuilder, policy: &Policy) -> Result<ClientBuilder> {
    install_provider();
    builder = builder.tls_version_min(tls::Version::TLS_1_2).tls_danger_accept_invalid_certs(policy.skip_tls_verify);
    if let Some(path) = &policy.ca_file {
        let bad =
            |source: reqwest::Error| Error::usage(format!("no certificates in {}", path.display())).caused_by(source);
        let certificates = Certificate::from_pem_bundle(&read(path, "--ca-file")?).map_err(bad)?;
        if certificates.is_empty() {
            return Err(Error::usage(format!("no certificates in {}", path.display()))
                .hint("--ca-file takes PEM: -----BEGIN CERTIFICATE-----"));
        }
        builder = builder.tls_certs_only(certificates);
    }
    match (&policy.client_cert, &policy.client_key) {
        (None, None) => {}
        (Some(cert), key) => {
            // One file may hold both.
            let mut pem = read(cert, "--client-cert")?;
            if let Some(key) = key {
                pem.push(b'\n');
                pem.extend(read(key, "--client-key")?);
            }
            let identity = Identity::from_pem(&pem).map_err(|source| {
                Error::usage(format!("no client certificate with its key in {}", cert.display())).caused_by(source)
            })?;
            builder = builder.identity(identity);
        }
        (None, Some(_)) => return Err(Error::usage("--client-key needs --client-cert")),
    }
    Ok(builder)
}

fn install_provider() {
    // A second call finds the provider installed, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn read(path: &PathBuf, flag: &str) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|source| Error::usage(format!("cannot read {} ({flag})", path.display())).caused_by(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_with_its_reason() {
        for (text, why) in [
            ("127.0.0.1:4445", "not the address"),
            ("ftp://x", "scheme"),
            ("http://me:canary@x", "user name"),
            ("http://x/?a=b", "query"),
            ("not a url", "not the address"),
        ] {
            let error = server_url(text, "--endpoint").unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert!(!format!("{error:?}").contains("canary"));
        }
        assert!(server_url("http://127.0.0.1:4445/base", "--endpoint").is_ok());
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        for (url, expected) in [
            ("http://localhost:1", true),
            ("http://localhost.:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:4", true),
            ("http://localhost.evil.org", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
