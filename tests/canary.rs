//! Credentials that are looked for in everything a session leaves, shows and tells: not one hit outside their stores.

use std::fs;
use std::process::Stdio;

use crate::support::{KeyStore, Orysh, PROGRAM, Sandbox, Stub, anywhere, eventually, files_below, holds};

const KEY: &str = "canary-of-the-key";
const STORED: &str = "canary-of-the-store";

fn set_key(program: &Orysh, profile: &str, key: &str, place: &str) {
    let mut command = program.command(PROGRAM);
    command.args(["auth", "key", "set", "--stdin", "--in", place, "--profile", profile]);
    command.stdin(Stdio::piped());
    let mut running = command.spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), key.as_bytes()).unwrap();
    assert!(running.wait().unwrap().success());
}

#[test]
fn a_key_is_nowhere_but_in_its_store() {
    let server = Sandbox::start();
    let refusing = Stub::answering(
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    );
    let store = KeyStore::start();
    let mut program = anywhere();
    let mut canaries = vec![("local", KEY)];
    if let Some(store) = &store {
        program = program.with("DBUS_SESSION_BUS_ADDRESS", &store.bus);
        canaries.push(("stored", STORED));
    }
    for (name, url) in [("local", &server.admin), ("stored", &server.admin), ("refusing", &refusing.url)] {
        program.run(&format!("profile add {name} --endpoint {url}")).ok();
    }
    set_key(&program, "local", KEY, "file");
    set_key(&program, "refusing", KEY, "file");
    if store.is_some() {
        set_key(&program, "stored", STORED, "key-store");
    }
    let mut shown = String::new();
    for (profile, _) in &canaries {
        for line in [
            "context",
            "context --explain --format json",
            "auth status --format yaml",
            "profile show PROFILE --format json",
            "profile list --format json",
            "create client --id PROFILE-a --format json",
            "update client PROFILE-a --name x",
            "list clients --format yaml",
            "list clients --timeout nonsense",
            "get client nobody --format json",
            "eval 'print(clients::list().len())'",
            "list clients --profile refusing --format json",
            "create client --profile refusing",
            "delete client PROFILE-a --yes",
        ] {
            let line = line.replace("PROFILE", profile);
            let given = if line.contains("--profile") { String::new() } else { format!("--profile {profile} ") };
            shown.push_str(&program.run(&format!("{given}{line}")).to_string());
        }
    }
    let lines = program.file("lines", "context\nlist clients\nprofile use stored\ncontext\n");
    let mut shell = program.command(PROGRAM);
    shell.stdin(fs::File::open(lines).unwrap());
    shown.push_str(&program.start(&mut shell).end().to_string());
    assert!(shown.contains("local-a"), "the commands did something\n{shown}");
    for (profile, canary) in canaries {
        assert!(!shown.contains(canary), "{profile}: shown\n{shown}");
        let mine = files_below(program.home());
        assert!(mine.len() > 3, "{mine:?}");
        for (path, bytes) in mine {
            let is_store = path.ends_with("config/credentials.toml") && canary == KEY;
            assert_eq!(holds(&bytes, canary), is_store, "{profile}: {}", path.display());
        }
        // The key store's own files are encrypted.
        for (path, bytes) in store.iter().flat_map(|store| files_below(store.home())) {
            assert!(!holds(&bytes, canary), "{profile}: {}", path.display());
        }
    }
}

#[test]
fn a_key_is_in_no_list_of_processes() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let program = anywhere();
    let port = silent.local_addr().unwrap().port();
    program.run(&format!("profile add local --endpoint http://127.0.0.1:{port}")).ok();
    set_key(&program, "local", KEY, "file");
    let mut command = program.command(PROGRAM);
    let mut running = command.args(["list", "clients"]).spawn().unwrap();
    let (mut stream, _) = silent.accept().unwrap();
    let mut head = [0; 4096];
    let read = std::io::Read::read(&mut stream, &mut head).unwrap();
    assert!(holds(&head[..read], KEY), "the key is on its way");
    for list in ["cmdline", "environ", "comm"] {
        let bytes = fs::read(format!("/proc/{}/{list}", running.id())).unwrap();
        assert!(!holds(&bytes, KEY), "{list}");
    }
    running.kill().unwrap();
    eventually("it ends", || running.try_wait().unwrap());
}
