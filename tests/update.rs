//! Changing a client: exactly what was asked for, and nothing else.

use serde_json::{Value, json};

use crate::support::{Gpg, Orysh, Sandbox, orysh};

/// A client with every field set that a caller may set.
fn full() -> Value {
    json!({
        "client_id": "full", "client_name": "Full", "client_secret": "full-secret",
        "redirect_uris": ["https://app.example.org/cb", "https://app.example.org/cb2"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "scope": "openid offline", "audience": ["https://api.example.org"], "owner": "team@example.org",
        "contacts": ["a@example.org"], "metadata": {"tier": "gold", "n": 12_345_678_901_234_567_890_u64},
        "token_endpoint_auth_method": "client_secret_post",
        "jwks_uri": "https://app.example.org/jwks", "access_token_strategy": "jwt",
        "skip_consent": true, "skip_logout_consent": true,
        "client_uri": "https://app.example.org", "logo_uri": "https://app.example.org/logo.png",
        "policy_uri": "https://app.example.org/policy", "tos_uri": "https://app.example.org/tos",
        "post_logout_redirect_uris": ["https://app.example.org/bye"],
        "allowed_cors_origins": ["https://app.example.org"], "subject_type": "public",
        "backchannel_logout_uri": "https://app.example.org/back", "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://app.example.org/front", "frontchannel_logout_session_required": true,
        "request_object_signing_alg": "RS256", "userinfo_signed_response_alg": "none",
        "request_uris": ["https://app.example.org/request"],
        "client_credentials_grant_access_token_lifespan": "1h0m0s",
        "refresh_token_grant_refresh_token_lifespan": "720h0m0s",
    })
}

fn ready(client: &Value) -> (Sandbox, Orysh) {
    let server = Sandbox::start();
    assert_eq!(server.make(client).status, 201);
    let program = orysh(&server);
    (server, program)
}

/// The fields that differ between two states of a client.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let names = before.as_object().unwrap().keys().chain(after.as_object().unwrap().keys());
    let mut names: Vec<String> = names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn only_what_is_named_is_changed() {
    let (server, program) = ready(&full());
    for (flags, changed) in [
        ("--name new", "client_name"),
        ("--skip-consent=false", "skip_consent"),
        (
            "--add-redirect-uri https://app.example.org/3 --remove-redirect-uri https://app.example.org/cb",
            "redirect_uris",
        ),
        ("--add-scope email --remove-scope offline", "scope"),
        ("--unset contacts", "contacts"),
        ("--unset client-credentials-grant-access-token-lifespan", "client_credentials_grant_access_token_lifespan"),
        ("--unset metadata", "metadata"),
        ("--metadata '{\"a\": 1}'", "metadata"),
        ("--refresh-token-grant-refresh-token-lifespan 24h", "refresh_token_grant_refresh_token_lifespan"),
        ("--unset tos_uri", "tos_uri"),
    ] {
        let before = server.client("full");
        let after = program.run(&format!("update oauth2-client full {flags} --format json")).tells(changed).json();
        assert_eq!(differing(&before, &server.client("full")), [changed, "updated_at"], "{flags}");
        assert_eq!(after, server.client("full"), "{flags}");
        assert!(server.accepts_post("full", "full-secret"), "{flags}");
    }
    let now = server.client("full");
    assert_eq!(now["redirect_uris"], json!(["https://app.example.org/cb2", "https://app.example.org/3"]));
    assert_eq!(now["scope"], "openid email");
}

#[test]
fn what_is_so_already_is_not_sent() {
    let (server, program) = ready(&full());
    let before = server.client("full");
    for flags in [
        "--name Full",
        "--add-contact a@example.org",
        "--remove-contact nobody",
        "--unset jwks",
        "--client-credentials-grant-access-token-lifespan 60m",
    ] {
        program.run(&format!("update client full {flags}")).ok().tells("nothing was sent");
    }
    assert_eq!(server.client("full"), before);
}

#[test]
fn a_file_merges_and_flags_win() {
    let (server, program) = ready(&full());
    let before = server.client("full");
    program.file("change.yaml", "client_id: full\nclient_name: from file\nowner: other\n");
    program.run("update client full -f change.yaml --name flag").ok();
    assert_eq!(differing(&before, &server.client("full")), ["client_name", "owner", "updated_at"]);
    assert_eq!(server.client("full")["client_name"], "flag");
    program.file("other.yaml", "client_id: other\n");
    program.run("update client full -f other.yaml").fails(2, "another client");
}

#[test]
fn a_client_that_comes_to_need_a_secret_gets_one() {
    let (server, program) = ready(&json!({"client_id": "spa", "token_endpoint_auth_method": "none"}));
    let line = "update client spa --token-endpoint-auth-method client_secret_basic --format json";
    let made = program.run(line).tells("client_secret: there is a new one").json();
    assert!(server.accepts(&json!("spa"), &made["client_secret"]));
    assert_eq!(program.pending().len(), 0);
    let (server, program) = ready(&json!({"client_id": "spa", "token_endpoint_auth_method": "none"}));
    program.run(&format!("{line} -q")).ok().tells("the secret of client `spa` is kept in");
    assert!(server.accepts(&json!("spa"), &program.only_pending()["client_secret"]));
    let Some(gpg) = Gpg::new() else { return };
    let (server, program) = ready(&json!({"client_id": "spa", "token_endpoint_auth_method": "none"}));
    program.file("key.asc", &gpg.armored(&gpg.key("owner", "ed25519", "cv25519")));
    program.run("update client spa --name x --pgp-key @key.asc").fails(2, "nothing to encrypt");
    let made = program.run(&format!("{line} --pgp-key @key.asc")).json();
    let message = base64_of(made["client_secret"].as_str().unwrap());
    assert!(server.accepts(&json!("spa"), &gpg.decrypt(&message).into()));
}

fn base64_of(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn a_lost_reply_is_repeated() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "--fail lose-reply:2");
    let program = orysh(&server);
    program.run("update client a --name x").ok();
    assert_eq!(server.client("a")["client_name"], "x");
}

#[test]
fn mistakes_are_told_before_anything_is_sent() {
    let (server, program) = ready(&full());
    let before = server.client("full");
    for (line, why) in [
        ("update client full --unset client_id", "cannot be changed"),
        ("update client full --unset client_secret", "only replaced"),
        ("update client full --unset contcats", "did you mean `contacts`?"),
        ("update client full --name x --unset client_name", "set and unset"),
        ("update client full --contact x --add-contact y", "sets the whole list"),
        ("update client full --id other", "--id"),
        ("update client full --redirect-uri '#'", "redirect"),
        ("update client full --jwks '{\"keys\": []}'", "jwks"),
        ("patch client full '[{\"op\": \"replace\", \"path\": \"/client_id\", \"value\": \"x\"}]'", "write over"),
        ("patch client full '[{\"op\": \"replace\", \"path\": \"\", \"value\": {}}]'", "the path is empty"),
        ("patch client full '{'", "the patch is not JSON"),
        ("set lifespans full", "no lifespan is named"),
        ("set lifespans full --unset contacts", "is no lifespan"),
        ("replace client full", "--file"),
    ] {
        program.run(line).fails(2, why);
    }
    program.run("update client nobody --name x").fails(1, "Unable to locate");
    assert_eq!(server.client("full"), before);
}

#[test]
fn a_dry_run_shows_the_patch() {
    let (server, program) = ready(&full());
    let before = server.client("full");
    let shown = program.run("update client full --name x --unset owner --dry-run --format json").json();
    assert_eq!(shown["method"], "PATCH");
    let names: Vec<&str> = shown["body"].as_array().unwrap().iter().map(|op| op["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["/client_name", "/owner"]);
    assert_eq!(server.client("full"), before);
}

#[test]
fn lifespans_are_set_one_by_one() {
    let (server, program) = ready(&full());
    let before = server.client("full");
    program.run("set lifespans full --implicit-grant-access-token-lifespan 90m").ok();
    let after = server.client("full");
    assert_eq!(differing(&before, &after), ["implicit_grant_access_token_lifespan", "updated_at"]);
    assert_eq!(after["implicit_grant_access_token_lifespan"], "1h30m0s");
}

#[test]
fn a_patch_is_sent_as_it_is_given() {
    let (server, program) = ready(&full());
    let before = server.client("full");
    program
        .run("patch client full '[{\"op\": \"add\", \"path\": \"/contacts/-\", \"value\": \"b@example.org\"}]'")
        .ok();
    assert_eq!(server.client("full")["contacts"], json!(["a@example.org", "b@example.org"]));
    program.file("patch.json", "{\"contacts\": [\"a@example.org\"], \"owner\": null}");
    program.run("patch client full @patch.json").ok().tells("owner: \"team@example.org\" → \"\"");
    assert_eq!(differing(&before, &server.client("full")), ["owner", "updated_at"]);
}

#[test]
fn a_replacement_names_what_it_resets() {
    let (server, program) = ready(&full());
    program.file("whole.yaml", "client_name: Whole\nredirect_uris: [https://app.example.org/cb]\n");
    program.run("replace client full -f whole.yaml --dry-run").ok().tells("contacts").tells("jwks_uri");
    assert_eq!(server.client("full")["client_name"], "Full");
    program.run("replace client full -f whole.yaml").ok().tells("resets what whole.yaml does not name").tells("owner");
    let now = server.client("full");
    assert_eq!((&now["client_name"], &now["owner"], &now["contacts"]), (&json!("Whole"), &json!(""), &json!([])));
    assert!(server.accepts(&json!("full"), &json!("full-secret")), "a replacement without a secret keeps the old one");
    program.file("other.yaml", "client_id: other\n");
    program.run("replace client full -f other.yaml").fails(2, "another client");
    let (_server, program) = ready(&json!({"client_id": "spa", "token_endpoint_auth_method": "none"}));
    program.file("whole.yaml", "client_name: x\n");
    program.run("replace client spa -f whole.yaml").fails(2, "names none");
}

#[test]
fn a_merge_patch_goes_into_objects() {
    let (server, program) = ready(&full());
    program
        .run("patch client full '{\"metadata\": {\"tier\": null, \"new\": {\"deep\": 1}}, \"contacts\": null}'")
        .ok();
    let now = server.client("full");
    assert_eq!(now["metadata"], json!({"n": 12_345_678_901_234_567_890_u64, "new": {"deep": 1}}));
    assert_eq!(now["contacts"], json!([]));
}

#[test]
fn a_patch_harms_no_secret() {
    let (server, program) = ready(&full());
    for patch in [
        r#"[{"op": "replace", "path": "/client_secret", "value": ""}]"#,
        r#"[{"op": "remove", "path": "/client_secret"}]"#,
        r#"{"client_secret": ""}"#,
        r#"{"client_secret": null}"#,
        r#"[{"op": "replace", "path": "/Client_ID", "value": "other"}]"#,
        r#"[{"op": "replace", "path": "", "value": {"client_id": "other"}}]"#,
        r#"[{"op": "move", "from": "/owner", "path": "/client_name"}]"#,
        r#"{"owner": "a", "owner": "b"}"#,
    ] {
        program.args(&["patch", "client", "full", patch]).fails(2, "");
    }
    assert!(server.accepts_post("full", "full-secret"));
    assert_eq!(server.clients().len(), 1);
    // A client that signed in without a secret gets one in the same patch.
    let (server, program) = ready(&json!({"client_id": "spa", "token_endpoint_auth_method": "none"}));
    let patch = r#"patch client spa '{"token_endpoint_auth_method": "client_secret_basic"}' --format json"#;
    let made = program.run(patch).json();
    assert!(server.accepts(&json!("spa"), &made["client_secret"]));
}

#[test]
fn an_update_of_nothing_is_a_mistake() {
    let (_server, program) = ready(&full());
    program.run("update client full").fails(2, "nothing");
    program.run("update client full --dry-run --name x -q").fails(2, "--dry-run");
}

#[test]
fn headers_add_up() {
    let (_server, program) = ready(&full());
    program.run("get client full -H 'X-A: 1' -H 'X-A: 2' --http-header 'X-B: 3'").ok();
    program.run("get client full -H nonsense").fails(2, "--header");
}

#[test]
fn a_patch_that_inserts_is_not_advised_to_be_sent_again() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "--fail lose-reply:1");
    let program = orysh(&server);
    let patch = r#"[{"op": "add", "path": "/contacts/-", "value": "x@example.org"}]"#;
    let ran = program.args(&["patch", "client", "a", patch, "--timeout", "2s"]).fails(1, "client `a` was changed");
    let ran = ran.tells("look at it first").tells("orysh get oauth2-client a");
    assert!(!ran.stderr.contains("try again"), "{ran}");
}

#[test]
fn a_path_to_nothing_is_told_of() {
    let (_server, program) = ready(&full());
    for path in ["/contacts/9", "/metadata/nokey"] {
        let patch = format!(r#"[{{"op": "remove", "path": "{path}"}}]"#);
        program.args(&["patch", "client", "full", &patch]).fails(1, "leads to nothing");
    }
}

#[test]
fn an_empty_secret_is_refused_whatever_is_asked() {
    let (server, program) = ready(&full());
    program.run("update client full --secret '' --no-lint").fails(2, "is empty");
    program.file("full.yaml", "client_id: full\nclient_secret: ''\n");
    program.run("apply -f full.yaml").fails(2, "is empty");
    assert!(server.accepts_post("full", "full-secret"));
}
