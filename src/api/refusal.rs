//! What a server's refusal means: its own words, the client it was about, what to do next.

use serde_json::Value;

use crate::api::Side;
use crate::api::request::Request;
use crate::api::send::Answer;
use crate::error::{Error, Kind};
use crate::text::safe;

/// What a server said in one of its error shapes.
#[derive(Debug, Default, Eq, PartialEq)]
struct Words {
    code: Option<String>,
    text: Option<String>,
}

/// The error for an answer that is no success. `about` says what was tried, with which client.
pub fn error(answer: &Answer, request: &Request, about: &str) -> Error {
    let status = answer.status;
    let words = words(&answer.body);
    let kind = if matches!(status, 401 | 403) { Kind::Denied } else { Kind::Failed };
    // A line end in it would pass for a line of ours.
    let told = words.as_ref().and_then(|words| words.text.as_deref()).map(|text| safe(text).into_owned());
    let told = told.unwrap_or_else(|| no_words(answer));
    let code = words.as_ref().and_then(|words| words.code.clone());
    let shown_code = code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    let mut error = Error::new(kind, format!("{about}: {told} (HTTP {status}{shown_code})")).with_status(status);
    if let Some(code) = code {
        error = error.with_code(code);
    }
    for (applies, hint) in HINTS {
        if applies(status, words.is_some(), &told) {
            error = error.hint(*hint);
        }
    }
    if matches!(status, 404 | 405) && words.is_none() {
        let what = if request.side == Side::Admin { "an admin API" } else { "a public API" };
        error = error.hint(format!(
            "the address does not look like that of {what}: Hydra's admin port is 4445 by default, the public one 4444"
        ));
    }
    if status == 404 && words.is_none() {
        error = error.hint(format!("{} {} was asked", request.method, answer.url));
        if answer.url.contains("/admin/admin/") {
            error = error.hint("leave /admin out of the address");
        }
    }
    error
}

type Applies = fn(status: u16, has_words: bool, told: &str) -> bool;

/// What to do next, by status and by what was said.
const HINTS: &[(Applies, &str)] = &[
    (|s, _, _| s == 401, "not signed in there: give a credential, for example with --header 'Authorization: Bearer …'"),
    (|s, _, _| s == 403, "signed in, but not allowed: ask for the permission, or use another credential"),
    (|s, _, _| s == 429, "the server limits the rate: try again later"),
    (|s, _, _| s == 407, "a proxy wants a sign-in: see --proxy and HTTPS_PROXY"),
    (
        |s, _, _| (300..400).contains(&s),
        "redirects are not followed, because they could hand secrets to another host: use the address it points to",
    ),
    (|s, words, _| matches!(s, 502..=504) && !words, "a proxy answered in the server's place: is the server running?"),
    (
        |_, _, told| told.contains("OAuth2 Client ID"),
        "Hydra v2.0 and v2.1 take no client_id: upgrade the server to v2.2 or later",
    ),
    (
        |_, _, told| told.contains("invalid pagination token"),
        "page tokens are good for about an hour: begin again without --page-token",
    ),
];

fn no_words(answer: &Answer) -> String {
    let is_html = answer.header(reqwest::header::CONTENT_TYPE).is_some_and(|kind| kind.contains("html"))
        || answer.body.trim_ascii_start().starts_with(b"<");
    let what = if answer.body.trim_ascii().is_empty() {
        "no words"
    } else if is_html {
        "a page of HTML"
    } else if serde_json::from_slice::<Value>(&answer.body).is_ok() {
        "other JSON"
    } else {
        "something that is not JSON"
    };
    format!("the server answered with {what}")
}

/// Takes Hydra's flat shape, the nested one and the console's apart.
fn words(body: &[u8]) -> Option<Words> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return None };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    match body.get("error") {
        Some(Value::Object(nested)) => {
            let message = text(nested.get("message"));
            let detail = text(nested.get("reason")).or_else(|| text(nested.get("error_description")));
            let joined = match (message, detail) {
                (Some(message), Some(detail)) if message != detail => Some(format!("{message} {detail}")),
                (message, detail) => detail.or(message),
            };
            let code = text(nested.get("id")).or_else(|| text(nested.get("status")));
            Some(Words { code, text: joined.or_else(|| text(nested.get("error"))) })
        }
        Some(Value::String(code)) => match text(body.get("error_description")) {
            // A code is one word; Hydra also puts whole sentences there.
            Some(description) => {
                Some(Words { code: Some(code.clone()).filter(|code| !code.contains(' ')), text: Some(description) })
            }
            None => Some(Words { code: None, text: Some(code.clone()) }),
        },
        _ => text(body.get("message")).map(|message| Words { code: None, text: Some(message) }),
    }
}

/// A database that gave up under contention: the same request may be sent again.
pub fn is_serialization_failure(answer: &Answer) -> bool {
    answer.status == 400
        && String::from_utf8_lossy(&answer.body).contains("Unable to serialize access due to a concurrent update")
}

/// Hydra's words for a fault of the request that it did not foresee: it stays.
pub fn is_unrecognizable(answer: &Answer) -> bool {
    String::from_utf8_lossy(&answer.body).contains("The error is unrecognizable")
}

/// An answer of success whose body is not what it should be.
pub fn not_understood(answer: &Answer, about: &str, wanted: &str) -> Error {
    let what = no_words(answer);
    Error::failed(format!("{about}: {what} where {wanted} is due (HTTP {})", answer.status))
        .with_status(answer.status)
        .hint("is this the address of an admin API?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> Option<(Option<String>, Option<String>)> {
        words(body.as_bytes()).map(|words| (words.code, words.text))
    }

    #[test]
    fn every_shape_gives_its_words() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said(r#"{"error":"invalid_x","error_description":"No."}"#), Some((some("invalid_x"), some("No."))));
        assert_eq!(said(r#"{"error":"Whole sentence","error_description":""}"#), Some((None, some("Whole sentence"))));
        assert_eq!(
            said(r#"{"error":{"code":401,"status":"Unauthorized","reason":"R.","message":"M."}}"#),
            Some((some("Unauthorized"), some("M. R.")))
        );
        assert_eq!(
            said(r#"{"error":{"id":"quota_exceeded","message":"Too many","status_code":403}}"#),
            Some((some("quota_exceeded"), some("Too many")))
        );
        assert_eq!(said("<html>"), None);
        assert_eq!(said("[]"), None);
    }
}
