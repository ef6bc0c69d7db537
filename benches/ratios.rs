//! Whole processes against each other: `orysh` and `curl`, in turn, against one sandbox.
//!
//! Wall time decides nothing by itself, as machines differ; the ratio to `curl` fails only when it is far off.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_orysh");
const WARM_UP: usize = 5;
const RUNS: usize = 40;
const MOST_KIB: u64 = 16 * 1024;

/// Stands in a command for an id that no client has yet.
const FRESH_ID: &str = "[fresh]";

/// How far a ratio may miss its goal of 1 before this program fails: shared machines are noisy.
const TOLERANCE: f64 = 1.5;

/// Stops the sandbox and removes its folder, on whatever way out.
struct Sandbox {
    child: Child,
    home: std::path::PathBuf,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

fn main() -> ExitCode {
    let home = std::env::temp_dir().join(format!("orysh-ratios-{}", std::process::id()));
    let child = Command::new(PROGRAM)
        .args(["sandbox", "serve", "--memory", "--admin", "127.0.0.1:0", "--public", "127.0.0.1:0"])
        .args(["--format", "json"])
        .env("ORYSH_HOME", &home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sandbox starts");
    let mut sandbox = Sandbox { child, home };
    let mut line = String::new();
    let stdout = sandbox.child.stdout.take().expect("stdout is piped");
    BufReader::new(stdout).read_line(&mut line).expect("the sandbox tells its addresses");
    let admin = line.split('"').nth(3).expect("an address").to_owned();

    let orysh = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let create = orysh(&[PROGRAM, "create", "oauth2-client", "--endpoint", &admin, "--name", "x", "--format", "json"]);
    let curl = has_curl().then(|| curl(&create, &admin, &sandbox.home));
    if curl.is_none() {
        println!("curl is missing: its row and the ratio to it are left out");
    }
    let mut rows = vec![("create oauth2-client", create, None), ("version", orysh(&[PROGRAM, "version"]), Some(5.0))];
    rows.push(("eval 1", orysh(&[PROGRAM, "eval", "1"]), Some(10.0)));

    println!(
        "{:<22} {:>9} {:>9} {:>9}  {:>13}  goal, reached",
        "command", "wall ms", "CPU ms", "peak KiB", "ratio to curl"
    );
    let mut failed = false;
    for (name, words, most) in &rows {
        let against = curl.as_ref().filter(|_| most.is_none());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for run in 0..WARM_UP + RUNS {
            // In turn, so that whatever else the machine does falls on both.
            let own = timed(words, &sandbox.home);
            let other = against.map(|words| timed(words, &sandbox.home));
            if run >= WARM_UP {
                ours.push(own);
                theirs.extend(other);
            }
        }
        let wall = median(&mut ours);
        let cpu = cpu_ms(words, &sandbox.home);
        let peak = peak_kib(words, &sandbox.home);
        let small = peak.is_none_or(|peak| peak <= MOST_KIB);
        if let Some(most) = most {
            show(name, wall, cpu, peak, None, &format!("≤ {most} ms: {}", yes(wall <= *most)));
        } else {
            let ratio = (!theirs.is_empty()).then(|| (median(&mut theirs), wall));
            let goal = ratio.map_or(String::new(), |(other, wall)| format!("≤ 1.0: {}; ", yes(wall <= other)));
            let memory = peak.map_or("not measured", |_| yes(small));
            show(name, wall, cpu, peak, ratio.map(|(other, wall)| wall / other), &format!("{goal}≤ 16 MiB: {memory}"));
            if let (Some((other, wall)), Some(curl)) = (ratio, against) {
                let (cpu, peak) = (cpu_ms(curl, &sandbox.home), peak_kib(curl, &sandbox.home));
                show("curl, the same body", other, cpu, peak, None, "");
                failed = wall > other * TOLERANCE;
            }
        }
    }
    ExitCode::from(u8::from(failed))
}

fn has_curl() -> bool {
    Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The request that `create` sends, with a secret of the same length; each run fills an id in.
fn curl(create: &[String], admin: &str, home: &Path) -> Vec<String> {
    let dry = Command::new(&create[0]).args(&create[1..]).arg("--dry-run").env("ORYSH_HOME", home).output();
    let shown: serde_json::Value =
        serde_json::from_slice(&dry.expect("orysh starts").stdout).expect("the request is shown as JSON");
    let mut body = shown["body"].clone();
    if let Some(members) = body.as_object_mut() {
        members.insert("client_id".into(), FRESH_ID.into());
        members.insert("client_secret".into(), "s".repeat(32).into());
    }
    let url = format!("{}/admin/clients", admin.trim_end_matches('/'));
    ["curl", "-sSf", "-H", "Content-Type: application/json", "-d", &body.to_string(), &url].map(str::to_owned).to_vec()
}

fn command(words: &[String], home: &Path) -> Command {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut command = Command::new(&words[0]);
    let id = format!("00000000-0000-4000-8000-{:012}", NEXT.fetch_add(1, Ordering::Relaxed));
    command
        .args(words[1..].iter().map(|word| word.replace(FRESH_ID, &id)))
        .env("ORYSH_HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn timed(words: &[String], home: &Path) -> Duration {
    let began = Instant::now();
    let status = command(words, home).status().expect("the command starts");
    let took = began.elapsed();
    assert!(status.success(), "{} ended with {status}", words[..words.len().min(3)].join(" "));
    took
}

/// User and system time, as bash's `time` tells it for one process; `None` where there is no bash.
fn cpu_ms(words: &[String], home: &Path) -> Option<f64> {
    let script = r#"TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>&1"#;
    let mut wrapped: Vec<String> = ["bash", "-c", script, "bash"].map(str::to_owned).to_vec();
    wrapped.extend_from_slice(words);
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let output = command(&wrapped, home).output().ok()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let seconds = told.split_whitespace().map(|time| time.parse::<f64>().ok()).sum::<Option<f64>>()?;
        times.push(Duration::from_secs_f64(seconds));
    }
    Some(median(&mut times))
}

/// The peak as GNU time tells it; `None` where it is not installed.
fn peak_kib(words: &[String], home: &Path) -> Option<u64> {
    let mut timed = vec!["/usr/bin/time".to_owned(), "-f".into(), "%M".into()];
    timed.extend_from_slice(words);
    let output = command(&timed, home).output().ok()?;
    String::from_utf8_lossy(&output.stderr).lines().last()?.trim().parse().ok()
}

/// In milliseconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "NO" }
}

fn show(name: &str, wall: f64, cpu: Option<f64>, peak: Option<u64>, ratio: Option<f64>, goal: &str) {
    let peak = peak.map_or_else(|| "-".to_owned(), |peak| peak.to_string());
    let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
    let cpu = cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}"));
    println!("{name:<22} {wall:>9.2} {cpu:>9} {peak:>9}  {ratio:>13}  {goal}");
}
