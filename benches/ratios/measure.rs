//! One command, timed: wall time, processor time, peak memory.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Stands in a command for an id that no client has yet.
pub const FRESH_ID: &str = "[fresh]";

const WARM_UP: usize = 5;
const RUNS: usize = 40;

/// A command line with what it finds in its environment.
#[derive(Clone)]
pub struct Line {
    pub words: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
    /// Given to every run as its own home.
    pub home: PathBuf,
    pub input: Option<PathBuf>,
}

/// What a command took.
#[derive(Clone, Copy)]
pub struct Taken {
    pub wall_ms: f64,
    pub cpu_ms: Option<f64>,
    pub peak_kib: Option<f64>,
}

impl Line {
    fn command(&self, before: &[&str]) -> Command {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = format!("00000000-0000-4000-8000-{:012}", NEXT.fetch_add(1, Ordering::Relaxed));
        let words = before.iter().map(|word| (*word).to_owned());
        let words: Vec<String> = words.chain(self.words.iter().map(|word| word.replace(FRESH_ID, &id))).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("ORYSH_HOME", &self.home).env("HOME", &self.home);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let stdin = self.input.as_ref().and_then(|path| std::fs::File::open(path).ok());
        command.stdin(stdin.map_or_else(Stdio::null, Into::into)).stdout(Stdio::null());
        command
    }

    /// Runs it once.
    pub fn timed(&self) -> Duration {
        let began = Instant::now();
        let status = self.command(&[]).stderr(Stdio::null()).status().expect("the command starts");
        let took = began.elapsed();
        assert!(status.success(), "{} ended with {status}", self.words[..self.words.len().min(3)].join(" "));
        took
    }

    /// User and system time, as bash's `time` tells it for one process; `None` where there is no bash.
    fn cpu_ms(&self) -> Option<f64> {
        let script = r#"TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>&1"#;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let output = self.command(&["bash", "-c", script, "bash"]).output().ok()?;
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let seconds = told.split_whitespace().map(|time| time.parse::<f64>().ok()).sum::<Option<f64>>()?;
            times.push(Duration::from_secs_f64(seconds));
        }
        Some(median(&mut times))
    }

    /// The peak as GNU time tells it; `None` where it is not installed.
    pub fn peak_kib(&self) -> Option<f64> {
        let output = self.command(&["/usr/bin/time", "-f", "%M"]).output().ok()?;
        String::from_utf8_lossy(&output.stderr).lines().last()?.trim().parse().ok()
    }
}

/// Times commands in turn, so that whatever else the machine does falls on all of them.
pub fn in_turn<const N: usize>(lines: [&Line; N]) -> [Taken; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for run in 0..WARM_UP + RUNS {
        for (line, times) in lines.iter().zip(&mut times) {
            let took = line.timed();
            if run >= WARM_UP {
                times.push(took);
            }
        }
    }
    std::array::from_fn(|at| Taken {
        wall_ms: median(&mut times[at]),
        cpu_ms: lines[at].cpu_ms(),
        peak_kib: lines[at].peak_kib(),
    })
}

/// In milliseconds.
pub fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
