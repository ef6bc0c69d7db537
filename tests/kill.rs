//! Killed at any moment of a create: never a client whose secret is nowhere.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Sandbox, orysh};

const KILLS: usize = 200;
const CREATE: &str = "create oauth2-client --name x --format json";

#[test]
fn every_client_of_a_killed_create_has_its_secret_somewhere() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let longest = (0..3).map(|_| once(&program)).max().unwrap();
    let mut secrets = HashMap::new();
    let mut ended = 0;
    for _ in 0..KILLS {
        let running = program.begin(CREATE);
        thread::sleep(longest.mul_f64(random_fraction()));
        running.signal(Signal::KILL);
        let ran = running.end();
        ended += usize::from(ran.code.is_some());
        // Whoever reads the output has the secret only where the whole document came.
        if let Ok(made) = serde_json::from_str::<Value>(&ran.stdout) {
            secrets.insert(made["client_id"].to_string(), made["client_secret"].clone());
        }
    }
    for path in program.pending() {
        // A file that was not whole yet was not relied on yet either.
        if let Ok(kept) = serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()) {
            secrets.insert(kept["client_id"].to_string(), kept["client_secret"].clone());
        }
    }
    let clients: Vec<Value> = server.clients().into_iter().filter(|client| client["client_name"] == "x").collect();
    for client in &clients {
        let secret = secrets.get(&client["client_id"].to_string());
        let secret = secret.unwrap_or_else(|| panic!("the secret of {} is nowhere", client["client_id"]));
        assert!(server.accepts(&client["client_id"], secret), "the secret of {} is wrong", client["client_id"]);
    }
    assert!(ended < KILLS, "no create was killed");
    assert!(!clients.is_empty(), "every create was killed before it was sent");
}

/// How long a create takes that is left alone.
fn once(program: &crate::support::Orysh) -> Duration {
    let began = Instant::now();
    program.run("create oauth2-client --name whole --format json").ok();
    began.elapsed()
}

fn random_fraction() -> f64 {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).unwrap();
    f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
}
