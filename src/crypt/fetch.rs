//! Fetching a key: from an https address, or from Keybase.

use std::time::Duration;

use crate::crypt::MOST_BYTES;
use crate::env;
use crate::error::{Error, Result};
use crate::net::Policy;
use crate::net::fetch::{Fetched, Limits, fetch, fetch_url};

/// The longest that a key is waited for.
const TIME: Duration = Duration::from_secs(10);

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// The bounds on fetching keys, whatever the servers of clients are allowed.
pub fn limits(policy: &Policy, allowed_private: &[String]) -> Limits {
    Limits {
        time: TIME.min(policy.timeout),
        policy: policy.clone(),
        allowed_private: allowed_private.to_vec(),
        redirects: REDIRECTS,
        bytes: MOST_BYTES,
    }
}

/// Fetches the key at an address.
pub async fn url(limits: &Limits, text: &str) -> Result<Fetched> {
    let what = "the key";
    keep_key(fetch(limits, &fetch_url(text, what)?, what).await?, text)
}

/// Fetches the key of a Keybase user: `https://keybase.io/USER/pgp_keys.asc`, or below `ORYSH_KEYBASE_URL`.
pub async fn keybase(limits: &Limits, user: &str) -> Result<Fetched> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !(2..=16).contains(&user.len()) || !user.chars().all(is_plain) {
        return Err(Error::usage(format!("`{user}` is no Keybase user name"))
            .hint("one has 2 to 16 letters, digits and underscores"));
    }
    let base = env::ORYSH_KEYBASE_URL.get().unwrap_or_else(|| "https://keybase.io".into());
    let mut url = fetch_url(&base, "Keybase (ORYSH_KEYBASE_URL)")?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend([user, "pgp_keys.asc"]);
    }
    let what = format!("the key of Keybase user {user}");
    let absent = || {
        Error::usage(format!("there is no Keybase user `{user}`, or they have published no key"))
            .hint(format!("see {base}/{user}"))
    };
    match fetch(limits, &fetch_url(url.as_str(), &what)?, &what).await {
        Ok(fetched) if fetched.bytes.trim_ascii().is_empty() => Err(absent()),
        Ok(fetched) => keep_key(fetched, url.as_str()),
        Err(error) if error.status() == Some(404) => Err(absent()),
        Err(error) => Err(error),
    }
}

/// Refuses what is a page for people.
fn keep_key(fetched: Fetched, from: &str) -> Result<Fetched> {
    let is_page = fetched.content_type.starts_with("text/html") || fetched.bytes.trim_ascii_start().starts_with(b"<");
    if is_page {
        return Err(Error::usage(format!("{from} is a page of HTML, not a key"))
            .hint("use the address of the key itself: the raw file, or the download"));
    }
    Ok(fetched)
}
