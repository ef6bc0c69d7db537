//! What a script writes: where it goes, and what it need not keep any longer.

use serde_json::json;

use crate::support::{PROGRAM, Sandbox, Stub, anywhere, orysh};

#[test]
fn what_was_written_need_not_be_kept_and_the_rest_is() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let stub = Stub::noting("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let refusing = Stub::noting("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
    // What ends the script afterwards takes nothing back.
    for written in [
        "fs::write(\"s\", c.client_secret)",
        "csv::write(\"s.csv\", [#{secret: c.client_secret.reveal()}])",
        "csv::append(\"log.csv\", #{secret: c.client_secret.reveal()})",
        "json::write(\"s.json\", #{a: [c.client_secret.reveal()]})",
        "http::post(\"$STUB\", #{secret: c.client_secret.reveal()})",
    ] {
        let code = format!("let c = clients::create(#{{}}); {written}; throw \"up\"").replace("$STUB", &stub.url);
        program.args(&["eval", &code]).fails(1, "up");
        assert_eq!(program.pending().len(), 0, "{written}");
    }
    for (at, lost) in [
        "c.client_secret.reveal()",
        "c.client_secret.to_string()",
        "json::write(\"s.json\", c)",
        "http::post(\"$REFUSING\", c.client_secret.reveal())",
        "try { fs::write(\"no/such/folder\", c.client_secret) } catch { }",
    ]
    .iter()
    .enumerate()
    {
        let code = format!("let c = clients::create(#{{}}); {lost}; throw \"up\"").replace("$REFUSING", &refusing.url);
        program.args(&["eval", &code]).fails(1, "up").tells("secrets are kept in");
        assert_eq!(program.pending().len(), at + 1, "{lost}");
    }
    // Of many clients each for itself.
    let code = r#"
        let rows = []; for n in 0..100 { rows.push(#{client_id: `m${n}`}); }
        for made in clients::create_all(rows) { csv::append("made.csv", #{id: made.client.client_id, secret: made.client.client_secret.reveal()}); }
        throw "up""#;
    let ran = program.args(&["eval", code]).fails(1, "gets what it has made by now");
    assert!(!ran.stderr.contains("secrets are kept"), "{ran}");
    let made = std::fs::read_to_string(program.home().join("made.csv")).unwrap();
    assert_eq!(made.lines().count(), 101);
    let (id, secret) = made.lines().last().unwrap().split_once(',').unwrap();
    assert!(server.accepts(&json!(id), &json!(secret)), "{made}");
}

#[test]
fn rows_are_put_below_those_of_a_file() {
    let program = anywhere();
    let code = r#"
        csv::append("l.csv", #{a: 1, b: "x,y"});
        csv::append("l.csv", [#{b: 2}, #{a: "z"}]);
        try { csv::append("l.csv", #{c: 1}) } catch (e) { print(e.message) }
        fs::read("l.csv")
    "#;
    let ran = program.args(&["eval", code]).ok();
    assert_eq!(ran.stdout, "row 1 has `c`, which is no column\na,b\n1,\"x,y\"\n,2\nz,\n\n");
    // Of a row that was cut off, the next one is no part.
    program.file("l.csv", "a,b\n1,2\n3,");
    program.args(&["eval", "csv::append(\"l.csv\", #{a: 5, b: 6})"]).ok();
    assert_eq!(std::fs::read_to_string(program.home().join("l.csv")).unwrap(), "a,b\n1,2\n3,\n5,6\n");
}

#[test]
fn a_file_is_written_where_a_link_leads_and_a_pipe_is_written_to() {
    let program = anywhere();
    program.file("real", "old");
    std::os::unix::fs::symlink("real", program.home().join("link")).unwrap();
    program.args(&["eval", "fs::write(\"link\", \"new\")"]).ok();
    assert!(program.home().join("link").is_symlink());
    assert_eq!(std::fs::read_to_string(program.home().join("real")).unwrap(), "new");
    assert_eq!(program.sh(&format!("{PROGRAM} eval 'fs::write(\"/dev/stdout\", \"piped\")' | cat")).stdout, "piped");
    assert_eq!(program.args(&["eval", "fs::write(\"-\", \"told\")"]).ok().stdout, "told");
    program.args(&["eval", "fs::write(\".\", \"x\")"]).fails(1, "is a folder");
    program.args(&["eval", "fs::write(\"none/x\", \"x\")"]).fails(1, "cannot write none/x:");
}

#[test]
fn a_secret_that_the_output_leaves_out_is_kept_and_told() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let mut kept = 0;
    for (line, code) in [
        ("-q", "clients::create(#{})"),
        ("--format jsonpath=client_id", "clients::create(#{})"),
        ("-q", "exit(0, clients::create(#{}))"),
        ("-q", "sh(\"create client\")"),
        ("-q", "clients::rotate_secret(clients::list().to_array()[0].client_id)"),
        ("--format table", "[1, clients::create(#{})].map(|it| #{it: it})"),
        ("--format json", "[[clients::create(#{})]]"),
        ("--format json", "#{c: clients::create(#{})}"),
    ] {
        let words: Vec<&str> = line.split(' ').chain(["eval", code]).collect();
        program.args(&words).ok().tells("kept in");
        kept += 1;
        assert_eq!(program.pending().len(), kept, "{line} {code}");
    }
    for (line, code) in
        [("--format json", "clients::create(#{})"), ("--format jsonl", "[#{a: 1}, clients::create(#{})]")]
    {
        let words: Vec<&str> = line.split(' ').chain(["eval", code]).collect();
        assert!(program.args(&words).ok().stdout.contains("client_secret"));
        assert_eq!(program.pending().len(), kept, "{line} {code}");
    }
    program.args(&["-q", "eval", "clients::create_all([#{}, #{}]).map(|row| row.client)"]).ok().tells("kept in run");
    assert_eq!(program.run("batch list -q").ok().stdout.lines().count(), 1);
}

#[test]
fn what_cannot_be_printed_ends_the_script_and_is_kept() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let run = |code: &str, to: &str| {
        program.file("s.rhai", code);
        program.sh(&format!("{PROGRAM} run s.rhai {to}"))
    };
    for (at, code) in [
        "let c = clients::create(#{}); print(c.client_secret.reveal());",
        "let c = clients::create(#{}); csv::write(\"-\", [#{s: c.client_secret.reveal()}]);",
    ]
    .iter()
    .enumerate()
    {
        run(code, "> /dev/full").fails(1, "cannot write what the script prints").tells("kept in");
        assert_eq!(program.pending().len(), at + 1, "{code}");
    }
    run("print(1)", "> /dev/full").fails(1, "cannot write");
    // Whoever has read enough ends it.
    run("loop { print(1) }", "| head -1 > first").ok();
    run("for i in 0..2000 { print(i); sleep(0.001) } fs::write(\"after\", \"x\")", "| head -1 > first").ok();
    assert!(!program.home().join("after").exists());
}

#[test]
fn what_is_gone_again_was_not_handed_over() {
    let (server, other) = (Sandbox::with("--hash-iterations 1"), Sandbox::with("--hash-iterations 1"));
    let program = orysh(&server);
    program.run(&format!("profile add other --endpoint {} --public-endpoint {}", other.admin, other.public)).ok();
    let program = program.with("ORY_SDK_URL", &server.admin);
    let mut kept = 0;
    for (code, unseen) in [
        ("fs::write(fs::temp() + \"/s\", clients::create(#{}).client_secret)", 1),
        ("for n in 0..3 { fs::write(\"s\", clients::create(#{}).client_secret) }", 2),
        ("fs::write(\"t\", clients::create(#{}).client_secret); fs::remove(\"t\")", 1),
        ("clients::create(#{}).client_secret.reveal().len()", 1),
        ("let c = clients::create(#{}); c.client_secret == \"x\"", 1),
        // The one that is deleted is another server's.
        (
            "session::with_profile(\"other\", || clients::create(#{client_id: \"mv\"})); clients::create(#{client_id: \"mv\"}); clients::delete(\"mv\"); 1",
            1,
        ),
    ] {
        program.args(&["eval", code]).ok().tells("neither shown nor written");
        kept += unseen;
        assert_eq!(program.pending().len(), kept, "{code}");
    }
    let code = "csv::write(\"b.csv\", [#{client_name: \"x\"}]); batch::create(\"b.csv\", #{out: fs::temp() + \"/made.csv\", secrets: \"plain\"})";
    program.args(&["eval", code]).fails(1, "would go with the folder");
    // Base64 of it, and what is shown of a map, are it as well.
    for code in [
        "fs::write(\"k.yaml\", yaml::text(#{data: base64::encode(clients::create(#{}).client_secret.reveal())}))",
        "#{secret: clients::create(#{}).client_secret.reveal()}",
        "[clients::create(#{}), clients::create(#{})].map(|c| #{id: c.client_id, secret: c.client_secret.reveal()})",
    ] {
        program.args(&["--format", "json", "eval", code]).ok();
        assert_eq!(program.pending().len(), kept, "{code}");
    }
}

#[test]
fn a_secret_stands_in_no_field_that_everybody_sees() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    for code in [
        "clients::create(#{client_name: s})",
        "clients::create(#{metadata: #{a: [s]}})",
        "clients::create(#{redirect_uris: [s]})",
        "clients::lint(#{redirect_uris: [s]})",
        "let c = clients::create(#{}); c.client_name = s; c",
        "clients::create_all([#{owner: s}])",
        "clients::apply([#{client_id: \"a\", owner: s}])",
    ] {
        let ran = program.args(&["eval", &format!("let s = \"canary-canary\".to_secret(); {code}")]);
        assert!(ran.code == Some(1) && !format!("{ran}").contains("canary-canary\n"), "{code}\n{ran}");
        ran.tells("is no secret, and what it is given is one");
    }
    // What stands for a secret is none.
    for code in [
        "let c = clients::create(#{}); clients::update(c.client_id, #{client_secret: `${c.client_secret}`})",
        "let c = clients::create(#{}); json::write(\"c.json\", c); clients::create(#{client_secret: json::read(\"c.json\").client_secret})",
        "let c = clients::create(#{}); sh(`update client ${c.client_id} --secret ${c.client_secret}`)",
    ] {
        program.args(&["eval", code]).fails(1, "what stands for a secret");
    }
}

#[test]
fn a_client_goes_back_to_where_it_was_read() {
    let (here, there) = (Sandbox::start(), Sandbox::start());
    for server in [&here, &there] {
        server.make(&json!({"client_id": "same", "owner": "a"}));
    }
    let program = orysh(&here);
    program.run(&format!("profile add there --endpoint {}", there.admin)).ok();
    let read = "let c = session::with_profile(\"there\", || clients::get(\"same\")); c.owner = \"b\";";
    program.args(&["eval", &format!("{read} clients::update(c)")]).fails(1, "was read from");
    assert_eq!(here.client("same")["owner"], "a");
    program.args(&["eval", &format!("{read} session::with_profile(\"there\", || clients::update(c)); 1")]).ok();
    assert_eq!(there.client("same")["owner"], "b");
    program.args(&["eval", "sh(\"profile use there\")"]).fails(1, "is not for scripts");
}

#[test]
fn a_folder_is_removed_where_nothing_is_in_it() {
    let program = anywhere();
    let code = r#"fs::make_folder("a"); fs::make_folder("b"); fs::write("b/x", ""); fs::remove("a"); fs::exists("a")"#;
    assert_eq!(program.args(&["eval", code]).ok().stdout, "false\n");
    program.args(&["eval", "fs::remove(\"b\")"]).fails(1, "cannot remove b");
    std::os::unix::fs::symlink("b", program.home().join("link")).unwrap();
    program.args(&["eval", "fs::remove(\"link\")"]).ok();
    assert!(program.home().join("b/x").exists() && !program.home().join("link").exists());
}

#[test]
fn a_secret_that_the_script_named_is_where_it_has_it_from() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = r#"clients::create(#{client_id: "a", client_secret: "a-secret-of-mine"}); throw "up""#;
    program.args(&["eval", code]).fails(1, "up");
    assert_eq!(program.pending().len(), 0);
}
