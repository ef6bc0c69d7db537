//! What Hydra lets through and should not: whoever guards against it needs a server that does it.

use serde_json::{Value, json};

use super::Sandbox;
use super::wire::{send, send_form, send_json};

fn create(sandbox: &Sandbox, body: &Value) -> Value {
    let answer = send_json(&sandbox.admin, "POST", "/admin/clients", body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn read(sandbox: &Sandbox, id: &str) -> Value {
    send(&sandbox.admin, "GET", &format!("/admin/clients/{id}"), &[], "").json()
}

fn patch(sandbox: &Sandbox, id: &str, body: &Value) -> super::wire::Answer {
    send_json(&sandbox.admin, "PATCH", &format!("/admin/clients/{id}"), body)
}

/// Whether a secret passes the probe at the token endpoint.
fn passes(sandbox: &Sandbox, id: &str, secret: &str) -> bool {
    let form = "grant_type=refresh_token&refresh_token=probe";
    match send_form(&sandbox.public, "/oauth2/token", Some(&format!("{id}:{secret}")), form).status {
        400 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_patch_of_the_id_or_of_everything_writes_over_the_other_client() {
    let sandbox = Sandbox::start();
    for id in ["a", "b", "c"] {
        create(&sandbox, &json!({"client_id": id, "client_name": id, "client_secret": format!("secret-{id}")}));
    }
    assert_eq!(patch(&sandbox, "a", &json!([{"op": "add", "path": "/CLIENT_ID", "value": "b"}])).status, 200);
    assert_eq!(read(&sandbox, "b")["client_name"], "a");
    assert!(passes(&sandbox, "b", "secret-b"));
    let whole = json!([{"op": "replace", "path": "", "value": {"client_id": "c", "client_name": "whole"}}]);
    assert_eq!(patch(&sandbox, "a", &whole).status, 200);
    assert_eq!(read(&sandbox, "c")["client_name"], "whole");
    assert_eq!(read(&sandbox, "a")["client_name"], "a");
    let free = json!([{"op": "add", "path": "/client_id", "value": "free"}]);
    assert_eq!(patch(&sandbox, "a", &free).status, 404);
}

#[test]
fn public_to_basic_leaves_a_secret_that_nobody_has() {
    let sandbox = Sandbox::start();
    let made = create(&sandbox, &json!({"client_id": "spa", "token_endpoint_auth_method": "none"}));
    assert!(made.get("client_secret").is_none());
    let change = json!([{"op": "replace", "path": "/token_endpoint_auth_method", "value": "client_secret_basic"}]);
    let answer = patch(&sandbox, "spa", &change);
    assert_eq!(answer.status, 200);
    assert!(answer.json().get("client_secret").is_none());
    assert!(!passes(&sandbox, "spa", ""));
    let set = json!([{"op": "add", "path": "/client_secret", "value": "chosen-now"}]);
    assert_eq!(patch(&sandbox, "spa", &set).json()["client_secret"], "chosen-now");
    assert!(passes(&sandbox, "spa", "chosen-now"));
}

#[test]
fn rotated_secrets_pass_until_five_others_came_or_they_are_dropped() {
    let sandbox = Sandbox::start();
    create(&sandbox, &json!({"client_id": "r", "client_secret": "secret-0"}));
    let mut secrets = vec!["secret-0".to_owned()];
    for _ in 0..6 {
        let answer = send(&sandbox.admin, "POST", "/admin/clients/r/secrets/rotate", &[], "");
        let secret = answer.json()["client_secret"].as_str().unwrap().to_owned();
        assert_eq!(secret.len(), 26);
        secrets.push(secret);
    }
    let passing: Vec<bool> = secrets.iter().map(|secret| passes(&sandbox, "r", secret)).collect();
    assert_eq!(passing, [false, true, true, true, true, true, true]);
    // A replacement without a secret keeps them all, and ignores the body's id.
    assert_eq!(
        send_json(&sandbox.admin, "PUT", "/admin/clients/r", &json!({"client_id": "x"})).json()["client_id"],
        "r"
    );
    assert!(passes(&sandbox, "r", &secrets[1]) && passes(&sandbox, "r", &secrets[6]));
    assert_eq!(patch(&sandbox, "r", &json!([{"op": "remove", "path": "/client_secret"}])).status, 200);
    assert!(!passes(&sandbox, "r", &secrets[5]) && passes(&sandbox, "r", &secrets[6]));
    send(&sandbox.admin, "POST", "/admin/clients/r/secrets/rotate", &[], "");
    assert!(passes(&sandbox, "r", &secrets[6]));
    assert_eq!(send(&sandbox.admin, "DELETE", "/admin/clients/r/secrets/rotate", &[], "").status, 200);
    assert!(!passes(&sandbox, "r", &secrets[6]));
    // A new secret by replacement ends the old one at once.
    let replaced = send_json(&sandbox.admin, "PUT", "/admin/clients/r", &json!({"client_secret": "brand-new"}));
    assert_eq!(replaced.json()["client_secret"], "brand-new");
    assert!(passes(&sandbox, "r", "brand-new"));
}

#[test]
fn lifespans_that_are_not_sent_become_null() {
    let sandbox = Sandbox::start();
    let (one, two) = ("implicit_grant_id_token_lifespan", "implicit_grant_access_token_lifespan");
    create(&sandbox, &json!({"client_id": "l", one: "90m", two: "1m"}));
    let answer = send_json(&sandbox.admin, "PUT", "/admin/clients/l/lifespans", &json!({two: "1.5s"}));
    assert_eq!((answer.status, &answer.json()[one], &answer.json()[two]), (200, &Value::Null, &json!("1.5s")));
    let patched = patch(&sandbox, "l", &json!([{"op": "add", "path": format!("/{one}"), "value": "90m"}]));
    assert_eq!((&patched.json()[one], &patched.json()[two]), (&json!("1h30m0s"), &json!("1.5s")));
    assert_eq!(patch(&sandbox, "l", &json!([{"op": "add", "path": format!("/{one}"), "value": "1d"}])).status, 500);
    assert_eq!(send_json(&sandbox.admin, "POST", "/admin/clients", &json!({one: "1d"})).status, 400);
}

#[test]
fn bodies_are_read_leniently() {
    let sandbox = Sandbox::start();
    let empty = send(&sandbox.admin, "POST", "/admin/clients", &[], "null");
    assert_eq!((empty.status, &empty.json()["redirect_uris"]), (201, &Value::Null));
    let made = create(&sandbox, &json!({"CLIENT_ID": "x", "Metadata": [1, {"a": 12_345_678_901_234_567_890_u64}]}));
    assert_eq!(made["client_id"], "x");
    assert_eq!(read(&sandbox, "x")["metadata"], json!([1, {"a": 12_345_678_901_234_567_890_u64}]));
    let long = "s".repeat(5000);
    create(&sandbox, &json!({"client_id": "long", "client_secret": long}));
    assert!(passes(&sandbox, "long", &long));
    assert_eq!(patch(&sandbox, "x", &json!([{"op": "add", "path": "/contacts", "value": "no list"}])).status, 500);
    assert_eq!(patch(&sandbox, "x", &json!([{"op": "add", "path": "/scope", "value": null}])).status, 200);
    assert_eq!(patch(&sandbox, "x", &json!([{"op": "add", "path": "/subject_type", "value": "no"}])).status, 400);
}

#[test]
fn what_the_admin_changes_ends_the_registration_token() {
    let sandbox = Sandbox::start();
    let made = send_json(&sandbox.public, "POST", "/oauth2/register", &json!({"client_name": "dyn"})).json();
    let path = format!("/oauth2/register/{}", made["client_id"].as_str().unwrap());
    let bearer = |token: &Value| format!("Bearer {}", token.as_str().unwrap());
    let first = bearer(&made["registration_access_token"]);
    let read = send(&sandbox.public, "GET", &path, &[("Authorization", &first)], "");
    assert_eq!((read.status, &read.json()["client_name"], read.json().get("metadata")), (200, &json!("dyn"), None));
    let replaced = send(&sandbox.public, "PUT", &path, &[("Authorization", &first)], r#"{"client_name": "two"}"#);
    assert_eq!(replaced.status, 200);
    let second = bearer(&replaced.json()["registration_access_token"]);
    assert_eq!(send(&sandbox.public, "GET", &path, &[("Authorization", &first)], "").status, 401);
    let chosen = send(&sandbox.public, "PUT", &path, &[("Authorization", &second)], r#"{"client_secret": "chosen"}"#);
    assert_eq!(chosen.status, 403);
    let admin_path = format!("/admin/clients/{}", made["client_id"].as_str().unwrap());
    send_json(&sandbox.admin, "PUT", &format!("{admin_path}/lifespans"), &json!({}));
    assert_eq!(send(&sandbox.public, "GET", &path, &[("Authorization", &second)], "").status, 200);
    send_json(&sandbox.admin, "PATCH", &admin_path, &json!([]));
    assert_eq!(send(&sandbox.public, "DELETE", &path, &[("Authorization", &second)], "").status, 401);
}
