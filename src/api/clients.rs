//! Calls of the admin API on clients, but for those that write: these are in `ops`.

use reqwest::header::LINK;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::api::send::{Answer, ask, exchange, open};
use crate::api::{Remote, page, refusal, request};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId};
use crate::model::unread::Unread;

/// A page of clients; its body may still be on its way, and has not been looked at.
#[derive(Debug)]
pub struct Page {
    answer: Answer,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl Page {
    fn of(answer: Answer) -> Self {
        // Several Link headers mean the same as one with commas (RFC 9110 §5.3).
        let mut headers = answer.headers.get_all(LINK).iter().filter_map(|header| header.to_str().ok());
        let next = headers.find_map(page::next_page_token);
        Page { answer, next }
    }

    /// The same with its whole body.
    pub async fn read(self) -> Result<Page> {
        Ok(Page { answer: self.answer.read().await?, ..self })
    }

    /// The clients, in the server's order, which is that of their ids.
    pub fn clients(mut self) -> Result<Vec<Client>> {
        // A list holds no secrets, and so its text need not be wiped.
        let items = Unread::of_array(std::mem::take(&mut *self.answer.body)).map_err(|body| {
            self.answer.body = Zeroizing::new(body);
            refusal::not_understood(&self.answer, LISTING, "a list of clients")
        })?;
        Ok(items.into_iter().map(Client::unread).collect())
    }
}

const LISTING: &str = "cannot list clients";

/// `GET /admin/clients/{id}`; a client that is not there is an error with status 404.
pub async fn get(remote: &dyn Remote, id: &ClientId) -> Result<Client> {
    let about = format!("cannot get client `{id}`");
    if let Some(client) = remote.would_be(id) {
        let gone = || Error::failed(format!("{about}: it would have been deleted")).with_status(404);
        return client.ok_or_else(gone);
    }
    let answer = ask(remote, &request::get_client(id), &about).await?;
    client(&answer, &about)
}

/// `GET /admin/clients/{id}`; `None` where there is no such client.
pub async fn get_opt(remote: &dyn Remote, id: &ClientId) -> Result<Option<Client>> {
    match remote.would_be(id) {
        Some(client) => Ok(client),
        None => Ok(get_with_answer(remote, id).await?.0),
    }
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
    Ok(Page::of(ask(remote, &request::list_clients(query), LISTING).await?))
}

/// As [`list`], but the body is still to be read.
pub async fn open_list(remote: &dyn Remote, query: &request::ListQuery) -> Result<Page> {
    Ok(Page::of(open(remote, &request::list_clients(query), LISTING).await?))
}

/// The client document in an answer of success.
pub fn client(answer: &Answer, about: &str) -> Result<Client> {
    let text = str::from_utf8(&answer.body).unwrap_or_default();
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) if object.get("client_id").is_some_and(Value::is_string) => {
            Ok(Client::with_text(text.to_owned(), object))
        }
        _ => Err(refusal::not_understood(answer, about, "a client")),
    }
}
