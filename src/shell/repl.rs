//! The loop: read a line, do it, tell what came of it.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nu_ansi_term::{Color as Paint, Style};

use rustyline::completion::{Completer, Pair};
use rustyline::config::{Configurer as _, EditMode};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{MemHistory, SearchDirection};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::commands::completion::sources::Source;
use crate::commands::completion::{Candidate, session_of};
use crate::config::{ory, profile};
use crate::error::{Error, Result};
use crate::grammar::{Host, Registry};
use crate::session::handle::locked;
use crate::session::interrupt;
use crate::session::stack::on_big_stack;
use crate::session::target::Target;
use crate::shell::complete::{self, Known, Listings, MOST};
use crate::shell::highlight::{looks, painted};
use crate::shell::hint::{Hint, hint};
use crate::shell::history::{History, MOST_LINES, may_be_kept};
use crate::shell::interpreter::{Interpreter, Next};
use crate::shell::line::{Sort, sort};
use crate::shell::rhai::is_incomplete;
use crate::shell::tree::Node;
use crate::shell::{own, parts};
use crate::text;
use crate::ui::{self, PAINTS, Ui};

/// The shell on a terminal. A failing line is told, and the next one read.
pub fn interactive(host: &Host, fell_back: bool, goes_without_rc: bool) -> Result<()> {
    on_big_stack(|| {
        interrupt::keep_shell();
        // Signals are heard from here on, also between two lines.
        drop(host.session.interrupt().watch());
        let ui = host.session.ui();
        if fell_back {
            ui.note("no server is named: this is the sandbox inside this program, with clients of its own; `tour` shows in two minutes what can be done");
        }
        ui.line(&format!("orysh {}: `help` shows the commands, Ctrl-D leaves", env!("CARGO_PKG_VERSION")));
        let mut lines = Kept::default();
        let mut interpreter = Interpreter::new(host, &lines.history, false);
        if !goes_without_rc && let Err(error) = interpreter.begin() {
            // A shell that does not start because of it could not be used to mend it.
            ui.error(&error);
        }
        let mut editor = editor()?;
        editor.set_helper(Some(Lines::new(host, interpreter.registry())));
        let (mut has_failed, mut writes, mut slow) = (false, 0, None);
        loop {
            let place = Place::of(host);
            lines.turn_to(host, &place.name, &mut editor);
            let settings = interpreter.settings();
            editor.set_edit_mode(if settings.get("edit-mode") == "vi" { EditMode::Vi } else { EditMode::Emacs });
            let template = settings.get("prompt");
            let prompt = if settings.is_default("prompt") {
                place.prompt(ui, has_failed)
            } else {
                place.prompt_as(ui, template, has_failed, slow)
            };
            if let Some(helper) = editor.helper_mut() {
                helper.prompt_width = text::width(&prompt.0);
                helper.known = interpreter.known();
                if std::mem::replace(&mut writes, host.session.writes()) != host.session.writes() {
                    helper.listings.outdate();
                }
            }
            match editor.readline(&prompt) {
                Ok(line) => {
                    let line = match lines.meant(ui, &line) {
                        Ok(line) => line,
                        Err(error) => {
                            ui.error(&error);
                            continue;
                        }
                    };
                    lines.add(host, &line, &mut editor);
                    let (began, thought) = (Instant::now(), ui::thought());
                    let done = interpreter.line(&line);
                    // What a person took for an answer is nobody's slowness.
                    let took = began.elapsed().saturating_sub(ui::thought().saturating_sub(thought));
                    has_failed = done.is_err();
                    match done {
                        Ok(Next::Go) => {}
                        Ok(Next::Leave) => return Ok(()),
                        Err(error) => ui.error(&error),
                    }
                    slow = Some(took).filter(|took| *took >= settings.slow());
                    if let Some(took) = slow {
                        ui.note(&format!("it took {:.1} s", took.as_secs_f64()));
                    }
                }
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(ReadlineError::Io(source)) if source.kind() == ErrorKind::InvalidData => {
                    ui.error(&Error::usage("what was typed is no text").hint("the terminal is to send UTF-8"));
                }
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
                for line in news.into_iter().flatten() {
                    let _ = editor.add_history_entry(line);
                }
            }
            Some(Err(error)) => {
                host.session.ui().warn(&error.full_message());
                *history = None;
            }
            None => {}
        }
        if may_be_kept(line) {
            let _ = editor.add_history_entry(line.trim());
        }
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

/// A terminal that is narrower has a shorter prompt.
const NARROW: usize = 60;

/// So many characters of a place are shown on such a terminal.
const MOST_SHOWN: usize = 16;

/// Where a line acts.
struct Place {
    /// What its lines are kept under, and the prompt shows.
    name: String,
    /// The server itself.
    server: String,
    /// The colour of the profile; production is red where no other is chosen.
    paint: Option<Paint>,
    /// Whether it is production.
    is_production: bool,
    /// Whether nobody has signed in where that is how one acts there.
    is_signed_out: bool,
}

impl Place {
    fn of(host: &Host) -> Self {
        let session = host.session.for_command(host.session.ui(), host.session.base_settings());
        let chosen = match session.chosen() {
            Ok(chosen) => chosen,
            Err(error) => {
                let is_signed_out = error.code().is_some_and(|code| [ory::SIGNED_OUT, ory::EXPIRED].contains(&code));
                let named = session.settings().given.profile.clone().or_else(|| profile::user().ok()?.current);
                let name = named.filter(|_| is_signed_out).unwrap_or_else(|| "nowhere".into());
                return Place { name, server: String::new(), paint: None, is_production: false, is_signed_out };
            }
        };
        let chosen_place = chosen.place();
        let name = match (&chosen.profile, &chosen.target) {
            (Some(profile), _) => profile.name.clone(),
            (None, Target::Sandbox) => "sandbox".into(),
            (None, _) => chosen.place(),
        };
        let is_production = chosen.profile.as_ref().is_some_and(|profile| profile.production);
        let color = chosen.profile.and_then(|profile| profile.color).or(is_production.then(|| "red".to_owned()));
        let paint = color.and_then(|name| PAINTS.iter().find(|(known, _)| *known == name)).map(|(_, paint)| *paint);
        Place { name, server: chosen_place, paint, is_production, is_signed_out: false }
    }

    /// The prompt, plain and styled: both are equally wide, so that the cursor stands where it should.
    fn prompt(&self, ui: Ui, has_failed: bool) -> (String, String) {
        let is_narrow = ui.width().is_some_and(|width| width < NARROW);
        let place = text::safe(&self.name).into_owned();
        let place: String = if is_narrow && place.chars().count() > MOST_SHOWN {
            place.chars().take(MOST_SHOWN - 1).chain(['…']).collect()
        } else {
            place
        };
        let program = if is_narrow { "" } else { "orysh " };
        // Where colours are not seen it is told as well.
        let danger = if self.is_production { "!" } else { "" };
        let state = self.state(is_narrow);
        let label = format!("{program}{place}{state}{danger}");
        let raw = format!("{label}> ");
        if !ui.colors_stdout() {
            return (raw.clone(), raw);
        }
        let label = self.paint.map_or(label.clone(), |paint| paint.paint(label).to_string());
        (raw, format!("{label}{} ", status(has_failed)))
    }

    /// Whether one is signed in, where that has to be told.
    fn state(&self, is_narrow: bool) -> &'static str {
        match (self.is_signed_out, is_narrow) {
            (false, _) => "",
            (true, false) => " (signed out)",
            (true, true) => "?",
        }
    }

    /// The prompt that a person has set, plain and styled.
    fn prompt_as(&self, ui: Ui, template: &str, has_failed: bool, slow: Option<Duration>) -> (String, String) {
        let place = text::safe(&self.name).into_owned();
        let server = text::safe(&self.server).into_owned();
        let danger = if self.is_production { "!" } else { "" };
        let took = slow.map(|took| format!("{:.1}s", took.as_secs_f64())).unwrap_or_default();
        let filled = |values: [&str; 6]| {
            let filled = IN_TEMPLATE
                .iter()
                .zip(values)
                .fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
            text::safe_painted(&filled).into_owned()
        };
        let state = self.state(false);
        let raw = filled([&place, &server, state, danger, ">", &took]);
        if !ui.colors_stdout() {
            return (raw.clone(), raw);
        }
        let painted = |text: &str| self.paint.map_or(text.to_owned(), |paint| paint.paint(text).to_string());
        (raw, filled([&painted(&place), &painted(&server), state, &painted(danger), &status(has_failed), &took]))
    }
}

/// The end of a prompt in colour: red where the last line failed.
fn status(has_failed: bool) -> String {
    if has_failed { Paint::Red.bold().paint(">").to_string() } else { ">".to_owned() }
}

/// What stands in a prompt's template, and what for.
const IN_TEMPLATE: [&str; 6] = ["{place}", "{server}", "{state}", "{danger}", "{status}", "{took}"];

fn editor() -> Result<Editor<Lines, MemHistory>> {
    let builder =
        Config::builder().auto_add_history(false).completion_type(CompletionType::List).history_ignore_space(false);
    let config = builder
        .max_history_size(MOST_LINES)
        .map_err(|source| Error::failed("cannot set up the line editor").caused_by(source))?
        .build();
    let history = MemHistory::with_config(&config);
    Editor::with_history(config, history)
        .map_err(|source| Error::failed("cannot set up the line editor").caused_by(source))
}

/// Lets Rhai go over several lines; a blank line ends it in any case.
#[derive(Helper)]
struct Lines {
    host: Host,
    registry: Arc<Registry>,
    /// What the shell knows of its own names by now.
    known: Known,
    /// What servers list.
    listings: Listings,
    /// How many columns stand before a line.
    prompt_width: usize,
    /// The same registry, for what looks at a line with each key; nobody types before the first prompt is there.
    tree: LazyCell<Node, Box<dyn FnOnce() -> Node>>,
}

impl Lines {
    fn new(host: &Host, registry: &Arc<Registry>) -> Self {
        let (host, registry) = (host.clone(), Arc::clone(registry));
        let of_tree = Arc::clone(&registry);
        let tree: Box<dyn FnOnce() -> Node> = Box::new(move || Node::of(&of_tree));
        let (known, listings) = (Known::default(), Listings::default());
        Lines { host, registry, known, listings, prompt_width: 0, tree: LazyCell::new(tree) }
    }

    fn width(&self) -> usize {
        self.host.session.ui().width().unwrap_or(USUAL_WIDTH)
    }

    fn listed(&self, source: Source, target: &[(String, String)], begun: &str) -> Vec<Candidate> {
        self.listings.of(source, &session_of(&self.host, target)).offered(begun, MOST)
    }
}

impl Completer for Lines {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let listed = |source, target: &[(String, String)], begun: &str| self.listed(source, target, begun);
        Ok(complete::offered(&line[..at], &self.registry, &self.known, &listed, self.width()))
    }
}

impl Hinter for Lines {
    type Hint = Hint;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<Hint> {
        if line.ends_with(' ') {
            let listed = |source, target: &[(String, String)], _: &str| {
                self.listings.of(source, &session_of(&self.host, target));
                Vec::new()
            };
            complete::prepare(line, &self.registry, &listed);
        }
        if at < line.len() || !self.host.session.ui().colors_stdout() {
            return None;
        }
        let history = context.history();
        let newest_first = (0..history.len()).rev();
        let before: Vec<_> = newest_first
            .filter_map(|index| history.get(index, SearchDirection::Forward).ok().flatten())
            .map(|found| found.entry)
            .take(MOST_HINTED)
            .collect();
        let hint = hint(line, &self.registry, &self.tree, before.iter().map(AsRef::as_ref))?;
        // On another line it would move what is typed.
        let used = self.prompt_width + text::width(line);
        hint.within(self.width().saturating_sub(used + 1))
    }
}

/// So many lines of before are looked through.
const MOST_HINTED: usize = MOST_LINES;

impl Highlighter for Lines {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        if !self.host.session.ui().colors_stdout() || line.len() > MOST_PAINTED {
            return Cow::Borrowed(line);
        }
        let is_whole = at < line.len() || line.ends_with(char::is_whitespace);
        Cow::Owned(painted(line, &looks(line, is_whole, &self.registry, &self.tree, &self.known)))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _is_default: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(Style::new().dimmed().paint(hint).to_string())
    }

    fn highlight_char(&self, _line: &str, _at: usize, _kind: CmdKind) -> bool {
        self.host.session.ui().colors_stdout()
    }
}

/// A longer line is shown as it is.
const MOST_PAINTED: usize = 10_000;

/// Of a terminal that does not tell.
const USUAL_WIDTH: usize = 80;

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
