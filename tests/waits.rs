//! Ctrl-C, on a real terminal, inside each kind of wait of a script.

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Sandbox, Terminal, anywhere, eventually, orysh};

/// The longest that a script may go on after Ctrl-C.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What waits, and what is on the screen by then beside `ready`.
const WAITS: &[(&str, &str)] = &[
    ("sleep(60)", ""),
    ("sleep(60.5)", ""),
    ("loop { }", ""),
    ("while true { let x = 1; }", ""),
    ("fn f(n) { if n > 0 { sleep(60) } else { f(n + 1) } } f(0)", ""),
    ("[1, 2].map(|x| sleep(60))", ""),
    ("[3, 1].sort(|a, b| { sleep(60); 1 })", ""),
    ("try { sleep(60) } catch { print(\"caught\") }", ""),
    ("loop { try { sleep(60) } catch { } }", ""),
    ("clients::get(\"x\")", ""),
    ("clients::find(\"x\")", ""),
    ("clients::create(#{})", ""),
    ("clients::create_all([#{}, #{}])", ""),
    ("clients::apply([#{client_id: \"a\"}], #{})", ""),
    ("clients::delete(\"x\")", ""),
    ("for c in clients::list() { print(1) }", ""),
    ("for c in clients::list() { print(c) }", ""),
    ("csv::write(\"x.csv\", clients::list())", ""),
    ("clients::list()", ""),
    ("sh(\"list clients\")", ""),
    ("tokens::client_credentials(\"a\", \"b\".to_secret())", ""),
    ("tokens::introspect(\"b\".to_secret())", ""),
    ("http::get(\"$SILENT\")", ""),
    ("http::post(\"$SILENT\", \"x\")", ""),
    ("session::with_profile(\"slow\", || sleep(60))", ""),
    ("session::with_profile(\"slow\", || clients::get(\"x\"))", ""),
    ("fs::read(\"-\")", ""),
    ("fs::read(\"pipe\")", ""),
    ("for row in csv::read(\"pipe\") { print(1) }", ""),
    ("json::lines(\"pipe\").to_array()", ""),
    ("ui::confirm(\"Go on?\")", "[y/N]"),
    ("ui::prompt(\"Who?\")", "Who?"),
    ("ui::prompt(\"Who?\", \"me\")", "[me]"),
    ("ui::password(\"the secret\")", "the secret:"),
    ("ui::select(\"Which?\", [\"a\", \"b\"])", "[1-2]"),
    ("let s = \"\"; s.pad(40000000, '\"'); loop { s.to_debug(); }", ""),
    ("let s = \"\"; s.pad(40000000, '\"'); loop { `${[s]}`; }", ""),
    ("let s = \"\"; s.pad(20000000, '\"'); loop { json::text([s, s]); }", ""),
    ("let p = ui::progress(10); p.advance(); sleep(60)", ""),
];

#[test]
fn ctrl_c_ends_a_script_in_every_kind_of_wait() {
    let server = Sandbox::with("--latency 60s");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for part in WAITS.chunks(WAITS.len().div_ceil(4)) {
            let (server, silent, wrong) = (&server, &silent, &wrong);
            scope.spawn(move || {
                for (code, shown) in part {
                    let told = interrupted(server, &code.replace("$SILENT", silent), shown);
                    wrong.lock().unwrap().extend(told.map(|told| format!("{code}: {told}")));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// More than a pipe takes.
const MANY: &str = "for n in 0..20000 { print(`line ${n} of very many`) }";
const MUCH: &str = "let t = \"x\"; for n in 0..20 { t += t; } fs::write(\"-\", t)";
const ROWS: &str = "let all = []; for n in 0..200 { all.push(clients::create(#{client_name: `c${n}`})) } all";

#[test]
fn what_nobody_reads_is_ended_by_ctrl_c_and_by_the_deadline() {
    for (code, more, told, is_kept) in [
        (MANY, "", "interrupted", false),
        (MUCH, "", "interrupted", false),
        (ROWS, "", "interrupted", true),
        (MANY, "--deadline 2s", "it took more than 2s", false),
        (MUCH, "--deadline 2s", "it took more than 2s", false),
        (ROWS, "--deadline 4s", "it took more than 4s", true),
    ] {
        let program = anywhere();
        program.file("script.rhai", code);
        let mut running = program.begin(&format!("--sandbox run --format json {more} script.rhai"));
        if more.is_empty() {
            let made = || (!is_kept || program.pending().len() == 200).then_some(());
            eventually("all is made", made);
            std::thread::sleep(Duration::from_millis(500));
            running.signal(Signal::INT);
        }
        eventually("it ends", || (!running.is_running()).then_some(()));
        let ran = running.end().tells(told);
        assert_eq!(ran.code, Some(if more.is_empty() { 130 } else { 1 }), "{code}: {ran}");
        assert_eq!(ran.stderr.contains("secrets are kept in"), is_kept, "{code}: {ran}");
        assert!(!is_kept || !program.pending().is_empty(), "{ran}");
    }
}

#[test]
fn what_is_told_and_not_read_is_ended_by_the_deadline_as_well() {
    let program = anywhere();
    program.file("told.rhai", "for n in 0..20000 { log::info(`line ${n} of very many`) }");
    let line = "(orysh run --deadline 1s told.rhai 2>&1; echo \"$? $(($(date +%s) - $(cat begun)))\" > ended)";
    program.sh(&format!("date +%s > begun; {line} | (sleep 8; cat > /dev/null)"));
    let ended = std::fs::read_to_string(program.home().join("ended")).unwrap();
    let (code, took) = ended.trim().split_once(' ').unwrap();
    assert!(code == "1" && took.parse::<u64>().unwrap() < 6, "{ended}");
}

#[test]
fn what_is_kept_for_rows_that_are_not_shown_is_told() {
    let program = anywhere();
    program.file("script.rhai", ROWS);
    program.run("--sandbox run --format env script.rhai").fails(2, "200 of their secrets are kept in");
    let ran = program.sh("orysh --sandbox run --format jsonl script.rhai | head -n 1 >/dev/null");
    assert!(ran.stderr.contains("of their secrets are kept in"), "{ran}");
}

/// What is wrong about how a script ends by Ctrl-C.
fn interrupted(server: &Sandbox, code: &str, shown: &str) -> Option<String> {
    let program = orysh(server).with("HYDRA_PUBLIC_URL", &server.public);
    program.file("config/config.toml", &format!("[profile.slow]\nendpoint = \"{}\"\n", server.admin));
    rustix::fs::mknodat(rustix::fs::CWD, program.home().join("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    program.file("wait.rhai", &format!("print(\"ready\");\n{code}"));
    let mut terminal = Terminal::with(program, &["run", "wait.rhai"]);
    terminal.shows("ready");
    terminal.shows(shown);
    // So that it waits, and is not still on its way there.
    std::thread::sleep(Duration::from_millis(150));
    let began = Instant::now();
    terminal.press("\u{3}");
    let status = terminal.ended();
    let (took, contents) = (began.elapsed(), terminal.contents());
    let is_usual = terminal.is_as_usual();
    let is_right = status.code() == Some(130) && took < AT_ONCE && is_usual && !contents.contains("caught");
    (!is_right).then(|| format!("{status} after {took:?}, the terminal as usual: {is_usual}\n{contents}"))
}

#[test]
fn ctrl_c_ends_what_is_read_from_the_terminal() {
    for args in [&["-"][..], &["--sandbox", "run", "-"], &["script", "check", "/dev/stdin"]] {
        let mut terminal = Terminal::with(anywhere(), args);
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        terminal.press("\u{3}");
        assert_eq!(terminal.ended().code(), Some(130), "{args:?}: {}", terminal.contents());
        assert!(began.elapsed() < AT_ONCE && terminal.is_as_usual(), "{args:?}");
    }
}

#[test]
fn what_is_typed_reaches_the_script() {
    let script = r#"
        print(ui::prompt("Who?").to_upper());
        print(ui::prompt("Where?", "here"));
        let secret = ui::password("the secret");
        print(`${secret} of ${secret.reveal().len()}`);
        print(ui::select("Which?", ["web", "job"]));
        print(ui::select("Which now?", ["web", "job"]));
        print(ui::confirm("Go on?"));
        print(ui::style("red", "bold red") + " \x1b[2J");
    "#;
    let program = anywhere();
    program.file("ask.rhai", script);
    let mut terminal = Terminal::with(program, &["run", "ask.rhai"]);
    for (question, answer, shown) in [
        ("Who? ", "me\r", "ME"),
        ("Where? [here]", "\r", "here"),
        ("the secret: ", "s3cret-s3cret\r", "[REDACTED] of 13"),
        ("Which? [1-2]", "jbo\r", "did you mean job?"),
        ("Which? [1-2]", "2\r", "job"),
        ("Which now? [1-2]", "web\r", "web"),
        ("Go on? [y/N]", "y\r", "true"),
    ] {
        terminal.until(question, |contents| contents.trim_end().ends_with(question.trim_end()));
        terminal.press(answer);
        terminal.shows(shown);
    }
    assert_eq!(terminal.ended().code(), Some(0));
    let contents = terminal.contents();
    assert!(contents.contains("red \\u{1b}[2J") && !contents.contains("s3cret-s3cret"), "{contents}");
}

#[test]
fn a_deadline_ends_what_waits_for_a_person() {
    for code in ["ui::prompt(\"Who?\")", "ui::password(\"the secret\")", "fs::read(\"-\")", "ui::confirm(\"Go on?\")"] {
        let mut terminal = Terminal::with(anywhere(), &["eval", "--deadline", "500ms", code]);
        let status = terminal.ended();
        terminal.shows("more than 500ms");
        assert_eq!(status.code(), Some(1), "{code}");
        assert!(terminal.is_as_usual(), "{code}");
    }
}
