//! Signing in to the network: authorization code with PKCE (RFC 7636), refresh with rotation, revocation, userinfo.
//!
//! There is nobody to ask, so that every request is granted at once.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use url::Url;

use super::keys::Subject;
use super::{Network, Refusal};
use crate::error::Result;
use crate::sandbox::authentication::Form;
use crate::sandbox::crypt;
use crate::sandbox::reply::{self, json_body};
use crate::sandbox::shared::now;

/// The public client of the Ory CLI.
const CLIENT: &str = "ory-cli";

/// How long an access token counts, in seconds.
const LIFESPAN: i64 = 3600;

/// How long a code waits for its exchange, in seconds.
const PATIENCE: i64 = 600;

/// Who signs in.
const PERSON: (&str, &str, &str) = ("5f1c0000-0001-4d0e-8a55-000000000001", "dev@sandbox.test", "Sandbox Developer");

/// A code that was not exchanged yet.
#[derive(Debug)]
struct Code {
    digest: Vec<u8>,
    challenge: String,
    redirect_uri: String,
    expires: i64,
}

/// A sign-in: the tokens that count now.
#[derive(Debug)]
struct Issued {
    access: Vec<u8>,
    refresh: Vec<u8>,
    /// Refresh tokens that have been used: whoever uses one again has stolen it, or was robbed.
    used: Vec<Vec<u8>>,
    expires: i64,
}

/// The sign-ins since the start.
#[derive(Debug, Default)]
pub struct SignIns {
    codes: Mutex<Vec<Code>>,
    issued: Mutex<Vec<Issued>>,
}

impl SignIns {
    /// Whether an access token counts.
    pub fn knows(&self, token: &str) -> bool {
        let digest = crypt::digest(token);
        locked(&self.issued).iter().any(|issued| issued.access == digest && issued.expires > now())
    }

    fn begin(&self, challenge: &str, redirect_uri: &str) -> Result<String> {
        let code = format!("ory_ac_{}", crypt::generate_secret()?);
        let (challenge, redirect_uri) = (challenge.to_owned(), redirect_uri.to_owned());
        locked(&self.codes).push(Code {
            digest: crypt::digest(&code),
            challenge,
            redirect_uri,
            expires: now() + PATIENCE,
        });
        Ok(code)
    }

    /// Takes a code, which counts once.
    fn take(&self, code: &str) -> Option<Code> {
        let digest = crypt::digest(code);
        let mut codes = locked(&self.codes);
        let at = codes.iter().position(|code| code.digest == digest)?;
        Some(codes.swap_remove(at)).filter(|code| code.expires > now())
    }

    /// Issues new tokens: of a new sign-in, or in the place of a refresh token. `None`: that token does not count.
    fn issue(&self, refresh: Option<&str>) -> Result<Option<(String, String)>> {
        let (access, next) = (crypt::generate_token()?, format!("ory_rt_{}", crypt::generate_secret()?));
        let mut issued = locked(&self.issued);
        let used = match refresh {
            None => Vec::new(),
            Some(token) => {
                let digest = crypt::digest(token);
                let Some(at) = issued.iter().position(|known| known.refresh == digest) else {
                    issued.retain(|known| !known.used.contains(&digest));
                    return Ok(None);
                };
                let Issued { refresh, mut used, .. } = issued.swap_remove(at);
                used.push(refresh);
                used
            }
        };
        let digests = (crypt::digest(&access), crypt::digest(&next));
        issued.push(Issued { access: digests.0, refresh: digests.1, used, expires: now() + LIFESPAN });
        Ok(Some((access, next)))
    }

    fn revoke(&self, token: &str) {
        let digest = crypt::digest(token);
        locked(&self.issued).retain(|issued| issued.access != digest && issued.refresh != digest);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The routes of the console's own OAuth 2.0 server.
pub fn routes(network: &Arc<Network>) -> Router {
    Router::new()
        .route("/oauth2/auth", get(authorize))
        .route("/oauth2/token", post(token))
        .route("/oauth2/revoke", post(revoke))
        .route("/userinfo", get(userinfo))
        .fallback(reply::wrong_route)
        .with_state(Arc::clone(network))
}

/// `GET /oauth2/auth` (RFC 6749 §4.1.1, RFC 7636 §4.3)
async fn authorize(State(network): State<Arc<Network>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let query = Form::of(query.unwrap_or_default().as_bytes());
    let wrong = |reason: &str| Refusal::new(StatusCode::BAD_REQUEST, reason);
    let redirect_uri = query.get("redirect_uri");
    let mut to = Url::parse(redirect_uri).map_err(|_| wrong("The redirect_uri is no URI."))?;
    if query.get("client_id") != CLIENT {
        return Err(wrong("The client is not known."));
    }
    if to.scheme() != "http" || to.host_str() != Some("127.0.0.1") || to.path() != "/callback" {
        return Err(wrong("The redirect_uri is not one of the client's."));
    }
    let state = query.get("state");
    let challenge = query.get("code_challenge");
    let error = match () {
        () if state.len() < 8 => Some("invalid_state"),
        () if query.get("response_type") != "code" => Some("unsupported_response_type"),
        () if challenge.is_empty() || query.get("code_challenge_method") != "S256" => Some("invalid_request"),
        () => None,
    };
    let mut answer = if let Some(error) = error {
        vec![("error", error.to_owned())]
    } else {
        let code = network.sign_ins.begin(challenge, redirect_uri).map_err(|_| wrong("no random bytes"))?;
        vec![("code", code), ("scope", query.get("scope").to_owned())]
    };
    answer.push(("state", state.to_owned()));
    to.query_pairs_mut().extend_pairs(answer);
    Ok((StatusCode::FOUND, [(header::LOCATION, to.to_string())]).into_response())
}

fn oauth_error(error: &str, description: &str) -> Response {
    json_body(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

/// `POST /oauth2/token` (RFC 6749 §4.1.3 and §6)
async fn token(State(network): State<Arc<Network>>, body: Bytes) -> Response {
    let form = Form::of(&body);
    if form.get("client_id") != CLIENT {
        return oauth_error("invalid_client", "The client is not known.");
    }
    let refresh = form.get("refresh_token");
    let refresh = match form.get("grant_type") {
        "authorization_code" => {
            let Some(code) = network.sign_ins.take(form.get("code")) else {
                return oauth_error("invalid_grant", "The authorization code is not valid, or was used already.");
            };
            let verifier = crypt::digest(form.get("code_verifier"));
            if URL_SAFE_NO_PAD.encode(verifier) != code.challenge || form.get("redirect_uri") != code.redirect_uri {
                return oauth_error("invalid_grant", "The code_verifier or redirect_uri is not that of the request.");
            }
            None
        }
        "refresh_token" => Some(refresh),
        _ => return oauth_error("unsupported_grant_type", "The grant type is not supported."),
    };
    match network.sign_ins.issue(refresh) {
        Ok(Some((access, refresh))) => json_body(
            StatusCode::OK,
            &json!({"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": LIFESPAN,
                "scope": "offline_access email profile"}),
        ),
        Ok(None) => oauth_error("invalid_grant", "The refresh token is malformed or not valid."),
        Err(_) => oauth_error("server_error", "There are no random bytes."),
    }
}

/// `POST /oauth2/revoke` (RFC 7009)
async fn revoke(State(network): State<Arc<Network>>, body: Bytes) -> StatusCode {
    network.sign_ins.revoke(Form::of(&body).get("token"));
    StatusCode::OK
}

/// `GET /userinfo` (OpenID Connect Core §5.3)
async fn userinfo(State(network): State<Arc<Network>>, headers: HeaderMap) -> Result<Response, Refusal> {
    if network.keys.subject(&headers, &network.sign_ins) != Some(Subject::Person) {
        return Err(Refusal::unauthorized(&headers));
    }
    let (id, email, name) = PERSON;
    Ok(json_body(StatusCode::OK, &json!({"sub": id, "email": email, "email_verified": true, "name": name})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_turn_and_a_used_one_ends_the_sign_in() {
        let sign_ins = SignIns::default();
        let (access, refresh) = sign_ins.issue(None).unwrap().unwrap();
        assert!(sign_ins.knows(&access) && !sign_ins.knows(&refresh));
        let (next, second) = sign_ins.issue(Some(&refresh)).unwrap().unwrap();
        assert!(sign_ins.knows(&next) && !sign_ins.knows(&access));
        assert!(sign_ins.issue(Some(&refresh)).unwrap().is_none());
        assert!(!sign_ins.knows(&next), "whoever has the old token may have stolen it");
        assert!(sign_ins.issue(Some(&second)).unwrap().is_none());
    }
}
