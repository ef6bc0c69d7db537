//! What a row of a batch costs this program, part by part: read off the threads of the process while it runs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::PROGRAM;

/// Nanoseconds on a processor, by the name of the thread.
type Threads = HashMap<String, u64>;

/// Microseconds a row.
pub struct Budget {
    building: f64,
    sending: f64,
    journal: f64,
    reporting: f64,
}

impl Budget {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.building + self.sending + self.journal + self.reporting
    }

    /// As it is printed.
    pub fn told(&self) -> String {
        let Budget { building, sending, journal, reporting } = self;
        format!(
            "of us CPU: building {building:.1}, sending {sending:.1}, journal {journal:.1}, reporting {reporting:.1}: {:.1}",
            self.total()
        )
    }
}

/// Measures a batch of so many rows. Building is all that a dry run does: reading, checking, and spooling into the journal.
pub fn of(home: &Path, admin: &str, input: &Path, rows: f64, connections: &str) -> Budget {
    let input = input.to_str().expect("a path in UTF-8");
    let folder = home.join("budget");
    let results = folder.join("made.csv");
    let create = ["batch", "create", input, "--concurrency", connections];
    let (checked, _) = threads(&folder, admin, &[&create[..], &["--dry-run"]].concat());
    let (ran, run) = threads(&folder, admin, &[&create[..], &["-q"]].concat());
    let out = results.to_str().expect("a path in UTF-8");
    let (told, _) = threads(&folder, admin, &["batch", "results", run.trim(), "--secrets", "plain", "--out", out]);
    // What stays is cleaned up with the home of all.
    let _ = fs::remove_dir_all(&folder);
    let of = |threads: &Threads, is: fn(&str) -> bool| -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it is told to a tenth of a microsecond")]
        let nanoseconds = threads.iter().filter(|(name, _)| is(name)).map(|(_, spent)| *spent as f64).sum::<f64>();
        nanoseconds / 1000.0 / rows
    };
    let is_journal = |name: &str| name == "journal";
    let building = of(&checked, |_| true);
    let journal = of(&ran, is_journal) - of(&checked, is_journal);
    let sending = of(&ran, |_| true) - building - journal;
    Budget { building, sending, journal, reporting: of(&told, |_| true) }
}

/// Runs a command, and reads what its threads have spent until shortly before it ends. Gives its output, too.
fn threads(home: &Path, admin: &str, words: &[&str]) -> (Threads, String) {
    let mut child = Command::new(PROGRAM)
        .args(words)
        .env("ORYSH_HOME", home)
        .env("HOME", home)
        .env("ORY_SDK_URL", admin)
        .env_remove("HYDRA_PUBLIC_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let tasks = format!("/proc/{}/task", child.id());
    let mut spent: HashMap<String, (String, u64)> = HashMap::new();
    while child.try_wait().expect("it is a child").is_none() {
        for task in fs::read_dir(&tasks).into_iter().flatten().flatten() {
            let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let (name, statistics) = (read("comm"), read("schedstat"));
            if let Some(now) = statistics.split(' ').next().and_then(|number| number.parse().ok()) {
                let known = spent.entry(task.file_name().to_string_lossy().into_owned()).or_default();
                *known = (name.trim().to_owned(), known.1.max(now));
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().expect("it has ended");
    assert!(output.status.success(), "{} ended with {}", words.join(" "), output.status);
    let mut threads = Threads::new();
    for (name, nanoseconds) in spent.into_values() {
        *threads.entry(name).or_default() += nanoseconds;
    }
    (threads, String::from_utf8_lossy(&output.stdout).into_owned())
}
