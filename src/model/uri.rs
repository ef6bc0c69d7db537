//! URIs taken apart as RFC 3986 §3 says, without changing them: servers compare them letter by letter.

/// The parts of a URI reference, as they were written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Uri<'a> {
    /// What stands before the first colon, if that is a scheme.
    pub scheme: Option<&'a str>,
    /// What stands between `//` and the path.
    pub authority: Option<&'a str>,
    /// The path; all the rest of a URI such as `mailto:a@b`.
    pub path: &'a str,
    /// What follows `?`.
    pub query: Option<&'a str>,
    /// What follows `#`.
    pub fragment: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Takes any text apart; whether the parts make sense is for the caller to say.
    pub fn new(text: &'a str) -> Self {
        let (rest, fragment) = cut(text, '#');
        let (rest, query) = cut(rest, '?');
        let (scheme, rest) = match scheme(rest) {
            Some(scheme) => (Some(scheme), &rest[scheme.len() + 1..]),
            None => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Uri { scheme, authority, path, query, fragment }
    }

    /// Whether the scheme is this one; case does not matter.
    pub fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.is_some_and(|own| own.eq_ignore_ascii_case(scheme))
    }

    /// Whether the scheme is `http` or `https`.
    pub fn is_web(&self) -> bool {
        self.has_scheme("http") || self.has_scheme("https")
    }

    /// `user:password` before the host.
    pub fn user_info(&self) -> Option<&'a str> {
        self.authority?.rsplit_once('@').map(|(user, _)| user)
    }

    /// The host, of an IPv6 address without its brackets; empty if there is none.
    pub fn host(&self) -> &'a str {
        self.host_and_port().0
    }

    /// The port; empty if none is written.
    pub fn port(&self) -> &'a str {
        self.host_and_port().1
    }

    fn host_and_port(&self) -> (&'a str, &'a str) {
        let authority = self.authority.unwrap_or("");
        let rest = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
        if let Some((host, port)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            return (host, port.strip_prefix(':').unwrap_or(""));
        }
        rest.rsplit_once(':').unwrap_or((rest, ""))
    }

    /// Whether the host is this machine itself (RFC 8252 §7.3, RFC 6761 §6.3).
    pub fn is_loopback(&self) -> bool {
        let host = self.host().to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// The scheme that a text starts with, if it is followed by a colon (RFC 3986 §3.1).
pub fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let is_scheme = bytes.next()?.is_ascii_alphabetic()
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    is_scheme.then_some(scheme)
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_comes_apart() {
        let uri = Uri::new("https://u:p@[::1]:8443/cb?x=1#f");
        assert!(uri.is_web() && uri.is_loopback());
        assert_eq!((uri.user_info(), uri.host(), uri.port()), (Some("u:p"), "::1", "8443"));
        assert_eq!((uri.path, uri.query, uri.fragment), ("/cb", Some("x=1"), Some("f")));
        let app = Uri::new("com.app:/cb");
        assert_eq!((app.scheme, app.authority, app.path), (Some("com.app"), None, "/cb"));
        assert_eq!(Uri::new("//host/x").authority, Some("host"));
        for relative in ["*", "/cb", "foo", "", "//host/x", "1a:/x", "/a:b"] {
            assert_eq!(Uri::new(relative).scheme, None, "{relative}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        for uri in
            ["http://localhost/cb", "http://app.localhost:3", "http://127.3.2.1/", "http://[::1]", "http://LOCALHOST"]
        {
            assert!(Uri::new(uri).is_loopback(), "{uri}");
        }
        for uri in ["http://localhost.example.org", "http://128.0.0.1", "http://notlocalhost", "http://"] {
            assert!(!Uri::new(uri).is_loopback(), "{uri}");
        }
    }
}
