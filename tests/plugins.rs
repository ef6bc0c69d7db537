//! Plugins: what they may do, when they are called, and how they come and go.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Gpg, Orysh, Ran, Sandbox, Stub, Terminal, anywhere, orysh};

mod delivery;
mod hostile;
mod team;

/// A plugin in a folder: its manifest below the name, and its code.
pub fn plugin(program: &Orysh, name: &str, manifest: &str, code: &str) {
    let head = format!("name = \"{name}\"\nversion = \"1.0.0\"\ndescription = \"d\"\nlicense = \"Apache-2.0\"\n");
    program.file(&format!("{name}/plugin.toml"), &format!("{head}{manifest}"));
    program.file(&format!("{name}/main.rhai"), code);
}

pub fn hash(program: &Orysh, path: &str) -> String {
    program.run(&format!("plugin show {path} --format jsonpath=hash")).ok().stdout.trim().to_owned()
}

pub fn install(program: &Orysh, path: &str) -> Ran {
    let hash = hash(program, path);
    program.run(&format!("plugin install {path} --trust {hash}")).ok()
}

/// One of the plugins that come along.
fn bundled(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins").join(name).display().to_string()
}

/// A copy of one, with another text in its manifest.
fn changed(program: &Orysh, name: &str, from: &str, to: &str) {
    for file in ["plugin.toml", "main.rhai", "README.md"] {
        let text = fs::read_to_string(Path::new(&bundled(name)).join(file)).unwrap();
        program.file(&format!("{name}/{file}"), &text.replace(from, to));
    }
}

#[test]
fn the_tests_of_every_plugin_pass() {
    let program = anywhere();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.join("README.md").is_file(), "{path:?}");
        let ran = program.args(&["plugin".as_ref(), "test".as_ref(), path.as_os_str()]).ok();
        assert!(ran.stdout.contains("passed"), "{ran}");
        program.args(&["script".as_ref(), "check".as_ref(), path.as_os_str()]).ok().tells("nothing is wrong");
        install(&program, &path.display().to_string());
        count += 1;
    }
    assert!(count >= 6, "{count}");
    assert_eq!(program.run("plugin list -q").ok().stdout.lines().count(), count);
    program.run("plugin verify").ok();
}

#[test]
fn a_new_plugin_is_tested_installed_and_run() {
    let program = anywhere();
    program.run("plugin new hello").ok();
    program.run("plugin test hello").ok();
    program.run("plugin new hello").fails(2, "cannot make hello");
    program.run("plugin new Hello").fails(2, "small letters");
    program.run("plugin new list").fails(2, "is a command already");
    program.run("plugin new go").fails(2, "is no name for a command");
    program.run("plugin new two-words").ok();
    program.run("plugin test two-words").ok();
    program.run("plugin install ./hello").fails(2, "nobody can be asked");
    program.run("plugin install ./hello --trust abc").fails(2, "is not the hash of");
    assert_eq!(program.run("hello").code, Some(2));
    install(&program, "./hello");
    assert_eq!(program.run("hello world").ok().stdout, "Hello, world!\n");
    assert_eq!(program.run("hello --loud --format json").ok().stdout, "\"HELLO, WORLD!\"\n");
    program.run("hello --lod").fails(2, "--loud");
    let help = program.run("hello --help").quiet().stdout;
    assert!(help.contains("Greet somebody") && help.contains("[WHO]"), "{help}");
    assert_eq!(program.run("eval 'sh(\"hello you\")'").ok().stdout, "Hello, you!\n");
    assert_eq!(program.input("hello me\n").run("").ok().stdout, "Hello, me!\n");
}

#[test]
fn a_terminal_shows_what_is_asked_for_and_asks() {
    let program = anywhere();
    plugin(
        &program,
        "asks",
        "hooks = [\"after_create\"]\n[capabilities]\nsecrets = true\nnetwork = [\"a.example:443\"]\n",
        "fn after_create(c) { }",
    );
    let mut terminal = Terminal::with(program, &["plugin", "install", "./asks"]);
    terminal.shows("talk to: a.example:443");
    terminal.shows("see secrets of clients");
    terminal.shows("after_create");
    terminal.shows("[y/N]");
    terminal.press("y\r");
    assert_eq!(terminal.ended().code(), Some(0));
    terminal.shows("is installed");
}

#[test]
fn a_policy_holds_for_commands_rows_and_scripts_alike() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    install(&program, &bundled("naming"));
    program.file("b.csv", "client_name,owner\nshop,ops\nBAD,ops\n");
    program.file("b.json", r#"[{"client_id": "x", "client_name": "BAD", "owner": "a"}]"#);
    for (line, code) in [
        ("create oauth2-client --name BAD", 1),
        ("batch create b.csv", 1),
        ("import oauth2-client b.json", 1),
        ("apply -f b.json", 1),
        ("create oauth2-client --file b.json", 1),
        ("eval 'clients::create(#{client_name: \"BAD\"})'", 1),
        ("eval 'clients::create_all([#{client_name: \"BAD\"}])'", 1),
        ("eval 'clients::apply([#{client_id: \"a\", client_name: \"BAD\"}])'", 1),
        ("eval 'sh(\"create client --name BAD\")'", 1),
    ] {
        let ran = program.run(line);
        assert!(ran.stderr.contains("plugin `naming`") && ran.stderr.contains("\"BAD\""), "{line}: {ran}");
        assert_eq!(ran.code, Some(code), "{line}: {ran}");
    }
    assert_eq!(server.clients().len(), 0);
    program.run("create oauth2-client --name shop --owner ops --id shop").ok();
    program.file("p.json", r#"[{"op": "replace", "path": "/client_name", "value": "BAD"}]"#);
    program.file("r.json", r#"{"client_name": "BAD", "owner": "a"}"#);
    program.file("u.csv", "client_id,client_name\nshop,BAD\n");
    for line in [
        "update oauth2-client shop --name BAD",
        "patch oauth2-client shop @p.json",
        r#"patch oauth2-client shop '[{"op": "remove", "path": "/owner"}]'"#,
        "replace oauth2-client shop --file r.json",
        "batch update --file u.csv --yes",
        "eval 'clients::update(\"shop\", #{client_name: \"BAD\"})'",
        "eval 'clients::replace(\"shop\", #{client_name: \"BAD\"})'",
        "eval 'clients::apply([#{client_id: \"shop\", client_name: \"BAD\"}])'",
    ] {
        let ran = program.run(line);
        assert!(ran.code != Some(0) && format!("{ran}").contains("plugin `naming`"), "{line}: {ran}");
        assert_eq!(server.client("shop")["client_name"], "shop", "{line}");
    }
    program
        .run(r#"patch oauth2-client shop '[{"op": "add", "path": "/contacts/-", "value": "a"}]'"#)
        .fails(2, "plugins look at what fields are as a whole");
    program.run("update oauth2-client shop --scope read").ok();
    // Switched off it says so; a script switches nothing off.
    program.run("eval 'sh(\"--no-plugins update client shop --name BAD\")'").fails(1, "command line of orysh");
    program.run("update oauth2-client shop --name BAD --no-hook before_update").ok().tells("before_update is off");
    program.run("update oauth2-client shop --name WORSE --no-hook naming").ok().tells("naming is off");
    program.run("update oauth2-client shop --name WORST --no-plugins").ok().tells("plugins are off");
    program.run("update oauth2-client shop --name x --no-hook namin").fails(2, "neither a hook nor a plugin");
    program.run("plugin disable naming").ok();
    program.run("update oauth2-client shop --name BAD").ok();
    program.run("plugin enable naming").ok();
    program.run("update oauth2-client shop --name WORSE").fails(1, "naming");
}

#[test]
fn hooks_are_called_in_their_order_and_change_what_is_made() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = |text: &str| format!("fn before_create(c) {{ c.scope = (c.get(\"scope\") ?? \"\") + \" {text}\"; c }}");
    plugin(&program, "late", "order = 20\nhooks = [\"before_create\"]\n", &code("late"));
    plugin(&program, "early", "order = 10\nhooks = [\"before_create\", \"lint\", \"before_update\", \"after_update\", \"after_delete\", \"before_delete\", \"on_error\", \"before_batch\", \"after_batch\"]\n[capabilities]\nwrite = [\"log\"]\n",
        &format!("{}
fn noted(what) {{ fs::make_folder(\"log\"); csv::append(\"log/l.csv\", #{{what: what}}); }}
fn lint(c) {{ [\"mind \" + c.scope] }}
fn before_update(client, set) {{ if \"owner\" in set {{ set.owner = set.owner.to_upper(); }} set }}
fn after_update(c) {{ noted(\"updated \" + c.owner); }}
fn before_delete(id) {{ if id == \"kept\" {{ throw \"it is kept\"; }} }}
fn after_delete(c) {{ noted(\"deleted \" + c.client_id); }}
fn on_error(id, error) {{ noted(`error ${{id}} ${{error.status}}`); }}
fn before_batch(batch) {{ if batch.total > 3 {{ throw \"too many\"; }} noted(`batch ${{batch.job}} ${{batch.total}}`); }}
fn after_batch(batch) {{ noted(`done ${{batch.outcomes.get(\"done\")}}`); }}", code("early")));
    install(&program, "./late");
    install(&program, "./early");
    let order = program.run("plugin list -q").ok().stdout;
    assert_eq!(order, "early\nlate\n");
    let ran = program.run("create oauth2-client --id a --scope read").ok();
    ran.tells("plugin `early` changed scope").tells("mind read early late");
    assert_eq!(server.client("a")["scope"], "read early late");
    let told = program.run("create oauth2-client --id b --scope x --dry-run").ok();
    assert!(format!("{told}").contains("x early late"), "{told}");
    program.run("update oauth2-client a --owner ops").ok();
    assert_eq!(server.client("a")["owner"], "OPS");
    program.run("create oauth2-client --id kept --scope x").ok();
    program.run("delete oauth2-client kept").fails(1, "it is kept");
    program.run("delete oauth2-client a").ok();
    program.run("create oauth2-client --id kept --scope x").fails(1, "exists already");
    program.file("s.csv", "client_id\nr1\nr2\n");
    program.run("batch create s.csv").ok();
    program.file("d.csv", "client_id\nr1\nkept\n");
    assert_eq!(program.run("batch delete --file d.csv --yes").code, Some(3));
    program.file("many.csv", "client_id\nq1\nq2\nq3\nq4\n");
    program.run("batch create many.csv").fails(1, "too many");
    let log = fs::read_to_string(program.home().join("log/l.csv")).unwrap();
    for line in ["updated OPS", "deleted a", "error kept 409", "batch create 2", "done 2", "deleted r1", "error kept "]
    {
        assert!(log.contains(line), "{line}: {log}");
    }
    let ids: Vec<Value> = server.clients().iter().map(|client| client["client_id"].clone()).collect();
    assert_eq!(ids, ["kept", "r2"]);
}

#[test]
fn a_delivery_that_fails_loses_nothing_and_is_tried_again_alone() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = "fn after_create(c) { if !fs::exists(\"out/open\") { throw \"the door is shut\"; } fs::write(`out/${c.client_id}`, c.client_secret); }";
    plugin(
        &program,
        "door",
        "hooks = [\"after_create\"]\ndelivers = true\n[capabilities]\nsecrets = true\nwrite = [\"out\"]\n",
        code,
    );
    install(&program, "./door");
    let ran = program.run("create oauth2-client --id a");
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells("the door is shut").tells("was not delivered");
    let kept = program.only_pending();
    assert!(server.accepts(&json!("a"), &kept["client_secret"]));
    program.file("s.csv", "client_id\nr1\nr2\nr3\n");
    let ran = program.run("batch create s.csv");
    assert!(ran.code == Some(3) && ran.stderr.contains("the door is shut"), "{ran}");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    assert_eq!(server.clients().len(), 4, "{ran}");
    fs::create_dir(program.home().join("out")).unwrap();
    fs::write(program.home().join("out/open"), "").unwrap();
    program.run(&format!("batch deliver {run}")).ok();
    program.run("deliver oauth2-client a").ok();
    for id in ["a", "r1", "r2", "r3"] {
        let secret = fs::read_to_string(program.home().join("out").join(id)).unwrap();
        assert!(server.accepts(&json!(id), &json!(secret)), "{id}");
    }
    assert_eq!((server.clients().len(), program.pending().len()), (4, 0));
}

#[test]
fn each_row_is_delivered_once_whatever_the_server_does() {
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:0.1 --fail 5xx:0.1");
    let program = orysh(&server);
    install(&program, &bundled("kubernetes"));
    let rows: Vec<String> = (0..60).map(|n| format!("client-{n:02},ops\n")).collect();
    program.file("services.csv", &format!("client_name,owner\n{}", rows.concat()));
    program.run("batch create services.csv").ok();
    let clients = server.clients();
    let files: Vec<_> = fs::read_dir(program.home().join("secrets")).unwrap().map(Result::unwrap).collect();
    assert_eq!((clients.len(), files.len()), (60, 60));
    for client in clients {
        let id = client["client_id"].as_str().unwrap();
        let manifest = fs::read_to_string(program.home().join(format!("secrets/{id}.yaml"))).unwrap();
        let secret = manifest.lines().find_map(|line| line.trim().strip_prefix("CLIENT_SECRET: ")).unwrap();
        let secret: Value = serde_json::from_str(secret).unwrap();
        assert!(server.accepts(&json!(id), &secret), "{manifest}");
    }
}

#[test]
fn a_secret_goes_to_vault_and_what_it_refuses_is_told() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server).with("VAULT_TOKEN", "t0ken-t0ken");
    let stub = Stub::noting(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n{\"data\":{\"version\":1}}",
    );
    let shut = Stub::noting(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n{\"errors\":[\"permission denied\"]}\n",
    );
    let host = |stub: &Stub| stub.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    changed(&program, "vault", "127.0.0.1:8200", &host(&stub));
    install(&program, "./vault");
    program.run("create oauth2-client --id a").ok();
    let head = stub.heads().join("\n").to_lowercase();
    assert!(
        head.contains("post /v1/secret/data/oauth2-clients/a ") && head.contains("x-vault-token: t0ken-t0ken"),
        "{head}"
    );
    program.run("plugin remove vault").ok();
    changed(&program, "vault", "127.0.0.1:8200", &host(&shut));
    install(&program, "./vault");
    let ran = program.run("create oauth2-client --id b");
    assert!(ran.code == Some(3) && ran.stderr.contains("vault answered 403: permission denied"), "{ran}");
    assert!(!format!("{ran}").contains("t0ken"), "{ran}");
    assert_eq!(program.pending().len(), 1);
}

#[test]
fn others_are_told_and_it_is_noted() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server).with("WEBHOOK_KEY", "the-key").with("USER", "anna");
    let stub = Stub::noting("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n");
    changed(&program, "webhook", "127.0.0.1:9000", stub.url.trim_start_matches("http://").trim_end_matches('/'));
    install(&program, "./webhook");
    install(&program, &bundled("audit"));
    program.run("create oauth2-client --id a --name A").ok();
    program.run("update oauth2-client a --owner o").ok();
    program.run("rotate secret a").ok();
    program.run("delete oauth2-client a").ok();
    program.run("get oauth2-client a").fails(1, "");
    let heads = stub.heads().join("\n").to_lowercase();
    assert_eq!(heads.matches("x-signature: sha256=").count(), 4, "{heads}");
    let log = fs::read_to_string(program.home().join("audit/audit.csv")).unwrap();
    for what in ["created", "updated", "secret rotated", "deleted"] {
        assert!(log.lines().any(|line| line.contains("anna") && line.contains(&format!(",{what},"))), "{what}: {log}");
    }
}

#[test]
fn the_reaper_takes_two_steps() {
    let server = Sandbox::start();
    server.make(&json!({"client_id": "a"}));
    let program = orysh(&server);
    install(&program, &bundled("reaper"));
    assert_eq!(program.run("reaper").ok().stdout, "");
    let told = program.run("reaper mark --days 0 --format json --dry-run").ok().json();
    assert_eq!(told[0]["state"], "would be marked");
    assert!(server.client("a")["metadata"]["orysh_stale_since"].is_null());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    program.run("reaper mark --days 0").ok();
    assert!(server.client("a")["metadata"]["orysh_stale_since"].is_string());
    assert_eq!(program.run("reaper sweep --days 0 --format json").ok().json()[0]["state"], "marked");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(program.run("reaper sweep --days 0 --grace 0 --format json").ok().json()[0]["state"], "deleted");
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn what_runs_is_what_was_granted() {
    let program = anywhere();
    program.run("plugin new hello").ok();
    install(&program, "./hello");
    let place = program.home().join("data/plugins").join(hash(&program, "./hello"));
    let main = place.join("main.rhai");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, format!("{text} ")).unwrap();
    program.run("plugin verify").fails(3, "are not those that were granted");
    program.run("hello").fails(2, "hello");
    let ran = program.run("--sandbox create oauth2-client");
    assert!(ran.code == Some(2) && ran.stderr.contains("is not what was granted"), "{ran}");
    program.run("--sandbox rotate secret a").fails(2, "is not what was granted");
    program.run("--sandbox list oauth2-clients").ok().tells("is not what was granted");
    program.run("--sandbox create oauth2-client --no-plugins").ok();
    program.run("plugin remove hello").ok();
    assert!(!place.exists());
    assert_eq!(program.run("plugin list -q").ok().stdout, "");
    program.run("plugin remove hello").fails(2, "is not installed");
}

#[test]
fn an_update_shows_what_changed_and_asks_where_it_wants_more() {
    let program = anywhere();
    plugin(&program, "p", "[commands.greet]\nabout = \"a\"\n", "fn greet(args) { 1 }");
    install(&program, "./p");
    program.run("plugin update p").ok().tells("is as it was");
    plugin(&program, "p", "[commands.greet]\nabout = \"a\"\n", "fn greet(args) { 2 }");
    program.run("plugin update p").ok().tells("changed main.rhai, from line 1").tells("nothing more than before");
    assert_eq!(program.run("greet").ok().stdout, "2\n");
    plugin(
        &program,
        "p",
        "[commands.greet]\nabout = \"a\"\n[capabilities]\nenvironment = [\"HOME\"]\n",
        "fn greet(args) { 3 }",
    );
    program.run("plugin update p").fails(2, "nobody can be asked");
    assert_eq!(program.run("greet").ok().stdout, "2\n");
    let hash = hash(&program, "./p");
    program.run(&format!("plugin update p --trust {hash}")).ok();
    assert_eq!(program.run("greet").ok().stdout, "3\n");
    assert_eq!(program.run("plugin show p --format jsonpath=hash").ok().stdout.trim(), hash);
}

#[test]
fn a_plugin_is_configured_and_imports_another() {
    let program = anywhere().with("SOME_KEY", "s3cr3t-s3cr3t");
    plugin(
        &program,
        "one",
        "exports = [\"twice\"]\n[config.factor]\ntype = \"number\"\ndefault = 2\nhelp = \"h\"\n[config.key]\ntype = \"secret\"\nhelp = \"h\"\n[commands.key]\nabout = \"a\"\n",
        "fn twice(n) { n * plugin::config(\"factor\") }\nfn key(args) { `${plugin::config(\"key\")} ${plugin::config(\"key\").reveal().len()}` }\nfn hidden() { 1 }",
    );
    plugin(
        &program,
        "two",
        "[commands.calc]\nabout = \"a\"\n[capabilities]\nplugins = [\"one\"]\n",
        "fn calc(args) { import \"plugin:one\" as one; one::twice(21) }",
    );
    let hash = hash(&program, "./one");
    program.run(&format!("plugin install ./one --trust {hash} --set factr=3")).fails(2, "`factor`");
    program.run(&format!("plugin install ./one --trust {hash} --set factor=3 --set key=env:SOME_KEY")).ok();
    install(&program, "./two");
    assert_eq!(program.run("calc").ok().stdout, "63\n");
    assert_eq!(program.run("key").ok().stdout, "[REDACTED] 13\n");
    assert_eq!(program.run("eval 'import \"plugin:one\" as one; one::twice(1)'").ok().stdout, "3\n");
    program.run("eval 'import \"plugin:one\" as one; one::hidden()'").fails(1, "hidden");
    program.run("eval 'import \"plugin:none\" as one; 1'").fails(1, "there is no plugin `none`");
}

#[test]
fn a_run_goes_on_under_the_rules_that_its_rows_have_passed() {
    let server = Sandbox::with("--latency 200ms");
    let program = orysh(&server);
    let rows: Vec<String> = (0..40).map(|n| format!("w{n}\n")).collect();
    program.file("w.csv", &format!("client_id\n{}", rows.concat()));
    let running = program.begin("batch create w.csv --concurrency 1");
    crate::support::eventually("a client is made", || server.clients().first().cloned());
    running.signal(rustix::process::Signal::INT);
    running.end();
    plugin(
        &program,
        "no",
        "hooks = [\"before_create\", \"before_delete\"]\n",
        "fn before_create(c) { throw \"never\"; } fn before_delete(id) { throw \"kept\"; }",
    );
    install(&program, "./no");
    let made = server.clients().len();
    let ran = program.run("batch resume");
    assert!(ran.code == Some(2) && ran.stderr.contains("looked at by no plugin"), "{ran}");
    assert_eq!(server.clients().len(), made);
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    let undone = program.run(&format!("batch undo {run} --yes"));
    assert!(undone.code != Some(0) && format!("{undone}").contains("kept"), "{undone}");
    assert_eq!(server.clients().len(), made);
    program.run("batch resume --no-plugins").ok().tells("plugins are off");
    assert_eq!(server.clients().len(), 40);
}

#[test]
fn whenever_it_is_killed_the_old_or_the_new_one_is_there() {
    let program = anywhere();
    let manifest = "[commands.greet]\nabout = \"a\"\n";
    let mut before = String::new();
    for round in 0..24_u64 {
        plugin(&program, "p", manifest, &format!("fn greet(args) {{ {round} }}"));
        let hash = hash(&program, "./p");
        let line = match round % 4 {
            0 | 1 => format!("plugin install ./p --trust {hash}"),
            2 => "plugin update p".to_owned(),
            _ => "plugin remove p".to_owned(),
        };
        let running = program.begin(&line);
        std::thread::sleep(std::time::Duration::from_millis(round % 9));
        running.signal(rustix::process::Signal::KILL);
        running.end();
        let ran = program.run("greet");
        let is_whole = match ran.code {
            Some(0) => ran.stdout.trim() == round.to_string() || ran.stdout == before,
            // It is not there: it was not yet, or is not any more.
            _ => ran.stderr.contains("unknown command") || ran.stderr.contains("greet"),
        };
        assert!(is_whole, "{line}: {ran}");
        program.run("plugin verify").ok();
        before = if ran.code == Some(0) { ran.stdout } else { String::new() };
    }
}

#[test]
fn an_owner_reads_the_secret_with_their_own_key() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.key("ops", "ed25519", "cv25519");
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file("keys/ops@example.org.asc", &gpg.armored("ops@example.org"));
    install(&program, &bundled("pgp-files"));
    program.run("create oauth2-client --id b --owner dev@example.org").fails(1, "has no key");
    program.run("create oauth2-client --id a --owner ops@example.org").ok();
    let sealed = fs::read(program.home().join("sealed/a.asc")).unwrap();
    let told: Value = serde_json::from_str(&gpg.decrypt(&sealed)).unwrap();
    assert!(server.accepts(&json!("a"), &told["client_secret"]), "{told}");
    assert_eq!(server.clients().len(), 1);
}

#[test]
fn a_shell_has_the_plugins_that_its_lines_install_and_switch() {
    let program = anywhere();
    let manifest = "hooks = [\"before_create\"]\n[commands.greet]\nabout = \"a\"\n";
    plugin(&program, "rules", manifest, "fn before_create(c) { throw \"not today\"; }\nfn greet(args) { 42 }");
    let hash = hash(&program, "./rules");
    let lines = format!(
        "plugin install ./rules --trust {hash} -q\ngreet\ncreate client --id a -q\nclients::create(#{{client_id: \"b\"}})\nplugin disable rules\ngreet\nclients::create(#{{client_id: \"c\"}}).client_id\nplugin enable rules; greet\ngreet\nplugin remove rules\ngreet\nlist clients -q\n"
    );
    let ran = program.same_home().input(&lines).run("--sandbox --keep-going");
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), ["rules", "42", "c", "42", "c"], "{ran}");
    assert_eq!(ran.stderr.matches("main.rhai: not today").count(), 2, "{ran}");
    // What was switched off from the start stays off, and the keys know the commands by then.
    let shell = Terminal::with(program, &["--sandbox", "--no-hook", "before_create"]);
    shell.types(&format!("plugin install ./rules --trust {hash}"), "HASH");
    shell.settles("gre\t", "greet");
    shell.answers("", "42");
    shell.types("create client --id d -q", "> ");
    shell.types("list clients -q", "d\n");
    assert_eq!(shell.leaves().code(), Some(0));
}
