//! Long lists: `list --all` beside a bare loop over the pages, and `apply` of clients that are as wanted beside listing
//! them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::measure::median;
use crate::{PROGRAM, Sandbox, TOLERANCE, yes};

const MANY: usize = 100_000;
const APPLIED: usize = 1_000;
const MOST_KIB: f64 = 48.0 * 1024.0;
const RUNS: usize = 3;

/// Prints the tables. False if a ratio is far off.
pub fn tables() -> bool {
    println!("\n{:<34} {:>9} {:>9}  {:>7}  goal, reached", "lists", "wall ms", "peak KiB", "ratio");
    let all = of_all();
    of_applied() && all
}

/// A sandbox with so many clients, and the file that describes them.
pub fn holding(count: usize) -> (Sandbox, std::path::PathBuf) {
    let client = |n: usize| {
        json!({"client_id": format!("c{n:06}"), "client_name": format!("client {n}"),
            "redirect_uris": ["https://app.example.org/cb"], "scope": "openid offline", "owner": "team@example.org"})
    };
    let clients: Vec<Value> = (0..count).map(client).collect();
    let path = std::env::temp_dir().join(format!("orysh-clients-{}-{count}.json", std::process::id()));
    std::fs::write(&path, Value::from(clients).to_string()).expect("a file of clients");
    (Sandbox::with(&["--hash-iterations", "1", "--seed", &path.display().to_string()]), path)
}

fn of_all() -> bool {
    let (sandbox, path) = holding(MANY);
    let admin = sandbox.address("admin");
    let list = sandbox.line(&[PROGRAM, "list", "clients", "--endpoint", &admin, "--all", "--format", "jsonl"]);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(list.timed());
        bare.push(page_loop(&admin));
    }
    let (ours, bare, peak) = (median(&mut ours), median(&mut bare), list.peak_kib());
    let memory = peak.map_or("not measured", |peak| yes(peak <= MOST_KIB));
    let goal = format!("≤ 1.3: {}; ≤ 48 MiB: {memory}", yes(ours <= 1.3 * bare));
    show("list --all of 100,000", ours, peak, Some(ours / bare), &goal);
    show("a bare loop over the pages", bare, None, None, "");
    // The folder of temporary files cleans up what stays.
    let _ = std::fs::remove_file(path);
    ours <= 1.3 * bare * TOLERANCE && peak.is_none_or(|peak| peak <= MOST_KIB)
}

fn of_applied() -> bool {
    let (sandbox, path) = holding(APPLIED);
    let admin = sandbox.address("admin");
    // Each as people run it; as JSON Lines a list passes the server's text through, which no command that compares can do.
    let list = sandbox.line(&[PROGRAM, "list", "clients", "--endpoint", &admin, "--all"]);
    let file = path.display().to_string();
    let apply = sandbox.line(&[PROGRAM, "apply", "-f", &file, "--endpoint", &admin]);
    let (mut applied, mut listed) = (Vec::new(), Vec::new());
    for _ in 0..RUNS * 5 {
        applied.push(apply.timed());
        listed.push(list.timed());
    }
    let (applied, listed) = (median(&mut applied), median(&mut listed));
    let goal = format!("≤ 1.5: {}", yes(applied <= 1.5 * listed));
    show("apply of 1,000, all as wanted", applied, apply.peak_kib(), Some(applied / listed), &goal);
    show("list --all of them", listed, list.peak_kib(), None, "");
    let _ = std::fs::remove_file(path);
    applied <= 1.5 * listed * TOLERANCE
}

/// As many requests as `list --all` sends, on one connection, and nothing done with the answers.
fn page_loop(admin: &str) -> Duration {
    let host = admin.trim_start_matches("http://");
    let began = Instant::now();
    let stream = TcpStream::connect(host).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut stream = BufReader::new(stream);
    let mut path = "/admin/clients?page_size=500".to_owned();
    loop {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).expect("a request");
        let (mut length, mut next) = (0, None);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).expect("a header");
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if lower.starts_with("link:") {
                let found = line.split(',').find(|part| part.contains("rel=\"next\""));
                next = found.and_then(|part| Some(part.split_once('<')?.1.split_once('>')?.0.to_owned()));
            }
            if line == "\r\n" {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length]).expect("a body");
        match next {
            Some(next) => path = next,
            None => return began.elapsed(),
        }
    }
}

fn show(name: &str, wall: f64, peak: Option<f64>, ratio: Option<f64>, goal: &str) {
    let peak = peak.map_or_else(|| "-".to_owned(), |peak| format!("{peak:.0}"));
    let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
    println!("{name:<34} {wall:>9.1} {peak:>9}  {ratio:>7}  {goal}");
}
