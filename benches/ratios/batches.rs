//! Batches: creates with the journal on beside a bare load generator (`wrk`) with as many connections and the same bodies,
//! what a row costs this program, and how memory and time grow with the input.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::{ORY, PROGRAM, Sandbox, TOLERANCE, budget, yes};

const ROWS: usize = 10_000;

/// Rows of which memory and time are compared with those of [`ROWS`].
const MANY: usize = 1_000_000;
const MOST_KIB: f64 = 64.0 * 1024.0;
const MOST_CPU_US: f64 = 100.0;

/// What a run took.
struct Took {
    /// Of sending.
    seconds: f64,
    /// Of the whole process.
    wall: f64,
    cpu: f64,
    peak_kib: f64,
}

/// Prints the tables. False if a ratio is far off.
pub fn tables(home: &Path) -> bool {
    println!("\n{:<34} {:>9} {:>9} {:>9}  {:>7}  goal, reached", "batches", "rows/s", "us CPU", "peak KiB", "ratio");
    let input = input(home, ROWS);
    let hard = beside_wrk(&input, "25000", 8, 0.95);
    let easy = beside_wrk(&input, "1", 32, 0.6);
    others();
    hard && easy && growth(home, &input)
}

fn input(home: &Path, rows: usize) -> PathBuf {
    let mut text = String::from("client_name,owner,redirect_uris,scope\n");
    for n in 0..rows {
        let _ = writeln!(text, "service-{n},team-{}@example.org,https://s{n}.example.org/cb,read write", n % 7);
    }
    let path = home.join(format!("services-{rows}.csv"));
    fs::write(&path, text).expect("an input");
    path
}

/// Runs a batch, measured by bash and GNU time.
fn batch(home: &Path, admin: Option<&str>, input: &Path, flags: &[&str]) -> Took {
    let folder = home.join("batch");
    let mut command = Command::new("bash");
    let script = r#"TIMEFORMAT="time %R %U %S"; time /usr/bin/time -f "peak %M" "$@""#;
    command.args(["-c", script, "bash", PROGRAM, "batch", "create"]).arg(input).args(flags);
    command.args(["--format", "json"]).env("ORYSH_HOME", &folder).env("HOME", &folder);
    match admin {
        Some(admin) => drop(command.env("ORY_SDK_URL", admin)),
        None => drop(command.arg("--sandbox")),
    }
    command.env_remove("HYDRA_PUBLIC_URL").stdin(Stdio::null());
    let output = command.output().expect("bash starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let _ = fs::remove_dir_all(&folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let numbers = |label: &str| -> Vec<f64> {
        let line = told.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_default();
        line.split_whitespace().filter_map(|number| number.parse().ok()).collect()
    };
    let row: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let (times, peak) = (numbers("time "), numbers("peak "));
    Took {
        seconds: row["seconds"].as_f64().unwrap_or_default(),
        wall: times[0],
        cpu: times[1] + times[2],
        peak_kib: peak.first().copied().unwrap_or_default(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many")]
fn beside_wrk(input: &Path, iterations: &str, connections: usize, least: f64) -> bool {
    let sandbox = Sandbox::with(&["--hash-iterations", iterations]);
    let admin = sandbox.address("admin");
    let at_once = connections.to_string();
    let took = batch(&sandbox.home, Some(&admin), input, &["--concurrency", &at_once]);
    let budget = budget::of(&sandbox.home, &admin, input, ROWS as f64, &at_once);
    let (ours, cpu) = (ROWS as f64 / took.seconds, took.cpu * 1e6 / ROWS as f64);
    let name = format!("batch create, {iterations} iterations");
    if Command::new("wrk").arg("--version").output().is_err() {
        println!("wrk is missing: the ratio to it is left out");
        println!("{name:<34} {ours:>9.0} {cpu:>9.1} {:>9.0}  {:>7}", took.peak_kib, "-");
        return true;
    }
    let bare = wrk(&sandbox, &admin, connections);
    let ratio = ours / bare;
    let goal = format!("≥ {least} x: {}; ≤ {MOST_CPU_US} us: {}", yes(ratio >= least), yes(cpu <= MOST_CPU_US));
    println!("{name:<34} {ours:>9.0} {cpu:>9.1} {:>9.0}  {ratio:>7.2}  {goal}", took.peak_kib);
    println!("  {}", budget.told());
    println!("{:<34} {bare:>9.0} {:>9} {:>9}  {:>7}", format!("wrk, {connections} connections"), "-", "-", "-");
    ratio >= least / TOLERANCE && cpu <= MOST_CPU_US * TOLERANCE
}

/// What people use today, where it is installed: one client after the other.
fn others() {
    let sandbox = Sandbox::with(&["--network", "127.0.0.1:0", "--hash-iterations", "1"]);
    let shown = |name: &str, rows: f64, command: &mut Command| {
        let began = Instant::now();
        let command = command.env("HOME", &sandbox.home).stdin(Stdio::null()).stdout(Stdio::null());
        if command.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            let rate = rows / began.elapsed().as_secs_f64();
            println!("{name:<34} {rate:>9.0} {:>9} {:>9}  {:>7}", "-", "-", "-");
        } else {
            println!("{name}: not installed, and left out");
        }
    };
    let clients: Vec<Value> = (0..300).map(|n| serde_json::json!({"client_name": format!("service-{n}")})).collect();
    let file = sandbox.home.join("clients.json");
    fs::write(&file, Value::from(clients).to_string()).expect("a file");
    let mut hydra = Command::new("hydra");
    hydra.args(["import", "oauth2-client", "--endpoint", &sandbox.address("admin")]).arg(&file);
    shown("hydra import", 300.0, &mut hydra);
    let mut ory = Command::new("bash");
    ory.args(["-c", "set -e; for n in $(seq 30); do \"$0\" create oauth2-client --name s$n; done", ORY]);
    shown("a loop over ory create", 30.0, ory.envs(sandbox.on_network()));
}

/// Requests a second of a bare load generator.
fn wrk(sandbox: &Sandbox, admin: &str, connections: usize) -> f64 {
    let script = sandbox.home.join("post.lua");
    fs::write(&script, include_str!("post.lua")).expect("a script");
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), "-d5s", "-s"])
        .arg(script)
        .arg(admin)
        .output()
        .expect("wrk starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!told.contains("Non-2xx"), "{told}");
    let rate = told.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).expect("wrk tells its rate")
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many")]
fn growth(home: &Path, small: &Path) -> bool {
    let large = input(home, MANY);
    let mut is_due = true;
    let stub = Stub::start();
    for (name, flags, admin) in
        [("dry run", &["--dry-run"][..], None), ("against a stub", &["--concurrency", "8"], Some(stub.url.as_str()))]
    {
        let few = batch(home, admin, small, flags);
        let many = batch(home, admin, &large, flags);
        let time = (many.wall / MANY as f64) / (few.wall / ROWS as f64);
        let memory = many.peak_kib / few.peak_kib;
        let goal = format!(
            "time a row {time:.2} x, memory {memory:.2} x of {ROWS} rows ≤ 1.1: {}; ≤ 64 MiB: {}",
            yes(memory <= 1.1),
            yes(many.peak_kib <= MOST_KIB)
        );
        let (rate, cpu) = (MANY as f64 / many.wall, many.cpu * 1e6 / MANY as f64);
        println!(
            "{:<34} {rate:>9.0} {cpu:>9.1} {:>9.0}  {:>7}  {goal}",
            format!("{name}, {MANY} rows"),
            many.peak_kib,
            "-"
        );
        is_due &= many.peak_kib <= MOST_KIB && memory <= 1.1 * TOLERANCE;
    }
    // The folder of temporary files cleans up what stays.
    let _ = fs::remove_file(large);
    is_due
}

/// A server that has made every client as soon as it is asked to.
struct Stub {
    url: String,
}

impl Stub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream));
            }
        });
        Stub { url }
    }
}

fn answer(stream: std::net::TcpStream) {
    let mut writer = stream.try_clone().expect("a socket");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut sent = vec![0; length];
        if reader.read_exact(&mut sent).is_err() {
            return;
        }
        // The id that was asked for is all that is looked at.
        let sent = String::from_utf8_lossy(&sent);
        let id = sent.split("\"client_id\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let body = format!("{{\"client_id\":\"{id}\"}}");
        let length = body.len();
        let made =
            format!("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
        if writer.write_all(made.as_bytes()).is_err() {
            return;
        }
    }
}
