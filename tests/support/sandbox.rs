//! The server inside the program, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

use super::PROGRAM;
use crate::contract::wire::{self, Answer};

/// A running sandbox with its clients in memory.
pub struct Sandbox {
    /// Its admin API.
    pub admin: String,
    /// Its public API.
    pub public: String,
    /// Its network, if it was asked for.
    pub network: Option<String>,
    child: Child,
    _home: TempDir,
}

impl Sandbox {
    /// A server without trouble.
    pub fn start() -> Self {
        Self::with("")
    }

    /// A server with some more flags of `sandbox serve`.
    pub fn with(flags: &str) -> Self {
        let home = TempDir::new().unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", "serve", "--memory", "--admin", "127.0.0.1:0", "--public", "127.0.0.1:0"])
            .args(["--format", "json"])
            .args(shlex::split(flags).unwrap())
            .env_clear()
            .env("ORYSH_HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| addresses[name].as_str().map(str::to_owned);
        Sandbox {
            admin: address("admin").unwrap(),
            public: address("public").unwrap(),
            network: address("network"),
            child,
            _home: home,
        }
    }

    /// A server that holds these clients from the start.
    pub fn holding(clients: &[Value], flags: &str) -> Self {
        let seed = NamedTempFile::new().unwrap();
        serde_json::to_writer(&seed, clients).unwrap();
        Self::with(&format!("--seed '{}' {flags}", seed.path().display()))
    }

    /// A server with so many clients, `c0000` and on, named `client 0` and on.
    pub fn of_many(count: usize, flags: &str) -> Self {
        let client = |n| json!({"client_id": format!("c{n:04}"), "client_name": format!("client {n}")});
        Self::holding(&(0..count).map(client).collect::<Vec<_>>(), &format!("--hash-iterations 1 {flags}"))
    }

    /// All clients, of which there are no more than one page.
    pub fn clients(&self) -> Vec<Value> {
        let answer = wire::send(&self.admin, "GET", "/admin/clients?page_size=500", &[], "");
        assert!(!answer.header("Link").unwrap_or_default().contains("rel=\"next\""), "more than a page");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The client of an id that needs no encoding.
    pub fn client(&self, id: &str) -> Value {
        wire::send(&self.admin, "GET", &format!("/admin/clients/{id}"), &[], "").json()
    }

    /// Makes a client, as someone else would.
    pub fn make(&self, document: &Value) -> Answer {
        wire::send_json(&self.admin, "POST", "/admin/clients", document)
    }

    /// Whether the token endpoint takes the secret for the client's, which sends it in the body.
    pub fn accepts_post(&self, id: &str, secret: &str) -> bool {
        let form = format!("grant_type=refresh_token&refresh_token=probe&client_id={id}&client_secret={secret}");
        is_accepted(&wire::send_form(&self.public, "/oauth2/token", None, &form))
    }

    /// Whether the token endpoint takes the secret for the client's.
    pub fn accepts(&self, id: &Value, secret: &Value) -> bool {
        let encoded = |value: &Value| -> String {
            url::form_urlencoded::byte_serialize(value.as_str().unwrap().as_bytes()).collect()
        };
        let basic = format!("{}:{}", encoded(id), encoded(secret));
        let form = "grant_type=refresh_token&refresh_token=probe";
        let answer = wire::send_form(&self.public, "/oauth2/token", Some(&basic), form);
        is_accepted(&answer)
    }
}

fn is_accepted(answer: &Answer) -> bool {
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    match (answer.status, error.as_str()) {
        (400, "unauthorized_client" | "invalid_grant") => true,
        (401, "invalid_client") => false,
        other => panic!("a probe was answered with {other:?}"),
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
