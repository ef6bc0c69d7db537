//! URLs as Go's `net/url` takes them apart: the rules for redirect URIs rest on what it lets through.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What Go's `url.PathEscape` leaves as it is.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b':')
    .remove(b'=')
    .remove(b'@');

/// The parts of a URL; absent ones are empty.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct GoUrl<'a> {
    /// The scheme, as it was written.
    pub scheme: &'a str,
    /// User information before the `@`.
    pub user: &'a str,
    /// The host without its port.
    pub host: &'a str,
    /// The port.
    pub port: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query, without `?`.
    pub query: &'a str,
    /// The fragment, without `#`.
    pub fragment: &'a str,
}

/// `url.Parse`: a reference, relative ones too.
pub fn parse(text: &str) -> Option<GoUrl<'_>> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let url = split(text, false)?;
    unescapes(fragment).then_some(GoUrl { fragment, ..url })
}

/// `url.ParseRequestURI`: an absolute URI or an absolute path; a `#` has no meaning.
pub fn parse_request(text: &str) -> Option<GoUrl<'_>> {
    split(text, true)
}

/// `url.PathEscape`, and what a second escaping makes of it in a URL's path: `/` is `%252F`.
pub fn escaped_twice(text: &str) -> String {
    percent_encode(text.as_bytes(), PATH_SEGMENT).to_string().replace('%', "%25")
}

fn split(text: &str, request: bool) -> Option<GoUrl<'_>> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) || (request && text.is_empty()) {
        return None;
    }
    if text == "*" {
        return Some(GoUrl { path: "*", ..GoUrl::default() });
    }
    let (scheme, rest) = scheme(text)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut url = GoUrl { scheme, query, ..GoUrl::default() };
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            // What follows is opaque: `javascript:alert(1)`.
            return Some(url);
        }
        // A first segment with a colon would read as a scheme.
        if request || rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return None;
        }
    }
    url.path = rest;
    if let Some(after) =
        rest.strip_prefix("//").filter(|_| !scheme.is_empty() || (!request && !rest.starts_with("///")))
    {
        let end = after.find('/').unwrap_or(after.len());
        let (authority, path) = after.split_at(end);
        url.path = path;
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        url.user = user;
        (url.host, url.port) = host_and_port(host)?;
    }
    unescapes(url.path).then_some(url)
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn host_and_port(host: &str) -> Option<(&str, &str)> {
    let allowed = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(c);
    if !host.chars().all(allowed) || !unescapes(host) {
        return None;
    }
    let (name, port) = if let Some(inner) = host.strip_prefix('[') {
        let (address, after) = inner.rsplit_once(']')?;
        (address, after)
    } else {
        host.find(':').map_or((host, ""), |at| host.split_at(at))
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        None if port.is_empty() => "",
        _ => return None,
    };
    Some((name, port))
}

fn unescapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'%' || bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_lets_through_as_a_request_uri() {
        for good in ["http://a/cb", "/relative", "*", "//host/x", "javascript:alert(1)", "com.example.app:/cb"] {
            assert!(parse_request(good).is_some(), "{good}");
        }
        for bad in ["foo", "", "http://a b/c", ":x", "http://a:port/", "http://a/%zz", "a\nb:/"] {
            assert!(parse_request(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_origin_comes_apart() {
        let url = parse("https://u:p@a.example:8080/x?q#f").unwrap();
        assert_eq!((url.scheme, url.user, url.host, url.port), ("https", "u:p", "a.example", "8080"));
        assert_eq!((url.path, url.query, url.fragment), ("/x", "q", "f"));
        assert_eq!(parse("http://[::1]:80").unwrap().host, "::1");
    }

    #[test]
    fn ids_are_escaped_twice() {
        assert_eq!(escaped_twice("te am/ü#1"), "te%2520am%252F%25C3%25BC%25231");
    }
}
