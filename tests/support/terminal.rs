//! The program on a real terminal.

use std::io::{Read as _, Write as _};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::LocalModes;

use super::{Orysh, PATIENCE, PROGRAM, eventually};

/// The program on a terminal.
pub struct Terminal {
    child: std::process::Child,
    keys: Arc<Pty>,
    screen: Arc<Mutex<vt100::Parser>>,
    program: Orysh,
}

/// How lines end behind which somebody is to type.
const ENDS: [&str; 6] = [">", "]", ":", "?", "{", "q ends the tour"];

impl Terminal {
    /// The shell.
    pub fn of(program: Orysh) -> Self {
        Terminal::with(program, &[])
    }

    /// A command.
    pub fn with(program: Orysh, args: &[&str]) -> Self {
        Terminal::sized(program, args, (40, 120))
    }

    /// A command on a terminal of so many lines and columns.
    pub fn sized(program: Orysh, args: &[&str], size: (u16, u16)) -> Self {
        Terminal::on(program, args, size, "xterm")
    }

    /// A command on a terminal of this kind.
    pub fn on(program: Orysh, args: &[&str], size: (u16, u16), kind: &str) -> Self {
        Terminal::running(PROGRAM, program, args, size, kind)
    }

    /// Another command, in the place of one.
    pub fn running(path: &str, program: Orysh, args: &[&str], (rows, columns): (u16, u16), kind: &str) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let command = Command::new(path).env_clear().envs(program.environment()).env("TERM", kind).args(args);
        let child = command.current_dir(program.home()).spawn(pts).unwrap();
        // One without a size is read as one of the usual size.
        let (rows, columns) = if columns < 10 { (24, 80) } else { (rows, columns) };
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let keys = Arc::new(pty);
        let (shown, from) = (Arc::clone(&screen), Arc::clone(&keys));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails once the program has gone.
            while let Ok(some) = (&*from).read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..some]);
            }
        });
        Terminal { child, keys, screen, program }
    }

    /// The folder that it works in.
    pub fn home(&self) -> &std::path::Path {
        self.program.home()
    }

    /// Presses keys.
    pub fn press(&self, keys: &str) {
        (&*self.keys).write_all(keys.as_bytes()).unwrap();
    }

    /// Presses what is no text.
    pub fn press_bytes(&self, bytes: &[u8]) {
        (&*self.keys).write_all(bytes).unwrap();
    }

    /// Waits until this has come, wherever the cursor was.
    pub fn settles_raw(&self, text: &str) {
        let flat = |text: &str| text.split_whitespace().collect::<String>();
        self.until(text, |contents| flat(contents).contains(text));
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal, and to nothing that it has started.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What the screen shows.
    pub fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Another size, of lines and columns.
    pub fn resize(&self, (rows, columns): (u16, u16)) {
        self.screen.lock().unwrap().screen_mut().set_size(rows, columns);
        self.keys.resize(Size::new(rows, columns)).unwrap();
    }

    /// The lines of the screen, each up to its last character; one that goes on in the next is as wide as the screen.
    pub fn lines(&self) -> Vec<String> {
        let screen = self.screen.lock().unwrap();
        let (_, columns) = screen.screen().size();
        let line = |(row, line): (u16, String)| {
            let line = line.trim_end();
            let width = if screen.screen().row_wrapped(row) { usize::from(columns) } else { 0 };
            format!("{line:<width$}")
        };
        (0..).zip(screen.screen().rows(0, columns)).map(line).collect()
    }

    /// What the screen shows, with its colours, for whoever draws it.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.screen.lock().unwrap().screen())
    }

    /// Presses keys, and waits until the screen is another one, shows this however it is broken into lines, and stays as it is; of nothing
    /// to be shown until there is a prompt.
    pub fn settles(&self, keys: &str, shown: &str) -> Vec<String> {
        let before = self.lines();
        self.press(keys);
        let flat = |text: &str| text.split_whitespace().collect::<String>();
        let is_due = |lines: &[String]| {
            let last = lines.iter().rfind(|line| !line.is_empty());
            if shown.is_empty() {
                return last.is_some_and(|line| line.ends_with('>') || line.ends_with("> "));
            }
            // Whoever pressed Enter is asked for more, or is not at the end of what they type.
            let typed = keys.trim();
            let asks = last.is_some_and(|line| ENDS.iter().any(|end| line.trim_end().ends_with(end)));
            let asks = asks || !typed.is_empty() && last.is_some_and(|line| line.trim() == typed);
            flat(&lines.concat()).contains(&flat(shown)) && (asks || !keys.ends_with('\r'))
        };
        let (began, mut since, mut last) = (Instant::now(), Instant::now(), before.clone());
        loop {
            let lines = self.lines();
            if lines != last {
                (since, last) = (Instant::now(), lines);
            }
            if last != before && is_due(&last) && since.elapsed() > Duration::from_millis(250) {
                return last;
            }
            let shown = last.join("\n");
            assert!(began.elapsed() < PATIENCE / 4, "{keys:?} does not lead to {shown:?}:\n{shown}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the screen shows this.
    pub fn shows(&self, text: &str) -> String {
        self.until(text, |contents| contents.contains(text))
    }

    /// Waits until the screen shows what is meant.
    pub fn until(&self, what: &str, is_shown: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let contents = self.contents();
            if is_shown(&contents) {
                return contents;
            }
            assert!(began.elapsed() < PATIENCE / 4, "the screen does not show {what:?}:\n{contents}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the prompt, types a line, and waits until the screen shows this below it.
    pub fn types(&self, line: &str, shown: &str) -> String {
        self.until("a prompt", |contents| contents.trim_end().ends_with('>'));
        self.press(&format!("{line}\r"));
        self.until(shown, |contents| contents.rsplit_once(line).is_some_and(|(_, below)| below.contains(shown)))
    }

    /// Types an answer to what was asked, and waits until the last lines of the screen, which is another by then, show this.
    pub fn answers(&self, answer: &str, shown: &str) -> String {
        let before = self.contents();
        self.press(&format!("{answer}\r"));
        self.until(shown, |contents| {
            let mut last = contents.trim_end().lines().rev().take(12);
            contents != before && last.any(|line| line.contains(shown))
        })
    }

    /// Whether what is typed is shown, and comes a line at a time.
    pub fn is_as_usual(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&*self.keys).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// How it ends.
    pub fn ended(&mut self) -> ExitStatus {
        eventually("the program ends", || self.child.try_wait().unwrap())
    }

    /// Leaves the shell at its prompt.
    pub fn leaves(mut self) -> ExitStatus {
        // Before the shell reads again, Ctrl-D is an end of input for the program that it runs.
        self.until("a prompt", |contents| contents.trim_end().ends_with('>') && !self.is_as_usual());
        self.press("\u{4}");
        self.ended()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
