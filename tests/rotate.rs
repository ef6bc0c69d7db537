//! Rotating secrets: the old one still counts, and a lost reply loses none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Gpg, Orysh, Sandbox, orysh};

fn ready(flags: &str) -> (Sandbox, Orysh) {
    let client = |method: &str| json!({"client_id": method, "client_secret": "old-secret", "token_endpoint_auth_method": method});
    let clients = ["client_secret_basic", "none", "private_key_jwt"].map(client);
    let with_keys: Vec<Value> = clients
        .into_iter()
        .map(|mut client| {
            if client["client_id"] == "private_key_jwt" {
                client["jwks_uri"] = json!("https://app.example.org/jwks");
            }
            client
        })
        .collect();
    let server = Sandbox::holding(&with_keys, flags);
    let program = orysh(&server);
    (server, program)
}

const ROTATE: &str = "rotate secret client_secret_basic --format json";

fn accepts(server: &Sandbox, secret: &Value) -> bool {
    server.accepts(&json!("client_secret_basic"), secret)
}

#[test]
fn the_old_secret_counts_until_it_is_dropped() {
    let (server, program) = ready("");
    let made = program.run(ROTATE).tells("the old secret still counts").json();
    assert!(accepts(&server, &made["client_secret"]) && accepts(&server, &json!("old-secret")));
    assert_eq!(program.pending().len(), 0);
    program.run("rotate secret client_secret_basic --drop-old").ok();
    assert!(accepts(&server, &made["client_secret"]) && !accepts(&server, &json!("old-secret")));
}

#[test]
fn only_clients_with_a_secret_are_rotated() {
    let (_server, program) = ready("");
    for id in ["none", "private_key_jwt"] {
        program.run(&format!("rotate secret {id}")).fails(2, "no secret to rotate");
    }
    program.run("rotate secret nobody").fails(1, "Unable to locate");
    let shown = program.run(&format!("{ROTATE} --dry-run")).json();
    assert!(shown["url"].as_str().unwrap().ends_with("/secrets/rotate"));
}

#[test]
fn a_lost_reply_is_settled_by_the_time_of_the_last_change() {
    let (server, program) = ready("--fail lost-rotate:1");
    // It waits until nothing can be on its way any more.
    let rotate = format!("{ROTATE} --timeout 1s");
    let made = program.run(&rotate).tells("nobody has: rotating once more").json();
    assert!(accepts(&server, &made["client_secret"]) && accepts(&server, &json!("old-secret")));
    let (server, program) = ready("--fail drop-before:1");
    let made = program.run(&rotate).tells("is as it was: rotating again").json();
    assert!(accepts(&server, &made["client_secret"]));
    let (server, program) = ready("--fail lost-rotate:2");
    program.run(&rotate).fails(1, "not known whether");
    assert!(accepts(&server, &json!("old-secret")));
}

#[test]
fn a_secret_that_is_not_shown_is_kept() {
    let (server, program) = ready("");
    program.run("rotate secret client_secret_basic -q").ok().tells("is kept in");
    assert!(accepts(&server, &program.only_pending()["client_secret"]));
}

#[test]
fn a_cut_over_ends_the_old_secret() {
    let (server, program) = ready("");
    let shown = program.run(&format!("{ROTATE} --cut-over --dry-run")).json();
    assert_eq!(shown["body"][0]["value"], "[REDACTED]");
    let made = program.run(&format!("{ROTATE} --cut-over")).json();
    assert!(accepts(&server, &made["client_secret"]) && !accepts(&server, &json!("old-secret")));
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn the_new_secret_is_for_its_owner() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.armored(&gpg.key("owner", "ed25519", "cv25519"));
    for flags in ["", "--cut-over"] {
        let (server, program) = ready("");
        program.file("key.asc", &key);
        let made = program.run(&format!("{ROTATE} --pgp-key @key.asc {flags}")).json();
        let secret = gpg.decrypt(&STANDARD.decode(made["client_secret"].as_str().unwrap()).unwrap());
        assert!(accepts(&server, &secret.into()), "{flags}");
    }
}
