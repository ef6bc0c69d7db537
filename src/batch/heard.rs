//! What rows came to, for whoever tells of them one by one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::model::client::Client;
use crate::model::unread::Unread;
use crate::secret::Secret;

/// What a row came to.
#[derive(Debug)]
pub struct Became {
    /// Its client as it is passed on, where there is one still; or why it did not come to a good end.
    pub result: Result<Option<Client>>,
    /// The secret of that.
    pub secret: Option<Secret>,
    /// Whether it was handed over.
    pub is_delivered: bool,
    /// What went wrong as it was handed over.
    pub undelivered: Option<Error>,
}

/// What rows come to, as they do.
#[derive(Default)]
pub struct Heard(Mutex<Rows>);

/// What each row came to, by its place from 1.
///
/// What there is one of for each row is kept together: here and there it would be among what requests need for a moment, and in
/// their way.
#[derive(Default)]
pub struct Rows {
    /// Texts, behind each other.
    pages: Vec<Arc<String>>,
    made: HashMap<u64, Made>,
    /// Rows without a client that is as it came.
    others: HashMap<u64, Became>,
    undelivered: HashMap<u64, Error>,
}

/// A client as it came, and its secret.
struct Made {
    page: usize,
    client: Range<usize>,
    secret: Option<Range<usize>>,
    is_delivered: bool,
}

/// So many bytes a page has, or as many as one client needs.
const PAGE: usize = 512 * 1024;

impl Heard {
    /// A row has come to its end.
    pub fn hear(&self, n: u64, result: Result<Option<&Client>>) {
        let mut rows = self.rows();
        match result {
            Ok(Some(client)) => match client.text_as_read() {
                Some(text) => rows.put(n, text, client.secret()),
                None => rows.other(n, Ok(Some(client.clone())), client.secret().cloned()),
            },
            Ok(None) => rows.other(n, Ok(None), None),
            Err(error) => rows.other(n, Err(error), None),
        }
    }

    /// The client of a row was handed over.
    pub fn hear_delivered(&self, n: u64) {
        let mut rows = self.rows();
        if let Some(made) = rows.made.get_mut(&n) {
            made.is_delivered = true;
        } else if let Some(became) = rows.others.get_mut(&n) {
            became.is_delivered = true;
        }
    }

    /// The client of a row was not handed over.
    pub fn hear_undelivered(&self, n: u64, error: Error) {
        self.rows().undelivered.insert(n, error);
    }

    /// All that was heard.
    pub fn into_rows(self) -> Rows {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    /// What a row came to; nothing the second time.
    pub fn take(&mut self, n: u64) -> Option<Became> {
        let mut became = match self.made.remove(&n) {
            Some(made) => made.became(&self.pages),
            None => self.others.remove(&n)?,
        };
        became.undelivered = self.undelivered.remove(&n).or(became.undelivered);
        Some(became)
    }

    /// What a row came to before, where nothing was heard of it since.
    pub fn add_earlier(&mut self, n: u64, became: Became) {
        if !self.made.contains_key(&n) {
            self.others.entry(n).or_insert(became);
        }
    }

    /// Says something else of rows that did not come to a good end.
    pub fn explain(&mut self, mut explained: impl FnMut(u64, Error) -> Error) {
        for (n, became) in &mut self.others {
            became.result = std::mem::replace(&mut became.result, Ok(None)).map_err(|error| explained(*n, error));
        }
    }

    fn put(&mut self, n: u64, text: &str, secret: Option<&Secret>) {
        let length = text.len() + secret.map_or(0, |secret| secret.expose().len());
        if self.pages.last().is_none_or(|page| page.capacity() - page.len() < length) {
            self.pages.push(Arc::new(String::with_capacity(length.max(PAGE))));
        }
        let number = self.pages.len() - 1;
        // Nobody shares it before a row is taken.
        let page = Arc::make_mut(&mut self.pages[number]);
        let mut put = |text: &str| {
            let start = page.len();
            page.push_str(text);
            start..page.len()
        };
        let client = put(text);
        let secret = secret.map(|secret| put(secret.expose()));
        self.made.insert(n, Made { page: number, client, secret, is_delivered: false });
    }

    fn other(&mut self, n: u64, result: Result<Option<Client>>, secret: Option<Secret>) {
        self.others.insert(n, Became { result, secret, is_delivered: false, undelivered: None });
    }
}

impl Made {
    fn became(self, pages: &[Arc<String>]) -> Became {
        let page = &pages[self.page];
        let secret = self.secret.map(|place| Secret::new(&page[place]));
        let client = Client::reread(Unread::on_page(Arc::clone(page), self.client));
        Became { result: Ok(Some(client)), secret, is_delivered: self.is_delivered, undelivered: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_heard_is_told_as_it_was() {
        let heard = Heard::default();
        let of = |n: u64| json!({"client_id": format!("c{n}"), "client_secret": "canary", "owner": "x".repeat(1_000)});
        for n in (1..=1_500).rev() {
            let object = of(n).as_object().unwrap().clone();
            let mut client = Client::with_text(of(n).to_string(), object);
            if n == 7 {
                client.set_secret(Secret::new("another"));
            }
            heard.hear(n, if n == 9 { Err(Error::failed("no")) } else { Ok(Some(&client).filter(|_| n != 8)) });
        }
        heard.hear_delivered(3);
        heard.hear_delivered(7);
        heard.hear_undelivered(4, Error::failed("no"));
        let mut rows = heard.into_rows();
        rows.explain(|n, error| error.hint(n.to_string()));
        for n in 1..=1_501 {
            let Some(became) = rows.take(n) else {
                assert_eq!(n, 1_501);
                continue;
            };
            assert!(rows.take(n).is_none());
            let secret = became.secret.as_ref().map(Secret::expose);
            assert_eq!((became.is_delivered, became.result.is_err()), (n == 3 || n == 7, n == 9));
            assert_eq!(became.undelivered.is_some(), n == 4);
            let client = became.result.ok().flatten();
            match n {
                8 | 9 => assert!(client.is_none() && secret.is_none()),
                _ => {
                    let client = client.unwrap();
                    let told = if n == 7 { "another" } else { "canary" };
                    assert_eq!((client.id(), secret), (&*format!("c{n}"), Some(told)));
                    assert_eq!(client.secret().map(Secret::expose), Some(told));
                }
            }
        }
    }
}
