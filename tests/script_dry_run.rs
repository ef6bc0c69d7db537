//! `--dry-run` of a script tells every write and does none; `-v` tells each call.

use serde_json::json;

use crate::support::{Sandbox, Stub, anywhere, files, orysh};

#[test]
fn a_dry_run_tells_every_write_and_does_none() {
    let server = Sandbox::with("--hash-iterations 1");
    server.make(&json!({"client_id": "old", "owner": "a", "grant_types": ["client_credentials"], "client_secret": "s3cret-s3cret"}));
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    let stub = Stub::noting("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    program.file("in.csv", "client_name\nx\n");
    program.file("clients.json", r#"[{"client_id": "applied"}]"#);
    let before = server.clients();
    let writes = [
        (r#"clients::create(#{client_id: "new", owner: "b"}).client_id == "new""#, "client `new` is created"),
        (r#"clients::update("old", #{owner: "b"}).owner == "b""#, "owner: \"a\""),
        (r#"let c = clients::get("old"); c.owner = "z"; clients::update(c).owner == "z""#, "owner: \"z\""),
        (r#"clients::replace("old", #{owner: "c"}).owner == "c""#, "client `old` is changed"),
        (r#"clients::rotate_secret("old").client_secret.reveal() == "[dry run]""#, "gets a new secret"),
        (r#"clients::drop_old_secrets("old"); true"#, "the old secrets of client `old` end"),
        (r#"clients::delete("old"); clients::find("old") == ()"#, "client `old` is deleted"),
        (
            r#"clients::create_all([#{client_id: "old"}, #{client_id: "p"}]).map(|r| r.outcome) == ["conflict", "created"]"#,
            "client `p` is created",
        ),
        (
            r#"clients::apply([#{client_id: "old", owner: "b"}], #{}).map(|r| r.action) == ["changed"]"#,
            "client `old` is changed",
        ),
        (r#"sh("create client --id by-command").client_id == "by-command""#, "client `by-command` is created"),
        (
            r#"sh(`patch client old '[{"op": "replace", "path": "/owner", "value": "q"}]'`); true"#,
            "client `old` is changed",
        ),
        (r#"sh("update client old --owner q"); true"#, "owner: \"q\""),
        (r#"sh("delete client old"); true"#, "client `old` is deleted"),
        (r#"sh("apply -f clients.json"); true"#, "client `applied` is created"),
        (r#"sh("batch create in.csv"); sh("batch list").len() == 0"#, ""),
        (r#"sh("delete tokens old"); true"#, "every token of client `old`"),
        (r#"sh("batch forget none") == ()"#, "`batch forget none` is run"),
        (r#"sh("script new x") == ()"#, "is run"),
        (
            r#"tokens::client_credentials("old", "s3cret-s3cret".to_secret()).token_type == "bearer""#,
            "client `old` gets a token",
        ),
        (r#"tokens::test("old", "s3cret-s3cret".to_secret())"#, ""),
        (
            r#"fs::write("made.txt", "x"); csv::write("made.csv", []); json::write("made.json", 1); yaml::write("made.yaml", 1); true"#,
            "made.yaml is written",
        ),
        (r#"fs::remove("in.csv"); fs::exists("in.csv")"#, "in.csv is removed"),
        (r#"http::post("$STUB", "x").status == 200"#, "POST http://"),
        (r#"http::get("$STUB").body == "hi""#, ""),
    ];
    for (code, told) in writes {
        let code = code.replace("$STUB", &stub.url);
        let ran = program.args(&["eval", "--dry-run", &code]).ok().tells(told);
        assert_eq!(ran.stdout, "true\n", "{code}\n{ran}");
        assert_eq!(server.clients(), before, "{code}");
    }
    assert_eq!(stub.heads().iter().filter(|head| head.starts_with("POST")).count(), 0);
    for made in ["made.txt", "made.csv", "made.json", "made.yaml"] {
        assert!(!program.home().join(made).exists());
    }
    assert!(program.pending().is_empty());
    assert!(files(&program.home().join("state/batches")).is_empty());
    // A dry run finds what is wrong, too.
    program.args(&["eval", "--dry-run", r#"clients::delete("nobody")"#]).fails(1, "404");
    program.args(&["eval", "--dry-run", r#"clients::create(#{redirect_uris: ["nowhere"]})"#]).fails(1, "nowhere");
    program.args(&["eval", "--dry-run", r#"clients::create(#{client_id: "old"})"#]).fails(1, "exists already");
}

#[test]
fn a_dry_run_asks_nobody_about_production() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program
        .file("config/config.toml", &format!("[profile.live]\nendpoint = \"{}\"\nproduction = true\n", server.admin));
    program.args(&["eval", "--profile", "live", "clients::create(#{})"]).fails(2, "live is production");
    program.args(&["eval", "--profile", "live", "--dry-run", "clients::create(#{}); 1"]).ok();
    assert!(server.clients().is_empty());
}

#[test]
fn each_call_is_told_with_its_time_and_its_place() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let ran = program.args(&[
        "eval",
        "-v",
        "clients::create(#{});\ntry { clients::get(\"x\") } catch { }\nhash::sha256(\"a\");",
    ]);
    let ran =
        ran.ok().tells("clients::create at line 1, column 10 took ").tells("clients::get at line 2, column 16 took");
    assert!(ran.stderr.contains("and failed") && ran.stderr.contains("hash::sha256 at line 3"), "{ran}");
    let ran = program.args(&["eval", "clients::create(#{}); 1"]).ok();
    assert!(!ran.stderr.contains("took"), "{ran}");
}

#[test]
fn what_a_dry_run_would_make_is_found_by_what_follows() {
    let server = Sandbox::with("--hash-iterations 1");
    for id in ["a", "b", "c"] {
        server.make(&json!({"client_id": id, "owner": "me"}));
    }
    let program = orysh(&server);
    let code = r#"
        clients::create(#{client_id: "new", owner: "me"});
        clients::create(#{client_id: "other", owner: "you"});
        clients::update("b", #{owner: "you"});
        clients::delete("c");
        print(clients::list().map(|c| c.client_id));
        print(clients::list(#{owner: "me"}).map(|c| c.client_id));
        print(clients::apply([#{client_id: "x"}])[0].client_secret);
        print(clients::get("x").client_id);
        print(time::parse(clients::get("new").created_at) <= time::now());
        let t = fs::temp();
        fs::write(t + "/x", "held");
        fs::read(t + "/x")
    "#;
    let ran = program.args(&["eval", "--dry-run", code]).ok();
    assert_eq!(
        ran.stdout, "[\"a\", \"b\", \"new\", \"other\"]\n[\"a\", \"new\"]\n[REDACTED]\nx\ntrue\nheld\n",
        "{ran}"
    );
    assert_eq!(server.clients().len(), 3);
    // What is told shows no secret that was taken out.
    let code = r#"let t = "s3cr3t".to_secret(); http::post("http://127.0.0.1:1/x?key=" + t.reveal(), "b"); sh(`script new ${t.reveal()}`); fs::write(t.reveal(), "x");"#;
    let ran = program.args(&["eval", "--dry-run", code]).ok();
    assert!(!format!("{ran}").contains("s3cr3t"), "{ran}");
}

#[test]
fn a_run_that_would_be_can_be_looked_at() {
    let program = anywhere();
    program.file("s.csv", "client_id\na\nb\n");
    program.file(
        "s.rhai",
        "let run = batch::create(\"s.csv\", #{out: \"made.csv\", secrets: \"plain\"});\nprint(batch::status(run.run).rows);\nfor row in batch::results(run.run) { print(row.client_id + \" \" + row.outcome); }\nbatch::results(run.run, #{out: \"again.csv\"});\n",
    );
    let ran = program.run("--sandbox run --dry-run s.rhai").ok();
    assert!(ran.stdout.starts_with("2\na planned\nb planned\n"), "{ran}");
    ran.tells("+ made.csv would be written").tells("+ again.csv is written");
    assert!(!program.home().join("made.csv").exists() && !program.home().join("again.csv").exists());
    let ran = program.run("--sandbox run s.rhai").ok();
    assert!(ran.stdout.starts_with("2\na created\nb created\n"), "{ran}");
}
