//! Who a client says it is at the OAuth endpoints, and whether that is so (RFC 6749 §2.3).

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::crypt;
use super::document::Document;
use super::reply::Fault;
use super::shared::Shared;

/// The form of a request.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads an `application/x-www-form-urlencoded` body; an empty one is refused.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Fault> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_form = kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
        if !is_form || body.is_empty() {
            return Err(Fault::invalid_request("The POST body can not be empty."));
        }
        Ok(Form::of(body))
    }

    /// Reads a form as it is, or a query.
    pub fn of(text: &[u8]) -> Self {
        Form(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of that name; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }
}

/// A client that proved who it is, or that needs no proof.
pub struct Authenticated {
    /// Its id.
    pub id: String,
    /// Its document.
    pub document: Document,
}

impl Authenticated {
    /// Refuses a grant that the client was not registered for (RFC 6749 §5.2).
    pub fn check_grant(&self, grant: &str) -> Result<(), Fault> {
        if self.document.list("grant_types").contains(&grant) { Ok(()) } else { Err(Fault::unauthorized_client(grant)) }
    }
}

/// Authenticates the client of a request, by the one method that it was registered with.
///
/// The current secret and the rotated ones all pass.
pub fn authenticate(shared: &Shared, headers: &HeaderMap, form: &Form) -> Result<Authenticated, Fault> {
    if !form.get("client_assertion_type").is_empty() {
        let hint = "Unable to verify the integrity of the 'client_assertion' value.";
        return Err(Fault::invalid_client(hint));
    }
    let basic = basic(headers);
    let (id, secret) = match &basic {
        Some((id, secret)) => (
            form_decoded(id).ok_or_else(|| undecodable("id"))?,
            form_decoded(secret).ok_or_else(|| undecodable("secret"))?,
        ),
        None => (form.get("client_id").to_owned(), form.get("client_secret").to_owned()),
    };
    if id.is_empty() && basic.is_none() {
        return Err(Fault::invalid_request(
            "Client credentials missing or malformed in both HTTP Authorization header and HTTP POST body.",
        ));
    }
    // Trouble with the database looks like a wrong secret.
    let kept = shared.store.get(&id).ok().flatten().ok_or_else(|| Fault::invalid_client(""))?;
    let document = kept.document()?;
    let method = document.auth_method();
    let by_form = !form.get("client_id").is_empty() && !form.get("client_secret").is_empty();
    let by_basic = basic.is_some_and(|(_, secret)| !secret.is_empty());
    for (used, name) in [(by_form, "client_secret_post"), (by_basic, "client_secret_basic")] {
        if used && method != name {
            return Err(Fault::invalid_client(&format!(
                "The OAuth 2.0 Client supports client authentication method '{method}', but method '{name}' was \
                 requested. You must configure the OAuth 2.0 client's 'token_endpoint_auth_method' value to accept \
                 '{name}'."
            )));
        }
    }
    let known =
        method == "none" || std::iter::once(&kept.secret).chain(&kept.rotated).any(|hash| crypt::verify(&secret, hash));
    if known { Ok(Authenticated { id, document }) } else { Err(Fault::invalid_client("")) }
}

/// The two halves of Basic credentials (RFC 7617), still encoded as a form is.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(credentials).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Undoes form encoding, strictly: a `%` that encodes nothing is an error.
fn form_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let sound = bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'%' || bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    });
    sound.then(|| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned())
}

fn undecodable(part: &str) -> Fault {
    Fault::invalid_request(&format!(
        "The client {part} in the HTTP authorization header could not be decoded from \
         'application/x-www-form-urlencoded'."
    ))
}
