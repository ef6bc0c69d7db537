//! Handing clients over: single ones and the rows of a batch, and again where it failed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Gpg, Orysh, Ran, Sandbox, anywhere, eventually, orysh};

/// Writes each line that it is given to a file of its own; refuses those whose id is in `refused`.
const KEEPER: &str = "#!/bin/sh
if grep -qx \"$ORYSH_CLIENT_ID\" refused 2>/dev/null; then read -r line; echo \"no room for $line\" >&2; exit 7; fi
mkdir -p got; cat > \"got/$ORYSH_CLIENT_ID.$$\"
";

fn ready(server: &Sandbox) -> Orysh {
    let program = orysh(server).with("HYDRA_PUBLIC_URL", &server.public).with("ORY_PROJECT_API_KEY", "");
    program.executable("keeper", KEEPER);
    program
}

/// What the program was given, by id, in the order in which it was.
fn got(program: &Orysh) -> HashMap<String, Vec<Value>> {
    let mut got: HashMap<String, Vec<Value>> = HashMap::new();
    let files = fs::read_dir(program.home().join("got")).into_iter().flatten();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    for path in files {
        let text = fs::read_to_string(path).unwrap();
        if text.is_empty() {
            // This program was killed before it could say anything.
            continue;
        }
        assert!(text.ends_with('\n') && text.lines().count() == 1, "one line is due: {text}");
        let event: Value = serde_json::from_str(&text).unwrap();
        got.entry(event["client"]["client_id"].as_str().unwrap().to_owned()).or_default().push(event);
    }
    got
}

/// Something was done, and something was not.
fn partly(ran: Ran, told: &str) -> Ran {
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.tells(told)
}

fn rows(count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|n| format!("job-{n}")).collect();
    format!("client_id\n{}\n", rows.join("\n"))
}

#[test]
fn a_client_is_handed_over_with_its_secret() {
    let server = Sandbox::start();
    let program = ready(&server);
    let made = program.run("create client --id a --name A --deliver ./keeper --format json").ok().json();
    let event = got(&program).remove("a").unwrap().remove(0);
    assert_eq!(event["event"], "created");
    assert_eq!(event["server"].as_str().unwrap().trim_end_matches('/'), server.admin.trim_end_matches('/'));
    let mut known = made;
    known.as_object_mut().unwrap().remove("registration_access_token");
    assert_eq!(event["client"], known);
    assert!(server.accepts(&event["client"]["client_id"], &event["client"]["client_secret"]));
    let rotated = program.run("rotate secret a --deliver ./keeper --format json").ok().json();
    let events = got(&program).remove("a").unwrap();
    let event = events.iter().find(|event| event["event"] == "rotated").unwrap();
    assert_eq!(event["client"]["client_secret"], rotated["client_secret"]);
    // Without a new secret there is nothing to hand over.
    program.run("update client a --name B --deliver ./keeper").ok();
    assert_eq!(got(&program)["a"].len(), 2);
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn what_is_encrypted_is_handed_over_so() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.key("alice", "ed25519", "cv25519");
    let server = Sandbox::start();
    let program = ready(&server);
    program.file("alice.asc", &gpg.armored("alice@example.org"));
    let shown = "--pgp-key @alice.asc --deliver ./keeper";
    let made = program.run(&format!("create client --id a {shown} --format json")).ok().json();
    assert_eq!(got(&program)["a"][0]["client"]["client_secret"], made["client_secret"]);
    program.file("j.csv", "client_id\nb\n");
    program.run(&format!("batch create j.csv {shown}")).ok();
    let sealed = got(&program)["b"][0]["client"]["client_secret"].as_str().unwrap().to_owned();
    let message = STANDARD.decode(sealed).unwrap();
    assert!(server.accepts(&json!("b"), &json!(gpg.decrypt(&message))));
}

#[test]
fn what_cannot_be_handed_over_is_kept_and_tried_again() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.file("refused", "a\n");
    let ran = partly(program.run("create client --id a --deliver ./keeper --format json"), "was not delivered");
    let made: Value = serde_json::from_str(&ran.stdout).unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    assert!(!ran.stderr.contains(secret), "what the program says does not tell the secret: {ran}");
    assert!(ran.stderr.contains("exit status: 7") && ran.stderr.contains("no room for"), "{ran}");
    assert!(ran.stderr.contains("orysh deliver oauth2-client a"), "{ran}");
    assert_eq!(program.only_pending()["client_secret"], *secret);
    program.run("deliver client a --deliver ./keeper").fails(1, "exit status: 7").tells("it said: no room for");
    assert_eq!(program.pending().len(), 1);
    program.file("refused", "");
    let ran = program.run("deliver client a --deliver ./keeper --format json").ok();
    assert!(!ran.stdout.contains(secret));
    assert_eq!(got(&program)["a"][0]["client"]["client_secret"], *secret);
    assert_eq!(program.pending().len(), 0);
    program.run("deliver client a --deliver ./keeper").fails(2, "no secret of client `a` is kept");
    program.run("deliver client none --deliver ./keeper").fails(1, "Unable to locate");
}

#[test]
fn a_program_that_is_not_there_is_found_out_before_anything_is_sent() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.file("j.csv", &rows(3));
    program.file("no-program", "");
    for line in ["create client --id a", "batch create j.csv", "import clients j.csv", "apply -f j.csv"] {
        for (named, told) in [
            ("nowhere", "no program `nowhere`"),
            ("./no-program", "no program"),
            ("''", "no program"),
            ("'a \"b'", "quote"),
        ] {
            program.run(&format!("{line} --deliver {named}")).fails(2, told);
        }
    }
    assert_eq!(server.clients().len(), 0);
    assert_eq!(program.run("batch list -q").ok().stdout, "");
}

#[test]
fn credentials_of_this_program_are_no_business_of_another() {
    let server = Sandbox::start();
    let program = ready(&server).with("OAUTH2_CLIENT_SECRET", "canary").with("SHOP_KEY", "canary-key");
    program.executable("look", "#!/bin/sh\ncat > /dev/null; env > environment\n");
    program.run("profile add shop --endpoint http://127.0.0.1:1 --credential env:SHOP_KEY").ok();
    program.run("create client --id a --deliver ./look").ok();
    let seen = fs::read_to_string(program.home().join("environment")).unwrap();
    assert!(seen.contains("ORYSH_CLIENT_ID=a\n") && !seen.contains("canary"), "{seen}");
}

#[test]
fn rows_that_are_not_delivered_are_delivered_later() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.file("j.csv", &rows(40));
    program.file("refused", "job-3\njob-5\n");
    let line = "batch create j.csv --deliver ./keeper --out made.jsonl --secrets plain --format json";
    let ran = partly(program.run(line), "2 clients were not delivered");
    let made: Value = serde_json::from_str(&ran.stdout).unwrap();
    let run = made["run"].as_str().unwrap().to_owned();
    assert_eq!((&made["done"], &made["delivery_failed"], &made["failed"]), (&json!(38), &json!(2), &json!(0)));
    let results = fs::read_to_string(program.home().join("made.jsonl")).unwrap();
    for row in results.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let is_refused = ["job-3", "job-5"].contains(&row["client_id"].as_str().unwrap());
        assert_eq!(row["outcome"], if is_refused { "delivery_failed" } else { "created" });
        assert_eq!(row["error"].as_str().is_some_and(|error| error.contains("exit status: 7")), is_refused, "{row}");
        assert!(server.accepts(&row["client_id"], &row["client_secret"]));
        assert!(!row["error"].to_string().contains(row["client_secret"].as_str().unwrap()), "{row}");
    }
    assert_eq!(got(&program).len(), 38);
    program.run("batch resume").fails(2, "no run has anything left");
    program.run(&format!("batch retry {run}")).fails(2, "no row has failed");
    program.file("refused", "job-5\n");
    partly(program.run(&format!("batch deliver {run}")), "1 client was not delivered");
    program.file("refused", "");
    program.run(&format!("batch deliver {run}")).ok();
    program.run(&format!("batch deliver {run}")).fails(2, "no client is left to be handed over");
    let got = got(&program);
    assert_eq!(got.len(), 40);
    for (id, events) in got {
        assert_eq!((events.len(), &events[0]["event"]), (1, &json!("created")), "{id}");
        assert!(server.accepts(&events[0]["client"]["client_id"], &events[0]["client"]["client_secret"]), "{id}");
    }
    // Now that all is delivered and written, the key is gone.
    program.run(&format!("batch results {run} --secrets plain")).fails(2, "the run's key is gone");
}

#[test]
fn whatever_kills_a_run_every_client_is_delivered() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.file("j.csv", &rows(150));
    let mut line = "batch create j.csv --deliver ./keeper".to_owned();
    let mut kills = 0;
    loop {
        let running = program.begin(&line);
        if kills < 8 {
            thread::sleep(Duration::from_millis(60 + 15 * kills));
            running.signal(Signal::KILL);
        }
        let ran = running.end();
        if ran.code == Some(0) {
            break;
        }
        assert!(ran.code.is_none() || ran.stderr.contains("nothing was sent"), "{ran}");
        kills += 1;
        let list = program.run("batch list -q").ok().stdout;
        line = match list.lines().next() {
            Some(run) => format!("batch resume {run}"),
            None => "batch create j.csv --deliver ./keeper".to_owned(),
        };
    }
    assert!(kills > 3, "only {kills} were killed");
    let got = got(&program);
    assert_eq!((got.len(), server.clients().len()), (150, 150));
    for (id, events) in got {
        // One that was killed before it could note that is delivered a second time.
        for event in events {
            assert!(server.accepts(&event["client"]["client_id"], &event["client"]["client_secret"]), "{id}");
        }
    }
}

#[test]
fn an_interruption_lets_what_is_being_handed_over_come_to_its_end() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.executable(
        "slow",
        "#!/bin/sh\nmkdir -p began got; touch began/$ORYSH_CLIENT_ID; sleep 0.7; cat > got/$ORYSH_CLIENT_ID\n",
    );
    program.file("j.csv", &rows(40));
    let running = program.begin("batch create j.csv --deliver ./slow");
    eventually("a client is handed over", || program.home().join("began").exists().then_some(()));
    running.signal(Signal::INT);
    let ran = running.end().tells("rows are left").tells("orysh batch resume");
    let count = |folder: &str| fs::read_dir(program.home().join(folder)).unwrap().count();
    assert!(count("began") < 40 && count("began") == count("got"), "{ran}");
    program.run("batch resume").ok();
    assert_eq!((count("began"), count("got"), server.clients().len()), (40, 40, 40));
}

#[test]
fn imports_and_applies_deliver_as_batches_do() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.file("j.csv", &rows(4));
    program.file("refused", "job-2\n");
    let ran = program.run("import clients j.csv --deliver ./keeper --format jsonl");
    let ran = partly(ran, "client `job-2` was not delivered").tells("orysh batch deliver ");
    assert_eq!(ran.stdout.lines().count(), 4);
    program.file("refused", "");
    let run = program.run("batch list -q").ok().stdout;
    program.run(&format!("batch deliver {run}")).ok();
    assert_eq!(got(&program).len(), 4);
    program.file("more.csv", "client_id\njob-3\nweb\n");
    program.run("apply -f more.csv --deliver ./keeper").ok();
    assert_eq!((got(&program).len(), got(&program)["job-3"].len()), (5, 1));
}

/// All files of the program's state that hold a text.
fn holding(program: &Orysh, text: &str) -> Vec<std::path::PathBuf> {
    let is_in = |path: &Path| fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes());
    let mut found = Vec::new();
    let mut folders = vec![program.home().join("state")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_in(&path) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn what_a_program_says_does_not_tell_the_secret_however_it_is_written() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.executable("echo", "#!/bin/sh\ncat >&2; exit 1\n");
    // The secret begins where what is told ends.
    let long = "#!/bin/sh\nhead -c 1980 /dev/zero | tr '\\0' x >&2; sed 's/.*client_secret\":\"//' >&2; exit 1\n";
    program.executable("long", long);
    for (program_name, secret) in [("echo", "CANARY\"abc\\\\defgh"), ("long", "CANARYCANARYCANARYCANARYCANARYCANARY")] {
        let id = program_name;
        let secret: String = secret.replace("\\\\", "\\");
        program.file("in.jsonl", &json!({"client_id": id, "client_secret": secret}).to_string());
        let ran =
            partly(program.run(&format!("batch create in.jsonl --deliver ./{program_name}")), "was not delivered");
        assert!(!ran.stderr.contains("CANARY"), "{ran}");
        assert_eq!(holding(&program, "CANARY"), Vec::<std::path::PathBuf>::new(), "{program_name}");
    }
}

#[test]
fn clients_that_were_not_delivered_are_not_made_again() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.file("j.csv", "client_name\na\nb\n");
    partly(program.run("batch create j.csv --deliver false"), "2 clients were not delivered");
    program.run("batch create j.csv --deliver true").fails(2, "would be made a second time");
    program.file("i.csv", "client_name\nc\nd\n");
    assert_eq!(program.run("import clients i.csv --deliver false --format jsonl").code, Some(3));
    let ran = program.run("import clients i.csv --deliver true").fails(2, "would be made a second time");
    assert!(!ran.stderr.contains("--again") && ran.stderr.contains("batch forget"), "{ran}");
    assert_eq!(server.clients().len(), 4);
}

#[test]
fn the_program_is_the_same_one_wherever_a_run_is_gone_on_with() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    for folder in ["one", "two"] {
        fs::create_dir(program.home().join(folder)).unwrap();
        program.executable(
            &format!("{folder}/hand"),
            &format!("#!/bin/sh\ncat > /dev/null; echo >> ../by-{folder}; test -e ../open\n"),
        );
    }
    program.file("one/j.csv", &rows(3));
    program.sh("cd one && orysh batch create j.csv --deliver ./hand");
    program.file("open", "");
    let run = program.run("batch list -q").ok().stdout;
    program.sh(&format!("cd two && orysh batch deliver {run}")).ok();
    assert_eq!(fs::read_to_string(program.home().join("by-one")).unwrap().lines().count(), 6);
    assert!(!program.home().join("by-two").exists());
}

#[test]
fn a_program_that_is_named_later_is_remembered_and_none_is_no_delivery() {
    let server = Sandbox::with("--hash-iterations 1 --latency 30ms");
    let program = ready(&server);
    program.file("j.csv", &rows(120));
    let running = program.begin("batch create j.csv --concurrency 2");
    eventually("a client is made", || server.clients().first().cloned());
    running.signal(Signal::INT);
    running.end();
    let run = program.run("batch list -q").ok().stdout;
    let run = run.trim();
    program.run(&format!("batch deliver {run}")).fails(2, "no client is left to be handed over");
    partly(program.run("batch resume --deliver false"), "were not delivered");
    // Nobody names it again, and it fails again.
    partly(program.run(&format!("batch deliver {run}")), "were not delivered");
    program.run(&format!("batch deliver {run} --deliver ./keeper")).ok();
    assert!(!got(&program).is_empty());
}

#[test]
fn a_secret_that_is_not_the_client_s_any_more_is_not_handed_over() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.file("j.csv", &rows(2));
    partly(program.run("batch create j.csv --deliver false"), "2 clients were not delivered");
    let run = program.run("batch list -q").ok().stdout;
    program.run("update client job-1 --secret another-secret-of-its-own").ok();
    partly(program.run(&format!("batch deliver {run} --deliver ./keeper")), "has another secret by now");
    assert_eq!(got(&program).into_keys().collect::<Vec<_>>(), ["job-0"]);
    // One that is gone is nobody's to be handed over for.
    program.run("delete client job-1").ok();
    program.run(&format!("batch deliver {run}")).ok();
    // Single ones: a secret that was kept first, and then replaced, is not handed over.
    assert_eq!(program.run("create client --id a --deliver false").code, Some(3));
    assert_eq!(program.run("rotate secret a --deliver false").code, Some(3));
    program.run("deliver client a --deliver ./keeper").ok();
    let handed = got(&program)["a"].clone();
    assert_eq!((&handed[0]["event"], &handed[1]["event"]), (&json!("created"), &json!("rotated")));
    for event in &handed {
        assert!(server.accepts(&json!("a"), &event["client"]["client_secret"]), "{event}");
    }
    assert_eq!(program.pending().len(), 0);
    assert_eq!(program.run("create client --id b --deliver false").code, Some(3));
    anywhere().with("ORY_SDK_URL", &server.admin).run("delete client b").ok();
    program.run("create client --id b --secret owner-set-secret").ok();
    program.run("deliver client b --deliver ./keeper").fails(1, "is not its secret any more");
    // One that was handed over is the last word, whatever failed before.
    assert_eq!(program.run("create client --id n --deliver false").code, Some(3));
    program.run("rotate secret n --deliver ./keeper").ok();
    program.run("deliver client n --deliver ./keeper").fails(2, "no secret of client `n` is kept");
    assert_eq!(got(&program)["n"].len(), 1);
    // One that a person named is kept as well where it was not handed over.
    let update = "update client a --secret another-secret-for-a";
    assert_eq!(program.run(&format!("{update} --deliver false")).code, Some(3));
    program.run("deliver client a --deliver ./keeper").ok();
    let got = got(&program);
    let event = got["a"].iter().find(|event| event["event"] == "updated").unwrap();
    assert_eq!(event["client"]["client_secret"], "another-secret-for-a");
}

#[test]
fn in_the_sandbox_of_this_program_it_is_tried_again_as_well() {
    let program = anywhere();
    program.executable("keeper", KEEPER);
    let ran = partly(program.run("create client --id a --deliver false --sandbox -q"), "was not delivered");
    assert!(ran.stderr.contains("orysh deliver oauth2-client a --deliver '…' --sandbox"), "{ran}");
    program.run("deliver client a --deliver ./keeper --sandbox").ok();
    assert_eq!(got(&program)["a"][0]["server"], "the sandbox");
}

#[test]
fn what_was_delivered_is_kept_nowhere() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.run("create client --id a --deliver ./keeper -q").quiet();
    program.file("j.csv", &rows(3));
    program.run("import clients j.csv --deliver ./keeper -q").quiet();
    program.file("k.csv", "client_id\nk\n");
    program.run("apply -f k.csv --deliver ./keeper -q").ok();
    assert_eq!((got(&program).len(), program.pending().len()), (5, 0));
    assert_eq!(program.run("batch list -q").ok().stdout, "");
}

#[test]
fn a_program_is_waited_for_and_not_what_it_leaves_behind() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.executable("back", "#!/bin/sh\ncat > /dev/null; sleep 30 & exit 0\n");
    let began = Instant::now();
    program.run("create client --deliver ./back").ok();
    program.executable("back", "#!/bin/sh\ncat > /dev/null; sleep 30 & echo no >&2; exit 1\n");
    partly(program.run("create client --deliver ./back"), "it said: no");
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn who_insists_is_told_what_was_under_way() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.executable("slow", "#!/bin/sh\ntouch began; sleep 20\n");
    program.file("j.csv", &rows(2));
    for line in ["create client --id a --deliver ./slow", "batch create j.csv --deliver ./slow"] {
        let _ = fs::remove_file(program.home().join("began"));
        let running = program.begin(line);
        eventually("a client is handed over", || program.home().join("began").exists().then_some(()));
        running.signal(Signal::INT);
        thread::sleep(Duration::from_millis(300));
        running.signal(Signal::INT);
        let ran = running.end();
        assert_eq!(ran.code, Some(130), "{ran}");
        let ran = ran.tells("Ctrl-C again stops at once").tells("stopped at once: ");
        assert!(ran.stderr.contains("kept in") || ran.stderr.contains("orysh batch resume"), "{ran}");
    }
}

#[test]
fn a_hand_over_that_is_cut_off_is_tried_again() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.executable("slow", "#!/bin/sh\ntouch began; sleep 20\n");
    let running = program.begin("create client --id a --deliver ./slow");
    eventually("a client is handed over", || program.home().join("began").exists().then_some(()));
    running.signal(Signal::KILL);
    running.end();
    program.run("deliver client a --deliver ./keeper").ok();
    let event = &got(&program)["a"][0];
    assert!(server.accepts(&event["client"]["client_id"], &event["client"]["client_secret"]));
    assert_eq!(program.pending().len(), 0);
}
