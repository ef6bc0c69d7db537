//! What is done with a line, whoever reads it.

use std::sync::Arc;

use crate::config::shell::Settings;
use crate::config::{paths, read};
use crate::error::{Error, Kind, Result};
use crate::grammar::execute::{self, Memory, Origin};
use crate::grammar::{Host, Registry, common, help, parse};
use crate::output::Screen;
use crate::output::format::Format;
use crate::output::outcome::{Outcome, Shape};
use crate::script::errors::EXIT;
use crate::script::library;
use crate::session::Session;
use crate::session::handle::locked;
use crate::shell::complete::Known;
use crate::shell::edit;
use crate::shell::line::{Sort, misspelt, pieces, sort};
use crate::shell::own::{self, Lines, Request, Requests};
use crate::shell::pager::Pager;
use crate::shell::parts::{self, Piece, Step, To};
use crate::shell::pipe::Pipe;
use crate::shell::place::{Place, is_for_sign_in};
use crate::shell::rhai::{Prompt, is_incomplete};
use crate::shell::tour;
use crate::text::{safe, safe_lines};
use crate::ui::{self, Ui, YES_OR_NO};

/// Whether there is a next line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// There is.
    Go,
    /// The shell is left, with this exit code.
    Leave(u8),
}

/// What a line comes to before anything of it is done.
enum What {
    Command(Step),
    Rhai(String),
}

/// Gives the host of a session, with the plugins that are there by now.
pub type Anew = dyn Fn(&Session) -> Result<Host> + Sync;

/// Does lines, one after the other, in one session.
pub struct Interpreter<'a> {
    host: Host,
    /// The commands that it was given, as plugins know them; and how often those had been changed by then.
    given: (Arc<Registry>, u64),
    anew: &'a Anew,
    prompt: Prompt,
    /// Whether the first error ends a line.
    stops: bool,
    requests: Requests,
    lines: Lines,
    /// How many files are being loaded, one by the other.
    loading: usize,
    /// How many commands and lines have failed so far.
    failures: usize,
    /// Where the line stands that is being done, if it was not typed.
    place: Option<String>,
    /// Where the prompt says that lines act, and how often the shell was told to use something until then.
    promised: Option<(Place, u64)>,
    /// What a person has set; none where nobody is there.
    settings: Option<Settings>,
}

/// The code of an error that says that a line is no text.
pub const NO_TEXT: &str = "no_text";

/// The line that turns the expanded view on and off.
const EXPAND: &str = "\\x";

/// The command whose text goes where a step says.
const HELP: &str = "help";

/// The command that signs in to Ory Network.
const LOGIN: [&str; 2] = ["auth", "login"];

/// How variables are called that hold values for a program.
const VALUE: &str = "ORYSH_VALUE_";

/// How deep files may load each other.
const MOST_LOADING: usize = 8;

/// The same with the commands that only a shell has.
fn with_own(host: &Host, lines: &Lines, requests: &Requests) -> Host {
    let registry = Registry::new(host.registry.commands().to_vec()).with(own::commands(lines, requests));
    Host { session: host.session.clone(), registry: Arc::new(registry) }
}

impl<'a> Interpreter<'a> {
    /// A fresh one, of a shell with these lines.
    pub fn new(host: &Host, anew: &'a Anew, lines: &Lines, stops: bool) -> Self {
        let requests = Requests::default();
        let given = (Arc::clone(&host.registry), host.session.plugin_changes());
        let host = with_own(host, lines, &requests);
        let settings = (!stops).then(|| read_settings(&host));
        Interpreter {
            prompt: Prompt::new(&host),
            host,
            given,
            anew,
            stops,
            requests,
            lines: Arc::clone(lines),
            loading: 0,
            failures: 0,
            place: None,
            promised: None,
            settings,
        }
    }

    /// What a person has set of the shell.
    pub fn settings(&self) -> Settings {
        self.settings.clone().unwrap_or_default()
    }

    /// Defines what `shell.rhai` in the configuration folder does. Errors: it cannot be read, or ends with one.
    pub fn begin(&mut self) -> Result<()> {
        let path = paths::config()?.join("shell.rhai");
        if !path.exists() {
            return Ok(());
        }
        let _watch = self.host.session.interrupt().watch();
        let shown = path.display().to_string();
        let text = read::text(&shown)?;
        self.prompt.begin(&text, &shown).map_err(|error| {
            let line = error.position().and_then(|at| text.lines().nth(at.line.checked_sub(1)?));
            let is_command = line.is_some_and(|line| sort(line, &self.host.registry) == Sort::Command);
            if is_command { error.hint("this file is Rhai: `sh(\"…\")` does a command") } else { error }
        })
    }

    /// All commands, those that only a shell has among them.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.host.registry
    }

    /// How many commands and lines have failed so far, also where one behind them in a line has not.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Where its lines act.
    pub fn session(&self) -> &Session {
        &self.host.session
    }

    /// What is known of names by now.
    pub fn known(&self) -> Known {
        self.prompt.known()
    }

    /// Does lines to their end. Errors: the first one, with its line; where `keeps_going`, that some failed.
    pub fn lines(&mut self, mut next: impl FnMut() -> Result<Option<String>>, keeps_going: bool) -> Result<Next> {
        let (mut pending, mut begun_at, mut failed) = (String::new(), 0, 0_usize);
        let outer = self.place.take();
        let told = |place: &Option<String>, at: usize| match place {
            Some(place) => format!("{place}, line {at}"),
            None => format!("line {at}"),
        };
        for at in 1.. {
            let line = match next() {
                // What is no text is one line that failed.
                Err(error) if error.code() == Some(NO_TEXT) && keeps_going => {
                    self.host.session.ui().error(&error.about(told(&outer, at)));
                    failed += 1;
                    continue;
                }
                line => line.map_err(|error| error.about(told(&outer, at)))?,
            };
            let is_last = line.is_none();
            if let Some(line) = line {
                if pending.is_empty() {
                    begun_at = at;
                } else {
                    pending.push('\n');
                }
                pending.push_str(line.trim_end_matches(['\n', '\r']));
                if self.goes_on(&pending) {
                    continue;
                }
            }
            self.place = Some(told(&outer, begun_at));
            ui::begin_line();
            let done = self.line(&std::mem::take(&mut pending));
            self.place.clone_from(&outer);
            match done {
                Ok(Next::Go) => {}
                Ok(leave @ Next::Leave(_)) => return Ok(leave),
                Err(error) => {
                    let error = if error.is_told() { error } else { error.about(told(&outer, begun_at)) };
                    if !keeps_going || error.kind() == Kind::Interrupted {
                        return Err(error);
                    }
                    self.host.session.ui().error(&error);
                    failed += 1;
                }
            }
            if is_last {
                break;
            }
        }
        let lines = if failed == 1 { "1 line".into() } else { format!("{failed} lines") };
        if failed == 0 { Ok(Next::Go) } else { Err(Error::new(Kind::Partial, format!("{lines} failed"))) }
    }

    fn load(&mut self, file: &str) -> Result<Next> {
        if self.loading >= MOST_LOADING {
            return Err(Error::usage(format!("files load each other more than {MOST_LOADING} deep")));
        }
        let text = read::text(file)?;
        let mut lines = text.lines().map(str::to_owned);
        let stopped = std::mem::replace(&mut self.stops, true);
        let outer = self.place.replace(safe(file).into_owned());
        self.loading += 1;
        let done = self.lines(|| Ok(lines.next()), false);
        self.loading -= 1;
        (self.stops, self.place) = (stopped, outer);
        done
    }

    /// A person was told that lines act there from now on.
    pub fn promise(&mut self, place: Place) {
        self.promised = Some((place, self.host.session.uses()));
    }

    /// Errors of usage: a line would act elsewhere by now than the prompt says, and no line has said so.
    fn stays(&mut self) -> Result<()> {
        let Some((place, uses)) = &self.promised else { return Ok(()) };
        let (now, is_told) = (Place::of(&self.host), *uses != self.host.session.uses());
        if !is_told && place.has_moved(&now) {
            let error =
                format!("this would act on {} by now, and not on {}: it was not done", now.told(), place.told());
            return Err(Error::usage(error)
                .hint("what a name stands for was changed meanwhile; the next line acts where the prompt says"));
        }
        if is_told {
            self.promise(now);
        }
        Ok(())
    }

    /// Does a line, or those of a text of several: the first error ends these.
    pub fn line(&mut self, text: &str) -> Result<Next> {
        let pieces = pieces(text, &self.host.registry);
        let count = pieces.len();
        for (number, piece) in pieces.into_iter().enumerate() {
            let done = self.one(&text[piece]);
            self.failures += usize::from(done.is_err());
            self.look_at_plugins();
            let left = count - number - 1;
            match done {
                Ok(Next::Go) => {}
                Err(error) if left > 0 => {
                    self.host.session.ui().error(&error);
                    let lines = if left == 1 { "the line" } else { "the lines" };
                    self.host.session.ui().note(&format!("{lines} behind it: not done"));
                    return Err(error.already_told());
                }
                other => return other,
            }
        }
        Ok(Next::Go)
    }

    /// What a line has done to the plugins counts for those behind it.
    fn look_at_plugins(&mut self) {
        let session = &self.host.session;
        let changes = session.plugin_changes();
        if changes == self.given.1 {
            return;
        }
        match (self.anew)(session) {
            Ok(host) => {
                self.host = with_own(&host, &self.lines, &self.requests);
                self.prompt.turn_to(&self.host);
                self.given = (host.registry, changes);
            }
            Err(error) => session.ui().error(&error),
        }
    }

    /// Errors: the last step that failed; where the first one ends a line, that.
    fn one(&mut self, line: &str) -> Result<Next> {
        if let Some(how) = line.trim().strip_prefix(EXPAND).filter(|how| how.is_empty() || how.starts_with(' ')) {
            return self.turn_expanded(how.trim()).map(|()| Next::Go);
        }
        if line.trim_start().starts_with("!!") {
            return Err(Error::usage("`!!` is for lines that are typed on a terminal"));
        }
        let _watch = self.host.session.interrupt().watch();
        self.host.session.begin_line();
        let mut failed: Option<Error> = None;
        for (only_then, what) in self.steps(line)? {
            if only_then && failed.is_some() {
                continue;
            }
            let done = self.stays().and_then(|()| match what {
                What::Rhai(code) => self.rhai(&code),
                What::Command(step) => self.command(step),
            });
            failed = match done {
                Ok(Next::Go) => None,
                Ok(leave) => return Ok(leave),
                Err(error) if self.stops || error.kind() == Kind::Interrupted => return Err(error),
                Err(error) => {
                    self.host.session.ui().error(&error);
                    self.failures += 1;
                    Some(error.already_told())
                }
            };
        }
        failed.map_or(Ok(Next::Go), Err)
    }

    /// The steps of a line, each with whether it is only done where the one before it was. Errors are of usage.
    fn steps(&self, line: &str) -> Result<Vec<(bool, What)>> {
        let mut steps = Vec::new();
        // A blank line behind one that goes on ends it.
        let trimmed = line.trim();
        let ended = if parts::goes_on(trimmed) && line.trim_end_matches(' ').ends_with('\n') {
            trimmed.trim_end_matches('\\')
        } else {
            trimmed
        };
        let (mut rest, mut only_then) = (ended.trim(), false);
        loop {
            // Hints and examples name the program.
            let named = rest.strip_prefix("orysh").filter(|rest| rest.is_empty() || rest.starts_with(' '));
            rest = named.map_or(rest, str::trim);
            let sorted = sort(rest, &self.host.registry);
            match sorted {
                Sort::Empty => return Ok(steps),
                Sort::Rhai if named.is_none() && !self.is_misspelt(rest) => {
                    steps.push((only_then, What::Rhai(rest.to_owned())));
                    return Ok(steps);
                }
                Sort::Command | Sort::Rhai => {
                    let (step, next) = parts::first(rest)?;
                    steps.push((only_then, What::Command(step)));
                    match next {
                        Some(next) => (only_then, rest) = next,
                        None => return Ok(steps),
                    }
                }
            }
        }
    }

    /// Whether a line is no Rhai that could be, but a command's name with a slip in it, which the parser tells.
    fn is_misspelt(&self, line: &str) -> bool {
        misspelt(line, &self.host.registry, |name| self.known().variables.iter().any(|known| known == name)).is_some()
    }

    /// Whether a text goes on in the next line.
    pub fn goes_on(&self, text: &str) -> bool {
        match sort(text, &self.host.registry) {
            Sort::Rhai => is_incomplete(text),
            Sort::Command => parts::goes_on(text),
            Sort::Empty => false,
        }
    }

    fn rhai(&mut self, code: &str) -> Result<Next> {
        let outcome = match self.prompt.evaluate(code) {
            Ok(outcome) => outcome,
            Err(error) => match error.kind() {
                // A shell that reads lines from stdin ends with that, too.
                Kind::Exit(code) if error.code() == Some(EXIT) && !self.stops => return Ok(Next::Leave(code)),
                _ if [" > ", " >> ", " | "].iter().any(|operator| code.contains(operator)) => {
                    return Err(
                        error.hint("`>` and `|` take what commands show; `fs::write(\"FILE\", …)` writes a value")
                    );
                }
                _ => return Err(error),
            },
        };
        self.show(self.host.session.ui(), outcome, &Format::Table, false).map(|()| Next::Go)
    }

    /// Errors of usage: it can be `on` or `off`, or is turned over by nothing.
    fn turn_expanded(&mut self, how: &str) -> Result<()> {
        let ui = self.host.session.ui();
        let settings = self.settings.get_or_insert_default();
        let turned = match how {
            "" if settings.is_on("expanded") => "off",
            "" | "on" => "on",
            "off" => "off",
            _ => return Err(Error::usage(format!("`{EXPAND}` is on or off"))),
        };
        settings.turn("expanded", turned);
        ui.note(if turned == "on" { "rows are shown as lines" } else { "rows are shown in columns" });
        Ok(())
    }

    fn edit(&mut self, id: Option<&str>) -> Result<Next> {
        let ui = self.host.session.ui();
        let Some(id) = id else {
            let last = locked(&self.lines).before("edit")?;
            let line = edit::line(&last)?.unwrap_or_default();
            if line.is_empty() || line == last {
                ui.note(if line.is_empty() { "there is nothing to be done" } else { "nothing was changed" });
                return Ok(Next::Go);
            }
            ui.line(&safe_lines(&line));
            self.host.session.leave_line(line.clone());
            return self.line(&line);
        };
        let session = self.host.session.for_command(ui, self.host.session.base_settings());
        let Some(edited) = edit::client(&session, id)? else {
            ui.note("nothing was changed");
            return Ok(Next::Go);
        };
        let done = self.one(&edited.line);
        if let Err(error) = &done {
            // Refused for what it says; or by what another time may do.
            edited.keep(ui, error.kind() == Kind::Usage || matches!(error.status(), Some(400 | 409 | 422)));
        }
        done
    }

    /// Shows an outcome on stdout; to a person by the pager, where it is longer than the screen.
    fn show(&self, ui: Ui, outcome: Outcome, format: &Format, quiet: bool) -> Result<()> {
        let is_on = |name| self.settings.as_ref().is_some_and(|settings| settings.is_on(name));
        let ages = self.settings.as_ref().is_some_and(|settings| settings.get("dates") == "relative");
        let all_by = if self.settings.is_some() { EXPAND } else { "--format json" };
        let screen = Screen { is_expanded: is_on("expanded"), tells_ages: ages, all_by, ..execute::screen(ui) };
        // What is done row by row is seen as it is done.
        let is_paged = is_on("pager") && screen.is_terminal && !outcome.writes && outcome.shape != Shape::One;
        if !is_paged {
            return execute::show_on(ui, outcome, (format, quiet), &screen, &mut ui.stdout());
        }
        let mut pager = Pager::new(ui);
        let shown = execute::show_on(ui, outcome, (format, quiet), &screen, &mut pager);
        let finished = pager.finish().map_err(|source| Error::failed("cannot show it").caused_by(source));
        shown.and(finished)
    }

    fn command(&mut self, step: Step) -> Result<Next> {
        let mut words = Vec::new();
        for word in &step.words {
            words.extend(self.word(word)?);
        }
        let writes = self.host.session.writes();
        match self.command_of(&words, &step) {
            // What has begun is not begun again.
            Err(error) if is_for_sign_in(&error) && self.host.session.writes() == writes => {
                if !self.signs_in(&words)? {
                    return Err(error);
                }
                self.stays()?;
                self.command_of(&words, &step)
            }
            done => done,
        }
    }

    /// Offers a person at the prompt to sign in where such a command acts. False: nobody wants it, or is there.
    fn signs_in(&mut self, words: &[String]) -> Result<bool> {
        let ui = self.host.session.ui();
        let registry = self.host.registry.clone();
        let parse::Parsed::Command(_, matches) = parse::parse(&registry, words, false)? else { return Ok(false) };
        let is_set = |flag: &str| matches!(matches.try_get_one(flag), Ok(Some(true)));
        let [yes, no] = YES_OR_NO;
        if self.settings.is_none() || !ui.can_ask(false) || is_set("no-input") {
            return Ok(false);
        }
        if !is_set("yes") && ui.choose("Sign in now? [Y/n] ", &YES_OR_NO, yes)? == no {
            return Ok(false);
        }
        let given = common::settings(&matches, &self.host.session.base_settings())?.given;
        let file = given.config.iter().flat_map(|path| ["--config".to_owned(), path.display().to_string()]);
        let words: Vec<String> = LOGIN.map(str::to_owned).into_iter().chain(file).collect();
        self.command_of(&words, &Step::default())?;
        // What is typed while a browser is waited for answers nothing.
        ui::begin_line();
        Ok(true)
    }

    fn command_of(&mut self, words: &[String], step: &Step) -> Result<Next> {
        let ui = self.host.session.ui();
        let registry = self.host.registry.clone();
        let (command, matches) = match parse::parse(&registry, words, ui.colors_stdout() && step.to == To::Stdout)? {
            parse::Parsed::Help(help) => return self.show_text(&help, &step.to).map(|()| Next::Go),
            parse::Parsed::Bare(_) => return Ok(Next::Go),
            parse::Parsed::Command(command, matches) => (command, matches),
        };
        if command.words == [HELP] {
            let words: Vec<String> = matches.get_many("words").into_iter().flatten().cloned().collect();
            if let [name] = words.as_slice()
                && is_of_api(name)
            {
                let words = ["script", "api", name].map(str::to_owned);
                return self.command_of(&words, step);
            }
            let text = help::about(&registry, &words, ui.colors_stdout() && step.to == To::Stdout)?;
            return self.show_text(&text, &step.to).map(|()| Next::Go);
        }
        let mut output = common::output(&matches, command.format)?;
        // A shell that was told to be quiet tells no notes of its lines either.
        output.ui.quiet |= ui.quiet;
        let line_ui = output.ui;
        let memory = Memory::default();
        let to = self.open(&step.to)?;
        // What stands in its words may have taken its time.
        self.stays()?;
        let begun = execute::begin(&self.host, command, &matches, &output, Origin::Line);
        let is_list = begun.as_ref().is_ok_and(|outcome| outcome.shape != Shape::One);
        let place = self.place.clone();
        let placed = move |error: Error| match &place {
            Some(place) if !error.is_told() => error.about(place),
            _ => error,
        };
        // Errors of single rows are told as they come; one of a list ends it, and is told as that of the line.
        let of_rows = placed.clone();
        let begun = begun.map(|outcome| match outcome.shape {
            Shape::List => outcome,
            Shape::One | Shape::Many => outcome.through(move |rows| Some(rows.next()?.map_err(&of_rows))),
        });
        let shown = begun.map(|outcome| memory.keeping(outcome)).and_then(|outcome| match to {
            None => self.show(line_ui, outcome, &output.format, output.quiet),
            Some(mut pipe) => {
                // What is shown there is for no terminal.
                let (how, screen) = ((&output.format, output.quiet), Screen::default());
                let shown = execute::show_on(line_ui, outcome, how, &screen, &mut pipe);
                shown.and(pipe.close())
            }
        });
        match shown {
            Ok(()) => {
                self.prompt.remember(&memory.take(), is_list);
                let asked = std::mem::take(&mut *locked(&self.requests));
                for request in asked {
                    match self.request(request, ui)? {
                        Next::Go => {}
                        leave @ Next::Leave(_) => return Ok(leave),
                    }
                }
                Ok(Next::Go)
            }
            Err(error) => {
                let error = placed(error);
                // Told as the line asked for: as JSON with `--format json`.
                line_ui.error(&error);
                Err(error.already_told())
            }
        }
    }

    fn request(&mut self, request: Request, ui: Ui) -> Result<Next> {
        match request {
            Request::Leave(code) => return Ok(Next::Leave(code)),
            Request::Load(file) => return self.load(&file),
            Request::Edit(id) => return self.edit(id.as_deref()),
            Request::Tour => tour::go(self, ui)?,
            Request::Settings => {
                if self.settings.is_some() {
                    self.settings = Some(read_settings(&self.host));
                }
            }
            Request::Undo(line) => {
                let session = self.host.session.clone();
                return session.taking_back(|| self.one(&line));
            }
            Request::Copy(code) => self.prompt.text(&code).and_then(|text| ui.copy(&text))?,
        }
        Ok(Next::Go)
    }

    fn show_text(&mut self, text: &str, to: &To) -> Result<()> {
        match self.open(to)? {
            None => self.host.session.ui().print(text),
            Some(mut pipe) => {
                let written = std::io::Write::write_all(&mut pipe, text.as_bytes());
                // A program may have read all that it wanted.
                let is_closed = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
                match written {
                    Err(error) if !is_closed(&error) => {
                        return Err(Error::failed("cannot write the help").caused_by(error));
                    }
                    _ => pipe.close()?,
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, to: &To) -> Result<Option<Pipe>> {
        Ok(match to {
            To::Stdout => None,
            To::File(file, over) => Some(Pipe::file(&self.one_word(file)?, *over)?),
            To::Below(file) => Some(Pipe::below(&self.one_word(file)?)?),
            To::Program(pieces) => {
                let (mut line, mut values) = (String::new(), Vec::new());
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => line.push_str(text),
                        Piece::Code(code) if self.prompt.knows(code) => {
                            let value = self.one_word(std::slice::from_ref(piece))?;
                            // A value is no part of what `sh` reads.
                            let name = format!("{VALUE}{}", values.len());
                            line.extend(["${", &name, "}"]);
                            values.push((name, value));
                        }
                        Piece::Code(code) => line.extend(["${", code, "}"]),
                    }
                }
                Some(Pipe::program(&line, values)?)
            }
        })
    }

    /// A word as it is given to a command; of a list that is all of it one for each entry.
    fn word(&mut self, pieces: &[Piece]) -> Result<Vec<String>> {
        if let [Piece::Code(code)] = pieces {
            return self.prompt.words(code);
        }
        self.one_word(pieces).map(|word| vec![word])
    }

    fn one_word(&mut self, pieces: &[Piece]) -> Result<String> {
        let mut word = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => word.push_str(text),
                Piece::Code(code) => match self.prompt.words(code)?.as_slice() {
                    [one] => word.push_str(one),
                    several => {
                        return Err(Error::usage(format!("`${{{code}}}` is {} words within one", several.len()))
                            .hint("by itself it gives a word for each entry"));
                    }
                },
            }
        }
        Ok(word)
    }
}

/// What a person has set; what cannot be read is told, and is as where nobody says.
fn read_settings(host: &Host) -> Settings {
    Settings::read().unwrap_or_else(|error| {
        host.session.ui().error(&error);
        Settings::default()
    })
}

/// Whether a word is a function or a module of the API.
fn is_of_api(name: &str) -> bool {
    name.contains("::") || library::known().iter().any(|function| function.module == name)
}
