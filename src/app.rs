//! Assembles registry and session, chooses the front, and turns what came of it into an exit code.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ArgMatches;

use crate::commands;
use crate::commands::sandbox::starter;
use crate::error::{Error, Kind, Result, nearest};
use crate::grammar::persona::Persona;
use crate::grammar::{Command, Host, Registry, common, execute, parse};
use crate::ops::guard::DECLINED;
use crate::plugin::known::{self, Known};
use crate::plugin::manifest::HOOKS;
use crate::session::Session;
use crate::session::handle::Settings;
use crate::session::stack::on_big_stack;
use crate::session::target::{self, Given};
use crate::shell;
use crate::ui::{Color, Ui};

/// Threads of a process that serves others or holds a session; a single command needs none beside its own.
const WORKERS: usize = 2;

/// Runs the program; `words` are its name and its arguments.
pub fn main(mut words: impl Iterator<Item = OsString>) -> ExitCode {
    no_core_dumps();
    let persona = words.next().map(|program| Persona::of(&program)).unwrap_or_default();
    let words: Result<Vec<String>, OsString> = words.map(OsString::into_string).collect();
    let result = match &words {
        Ok(words) => run(words, persona).map_err(|error| persona.told(error)),
        Err(word) => Err(Error::usage(format!("an argument is not UTF-8: {}", word.to_string_lossy()))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let words = words.unwrap_or_default();
            Ui { json_errors: asks_for_json(&words), color: color_asked_for(&words), ..Ui::default() }.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// A core dump would put secrets on disk.
fn no_core_dumps() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // Where it is not allowed, dumps are as they were.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

/// The plugins that are there, and all commands.
fn load(goes_without: bool) -> (Known, Arc<Registry>) {
    let built_in = commands::registry();
    let known = if goes_without { Known::default() } else { known::load(&built_in) };
    let registry = Arc::new(built_in.with(known.commands()));
    (known, registry)
}

fn run(words: &[String], persona: Persona) -> Result<()> {
    let goes_without = words.iter().take_while(|word| *word != "--").any(|word| word == "--no-plugins");
    let (mut known, mut registry) = load(goes_without);
    let ui = Ui { color: color_asked_for(words), ..Ui::default() };
    let words = with_run(words, &registry);
    let mut parsed = parse::parse(&registry, &words, ui.colors_stdout());
    // What calls no hook needs no plugin.
    let needs_plugins = match &parsed {
        Ok(parse::Parsed::Command(command, _)) => command.on_server,
        Ok(parse::Parsed::Bare(_)) => true,
        Ok(parse::Parsed::Help(_)) => false,
        // It may be the command of one of them that is not known.
        Err(error) => error.code() == Some(parse::UNKNOWN),
    };
    if needs_plugins && known.is_to_be_fetched(ui) {
        fetch(&registry)?;
        (known, registry) = load(goes_without);
        parsed = parse::parse(&registry, &words, ui.colors_stdout());
    }
    if parsed.is_err() {
        if goes_without {
            ui.note("plugins are off");
        }
        for (_, error) in &known.refused {
            ui.warn(&error.full_message());
        }
    }
    let hints = known.refused.iter().flat_map(|(_, error)| error.hints().to_vec());
    let parsed = parsed.map_err(|error| match error.code() {
        Some(parse::UNKNOWN) => hints.fold(error, Error::hint),
        _ => error,
    });
    match parsed? {
        parse::Parsed::Help(text) => {
            ui.print(&text);
            Ok(())
        }
        parse::Parsed::Command(command, matches) => one_command(&registry, known, command, &matches, persona),
        parse::Parsed::Bare(matches) => start_shell(&registry, known, &matches),
    }
}

/// Fetches the plugins of the repository, as `plugin sync` does: each is shown and asked about.
fn fetch(registry: &Arc<Registry>) -> Result<()> {
    let parse::Parsed::Command(command, matches) = parse::parse(registry, &["plugin".into(), "sync".into()], false)?
    else {
        return Ok(());
    };
    let output = common::output(&matches, command.format)?;
    let session = Session::new(output.ui, common::settings(&matches, &Settings::default())?, 0, starter());
    let host = Host { session, registry: Arc::clone(registry) };
    let fetched = execute::begin(&host, command, &matches, &output, execute::Origin::Process);
    host.session.close();
    match fetched {
        Err(error) if error.kind() == Kind::Interrupted => Err(error),
        // Looking goes on without it. That it was not granted is told of as of any.
        Err(error) => {
            if error.code() != Some(DECLINED) {
                output.ui.error(&error);
            }
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// A lone dash in the place of a command reads a script from stdin.
fn with_run(words: &[String], registry: &Registry) -> Vec<String> {
    let mut words = words.to_vec();
    let dash = words.iter().position(|word| word == "-");
    if let Some(at) = dash.filter(|at| !words[..*at].iter().any(|word| registry.is_verb(word))) {
        words.insert(at, "run".into());
    }
    words
}

fn one_command(
    registry: &Arc<Registry>,
    known: Known,
    command: &Command,
    matches: &ArgMatches,
    persona: Persona,
) -> Result<()> {
    let mut output = common::output(matches, command.format)?;
    output.format = persona.dressed(output.format);
    // For `hydra` a variable is as good as the flag; for the others it names the admin API.
    let given = Given { variable_is_public: persona == Persona::Hydra, ..Given::default() };
    let base = Settings { given, ..Settings::default() };
    let settings = common::settings(matches, &base)?;
    let workers = if command.long_running || settings.given.sandbox { WORKERS } else { 0 };
    let session = Session::new(output.ui, settings, workers, starter());
    // What acts on no server calls no hook.
    let session = if command.on_server {
        let off = switched_off(session.ui(), &known, matches)?;
        with_plugins(session, registry, known, &off)?
    } else {
        known.introduce(registry);
        session
    };
    let host = Host { session, registry: Arc::clone(registry) };
    let work = || execute::execute(&host, command, matches, &output);
    // Hooks run on a thread with a big stack: all of it does, rather than each call for itself.
    let result = if host.session.hooks().is_empty() { work() } else { on_big_stack(work) };
    host.session.close();
    result
}

fn start_shell(registry: &Arc<Registry>, known: Known, matches: &ArgMatches) -> Result<()> {
    let output = common::output(matches, "table")?;
    let mut settings = common::settings(matches, &Settings::default())?;
    let is_interactive = std::io::stdin().is_terminal() && output.ui.stdout_is_terminal();
    // Only a person at a terminal, who is told so, lands in the sandbox by default.
    let falls_back = is_interactive && settings.given == Given::default() && target::is_nowhere(&settings.given);
    settings.given.sandbox |= falls_back;
    settings.given = target::pinned(settings.given);
    let session = Session::new(output.ui, settings, WORKERS, starter());
    session.note_target();
    let off = switched_off(session.ui(), &known, matches)?;
    let session = with_plugins(session, registry, known, &off)?;
    let host = Host { session, registry: Arc::clone(registry) };
    let goes_without = matches.get_flag("no-plugins");
    let anew = move |session: &Session| {
        let (known, registry) = load(goes_without);
        let session = with_plugins(session.without_hooks(), &registry, known, &off)?;
        Ok(Host { session, registry })
    };
    let result = if is_interactive {
        shell::interactive(&host, &anew, falls_back, matches.get_flag("norc"))
    } else {
        shell::from_stdin(&host, &anew, matches.get_flag("keep-going"))
    };
    host.session.close();
    result
}

/// The session in which the hooks of plugins are called, but for those that are `off`. What does not count is told.
fn with_plugins(session: Session, registry: &Arc<Registry>, mut known: Known, off: &[String]) -> Result<Session> {
    let ui = session.ui();
    known.demand_trust(ui)?;
    for (_, error) in &known.refused {
        ui.warn(&error.full_message());
    }
    // Scripts import what was granted just now as well.
    known.introduce(registry);
    Ok(known.attach(session, off))
}

/// The hooks and plugins that `--no-hook` names, and tells of. Errors of usage: there is none of that name.
fn switched_off(ui: Ui, known: &Known, matches: &ArgMatches) -> Result<Vec<String>> {
    let off: Vec<String> = matches.get_many::<String>("no-hook").into_iter().flatten().cloned().collect();
    if matches.get_flag("no-plugins") {
        ui.note("plugins are off");
    }
    for name in &off {
        if !HOOKS.contains(&name.as_str()) && !known.has(name) {
            return Err(Error::usage(format!("--no-hook: there is neither a hook nor a plugin `{name}`"))
                .did_you_mean(nearest(name, HOOKS)));
        }
        ui.note(&format!("{name} is off"));
    }
    Ok(off)
}

/// The last value of a flag, known before the flags have been understood.
fn last_of<'w>(words: &'w [String], flag: &str) -> Option<&'w str> {
    let behind = words.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1].as_str());
    let joined = words.iter().filter_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
    behind.chain(joined).last()
}

/// Whether errors are to be told as JSON.
fn asks_for_json(words: &[String]) -> bool {
    last_of(words, "--format").is_some_and(common::is_json)
}

fn color_asked_for(words: &[String]) -> Color {
    last_of(words, "--color").map_or(Color::Auto, common::color)
}
