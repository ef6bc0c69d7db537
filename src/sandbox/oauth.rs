//! The public listener: tokens (RFC 6749), revocation (RFC 7009), introspection (RFC 7662), discovery.
//!
//! Access tokens are opaque whatever a client's strategy says, and the sandbox has no one to sign in:
//! the authorization code and device grants are refused.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::authentication::{Authenticated, Form, authenticate};
use super::reply::{self, Fault};
use super::shared::{Shared, now};
use super::store::Token;
use super::{crypt, duration, register};

/// How long an access token counts where its client says nothing.
const LIFESPAN: i64 = 3600;

/// The routes of Hydra's public API that this server has.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/oauth2/token", post(token))
        .route("/oauth2/revoke", post(revoke))
        .route("/oauth2/register", post(register::create))
        .route("/oauth2/register/{id}", get(register::read).put(register::replace).delete(register::delete))
        .route("/.well-known/openid-configuration", get(discovery))
}

/// `POST /oauth2/token` (RFC 6749 §3.2)
async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    let answer = shared.work(move |shared| grant(shared, &headers, &Form::read(&headers, &body)?)).await;
    answer.map(|body| reply::oauth(StatusCode::OK, &body)).map_err(Fault::oauth)
}

fn grant(shared: &Shared, headers: &HeaderMap, form: &Form) -> Result<Value, Fault> {
    let grant = form.get("grant_type");
    if grant.is_empty() {
        return Err(Fault::invalid_request("Request parameter 'grant_type' is missing"));
    }
    let client = authenticate(shared, headers, form);
    match grant {
        "client_credentials" => issue(shared, &client?, form),
        "refresh_token" | "authorization_code" => {
            client?.check_grant(grant)?;
            // None is ever issued here, so none is known.
            Err(Fault::invalid_grant(match grant {
                "refresh_token" => "The refresh token is malformed or not valid.",
                _ => "",
            }))
        }
        _ => Err(Fault::invalid_request("")),
    }
}

/// The client credentials grant (RFC 6749 §4.4).
fn issue(shared: &Shared, client: &Authenticated, form: &Form) -> Result<Value, Fault> {
    for scope in form.get("scope").split_whitespace() {
        if !client.document.text("scope").split_whitespace().any(|allowed| scope_matches(allowed, scope)) {
            let hint = format!("The OAuth 2.0 Client is not allowed to request scope '{scope}'.");
            return Err(Fault::invalid_scope(&hint));
        }
    }
    let audience: Vec<&str> = form.get("audience").split_whitespace().collect();
    for wanted in &audience {
        if !client.document.list("audience").contains(wanted) {
            let hint = format!("Requested audience '{wanted}' has not been whitelisted by the OAuth 2.0 Client.");
            return Err(Fault::invalid_request(&hint));
        }
    }
    if client.document.auth_method() == "none" {
        return Err(Fault::invalid_grant(
            "The OAuth 2.0 Client is marked as public and is thus not allowed to use authorization grant \
             'client_credentials'.",
        ));
    }
    client.check_grant("client_credentials")?;
    let lifespan = duration::parse(client.document.text("client_credentials_grant_access_token_lifespan"))
        .map_or(LIFESPAN, |nanoseconds| nanoseconds / 1_000_000_000);
    let text = crypt::generate_token()?;
    let scope = form.get("scope").split_whitespace().collect::<Vec<_>>().join(" ");
    let issued = now();
    let token = Token {
        client: client.id.clone(),
        scope: scope.clone(),
        audience: json!(audience).to_string(),
        issued,
        expires: issued.saturating_add(lifespan),
    };
    if !shared.store.issue(&crypt::digest(&text), &token)? {
        return Err(Fault::invalid_client(""));
    }
    // The time that the request took is gone already, so Hydra tells a second less.
    Ok(json!({ "access_token": text, "expires_in": lifespan - 1, "scope": scope, "token_type": "bearer" }))
}

/// Whether an allowed scope covers another: part by part, where a part `*` stands for any.
fn scope_matches(allowed: &str, wanted: &str) -> bool {
    if allowed == wanted {
        return true;
    }
    let (allowed, wanted): (Vec<&str>, Vec<&str>) = (allowed.split('.').collect(), wanted.split('.').collect());
    let open_ended = allowed.last() == Some(&"*") && wanted.len() >= allowed.len();
    (open_ended || allowed.len() == wanted.len())
        && allowed.iter().zip(&wanted).all(|(part, given)| part == given || (*part == "*" && !given.is_empty()))
}

/// `POST /oauth2/revoke` (RFC 7009): a refusal has no reason, and trouble with the database is no refusal.
async fn revoke(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    let answer = shared
        .work(move |shared| {
            let form = Form::read(&headers, &body)?;
            let client = authenticate(shared, &headers, &form).map_err(Fault::without_reason)?;
            shared.store.revoke(&crypt::digest(form.get("token")), &client.id)?;
            Ok(())
        })
        .await;
    answer.map(|()| revoked()).map_err(Fault::oauth)
}

/// The answer to a revocation.
pub fn revoked() -> Response {
    let mut response = StatusCode::OK.into_response();
    reply::never_store(&mut response);
    response
}

/// `POST /admin/oauth2/introspect` (RFC 7662)
pub async fn introspect(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    let form = Form::read(&headers, &body).map_err(Fault::oauth)?;
    let issuer = shared.public_url.clone();
    let wanted = form.get("scope").to_owned();
    let found = shared.work(move |shared| Ok(shared.store.token(&crypt::digest(form.get("token")), now())?)).await;
    let Ok(Some(token)) = found else {
        return Ok(inactive());
    };
    let granted: Vec<&str> = token.scope.split_whitespace().collect();
    if !wanted.split_whitespace().all(|scope| granted.iter().any(|allowed| scope_matches(allowed, scope))) {
        return Ok(inactive());
    }
    let mut body = Map::new();
    body.insert("active".into(), json!(true));
    if !token.scope.is_empty() {
        body.insert("scope".into(), json!(token.scope));
    }
    for (name, value) in [
        ("client_id", json!(token.client)),
        ("sub", json!(token.client)),
        ("exp", json!(token.expires)),
        ("iat", json!(token.issued)),
        ("nbf", json!(token.issued)),
        ("aud", serde_json::from_str(&token.audience).unwrap_or_else(|_| json!([]))),
        ("iss", json!(issuer)),
        ("token_type", json!("Bearer")),
        ("token_use", json!("access_token")),
    ] {
        body.insert(name.into(), value);
    }
    let text = format!("{}\n", Value::Object(body));
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json;charset=UTF-8")], text).into_response())
}

/// What is said of a token that does not count, and of every token while the database is away.
pub fn inactive() -> Response {
    reply::oauth(StatusCode::OK, &json!({ "active": false }))
}

/// `GET /.well-known/openid-configuration` (`OpenID` Connect Discovery §4)
async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let at = |path: &str| format!("{}{path}", shared.public_url);
    let body = json!({
        "issuer": shared.public_url,
        "authorization_endpoint": at("/oauth2/auth"),
        "token_endpoint": at("/oauth2/token"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["code", "code id_token", "id_token", "token id_token", "token", "token id_token code"],
        "claims_supported": ["sub"],
        "grant_types_supported": ["client_credentials", "refresh_token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "userinfo_endpoint": at("/userinfo"),
        "scopes_supported": ["offline_access", "offline", "openid"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        "userinfo_signing_alg_values_supported": ["none", "RS256"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "revocation_endpoint": at("/oauth2/revoke"),
        "registration_endpoint": at("/oauth2/register"),
    });
    reply::json_body(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_match_part_by_part() {
        for (allowed, wanted, matches) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("a.*.c", "a.b.c", true),
            ("a.*", "a", false),
            ("*", "a", true),
        ] {
            assert_eq!(scope_matches(allowed, wanted), matches, "{allowed} {wanted}");
        }
    }
}
