//! The answer to a sign-in: it comes to a port of this machine, from the browser that was sent to the server.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::text::safe;
use crate::ui::Ui;

/// How long a person has.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(60);

/// The most bytes of a request that are read.
const MOST_BYTES: usize = 16 * 1024;

/// Where the answer comes to.
pub struct Callback {
    listener: TcpListener,
    /// `http://127.0.0.1:PORT/callback`.
    pub redirect_uri: String,
}

/// What a request to it says.
enum Said {
    /// The code (RFC 6749 §4.1.2).
    Code(String),
    /// Why there is none (RFC 6749 §4.1.2.1).
    Denied(String),
    /// It is the answer to something else.
    Foreign,
    /// It is no answer at all.
    Other,
}

impl Callback {
    /// Listens on loopback; port 0 takes a free one. Errors of usage: the port is in use.
    pub async fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| {
            Error::usage(format!("cannot listen on 127.0.0.1, port {port}"))
                .caused_by(source)
                .hint("leave --port out to take a free one")
        })?;
        let port =
            listener.local_addr().map_err(|source| Error::failed("the port is not known").caused_by(source))?.port();
        Ok(Callback { listener, redirect_uri: format!("http://127.0.0.1:{port}/callback") })
    }

    /// Waits for the answer that belongs to `state`; others are told of and passed over.
    ///
    /// Errors: the person, or the server, denied it; nobody came.
    pub async fn code(self, state: &Secret, ui: Ui) -> Result<Secret> {
        let wait = async {
            // Browsers open connections beforehand and leave them idle: none of them may hold up another.
            let mut waiting = JoinSet::new();
            loop {
                let (mut stream, target) = tokio::select! {
                    accepted = self.listener.accept() => {
                        if let Ok((mut stream, _)) = accepted {
                            waiting.spawn(async move {
                                let target = tokio::time::timeout(IDLE, request(&mut stream)).await.ok().flatten();
                                (stream, target)
                            });
                        }
                        continue;
                    }
                    Some(Ok(read)) = waiting.join_next() => read,
                };
                match target.map_or(Said::Other, |target| said(&target, state)) {
                    Said::Code(code) => {
                        reply(&mut stream, "200 OK", "You are signed in. This page can be closed.").await;
                        return Ok(Secret::new(code));
                    }
                    Said::Denied(why) => {
                        reply(&mut stream, "200 OK", "The sign-in was denied. This page can be closed.").await;
                        return Err(Error::denied(format!("the sign-in was denied: {}", safe(&why))));
                    }
                    Said::Foreign => {
                        reply(&mut stream, "400 Bad Request", "This is not the answer that is waited for.").await;
                        ui.warn(
                            "an answer came whose state does not match: it belongs to another sign-in, and is ignored",
                        );
                    }
                    Said::Other => reply(&mut stream, "404 Not Found", "There is nothing here.").await,
                }
            }
        };
        let late = || Error::failed(format!("nobody signed in within {} minutes", PATIENCE.as_secs() / 60));
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| Err(late()))
    }
}

/// The target of the request line.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") && bytes.len() < MOST_BYTES {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.lines().next()?.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned))?
}

fn said(target: &str, state: &Secret) -> Said {
    let Ok(url) = Url::parse("http://127.0.0.1").and_then(|base| base.join(target)) else { return Said::Other };
    if url.path() != "/callback" {
        return Said::Other;
    }
    let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    if value("state").as_deref() != Some(state.expose()) {
        return Said::Foreign;
    }
    match (value("error"), value("code")) {
        (Some(error), _) => {
            Said::Denied(value("error_description").map_or(error.clone(), |why| format!("{error}: {why}")))
        }
        (None, Some(code)) => Said::Code(code),
        (None, None) => Said::Other,
    }
}

async fn reply(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // The browser may be gone already.
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_that_belongs_to_the_state_counts() {
        let state = Secret::new("the-state");
        let is = |target: &str| match said(target, &state) {
            Said::Code(code) => format!("code {code}"),
            Said::Denied(why) => format!("denied {why}"),
            Said::Foreign => "foreign".into(),
            Said::Other => "other".into(),
        };
        for (target, expected) in [
            ("/callback?code=a%2Fb&state=the-state", "code a/b"),
            ("/callback?code=a&state=other", "foreign"),
            ("/callback?code=a", "foreign"),
            ("/callback?error=access_denied&error_description=no&state=the-state", "denied access_denied: no"),
            ("/callback?state=the-state", "other"),
            ("/favicon.ico", "other"),
        ] {
            assert_eq!(is(target), expected, "{target}");
        }
    }
}
