//! Programs that tests talk to, where they are installed.

use std::path::PathBuf;

/// A program by its name in PATH. Where it is missing that is said, and a test that returns then counts as skipped.
///
/// In CI nothing may be missing.
pub fn tool(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "what programs are found by")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.or_else(|| missing(name))
}

/// A file of a package that `npm install --prefix target/tools` put there.
pub fn package(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/node_modules")).join(file);
    if path.exists() { Some(path) } else { missing(file) }
}

fn missing(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "whether this is CI")]
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "{name} is not installed");
    #[expect(clippy::print_stderr, reason = "a skipped test is told aloud")]
    {
        eprintln!("skipped: {name} is not installed");
    }
    None
}
