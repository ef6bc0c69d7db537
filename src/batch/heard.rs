//! What rows came to, for whoever tells of them one by one.

use std::collections::BTreeMap;
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

/// What each row came to, by its place from 1.
#[derive(Default)]
pub struct Heard(Mutex<Rows>);

/// Clients are kept as they came, many texts to a page: a long list takes little memory, and none of it here and there.
#[derive(Default)]
struct Rows {
    pages: Vec<String>,
    rows: BTreeMap<u64, (Became, Option<Place>)>,
}

/// Where a client's text is: the number of its page, and the bytes of that.
type Place = (usize, Range<usize>);

/// So many bytes a page has, or as many as one client needs.
const PAGE: usize = 512 * 1024;

impl Heard {
    /// A row has come to its end.
    pub fn hear(&self, n: u64, result: Result<Option<&Client>>) {
        let secret = result.as_ref().ok().and_then(|client| client.as_ref()?.secret().cloned());
        let mut rows = self.rows();
        let place = match &result {
            Ok(Some(client)) => client.text_as_read().map(|text| rows.put(text)),
            Ok(None) | Err(_) => None,
        };
        let result = result.map(|client| client.filter(|_| place.is_none()).cloned());
        rows.rows.insert(n, (Became { result, secret, is_delivered: false, undelivered: None }, place));
    }

    /// More is known of a row that has come to its end.
    pub fn hear_more(&self, n: u64, tell: impl FnOnce(&mut Became)) {
        if let Some((became, _)) = self.rows().rows.get_mut(&n) {
            tell(became);
        }
    }

    /// All that was heard.
    pub fn into_rows(self) -> BTreeMap<u64, Became> {
        let Rows { pages, rows } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let pages: Vec<Arc<String>> = pages.into_iter().map(Arc::new).collect();
        let whole = |(n, (mut became, place)): (u64, (Became, Option<Place>))| {
            if let Some((page, place)) = place {
                became.result = Ok(Some(Client::reread(Unread::on_page(Arc::clone(&pages[page]), place))));
            }
            (n, became)
        };
        rows.into_iter().map(whole).collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn put(&mut self, text: &str) -> Place {
        if self.pages.last().is_none_or(|page| page.capacity() - page.len() < text.len()) {
            self.pages.push(String::with_capacity(text.len().max(PAGE)));
        }
        let number = self.pages.len() - 1;
        let page = &mut self.pages[number];
        let start = page.len();
        page.push_str(text);
        (number, start..page.len())
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
        heard.hear_more(3, |became| became.is_delivered = true);
        let rows = heard.into_rows();
        assert_eq!(rows.len(), 1_500);
        for (n, became) in rows {
            let secret = became.secret.as_ref().map(Secret::expose);
            assert_eq!((became.is_delivered, became.result.is_err()), (n == 3, n == 9));
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
