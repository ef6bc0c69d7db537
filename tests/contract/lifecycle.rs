//! Starting and stopping, the file that two sandboxes may share, and what they begin with.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use orysh::error::Kind;
use orysh::sandbox::{Location, Options, Seed, start};
use serde_json::json;

use super::Sandbox;
use super::wire::{send, send_json};

#[test]
fn two_sandboxes_on_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { store: Location::File(folder.path().join("s.db")), ..Options::default() };
    let sandboxes = [Sandbox::with(options.clone()), Sandbox::with(options.clone())];
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let admin = &sandboxes[worker % 2].admin;
            scope.spawn(move || {
                for number in 0..25 {
                    let body = json!({"client_id": format!("{worker}-{number}")});
                    assert_eq!(send_json(admin, "POST", "/admin/clients", &body).status, 201);
                }
            });
        }
    });
    let page = send(&sandboxes[0].admin, "GET", "/admin/clients?page_size=99", &[], "");
    assert_eq!(page.json().as_array().unwrap().len(), 99);
    // A page token of one is good at the other.
    let link = page.header("Link").unwrap().rsplit('<').next().unwrap().split('>').next().unwrap().to_owned();
    assert_eq!(send(&sandboxes[1].admin, "GET", &link, &[], "").json().as_array().unwrap().len(), 1);
    drop(sandboxes);
    let again = Sandbox::with(options);
    assert_eq!(send(&again.admin, "GET", "/admin/clients/3-24", &[], "").status, 200);
}

#[test]
fn the_seed_is_added_once() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.json");
    std::fs::write(&seed, r#"[{"client_id": "a", "client_secret": "secret-a", "client_name": "one"}]"#).unwrap();
    let options = Options {
        store: Location::File(folder.path().join("s.db")),
        seed: Some(Seed::File(seed.clone())),
        ..Options::default()
    };
    let first = Sandbox::with(options.clone());
    send_json(&first.admin, "PUT", "/admin/clients/a", &json!({"client_name": "two"}));
    first.stop();
    assert_eq!(send(&Sandbox::with(options).admin, "GET", "/admin/clients/a", &[], "").json()["client_name"], "two");
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let seed = |value| Options { seed: Some(Seed::Documents(vec![value])), ..Options::default() };
    for (options, message) in [
        (Options { admin: "0.0.0.0:0".parse().unwrap(), ..Options::default() }, "loopback only"),
        (seed(json!({})), "client 1 of the seed: it has no client_id"),
        (seed(json!({"client_id": "a", "client_secret": "x"})), "at least 6 characters"),
    ] {
        let error = start(options).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn an_idle_connection_does_not_hold_up_a_stop() {
    let sandbox = Sandbox::start();
    let mut stream = TcpStream::connect(sandbox.admin.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer).unwrap();
    assert!(String::from_utf8_lossy(&buffer[..read]).to_lowercase().contains("\r\ndate: "));
    let started = Instant::now();
    sandbox.stop();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(stream.read(&mut buffer).unwrap(), 0);
}

/// A client may live on the same thread: nothing in the server may block it.
#[tokio::test(flavor = "current_thread")]
async fn a_client_on_the_same_runtime_is_answered() {
    let running = start(Options::default()).await.unwrap();
    let (url, admin) = (running.admin_url(), running.admin);
    assert_eq!(url, format!("http://{admin}"));
    let answer = tokio::task::spawn_blocking(move || send_json(&url, "POST", "/admin/clients", &json!({}))).await;
    assert_eq!(answer.unwrap().status, 201);
    running.stop().await;
    assert!(TcpStream::connect(admin).is_err());
}
