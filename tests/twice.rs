//! That no client is made a second time without a word, by whatever door its row comes again.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use crate::plugins::{install, plugin};
use crate::support::{Orysh, PROGRAM, Sandbox, Terminal, eventually, orysh};

/// One that answers slowly enough to be ended in the middle.
fn slow() -> (Sandbox, Orysh) {
    let server = Sandbox::with("--latency 100ms --hash-iterations 1");
    let program = orysh(&server);
    (server, program)
}

/// Begins a line, and kills it once more than so many clients are there. Gives how many there are.
fn killed(server: &Sandbox, program: &Orysh, line: &str, after: usize) -> usize {
    let running = program.begin(line);
    eventually("some are made", || (server.clients().len() > after).then_some(()));
    running.signal(Signal::KILL);
    running.end();
    server.clients().len()
}

/// Takes back what the newest run did, and forgets it.
fn gone(server: &Sandbox, program: &Orysh) {
    let runs = program.run("batch list -q").ok().stdout;
    let run = runs.lines().last().unwrap();
    program.run(&format!("batch undo {run} --yes -q")).ok();
    program.run(&format!("batch forget {run} --yes -q")).ok();
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn a_script_that_creates_in_parts_goes_on_with_all_of_them() {
    let (server, program) = slow();
    program.file(
        "chunks.rhai",
        "for chunk in 0..3 {\n  let rows = [];\n  for n in 0..4 { rows.push(#{client_name: `c${chunk}-${n}`}); }\n  let made = clients::create_all(rows, #{concurrency: 1});\n  csv::append(\"secrets.csv\", made.map(|r| #{id: r.client.client_id, secret: r.client.client_secret.reveal()}));\n}\n",
    );
    assert!(killed(&server, &program, "run chunks.rhai", 5) < 12);
    program.run("run chunks.rhai").ok().tells("is gone on with: 0 of 4 are left");
    assert_eq!(server.clients().len(), 12);
    let secrets = fs::read_to_string(program.home().join("secrets.csv")).unwrap();
    let (id, secret) = secrets.lines().last().unwrap().split_once(',').unwrap();
    assert!(server.accepts(&json!(id), &json!(secret)), "{secrets}");
    // It has come to its end: what it does from now on is something else.
    assert_eq!(program.run("batch list -q").ok().stdout, "");
    program.run("run chunks.rhai").ok();
    assert_eq!(server.clients().len(), 24);
}

#[test]
fn a_script_that_fails_behind_what_it_has_written_has_it_still() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code = |end: &str| {
        format!(
            "let rows = [#{{client_name: \"a\"}}, #{{client_name: \"b\", token_endpoint_auth_method: \"none\"}}];\nlet made = clients::create_all(rows);\ncsv::write(\"made.csv\", made.map(|r| #{{id: r.client.client_id, secret: if r.row == 1 {{ r.client.client_secret.reveal() }} else {{ \"\" }}}}));\nlet open = clients::create_all([#{{client_name: \"c\", token_endpoint_auth_method: \"none\"}}]);\n{end}\n"
        )
    };
    program.file("s.rhai", &code("throw \"no\""));
    program.run("run s.rhai").fails(1, "the same script, run again, gets what it has made by now");
    let made = fs::read_to_string(program.home().join("made.csv")).unwrap();
    program.file("other.rhai", &code("1"));
    program.run("run other.rhai").fails(1, "whose script has made 2 clients and has not come to its end");
    program.file("s.rhai", &code("1"));
    program.run("run s.rhai").ok();
    assert_eq!(fs::read_to_string(program.home().join("made.csv")).unwrap(), made);
    assert_eq!((server.clients().len(), program.run("batch list -q").ok().stdout.as_str()), (3, ""));
    // So it is with a line of the shell.
    let line = "clients::create_all([#{client_name: \"l\", token_endpoint_auth_method: \"none\"}]); throw \"no\"\n";
    program.same_home().input(&line.repeat(2)).run("--keep-going").tells("is gone on with: 0 of 1 are left");
    assert_eq!(server.clients().len(), 4);
}

#[test]
fn rows_are_known_through_either_door() {
    let (server, program) = slow();
    let rows = (0..12).map(|n| format!("x-{n},o")).collect::<Vec<_>>().join("\n");
    program.file("x.csv", &format!("client_name,owner\n{rows}\n"));
    program.file("ca.rhai", "clients::create_all(csv::read(\"x.csv\").to_array(), #{concurrency: 1}).len()");
    let there = killed(&server, &program, "run ca.rhai", 3);
    program.run("batch create x.csv --yes").fails(2, "12 of these rows are in run").tells("--again");
    program.args(&["eval", "batch::create(\"x.csv\")"]).fails(1, "12 of these rows are in run");
    assert_eq!(server.clients().len(), there);
    gone(&server, &program);
    let there = killed(&server, &program, "batch create x.csv --yes --concurrency 1", 3);
    program.run("run ca.rhai").fails(1, "12 of these rows are in run").tells("orysh batch resume");
    // Nor is it another input where it was mended and is called otherwise.
    program.file("y.csv", &format!("client_name,owner\n{}", rows.replace(",o", ",p")));
    program.run("batch create y.csv --yes").fails(2, "clients of the names of 12 of these rows are in run");
    assert_eq!(server.clients().len(), there);
    program.run("batch create y.csv --yes --again").ok();
    assert_eq!(server.clients().len(), there + 12);
}

#[test]
fn rows_that_bring_their_secret_are_known_by_it() {
    let (server, program) = slow();
    let code = |first: &str, behind: &str| {
        format!(
            "let rows = []; for n in 0..12 {{ rows.push(#{{owner: \"o\", client_secret: `{first}-secret-${{n}}`}}); }}\n{behind} clients::create_all(rows, #{{concurrency: 1}}).len()"
        )
    };
    program.file("one.rhai", &code("own", ""));
    program.file("two.rhai", &code("own", "rows.reverse();"));
    program.file("three.rhai", &code("other", ""));
    let there = killed(&server, &program, "run one.rhai", 3);
    program.run("run two.rhai").fails(1, "12 of these rows are in run");
    assert_eq!(server.clients().len(), there);
    // What differs in a secret alone is something else.
    program.run("run three.rhai").ok();
    assert_eq!(server.clients().len(), there + 12);
}

#[test]
fn a_client_that_has_an_id_of_its_own_is_no_other_of_its_name() {
    let server = Sandbox::holding(&[json!({"client_id": "taken"})], "--hash-iterations 1");
    let program = orysh(&server);
    let code = "let one = clients::create_all([#{client_name: \"app\"}, #{client_id: \"taken\", client_name: \"app\"}]); let two = clients::create_all([#{client_id: \"free\", client_name: \"app\"}]); (one + two).map(|r| r.outcome)";
    let ran = program.args(&["eval", code]).ok();
    assert_eq!(ran.stdout, "created\nconflict\ncreated\n", "{ran}");
}

#[test]
fn clients_whose_secrets_were_taken_by_hand_are_made_all_the_same() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let code =
        |more: &str| format!("clients::create_all([#{{client_name: \"a\"}}, #{{client_name: \"b\"}}{more}]).len()");
    program.args(&["eval", &code("")]).ok();
    let longer = code(", #{client_name: \"c\"}");
    program.args(&["eval", &longer]).fails(1, "nobody has taken the secrets of its 2 clients");
    let run = program.run("batch list -q").ok().stdout;
    program.run(&format!("batch results {} --out got.csv", run.trim())).ok();
    program.args(&["eval", &longer]).fails(1, "nobody has taken the secrets");
    program.run(&format!("batch results {} --secrets plain --out all.csv", run.trim())).ok();
    // By whatever door: they are there.
    program.file("r.csv", "client_name\nb\na\n");
    for line in ["batch create r.csv --out other.csv", "import oauth2-clients r.csv"] {
        program.run(line).fails(2, "a second time").tells("batch undo");
    }
    program.args(&["eval", &longer]).fails(1, "a second time").tells("batch forget");
    // Another script with clients of those names, too.
    program.args(&["eval", "clients::create_all([#{client_name: \"b\", owner: \"x\"}])"]).fails(1, "a second time");
    program.file("same.rhai", &code(""));
    program.run("run same.rhai").fails(1, "a second time");
    assert_eq!(server.clients().len(), 2);
    program.run(&format!("batch forget {} --yes", run.trim())).ok();
    program.args(&["eval", &longer]).ok();
    assert_eq!(server.clients().len(), 5);
}

#[test]
fn a_script_has_come_to_its_end_once_its_result_was_shown() {
    let server = Sandbox::holding(&[json!({"client_id": "x"}), json!({"client_id": "y"})], "--hash-iterations 1");
    let program = orysh(&server);
    let named = |name: &str| server.clients().iter().filter(|client| client["client_name"] == name).count();
    program.file(
        "parts.rhai",
        "let r = clients::create_all([#{client_name: \"p1\"}]);\nfs::write(\"p1\", r[0].client.client_secret.reveal());\nlet q = clients::create_all([#{client_name: \"p2\"}]);\nq.map(|x| x.client)\n",
    );
    program.sh(&format!("{PROGRAM} run parts.rhai --format jsonl > /dev/full")).fails(1, "cannot write the result");
    program.run("run parts.rhai --format jsonl").ok();
    assert_eq!((named("p1"), named("p2")), (1, 1));
    // As a command of the shell.
    let lines = "run parts.rhai --format jsonpath=nothing.there\nrun parts.rhai --format jsonl\n";
    program.same_home().input(lines).run("--keep-going").tells("is gone on with");
    assert_eq!((named("p1"), named("p2"), program.run("batch list -q").ok().stdout.as_str()), (2, 2, ""));
    // As is one that ends itself otherwise than well.
    program.file("out.rhai", "clients::create_all([#{client_name: \"e\", token_endpoint_auth_method: \"none\"}]);\nif fs::exists(\"well\") { exit(0) }\nexit(3)\n");
    assert_eq!(program.run("run out.rhai").code, Some(3));
    program.file("well", "");
    program.run("run out.rhai").ok();
    assert_eq!((named("e"), program.run("batch list -q").ok().stdout.as_str()), (1, ""));
    // A line of the shell that fails as its value is looked at.
    program.file("broken.csv", "a,b\n1,2\n3,4,5\n");
    let line = "let r = clients::create_all([#{client_name: \"s\"}]); print(r[0].client.client_secret.reveal()); csv::read(\"broken.csv\")\n";
    let ran = program.same_home().input(&line.repeat(2)).run("--keep-going");
    let shown: Vec<&str> = ran.stdout.lines().collect();
    assert!(named("s") == 1 && shown.len() == 2 && shown[0] == shown[1], "{ran}");
}

#[test]
fn what_a_script_takes_away_again_is_no_end_of_the_rest() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let named = |name: &str| server.clients().iter().filter(|client| client["client_name"] == name).count();
    program.file(
        "forget.rhai",
        "let r = clients::create_all([#{client_name: \"fa\"}, #{client_name: \"fb\"}]);\nprint(r[0].client.client_secret.reveal());\nif r[1].client != () { clients::delete(r[1].client.client_id); }\nthrow \"no\"\n",
    );
    let first = program.run("run forget.rhai --yes").fails_after(1, "run again, gets what it has made");
    let second = program.run("run forget.rhai --yes").fails_after(1, "no");
    assert_eq!((named("fa"), first.stdout), (1, second.stdout));
    // Neither is a secret taken that is written over.
    program.file(
        "over.rhai",
        "for team in [\"a\", \"b\", \"c\"] {\n  let r = clients::create_all([#{client_name: `o-${team}`}]);\n  csv::write(\"made.csv\", [#{secret: r[0].client.client_secret.reveal()}]);\n}\n",
    );
    program.run("run over.rhai").ok().tells("neither shown nor written (2)");
    let runs = program.run("batch list -q").ok().stdout;
    let secrets: String = runs
        .lines()
        .map(|run| program.run(&format!("batch results {run} --secrets plain --format jsonl")).ok().stdout)
        .collect();
    assert!(secrets.contains("o-a") || secrets.matches("client_secret").count() >= 2, "{secrets}");
}

#[test]
fn what_a_plugin_makes_for_a_script_is_there_until_that_has_come_to_its_end() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let manifest = "exports = [\"give\"]\n[commands.mk]\nabout = \"a\"\n[commands.put]\nabout = \"a\"\n[capabilities]\nclients = [\"read\", \"create\"]\nsecrets = true\nwrite = [\"po\"]\n";
    let code = "fn made(name) { clients::create_all([#{client_name: name}]).map(|x| #{id: x.client.client_id, secret: x.client.client_secret.reveal()}) }\nfn mk(args) { made(\"m\") }\nfn put(args) { let p = made(\"p\"); csv::write(\"po/p.csv\", p); p.len() }\nfn give() { let g = made(\"g\"); csv::write(\"po/g.csv\", g); g.len() }\n";
    plugin(&program, "mk", manifest, code);
    fs::create_dir(program.home().join("po")).unwrap();
    install(&program, "./mk");
    program.file(
        "s.rhai",
        "import \"plugin:mk\" as mk;\nlet p = sh(\"put\");\nlet g = mk::give();\nlet m = sh(\"mk\");\nif !fs::exists(\"well\") { throw \"no\"; }\nm\n",
    );
    program.run("run s.rhai").fails(1, "no");
    program.run("run s.rhai").fails(1, "no");
    // What others make by the same plugin is theirs.
    for (name, code) in [("t.rhai", "sh(\"mk\")"), ("u.rhai", "import \"plugin:mk\" as mk; mk::give()")] {
        program.file(name, code);
        program.run(&format!("run {name}")).fails(1, "by another script");
    }
    program.run("mk").fails(1, "by another script");
    program.file("well", "");
    program.run("run s.rhai --format jsonl").ok().tells("is gone on with");
    assert_eq!((server.clients().len(), program.run("batch list -q").ok().stdout.as_str()), (3, ""));
}

#[test]
fn a_line_of_the_shell_that_failed_is_gone_on_with_there() {
    let server = Sandbox::with("--hash-iterations 1");
    let shell = Terminal::of(orysh(&server));
    let line = "let a = clients::create_all([#{client_name: \"i\"}]).map(|r| r.client.client_id);";
    shell.types(&format!("{line} throw \"no\""), "orysh batch forget");
    shell.types(&format!("{line} a.len() + 41"), "42");
    assert_eq!(server.clients().len(), 1);
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn what_a_plugin_makes_twice_for_a_script_is_two_and_its_secrets_are_the_scripts() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let manifest = "exports = [\"open\", \"made\"]\n[commands.mkp]\nabout = \"a\"\n[capabilities]\nclients = [\"read\", \"create\"]\nsecrets = true\n";
    let code = "fn open() { clients::create_all([#{client_name: \"o\", token_endpoint_auth_method: \"none\"}]).map(|x| x.client.client_id) }\nfn mkp(args) { open() }\nfn made() { clients::create_all([#{client_name: \"s\"}]).map(|x| #{id: x.client.client_id, secret: x.client.client_secret.reveal()}) }\n";
    plugin(&program, "mk", manifest, code);
    install(&program, "./mk");
    let none = |program: &Orysh| assert_eq!(program.run("batch list -q").ok().stdout, "");
    program.file(
        "two.rhai",
        "import \"plugin:mk\" as mk;\n[sh(\"mkp\"), sh(\"mkp\"), mk::open(), mk::open()].map(|x| `${x}`)",
    );
    let ran = program.run("run two.rhai").ok();
    let mut ids: Vec<&str> = ran.stdout.lines().collect();
    ids.dedup();
    assert_eq!((ids.len(), server.clients().len()), (4, 4), "{ran}");
    none(&program);
    for team in ["a", "b"] {
        let code = format!("import \"plugin:mk\" as mk; json::write(\"{team}.json\", mk::made()); 1");
        let ran = program.args(&["eval", &code]).ok();
        assert!(!ran.stderr.contains("neither shown"), "{ran}");
        none(&program);
    }
    let [a, b] = ["a", "b"].map(|team| fs::read_to_string(program.home().join(format!("{team}.json"))).unwrap());
    assert!(a != b && server.clients().len() == 6);
}

#[test]
fn rows_whose_clients_were_made_are_known_in_another_input() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file("s.csv", "client_name,owner\na,x\nb,x\n");
    program.run("batch create s.csv --out made.csv").ok();
    let tries = [
        // In another order, with a row more, and by another name.
        ("s.csv", "client_name,owner\nb,x\na,x\n"),
        ("s.csv", "client_name,owner\na,x\nb,x\nc,x\n"),
        ("t.csv", "client_name,owner\nb,x\nd,x\n"),
        // Another field, in the same file.
        ("s.csv", "client_name,owner\na,y\nb,y\n"),
    ];
    for (name, rows) in tries {
        program.file(name, rows);
        let ran = program.run(&format!("batch create {name} --out other.csv")).fails(2, "a second time");
        assert!(ran.stderr.contains("--again"), "{ran}");
    }
    program.file("s.rhai", "clients::create_all([#{client_name: \"b\", owner: \"x\"}])");
    program.run("run s.rhai").fails(1, "a second time").tells("batch forget");
    program.run("import oauth2-clients t.csv").fails(2, "a second time");
    program.file("i.csv", "client_name,owner\na,w\n");
    program.run("import oauth2-clients i.csv").fails(2, "a second time");
    assert_eq!(server.clients().len(), 2);
    // Clients of those names in another file are others, and so are rows that name their ids.
    program.file("u.csv", "client_name,owner\na,z\n");
    program.run("batch create u.csv --out u.out.csv").ok();
    program.file("v.csv", "client_id,client_name\nv,w\n");
    program.run("batch create v.csv --out v.out.csv").ok();
    program.file("v.csv", "client_id,client_name\nv,w\nv2,w\n");
    assert_ne!(program.run("batch create v.csv --out v2.out.csv").code, Some(2));
    // What was taken back may be made.
    let run = program.run("batch list -q").ok().stdout.lines().next().unwrap().to_owned();
    program.run(&format!("batch undo {run} --yes")).ok();
    program.file("t.csv", "client_name,owner\nb,x\nd,x\n");
    program.run("batch create t.csv --out t.out.csv").ok();
}

#[test]
fn what_a_script_imports_is_there_for_it_until_its_good_end() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file("im.json", r#"[{"client_name":"q1"},{"client_name":"q2"}]"#);
    program.file(
        "im.rhai",
        "let r = sh(\"import oauth2-clients im.json\");\nif fs::exists(\"write\") { csv::write(\"im.csv\", r.map(|c| #{id: c.client_id, secret: c.client_secret.reveal()})); }\nif !fs::exists(\"go\") { throw \"boom\"; }\nr",
    );
    program.run("run im.rhai").fails(1, "boom");
    // Nobody else makes them meanwhile.
    program.run("import oauth2-clients im.json").fails(2, "second time");
    program.file("write", "");
    program.run("run im.rhai").fails(1, "boom").tells("0 of 2 are left").tells("the same script, run again");
    program.run("run im.rhai").fails(1, "boom").tells("0 of 2 are left");
    program.file("go", "");
    let ran = program.run("run im.rhai --format jsonl").ok();
    let secrets = fs::read_to_string(program.home().join("im.csv")).unwrap();
    let (id, secret) = secrets.lines().last().unwrap().split_once(',').unwrap();
    assert!(server.accepts(&json!(id), &json!(secret)) && ran.stdout.contains(secret), "{ran}{secrets}");
    assert_eq!((server.clients().len(), program.run("batch list -q").ok().stdout.as_str()), (2, ""));
    // Now it is something else.
    program.run("run im.rhai").ok();
    program.run("import oauth2-clients im.json").ok();
    assert_eq!((server.clients().len(), program.run("batch list -q").ok().stdout.as_str()), (6, ""));
}
