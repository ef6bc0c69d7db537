//! The rule of the target, as a table: every pair of layers, with a credential in each. None reaches another's origin.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::{Orysh, PROGRAM, Ran, Stub, anywhere};

/// One way to name a target in a layer: its credential is `canary-NAME`.
struct Way {
    name: &'static str,
    /// The higher, the smaller.
    layer: u8,
    /// Where its credential may go.
    origins: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    flags: &'static str,
    set_up: fn(&Orysh),
}

const NETWORK: &[&str] = &["api.console.test", "happy-hill.projects.oryapis.test"];
const PROJECT: &str = "http://happy-hill.projects.oryapis.test";

const fn way(name: &'static str, layer: u8, origins: &'static [&'static str]) -> Way {
    Way { name, layer, origins, variables: &[], flags: "", set_up: |_| () }
}

const WAYS: &[Way] = &[
    Way { flags: "-e http://flags.test -H 'Authorization: Bearer canary-flags'", ..way("flags", 0, &["flags.test"]) },
    Way {
        flags: "--profile flagged",
        variables: &[("KEY_OF_FLAGGED", "canary-flagged")],
        set_up: |program| add(program, "flagged", "--endpoint http://flagged.test --credential env:KEY_OF_FLAGGED"),
        ..way("flagged", 0, &["flagged.test"])
    },
    Way {
        flags: "--config other.json",
        set_up: |program| sign_in(program, "other.json"),
        ..way("other.json", 0, NETWORK)
    },
    Way { set_up: |program| keep(program, "shelled"), ..way("shelled", 1, &["shelled.test"]) },
    Way {
        variables: &[("ORY_SDK_URL", PROJECT), ("ORY_PROJECT_API_KEY", "canary-address")],
        ..way("address", 2, &["happy-hill.projects.oryapis.test"])
    },
    Way { variables: &[("ORY_PROJECT_API_KEY", "canary-key")], ..way("key", 2, NETWORK) },
    Way {
        variables: &[("ORY_WORKSPACE_API_KEY", "canary-workspace"), ("ORY_PROJECT", "happy-hill")],
        ..way("workspace", 2, &["api.console.test"])
    },
    Way {
        variables: &[("ORYSH_PROFILE", "variable"), ("KEY_OF_VARIABLE", "canary-variable")],
        set_up: |program| add(program, "variable", "--endpoint http://variable.test --credential env:KEY_OF_VARIABLE"),
        ..way("variable", 2, &["variable.test"])
    },
    Way {
        set_up: |program| {
            keep(program, "current");
            program.run("profile use current").ok();
        },
        ..way("current", 3, &["current.test"])
    },
    Way {
        variables: &[("KEY_OF_PROJECT", "canary-project")],
        set_up: |program| {
            let target = "--console-url http://console.test --apis-url http://oryapis.test --project happy-hill";
            add(program, "project", &format!("{target} --credential env:KEY_OF_PROJECT"));
            program.run("profile use project").ok();
        },
        ..way("project", 3, NETWORK)
    },
    Way { set_up: |program| sign_in(program, ".ory-cloud.json"), ..way(".ory-cloud.json", 4, NETWORK) },
];

fn add(program: &Orysh, name: &str, rest: &str) {
    program.run(&format!("profile add {name} {rest}")).ok();
    program.run("profile use --none").ok();
}

fn keep(program: &Orysh, name: &str) {
    add(program, name, &format!("--endpoint http://{name}.test --credential file"));
    let mut command = program.command(PROGRAM);
    let key = program.file(&format!("{name}.key"), &format!("canary-{name}"));
    command.args(["auth", "key", "set", "--stdin", "--profile", name]).stdin(fs::File::open(key).unwrap());
    program.start(&mut command).end().ok();
}

fn sign_in(program: &Orysh, file: &str) {
    let token = json!({"access_token": format!("canary-{file}"), "expiry": "2999-01-01T00:00:00Z"});
    let text =
        json!({"version": "v1", "access_token": token, "selected_project": "7d3a52c0-0001-4f0b-8e55-000000000001"});
    let path = program.file(file, &text.to_string());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A proxy that is every host at once, and says to all that there is one project.
fn everywhere() -> Stub {
    let project = json!({
        "id": "7d3a52c0-0001-4f0b-8e55-000000000001", "slug": "happy-hill", "name": "happy-hill", "state": "running",
        "client_id": "a",
    });
    // What answers a project's id, a list of projects and a list of clients alike is a list for the latter two.
    let list = json!([project]).to_string();
    let answer = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    Stub::pages(&[("/projects/7d3a52c0", &answer(&project.to_string())), ("", &answer(&list))])
}

fn list(program: &Orysh, higher: &Way) -> Ran {
    if higher.layer != 1 {
        return program.run(&format!("list clients {}", higher.flags));
    }
    let mut command = program.command(PROGRAM);
    let script = program.file("lines", &format!("profile use {}\nlist clients\n", higher.name));
    command.stdin(fs::File::open(script).unwrap());
    program.start(&mut command).end()
}

#[test]
fn no_credential_of_a_layer_reaches_the_origin_of_another() {
    let mut pairs = 0;
    for (at, higher) in WAYS.iter().enumerate() {
        for lower in WAYS[at + 1..].iter().filter(|lower| lower.layer > higher.layer) {
            let servers = everywhere();
            let mut program = anywhere().with("HTTP_PROXY", &servers.url);
            program =
                program.with("ORY_CONSOLE_URL", "http://console.test").with("ORY_ORYAPIS_URL", "http://oryapis.test");
            (lower.set_up)(&program);
            (higher.set_up)(&program);
            for (name, value) in higher.variables.iter().chain(lower.variables) {
                program = program.with(name, value);
            }
            let ran = list(&program, higher);
            let pair = format!("{} over {}", higher.name, lower.name);
            let heads = servers.heads();
            let canary = format!("Bearer canary-{}\r\n", higher.name);
            assert!(heads.iter().any(|head| head.contains(&canary)), "{pair}: never sent\n{heads:?}\n{ran}");
            for head in &heads {
                let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
                assert!(higher.origins.contains(&host), "{pair}: {host} was asked");
                assert!(!head.contains("canary") || head.contains(&canary), "{pair}: {head}");
            }
            assert!(!format!("{ran}").contains("canary"), "{pair}: {ran}");
            pairs += 1;
        }
    }
    let layers: BTreeSet<u8> = WAYS.iter().map(|way| way.layer).collect();
    assert_eq!((pairs, layers.len()), (24 + 7 + 12 + 2, 5), "every pair of layers");
}
