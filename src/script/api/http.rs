//! Requests of a script to any server: with a limit on time and size, and no redirect followed.

use std::time::Duration;

use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Method, Request};
use rhai::{Array, Dynamic, INT, Map};
use url::Url;

use crate::error::{Error, Result, nearest};
use crate::net::{self, Policy};
use crate::ops::dry_run::would;
use crate::ops::guard;
use crate::script::api::time;
use crate::script::engine::Context;
use crate::script::errors::{self, thrown};
use crate::script::library::Library;
use crate::script::limits;
use crate::script::missing::named;
use crate::script::value;
use crate::secret::Secret;
use crate::text::safe;
use crate::ui::Mark;

/// Where the examples send to: nobody answers there.
macro_rules! example {
    ($call:literal) => {
        concat!("try { http::", $call, " } catch (e) { print(e.message) }")
    };
}

/// Registers the module.
pub fn register(library: &mut Library, context: &Context) {
    let without_body = [
        (
            Method::GET,
            "get(url) -> map",
            "get(url, options) -> map",
            example!(r#"get("http://127.0.0.1:1/")"#),
            example!(r#"get("http://127.0.0.1:1/", #{headers: #{accept: "text/plain"}, timeout: "5s"})"#),
        ),
        (
            Method::DELETE,
            "delete(url) -> map",
            "delete(url, options) -> map",
            example!(r#"delete("http://127.0.0.1:1/")"#),
            example!(r#"delete("http://127.0.0.1:1/", #{headers: #{accept: "text/plain"}})"#),
        ),
    ];
    for (method, signature, with_options, example, more) in without_body {
        let (bound, to) = (context.clone(), method.clone());
        let about = "What a server answers: `#{status, headers, body, json}`; no redirect is followed, and an error where no answer comes has the `code` unreachable, timeout, or connection where that broke";
        library.add(("http", signature), (about, example), move |url: &str| {
            send(&bound, &to, url, None, &Map::new()).map_err(thrown)
        });
        let bound = context.clone();
        library.add(("http", with_options), (WITH_OPTIONS, more), move |url: &str, options: Map| {
            send(&bound, &method, url, None, &options).map_err(thrown)
        });
    }
    let with_body = [
        (
            Method::POST,
            "post(url, body) -> map",
            "post(url, body, options) -> map",
            example!(r#"post("http://127.0.0.1:1/", #{a: 1})"#),
            example!(r#"post("http://127.0.0.1:1/", "a text", #{headers: #{authorization: "Bearer x".to_secret()}})"#),
        ),
        (
            Method::PUT,
            "put(url, body) -> map",
            "put(url, body, options) -> map",
            example!(r#"put("http://127.0.0.1:1/", #{a: 1})"#),
            example!(r#"put("http://127.0.0.1:1/", #{a: 1}, #{most_bytes: 1000})"#),
        ),
    ];
    for (method, signature, with_options, example, more) in with_body {
        let (bound, to) = (context.clone(), method.clone());
        let about = "Sends text, or a value as JSON, in which secrets that were not revealed are `[REDACTED]`";
        library.add(("http", signature), (about, example), move |url: &str, body: Dynamic| {
            send(&bound, &to, url, Some(&body), &Map::new()).map_err(thrown)
        });
        let bound = context.clone();
        library.add(("http", with_options), (WITH_OPTIONS, more), move |url: &str, body: Dynamic, options: Map| {
            send(&bound, &method, url, Some(&body), &options).map_err(thrown)
        });
    }
}

/// What the options of a request are called.
pub const OPTIONS: [&str; 3] = ["headers", "timeout", "most_bytes"];

const WITH_OPTIONS: &str =
    "The same with `#{headers, timeout, most_bytes}`: headers may be secrets, the limits are 30s and 16 MiB";

/// The codes of errors where an answer took too long, and where the connection broke before it was there.
const TIMEOUT: &str = "timeout";
const CUT: &str = "connection";

/// How a request is sent.
struct Options {
    headers: HeaderMap,
    timeout: Duration,
    most_bytes: usize,
}

fn options(given: &Map, of_session: &Policy, most: usize) -> Result<Options> {
    let most_bytes = net::MOST_BYTES.min(most);
    let mut options = Options { headers: HeaderMap::new(), timeout: of_session.timeout, most_bytes };
    for (option, value) in given {
        match option.as_str() {
            "headers" => options.headers = headers(value)?,
            "timeout" => options.timeout = time::duration(value).map_err(|error| error.about("option `timeout`"))?,
            "most_bytes" => {
                let bytes =
                    value.as_int().ok().and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
                options.most_bytes =
                    bytes.ok_or_else(|| Error::usage("option `most_bytes` wants a number from 1"))?.min(most);
            }
            other => {
                return Err(Error::usage(format!("a request has no option `{}`", safe(other)))
                    .did_you_mean(nearest(other, OPTIONS)));
            }
        }
    }
    Ok(options)
}

/// So many bytes an address has at most: the HTTP client takes no more (RFC 9110 §4.1 asks for 8,000).
const LONGEST: usize = 64 * 1024 - 2;

fn send(context: &Context, method: &Method, url: &str, body: Option<&Dynamic>, given: &Map) -> Result<Map> {
    let session = &context.session();
    if url.len() > LONGEST {
        return Err(Error::usage(format!("the address is longer than {} KiB", LONGEST >> 10)));
    }
    let url =
        Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).ok_or_else(
            || Error::usage(format!("`{}` is no address of http or https", safe(&net::without_password(url)))),
        )?;
    // What stands behind the path may be a key.
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // An address of http can be without either.
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    let about = format!("{method} {shown}");
    // What is for the Hydra that the session acts on is for no other server.
    let of_session = &session.settings().policy;
    let Options { headers, timeout, most_bytes } = options(given, of_session, context.most_memory() / 8)?;
    let timeout = limits::left().map_or(timeout, |left| left.min(timeout));
    let policy =
        Policy { timeout, ca_file: of_session.ca_file.clone(), proxy: of_session.proxy.clone(), ..Policy::default() };
    // A plugin talks to the hosts that it was granted, at addresses that may be private where that was granted, too.
    let guarded = session.grant().map(|grant| net::fetch::guarded(&policy, &url, grant.host(&url)?)).transpose()?;
    let client = match &guarded {
        Some(guarded) => guarded.client.clone(),
        None => net::client(&policy, &url)?,
    };
    let mut request = Request::new(method.clone(), url.clone());
    *request.headers_mut() = headers;
    if let Some(body) = body {
        let (text, kind) = if body.is_string() {
            (body.to_string(), "text/plain; charset=utf-8")
        } else {
            let text = value::json_text(body).map_err(|error| errors::message(&error))?;
            (text, "application/json")
        };
        request.headers_mut().entry("content-type").or_insert(HeaderValue::from_static(kind));
        *request.body_mut() = Some(text.into());
    }
    if *method != Method::GET && would(session, Mark::Changed, &about)? {
        return Ok(answer(200, &HeaderMap::new(), b"", 0));
    }
    if *method != Method::GET {
        guard::address(session, &url, &format!("send {about}"))?;
    }
    // Where nothing is kept, nobody asks what was in it.
    let sent = request.body().and_then(|body| body.as_bytes()).filter(|_| context.has_held());
    let sent = sent.unwrap_or_default().to_vec();
    let failed = |source: reqwest::Error| {
        if let (Some(grant), Some(private)) = (session.grant(), net::fetch::private(&source)) {
            return grant.private_host(&url, &private).about(&about);
        }
        let (is_late, is_cut) = (source.is_timeout(), !source.is_connect());
        let error = net::transport(source, &shown).about(&about);
        match () {
            () if is_late => {
                error.with_code(TIMEOUT).unhinted().hint("the option `timeout`, as \"60s\", gives it longer")
            }
            () if is_cut => error.with_code(CUT),
            () => error,
        }
    };
    let answer = session.wait(async {
        if let (Some(grant), Some(guarded)) = (session.grant(), &guarded)
            && let Some(why) = guarded.refuses().await
        {
            return Err(grant.private_host(&url, &why).about(&about));
        }
        let response = client.execute(request).await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = net::body(response, most_bytes).await.map_err(failed)?;
        let too_large = || {
            Error::failed(format!("{about}: the answer is larger than {most_bytes} bytes"))
                .hint("the option `most_bytes` sets another limit")
        };
        Ok((status, answer(status.as_u16(), &headers, &bytes.ok_or_else(too_large)?, context.most_memory())))
    });
    let (status, answer) = answer?;
    if let Some(host) = guarded.as_ref().and_then(net::fetch::Guarded::unchecked) {
        session.warn_of_unchecked(host);
    }
    if status.is_success() {
        // Who took it has the secrets in it.
        context.has_written(&sent)?;
    }
    Ok(answer)
}

fn headers(given: &Dynamic) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let given = given.read_lock::<Map>().ok_or_else(|| Error::usage("`headers` wants a map"))?;
    for (name, value) in given.iter() {
        let wrong = || Error::usage(format!("`{}` is no header", safe(name)));
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        if parsed == HOST {
            return Err(Error::usage("the header `host` is that of the address, and no other"));
        }
        let (text, is_secret) = match value.read_lock::<Secret>() {
            Some(secret) => (secret.expose().to_owned(), true),
            None if value.is_string() || value.is_int() => (value.to_string(), false),
            None => {
                return Err(Error::usage(format!(
                    "header `{}` wants text, not {}",
                    safe(name),
                    named(value.type_name())
                )));
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| wrong())?;
        value.set_sensitive(is_secret);
        headers.insert(parsed, value);
    }
    Ok(headers)
}

fn answer(status: u16, headers: &HeaderMap, bytes: &[u8], most: usize) -> Map {
    let text = String::from_utf8_lossy(bytes).into_owned();
    // What is too much to be taken apart is a text still.
    let json = value::parse_json(text.trim_start_matches('\u{feff}'), most).unwrap_or(Dynamic::UNIT);
    let header = |name: &HeaderName| {
        let all: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        // Cookies have commas of their own (RFC 6265 §3); others are one list (RFC 9110 §5.3).
        let value = if *name == SET_COOKIE {
            all.iter().map(|value| Dynamic::from(value.to_string())).collect::<Array>().into()
        } else {
            all.join(", ").into()
        };
        (name.as_str().into(), value)
    };
    let mut answer = Map::new();
    answer.insert("status".into(), INT::from(status).into());
    answer.insert("headers".into(), headers.keys().map(header).collect::<Map>().into());
    answer.insert("body".into(), text.into());
    answer.insert("json".into(), json);
    answer
}
