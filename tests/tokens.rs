//! Tokens: issued, introspected, revoked; secrets tested.

use serde_json::{Value, json};

use crate::support::{Orysh, Sandbox, anywhere, orysh};

fn ready() -> (Sandbox, Orysh) {
    let client = |id: &str, method: &str| {
        json!({"client_id": id, "client_secret": "se:cret-%+", "grant_types": ["client_credentials"], "scope": "read write",
            "audience": ["https://api.example.org"], "token_endpoint_auth_method": method})
    };
    let clients = [client("job", "client_secret_basic"), client("post", "client_secret_post"), client("spa", "none")];
    let server = Sandbox::holding(&clients, "");
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    program.file("secret", "se:cret-%+\n");
    program.file("wrong", "wrong-secret\n");
    (server, program)
}

fn token(program: &Orysh, id: &str) -> Value {
    let line =
        format!("perform client-credentials --client-id {id} --client-secret-file secret --scope read --format json");
    program.run(&line).json()
}

fn is_active(program: &Orysh, token: &str) -> bool {
    program.file("token", token);
    let ran = program.sh("orysh introspect token - --format jsonpath=active < token").quiet();
    ran.stdout.trim() == "true"
}

#[test]
fn a_token_is_issued_introspected_and_revoked() {
    let (_server, program) = ready();
    for id in ["job", "post"] {
        let made = token(&program, id);
        let text = made["access_token"].as_str().unwrap();
        assert!(made["expiry"].as_str().unwrap().ends_with('Z') && made.get("expires_in").is_none(), "{made}");
        assert!(is_active(&program, text), "{id}");
        program.file("token", text);
        program.sh(&format!("orysh revoke token - --client-id {id} --client-secret-file secret < token")).ok();
        assert!(!is_active(&program, text), "{id}");
    }
    let ran = program.run("perform client-credentials --client-id job --client-secret-file secret -q").ok();
    assert!(is_active(&program, ran.stdout.trim()));
    program.file("token", ran.stdout.trim());
    let line = "orysh introspect token - --scope write --format jsonpath=active < token";
    assert_eq!(program.sh(line).quiet().stdout.trim(), "false", "the token has not that scope");
}

#[test]
fn all_tokens_of_a_client_are_deleted() {
    let (_server, program) = ready();
    let (first, second) = (token(&program, "job"), token(&program, "job"));
    let other = token(&program, "post");
    let ran = program.run("delete access-tokens job --format json").ok().tells("JWT access tokens");
    assert_eq!(ran.stdout, "\"job\"\n");
    let active = |made: &Value| is_active(&program, made["access_token"].as_str().unwrap());
    assert_eq!((active(&first), active(&second), active(&other)), (false, false, true));
}

#[test]
fn a_secret_is_tested() {
    let (_server, program) = ready();
    for id in ["job", "post"] {
        let ran =
            program.run(&format!("test oauth2-client {id} --secret-file secret --format jsonpath=secret")).quiet();
        assert_eq!(ran.stdout, "right\n");
        program.run(&format!("test client {id} --secret-file wrong")).fails(1, "is wrong");
    }
    program.run("test client spa --secret-file secret").fails(2, "no secret is of use");
    program.run("test client nobody --secret-file secret").fails(1, "Unable to locate");
    program.run("test client job").fails(2, "the secret is missing");
}

#[test]
fn what_comes_from_the_command_line_is_warned_of() {
    let (server, program) = ready();
    let line = "perform client-credentials --client-id job --client-secret 'se:cret-%+' -q";
    let made = program.run(line).ok().tells("list of processes").stdout;
    program.run(&format!("introspect token {}", made.trim())).ok().tells("list of processes");
    program.run("test client job --secret 'se:cret-%+'").ok().tells("list of processes");
    program.run("perform client-credentials --client-id job").fails(2, "secret is missing");
    program.run("perform client-credentials --client-id job --client-secret-file wrong").fails(1, "invalid_client");
    let line = "perform client-credentials --client-id job --client-secret-file secret --scope admin";
    program.run(line).fails(1, "not allowed to request scope");
    program.run("revoke token - --client-id job --client-secret-stdin").fails(2, "both read stdin");
    let unknown = orysh(&server);
    unknown.file("secret", "x");
    let line = "perform client-credentials --client-id job --client-secret-file secret";
    unknown.run(line).fails(2, "--public-endpoint");
}

#[test]
fn consent_is_revoked_for_one_client_or_for_all() {
    let (_server, program) = ready();
    program.run("revoke consent --subject alice --client job").ok().tells("client `job`");
    program.run("revoke consent --subject alice --all").ok().tells("every client");
    program.run("revoke consent --subject alice").fails(2, "--client ID, or --all");
    program.run("revoke consent --all").fails(2, "--subject");
}

#[test]
fn the_public_address_alone_is_enough_for_the_token_endpoint() {
    let (server, _) = ready();
    let program = anywhere();
    program.file("secret", "se:cret-%+\n");
    let line = "perform client-credentials --client-id job --client-secret-file secret -q";
    for flag in ["-e", "--public-endpoint"] {
        program.run(&format!("{line} {flag} {}", server.public)).quiet();
    }
    program.run(&format!("{line} -e {}", server.admin)).fails(1, "public API");
    program.with("HYDRA_PUBLIC_URL", &server.public).run(line).quiet();
}

#[test]
fn scripts_ask_whether_a_token_counts() {
    let (_server, program) = ready();
    program.file("token", token(&program, "job")["access_token"].as_str().unwrap());
    assert_eq!(program.sh("orysh introspect token - -q < token").quiet().stdout, "true\n");
    assert_eq!(program.sh("echo nonsense | orysh introspect token - -q").quiet().stdout, "false\n");
    program.sh("orysh introspect token - < /dev/null").fails(2, "the token in stdin is empty");
    let table = program.sh("orysh introspect token - < token").quiet().stdout;
    assert!(table.contains("+0000 UTC"), "{table}");
    program.run("delete access-tokens job --yes --format jsonpath=client_id").fails(2, "an id by itself");
}
