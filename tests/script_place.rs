//! A script that acts elsewhere for a while.

use std::path::Path;

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Sandbox, anywhere, eventually, orysh};

fn profile(name: &str, server: &Sandbox, more: &str) -> String {
    format!("[profile.{name}]\nendpoint = \"{}\"\n{more}\n", server.admin)
}

#[test]
fn a_closure_acts_where_its_profile_says_and_nothing_else_does() {
    let (here, there) = (Sandbox::with("--hash-iterations 1"), Sandbox::with("--hash-iterations 1"));
    here.make(&json!({"client_id": "a", "owner": "x"}));
    let program = orysh(&here);
    let code = r#"
        let copied = [];
        for c in clients::list() {
            copied.push(session::with_profile("there", || clients::create(#{client_id: c.client_id + "-copy"}).client_id));
        }
        print(copied);
        print(clients::find("a-copy") == ());
        print(session::with_profile("there", || session::target().named_by));
        print(session::with_profile("there", || sh("list clients").len()));
        print(session::with_profile("there", || sh("context").named_by));
        // What a list is of stays, wherever it is gone through.
        let list = session::with_profile("there", || clients::list());
        for c in list { print(c.client_id) }
        try { session::with_profile("there", || { throw "up" }) } catch (e) { print(e) }
        print(session::with_profile("there", || session::with_profile("here", || clients::list().to_array().len())));
        print(clients::list().to_array().len());
    "#;
    program.file("config/config.toml", &format!("{}{}", profile("there", &there, ""), profile("here", &here, "")));
    let ran = program.args(&["eval", code]).ok();
    let named = "session::with_profile(\"there\")";
    assert_eq!(ran.stdout, format!("[\"a-copy\"]\ntrue\n{named}\n1\n{named}\na-copy\nup\n1\n1\n"));
    assert_eq!((here.clients().len(), there.clients().len()), (1, 1));
    program.args(&["eval", "session::with_profile(\"their\", || 1)"]).fails(1, "there is no profile `their`");
}

#[test]
fn a_place_that_is_production_asks_whatever_the_script_began_at() {
    let (here, live) = (Sandbox::start(), Sandbox::start());
    let program = orysh(&here);
    program.file("config/config.toml", &profile("live", &live, "production = true"));
    let code = r#"clients::create(#{}); session::with_profile("live", || clients::create(#{}))"#;
    program.args(&["eval", code]).fails(2, "live is production");
    program
        .args(&[
            "eval",
            "--confirm",
            "live",
            r#"session::with_profile("live", || clients::create(#{})).client_id.len()"#,
        ])
        .ok();
    assert_eq!((here.clients().len(), live.clients().len()), (1, 1));
}

#[test]
fn a_run_that_was_begun_elsewhere_is_gone_on_with_there() {
    let (here, there) = (Sandbox::start(), Sandbox::with("--latency 100ms"));
    let program = orysh(&here);
    program.file("config/config.toml", &profile("there", &there, ""));
    program.file(
        "s.rhai",
        "let rows = []; for n in 0..100 { rows.push(#{client_id: `j${n}`}); } session::with_profile(\"there\", || clients::create_all(rows))",
    );
    let running = program.begin("run s.rhai");
    eventually("a client is made", || there.clients().first().cloned());
    running.signal(Signal::INT);
    running.end().tells("go on with: orysh batch resume");
    program.run("batch resume").ok();
    assert_eq!((here.clients().len(), there.clients().len()), (0, 100));
}

#[test]
fn another_project_is_acted_on_as_the_same_subject() {
    let network = Sandbox::with("--network 127.0.0.1:0 --hash-iterations 1");
    let program = anywhere()
        .with("HTTP_PROXY", network.network.as_deref().unwrap())
        .with("ORY_CONSOLE_URL", "http://console.test")
        .with("ORY_ORYAPIS_URL", "http://oryapis.test")
        .with("ORY_WORKSPACE_API_KEY", "ory_wak_sandbox_acme");
    let code = r#"
        clients::create(#{client_id: "here"});
        let staged = session::with_project("quiet-lake-staging", || {
            clients::create(#{client_id: "staged"});
            session::project().slug
        });
        [session::project().slug, staged, clients::find("staged") == ()]
    "#;
    let shown = program.args(&["eval", "--project", "happy-hill", "--format", "jsonl", code]).ok();
    assert_eq!(shown.stdout.lines().collect::<Vec<_>>(), ["\"happy-hill\"", "\"quiet-lake-staging\"", "true"]);
    let found = program.run("--project quiet-lake-staging list clients -q").ok();
    assert_eq!(found.stdout.trim(), "staged");
    program
        .args(&["eval", "--project", "happy-hill", "session::with_project(\"nowhere\", || clients::list().to_array())"])
        .fails(1, "nowhere");
    let workspace =
        program.args(&["eval", "--project", "happy-hill", "--workspace", "Acme", "session::workspace().name"]);
    assert_eq!(workspace.ok().stdout, "Acme\n");
}

#[test]
fn a_script_agrees_to_nothing_on_production_by_itself() {
    let (here, live) = (Sandbox::start(), Sandbox::start());
    live.make(&json!({"client_id": "a"}));
    let program = orysh(&here);
    program.file("config/config.toml", &profile("live", &live, "production = true"));
    program.file("in.json", "[{}]");
    for code in [
        r#"sh("--yes --profile live delete client a")"#,
        r#"sh("-y --profile live update client a --owner b")"#,
        r#"batch::create("in.json", #{profile: "live", yes: true})"#,
        r#"session::with_profile("live", || sh("--yes delete client a"))"#,
    ] {
        program.args(&["eval", code]).fails(2, "live is production");
        program
            .args(&[
                "eval",
                &code
                    .replace("--yes", "--confirm live")
                    .replace("-y ", "--confirm live ")
                    .replace("yes: true", "confirm: \"live\""),
            ])
            .fails(1, "agrees to nothing");
    }
    program.args(&["eval", "sh(\"--yes profile remove live\")"]).fails(1, "is not for scripts");
    assert_eq!((here.clients().len(), live.clients().len()), (0, 1));
    for line in [
        format!("--endpoint {} update client a --owner b", live.admin),
        format!("--endpoint {} create client", live.admin),
    ] {
        program.args(&["eval", &format!("sh(\"{line}\")")]).fails(2, "live is production");
    }
    program
        .args(&["eval", "sh(\"profile add other --endpoint http://127.0.0.1:1 --use\")"])
        .fails(1, "is not for scripts");
    assert_eq!((here.clients().len(), live.clients().len()), (0, 1));
    // Elsewhere it says what it likes, and a person agrees to everything.
    here.make(&json!({"client_id": "b"}));
    program.args(&["eval", "sh(\"--yes delete client b\")"]).ok();
    program.args(&["eval", "--yes", "sh(\"--profile live delete client a\")"]).ok();
    assert_eq!((here.clients().len(), live.clients().len()), (0, 0));
}

#[test]
fn a_copy_that_was_interrupted_is_gone_on_with_where_it_was_going_and_nowhere_else() {
    let all: Vec<_> = (0..12).map(|n| json!({"client_id": format!("c{n}"), "owner": "ops"})).collect();
    let from = Sandbox::holding(&all, "--hash-iterations 1");
    let (slow, other) = (Sandbox::with("--latency 300ms"), Sandbox::with("--latency 300ms"));
    let program = orysh(&from);
    program.file("config/config.toml", &[profile("slow", &slow, ""), profile("other", &other, "")].concat());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/copy.rhai").display().to_string();
    let line = |to: &str| format!("run {script} --to-profile {to} --owner ops --plain --out {to}.csv");
    for (to, server) in [("slow", &slow), ("other", &other)] {
        let running = program.begin(&line(to));
        eventually("some are made", || (!server.clients().is_empty()).then_some(()));
        running.signal(Signal::KILL);
        running.end();
    }
    let made = slow.clients().len();
    assert!(made < 12, "all were made before it was killed");
    // A dry run looks at what is left, and leaves it.
    program.run(&format!("run --dry-run {script} --to-profile other --owner ops --plain --out other.csv")).ok();
    let ran = program.run(&line("other"));
    assert!(ran.code == Some(0) && !ran.stderr.contains(&slow.admin), "{ran}");
    assert_eq!((slow.clients().len(), other.clients().len()), (made, 12));
    assert_eq!(program.run(&line("slow")).code, Some(0));
    assert_eq!(slow.clients().len(), 12);
}
