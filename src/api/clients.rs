//! Calls of the admin API on clients, but for those that write: these are in `ops`.

use reqwest::header::LINK;
use serde_json::Value;

use crate::api::send::{Answer, ask, exchange};
use crate::api::{Remote, page, refusal, request};
use crate::error::Result;
use crate::model::client::{Client, ClientId};

/// A page of clients.
#[derive(Debug)]
pub struct Page {
    /// The clients, ordered by id.
    pub clients: Vec<Client>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// `GET /admin/clients/{id}`; a client that is not there is an error with status 404.
pub async fn get(remote: &dyn Remote, id: &ClientId) -> Result<Client> {
    let about = format!("cannot get client `{id}`");
    let answer = ask(remote, &request::get_client(id), &about).await?;
    client(&answer, &about)
}

/// `GET /admin/clients/{id}`; `None` where there is no such client.
pub async fn get_opt(remote: &dyn Remote, id: &ClientId) -> Result<Option<Client>> {
    Ok(get_with_answer(remote, id).await?.0)
}

/// As [`get_opt`], with the answer: its `Date` tells the server's clock.
pub async fn get_with_answer(remote: &dyn Remote, id: &ClientId) -> Result<(Option<Client>, Answer)> {
    let about = format!("cannot get client `{id}`");
    let request = request::get_client(id);
    let answer = exchange(remote, &request).await.result.map_err(|error| error.about(&about))?;
    // A 404 without Hydra's words comes from something that is no admin API.
    if answer.status == 404 && serde_json::from_slice::<Value>(&answer.body).is_ok() {
        return Ok((None, answer));
    }
    if !answer.is_success() {
        return Err(refusal::error(&answer, &request, &about));
    }
    Ok((Some(client(&answer, &about)?), answer))
}

/// `GET /admin/clients`: one page.
pub async fn list(remote: &dyn Remote, query: &request::ListQuery) -> Result<Page> {
    let about = "cannot list clients";
    let answer = ask(remote, &request::list_clients(query), about).await?;
    let Ok(Value::Array(items)) = serde_json::from_slice(&answer.body) else {
        return Err(refusal::not_understood(&answer, about, "a list of clients"));
    };
    let mut clients = Vec::with_capacity(items.len());
    for item in items {
        let Value::Object(object) = item else {
            return Err(refusal::not_understood(&answer, about, "a list of clients"));
        };
        clients.push(Client::from_server(object));
    }
    // Several Link headers mean the same as one with commas (RFC 9110 §5.3).
    let next =
        answer.headers.get_all(LINK).iter().filter_map(|header| header.to_str().ok()).find_map(page::next_page_token);
    Ok(Page { clients, next })
}

/// The client document in an answer of success.
pub fn client(answer: &Answer, about: &str) -> Result<Client> {
    match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(object)) if object.get("client_id").is_some_and(Value::is_string) => {
            Ok(Client::from_server(object))
        }
        _ => Err(refusal::not_understood(answer, about, "a client")),
    }
}
