//! That each hook hears once of each client, whatever fails or interrupts; and that dry runs and undoing ask and tell them.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::{install, plugin};
use crate::support::{Orysh, Sandbox, eventually, orysh};

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
