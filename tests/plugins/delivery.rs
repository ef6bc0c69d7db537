//! That each hook hears once of each client, whatever fails or interrupts; and that dry runs and undoing ask and tell them.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::{install, plugin};
use crate::support::{Orysh, PROGRAM, Sandbox, anywhere, eventually, orysh};

/// A plugin that takes down of which clients it hears, and one that fails until there is `log/open`.
fn two(program: &Orysh, hook: &str) {
    let code = format!("fn {hook}(c) {{ csv::append(\"log/first.csv\", #{{id: c.client_id}}); }}");
    plugin(
        program,
        "first",
        &format!("hooks = [\"{hook}\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n"),
        &code,
    );
    let code = format!(
        "fn {hook}(c) {{ if !fs::exists(\"log/open\") {{ throw \"the door is shut\"; }} csv::append(\"log/second.csv\", #{{id: c.client_id}}); }}"
    );
    plugin(
        program,
        "second",
        &format!("hooks = [\"{hook}\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n"),
        &code,
    );
    install(program, "./first");
    install(program, "./second");
    fs::create_dir(program.home().join("log")).unwrap();
}

/// The ids that a plugin has taken down, in their order.
fn heard(program: &Orysh, name: &str) -> Vec<String> {
    let text = fs::read_to_string(program.home().join(format!("log/{name}.csv"))).unwrap_or_default();
    let mut ids: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    ids.sort();
    ids
}

fn open(program: &Orysh) {
    fs::write(program.home().join("log/open"), "").unwrap();
}

#[test]
fn who_has_heard_of_a_client_does_not_hear_of_it_again() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    two(&program, "after_create");
    program.executable("take", "#!/bin/sh\ncat >> log/taken\n");
    let create = "create client --id a --deliver ./take";
    program.run(create).fails_after(3, "the door is shut").tells("deliver oauth2-client a");
    let kept = program.only_pending();
    assert_eq!((kept["heard"].as_array().unwrap().len(), &kept["due"]), (2, &json!(["plugin second"])), "{kept}");
    assert!(!kept["heard"].to_string().contains("take"), "{kept}");
    program.run("deliver client a --deliver ./take").fails(1, "the door is shut");
    assert_eq!(program.pending().len(), 1);
    open(&program);
    program.run("deliver client a --deliver ./take").ok();
    assert_eq!((heard(&program, "first"), heard(&program, "second")), (vec!["a".to_owned()], vec!["a".to_owned()]));
    let taken = || fs::read_to_string(program.home().join("log/taken")).unwrap().lines().count();
    assert_eq!((taken(), program.pending().len()), (1, 0));
    // In a batch likewise: some rows, and then the others.
    fs::remove_file(program.home().join("log/open")).unwrap();
    program.file("s.csv", "client_id\nr1\nr2\nr3\n");
    program.run("batch create s.csv --deliver ./take").fails_after(3, "the door is shut");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    program.run(&format!("batch deliver {run}")).fails_after(3, "the door is shut");
    open(&program);
    program.run(&format!("batch deliver {run}")).ok();
    program.run(&format!("batch deliver {run}")).fails(2, "no client is left to be handed over");
    let all = ["a", "r1", "r2", "r3"].map(str::to_owned).to_vec();
    assert_eq!((heard(&program, "first"), heard(&program, "second"), taken()), (all.clone(), all, 4));
}

#[test]
fn who_was_not_told_that_clients_are_gone_is_told_again() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    for id in ["a", "b"] {
        server.make(&json!({"client_id": id}));
    }
    two(&program, "after_delete");
    program.run("batch delete a b --yes").fails_after(3, "the door is shut");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    open(&program);
    program.run(&format!("batch deliver {run}")).ok();
    let both = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!((heard(&program, "first"), heard(&program, "second")), (both.clone(), both));
}

#[test]
fn a_delivery_that_was_begun_comes_to_its_end() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = "fn after_create(c) { fs::write(`log/begun-${c.client_id}`, \"\"); sleep(1.5); let n = 0; try { nofn() } catch { n = 1 } csv::append(\"log/first.csv\", #{id: c.client_id}); }";
    plugin(&program, "slow", "hooks = [\"after_create\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n", code);
    install(&program, "./slow");
    fs::create_dir(program.home().join("log")).unwrap();
    let begun = |id: &str| program.home().join(format!("log/begun-{id}")).exists();
    let running = program.begin("create client --id a");
    eventually("it has begun", || begun("a").then_some(()));
    running.signal(Signal::INT);
    let ran = running.end();
    assert!(ran.stderr.contains("comes to its end first"), "{ran}");
    assert_eq!(heard(&program, "first"), ["a"], "{ran}");
    // Of a batch those that were begun, and the others as it is gone on with.
    let rows: Vec<String> = (0..40).map(|n| format!("r{n:02}\n")).collect();
    program.file("s.csv", &format!("client_id\n{}", rows.concat()));
    let running = program.begin("batch create s.csv");
    eventually("it has begun", || begun("r00").then_some(()));
    running.signal(Signal::INT);
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    let first = heard(&program, "first").len();
    assert!(first > 1 && first < 41, "{first}: {ran}");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    program.run(&format!("batch resume {run}")).ok();
    let expected: Vec<String> = std::iter::once("a".to_owned()).chain((0..40).map(|n| format!("r{n:02}"))).collect();
    assert_eq!(heard(&program, "first"), expected);
}

#[test]
fn whoever_insists_ends_a_delivery_and_it_is_tried_again() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = "fn after_create(c) { fs::write(\"log/begun\", \"\"); if !fs::exists(\"log/open\") { sleep(20); } csv::append(\"log/first.csv\", #{id: c.client_id}); }";
    plugin(&program, "slow", "hooks = [\"after_create\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n", code);
    install(&program, "./slow");
    fs::create_dir(program.home().join("log")).unwrap();
    let running = program.begin("create client --id a");
    eventually("it has begun", || program.home().join("log/begun").exists().then_some(()));
    let began = Instant::now();
    running.signal(Signal::INT);
    thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    running.end().fails(130, "stopped at once").tells("kept in");
    assert!(began.elapsed() < Duration::from_secs(5));
    open(&program);
    program.run("deliver client a").ok();
    assert_eq!(heard(&program, "first"), ["a"]);
}

#[test]
fn a_dry_run_asks_the_hooks_and_says_what_they_would_refuse() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    for id in ["a", "kept"] {
        server.make(&json!({"client_id": id, "owner": "o"}));
    }
    let code = "fn before_delete(id) { if id == \"kept\" { throw \"it is kept\"; } }\nfn before_update(c, set) { if c.client_id == \"kept\" { throw \"it is frozen\"; } set.owner = set.owner.to_upper(); set }";
    plugin(&program, "rules", "hooks = [\"before_delete\", \"before_update\"]\n", code);
    install(&program, "./rules");
    let ran = program.run("delete client a kept --dry-run").fails_after(3, "client `kept`").tells("it is kept");
    assert!(ran.stdout.contains("/admin/clients/a") && !ran.stdout.contains("kept"), "{ran}");
    program.run("delete client kept --dry-run").fails(1, "plugin `rules`: rules/main.rhai: it is kept");
    program
        .run("batch delete a kept --dry-run")
        .fails_after(3, "1 rows would be refused")
        .tells("row 2: plugin `rules`: rules/main.rhai: it");
    let ran = program.run("batch update a kept --set owner=ops --dry-run").fails_after(3, "1 rows would be refused");
    ran.tells("row 1: plugin `rules` changed owner to \"OPS\"")
        .tells("row 2: plugin `rules`: rules/main.rhai: it is frozen");
    let ran = program.run("batch update a --set owner=ops").ok();
    ran.tells("row 1: plugin `rules` changed owner to \"OPS\"");
    assert_eq!(server.client("a")["owner"], "OPS");
    assert_eq!(server.client("kept")["owner"], "o");
    // What a hook wants as it is, is as it should be.
    program.file("c.json", r#"[{"client_id": "a", "owner": "ops"}]"#);
    program.run("apply -f c.json --diff --detailed-exitcode").ok().tells("0 changed, 1 unchanged");
    program.run("apply -f c.json").ok().tells("1 unchanged");
}

#[test]
fn what_is_taken_back_is_asked_for_and_told() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = "fn noted(what) { csv::append(\"log/first.csv\", #{what: what}); }\nfn before_update(c, set) { if set.owner == \"frozen\" { throw \"nobody goes back there\"; } }\nfn after_update(c) { noted(`${c.client_id} ${c.owner}`); }\nfn after_delete(c) { noted(`${c.client_id} gone`); }\nfn before_delete(id) { if id == \"kept\" { throw \"it is kept\"; } }";
    plugin(
        &program,
        "rules",
        "hooks = [\"before_update\", \"after_update\", \"after_delete\", \"before_delete\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n",
        code,
    );
    fs::create_dir(program.home().join("log")).unwrap();
    for (id, owner) in [("a", "old"), ("b", "frozen")] {
        server.make(&json!({"client_id": id, "owner": owner}));
    }
    program.run("batch update a b --set owner=new").ok();
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    install(&program, "./rules");
    program.run(&format!("batch undo {run} --yes")).fails_after(3, "nobody goes back there");
    assert_eq!((&server.client("a")["owner"], &server.client("b")["owner"]), (&json!("old"), &json!("new")));
    program.file("s.csv", "client_id\nr1\nkept\n");
    program.run("batch create s.csv").ok();
    let run = program.run("batch list -q").ok().stdout.lines().last().unwrap().to_owned();
    program.run(&format!("batch undo {run} --yes")).fails_after(3, "it is kept");
    assert_eq!(heard(&program, "first"), ["a old", "r1 gone"]);
}

#[test]
fn a_script_whose_clients_were_not_delivered_says_so() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    two(&program, "after_create");
    let ran = program.args(&["eval", "clients::create(#{client_id: \"a\"}); clients::create(#{client_id: \"b\"}); 7"]);
    assert_eq!(ran.stdout, "7\n");
    ran.fails_after(3, "2 clients were written, and not delivered").tells("the door is shut");
    program.args(&["eval", "clients::create(#{client_id: \"c\"}); exit(9)"]).fails(9, "the door is shut");
}

#[test]
fn whatever_was_done_is_told_once_to_each_also_where_it_is_tried_again() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let hooks = ["after_create", "after_update", "after_delete"];
    let code = |name: &str, first: &str| {
        let each = hooks.iter().map(|hook| {
            format!(
                "fn {hook}(c) {{ {first} csv::append(\"log/{name}.csv\", #{{what: `{hook} ${{c.client_id}}`}}); }}\n"
            )
        });
        each.collect::<String>()
    };
    let manifest = format!("hooks = {hooks:?}\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n");
    plugin(&program, "first", &manifest, &code("first", ""));
    plugin(&program, "second", &manifest, &code("second", "if !fs::exists(\"log/open\") { throw \"shut\"; }"));
    install(&program, "./first");
    install(&program, "./second");
    fs::create_dir(program.home().join("log")).unwrap();
    program.run("create client --id a --token-endpoint-auth-method none").fails_after(3, "try again");
    program.run("update client a --owner o").fails_after(3, "try again");
    program.file("r.json", r#"{"client_name": "r", "token_endpoint_auth_method": "none"}"#);
    program.run("replace client a --file r.json --yes").fails_after(3, "try again");
    program.run("delete client a").fails(3, "try again: orysh deliver oauth2-client a");
    program.run("deliver client a").fails(1, "shut");
    open(&program);
    program.run("deliver client a").ok();
    let due = ["after_create a", "after_delete a", "after_update a", "after_update a"];
    assert_eq!(
        (heard(&program, "first"), heard(&program, "second")),
        (due.map(str::to_owned).to_vec(), due.map(str::to_owned).to_vec())
    );
    program.run("deliver client a").fails(1, "HTTP 404");
}

#[test]
fn who_was_told_before_the_process_was_ended_is_not_told_again() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let manifest = |order: u8| {
        format!("order = {order}\nhooks = [\"after_create\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n")
    };
    plugin(
        &program,
        "fast",
        &manifest(1),
        "fn after_create(c) { csv::append(\"log/first.csv\", #{id: c.client_id}); }",
    );
    let slow = "fn after_create(c) { fs::write(`log/begun-${c.client_id}`, \"\"); if !fs::exists(\"log/open\") { sleep(20); } csv::append(\"log/second.csv\", #{id: c.client_id}); }";
    plugin(&program, "slow", &manifest(2), slow);
    install(&program, "./fast");
    install(&program, "./slow");
    fs::create_dir(program.home().join("log")).unwrap();
    let begun = |id: &str| program.home().join(format!("log/begun-{id}")).exists();
    let running = program.begin("create client --id a");
    eventually("it has begun", || begun("a").then_some(()));
    running.signal(Signal::KILL);
    running.end();
    program.file("s.csv", "client_id\nr1\nr2\n");
    let running = program.begin("batch create s.csv");
    eventually("it has begun", || (begun("r1") && begun("r2")).then_some(()));
    running.signal(Signal::KILL);
    running.end();
    open(&program);
    program.run("deliver client a").ok();
    program.run("batch resume").ok();
    let all = ["a", "r1", "r2"].map(str::to_owned).to_vec();
    assert_eq!((heard(&program, "first"), heard(&program, "second")), (all.clone(), all));
}

#[test]
fn rules_are_asked_whatever_changes_a_client() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    server.make(&json!({"client_id": "a", "scope": "read"}));
    let code = "fn lint(c) { if c.get(\"scope\") == \"admin\" { return [#{field: \"scope\", message: \"admin is not allowed\", is_wrong: true}]; } [] }";
    plugin(&program, "rule", "hooks = [\"lint\"]\n", code);
    install(&program, "./rule");
    program.file("c.json", r#"{"client_id": "n", "scope": "admin"}"#);
    program.file("u.csv", "client_id,scope\na,admin\n");
    let patch = "patch client a '[{\"op\": \"replace\", \"path\": \"/scope\", \"value\": \"admin\"}]'";
    for line in ["update client a --scope admin", "apply -f c.json", "create client --scope admin", patch] {
        program.run(line).fails(2, "admin is not allowed");
    }
    program.run("batch update --file u.csv").fails_after(3, "admin is not allowed");
    assert!(program.run("lint client --file c.json").stdout.contains("admin is not allowed"));
    assert_eq!(server.client("a")["scope"], "read");
    program.run("update client a --scope admin --no-lint").ok();
    assert!(program.run("lint client a").stdout.contains("admin is not allowed"));
}

#[test]
fn a_secret_that_an_update_sets_is_delivered() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    install(&program, &super::bundled("kubernetes"));
    program.run("create client --id k1 -q").ok();
    let manifest = || fs::read_to_string(program.home().join("secrets/k1.yaml")).unwrap();
    program.run_with("update client k1 --secret-stdin -q", "newsecret-123\n").ok();
    assert!(manifest().contains("newsecret-123"), "{}", manifest());
    program.run("update client k1 --owner o").ok();
    assert!(manifest().contains("newsecret-123"), "{}", manifest());
    program.file("r.json", r#"{"client_name": "r", "client_secret": "another-123"}"#);
    program.run("replace client k1 --file r.json --yes").ok();
    assert!(manifest().contains("another-123"), "{}", manifest());
}

#[test]
fn a_secret_is_kept_until_whoever_is_to_have_it_has_it() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    two(&program, "after_create");
    program.run("create client --id a").fails_after(3, "the door is shut");
    // Who was to hear of it is switched off: it is not as if they had.
    program.run("plugin disable second").ok();
    program.run("deliver client a").fails(1, "the plugin second has not heard of it, and is not here");
    assert_eq!(program.pending().len(), 1);
    program.run("plugin enable second").ok();
    program.run("deliver client a --no-hook second").fails(1, "is not here");
    program.file("s.csv", "client_id\nr1\n");
    program.run("batch create s.csv").fails_after(3, "the door is shut");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    program.run(&format!("batch deliver {run} --no-hook second")).fails_after(3, "is not here");
    open(&program);
    program.run(&format!("batch deliver {run}")).ok();
    // Nobody here delivers secrets: it is told, and the secret stays where it is.
    program.run("deliver client a").ok().tells("nobody delivers its secret here: it is kept in");
    assert_eq!((heard(&program, "second"), program.pending().len()), (vec!["a".to_owned(), "r1".to_owned()], 1));
    program.run("deliver client a").fails(2, "no secret of client `a` is kept that was not delivered");
    // What is only noted leaves nothing that says otherwise.
    program.run("create client --id b -q").ok();
    let kept = program.pending().into_iter().map(|path| fs::read_to_string(path).unwrap());
    assert!(kept.filter(|text| text.contains("\"b\"")).all(|text| !text.contains("undelivered")));
    program.file("r.json", r#"{"client_name": "r", "client_secret": "another-123"}"#);
    let before = program.pending().len();
    program.run("replace client b --file r.json --yes").ok();
    assert_eq!(program.pending().len(), before);
}

#[test]
fn what_was_done_is_told_in_its_order_and_once_by_whoever_tells() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let hooks = ["after_create", "after_update", "after_delete", "after_rotate"];
    let each = hooks.iter().map(|hook| {
        format!("fn {hook}(c) {{ if !fs::exists(\"log/open\") {{ throw \"shut\"; }} csv::append(\"log/first.csv\", #{{what: \"{hook}\"}}); }}\n")
    });
    let manifest = format!("hooks = {hooks:?}\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n");
    plugin(&program, "notes", &manifest, &each.collect::<String>());
    install(&program, "./notes");
    fs::create_dir(program.home().join("log")).unwrap();
    for line in [
        "create client --id a",
        "update client a --owner o",
        "rotate secret a",
        "delete client a",
        "create client --id a",
    ] {
        assert_eq!(program.run(line).code, Some(3), "{line}");
    }
    open(&program);
    let running: Vec<_> = (0..4).map(|_| program.begin("deliver client a")).collect();
    for one in running {
        one.end();
    }
    let text = fs::read_to_string(program.home().join("log/first.csv")).unwrap();
    let told: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(told, ["after_create", "after_update", "after_rotate", "after_delete", "after_create"]);
}

#[test]
fn a_policy_sees_what_a_replacement_takes_away() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    install(&program, &super::bundled("naming"));
    program.run("create client --id n --name shop --owner ops").ok();
    program.file("r.json", r#"{"client_name": "shop"}"#);
    program.run("replace client n --file r.json --yes").fails(1, "plugin `naming`");
    assert_eq!(server.client("n")["owner"], "ops");
    program.file("r.json", r#"{"client_name": "shop-2", "owner": "ops"}"#);
    program.run("replace client n --file r.json --yes").ok();
}

/// One that sees no secret and fails while there is `log/shut`, and one that takes secrets.
fn deaf_and_taker(program: &Orysh) {
    let code = "fn after_create(c) { if fs::exists(\"log/shut\") { throw \"shut\"; } csv::append(\"log/first.csv\", #{id: c.client_id}); }";
    let files = "[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\n";
    plugin(program, "notes", &format!("hooks = [\"after_create\"]\n{files}"), code);
    let each = ["after_create", "after_rotate", "after_update"].map(|hook| {
        format!("fn {hook}(c) {{ if c.client_secret == () {{ return; }} if fs::exists(\"log/full\") {{ throw \"full\"; }} csv::append(\"log/second.csv\", #{{id: `{hook} ${{c.client_id}} ${{c.client_secret.reveal()}}`}}); }}\n")
    });
    let manifest = "order = 900\ndelivers = true\nhooks = [\"after_create\", \"after_rotate\", \"after_update\"]\n";
    plugin(program, "taker", &format!("{manifest}{files}secrets = true\n"), &each.concat());
    install(program, "./notes");
    install(program, "./taker");
    fs::create_dir(program.home().join("log")).unwrap();
}

fn shut(program: &Orysh, what: &str, is: bool) {
    let path = program.home().join("log").join(what);
    if is { fs::write(path, "").unwrap() } else { fs::remove_file(path).unwrap() }
}

/// Whether any file of the program's state holds a text.
fn holds(program: &Orysh, text: &str) -> bool {
    program.pending().iter().any(|path| fs::read_to_string(path).unwrap().contains(text))
}

#[test]
fn who_has_not_heard_of_a_client_does_so_whatever_was_delivered_since() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    deaf_and_taker(&program);
    shut(&program, "shut", true);
    for id in ["a", "b"] {
        program.run(&format!("create client --id {id}")).fails_after(3, "shut");
    }
    let old = server_secret(&program, "a");
    program.run("rotate secret a").ok().tells("orysh deliver oauth2-client a");
    program.run("update client b --secret another-secret-of-b").ok().tells("orysh deliver oauth2-client b");
    // Who is to hear of it still needs no secret, and none is kept.
    assert_eq!(program.pending().len(), 0, "{old}");
    program.run("deliver client a").fails(1, "shut");
    shut(&program, "shut", false);
    program.run("deliver client a").ok();
    program.run("deliver client b").ok();
    assert_eq!(heard(&program, "first"), ["a", "b"]);
    let taken = heard(&program, "second");
    let kinds: Vec<&str> = taken.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["after_create", "after_create", "after_rotate", "after_update"]);
    program.run("deliver client a").fails(2, "no secret of client `a` is kept");
}

fn server_secret(program: &Orysh, id: &str) -> String {
    let kept = program.pending().into_iter().map(|path| fs::read_to_string(path).unwrap());
    let kept = kept.map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
    kept.filter(|kept| kept["client_id"] == id).map(|kept| kept["client_secret"].to_string()).collect()
}

#[test]
fn who_is_to_have_a_secret_gets_the_newest_and_whoever_has_it_nothing_older() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    deaf_and_taker(&program);
    program.executable("take", "#!/bin/sh\ncat >> log/taken\n");
    shut(&program, "full", true);
    program.run("create client --id a").fails_after(3, "full");
    program.run("create client --id b").fails_after(3, "full");
    // One that delivers is away as another takes the new secret.
    program.run("rotate secret a --deliver ./take --no-hook taker").ok();
    program.run("update client b --secret another-secret-of-b --no-plugins").ok();
    assert_eq!(program.pending().len(), 2);
    shut(&program, "full", false);
    program.run("deliver client a").ok();
    program.run("deliver client b").ok();
    let taken = fs::read_to_string(program.home().join("log/taken")).unwrap();
    let new = serde_json::from_str::<serde_json::Value>(&taken).unwrap()["client"]["client_secret"].clone();
    let taken = heard(&program, "second");
    assert!(taken.contains(&format!("after_create a {}", new.as_str().unwrap())), "{taken:?}");
    assert!(taken.contains(&"after_create b another-secret-of-b".to_owned()), "{taken:?}");
    assert_eq!((taken.len(), program.pending().len()), (2, 0));
    // It failed for one that has the secret of a later rotation: that is the last word.
    shut(&program, "full", true);
    program.run("create client --id c").fails_after(3, "full");
    shut(&program, "full", false);
    program.run("rotate secret c").ok();
    assert_eq!((heard(&program, "second").len(), program.pending().len()), (3, 0));
    program.run("deliver client c").fails(2, "no secret of client `c` is kept");
}

#[test]
fn a_secret_that_is_a_clients_no_more_keeps_nobody_waiting_who_sees_none() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    deaf_and_taker(&program);
    for what in ["shut", "full"] {
        shut(&program, what, true);
    }
    program.run("create client --id a").fails_after(3, "shut");
    program.file("s.csv", "client_id\nr1\nr2\nr3\n");
    program.run("batch create s.csv").fails_after(3, "shut");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    for what in ["shut", "full"] {
        shut(&program, what, false);
    }
    // By somebody else.
    let other = anywhere().with("HYDRA_ADMIN_URL", &server.admin);
    for id in ["a", "r1"] {
        other.run(&format!("update client {id} --secret another-secret-by-another")).ok();
    }
    other.run("update client r2 --owner me").ok();
    program.run("deliver client a").fails(1, "is not its secret any more");
    program.run("deliver client a").fails(1, "is not its secret any more");
    assert_eq!(heard(&program, "first"), ["a"]);
    program.run("rotate secret a").ok();
    program.run("deliver client a").fails(2, "no secret of client `a` is kept");
    // Where nobody can tell which secret it is, it is said how that can be.
    let blind = program.run(&format!("batch deliver {run} --public-endpoint http://127.0.0.1:1"));
    blind.fails_after(3, "--public-endpoint").tells("may have another secret by now");
    program.run(&format!("batch deliver {run}")).fails_after(3, "another secret by now").tells("batch forget");
    assert_eq!(heard(&program, "first"), ["a", "r1", "r2", "r3"]);
    let taken = heard(&program, "second");
    let created = |id: &str| taken.iter().filter(|line| line.starts_with(&format!("after_create {id} "))).count();
    assert_eq!((created("r1"), created("r2"), created("r3")), (0, 1, 1), "{taken:?}");
}

#[test]
fn what_is_told_just_now_is_told_by_nobody_else() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let each = ["after_create", "after_update"].map(|hook| {
        format!("fn {hook}(c) {{ fs::write(\"log/begun\", \"\"); sleep(3); csv::append(\"log/first.csv\", #{{id: \"{hook}\"}}); }}\n")
    });
    let manifest = "delivers = true\nhooks = [\"after_create\", \"after_update\"]\n";
    let files = "[capabilities]\nsecrets = true\nread = [\"log\"]\nwrite = [\"log\"]\n";
    plugin(&program, "slow", &format!("{manifest}{files}"), &each.concat());
    install(&program, "./slow");
    fs::create_dir(program.home().join("log")).unwrap();
    for (line, due) in [("create client --id a", 1), ("update client a --owner o", 2)] {
        let running = program.begin(line);
        eventually("it has begun", || program.home().join("log/begun").exists().then_some(()));
        program.run("deliver client a").fails(1, "is being handed over just now");
        running.end().ok();
        assert_eq!(heard(&program, "first").len(), due, "{line}");
        shut(&program, "begun", false);
        program.run("deliver client a").fails(2, "is kept that was not delivered");
    }
}

#[test]
fn of_a_public_client_nobody_hears_twice() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    deaf_and_taker(&program);
    program.run("create client --id a --token-endpoint-auth-method none").ok();
    program.run("deliver client a").fails(2, "nothing of client `a` is kept");
    // A program that a person names is another matter.
    program.executable("take", "#!/bin/sh\ncat >> log/taken\n");
    program.run("deliver client a --deliver ./take").ok();
    assert_eq!(heard(&program, "first"), ["a"]);
    assert_eq!(fs::read_to_string(program.home().join("log/taken")).unwrap().lines().count(), 1);
}

#[test]
fn of_a_client_that_is_gone_nothing_is_left() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    deaf_and_taker(&program);
    shut(&program, "shut", true);
    for id in ["a", "b"] {
        program.run(&format!("create client --id {id}")).fails_after(3, "shut");
    }
    program.run("delete client a").ok().tells("what was not delivered of it is dropped");
    assert_eq!(program.pending().len(), 1);
    let other = anywhere().with("HYDRA_ADMIN_URL", &server.admin);
    other.run("delete client b").ok();
    program.run("deliver client b").fails(1, "client `b` is gone");
    program.run("deliver client b").fails(1, "HTTP 404");
    assert_eq!(program.pending().len(), 0);
    shut(&program, "shut", false);
    program.run("create client --id a -q").ok();
    program.run("deliver client a").fails(2, "is kept that was not delivered");
    assert_eq!(heard(&program, "first"), ["a"]);
    assert!(!holds(&program, "undelivered"));
}

#[test]
fn whoever_counts_on_a_client_is_told_that_it_was_not_delivered() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    deaf_and_taker(&program);
    shut(&program, "shut", true);
    program.run("create client --id a").fails_after(3, "shut");
    program.run("create client --id a --if-absent").ok().tells("orysh deliver oauth2-client a");
    shut(&program, "shut", false);
    program.run("deliver client a").ok();
    let ran = program.run("create client --id a --if-absent").ok();
    assert!(!ran.stderr.contains("deliver"), "{ran}");
}

#[test]
fn that_old_secrets_end_is_asked_about() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    server.make(&json!({"client_id": "a"}));
    plugin(&program, "rule", "hooks = [\"before_update\"]\n", "fn before_update(c, set) { throw \"not today\"; }");
    install(&program, "./rule");
    program.run("rotate secret a").ok();
    program.run("rotate secret a --drop-old").fails(1, "not today");
}

#[test]
fn nobody_is_asked_about_a_client_that_is_there_and_not_to_be_made() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    server.make(&json!({"client_id": "a"}));
    let code = "fn before_create(c) { throw \"never\"; }\nfn lint(c) { [#{message: \"never\", is_wrong: true}] }";
    plugin(&program, "rule", "hooks = [\"before_create\", \"lint\"]\n", code);
    install(&program, "./rule");
    program.run("create client --id a --if-absent").ok().tells("exists already");
    program.run("create client --id b --if-absent").fails(1, "never");
    assert_eq!(server.clients().len(), 1);
}

#[test]
fn a_secret_that_another_one_has_followed_is_handed_over_no_more() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let program = program.with("HYDRA_PUBLIC_URL", &server.public);
    deaf_and_taker(&program);
    let last = |id: &str| {
        let text = fs::read_to_string(program.home().join("log/second.csv")).unwrap_or_default();
        let of = format!(" {id} ");
        text.lines().rev().find(|line| line.contains(&of)).map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    let run = || program.run("batch list -q").ok().stdout.lines().last().unwrap().to_owned();
    // A row, and a rotation behind it: the old secret counts at the server still.
    shut(&program, "full", true);
    program.file("s.csv", "client_id\na\nb\n");
    program.run("batch create s.csv").fails_after(3, "not delivered");
    let created = run();
    shut(&program, "full", false);
    program.run("rotate secret a --yes").ok();
    let newest = last("a");
    program.run(&format!("batch deliver {created}")).fails_after(3, "another secret by now");
    assert_eq!(last("a"), newest);
    assert!(last("b").is_some());
    // A client, and a batch behind it.
    shut(&program, "full", true);
    program.run("create client --id c").fails_after(3, "full");
    program.run("create client --id d").fails_after(3, "full");
    shut(&program, "full", false);
    program.run("batch rotate c --yes").ok();
    let newest = last("c");
    program.run("deliver client c").fails(2, "no secret of client `c` is kept");
    assert_eq!(last("c"), newest);
    program.run("batch delete d --yes").ok();
    assert_eq!(program.pending().len(), 0);
    // Two batches, the later one first.
    shut(&program, "full", true);
    program.run("batch rotate b --yes").fails_after(3, "not delivered");
    let first = run();
    program.run("batch rotate b --yes").fails_after(3, "not delivered");
    let second = run();
    assert_ne!(first, second);
    shut(&program, "full", false);
    program.run(&format!("batch deliver {second}")).ok();
    let newest = last("b");
    program.run(&format!("batch deliver {first}")).fails_after(3, "another secret by now");
    assert_eq!(last("b"), newest);
    // A program that failed is due still, whoever else has taken the newer secret.
    program.executable("take", "#!/bin/sh\n[ -e log/open ] && cat >> log/taken\n");
    program.run("create client --id p --deliver ./take").fails_after(3, "not delivered");
    program.run("rotate secret p --yes").ok().tells("orysh deliver oauth2-client p");
    open(&program);
    program.run("deliver client p --deliver ./take").ok();
    let taken = fs::read_to_string(program.home().join("log/taken")).unwrap();
    assert!(taken.contains(&last("p").unwrap()), "{taken}");
}

#[test]
fn a_new_secret_waits_for_an_old_one_that_is_on_its_way() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = |hook: &str| {
        format!(
            "fn {hook}(c) {{ if fs::exists(\"log/full\") {{ throw \"full\"; }} fs::write(\"log/begun\", \"\"); sleep(1.5); csv::append(\"log/second.csv\", #{{id: c.client_secret.reveal()}}); }}\n"
        )
    };
    plugin(
        &program,
        "slow",
        "delivers = true\nhooks = [\"after_create\", \"after_rotate\"]\n[capabilities]\nread = [\"log\"]\nwrite = [\"log\"]\nsecrets = true\n",
        &["after_create", "after_rotate"].map(code).concat(),
    );
    install(&program, "./slow");
    fs::create_dir(program.home().join("log")).unwrap();
    shut(&program, "full", true);
    program.run("create client --id a").fails_after(3, "full");
    let old = server_secret(&program, "a");
    shut(&program, "full", false);
    let running = program.begin("deliver client a");
    eventually("it has begun", || program.home().join("log/begun").exists().then_some(()));
    program.run("rotate secret a --yes").ok();
    running.end().ok();
    let text = fs::read_to_string(program.home().join("log/second.csv")).unwrap();
    let taken: Vec<&str> = text.lines().skip(1).collect();
    assert!(taken.len() == 2 && old.contains(taken[0]) && !old.contains(taken[1]), "{taken:?} {old}");
    // A row of a batch that is on its way, and one that waits for it; whoever has it end leaves it to be tried again.
    shut(&program, "full", true);
    program.run("create client --id w").fails_after(3, "full");
    shut(&program, "full", false);
    fs::remove_file(program.home().join("log/begun")).unwrap();
    program.file("s.csv", "client_id\nb\n");
    let running = program.begin("batch create s.csv");
    eventually("it has begun", || program.home().join("log/begun").exists().then_some(()));
    let waiting = program.begin("rotate secret b --yes");
    thread::sleep(Duration::from_millis(300));
    waiting.signal(Signal::INT);
    let waited = waiting.end();
    assert!(waited.code != Some(0), "{waited}");
    running.end().ok();
    program.run("deliver client b").ok();
    fs::remove_file(program.home().join("log/begun")).unwrap();
    let running = program.begin("deliver client w");
    eventually("it has begun", || program.home().join("log/begun").exists().then_some(()));
    program.run("batch rotate w --yes").ok();
    running.end().ok();
    let text = fs::read_to_string(program.home().join("log/second.csv")).unwrap();
    let taken: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(taken.len(), 6, "{text}");
    assert!(server.accepts(&json!("b"), &json!(taken[3])) && server.accepts(&json!("w"), &json!(taken[5])), "{text}");
    assert_eq!(program.pending().len(), 0);
}

/// The end of what a program is given, by which it tells the secret.
const LOG: &str = "cat >> log/taken; echo >> log/taken\n";

#[test]
fn a_newer_secret_that_waits_is_no_older_one() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    fs::create_dir(program.home().join("log")).unwrap();
    program.executable("ok", &format!("#!/bin/sh\n{LOG}"));
    program.executable("slow", &format!("#!/bin/sh\ntouch log/begun\n{LOG}sleep 1.5\n"));
    program.executable("no", "#!/bin/sh\nexit 1\n");
    program.executable(
        "again",
        &format!(
            "#!/bin/sh\n{LOG}{PROGRAM} rotate secret \"$ORYSH_CLIENT_ID\" --cut-over --yes --deliver ./no -q\nexit 0\n"
        ),
    );
    let taken = || fs::read_to_string(program.home().join("log/taken")).unwrap();
    let last = || {
        let text = taken();
        let told: serde_json::Value =
            serde_json::from_str(text.lines().rfind(|line| !line.is_empty()).unwrap()).unwrap();
        told["client"]["client_secret"].clone()
    };
    let begun = || {
        eventually("it has begun", || program.home().join("log/begun").exists().then_some(()));
        fs::remove_file(program.home().join("log/begun")).unwrap();
    };
    // One that was ended while it waited.
    for job in ["rotate secret x --yes", "batch rotate x --yes"] {
        program.run("create client --id x --if-absent --deliver ./ok -q").ok();
        let older = program.begin(&format!("{job} --deliver ./slow"));
        begun();
        let newer = program.begin("rotate secret x --cut-over --yes --deliver ./ok");
        thread::sleep(Duration::from_millis(500));
        newer.signal(Signal::INT);
        newer.end().tells("is kept in");
        older.end().ok();
        program.run("deliver client x --deliver ./ok").ok();
        assert!(server.accepts(&json!("x"), &last()), "{job}: {}", taken());
    }
    // One of the program itself.
    program.run("create client --id y --deliver ./again").ok();
    assert!(!server.accepts(&json!("y"), &last()));
    program.run("deliver client y --deliver ./ok").ok();
    assert!(server.accepts(&json!("y"), &last()));
    assert_eq!(program.pending().len(), 0);
    // A program that is given one client waits for its turn with another.
    program.run("create client --id z -q").ok();
    program.executable("both", &format!("#!/bin/sh\n{PROGRAM} rotate secret z --yes --deliver ./slow -q\n"));
    program.run("create client --id a -q").ok();
    let both = program.begin("rotate secret a --yes --deliver ./both");
    begun();
    program.run("rotate secret z --cut-over --yes --deliver ./ok").ok();
    both.end().ok();
    assert!(server.accepts(&json!("z"), &last()));
}

#[test]
fn what_a_call_puts_aside_goes_with_it() {
    let program = anywhere();
    let aside = program.home().join("aside");
    fs::create_dir(&aside).unwrap();
    let program = program.with("TMPDIR", aside.to_str().unwrap());
    let code = "fn after_create(c) { let t = fs::temp(); fs::write(t + \"/s\", c.client_secret); }\nfn put(args) { let t = fs::temp(); fs::write(t + \"/s\", \"x\"); if args.fails { throw \"no\"; } fs::exists(t + \"/s\") }\n";
    plugin(
        &program,
        "asider",
        "hooks = [\"after_create\"]\n[commands.put]\nabout = \"a\"\narguments = [\"--fails: bool\"]\n[capabilities]\nsecrets = true\n",
        code,
    );
    install(&program, "./asider");
    program.run("create client --sandbox --name a -q").ok();
    assert_eq!(program.run("put").ok().stdout.trim(), "true");
    program.run("put --fails").fails(1, "no");
    assert_eq!(
        program
            .run("eval 'let t = fs::temp(); fs::write(t + \"/s\", \"x\"); fs::exists(t + \"/s\")'")
            .ok()
            .stdout
            .trim(),
        "true"
    );
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 0);
}
