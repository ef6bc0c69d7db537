//! The console API: workspaces, projects, and keys to a project.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Router, middleware};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::keys::{QUOTA, Subject};
use super::places::{PROJECTS, Project, WORKSPACES};
use super::{Network, Refusal};
use crate::sandbox::reply::{self, json_body};
use crate::sandbox::trouble;

/// How many items a page has where the request does not say.
const PAGE: usize = 250;

type Answer = Result<Response, Refusal>;

/// The routes, behind the sandbox's trouble.
pub fn routes(network: &Arc<Network>) -> Router {
    Router::new()
        .route("/projects", get(projects))
        .route("/projects/{id}", get(project))
        .route("/projects/{id}/tokens", post(make_key))
        .route("/projects/{id}/tokens/{key}", delete(delete_key))
        .route("/workspaces", get(workspaces))
        .route("/workspaces/{id}", get(workspace))
        .route("/workspaces/{id}/projects", get(projects_of))
        .fallback(reply::wrong_route)
        .method_not_allowed_fallback(reply::wrong_route)
        .layer(middleware::from_fn_with_state(Arc::clone(&network.shared), trouble::rehearse))
        .with_state(Arc::clone(network))
}

/// Whether a path is below the console's.
pub fn is_below(path: &str) -> bool {
    path.starts_with("/projects/") || path.starts_with("/workspaces/")
}

fn signed_in(network: &Network, headers: &HeaderMap) -> Result<Subject, Refusal> {
    network.keys.subject(headers, &network.sign_ins).ok_or_else(|| Refusal::unauthorized(headers))
}

fn seen(subject: Subject, id: &str) -> Result<&'static Project, Refusal> {
    let found = PROJECTS.iter().find(|project| project.id == id && subject.sees(project));
    found.ok_or_else(|| Refusal::unknown("Unable to locate the project"))
}

/// `GET /projects`
async fn projects(State(network): State<Arc<Network>>, headers: HeaderMap) -> Answer {
    let subject = signed_in(&network, &headers)?;
    let list: Vec<Value> = PROJECTS.iter().filter(|project| subject.sees(project)).map(Project::to_json).collect();
    Ok(json_body(StatusCode::OK, &Value::Array(list)))
}

/// `GET /projects/{id}`
async fn project(State(network): State<Arc<Network>>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    let subject = signed_in(&network, &headers)?;
    Ok(json_body(StatusCode::OK, &seen(subject, &id)?.to_json()))
}

/// `GET /workspaces`
async fn workspaces(State(network): State<Arc<Network>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let subject = signed_in(&network, &headers)?;
    let all = WORKSPACES.iter().enumerate().filter(|(at, _)| subject.sees_workspace(*at));
    page(&query.unwrap_or_default(), "workspaces", "next_page_token", all.map(|(_, one)| one.to_json()).collect())
}

fn seen_workspace(subject: Subject, id: &str) -> Result<usize, Refusal> {
    let found = WORKSPACES.iter().position(|workspace| workspace.id == id);
    found.filter(|at| subject.sees_workspace(*at)).ok_or_else(|| Refusal::unknown("Unable to locate the workspace"))
}

/// `GET /workspaces/{id}`
async fn workspace(State(network): State<Arc<Network>>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    let at = seen_workspace(signed_in(&network, &headers)?, &id)?;
    Ok(json_body(StatusCode::OK, &WORKSPACES[at].to_json()))
}

/// `GET /workspaces/{id}/projects`
async fn projects_of(
    State(network): State<Arc<Network>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let at = seen_workspace(signed_in(&network, &headers)?, &id)?;
    let all = PROJECTS.iter().filter(|project| project.workspace == at).map(Project::to_json).collect();
    page(&query.unwrap_or_default(), "projects", "next_page", all)
}

/// One page of a list: `{what: […], has_next_page, next}`. A token is the number of items before it, made opaque.
fn page(query: &str, what: &str, next: &str, all: Vec<Value>) -> Answer {
    let value = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(name, value)| name == wanted && !value.is_empty())
    };
    let wrong = |reason: &str| Refusal::new(StatusCode::BAD_REQUEST, reason);
    let size = match value("page_size").map(|(_, text)| text.parse::<usize>()) {
        None => PAGE,
        Some(Ok(size @ 1..=1000)) => size,
        Some(_) => return Err(wrong("The page size is not valid")),
    };
    let before = match value("page_token") {
        None => 0,
        Some((_, token)) => {
            let number = URL_SAFE_NO_PAD.decode(token.as_bytes()).ok().and_then(|text| String::from_utf8(text).ok());
            let number = number.and_then(|text| text.strip_prefix("after ")?.parse::<usize>().ok());
            number.ok_or_else(|| wrong("The page token is not valid"))?
        }
    };
    let has_next = all.len() > before + size;
    let token = if has_next { URL_SAFE_NO_PAD.encode(format!("after {}", before + size)) } else { String::new() };
    let items: Vec<Value> = all.into_iter().skip(before).take(size).collect();
    Ok(json_body(StatusCode::OK, &json!({ what: items, "has_next_page": has_next, next: token })))
}

/// `POST /projects/{id}/tokens`: `{"name", "expires_at"}` → a key to the project.
async fn make_key(
    State(network): State<Arc<Network>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let wrong = |reason: &str| Refusal::new(StatusCode::BAD_REQUEST, reason);
    let subject = signed_in(&network, &headers)?;
    let project = seen(subject, &id)?;
    let asked: Value = serde_json::from_slice(&body).map_err(|_| wrong("The body is not JSON"))?;
    let name = asked["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| wrong("The name is missing"))?;
    let expires = match &asked["expires_at"] {
        Value::Null => None,
        given => Some(given.as_str().and_then(seconds).ok_or_else(|| wrong("The expiry is not a time"))?),
    };
    let failed = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "");
    let (key, value) = network.keys.make(project, expires).map_err(failed)?.ok_or_else(|| {
        Refusal::new(StatusCode::FORBIDDEN, format!("The quota of {QUOTA} API keys of this project is used up."))
    })?;
    let made = json!({
        "id": key,
        "name": name,
        "owner": project.id,
        "project_id": project.id,
        "value": value,
        "expires_at": asked["expires_at"],
    });
    Ok(json_body(StatusCode::CREATED, &made))
}

/// `DELETE /projects/{id}/tokens/{key}`
async fn delete_key(
    State(network): State<Arc<Network>>,
    headers: HeaderMap,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let subject = signed_in(&network, &headers)?;
    let project = seen(subject, &id)?;
    if network.keys.delete(project, &key) {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Refusal::unknown("Unable to locate the key"))
    }
}

/// The seconds since 1970 of a time as RFC 3339 writes it, with its offset from UTC.
fn seconds(text: &str) -> Option<i64> {
    let (time, offset) = if let Some(time) = text.strip_suffix(['Z', 'z']) {
        (time, 0)
    } else {
        let (time, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let offset = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        match zone.as_bytes()[0] {
            b'+' => (time, offset),
            b'-' => (time, -offset),
            _ => return None,
        }
    };
    let since = humantime::parse_rfc3339(&format!("{time}Z")).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(i64::try_from(since.as_secs()).ok()? - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_with_their_zones() {
        for (text, expected) in [
            ("1970-01-01T00:00:10Z", Some(10)),
            ("1970-01-01T02:00:10.5+02:00", Some(10)),
            ("1970-01-01T00:00:10-01:30", Some(5410)),
            ("1970-01-01", None),
            ("soon", None),
            ("", None),
            ("1970-01-01T00:00:10*02:00", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
