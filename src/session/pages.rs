//! All clients of a list, page by page, as a plain iterator.

use crate::api::clients;
use crate::api::request::ListQuery;
use crate::error::Result;
use crate::model::client::Client;
use crate::output::outcome::{Row, Rows, Trailer};
use crate::session::Session;

/// Clients page by page; the next page is asked for when its first client is.
pub struct Clients {
    session: Session,
    query: ListQuery,
    all: bool,
    page: std::vec::IntoIter<Client>,
    next: Next,
}

enum Next {
    Ask,
    Stopped(Option<String>),
}

impl Clients {
    /// One page of what `query` asks for, or all pages from there on.
    pub fn new(session: Session, query: ListQuery, all: bool) -> Self {
        Clients { session, query, all, page: Vec::new().into_iter(), next: Next::Ask }
    }

    fn turn_page(&mut self) -> Result<()> {
        let page = self.session.wait(clients::list(&self.session, &self.query))?;
        self.page = page.clients.into_iter();
        self.next = match page.next {
            Some(token) if self.all && self.query.page_token.as_ref() != Some(&token) => {
                self.query.page_token = Some(token);
                Next::Ask
            }
            next => Next::Stopped(next),
        };
        Ok(())
    }
}

impl Iterator for Clients {
    type Item = Result<Client>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(client) = self.page.next() {
                return Some(Ok(client));
            }
            match self.next {
                Next::Stopped(_) => return None,
                Next::Ask => {
                    if let Err(error) = self.turn_page() {
                        self.next = Next::Stopped(self.query.page_token.clone());
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

impl Rows for Clients {
    fn next(&mut self) -> Option<Result<Row>> {
        Iterator::next(self).map(|client| client.map(Row::client))
    }

    fn is_ready(&self) -> bool {
        self.page.len() > 0 || matches!(self.next, Next::Stopped(_))
    }

    fn trailer(&self) -> Option<Trailer> {
        match &self.next {
            Next::Stopped(next_page_token) => Some(Trailer { next_page_token: next_page_token.clone() }),
            Next::Ask => None,
        }
    }
}
