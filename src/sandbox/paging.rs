//! Pages of a list: their size, their tokens, and the `Link` header (RFC 8288) that leads to the next.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::form_urlencoded;

use super::crypt::{self, SealKey};
use super::reply::Fault;

const DEFAULT_SIZE: usize = 100;
const LARGEST_SIZE: usize = 500;
const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

/// What a request for a page of clients asks for.
#[derive(Debug, Default)]
pub struct Page {
    /// How many clients, from 1 to 500.
    pub size: usize,
    /// The id after which the page starts; empty for the first.
    pub after: String,
    /// Only clients of exactly this name.
    pub name: Option<String>,
    /// Only clients of exactly this owner.
    pub owner: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Page {
    /// Reads the query of `GET /admin/clients`.
    pub fn read(query: &str, key: &SealKey) -> Result<Self, Fault> {
        let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |wanted: &str| {
            parameters.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value.clone())
        };
        let wrong = |reason: &str| Fault::malformed(format!("Unable to parse pagination parameters: {reason}"));
        let after = match value("page_token") {
            None => String::new(),
            Some(token) => {
                let text = crypt::unseal(key, &token).ok_or_else(|| wrong("invalid pagination token"))?;
                let (expires, after) = text.split_once(' ').ok_or_else(|| wrong("invalid pagination token"))?;
                if expires.parse::<u64>().is_ok_and(|expires| expires < seconds(SystemTime::now())) {
                    return Err(wrong("page token expired, do not persist page tokens"));
                }
                after.to_owned()
            }
        };
        let size = match value("page_size") {
            None => DEFAULT_SIZE,
            Some(text) => match text.parse::<i64>() {
                Ok(..=0) => DEFAULT_SIZE,
                Ok(size) => usize::try_from(size).unwrap_or(LARGEST_SIZE).min(LARGEST_SIZE),
                Err(_) => return Err(wrong(&format!("strconv.Atoi: parsing {text:?}: invalid syntax"))),
            },
        };
        Ok(Page { size, after, name: value("client_name"), owner: value("owner"), parameters })
    }

    /// The `Link` header: the first page, and the one after `last` where there is one.
    pub fn links(&self, last: Option<&str>, key: &SealKey) -> String {
        let mut links = self.link("first", &token(key, "", SystemTime::now()));
        if let Some(last) = last {
            links.push(',');
            links.push_str(&self.link("next", &token(key, last, SystemTime::now())));
        }
        links
    }

    fn link(&self, relation: &str, token: &str) -> String {
        let size = self.size.to_string();
        let mut parameters: Vec<(&str, &str)> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !["page_size", "page_token"].contains(name))
            .chain([("page_size", size.as_str()), ("page_token", token)])
            .collect();
        parameters.sort_by_key(|(name, _)| *name);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("</admin/clients?{query}>; rel=\"{relation}\"")
    }
}

/// A page token: the last id, and when it stops to count.
fn token(key: &SealKey, last: &str, now: SystemTime) -> String {
    crypt::seal(key, &format!("{} {last}", seconds(now + TOKEN_LIFETIME)))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: SealKey = [7; 64];

    #[test]
    fn sizes_are_capped_and_nonsense_is_refused() {
        for (query, size) in
            [("", 100), ("page_size=0", 100), ("page_size=-3", 100), ("page_size=1000", 500), ("page_size=7", 7)]
        {
            assert_eq!(Page::read(query, &KEY).unwrap().size, size, "{query}");
        }
        assert!(Page::read("page_size=x", &KEY).is_err());
        assert!(Page::read("page_token=zzz", &KEY).is_err());
    }

    #[test]
    fn links_keep_the_filters_and_lead_on() {
        let page = Page::read("client_name=App%20one&page_size=2", &KEY).unwrap();
        let links = page.links(Some("te am/ü"), &KEY);
        assert!(links.starts_with("</admin/clients?client_name=App+one&page_size=2&page_token="), "{links}");
        let next = links.split(",<").nth(1).unwrap().split('>').next().unwrap();
        let read = Page::read(next.split_once('?').unwrap().1, &KEY).unwrap();
        assert_eq!((read.after.as_str(), read.name.as_deref()), ("te am/ü", Some("App one")));
    }

    #[test]
    fn a_token_ends_after_an_hour() {
        let old = token(&KEY, "a", SystemTime::now() - TOKEN_LIFETIME - Duration::from_secs(2));
        assert!(format!("{:?}", Page::read(&format!("page_token={old}"), &KEY).unwrap_err()).contains("expired"));
        let fresh = token(&KEY, "a", SystemTime::now());
        assert!(Page::read(&format!("page_token={fresh}"), &KEY).is_ok());
    }
}
