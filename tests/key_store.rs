//! Keys of profiles in the desktop's key store, which is a real one.

use std::fs;

use serde_json::json;

use crate::support::{KeyStore, Orysh, Stub, anywhere};

const EMPTY: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";

fn with(store: &KeyStore) -> Orysh {
    anywhere().with("DBUS_SESSION_BUS_ADDRESS", &store.bus)
}

#[test]
fn a_key_is_kept_in_the_key_store_and_goes_to_its_own_address_only() {
    let Some(store) = KeyStore::start() else { return };
    let (own, other) = (Stub::noting(EMPTY), Stub::noting(EMPTY));
    let program = with(&store).input("canary-key\n");
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    program.run("auth key set --stdin").ok().tells("is kept in the key store");
    program.run("list clients").quiet();
    assert!(own.heads()[0].contains("authorization: Bearer canary-key"), "{:?}", own.heads());
    let status = program.run("auth status --format json").json();
    assert_eq!((&status["kind"], &status["file"]), (&json!("key"), &json!("the key store")));
    let config = program.home().join("config/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("credential = \"key-store\""), "{text}");
    fs::write(&config, text.replace(&own.url, &other.url)).unwrap();
    program.run("list clients").fails(4, &format!("was kept for {}", own.url)).tells("it is sent nowhere");
    assert_eq!(other.asked(), 0);
    // Kept anew, the one for the old address is gone.
    program.run("auth key set --stdin").ok();
    program.run("list clients").quiet();
    assert!(other.heads()[0].contains("canary-key"));
    fs::write(&config, text).unwrap();
    program.run("list clients").fails(4, &format!("was kept for {}", other.url));
    program.run("auth key remove").ok().tells("is forgotten");
    program.run("list clients").fails(4, "no key is kept for profile own in the key store");
}

#[test]
fn a_key_is_in_one_place_only() {
    let Some(store) = KeyStore::start() else { return };
    let own = Stub::noting(EMPTY);
    let program = with(&store).input("one\n");
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    program.run("auth key set --stdin").ok();
    program.run("auth key set --stdin --in file").ok().tells("credentials.toml");
    program.run("list clients").quiet();
    let config = program.home().join("config/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"file\"", "\"key-store\"")).unwrap();
    program.run("list clients").fails(4, "no key is kept for profile own in the key store");
    fs::write(&config, text).unwrap();
    program.run("auth key set --stdin --in key-store").ok();
    assert!(!fs::read_to_string(program.home().join("config/credentials.toml")).unwrap().contains("one"));
    program.run("profile remove own --yes").ok().tells("and the key that was kept for it");
    program.run(&format!("profile add own --endpoint {} --credential key-store", own.url)).ok();
    program.run("list clients").fails(4, "no key is kept");
}

#[test]
fn without_a_key_store_nothing_is_kept_and_the_file_is_offered() {
    let own = Stub::noting(EMPTY);
    let program = anywhere().with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").input("canary\n");
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    program.run("auth key set --stdin").fails(4, "there is no key store here").tells("--in file");
    assert!(!program.home().join("config/credentials.toml").exists());
    program.run("auth key set --stdin --in drawer").fails(2, "drawer");
    program.run("auth key set --stdin --in file").ok();
    // Where the key store is what was chosen, the file is not looked into.
    let config = program.home().join("config/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"file\"", "\"key-store\"")).unwrap();
    program.run("list clients").fails(4, "there is no key store here");
    assert_eq!(own.asked(), 0);
}

#[test]
fn the_key_of_a_run_can_be_in_the_key_store() {
    let Some(store) = KeyStore::start() else { return };
    let server = crate::support::Sandbox::with("--hash-iterations 1");
    let program = with(&store).with("ORY_SDK_URL", &server.admin).with("HYDRA_PUBLIC_URL", &server.public);
    program.file("s.csv", "client_id\na\nb\n");
    program.run("batch create s.csv --key-store").ok();
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    assert!(!program.home().join("state/batch").join(&run).join("key").exists());
    let told = program.run(&format!("batch results {run} --secrets plain --format jsonl")).ok().stdout;
    for line in told.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(server.accepts(&row["client_id"], &row["client_secret"]), "{row}");
    }
    program.run(&format!("batch forget {run} --yes")).ok();
    let without = anywhere().with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").with("ORY_SDK_URL", &server.admin);
    without.file("s.csv", "client_id\nc\n");
    without.run("batch create s.csv --key-store").fails(4, "there is no key store here");
    assert_eq!(server.clients().len(), 2);
}

#[test]
fn in_the_shell_a_new_key_counts_at_once() {
    let Some(store) = KeyStore::start() else { return };
    let own = Stub::noting(EMPTY);
    let program = with(&store);
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    fs::write(program.home().join("one"), "first").unwrap();
    let set = |key: &str| {
        let mut command = program.command(crate::support::PROGRAM);
        command.args(["auth", "key", "set", "--stdin"]).stdin(fs::File::open(program.file(key, key)).unwrap());
        program.start(&mut command).end().ok();
    };
    set("first");
    program.sh("printf 'list clients\\nauth key remove\\nlist clients\\n' | orysh").tells("no key is kept");
    assert_eq!(own.asked(), 1);
}
