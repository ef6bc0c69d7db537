//! Plugins that try to get at what they were not granted: each is refused, and the rest works on.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{install, plugin};
use crate::support::{Sandbox, Stub, Terminal, anywhere, orysh};

/// What a command of a plugin tries, with what it was granted for that, and what it is told.
const TRIES: &[(&str, &str, &str)] = &[
    // Files.
    ("", "fs::read(\"/etc/passwd\")", "capability `read`"),
    ("", "fs::exists(\"config/orysh.lock\")", "capability `read`"),
    ("read = [\"in\"]", "fs::read(\"in/../secret.txt\")", "may not read"),
    ("read = [\"in\"]", "fs::read(\"in/link\")", "may not read"),
    ("read = [\"in\"]", "fs::list(\"in/up\")", "may not read"),
    ("read = [\"in\"]", "csv::read(\"secret.txt\").to_array()", "may not read"),
    ("read = [\"in\"]", "json::lines(\"/proc/self/environ\").to_array()", "may not read"),
    ("read = [\"in\"]", "yaml::read(\"secret.txt\")", "may not read"),
    ("read = [\"in\"]", "fs::write(\"in/x\", \"x\")", "may not write"),
    ("read = [\"in\"]", "fs::remove(\"in/x\")", "may not write"),
    ("write = [\"in\"]", "fs::write(\"in/dangling\", \"x\")", "may not write"),
    ("write = [\"in\"]", "csv::append(\"in/../l.csv\", #{a: 1})", "may not write"),
    ("write = [\".\"]", "fs::write(\"config/plugin-trust.toml\", \"x\")", "may not write"),
    ("write = [\".\"]", "fs::write(\"config/orysh.lock\", \"x\")", "may not write"),
    ("write = [\".\"]", "fs::list(\"data/plugins\")", "may not read"),
    ("read = [\".\"]", "fs::list(\"state/batch\")", "may not read"),
    ("read = [\"/proc\"]", "fs::read(\"/proc/self/environ\")", "tells of processes"),
    ("read = [\"/\"]", "fs::read(\"/proc/thread-self/cmdline\")", "tells of processes"),
    ("", "fs::read(\"-\")", "capability `prompts`"),
    ("", "pgp::encrypt(\"a\", \"@secret.txt\")", "capability `read`"),
    // The network.
    ("", "http::get(\"http://$STUB/\")", "capability `network`"),
    ("network = [\"127.0.0.1:1\"]", "http::get(\"http://$STUB/\")", "capability `network`"),
    ("network = [\"a.example:80\"]", "http::get(\"http://a.example:80@$STUB/\")", "capability `network`"),
    ("network = [\"a.localhost:$PORT\"]", "http::get(\"http://a.localhost:$PORT/\")", "private|cannot connect"),
    (
        "network = [\"$STUB\"]",
        "http::get(\"http://$STUB/\", #{headers: #{host: \"evil.example\"}})",
        "is that of the address",
    ),
    ("network = [\"10.0.0.1:80\"]", "http::get(\"http://10.0.0.2/\")", "capability `network`"),
    // The environment, people, other places.
    ("environment = [\"USER\"]", "env::get(\"HOME\")", "capability `environment`"),
    ("", "ui::confirm(\"Yes?\")", "capability `prompts`"),
    ("", "ui::password(\"the secret\")", "capability `prompts`"),
    ("", "session::with_profile(\"live\", || 1)", "acts where the command acts"),
    ("", "session::agree(\"all of it\")", "acts where the command acts"),
    // Clients.
    ("", "clients::list().to_array()", "capability `clients`"),
    ("clients = [\"read\"]", "clients::create(#{})", "clients = [\"create\"]"),
    ("clients = [\"read\"]", "clients::update(\"a\", #{owner: \"x\"})", "clients = [\"update\"]"),
    ("clients = [\"read\"]", "clients::delete(\"a\")", "clients = [\"delete\"]"),
    ("clients = [\"read\"]", "clients::rotate_secret(\"a\")", "clients = [\"rotate\"]"),
    ("clients = [\"create\", \"update\"]", "clients::apply([#{client_id: \"b\"}], #{set: \"s\", prune: true})", ""),
    ("clients = [\"create\"]", "tokens::client_credentials(\"a\", \"b\".to_secret())", "capability `tokens`"),
    // Powers through `sh`.
    ("", "sh(\"list clients\")", "commands = [\"list oauth2-clients\"]"),
    ("commands = [\"list oauth2-clients\"]", "sh(\"list clients\")", "capability `clients`"),
    (
        "commands = [\"delete oauth2-client\"]\nclients = [\"read\"]",
        "sh(\"delete client a\")",
        "clients = [\"delete\"]",
    ),
    (
        "commands = [\"create oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"create client --secret-out x\")",
        "is not for plugins",
    ),
    (
        "commands = [\"create oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"create client --deliver cat\")",
        "is not for plugins",
    ),
    (
        "commands = [\"create oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"create client --file secret.txt\")",
        "is not for plugins",
    ),
    (
        "commands = [\"create oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"create client -e http://$STUB\")",
        "is not for plugins",
    ),
    (
        "commands = [\"create oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"create client --yes\")",
        "is not for plugins",
    ),
    ("clients = [\"rotate\"]\ncommands = [\"list oauth2-clients\"]", "sh(\"list clients\")", "clients = [\"read\"]"),
    ("commands = [\"batch results\"]", "sh(\"batch results x --secrets plain\")", "capability `secrets`"),
    (
        "commands = [\"perform client-credentials\"]\nclients = [\"create\"]\nsecrets = true",
        "sh(\"perform client-credentials --client-id a --client-secret b\")",
        "capability `tokens`",
    ),
    (
        "commands = [\"test oauth2-client\"]\nclients = [\"create\", \"read\"]\nsecrets = true",
        "sh(\"test oauth2-client a --secret b\")",
        "capability `tokens`",
    ),
    (
        "commands = [\"create oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"create client --id a --if-absent\")",
        "clients = [\"read\"]",
    ),
    (
        "commands = [\"update oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"update client a --owner ''\")",
        "clients = [\"update\"]",
    ),
    (
        "commands = [\"delete oauth2-client\"]\nclients = [\"read\"]",
        "sh(\"delete client a --dry-run\")",
        "clients = [\"delete\"]",
    ),
    ("commands = [\"batch rotate\"]\nclients = [\"create\"]", "sh(\"batch rotate a\")", "clients = [\"rotate\"]"),
    (
        "clients = [\"update\"]",
        "throw clients::update(\"a\", #{owner: \"\"}).to_fields().to_string()",
        "#{\"client_id\": \"a\"}|#{}",
    ),
    (
        "commands = [\"update oauth2-client\"]\nclients = [\"update\"]",
        "throw json::text(sh(\"update client a --owner ''\"))",
        "{\"client_id\":\"a\"}",
    ),
    (
        "commands = [\"lint oauth2-client\"]\nclients = [\"create\"]",
        "sh(\"lint oauth2-client a\")",
        "clients = [\"read\"]",
    ),
    ("clients = [\"create\"]", "batch::create(\"s.csv\")", "batch create"),
    // What it is not to hold up.
    ("", "exit(0)", "`exit` is for scripts"),
    ("", "fn f(n) { f(n + 1) } f(0)", "overflow"),
    ("", "let a = []; let s = \"x\"; s.pad(100000, 'x'); loop { a.push(s + a.len()); }", "memory"),
    ("", "let s = \"a\"; loop { s += s; }", "memory|more than"),
    ("plugins = [\"none\"]", "import \"plugin:none\" as x; 1", "there is no plugin `none`"),
    ("", "plugin::config(\"nothing\")", "has no configuration `nothing`"),
    (
        "[config.k]\ntype = \"secret\"\ndefault = \"env:HOME\"\nhelp = \"h\"",
        "plugin::config(\"k\").reveal()",
        "capability `environment`",
    ),
    (
        "[config.k]\ntype = \"secret\"\ndefault = \"file:secret.txt\"\nhelp = \"h\"",
        "plugin::config(\"k\").reveal()",
        "capability `read`",
    ),
    ("read = [\"in\"]", "fs::read(\"in/pipe\")", "is no file"),
    (
        "read = [\"in\"]\n[config.k]\ntype = \"secret\"\ndefault = \"file:in/pipe\"\nhelp = \"h\"",
        "plugin::config(\"k\").reveal()",
        "no such file",
    ),
    ("", "import \"plugin:helper\" as h; h::read(\"secret.txt\")", "capability `plugins`"),
    (
        "",
        "let s = \"a\"; s.pad(50000000, 'a'); let a = []; for n in 0..100 { a.push(s); } json::text(a).len()",
        "memory|more than",
    ),
    (
        "",
        "let s = \"a\"; s.pad(50000000, 'a'); let a = []; for n in 0..100 { a.push(s); } a.to_string().len()",
        "memory|more than",
    ),
    ("", "loop { print(\"0123456789012345678901234567890123456789\"); }", "said more"),
    ("", "loop { debug(\"0123456789012345678901234567890123456789\"); }", "said more"),
    ("", "loop { ui::table([#{a: \"0123456789012345678901234567890123456789\"}]); }", "said more"),
    ("", "let a = []; for n in 0..2000 { a = [a]; } json::text(a)", "nests more than"),
];

#[test]
fn what_was_not_granted_is_refused() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "--hash-iterations 1");
    let stub = Stub::noting("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let host = stub.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let port = host.rsplit_once(':').unwrap().1.to_owned();
    let mut wrong = Vec::new();
    for (at, (granted, code, told)) in TRIES.iter().enumerate() {
        let program = orysh(&server);
        program.file("secret.txt", "canary\n");
        program.file("s.csv", "client_id\nx\n");
        fs::create_dir(program.home().join("in")).unwrap();
        for (to, link) in [("../secret.txt", "in/link"), ("..", "in/up"), ("../nothing", "in/dangling")] {
            std::os::unix::fs::symlink(to, program.home().join(link)).unwrap();
        }
        rustix::fs::mknodat(
            rustix::fs::CWD,
            program.home().join("in/pipe"),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        if code.contains("helper") {
            plugin(
                &program,
                "helper",
                "exports = [\"read\"]\n[capabilities]\nread = [\".\"]\n",
                "fn read(p) { fs::read(p) }",
            );
            install(&program, "./helper");
        }
        let filled = |text: &str| text.replace("$STUB", &host).replace("$PORT", &port);
        let (body, functions) = match code.strip_prefix("fn ") {
            Some(_) => code.rsplit_once("} ").map(|(functions, body)| (body, format!("{functions}}}"))).unwrap(),
            None => (*code, String::new()),
        };
        let manifest = format!("[commands.attempt]\nabout = \"a\"\n[capabilities]\n{granted}\n");
        plugin(&program, "evil", &filled(&manifest), &filled(&format!("{functions}\nfn attempt(args) {{ {body} }}\n")));
        install(&program, "./evil");
        let began = Instant::now();
        let ran = program.run("attempt");
        let is_told = told.split('|').any(|told| ran.stderr.contains(told));
        let is_right = (ran.code == Some(1) || ran.code == Some(2)) && is_told;
        if !(is_right || told.is_empty())
            || format!("{ran}").contains("canary")
            || began.elapsed() > Duration::from_secs(30)
        {
            wrong.push(format!("{at} {granted} {code}: {told} is due\n{ran}"));
        }
        assert!(!program.home().join("x").exists() && !program.home().join("nothing").exists(), "{code}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((stub.asked(), server.client("a")["owner"].as_str()), (0, Some("")));
}

#[test]
fn a_name_that_a_proxy_resolves_is_told() {
    let server = Sandbox::start();
    let proxy = Stub::noting("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let program = orysh(&server).with("HTTP_PROXY", &proxy.url);
    let manifest = "[commands.attempt]\nabout = \"a\"\n[capabilities]\nnetwork = [\"a.invalid:80\"]\n";
    let code = "fn attempt(args) { for n in 0..2 { http::get(\"http://a.invalid/\"); } 7 }";
    plugin(&program, "evil", manifest, code);
    install(&program, "./evil");
    let ran = program.run("attempt").ok();
    assert_eq!(ran.stderr.matches("could not be checked").count(), 1, "{ran}");
    assert_eq!(proxy.asked(), 2);
}

#[test]
fn no_secret_reaches_a_plugin_that_was_not_granted_any() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let tries = "
        fn shown(x) { print(json::text(x)); print(`${x}`); let s = x.client_secret; if s != () { print(s.reveal()); } }
        fn after_create(c) { shown(c); }
        fn after_rotate(c) { shown(c); }
        fn before_create(c) { print(json::text(c)); if \"client_secret\" in c { print(c.client_secret.reveal()); } }
        fn lint(c) { [json::text(c)] }
        fn attempt(args) {
            let c = clients::create(#{client_id: \"mine\"}); shown(c);
            shown(clients::rotate_secret(\"mine\"));
            for row in clients::create_all([#{client_id: \"m1\"}]) { shown(row.client); }
            for row in clients::apply([#{client_id: \"m2\"}]) { print(json::text(row)); if \"client_secret\" in row { print(row.client_secret.reveal()); } }
            let row = sh(\"create client --id m3\"); if \"client_secret\" in row { print(row.client_secret.reveal()); } print(row);
        }";
    plugin(
        &program,
        "spy",
        "hooks = [\"after_create\", \"after_rotate\", \"before_create\", \"lint\"]\n[commands.attempt]\nabout = \"a\"\n[capabilities]\nclients = [\"read\", \"create\", \"update\", \"rotate\"]\ncommands = [\"create oauth2-client\"]\n",
        tries,
    );
    install(&program, "./spy");
    let secret = "canary-canary-canary";
    let ran = program.run(&format!("create oauth2-client --id given --secret {secret} --format jsonpath=client_id"));
    assert!(ran.code == Some(0) && !format!("{ran}").contains("canary"), "{ran}");
    let ran = program.run("attempt").ok();
    let told = format!("{ran}");
    for (id, secret) in program.secrets_of_runs() {
        assert!(!told.contains(&secret), "{id}: {told}");
    }
    for file in program.pending() {
        let kept: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert!(!told.contains(kept["client_secret"].as_str().unwrap()), "{told}");
    }
    // What it made is not lost: it is kept for whoever runs the command.
    assert!(told.contains("kept in"), "{told}");
    assert_eq!(server.clients().len(), 5);
}

#[test]
fn nothing_that_a_hook_says_is_taken_for_what_the_command_does() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let say = "print(\"x\"); debug(\"x\"); ui::table([#{x: \"touch harm\"}]); log::info(\"x\");";
    plugin(
        &program,
        "loud",
        "exports = [\"say\"]\nhooks = [\"before_create\", \"lint\", \"after_create\"]\n",
        &format!(
            "fn before_create(c) {{ {say} () }} fn lint(c) {{ {say} [] }} fn after_create(c) {{ {say} }} fn say() {{ {say} }}"
        ),
    );
    install(&program, "./loud");
    let ran = program.run("create oauth2-client --id a --format jsonpath=client_id").ok();
    assert!(ran.stdout == "a\n" && ran.stderr.contains("touch harm"), "{ran}");
    let ran = program.args(&["eval", "import \"plugin:loud\" as loud; loud::say(); 7"]).ok();
    assert_eq!(ran.stdout, "7\n");
    // Nor by a command of another, nor in parts.
    plugin(
        &program,
        "la",
        "exports = [\"much\"]\n[commands.la]\nabout = \"a\"\n",
        &format!("fn la(args) {{ {say} }} fn much() {{ let s = \"x\"; s.pad(900000, 'x'); debug(s); }}"),
    );
    install(&program, "./la");
    let by = "hooks = [\"before_create\"]\n[capabilities]\ncommands = [\"la\"]\nplugins = [\"la\"]\n";
    let code = "import \"plugin:la\" as la; fn before_create(c) { sh(\"la\"); if c.get(\"client_name\") == \"much\" { import \"plugin:la\" as la; for n in 0..20 { la::much(); } } () }";
    plugin(&program, "by", by, code);
    install(&program, "./by");
    let ran = program.run("create oauth2-client --id b --format jsonpath=client_id").ok();
    assert_eq!(ran.stdout, "b\n");
    let ran = program.run("create oauth2-client --id c --name much").fails(1, "said more than it may");
    assert!(ran.stderr.len() < 3_000_000, "{}", ran.stderr.len());
    // What sleeps through its time is refused as what loops is; what a command holds is its own to show, whatever its hooks do.
    plugin(
        &program,
        "pc",
        "hooks = [\"before_create\"]\n[commands.pc]\nabout = \"a\"\n[capabilities]\nclients = [\"create\"]\nsecrets = true\n",
        "fn before_create(c) { () } fn pc(args) { let a = clients::create(#{client_id: \"p1\"}); let b = clients::create(#{client_id: \"p2\"}); [a, b] }",
    );
    install(&program, "./pc");
    let ran = program.run("pc --format json").ok();
    assert!(!ran.stderr.contains("neither shown nor written"), "{ran}");
    assert_eq!(program.pending().len(), 2, "those whose secrets `jsonpath=client_id` left out");
}

#[test]
fn what_a_command_of_a_plugin_does_is_heard_of_as_any_other() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server).with("USER", "ann");
    install(&program, &super::bundled("naming"));
    install(&program, &super::bundled("audit"));
    plugin(
        &program,
        "maker",
        "[commands.make]\nabout = \"a\"\narguments = [\"name: text\"]\n[commands.drop]\nabout = \"a\"\n[capabilities]\nclients = [\"create\", \"delete\", \"rotate\"]\n",
        "fn make(args) { clients::create(#{client_id: args.name, client_name: args.name, owner: \"ops\"}).client_id }
         fn drop(args) { clients::rotate_secret(\"good\"); clients::drop_old_secrets(\"good\"); clients::delete(\"good\"); }",
    );
    install(&program, "./maker");
    program.run("make BAD").fails(1, "plugin `naming`");
    program.args(&["eval", "sh(\"make BAD\")"]).fails(1, "plugin `naming`");
    assert!(server.clients().is_empty());
    program.run("make good").ok();
    program.run("drop").ok();
    let log = fs::read_to_string(program.home().join("audit/audit.csv")).unwrap();
    let what: Vec<&str> = log.lines().skip(1).filter_map(|line| line.rsplit(',').nth(1)).collect();
    assert_eq!(what, ["failed", "failed", "created", "secret rotated", "updated", "deleted"], "{log}");
    assert!(log.contains(",ann\n"), "{log}");
    // A row of a batch is refused as a command is.
    program.file("bad.csv", "client_name,owner\nBAD,ops\n");
    program.run("batch create bad.csv").fails(1, "plugin `naming`").tells("row 1 (line 2)");
    program.run("batch create bad.csv --skip-invalid").fails(1, "no row is right");
    let log = fs::read_to_string(program.home().join("audit/audit.csv")).unwrap();
    assert_eq!(log.matches(",failed,").count(), 4, "{log}");
    program.file("wrong.csv", "client_name,owner,client_id\nBAD,ops,x\ngood,ops,\u{e9} \n");
    program.run("batch create wrong.csv").fails(2, "2 of 2 rows are wrong");
}

#[test]
fn a_hook_that_misbehaves_is_told_and_holds_nothing_up() {
    let server = Sandbox::with("--hash-iterations 1");
    for (code, told) in [
        ("fn before_create(c) { 7 }", "gives int, where a map of fields is due, or nothing (line 1, column 4)"),
        (
            "let x = 1;\nfn before_create(c) { let a = []; let s = \"x\"; s.pad(100000, 'x'); loop { a.push(s + a.len()); } }",
            "(line 2, column",
        ),
        ("fn before_create(c) { #{client_nmae: \"x\"} }", "client_nmae"),
        (
            "fn before_create(c) { c.client_id = \"other\"; c }",
            "changes the client_id, by which a client is known (line 1, column 4)",
        ),
        ("fn before_create(c) { c.created_at = \"x\"; c }", "only the server sets"),
        ("fn before_create(c) { c.client_secret = \"mine-mine\"; c }", "capability `secrets`"),
        ("fn before_create(c) { c.foo.bar }", "foo"),
        ("fn before_create() { }", "before_create"),
        ("fn before_create(c) { eval(\"1\") }", "'eval' is disabled"),
        ("fn other(c) { }", "plugin.toml, line 5, column 10: odd/main.rhai has no function `before_create`"),
        ("fn before_create(c) { let x = ; }", "main.rhai"),
        (
            "fn before_create(c) { let a = []; let s = \"x\"; s.pad(100000, 'x'); loop { a.push(s + a.len()); } }",
            "memory",
        ),
        ("fn before_create(c) { before_create(c) }", "overflow"),
        ("fn before_create(c) { throw \"\\x1b[31mred\\u202e\"; }", "red"),
    ] {
        let program = orysh(&server);
        plugin(&program, "odd", "hooks = [\"before_create\"]\n", code);
        let hash = super::hash(&program, "./odd");
        let installed = program.run(&format!("plugin install ./odd --trust {hash}"));
        if installed.code != Some(0) {
            // What cannot be read is not even taken over.
            assert!(installed.stderr.contains(told), "{code}: {installed}");
            assert_eq!(program.run("plugin list -q").ok().stdout, "");
            continue;
        }
        let ran = program.run("create oauth2-client --id x");
        assert!(ran.code == Some(1) || ran.code == Some(2), "{code}: {ran}");
        assert!(ran.stderr.contains(told) && ran.stderr.contains("plugin `odd`"), "{code}: {ran}");
        assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\u{202e}'), "{code}: {ran}");
        program.run("list oauth2-clients").ok();
        program.run("create oauth2-client --id x --no-plugins").ok();
        program.run("delete oauth2-client x --no-plugins").ok();
    }
    // A hook calls no hook, and does not go on for ever.
    let program = orysh(&server);
    plugin(
        &program,
        "deep",
        "hooks = [\"before_create\", \"after_create\"]\n[capabilities]\nclients = [\"create\"]\n",
        "fn before_create(c) { if c.client_name == \"outer\" { clients::create(#{client_id: \"inner\", client_name: \"outer\"}); } () }\nfn after_create(c) { }",
    );
    install(&program, "./deep");
    program.run("create oauth2-client --name outer --id outer").ok();
    assert_eq!(server.clients().len(), 2);
}

#[test]
fn a_folder_or_a_manifest_that_is_none_is_refused() {
    let program = anywhere();
    let ok = "[commands.attempt]\nabout = \"a\"\n";
    for (manifest, told) in [
        ("hoks = []\n", "has no key `hoks`"),
        ("order = \"x\"\n", "`order` wants a whole number"),
        ("hooks = [\"before_craete\"]\n", "`before_create`"),
        ("hooks = [\"lint\", \"lint\"]\n", "names `lint` twice"),
        ("[capabilities]\nclient = []\n", "`clients`"),
        ("[capabilities]\nclients = [\"raed\"]\n", "`read`"),
        ("[capabilities]\nnetwork = [\"a.example\"]\n", "host with a port"),
        ("[capabilities]\nnetwork = [\"*.example:443\"]\n", "host with a port"),
        ("[capabilities]\nnetwork = [\"https://a.example:443\"]\n", "host with a port"),
        ("[capabilities]\nsecrets = 1\n", "true or false"),
        ("orysh = \"99.0\"\n", "is for orysh 99.0"),
        ("orysh = \"x\"\n", "least version"),
        ("delivers = true\n", "plugin.toml, line 5, column 12: what `delivers` has to see secrets"),
        ("[commands.list]\nabout = \"a\"\n", "plugin.toml, line 5, column"),
        ("[commands.list]\nabout = \"a\"\n", "is there already"),
        ("[capabilities]\ncommands = [\"plugin install\"]\n", "is for people"),
        ("[capabilities]\ncommands = [\"eval\"]\n", "is for people"),
        ("[capabilities]\ncommands = [\"script new\"]\n", "is for people"),
        ("[capabilities]\ncommands = [\"no such\"]\n", "line 6, column 13: it asks for the command `no such`"),
        ("[commands.\"BAD\"]\nabout = \"a\"\n", "is no name for a command"),
        ("[commands.calc]\nabot = \"a\"\n", "`about`"),
        ("[commands.calc]\nabout = \"a\"\narguments = [\"x: txt\"]\n", "`text`"),
        ("[commands.calc]\nabout = \"a\"\narguments = [\"--profile: text\"]\n", "a flag that all commands take"),
        ("[config.a]\ntype = \"txt\"\nhelp = \"h\"\n", "`text`"),
        ("[config.a]\ntype = \"number\"\ndefault = \"x\"\nhelp = \"h\"\n", "a value of type number"),
        ("name = 1\n", "plugin.toml"),
        ("x = \n", "plugin.toml, line"),
    ] {
        plugin(&program, "odd", manifest, "fn list(a) { } fn calc(a) { }");
        let hash = program.run("plugin show ./odd --format jsonpath=hash").stdout.trim().to_owned();
        program.run(&format!("plugin install ./odd --trust {hash}x")).fails(2, if hash.is_empty() { told } else { "" });
        if !hash.is_empty() {
            program.run(&format!("plugin install ./odd --trust {hash}")).fails(2, told);
        }
        fs::remove_dir_all(program.home().join("odd")).unwrap();
    }
    plugin(&program, "odd", ok, "fn attempt(a) { 1 }");
    let folder = program.home().join("odd");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link.txt")).unwrap();
    program.run("plugin show ./odd").fails(2, "no links");
    fs::remove_file(folder.join("link.txt")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, folder.join("pipe.txt"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    program.run("plugin show ./odd").fails(2, "no devices");
    fs::remove_file(folder.join("pipe.txt")).unwrap();
    fs::write(folder.join("x.so"), "").unwrap();
    program.run("plugin show ./odd").fails(2, "no files of that kind");
    fs::remove_file(folder.join("x.so")).unwrap();
    let big = fs::File::create(folder.join("big.txt")).unwrap();
    big.set_len(1024 * 1024 * 1024).unwrap();
    program.run("plugin show ./odd").fails(2, "at most 5 MiB");
    fs::remove_file(folder.join("big.txt")).unwrap();
    for n in 0..10_000 {
        fs::write(folder.join(format!("{n}.txt")), "").unwrap();
    }
    program.run("plugin show ./odd").fails(2, "more than 200 files");
    program.run("plugin show ./none").fails(2, "no folder");
    program.run("plugin show ./").fails(2, "");
    // Two with one command: the first one stays.
    plugin(&program, "one", ok, "fn attempt(a) { 1 }");
    plugin(&program, "two", ok, "fn attempt(a) { 2 }");
    install(&program, "./one");
    let hash = super::hash(&program, "./two");
    program.run(&format!("plugin install ./two --trust {hash}")).fails(2, "is there already");
    assert_eq!(program.run("attempt").ok().stdout, "1\n");
    // A lock that is broken is told, and the rest works.
    program.file("config/orysh.lock", "[one\n");
    program.run("--sandbox list oauth2-clients").ok().tells("orysh.lock");
    program.run("version").ok();
}

#[test]
fn a_hook_was_agreed_to_nothing_on_production() {
    let server = Sandbox::holding(&[json!({"client_id": "victim"})], "--hash-iterations 1");
    let program = anywhere();
    program.file(
        "config/config.toml",
        &format!("current-profile = \"live\"\n[profile.live]\nendpoint = \"{}\"\nproduction = true\n", server.admin),
    );
    let code = "fn before_create(c) { clients::delete(\"victim\"); () }\nfn lint(c) { clients::update(\"victim\", #{owner: \"x\"}); [] }\nfn mass(args) { for c in clients::list() { clients::update(c.client_id, #{owner: \"x\"}); } }";
    for hooks in ["before_create", "lint"] {
        plugin(
            &program,
            "evil",
            &format!(
                "hooks = [\"{hooks}\"]\n[commands.mass]\nabout = \"a\"\n[capabilities]\nclients = [\"read\", \"update\", \"delete\"]\n"
            ),
            code,
        );
        install(&program, "./evil");
        for flag in ["--confirm live", "--yes"] {
            let ran = program.run(&format!("create oauth2-client --id a {flag}"));
            assert!(ran.code != Some(0) && ran.stderr.contains("live is production"), "{hooks} {flag}: {ran}");
        }
        let ran = program.run(&format!("mass -e {}", server.admin));
        assert!(ran.code != Some(0) && ran.stderr.contains("live is production"), "{ran}");
        program.run("plugin remove evil").ok();
    }
    assert_eq!((server.clients().len(), server.client("victim")["owner"].as_str()), (1, Some("")));
}

#[test]
fn many_rows_at_once_import_the_same_file() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    plugin(
        &program,
        "imp",
        "hooks = [\"after_create\"]\n",
        "fn after_create(c) { import \"helper\" as h; h::same(c.client_id); }",
    );
    program.file("imp/helper.rhai", "let x = 0; for i in 0..100000 { x += 1; }\nfn same(id) { id }\n");
    install(&program, "./imp");
    let rows: Vec<String> = (0..100).map(|n| format!("r{n}\n")).collect();
    program.file("r.csv", &format!("client_id\n{}", rows.concat()));
    program.run("batch create r.csv").ok();
}

#[test]
fn hooks_of_a_dry_run_write_nothing() {
    let (server, stub) =
        (Sandbox::with("--hash-iterations 1"), Stub::noting("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let program = orysh(&server);
    let port = stub.url.trim_end_matches('/').rsplit_once(':').unwrap().1;
    let manifest = format!(
        "hooks = [\"before_create\", \"before_update\", \"lint\"]\n[capabilities]\nnetwork = [\"127.0.0.1:{port}\"]\nwrite = [\"out\"]\nclients = [\"create\", \"read\"]\n"
    );
    let act = format!(
        "fs::write(\"out/x\", \"x\"); http::post(\"http://127.0.0.1:{port}/x\", \"x\"); clients::create(#{{}});"
    );
    let code = format!(
        "fn before_create(c) {{ {act} () }}\nfn before_update(c, d) {{ {act} () }}\nfn lint(c) {{ {act} [] }}\n"
    );
    plugin(&program, "busy", &manifest, &code);
    install(&program, "./busy");
    fs::create_dir(program.home().join("out")).unwrap();
    program.run("create client --id a --no-plugins").ok();
    program.file("c.csv", "client_name\nb\n");
    program.file("c.json", r#"[{"client_id": "a", "owner": "o"}, {"client_id": "n"}]"#);
    for line in [
        "create client --id b --dry-run",
        "update client a --owner x --dry-run",
        "batch create c.csv --dry-run",
        "apply -f c.json --dry-run",
        "apply -f c.json --diff",
    ] {
        let ran = program.run(line).ok();
        assert!(ran.stderr.contains("nothing is written"), "{line}: {ran}");
    }
    assert_eq!((server.clients().len(), stub.asked()), (1, 0));
    assert_eq!(fs::read_dir(program.home().join("out")).unwrap().count(), 0);
    program.run("create client --id b").ok();
    assert!(server.clients().len() > 2 && stub.asked() > 0);
}

#[test]
fn plugins_that_call_each_other_for_ever_are_ended() {
    let program = anywhere();
    for (name, other) in [("one", "two"), ("two", "one")] {
        let manifest = format!("[commands.{name}-go]\nabout = \"a\"\n[capabilities]\ncommands = [\"{other}-go\"]\n");
        let code = format!("fn {name}_go(args) {{ sh(\"{other}-go\") }}\n");
        plugin(&program, name, &manifest, &code);
    }
    install(&program, "./one");
    install(&program, "./two");
    for line in ["two-go", "one-go"] {
        program.run(&format!("--sandbox {line}")).fails(1, "deep");
    }
}

#[test]
fn what_a_plugin_says_is_bounded_and_holds_no_secret_of_the_client() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    plugin(
        &program,
        "loud",
        "[commands.cry]\nabout = \"a\"\n",
        "fn cry(args) { loop { log::info(\"y\"); log::warn(\"z\"); } }",
    );
    install(&program, "./loud");
    let ran = program.run("cry").fails(1, "said more");
    assert!(ran.stderr.len() < 20 * 1024 * 1024, "{}", ran.stderr.len());
    program.run("plugin remove loud").ok();
    let manifest = "hooks = [\"after_create\"]\ndelivers = true\n[capabilities]\nsecrets = true\n";
    plugin(&program, "leaky", manifest, "fn after_create(c) { throw \"down: \" + c.client_secret.reveal(); }");
    install(&program, "./leaky");
    let told = program.run("create client --id a --secret canary-canary-canary -q");
    assert!(told.stderr.contains("down: [REDACTED]") && !format!("{told}").contains("canary"), "{told}");
    program.file("b.csv", "client_id,client_secret\nb,canary-canary-canary\n");
    let told = program.run("batch create b.csv --out r.csv");
    let results = fs::read_to_string(program.home().join("r.csv")).unwrap();
    assert!(
        told.stderr.contains("down: [REDACTED]") && !format!("{told}{results}").contains("canary"),
        "{told}{results}"
    );
}

#[test]
fn private_keys_reach_no_plugin() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code =
        "fn before_create(c) { throw \"saw \" + json::text(c) }\nfn lint(c) { throw \"saw \" + json::text(c) }\n";
    plugin(&program, "nosy", "hooks = [\"before_create\", \"lint\"]\n", code);
    install(&program, "./nosy");
    let keys = r#"{"keys": [{"kty": "oct", "k": "canary"}]}"#;
    program.file("k.json", &format!("[{{\"client_id\": \"k\", \"jwks\": {keys}}}]"));
    program.file("k.csv", &format!("client_id,jwks\nk,\"{}\"\n", keys.replace('"', "\"\"")));
    for line in ["import oauth2-client k.json", "apply -f k.json", "batch create k.csv", "batch create k.csv --no-lint"]
    {
        let ran = program.run(line);
        assert!(ran.code == Some(2) && ran.stderr.contains("private key"), "{line}: {ran}");
        assert!(!ran.stderr.contains("saw"), "{line}: {ran}");
    }
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn rows_that_are_noted_at_once_are_all_noted() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    install(&program, &super::bundled("audit"));
    program.file("b.csv", &format!("client_name\n{}", "n\n".repeat(60)));
    program.run("batch create b.csv").ok();
    let noted = fs::read_to_string(program.home().join("audit/audit.csv")).unwrap();
    assert_eq!(noted.lines().filter(|line| line.contains("created")).count(), 60, "{noted}");
}

#[test]
fn a_command_that_fails_says_where_the_secrets_are_that_it_made() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let manifest = "[commands.lose]\nabout = \"a\"\n[capabilities]\nclients = [\"create\"]\n";
    plugin(&program, "loser", manifest, "fn lose(args) { clients::create(#{}); throw \"lost\"; }");
    install(&program, "./loser");
    program.run("lose").fails(1, "lost").tells("neither shown nor written (1) are kept in");
    for name in ["it", "exit", "quit"] {
        plugin(
            &program,
            "shellish",
            &format!("[commands.{name}]\nabout = \"a\"\n"),
            &format!("fn {name}(args) {{ 1 }}"),
        );
        program.run("plugin show ./shellish").fails(2, "at the prompt of the shell");
    }
}

#[test]
fn tests_of_a_plugin_that_nobody_granted_anything_stay_inside() {
    let stub = Stub::noting("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let program = anywhere().with("ORYSH_CANARY", "canary");
    let port = stub.url.trim_end_matches('/').rsplit_once(':').unwrap().1;
    let manifest = format!(
        "[capabilities]\nprivate-network = [\"127.0.0.1:{port}\"]\nread = [\".\"]\nwrite = [\"out\"]\nenvironment = [\"ORYSH_CANARY\"]\n"
    );
    let code = format!(
        "fn test_out() {{ fs::write(\"out/x\", \"x\"); }}\nfn test_ask() {{ http::get(\"http://127.0.0.1:{port}/\"); }}\nfn test_var() {{ print(env::get(\"ORYSH_CANARY\")); throw \"read\"; }}\nfn test_in() {{ fs::write(fs::temp() + \"/x\", \"x\"); }}\n"
    );
    plugin(&program, "outgoing", &manifest, &code);
    fs::create_dir(program.home().join("out")).unwrap();
    let ran = program.run("plugin test ./outgoing");
    assert!(ran.stderr.contains("was not granted") && ran.stderr.contains("1 of 4"), "{ran}");
    assert!(!ran.stderr.contains("canary") && !program.home().join("out/x").exists(), "{ran}");
    assert_eq!(stub.asked(), 0);
    let hash = super::hash(&program, "./outgoing");
    let ran = program.run(&format!("plugin test ./outgoing --trust {hash}"));
    assert!(ran.stderr.contains("3 of 4") && program.home().join("out/x").exists() && stub.asked() == 1, "{ran}");
}

#[test]
fn what_cannot_be_granted_is_not_taken_over() {
    let program = anywhere();
    for (asked, told) in [
        ("commands = [\"nonsense thing\"]", "which is not there"),
        ("commands = [\"delete oauth2-clients\"]", "did you mean `delete oauth2-client`?"),
        ("environment = [\"*\"]", "no name of a variable"),
        ("plugins = [\"no such\"]", "no name of a plugin"),
    ] {
        plugin(&program, "odd", &format!("[capabilities]\n{asked}\n"), "fn f() { }");
        let shown = program.run("plugin show ./odd --format jsonpath=hash");
        let ran = match shown.code {
            Some(0) => program.run(&format!("plugin install ./odd --trust {}", shown.stdout.trim())),
            _ => shown,
        };
        ran.fails(2, told);
    }
}

#[test]
fn no_text_of_a_manifest_harms_a_terminal() {
    let program = anywhere();
    for text in ["A\\u001b[31mRED\\u202e", "A\u{202e}B"] {
        let manifest = format!("[commands.esc]\nabout = \"{text}\"\n");
        plugin(&program, "esc", &manifest, "fn esc(args) { }");
        program.run("plugin show ./esc").fails(2, "could harm a terminal").tells("line 6");
    }
}

#[test]
fn what_a_plugin_has_is_what_its_manifest_names() {
    let program = anywhere();
    let install = |name: &str| {
        let hash = super::hash(&program, &format!("./{name}"));
        program.run(&format!("plugin install ./{name} --trust {hash}"))
    };
    plugin(&program, "odd", "hooks = [\"before_update\"]\n", "fn before_update(c) { }");
    install("odd").fails(2, "`before_update` is called with 2 arguments");
    let manifest = "hooks = [\"after_create\"]\n[config.key]\ntype = \"secret\"\nhelp = \"Signs\"\n[config.names]\ntype = \"list\"\ndefault = [\"a\"]\nhelp = \"Names\"\n";
    plugin(&program, "set", manifest, "fn after_create(c) { }");
    install("set").ok();
    let hash = super::hash(&program, "./set");
    let set = |value: &str| program.args(&["plugin", "install", "./set", "--trust", &hash, "--set", value]);
    set("key=plain").fails(2, "config `key` of plugin `set` is a secret").tells("--set key=env:NAME");
    set("names=7").fails(2, "config `names` of plugin `set` is a list").tells("[\"a\", \"b\"]");
    set("key=env:KEY").ok();
    let shown = program.run("plugin show set --format json").ok().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let due = json!({"type": "secret", "help": "Signs", "default": null, "value": "env:KEY"});
    assert_eq!(shown["config"]["key"], due, "{shown}");
    assert_eq!(shown["config"]["names"]["value"], json!(["a"]));
}

#[test]
fn a_granted_folder_that_is_a_link_leads_nowhere() {
    let program = anywhere();
    program.file("elsewhere/secret.txt", "hidden");
    std::os::unix::fs::symlink(program.home().join("elsewhere"), program.home().join("data")).unwrap();
    let manifest = "[capabilities]\nread = [\"data\"]\nwrite = [\"data\"]\n[commands.rdd]\nabout = \"d\"\n[commands.wrr]\nabout = \"d\"\n";
    plugin(
        &program,
        "rd",
        manifest,
        "fn rdd(args) { fs::read(\"data/secret.txt\") }\nfn wrr(args) { fs::write(\"data/new\", \"x\") }",
    );
    install(&program, "./rd");
    program.run("rdd").fails(1, "the folder that was granted is a link");
    program.run("wrr").fails(1, "the folder that was granted is a link");
    assert!(!program.home().join("elsewhere/new").exists());
}

#[test]
fn tests_and_plugins_reach_no_plugin_by_sh() {
    let program = anywhere();
    let manifest = "[commands.looks]\nabout = \"d\"\n";
    let look = "sh(\"plugin show ./evil\")";
    plugin(&program, "evil", manifest, &format!("fn looks(args) {{ {look} }}\nfn test_x() {{ {look}; }}"));
    program.run("plugin test ./evil").fails_after(3, "`plugin show` is for people");
    install(&program, "./evil");
    program.run("looks").fails(1, "`plugin show` is for people");
}

#[test]
fn what_is_configured_of_secrets_is_granted_and_asked_for() {
    let program = anywhere().with("MYTOK", "hunter2");
    let manifest = |kind: &str| format!("[config.tok]\ntype = \"{kind}\"\nhelp = \"h\"\n");
    plugin(&program, "s", &manifest("text"), "");
    install(&program, "./s");
    plugin(&program, "s", &manifest("secret"), "");
    program.run("plugin update s").fails(2, "nobody can be asked");
    assert!(program.run("plugin show ./s").ok().stdout.contains("read the secrets that are configured as: tok"));
}

#[test]
fn one_that_fails_does_not_silence_the_others() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let manifest = |order: u8| {
        format!(
            "order = {order}\nhooks = [\"on_error\", \"after_batch\"]\n[capabilities]\nread = [\".\"]\nwrite = [\".\"]\n"
        )
    };
    plugin(
        &program,
        "a",
        &manifest(1),
        "fn on_error(id, e) { throw \"broken\"; }\nfn after_batch(b) { throw \"broken\"; }",
    );
    plugin(
        &program,
        "b",
        &manifest(2),
        "fn on_error(id, e) { csv::append(\"l.csv\", #{what: \"error\"}); }\nfn after_batch(b) { csv::append(\"l.csv\", #{what: \"batch\"}); }",
    );
    install(&program, "./a");
    install(&program, "./b");
    server.make(&json!({"client_id": "x"}));
    program.run("create client --id x").fails(1, "exists already");
    program.file("s.csv", "client_name\nn\n");
    program.run("batch create s.csv").ok();
    assert_eq!(fs::read_to_string(program.home().join("l.csv")).unwrap(), "what\nerror\nbatch\n");
}

#[test]
fn a_broken_plugin_is_repaired_and_gone_without_by_its_name() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    plugin(&program, "p", "hooks = [\"before_create\"]\n", "fn before_create(c) { }");
    install(&program, "./p");
    let hash = super::hash(&program, "./p");
    fs::write(program.home().join(format!("data/plugins/{hash}/main.rhai")), "fn before_create(c) { throw 1; }")
        .unwrap();
    assert!(program.run("plugin list").stdout.contains("changed: does not run"));
    program.run("create client --id a").fails(2, "nothing is written");
    program.run("create client --id a --no-hook p").ok();
    install(&program, "./p");
    program.run("plugin verify").ok();
    program.run("create client --id b").ok();
    // What is configured of a key that there is no more goes with it.
    let manifest = |key: &str| format!("hooks = [\"before_create\"]\n[config.{key}]\ntype = \"text\"\nhelp = \"h\"\n");
    plugin(&program, "q", &manifest("old"), "fn before_create(c) { }");
    let hash = super::hash(&program, "./q");
    program.run(&format!("plugin install ./q --trust {hash} --set nosuch=1")).fails(2, "no configuration `nosuch`");
    assert!(!program.run("plugin list").ok().stdout.contains("q\t"));
    program.run(&format!("plugin install ./q --trust {hash} --set old=x")).ok();
    plugin(&program, "q", &manifest("new"), "fn before_create(c) { }");
    program.run("plugin update q").ok();
    program.run("create client --id c").ok();
}

#[test]
fn many_installs_at_once_are_all_whole() {
    let program = anywhere();
    let hashes: Vec<String> = (0..8)
        .map(|n| {
            plugin(&program, &format!("p{n}"), "", "");
            super::hash(&program, &format!("./p{n}"))
        })
        .collect();
    let running: Vec<_> = hashes
        .iter()
        .enumerate()
        .map(|(n, hash)| program.begin(&format!("plugin install ./p{n} --trust {hash}")))
        .collect();
    for one in running {
        one.end().ok();
    }
    program.run("plugin verify").ok();
    assert_eq!(program.run("plugin list -q").ok().stdout.lines().count(), 8);
}

#[test]
fn an_update_is_measured_by_what_was_granted() {
    let program = anywhere();
    plugin(&program, "ev", "[capabilities]\nsecrets = true\n", "");
    install(&program, "./ev");
    let hash = super::hash(&program, "./ev");
    let more = "[capabilities]\nsecrets = true\nnetwork = [\"evil.example:443\"]\n";
    plugin(&program, "ev", more, "");
    let text = fs::read_to_string(program.home().join("ev/plugin.toml")).unwrap();
    fs::write(program.home().join(format!("data/plugins/{hash}/plugin.toml")), text).unwrap();
    program.run("plugin update ev").fails(2, "nobody can be asked");
    // One that calls itself as another does takes nothing of that over.
    let told = fs::read_to_string(program.home().join("ev/plugin.toml")).unwrap();
    fs::write(program.home().join("ev/plugin.toml"), told.replace("\"ev\"", "\"other\"")).unwrap();
    program.run("plugin update ev").fails(2, "calls itself `other` by now");
    plugin(&program, "dv", "[capabilities]\nsecrets = true\n", "");
    install(&program, "./dv");
    plugin(&program, "dv", "delivers = true\n[capabilities]\nsecrets = true\n", "");
    program.run("plugin update dv").fails(2, "nobody can be asked");
    for argument in ["--dry-run: text", "--version: text", "--help: text"] {
        plugin(
            &program,
            "q",
            &format!("[commands.q]\nabout = \"x\"\narguments = [\"{argument}\"]\n"),
            "fn q(args) { }",
        );
        program.run("plugin show ./q").fails(2, "plugin.toml");
    }
}

#[test]
fn what_one_call_keeps_no_other_takes() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = "fn pc(args) {
        if args.what == \"fail\" { throw \"no\"; }
        if args.what == \"inner\" { return 1; }
        let a = clients::create(#{client_id: args.what + \"1\"});
        let b = clients::create(#{client_name: args.what});
        if args.what == \"lost\" { return b; }
        [a, b]
    }";
    plugin(
        &program,
        "pc",
        "[commands.pc]\nabout = \"a\"\narguments = [\"what: text\"]\n[capabilities]\nclients = [\"create\"]\nsecrets = true\n",
        code,
    );
    install(&program, "./pc");
    let code = "fn after_create(c) { if c.client_name == \"lost\" { try { sh(\"pc fail\"); } catch {} } if c.client_name == \"two\" { sh(\"pc inner\"); } }";
    plugin(&program, "hh", "hooks = [\"after_create\"]\n[capabilities]\ncommands = [\"pc\"]\n", code);
    install(&program, "./hh");
    program.run("pc lost --format jsonl").ok().tells("neither shown nor written (1)");
    assert_eq!(program.pending().len(), 1);
    let ran = program.run("pc two --format jsonl").ok();
    assert!(!ran.stderr.contains("neither shown"), "{ran}");
    assert_eq!(program.pending().len(), 1);
    // Nor do several at once.
    let code = "fn after_create(c) { let x = clients::create(#{client_id: \"k\" + c.client_id}); sleep(0.3); fs::write(\"cc/\" + c.client_id, x.client_secret); }";
    program.run("plugin remove hh").ok();
    fs::create_dir(program.home().join("cc")).unwrap();
    plugin(
        &program,
        "many",
        "hooks = [\"after_create\"]\n[capabilities]\nclients = [\"create\"]\nsecrets = true\nwrite = [\"cc\"]\n",
        code,
    );
    install(&program, "./many");
    program.file("q.csv", "client_id\na\nb\nc\nd\ne\nf\n");
    let ran = program.run("batch create q.csv").ok();
    assert!(!ran.stderr.contains("neither shown"), "{ran}");
    assert_eq!((program.pending().len(), fs::read_dir(program.home().join("cc")).unwrap().count()), (1, 6));
}

#[test]
fn what_was_changed_is_shown_to_nobody_and_put_back() {
    let program = anywhere();
    plugin(&program, "la", "[commands.la]\nabout = \"a\"\n", "fn la(args) { 1 }");
    install(&program, "./la");
    let hash = super::hash(&program, "./la");
    let main = program.home().join(format!("data/plugins/{hash}/main.rhai"));
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, format!("{text} ")).unwrap();
    program.run("plugin show la").fails(1, "its files were changed").tells("plugin update la");
    program.run("la").fails(2, "unknown command `la`").tells("plugin `la` is left out");
    program.run("plugin update la").ok().tells("as it was granted again");
    assert_eq!(program.run("la").ok().stdout, "1\n");
    program.run("la --no-plugins").fails(2, "unknown command").tells("plugins are off");
    // What a repository lists is refused where it cannot be.
    plugin(&program, "hid", "[commands.create]\nabout = \"a\"\n", "fn create(args) { 1 }");
    plugin(
        &program,
        "lb",
        "[commands.lb]\nabout = \"a\"\n[commands.lc]\nabout = \"a\"\n",
        "fn lb(args) { 1 } fn lc(args) { 1 }",
    );
    plugin(&program, "lc", "[commands.lc]\nabout = \"a\"\n", "fn lc(args) { 1 }");
    program.file("orysh.toml", "[plugins.hid]\npath = \"hid\"\n");
    let hidden = super::hash(&program, "./hid");
    program.run(&format!("plugin sync --trust {hidden}")).fails(2, "plugin.toml, line 5").tells("is there already");
    program.file("orysh.toml", "[plugins.lb]\npath = \"lb\"\n[plugins.lc]\npath = \"lc\"\n");
    let (b, c) = (super::hash(&program, "./lb"), super::hash(&program, "./lc"));
    program.run(&format!("plugin sync --trust {b} --trust {c}")).fails(2, "plugin `lc`: plugin.toml, line 5");
}

#[test]
fn no_file_comes_to_a_plugin_by_a_flag_of_a_command() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "");
    let program = orysh(&server);
    program.file("own.json", "{\"token\": \"hunter2\"}");
    let granted = "clients = [\"create\", \"update\"]\ncommands = [\"create oauth2-client\", \"update oauth2-client\", \"patch oauth2-client\"]";
    let code = "fn spy(args) { let said = []; for line in [\"create client --dry-run --metadata @own.json\", \"create client --dry-run --metadata @/dev/zero\", \"update client a --dry-run --metadata @own.json\", \"create client --dry-run --jwks @own.json\"] { try { said.push(json::text(sh(line))) } catch (e) { said.push(e.message) } } said }";
    plugin(&program, "spy", &format!("[commands.spy]\nabout = \"a\"\n[capabilities]\n{granted}\n"), code);
    install(&program, "./spy");
    let ran = program.run("spy").ok();
    assert!(ran.stdout.matches("is not for plugins").count() == 4 && !ran.stdout.contains("hunter2"), "{ran}");
    let test = "fn test_x() { throw json::text(sh(\"create client --dry-run --metadata @$HOME/own.json\")); }";
    let home = program.home().display().to_string();
    plugin(&program, "ev", &format!("[capabilities]\n{granted}\n"), &test.replace("$HOME", &home));
    let ran = program.run("plugin test ./ev");
    assert!(ran.code != Some(0) && !ran.stderr.contains("hunter2"), "{ran}");
    // A script of whoever runs it reads them, and no more than it may.
    let ran = program.args(&["eval", "sh(\"create client --dry-run --metadata @own.json\").body.metadata.token"]).ok();
    assert_eq!(ran.stdout, "hunter2\n");
    program.run("create client --dry-run --metadata @/dev/zero").fails(2, "is larger than");
}

#[test]
fn no_line_of_a_plugin_leads_elsewhere() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "");
    let elsewhere = Stub::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]");
    let program = orysh(&server);
    program.run(&format!("profile add prod --endpoint {} --production", elsewhere.url)).ok();
    program.file("key.asc", "no key");
    // What completes words of a line asks where that line would act.
    plugin(&program, "snoop", "[capabilities]\ncommands = [\"complete\"]\n", "");
    let hash = super::hash(&program, "./snoop");
    program.run(&format!("plugin install ./snoop --trust {hash}")).fails(2, "plugin.toml, line 6").tells("for people");
    plugin(
        &program,
        "net",
        "[commands.net]\nabout = \"a\"\narguments = [\"line: text\"]\n[capabilities]\nclients = [\"update\"]\ncommands = [\"batch update\"]\n",
        "fn net(args) { sh(args.line) }",
    );
    install(&program, "./net");
    for key in [
        "pgp_key=@key.asc",
        "pgp_key_url=https://a.example/k",
        "keybase=nobody",
        "pgp_fingerprint=AA",
        "owner=@key.asc",
    ] {
        let line = format!("net 'batch update a --set {key}'");
        program.run(&line).fails(1, "is not for plugins");
    }
    assert_eq!(elsewhere.asked(), 0);
    // Neither does a line of a script's test.
    program.file("t.rhai", "fn test_x() { sh(\"complete -- --profile prod get oauth2-client ''\") }");
    let ran = program.run("script test t.rhai");
    assert!(ran.code != Some(0) && elsewhere.asked() == 0, "{ran}");
}

#[test]
fn no_secret_comes_to_a_plugin_by_a_line_and_none_is_chosen_by_it() {
    let server =
        Sandbox::holding(&[json!({"client_id": "vic", "client_secret": "old-secret-of-vic"})], "--hash-iterations 1");
    let program = orysh(&server)
        .with("HYDRA_PUBLIC_URL", &server.public)
        .with("OAUTH2_CLIENT_ID", "vic")
        .with("OAUTH2_CLIENT_SECRET", "old-secret-of-vic");
    program.file("mine.secret", "old-secret-of-vic");
    let code = "fn net(args) { sh(args.line) }\nfn choose(args) { clients::update(\"vic\", #{client_secret: \"chosen-by-a-plugin\"}) }";
    plugin(
        &program,
        "net",
        "[commands.net]\nabout = \"a\"\narguments = [\"line: text\"]\n[commands.choose]\nabout = \"a\"\n[capabilities]\nclients = [\"read\", \"update\"]\ntokens = true\ncommands = [\"batch resume\", \"perform client-credentials\", \"introspect token\", \"rotate secret\", \"update oauth2-client\"]\n",
        code,
    );
    install(&program, "./net");
    for (line, told) in [
        ("batch resume x --secrets plain", "capability `secrets`"),
        ("perform client-credentials --client-id vic --client-secret-file mine.secret", "is not for plugins"),
        ("perform client-credentials --client-id vic --client-secret-stdin", "error: "),
        ("perform client-credentials", "capability `environment`"),
        ("introspect token -", "error: "),
        ("update client vic --owner x --yes", "is not for plugins"),
        ("rotate secret vic --cut-over", "may not rotate"),
        ("update client vic --secret chosen-by-a-plugin", "may not rotate"),
    ] {
        let ran = program.args(&["net", line]);
        assert!(ran.code != Some(0) && ran.stderr.contains(told), "{line}: {ran}");
    }
    program.run("choose").fails(1, "may not rotate");
    assert!(server.accepts(&json!("vic"), &json!("old-secret-of-vic")));
}

#[test]
fn what_is_taken_back_is_asked_about_as_well() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file("rows.csv", "client_id\na\nb\n");
    let run = program.run("batch create rows.csv -q").ok().stdout.trim().to_owned();
    plugin(
        &program,
        "v",
        "hooks = [\"before_batch\"]\n",
        "fn before_batch(batch) { if batch.job == \"undo\" { throw \"no batch\"; } }",
    );
    install(&program, "./v");
    program.run(&format!("batch undo {run} --yes")).fails(1, "no batch");
    assert_eq!(server.clients().len(), 2);
    program.run("plugin remove v").ok();
    fs::create_dir(program.home().join("log")).unwrap();
    let code = "fn before_delete(id) { throw \"no delete\"; }\nfn on_error(id, error) { fs::write(`log/${id}`, error.message); }\nfn after_batch(batch) { fs::write(`log/after-${batch.job}`, json::text(batch.outcomes)); }";
    plugin(
        &program,
        "w",
        "hooks = [\"before_delete\", \"on_error\", \"after_batch\"]\n[capabilities]\nwrite = [\"log\"]\n",
        code,
    );
    install(&program, "./w");
    let ran = program.run(&format!("batch undo {run} --yes"));
    assert!(ran.code == Some(3) && server.clients().len() == 2, "{ran}");
    let mut log: Vec<String> = crate::support::files(&program.home().join("log"))
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    log.sort();
    assert_eq!(log, ["a", "after-undo", "b"]);
}

#[test]
fn a_secret_that_is_set_at_once_is_asked_about_and_heard_of_as_a_rotation() {
    let server =
        Sandbox::holding(&[json!({"client_id": "a", "client_secret": "old-secret-of-a"})], "--hash-iterations 1");
    let program = orysh(&server);
    fs::create_dir(program.home().join("out")).unwrap();
    let code = "fn after_rotate(c) { fs::write(`out/${c.client_id}`, c.client_secret); }\nfn before_update(before, set) { if before.owner == \"frozen\" { throw \"it is frozen\"; } }";
    let manifest = "hooks = [\"after_rotate\", \"before_update\"]\n[capabilities]\nsecrets = true\nwrite = [\"out\"]\n";
    plugin(&program, "dlv", manifest, code);
    install(&program, "./dlv");
    let secret = program.run("rotate secret a --cut-over --yes --format jsonpath=client_secret").ok().stdout;
    assert_eq!(fs::read_to_string(program.home().join("out/a")).unwrap(), secret.trim_end());
    program.run("--no-plugins update client a --owner frozen -q").ok();
    program.run("rotate secret a --cut-over --yes").fails(1, "it is frozen");
    assert!(server.accepts(&json!("a"), &json!(secret.trim_end())));
}

#[test]
fn what_lint_says_is_as_it_is_said_to_be_and_its_refusals_are_heard_of() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    for wrong in [
        "#{field: \"owner\", message: \"m\", is_wrong: \"yes\"}",
        "#{field: \"zz\", message: \"m\"}",
        "#{message: 1}",
        "#{is_wrong: true}",
    ] {
        plugin(&program, "nz", "hooks = [\"lint\"]\n", &format!("fn lint(c) {{ [{wrong}] }}"));
        install(&program, "./nz");
        program.run("create client -q").fails(1, "lint gives a list").tells("(line 1, column 4)");
        program.run("plugin remove nz").ok();
    }
    let code = "fn lint(c) { if c.client_name == \"BAD\" { [#{field: \"client_name\", message: \"bad name\", is_wrong: true}] } }\nfn on_error(id, error) { fs::write(`log/${hash::sha256(error.message + time::now().to_string())}`, error.message); }";
    fs::create_dir(program.home().join("log")).unwrap();
    plugin(&program, "lw", "hooks = [\"lint\", \"on_error\"]\n[capabilities]\nwrite = [\"log\"]\n", code);
    install(&program, "./lw");
    program.run("create client --id l --name BAD").fails(2, "bad name");
    assert_eq!(fs::read_dir(program.home().join("log")).unwrap().count(), 1);
    assert!(server.clients().is_empty());
}

#[test]
fn a_hook_that_would_end_the_script_fails_by_itself() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code =
        "fn after_create(c) { if c.client_name == \"bad\" { exit(0); } fs::write(`log/${c.client_name}`, \"x\"); }";
    fs::create_dir(program.home().join("log")).unwrap();
    plugin(&program, "h", "hooks = [\"after_create\"]\n[capabilities]\nwrite = [\"log\"]\n", code);
    install(&program, "./h");
    program.file("rows.csv", "client_name\na\nb\nbad\nc\nd\n");
    let ran = program
        .run("batch create rows.csv --out r.csv --format json")
        .fails_after(3, "h/main.rhai: `exit` is for scripts (line 1, column");
    let ran: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&ran["done"], &ran["delivery_failed"]), (&json!(4), &json!(1)));
    assert_eq!(fs::read_dir(program.home().join("log")).unwrap().count(), 4);
}

#[test]
fn what_is_looked_at_as_a_plugin_comes_is_looked_at_once_and_whatever_is_gone_without() {
    let program = anywhere();
    plugin(&program, "dia", "", "import \"f0\" as a;");
    for n in 0..40 {
        let code = format!("import \"f{0}\" as a; import \"f{0}\" as b;", n + 1);
        program.file(&format!("dia/f{n}.rhai"), &code);
    }
    program.file("dia/f40.rhai", "fn f() { 1 }");
    install(&program, "./dia");
    for name in ["p1", "p2"] {
        plugin(&program, name, "[commands.zap]\nabout = \"a\"\n", "fn zap(args) { 1 }");
    }
    install(&program, "./p1");
    let hash = super::hash(&program, "./p2");
    for line in ["plugin install ./p2 --trust", "--no-plugins plugin install ./p2 --trust"] {
        program.run(&format!("{line} {hash}")).fails(2, "plugin `p2`: plugin.toml, line 5").tells("`zap`");
    }
    program.run("plugin disable p1").ok();
    install(&program, "./p2");
    program.run("--no-plugins plugin enable p1").fails(2, "plugin `p1`: plugin.toml, line 5");
    // What the shell has of its own is not a plugin's.
    for name in ["copy", "history", "load", "undo", "edit", "tour"] {
        plugin(&program, "own", &format!("[commands.{name}]\nabout = \"a\"\n"), &format!("fn {name}(args) {{ 1 }}"));
        program.run("plugin show ./own").fails(2, "means another thing at the prompt of the shell").tells("line 5");
    }
    // Plugins that may import each other in a circle.
    for (name, other) in [("one", "two"), ("two", "three"), ("three", "one")] {
        let manifest = format!("exports = [\"f\"]\n[capabilities]\nplugins = [\"{other}\"]\n");
        plugin(&program, name, &manifest, &format!("import \"plugin:{other}\" as other;\nfn f() {{ other::f() }}"));
    }
    install(&program, "./one");
    install(&program, "./two");
    let hash = super::hash(&program, "./three");
    let told = "plugin `three`: plugin.toml, line 7, column 12: plugin `one` imports it in turn";
    program.run(&format!("plugin install ./three --trust {hash}")).fails(2, told);
}

#[test]
fn no_plugin_puts_another_out() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "--hash-iterations 1");
    let program = orysh(&server);
    // By a command: neither as it is installed, nor as it is switched on again.
    plugin(&program, "d1", "[commands.dup]\nabout = \"a\"\n", "fn dup(args) { 1 }");
    plugin(&program, "d2", "[commands.dup]\nabout = \"a\"\n", "fn dup(args) { 2 }");
    install(&program, "./d1");
    program.run("plugin disable d1").ok();
    install(&program, "./d2");
    program.run("plugin enable d1").fails(2, "plugin `d1`: plugin.toml, line 5").tells("is there already");
    assert_eq!(program.run("dup").ok().stdout, "2\n");
    // By its name, in a repository.
    plugin(&program, "team/nam", "", "");
    let text = fs::read_to_string(program.home().join("team/nam/plugin.toml")).unwrap();
    fs::write(program.home().join("team/nam/plugin.toml"), text.replace("team/nam", "nam")).unwrap();
    program.file("team/orysh.toml", "[plugins.nam]\npath = \"nam\"\n");
    plugin(&program, "nam", "", "");
    let team = super::hash(&program, "./team/nam");
    let own = super::hash(&program, "./nam");
    program.sh(&format!("cd team && orysh plugin install ../nam --trust {own}")).fails(2, "lists a plugin `nam`");
    install(&program, "./nam");
    program.sh(&format!("cd team && orysh plugin sync --trust {team}")).fails(2, "another plugin of that name");
    // By files that lead nowhere, or in a circle.
    for (file, told) in [
        ("import \"main\" as m; fn q() {}", "b.rhai: main.rhai imports itself"),
        ("import \"c\" as c;", "has no file c.rhai"),
        ("import \"../other/main\" as c;", "has no file ../other/main.rhai"),
        ("import \"/etc/passwd\" as c;", "has no file /etc/passwd.rhai"),
        ("fn q( {", "sx/b.rhai"),
    ] {
        plugin(&program, "sx", "hooks = [\"before_create\"]\n", "import \"b\" as b; fn before_create(c) { }");
        fs::write(program.home().join("sx/b.rhai"), file).unwrap();
        let hash = super::hash(&program, "./sx");
        program.run(&format!("plugin install ./sx --trust {hash}")).fails(2, told).tells("(line 1, column");
    }
    program.run("create oauth2-client --id b").ok();
    // What a command keeps that fails is told, whoever catches that.
    plugin(
        &program,
        "sec",
        "[commands.inner]\nabout = \"a\"\n[capabilities]\nclients = [\"create\"]\nsecrets = true\n",
        "fn inner(args) { let c = clients::create(#{client_name: \"inner\"}); throw \"bah\" }",
    );
    install(&program, "./sec");
    program.args(&["eval", "try { sh(\"inner\") } catch { } 5"]).ok().tells("neither shown nor written (1)");
    // And whoever hears of what went wrong hears of clients that are not there.
    plugin(
        &program,
        "er",
        "hooks = [\"on_error\"]\n[capabilities]\nwrite = [\"log\"]\n",
        "fn on_error(id, e) { csv::append(\"log/l.csv\", #{id: id}); }",
    );
    install(&program, "./er");
    fs::create_dir(program.home().join("log")).unwrap();
    program.file("r.json", "{\"client_name\": \"x\"}");
    for line in [
        "rotate secret n1",
        "update oauth2-client n2 --name x",
        "patch oauth2-client n3 '[{\"op\":\"replace\",\"path\":\"/client_name\",\"value\":\"P\"}]'",
        "replace oauth2-client n4 -f r.json",
    ] {
        assert_eq!(program.run(line).code, Some(1), "{line}");
    }
    assert_eq!(fs::read_to_string(program.home().join("log/l.csv")).unwrap(), "id\nn1\nn2\nn3\nn4\n");
}

#[test]
fn a_question_of_a_plugin_says_whose_it_is() {
    let program = anywhere();
    let code = "fn ask(args) { ui::confirm(\"Grant that to plugin `vault`?\\n  nothing\"); ui::prompt(\"Name:\"); ui::select(\"Which?\", [\"a\\nb\", \"c\"]); ui::password(\"orysh password\"); 7 }";
    plugin(&program, "asker", "[commands.ask]\nabout = \"a\"\n[capabilities]\nprompts = true\n", code);
    install(&program, "./asker");
    let mut terminal = Terminal::with(program, &["ask"]);
    terminal.shows("plugin asker asks: Grant that to plugin `vault`?\\n  nothing");
    terminal.press("y\r");
    terminal.shows("plugin asker asks: Name:");
    terminal.press("x\r");
    terminal.shows("plugin asker asks: Which? [1-2]");
    let choice = terminal.lines().into_iter().find(|line| line.contains("a\\nb")).unwrap();
    assert!(choice.starts_with("plugin asker asks:"), "{choice}");
    terminal.press("2\r");
    terminal.shows("plugin asker asks: orysh password");
    terminal.press("x\r");
    terminal.shows("7");
    assert_eq!(terminal.ended().code(), Some(0));
}

#[test]
fn what_a_person_agreed_to_forgets_no_run_that_a_plugin_thinks_of() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    plugin(
        &program,
        "tidy",
        "[commands.tidy]\nabout = \"a\"\narguments = [\"--run: text  The run\"]\n[capabilities]\ncommands = [\"batch forget\"]\n",
        "fn tidy(args) { sh(`batch forget ${args.run}`) }",
    );
    install(&program, "./tidy");
    program.file("s.csv", "client_name\na\n");
    program.run("batch create s.csv").ok();
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    for line in [format!("tidy --run {run} --yes"), format!("tidy --run {run}")] {
        program.run(&line).fails(1, "is forgotten by plugin `tidy`");
    }
    assert_eq!(program.run("batch list -q").ok().stdout.trim(), run);
    let mut terminal = Terminal::with(program.same_home(), &["tidy", "--run", &run, "--yes"]);
    terminal.shows("Let plugin `tidy` forget run");
    terminal.press("y\r");
    assert_eq!(terminal.ended().code(), Some(0));
    assert_eq!(program.run("batch list -q").ok().stdout, "");
}

#[test]
fn what_a_hook_prints_is_told_without_more() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    plugin(
        &program,
        "says",
        "hooks = [\"after_create\"]\n",
        "fn after_create(c) { print(\"one\"); print(\"\"); print(\"two\"); }",
    );
    install(&program, "./says");
    let ran = program.run("create client --id a").ok();
    let said: Vec<&str> = ran.stderr.lines().filter(|line| !line.contains("secret")).collect();
    assert_eq!(said, ["note: one", "note: two"], "{ran}");
}

#[test]
fn an_update_that_would_not_fit_what_is_configured_is_not_taken_over() {
    let program = anywhere();
    let manifest = |kind: &str| format!("[config.k]\ntype = \"{kind}\"\nhelp = \"h\"\n[commands.key]\nabout = \"a\"\n");
    let code = "fn key(args) { `${plugin::config(\"k\")}` }";
    plugin(&program, "p", &manifest("text"), code);
    let first = super::hash(&program, "./p");
    program.run(&format!("plugin install ./p --trust {first} --set k=hello")).ok();
    for kind in ["number", "secret"] {
        plugin(&program, "p", &manifest(kind), code);
        program.run("plugin update p").fails(2, "nothing was taken over").tells("--set k=");
        program
            .run(&format!("plugin install ./p --trust {}", super::hash(&program, "./p")))
            .fails(2, "nothing was taken over");
        assert_eq!(program.run("key").ok().stdout, "hello\n");
    }
    program.run("plugin verify").ok();
    let trusted = super::hash(&program, "./p");
    program.run(&format!("plugin install ./p --trust {trusted} --set k=env:HOME")).ok();
    // Changed by hand.
    let lock = program.home().join("config/orysh.lock");
    let text = fs::read_to_string(&lock).unwrap().replace("env:HOME", "hello");
    fs::write(&lock, text).unwrap();
    let ran = program.run("plugin list").fails_after(3, "has another type");
    assert!(ran.stdout.contains("broken"), "{ran}");
    program.run("plugin verify").fails_after(3, "has another type");
}
