//! A session bus with a real key store on it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::tools::tool;

/// GNOME's key store, unlocked, on a session bus of its own.
pub struct KeyStore {
    session: Child,
    home: TempDir,
    /// The address of the bus.
    pub bus: String,
}

/// Its collection is unlocked, the address told, and the session lasts as long as stdin is open.
const SESSION: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    echo \"$DBUS_SESSION_BUS_ADDRESS\"
    cat";

impl KeyStore {
    /// Starts one; `None`, said aloud, where a program that it takes is not installed.
    pub fn start() -> Option<KeyStore> {
        let program = tool("dbus-run-session")?;
        tool("gnome-keyring-daemon")?;
        let home = TempDir::new().unwrap();
        let mut command = Command::new(program);
        command.args(["--", "sh", "-c", SESSION]).env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut session = command.spawn().unwrap();
        let mut bus = String::new();
        BufReader::new(session.stdout.take().unwrap()).read_line(&mut bus).unwrap();
        Some(KeyStore { session, home, bus: bus.trim().to_owned() })
    }

    /// Where its files are.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

impl Drop for KeyStore {
    fn drop(&mut self) {
        drop(self.session.stdin.take());
        let _ = self.session.wait();
    }
}
