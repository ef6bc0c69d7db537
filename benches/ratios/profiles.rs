//! What a profile costs: its key in the key store, and a thousand others beside it in the file.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::measure::{Line, in_turn};
use crate::{PROGRAM, Sandbox, TOLERANCE, show, starts, yes};

/// What a key in the key store may cost over flags.
const MOST_MS: f64 = 3.0;

/// What reading a thousand profiles may cost.
const MOST_TO_READ_MS: f64 = 2.0;

/// A session bus with a key store on it, unlocked.
struct Bus {
    session: Child,
    home: PathBuf,
    address: String,
}

impl Bus {
    fn start(sandbox: &Sandbox) -> Self {
        let home = sandbox.home.join("bus");
        fs::create_dir_all(&home).expect("a folder for the bus");
        let script = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
            echo \"$DBUS_SESSION_BUS_ADDRESS\"
            cat";
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", script]).env("HOME", &home).env("XDG_RUNTIME_DIR", &home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut session = command.spawn().expect("the bus starts");
        let mut address = String::new();
        let stdout = session.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut address).expect("the bus tells its address");
        Bus { session, home, address: address.trim().to_owned() }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.session.stdin.take());
        let _ = self.session.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// Shows both. False: one of them is far from its goal.
pub fn table(sandbox: &Sandbox) -> bool {
    let admin = sandbox.address("admin");
    let flags = sandbox.line(&[PROGRAM, "list", "clients", "--limit", "1", "--endpoint", &admin]);
    let by_profile = |folder: &str, environment: Vec<(&'static str, String)>| Line {
        words: [PROGRAM, "list", "clients", "--limit", "1", "--profile", "p"].map(str::to_owned).to_vec(),
        environment,
        home: sandbox.home.join(folder),
        input: None,
    };
    let mut is_due = true;
    if starts("dbus-run-session") && starts("gnome-keyring-daemon") {
        let bus = Bus::start(sandbox);
        let stored = by_profile("stored", vec![("DBUS_SESSION_BUS_ADDRESS", bus.address.clone())]);
        config(&stored.home, &format!("[profile.p]\nendpoint = \"{admin}\"\n"));
        keep(&stored);
        let [with_flags, with_store] = in_turn([&flags, &stored]);
        let over = with_store.wall_ms - with_flags.wall_ms;
        show(
            "a profile's key, stored",
            &with_store,
            None,
            &format!("{over:.2} ms over flags ≤ {MOST_MS}: {}", yes(over <= MOST_MS)),
        );
        is_due &= over <= MOST_MS * TOLERANCE;
    } else {
        println!("dbus-run-session or gnome-keyring-daemon is missing: the key store's row is left out");
    }
    let profile = |name: &str| format!("[profile.{name}]\nendpoint = \"{admin}\"\nproduction = true # not now\n");
    let one = by_profile("one", Vec::new());
    config(&one.home, &profile("p"));
    let thousand = by_profile("thousand", Vec::new());
    let mut text = profile("p");
    for n in 1..1_000 {
        let _ = write!(text, "\n{}", profile(&format!("other-{n}")));
    }
    config(&thousand.home, &text);
    let [alone, among] = in_turn([&one, &thousand]);
    let over = among.wall_ms - alone.wall_ms;
    show(
        "one profile of 1,000",
        &among,
        None,
        &format!("{over:.2} ms over one ≤ {MOST_TO_READ_MS}: {}", yes(over <= MOST_TO_READ_MS)),
    );
    is_due && over <= MOST_TO_READ_MS * TOLERANCE
}

fn config(home: &std::path::Path, text: &str) {
    let folder = home.join("config");
    fs::create_dir_all(&folder).expect("a folder for the configuration");
    fs::write(folder.join("config.toml"), text).expect("a configuration");
    fs::set_permissions(folder.join("config.toml"), fs::Permissions::from_mode(0o600)).expect("0600");
}

fn keep(line: &Line) {
    let mut command = Command::new(PROGRAM);
    command.args(["auth", "key", "set", "--stdin", "--profile", "p"]).env("ORYSH_HOME", &line.home);
    command.envs(line.environment.iter().cloned()).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut running = command.spawn().expect("orysh starts");
    running.stdin.take().expect("stdin is piped").write_all(b"key").expect("the key is read");
    assert!(running.wait().expect("orysh ends").success(), "the key is kept");
}
