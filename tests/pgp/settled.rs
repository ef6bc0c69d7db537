//! Recipients and everything else that a create can meet: lost replies, dry runs, files, scripts.

use std::fs;

use serde_json::Value;

use super::{assert_opens, create, message};
use crate::support::{Gpg, Orysh, Sandbox, orysh};

fn ready(flags: &str) -> Option<(Gpg, Sandbox, Orysh)> {
    let gpg = Gpg::new()?;
    let key = gpg.key("owner", "ed25519", "cv25519");
    let server = Sandbox::with(flags);
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    Some((gpg, server, program))
}

#[test]
fn a_lost_reply_is_settled_with_the_secret_in_clear() {
    let Some((gpg, server, program)) = ready("--fail lose-reply:1") else { return };
    assert_opens(&gpg, &server, &create(&program, "--pgp-key @key.asc"));
    assert_eq!((server.clients().len(), program.pending().len()), (1, 0));
    let Some((gpg, server, program)) = ready("--fail lose-reply:1") else { return };
    let flags = format!("--pgp-key @key.asc --id given --public-endpoint {}", server.public);
    assert_opens(&gpg, &server, &create(&program, &flags));
    assert_eq!((server.clients().len(), program.pending().len()), (1, 0));
}

#[test]
fn what_is_kept_is_the_ciphertext() {
    let Some((gpg, server, program)) = ready("--fail lose-reply:1") else { return };
    program.run("create client --id given --pgp-key @key.asc").fails(1, "could not be proved");
    let kept = program.only_pending();
    assert_eq!(kept["encrypted_for"], serde_json::json!([gpg.fingerprints("owner")[0]]));
    assert_opens(&gpg, &server, &kept);
}

#[test]
fn a_given_secret_and_a_file_for_it_are_encrypted_as_well() {
    let Some((gpg, server, program)) = ready("") else { return };
    program.file("secret", "a-given-secret\n");
    let made = create(&program, "--pgp-key @key.asc --secret-file secret --secret-out out");
    assert_eq!(gpg.decrypt(&message(&made)), "a-given-secret");
    assert!(server.accepts(&made["client_id"], &"a-given-secret".into()));
    assert_eq!(fs::read_to_string(program.home().join("out")).unwrap(), made["client_secret"].as_str().unwrap());
}

#[test]
fn a_dry_run_checks_the_key_and_sends_nothing() {
    let Some((_, server, program)) = ready("") else { return };
    let shown = program.run("create client --pgp-key @key.asc --dry-run --format json").tells("encrypted for key");
    assert_eq!(shown.json()["body"]["client_secret"], "[REDACTED]");
    program.run("create client --pgp-key AAAA --dry-run").fails(2, "no OpenPGP key");
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn scripts_name_recipients_as_flags_do() {
    let Some((gpg, server, program)) = ready("") else { return };
    let script = "clients::create(#{client_name: \"s\"}, #{pgp_key: [\"@key.asc\"]})";
    let made: Value = program.args(&["eval", script, "--format", "json"]).tells("encrypted for key").json();
    assert_opens(&gpg, &server, &made);
    assert_eq!(program.pending().len(), 0);
    program.args(&["eval", "clients::create(#{}, #{pgpkey: \"x\"})"]).fails(1, "pgp_key");
    program.args(&["eval", "clients::create(#{}, #{pgp_key: 1})"]).fails(1, "wants text");
    assert_eq!(server.clients().len(), 1);
}
