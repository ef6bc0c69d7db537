//! Scripts: how long one takes to start beside `version`, what a call of the API costs over the same call of Rust, what reading
//! a long CSV takes, and `create_all` beside `batch create`.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use orysh::api;
use orysh::commands;
use orysh::commands::sandbox::starter;
use orysh::grammar::Host;
use orysh::model::client::ClientId;
use orysh::script::engine::{Context, engine};
use orysh::session::Session;
use orysh::session::handle::Settings;
use orysh::session::target::Given;
use orysh::ui::Ui;

use crate::measure::{in_turn, median};
use crate::{PROGRAM, Sandbox, TOLERANCE, yes};

const MOST_START_MS: f64 = 5.0;
const MOST_CALL_US: f64 = 20.0;
const MOST_SECONDS: f64 = 3.0;
const MOST_KIB: f64 = 64.0 * 1024.0;
const MOST_RATIO: f64 = 1.05;

const ROWS: usize = 100_000;

/// Prints the table. False if something is far off.
pub fn table(sandbox: &Sandbox) -> bool {
    println!("\n{:<40} {:>12} {:>12}  goal, reached", "scripts", "ours", "beside");
    let as_due = [start(sandbox), calls(sandbox), rows(&sandbox.home), create_all(&[], 10_000)];
    // The same where the server takes for a secret what Hydra does: told beside, and no goal of its own.
    create_all(&["--hash-iterations", "25000"], 1_000);
    !as_due.contains(&false)
}

fn start(sandbox: &Sandbox) -> bool {
    let [eval, version] = in_turn([&sandbox.line(&[PROGRAM, "eval", "1"]), &sandbox.line(&[PROGRAM, "version"])]);
    let more = eval.wall_ms - version.wall_ms;
    let goal = format!("≤ {MOST_START_MS} ms more: {} ({more:.2})", yes(more <= MOST_START_MS));
    println!("{:<40} {:>9.2} ms {:>9.2} ms  {goal}", "eval 1, beside version", eval.wall_ms, version.wall_ms);
    more <= MOST_START_MS * TOLERANCE
}

/// Calls of a function that does next to nothing, and of one that asks a server.
fn calls(sandbox: &Sandbox) -> bool {
    let given = Given { endpoint: Some(sandbox.address("admin")), ..Given::default() };
    let session = Session::new(Ui::default(), Settings { given, ..Settings::default() }, 0, starter());
    let context = Context::new(Host { session: session.clone(), registry: Arc::new(commands::registry()) });
    let engine = engine(&context);
    let micros = |script: &str| {
        let ast = engine.compile(script).expect("it compiles");
        let mut times: Vec<Duration> = (0..15)
            .map(|_| {
                let began = Instant::now();
                engine.run_ast(&ast).expect("it runs");
                began.elapsed()
            })
            .collect();
        median(&mut times) * 1000.0
    };
    let (loops, called) = (micros("for n in 0..10000 { }"), micros("for n in 0..10000 { uuid::is_valid(\"x\"); }"));
    let bare = {
        let began = Instant::now();
        for _ in 0..10_000 {
            black_box(uuid::Uuid::parse_str(black_box("x")).is_ok());
        }
        began.elapsed().as_secs_f64() * 1e6
    };
    let local = (called - loops - bare) / 10_000.0;
    told("a call over the same of Rust", local, bare / 10_000.0);

    engine.run("clients::create(#{client_id: \"bench\"})").expect("a client");
    let id = ClientId::parse("bench").expect("an id");
    let got = engine.compile("clients::get(\"bench\")").expect("it compiles");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let began = Instant::now();
        engine.run_ast(&got).expect("the client is there");
        ours.push(began.elapsed());
        let began = Instant::now();
        session.wait(api::clients::get(&session, &id)).expect("the client is there");
        theirs.push(began.elapsed());
    }
    let theirs = median(&mut theirs) * 1000.0;
    let remote = median(&mut ours) * 1000.0 - theirs;
    told("clients::get over the same of Rust", remote, theirs);
    let _ = context.take_held().into_iter().try_for_each(orysh::script::held::Held::close);
    local <= MOST_CALL_US * TOLERANCE && remote <= MOST_CALL_US * TOLERANCE
}

fn told(name: &str, more: f64, bare: f64) {
    let goal = format!("≤ {MOST_CALL_US} us more: {}", yes(more <= MOST_CALL_US));
    println!("{name:<40} {more:>9.2} us {bare:>9.2} us  {goal}");
}

/// Rows that are read, checked and mapped, one at a time.
fn rows(home: &Path) -> bool {
    let mut text = String::from("name,owner,redirect\n");
    for n in 0..ROWS {
        let _ = writeln!(text, "service-{n},team-{}@example.org,https://s{n}.example.org/cb", n % 7);
    }
    fs::write(home.join("rows.csv"), text).expect("an input");
    let script = r#"
        let good = 0;
        for row in csv::read("rows.csv") {
            let fields = #{client_name: row.name, owner: row.owner, redirect_uris: [row.redirect]};
            if clients::lint(fields).is_empty() { good += 1; }
        }
        good"#;
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%e %M", PROGRAM, "eval", script]).current_dir(home).env("ORYSH_HOME", home);
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        println!("GNU time is missing: reading a CSV is left out");
        return true;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), ROWS.to_string(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let numbers: Vec<f64> = told.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [seconds, peak] = numbers[..] else { panic!("GNU time tells {told}") };
    let goal = format!("≤ {MOST_SECONDS} s: {}; ≤ 64 MiB: {}", yes(seconds <= MOST_SECONDS), yes(peak <= MOST_KIB));
    println!("{:<40} {seconds:>10.2} s {peak:>8.0} KiB  {goal}", format!("{ROWS} rows read, checked and mapped"));
    seconds <= MOST_SECONDS * TOLERANCE && peak <= MOST_KIB * TOLERANCE
}

/// The same rows by a script's call, which its clock measures, and by the command as a whole, in turn.
/// `server`: flags of the sandbox.
fn create_all(server: &[&str], created: usize) -> bool {
    let script = format!(
        "let rows = []; for n in 0..{created} {{ rows.push(#{{client_name: `service-${{n}}`, scope: \"read write\"}}); }} \
         let began = timestamp(); clients::create_all(rows); began.elapsed"
    );
    let mut input = String::from("client_name,scope\n");
    for n in 0..created {
        let _ = writeln!(input, "service-{n},read write");
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..11 {
        let run = |args: &[&str]| {
            let sandbox = Sandbox::with(server);
            fs::write(sandbox.home.join("rows.csv"), &input).expect("an input");
            let mut command = Command::new(PROGRAM);
            command.args(args).args(["--endpoint", &sandbox.address("admin")]).current_dir(&sandbox.home);
            command.env("ORYSH_HOME", sandbox.home.join("own")).stdin(Stdio::null()).stderr(Stdio::null());
            let began = Instant::now();
            let output = command.output().expect("it starts");
            assert!(output.status.success(), "{args:?}: {output:?}");
            (began.elapsed(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        theirs.push(run(&["batch", "create", "rows.csv"]).0);
        let told = run(&["eval", &script]).1;
        ours.push(Duration::from_secs_f64(told.trim().parse().expect("seconds")));
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let ratio = ours / theirs;
    let goal = format!("≤ {MOST_RATIO} x: {} ({ratio:.2})", yes(ratio <= MOST_RATIO));
    let what = format!("create_all of {created}, beside batch create");
    println!("{what:<40} {ours:>9.0} ms {theirs:>9.0} ms  {goal}");
    ratio <= MOST_RATIO * TOLERANCE
}
