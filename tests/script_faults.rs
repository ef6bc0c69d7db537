//! The scripts of scripts/ on a server that loses replies, fails and is slow: they do their job all the same.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Orysh, Sandbox, orysh};

/// Every tenth reply is lost, every tenth request fails, and each takes a while.
const TROUBLE: &str = "--hash-iterations 1 --latency 2ms --fail lose-reply:0.1 --fail 5xx:0.1";

fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name).display().to_string()
}

/// A single reply is lost: of a rotation whose reply is lost twice nobody can tell.
const LESS_TROUBLE: &str = "--hash-iterations 1 --latency 2ms --fail lose-reply:1";

fn in_trouble(clients: usize) -> (Sandbox, Orysh) {
    in_this_trouble(clients, TROUBLE)
}

fn in_this_trouble(clients: usize, trouble: &str) -> (Sandbox, Orysh) {
    let client = |n| {
        json!({"client_id": format!("c{n:02}"), "client_name": format!("Service {n}"), "owner": "ops@example.org",
            "client_secret": format!("secret-of-c{n:02}"), "grant_types": ["client_credentials", "authorization_code"],
            "redirect_uris": ["https://old.example.org/cb"], "scope": "read"})
    };
    let server = Sandbox::holding(&(0..clients).map(client).collect::<Vec<_>>(), trouble);
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    (server, program)
}

fn rows(program: &Orysh, file: &str) -> Vec<csv::StringRecord> {
    let text = fs::read_to_string(program.home().join(file)).unwrap();
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

#[test]
fn what_only_looks_gets_to_its_end() {
    let (_server, program) = in_trouble(20);
    for (line, written) in [
        ("risky.rhai", None),
        ("terraform.rhai", Some("clients.tf")),
        ("kubernetes.rhai", Some("clients.yaml")),
        ("report.rhai", Some("report.html")),
    ] {
        program.run(&format!("run {}", script(line))).ok();
        if let Some(written) = written {
            let text = fs::read_to_string(program.home().join(written)).unwrap();
            assert!((0..20).all(|n| text.contains(&format!("c{n:02}"))), "{line}: {text}");
        }
    }
    let known: Vec<String> = (0..20).map(|n| format!("c{n:02},secret-of-c{n:02}\n")).collect();
    program.file("known.csv", &format!("client_id,client_secret\n{}", known.concat()));
    let ran = program.run(&format!("run {} known.csv", script("smoke.rhai"))).ok();
    ran.tells("20 of 20");
}

#[test]
fn what_makes_clients_makes_each_once() {
    let (server, program) = in_trouble(0);
    let services: Vec<String> = (0..30).map(|n| format!("service-{n},ops@example.org\n")).collect();
    program.file("services.csv", &format!("name,owner\n{}", services.concat()));
    program.run(&format!("run {} services.csv --plain --out made.csv", script("onboard.rhai"))).ok();
    let names: Vec<String> =
        server.clients().iter().map(|client| client["client_name"].as_str().unwrap().to_owned()).collect();
    assert_eq!((names.len(), rows(&program, "made.csv").len()), (30, 30), "{names:?}");
    program.run(&format!("run {} one 'The one' other 'The other'", script("ensure.rhai"))).ok();
    program.run(&format!("run {} one 'The one' other 'The other'", script("ensure.rhai"))).ok();
    assert_eq!(server.clients().len(), 32);
}

#[test]
fn what_changes_clients_changes_all_of_them() {
    let (server, program) = in_this_trouble(20, LESS_TROUBLE);
    let line = format!("run {} https://old.example.org/cb https://new.example.org/cb --yes", script("redirect.rhai"));
    program.run(&line).ok();
    for client in server.clients() {
        assert_eq!(client["redirect_uris"], json!(["https://new.example.org/cb"]), "{client}");
    }
    // Of one whose reply is lost twice it is not known; the same line goes on with it.
    let rotate = format!("--timeout 1s run {} --owner ops@example.org --plain --out r.csv", script("rotate.rhai"));
    let tries = (0..6).map(|_| program.run(&rotate)).take_while(|ran| ran.code == Some(3)).count();
    assert!(tries < 6, "{}", program.run(&rotate));
    program.run(&format!("--yes run {} --owner ops@example.org --out r.csv --drop-old", script("rotate.rhai"))).ok();
    let text = fs::read_to_string(program.home().join("r.csv")).unwrap();
    for n in 0..20 {
        let id = format!("c{n:02}");
        assert!(!server.accepts(&json!(id), &json!(format!("secret-of-{id}"))), "{id} has its old secret still");
        assert!(text.contains(&id), "{text}");
    }
}

#[test]
fn a_copy_is_whole() {
    let (server, program) = in_trouble(20);
    let there = Sandbox::with(TROUBLE);
    program.run(&format!("profile add there --endpoint {} --public-endpoint {}", there.admin, there.public)).ok();
    let copy = format!("-e {} run {} --to-profile there --plain --out copied.csv", server.admin, script("copy.rhai"));
    program.run(&copy).ok();
    let (mine, theirs) = (server.clients(), there.clients());
    assert_eq!((mine.len(), theirs.len()), (20, 20));
    for (mine, theirs) in mine.iter().zip(&theirs) {
        for field in ["client_id", "client_name", "owner", "grant_types", "redirect_uris", "scope"] {
            assert_eq!(mine[field], theirs[field], "{field}");
        }
    }
    let copied = fs::read_to_string(program.home().join("copied.csv")).unwrap();
    assert!((0..20).all(|n| copied.contains(&format!("c{n:02}"))), "{copied}");
}
