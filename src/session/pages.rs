//! All clients of a list, page by page, as a plain iterator.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::api::clients::{self, Page};
use crate::api::request::ListQuery;
use crate::api::send::TOO_LARGE;
use crate::error::{Error, Kind, Result};
use crate::model::client::Client;
use crate::output::outcome::{Row, Rows, Trailer};
use crate::session::Session;
use crate::text::shell_word;

/// How many clients a server gives where no number is asked for.
const SERVERS_PAGE: u32 = 100;

/// Clients page by page; the next page is asked for when its first client is, or while the one before is read.
pub struct Clients {
    pages: Pages,
    page: std::vec::IntoIter<Client>,
    /// How many clients came with the pages so far, and the last one of them.
    come: usize,
    last: Option<Client>,
    /// The token of the page that comes next.
    token: Option<String>,
    goes_on: bool,
    resume: Option<Resume>,
}

/// The flags by which the same command goes on where a list broke off.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Whether it takes the token of a page.
    pub takes_token: bool,
    /// What goes through all pages.
    pub all: &'static str,
    /// The condition that it was given already.
    pub condition: Option<String>,
}

/// Where pages come from.
enum Pages {
    Asked(Box<Asker>),
    Ahead(Receiver<Result<Turned>>),
}

/// A page that has come.
struct Turned {
    page: Page,
    goes_on: bool,
    /// The server leads back to the page itself.
    is_circle: bool,
}

/// Asks for one page after the other.
struct Asker {
    session: Session,
    query: ListQuery,
    /// How many clients are wanted, where it is no use to ask for more.
    left: Option<u32>,
    all: bool,
    /// The head of the page that is due, where it was asked for ahead.
    coming: Option<JoinHandle<Result<Page>>>,
}

impl Asker {
    /// The page that is due.
    fn turn(&mut self) -> Result<Turned> {
        // A page that ends where the list does has the token of what follows.
        if let Some(left) = self.left {
            self.query.page_size = Some(self.query.page_size.unwrap_or(SERVERS_PAGE).min(left));
        }
        let page = self.session.wait(clients::list(&self.session, &self.query));
        let page = self.or_smaller(page)?;
        Ok(self.turned(page))
    }

    /// Asks for half as many clients, as long as so many of them are too much for one answer.
    fn or_smaller(&mut self, mut page: Result<Page>) -> Result<Page> {
        while page.as_ref().is_err_and(|error| error.code() == Some(TOO_LARGE)) {
            let smaller = self.query.page_size.unwrap_or(SERVERS_PAGE) / 2;
            if smaller == 0 {
                break;
            }
            self.query.page_size = Some(smaller);
            page = self.session.wait(clients::list(&self.session, &self.query));
        }
        page
    }

    fn turned(&mut self, page: Page) -> Turned {
        let goes_on = self.goes_on(&page);
        let is_circle = self.all && page.next.is_some() && page.next == self.query.page_token;
        self.query.page_token.clone_from(&page.next);
        Turned { page, goes_on, is_circle }
    }

    fn goes_on(&self, page: &Page) -> bool {
        // A server that leads back to the same page would never end.
        self.all && page.next.is_some() && page.next != self.query.page_token
    }

    /// The page that is due; the next one is asked for as soon as the head of this one tells which it is.
    fn turn_ahead(&mut self) -> Result<Turned> {
        let (session, coming) = (self.session.clone(), self.coming.take());
        let page: Result<Page> = session.wait(async {
            let page = match coming {
                Some(coming) => {
                    coming.await.map_err(|source| Error::failed("the list broke off").caused_by(source))??
                }
                None => clients::open_list(&session, &self.query).await?,
            };
            if self.goes_on(&page) {
                let (session, query) =
                    (session.clone(), ListQuery { page_token: page.next.clone(), ..self.query.clone() });
                self.coming = Some(tokio::spawn(async move { clients::open_list(&session, &query).await }));
            }
            match page.read().await {
                Ok(page) => Ok(page),
                Err(error) if error.code() == Some(TOO_LARGE) => Err(error),
                // It was lost on its way: the long way round sends again.
                Err(_) => clients::list(&session, &self.query).await,
            }
        });
        if page.is_err() {
            // What was asked for ahead follows a page that did not come.
            self.coming = None;
        }
        let page = self.or_smaller(page)?;
        Ok(self.turned(page))
    }

    /// Asks for the rest on a thread of its own, so that pages come while others are read.
    ///
    /// The thread ends with the last page, with an error, or when nobody takes its pages any more.
    fn ahead(mut self) -> Result<Receiver<Result<Turned>>> {
        let (sender, pages) = sync_channel(0);
        let ask = move || {
            loop {
                let turned = self.turn_ahead();
                let goes_on = turned.as_ref().is_ok_and(|turned| turned.goes_on);
                if sender.send(turned).is_err() || !goes_on {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name("pages".into()).spawn(ask);
        started.map_err(|source| Error::failed("cannot start a thread for the pages").caused_by(source))?;
        Ok(pages)
    }
}

impl Clients {
    /// One page of what `query` asks for, or all pages from there on.
    pub fn new(session: Session, query: ListQuery, all: bool) -> Self {
        let token = query.page_token.clone();
        let pages = Pages::Asked(Box::new(Asker { session, query, left: None, all, coming: None }));
        Clients { pages, page: Vec::new().into_iter(), come: 0, last: None, token, goes_on: true, resume: None }
    }

    /// The same for whoever is going to read all of it: pages are asked for ahead.
    pub fn ahead(self) -> Result<Self> {
        let pages = match self.pages {
            Pages::Asked(asker) if asker.all => Pages::Ahead(asker.ahead()?),
            pages => pages,
        };
        Ok(Clients { pages, ..self })
    }

    /// The same for whoever takes so many and no more.
    #[must_use]
    pub fn at_most(mut self, count: u32) -> Self {
        if let Pages::Asked(asker) = &mut self.pages {
            asker.left = Some(count);
        }
        self
    }

    /// The same, whose errors say how to go on.
    #[must_use]
    pub fn resumable(self, resume: Resume) -> Self {
        Clients { resume: Some(resume), ..self }
    }

    /// Whether there are no more of them.
    pub fn has_ended(&self) -> bool {
        !self.goes_on && self.page.len() == 0
    }

    fn turn_page(&mut self) -> Result<()> {
        let turned = match &mut self.pages {
            Pages::Asked(asker) => asker.turn(),
            Pages::Ahead(pages) => pages.recv().unwrap_or_else(|_| Err(Error::failed("the list broke off"))),
        };
        let read = turned.and_then(|Turned { page, goes_on, is_circle }| {
            // That page has been shown already.
            if is_circle {
                return Err(Error::failed("the server leads from this page of the list back to it, without an end"));
            }
            Ok((page.next.clone(), goes_on, page.clients()?))
        });
        let (token, goes_on, clients) = read.map_err(|error| self.broken_off(error))?;
        (self.token, self.goes_on) = (token, goes_on);
        if let Pages::Asked(asker) = &mut self.pages
            && let Some(left) = &mut asker.left
        {
            *left = left.saturating_sub(u32::try_from(clients.len()).unwrap_or(u32::MAX)).max(1);
        }
        self.come += clients.len();
        self.last = clients.last().cloned().or(self.last.take());
        self.page = clients.into_iter();
        Ok(())
    }

    /// Where a list stopped, and how to go on from there.
    fn broken_off(&self, error: Error) -> Error {
        let (Some(last), Some(token)) = (&self.last, &self.token) else { return error };
        let id = last.id();
        let error = error.hint(format!("the list stopped after {} clients, the last of them `{id}`", self.come));
        let Some(Resume { takes_token, all, condition }) = &self.resume else {
            return error.hint("run the command once more: it begins anew");
        };
        // Where the token has had its time: the order is that of the ids.
        let has_expired = error.kind() == Kind::Failed && error.status() == Some(400);
        if *takes_token && !has_expired {
            return error.hint(format!("to go on from there, within the hour: --page-token {token}"));
        }
        let rest = format!("c.client_id > {}", Value::from(id));
        let rest = condition.as_ref().map_or_else(|| rest.clone(), |condition| format!("{rest} && ({condition})"));
        error.hint(format!("to go on from there: {all}--where {}", shell_word(&rest)))
    }
}

impl Iterator for Clients {
    type Item = Result<Client>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(client) = self.page.next() {
                return Some(Ok(client));
            }
            if !self.goes_on {
                return None;
            }
            if let Err(error) = self.turn_page() {
                self.goes_on = false;
                return Some(Err(error));
            }
        }
    }
}

impl Rows for Clients {
    fn next(&mut self) -> Option<Result<Row>> {
        Iterator::next(self).map(|client| client.map(Row::client))
    }

    fn is_ready(&self) -> bool {
        self.page.len() > 0 || !self.goes_on
    }

    fn trailer(&self) -> Option<Trailer> {
        // A token begins at a page.
        Some(if self.page.len() > 0 { Trailer::cut_off() } else { Trailer::before(self.token.clone()) })
    }
}
