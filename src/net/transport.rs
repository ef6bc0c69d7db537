//! What it means when a request gets no answer, and what to do about it.

use std::error::Error as StdError;

use url::Url;

use crate::error::Error;

/// The error for a request that got no answer.
pub fn transport(source: reqwest::Error, server: &Url) -> Error {
    let source = source.without_url();
    let chain = causes(&source).map(|cause| format!("{cause} {cause:?}")).collect::<Vec<_>>().join(" ");
    let innermost = causes(&source).last().map(ToString::to_string).unwrap_or_default();
    let place = format!("{}://{}", server.scheme(), server.authority());
    for (sign, message, hint) in TLS_SIGNS {
        if chain.contains(sign) {
            return Error::failed(format!("{message} at {place}")).caused_by(innermost).hint(*hint);
        }
    }
    let (what, hint) = if source.is_connect() && source.is_timeout() {
        ("cannot connect in time to", "is the address right, and can it be reached from here?")
    } else if source.is_connect() {
        ("cannot connect to", "is the server running, and is the address right?")
    } else if source.is_timeout() {
        ("no answer in time from", "give it longer with --timeout")
    } else {
        ("the connection broke to", "try again; if it stays, look at the server's log")
    };
    let error = Error::failed(format!("{what} {place}")).caused_by(innermost).hint(hint);
    if source.is_connect() { error.with_code(UNREACHABLE) } else { error }
}

/// The code of an error that says that nothing got to the server.
pub const UNREACHABLE: &str = "unreachable";

const TLS_SIGNS: &[(&str, &str, &str)] = &[
    ("UnknownIssuer", "the certificate is not trusted", "name the authority that signed it with --ca-file"),
    (
        "CaUsedAsEndEntity",
        "the certificate is that of an authority, not of a server",
        "give the server one that the authority has signed",
    ),
    ("NotValidForName", "the certificate is for another name", "use the name that the certificate is for"),
    (
        "certificate not valid for name",
        "the certificate is for another name",
        "use the name that the certificate is for",
    ),
    ("certificate expired", "the certificate has expired", "renew it on the server"),
    ("Expired", "the certificate has expired", "renew it on the server"),
    ("CertificateRequired", "the server wants a client certificate", "give one with --client-cert and --client-key"),
    (
        "HandshakeFailure",
        "the TLS handshake failed",
        "the server may want a client certificate: --client-cert, --client-key",
    ),
    ("invalid peer certificate", "the certificate is not trusted", "name the authority that signed it with --ca-file"),
    ("corrupt message", "no TLS is spoken", "is it a plain http:// address?"),
];

/// An error and what caused it, outermost first.
pub fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}
