//! Ory Network's projects, proxies, and which credential goes where.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{Orysh, anywhere};

/// A forward proxy that answers in the place of the console and of every project.
struct Network {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Network {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let record = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let line = head.lines().next().unwrap_or_default().to_owned();
                let credential = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("nobody");
                record.lock().unwrap().push(format!("{} as {credential}", line.trim_end_matches(" HTTP/1.1")));
                let body = answer(&line);
                let length = body.len();
                let reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                stream.write_all(reply.as_bytes()).unwrap();
            }
        });
        Network { url, seen }
    }

    fn orysh(&self) -> Orysh {
        anywhere()
            .with("HTTP_PROXY", &self.url)
            .with("ORY_CONSOLE_URL", "http://console.test")
            .with("ORY_ORYAPIS_URL", "http://oryapis.test")
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn answer(line: &str) -> &'static str {
    const TABLE: &[(&str, &str)] = &[
        ("/tokens", r#"{"id":"k1","value":"minted"}"#),
        ("/workspaces/w2/projects", r#"{"projects":[{"id":"p2","slug":"happy-hill"}],"has_next_page":false}"#),
        ("/workspaces?page_token=two", r#"{"workspaces":[{"id":"w2","name":"acme"}],"has_next_page":false}"#),
        ("/workspaces", r#"{"workspaces":[{"id":"w1","name":"zeta"}],"has_next_page":true,"next_page_token":"two"}"#),
        (
            "api.console.test/projects",
            r#"[{"id":"p1","slug":"happy"},{"id":"p2","slug":"happy-hill"},{"id":"p3","slug":"sad"}]"#,
        ),
        ("/admin/clients", "[]"),
    ];
    TABLE.iter().find(|(path, _)| line.contains(path)).map_or("{}", |(_, body)| body)
}

const SIGNED_IN: &str = r#"{"version":"v1","access_token":{"access_token":"token-of-file","expiry":"2999-01-01T00:00:00Z"},"selected_project":"p1","selected_workspace":"00000000-0000-0000-0000-000000000000"}"#;

/// A line, the variables it sees, the requests it makes.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn a_project_is_found_and_each_credential_goes_to_its_own_hosts() {
    let network = Network::start();
    let table: [Case; 5] = [
        (
            "list clients -c ory.json",
            &[],
            &[
                "GET http://api.console.test/projects as Bearer token-of-file",
                "GET http://happy.projects.oryapis.test/admin/clients as Bearer token-of-file",
            ],
        ),
        (
            "list clients --config ory.json --project happy",
            &[],
            &[
                "GET http://api.console.test/projects as Bearer token-of-file",
                "GET http://happy.projects.oryapis.test/admin/clients as Bearer token-of-file",
            ],
        ),
        (
            "list clients --project sa",
            &[("ORY_WORKSPACE_API_KEY", "workspace-key")],
            &[
                "GET http://api.console.test/projects as Bearer workspace-key",
                "POST http://api.console.test/projects/p3/tokens as Bearer workspace-key",
                "GET http://sad.projects.oryapis.test/admin/clients as Bearer minted",
                "DELETE http://api.console.test/projects/p3/tokens/k1 as Bearer workspace-key",
            ],
        ),
        (
            "list clients --workspace ac",
            &[("ORY_WORKSPACE_API_KEY", "workspace-key")],
            &[
                "GET http://api.console.test/workspaces as Bearer workspace-key",
                "GET http://api.console.test/workspaces?page_token=two as Bearer workspace-key",
                "GET http://api.console.test/workspaces/w2/projects as Bearer workspace-key",
                "POST http://api.console.test/projects/p2/tokens as Bearer workspace-key",
                "GET http://happy-hill.projects.oryapis.test/admin/clients as Bearer minted",
                "DELETE http://api.console.test/projects/p2/tokens/k1 as Bearer workspace-key",
            ],
        ),
        (
            "list clients",
            &[("ORY_WORKSPACE_API_KEY", "workspace-key"), ("ORY_PROJECT", "p3")],
            &[
                "GET http://api.console.test/projects as Bearer workspace-key",
                "POST http://api.console.test/projects/p3/tokens as Bearer workspace-key",
                "GET http://sad.projects.oryapis.test/admin/clients as Bearer minted",
                "DELETE http://api.console.test/projects/p3/tokens/k1 as Bearer workspace-key",
            ],
        ),
    ];
    for (line, variables, expected) in table {
        let program = variables.iter().fold(network.orysh(), |program, (name, value)| program.with(name, value));
        program.file("ory.json", SIGNED_IN);
        program.run(line).ok();
        assert_eq!(network.seen(), expected, "{line}");
    }
}

#[test]
fn a_key_never_goes_to_another_server() {
    let network = Network::start();
    let program =
        network.orysh().with("ORY_PROJECT_API_KEY", "project-key").with("ORY_WORKSPACE_API_KEY", "workspace-key");
    program.run("list clients --endpoint http://hydra.test").ok();
    assert_eq!(network.seen(), ["GET http://hydra.test/admin/clients as nobody"]);
    let program = network.orysh().with("ORY_PROJECT_API_KEY", "project-key").with("ORY_SDK_URL", "http://hydra.test");
    program.run("list clients").fails(2, "two targets");
    assert_eq!(network.seen(), [""; 0]);
    let sdk = "http://happy.projects.oryapis.test";
    let program = network.orysh().with("ORY_PROJECT_API_KEY", "project-key").with("ORY_SDK_URL", sdk);
    program.run("list clients").ok();
    assert_eq!(network.seen(), ["GET http://happy.projects.oryapis.test/admin/clients as Bearer project-key"]);
}

#[test]
fn what_names_two_targets_or_none_is_refused_and_nothing_is_sent() {
    let network = Network::start();
    let program = network.orysh();
    program.file("ory.json", SIGNED_IN);
    program.file("old.json", &SIGNED_IN.replace("2999", "2001"));
    program.file("broken.json", "{\"access_token\": \"token-of-file");
    for (line, code, told) in [
        ("list clients --endpoint http://hydra.test --project happy", 2, "two targets"),
        ("list clients --sandbox --config ory.json", 2, "two targets"),
        ("list clients --config old.json", 4, "has expired"),
        ("list clients --config broken.json", 2, "line 1"),
        ("list clients --config absent.json", 2, "cannot read"),
    ] {
        let ran = program.run(line).fails(code, told);
        assert!(!ran.stderr.contains("token-of-file"), "{ran}");
    }
    assert_eq!(network.seen(), [""; 0]);
    let ran = program.run("list clients --config ory.json --project hap").fails(2, "2 projects");
    assert!(ran.stderr.contains("happy-hill (p2)"), "{ran}");
    program.run("list clients --config ory.json --project sda").fails(2, "no project `sda`").tells("`sad`");
}

#[test]
fn a_proxy_is_used_for_others_and_never_for_this_machine() {
    let network = Network::start();
    let elsewhere = Network::start();
    network.orysh().run("list clients --endpoint http://hydra.test").ok();
    assert_eq!(network.seen().len(), 1);
    network.orysh().run("list clients --endpoint http://127.0.0.1:9").fails(1, "cannot connect");
    network
        .orysh()
        .with("NO_PROXY", "hydra.test")
        .run("list clients --endpoint http://hydra.test")
        .fails(1, "cannot connect");
    assert_eq!(network.seen(), [""; 0]);
    network.orysh().run(&format!("list clients --endpoint http://hydra.test --proxy {}", elsewhere.url)).ok();
    assert_eq!((network.seen().len(), elsewhere.seen().len()), (0, 1));
}
