//! Rules for URIs.

use super::{Finding, shown};
use crate::model::spec::ClientSpec;
use crate::model::uri::Uri;

/// Schemes whose URIs run code, show text of an attacker's or open files in a browser.
const DANGEROUS: &[&str] = &["javascript", "data", "vbscript", "file", "blob", "about", "view-source"];

/// RFC 3986 §2: neither spaces nor control characters; an empty text is no URI at all.
pub fn not_plain(field: &'static str, text: &str) -> Option<Finding> {
    if text.is_empty() {
        return Some(Finding::error(field, format!("`{field}` holds an empty text")));
    }
    text.contains(|c: char| c.is_whitespace() || c.is_control()).then(|| {
        let message = format!("{} in `{field}` holds a space or a control character", shown(text));
        Finding::error(field, message).hint("write a space as `%20`")
    })
}

/// RFC 6749 §3.1.2: an absolute URI. Hydra takes `/cb`, `*` and `//host/cb` too.
pub fn relative(field: &'static str, text: &str) -> Option<Finding> {
    Uri::new(text).scheme.is_none().then(|| {
        Finding::error(field, format!("{} in `{field}` is not an absolute URI", shown(text)))
            .hint("write it with its scheme, such as `https://example.org/callback`")
    })
}

/// `localhost:3000/cb` is a URI with the scheme `localhost`; what reads as a port is one, and the scheme was forgotten.
pub fn forgotten_scheme(field: &'static str, text: &str) -> Option<Finding> {
    const LONGEST_PORT: usize = 5;
    let uri = Uri::new(text);
    let port = uri.path.split('/').next().unwrap_or_default();
    let is_port = (1..=LONGEST_PORT).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let scheme = uri.scheme.filter(|_| is_port && uri.authority.is_none() && !uri.is_web())?;
    let with = format!("http://{text}");
    let meant = if Uri::new(&with).is_loopback() { with } else { format!("https://{text}") };
    let message = format!("{} in `{field}` has the scheme {}", shown(text), shown(scheme));
    Some(Finding::warning(field, message).hint(format!("did you mean {}?", shown(&meant))))
}

/// RFC 9700 §4.1: what a browser would run or open instead of passing on.
pub fn dangerous_scheme(field: &'static str, text: &str) -> Option<Finding> {
    let uri = Uri::new(text);
    DANGEROUS.iter().find(|scheme| uri.has_scheme(scheme)).map(|scheme| {
        Finding::error(field, format!("{} in `{field}` has the scheme `{scheme}`, which is dangerous", shown(text)))
    })
}

/// RFC 6749 §3.1.2: no fragment.
pub fn fragment(field: &'static str, text: &str) -> Option<Finding> {
    let message = || format!("{} in `{field}` has a fragment (`#`)", shown(text));
    Uri::new(text).fragment.map(|_| Finding::error(field, message()))
}

/// An `http` or `https` URI needs a host that can be one.
pub fn no_host(field: &'static str, text: &str) -> Option<Finding> {
    let message = || format!("{} in `{field}` is not an http URI with a host", shown(text));
    (Uri::new(text).is_web() && !has_host(text)).then(|| Finding::error(field, message()))
}

/// Redirect URIs are compared letter by letter (RFC 9700 §2.1).
pub fn wildcard(field: &'static str, text: &str) -> Option<Finding> {
    text.contains('*').then(|| {
        let message = format!("{} in `{field}` holds a `*`, which stands for nothing but itself", shown(text));
        Finding::warning(field, message).hint("name each URI")
    })
}

/// RFC 8252 §7.3: plain `http` is for this machine only.
pub fn unprotected(field: &'static str, text: &str) -> Option<Finding> {
    let uri = Uri::new(text);
    (uri.has_scheme("http") && !uri.is_loopback()).then(|| {
        let message =
            format!("{} in `{field}` sends codes and tokens over http, where others can read them", shown(text));
        Finding::warning(field, message).hint("use https")
    })
}

/// Pages, logos, key sets and callbacks are fetched or shown over `http` or `https`.
pub fn not_web(field: &'static str, text: &str) -> Option<Finding> {
    (!Uri::new(text).is_web() || !has_host(text))
        .then(|| Finding::error(field, format!("{} in `{field}` is not an absolute http or https URI", shown(text))))
}

/// Hydra: `http` or `https`, a host and perhaps a port, nothing else (RFC 6454 §7).
pub fn not_an_origin(field: &'static str, text: &str) -> Option<Finding> {
    let uri = Uri::new(text);
    // The server takes slashes at the end off.
    let is_bare = uri.path.trim_end_matches('/').is_empty()
        && uri.query.is_none()
        && uri.fragment.is_none()
        && uri.user_info().is_none();
    (!uri.is_web() || !has_host(text) || !is_bare).then(|| {
        let finding = Finding::error(field, format!("{} in `{field}` is not an origin", shown(text)));
        match (uri.is_web(), uri.scheme, uri.authority) {
            (true, Some(scheme), Some(_)) if !uri.host().is_empty() => {
                let port = if uri.port().is_empty() { String::new() } else { format!(":{}", uri.port()) };
                let host = if uri.host().contains(':') { format!("[{}]", uri.host()) } else { uri.host().to_owned() };
                finding.hint(format!("write {}", shown(&format!("{scheme}://{host}{port}"))))
            }
            _ => finding.hint("write scheme, host and port only, such as `https://example.org`"),
        }
    })
}

/// OpenID Connect Registration §5: `https` only.
pub fn not_https(field: &'static str, text: &str) -> Option<Finding> {
    (!Uri::new(text).has_scheme("https") || !has_host(text))
        .then(|| Finding::error(field, format!("{} in `{field}` is not an https URI", shown(text))))
}

/// Hydra: each post-logout URI shares scheme, host and port with a redirect URI.
pub fn logout_elsewhere(spec: &ClientSpec) -> Vec<Finding> {
    const FIELD: &str = "post_logout_redirect_uris";
    let redirects: Vec<Uri<'_>> = spec.list("redirect_uris").into_iter().map(Uri::new).collect();
    let is_known = |text: &str| {
        let uri = Uri::new(text);
        redirects.iter().any(|redirect| {
            let same_scheme = redirect.scheme.map(str::to_ascii_lowercase) == uri.scheme.map(str::to_ascii_lowercase);
            same_scheme && redirect.host() == uri.host() && redirect.port() == uri.port()
        })
    };
    let message = |text| format!("{} in `{FIELD}` shares scheme, host and port with no redirect URI", shown(text));
    spec.list(FIELD)
        .into_iter()
        .filter(|text| Uri::new(text).scheme.is_some() && !is_known(text))
        .map(|text| Finding::error(FIELD, message(text)).hint("add a redirect URI on the same host and port"))
        .collect()
}

/// OpenID Connect Core §8.1: with several hosts, only a sector identifier says what the subject ids are made from.
pub fn several_sectors(spec: &ClientSpec) -> Option<Finding> {
    const FIELD: &str = "sector_identifier_uri";
    let redirects = spec.list("redirect_uris");
    let mut hosts: Vec<&str> = redirects.iter().map(|text| Uri::new(text).host()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let is_due = spec.text("subject_type") == Some("pairwise") && spec.text(FIELD).is_none() && hosts.len() > 1;
    let message =
        "`subject_type` is pairwise and the redirect URIs have several hosts, but `sector_identifier_uri` is missing";
    is_due.then(|| Finding::warning(FIELD, message))
}

/// Whether an `http` or `https` URI has a host and a port that can be some.
fn has_host(text: &str) -> bool {
    !Uri::new(text).host().is_empty() && url::Url::parse(text).is_ok()
}
