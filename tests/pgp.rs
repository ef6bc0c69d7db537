//! Secrets for their owners: what orysh encrypts, real gpg and OpenPGP.js read.

mod canary;
mod choice;
mod fetched;
mod forms;
mod refused;
mod settled;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Gpg, Orysh, Sandbox};

/// Creates a client whose secret is encrypted as the flags say.
fn create(program: &Orysh, flags: &str) -> Value {
    program.run(&format!("create oauth2-client --name x --format json {flags}")).json()
}

/// The message inside a secret that was printed.
fn message(made: &Value) -> Vec<u8> {
    let message = STANDARD.decode(made["client_secret"].as_str().unwrap()).unwrap();
    assert!(message.starts_with(b"-----BEGIN PGP MESSAGE-----"), "{}", String::from_utf8_lossy(&message));
    message
}

/// gpg reads the secret, and the server takes it for the client's.
fn assert_opens(gpg: &Gpg, server: &Sandbox, made: &Value) {
    let secret = gpg.decrypt(&message(made));
    assert_eq!(secret.len(), 32, "{secret}");
    assert!(server.accepts(&made["client_id"], &secret.into()));
}
