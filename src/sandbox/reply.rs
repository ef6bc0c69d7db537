//! Answers: the flat error of Hydra's admin side, the error of its OAuth side, and its page for wrong routes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `error` of a request that could not be read.
const MALFORMED: &str = "The request was malformed or contained invalid parameters";

/// A refusal, as Hydra words it; it becomes `{"error", "error_description"}`.
#[derive(Debug)]
pub struct Fault {
    status: StatusCode,
    error: &'static str,
    description: String,
    oauth: bool,
}

impl Fault {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Fault { status, error, description: description.into(), oauth: false }
    }

    /// 400: the request could not be read.
    pub fn malformed(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, MALFORMED, reason)
    }

    /// 400: the body is not the JSON that was wanted.
    pub fn undecodable(reason: &str) -> Self {
        Self::malformed(format!("Unable to decode the request body: {reason}"))
    }

    /// 404: no such client.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Unable to locate the resource", "")
    }

    /// 409: the id is taken.
    pub fn exists() -> Self {
        let error = "Unable to insert or update resource because a resource with that value exists already";
        Self::new(StatusCode::CONFLICT, error, "")
    }

    /// 400: two writers met; the one request that may be sent again.
    pub fn serialization() -> Self {
        let error = "Unable to serialize access due to a concurrent update in another session";
        Self::new(StatusCode::BAD_REQUEST, error, "")
    }

    /// 500 without a cause: a bad patch, or a database that does not answer.
    pub fn unrecognizable() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "error", "The error is unrecognizable")
    }

    /// 503: as a load balancer or an overloaded server says it.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable", "Try again later.")
    }

    /// 401 of dynamic registration (RFC 7592 §2).
    pub fn unauthorized() -> Self {
        let reason = "The requested OAuth 2.0 client does not exist or you provided incorrect credentials.";
        Self::new(StatusCode::UNAUTHORIZED, "The request could not be authorized", reason)
    }

    /// 403: not allowed by this route.
    pub fn forbidden(reason: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "The requested action was forbidden", reason)
    }

    /// 400 `invalid_client_metadata` (RFC 7591 §3.2.2).
    pub fn metadata(hint: impl AsRef<str>) -> Self {
        let lead = "The value of one of the Client Metadata fields is invalid and the server has rejected this \
                    request. Note that an Authorization Server MAY choose to substitute a valid value for any \
                    requested parameter of a Client's Metadata.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_client_metadata", hinted(lead, hint.as_ref()))
    }

    /// 400 `invalid_redirect_uri` (RFC 7591 §3.2.2).
    pub fn redirect_uri(hint: impl AsRef<str>) -> Self {
        let lead = "The value of one or more redirect_uris is invalid.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_redirect_uri", hinted(lead, hint.as_ref()))
    }

    /// 400 `invalid_request` (RFC 6749 §5.2).
    pub fn invalid_request(hint: &str) -> Self {
        let lead = "The request is missing a required parameter, includes an invalid parameter value, includes a \
                    parameter more than once, or is otherwise malformed.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", hinted(lead, hint))
    }

    /// 401 `invalid_client` (RFC 6749 §5.2).
    pub fn invalid_client(hint: &str) -> Self {
        let lead = "Client authentication failed (e.g., unknown client, no client authentication included, or \
                    unsupported authentication method).";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", hinted(lead, hint))
    }

    /// 400 `invalid_grant` (RFC 6749 §5.2).
    pub fn invalid_grant(hint: &str) -> Self {
        let lead = "The provided authorization grant (e.g., authorization code, resource owner credentials) or \
                    refresh token is invalid, expired, revoked, does not match the redirection URI used in the \
                    authorization request, or was issued to another client.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", hinted(lead, hint))
    }

    /// 400 `invalid_scope` (RFC 6749 §5.2).
    pub fn invalid_scope(hint: &str) -> Self {
        let lead = "The requested scope is invalid, unknown, or malformed.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", hinted(lead, hint))
    }

    /// 400 `unauthorized_client` (RFC 6749 §5.2): the client may not use this grant.
    pub fn unauthorized_client(grant: &str) -> Self {
        let lead = "The client is not authorized to request a token using this method.";
        let hint = format!("The OAuth 2.0 Client is not allowed to use authorization grant '{grant}'.");
        Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", hinted(lead, &hint))
    }

    /// The same refusal without its hint, as revocation tells it.
    #[must_use]
    pub fn without_reason(self) -> Self {
        match self.error {
            "invalid_client" => Self::invalid_client(""),
            "invalid_request" => Self::invalid_request(""),
            _ => self,
        }
    }

    /// What is wrong, in the server's words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The same refusal in the dress of the token endpoint: not to be stored (RFC 6749 §5.1).
    #[must_use]
    pub fn oauth(mut self) -> Self {
        self.oauth = true;
        self
    }
}

fn hinted(lead: &str, hint: &str) -> String {
    if hint.is_empty() { lead.to_owned() } else { format!("{lead} {hint}") }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        // Hydra has no double quote in a description.
        let body = json!({ "error": self.error, "error_description": self.description.replace('"', "'") });
        if self.oauth {
            return oauth(self.status, &body);
        }
        (self.status, [(header::CONTENT_TYPE, "application/json")], line(&body)).into_response()
    }
}

/// An answer of the admin side.
pub fn json_body(status: StatusCode, body: &Value) -> Response {
    raw_json(status, line(body))
}

/// An answer of the admin side whose JSON is already text.
pub fn raw_json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// An answer of the OAuth side, which is never to be stored.
pub fn oauth(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/json;charset=UTF-8")], line(body)).into_response();
    never_store(&mut response);
    response
}

/// Adds the headers of RFC 6749 §5.1.
pub fn never_store(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// The page that stands for an unknown route or a wrong method.
pub async fn wrong_route() -> Response {
    page(StatusCode::NOT_FOUND, "404 - Route not found")
}

/// A page of HTML, as servers and proxies show one.
pub fn page(status: StatusCode, title: &str) -> Response {
    let html =
        format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// JSON text with the line end that Go's encoder adds.
fn line(body: &Value) -> String {
    format!("{body}\n")
}
