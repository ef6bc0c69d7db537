//! The reference is made from the commands, and every example in it runs.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Gpg, KeyStore, Orysh, Sandbox, anywhere, orysh};

fn page() -> String {
    anywhere().run("help reference").quiet().stdout
}

#[test]
fn the_page_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "docs/reference.md is old: `orysh help reference > docs/reference.md` makes it");
}

/// The commands and their example lines, which may go on after a backslash.
fn examples(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut in_examples = false;
    for line in page.lines() {
        if let Some(command) = line.strip_prefix("## orysh ") {
            found.push((command.to_owned(), Vec::new()));
        }
        in_examples = line == "Examples:" || in_examples && line.starts_with("  ");
        if let (true, Some(example), Some((_, examples))) = (in_examples, line.strip_prefix("  "), found.last_mut()) {
            examples.push(example.to_owned());
        }
    }
    found
}

/// What needs what no test has: another person's server, or no end.
fn is_elsewhere(example: &str) -> bool {
    let elsewhere = [
        "sandbox serve",
        "--keybase",
        "other.example.org",
        "git.example.org",
        "orysh run",
        // On Ory Network, by somebody who has signed in: tests/auth.rs has them.
        "auth login",
        "workspace",
        "list projects",
        "get project",
        "use project",
        "project-key",
        // Runs have names of their own: tests/batch.rs has them.
        "7f3a",
        "batch resume",
    ];
    elsewhere.iter().any(|part| example.contains(part))
}

/// A folder and a server in which every example finds what it names.
fn ready(gpg: &Gpg, store: &KeyStore) -> (Sandbox, Orysh) {
    let client = |id: &str| {
        json!({"client_id": id, "client_secret": "a-secret", "grant_types": ["client_credentials"], "scope": "read",
            "metadata": {"tier": "silver"}, "redirect_uris": ["https://app.example.org/cb0"], "owner": "team@example.org"})
    };
    let server = Sandbox::holding(&[client("app-1"), client("app-2"), client("job")], "");
    let program = orysh(&server)
        .with("HYDRA_PUBLIC_URL", &server.public)
        .with("DBUS_SESSION_BUS_ADDRESS", &store.bus)
        .with("GNUPGHOME", gpg.home().to_str().unwrap())
        .input("a-secret");
    let token =
        program.run("perform client-credentials --client-id job --client-secret-file /dev/stdin --scope read -q");
    let files = [
        ("token.txt", token.ok().stdout),
        ("job.secret", "a-secret".into()),
        ("local.key", "a-key".into()),
        ("client.yaml", "client_name: from a file\n".into()),
        ("changes.yaml", "client_name: changed\n".into()),
        ("changes.csv", "client_id,client_name\napp-1,changed\n".into()),
        ("changes.json", "{\"owner\": \"other\"}".into()),
        ("clients.yaml", "client_id: web\nclient_name: Web\n".into()),
        ("staging.yaml", "client_id: web\nclient_name: Staging\n".into()),
        ("clients.json", "[{\"client_id\": \"from-json\"}]".into()),
        ("fleet.rhai", "for c in clients::list(#{owner: \"a\"}) { print(c.client_id) }\nfn test_it() { assert(clients::create(#{}).owner == \"\") }\n".into()),
        ("services.csv", "client_id,owner\nfrom-csv,me\n".into()),
        ("alice.asc", gpg.armored("alice@example.org")),
    ];
    for (name, content) in files {
        program.file(name, &content);
    }
    let target = ["profile add local --endpoint", &server.admin, "--credential env:LOCAL_KEY"].join(" ");
    program.run(&target).ok();
    program.file("orysh.toml", "[profile.team]\nendpoint = \"http://127.0.0.1:1\"\n");
    program.executable("hand-over", "#!/bin/sh\nexec grep -q client_secret\n");
    // It was not handed over: its secret is kept.
    program.run("rotate secret app-1 --deliver false").tells("was not delivered");
    fs::create_dir(program.home().join("clients")).unwrap();
    program.file("clients/a.yaml", "client_id: a\n");
    (server, program)
}

/// The plugin that an example names, installed or listed by the repository; what a person is asked is said by its hash.
fn with_plugin(program: &Orysh, example: &str) -> String {
    if !example.contains("plugin ") {
        return example.to_owned();
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/naming");
    for file in ["plugin.toml", "main.rhai"] {
        let text = fs::read_to_string(source.join(file)).unwrap();
        program.file(&format!("naming/{file}"), &text);
        program.file(&format!("plugins/naming/{file}"), &text);
    }
    let hash = program.run("plugin show ./naming --format jsonpath=hash").ok().stdout.trim().to_owned();
    if example.contains("plugin sync") {
        program.file("orysh.toml", "[plugins.naming]\npath = \"plugins/naming\"\n");
        if example.contains("--locked") {
            program.run(&format!("plugin sync --trust {hash}")).ok();
        }
    } else if !example.contains("plugin install") {
        program.run(&format!("plugin install ./naming --trust {hash}")).ok();
    }
    let asks =
        ["plugin install", "plugin sync"].iter().any(|part| example.contains(part)) && !example.contains("--trust");
    if asks { format!("{example} --trust {hash}") } else { example.replace("HASH", &hash) }
}

#[test]
fn every_command_has_an_example_and_every_example_runs() {
    let (Some(gpg), Some(store)) = (Gpg::new(), KeyStore::start()) else { return };
    gpg.key("alice", "ed25519", "cv25519");
    let mut wrong = Vec::new();
    for (command, examples) in examples(&page()) {
        if examples.is_empty() && !["help", "version"].contains(&command.as_str()) {
            wrong.push(format!("{command} has no example"));
        }
        for example in examples.iter().filter(|example| !is_elsewhere(example)) {
            // Each finds the server as it was.
            let (_server, program) = ready(&gpg, &store);
            let example = &with_plugin(&program, example);
            let ran = program.sh(example);
            let is_due = ran.code == Some(5) && example.contains("--detailed-exitcode");
            if ran.code != Some(0) && !is_due {
                wrong.push(format!("{example}\n{ran}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
