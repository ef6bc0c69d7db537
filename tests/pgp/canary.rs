//! A secret with a recipient is nowhere in clear: in no file, output, log or argument, on no way out.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use super::message;
use crate::support::{Gpg, Orysh, Sandbox, eventually, orysh};

const CANARY: &str = "canary-dYw3Gq0s9v";

fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files_below(&entry.path(), found),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

fn assert_nowhere(program: &Orysh) {
    let mut files = Vec::new();
    files_below(program.home(), &mut files);
    assert!(!files.is_empty());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "{}", file.display());
    }
}

#[test]
fn on_no_way_out() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.armored(&gpg.key("owner", "ed25519", "cv25519"));
    for trouble in
        ["", "--fail lose-reply:1", "--fail 5xx:9", "--fail html:9", "--fail empty:9", "--fail drop-before:9"]
    {
        let server = Sandbox::with(trouble);
        for flags in
            ["", "--format json", "--format yaml", "--format env", "-q", "--id given --secret-out out", "--dry-run"]
        {
            let program = orysh(&server).input(CANARY);
            program.file("key.asc", &key);
            let ran = program.run(&format!("create client --pgp-key @key.asc --secret-stdin --timeout 5s {flags}"));
            assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{trouble} {flags}\n{ran}");
            assert_nowhere(&program);
        }
    }
}

#[test]
fn while_it_runs_and_after_it_was_killed() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::with("--latency 3s");
    let program = orysh(&server).input(CANARY);
    program.file("key.asc", &gpg.armored(&gpg.key("owner", "ed25519", "cv25519")));
    let running = program.begin("create client --pgp-key @key.asc --secret-stdin --format json");
    let kept = eventually("the secret is kept", || {
        let kept = fs::read(program.pending().first()?).ok()?;
        serde_json::from_slice(&kept).ok()
    });
    assert_nowhere(&program);
    running.signal(Signal::KILL);
    let ran = running.end();
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{ran}");
    assert_nowhere(&program);
    assert_eq!(gpg.decrypt(&message(&kept)), CANARY);
}
