//! Which key a secret is encrypted to: the same that gpg chooses, told, and pinned where that is asked for.

use super::{assert_opens, create, message};
use crate::support::{Gpg, Sandbox, orysh};

/// gpg encrypts to the same subkey, which is this one.
fn assert_same_as_gpg(gpg: &Gpg, key: &str, subkey: &str, made: &serde_json::Value) {
    let ours = gpg.recipients(&message(made));
    let theirs = gpg.recipients(&gpg.feed(&["--recipient", key, "--encrypt"], b"x"));
    assert_eq!(ours, theirs);
    assert!(subkey.ends_with(&ours[0]), "{subkey} is not {ours:?}");
}

#[test]
fn of_several_subkeys_the_newest_that_lives() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.bare_key("owner", "ed25519", "cert,sign", "never");
    let server = Sandbox::start();
    let program = orysh(&server);
    let key_file = || program.file("key.asc", &gpg.armored(&key));
    let first = gpg.subkey(&key, "rsa2048", &[]);
    key_file();
    assert_same_as_gpg(&gpg, &key, &first, &create(&program, "--pgp-key @key.asc"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let second = gpg.subkey(&key, "cv25519", &[]);
    key_file();
    assert_same_as_gpg(&gpg, &key, &second, &create(&program, "--pgp-key @key.asc"));
    // One from the future is newer, and does not count yet.
    gpg.subkey(&key, "nistp256", &["--faked-system-time", "20900101T000000"]);
    key_file();
    assert_same_as_gpg(&gpg, &key, &second, &create(&program, "--pgp-key @key.asc"));
    gpg.edit(&key, "key 2\nrevkey\ny\n1\n\ny\nsave\n");
    key_file();
    let made = create(&program, "--pgp-key @key.asc");
    assert_same_as_gpg(&gpg, &key, &first, &made);
    assert_opens(&gpg, &server, &made);
    let shown = program.run("inspect key @key.asc").ok();
    assert!(shown.stdout.contains("it was revoked on") && shown.stdout.contains("compromised"), "{shown}");
    assert!(shown.stdout.contains("from the future"), "{shown}");
}

#[test]
fn of_subkeys_made_in_the_same_second_the_same_as_gpg() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.made_at("20260101T000000!", "owner");
    for _ in 0..3 {
        gpg.subkey(&key, "cv25519", &["--faked-system-time", "20260101T000000!"]);
    }
    let first = gpg.fingerprints(&key)[1].clone();
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    assert_same_as_gpg(&gpg, &key, &first, &create(&program, "--pgp-key @key.asc"));
}

#[test]
fn an_expired_subkey_is_passed_over() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key_of("20200101T000000", "owner", "never");
    let old = gpg.fingerprints(&key)[1].clone();
    let past = ["--faked-system-time", "20210101T000000"];
    gpg.run(&[&past[..], &["--quick-add-key", &key, "cv25519", "encr", "2021-06-01"]].concat());
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    let made = create(&program, "--pgp-key @key.asc");
    assert_same_as_gpg(&gpg, &key, &old, &made);
    let shown = program.run("inspect key @key.asc").ok();
    assert!(shown.stdout.contains("it expired on 2021-06-01"), "{shown}");
}

#[test]
fn a_prolonged_key_lives_again() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key_of("20200101T000000", "owner", "2020-06-01");
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    program.run("create client --pgp-key @key.asc").fails(2, "it expired on 2020-06-01");
    gpg.run(&["--quick-set-expire", &key, "10y"]);
    program.file("key.asc", &gpg.armored(&key));
    assert_opens(&gpg, &server, &create(&program, "--pgp-key @key.asc"));
}

#[test]
fn signatures_of_others_and_revoked_user_ids_do_no_harm() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("owner", "ed25519", "cv25519");
    for (name, algorithm) in [("friend", "rsa2048"), ("other", "nistp384")] {
        let friend = gpg.bare_key(name, algorithm, "cert,sign", "never");
        gpg.run(&["--local-user", &friend, "--quick-sign-key", &key]);
    }
    gpg.run(&["--quick-add-uid", &key, "Former <former@example.org>"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    gpg.run(&["--quick-revoke-uid", &key, "Former <former@example.org>"]);
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    let ran = program.run("create client --pgp-key @key.asc --format json").tells("owner <owner@example.org>");
    assert!(!ran.stderr.contains("Former"), "{ran}");
    assert_opens(&gpg, &server, &ran.json());
}

#[test]
fn the_key_is_told_and_can_be_pinned() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key_of("20260101T000000", "owner", "2090-01-01");
    let subkey = gpg.fingerprints(&key)[1].clone();
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    let create = "create client --pgp-key @key.asc --format json";
    let ran = program.run(create).ok();
    for told in [key.as_str(), &subkey, "owner <owner@example.org>", "expires on 2090-01-01"] {
        assert!(ran.stderr.contains(told), "{told}: {ran}");
    }
    program.run(&format!("{create} --pgp-fingerprint {key}")).ok();
    program.run(&format!("{create} --pgp-fingerprint {}", subkey.to_lowercase())).ok();
    let made = server.clients().len();
    let wrong = key.replace(|c: char| c.is_ascii_digit(), "0");
    program.run(&format!("{create} --pgp-fingerprint {wrong}")).fails(2, &wrong).tells(&key);
    program.run(&format!("{create} --pgp-fingerprint {key} --pgp-fingerprint {wrong}")).fails(2, &wrong);
    program.run(&format!("{create} --pgp-fingerprint {}", &key[24..])).fails(2, "key id");
    program.run(&format!("create client --pgp-fingerprint {key}")).fails(2, "none is given");
    assert_eq!(server.clients().len(), made, "something was sent");
}

#[test]
fn one_message_is_for_all_recipients() {
    let (Some(alice), Some(bob)) = (Gpg::new(), Gpg::new()) else { return };
    let keys = [alice.key("alice", "ed25519", "cv25519"), bob.key("bob", "rsa2048", "rsa2048")];
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("alice.asc", &alice.armored(&keys[0]));
    program.file("bob.asc", &bob.armored(&keys[1]));
    let flags = "--pgp-key @alice.asc --pgp-key @bob.asc --pgp-key @alice.asc";
    let pins = format!("--pgp-fingerprint {} --pgp-fingerprint {}", keys[0], keys[1]);
    let made = create(&program, &format!("{flags} {pins}"));
    assert_eq!(alice.recipients(&message(&made)).len(), 2);
    assert_opens(&alice, &server, &made);
    assert_opens(&bob, &server, &made);
}
