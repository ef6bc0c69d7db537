//! Rhai: the clients API, what it refuses, and how a script is stopped.

use std::fs;
use std::io::Read as _;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Orysh, PROGRAM, Ran, Sandbox, Stub, Terminal, anywhere, eventually, orysh};

fn eval(server: &Sandbox, code: &str) -> Ran {
    orysh(server).args(&["eval", code])
}

#[test]
fn a_for_over_the_list_may_delete_what_it_goes_through() {
    let server = Sandbox::of_many(1_200, "");
    let code = "let n = 0; for c in clients::list() { clients::delete(c.client_id); n += 1; } n";
    assert_eq!(eval(&server, code).quiet().stdout, "1200\n");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

#[test]
fn a_list_is_filtered_by_the_server() {
    let server = Sandbox::of_many(20, "");
    let code = r#"let ids = []; for c in clients::list(#{client_name: "client 7"}) { ids.push(c.client_id); } ids"#;
    assert_eq!(eval(&server, code).quiet().stdout.trim_end(), "c0007");
    eval(&server, r#"clients::list(#{client_nmae: "x"})"#).fails(1, "no filter `client_nmae`").tells("`client_name`");
}

#[test]
fn ctrl_c_ends_a_script_that_waits_for_a_slow_server() {
    let server = Sandbox::with("--latency 30s");
    let program = orysh(&server);
    let mut running = program.begin(r#"eval 'print("asking"); clients::get("x")'"#);
    let mut asking = [0; 7];
    running.stdout.as_mut().unwrap().read_exact(&mut asking).unwrap();
    assert_eq!(&asking, b"asking\n");
    // Long enough for the request to be on its way.
    thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    running.signal(Signal::INT);
    running.end().fails(130, "interrupted");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn ctrl_c_ends_a_script_that_computes_and_cannot_be_caught() {
    let program = anywhere();
    let mut running = program.begin(r#"--sandbox eval 'print("on"); loop { try { loop {} } catch { } }'"#);
    let mut on = [0; 3];
    running.stdout.as_mut().unwrap().read_exact(&mut on).unwrap();
    let began = Instant::now();
    running.signal(Signal::INT);
    running.end().fails(130, "interrupted");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn what_ends_a_script_is_not_replaced_by_what_it_throws() {
    let program = anywhere();
    for code in
        [r#"try { sleep(30) } catch { throw "mi" + "ne" }"#, r#"try { loop {} } catch (e) { throw "mi" + "ne" }"#]
    {
        let mut running = program.begin(&format!("--sandbox eval 'print(`on`); {code}'"));
        running.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
        thread::sleep(Duration::from_millis(200));
        let began = Instant::now();
        running.signal(Signal::INT);
        let ran = running.end();
        assert!(ran.code == Some(130) && !ran.stderr.contains("mine"), "{ran}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        let ran = program.args(&["eval", "--deadline", "300ms", code]).fails(1, "more than 300ms");
        assert!(!ran.stderr.contains("mine"), "{ran}");
    }
    let code = r#"let a = []; try { loop { a.push("0123456789".to_blob()); } } catch { throw "mi" + "ne" }"#;
    let ran = program.args(&["eval", "--memory", "20MiB", code]).fails(1, "memory");
    assert!(!ran.stderr.contains("mine"), "{ran}");
}

#[test]
fn calls_that_take_long_each_are_ended_as_well() {
    let program = anywhere();
    for code in [r#"loop { "".pad(20000000, "x"); }"#, "loop { blob(20000000, 7); }", "loop { [].pad(1000000, 0); }"] {
        let began = Instant::now();
        program.args(&["eval", "--deadline", "300ms", code]).fails(1, "more than 300ms");
        assert!(began.elapsed() < Duration::from_secs(5), "{code}: {:?}", began.elapsed());
    }
}

#[test]
fn what_one_call_would_take_is_told_as_it_is() {
    let program = anywhere();
    for (memory, code, told) in [
        // Rhai copies the text.
        ("512M", "let s = \"a\"; s.pad(299999999, \"b\")", "it would take 573 MiB of memory, more than a script may"),
        ("64M", "let s = \"a\"; s.pad(40000000, \"b\")", "it would take 77 MiB of memory, more than a script may"),
        ("512M", "blob(600000000)", "it would take 573 MiB of memory, more than a script may"),
        ("512M", "blob(300000000)", "it would take 287 MiB of memory, more than the 256 MiB of one call"),
    ] {
        program.args(&["eval", "--memory", memory, code]).fails(1, told);
    }
    let padded = |memory: &str, code: &str| program.args(&["eval", "--memory", memory, code]).ok().stdout;
    assert_eq!(padded("600M", "let s = \"a\"; s.pad(280000000, \"b\"); s.len()"), "280000000\n");
    assert_eq!(padded("64M", "let s = \"a\"; s.pad(30000000, \"b\"); s.len()"), "30000000\n");
    let code = "let s = \"é\"; s.pad(8, \"xyé\"); let t = \"\"; t.pad(3, \"abcdef\"); let u = \"\"; u.pad(200001, \"aé\"); [s, t, u.bytes, u.sub_string(199998)]";
    assert_eq!(padded("64M", code), "éxyéxyéx\nabc\n300001\naéa\n");
}

#[test]
fn ctrl_c_ends_tests_and_what_they_came_to_is_told() {
    let program = anywhere();
    program.file("t.rhai", "fn test_a() { clients::create(#{}); }\nfn test_b() { loop {} }\n");
    let running = program.begin("script test t.rhai");
    thread::sleep(Duration::from_secs(2));
    running.signal(Signal::INT);
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(ran.stdout.contains("passed") && ran.stderr.contains("test_b: t.rhai: it was interrupted"), "{ran}");
}

#[test]
fn what_is_started_to_ignore_a_signal_ignores_that_and_no_other() {
    let program = anywhere();
    let mut command = program.command("nohup");
    command.args([PROGRAM, "--sandbox", "eval", "print(`on`); loop {}"]);
    let mut running = program.start(&mut command);
    running.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    running.signal(Signal::HUP);
    thread::sleep(Duration::from_millis(300));
    assert!(running.is_running(), "nohup is there so that it goes on");
    running.signal(Signal::TERM);
    running.end().fails(130, "interrupted");
}

#[test]
fn a_name_is_what_stands_nearest() {
    for (code, due) in [
        (r#"const id = "keep"; let got = []; for id in ["junk"] { got.push(id); } got"#, "junk\n"),
        ("const N = 1; let n = 0; for (x, N) in [5, 6] { n += N; } n", "1\n"),
        (r#"const error = "old"; try { throw "new" } catch (error) { print(error) }"#, "new\n"),
        ("fn f(args) { args } f(1)", "1\n"),
        ("[1].map(|args| args)", "1\n"),
        ("fn f() { args.len() } f()", "0\n"),
    ] {
        assert_eq!(anywhere().args(&["eval", code]).quiet().stdout, due, "{code}");
    }
    anywhere().args(&["eval", "const C = #{a: 1}; C.a = 5"]).fails(1, "Cannot modify constant C");
}

#[test]
fn a_flag_may_decide_whether_anything_is_done() {
    let program = anywhere();
    let script = "//! @arg --verbose: bool  Tell each\nfn told() { args.verbose }\nfor n in [1, 2] {\n    if args.verbose { print(n) }\n}\ntold()";
    program.file("flag.rhai", script);
    assert_eq!(program.run("run flag.rhai").quiet().stdout, "false\n");
    assert_eq!(program.run("run flag.rhai --verbose").quiet().stdout, "1\n2\ntrue\n");
}

#[test]
fn a_script_that_was_changing_clients_says_that_nobody_reads_it_any_more() {
    let server = Sandbox::of_many(20, "");
    let program = orysh(&server);
    program.file(
        "s.rhai",
        "for c in clients::list() { clients::update(c.client_id, #{owner: \"o\"}); print(c.client_id); sleep(0.02); }",
    );
    let ran = program
        .sh("(orysh run s.rhai; echo code $? >&2) | head -1")
        .tells("code 1")
        .tells("cannot write what the script prints");
    assert_eq!(ran.stdout.lines().count(), 1, "{ran}");
    let changed = server.clients().iter().filter(|client| client["owner"] == "o").count();
    assert!(changed < 20, "{changed}");
    program.file("r.rhai", "for c in clients::list() { print(c.client_id); sleep(0.02); }");
    program.sh("(orysh run r.rhai; echo code $? >&2) | head -1").tells("code 0");
}

#[test]
fn a_call_of_one_s_own_function_that_does_not_fit_is_told_as_such() {
    for (code, told, hint) in [
        ("let f = |x| x; f.call()", "a closure takes 1 argument, and is called with 0", ""),
        ("fn fooo(x, y) { x } fooo(1)", "`fooo` takes 2 arguments, and is called with 1", ""),
        ("fn fooo(x) { x } foo(1)", "there is no function foo (int)", "did you mean `fooo`?"),
        ("#{if: 1}", "object map", "is quoted"),
        ("let m = #{}; m.if", "name of a property", "is quoted"),
        ("let a = 1; if (a = 2) {}", "Expecting ')'", "`==` compares"),
    ] {
        let ran = anywhere().args(&["--sandbox", "eval", code]);
        assert!(ran.code != Some(0) && ran.stderr.contains(told) && ran.stderr.contains(hint), "{code}: {ran}");
    }
}

#[test]
fn what_is_no_number_is_not_taken_for_less() {
    for (code, due) in [
        (
            r#"let n = json::parse("18446744073709551615"); [n > 5, n < 5, 5 < n, n >= n, n > 1.5, n == n]"#,
            "true\nfalse\ntrue\ntrue\ntrue\ntrue\n",
        ),
        (
            r#"json::text([time::duration("1500ms"), time::duration("90s"), time::duration("500ms")])"#,
            "[\"0h0m1.5s\",\"0h1m30s\",\"0h0m0.5s\"]\n",
        ),
    ] {
        assert_eq!(anywhere().args(&["eval", code]).quiet().stdout, due, "{code}");
    }
    for (code, told) in [
        (r#"time::duration("1h") > 5"#, "compared with what is none"),
        (r#"5.0 <= time::duration("1h")"#, "compared with what is none"),
        (r#"time::duration("1h") - time::duration("2h")"#, "no length of time"),
    ] {
        anywhere().args(&["eval", code]).fails(1, told);
    }
}

#[test]
fn an_error_in_an_imported_file_is_shown_where_it_stands() {
    let program = anywhere();
    program.file("lib/run.rhai", "let z = 1;\n\nlet q = z.nope();\n");
    program.file("lib/read.rhai", "let a = 1;\nlet b = try { 1 };\n");
    program.file("lib/two.rhai", "import \"run\" as r;\n");
    for (name, led, told) in [
        (
            "run",
            "lib/run.rhai: there is no function nope (int) (line 3, column 11)",
            " 3 | let q = z.nope();\n   |           ^\nimported at s.rhai, line 2, column 8",
        ),
        (
            "read",
            "lib/read.rhai: Unexpected 'try' (line 2, column 9)",
            " 2 | let b = try { 1 };\n   |         ^\nimported at s.rhai, line 2, column 8",
        ),
        (
            "two",
            "lib/run.rhai: there is no function nope (int) (line 3, column 11)",
            "imported at lib/two.rhai, line 1, column 8\nimported at s.rhai, line 2, column 8",
        ),
    ] {
        program.file("s.rhai", &format!("\nimport \"lib/{name}\" as l;\n"));
        program.run("run s.rhai").fails(1, led).tells(told);
        program.file(
            "s.rhai",
            &format!("try {{ import \"lib/{name}\" as l; }} catch (e) {{ print(e.position.line); }}\n"),
        );
        program.run("run s.rhai").ok();
    }
}

#[test]
fn nothing_is_done_with_what_was_cut_short() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("kept.txt", "old");
    for then in [
        "fs::write(\"kept.txt\", `${l}`)",
        "fs::write(\"kept.txt\", \"a\" + l)",
        "fs::write(\"kept.txt\", hash::sha256(`${l}`))",
        "json::write(\"kept.txt\", #{a: l.to_string()})",
        "clients::create(#{client_name: `${l}`})",
        "print(l)",
        "log::info(`${l}`)",
        "`${l}`",
    ] {
        let code =
            format!("let s = \"x\"; for i in 0..20 {{ s += s; }} let l = [s, s, s, s, s, s, s, s, s, s]; {then}");
        let ran = program.args(&["eval", "--memory", "8MiB", &code]).fails(1, "more than 8 MiB of memory");
        assert!(!ran.stderr.contains("xxxx"), "{then}");
    }
    assert_eq!(fs::read_to_string(program.home().join("kept.txt")).unwrap(), "old");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

#[test]
fn a_client_is_created_got_found_and_deleted() {
    let server = Sandbox::start();
    let code = r#"
        fn make(name) { clients::create(#{client_name: name, scope: "a b"}) }
        let made = make("x");
        let id = made.client_id;
        let got = clients::get(id);
        let found = clients::find(id) != ();
        clients::delete(id);
        [got.client_name, got.scope, got.grant_types[0], found, clients::find(id) == ()]
    "#;
    let ran = orysh(&server).args(&["eval", code, "--format", "json"]).quiet();
    assert!(ran.stdout.contains(r#""x","a b","authorization_code",true,true"#), "{ran}");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

#[test]
fn a_misspelt_field_is_named_with_its_place_and_nothing_is_sent() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program
        .args(&["eval", "fn f() { clients::create(#{client_nmae: \"x\"}) }\nf()"])
        .fails(1, "unknown field `client_nmae` (line 1, column 28)")
        .tells("did you mean `client_name`?");
    assert_eq!(server.clients(), Vec::<Value>::new());
    assert_eq!(program.pending().len(), 0);
    program
        .args(&["eval", "let c = clients::create(#{});\nc.client_nmae"])
        .fails(1, "a client has no field `client_nmae` (line 2, column ")
        .tells("did you mean `client_name`?");
}

#[test]
fn the_secrets_of_a_failed_script_are_kept() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.args(&["eval", "clients::create(#{}); throw \"up\""]).fails(1, "up").tells("state/pending");
    let kept = program.only_pending();
    assert!(server.accepts(&kept["client_id"], &kept["client_secret"]));
}

#[test]
fn an_api_error_can_be_caught_and_taken_apart() {
    let server = Sandbox::start();
    let code = r#"let told; try { clients::get("absent") } catch (e) { told = `${e.status} ${e.message.contains("absent")}`; } told"#;
    assert_eq!(eval(&server, code).quiet().stdout, "404 true\n");
    eval(&server, r#"clients::get("absent")"#).fails(1, "cannot get client `absent`").tells("(line 1, column ");
    eval(&server, r#"clients::get("..")"#).fails(1, "cannot be a client id");
}

#[test]
fn a_secret_is_shown_only_when_it_is_revealed() {
    let server = Sandbox::start();
    let code = r#"
        let c = clients::create(#{client_id: "c", client_secret: "s3cret-s3cret"});
        print(c.client_secret); print(`${c.client_secret}`); print("" + c.client_secret); print(c); debug(c.client_secret);
        print(c.to_map()); print([c.client_secret]);
    "#;
    let ran = eval(&server, code).ok();
    assert!(ran.stdout.matches("[REDACTED]").count() >= 5, "{ran}");
    assert!(!format!("{ran}").contains("s3cret-s3cret"), "{ran}");
    let code = r#"clients::create(#{client_id: "d", client_secret: "s3cret-s3cret"}).client_secret.reveal()"#;
    assert_eq!(eval(&server, code).quiet().stdout, "s3cret-s3cret\n");
}

#[test]
fn a_file_runs_with_its_arguments_and_so_does_stdin() {
    let server = Sandbox::start();
    let program = orysh(&server).input("clients::create(#{client_id: \"c\"}).client_id");
    program.file("s.rhai", "#!/usr/bin/env -S orysh run\nargs[0] + args.len()\n");
    assert_eq!(program.run("run s.rhai a --b").quiet().stdout, "a2\n");
    let made = program.run("-").ok();
    assert_eq!(made.stdout, "c\n");
    assert!(made.stderr.contains("neither shown nor written (1)"), "{made}");
    assert_eq!(program.pending().len(), 1);
    let program = program.input("clients::get(\"c\")");
    assert_eq!(program.run("- --format json").json()["client_id"], "c");
    program.file("all.rhai", "print(args); fn f(x) { x } f(args)");
    let ran = program.run("run all.rhai a 'b c'").quiet();
    assert_eq!(ran.stdout, "[\"a\", \"b c\"]\na\nb c\n");
    program.file("broken.rhai", "let x = 1;\nlet y = ;\n");
    program.run("run broken.rhai").fails(2, "broken.rhai").tells("line 2, column 9");
    program.run("run absent.rhai").fails(2, "cannot read the script absent.rhai");
}

#[test]
fn a_secret_that_was_seen_is_not_kept_and_one_that_was_not_is() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.args(&["eval", "print(clients::create(#{}).client_secret.reveal())"]).quiet();
    assert_eq!(program.pending().len(), 0);
    program.args(&["eval", "[clients::create(#{}), clients::create(#{})]"]).quiet();
    assert_eq!(program.pending().len(), 0);
    program.args(&["eval", "let c = clients::create(#{});"]).ok();
    assert_eq!(program.pending().len(), 1);
}

#[test]
fn rows_of_a_script_go_through_the_engine_of_batches() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = r#"
        let rows = []; for n in 0..300 { rows.push(#{client_id: `job-${n}`, metadata: #{n: n}}); }
        rows.push(#{client_id: "spa", token_endpoint_auth_method: "none"});
        clients::create(#{client_id: "job-7"});
        let made = clients::create_all(rows);
        print(made.filter(|row| row.outcome == "created").len());
        print(`${made[7].row} ${made[7].outcome} ${made[7].error.status} ${made[7].client == ()}`);
        made.filter(|row| row.client != ()).map(|row| row.client)
    "#;
    let ran = program.args(&["eval", code, "--format", "jsonl"]).ok();
    let mut lines = ran.stdout.lines();
    assert_eq!((lines.next(), lines.next()), (Some("300"), Some("8 conflict 409 true")), "{ran}");
    let made: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((made.len(), server.clients().len()), (300, 301));
    for client in &made[..20] {
        assert!(server.accepts(&client["client_id"], &client["client_secret"]), "{client}");
    }
    // All secrets were shown but that of the one that a script made before, which is kept.
    assert_eq!(program.run("batch list -q").ok().stdout, "");
    assert_eq!(program.pending().len(), 1);
    // Not shown, not revealed: the run stays.
    let ran = program.args(&["eval", r#"clients::create_all([#{client_id: "a"}, #{client_id: "b"}]).len()"#]).ok();
    assert_eq!(ran.stdout, "2\n");
    ran.tells("neither shown nor written (2)").tells("orysh batch results");
    for (id, secret) in program.secrets_of_runs() {
        assert!(server.accepts(&id.into(), &secret.into()));
    }
    let code = r#"for row in clients::create_all([#{client_name: "x"}]) { print(row.client.client_secret.reveal()); }"#;
    program.args(&["eval", code]).quiet();
    assert_eq!(program.run("batch list -q").ok().stdout.lines().count(), 1);
}

#[test]
fn rows_of_a_script_are_all_checked_before_anything_is_sent() {
    let server = Sandbox::start();
    for (code, told) in [
        (r#"clients::create_all([#{client_nmae: "x"}, #{}, 7])"#, "2 of 3 rows are wrong: nothing was sent"),
        (r#"clients::create_all([#{client_nmae: "x"}])"#, "row 1: unknown field `client_nmae`"),
        (r"clients::create_all([#{}, 7])", "row 2: a map of fields is due, not int"),
        (
            r#"clients::create_all([#{client_id: "a"}, #{}, #{client_id: "a"}])"#,
            "row 3: client `a` is in row 1 already",
        ),
        (r#"clients::create_all([#{}], #{rat: "300/min"})"#, "`clients::create_all` has no option `rat`"),
        (r#"clients::create_all([#{}], #{rate: "300"})"#, "300"),
        (r"clients::create_all([#{}], #{concurrency: 0})", "`concurrency` wants a number from 1"),
        (r"clients::create_all([#{}], #{no_lint: 1})", "`no_lint` wants true or false, not int"),
        (r#"clients::create_all([#{registration_access_token: "x"}])"#, "only the server sets"),
    ] {
        eval(&server, code).fails(1, told);
    }
    assert_eq!(server.clients().len(), 0);
    assert_eq!(eval(&server, "clients::create_all([])").quiet().stdout, "");
}

#[test]
fn rows_that_were_made_before_are_not_made_in_silence() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    // In the same script they are asked for once more.
    let twice = r#"let a = clients::create_all([#{owner: "x"}]); let b = clients::create_all([#{owner: "x"}]); for r in a + b { print(r.client.client_secret.reveal()); }"#;
    assert_eq!(program.args(&["eval", twice]).ok().stdout.lines().count(), 2);
    assert_eq!(server.clients().len(), 2);
    let shown = r#"for n in 0..2 { print(clients::create_all([#{owner: "y"}])[0].client.client_secret.reveal()); }"#;
    assert_eq!(program.args(&["eval", shown]).ok().stdout.lines().count(), 2);
    // By another text.
    let owner = |of: &str| format!(r#"print("{of}"); clients::create_all([#{{owner: "z"}}]).len()"#);
    for (of, is_made) in [("one", true), ("two", false), ("one", true)] {
        let ran = program.args(&["eval", &owner(of)]);
        let ran = if is_made { ran.ok() } else { ran.fails_after(1, "nobody has taken the secrets of its 1 clients") };
        assert_eq!(server.clients().len(), 5, "{of}: {ran}");
    }
}

#[test]
fn rows_of_which_one_was_changed_are_not_all_made_a_second_time() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let rows = |last: &str| program.file("in.csv", &format!("client_name\na\nb\n{last}\n"));
    program.file(
        "s.rhai",
        "clients::create_all(csv::read(\"in.csv\").to_array()); if !fs::exists(\"go\") { throw \"later\"; }",
    );
    rows("c");
    program.run("run s.rhai").fails(1, "later");
    assert_eq!(server.clients().len(), 3);
    rows("d");
    program.run("run s.rhai").fails(1, "2 of these rows are in run").tells("batch undo").tells("batch forget");
    rows("c\ne");
    program.run("run s.rhai").fails(1, "3 of these rows are in run");
    assert_eq!(server.clients().len(), 3);
    program.file("in.csv", "client_name\nother\n");
    program.run("run s.rhai").fails(1, "later").tells("nobody has taken the secrets of its 3 clients");
    rows("d");
    // By their names, as something of all of them was changed.
    let code =
        "clients::create_all(csv::read(\"in.csv\").to_array().map(|row| row + #{scope: \"read\"})); throw \"later\";";
    let before = fs::read_to_string(program.home().join("s.rhai")).unwrap();
    program.file("s.rhai", code);
    rows("c");
    program.run("run s.rhai").fails(1, "clients of the names of 3 of these rows are in run");
    // Under another name, or as a line of which a row was changed.
    program.file("in.csv", "client_name\na\nz\n");
    program.file("t.rhai", &before);
    program.run("run t.rhai").fails(1, "one of these rows is in run");
    let line = r#"clients::create_all([#{client_name: "b"}, #{client_name: "new"}])"#;
    program.args(&["eval", line]).fails(1, "one of these rows is in run");
    assert_eq!(server.clients().len(), 4);
    program.file("s.rhai", &before);
    rows("d");
    for run in program.run("batch list -q").ok().stdout.lines() {
        program.run(&format!("batch undo {run} --yes")).ok();
    }
    program.file("go", "");
    program.run("run --dry-run s.rhai").ok();
    program.run("run s.rhai").ok();
    assert_eq!(server.clients().len(), 3);
    // While it is made, and as lines of one shell.
    let slow = Sandbox::with("--hash-iterations 1 --latency 300ms");
    let there = orysh(&slow);
    let of = |scope: &str| {
        let rows = format!(
            "[\"m\", \"n\", \"o\", \"p\", \"q\", \"r\"].map(|name| #{{client_name: name, scope: \"{scope}\"}})"
        );
        format!("clients::create_all({rows}, #{{concurrency: 1}}).len()")
    };
    there.file("m.rhai", &of("x"));
    there.file("n.rhai", &of("x y"));
    let running = there.begin("run m.rhai");
    eventually("one is there", || (!slow.clients().is_empty()).then_some(()));
    there.run("run n.rhai").fails(1, "there already, or about to be");
    running.end().ok();
    there.args(&["eval", &of("z")]).fails(1, "clients of the names of 6 of these rows");
    assert_eq!(slow.clients().len(), 6);
    let shell = Sandbox::with("--hash-iterations 1");
    let line = "clients::create_all([#{client_name: \"s\"}]).len()";
    let ran = orysh(&shell).input(&format!("{line}\n{line}\n")).run("--keep-going");
    assert_eq!((ran.code, shell.clients().len()), (Some(3), 1), "{ran}");
    // A file of which a row was changed, as well.
    let server = Sandbox::with("--hash-iterations 1 --latency 300ms");
    let program = orysh(&server);
    program.file("b.csv", "client_name\na\nb\nc\nd\n");
    let begun = program.begin("batch create b.csv --concurrency 1");
    eventually("one is there", || (!server.clients().is_empty()).then_some(()));
    begun.signal(Signal::INT);
    begun.end();
    let made = server.clients().len();
    program.file("b.csv", "client_name\na\nb\nc\ne\n");
    program.run("batch create b.csv").fails(2, "of which").tells("--again");
    program.file("other.csv", "client_name\na\nb\nc\ne\n");
    program.run("batch create other.csv").fails(2, "of which").tells("--again");
    assert_eq!(server.clients().len(), made);
}

#[test]
fn a_script_writes_several_files_of_equal_rows() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file(
        "s.rhai",
        "for env in [\"dev\", \"prod\"] {\n    let made = clients::create_all([#{client_name: \"a\"}, #{client_name: \"b\"}]);\n    csv::write(`${env}.csv`, made.map(|r| #{id: r.client.client_id, secret: r.client.client_secret.reveal()}));\n}",
    );
    program.run("run s.rhai").quiet();
    assert_eq!(server.clients().len(), 4);
    assert_eq!(program.run("batch list -q").ok().stdout, "");
    for file in ["dev.csv", "prod.csv"] {
        for line in fs::read_to_string(program.home().join(file)).unwrap().lines().skip(1) {
            let (id, secret) = line.split_once(',').unwrap();
            assert!(server.accepts(&json!(id), &json!(secret)), "{line}");
        }
    }
}

#[test]
fn production_is_asked_about_however_a_script_writes_to_it() {
    let server = Sandbox::holding(&[json!({"client_id": "kept"})], "");
    let program = anywhere();
    program.run(&format!("profile add live --endpoint {} --production", server.admin)).ok();
    let url = format!("{}admin/clients/kept", server.admin.trim_end_matches('/').to_owned() + "/");
    let code = format!("http::delete(\"{url}\").status");
    program.args(&["eval", &code]).fails(2, "live is production");
    program.args(&["--sandbox", "eval", &code]).fails(2, "live is production");
    assert_eq!(server.clients().len(), 1);
    assert_eq!(program.args(&["eval", &format!("http::get(\"{url}\").status")]).ok().stdout, "200\n");
    program.args(&["eval", "--confirm", "live", &code]).ok();
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn what_became_of_rows_since_is_told() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    let rows = "clients::create_all([#{client_id: \"a\"}, #{client_id: \"b\"}])";
    program.file("s.rhai", &format!("{rows}.len()"));
    program.run("run s.rhai").ok();
    program.run("update client b --secret another-secret-0123").ok();
    let code = "for row in [ROWS] { print(if row.outcome == \"created\" { row.client.client_secret.reveal() } else { row.error.message }) }";
    program.file("s.rhai", &code.replace("[ROWS]", rows));
    let ran = program.run("run s.rhai").ok();
    let (first, second) = ran.stdout.trim_end().split_once('\n').unwrap();
    assert!(second.contains("has another secret by now"), "{ran}");
    assert!(server.accepts(&json!("a"), &json!(first)) && server.accepts(&json!("b"), &json!("another-secret-0123")));
}

#[test]
fn a_run_that_was_taken_back_in_part_is_neither_gone_on_with_nor_made_anew() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file("s.rhai", "clients::create_all([#{client_id: \"a\"}, #{client_id: \"b\"}]).len()");
    program.run("run s.rhai").ok();
    let run = program.run("batch list -q").ok().stdout;
    // Somebody changed one: it stays where the run is taken back.
    program.run("update client b --name changed").ok();
    program.run(&format!("batch undo {} --yes", run.trim()));
    assert_eq!(server.clients().len(), 1);
    program.run("run s.rhai").fails(1, "taken back in part").tells("batch undo").tells("batch forget");
    assert_eq!(server.clients().len(), 1);
}

#[test]
fn rows_of_a_script_that_is_interrupted_are_gone_on_with() {
    let server = Sandbox::with("--latency 100ms");
    let program = orysh(&server);
    program.file(
        "s.rhai",
        "let rows = []; for n in 0..200 { rows.push(#{client_id: `j${n}`}); } clients::create_all(rows)",
    );
    let running = program.begin("run s.rhai");
    eventually("a client is made", || server.clients().first().cloned());
    running.signal(Signal::INT);
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    ran.tells("go on with: orysh batch resume");
    let made = server.clients().len();
    assert!(made < 200, "{made}");
    // The same script goes on, and has what all of its rows came to.
    let ran = program.run("run s.rhai --format jsonl").ok().tells("is gone on with");
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), server.clients().len()), (200, 200), "{ran}");
    for (at, row) in rows.iter().enumerate() {
        let id = json!(format!("j{at}"));
        assert_eq!((&row["outcome"], &row["client"]["client_id"]), (&json!("created"), &id), "{row}");
    }
    // What differs in a secret alone is something else.
    let slow = Sandbox::with("--latency 300s");
    let there = orysh(&slow);
    let code = |secret| format!("clients::create_all([#{{owner: \"a\", client_secret: \"{secret}-0123\"}}])");
    let runs_of = |program: &Orysh| fs::read_dir(program.home().join("state/batch")).map_or(0, Iterator::count);
    for (secret, runs) in [("one", 1), ("two", 2)] {
        let running = there.begin(&format!("eval '{}'", code(secret)));
        eventually("the run is there", || (runs_of(&there) == runs).then_some(()));
        thread::sleep(Duration::from_millis(300));
        running.signal(Signal::INT);
        thread::sleep(Duration::from_millis(200));
        running.signal(Signal::INT);
        assert_eq!(running.end().code, Some(130), "{secret}");
    }
    let running = there.begin(&format!("eval '{}'", code("two")));
    thread::sleep(Duration::from_millis(500));
    running.signal(Signal::INT);
    // Requests that are under way are not waited for as long as their server takes.
    let began = Instant::now();
    assert_eq!(running.end().code, Some(130));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(runs_of(&there), 2);
}

#[test]
fn what_a_script_made_and_somebody_went_on_with_by_hand_is_the_scripts() {
    let server = Sandbox::with("--latency 100ms");
    let program = orysh(&server);
    let code = "let rows = []; for n in 0..120 { rows.push(#{client_name: `j${n}`}); } let done = clients::create_all(rows); csv::write(\"out.csv\", done.map(|row| #{id: row.client.client_id, secret: row.client.client_secret.reveal()}));";
    program.file("s.rhai", code);
    let running = program.begin("run s.rhai");
    eventually("a client is made", || server.clients().first().cloned());
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
    program.run("batch resume").ok();
    let before = server.clients().len();
    program.run("run s.rhai").ok().tells("is gone on with: 0 of 120 are left");
    assert_eq!((before, server.clients().len()), (120, 120));
    let text = fs::read_to_string(program.home().join("out.csv")).unwrap();
    assert_eq!(text.lines().count(), 121);
    for line in text.lines().skip(1).step_by(40) {
        let (id, secret) = line.split_once(',').unwrap();
        assert!(server.accepts(&json!(id), &json!(secret)), "{line}");
    }
    // It has them now: another run is another's.
    program.run("run s.rhai").ok();
    assert_eq!(server.clients().len(), 240);
}

#[test]
fn what_is_not_known_after_ctrl_c_is_told() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "--latency 1s");
    let program = orysh(&server);
    let running = program.begin(r#"eval 'clients::rotate_secret("a")'"#);
    thread::sleep(Duration::from_millis(1500));
    running.signal(Signal::INT);
    running.end().fails(130, "it is not known whether the secret of client `a` was rotated").tells("rotate again");
}

#[test]
fn a_client_that_could_not_be_applied_is_named() {
    let server = Sandbox::start();
    let code = r#"clients::apply([#{client_id: "a", redirect_uris: ["/x"]}], #{no_lint: true})[0].client_id"#;
    assert_eq!(eval(&server, code).stdout, "a\n");
    let ran = orysh(&server).args(&["eval", "-q", r#"[#{client_id: "a", n: 1}, #{client_id: "b"}]"#]).ok();
    assert_eq!(ran.stdout, "a\nb\n");
}

#[test]
fn every_example_of_the_api_runs() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let api = program.run("script api --format json").json();
    let api = api.as_array().unwrap();
    assert!(api.len() > 40, "only {} functions are told", api.len());
    for function in api {
        let example = function["example"].as_str().unwrap();
        let ran = program.args(&["eval", example]);
        assert_eq!(ran.code, Some(0), "{}: {example}\n{ran}", function["function"]);
        let name = function["function"].as_str().unwrap().split('(').next().unwrap();
        let is_operator = !name.contains("::");
        assert!(is_operator || example.contains(name), "{example} is no example of {name}");
    }
    program.run("script api csv::raed").fails(2, "`csv::read`");
}

#[test]
fn a_client_s_fields_are_changed_and_only_those_are_sent() {
    let server = Sandbox::with("--hash-iterations 1");
    let code = r#"
        let c = clients::create(#{client_id: "c", client_name: "before", metadata: #{big: 1}});
        clients::update("c", #{owner: "somebody else"});
        c.client_name = "after"; c.redirect_uris = ["https://a.example/cb"];
        clients::update(c).owner
    "#;
    assert_eq!(eval(&server, code).ok().stdout, "somebody else\n");
    let made = server.client("c");
    assert_eq!((&made["client_name"], &made["redirect_uris"][0]), (&"after".into(), &"https://a.example/cb".into()));
    for (code, told) in [
        ("let c = clients::get(\"c\"); c.client_nmae = 1", "`client_name`"),
        ("let c = clients::get(\"c\"); c.client_id = \"d\"", "`client_id` cannot be changed"),
        ("let c = clients::get(\"c\"); c.created_at = \"d\"", "`created_at` cannot be changed"),
        ("let c = clients::get(\"c\"); c.redirect_uris = 7", "redirect_uris"),
    ] {
        eval(&server, code).fails(1, told).tells("line 1");
    }
    let code = r#"let c = clients::get("c"); c.client_secret = "another-secret"; clients::update(c); clients::rotate_secret("c")"#;
    eval(&server, code).ok();
    assert!(server.accepts(&"c".into(), &"another-secret".into()));
}

#[test]
fn files_are_read_row_by_row_and_wrong_ones_are_told_with_their_place() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let rows: Vec<String> = (0..70_000).map(|n| format!("a{n},x")).collect();
    program.file("big.csv", &format!("id,name\n{}\nbroken\n", rows.join("\n")));
    let code = r#"let n = 0; for row in csv::read("big.csv") { n += 1; if row.id == "a10" { print(row.name) } } n"#;
    program.args(&["eval", code]).tells("big.csv: row 70001 (line 70002)").tells("(line 1, column ");
    let code = r#"let n = 0; for row in csv::read("big.csv") { n += 1; if n == 5 { break; } } n"#;
    assert_eq!(program.args(&["eval", code]).quiet().stdout, "5\n");
    program.file("twice.csv", "a,a\n1,2\n");
    program.file("x.jsonl", "{\"a\": 123456789012345678901234567890, \"b\": null}\n{\"a\": 2}\n{oops\n");
    let code = r#"for x in json::lines("x.jsonl") { print(json::text(x)) }"#;
    let ran = program.args(&["eval", code]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("x.jsonl, line 3"), "{ran}");
    assert_eq!(ran.stdout, "{\"a\":123456789012345678901234567890,\"b\":null}\n{\"a\":2}\n");
    for (code, told) in [
        ("csv::read(\"twice.csv\")", "column `a` is there twice"),
        ("csv::read(\"none.csv\")", "cannot open none.csv"),
        ("csv::read(\".\")", "is a folder"),
        ("json::read(\"twice.csv\")", "twice.csv"),
        ("fs::read(\"none\")", "cannot open none"),
        ("csv::write(\"y.csv\", [#{a: 1}, #{b: 1}])", "row 2 has `b`, which is no column"),
        ("csv::write(\"y.csv\", [1])", "row 1: a map is due"),
        ("base64::decode(\"?\")", "no base64"),
        ("time::parse(\"yesterday\")", "`yesterday` is no time"),
        ("time::duration(\"long\")", "`long` is no length of time"),
        ("url::parse(\"nowhere\")", "`nowhere` is no address"),
        ("cvs::read(\"x\")", "`csv`"),
        ("csv::raed(\"x\")", "`csv::read`"),
        ("sh(\"create nothing\")", "nothing"),
        ("sh(\"run x.rhai\")", "is not for scripts"),
        ("sh(\"list 'clients\")", "quote"),
    ] {
        let ran = program.args(&["eval", code]);
        assert!([Some(1), Some(2)].contains(&ran.code), "{code}\n{ran}");
        ran.tells(told);
    }
    assert!(!program.home().join("y.csv").exists());
}

#[test]
fn a_secret_shows_as_redacted_wherever_a_value_becomes_text() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = r#"
        let c = clients::create(#{client_id: "c", client_secret: "s3cret-s3cret"});
        let s = c.client_secret;
        print(json::text(s)); print(json::pretty(#{s: s})); print(yaml::text([s])); print(csv::text([#{s: s}]));
        print(json::text(c)); print(yaml::text(c)); print(`${#{s: s}}`); print([s].to_string()); debug(#{s: [s]});
        json::write("a.json", c); yaml::write("a.yaml", s); csv::write("a.csv", [#{s: s}]); json::write_lines("a.jsonl", [c]);
        print(fs::read("a.json") + fs::read("a.yaml") + fs::read("a.csv") + fs::read("a.jsonl"));
        try { throw s } catch (e) { print(e) }
        #{s: s, all: [s]}
    "#;
    let ran = program.args(&["eval", code]).ok();
    assert!(ran.stdout.matches("[REDACTED]").count() >= 15, "{ran}");
    assert!(!format!("{ran}").contains("s3cret-s3cret"), "{ran}");
    // What is asked for by name is written, for its owner alone.
    program.args(&["eval", r#"fs::write("s", clients::create(#{client_secret: "s3cret-s3cret"}).client_secret)"#]).ok();
    assert_eq!(fs::read_to_string(program.home().join("s")).unwrap(), "s3cret-s3cret");
}

#[test]
fn a_command_in_a_script_gives_its_value() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = r#"
        let c = sh("create oauth2-client --id c --name 'a b'");
        print(c.client_name); print(sh("list clients").len()); print(sh("get client c").client_id);
        try { sh("get client nobody") } catch (e) { print(e.status) }
        sh("delete client c --yes"); sh("list clients").len()
    "#;
    let ran = program.args(&["eval", code]).ok();
    assert_eq!(ran.stdout, "a b\n1\nc\n404\n0\n");
    // Its secret was neither shown nor written.
    program.args(&["eval", r#"let c = sh("create client --id d");"#]).ok().tells("neither shown nor written (1)");
    assert_eq!(program.pending().len(), 2);
}

#[test]
fn a_deadline_ends_whatever_a_script_does() {
    let server = Sandbox::with("--latency 30s");
    let program = orysh(&server);
    for code in [
        "loop {}",
        "sleep(60)",
        "clients::get(\"x\")",
        "for c in clients::list() { print(1) }",
        "fn f() { loop { try { sleep(60) } catch {} } } f()",
    ] {
        let began = Instant::now();
        program.args(&["eval", "--deadline", "500ms", code]).fails(1, "it took more than 500ms");
        assert!(began.elapsed() < Duration::from_secs(5), "{code}");
    }
    program.file("s.rhai", "print(1)");
    assert_eq!(program.run("run --deadline 1m s.rhai").quiet().stdout, "1\n");
    program.run("run --deadline soon s.rhai").fails(2, "--deadline: `soon` is no length of time");
}

#[test]
fn a_script_ends_with_the_exit_code_that_it_names() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    for (code, exit) in [("exit(7); print(1)", 7), ("exit()", 0), ("fn f() { try { exit(3) } catch {} } f(); 1", 3)] {
        let ran = program.args(&["eval", code]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(exit), "", ""), "{code}");
    }
    program.args(&["eval", "exit(256)"]).fails(1, "from 0 to 255");
    let ran = program.args(&["eval", "clients::create(#{}); exit(4)"]);
    assert_eq!(ran.code, Some(4));
    ran.tells("neither shown nor written (1)");
}

#[test]
fn an_error_shows_its_line_and_the_calls_that_led_there() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("e.rhai", "fn inner(id) {\n    clients::get(id)\n}\nfn outer(x) { inner(x) }\nouter(\"7\");\n");
    let ran = program.run("run e.rhai").fails(1, "(line 2, column 14)");
    let shown = " 2 |     clients::get(id)\n   |              ^\ncalled as `inner` at line 4, column 15\ncalled as `outer` at line 5, column 1\n";
    assert!(ran.stderr.contains(shown), "{ran}");
    for (code, hint) in [
        ("let y = 1; fn f() { y } f()", "hand them over as arguments"),
        ("let x = 1; if x = 1 { 2 }", "`==` compares"),
        ("if 1 = 2 { 3 }", "`==` compares"),
        ("let m = #{new: 1}", "#{\"new\": 1}"),
        ("let a = try { 1 } catch { 2 };", "`try` is no value"),
        ("const A = 1; A = 2", "`let` makes what can be changed"),
        ("let a = \"abc", "between backticks"),
    ] {
        eval(&server, code).fails(2, hint).tells(" 1 | ");
    }
}

#[test]
fn of_a_line_that_may_hold_a_secret_its_texts_and_numbers_are_not_shown() {
    let program = anywhere();
    for (code, told) in [
        (
            r#"clients::create(#{client_secret: "s3cret-s3cret", client_nmae: 1})"#,
            " 1 | clients::create(#{client_secret: \"…\", client_nmae: …})\n   |                                       ^",
        ),
        (
            r#"let token = "a\"s3cret"; nofn('x', 53, token); // s3cret"#,
            " 1 | let token = \"…\"; nofn('…', …, token); // …\n",
        ),
        (r#"nofn("", "s3cret", "token")"#, " 1 | nofn(\"\", \"…\", \"…\")\n   | ^"),
        ("let token = `a ${ `s3cret` } s3cret`; nofn(1)", " 1 | let token = `…${ `…` }…`; nofn(…)\n"),
        ("let token = #\"a \"s3cret\" b\"#; nofn(1)", " 1 | let token = #\"…\"#; nofn(…)\n"),
        ("let token = \"abc \\\n s3cret token \\\n token\"; nofn(1)", " 3 | …\"; nofn(…)\n"),
        ("let x = `\n token s3cret`; nofn(1)", " 2 | …`; nofn(…)\n"),
        ("let client_secret = if true {\n let n = 1;\n \"s3cret\" - n\n};", " 3 |  \"…\" - n\n"),
        ("let privateKey = // a;\n \"s3cret\" - 1;", " 2 |  \"…\" - …;\n"),
    ] {
        let ran = program.args(&["--sandbox", "eval", code]);
        assert!(ran.code == Some(1) && !ran.stderr.contains("s3cret"), "{ran}");
        assert!(ran.stderr.contains(told), "{told}: {ran}");
    }
}

#[test]
fn a_script_that_is_started_by_its_first_line_can_be_imported() {
    let program = anywhere();
    program.file("lib.rhai", "#!/usr/bin/env -S orysh run\nfn f() { 7 }\n");
    program.file("main.rhai", "#!/usr/bin/env -S orysh run\nimport \"lib\" as l;\nl::f()\n");
    assert_eq!(program.run("run main.rhai").quiet().stdout, "7\n");
    program.run("script check main.rhai").ok();
}

#[test]
fn a_script_is_not_empty_and_what_cannot_be_read_hides_nothing() {
    let program = anywhere();
    program.file("empty.rhai", "\n");
    program.file("wrong.rhai", "let r = [#{a: 1}]; r[0].a; \"a\".nofn2();\n");
    program.run("run empty.rhai").fails(2, "the script empty.rhai is empty");
    program.run("run /dev/null").fails(2, "is empty");
    let ran = program.run("script check empty.rhai none.rhai wrong.rhai");
    assert_eq!(ran.code, Some(2), "{ran}");
    ran.tells("is empty").tells("none.rhai").tells("there is no function `nofn2`");
    program.file("long.yaml", "a: 1\nb: 2\nc: d: e\n");
    program.args(&["eval", "yaml::read(\"long.yaml\")"]).fails(1, "long.yaml, line 3, column 5");
}

#[test]
fn one_mistake_does_not_hide_another_and_imported_functions_are_told_of() {
    let program = anywhere();
    program.file("many.rhai", "nope::a(1);\nlet b = bad::b();\nclients::creat(#{});\n");
    let ran = program.run("script check many.rhai").fails(1, "there is no module `nope` (line 1, column 1)");
    ran.tells("there is no module `bad` (line 2").tells("did you mean `create`?");
    let code = "for row in clients::create_all([#{}]) { print(row.outcom) }\n";
    program.file("rows.rhai", code);
    program.run("script check rows.rhai").fails(1, "has no `outcom`").tells("did you mean `outcome`?");
    let code =
        "let r = clients::create_all([#{}]);\nprint(r[0].outcom);\nfor x in clients::apply([#{}]) { print(x.acton) }\n";
    program.file("rows.rhai", code);
    program.run("script check rows.rhai").fails(1, "has no `outcom` (line 2").tells("has no `acton` (line 3");
    let code = "let cs = clients::list().to_array();\nprint(cs.filter(|c| c.ownr == 1).map(|c| c.client_nmae));\nlet fine = [1]; fine.map(|c| c.nothing);\n";
    program.file("lists.rhai", code);
    let ran = program.run("script check lists.rhai").fails(1, "no field `ownr` (line 2");
    assert!(!ran.stderr.contains("nothing"), "{ran}");
    ran.tells("no field `client_nmae` (line 2");
    program.file("lib.rhai", "fn greet(name) { name }\nprivate fn own() { 1 }\n");
    for (call, told) in [
        ("l::gret(1)", "did you mean `greet`?"),
        ("l::greet()", "`l::greet` takes 1 argument, and is called with 0"),
        ("l::own()", "`l::own` is private there"),
    ] {
        program.file("main.rhai", &format!("import \"lib\" as l;\n{call}\n"));
        program.run("run main.rhai").fails(1, told).tells("main.rhai: ").tells("(line 2, column 4)");
        program.run("script check main.rhai").fails(1, told).tells("(line 2, column 4)");
    }
}

#[test]
fn a_script_declares_its_arguments() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("x.csv", "a\n1\n");
    program.file(
        "s.rhai",
        "#!/usr/bin/env -S orysh run\n//! Does something.\n//!\n//! @arg file: file The CSV\n//! @arg --count: number = 10 How many\n//! @arg --force: bool\n\nprint(args.file); print(args.count + 1); args.force\n",
    );
    for line in ["run s.rhai --help", "run --deadline 1m s.rhai --help", "run s.rhai x.csv -h"] {
        let help = program.run(line).quiet().stdout;
        assert!(
            help.contains("Does something.") && help.contains("--count <COUNT>") && help.contains("How many"),
            "{help}"
        );
        assert!(help.contains("Usage: orysh run s.rhai"), "{help}");
    }
    assert_eq!(program.run("run s.rhai x.csv").quiet().stdout, "x.csv\n11\nfalse\n");
    assert_eq!(program.run("run s.rhai x.csv --count 1 --force").quiet().stdout, "x.csv\n2\ntrue\n");
    assert_eq!(program.run("run s.rhai --format json -- --count=-3 x.csv").quiet().stdout, "x.csv\n-2\nfalse\n");
    for (words, told) in [
        ("", "FILE"),
        ("none.csv", "there is no such file"),
        ("x.csv --cuont 1", "--cuont"),
        ("x.csv --count many", "many"),
        ("x.csv more", "more"),
    ] {
        program.run(&format!("run s.rhai {words}")).fails(2, told).tells("orysh run s.rhai --help");
    }
    // Flags of its own are its own, wherever they stand.
    program.file(
        "own.rhai",
        "//! @arg --profile: text W\n//! @arg --yes: bool\n//! @arg [id]: text I\nprint(args.profile); print(args.yes)",
    );
    for line in ["run own.rhai --profile there --yes x", "run own.rhai x --yes --profile there"] {
        assert_eq!(program.run(line).quiet().stdout, "there\ntrue\n", "{line}");
    }
    program.run("run own.rhai x --dry-run").fails(2, "--dry-run").tells("flags of orysh stand before the file");
    assert!(program.run("--format json run own.rhai --help").quiet().stdout.contains("--profile"));
    // Of a script that declares nothing it is not certain whose they are.
    program.file("any.rhai", "print(session::is_dry_run()); print(args)");
    assert_eq!(program.run("run any.rhai --dry-run x").quiet().stdout, "true\n[\"x\"]\n");
    program.run("run any.rhai x --dry-run").fails(2, "it is not certain whose it is");
    assert_eq!(program.run("run any.rhai -- x --dry-run").quiet().stdout, "false\n[\"x\", \"--dry-run\"]\n");
    for (declared, told) in [
        ("//! @arg env: text = \"dev\" Which\n//! @arg file: text The file", "stands behind one that may be left out"),
        ("//! @arg [a]: text\n//! @arg b: text", "stands behind one that may be left out"),
        ("//! @arg ids...: text\n//! @arg b: text", "takes all"),
        ("//! @arg ---x: text", "is no argument"),
        ("//! @arg --a-b: text\n//! @arg --a_b: text", "twice"),
        ("//! @arg --b: bool = true", "has no default"),
    ] {
        program.file("w.rhai", declared);
        program.run("run w.rhai").fails(2, told).tells("line");
    }
    program.file("t.rhai", "//! @arg file: fiel\n1");
    program.run("run t.rhai").fails(2, "did you mean `file`").tells("line 1");
    assert!(program.run("run --help").quiet().stdout.contains("--deadline"));
}

#[test]
fn what_a_script_declares_stands_before_its_code_whatever_else_does() {
    let program = anywhere();
    let script = "#!/usr/bin/env -S orysh run\n// SPDX-License-Identifier: Apache-2.0\n//! Does something.\n\n// It takes one.\n//! @arg name: text N\nprint(args.name)";
    program.file("s.rhai", script);
    assert!(program.run("run s.rhai --help").quiet().stdout.contains("<NAME>"));
    assert_eq!(program.run("run s.rhai a").quiet().stdout, "a\n");
    program.run("run s.rhai a b").fails(2, "unexpected argument 'b'");
    program.run("script check s.rhai").ok();
    program.file("late.rhai", "print(1);\n\n//! @arg name: text N\n");
    program.run("script check late.rhai").fails(1, "declares nothing behind code (line 3, column 1)");
    program.run("run late.rhai").fails(2, "declares nothing behind code (line 3, column 1)");
}

#[test]
fn what_was_meant_to_declare_something_is_told() {
    let program = anywhere();
    program.file("agr.rhai", "//! Does something.\n//! @agr name: text N\nprint(args)");
    for line in ["run agr.rhai a", "run agr.rhai --help"] {
        program.run(line).fails(2, "`@agr` declares nothing (line 2, column 1)").tells("did you mean `@arg`?");
    }
    program.run("script check agr.rhai").fails(1, "(line 2, column 1)").tells("did you mean `@arg`?");
    for (comment, place) in [
        ("// @arg name: text N", "line 2, column 4"),
        ("/// @arg name: text N", "line 2, column 5"),
        ("/*! @arg name: text N */", "line 2, column 5"),
        ("/**\n * @arg name: text N\n */", "line 3, column 4"),
    ] {
        program.file("other.rhai", &format!("//! Does something.\n{comment}\nprint(args)"));
        let ran = program.run("run other.rhai a").ok().tells(place);
        assert!(ran.stdout.contains("[\"a\"]") && ran.stderr.contains("`//! @arg name: text`"), "{comment}: {ran}");
        program.run("script check other.rhai").fails(1, place);
    }
    program.file("out.rhai", "// //! @arg name: text N\nprint(1)");
    program.run("run out.rhai").quiet();
    program.run("script check out.rhai").ok();
}

#[test]
fn whole_numbers_of_any_size_are_reckoned_with_or_refused() {
    const EXTREMES: [&str; 6] = ["-9223372036854775808", "-1", "0", "1", "64", "9223372036854775807"];
    let pairs: Vec<_> = EXTREMES.iter().flat_map(|a| EXTREMES.map(|b| (a, b))).collect();
    let tried = |operator: &str| {
        let each = |(a, b): &(&&str, &str)| {
            format!("try {{ {a} {operator} {b} }} catch {{ }}\ntry {{ let a = {a}; a {operator}= {b}; }} catch {{ }}\n")
        };
        pairs.iter().map(each).collect::<String>()
    };
    let script = ["+", "-", "*", "/", "%", "**", "<<", ">>"].map(tried).concat();
    let program = anywhere();
    program.file("s.rhai", &script);
    program.run("run s.rhai").ok();
    program.args(&["eval", "-9223372036854775808 / -1"]).fails(1, "overflow");
    program.args(&["eval", "let d = time::duration(\"1d\"); d * -9223372036854775808"]).fails(1, "no length of time");
}

#[test]
fn a_script_imports_what_is_in_its_folder_and_nothing_else() {
    let server = Sandbox::start();
    let program = orysh(&server);
    for folder in ["s", "s/lib"] {
        fs::create_dir(program.home().join(folder)).unwrap();
    }
    program.file("secret.rhai", "fn f() { 1 }");
    program.file(
        "s/lib/names.rhai",
        "import \"deep\" as deep; fn of(n) { deep::twice(n) } fn fails() { clients::get(\"nobody\") }",
    );
    program.file("s/lib/deep.rhai", "fn twice(n) { n + n }");
    program.file("s/round.rhai", "import \"round\" as round;");
    program.file("s/broken.rhai", "let x = 1;\nfn f( {");
    std::os::unix::fs::symlink(program.home().join("secret.rhai"), program.home().join("s/link.rhai")).unwrap();
    program.file("s/main.rhai", "import \"lib/names\" as names; names::of(\"a\")");
    assert_eq!(program.run("run s/main.rhai").quiet().stdout, "aa\n");
    let secret = program.home().join("secret.rhai").display().to_string();
    for (path, told) in [
        ("../secret", "outside of the script's folder"),
        (secret.as_str(), "outside of the script's folder"),
        ("link", "outside of the script's folder"),
        ("lib/../../secret", "outside of the script's folder"),
        ("none", "cannot import `none`"),
        ("round", "imports itself"),
        ("broken", "broken.rhai"),
    ] {
        program.file("s/wrong.rhai", &format!("let a = 1;\nimport \"{path}\" as x;"));
        program.run("run s/wrong.rhai").fails(1, told);
    }
    program.file("s/fails.rhai", "import \"lib/names\" as names;\nnames::fails()");
    program.run("run s/fails.rhai").fails(1, "cannot get client `nobody`");
}

#[test]
fn a_script_talks_to_other_servers_and_to_people() {
    let server = Sandbox::start();
    let program = orysh(&server).with("PROBE", &server.admin);
    let code = r#"
        let admin = env::get("PROBE");
        let made = http::post(admin + "/admin/clients", #{client_id: "h"});
        print(`${made.status} ${made.json.client_id}`);
        print(http::get(admin + "/admin/clients/h", #{headers: #{accept: "application/json"}}).json.client_id);
        print(http::delete(admin + "/admin/clients/h").status);
        print(http::get(admin + "/admin/clients/h").status);
        log::info("told"); log::warn("warned"); log::error("wrong"); ui::table([#{a: 1, b: "x"}]);
    "#;
    let ran = program.args(&["eval", code]).ok();
    assert!(ran.stdout.starts_with("201 h\nh\n204\n404\n"), "{ran}");
    let ran = ran.tells("note: told").tells("warning: warned").tells("error: wrong");
    assert!(ran.stdout.contains('x'), "{ran}");
    for (code, told) in [
        ("http::get(\"ftp://x\")", "is no address of http or https"),
        ("http::get(\"http://127.0.0.1:1\", #{header: 1})", "no option `header`"),
        ("http::get(\"http://127.0.0.1:1\", #{headers: #{\"a b\": 1}})", "`a b` is no header"),
        ("http::get(\"http://127.0.0.1:1\")", "GET http://127.0.0.1:1"),
        ("regex::is_match(\"(\", \"x\")", "the pattern is wrong"),
        ("ui::confirm(\"Go on?\")", "nobody can be asked"),
        ("pgp::encrypt(\"x\", \"@none.asc\")", "none.asc"),
    ] {
        let ran = program.args(&["eval", code]);
        assert_eq!(ran.code, Some(1), "{code}\n{ran}");
        ran.tells(told);
    }
    assert_eq!(program.args(&["eval", "ui::confirm(\"Go on?\")", "--yes"]).quiet().stdout, "true\n");
}

#[test]
fn what_a_script_needs_is_tried_before_it_runs() {
    let program = anywhere();
    program.file(
        "s.rhai",
        "//! Lists what it is given,\n//! over two lines.\n//!\n//!     kept as it is\n//!\n//! @arg [ids...]: text Which\n//! @arg --out: output = out.csv Where\nprint(args.ids); print(args.out)",
    );
    assert_eq!(program.run("run s.rhai").ok().stdout, "[]\nout.csv\n");
    assert_eq!(program.run("run s.rhai a b --out x.csv").ok().stdout, "[\"a\", \"b\"]\nx.csv\n");
    program.run("run s.rhai --out none/x.csv").fails(2, "there is no folder none");
    program.run("run s.rhai --out .").fails(2, "it is a folder");
    let help = program.run("run s.rhai --help").ok().stdout;
    assert!(help.contains("Lists what it is given, over two lines.\n") && help.contains("    kept as it is"), "{help}");
}

#[test]
fn a_script_ends_with_a_code_and_a_result() {
    let program = anywhere();
    let ran = program.args(&["eval", "--format", "json", "fn f() { exit(3, #{risky: 2}) } f()"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), "{\"risky\":2}\n"), "{ran}");
    let ran = program.args(&["eval", "--format", "jsonl", "exit(4, [1, 2]); 5"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), "1\n2\n"), "{ran}");
    let ran = program.args(&["eval", "exit(0, \"x\"); 5"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "x\n"), "{ran}");
    program.args(&["eval", "exit(256)"]).fails(1, "from 0 to 255");
    program.args(&["eval", "exit(#{a: 1})"]).fails(1, "an exit code is a number, not map");
}

#[test]
fn errors_that_rhai_hides_are_told() {
    let program = anywhere();
    program.args(&["eval", "let l = [2, 1]; l.sort(|a, b| b.nope - a.nope); l"]).fails(1, "nope");
    program.args(&["eval", "let l = [2, 1]; l.sort(|a, b| \"x\"); l"]).fails(1, "a number or a bool, not string");
    let ran = program.args(&["eval", "--format", "jsonl", "let l = [3, 1, 2]; l.sort(|a, b| a - b); l"]).ok();
    assert_eq!(ran.stdout, "1\n2\n3\n");
    // Answers that contradict each other.
    program.args(&["eval", "let l = []; for n in 0..100 { l.push(n); } l.sort(|a, b| 1); l.len()"]).quiet();
    let race = "let m = #{a: 1}; m.keys().filter(|k| m[k] == 1)";
    program.args(&["eval", race]).fails(1, "Data race").tells("give that one another name");
    program.args(&["eval", "throw \"no key for alice\""]).fails(1, "eval: no key for alice (line 1, column 1)");
}

#[test]
fn what_is_asked_of_a_closure_is_true_or_false() {
    let program = anywhere();
    let eval = |code: &str| program.args(&["eval", "--format", "json", code]);
    for (code, shown) in [
        ("[1, 2].filter(|x| x == 1)", "[1]"),
        ("[1, 2].filter(|x, at| at == 1)", "[2]"),
        ("[1, 2].filter(|| this == 2)", "[2]"),
        ("let k = 2; [1, 2].filter(|x| x == k)", "[2]"),
        ("let l = [1, 2, 3]; [l.drain(|x| x > 1), l]", "[[2,3],[1]]"),
        ("let l = [1, 2, 3]; [l.retain(|x| x > 1), l]", "[[1],[2,3]]"),
        ("[1, 2, 3].find(|x| x > 1)", "2"),
        ("[3, 2, 3].find(|x| x > 2, 1)", "3"),
        ("[1, 2, 3].find(|x| x > 3) == ()", "true"),
        ("[3, 2, 3].index_of(|x| x > 2, -2)", "2"),
        ("[[1, 2].some(|x| x > 1), [1, 2].all(|x| x > 1), [].all(|x| x), [].some(|x| x)]", "[true,false,true,false]"),
        ("#{a: 1, b: 2}.filter(|k| this == 2)", r#"{"b":2}"#),
        ("let m = #{a: 1, b: 2}; [m.retain(|k, v| v == 2), m]", r#"[{"a":1},{"b":2}]"#),
        ("let m = #{a: 1, b: 2}; [m.drain(|k, v| v == 2), m]", r#"[{"b":2},{"a":1}]"#),
    ] {
        assert_eq!(eval(code).ok().stdout.trim_end().replace('\n', ""), shown, "{code}");
    }
    for what in ["filter", "retain", "drain", "some", "all", "find", "index_of"] {
        eval(&format!("[1].{what}(|x| x)")).fails(1, &format!("the closure of `{what}` gives int, neither true"));
    }
    eval("#{a: 1}.filter(|k, v| ())").fails(1, "gives nothing, neither true");
    eval("[1].filter(|x| nofn(x))").fails(1, "there is no function nofn (int)");
}

#[test]
fn what_the_language_has_is_told_by_its_forms() {
    let program = anywhere();
    let fails = |code: &str, wrong: &str| program.args(&["eval", code]).fails(1, wrong);
    fails("\"abc\".sub_string(\"x\")", "does not take these arguments: sub_string (string, string)")
        .tells("it takes sub_string(string, int), sub_string(string, range)");
    fails("[1].push()", "does not take").tells("it takes push(array, any)\n");
    fails("\"a\".to_secret() + 1", "`+` cannot be used with Secret and int");
    fails("[1].foo", "there is no `foo` in a value of the type array");
    fails("#{a: 1}.foo", "the map has no `foo`").tells("map.get(\"foo\")");
    fails("let l = [1]; l[\"x\"]", "Data type incorrect: string (expecting int)");
    fails("sleep(-1)", "-1 seconds are no length of time");
    fails("sleep(0.0 / 0.0)", "NaN seconds are no length of time");
    fails("throw ()", "the script throws ()");
    let said = fails("let l = []; l.pad(100000, 1); throw l", "(200001 characters in all)");
    assert!(said.stderr.len() < 10_000, "{}", said.stderr.len());
    let caught = "let s = []; try { [1].push() } catch (e) { s = [e.message, e.hint] } s";
    let ran = program.args(&["eval", caught]).ok();
    assert_eq!(ran.stdout, "`push` does not take these arguments: push (array)\nit takes push(array, any)\n");
    // Numbers of more than 64 bits would be rounded.
    for code in ["12345678901234567890", "1..12345678901234567890", "[-9_999_999_999_999_999_999]"] {
        program.args(&["eval", code]).fails(2, "more than 64 bits").tells("json::parse(");
    }
    let ran = program.args(&["eval", "[1.5e300, 1e30, 9223372036854775807].len()"]).ok();
    assert_eq!(ran.stdout, "3\n");
    program.args(&["eval", "return try { 1 } catch { 2 }"]).fails(2, "").tells("`try` is no value");
    assert_eq!(program.args(&["eval", "#!/usr/bin/env -S orysh run\n1 + 1"]).ok().stdout, "2\n");
    program.args(&["eval", "sh(\"help\")"]).fails(1, "`help` is not for scripts");
}

#[test]
fn a_client_is_like_a_map() {
    let server = Sandbox::with("--hash-iterations 1");
    let code = r#"let c = clients::create(#{client_id: "a", owner: "ops"}); let k = c.keys();
        let last = k.filter(|k| k == "owner").map(|k| c[k]);
        [type_of(k[0]), "owner" in k, c.len() == k.len(), c.values().len() == k.len(), c.get("owner"), c.get("nothing") == (), last[0]]"#;
    let ran = orysh(&server).args(&["eval", "--format", "jsonl", code]).ok();
    assert_eq!(ran.stdout, "\"string\"\ntrue\ntrue\ntrue\n\"ops\"\ntrue\n\"ops\"\n");
}

#[test]
fn an_error_is_placed_where_it_is_whatever_ends_the_script() {
    let program = anywhere();
    let code = "fn down(n) {\n  let x = n + 1;\n  up(x)\n}\nfn up(n) { down(n) }\ndown(0);";
    let ran = program.args(&["eval", code]).fails(1, "Stack overflow").tells("called as `down` at line 6, column 1");
    assert!(ran.stderr.contains("(line 2, column") && ran.stderr.contains("calls more"), "{ran}");
    program.args(&["eval", "--deadline", "500ms", "let a = 1;\nloop {}"]).fails(1, "(line 2, column");
    let eats = "let a = [];\nloop { a.push(\"0123456789\" + a.len()); }";
    program.args(&["eval", "--memory", "50M", eats]).fails(1, "50 MiB of memory (line 2,").tells("| loop {");
    let ran = program.args(&["eval", "throw #{a: \"x\".to_secret(), b: [time::duration(\"2d\")]}"]);
    let message = ran.stderr.lines().next().unwrap();
    assert!(message.contains("[REDACTED]") && !message.contains("::"), "{ran}");
    program.args(&["eval", "clients.create(#{})"]).fails(2, "").tells("called as `clients::…`");
    program.args(&["eval", "print({a: 1})"]).fails(2, "").tells("a map begins with `#{`");
    program.args(&["eval", "let a = null"]).fails(2, "").tells("`()` is what");
    program.file("a.rhai", "//! @arg file: text\n//! @arg [n]: number\n//! @arg --owner: text = x\n1");
    program.run("run a.rhai x --onwer y").fails(2, "--onwer").tells("did you mean `--owner`?");
    program.run("run a.rhai x -5").ok();
}

#[test]
fn rows_are_read_as_they_stand_and_no_further() {
    let program = anywhere();
    program.file("a.jsonl", "{\"a\":1}\n{\"a\":\n{\"a\":2}\n");
    program.file("b.jsonl", "{\"a\":1} {\"a\":2}\n");
    program.file("c.jsonl", "{\"a\":1}\n{\"a\":x}\n");
    program.file("list.json", "[{\"a\":\n1}, {\"a\":2}]");
    let lines = |file: &str| program.args(&["eval", &format!("for x in json::lines(\"{file}\") {{ print(x) }}")]);
    lines("a.jsonl").fails_after(1, "a.jsonl, line 2, column 1: the value does not end on its line");
    lines("b.jsonl").fails_after(1, "b.jsonl, line 1, column 9: another value stands on that line");
    lines("c.jsonl").fails_after(1, "c.jsonl, line 2, column 6:");
    assert_eq!(lines("list.json").ok().stdout, "#{\"a\": 1}\n#{\"a\": 2}\n");
    for (text, due) in [
        ("1\n[2,3]\n", "1\n[2, 3]\n"),
        ("[1,2]\n[3]\n", "[1, 2]\n[3]\n"),
        ("\u{feff}{\"a\":1}\n\n{\"a\":2}", "#{\"a\": 1}\n#{\"a\": 2}\n"),
        ("\u{feff}[1, 2]", "1\n2\n"),
        ("", ""),
    ] {
        program.file("x.jsonl", text);
        assert_eq!(lines("x.jsonl").ok().stdout, due, "{text}");
    }
    program.file("x.json", "[1,\n2]\n3");
    lines("x.json").fails_after(1, "a value stands behind the list");
    // What has no end is not read to it.
    let began = Instant::now();
    program.args(&["eval", "csv::read(\"/dev/zero\").to_array()"]).fails(1, "more than 4 MiB");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_dry_run_fails_where_the_run_would() {
    let program = anywhere();
    let dry = |code: &str| program.args(&["--sandbox", "eval", "--dry-run", code]);
    dry("fs::remove(\"nothing\")").fails(1, "cannot remove nothing");
    dry("fs::write(\"none/x\", \"x\")").fails(1, "there is no folder none");
    dry("fs::make_folder(\"none\"); fs::write(\"none/x\", \"x\")").ok().tells("none/x is written");
    fs::create_dir(program.home().join("there")).unwrap();
    dry("fs::write(\"there\", \"x\")").fails(1, "it is a folder");
    let ran = dry("clients::create(#{client_id: \"a\"}); sh(\"delete client a --yes\")").ok();
    assert!(!ran.stderr.contains("1 deleted"), "{ran}");
}

#[test]
fn a_file_with_the_line_ends_of_old_is_refused() {
    let program = anywhere();
    program.file("old.csv", "client_name,owner\ra,b\rc,d\r");
    program.args(&["eval", "for row in csv::read(\"old.csv\") { print(row) }"]).fails(1, "line 1").tells("RFC 4180");
    program.run("--sandbox batch create old.csv").fails(2, "a carriage return alone ends a row");
    program.file("quoted.csv", "client_name,owner\r\n\"a\rb\",c\r\n");
    let ran = program.args(&["eval", "for row in csv::read(\"quoted.csv\") { print(row.client_name.len()) }"]).ok();
    assert_eq!(ran.stdout, "3\n");
}

#[test]
fn many_changes_are_agreed_to_at_once() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program
        .file("config/config.toml", &format!("[profile.live]\nendpoint = \"{}\"\nproduction = true\n", server.admin));
    for id in ["a", "b", "c"] {
        server.make(&json!({"client_id": id, "grant_types": ["client_credentials"]}));
    }
    let code = "session::agree(\"delete 3 clients\"); for c in clients::list() { clients::delete(c.client_id) }";
    program.file("s.rhai", code);
    program.run("--profile live run s.rhai").fails(2, "live is production");
    assert_eq!(server.clients().len(), 3);
    let mut terminal = Terminal::with(program, &["--profile", "live", "run", "s.rhai"]);
    terminal.shows("Delete 3 clients on");
    terminal.press("y\r");
    assert_eq!(terminal.ended().code(), Some(0), "{}", terminal.contents());
    assert_eq!(terminal.contents().matches("[y/N]").count(), 1);
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn definitions_are_what_can_be_called() {
    let program = anywhere();
    let text = program.run("script definitions").ok().stdout;
    for part in [
        "module static;",
        "module clients {",
        "fn get(id: string) -> Client;",
        "fn sh(line: string) -> ?;",
        "fn create(fields: map, options: map) -> Client;",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let functions = text.lines().filter(|line| line.starts_with("fn ")).count();
    assert_eq!(functions, program.run("script api --format jsonl").ok().stdout.lines().count());
}

#[test]
fn a_text_is_written_in_quotes_as_rhai_writes_it() {
    let shown = |text: &str| format!("{text:?}");
    let program = anywhere();
    let part = "a\"b\\c\n\t\0\u{7f}\u{301}é'\u{200b}\u{1f600}\r";
    for text in [String::new(), part.to_owned(), part.repeat(5_000), "é".repeat(40_001)] {
        program.file("text", &text);
        let code = "let s = fs::read(\"text\"); print(s.to_debug()); debug(s); print([s]); print(#{a: s}); let m = #{}; m[s] = 1; print(m)";
        let ran = program.args(&["eval", code]).ok();
        let text = shown(&text);
        assert_eq!(ran.stdout, format!("{text}\n[{text}]\n#{{\"a\": {text}}}\n#{{{text}: 1}}\n"));
        assert_eq!(ran.stderr, format!("{text}\n"));
    }
}

#[test]
fn lists_and_maps_are_written_as_rhai_writes_them() {
    let code = r#"
        for value in [1, 1.5, 0.1, 'c', "s\"q\n", true, (), [1, [2]], #{a: 1, "b c": [()]}, 1..5, 1..=5,
            time::duration("1h"), "s".to_secret(), json::parse("123456789012345678901234567890"), blob(9, 255), |x| x] {
            print([value]); print(`${[value]}`); print([value].to_debug()); print(#{v: value});
        }
        print([blob(3, 1)] == [blob(3, 1)]); print(blob(17, 1)); print("" + [1, 2]);
    "#;
    let ran = anywhere().args(&["eval", code]).ok();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let due = [
        "[1]",
        "[1.5]",
        "[0.1]",
        "[c]",
        "[\"s\\\"q\\n\"]",
        "[true]",
        "[()]",
        "[[1, [2]]]",
        "[#{\"a\": 1, \"b c\": [()]}]",
        "[1..5]",
        "[1..=5]",
        "[1h]",
        "[[REDACTED]]",
        "[123456789012345678901234567890]",
        "[[ffffffffffffffff ff]]",
    ];
    for (at, due) in due.iter().enumerate() {
        let value = due.trim_start_matches('[').trim_end_matches(']');
        assert!(lines[4 * at..4 * at + 3].iter().all(|line| line == due), "{due}: {lines:?}");
        assert!(lines[4 * at + 3].starts_with("#{\"v\": ") && lines[4 * at + 3].contains(value), "{due}: {lines:?}");
    }
    assert!(lines[60].starts_with("[Fn"), "{lines:?}");
    assert_eq!(lines[64..], ["true", "[0101010101010101 0101010101010101 01]", "[1, 2]"]);
}

#[test]
fn what_is_caught_has_the_same_members_whoever_threw_it() {
    let program = anywhere();
    for (code, shown) in [
        ("let n = 0; try { nofn() } catch (e) { n = if e.status == 404 { 1 } else { 2 } } n", "2"),
        (
            "let n = (); try { 1 / 0 } catch (e) { n = [e.code, e.hint, e.position.line, e.message.contains(\"zero\")] } n",
            "null\nnull\n1\ntrue",
        ),
        (
            "fn f() { try { nofn() } catch (wrong) { return wrong.keys(); } } f()",
            "code\nhint\nmessage\nposition\nstatus",
        ),
        ("let e = #{error: \"invalid\", message: \"b\", line: 1}; try { nofn() } catch (e) { } e.keys().len()", "3"),
        (
            "let at = 0; try { [1].map(|x| x / 0) } catch (e) { at = [e.position.column, e.message] } at",
            "33\nDivision by zero: 1 / 0",
        ),
        (
            "fn f() { try { clients::get(\"\") } catch (e) { return e.keys(); } } f()",
            "code\nhint\nmessage\nposition\nstatus",
        ),
        ("let n = 0; try { time::now() < 5 } catch (e) { n = e.position.column } n", "30"),
        ("let n = 0; try { time::now() > [1] } catch (e) { n = e.position.column } n", "30"),
        ("let n = 0; try { time::now() + \"x\" } catch (e) { n = e.position.column } n", "30"),
        ("let n = 0; try { \"a\".pad(100000000000, 'x') } catch (e) { n = e.position.column } n", "22"),
        ("let n = 0; try { blob(100000000000) } catch (e) { n = e.position.column } n", "18"),
        ("let n = 0; try { import \"none\" as n; } catch (e) { n = e.position.column } n", "25"),
        (
            "let n = 0; fs::write(\"a\", \"a\\n1,2\\n\"); try { csv::read(\"a\").to_array() } catch (e) { n = e.position.column } n",
            "51",
        ),
        ("let n = 0; try { 1.nope } catch (e) { n = e.message } n", "there is no `nope` in a value of the type int"),
    ] {
        assert_eq!(program.args(&["--sandbox", "eval", code]).ok().stdout.trim_end(), shown, "{code}");
    }
}

#[test]
fn a_closure_that_another_file_calls_fails_where_it_stands() {
    let program = anywhere();
    program.file("lib/l.rhai", "//\n//\nfn each(list, f) { for x in list { f.call(x); } }\nfn mk() { |x| x + 1 }\n");
    program.file("s.rhai", "import \"lib/l\" as l;\n\n\nl::each([1], |x| nofunc(x));\n");
    let ran = program.run("run s.rhai").fails(1, "s.rhai: there is no function nofunc (int) (line 4, column 18)");
    assert!(ran.stderr.contains(" 4 | l::each([1], |x| nofunc(x));\n   |                  ^"), "{ran}");
    program.file("t.rhai", "import \"lib/l\" as l;\nlet f = l::mk(); f.call(1)\n");
    program.run("run t.rhai").fails(1, "a closure of an imported file is called outside of it");
    // Started by a link, a script has its files where it is itself.
    program.file("lib/ok.rhai", "fn v() { 7 }");
    program.file("u.rhai", "\u{feff}import \"lib/ok\" as ok;\nok::v()");
    fs::create_dir(program.home().join("bin")).unwrap();
    std::os::unix::fs::symlink(program.home().join("u.rhai"), program.home().join("bin/u")).unwrap();
    assert_eq!(program.run("run bin/u").ok().stdout, "7\n");
}

#[test]
fn a_text_beside_a_secret_is_not_shown_in_an_error() {
    let program = anywhere();
    for code in [
        "tokens::revoke(\"hunter2hunter2\".to_secret(), \"a\", 1)",
        "http::get(\"nowhere\", #{headers: #{authorization: \"Bearer hunter2hunter2\"}})",
        "let password = \"hunter2\\\"hunter2\"; nofunc()",
        "let q = '\"'; let password = \"hunter2\"; nofunc(password)",
        "let body = `grant_type=password\n&password=hunter2&x=${nofunc(1)}`;",
        "let body = `grant_type=password\n&password=hunter2&x=${nofunc(1)}\n`;",
    ] {
        let ran = program.args(&["--sandbox", "eval", code]);
        assert!(ran.code == Some(1) && !ran.stderr.contains("hunter2") && ran.stderr.contains("(line "), "{ran}");
    }
}

#[test]
fn what_a_closure_throws_is_not_lost_and_no_time_is_none() {
    for (code, told) in [
        ("[1, 1].dedup(|x, y| throw \"up\")", "up"),
        ("[2, 1].order_by(|a, b| 1 / 0)", "Division by zero"),
        ("[1, \"a\"].sort()", "a closure that says which comes first"),
        ("time::duration(\"1d\") * -30", "no length of time"),
        ("time::duration(\"1d\") * 9223372036854775807", "no length of time"),
        ("http::get(\"http://127.0.0.1:1\", #{headers: #{a: [\"b\".to_secret()]}})", "header `a` wants text"),
        ("clients::create_all([clients::create(#{})])", "not a client"),
        ("fn go() { }", "nothing can have that name"),
    ] {
        let ran = anywhere().args(&["--sandbox", "eval", code]);
        assert!(ran.code != Some(0) && ran.stderr.contains(told), "{code}: {ran}");
    }
    for call in ["sort(|a, b| throw 1)", "dedup(|a, b| throw 1)", "sort_by(|a, b| a.x)"] {
        let code = format!("let a = [3, 1, 2]; try {{ a.{call} }} catch {{ print(a) }}");
        assert_eq!(anywhere().args(&["eval", &code]).ok().stdout, "[3, 1, 2]\n", "{call}");
    }
    let code = "let a = [1, 1, 2, 1]; a.dedup(|x, y| x == y); print(a); print(time::duration(\"1500ms\") * 5000000000)";
    assert_eq!(anywhere().args(&["eval", code]).ok().stdout, "[1, 2, 1]\n86805d 13h 20m\n");
}

#[test]
fn rows_show_what_any_of_them_has() {
    let program = anywhere();
    let code = "[#{a: 1}, #{b: 2}, #{a: 3, c: 4}]";
    assert_eq!(program.args(&["--format", "csv", "eval", code]).ok().stdout, "a,b,c\n1,,\n,2,\n3,,4\n");
    assert_eq!(program.args(&["eval", code]).ok().stdout, "A\tB\tC\n1\t\t\n\t2\t\n3\t\t4\n");
}

#[test]
fn a_script_that_failed_behind_create_all_has_its_clients_still() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = |rows: usize, options: &str| {
        format!(
            "let rows = []; for n in 0..{rows} {{ rows.push(#{{client_name: `j${{n}}`}}); }} let done = clients::create_all(rows, #{{{options}}}); csv::write(\"out/out.csv\", done.map(|row| #{{id: row.client.client_id, secret: row.client.client_secret.reveal()}}));"
        )
    };
    program.file("s.rhai", &code(5, ""));
    program.run("run s.rhai").fails(1, "out/out.csv");
    fs::create_dir(program.home().join("out")).unwrap();
    // Another script with the same rows may be the same one under another name.
    program.file("t.rhai", &code(5, ""));
    program.run("run t.rhai").fails(1, "nobody has taken").tells("batch forget");
    program.run("run s.rhai").ok().tells("0 of 5 are left");
    assert_eq!(server.clients().len(), 5);
    let text = fs::read_to_string(program.home().join("out/out.csv")).unwrap();
    for line in text.lines().skip(1) {
        let (id, secret) = line.split_once(',').unwrap();
        assert!(server.accepts(&json!(id), &json!(secret)), "{line}");
    }
    // What is to be checked or encrypted otherwise is not gone on with as if it were.
    fs::remove_dir_all(program.home().join("out")).unwrap();
    program.file("u.rhai", &code(3, ""));
    program.run("run u.rhai").fails(1, "out/out.csv");
    program.file("u.rhai", &code(3, "no_lint: true"));
    program.run("run u.rhai").fails(1, "which was checked otherwise").tells("batch forget");
    // Nor what was written elsewhere, or taken back.
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    program.run(&format!("batch undo {run} --yes")).ok();
    fs::create_dir(program.home().join("out")).unwrap();
    program.file("u.rhai", &code(3, ""));
    program.run("run u.rhai").ok();
    assert_eq!(server.clients().len(), 8);
}

#[test]
fn a_script_that_tries_again_goes_on() {
    let server = Sandbox::with("--hash-iterations 1 --latency 30ms");
    let program = orysh(&server);
    // The server is away for a while.
    let code = "let rows = []; for n in 0..30 { rows.push(#{client_name: `r${n}`}); } let made = (); for attempt in 1..=3 { try { made = clients::create_all(rows, #{concurrency: 1}); break; } catch (e) { print(e.code); } } made.len()";
    program.file("s.rhai", code);
    let running = program.begin("run s.rhai");
    eventually("a client is made", || server.clients().first().cloned());
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
    assert_eq!(program.run("run s.rhai").ok().stdout, "30\n");
    assert_eq!(server.clients().len(), 30);
    assert_eq!(program.run("batch resume").code, Some(2));
}

#[test]
fn whatever_ends_a_script_is_told_where_it_was() {
    let program = anywhere();
    let deep = |code: &str| format!("fn f() {{\n  {code}\n}}\nfn g() {{\n  f()\n}}\ng()");
    let within = |code: &str, flags: &[&str], told: &str| {
        let mut args = vec!["eval"];
        args.extend(flags);
        let code = deep(code);
        args.push(&code);
        let ran = program.args(&args).fails(1, told).tells("called as `f` at line 5, column 3");
        assert!(ran.stderr.contains("(line 2, column") && ran.stderr.contains("called as `g` at line 7"), "{ran}");
    };
    within("let x = []; loop { x.push(\"aaaaaaaaaa\" + x.len()); }", &["--memory", "64M"], "64 MiB of memory");
    within(
        "let n = 0; loop { n += 1; }",
        &["--deadline", "300ms"],
        "eval: the script was ended: it took more than 300ms",
    );
    within("sleep(10)", &["--deadline", "300ms"], "took more than 300ms");
    let ran = program.args(&["eval", "fn f() {\n  f()\n}\nfn g() {\n  f()\n}\n\ng()"]).fails(1, "Stack overflow");
    assert!(ran.stderr.contains("(line 2, column 3)"), "{ran}");
    program.args(&["eval", "let f = |x| x + 1; f(2)"]).fails(1, "").tells("`f.call(…)`");
    // Whatever is caught of it goes no further.
    program
        .args(&["eval", "--deadline", "300ms", "try { sleep(10) } catch { print(\"on\"); fs::write(\"x\", \"y\"); }"])
        .fails(1, "took more");
    assert!(!program.home().join("x").exists());
}

#[test]
fn lists_of_json_lines_are_lists() {
    let program = anywhere();
    let code =
        "json::write_lines(\"rt.jsonl\", [[\"a\", 1], [\"b\", 2]]); json::text(json::lines(\"rt.jsonl\").to_array())";
    assert_eq!(program.args(&["eval", code]).ok().stdout, "[[\"a\",1],[\"b\",2]]\n");
    program.file("one.json", "[1, 2, 3]\n");
    assert_eq!(program.args(&["eval", "json::text(json::lines(\"one.json\").to_array())"]).ok().stdout, "[1,2,3]\n");
    program.file("bad.jsonl", "[1]\n\n[2,\n");
    program.args(&["eval", "json::lines(\"bad.jsonl\").to_array()"]).fails(1, "bad.jsonl, line 3");
}

#[test]
fn patterns_and_long_texts_hold_nothing_up() {
    let program = anywhere();
    let began = Instant::now();
    let code = r#"let s = ""; s.pad(1000000, "ab"); regex::is_match("[ab]*a[ab]{1500}c", s)"#;
    program.args(&["eval", "--deadline", "1s", code]).fails(1, "it took more than 1s (line 1, column");
    let code = r#"let s = ""; s.pad(2000000, "a"); regex::find_all("a*?b|a", s).len()"#;
    program.args(&["eval", "--deadline", "1s", code]).fails(1, "it took more than 1s");
    let running = program.begin(r#"eval 'let s = ""; s.pad(1000000, "ab"); regex::is_match("[ab]*a[ab]{1500}c", s)'"#);
    thread::sleep(Duration::from_secs(1));
    running.signal(Signal::INT);
    running.end().fails(130, "interrupted");
    for code in
        [format!("1;\nlet s = \"{}\";", "x".repeat(3_000_000)), format!("1;\nlet {} = 1;", "x".repeat(1_000_000))]
    {
        program.file("long.rhai", &code);
        program.run("run long.rhai").fails(2, "longer than 128 KiB (line 2, column").tells("fs::read");
        program.run("script check long.rhai").fails(1, "longer than 128 KiB (line 2, column");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let found = program.args(&["eval", r#"let s = ""; s.pad(3000, "ab "); regex::find_all("[a-z]+", s).len()"#]).ok();
    assert_eq!(found.stdout, "1000\n");
}

#[test]
fn errors_stand_where_they_are_in_imported_files_and_where_they_are_caught() {
    let server = Sandbox::of_many(1, "");
    let program = orysh(&server);
    program.file("lp.rhai", "fn f() { let x = 0;\n\n\nloop { x += 1; } }\n");
    program.file("t.rhai", "import \"lp\" as m;\n\nm::f()\n");
    let ran = program.run("run --deadline 500ms t.rhai");
    ran.fails(1, "lp.rhai: the script was ended: it took more than 500ms (line 4, column 8)")
        .tells(" 4 | loop { x += 1; } }");
    let code = "let c = clients::list().to_array()[0];\ntry { c.clientname } catch (e) { print(e.position) }\ntry { c.client_name = 3 } catch (e) { print(e.position) }";
    let told = program.args(&["eval", code]).ok().stdout;
    assert_eq!(told, "#{\"column\": 8, \"line\": 2}\n#{\"column\": 8, \"line\": 3}\n");
    for (code, told) in [
        ("let list = [1]; list.filter(|x| list.contains(x))", "(line 1, column 22)"),
        ("[[2], [1]].sort()", "elements of the type array cannot be sorted"),
        ("let x = 3; throw `no secret ${x} in it`", " 1 | let x = \u{2026}; throw `\u{2026}${x}\u{2026}`"),
        ("|x| x", "`()` as its last line"),
    ] {
        program.args(&["eval", code]).fails(1, told);
    }
    let ran =
        program.args(&["eval", "--format", "json", "ui::table([#{f: |x| x}])"]).fails(1, "JSON has nothing for Fn");
    assert_eq!(ran.stderr.matches("\"error\"").count(), 1, "{ran}");
    program.args(&["eval", " "]).fails(2, "the code is empty");
    // A terminal that is narrow shows the part of a line that matters.
    let long = format!("let x = \"{}\"; x.nope", "y".repeat(200));
    let ran = program.with("COLUMNS", "40").args(&["eval", &long]).fails(1, "nope");
    assert!(ran.stderr.lines().filter(|line| line.contains(" | ")).all(|line| line.chars().count() <= 40), "{ran}");
}

#[test]
fn lengths_of_time_of_a_client_are_compared_as_such() {
    let server = Sandbox::holding(
        &[json!({"client_id": "a", "client_credentials_grant_access_token_lifespan": "720h0m0s"})],
        "",
    );
    let code = r#"let c = clients::get("a");
        let length = c.client_credentials_grant_access_token_lifespan;
        [length > time::duration("1h"), time::duration("721h") > length, length == time::duration("30d"),
         (time::now() - c.created_at).days < 2, c.created_at < time::now() + time::duration("1h")]"#;
    assert_eq!(eval(&server, code).ok().stdout, "true\ntrue\ntrue\ntrue\ntrue\n");
    eval(&server, r#"time::duration("1h") > "soon""#).fails(1, "no length of time");
}

#[test]
fn a_file_is_read_within_what_a_script_may_take() {
    let program = anywhere();
    for code in [r#"fs::read("/dev/zero")"#, r#"json::read("/dev/zero")"#, r#"yaml::read("/dev/zero")"#] {
        program.args(&["eval", "--memory", "16M", code]).fails(1, "larger than 4 MiB (line 1").tells("--memory");
    }
}

#[test]
fn a_deadline_that_falls_on_the_last_value_is_told_once() {
    let program = anywhere();
    program.file("r.csv", &format!("a,b\n{}", "1,2\n".repeat(150_000)));
    for (code, deadline) in [
        ("let l = []; l.pad(200000, #{a: 1}); l", "300ms"),
        ("let l = []; l.pad(200000, #{a: 1}); l", "900ms"),
        (r#"csv::read("r.csv")"#, "500ms"),
        (r#"let r = []; for x in csv::read("r.csv") { r.push(x); } r"#, "2s"),
    ] {
        let began = Instant::now();
        let ran = program.args(&["eval", "--deadline", deadline, "--format", "jsonl", code]);
        // A machine that is quicker comes to the end of it.
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(1), "{code}: {}", ran.stderr.chars().take(400).collect::<String>());
            assert_eq!(ran.stderr.matches("it took more than").count(), 1, "{code}");
            assert!(ran.stderr.len() < 2_000 && ran.stderr.contains("deadline"), "{code}: {}", ran.stderr.len());
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{code}: {:?}", began.elapsed());
    }
}

#[test]
fn what_is_read_as_a_whole_is_bounded_and_what_has_an_order_is_sorted() {
    let program = anywhere();
    for (code, told) in [
        (
            r#"let s = "a"; while s.len() < 200000 { s += s; } regex::is_match(s, s)"#,
            "the pattern is longer than 64 KiB (line 1",
        ),
        (
            r#"let s = "a/"; while s.len() < 2000000 { s += s; } url::parse("http://x/" + s)"#,
            "longer than 1 MiB (line 1",
        ),
        ("let m = #{a: 1};\nlet x = m.keys().filter(|k| m[k] > 1);", "(line 2, column 18)"),
        ("[time::now(), 3].sort()", "elements of different types cannot be sorted (line 1"),
        ("[#{}, #{}].sort()", "elements of the type map cannot be sorted"),
        (r#"sleep("x".to_secret())"#, "a length of time is due, not Secret"),
        ("time::now() > 5", "a time is compared with what is none"),
        (r#"time::now() > time::duration("1h")"#, "a time is compared with what is none"),
        (
            r#"let p = "a"; p.pad(70000, "a"); http::get("http://127.0.0.1:1/" + p)"#,
            "the address is longer than 63 KiB",
        ),
        (r#"let s = "a"; s.pad(2000000, "a"); sh(s)"#, "the line is longer than 1 MiB (line 1"),
        (r#"let s = ""; s.pad(2000000, "a "); sh(s)"#, "the line is longer than 1 MiB (line 1"),
        (r#"let s = "a"; s.pad(2000000, "a"); batch::status(s)"#, "the line is longer than 1 MiB (line 1"),
        (r#"let s = "a"; s.pad(70000, "a"); clients::get(s)"#, "the client id is longer than 64 KiB (line 1"),
        ("1 + ()", "`+` cannot be used with int and () (line 1"),
    ] {
        program.args(&["eval", code]).fails(1, told);
    }
    let code = r#"[[time::now(), "a"].contains("a"), [time::now(), 3].index_of(3), time::now() == 3, time::duration("1h") != "1h"]"#;
    assert_eq!(program.args(&["eval", "--format", "json", code]).ok().stdout, "[true,1,false,false]\n");
    let code = r#"let a = [time::parse("2026-02-01T00:00:00Z"), time::parse("2026-01-01T00:00:00Z") + "1h"]; a.sort();
        let b = [3, 1, 2]; b.sort(); let c = ["b", "a"]; c.sort(); let d = [time::duration("2h"), time::duration("1m")]; d.sort();
        let e = [2.5, -1.0]; e.sort(); [a[0].to_string(), b, c, d[0].seconds, e]"#;
    let told = program.args(&["eval", "--format", "json", code]).ok().stdout;
    assert_eq!(told.trim_end(), r#"["2026-01-01T01:00:00Z",[1,2,3],["a","b"],60,[-1.0,2.5]]"#);
}

#[test]
fn no_excerpt_shows_a_text_beside_what_names_a_secret() {
    let program = anywhere();
    for code in [
        "let api_key = \"hunter2\" + nope;",
        "let passphrase = \"hunter2\" + nope;",
        "let key = \"hunter2\" + nope;",
        "hash::hmac_sha256(\"hunter2\", nope)",
        "http::get(\"http://admin:hunter2@127.0.0.1:1/\", 5)",
        "let secret =\n  \"hunter2\" + nope;",
        "let secret = `x\nhunter2` + nope;",
        "clients::create(#{client_secret:\n \"hunter2\" + nope})",
    ] {
        let ran = program.args(&["eval", code]);
        assert!(ran.code != Some(0) && !ran.stderr.contains("hunter2"), "{code}: {ran}");
    }
    program.args(&["eval", "let x = \"plain\" + nope;"]).fails(2, "\"plain\" + nope");
}

#[test]
fn a_client_is_changed_under_its_own_id_only() {
    let server = Sandbox::holding(&[json!({"client_id": "shop", "owner": "s"}), json!({"client_id": "mail"})], "");
    for code in [
        "clients::update(\"mail\", #{client_id: \"shop\", owner: \"x\"})",
        "clients::update(\"mail\", #{client_id: (), owner: \"x\"})",
        "clients::update(\"mail\", #{client_id: \"\", owner: \"x\"})",
    ] {
        for line in [&["eval", code][..], &["eval", "--dry-run", code]] {
            orysh(&server).args(line).fails(1, "the id of client `mail` cannot be changed");
        }
    }
    assert_eq!(server.client("shop")["owner"], "s");
    orysh(&server).args(&["eval", "clients::update(\"mail\", #{client_id: \"mail\", owner: \"x\"}).owner"]).ok();
    assert_eq!(server.client("mail")["owner"], "x");
}

#[test]
fn a_comment_that_is_not_ended_hides_nothing() {
    let program = anywhere();
    program.file("un.rhai", "print(\"a\");\n/* never /* */\nprint(\"b\");\n");
    for line in ["run un.rhai", "script check un.rhai"] {
        let ran = program.run(line);
        assert!(matches!(ran.code, Some(1 | 2)) && ran.stdout.is_empty(), "{ran}");
        ran.tells("the comment that begins here is not ended (line 2, column 1)").tells(" 2 | /* never");
    }
    program.args(&["eval", "/* abc"]).fails(2, "not ended");
    // At a prompt it goes on.
    let ran = program.run_with("--sandbox", "1 + /* a\n b */ 2\n").ok();
    assert_eq!(ran.stdout, "3\n");
}

#[test]
fn rows_of_a_script_are_not_made_twice_under_another_name_of_it() {
    let server = Sandbox::with("--latency 400ms");
    let program = orysh(&server);
    let code = "clients::create_all([1, 2, 3, 4, 5, 6].map(|n| #{client_name: `c${n}`}), #{concurrency: 1})";
    for name in ["one.rhai", "two.rhai"] {
        program.file(name, code);
    }
    let running = program.begin("run one.rhai");
    eventually("some are made", || (server.clients().len() > 1).then_some(()));
    running.signal(Signal::KILL);
    running.end();
    let made = server.clients().len();
    let ran = program.run("run two.rhai").fails(1, "by another script or under another name");
    ran.tells("orysh batch resume").tells("orysh batch forget");
    assert_eq!(server.clients().len(), made);
    program.run("run one.rhai").ok();
    assert_eq!(server.clients().len(), 6);
    // Of what has come to its end it is told, where nobody has taken the secrets.
    program.run("run two.rhai").fails(1, "nobody has taken the secrets of its 6 clients");
    let run = program.run("batch list -q").ok().stdout;
    program.run(&format!("batch forget {} --yes", run.trim())).ok();
    program.run("run two.rhai").ok();
    assert_eq!(server.clients().len(), 12);
}

#[test]
fn the_deadline_counts_from_the_reading_of_the_script_on() {
    let program = anywhere();
    rustix::fs::mknodat(rustix::fs::CWD, program.home().join("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    program.run("run --deadline 500ms fifo").fails(1, "it took more than 500ms");
}

#[test]
fn what_a_test_never_comes_back_from_has_a_place_and_mistakes_of_names_are_all_told() {
    let program = anywhere();
    program.file("q.rhai", "\n fn test_spin() { loop { } }\n");
    program.run("script test --deadline 300ms q.rhai").fails_after(3, "it took more than 300ms (line 2, column 5)");
    program.file("j.rhai", "let v = undefinedvar;\nfoo();\nlet w = undefined2;\nfn z() { notdefined }\n");
    let ran = program.run("script check j.rhai").fails(1, "Undefined variable: undefinedvar (line 1");
    ran.tells("`foo` (line 2").tells("undefined2 (line 3").tells("notdefined (line 4");
    let code = "clients::apply([#{client_id: \"k\", owner: \"s\".to_secret()}])";
    let ran = program.args(&["--sandbox", "eval", code]).fails(1, "row 1: `owner` is no secret");
    assert!(!ran.stderr.contains("status"), "{ran}");
    // The place of rows that come from another file is not told as one of this.
    program.file("lib/l.rhai", "// one\n// two\nfn all() { clients::list() }\n");
    program.file("m.rhai", "import \"lib/l\" as l;\nlet n = 0;\n// innocent\nfor c in l::all() { n += 1; }\n");
    let ran = program.run("-e http://127.0.0.1:1 run m.rhai").fails(1, "(line 4, column ");
    assert!(!ran.stderr.contains("innocent"), "{ran}");
}

#[test]
fn what_only_looks_at_a_field_changes_nothing() {
    let server = Sandbox::holding(
        &[json!({"client_id": "a", "owner": "x", "grant_types": ["implicit"], "metadata": {"team": "old"}})],
        "",
    );
    let program = orysh(&server);
    let looks = [
        "c.grant_types.contains(\"implicit\")",
        "c.grant_types.map(|x| x)",
        "c.grant_types.len()",
        "c.grant_types.sort()",
        "c.metadata.get(\"team\")",
        "c.client_id.split(\"-\").len()",
        "c.created_at.split(\"T\").len()",
        "c.client_secret_expires_at.to_string()",
        "c.client_secret.to_string()",
        "c.scope.trim()",
    ];
    let code = format!(
        "let c = clients::get(\"a\"); {}; clients::update(\"a\", #{{grant_types: [\"client_credentials\"], metadata: #{{team: \"new\"}}}}); c.owner = \"y\"; clients::update(c).owner",
        looks.join("; ")
    );
    assert_eq!(program.args(&["eval", &code]).ok().stdout, "y\n");
    let now = server.client("a");
    assert_eq!((&now["grant_types"], &now["metadata"]), (&json!(["client_credentials"]), &json!({"team": "new"})));
    // What is changed in place is changed.
    let code = "let c = clients::get(\"a\"); c.grant_types.push(\"implicit\"); clients::update(c).grant_types.len()";
    assert_eq!(program.args(&["eval", code]).ok().stdout, "2\n");
    // As is a list of which the server said nothing, and which was only looked at otherwise.
    let code = "let c = clients::create(#{client_id: \"n\"}); c.contacts.len(); c.redirect_uris.push(\"https://a.example/cb\"); let c = clients::update(c); [c.redirect_uris.len(), c.contacts.len()]";
    assert_eq!(program.args(&["eval", code]).ok().stdout, "1\n0\n");
    // And a secret that was only shown is not sent again.
    let code = "let c = clients::create(#{client_id: \"t\", client_secret: \"0123456789abcdef\"}); print(c.client_secret.to_string()); let r = clients::rotate_secret(\"t\"); clients::drop_old_secrets(\"t\"); c.owner = \"y\"; clients::update(c); fs::write(\"new\", r.client_secret);";
    program.args(&["eval", code]).ok();
    let new = fs::read_to_string(program.home().join("new")).unwrap();
    assert!(server.accepts(&json!("t"), &json!(new)) && !server.accepts(&json!("t"), &json!("0123456789abcdef")));
}

#[test]
fn what_was_caught_is_thrown_on_as_it_was() {
    let program = anywhere();
    program.file("s.rhai", "fn step(id) {\n    clients::get(id)\n}\ntry {\n  step(\"nope\");\n} catch (error) {\n  log::warn(`x`);\n  throw error;\n}\n");
    program.run("--sandbox run s.rhai").fails(1, "HTTP 404) (line 2, column 14)").tells(" 2 |     clients::get(id)");
    program.file("t.rhai", "fn f(x) { x.nope() }\ntry {\n f(1);\n} catch (e) { throw e; }\n");
    program.run("run t.rhai").fails(1, "there is no function nope (int) (line 1, column 13)");
    // What stands in another file says so, and is not told as a place of this one.
    program.file(
        "lib.rhai",
        "// a\nfn get() { clients::get(\"nobody\") }\nfn each(list, f) { for x in list { f.call(x) } }\n",
    );
    program.file("u.rhai", "import \"lib\" as l;\ntry { l::get() } catch (e) { print(e.position); throw e; }\n");
    let ran = program.run("--sandbox run u.rhai");
    assert!(ran.stdout.contains("\"file\": \"lib.rhai\"") && ran.stderr.contains("(line 2, column 49)"), "{ran}");
    ran.tells("it comes from lib.rhai, line 2, column 21");
    program.file("v.rhai", "import \"lib\" as l;\ntry { l::each([1], |x| x / 0); } catch (e) { print(e.message); }\ntry { let m = #{a: 1}; m.b } catch (e) { print(e.message); }\n");
    assert_eq!(program.run("run v.rhai").ok().stdout, "Division by zero: 1 / 0\nthe map has no `b`\n");
}

#[test]
fn what_a_script_tells_is_whole_and_no_error_of_its_own() {
    let program = anywhere();
    let ran = program.args(&["eval", "ui::table([#{name: \"shop\"}, #{name: \"mail\", error: \"it failed\"}])"]).ok();
    assert_eq!(ran.stdout, "NAME\tERROR\nshop\t\nmail\tit failed\n");
    let ran = program.args(&["--format", "json", "eval", "log::error(\"e\"); 1"]).ok();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("1\n", "error: e\n"));
    // Rows that were made and that nobody has taken are not made in silence by another script.
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = "let made = clients::create_all([#{client_name: \"a\"}]); csv::write(\"none/made.csv\", made);";
    program.file("one.rhai", code);
    program.file("two.rhai", &code.replace("none/", ""));
    program.run("run one.rhai").fails_after(1, "are kept in run");
    program.run("run two.rhai").fails(1, "nobody has taken").tells("orysh batch undo");
    assert_eq!(server.clients().len(), 1);
}

#[test]
fn line_and_file_of_an_error_belong_together() {
    let program = anywhere();
    program.file("bad.csv", "a,b\n1,2\n1,2,3\n");
    program.file("lib/a.rhai", "// one\nfn each(list, f) {\n    for x in list { f.call(x); }\n}\nfn none(x) { x.nope }\nfn caught(x) {\n    try { x.nope } catch (e) { return e.position; }\n}\n");
    for (code, led) in [
        (
            "let rows =         csv::read(\"bad.csv\");\na::each(rows, |x| x);",
            "it comes from s.rhai, line 2, column 25",
        ),
        ("let all = clients::list();\na::each(all, |x| x);", "it comes from s.rhai, line 2, column 20"),
    ] {
        program.file("s.rhai", &format!("import \"lib/a\" as a;\n{code}"));
        let ran =
            program.run("-e http://127.0.0.1:1 run s.rhai").tells("lib/a.rhai: ").tells("(line 3, column ").tells(led);
        assert!(ran.stderr.contains("3 |     for x in list { f.call(x); }"), "{ran}");
    }
    let caught = r#"import "lib/a" as a;
try { a::each([1], |x| { clients::get("nobody") }) } catch (e) { print(e.position) }
try { a::each([1], |x| { #{}.nope }) } catch (e) { print(e.position) }
try { a::none(#{}) } catch (e) { print(e.position) }
print(a::caught(#{}));
"#;
    program.file("s.rhai", caught);
    let ran = program.run("--sandbox run s.rhai").ok();
    let due = [
        r#"#{"column": 35, "line": 2}"#,
        r#"#{"column": 30, "line": 3}"#,
        r#"#{"column": 16, "file": "lib/a.rhai", "line": 5}"#,
        r#"#{"column": 13, "file": "lib/a.rhai", "line": 7}"#,
    ];
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), due);
    // What stands at the caret is not told a second time.
    program.file("s.rhai", "import \"lib/a\" as a;\na::each([1], |x| { clients::get(\"nobody\") })");
    let ran = program.run("--sandbox run s.rhai").fails(1, "s.rhai: cannot get client `nobody`");
    assert!(ran.stderr.contains("(line 2, column 29)") && !ran.stderr.contains("it comes from"), "{ran}");
}

#[test]
fn arguments_are_counted_as_they_are_written() {
    for (code, told) in [
        ("fn shout(s) { s } \"x\".shout()", "`shout` takes 1 argument, and is called on something with 0"),
        ("fn shout(s) { s } shout()", "`shout` takes 1 argument, and is called with 0"),
        ("let o = #{f: |x| x}; o.f(1, 2)", "a closure takes 1 argument, and is called with 2"),
        ("let k = 1; let o = #{f: |x| x + k}; o.f(1, 2)", "a closure takes 1 argument, and is called with 2"),
        ("let f = |x| x; f.call(1, 2)", "a closure takes 1 argument, and is called with 2"),
    ] {
        anywhere().args(&["--sandbox", "eval", code]).fails(1, told);
    }
    let program = anywhere();
    program.file("s.rhai", "fn shout(s) { s }\n\"x\".shout();");
    program.run("script check s.rhai").fails(1, "called on something with 0 (line 2, column 5)").tells("`this`");
    for (code, told) in [
        ("fn shout(s) { s } try { \"x\".shout() } catch (e) { print(e.message) }", "called on something with 0"),
        ("try { session::with_profile(\"a\", |x| x) } catch (e) { print(e.message) }", "another number of arguments"),
    ] {
        program.file("config/config.toml", "[profile.a]\nendpoint = \"http://127.0.0.1:1\"\n");
        assert!(program.args(&["eval", code]).ok().stdout.contains(told), "{code}");
    }
}

#[test]
fn what_is_no_value_is_told_by_the_names_of_the_api() {
    for (code, told) in [
        ("ui::progress(-1)", "a progress has no -1 steps"),
        ("ui::progress(1)", "JSON has nothing for Progress"),
        ("#{all: clients::list()}", "JSON has nothing for clients"),
    ] {
        anywhere().args(&["--sandbox", "eval", code]).fails(1, told);
    }
    let code = "let c = clients::create(#{}); clients::create(c.to_map())";
    anywhere().args(&["--sandbox", "eval", code]).fails(1, "only the server sets").tells("to_fields()");
    let bom = Stub::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n\u{feff}{\"a\":1}");
    let cut = Stub::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let late = format!("http://{}", silent.local_addr().unwrap());
    let codes = format!(
        r#"print(http::get("{}").json.a);
for (url, n) in ["{}", "{late}", "http://127.0.0.1:1"] {{
    try {{ http::get(url, #{{timeout: "300ms"}}) }} catch (e) {{ print(e.code) }}
}}"#,
        bom.url, cut.url
    );
    assert_eq!(anywhere().args(&["eval", &codes]).ok().stdout, "1\nconnection\ntimeout\nunreachable\n");
    let ran = anywhere().args(&["eval", "pgp::encrypt(\"hunter2hunter2\", \"@none.asc\")"]);
    assert!(ran.code == Some(1) && !ran.stderr.contains("hunter2"), "{ran}");
}
