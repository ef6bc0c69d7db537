//! The Ory CLI's faults, one by one: each is done right here.

use serde_json::{Value, json};

use crate::support::{Gpg, Orysh, Sandbox, anywhere, orysh};

/// What the fault is, and what shows that it is none here.
type Row = (&'static str, fn(&Sandbox, &Orysh));

const FAULTS: &[Row] = &[
    ("the documented examples fail: -n is unknown", |server, program| {
        let line =
            "create oauth2-client -n \"my app\" -c http://localhost/cb -g authorization_code -r code -a core,foobar";
        program.run(line).quiet();
        let made = &server.clients()[0];
        assert_eq!((&made["client_name"], &made["scope"]), (&json!("my app"), &json!("core foobar")));
        assert_eq!(made["redirect_uris"], json!(["http://localhost/cb"]));
    }),
    ("-e is ignored, and a sign-in is demanded", |server, _| {
        anywhere().run(&format!("create client -e {} --name x", server.admin)).quiet();
        assert_eq!(server.clients().len(), 1);
    }),
    ("list -q prints memory addresses instead of ids", |server, program| {
        server.make(&json!({"client_id": "a"}));
        assert_eq!(program.run("list oauth2-clients -q").quiet().stdout, "a\n");
    }),
    ("an unknown format is taken for a table", |server, program| {
        program.run("create client --format jsno").fails(2, "did you mean `json`?");
        assert_eq!(server.clients().len(), 0);
    }),
    ("every error of use prints seventy lines, and the message twice", |_, program| {
        let ran = program.run("create oauth2-client --nmae x").fails(2, "did you mean `--name`?");
        assert!(ran.stderr.lines().count() <= 3, "{ran}");
        assert_eq!(ran.stderr.matches("--nmae").count(), 1, "{ran}");
    }),
    ("deleting an absent client ends with `this error should never be printed`", |_, program| {
        let ran = program.run("delete oauth2-client nope").fails(1, "client `nope`");
        assert!(!ran.stderr.contains("never be printed"), "{ran}");
    }),
    ("import takes only an array", |server, program| {
        program.file("one.json", "{\"client_id\": \"one\"}");
        program.run("import oauth2-client one.json").ok();
        assert_eq!(server.client("one")["client_id"], "one");
    }),
    ("a file's client gets other defaults than one made by flags", |server, program| {
        program.file("c.json", "{\"client_id\": \"file\"}");
        program.run("create client --file c.json").ok();
        program.run("create client --id flags").ok();
        let (file, flags) = (server.client("file"), server.client("flags"));
        assert_eq!((&file["grant_types"], &file["response_types"]), (&flags["grant_types"], &flags["response_types"]));
    }),
    ("JSON gains a stray AdditionalProperties", |_, program| {
        let made = program.run("create client --format json").json();
        assert!(made.get("AdditionalProperties").is_none());
    }),
    ("encryption happens after the POST", |server, program| {
        let Some(gpg) = Gpg::new() else { return };
        program.file("sign.asc", &gpg.armored(&gpg.bare_key("signer", "ed25519", "cert,sign", "never")));
        program.run("create client --pgp-key @sign.asc").fails(2, "for signing only");
        assert_eq!(server.clients().len(), 0);
    }),
    ("a bad path exits after the POST, and the secret is lost", |server, program| {
        program.run("create client --format jsonpath=a.#(").fails(2, "path");
        program.run("create client --format jsonpointer=client_id").fails(2, "path");
        assert_eq!(server.clients().len(), 0);
        program.run("create client --format jsonpath=no_such_member").fails(2, "no_such_member");
        assert_eq!((server.clients().len(), program.pending().len()), (0, 0));
        let ran = program.run("create client --format jsonpath=metadata.nothing");
        assert!(ran.code == Some(1) && program.pending().len() == 1, "{ran}");
    }),
    ("import holds all secrets in memory, in random order, and reads stdin too", |server, program| {
        let rows: Vec<Value> = (0..200).map(|n| json!({"client_id": format!("i-{:03}", 199 - n)})).collect();
        program.file("i.json", &Value::from(rows).to_string());
        // The other end hangs up after the first row, with more to come than a pipe holds: no secret is lost.
        let ran = program.sh("orysh import oauth2-clients i.json --format jsonl | head -1");
        assert!(ran.stdout.starts_with("{\"client_id\":\"i-199\"") || ran.stdout.contains("\"i-199\""), "{ran}");
        let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
        let (made, runs) = (server.clients(), program.secrets_of_runs());
        for client in &made {
            let kept = runs.iter().any(|(id, _)| client["client_id"] == *id);
            assert!(
                kept || printed["client_id"] == client["client_id"],
                "the secret of {} is lost",
                client["client_id"]
            );
        }
    }),
    ("a file's client_id is dropped", |server, program| {
        program.file("c.json", "{\"client_id\": \"mine\"}");
        program.run("create client --file c.json").ok();
        assert_eq!(server.client("mine")["client_id"], "mine");
    }),
    ("a lost reply makes a duplicate, and loses a secret", |_, _| {
        let server = Sandbox::with("--fail lose-reply:1");
        let made = orysh(&server).run("create client --format json").json();
        assert_eq!(server.clients().len(), 1);
        assert!(server.accepts(&made["client_id"], &made["client_secret"]));
    }),
    ("update --file resets every field that the file leaves out", |server, program| {
        server.make(&json!({"client_id": "a", "owner": "me", "contacts": ["x"]}));
        program.file("c.json", "{\"client_name\": \"new\"}");
        program.run("update oauth2-client a --file c.json").ok();
        let now = server.client("a");
        assert_eq!(
            (&now["client_name"], &now["owner"], &now["contacts"]),
            (&json!("new"), &json!("me"), &json!(["x"]))
        );
    }),
    ("unknown keys in files pass silently", |server, program| {
        program.file("c.json", "{\"redirect_uri\": \"x\"}");
        program.run("create client --file c.json").fails(2, "did you mean `redirect_uris`?");
        assert_eq!(server.clients().len(), 0);
    }),
    ("list flags split at commas, so that a URI with a comma breaks", |server, program| {
        program.run("create client --redirect-uri https://a.example/?x=1,2").ok();
        assert_eq!(server.clients()[0]["redirect_uris"], json!(["https://a.example/?x=1,2"]));
    }),
    ("update --secret \"\" clears the rotated secrets", |server, program| {
        server.make(&json!({"client_id": "a", "client_secret": "first-secret"}));
        program.run("rotate secret a").ok();
        assert_ne!(program.run("update client a --secret ''").code, Some(0));
        assert!(server.accepts(&json!("a"), &json!("first-secret")));
    }),
    ("an expired token plus a network error wipes the configuration", |_, _| {
        let program = anywhere();
        let content = "{\"version\":\"v1\",\"access_token\":{\"access_token\":\"t\",\"expiry\":\"2020-01-01T00:00:00Z\"},\
            \"selected_project\":\"7d3a52c0-0001-4f0b-8e55-000000000001\"}";
        let file = program.file("ory.json", content);
        let program =
            program.with("ORY_CONFIG_PATH", file.to_str().unwrap()).with("ORY_CONSOLE_URL", "http://127.0.0.1:1");
        assert_ne!(program.run("list clients").code, Some(0));
        assert_eq!(std::fs::read_to_string(file).unwrap(), content);
    }),
    ("no flags for jwks, algorithms and lifespans; no rotate, no list filters, no headers", |server, program| {
        let line = "create client --id a --owner o --userinfo-signed-response-alg none -H 'X-A: b' \
            --client-credentials-grant-access-token-lifespan 1h";
        program.run(line).ok();
        assert_eq!(server.client("a")["client_credentials_grant_access_token_lifespan"], "1h0m0s");
        program.run("rotate secret a").ok();
        assert_eq!(program.run("list clients --owner o -q").quiet().stdout, "a\n");
        assert_eq!(program.run("list clients --owner other -q").quiet().stdout, "");
    }),
    ("a secret in the arguments is the only way to give one", |server, program| {
        program.file("secret", "from-a-file\n");
        program.run("create client --id a --secret-file secret").quiet();
        assert!(server.accepts(&json!("a"), &json!("from-a-file")));
    }),
];

#[test]
fn every_fault_is_done_right() {
    let mut wrong = Vec::new();
    for (fault, shows) in FAULTS {
        let server = Sandbox::start();
        let program = orysh(&server);
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| shows(&server, &program)));
        if shown.is_err() {
            wrong.push(*fault);
        }
    }
    assert_eq!(wrong, Vec::<&str>::new());
    assert_eq!(FAULTS.len(), 21);
}
