//! HTTP/1.1 by hand: what is sent and what comes back, to the byte.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends a request on a connection of its own. `None` if it is closed without a byte; an answer that breaks
/// off has what came of it.
pub fn try_send(base: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // A reset after part of the answer is as good as its end.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: body.to_owned() };
    if answer.header("Transfer-Encoding") == Some("chunked") {
        answer.body = dechunked(body);
    }
    Some(answer)
}

/// Sends a request that has to be answered.
pub fn send(base: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_send(base, method, path, headers, body).unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// Sends JSON.
pub fn send_json(base: &str, method: &str, path: &str, body: &Value) -> Answer {
    send(base, method, path, &[("Content-Type", "application/json")], &body.to_string())
}

/// Sends a form, with Basic credentials where there are some.
pub fn send_form(base: &str, path: &str, basic: Option<&str>, body: &str) -> Answer {
    let credentials =
        basic.map(|text| format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text)));
    let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
    headers.extend(credentials.iter().map(|value| ("Authorization", value.as_str())));
    send(base, "POST", path, &headers, body)
}

fn dechunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    body
}
