//! The one writer to the terminal: results on stdout, everything for a person on stderr.

pub mod input;
pub mod output;
pub mod progress;

use std::cell::Cell;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::marker::PhantomData;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nu_ansi_term::{Color as Paint, Style};
use rustix::event::Timespec;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::env;
use crate::error::{self, Error, Result};
use crate::secret::Secret;
use crate::text;
use crate::ui::input::Input;

/// How long input and output are waited for before an interruption is looked for.
const GLANCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

const NO_TIME: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The colours that people choose from, by name.
pub const PAINTS: [(&str, Paint); 6] = [
    ("red", Paint::Red),
    ("yellow", Paint::Yellow),
    ("green", Paint::Green),
    ("cyan", Paint::Cyan),
    ("blue", Paint::Blue),
    ("magenta", Paint::Magenta),
];

/// The modes that the terminal had when a shell began.
static MODES: OnceLock<Termios> = OnceLock::new();

/// Remembers the modes of the terminal on stdin, if it is one.
pub fn keep_modes() {
    if let Ok(modes) = tcgetattr(io::stdin()) {
        // The first ones are those that whoever started the shell had.
        let _ = MODES.set(modes);
    }
}

/// Gives the terminal the modes back that it had then.
pub fn restore_modes() {
    if let Some(modes) = MODES.get() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
    }
}

/// How many milliseconds a person has taken, all in all.
static THOUGHT: AtomicU64 = AtomicU64::new(0);

/// How long a person has taken to answer, all in all.
pub fn thought() -> Duration {
    Duration::from_millis(THOUGHT.load(Ordering::Relaxed))
}

/// While this lives, it is a person that is waited for: that is nobody's slowness.
#[derive(Debug)]
pub struct Thinking(Instant);

/// Begins.
pub fn thinking() -> Thinking {
    Thinking(Instant::now())
}

impl Drop for Thinking {
    fn drop(&mut self) {
        let took = u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        THOUGHT.fetch_add(took, Ordering::Relaxed);
    }
}

/// Whether a question has been put since a line began: whoever knows the ones that follow may answer them ahead.
static HAS_ASKED: AtomicBool = AtomicBool::new(false);

/// A line begins: what is typed while it runs is no answer to the first question that it puts.
pub fn begin_line() {
    HAS_ASKED.store(false, Ordering::SeqCst);
}

/// What a question of yes or no is answered with.
pub const YES_OR_NO: [&str; 2] = ["yes", "no"];

/// How many columns the terminal has, if there is one that tells.
pub fn columns() -> Option<usize> {
    let told = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    told.or_else(|| env::COLUMNS.get().and_then(|columns| columns.parse().ok()))
}

/// So many bytes terminals take for their clipboards, most of them.
const MOST_COPIED: usize = 74_000;

/// How many rows the terminal has, if there is one that tells.
pub fn rows() -> Option<usize> {
    terminal_size::terminal_size().map(|(_, height)| usize::from(height.0)).filter(|height| *height > 0)
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Color {
    /// On a terminal that is not dumb, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a line of a plan is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// What comes to be.
    Added,
    /// What stays, and changes.
    Changed,
    /// What goes.
    Removed,
}

/// Whether Ctrl-C has come since somebody began to watch for it.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ctrl-C has come: what waits for a person gives up.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// What came before does not count.
pub fn forget_interruption() {
    INTERRUPTED.store(false, Ordering::SeqCst);
}

/// Whether Ctrl-C has come, for what hears of it.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst) && !is_undisturbed()
}

thread_local! {
    static UNDISTURBED: Cell<usize> = const { Cell::new(0) };
}

/// While this lives, what runs on this thread comes to its end: it hears of no Ctrl-C.
#[derive(Debug)]
pub struct Undisturbed(PhantomData<*const ()>);

/// Begins.
pub fn undisturbed() -> Undisturbed {
    UNDISTURBED.set(UNDISTURBED.get() + 1);
    Undisturbed(PhantomData)
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        UNDISTURBED.set(UNDISTURBED.get().saturating_sub(1));
    }
}

/// Whether it does.
pub fn is_undisturbed() -> bool {
    UNDISTURBED.get() > 0
}

/// What this program writes through. Cheap to copy; holds no lock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ui {
    /// When to colour.
    pub color: Color,
    /// Whether errors are JSON objects on stderr (with `--format json`).
    pub json_errors: bool,
    /// Whether to leave out what is only told for information.
    pub quiet: bool,
    /// What is told beside that.
    pub telling: Telling,
}

/// What is told of what goes on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Telling {
    /// What somebody has to know.
    #[default]
    Usual,
    /// Each request as well.
    Requests,
    /// Nothing: it works in the background, while somebody types.
    Nothing,
}

impl Ui {
    /// Where results go. Writes are buffered: flush it.
    pub fn stdout(self) -> impl Write {
        BufWriter::with_capacity(64 * 1024, output::Stdout)
    }

    /// Whether stdout is a terminal.
    pub fn stdout_is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether what is written to stdout comes to nobody: it is `/dev/null`, which stands in for a closed one, too.
    pub fn stdout_is_discarded(self) -> bool {
        let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
        let stdout = rustix::fs::fstat(io::stdout());
        matches!((null, stdout), (Ok(null), Ok(stdout))
            if stdout.st_rdev == null && rustix::fs::FileType::from_raw_mode(stdout.st_mode).is_char_device())
    }

    /// Whether a person can be asked: on stdin, or at the terminal itself where stdin is read for something else.
    pub fn can_ask(self, stdin_is_read: bool) -> bool {
        let answers = if stdin_is_read { Input::terminal().is_some() } else { io::stdin().is_terminal() };
        answers && io::stderr().is_terminal()
    }

    /// Asks for yes or no where a person can be asked; Enter says no. True where nobody can be.
    pub fn agrees(self, question: &str, stdin_is_read: bool) -> bool {
        if !self.can_ask(stdin_is_read) {
            return true;
        }
        let input = if stdin_is_read { Input::terminal() } else { Some(Input::Stdin) };
        let [yes, no] = YES_OR_NO;
        let chosen = input.map(|mut input| {
            // Nobody agrees to what they have not seen.
            self.forget_typed_at(&input, false);
            self.chosen_at(&mut input, &format!("{question} [y/N] "), &YES_OR_NO, no)
        });
        chosen.is_some_and(|chosen| chosen.is_ok_and(|chosen| chosen == yes))
    }

    /// Asks for one of these words, or the beginning of one and of no other, until it is; nothing is `otherwise`. Errors: Ctrl-C, or
    /// the end of what is typed; nobody can be asked.
    pub fn choose<'w>(self, question: &str, words: &[&'w str], otherwise: &'w str) -> Result<&'w str> {
        if !self.can_ask(false) {
            return Err(nobody());
        }
        self.chosen_at(&mut Input::Stdin, question, words, otherwise)
    }

    fn chosen_at<'w>(
        self,
        input: &mut Input,
        question: &str,
        words: &[&'w str],
        otherwise: &'w str,
    ) -> Result<&'w str> {
        loop {
            let typed = self.typed_at(input, question)?;
            let typed = typed.trim().to_lowercase();
            if typed.is_empty() {
                return Ok(otherwise);
            }
            let begun: Vec<&'w str> = words.iter().copied().filter(|word| word.starts_with(&typed)).collect();
            match begun.as_slice() {
                [one] => return Ok(one),
                // What begins another as well is meant where it is all of it.
                [first, ..] if *first == typed => return Ok(first),
                _ => self.paragraph(&format!("`{typed}` is none of these: {}", words.join(", ")), "  "),
            }
        }
    }

    /// What was typed before now is no answer to what is asked from now on.
    pub fn forget_typed(self) {
        self.forget_typed_at(&Input::Stdin, true);
    }

    fn forget_typed_at(self, input: &Input, waits: bool) {
        HAS_ASKED.store(true, Ordering::SeqCst);
        if input::discard(input, waits) {
            // What an editor holds may end in the middle of a line, whose rest went just now.
            input::make_stale();
            self.note("what was typed ahead is not done: nobody had seen this by then");
        }
    }

    fn typed_at(self, input: &mut Input, question: &str) -> Result<String> {
        if !HAS_ASKED.load(Ordering::SeqCst) {
            self.forget_typed_at(input, false);
        }
        let _ = write!(io::stderr(), "{}", text::safe_lines(question));
        input::line(input).ok_or_else(Error::interrupted)
    }

    /// A line that a person types as an answer; `None` where nobody can be asked. Errors: Ctrl-C, or the end of what is typed.
    pub fn asked(self, question: &str) -> Option<Result<String>> {
        self.can_ask(false).then(|| self.typed_at(&mut Input::Stdin, question))
    }

    /// The width of the terminal on stdout, in columns; `None` off a terminal.
    pub fn width(self) -> Option<usize> {
        self.stdout_is_terminal().then(|| columns().unwrap_or(80))
    }

    /// Whether stdin is a terminal, from which nothing comes by itself.
    pub fn stdin_is_terminal(self) -> bool {
        io::stdin().is_terminal()
    }

    /// Whether a person sees what is told.
    pub fn stderr_is_terminal(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether stdout is coloured.
    pub fn colors_stdout(self) -> bool {
        self.colors(io::stdout().is_terminal())
    }

    /// Whether stderr is coloured.
    pub fn colors_stderr(self) -> bool {
        self.colors(io::stderr().is_terminal())
    }

    fn colors(self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && env::NO_COLOR.get().is_none() && env::TERM.get().is_none_or(|term| term != "dumb")
            }
        }
    }

    /// Opens an address in the browser of whoever sits at the screen. False: there is nothing to open it with.
    pub fn open_browser(self, address: &str) -> bool {
        let mut opener = Command::new("xdg-open");
        opener.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What signs in here is not for other programs.
        for secret in [&env::ORY_PROJECT_API_KEY, &env::ORY_WORKSPACE_API_KEY, &env::OAUTH2_CLIENT_SECRET] {
            opener.env_remove(secret.name);
        }
        opener.spawn().is_ok()
    }

    /// The same without spaces around it. Errors: nobody can be asked, too.
    pub fn answer(self, question: &str) -> Result<String> {
        self.asked(question).ok_or_else(nobody)?.map(|typed| typed.trim().to_owned())
    }

    /// Gives the terminal a text for its clipboard (OSC 52), which keeps no list of what it was given. Errors: there is no terminal,
    /// or it would take no more than a part of it.
    pub fn copy(self, text: &str) -> Result<()> {
        if !self.stderr_is_terminal() {
            return Err(Error::usage("there is no terminal whose clipboard could be used"));
        }
        if text.len() > MOST_COPIED {
            let most = text::size(MOST_COPIED);
            return Err(Error::usage(format!("terminals take no more than {most} at once")).hint("`> FILE` writes it"));
        }
        let _ = write!(io::stderr(), "\x1b]52;c;{}\x07", STANDARD.encode(text));
        Ok(())
    }

    /// A line that is typed at the terminal on stdin and not shown; `None` where that is no terminal. Ctrl-C ends it.
    pub fn typed_unseen(self, what: &str) -> Option<Result<Secret>> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut silent = before.clone();
        // What was typed ahead may be the answer, which is to be neither shown nor done.
        input::make_stale();
        // Ctrl-C comes as a character, so that the terminal is never left silent.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG | LocalModes::ICANON);
        // Whoever sees the question may answer at once.
        let typed = tcsetattr(&stdin, OptionalActions::Flush, &silent)
            .map_err(|source| Error::failed("cannot silence the terminal").caused_by(io::Error::from(source)))
            .and_then(|()| {
                let _ = write!(io::stderr(), "{what}: ");
                read_unseen(Input::Stdin, what)
            });
        let _ = tcsetattr(&stdin, OptionalActions::Flush, &before);
        self.line("");
        Some(typed)
    }

    /// Tells something worth knowing; left out with `--quiet`.
    pub fn note(self, message: &str) {
        if !self.quiet && self.telling != Telling::Nothing {
            self.tell("note", Paint::Cyan, message);
        }
    }

    /// Tells something doubtful.
    pub fn warn(self, message: &str) {
        if self.telling != Telling::Nothing {
            self.tell("warning", Paint::Yellow, message);
        }
    }

    /// Tells something wrong, behind which all goes on: it is no error that a command ends with.
    pub fn complain(self, message: &str) {
        self.tell("error", Paint::Red, message);
    }

    /// Tells a line of a plan, with its mark in front; left out with `--quiet`.
    pub fn marked(self, mark: Mark, message: &str) {
        if self.quiet {
            return;
        }
        let (sign, paint) = match mark {
            Mark::Added => ('+', Paint::Green),
            Mark::Changed => ('~', Paint::Yellow),
            Mark::Removed => ('-', Paint::Red),
        };
        let style = if self.colors_stderr() { Style::new().fg(paint) } else { Style::new() };
        self.line(&style.paint(format!("{sign} {}", text::safe_lines(message))).to_string());
    }

    /// Tells an error: the message and its hints, or one JSON object.
    pub fn error(self, error: &Error) {
        if error.is_told() {
            return;
        }
        if self.json_errors {
            self.line(&text::safe_json(&error_json(error).to_string()));
            return;
        }
        self.tell("error", Paint::Red, &error.placed_message());
        if let Some(excerpt) = error.excerpt() {
            self.line(&text::safe_lines(excerpt));
        }
        for hint in error.hints() {
            self.tell("hint", Paint::Cyan, hint);
        }
    }

    /// Writes text for a person to stderr as it is, but for what could harm the terminal.
    pub fn line(self, line: &str) {
        output::tell(&format!("{line}\n"));
    }

    /// Writes a text to stderr in as many lines as the terminal needs, each behind `indent`.
    pub fn paragraph(self, text: &str, indent: &str) {
        self.line(&text::wrapped(&text::safe(text), columns().unwrap_or(80), indent));
    }

    /// Writes help to stdout; a closed pipe is no fault.
    pub fn print(self, text: &str) {
        let _ = self.try_print(text);
    }

    /// Writes to stdout. Errors: nobody gets it.
    pub fn try_print(self, text: &str) -> io::Result<()> {
        output::Stdout.write_all(text.as_bytes())
    }

    /// A line of a script for stdout: as it is for a pipe, and for a terminal what cannot harm it.
    pub fn printable(self, line: &str) -> String {
        let line = if self.stdout_is_terminal() { text::safe_painted(line) } else { line.into() };
        format!("{line}\n")
    }

    /// A text in a style, where stdout is coloured: words as `bold red`. Errors: a word that is no style.
    pub fn painted(self, text: &str, style: &str) -> Result<String> {
        let mut painted = Style::new();
        for word in style.split_whitespace() {
            painted = match (word, PAINTS.iter().find(|(name, _)| *name == word)) {
                ("bold", _) => painted.bold(),
                ("dim", _) => painted.dimmed(),
                ("italic", _) => painted.italic(),
                ("underline", _) => painted.underline(),
                (_, Some((_, paint))) => painted.fg(*paint),
                (_, None) => {
                    let known = PAINTS.iter().map(|(name, _)| *name).chain(["bold", "dim", "italic", "underline"]);
                    let error = Error::usage(format!("`{}` is no style", text::safe(word)));
                    return Err(error.did_you_mean(error::nearest(word, known)));
                }
            };
        }
        Ok(if self.colors_stdout() { painted.paint(text).to_string() } else { text.to_owned() })
    }

    fn tell(self, label: &str, paint: Paint, message: &str) {
        let style = if self.colors_stderr() { Style::new().bold().fg(paint) } else { Style::new() };
        // What follows is not to look like a line of its own.
        let message = text::safe_lines(&text::brief(message)).replace('\n', "\n  ");
        self.line(&format!("{} {message}", style.paint(format!("{label}:"))));
    }
}

fn nobody() -> Error {
    Error::usage("nobody can be asked")
}

/// Reads keys up to the end of the line: backspace takes the last one back.
fn read_unseen(reader: impl Read, what: &str) -> Result<Secret> {
    let _thinking = thinking();
    let mut typed = Zeroizing::new(Vec::with_capacity(1024));
    for byte in BufReader::with_capacity(1, reader).bytes() {
        let unread = |source| {
            let error = Error::usage(format!("cannot read the {what}")).caused_by(source);
            if is_interrupted() { Error::interrupted() } else { error }
        };
        match byte.map_err(unread)? {
            b'\r' | b'\n' | 0x04 => break,
            0x03 => return Err(Error::interrupted()),
            0x08 | 0x7f => {
                // A character of several bytes goes as a whole.
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            // As terminals have it: the whole line, and the last word.
            0x15 => typed.clear(),
            0x17 => {
                while typed.pop_if(|byte| *byte == b' ').is_some() {}
                while typed.pop_if(|byte| *byte != b' ').is_some() {}
            }
            byte if byte < 0x20 => {
                return Err(Error::usage(format!("a key that was typed into the {what} is no character"))
                    .hint("type it again, or give it a file"));
            }
            byte => typed.push(byte),
        }
    }
    Secret::read(typed.as_slice(), what, "what was typed")
}

/// An error as an object: what scripts read from stderr with `--format json`.
pub fn error_json(error: &Error) -> Value {
    let mut body = Map::new();
    body.insert("message".into(), error.full_message().into());
    body.insert("exit_code".into(), error.kind().exit_code().into());
    if let Some(status) = error.status() {
        body.insert("status".into(), status.into());
    }
    if let Some(code) = error.code() {
        body.insert("code".into(), code.into());
    }
    if let Some(position) = error.position() {
        body.insert("position".into(), json!({"line": position.line, "column": position.column}));
    }
    if let Some(excerpt) = error.excerpt() {
        body.insert("excerpt".into(), excerpt.into());
    }
    if !error.hints().is_empty() {
        body.insert("hints".into(), error.hints().into());
    }
    json!({"error": body})
}
