//! Real gpg with a home of its own: makes keys, and reads what was encrypted for them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::tools::tool;

/// gpg and its keys.
pub struct Gpg {
    program: PathBuf,
    home: TempDir,
}

impl Gpg {
    /// A new home; `None`, said aloud, where gpg is not installed.
    pub fn new() -> Option<Gpg> {
        // The path of the agent's socket may not be long.
        let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        Some(Gpg { program: tool("gpg")?, home })
    }

    /// Runs gpg, which has to succeed.
    pub fn run(&self, args: &[&str]) -> String {
        String::from_utf8(self.feed(args, b"")).unwrap()
    }

    /// Runs gpg with this on stdin, which has to succeed.
    pub fn feed(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = Command::new(&self.program);
        command.args(["--batch", "--quiet", "--yes", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]);
        command.args(["--trust-model", "always", "--status-fd", "2"]).args(args).env("GNUPGHOME", self.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // What gpg does not want to read is no matter.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "gpg {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Makes a key for signing, with a subkey for encryption, and gives its fingerprint.
    pub fn key(&self, name: &str, signs: &str, encrypts: &str) -> String {
        let fingerprint = self.bare_key(name, signs, "cert,sign", "never");
        self.subkey(&fingerprint, encrypts, &[]);
        fingerprint
    }

    /// Makes a key without a subkey.
    pub fn bare_key(&self, name: &str, algorithm: &str, usage: &str, expires: &str) -> String {
        self.made(&[], name, algorithm, usage, expires)
    }

    /// Makes a key as if it were another time (`20200101T000000`).
    pub fn key_of(&self, time: &str, name: &str, expires: &str) -> String {
        self.made(&["--faked-system-time", time], name, "future-default", "default", expires)
    }

    /// Makes a key without a subkey, as if it were another time.
    pub fn made_at(&self, time: &str, name: &str) -> String {
        self.made(&["--faked-system-time", time], name, "ed25519", "cert,sign", "never")
    }

    fn made(&self, before: &[&str], name: &str, algorithm: &str, usage: &str, expires: &str) -> String {
        let user = format!("{name} <{name}@example.org>");
        self.run(&[before, &["--quick-generate-key", &user, algorithm, usage, expires]].concat());
        self.fingerprints(&format!("<{name}@example.org>")).remove(0)
    }

    /// Adds a subkey for encryption; `before` are options, a faked time above all.
    pub fn subkey(&self, fingerprint: &str, algorithm: &str, before: &[&str]) -> String {
        self.run(&[before, &["--quick-add-key", fingerprint, algorithm, "encr", "never"]].concat());
        self.fingerprints(fingerprint).pop().unwrap()
    }

    /// The fingerprints of a key and its subkeys.
    pub fn fingerprints(&self, key: &str) -> Vec<String> {
        let list = self.run(&["--list-keys", "--with-colons", key]);
        list.lines()
            .filter_map(|line| line.strip_prefix("fpr:"))
            .map(|rest| rest.trim_matches(':').to_owned())
            .collect()
    }

    /// Edits a key by gpg's own commands, an answer a line.
    pub fn edit(&self, key: &str, commands: &str) {
        self.feed(&["--no-batch", "--command-fd", "0", "--expert", "--edit-key", key], commands.as_bytes());
    }

    /// Exports the public key, armored or binary.
    pub fn export(&self, key: &str, armored: bool) -> Vec<u8> {
        let args: &[&str] = if armored { &["--armor", "--export", key] } else { &["--export", key] };
        self.feed(args, b"")
    }

    /// Exports the public key as armored text.
    pub fn armored(&self, key: &str) -> String {
        String::from_utf8(self.export(key, true)).unwrap()
    }

    /// Decrypts a message.
    pub fn decrypt(&self, message: &[u8]) -> String {
        String::from_utf8(self.feed(&["--decrypt"], message)).unwrap()
    }

    /// The ids of the keys that a message is encrypted to.
    pub fn recipients(&self, message: &[u8]) -> Vec<String> {
        let list = String::from_utf8(self.feed(&["--list-packets"], message)).unwrap();
        let ids = list.lines().filter(|line| line.starts_with(":pubkey enc packet"));
        ids.map(|line| line.rsplit_once("keyid ").unwrap().1.to_owned()).collect()
    }

    /// Where its keys are.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // The agent would outlive its home.
        let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.home.path()).output();
    }
}
