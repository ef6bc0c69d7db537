//! Killed at any moment: never a client whose secret is nowhere, and never half a file.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::auth::signed_in;
use crate::support::{Orysh, Sandbox, anywhere, eventually, files, orysh};

/// How often a writer of files is killed, for each kind of file.
const WRITERS: usize = 40;

const KILLS: usize = 200;
const CREATE: &str = "create oauth2-client --name x --format json";

#[test]
fn every_client_of_a_killed_create_has_its_secret_somewhere() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let longest = longest(|| {
        program.run("create oauth2-client --name whole --format json").ok();
    });
    let mut secrets = HashMap::new();
    let mut ended = 0;
    for _ in 0..KILLS {
        let running = program.begin(CREATE);
        thread::sleep(longest.mul_f64(random_fraction()));
        running.signal(Signal::KILL);
        let ran = running.end();
        ended += usize::from(ran.code.is_some());
        // Whoever reads the output has the secret only where the whole document came.
        if let Ok(made) = serde_json::from_str::<Value>(&ran.stdout) {
            secrets.insert(made["client_id"].to_string(), made["client_secret"].clone());
        }
    }
    for path in program.pending() {
        // A file that was not whole yet was not relied on yet either.
        if let Ok(kept) = serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()) {
            secrets.insert(kept["client_id"].to_string(), kept["client_secret"].clone());
        }
    }
    let clients: Vec<Value> = server.clients().into_iter().filter(|client| client["client_name"] == "x").collect();
    for client in &clients {
        let secret = secrets.get(&client["client_id"].to_string());
        let secret = secret.unwrap_or_else(|| panic!("the secret of {} is nowhere", client["client_id"]));
        assert!(server.accepts(&client["client_id"], secret), "the secret of {} is wrong", client["client_id"]);
    }
    assert!(ended < KILLS, "no create was killed");
    assert!(!clients.is_empty(), "every create was killed before it was sent");
}

#[test]
fn an_import_that_is_killed_is_gone_on_with() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = orysh(&server);
    let rows: Vec<String> = (0..400).map(|n| format!("job-{n}")).collect();
    program.file("j.csv", &format!("client_name\n{}\n", rows.join("\n")));
    let line = "import clients j.csv --format jsonl";
    let mut kills = 0;
    let run = loop {
        let running = program.begin(line);
        thread::sleep(Duration::from_millis(40 + 10 * kills));
        running.signal(Signal::KILL);
        let ran = running.end();
        kills += 1;
        assert!(ran.code.is_none() && kills < 100, "it was never killed in the middle: {ran}");
        let list = program.run("batch list --format json").json();
        let begun = list.as_array().unwrap().iter().find(|run| run["done"] != 0 && run["done"] != 400);
        if let Some(run) = begun {
            break run["run"].as_str().unwrap().to_owned();
        }
        for run in program.run("batch list -q").ok().stdout.lines() {
            if program.run(&format!("batch status {run} --format json")).json()["unsettled"] != 0 {
                program.run(&format!("batch resume {run}")).ok();
            }
            program.run(&format!("batch undo {run} --yes"));
            program.run(&format!("batch forget {run} --yes")).ok();
        }
    };
    // The same again would make clients twice.
    program.run(line).fails(2, &format!("this input is run {run}")).tells("batch resume");
    program.run("batch resume").ok();
    assert_eq!(server.clients().len(), 400);
    let secrets: HashMap<String, String> = program.secrets_of_runs().into_iter().collect();
    for client in server.clients() {
        assert!(server.accepts(&client["client_id"], &secrets[client["client_id"].as_str().unwrap()].clone().into()));
    }
}

#[test]
fn an_import_that_is_interrupted_tells_what_it_made_and_what_is_left() {
    let server = Sandbox::with("--hash-iterations 1 --latency 50ms");
    let program = orysh(&server);
    let rows: Vec<String> = (0..300).map(|n| format!("job-{n}")).collect();
    program.file("j.csv", &format!("client_id\n{}\n", rows.join("\n")));
    let running = program.begin("import clients j.csv --format jsonl");
    eventually("a client is made", || server.clients().first().cloned());
    running.signal(Signal::INT);
    let ran = running.end().tells("clients are left, go on with: orysh batch resume");
    assert_eq!(ran.code, Some(130), "{ran}");
    let told = ran.stdout.lines().count();
    assert!(told > 0 && told < 300 && told == server.clients().len(), "{told} are told");
    for line in ran.stdout.lines() {
        let made: Value = serde_json::from_str(line).unwrap();
        assert!(server.accepts(&made["client_id"], &made["client_secret"]));
    }
    program.run("batch resume").ok();
    assert_eq!(server.clients().len(), 300);
}

#[test]
fn an_import_waits_for_no_server_that_is_not_there() {
    let program = anywhere();
    program.file("j.csv", "client_id\na\nb\n");
    program.file("n.csv", "client_name\na\nb\n");
    let began = Instant::now();
    program.run("import clients j.csv --endpoint http://127.0.0.1:1").fails(1, "cannot").tells("were not tried");
    program.run("import clients n.csv --endpoint http://127.0.0.1:1").fails(1, "cannot").tells("were not tried");
    program.run("import clients n.csv --endpoint http://127.0.0.1:1").fails(1, "cannot");
    program.args(&["eval", "clients::create_all([#{}, #{}])", "--endpoint", "http://127.0.0.1:1"]).fails(1, "cannot");
    program.run("apply -f j.csv --endpoint http://127.0.0.1:1").fails(1, "cannot");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(program.run("batch list -q").ok().stdout, "", "nothing is left of what was never sent");
}

#[test]
fn an_apply_that_is_killed_does_not_undo_a_later_one() {
    let server = Sandbox::with("--hash-iterations 1 --latency 20ms");
    let program = orysh(&server);
    let clients = |version: &str, count: usize| -> String {
        let rows: Vec<String> = (0..count).map(|n| format!("c{n},{version}")).collect();
        format!("client_id,client_name\n{}\n", rows.join("\n"))
    };
    program.file("c.csv", &clients("v0", 200));
    program.run("apply -f c.csv").ok();
    program.file("c.csv", &clients("v1", 300));
    let running = program.begin("apply -f c.csv");
    eventually("something is changed", || {
        let all = server.clients();
        (all.len() > 250 || all.iter().any(|client| client["client_name"] == "v1")).then_some(())
    });
    running.signal(Signal::KILL);
    running.end();
    program.file("c.csv", &clients("v2", 300));
    let ran = program.run("apply -f c.csv").ok().tells("of an earlier apply");
    assert!(ran.stderr.contains("orysh batch resume"), "{ran}");
    program.run("batch resume");
    let all = server.clients();
    assert_eq!((all.len(), all.iter().filter(|client| client["client_name"] != "v2").count()), (300, 0));
}

#[test]
fn a_secret_of_which_it_cannot_be_told_whether_it_is_the_client_s_is_kept() {
    let server = Sandbox::with("--hash-iterations 1 --fail lose-reply:1");
    let other = Sandbox::holding(&[serde_json::json!({"client_id": "a", "client_secret": "of-another-server"})], "");
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &other.public);
    program.file("j.csv", "client_id\na\n");
    let ran = program.run("import clients j.csv");
    assert_ne!(ran.code, Some(0), "{ran}");
    assert_eq!(server.clients().len(), 1);
    let secrets = program.secrets_of_runs();
    assert!(server.accepts(&"a".into(), &secrets[0].1.clone().into()), "{ran}");
}

/// How long something takes that is left alone.
fn longest(once: impl Fn()) -> Duration {
    let timed = || {
        let began = Instant::now();
        once();
        began.elapsed()
    };
    (0..3).map(|_| timed()).max().unwrap()
}

fn random_fraction() -> f64 {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).unwrap();
    f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
}

/// Kills what changes a file at a random moment, again and again: the file is the old one or the new one, whole, and what
/// was there stays. `change` is a line with a number in it that makes a change of its own; `shows` is what tells of it.
fn killed_while_writing(program: &Orysh, file: &str, change: &str, shows: &str) {
    let path = program.home().join(file);
    let numbered = |line: &str, n: usize| line.replace("{n}", &format!("n{n}"));
    let longest = longest(|| {
        program.run(&numbered(change, 0)).code.unwrap();
    });
    let (mut killed, mut kept) = (0, vec![0]);
    for n in 1..=WRITERS {
        let before = std::fs::read_to_string(&path).unwrap();
        let running = program.begin(&numbered(change, n));
        thread::sleep(longest.mul_f64(random_fraction()));
        running.signal(Signal::KILL);
        let is_done = running.end().code.is_some();
        killed += usize::from(!is_done);
        let after = std::fs::read_to_string(&path).unwrap();
        let is_there = after.contains(&numbered(shows, n));
        assert!(is_there || after == before && !is_done, "{n}: neither old nor new\n{before}\n--\n{after}");
        if is_there {
            kept.push(n);
        }
    }
    let text = std::fs::read_to_string(&path).unwrap();
    for n in kept {
        assert!(text.contains(&numbered(shows, n)), "{n} is lost\n{text}");
    }
    assert!(killed > 0, "none was killed");
    // Whoever comes next finds nothing in the way, and sweeps away what was left.
    program.run(&numbered(change, WRITERS + 1)).ok();
    let left = files(path.parent().unwrap());
    let name = format!(".{}.", path.file_name().unwrap().to_str().unwrap());
    let left: Vec<_> =
        left.iter().filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&name)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn profiles_are_written_whole() {
    let program = anywhere();
    let change = "profile add {n} --endpoint http://127.0.0.1:1";
    killed_while_writing(&program, "config/config.toml", change, "[profile.{n}]\n");
    program.run("profile list").quiet();
}

#[test]
fn keys_are_written_whole() {
    let program = anywhere().input("a key\n");
    for n in 0..=WRITERS + 1 {
        program.run(&format!("profile add n{n} --endpoint http://127.0.0.1:1 --credential file")).ok();
    }
    let change = "auth key set --stdin --profile {n}";
    killed_while_writing(
        &program,
        "config/credentials.toml",
        change,
        "[{n}]\norigin = \"http://127.0.0.1:1\"\nkey = \"a key\"",
    );
}

#[test]
fn the_sign_in_is_written_whole() {
    let (_server, program) = signed_in();
    let path = program.home().join(".ory-cloud.json");
    let kept = || serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).unwrap();
    let line = |n: usize| format!("use project {}", ["happy-hill", "wild-wood"][n % 2]);
    let longest = longest(|| {
        program.run(&line(0)).ok();
    });
    let (mut killed, mut before) = (0, kept());
    for n in 1..=WRITERS {
        let running = program.begin(&line(n));
        thread::sleep(longest.mul_f64(random_fraction()));
        running.signal(Signal::KILL);
        let is_done = running.end().code.is_some();
        killed += usize::from(!is_done);
        let after = kept();
        assert_eq!((&after["access_token"], &after["version"]), (&before["access_token"], &before["version"]));
        before = after;
    }
    assert!(killed > 0, "none was killed");
    program.run("use project happy-hill").ok();
    program.run("list clients").ok();
}
