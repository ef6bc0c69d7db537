//! The loop: read a line, do it, tell what came of it.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::io::{BufRead as _, ErrorKind, IsTerminal as _};
use std::sync::Arc;
use std::time::Instant;

use nu_ansi_term::Style;

use rustyline::completion::{Completer, Pair};
use rustyline::config::{Configurer as _, EditMode};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{MemHistory, SearchDirection};
use rustyline::line_buffer::LineBuffer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, CompletionType, Config, Context, Editor, Helper};

use crate::commands::completion::sources::Source;
use crate::commands::completion::{Candidate, session_of};
use crate::error::{Error, Result};
use crate::grammar::{Host, Registry};
use crate::script::errors;
use crate::session::handle::locked;
use crate::session::interrupt;
use crate::session::stack::on_big_stack;
use crate::shell::complete::{self, Known, Listings, MOST};
use crate::shell::highlight::{looks, painted};
use crate::shell::hint::{Hint, hint};
use crate::shell::history::{History, MOST_LINES};
use crate::shell::interpreter::{Anew, Interpreter, NO_TEXT, Next};
use crate::shell::line::{Sort, pieces, sort};
use crate::shell::place::Place;
use crate::shell::rhai::is_incomplete;
use crate::shell::secrets::{self, may_be_kept, reads_unseen};
use crate::shell::tree::Node;
use crate::shell::{own, parts};
use crate::text;
use crate::ui::{self, Ui, input};

/// The shell on a terminal. A failing line is told, and the next one read.
pub fn interactive(host: &Host, anew: &Anew, fell_back: bool, goes_without_rc: bool) -> Result<()> {
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
        let mut interpreter = Interpreter::new(host, anew, &lines.typed, false);
        if !goes_without_rc && let Err(error) = interpreter.begin() {
            // A shell that does not start because of it could not be used to mend it.
            ui.error(&error);
        }
        let mut editor = editor()?;
        editor.set_helper(Some(Lines::new(host, interpreter.registry())));
        if let Some(wrong) = Place::of(host).wrong {
            ui.error(&wrong);
        }
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
                if !Arc::ptr_eq(&helper.registry, interpreter.registry()) {
                    helper.turn_to(interpreter.registry());
                }
                if std::mem::replace(&mut writes, host.session.writes()) != host.session.writes() {
                    helper.listings.outdate();
                }
            }
            match editor.readline(&prompt) {
                Ok(line) => {
                    let line = match lines.meant(ui, &line, &interpreter.known()) {
                        Ok(line) => line,
                        Err(error) => {
                            ui.error(&error);
                            continue;
                        }
                    };
                    lines.add(host, interpreter.registry(), &line, &mut editor);
                    let was_owed = std::mem::take(&mut lines.is_owed);
                    interpreter.promise(place);
                    input::is_stale();
                    ui::begin_line();
                    let (began, thought, failures) = (Instant::now(), ui::thought(), interpreter.failures());
                    let done = interpreter.line(&line);
                    if input::is_stale() {
                        editor = afresh(editor, host, interpreter.registry())?;
                    }
                    // What a person took for an answer is nobody's slowness.
                    let took = began.elapsed().saturating_sub(ui::thought().saturating_sub(thought));
                    has_failed = done.is_err();
                    let left = host.session.left_line();
                    if let Some(left) = &left {
                        lines.add(host, interpreter.registry(), left, &mut editor);
                    }
                    let is_empty = line.trim().is_empty();
                    let mut done_lines = std::iter::once(line).chain(left);
                    let is_asked = was_owed || done_lines.any(|line| reads_unseen(&line, interpreter.registry()));
                    lines.is_owed = is_asked && interpreter.failures() > failures || was_owed && is_empty;
                    match done {
                        Ok(Next::Go) => {}
                        Ok(Next::Leave(0)) => return Ok(()),
                        Ok(Next::Leave(code)) => return Err(errors::exit(code)),
                        Err(error) => ui.error(&error),
                    }
                    if interrupt::is_to_end() {
                        return Err(Error::interrupted().already_told());
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
    /// How often they were forgotten.
    cleared: usize,
    /// Whether a line was to read a secret unseen and failed, and none has worked since: the next one may have been typed for it.
    is_owed: bool,
    typed: own::Lines,
}

impl Kept {
    /// Turns to the lines of a place, and takes over what other shells have kept since.
    fn turn_to(&mut self, host: &Host, place: &str, editor: &mut Editor<Lines, MemHistory>) {
        let typed = &mut *locked(&self.typed);
        let is_new = self.place.as_deref() != Some(place);
        if is_new {
            self.place = Some(place.to_owned());
            // Without a file lines are kept for as long as the shell runs.
            typed.history = History::of(place).map_err(|error| host.session.ui().warn(&error.full_message())).ok();
        }
        let Some(history) = &mut typed.history else {
            if is_new {
                let _ = editor.clear_history();
            }
            return;
        };
        let news = history.news().unwrap_or_default();
        let is_cleared = std::mem::replace(&mut self.cleared, history.cleared) != history.cleared;
        if is_new || is_cleared {
            // Nothing but memory, which cannot fail.
            let _ = editor.clear_history();
            for line in history.lines() {
                let _ = editor.add_history_entry(line);
            }
        } else {
            for line in news {
                let _ = editor.add_history_entry(line);
            }
        }
    }

    fn add(&mut self, host: &Host, registry: &Registry, line: &str, editor: &mut Editor<Lines, MemHistory>) {
        if line.trim().is_empty() {
            return;
        }
        let ui = host.session.ui();
        let is_answer = self.is_owed && sort(line, registry) != Sort::Command;
        if !is_answer && may_be_kept(line, registry) {
            return self.keep(ui, line, editor);
        }
        let pieces = pieces(line, registry);
        if is_answer || line.starts_with(char::is_whitespace) || pieces.len() < 2 || secrets::is_one(line, registry) {
            locked(&self.typed).add(line, false);
            if !line.starts_with(char::is_whitespace) {
                ui.note("this line is kept nowhere: it may hold a secret");
            }
            return;
        }
        // Of several lines those that may be are kept.
        for piece in pieces {
            self.add(host, registry, &line[piece], editor);
        }
    }

    fn keep(&mut self, ui: Ui, line: &str, editor: &mut Editor<Lines, MemHistory>) {
        let typed = &mut *locked(&self.typed);
        typed.add(line, true);
        match typed.history.as_mut().map(|history| history.add(line)) {
            Some(Ok(news)) => {
                for line in news {
                    let _ = editor.add_history_entry(line);
                }
            }
            Some(Err(error)) => {
                ui.warn(&error.full_message());
                typed.history = None;
            }
            None => {}
        }
        let _ = editor.add_history_entry(line.trim());
    }

    /// A line with `!!` or `!text` at its beginning is the last one, or the last one that begins so, which is told. Errors: there is
    /// none.
    fn meant(&self, ui: Ui, line: &str, known: &Known) -> Result<String> {
        let Some(rest) = line.trim().strip_prefix('!').filter(|rest| !rest.starts_with(['=', ' ', '('])) else {
            return Ok(line.to_owned());
        };
        let typed = locked(&self.typed);
        let found = match rest.strip_prefix('!') {
            Some(more) => format!("{}{more}", typed.last()?),
            // `!it.skip_consent` is Rhai.
            None if rest.is_empty() || known.begins(rest) => return Ok(line.to_owned()),
            None => typed.beginning(rest)?,
        };
        ui.line(&text::safe_lines(&found));
        Ok(found)
    }
}

/// What some programs write in front of a text.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// The same lines from stdin; the first error ends it, unless it `keeps_going`.
pub fn from_stdin(host: &Host, anew: &Anew, keeps_going: bool) -> Result<()> {
    on_big_stack(|| {
        if std::io::stdin().is_terminal() {
            host.session
                .ui()
                .note("lines are read from the terminal, and there is no prompt as stdout is none; Ctrl-D ends them");
        }
        let mut interpreter = Interpreter::new(host, anew, &own::Lines::default(), true);
        let mut is_first = true;
        let next = || {
            // Not held on to: a command that reads stdin would wait for it for ever.
            let mut line = Vec::new();
            let read = std::io::stdin().lock().read_until(b'\n', &mut line);
            let read = read.map_err(|source| Error::usage("cannot read stdin").caused_by(source))?;
            if std::mem::take(&mut is_first) && line.starts_with(MARK) {
                line.drain(..MARK.len());
            }
            let no_text = |_| Error::usage("this is no UTF-8").with_code(NO_TEXT);
            (read > 0).then(|| String::from_utf8(line).map_err(no_text)).transpose()
        };
        match interpreter.lines(next, keeps_going)? {
            Next::Go | Next::Leave(0) => Ok(()),
            Next::Leave(code) => Err(errors::exit(code)),
        }
    })
}

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

/// The same editor without what it has read and not given out yet, which it has no other way to be rid of.
fn afresh(
    mut before: Editor<Lines, MemHistory>,
    host: &Host,
    registry: &Arc<Registry>,
) -> Result<Editor<Lines, MemHistory>> {
    let mut editor = editor()?;
    std::mem::swap(editor.history_mut(), before.history_mut());
    editor.set_helper(before.helper_mut().map(|lines| std::mem::replace(lines, Lines::new(host, registry))));
    Ok(editor)
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
    tree: Tree,
}

type Tree = LazyCell<Node, Box<dyn FnOnce() -> Node>>;

fn tree_of(registry: &Arc<Registry>) -> Tree {
    let registry = Arc::clone(registry);
    LazyCell::new(Box::new(move || Node::of(&registry)))
}

impl Lines {
    fn new(host: &Host, registry: &Arc<Registry>) -> Self {
        let (known, listings) = (Known::default(), Listings::default());
        let (host, registry, tree) = (host.clone(), Arc::clone(registry), tree_of(registry));
        Lines { host, registry, known, listings, prompt_width: 0, tree }
    }

    /// From now on there are other commands.
    fn turn_to(&mut self, registry: &Arc<Registry>) {
        (self.registry, self.tree) = (Arc::clone(registry), tree_of(registry));
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

    fn update(&self, line: &mut LineBuffer, start: usize, elected: &str, changes: &mut Changeset) {
        let end = line.pos();
        line.replace(start..end, complete::whole(elected), changes);
    }
}

impl Hinter for Lines {
    type Hint = Hint;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<Hint> {
        if line.len() > MOST_PAINTED {
            return None;
        }
        let listed = |source, target: &[(String, String)], _: &str| {
            self.listings.begin(source, &session_of(&self.host, target));
            Vec::new()
        };
        complete::prepare(line, &self.registry, &self.tree, &listed);
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

    fn highlight_char(&self, line: &str, _at: usize, _kind: CmdKind) -> bool {
        self.host.session.ui().colors_stdout() && line.len() <= MOST_PAINTED
    }
}

/// A longer line is shown as it is, and a key that is pressed in it by itself: all of it would be drawn anew with each.
const MOST_PAINTED: usize = 4_000;

/// Of a terminal that does not tell.
const USUAL_WIDTH: usize = 80;

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let last = pieces(text, &self.registry).pop().map_or("", |piece| &text[piece]);
        let goes_on = match sort(last, &self.registry) {
            _ if text.ends_with('\n') => false,
            // It may stand for another line.
            Sort::Rhai if last.trim_start().starts_with('!') => false,
            Sort::Rhai => is_incomplete(last),
            Sort::Command => parts::goes_on(last),
            Sort::Empty => false,
        };
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}
