//! The loop: read a line, do it, tell what came of it.

use std::sync::Arc;

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Config, Editor, Helper, Highlighter, Hinter};

use crate::error::{Error, Result};
use crate::grammar::{Host, Registry};
use crate::session::handle::locked;
use crate::session::hook::on_big_stack;
use crate::session::target::Target;
use crate::shell::history::{History, MOST_LINES};
use crate::shell::interpreter::{Interpreter, Next};
use crate::shell::line::{Sort, sort};
use crate::shell::rhai::is_incomplete;
use crate::shell::{own, parts};
use crate::text;
use crate::ui::{PAINTS, Ui};

/// The shell on a terminal. A failing line is told, and the next one read.
pub fn interactive(host: &Host, fell_back: bool) -> Result<()> {
    on_big_stack(|| {
        let ui = host.session.ui();
        if fell_back {
            ui.note("no server is named: this is the sandbox inside this program, with clients of its own");
        }
        ui.line(&format!("orysh {}: `help` shows the commands, Ctrl-D leaves", env!("CARGO_PKG_VERSION")));
        let mut lines = Kept::default();
        let mut interpreter = Interpreter::new(host, &lines.history, false);
        let mut editor = editor()?;
        editor.set_helper(Some(Lines { registry: Arc::clone(interpreter.registry()) }));
        loop {
            let place = Place::of(host);
            lines.turn_to(host, &place.name, &mut editor);
            match editor.readline(&format!("{}> ", place.label)) {
                Ok(line) => {
                    let line = match lines.meant(ui, &line) {
                        Ok(line) => line,
                        Err(error) => {
                            ui.error(&error);
                            continue;
                        }
                    };
                    lines.add(host, &line, &mut editor);
                    match interpreter.line(&line) {
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

/// The lines of the place where the shell acts, as the editor goes through them.
#[derive(Default)]
struct Kept {
    place: Option<String>,
    history: own::Lines,
}

impl Kept {
    /// Turns to the lines of a place, and takes over what other shells have kept since.
    fn turn_to(&mut self, host: &Host, place: &str, editor: &mut Editor<Lines, MemHistory>) {
        if self.place.as_deref() != Some(place) {
            self.place = Some(place.to_owned());
            // Without a file lines are kept for as long as the shell runs.
            let history = History::of(place).map_err(|error| host.session.ui().warn(&error.full_message())).ok();
            // Nothing but memory, which cannot fail.
            let _ = editor.clear_history();
            for line in history.iter().flat_map(History::lines) {
                let _ = editor.add_history_entry(line);
            }
            *locked(&self.history) = history;
        } else if let Some(history) = &mut *locked(&self.history) {
            for line in history.news().unwrap_or_default() {
                let _ = editor.add_history_entry(line);
            }
        }
    }

    fn add(&mut self, host: &Host, line: &str, editor: &mut Editor<Lines, MemHistory>) {
        let mut history = locked(&self.history);
        match history.as_mut().map(|history| history.add(line)) {
            Some(Ok(news)) => {
                for line in news {
                    let _ = editor.add_history_entry(line);
                }
            }
            Some(Err(error)) => {
                host.session.ui().warn(&error.full_message());
                *history = None;
            }
            None => {}
        }
        let _ = editor.add_history_entry(line.trim());
    }

    /// A line with `!!` or `!text` at its beginning is the last one, or the last one that begins so, which is told. Errors: there is
    /// none.
    fn meant(&self, ui: Ui, line: &str) -> Result<String> {
        let Some(rest) = line.trim().strip_prefix('!').filter(|rest| !rest.starts_with(['=', ' '])) else {
            return Ok(line.to_owned());
        };
        let history = locked(&self.history);
        let last = |beginning: &str| history.as_ref().and_then(|history| history.last(beginning));
        let found = match rest.strip_prefix('!') {
            Some(more) => {
                let last = last("").ok_or_else(|| Error::usage("there is no line before this one"))?;
                Some(format!("{last}{more}"))
            }
            None => last(rest).map(str::to_owned),
        };
        // Where no line begins so, it is Rhai: `!it.skip_consent`.
        let Some(found) = found else { return Ok(line.to_owned()) };
        ui.line(&text::safe_lines(&found));
        Ok(found)
    }
}

/// The same lines from stdin; the first error ends it, unless it `keeps_going`.
pub fn from_stdin(host: &Host, keeps_going: bool) -> Result<()> {
    on_big_stack(|| {
        let mut interpreter = Interpreter::new(host, &own::Lines::default(), true);
        let next = || {
            // Not held on to: a command that reads stdin would wait for it for ever.
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            let read = read.map_err(|source| Error::usage("cannot read stdin").caused_by(source))?;
            Ok((read > 0).then_some(line))
        };
        interpreter.lines(next, keeps_going).map(drop)
    })
}

/// Where a line acts.
struct Place {
    /// What its lines are kept under.
    name: String,
    /// The prompt: in the colour of the profile; production is red where no other is chosen.
    label: String,
}

impl Place {
    fn of(host: &Host) -> Self {
        let session = host.session.for_command(host.session.ui(), host.session.base_settings());
        let Ok(chosen) = session.chosen() else { return Place { name: "nowhere".into(), label: "orysh".into() } };
        let name = match (&chosen.profile, &chosen.target) {
            (Some(profile), _) => profile.name.clone(),
            (None, Target::Sandbox) => "sandbox".into(),
            (None, _) => chosen.place(),
        };
        let label = format!("orysh {}", text::safe(&name));
        let colored = chosen.profile.filter(|_| session.ui().colors_stdout());
        let color = colored.and_then(|profile| profile.color.or(profile.production.then(|| "red".to_owned())));
        let paint = color.and_then(|name| PAINTS.iter().find(|(known, _)| *known == name));
        let label = paint.map_or(label.clone(), |(_, color)| color.paint(label).to_string());
        Place { name, label }
    }
}

fn editor() -> Result<Editor<Lines, MemHistory>> {
    let builder = Config::builder().auto_add_history(false).history_ignore_space(false);
    let config = builder
        .max_history_size(MOST_LINES)
        .map_err(|source| Error::failed("cannot set up the line editor").caused_by(source))?
        .build();
    let history = MemHistory::with_config(&config);
    Editor::with_history(config, history)
        .map_err(|source| Error::failed("cannot set up the line editor").caused_by(source))
}

/// Lets Rhai go over several lines; a blank line ends it in any case.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Lines {
    registry: Arc<Registry>,
}

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let goes_on = match sort(text, &self.registry) {
            // It may stand for another line.
            Sort::Rhai if text.trim_start().starts_with('!') => false,
            Sort::Rhai => !text.ends_with('\n') && is_incomplete(text),
            Sort::Command => parts::goes_on(text),
            Sort::Empty | Sort::Leave => false,
        };
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}
