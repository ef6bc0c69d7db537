//! Whole processes against each other, in turn, against one sandbox: `orysh` and `curl`, `orysh` and `ory`; how many
//! secrets a core encrypts, beside `gpg`; and long lists.
//!
//! Wall time decides nothing by itself, as machines differ; the ratios fail only when they are far off.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod batches;
mod budget;
mod encryption;
mod lists;
mod measure;
mod plugins;
mod profiles;
mod scripts;
mod shell;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use measure::{FRESH_ID, Line, Taken, in_turn};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orysh");
/// The real `ory`, where it is installed.
const ORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/node_modules/@ory/cli-linux-x64/bin/ory");

const MOST_KIB: f64 = 16.0 * 1024.0;

/// How far a ratio may miss its goal before this program fails: shared machines are noisy.
const TOLERANCE: f64 = 1.5;

/// Stops the sandbox and removes its folder, on whatever way out.
struct Sandbox {
    child: Child,
    home: PathBuf,
    addresses: Value,
}

impl Sandbox {
    fn start() -> Self {
        Self::with(&["--network", "127.0.0.1:0"])
    }

    fn with(flags: &[&str]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("orysh-ratios-{}-{number}", std::process::id()));
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", "serve", "--memory", "--admin", "127.0.0.1:0", "--public", "127.0.0.1:0"])
            .args(["--format", "json"])
            .args(flags)
            .env("ORYSH_HOME", &home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the sandbox tells its addresses");
        std::fs::create_dir_all(&home).expect("a folder for the runs");
        let addresses = serde_json::from_str(&line).expect("addresses as JSON");
        Sandbox { child, home, addresses }
    }

    fn address(&self, name: &str) -> String {
        self.addresses[name].as_str().expect("an address").to_owned()
    }

    /// The environment of a program that takes the sandbox for Ory Network.
    fn on_network(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HTTP_PROXY", self.address("network")),
            ("ORY_CONSOLE_URL", "http://console.test".to_owned()),
            ("ORY_ORYAPIS_URL", "http://oryapis.test".to_owned()),
            ("ORY_PROJECT_API_KEY", "ory_pat_sandbox_happy-hill".to_owned()),
        ]
    }

    fn line(&self, words: &[&str]) -> Line {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Line { words, environment: Vec::new(), home: self.home.clone(), input: None }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// Prints a table. False if a ratio is far off.
type Table = fn(&Sandbox) -> bool;

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let sandbox = Sandbox::start();
    let tables: [(&str, Table); 8] = [
        ("commands", commands),
        ("profiles", profiles::table),
        ("encryption", |sandbox| encryption::table(&sandbox.home)),
        ("lists", |_| lists::tables()),
        ("batches", |sandbox| batches::tables(&sandbox.home)),
        ("scripts", scripts::table),
        ("plugins", plugins::table),
        ("shell", shell::table),
    ];
    let due = tables.iter().filter(|(name, _)| named.is_empty() || named.iter().any(|wanted| wanted == name));
    let as_due: Vec<bool> = due.map(|(_, table)| table(&sandbox)).collect();
    ExitCode::from(u8::from(as_due.contains(&false)))
}

fn commands(sandbox: &Sandbox) -> bool {
    println!("{:<26} {:>9} {:>9} {:>9}  {:>7}  goal, reached", "command", "wall ms", "CPU ms", "peak KiB", "ratio");
    let as_due = [beside_curl(sandbox), beside_ory(sandbox), start_up(sandbox)];
    !as_due.contains(&false)
}

fn beside_curl(sandbox: &Sandbox) -> bool {
    let admin = sandbox.address("admin");
    let create = sandbox.line(&[PROGRAM, "create", "client", "--endpoint", &admin, "--name", "x", "--format", "json"]);
    let small = |taken: &Taken| taken.peak_kib.map_or("not measured", |peak| yes(peak <= MOST_KIB));
    if !starts("curl") {
        println!("curl is missing: its row and the ratio to it are left out");
        let [ours] = in_turn([&create]);
        show("create oauth2-client", &ours, None, &format!("≤ 16 MiB: {}", small(&ours)));
        return true;
    }
    let [ours, theirs] = in_turn([&create, &sandbox.line(&curl(&create, &admin).each_ref().map(String::as_str))]);
    let ratio = ours.wall_ms / theirs.wall_ms;
    let goal = format!("≤ 1.0: {}; ≤ 16 MiB: {}", yes(ratio <= 1.0), small(&ours));
    show("create oauth2-client", &ours, Some(ratio), &goal);
    show("curl, the same body", &theirs, None, "");
    ratio <= TOLERANCE
}

/// The request that `create` sends, with a secret of the same length; each run fills an id in.
fn curl(create: &Line, admin: &str) -> [String; 7] {
    let mut dry = Command::new(&create.words[0]);
    let dry = dry.args(&create.words[1..]).arg("--dry-run").env("ORYSH_HOME", &create.home).output();
    let dry = dry.expect("orysh starts");
    let shown: Value = serde_json::from_slice(&dry.stdout).expect("the request is shown as JSON");
    let mut body = shown["body"].clone();
    if let Some(members) = body.as_object_mut() {
        members.insert("client_id".into(), FRESH_ID.into());
        members.insert("client_secret".into(), "s".repeat(32).into());
    }
    let url = format!("{}/admin/clients", admin.trim_end_matches('/'));
    ["curl", "-sSf", "-H", "Content-Type: application/json", "-d", &body.to_string(), &url].map(str::to_owned)
}

fn beside_ory(sandbox: &Sandbox) -> bool {
    let installed = ORY;
    if !Path::new(installed).exists() {
        println!("ory is missing (see README): its row and the ratio to it are left out");
        return true;
    }
    let environment = sandbox.on_network();
    let create = |program| {
        let line = sandbox.line(&[program, "create", "oauth2-client", "--name", "x", "--format", "json"]);
        Line { environment: environment.clone(), ..line }
    };
    let [ours, theirs] = in_turn([&create(PROGRAM), &create(installed)]);
    let wall = ours.wall_ms / theirs.wall_ms;
    let memory = ours.peak_kib.zip(theirs.peak_kib).map(|(ours, theirs)| ours / theirs);
    let least = memory.map_or("not measured".to_owned(), |memory| format!("{} ({memory:.2})", yes(memory <= 0.5)));
    show("create on Ory Network", &ours, Some(wall), &format!("≤ 0.25: {}; memory ≤ 0.5: {least}", yes(wall <= 0.25)));
    show("ory, the same", &theirs, None, "");
    wall <= 0.25 * TOLERANCE && memory.is_none_or(|memory| memory <= 0.5 * TOLERANCE)
}

fn start_up(sandbox: &Sandbox) -> bool {
    for (words, most) in [(&["version"][..], 5.0), (&["eval", "1"], 10.0)] {
        let [taken] = in_turn([&sandbox.line(&[&[PROGRAM], words].concat())]);
        show(&words.join(" "), &taken, None, &format!("≤ {most} ms: {}", yes(taken.wall_ms <= most)));
    }
    true
}

fn starts(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "NO" }
}

fn show(name: &str, taken: &Taken, ratio: Option<f64>, goal: &str) {
    let peak = taken.peak_kib.map_or_else(|| "-".to_owned(), |peak| format!("{peak:.0}"));
    let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
    let cpu = taken.cpu_ms.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}"));
    println!("{name:<26} {:>9.2} {cpu:>9} {peak:>9}  {ratio:>7}  {goal}", taken.wall_ms);
}
