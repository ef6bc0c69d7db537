//! Dynamic client registration (RFC 7591) and its management (RFC 7592), as Hydra has them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::admin::{created, new_client, saved};
use super::document::{Document, Unsent, decode};
use super::reply::{self, Fault};
use super::shared::{Id, Shared, now_in_nanos};
use super::store::{RegistrationChange, SecretChange};
use super::{crypt, gourl, rules};

/// `POST /oauth2/register`: the server picks id and secret.
pub async fn create(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Response, Fault> {
    let (document, id) = shared.work(move |shared| new_client(shared, &body, true)).await?;
    Ok(created(&document, &format!("admin/clients/{}", gourl::escaped_twice(&id))))
}

/// `GET /oauth2/register/{id}`: without the metadata, which are the operator's.
pub async fn read(State(shared): State<Arc<Shared>>, Id(id): Id, headers: HeaderMap) -> Result<Response, Fault> {
    shared
        .work(move |shared| {
            let mut answer = allowed(shared, &id, &headers)?.to_json(Unsent::Empty);
            if let Some(object) = answer.as_object_mut() {
                object.shift_remove("metadata");
            }
            Ok(reply::json_body(StatusCode::OK, &answer))
        })
        .await
}

/// `PUT /oauth2/register/{id}`: answers with a new registration access token.
pub async fn replace(
    State(shared): State<Arc<Shared>>,
    Id(id): Id,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    shared
        .work(move |shared| {
            allowed(shared, &id, &headers)?;
            let mut document = decode(&body)
                .and_then(Document::from_json)
                .map_err(|_| Fault::malformed("Unable to decode the request body. Is it valid JSON?"))?;
            if !document.text("client_secret").is_empty() {
                return Err(Fault::forbidden("It is not allowed to choose your own OAuth2 Client secret."));
            }
            document.set("client_id", id);
            rules::check_dynamic(&mut document)?;
            let token = crypt::generate_token()?;
            document.set("registration_access_token", token.as_str());
            if document.get("created_at").is_none() {
                document.set("created_at", now_in_nanos());
            }
            saved(shared, document, SecretChange::Keep, RegistrationChange::Replace(crypt::digest(&token)))
        })
        .await
}

/// `DELETE /oauth2/register/{id}`
pub async fn delete(State(shared): State<Arc<Shared>>, Id(id): Id, headers: HeaderMap) -> Result<Response, Fault> {
    shared
        .work(move |shared| {
            allowed(shared, &id, &headers)?;
            shared.store.delete(&id)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
}

/// The client, if the request carries its registration access token (RFC 6750 §2.1).
fn allowed(shared: &Shared, id: &str, headers: &HeaderMap) -> Result<Document, Fault> {
    let kept = shared.store.get(id).ok().flatten().ok_or_else(Fault::unauthorized)?;
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token);
    // Digests are compared: how long that takes tells nothing of the token.
    if kept.registration == Some(crypt::digest(token)) {
        let mut document = kept.document()?;
        document.set("client_id", json!(id));
        Ok(document)
    } else {
        Err(Fault::unauthorized())
    }
}
