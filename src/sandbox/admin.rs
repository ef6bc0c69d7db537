//! The admin listener: clients, their secrets and tokens, introspection, version and health.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::{Document, Unsent, decode};
use super::fields::{FIELDS, Type};
use super::paging::Page;
use super::reply::{self, Fault};
use super::shared::{Id, Shared, now_in_micros, now_in_nanos, now_in_seconds};
use super::store::{RegistrationChange, SecretChange};
use super::{crypt, gourl, oauth, patch, rules};

/// The routes of Hydra's admin API that this server has.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/clients", get(list).post(create))
        .route("/admin/clients/{id}", get(read).put(replace).patch(update).delete(delete))
        .route("/admin/clients/{id}/lifespans", put(lifespans))
        .route("/admin/clients/{id}/secrets/rotate", post(rotate).delete(drop_rotated))
        .route("/admin/oauth2/introspect", post(oauth::introspect))
        .route("/admin/oauth2/tokens", axum::routing::delete(delete_tokens))
        .route("/admin/oauth2/auth/sessions/consent", axum::routing::delete(revoke_consent))
        .route("/version", get(version))
}

type Answer = Result<Response, Fault>;

/// `POST /admin/clients`
async fn create(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let (document, id) = shared.work(move |shared| new_client(shared, &body, false)).await?;
    Ok(created(&document, &format!("/admin/clients/{}", gourl::escaped_twice(&id))))
}

/// The answer 201, with where the client is.
pub fn created(document: &Document, location: &str) -> Response {
    let mut response = reply::json_body(StatusCode::CREATED, &document.to_json(Unsent::Null));
    // What was escaped holds visible ASCII only.
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Makes a client of a request's body; gives the document to answer with, and the id.
pub fn new_client(shared: &Shared, body: &[u8], dynamic: bool) -> Result<(Document, String), Fault> {
    let mut document = decoded(body)?;
    if dynamic {
        if !document.text("client_secret").is_empty() {
            return Err(Fault::malformed("It is not allowed to choose your own OAuth2 Client secret."));
        }
        document.set("client_id", Uuid::new_v4().to_string());
    }
    if document.text("client_secret").is_empty() {
        document.set("client_secret", crypt::generate_secret()?);
    }
    if dynamic {
        rules::check_dynamic(&mut document)?;
    } else {
        rules::check(&mut document)?;
    }
    let token = crypt::generate_token()?;
    // The address is made before the id is: a server-made id is missing in it.
    let mut address = format!("{}/oauth2/register", shared.public_url);
    if document.text("client_id").is_empty() {
        document.set("client_id", Uuid::new_v4().to_string());
    } else {
        address = format!("{address}/{}", gourl::escaped_twice(document.text("client_id")));
    }
    document.set("created_at", now_in_seconds());
    document.set("updated_at", now_in_micros());
    document.set("registration_access_token", token.as_str());
    document.set("registration_client_uri", address);
    let hash = crypt::hash(document.text("client_secret"), shared.hash_iterations)?;
    if !shared.store.insert(&document, &hash, Some(&crypt::digest(&token)))? {
        return Err(Fault::exists());
    }
    // A public client has a secret too; nobody is told.
    if document.auth_method() == "none" {
        document.remove("client_secret");
    }
    let id = document.text("client_id").to_owned();
    Ok((document, id))
}

/// `GET /admin/clients`
async fn list(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Answer {
    shared
        .work(move |shared| {
            let page = Page::read(&query.unwrap_or_default(), &shared.store.page_key)?;
            let (documents, last) = shared.store.list(&page)?;
            let mut response = reply::raw_json(StatusCode::OK, format!("[{}]\n", documents.join(",")));
            if let Ok(links) = page.links(last.as_deref(), &shared.store.page_key).parse() {
                response.headers_mut().insert(header::LINK, links);
            }
            Ok(response)
        })
        .await
}

/// `GET /admin/clients/{id}`
async fn read(State(shared): State<Arc<Shared>>, Id(id): Id) -> Answer {
    shared
        .work(move |shared| {
            let kept = shared.store.get(&id)?.ok_or_else(Fault::not_found)?;
            Ok(reply::raw_json(StatusCode::OK, kept.document + "\n"))
        })
        .await
}

/// `PUT /admin/clients/{id}`: the body's own id is ignored.
async fn replace(State(shared): State<Arc<Shared>>, Id(id): Id, body: Bytes) -> Answer {
    shared
        .work(move |shared| {
            let mut document = decoded(&body)?;
            document.set("client_id", id);
            rules::check(&mut document)?;
            let secret = match document.text("client_secret") {
                "" => SecretChange::Keep,
                secret => SecretChange::Replace(crypt::hash(secret, shared.hash_iterations)?),
            };
            // This answer alone does not tell when the client was created.
            if document.get("created_at").is_none() {
                document.set("created_at", now_in_nanos());
            }
            saved(shared, document, secret, RegistrationChange::Drop)
        })
        .await
}

/// `PATCH /admin/clients/{id}`: a patch of `/client_id` writes over the client that has that id.
async fn update(State(shared): State<Arc<Shared>>, Id(id): Id, body: Bytes) -> Answer {
    shared
        .work(move |shared| {
            let kept = shared.store.get(&id)?.ok_or_else(Fault::not_found)?;
            let mut before: Value = serde_json::from_str(&kept.document).map_err(|_| Fault::unrecognizable())?;
            // What is patched has the secret's hash in it, so that it can be removed.
            before["client_secret"] = json!(kept.secret);
            let after = patch::apply(&body, before).map_err(|_| Fault::unrecognizable())?;
            let mut document = Document::from_json(after).map_err(|_| Fault::unrecognizable())?;
            let unchanged = document.text("client_secret") == kept.secret;
            if unchanged {
                document.remove("client_secret");
            }
            rules::check(&mut document)?;
            let secret = match document.text("client_secret") {
                "" if unchanged => SecretChange::Keep,
                "" => SecretChange::DropRotated,
                secret => SecretChange::Replace(crypt::hash(secret, shared.hash_iterations)?),
            };
            saved(shared, document, secret, RegistrationChange::Drop)
        })
        .await
}

/// `DELETE /admin/clients/{id}`
async fn delete(State(shared): State<Arc<Shared>>, Id(id): Id) -> Answer {
    shared
        .work(move |shared| {
            if shared.store.delete(&id)? { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Fault::not_found()) }
        })
        .await
}

/// `PUT /admin/clients/{id}/lifespans`: those that are not sent become null.
async fn lifespans(State(shared): State<Arc<Shared>>, Id(id): Id, body: Bytes) -> Answer {
    shared
        .work(move |shared| {
            let mut document = existing(shared, &id)?;
            let asked = decoded(&body)?;
            for field in FIELDS.iter().filter(|field| field.kind == Type::Duration) {
                document.remove(field.name);
                if let Some(value) = asked.get(field.name) {
                    document.set(field.name, value.clone());
                }
            }
            rules::check(&mut document)?;
            saved(shared, document, SecretChange::Keep, RegistrationChange::Keep)
        })
        .await
}

/// `POST /admin/clients/{id}/secrets/rotate`: the server picks the secret, and the old one still counts.
async fn rotate(State(shared): State<Arc<Shared>>, Id(id): Id) -> Answer {
    shared
        .work(move |shared| {
            let mut document = rotatable(shared, &id)?;
            let secret = crypt::generate_secret()?;
            rules::check(&mut document)?;
            let hash = crypt::hash(&secret, shared.hash_iterations)?;
            document.set("client_secret", secret);
            saved(shared, document, SecretChange::Rotate(hash), RegistrationChange::Keep)
        })
        .await
}

/// `DELETE /admin/clients/{id}/secrets/rotate`: only the current secret still counts.
async fn drop_rotated(State(shared): State<Arc<Shared>>, Id(id): Id) -> Answer {
    shared
        .work(move |shared| {
            let mut document = rotatable(shared, &id)?;
            rules::check(&mut document)?;
            saved(shared, document, SecretChange::DropRotated, RegistrationChange::Keep)
        })
        .await
}

/// `DELETE /admin/oauth2/tokens?client_id=`
async fn delete_tokens(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Answer {
    shared
        .work(move |shared| {
            let query = query.unwrap_or_default();
            let client = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id");
            let Some((_, client)) = client.filter(|(_, id)| !id.is_empty()) else {
                let hint = "Query parameter 'client_id' is not defined but it should have been.";
                return Err(Fault::invalid_request(hint));
            };
            shared.store.revoke_all(&client)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
}

/// `DELETE /admin/oauth2/auth/sessions/consent`: nobody signs in here, so that there is never a consent to revoke.
async fn revoke_consent(RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == wanted && !value.is_empty())
    };
    if !value("subject") {
        return Err(Fault::invalid_request("Query parameter 'subject' is not defined but should have been."));
    }
    if !value("client") && !value("all") {
        let hint = "Query parameter both 'client' and 'all' is not defined but one of them should have been.";
        return Err(Fault::invalid_request(hint));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /version`: as a server built from source says it, since the rotate route is newer than every release.
async fn version() -> Response {
    reply::json_body(StatusCode::OK, &json!({ "version": "master" }))
}

/// `GET /health/ready` and `GET /health/alive`
pub async fn healthy(_: HeaderMap) -> Response {
    reply::json_body(StatusCode::OK, &json!({ "status": "ok" }))
}

fn decoded(body: &[u8]) -> Result<Document, Fault> {
    decode(body).and_then(Document::from_json).map_err(|reason| Fault::undecodable(&reason))
}

fn existing(shared: &Shared, id: &str) -> Result<Document, Fault> {
    shared.store.get(id)?.ok_or_else(Fault::not_found)?.document()
}

/// The client of that id, if it has a secret that can be rotated.
fn rotatable(shared: &Shared, id: &str) -> Result<Document, Fault> {
    let document = existing(shared, id)?;
    match document.auth_method() {
        "client_secret_basic" | "client_secret_post" => Ok(document),
        method => Err(Fault::malformed(format!(
            "The client is configured to use the {method:?} authentication method, which does not support client \
             secret rotation."
        ))),
    }
}

/// Writes a checked document to the store, and answers with it.
pub fn saved(
    shared: &Shared,
    mut document: Document,
    secret: SecretChange,
    registration: RegistrationChange,
) -> Result<Response, Fault> {
    document.set("updated_at", now_in_micros());
    if !shared.store.update(&document, secret, registration)? {
        return Err(Fault::not_found());
    }
    Ok(reply::json_body(StatusCode::OK, &document.to_json(Unsent::Null)))
}
