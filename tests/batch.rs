//! Many clients, each exactly once, and every secret known: whatever happens to the server, the process or the disk.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::tools::tool;
use crate::support::{Gpg, Orysh, PROGRAM, Sandbox, Stub, anywhere, eventually, files, orysh};

/// Rows of services, the first so many.
fn services(count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|n| format!("service-{n},team-{}@example.org,read", n % 3)).collect();
    format!("client_name,owner,scope\n{}\n", rows.join("\n"))
}

fn with_public(server: &Sandbox) -> Orysh {
    orysh(server).with("HYDRA_PUBLIC_URL", &server.public)
}

/// All clients of a server, however many.
fn clients(program: &Orysh) -> Vec<Value> {
    let listed = program.run("list clients --all --format jsonl").ok();
    listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn results(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each row has exactly one client, whose secret is the one in the results.
fn is_whole(server: &Sandbox, program: &Orysh, count: usize) {
    let found = clients(program);
    let names: HashSet<&str> = found.iter().map(|client| client["client_name"].as_str().unwrap()).collect();
    assert_eq!((found.len(), names.len()), (count, count), "one client a row");
    let results = results(&program.home().join("made.jsonl"));
    assert_eq!(results.len(), count);
    let ids: HashSet<&str> = found.iter().map(|client| client["client_id"].as_str().unwrap()).collect();
    for row in &results {
        assert_eq!(row["outcome"], "created", "{row}");
        assert!(ids.contains(row["client_id"].as_str().unwrap()), "{row}");
        assert!(server.accepts(&row["client_id"], &row["client_secret"]), "{row}");
    }
}

const OUT: &str = "--out made.jsonl --secrets plain";

#[test]
fn an_input_becomes_clients_and_results() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", &services(300));
    let made = program.run(&format!("batch create s.csv {OUT} --format json")).json();
    assert_eq!((&made["rows"], &made["done"], &made["failed"]), (&json!(300), &json!(300), &json!(0)));
    is_whole(&server, &program, 300);
    let found = fs::metadata(program.home().join("made.jsonl")).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    // The same again is refused, as its clients would be made twice.
    program.run("batch create s.csv").fails(2, "would be made a second time").tells("--again");
    assert_eq!(clients(&program).len(), 300);
    // The key went once all was written.
    let run = made["run"].as_str().unwrap();
    program.run(&format!("batch results {run} --secrets plain")).fails(2, "the run's key is gone");
    assert_eq!(program.run(&format!("batch show {run} --format jsonl")).ok().stdout.lines().count(), 300);
    assert_eq!(program.run("batch list -q").ok().stdout.trim(), run);
    program.run(&format!("batch forget {run}")).fails(2, "nobody can be asked");
    program.run(&format!("batch forget {run} --yes")).ok();
    assert_eq!(program.run("batch list -q").ok().stdout, "");
}

#[test]
fn of_two_that_begin_the_same_input_at_once_one_does_it() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", &services(200));
    for round in 1..=5 {
        let both = [0, 1].map(|n| {
            program.begin(&format!("batch create s.csv --out made-{round}-{n}.csv --set client_name=r{round}"))
        });
        let ended = both.map(crate::support::Running::end);
        let done = ended.iter().filter(|ran| ran.code == Some(0)).count();
        let refused =
            ended.iter().filter(|ran| ran.code == Some(2) && ran.stderr.contains("this input is run")).count();
        let refused = refused + ended.iter().filter(|ran| ran.stderr.contains("this input was run")).count();
        assert_eq!((done, refused), (1, 1), "{}\n{}", ended[0], ended[1]);
        assert_eq!(clients(&program).len(), 200 * round);
    }
}

#[test]
fn the_key_of_another_run_is_no_key() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", &services(2));
    program.file("t.csv", &services(3));
    program.run("batch create s.csv").ok();
    program.run("batch create t.csv --again").ok();
    let runs = program.run("batch list -q").ok().stdout;
    let runs: Vec<&str> = runs.lines().collect();
    let key = |run: &str| program.home().join("state/batch").join(run).join("key");
    fs::copy(key(runs[0]), key(runs[1])).unwrap();
    program.run(&format!("batch results {} --secrets plain", runs[1])).fails(2, "is that of another");
    program.run(&format!("batch results {} --secrets plain", runs[0])).ok();
}

/// Kills a process of a run at random moments until the run is done. Gives how often.
fn killed_until_done(rows: usize, kills: usize, longest: u64) -> usize {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", &services(rows));
    let mut killed = 0;
    let mut line = format!("batch create s.csv {OUT}");
    loop {
        let running = program.begin(&line);
        if killed < kills {
            thread::sleep(Duration::from_millis(longest / 8 + random(longest)));
            running.signal(Signal::KILL);
        }
        let ran = running.end();
        if ran.code == Some(0) {
            break;
        }
        assert!(ran.code.is_none(), "{ran}");
        killed += 1;
        // A run of which the input was not checked to its end has sent nothing.
        let list = program.run("batch list --format json").json();
        let first = list.as_array().unwrap().first().map(|run| run["run"].as_str().unwrap().to_owned());
        line = match first {
            Some(run) => format!("batch resume {run} {OUT}"),
            None => format!("batch create s.csv {OUT}"),
        };
    }
    is_whole(&server, &program, rows);
    killed
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_one_client_a_row() {
    let began = Instant::now();
    if is_long() {
        let mut killed = 0;
        let mut runs = 0;
        while killed < 1_000 {
            // So fast a program is killed sooner, or it would be done.
            killed += killed_until_done(2_000, 1_000 - killed, 60);
            runs += 1;
        }
        return report("kill", 2_000 * runs, killed, began);
    }
    let killed = killed_until_done(2_000, 25, 130);
    assert!(killed > 12, "only {killed} of 25 were killed");
    report("kill", 2_000, killed, began);
}

#[test]
fn whatever_the_server_does_each_row_has_one_client_at_the_end() {
    let rows = if is_long() { 10_000 } else { 200 };
    for fail in [
        "lose-reply:0.1",
        "drop-before:0.1",
        "5xx:0.1",
        "drop-after-headers:0.05",
        "serialize:0.1",
        "429:20",
        "db-down:60",
        "html:0.05",
        "empty:0.05",
    ] {
        let server = Sandbox::with(&format!("--hash-iterations 1 --fail {fail}"));
        let program = with_public(&server);
        program.file("s.csv", &services(rows));
        let began = Instant::now();
        let mut ran = program.run(&format!("batch create s.csv {OUT}"));
        // What a bad server made fail is tried again.
        for _ in 0..10 {
            if ran.code == Some(0) {
                break;
            }
            assert_eq!(ran.code, Some(3), "{fail}: {ran}");
            let list = program.run("batch list --format json").json();
            let run = list[0]["run"].as_str().unwrap();
            let verb = if list[0]["failed"].as_u64().unwrap() > 0 { "retry" } else { "resume" };
            ran = program.run(&format!("batch {verb} {run} {OUT}"));
        }
        assert_eq!(ran.code, Some(0), "{fail}: {ran}");
        is_whole(&server, &program, rows);
        report(fail, rows, 0, began);
    }
}

#[test]
fn with_the_admin_side_alone_no_client_is_made_twice() {
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:0.2");
    let program = orysh(&server);
    let rows: Vec<String> = (0..100).map(|n| format!("id-{n},service-{n},none")).collect();
    program.file("s.csv", &format!("client_id,client_name,token_endpoint_auth_method\n{}\n", rows.join("\n")));
    program.run("batch create s.csv").ok();
    assert_eq!(clients(&program).len(), 100);
    // With secrets it cannot be told afterwards whose a client is: that is said, and nothing is overwritten.
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:1");
    let program = orysh(&server);
    program.file("s.csv", "client_id,client_name\nid-1,a\n");
    let ran = program.run("batch create s.csv --format json");
    assert_eq!(ran.code, Some(3), "{ran}");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["unproven"], 1);
}

#[test]
fn a_stranger_s_client_is_left_alone() {
    let server = Sandbox::holding(&[json!({"client_id": "theirs", "client_name": "before"})], "--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", "client_id,client_name\nmine,a\ntheirs,b\n");
    let ran = program.run("batch create s.csv --out made.jsonl --format json");
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells("another's client has this id");
    assert_eq!(server.client("theirs")["client_name"], "before");
    let outcomes: Vec<Value> =
        results(&program.home().join("made.jsonl")).iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["created", "conflict"]);
    // An input with ids may be run again: what is there is a conflict, never a second one.
    let ran = program.run("batch create s.csv --format json");
    assert_eq!(
        (ran.code, serde_json::from_str::<Value>(&ran.stdout).unwrap()["conflict"].clone()),
        (Some(3), json!(2))
    );
    assert_eq!(clients(&program).len(), 2);
}

#[test]
fn an_input_is_checked_as_a_whole_before_anything_is_sent() {
    let server = Sandbox::start();
    let program = orysh(&server);
    for (name, text, flags, why) in [
        ("a.csv", "client_id,client_nmae\na,b\n", "", "column 2: unknown field `client_nmae`"),
        ("a.csv", "client_id,client_id\na,b\n", "", "is there twice"),
        ("a.csv", "client_id,owner\na\n", "", "row 1 (line 2): column 2"),
        ("a.csv", "client_id\na\nb\na\n", "", "row 3 (line 4): client `a` is in row 1 already"),
        ("a.csv", "client_id,skip_consent\na,perhaps\n", "", "row 1 (line 2): column 2 (`skip_consent`)"),
        ("a.csv", "client_id,owner\na,\"x\n", "", "a quote that begins here does not end"),
        ("a.csv", "client_id\n", "", "there is no row"),
        ("a.csv", "redirect_uris\nnot a uri\n", "", "row 1 (line 2)"),
        ("a.csv", "client_id,pgp_key\na,nonsense\n", "", "row 1 (line 2)"),
        ("a.csv", "client_id,token_endpoint_auth_method,pgp_key\na,none,x\n", "", "has no secret"),
        ("a.json", "[{\"client_id\": \"a\"},\n {\"client_nmae\": \"b\"}]", "", "a.json, row 2 (line 2): unknown field"),
        ("a.json", "[{\"client_id\": \"a\"}", "", "does not end"),
        ("a.jsonl", "{\"client_id\": \"a\"}\n{\"scope\": 1}\n", "", "row 2 (line 2)"),
        ("a.jsonl", "{\"client_id\": \"a\"}\n{\"client_id\": \n", "", "EOF while parsing"),
        ("a.yaml", "client_id: a\n---\nclient_nmae: b\n", "", "a.yaml, row 2 (line 3): unknown field"),
        ("a.csv", "name,env\na,b\n", "--set 'client_name={{nmae}}'", "names `nmae`"),
        ("a.csv", "name,env\na,b\n", "", "column 2: unknown field `env`"),
        ("a.csv", "client_id\na\n", "--set nonsense", "--set wants FIELD=VALUE"),
        ("a.csv", "client_id\na\n", "--set 'client_name={{id'", "does not end"),
        ("a.csv", "client_id\na\n", "--map Service=client_name", "names `Service`"),
        ("a.csv", "client_id\na\n", "--rate fast", "is no rate"),
        ("a.csv", "client_id\na\n", "--out /nowhere/made.csv", "results cannot be written"),
        ("a.csv", "client_id\na\n", "--out made.xlsx", "results are written as"),
        ("b.csv", "", "", "there is no row"),
        ("a.csv", "name,env\na,b\n", "--map name=client_name --map env=client_name", "are both for `client_name`"),
        ("a.csv", "client_id\na\n", "--out ''", "--out is empty"),
        ("a.csv", "client_id\na\n", "--out a.csv", "--out is the input itself"),
    ] {
        program.file(name, text);
        program.run(&format!("batch create {name} {flags}")).fails(2, why);
    }
    program.run("batch create absent.csv").fails(2, "cannot open");
    program.run("batch resume").fails(2, "no run has anything left");
    program.run("batch status nothing").fails(2, "there is no run `nothing`");
    let many: Vec<String> = (0..80).map(|n| format!("id-{n},x y z,perhaps")).collect();
    program.file("many.csv", &format!("client_id,owner,skip_consent\n{}\n", many.join("\n")));
    let ran = program.run("batch create many.csv").fails(2, "80 of 80 rows are wrong (30 more were not told)");
    assert_eq!(ran.stderr.matches("`skip_consent`").count(), 50);
    assert_eq!(clients(&program).len(), 0);
    assert!(files(&program.home().join("state/batch")).is_empty(), "nothing is left of what was refused");
    // The good ones alone, where that is asked for.
    program.file("some.csv", "client_id,skip_consent\na,true\nb,perhaps\n");
    let ran = program.run("batch create some.csv --skip-invalid --format json");
    assert_eq!(ran.code, Some(3), "{ran}");
    let made: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&made["done"], &made["invalid"]), (&json!(1), &json!(1)));
}

#[test]
fn columns_become_fields_however_they_are_called() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    program.file("defaults.yaml", "owner: all@example.org\ngrant_types: [client_credentials]\n");
    program.file(
        "s.csv",
        "Service Name,env,metadata.tier,metadata.limits.rps,redirect-uri,owner\n\
        shop,prod,gold,10,https://a.example/1;https://a.example/2,\n\
        mail,dev,free,,,me@example.org\n",
    );
    let flags = "--map 'Service Name=client_id' --set 'client_name={{Service Name}}-{{env}}' --set scope='read write' \
        --defaults defaults.yaml";
    program.run(&format!("batch create s.csv {flags}")).ok();
    let shop = server.client("shop");
    assert_eq!(
        (&shop["client_name"], &shop["scope"], &shop["owner"], &shop["redirect_uris"], &shop["metadata"]),
        (
            &json!("shop-prod"),
            &json!("read write"),
            &json!("all@example.org"),
            &json!(["https://a.example/1", "https://a.example/2"]),
            &json!({"tier": "gold", "limits": {"rps": 10}})
        )
    );
    let mail = server.client("mail");
    assert_eq!((&mail["owner"], &mail["metadata"]), (&json!("me@example.org"), &json!({"tier": "free"})));
    for (name, text) in [
        ("s.json", "[{\"client_id\": \"j1\", \"metadata.tier\": {\"a\": null}}, {\"client_id\": \"j2\"}]"),
        ("s.jsonl", "{\"client_id\": \"l1\"}\n{\"client_id\": \"l2\"}\n"),
        ("s.yaml", "client_id: y1\n---\n- client_id: y2\n- client_id: y3\n"),
    ] {
        program.file(name, text);
        program.run(&format!("batch create {name}")).ok();
    }
    program.sh("printf 'client_id\\nfrom-stdin\\n' | orysh batch create -").ok();
    let ids: HashSet<String> =
        clients(&program).iter().map(|client| client["client_id"].as_str().unwrap().to_owned()).collect();
    for id in ["j1", "j2", "l1", "l2", "y1", "y2", "y3", "from-stdin"] {
        assert!(ids.contains(id), "{id}");
    }
    assert_eq!(server.client("j1")["metadata"], json!({"tier": {"a": null}}));
}

#[test]
fn each_owner_s_secret_is_encrypted_for_them() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    for name in ["alice", "bob"] {
        gpg.key(name, "ed25519", "cv25519");
        program.file(&format!("{name}.asc"), &gpg.armored(&format!("{name}@example.org")));
    }
    program.file("s.csv", "client_name,pgp_key\na,@alice.asc\nb,@bob.asc\nc,@alice.asc\nd,\ne,\n");
    program.run("batch create s.csv --out made.jsonl").ok().tells("stay in the run");
    let made = results(&program.home().join("made.jsonl"));
    let plain = |row: &Value| {
        let armored = base64(row["client_secret"].as_str().unwrap());
        (gpg.recipients(&armored).len(), gpg.decrypt(&armored))
    };
    for row in &made[..3] {
        let (recipients, secret) = plain(row);
        assert_eq!(recipients, 1);
        assert!(server.accepts(&row["client_id"], &secret.into()), "{row}");
    }
    assert_eq!(made[3]["client_secret"], Value::Null);
    // Those of nobody are had from the run.
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    let told = program.run(&format!("batch results {run} --secrets plain --format jsonl")).ok().stdout;
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told[0]["client_secret"], made[0]["client_secret"], "what is encrypted stays so");
    assert!(server.accepts(&told[3]["client_id"], &told[3]["client_secret"]));
    // A file an owner.
    program.run(&format!("batch results {run} --out made --secrets plain")).ok();
    assert_eq!(files(&program.home().join("made")).len(), 1);
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", &services(9));
    program.run("batch create s.csv --out by-owner --secrets plain").ok();
    let mut names: Vec<String> = files(&program.home().join("by-owner"))
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["team-0@example.org.csv", "team-1@example.org.csv", "team-2@example.org.csv"]);
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn a_run_is_one_process_s_and_goes_on_at_its_own_server_as_the_same_only() {
    let server = Sandbox::with("--hash-iterations 1 --latency 50ms");
    let program = with_public(&server);
    program.file("s.csv", &services(300));
    let running = program.begin("batch create s.csv --concurrency 4");
    eventually("the run has begun", || (!server.clients().is_empty()).then_some(()));
    let run = fs::read_dir(program.home().join("state/batch")).unwrap().next().unwrap().unwrap();
    let run = run.file_name().into_string().unwrap();
    program.run(&format!("batch resume {run}")).fails(2, "is being worked on by another process");
    program.run(&format!("batch forget {run} --yes")).fails(2, "is being worked on by another process");
    running.signal(Signal::INT);
    let ran = running.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    let ran = ran.tells("interrupted").tells(&format!("orysh batch resume {run}"));
    let made = clients(&program).len();
    assert!(made < 300, "{ran}");
    // The same input again is the same run.
    program.run("batch create s.csv").fails(2, "rows are left").tells("batch resume");
    let other = Sandbox::start();
    program.run(&format!("batch resume {run} -e {} --public-endpoint {}", other.admin, other.public)).fails(2, "is of");
    let mut command = program.command(PROGRAM);
    command.args(["batch", "resume", &run]).env("ORY_SDK_URL", &other.admin).env("HYDRA_PUBLIC_URL", &other.public);
    program.start(&mut command).end().fails(2, "nothing was sent");
    assert_eq!(other.clients().len(), 0);
    program.run(&format!("batch resume {run} {OUT}")).ok();
    is_whole(&server, &program, 300);
    // A journal that is broken, or of another version.
    let journal = program.home().join("state/batch").join(&run).join("journal.sqlite");
    let connection = rusqlite::Connection::open(&journal).unwrap();
    connection.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(connection);
    program.run(&format!("batch resume {run}")).fails(2, "has version 99");
    fs::write(&journal, "nonsense").unwrap();
    let _ = fs::remove_file(journal.with_file_name("journal.sqlite-wal"));
    program.run(&format!("batch status {run}")).fails(1, "journal");
}

#[test]
fn a_run_of_somebody_is_gone_on_with_by_them_only() {
    let (server, program) = crate::auth::signed_in();
    program.run("use project happy-hill").ok();
    program.file("s.csv", &services(3));
    program.run("batch create s.csv").ok();
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    // One more row to send.
    let journal = program.home().join("state/batch").join(&run).join("journal.sqlite");
    let connection = rusqlite::Connection::open(&journal).unwrap();
    connection.execute("UPDATE row SET state = 0 WHERE n = 1", []).unwrap();
    drop(connection);
    let by_key = |line: &str| {
        let mut command = program.command(PROGRAM);
        command.args(shlex::split(line).unwrap()).env("ORY_PROJECT_API_KEY", "ory_pat_sandbox_happy-hill");
        program.start(&mut command).end()
    };
    by_key(&format!("batch resume {run}")).fails(2, "was begun as dev@sandbox.test");
    program.run("use project wild-wood").ok();
    program.run(&format!("batch resume {run}")).fails(2, "is of http://happy-hill");
    program.run("use project happy-hill").ok();
    // With a token that was renewed meanwhile.
    let mut now = crate::auth::kept(&program);
    now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
    program.file(".ory-cloud.json", &now.to_string());
    program.run(&format!("batch resume {run}")).ok();
    assert_eq!(server.clients().len(), 3);
}

#[test]
fn what_failed_is_tried_again_and_what_was_made_is_taken_back() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    // The server refuses it, and the check does not: it is switched off.
    program.file("s.csv", "client_name,subject_type\na,public\nb,nonsense\n");
    let ran = program.run(&format!("batch create s.csv --no-lint {OUT} --format json"));
    assert_eq!(ran.code, Some(3), "{ran}");
    let run = serde_json::from_str::<Value>(&ran.stdout).unwrap()["run"].as_str().unwrap().to_owned();
    let ran = ran.tells("orysh batch retry");
    assert!(ran.stderr.contains("row 2:"), "{ran}");
    program.run(&format!("batch retry {run}")).tells("row 2:");
    assert_eq!(clients(&program).len(), 1);
    server.make(&json!({"client_id": "stranger"}));
    program.run(&format!("batch undo {run}")).fails(2, "would delete 1 client");
    program.run(&format!("batch undo {run} --yes")).ok();
    let left: Vec<Value> = clients(&program).iter().map(|client| client["client_id"].clone()).collect();
    assert_eq!(left, ["stranger"]);
    program.run(&format!("batch undo {run} --yes")).fails(2, "has made no client");
    // A client that was given another secret since is not as the run made it.
    program.file("ids.csv", "client_id\none\ntwo\n");
    program.run("batch create ids.csv").ok();
    let run = program.run("batch list --format json").json()[1]["run"].as_str().unwrap().to_owned();
    program.run("update client one --secret another-secret-of-its-own").ok();
    let ran = program.run(&format!("batch undo {run} --yes"));
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells("client `one` is not as the run made it");
    let left: HashSet<String> =
        clients(&program).iter().map(|client| client["client_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(left, HashSet::from(["stranger".to_owned(), "one".to_owned()]));
}

#[test]
fn no_secret_is_in_the_journal_or_beside_it() {
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:0.2");
    let program = with_public(&server);
    let rows: Vec<String> = (0..50).map(|n| format!("id-{n},canary-{n:04}-of-this-run")).collect();
    program.file("s.csv", &format!("client_id,client_secret\n{}\n", rows.join("\n")));
    let ran = program.run("batch create s.csv");
    assert_eq!(ran.code, Some(0), "{ran}");
    let run = program.run("batch list -q").ok().stdout.trim().to_owned();
    let told = program.run(&format!("batch results {run} --secrets plain --format jsonl")).ok().stdout;
    assert_eq!(told.matches("-of-this-run").count(), 50);
    let mut looked = 0;
    for path in files(&program.home().join("state/batch").join(&run)) {
        let bytes = fs::read(&path).unwrap();
        looked += bytes.len();
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{}", path.display());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o77, 0, "{}", path.display());
    }
    assert!(looked > 10_000);
    assert!(!ran.stderr.contains("canary"));
}

#[test]
fn a_server_that_takes_no_ids_or_nobody_stops_the_run() {
    let refusal = json!({
        "error": "invalid_request",
        "error_description": "It is no longer possible to set an OAuth2 Client ID as a user. The system will generate a unique ID for you.",
    });
    let body = refusal.to_string();
    let answer = |status: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    for (status, code, why) in
        [("400 Bad Request", 1, "take no id from a client's maker"), ("401 Unauthorized", 4, "the run was stopped")]
    {
        let server = Stub::pages(&[("", &answer(status))]);
        let program = anywhere().with("ORY_SDK_URL", &server.url);
        program.file("s.csv", &services(200));
        let ran = program.run("batch create s.csv --concurrency 2");
        assert!(matches!(ran.code, Some(3 | 4)), "{code} {ran}");
        ran.tells(why).tells("orysh batch resume");
        assert!(server.asked() < 100, "{}", server.asked());
    }
}

#[test]
fn limits_are_kept_to_and_told_beforehand() {
    let server = Sandbox::with("--hash-iterations 1 --rate 20/s");
    let program = with_public(&server);
    program.file("s.csv", &services(50));
    // What the server says is learned from its first answer.
    let began = Instant::now();
    let ran = program.run("batch create s.csv").ok();
    assert!(began.elapsed() > Duration::from_secs(2), "{ran}");
    program.file("t.csv", &services(30));
    let ran = program.run("batch create t.csv --rate 15/s --again").ok();
    ran.tells("15 a second, as --rate says: 1 s");
    let ran = program.run("batch create t.csv --rate 15/s --again --progress json").ok();
    let last: Value = ran.stderr.lines().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap();
    assert_eq!((&last["done"], &last["total"], &last["limited"]), (&json!(30), &json!(30), &json!(0)));
}

#[test]
fn production_is_asked_about_before_a_batch() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = anywhere();
    program
        .run(&format!("profile add prod --endpoint {} --production --rate-limit-tier enterprise", server.admin))
        .ok();
    program.file("s.csv", &services(3));
    program.run("batch create s.csv").fails(2, "prod is production");
    assert_eq!(server.clients().len(), 0);
    program.run("batch create s.csv --confirm prod").ok().tells("700 a minute, 29 a second, as tier enterprise");
    assert_eq!(server.clients().len(), 3);
}

#[test]
fn a_full_disk_stops_the_run_and_it_goes_on_once_there_is_room() {
    let Some(unshare) = tool("unshare") else { return };
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", &services(4_000));
    // A small file system of its own, in a namespace of its own; the run is copied out of it.
    let script = format!(
        "mkdir -p state && mount -t tmpfs -o size=2m none state || exit 77
        {PROGRAM} batch create s.csv {OUT}; code=$?
        cp -a state kept && exit $code"
    );
    let mut command = program.command(unshare.to_str().unwrap());
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    let ran = program.start(&mut command).end();
    if ran.code == Some(77) || ran.stderr.contains("Operation not permitted") {
        skipped("a file system of its own");
        return;
    }
    assert!(matches!(ran.code, Some(1 | 3)), "{ran}");
    ran.tells("the journal cannot be written");
    let _ = fs::remove_dir_all(program.home().join("state"));
    fs::rename(program.home().join("kept"), program.home().join("state")).unwrap();
    let runs = program.run("batch list --format json").json();
    match runs.as_array().unwrap().first() {
        Some(run) => program.run(&format!("batch resume {} {OUT}", run["run"].as_str().unwrap())).ok(),
        // The input did not fit: nothing was sent.
        None => program.run(&format!("batch create s.csv {OUT}")).ok(),
    };
    is_whole(&server, &program, 4_000);
}

#[test]
fn a_sync_that_fails_is_the_last() {
    let Some(strace) = tool("strace") else { return };
    for call in ["fdatasync", "fsync"] {
        for at in [3, 8, 15] {
            let server = Sandbox::with("--hash-iterations 1");
            let program = with_public(&server);
            program.file("s.csv", &services(2_000));
            let mut command = program.command(strace.to_str().unwrap());
            let inject = format!("inject={call}:error=EIO:when={at}+");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, PROGRAM]);
            command.args(shlex::split(&format!("batch create s.csv {OUT}")).unwrap());
            let ran = program.start(&mut command).end();
            if ran.stderr.contains("ptrace") {
                skipped("strace");
                return;
            }
            if ran.code != Some(0) {
                assert!(matches!(ran.code, Some(1..=3)), "{call} {at}: {ran}");
            }
            let runs = program.run("batch list --format json").json();
            if ran.code != Some(0) {
                match runs.as_array().unwrap().first() {
                    Some(run) => program.run(&format!("batch resume {} {OUT}", run["run"].as_str().unwrap())).ok(),
                    None => program.run(&format!("batch create s.csv {OUT}")).ok(),
                };
            }
            is_whole(&server, &program, 2_000);
        }
    }
}

fn random(below: u64) -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes) % below
}

/// The long forms, whose figures are in docs/batch.md: `ORYSH_TEST_LONG=1 cargo test --release batch:: -- --nocapture`.
fn is_long() -> bool {
    #[expect(clippy::disallowed_methods, reason = "whether the long forms are wanted")]
    std::env::var_os("ORYSH_TEST_LONG").is_some()
}

fn report(what: &str, rows: usize, killed: usize, began: Instant) {
    if is_long() {
        #[expect(clippy::print_stderr, reason = "figures of a long form")]
        {
            eprintln!("{what}: {rows} rows, {killed} kills, {:.1} s", began.elapsed().as_secs_f64());
        }
    }
}

fn skipped(what: &str) {
    #[expect(clippy::print_stderr, reason = "a skipped test is told aloud")]
    {
        eprintln!("skipped: {what} is not allowed here");
    }
}

#[test]
fn wrong_rows_are_counted_by_what_is_wrong_with_them() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    let rows: Vec<String> =
        (0..20).map(|n| format!("name-{n},{}", if n % 2 == 0 { "nonsense" } else { "public" })).collect();
    program.file("s.csv", &format!("client_name,subject_type\n{}\n", rows.join("\n")));
    let ran = program.run("batch create s.csv --no-lint --format json");
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells("10 rows, as row 1:");
    let counted: HashMap<String, usize> = clients(&program).iter().fold(HashMap::new(), |mut counted, client| {
        *counted.entry(client["subject_type"].as_str().unwrap().to_owned()).or_default() += 1;
        counted
    });
    assert_eq!(counted, HashMap::from([("public".to_owned(), 10)]));
}

fn of_the_newest(program: &Orysh) -> String {
    let list = program.run("batch list --format json").json();
    list.as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_owned()
}

#[test]
fn many_clients_are_changed_and_put_back() {
    let clients: Vec<Value> = (0..30)
        .map(|n| json!({"client_id": format!("c{n}"), "client_name": "before", "owner": if n % 2 == 0 { "us" } else { "them" }}))
        .collect();
    let server = Sandbox::holding(&clients, "--hash-iterations 1 --fail lose-reply:0.2");
    let program = with_public(&server);
    let named = |wanted: &str| server.clients().iter().filter(|client| client["client_name"] == wanted).count();
    let ran = program.run("batch update --where 'c.owner == \"us\"' --set client_name=after --dry-run --format json");
    assert_eq!(ran.json()["rows"], 15);
    program.run("batch update --where 'c.owner == \"us\"' --set client_name=after").ok();
    assert_eq!((named("after"), named("before")), (15, 15));
    let run = of_the_newest(&program);
    // What somebody has changed since stays.
    program.run("update client c0 --name mine").ok();
    program.run(&format!("batch undo {run}")).fails(2, "put the old fields of 15 clients back");
    let ran = program.run(&format!("batch undo {run} --yes"));
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells("client `c0` was changed since in client_name");
    assert_eq!((named("after"), named("before"), named("mine")), (0, 29, 1));
    program.file("changes.csv", "client_id,client_name,metadata.tier\nc1,one,gold\nc2,two,\nabsent,x,\n");
    let ran = program.run("batch update --file changes.csv --format json");
    assert_eq!(ran.code, Some(3), "{ran}");
    assert_eq!(server.client("c1")["metadata"], json!({"tier": "gold"}));
    assert_eq!(server.client("c2")["client_name"], "two");
    program.run("batch update c3 c4 --set 'metadata.tier=silver'").ok();
    assert_eq!(server.client("c4")["metadata"], json!({"tier": "silver"}));
    for (line, why) in [
        ("batch update", "no client is named"),
        ("batch update c1", "changes nothing"),
        ("batch update c1 --where true --set owner=x", "in more than one way"),
        ("batch update c1 --set nonsense=x", "unknown field"),
        ("batch update --where 'c.owner ==' --set owner=x", "--where"),
        ("batch delete c1", "nobody can be asked whether to delete 1 client"),
    ] {
        program.run(line).fails(2, why);
    }
    program.run("batch delete --where 'c.owner == \"nobody\"'").ok().tells("no client is meant");
    program.run("batch delete --where 'c.owner == \"us\"' --yes").ok();
    assert_eq!(server.clients().len(), 15);
    program.file("ids.csv", "client_id,outcome,whatever\nc1,created,x\nc3,,\n");
    program.run("batch delete --file ids.csv --yes").ok();
    assert_eq!(server.clients().len(), 13);
    program.run(&format!("batch undo {} --yes", of_the_newest(&program))).fails(2, "cannot be undone");
    let calm = Sandbox::with("--hash-iterations 1");
    let ran = orysh(&calm).run("batch delete c1 --yes");
    assert_eq!(ran.code, Some(3), "{ran}");
}

#[test]
fn many_secrets_are_rotated_and_none_is_lost() {
    let clients: Vec<Value> =
        (0..10).map(|n| json!({"client_id": format!("c{n}"), "client_secret": "an-old-secret"})).collect();
    let server = Sandbox::holding(&clients, "--hash-iterations 1 --fail lost-rotate:2");
    let program = with_public(&server);
    let line = "batch rotate --where true --timeout 1s --out made.jsonl --secrets plain";
    let ran = program.run(line).ok();
    let made = results(&program.home().join("made.jsonl"));
    assert_eq!(made.len(), 10);
    for row in &made {
        assert_eq!(row["outcome"], "rotated", "{ran}");
        assert_ne!(row["client_secret"], "an-old-secret");
        assert!(server.accepts(&row["client_id"], &row["client_secret"]), "{row}");
        assert!(server.accepts(&row["client_id"], &json!("an-old-secret")), "the old one counts still");
    }
    server.make(&json!({"client_id": "public", "token_endpoint_auth_method": "none"}));
    let ran = program.run("batch rotate public c0");
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells("it has no secret to rotate");
    // Killed in the middle, it goes on.
    let server = Sandbox::holding(&clients, "--hash-iterations 1 --latency 40ms");
    let program = with_public(&server);
    let running =
        program.begin("batch rotate --where true --concurrency 1 --timeout 1s --out made.jsonl --secrets plain");
    thread::sleep(Duration::from_millis(500));
    running.signal(Signal::KILL);
    running.end();
    if !program.home().join("made.jsonl").exists() {
        program
            .run(&format!("batch resume {} --timeout 1s --out made.jsonl --secrets plain", of_the_newest(&program)))
            .ok();
    }
    for row in results(&program.home().join("made.jsonl")) {
        assert!(server.accepts(&row["client_id"], &row["client_secret"]), "{row}");
    }
}

#[test]
fn an_interruption_does_not_wait_for_a_limit() {
    let server = Sandbox::with("--hash-iterations 1 --rate 10/min,5/s");
    let program = with_public(&server);
    program.file("s.csv", &services(100));
    let running = program.begin("batch create s.csv");
    eventually("all that is allowed was sent", || (server.clients().len() == 10).then_some(()));
    running.signal(Signal::INT);
    let began = Instant::now();
    let ran = running.end();
    assert!(began.elapsed() < Duration::from_secs(5), "{ran}");
    assert_eq!(ran.code, Some(130), "{ran}");
    ran.tells("90 rows are left");
    assert_eq!(server.clients().len(), 10);
}

#[test]
fn whatever_fails_after_sending_the_run_and_its_secrets_are_kept() {
    let server = Sandbox::with("--hash-iterations 1 --latency 100ms");
    let program = with_public(&server);
    program.file("s.csv", &services(60));
    fs::create_dir(program.home().join("out")).unwrap();
    let running = program.begin("batch create s.csv --concurrency 8 --out out/made.jsonl --secrets plain");
    eventually("something is sent", || (!server.clients().is_empty()).then_some(()));
    fs::remove_dir(program.home().join("out")).unwrap();
    let ran = running.end();
    assert_eq!(ran.code, Some(3), "{ran}");
    let ran = ran.tells("results cannot be written");
    program.run(&format!("batch results {} {OUT}", of_the_newest(&program))).ok();
    is_whole(&server, &program, 60);
    assert!(ran.stdout.contains("60"), "{ran}");
}

#[test]
fn the_same_input_in_two_terminals_is_one_run() {
    let server = Sandbox::with("--hash-iterations 1 --latency 50ms");
    let program = with_public(&server);
    program.file("s.csv", &services(60));
    let running: Vec<_> = (0..2).map(|_| program.begin("batch create s.csv")).collect();
    let codes: Vec<_> = running.into_iter().map(|one| one.end().code).collect();
    assert!(codes.contains(&Some(2)), "{codes:?}");
    assert!(clients(&program).len() <= 60);
}

#[test]
fn what_is_made_secret_on_the_way_is_neither_lost_nor_written_down() {
    let clients = [json!({"client_id": "n1", "token_endpoint_auth_method": "none"})];
    let server = Sandbox::holding(&clients, "--hash-iterations 1");
    let program = with_public(&server);
    program.run("batch update n1 --set token_endpoint_auth_method=client_secret_basic --out made.jsonl").ok();
    let run = of_the_newest(&program);
    let told = program.run(&format!("batch results {run} --secrets plain --format jsonl")).ok().stdout;
    let row: Value = serde_json::from_str(told.trim()).unwrap();
    assert!(server.accepts(&row["client_id"], &row["client_secret"]), "{row}");
    program.run("batch update n1 --set client_secret=canary-of-the-command-line").ok();
    program.file("s.csv", "client_id\na\n");
    program.run("batch create s.csv --set client_secret=canary-of-the-command-line").ok();
    program.file("t.csv", "client_id\nt\n");
    let ran = program.run("batch create t.csv --set registration_access_token=canary-of-the-command-line");
    assert_eq!(ran.code, Some(2), "{ran}");
    for run in files(&program.home().join("state/batch")) {
        for path in files(&run) {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(9).any(|window| window == b"canary-of"), "{}", path.display());
        }
    }
    assert!(server.accepts(&json!("a"), &json!("canary-of-the-command-line")));
    program.run(&format!("batch undo {} --yes", of_the_newest(&program))).ok();
}

#[test]
fn what_cannot_be_verified_is_not_undone_and_what_may_be_there_is() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("s.csv", "client_id,client_name\ng1,x\n");
    program.run(&format!("batch create s.csv {OUT}")).ok();
    let run = of_the_newest(&program);
    program.run("delete client g1").ok();
    server.make(&json!({"client_id": "g1", "client_name": "x", "client_secret": "of-a-stranger"}));
    let ran = program.run(&format!("batch undo {run} --yes"));
    assert_eq!(ran.code, Some(3), "{ran}");
    assert_eq!(server.clients().len(), 1);
    // What nobody has touched since is known without the key, and without the public side.
    program.run("delete client g1").ok();
    program.run("batch create s.csv --again --out again.jsonl --secrets plain").ok();
    program.run(&format!("batch undo {} --yes", of_the_newest(&program))).ok();
    assert_eq!(server.clients().len(), 0);
    // A run that was killed: what was under way is undone as well.
    let server = Sandbox::with("--hash-iterations 1 --latency 100ms");
    let program = with_public(&server);
    program.file("s.csv", &services(200));
    let running = program.begin("batch create s.csv --concurrency 8");
    eventually("some are there", || (server.clients().len() > 20).then_some(()));
    running.signal(Signal::KILL);
    running.end();
    thread::sleep(Duration::from_millis(500));
    program.run(&format!("batch undo {} --yes", of_the_newest(&program))).ok();
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn a_delete_that_was_killed_does_not_claim_what_was_not_there() {
    let server = Sandbox::with("--hash-iterations 1 --latency 200ms");
    let program = with_public(&server);
    let ids: Vec<String> = (0..60).map(|n| format!("nobody-{n}")).collect();
    program.file("ids.csv", &format!("client_id\n{}\n", ids.join("\n")));
    let running = program.begin("batch delete --file ids.csv --yes --concurrency 4");
    thread::sleep(Duration::from_millis(700));
    running.signal(Signal::KILL);
    running.end();
    let run = of_the_newest(&program);
    let ran = program.run(&format!("batch resume {run} --yes --format json"));
    let row: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&row["failed"], &row["done"]), (&json!(60), &json!(0)), "{row}");
}

#[test]
fn what_is_unproven_is_settled_once_the_public_side_is_there() {
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:1");
    let program = orysh(&server);
    program.file("s.csv", "client_id\nid-1\n");
    let ran = program.run("batch create s.csv --out made.jsonl --secrets plain");
    assert_eq!(ran.code, Some(3), "{ran}");
    let run = of_the_newest(&program);
    ran.tells(&format!("orysh batch retry {run} --public-endpoint"));
    program.run(&format!("batch retry {run} --public-endpoint {} {OUT}", server.public)).ok();
    is_named(&server, &program);
    // Or its owner says that it is theirs.
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:1");
    let program = orysh(&server);
    program.file("s.csv", "client_id\nid-1\n");
    program.run("batch create s.csv");
    program.run(&format!("batch retry {} --claim-unproven {OUT}", of_the_newest(&program))).ok();
    is_named(&server, &program);
}

fn is_named(server: &Sandbox, program: &Orysh) {
    let row = &results(&program.home().join("made.jsonl"))[0];
    assert!(server.accepts(&row["client_id"], &row["client_secret"]), "{row}");
}

#[test]
fn owners_do_not_share_a_file_and_odd_servers_are_not_believed() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    let long = "o".repeat(300);
    program.file("s.csv", &format!("client_name,owner\na,team a\nb,team/a\nc,no-owner\nd,\ne,{long}\n"));
    program.run("batch create s.csv --out made --secrets plain").ok();
    assert_eq!(files(&program.home().join("made")).len(), 5);
    let answer = |headers: &str, status: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    let other =
        Stub::pages(&[("", &answer("", "201 Created", "{\"client_id\":\"of-its-own\",\"client_secret\":\"x\"}"))]);
    let program = anywhere().with("ORY_SDK_URL", &other.url);
    program.file("s.csv", &services(50));
    let ran = program.run("batch create s.csv --concurrency 1");
    assert!(matches!(ran.code, Some(3)), "{ran}");
    ran.tells("does not take the ids of its clients");
    assert!(other.asked() < 10, "{}", other.asked());
    let endless = Stub::pages(&[("", &answer("Retry-After: 18446744073709551615\r\n", "429 Too Many Requests", "{}"))]);
    let program = anywhere().with("ORY_SDK_URL", &endless.url);
    program.file("s.csv", &services(5));
    let running = program.begin("batch create s.csv");
    eventually("it was asked", || (endless.asked() > 0).then_some(()));
    thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn results_of_another_run_are_not_replaced_and_a_server_has_many_names() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = with_public(&server);
    program.file("a.csv", &services(3));
    program.file("b.csv", "client_id\nx\n");
    program.run("batch create a.csv --out made.csv --secrets plain").ok();
    program.run("batch create b.csv --out made.csv").fails(2, "may hold the secrets of another run");
    let by_name = server.admin.replace("127.0.0.1", "localhost");
    program.run(&format!("batch create a.csv -e {by_name}")).fails(2, "a second time");
    assert_eq!(server.clients().len(), 3);
}

#[test]
fn a_server_that_is_away_for_a_while_fails_no_row() {
    let server = Sandbox::with("--hash-iterations 1 --fail db-down:60");
    let program = orysh(&server);
    let rows: Vec<String> = (0..40).map(|n| format!("id-{n},none")).collect();
    program.file("s.csv", &format!("client_id,token_endpoint_auth_method\n{}\n", rows.join("\n")));
    program.run("batch create s.csv").ok();
    assert_eq!(clients(&program).len(), 40);
    let odd = Stub::pages(&[(
        "",
        "HTTP/1.1 503 Service Unavailable\r\nx-ratelimit-limit: 1, 1;w=18446744073709551615\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    )]);
    let program = anywhere().with("ORY_SDK_URL", &odd.url);
    program.file("s.csv", &services(5));
    let running = program.begin("batch create s.csv");
    eventually("it was asked", || (odd.asked() > 3).then_some(()));
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
}
