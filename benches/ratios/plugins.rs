//! Plugins: what ten of them cost a start, what a hook costs over the function itself, and a batch with three hooks beside one
//! without.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::measure::{in_turn, median};
use crate::{PROGRAM, Sandbox, TOLERANCE, yes};

const MOST_START_MS: f64 = 3.0;
const MOST_CALL_US: f64 = 50.0;
const LEAST_RATIO: f64 = 0.8;
const ROWS: usize = 10_000;

/// Prints the table. False if something is far off.
pub fn table(sandbox: &Sandbox) -> bool {
    println!("\n{:<40} {:>12} {:>12}  goal, reached", "plugins", "ours", "beside");
    let as_due = [start(sandbox), batch()];
    !as_due.contains(&false)
}

fn orysh(home: &Path, args: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    let output = command.args(args).env("ORYSH_HOME", home.join("own")).current_dir(home).output().expect("it starts");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn install(home: &Path, name: &str, manifest: &str, code: &str) {
    let folder = home.join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let head = format!("name = \"{name}\"\nversion = \"1\"\ndescription = \"d\"\nlicense = \"x\"\n");
    fs::write(folder.join("plugin.toml"), format!("{head}{manifest}")).expect("a manifest");
    fs::write(folder.join("main.rhai"), code).expect("code");
    let path = folder.display().to_string();
    let hash = orysh(home, &["plugin", "show", &path, "--format", "jsonpath=hash"]);
    orysh(home, &["plugin", "install", &path, "--trust", &hash]);
}

fn start(sandbox: &Sandbox) -> bool {
    for n in 0..10 {
        let manifest = format!(
            "hooks = [\"before_create\", \"lint\"]\n[commands.greet-{n}]\nabout = \"a\"\narguments = [\"who: text = x\"]\n[config.a]\ntype = \"text\"\ndefault = \"b\"\nhelp = \"h\"\n"
        );
        install(
            &sandbox.home,
            &format!("plugin-{n}"),
            &manifest,
            &format!("fn before_create(c) {{ }}\nfn lint(c) {{ [] }}\nfn greet_{n}(args) {{ 1 }}"),
        );
    }
    let mut with = sandbox.line(&[PROGRAM, "version"]);
    with.environment.push(("XDG_CONFIG_HOME", String::new()));
    let without = sandbox.line(&[PROGRAM, "version", "--no-plugins"]);
    with.home = sandbox.home.join("own");
    let without = crate::measure::Line { home: sandbox.home.join("own"), ..without };
    let [with, without] = in_turn([&with, &without]);
    let more = with.wall_ms - without.wall_ms;
    let goal = format!("≤ {MOST_START_MS} ms more: {} ({more:.2})", yes(more <= MOST_START_MS));
    println!(
        "{:<40} {:>9.2} ms {:>9.2} ms  {goal}",
        "version with ten plugins, beside none", with.wall_ms, without.wall_ms
    );
    more <= MOST_START_MS * TOLERANCE
}

/// Each with a server of its own, in turn: a batch without hooks, and one with three.
fn batch() -> bool {
    let mut input = String::from("client_name,scope\n");
    for n in 0..ROWS {
        let _ = writeln!(input, "service-{n},read write");
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        for (times, flag) in [(&mut without, &["--no-plugins"][..]), (&mut with, &[])] {
            let sandbox = Sandbox::with(&[]);
            fs::write(sandbox.home.join("rows.csv"), &input).expect("an input");
            let manifest = "hooks = [\"before_create\", \"lint\", \"after_create\"]\n";
            let code = "fn before_create(c) { if c.client_name == \"\" { throw \"no name\"; } }\nfn lint(c) { [] }\nfn after_create(c) { c.client_id }";
            install(&sandbox.home, "rules", manifest, code);
            let mut command = Command::new(PROGRAM);
            command.args(["batch", "create", "rows.csv", "--endpoint", &sandbox.address("admin")]).args(flag);
            command.current_dir(&sandbox.home).env("ORYSH_HOME", sandbox.home.join("own"));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let began = Instant::now();
            assert!(command.status().expect("it starts").success());
            times.push(began.elapsed());
        }
    }
    let (with, without): (f64, f64) = (median(&mut with), median(&mut without));
    let ratio = without / with;
    let goal = format!("≥ {LEAST_RATIO} x the rate: {} ({ratio:.2})", yes(ratio >= LEAST_RATIO));
    println!("{:<40} {with:>9.0} ms {without:>9.0} ms  {goal}", format!("{ROWS} rows with three hooks"));
    // What is more falls on three calls a row.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let call = (with - without) * 1000.0 / (ROWS as f64 * 3.0);
    let goal = format!("≤ {MOST_CALL_US} us: {}", yes(call <= MOST_CALL_US));
    println!("{:<40} {call:>9.1} us {:>12}  {goal}", "a hook's call", "");
    ratio >= LEAST_RATIO / TOLERANCE && call <= MOST_CALL_US * TOLERANCE
}
