//! A secret with a recipient is nowhere in clear: in no file, output, log or argument, on no way out.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::process::Stdio;

use rustix::process::Signal;

use super::message;
use crate::support::{Gpg, Orysh, PROGRAM, Sandbox, eventually, files_below, holds, orysh};

const CANARY: &str = "canary-dYw3Gq0s9v";

fn assert_nowhere(program: &Orysh) {
    let files = files_below(program.home());
    assert!(!files.is_empty());
    for (file, bytes) in files {
        assert!(!holds(&bytes, CANARY), "{}", file.display());
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

/// How often the canary stands in what a process has in memory.
fn copies(process: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut count = 0;
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // Some pages cannot be read.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            count += bytes.windows(CANARY.len()).filter(|part| *part == CANARY.as_bytes()).count();
        }
    }
    count
}

#[test]
fn in_memory_it_ends_with_its_request() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&gpg.key("owner", "ed25519", "cv25519")));
    program.file("secret", CANARY);
    let mut shell = program.command(PROGRAM).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    for id in ["first", "second"] {
        writeln!(stdin, "create client --id {id} --secret-file secret --pgp-key @key.asc -q").unwrap();
        eventually("it is made", || (server.client(id)["client_id"] == id).then_some(()));
        // Nothing of it is told where the work is done: it has to stay so.
        eventually("it is wiped", || (copies(shell.id()) == 0).then_some(()));
    }
    drop(stdin);
    shell.wait().unwrap();
    fs::remove_file(program.home().join("secret")).unwrap();
    assert_nowhere(&program);
}
