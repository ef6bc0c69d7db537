//! Requests of a script to any server: with a limit on time and size, and no redirect followed.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use rhai::{Dynamic, INT, Map, NativeCallContext as Call};
use serde_json::Value;
use url::Url;

use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::script::engine::Context;
use crate::script::errors::thrown;
use crate::script::library::{Library, placed};
use crate::script::value;
use crate::secret::Secret;
use crate::session::Session;
use crate::text::safe;

/// Registers the module.
pub fn register(library: &mut Library, context: &Context) {
    let without_body = [
        (Method::GET, "get(url) -> map", "try { http::get(\"http://127.0.0.1:1/\") } catch (e) { print(e.message) }"),
        (
            Method::DELETE,
            "delete(url) -> map",
            "try { http::delete(\"http://127.0.0.1:1/\") } catch (e) { print(e.message) }",
        ),
    ];
    for (method, signature, example) in without_body {
        let session = context.host.session.clone();
        let about = "What a server answers: `#{status, headers, body, json}`; no redirect is followed";
        library.add(("http", signature), (about, example), move |call: Call<'_>, url: &str| {
            placed(&call, send(&session, &method, url, None, &Map::new()).map_err(thrown))
        });
    }
    let session = context.host.session.clone();
    library.add(
        ("http", "get(url, options) -> map"),
        (
            "The same with `#{headers}`, whose values may be secrets",
            "try { http::get(\"http://127.0.0.1:1/\", #{headers: #{accept: \"text/plain\"}}) } catch (e) { print(e.message) }",
        ),
        move |call: Call<'_>, url: &str, options: Map| {
            placed(&call, send(&session, &Method::GET, url, None, &options).map_err(thrown))
        },
    );
    let with_body = [
        (
            Method::POST,
            "post(url, body) -> map",
            "try { http::post(\"http://127.0.0.1:1/\", #{a: 1}) } catch (e) { print(e.message) }",
        ),
        (
            Method::PUT,
            "put(url, body) -> map",
            "try { http::put(\"http://127.0.0.1:1/\", #{a: 1}) } catch (e) { print(e.message) }",
        ),
    ];
    for (method, signature, example) in with_body {
        let session = context.host.session.clone();
        let about = "Sends text, or a value as JSON, in which secrets that were not revealed are `[REDACTED]`";
        library.add(("http", signature), (about, example), move |call: Call<'_>, url: &str, body: Dynamic| {
            placed(&call, send(&session, &method, url, Some(&body), &Map::new()).map_err(thrown))
        });
    }
    let session = context.host.session.clone();
    library.add(
        ("http", "post(url, body, options) -> map"),
        (
            "The same with `#{headers}`",
            "try { http::post(\"http://127.0.0.1:1/\", \"a text\", #{headers: #{accept: \"text/plain\"}}) } catch (e) { print(e.message) }",
        ),
        move |call: Call<'_>, url: &str, body: Dynamic, options: Map| {
            placed(&call, send(&session, &Method::POST, url, Some(&body), &options).map_err(thrown))
        },
    );
}

fn send(session: &Session, method: &Method, url: &str, body: Option<&Dynamic>, options: &Map) -> Result<Map> {
    let url = Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| Error::usage(format!("`{}` is no address of http or https", safe(url))))?;
    let about = format!("{method} {}", net::without_password(url.as_str()));
    // What is for the Hydra that the session acts on is for no other server.
    let of_session = &session.settings().policy;
    let policy = Policy {
        timeout: of_session.timeout,
        ca_file: of_session.ca_file.clone(),
        proxy: of_session.proxy.clone(),
        ..Policy::default()
    };
    let client = net::client(&policy, &url)?;
    let mut request = Request::new(method.clone(), url.clone());
    *request.headers_mut() = headers(options)?;
    if let Some(body) = body {
        let (text, kind) = if body.is_string() {
            (body.to_string(), "text/plain; charset=utf-8")
        } else {
            let value = value::to_json(body, false).map_err(|error| Error::usage(error.to_string()))?;
            (value.to_string(), "application/json")
        };
        request.headers_mut().entry("content-type").or_insert(HeaderValue::from_static(kind));
        *request.body_mut() = Some(text.into());
    }
    session.wait(async {
        let response = client.execute(request).await.map_err(|source| net::transport(source, &url).about(&about))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes =
            net::body(response, net::MOST_BYTES).await.map_err(|source| net::transport(source, &url).about(&about))?;
        let bytes = bytes.ok_or_else(|| Error::failed(format!("{about}: the answer is larger than 16 MiB")))?;
        Ok(answer(status.as_u16(), &headers, &bytes))
    })
}

fn headers(options: &Map) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (option, given) in options {
        if option.as_str() != "headers" {
            return Err(Error::usage(format!("a request has no option `{}`", safe(option))).hint("it has `headers`"));
        }
        let given = given.read_lock::<Map>().ok_or_else(|| Error::usage("`headers` wants a map"))?;
        for (name, value) in given.iter() {
            let wrong = || Error::usage(format!("`{}` is no header", safe(name)));
            let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let (text, is_secret) = match value.read_lock::<Secret>() {
                Some(secret) => (secret.expose().to_owned(), true),
                None => (value.to_string(), false),
            };
            let mut value = HeaderValue::from_str(&text).map_err(|_| wrong())?;
            value.set_sensitive(is_secret);
            headers.insert(parsed, value);
        }
    }
    Ok(headers)
}

fn answer(status: u16, headers: &HeaderMap, bytes: &[u8]) -> Map {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let json = serde_json::from_str::<Value>(&text).map_or(Dynamic::UNIT, |value| value::from_json(&value));
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).into_owned().into())
    };
    let mut answer = Map::new();
    answer.insert("status".into(), INT::from(status).into());
    answer.insert("headers".into(), headers.iter().map(header).collect::<Map>().into());
    answer.insert("body".into(), text.into());
    answer.insert("json".into(), json);
    answer
}
