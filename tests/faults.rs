//! Trouble in the middle of a create: one client or none, and its secret is never lost.

use std::fs::OpenOptions;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Orysh, PROGRAM, Sandbox, eventually, orysh};

const CREATE: &str = "create oauth2-client --name x --format json";

#[test]
fn a_broken_exchange_leaves_one_client_whose_secret_is_known() {
    let troubles = [
        "lose-reply:1",
        "lose-reply:3",
        "5xx:4",
        "serialize:3",
        "drop-before:1",
        "drop-after-headers:1",
        "empty:1",
        "html:2",
    ];
    for trouble in troubles {
        let server = Sandbox::with(&format!("--fail {trouble}"));
        let program = orysh(&server);
        let made = program.run(CREATE).json();
        assert_eq!(server.clients().len(), 1, "{trouble}");
        assert_eq!(server.clients()[0]["client_id"], made["client_id"], "{trouble}");
        assert!(server.accepts(&made["client_id"], &made["client_secret"]), "{trouble}");
        assert_eq!(program.pending().len(), 0, "{trouble}");
    }
}

#[test]
fn a_busy_server_is_waited_for() {
    let server = Sandbox::with("--fail 429:1");
    let began = Instant::now();
    orysh(&server).run(CREATE).json();
    assert!(began.elapsed() >= Duration::from_secs(1), "Retry-After is not obeyed");
    assert_eq!(server.clients().len(), 1);
}

#[test]
fn a_lost_reply_is_told() {
    let server = Sandbox::with("--fail lose-reply:1");
    orysh(&server).run(CREATE).ok().tells("the reply was lost").tells("it was made once");
}

#[test]
fn a_given_id_is_proved_at_the_public_address() {
    let server = Sandbox::with("--fail lose-reply:1");
    let program = orysh(&server);
    let line = format!("create client --id given --public-endpoint {} --format json", server.public);
    let made = program.run(&line).json();
    assert!(server.accepts(&json!("given"), &made["client_secret"]));
    assert_eq!(program.pending().len(), 0);
    let server = Sandbox::with("--fail lose-reply:1");
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    let made = program.run("create client --id given --format json").json();
    assert!(server.accepts(&json!("given"), &made["client_secret"]));
}

#[test]
fn a_given_id_without_a_public_address_stays_unproved_and_its_secret_kept() {
    let server = Sandbox::with("--fail lose-reply:1");
    let program = orysh(&server);
    let ran = program.run("create client --id given").fails(1, "it could not be proved").tells("--public-endpoint");
    let kept = kept(&program, &ran.stderr);
    assert_eq!(kept["client_id"], "given");
    assert!(server.accepts(&kept["client_id"], &kept["client_secret"]));
}

/// The only kept secret, whose file was named.
fn kept(program: &Orysh, told: &str) -> Value {
    let kept = program.only_pending();
    assert!(told.contains(program.pending()[0].to_str().unwrap()), "the file is not named:\n{told}");
    assert!(told.contains("orysh get oauth2-client"), "the next command is not named:\n{told}");
    assert!(told.contains(kept["client_id"].as_str().unwrap()), "the client is not named:\n{told}");
    assert!(!told.contains(kept["client_secret"].as_str().unwrap()), "the secret is told");
    kept
}

#[test]
fn the_client_of_another_is_left_alone() {
    for trouble in ["", "--fail lose-reply:1", "--fail 5xx:1"] {
        for knows_public in [false, true] {
            let theirs = json!({"client_id": "theirs", "client_secret": "their-secret"});
            let server = Sandbox::holding(&[theirs], trouble);
            let before = server.client("theirs");
            let program = orysh(&server);
            let public = if knows_public { format!("--public-endpoint {}", server.public) } else { String::new() };
            program.run(&format!("create client --id theirs {public}")).fails(1, "`theirs` exists already");
            assert_eq!(server.client("theirs"), before);
            assert!(server.accepts(&json!("theirs"), &json!("their-secret")));
            assert_eq!(program.pending().len(), 0);
        }
    }
}

#[test]
fn a_server_that_always_refuses_makes_nothing_and_keeps_nothing() {
    let server = Sandbox::with("--fail 5xx:1.0");
    let program = orysh(&server);
    program.run(CREATE).fails(1, "HTTP 503");
    assert_eq!(server.clients(), Vec::<Value>::new());
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn where_the_outcome_stays_unknown_the_secret_is_kept_and_its_file_named() {
    for trouble in ["drop-before:1.0", "db-down:1.0"] {
        let server = Sandbox::with(&format!("--fail {trouble}"));
        let program = orysh(&server);
        let ran = program.run("create client").fails(1, "it is not known whether client");
        kept(&program, &ran.stderr);
    }
}

#[test]
fn a_result_that_cannot_be_written_leaves_the_secret_on_disk() {
    let server = Sandbox::start();
    let full = orysh(&server);
    let device = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = full.start(full.command(PROGRAM).args(shlex::split(CREATE).unwrap()).stdout(device)).end();
    let closed = orysh(&server);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let other = closed.start(closed.command(PROGRAM).args(shlex::split(CREATE).unwrap()).stdout(writer)).end();
    for (program, ran) in [(full, ran), (closed, other)] {
        assert_eq!(ran.code, Some(1), "{ran}");
        let kept = program.only_pending();
        assert!(server.accepts(&kept["client_id"], &kept["client_secret"]));
        assert!(ran.stderr.contains(program.pending()[0].to_str().unwrap()), "the file is not named\n{ran}");
    }
    assert_eq!(server.clients().len(), 2);
}

#[test]
fn ctrl_c_in_a_slow_create_names_the_kept_secret() {
    let server = Sandbox::with("--fail slow:1");
    let program = orysh(&server);
    let running = program.begin("create client --name x");
    eventually("the client is made", || (!server.clients().is_empty()).then_some(()));
    let began = Instant::now();
    running.signal(Signal::INT);
    let ran = running.end().fails(130, "it is not known whether client");
    assert!(began.elapsed() < Duration::from_secs(2));
    let kept = kept(&program, &ran.stderr);
    assert!(server.accepts(&kept["client_id"], &kept["client_secret"]));
}

#[test]
fn a_public_address_of_another_server_loses_no_secret() {
    let server = Sandbox::with("--fail lose-reply:1");
    let other = Sandbox::start();
    let program = orysh(&server);
    let line = format!("create client --id mine --secret-out out --public-endpoint {}", other.public);
    let ran = program.run(&line).fails(1, "does not take our secret");
    let kept = program.only_pending();
    assert_eq!(kept["client_id"], "mine", "{ran}");
    assert!(server.accepts(&kept["client_id"], &kept["client_secret"]), "{ran}");
}
