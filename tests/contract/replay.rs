//! The exchanges recorded from a live Hydra, sent again: the sandbox, or another Hydra, has to answer alike.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::NON_ALPHANUMERIC;
use serde_json::{Map, Value};

use super::Sandbox;
use super::wire::{self, Answer};

/// Values that every server makes up for itself.
const MADE_UP: [&str; 9] = [
    "created_at",
    "updated_at",
    "registration_access_token",
    "registration_client_uri",
    "access_token",
    "exp",
    "iat",
    "nbf",
    "iss",
];

/// What needs a server that holds no clients at the start.
const NEEDS_AN_EMPTY_SERVER: [&str; 2] = ["list", "list page_size 0"];

#[test]
fn the_sandbox_answers_as_hydra_did() {
    let sandbox = Sandbox::start();
    let differences = replay(&sandbox.admin, &sandbox.public, &|_| true);
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn a_live_hydra_still_answers_as_it_did() {
    let given = (std::env::var("ORYSH_TEST_HYDRA_ADMIN"), std::env::var("ORYSH_TEST_HYDRA_PUBLIC"));
    let (Ok(admin), Ok(public)) = given else {
        eprintln!("skipped: ORYSH_TEST_HYDRA_ADMIN and ORYSH_TEST_HYDRA_PUBLIC name no live Hydra");
        return;
    };
    let (admin, public) = (admin.trim_end_matches('/'), public.trim_end_matches('/'));
    let empty = wire::send(admin, "GET", "/admin/clients?page_size=1", &[], "").json() == serde_json::json!([]);
    let differences = replay(admin, public, &|name| {
        let sent = empty || !NEEDS_AN_EMPTY_SERVER.contains(&name);
        if !sent {
            eprintln!("skipped: `{name}` needs a server without clients, and {admin} has some");
        }
        sent
    });
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// Sends every exchange that is wanted, in order; gives what was answered otherwise.
fn replay(admin: &str, public: &str, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let exchanges: Vec<Value> = serde_json::from_str(include_str!("../data/exchanges.json")).unwrap();
    assert_eq!(exchanges.len(), 88);
    // What was recorded, and what stands for it now.
    let mut learned = BTreeMap::new();
    let (mut differences, mut made) = (Vec::new(), Vec::new());
    for exchange in &exchanges {
        let (name, request) = (exchange["name"].as_str().unwrap(), &exchange["request"]);
        if !wanted(name) {
            continue;
        }
        let base = if request["side"] == "admin" { admin } else { public };
        let body = match &request["body"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let headers: Vec<(String, String)> = request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), credentials(value.as_str().unwrap(), &learned)))
            .collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let method = request["method"].as_str().unwrap();
        let path = current(request["path"].as_str().unwrap(), &learned);
        let answer = wire::send(base, method, &path, &headers, &current(&body, &learned));
        if answer.status == 201 {
            made.push(answer.json()["client_id"].as_str().unwrap().to_owned());
        }
        learn(&exchange["response"]["body"], &answer, &mut learned);
        for difference in compared(&exchange["response"], &answer, &learned) {
            differences.push(format!("{name}: {difference}"));
        }
    }
    // A live server is left as it was, so that the next run finds it so.
    for id in made {
        let path = format!("/admin/clients/{}", percent_encoding::utf8_percent_encode(&id, NON_ALPHANUMERIC));
        wire::send(admin, "DELETE", &path, &[], "");
    }
    differences
}

/// Remembers what the server made up where the recording has something else.
fn learn(recorded: &Value, answer: &Answer, learned: &mut BTreeMap<String, String>) {
    let Ok(now) = serde_json::from_str::<Value>(&answer.body) else { return };
    for name in ["client_id", "client_secret", "access_token"] {
        if let (Some(before), Some(after)) = (recorded[name].as_str(), now[name].as_str())
            && before != after
        {
            learned.insert(before.to_owned(), after.to_owned());
        }
    }
}

fn current(text: &str, learned: &BTreeMap<String, String>) -> String {
    learned.iter().fold(text.to_owned(), |text, (before, after)| text.replace(before, after))
}

/// A header's value, with learned secrets put into Basic credentials.
fn credentials(value: &str, learned: &BTreeMap<String, String>) -> String {
    let Some(encoded) = value.strip_prefix("Basic ") else { return value.to_owned() };
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap();
    let (id, secret) = text.split_once(':').unwrap();
    // A secret that the server picked is put in encoded: only here can it hold what has to be.
    let secret = learned.get(secret).map_or_else(|| secret.to_owned(), |now| now.replace('+', "%2B"));
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

fn compared(recorded: &Value, answer: &Answer, learned: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, before: String, now: String| {
        if before != now {
            found.push(format!("{what} was {before}, is {now}"));
        }
    };
    check("the status", recorded["status"].to_string(), answer.status.to_string());
    let header = |name: &str| recorded["headers"].get(name).and_then(Value::as_str);
    for name in ["Location", "Link"] {
        check(name, header(name).is_some().to_string(), answer.header(name).is_some().to_string());
    }
    for name in ["Content-Type", "Cache-Control", "Location"] {
        if let Some(before) = header(name) {
            check(name, current(before, learned), answer.header(name).unwrap_or_default().to_owned());
        }
    }
    if header("Link").is_some() {
        let relations = |text: &str| text.matches("rel=").count().to_string();
        check("links", relations(header("Link").unwrap()), relations(answer.header("Link").unwrap_or_default()));
    }
    let is_page = header("Content-Type").is_some_and(|kind| kind.starts_with("text/html"));
    let is_discovery = recorded["body"].get("authorization_endpoint").is_some();
    if !is_page && !is_discovery {
        let now = serde_json::from_str(&answer.body).unwrap_or_else(|_| Value::String(answer.body.clone()));
        if let (Value::Array(before), Value::Array(now)) = (&recorded["body"], &now) {
            check_list(before, now, learned, &mut check);
            return found;
        }
        check("the body", plain(&recorded["body"], learned).to_string(), plain(&now, learned).to_string());
    }
    found
}

/// Lists have to be as long, in order, and alike in what both hold: a server-made id has its own place.
fn check_list(
    before: &[Value],
    now: &[Value],
    learned: &BTreeMap<String, String>,
    check: &mut dyn FnMut(&str, String, String),
) {
    let id = |client: &Value| current(client["client_id"].as_str().unwrap(), learned);
    check("the length", before.len().to_string(), now.len().to_string());
    check("the order", true.to_string(), now.is_sorted_by_key(id).to_string());
    for client in before {
        if let Some(same) = now.iter().find(|other| id(other) == id(client)) {
            check("a client", plain(client, learned).to_string(), plain(same, learned).to_string());
        }
    }
}

/// A body without what a server makes up, with sorted keys; the keys stay.
fn plain(body: &Value, learned: &BTreeMap<String, String>) -> Value {
    match body {
        Value::Object(object) => {
            let names: BTreeSet<&String> = object.keys().collect();
            let value = |name: &str| match (MADE_UP.contains(&name), &object[name]) {
                (true, _) => "(made up)".into(),
                // A second that passes between issuing and answering is nobody's fault.
                (_, Value::Number(seconds)) if name == "expires_in" => (seconds.as_i64().unwrap() / 10 * 10).into(),
                (_, value) => plain(value, learned),
            };
            Value::Object(names.into_iter().map(|name| (name.clone(), value(name))).collect::<Map<_, _>>())
        }
        Value::Array(members) => Value::Array(members.iter().map(|member| plain(member, learned)).collect()),
        Value::String(text) => Value::String(current(text, learned)),
        other => other.clone(),
    }
}
