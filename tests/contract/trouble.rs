//! Every kind of trouble, as the other side sees it.

use std::time::{Duration, Instant};

use orysh::sandbox::trouble::{Fail, Rate, Trouble};
use orysh::sandbox::{Options, Seed};
use serde_json::{Value, json};

use super::Sandbox;
use super::wire::{Answer, send, send_form, send_json, try_send};

fn failing(fail: &str) -> Sandbox {
    let seed = vec![json!({"client_id": "kept", "client_secret": "secret-kept"})];
    let trouble = Trouble { fail: vec![Fail::parse(fail).unwrap()], ..Trouble::default() };
    Sandbox::with(Options { trouble, seed: Some(Seed::Documents(seed)), ..Options::default() })
}

fn create(sandbox: &Sandbox) -> Option<Answer> {
    let body = json!({"client_id": "new", "client_secret": "secret-new"}).to_string();
    try_send(&sandbox.admin, "POST", "/admin/clients", &[], &body)
}

fn exists(sandbox: &Sandbox) -> bool {
    send(&sandbox.admin, "GET", "/admin/clients/new", &[], "").status == 200
}

#[test]
fn failures_hit_once_and_tell_whether_the_work_was_done() {
    for (fail, status, done) in [
        ("5xx:1", Some(503), false),
        ("drop-before:1", None, false),
        ("lose-reply:1", None, true),
        ("lose-reply:1.0", None, true),
        ("serialize:1", Some(400), false),
        ("429:1", Some(429), false),
        ("html:1", Some(502), false),
        ("empty:1", Some(201), true),
        ("drop-after-headers:1", Some(201), true),
        ("lost-rotate:1", Some(201), true),
    ] {
        let sandbox = failing(fail);
        let answer = create(&sandbox);
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{fail}");
        assert_eq!(exists(&sandbox), done, "{fail}");
        if fail.ends_with(":1") {
            assert_eq!(create(&sandbox).unwrap().status, if done { 409 } else { 201 }, "{fail}");
        }
        match (fail, answer) {
            ("empty:1", Some(answer)) => assert_eq!(answer.body, ""),
            ("429:1", Some(answer)) => assert_eq!(answer.header("Retry-After"), Some("1")),
            ("html:1", Some(answer)) => assert!(answer.header("Content-Type").unwrap().starts_with("text/html")),
            ("drop-after-headers:1", Some(answer)) => assert!(serde_json::from_str::<Value>(&answer.body).is_err()),
            ("serialize:1", Some(answer)) => {
                assert!(answer.json()["error"].as_str().unwrap().starts_with("Unable to serialize access"));
            }
            _ => {}
        }
    }
}

#[test]
fn a_lost_rotation_was_done() {
    let sandbox = failing("lost-rotate:1");
    let updated = || send(&sandbox.admin, "GET", "/admin/clients/kept", &[], "").json()["updated_at"].clone();
    let before = updated();
    assert!(try_send(&sandbox.admin, "POST", "/admin/clients/kept/secrets/rotate", &[], "").is_none());
    assert_ne!(updated(), before);
    let form = "grant_type=refresh_token&refresh_token=probe";
    assert_eq!(send_form(&sandbox.public, "/oauth2/token", Some("kept:secret-kept"), form).status, 400);
    assert_eq!(send(&sandbox.admin, "POST", "/admin/clients/kept/secrets/rotate", &[], "").status, 200);
}

#[test]
fn without_its_database_hydra_says_what_is_not_so() {
    let sandbox = failing("db-down:6");
    assert_eq!(send(&sandbox.admin, "GET", "/admin/clients/kept", &[], "").status, 500);
    assert_eq!(create(&sandbox).unwrap().json()["error_description"], "The error is unrecognizable");
    let form = "grant_type=refresh_token&refresh_token=probe";
    let token = send_form(&sandbox.public, "/oauth2/token", Some("kept:secret-kept"), form);
    assert_eq!((token.status, &token.json()["error"]), (401, &json!("invalid_client")));
    assert_eq!(send_form(&sandbox.public, "/oauth2/revoke", Some("nobody:x"), "token=x").status, 200);
    assert_eq!(send_form(&sandbox.admin, "/admin/oauth2/introspect", None, "token=x").json(), json!({"active": false}));
    assert_eq!(send(&sandbox.admin, "GET", "/version", &[], "").status, 200);
    assert_eq!(send(&sandbox.admin, "GET", "/health/ready", &[], "").status, 503);
    assert_eq!(send(&sandbox.admin, "GET", "/health/ready", &[], "").status, 200);
}

#[test]
fn rates_are_told_on_good_answers_and_on_429() {
    let trouble = Trouble { rate: Some(Rate::parse("3/min,2/s").unwrap()), ..Trouble::default() };
    let sandbox = Sandbox::with(Options { trouble, ..Options::default() });
    let first = send_json(&sandbox.admin, "POST", "/admin/clients", &json!({}));
    assert_eq!(first.status, 201);
    assert!(first.header("x-ratelimit-limit").unwrap().ends_with(", 2;w=1, 3;w=60"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("1"));
    let refused = loop {
        let answer = send(&sandbox.admin, "DELETE", "/admin/clients/none", &[], "");
        if answer.status != 404 {
            break answer;
        }
    };
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (429, Some("0")));
    assert_eq!(refused.header("Retry-After"), refused.header("x-ratelimit-reset"));
    assert!(refused.header("Retry-After").unwrap().parse::<u64>().unwrap() > 0);
    let list = send(&sandbox.admin, "GET", "/admin/clients", &[], "");
    assert_eq!((list.status, list.header("x-ratelimit-limit")), (200, None));
}

#[test]
fn a_tier_limits_lists_and_gets_too() {
    let trouble = Trouble { rate: Some(Rate::tier("developer").unwrap()), ..Trouble::default() };
    let sandbox = Sandbox::with(Options { trouble, ..Options::default() });
    let lists: Vec<u16> = (0..16).map(|_| send(&sandbox.admin, "GET", "/admin/clients", &[], "").status).collect();
    assert_eq!((lists[14], lists[15]), (200, 429));
    assert_eq!(send(&sandbox.admin, "GET", "/admin/clients/x", &[], "").header("x-ratelimit-remaining"), Some("79"));
}

#[test]
fn latency_delays_every_answer() {
    let trouble = Trouble { latency: Some(Trouble::parse_latency("30ms").unwrap()), ..Trouble::default() };
    let sandbox = Sandbox::with(Options { trouble, ..Options::default() });
    let started = Instant::now();
    assert_eq!(send(&sandbox.admin, "GET", "/version", &[], "").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(30));
    assert!(Trouble::parse_latency("soon").is_err());
}

#[test]
fn a_slow_answer_does_not_hold_up_a_stop() {
    let sandbox = failing("slow:1");
    let admin = sandbox.admin.clone();
    let slow = std::thread::spawn(move || try_send(&admin, "POST", "/admin/clients", &[], r#"{"client_id": "new"}"#));
    while !exists(&sandbox) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let started = Instant::now();
    sandbox.stop();
    assert!(slow.join().unwrap().is_none());
    assert!(started.elapsed() < Duration::from_secs(2));
}
