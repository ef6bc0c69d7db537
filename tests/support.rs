//! What tests read as sentences: a real server, and the real program that is run against it.

mod gpg;
mod key_store;
mod program;
mod sandbox;
mod stub;
mod terminal;
pub mod tools;

pub use gpg::Gpg;
pub use key_store::KeyStore;
pub use program::{Orysh, Ran, Running, anywhere, orysh};
pub use sandbox::Sandbox;
pub use stub::{Stub, tls_pages, tls_stub};
pub use terminal::Terminal;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_orysh");

/// The longest that anything in a test may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every file below a folder, and what is in it.
pub fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for path in files(folder) {
        match std::fs::symlink_metadata(&path).unwrap().file_type() {
            kind if kind.is_dir() => found.extend(files_below(&path)),
            kind if kind.is_file() => found.push((path.clone(), std::fs::read(&path).unwrap())),
            _ => {}
        }
    }
    found
}

/// Whether a text stands somewhere in bytes.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// The files of a folder, which need not exist.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}
