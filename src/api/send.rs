//! The one sender: a request and what became of it, repeated only where that is allowed.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response};
use zeroize::Zeroizing;

use crate::api::refusal;
use crate::api::request::{Payload, Repeat, Request};
use crate::api::{Door, Remote, Seen};
use crate::error::{Error, Result};
use crate::net;

/// A request is sent at most so often.
const MOST_SENDS: u32 = 5;

/// The longest that a server's `Retry-After` is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The address that was asked.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, as far as it was read; it may hold a secret.
    pub body: Zeroizing<Vec<u8>>,
    unread: Option<Response>,
}

impl Answer {
    /// Whether the request was carried out.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The same with the whole body.
    pub async fn read(mut self) -> Result<Answer> {
        let Some(response) = self.unread.take() else { return Ok(self) };
        let url = response.url().clone();
        match net::body(response, net::MOST_BYTES).await.map_err(|source| net::transport(source, &url))? {
            Some(body) => Ok(Answer { body, ..self }),
            None => Err(Error::failed(format!("the answer is larger than {} MiB", net::MOST_BYTES / 1024 / 1024))
                .with_code(TOO_LARGE)
                .hint("is this the address of an admin API?")),
        }
    }

    /// A header's text.
    pub fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The code of an error that says that there is more in an answer than is taken in.
pub const TOO_LARGE: &str = "too_large";

/// What became of a request.
#[derive(Debug)]
pub struct Exchange {
    /// The last answer, or why there was none.
    pub result: Result<Answer>,
    /// Whether some sending may have been carried out without an answer that says so.
    pub unsettled: bool,
    /// Whether some sending got no answer at all: the server may be at it still.
    pub lost: bool,
}

/// Sends a request and takes any answer but success for an error about `about`.
pub async fn ask(remote: &dyn Remote, request: &Request, about: &str) -> Result<Answer> {
    let answer = exchange(remote, request).await.result.map_err(|error| error.about(about))?;
    if answer.is_success() { Ok(answer) } else { Err(refusal::error(&answer, request, about)) }
}

/// As [`ask`], but the body of a success is still to be read, which may go wrong.
pub async fn open(remote: &dyn Remote, request: &Request, about: &str) -> Result<Answer> {
    let answer = repeat(remote, request, false).await.result.map_err(|error| error.about(about))?;
    if answer.is_success() { Ok(answer) } else { Err(refusal::error(&answer, request, about)) }
}

/// Sends a request, again where it may be repeated: lost replies, 5xx, 429, serialization failures.
pub async fn exchange(remote: &dyn Remote, request: &Request) -> Exchange {
    repeat(remote, request, true).await
}

async fn repeat(remote: &dyn Remote, request: &Request, whole: bool) -> Exchange {
    let began = Instant::now();
    let mut waited = Duration::ZERO;
    let (mut unsettled, mut lost) = (false, false);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let asked = Instant::now();
        if let Err(error) = remote.admit(request).await {
            return Exchange { result: Err(error), unsettled, lost };
        }
        waited += asked.elapsed();
        // Each time anew: a credential may have been renewed meanwhile.
        let door = match remote.door(request.side).await {
            Ok(door) => door,
            Err(error) => return Exchange { result: Err(error), unsettled, lost },
        };
        let departed = Instant::now();
        let (result, reached) = once(&door, request, whole).await;
        let answer = result.as_ref().ok().map(|answer| (answer.status, &answer.headers));
        remote.observe(request, &Seen { answer, took: departed.elapsed() });
        let again = match &result {
            Ok(answer) if answer.status == 429 => Some(Again::Limited(retry_after(answer))),
            Ok(answer) if refusal::is_serialization_failure(answer) => Some(Again::Soon),
            Ok(answer) if answer.status >= 500 => {
                // Hydra's word for faults that stay: a bad patch, an id that the database refuses.
                let stays = refusal::is_unrecognizable(answer);
                unsettled |= !stays || request.method != Method::PATCH;
                // A gateway that had no answer does not know what becomes of it (RFC 9110 §15.6.3, §15.6.5).
                lost |= matches!(answer.status, 502 | 504);
                // Of a patch it says that the patch is bad.
                let is_tried = attempt > 1 || request.method == Method::PATCH;
                (!stays || !is_tried).then_some(Again::Soon)
            }
            Ok(_) => None,
            // A server that was never there is not waited for; one that went away may come back.
            Err(_) => {
                lost |= reached;
                unsettled |= reached;
                unsettled.then_some(Again::Soon)
            }
        };
        let spent = began.elapsed().saturating_sub(waited);
        let Some(again) = again.filter(|_| request.repeat == Repeat::Allowed || !unsettled) else {
            return Exchange { result, unsettled, lost };
        };
        let is_waited_for = remote.is_patient() && matches!(again, Again::Limited(_));
        if !is_waited_for && (attempt == MOST_SENDS || spent >= door.timeout * 2) {
            return Exchange { result, unsettled, lost };
        }
        let wait = again.wait(attempt);
        if is_waited_for {
            // The server is there, and will take it: what keeps the pace has heard for how long it is to be left alone.
            attempt -= 1;
            continue;
        } else if wait > LONGEST_WAIT {
            return Exchange { result, unsettled, lost };
        }
        if wait > Duration::from_secs(1) {
            remote.tell(&format!("the server limits the rate: waiting {} s", wait.as_secs_f32().ceil()));
        }
        tokio::time::sleep(wait).await;
        waited += wait;
    }
}

enum Again {
    Soon,
    Limited(Option<Duration>),
}

impl Again {
    /// Exponential with jitter; never less than the server asks for.
    fn wait(&self, attempt: u32) -> Duration {
        let floor = Duration::from_millis(100) * 2u32.pow(attempt - 1);
        let mut byte = [0u8; 1];
        // Without random bytes there is no jitter, which is no fault.
        let _ = getrandom::fill(&mut byte);
        let floor = floor.mul_f32(0.75 + f32::from(byte[0]) / 512.0);
        match self {
            Again::Soon | Again::Limited(None) => floor,
            Again::Limited(Some(asked)) => floor.max(*asked),
        }
    }
}

/// The longest of `Retry-After` (RFC 9110 §10.2.3) and Ory Network's `x-ratelimit-reset`, in seconds.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = |text: &str| text.trim().parse::<u64>().ok().map(Duration::from_secs);
    let date = |text: &str| {
        let until = httpdate::parse_http_date(text).ok()?;
        until.duration_since(std::time::SystemTime::now()).ok()
    };
    let asked = answer.header(RETRY_AFTER).and_then(|text| seconds(text).or_else(|| date(text)));
    asked.max(answer.header("x-ratelimit-reset").and_then(seconds))
}

/// Sends once. The flag tells whether the request may have reached the server.
async fn once(door: &Door, request: &Request, whole: bool) -> (Result<Answer>, bool) {
    let sent = match build(door, request) {
        Ok(builder) => builder.send().await,
        Err(error) => return (Err(error), false),
    };
    match sent {
        Ok(mut response) => {
            let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
            let url = response.url().clone().into();
            let answer = Answer { status, url, headers, body: Zeroizing::default(), unread: Some(response) };
            let is_whole = whole || !answer.is_success();
            (if is_whole { answer.read().await } else { Ok(answer) }, true)
        }
        Err(source) => {
            let reached = !source.is_connect() && !source.is_builder();
            (Err(net::transport(source, &door.base)), reached)
        }
    }
}

fn build(door: &Door, request: &Request) -> Result<reqwest::RequestBuilder> {
    let mut builder = door
        .client
        .request(request.method.clone(), request.url(&door.base))
        .headers(door.headers.clone())
        .header(reqwest::header::ACCEPT, "application/json");
    builder = match &request.payload {
        Payload::None => builder,
        Payload::Json(document) => {
            builder.header(CONTENT_TYPE, "application/json").body(Bytes::from_owner(document.to_wire()))
        }
        Payload::Patch(patch) => {
            builder.header(CONTENT_TYPE, "application/json").body(Bytes::from_owner(patch.to_wire()))
        }
        Payload::Form(members) => form(builder, members.iter().map(|(name, value)| (*name, value.expose()))),
    };
    if let Some((id, secret)) = &request.basic {
        let pair = Zeroizing::new(format!("{}:{}", form_encoded(id.as_str()), form_encoded(secret.expose())));
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            .map_err(|source| Error::failed("cannot make the Authorization header").caused_by(source))?;
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    Ok(builder)
}

fn form<'a>(
    builder: reqwest::RequestBuilder,
    members: impl Iterator<Item = (&'a str, &'a str)>,
) -> reqwest::RequestBuilder {
    let body = Zeroizing::new(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish());
    builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Bytes::from_owner(body))
}

/// RFC 6749 §2.3.1: id and secret are form-urlencoded each before Basic joins them.
fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_decides_how_long_to_wait() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("7"));
        let answer = Answer { status: 429, url: String::new(), headers, body: Zeroizing::default(), unread: None };
        assert_eq!(retry_after(&answer), Some(Duration::from_secs(7)));
        assert!(Again::Limited(Some(Duration::from_secs(7))).wait(1) >= Duration::from_secs(7));
    }

    #[test]
    fn basic_encodes_what_would_split_it() {
        assert_eq!(form_encoded("se:c+r%t"), "se%3Ac%2Br%25t");
    }
}
