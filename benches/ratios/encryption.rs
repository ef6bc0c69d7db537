//! Encryptions a second on one core, with the key parsed once, beside `gpg -e` as a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use orysh::crypt::{Recipient, recipient};
use orysh::secret::Secret;

use crate::measure::{Line, in_turn};
use crate::yes;

/// How long each algorithm is measured.
const SPAN: Duration = Duration::from_secs(2);

/// Name, gpg's algorithms of key and subkey, and how many a second are due.
const ALGORITHMS: &[(&str, &str, &str, f64)] =
    &[("Curve25519", "ed25519", "cv25519", 10_000.0), ("RSA-4096", "rsa4096", "rsa4096", 1_000.0)];

/// Prints the table. False if gpg as a process is faster, which no machine explains.
pub fn table(home: &Path) -> bool {
    let keys = home.join("gnupg");
    if !make_folder(&keys) || gpg(&keys, &["--version"]).is_none() {
        println!("\ngpg is missing: encryption is not measured");
        return true;
    }
    println!("\n{:<22} {:>12} {:>12} {:>9}  goal, reached", "encryption", "orysh /s", "gpg -e /s", "ratio");
    let mut as_due = true;
    for (name, signs, encrypts, goal) in ALGORITHMS {
        let Some(key) = key(&keys, name, signs, encrypts) else {
            println!("{name:<22} gpg cannot make such a key");
            continue;
        };
        let recipients = [Recipient::read(&key, name).expect("gpg's key can be used")];
        let began = Instant::now();
        let mut count = 0.0;
        while began.elapsed() < SPAN {
            let secret = Secret::generate().expect("random bytes");
            recipient::encrypt(&recipients, &secret).expect("encryption");
            count += 1.0;
        }
        let ours = count / began.elapsed().as_secs_f64();
        let input = keys.join("secret");
        std::fs::write(&input, [b's'; 32]).expect("a file of 32 bytes");
        let words = ["gpg", "--batch", "--quiet", "--trust-model", "always", "--armor", "-r", name, "-e"];
        let line = Line {
            words: words.map(str::to_owned).into(),
            environment: vec![("GNUPGHOME", keys.display().to_string())],
            home: home.to_owned(),
            input: Some(input),
        };
        let [theirs] = in_turn([&line]);
        let theirs = 1000.0 / theirs.wall_ms;
        println!(
            "{name:<22} {ours:>12.0} {theirs:>12.0} {:>9.0}  ≥ {goal:.0} /s: {}",
            ours / theirs,
            yes(ours >= *goal)
        );
        as_due &= ours > theirs;
    }
    let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", &keys).output();
    as_due
}

fn make_folder(path: &PathBuf) -> bool {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).is_ok()
}

fn key(keys: &Path, name: &str, signs: &str, encrypts: &str) -> Option<Vec<u8>> {
    gpg(keys, &["--quick-generate-key", name, signs, "cert,sign", "never"])?;
    let list = String::from_utf8(gpg(keys, &["--list-keys", "--with-colons", name])?).ok()?;
    let fingerprint = list.lines().find_map(|line| line.strip_prefix("fpr:"))?.trim_matches(':').to_owned();
    gpg(keys, &["--quick-add-key", &fingerprint, encrypts, "encr", "never"])?;
    gpg(keys, &["--export", name])
}

fn gpg(keys: &Path, args: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("gpg");
    command.args(["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]).args(args);
    let output = command.env("GNUPGHOME", keys).stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output.stdout)
}
