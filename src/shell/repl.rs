//! The loop: read a line, do it, tell what came of it.

use std::sync::Arc;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Config, Editor, Helper, Highlighter, Hinter};

use crate::config::{files, paths};
use crate::error::{Error, Result};
use crate::grammar::execute::Memory;
use crate::grammar::{Host, Registry, common, execute, parse, words};
use crate::model::fields::FIELDS;
use crate::output::format::Format;
use crate::session::hook::on_big_stack;
use crate::session::target::Target;
use crate::shell::line::{Sort, sort};
use crate::shell::rhai::{Prompt, is_incomplete};
use crate::text;
use crate::ui::PAINTS;

/// Lines that are kept.
const HISTORY_LINES: usize = 10_000;

/// Whether there is a next line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Go,
    Leave,
}

/// The shell on a terminal. A failing line is told, and the next one read.
pub fn interactive(host: &Host, fell_back: bool) -> Result<()> {
    on_big_stack(|| {
        let ui = host.session.ui();
        if fell_back {
            ui.note("no server is named: this is the sandbox inside this program, with clients of its own");
        }
        ui.line(&format!("orysh {}: `help` shows the commands, Ctrl-D leaves", env!("CARGO_PKG_VERSION")));
        let mut prompt = Prompt::new(host);
        let mut editor = editor()?;
        editor.set_helper(Some(Lines { registry: Arc::clone(&host.registry) }));
        let history = history_file();
        if let Some(path) = &history {
            // A history that is not there yet, or not ours, is begun anew.
            let _ = editor.load_history(path);
        }
        loop {
            let label = label(host);
            match editor.readline(&format!("{label}> ")) {
                Ok(line) => {
                    if is_fit_for_history(&line) {
                        let _ = editor.add_history_entry(line.trim());
                        if let Some(path) = &history {
                            let _ = editor.save_history(path);
                        }
                    }
                    match do_line(host, &mut prompt, &line) {
                        Ok(Next::Go) => {}
                        Ok(Next::Leave) => return Ok(()),
                        Err(error) => ui.error(&error),
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(source) => return Err(Error::failed("cannot read from the terminal").caused_by(source)),
            }
        }
    })
}

/// The same lines from stdin; the first error ends it.
pub fn from_stdin(host: &Host) -> Result<()> {
    on_big_stack(|| {
        let mut prompt = Prompt::new(host);
        let mut pending = String::new();
        let mut begun_at = 0;
        for at in 0.. {
            // Not held on to: a command that reads stdin would wait for it for ever.
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            if read.map_err(|source| Error::usage("cannot read stdin").caused_by(source))? == 0 {
                break;
            }
            let line = line.trim_end_matches('\n').trim_end_matches('\r');
            if pending.is_empty() {
                begun_at = at + 1;
            } else {
                pending.push('\n');
            }
            pending.push_str(line);
            if sort(&pending, &host.registry) == Sort::Rhai && is_incomplete(&pending) {
                continue;
            }
            let whole = std::mem::take(&mut pending);
            match do_line(host, &mut prompt, &whole) {
                Ok(Next::Go) => {}
                Ok(Next::Leave) => return Ok(()),
                Err(error) if error.is_told() => return Err(error),
                Err(error) => return Err(error.about(format!("line {begun_at}"))),
            }
        }
        if pending.is_empty() { Ok(()) } else { do_line(host, &mut prompt, &pending).map(|_| ()) }
    })
}

fn do_line(host: &Host, prompt: &mut Prompt, line: &str) -> Result<Next> {
    let _watch = host.session.interrupt().watch();
    // Hints and examples name the program.
    match line.trim().strip_prefix("orysh") {
        Some("") => return Ok(Next::Go),
        Some(rest) if rest.starts_with(' ') => return command(host, prompt, rest).map(|()| Next::Go),
        _ => {}
    }
    match sort(line, &host.registry) {
        Sort::Empty => Ok(Next::Go),
        Sort::Leave => Ok(Next::Leave),
        Sort::Command => command(host, prompt, line).map(|()| Next::Go),
        Sort::Rhai => {
            let outcome = prompt.evaluate(line)?;
            execute::show(host.session.ui(), outcome, &Format::Table, false).map(|()| Next::Go)
        }
    }
}

fn command(host: &Host, prompt: &mut Prompt, line: &str) -> Result<()> {
    let ui = host.session.ui();
    match parse::parse(&host.registry, &words::split(line)?, ui.colors_stdout())? {
        parse::Parsed::Help(help) => ui.print(&help),
        parse::Parsed::Bare(_) => {}
        parse::Parsed::Command(command, matches) => {
            let output = common::output(&matches, command.format)?;
            let line_ui = output.ui;
            let memory = Memory::default();
            match execute::execute(host, command, &matches, output, Some(&memory)) {
                Ok(()) => prompt.remember(&memory.take()),
                Err(error) => {
                    // Told as the line asked for: as JSON with `--format json`.
                    line_ui.error(&error);
                    return Err(error.already_told());
                }
            }
        }
    }
    Ok(())
}

/// The prompt: where a line acts, in the colour of its profile; production is red where no other is chosen.
fn label(host: &Host) -> String {
    let session = host.session.for_command(host.session.ui(), host.session.base_settings());
    let Ok(chosen) = session.chosen() else { return "orysh".into() };
    let place = match (&chosen.profile, &chosen.target) {
        (Some(profile), _) => profile.name.clone(),
        (None, Target::Sandbox) => "sandbox".into(),
        (None, _) => chosen.place(),
    };
    let label = format!("orysh {}", text::safe(&place));
    let Some(profile) = chosen.profile.filter(|_| session.ui().colors_stdout()) else { return label };
    let color = profile.color.as_deref().or(profile.production.then_some("red"));
    match color.and_then(|name| PAINTS.iter().find(|(known, _)| *known == name)) {
        Some((_, color)) => color.paint(label).to_string(),
        None => label,
    }
}

fn editor() -> Result<Editor<Lines, DefaultHistory>> {
    let builder = Config::builder().auto_add_history(false).history_ignore_space(true);
    let config = builder
        .max_history_size(HISTORY_LINES)
        .map_err(|source| Error::failed("cannot set up the line editor").caused_by(source))?
        .build();
    Editor::with_config(config).map_err(|source| Error::failed("cannot set up the line editor").caused_by(source))
}

fn history_file() -> Option<std::path::PathBuf> {
    let folder = paths::state().ok()?;
    files::private_folder(&folder).ok()?;
    Some(folder.join("history"))
}

/// What a line with a secret in it holds: flags and members by parts of their names, and words that a token follows.
const SECRETS: &[&str] = &[
    "secret",
    "token",
    "passw",
    "pwd",
    "pw ",
    "earer ",
    "--sec",
    "ory_",
    "--header",
    "-H",
    "--http-header",
    "--proxy",
    "PRIVATE KEY",
];

/// What holds such a word and no secret.
const HARMLESS: &[&str] = &[
    "rotate secret",
    "delete access-tokens",
    "--page-token",
    "--sector-identifier-uri",
    "--secret-file",
    "--secret-stdin",
    "--secret-out",
    "--client-secret-file",
    "--client-secret-stdin",
    "introspect token -",
    "revoke token -",
];

/// A line that may hold a secret, or begins with a space, is not written down.
fn is_fit_for_history(line: &str) -> bool {
    if line.trim().is_empty() || line.starts_with(' ') {
        return false;
    }
    let fields = FIELDS.iter().filter(|field| !field.secret).flat_map(|field| [Some(field.json), field.flag]).flatten();
    let harmless = HARMLESS.iter().copied().chain(fields.filter(|name| SECRETS.iter().any(|part| name.contains(part))));
    let line = harmless.fold(line.to_owned(), |line, harmless| line.replace(harmless, ""));
    !SECRETS.iter().any(|part| line.contains(part)) && !names_a_user(&line)
}

/// Whether an address in the line holds a user name or password.
fn names_a_user(line: &str) -> bool {
    line.split("://").skip(1).any(|rest| rest.split(['/', ' ', '?', '#']).next().is_some_and(|host| host.contains('@')))
}

/// Lets Rhai go over several lines; a blank line ends it in any case.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Lines {
    registry: Arc<Registry>,
}

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let goes_on = !text.ends_with('\n') && sort(text, &self.registry) == Sort::Rhai && is_incomplete(text);
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}
