//! `create oauth2-client`: what is sent, what comes of it, and what is not sent.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{Sandbox, orysh};

const AS_DOCUMENTED: [&str; 2] = [
    r#"create oauth2-client -n "my app" -c http://localhost/cb -g authorization_code -r code -a core,foobar"#,
    r#"create oauth2-client -n "my app" -g client_credentials -r token -a core,foobar"#,
];

#[test]
fn the_examples_of_the_ory_cli_run_as_they_are_written() {
    let server = Sandbox::start();
    for line in AS_DOCUMENTED {
        let table = orysh(&server).run(line).quiet().stdout;
        assert!(table.contains("core foobar"), "{table}");
        let made = serde_json::from_str::<Value>(&orysh(&server).run(&format!("{line} --format json")).quiet().stdout);
        let made = made.unwrap();
        assert_eq!((&made["client_name"], &made["scope"]), (&json!("my app"), &json!("core foobar")));
        assert!(server.accepts(&made["client_id"], &made["client_secret"]));
    }
    let with_uri: Vec<Value> = server.clients().into_iter().filter(|c| c["redirect_uris"] != json!([])).collect();
    assert_eq!(with_uri.len(), 2);
    for client in with_uri {
        assert_eq!(client["redirect_uris"], json!(["http://localhost/cb"]));
        assert_eq!(client["response_types"], json!(["code"]));
        assert_eq!(client["grant_types"], json!(["authorization_code"]));
    }
}

/// A created client without what differs from one to the next.
fn comparable(mut client: Value) -> Value {
    let members = client.as_object_mut().unwrap();
    for own in ["client_id", "client_secret", "created_at", "updated_at"] {
        assert!(members.remove(own).is_some(), "no {own}");
    }
    members.retain(|name, _| !name.starts_with("registration_"));
    client
}

#[test]
fn flags_json_yaml_and_stdin_get_the_same_defaults() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("c.json", r#"{"client_name": "x", "redirect_uris": ["http://localhost/cb"]}"#);
    program.file("c.yaml", "client_name: x\nredirect_uris:\n  - http://localhost/cb\n");
    let from_flags = comparable(program.run("create client -n x -c http://localhost/cb --format json").json());
    assert_eq!(from_flags["grant_types"], json!(["authorization_code"]));
    assert_eq!(from_flags["token_endpoint_auth_method"], "client_secret_basic");
    for line in ["create client -f c.json --format json", "create client --file c.yaml --format json"] {
        assert_eq!(comparable(program.run(line).json()), from_flags, "{line}");
    }
    let program = program.input("client_name: x\nredirect_uris: [http://localhost/cb]\n");
    assert_eq!(comparable(program.run("create client --file - --format json").json()), from_flags);
}

#[test]
fn flags_win_over_the_file_and_an_empty_list_stays_empty() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("c.yaml", "client_name: from file\nowner: from file\nresponse_types: []\n");
    let made = program.run("create client -f c.yaml --name 'from flag' --format json").json();
    assert_eq!((&made["client_name"], &made["owner"]), (&json!("from flag"), &json!("from file")));
    assert_eq!(server.clients()[0]["response_types"], json!([]));
}

#[test]
fn a_misspelt_field_is_named_with_its_place_and_the_nearest() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("c.json", "{\"client_name\": \"x\",\n   \"redirect_uri\": []}");
    program.file("c.yaml", "client_name: x\nclient_nmae: y\n");
    program
        .run("create client -f c.json")
        .fails(2, "c.json, line 2, column 4: unknown field `redirect_uri`")
        .tells("did you mean `redirect_uris`?");
    program
        .run("create client -f c.yaml")
        .fails(2, "c.yaml, line 2, column 1: unknown field `client_nmae`")
        .tells("did you mean `client_name`?");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

#[test]
fn a_secret_comes_from_stdin_or_a_file() {
    let server = Sandbox::start();
    let program = orysh(&server).input("s3cret-from-stdin\n");
    program.file("secret", "s3cret-from-file\n");
    for (flag, secret) in [("--secret-stdin", "s3cret-from-stdin"), ("--secret-file secret", "s3cret-from-file")] {
        let ran = program.run(&format!("create client {flag} --format json")).quiet();
        let made: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(made["client_secret"], secret, "{flag}");
        assert!(server.accepts(&made["client_id"], &json!(secret)), "{flag}");
    }
    program.run("create client --secret-stdin --secret-file secret").fails(2, "cannot be used with");
}

#[test]
fn a_secret_among_the_arguments_is_warned_of() {
    let server = Sandbox::start();
    orysh(&server).run("create client --secret s3cret-s3cret").ok().tells("--secret-stdin");
}

#[test]
fn secret_out_is_private_new_and_right() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let made = program.run("create client --secret-out out --format json").json();
    let path = program.home().join("out");
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(made["client_secret"], written.trim_end());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    program.run("create client --secret-out out").fails(2, "--secret-out: cannot write out");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
    assert_eq!(server.clients().len(), 1);
    assert_eq!(program.pending().len(), 0);
    program.run("create client --secret-out no/such/folder").fails(2, "--secret-out: cannot write no/such/folder");
    assert_eq!(server.clients().len(), 1);
}

#[test]
fn secret_out_is_taken_back_where_no_client_was_made() {
    let server = Sandbox::start();
    server.make(&json!({"client_id": "taken"}));
    let program = orysh(&server);
    program.run("create client --id taken --secret-out out").fails(1, "exists already");
    assert!(!program.home().join("out").exists());
}

#[test]
fn if_absent_takes_an_existing_client_for_a_success() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let made = program.run("create client --id once --name x --if-absent --format json").json();
    assert!(server.accepts(&json!("once"), &made["client_secret"]));
    let before = server.client("once");
    let again = program.run("create client --id once --name x --if-absent --format json").tells("not available").json();
    assert_eq!(again.get("client_secret"), None);
    assert_eq!(server.client("once"), before);
    assert!(server.accepts(&json!("once"), &made["client_secret"]));
    program.run("create client --id once --name y --if-absent").ok().tells("differs from what was asked for");
    assert_eq!(server.client("once"), before);
    program.run("create client --id once").fails(1, "`once` exists already").tells("--if-absent");
    program.run("create client --name z --if-absent").fails(2, "--if-absent wants the id");
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn a_dry_run_sends_nothing_and_shows_no_secret() {
    let server = Sandbox::start();
    let program = orysh(&server).input("s3cret-not-shown");
    for format in ["json", "table", "yaml", "jsonl", "csv"] {
        let ran = program.run(&format!("create client -n x --secret-stdin --dry-run --format {format}")).ok();
        assert!(ran.stdout.contains("/admin/clients"), "{ran}");
        assert!(ran.stdout.contains("[REDACTED]"), "{ran}");
        assert!(!format!("{ran}").contains("s3cret-not-shown"), "{ran}");
    }
    let shown = orysh(&server).run("create client -n x --dry-run --format json").json();
    assert_eq!((&shown["method"], &shown["body"]["client_id"]), (&json!("POST"), &json!("[generated]")));
    assert_eq!(server.clients(), Vec::<Value>::new());
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn a_dry_run_needs_no_running_server() {
    let program = orysh(&Sandbox::start());
    program.run("create client -n x --dry-run --format json").quiet();
}

#[test]
fn id_and_secret_are_made_here() {
    let server = Sandbox::start();
    let made = orysh(&server).run("create client --format json").json();
    let id = uuid::Uuid::parse_str(made["client_id"].as_str().unwrap()).unwrap();
    assert_eq!(id.get_version_num(), 4);
    let secret = made["client_secret"].as_str().unwrap();
    assert!((27..=72).contains(&secret.len()), "{} characters", secret.len());
    assert!(secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    let other = orysh(&server).run("create client --format json").json();
    assert_ne!(made["client_id"], other["client_id"]);
    assert_ne!(made["client_secret"], other["client_secret"]);
}

#[test]
fn a_public_client_has_no_secret() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let made = program.run("create client --token-endpoint-auth-method none --format json").json();
    assert_eq!(made.get("client_secret"), None);
    assert_eq!(program.pending().len(), 0);
    program
        .run("create client --token-endpoint-auth-method none --secret-out out")
        .fails(2, "a client with `none` has no secret to write");
    assert!(!program.home().join("out").exists());
}

#[test]
fn what_was_made_can_be_shown_listed_and_deleted() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.run("create client --id 'a b/ü#' --name odd").quiet();
    assert_eq!(program.run("get client 'a b/ü#' --format json").json()["client_name"], "odd");
    assert_eq!(program.run("list clients --name odd -q").quiet().stdout, "a b/ü#\n");
    assert_eq!(program.run("list clients --name other -q").quiet().stdout, "");
    assert_eq!(program.run("delete client 'a b/ü#' -q").quiet().stdout, "a b/ü#\n");
    program.run("get client 'a b/ü#'").fails(1, "HTTP 404");
    program.run("delete client 'a b/ü#'").fails(1, "HTTP 404");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

#[test]
fn the_sandbox_inside_keeps_its_clients_for_the_next_command() {
    let program = crate::support::anywhere();
    let made = program.run("--sandbox create client --name kept --format json").json();
    let id = made["client_id"].as_str().unwrap();
    assert_eq!(program.run(&format!("--sandbox get client {id} --format json")).json()["client_name"], "kept");
}

#[test]
fn a_secret_that_is_not_shown_is_kept_and_its_file_named() {
    let server = Sandbox::start();
    for format in ["-q", "--format jsonpath=client_id", "--format jsonpath=client_secret"] {
        let program = orysh(&server);
        let before = program.pending().len();
        let ran = program.run(&format!("create oauth2-client --name x {format}")).ok();
        let is_kept = program.pending().len() > before;
        assert_eq!(is_kept, !format.ends_with("client_secret"), "{ran}");
        assert_eq!(ran.stderr.contains("the output leaves a secret out"), is_kept, "{ran}");
    }
}

#[test]
fn each_request_is_told_where_it_is_asked_for() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.run("create client --id a -v -q").ok();
    program.run("create client --id b -v").ok().tells("POST /admin/clients: HTTP 201 in ");
    program.run("get client nosuch -v").fails(1, "GET /admin/clients/nosuch: HTTP 404 in ");
    assert!(!program.run("get client a").ok().stderr.contains("HTTP 200"));
}
