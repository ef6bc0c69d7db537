//! The program: its home, its environment, and what came of a run.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::{PATIENCE, PROGRAM, Sandbox, eventually, files};

/// The program with a home of its own and an environment that holds nothing else.
pub struct Orysh {
    home: Arc<TempDir>,
    variables: Vec<(&'static str, String)>,
    input: Option<String>,
}

/// The program, with a server as its target.
pub fn orysh(server: &Sandbox) -> Orysh {
    anywhere().with("ORY_SDK_URL", &server.admin)
}

/// The program, with nothing configured.
pub fn anywhere() -> Orysh {
    Orysh { home: Arc::new(TempDir::new().unwrap()), variables: Vec::new(), input: None }
}

impl Orysh {
    /// With a variable set.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The same in the same home.
    pub fn same_home(&self) -> Self {
        Orysh { home: Arc::clone(&self.home), variables: self.variables.clone(), input: None }
    }

    /// With this on stdin.
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Its one folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The same, whose shell does not tell how long something took, which is not the same each time.
    pub fn untimed(self) -> Self {
        self.file("config/shell.toml", "slow = \"1h\"\n");
        self
    }

    /// A file in its working folder, with this content.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        // Some of them hold what is for their owner alone.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A program in its working folder.
    pub fn executable(&self, name: &str, content: &str) {
        fs::set_permissions(self.file(name, content), fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// The files that keep secrets.
    pub fn pending(&self) -> Vec<PathBuf> {
        files(&self.home.path().join("state/pending"))
    }

    /// Id and secret of each client whose secret a run keeps.
    pub fn secrets_of_runs(&self) -> Vec<(String, String)> {
        let mut secrets = Vec::new();
        for run in self.run("batch list -q").ok().stdout.lines() {
            let rows = self.run(&format!("batch results {run} --secrets plain --format jsonl")).ok().stdout;
            for row in rows.lines() {
                let row: Value = serde_json::from_str(row).unwrap();
                if let (Some(id), Some(secret)) = (row["client_id"].as_str(), row["client_secret"].as_str()) {
                    secrets.push((id.to_owned(), secret.to_owned()));
                }
            }
        }
        secrets
    }

    /// What the only file that keeps a secret holds.
    pub fn only_pending(&self) -> Value {
        let files = self.pending();
        assert_eq!(files.len(), 1, "one kept secret is due");
        serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap()
    }

    /// Name and value of each variable.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        #[expect(clippy::disallowed_methods, reason = "what sh and head are found by")]
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = self.home.path().as_os_str().to_owned();
        let mut all = vec![("PATH", path), ("HOME", home.clone()), ("ORYSH_HOME", home), ("COLUMNS", "100".into())];
        all.extend(self.variables.iter().map(|(name, value)| (*name, value.into())));
        all
    }

    /// The program as a command that was not started yet, in its home as the working folder.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line, quoted as for a shell, to its end.
    pub fn run(&self, line: &str) -> Ran {
        self.args(&shlex::split(line).unwrap())
    }

    /// Runs these arguments to their end.
    pub fn args(&self, args: &[impl AsRef<std::ffi::OsStr>]) -> Ran {
        let mut command = self.command(PROGRAM);
        command.args(args);
        self.start(&mut command).end()
    }

    /// Runs a line of `sh` to its end, with the program found as `orysh`.
    pub fn sh(&self, line: &str) -> Ran {
        let mut command = self.command("sh");
        let mut path = Path::new(PROGRAM).parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(&self.environment()[0].1);
        command.args(["-c", line]).env("PATH", path);
        self.start(&mut command).end()
    }

    /// Starts a line and does not wait for its end.
    pub fn begin(&self, line: &str) -> Running {
        let mut command = self.command(PROGRAM);
        command.args(shlex::split(line).unwrap());
        self.start(&mut command)
    }

    /// Starts a command, and gives it its stdin.
    pub fn start(&self, command: &mut Command) -> Running {
        Orysh::spawned(command, self.input.as_deref())
    }

    /// Runs a line to its end, with this on stdin.
    pub fn run_with(&self, line: &str, input: &str) -> Ran {
        let mut command = self.command(PROGRAM);
        command.args(shlex::split(line).unwrap());
        Orysh::spawned(&mut command, Some(input)).end()
    }

    fn spawned(command: &mut Command, input: Option<&str>) -> Running {
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            // A program that ends before it has read everything is a matter of the test.
            let _ = stdin.write_all(text.as_bytes());
        }
        let stdout = child.stdout.take();
        let stderr = child.stderr.take().map(|mut from| thread::spawn(move || read(&mut from)));
        Running { child, stdout, stderr }
    }
}

fn read(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The program while it runs.
pub struct Running {
    child: Child,
    /// What it prints.
    pub stdout: Option<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        // Of a process that has ended already there is nothing to signal.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Whether it runs still.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ran {
        let stdout = self.stdout.take().map(|mut from| thread::spawn(move || read(&mut from)));
        let began = Instant::now();
        let status = eventually("the program ends", || {
            if began.elapsed() > PATIENCE / 2 {
                self.signal(Signal::KILL);
            }
            self.child.try_wait().unwrap()
        });
        let text = |thread: Option<JoinHandle<String>>| thread.map(|thread| thread.join().unwrap()).unwrap_or_default();
        Ran { code: status.code(), stdout: text(stdout), stderr: text(self.stderr.take()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it told.
    pub stderr: String,
}

impl Ran {
    /// It ended with 0.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// It ended with 0 and told nothing.
    pub fn quiet(self) -> Self {
        let ran = self.ok();
        assert_eq!(ran.stderr, "", "nothing is to be told");
        ran
    }

    /// It ended with this code, printed nothing and told this, among other things.
    pub fn fails(self, code: i32, told: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert_eq!(self.stdout, "", "{self}");
        self.tells(told)
    }

    /// It ended with this code after it had printed something, and told this, among other things.
    pub fn fails_after(self, code: i32, told: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self.tells(told)
    }

    /// It told this, among other things.
    pub fn tells(self, told: &str) -> Self {
        assert!(self.stderr.contains(told), "{told:?} is not told\n{self}");
        self
    }

    /// The JSON that it printed before it ended with 0.
    pub fn json(self) -> Value {
        let ran = self.ok();
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {:?}\nstdout:\n{}\nstderr:\n{}", self.code, self.stdout, self.stderr)
    }
}
