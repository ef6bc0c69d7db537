//! Running one parsed command: its outcome rendered, its failures told, its exit code chosen.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::config::{profile, team};
use crate::error::{Error, Kind, Result};
use crate::grammar::command::{Args, Audience, Command, Host};
use crate::grammar::common::{self, Output};
use crate::grammar::{deliver, stdin};
use crate::output::format::Format;
use crate::output::outcome::{Body, LATE, Outcome};
use crate::output::{Screen, render};
use crate::session::Session;
use crate::session::grant::Grant;
use crate::session::handle::Assent;
use crate::ui::{self, Ui};

/// How many rows the shell remembers of an outcome.
const MOST_REMEMBERED: usize = 10_000;

/// The rows that were shown, as far as they are remembered.
pub type Shown = Vec<Body>;

/// Runs a command of a process and shows what it returns.
///
/// Errors: its own, or [`Kind::Partial`] where some of several failed.
pub fn execute(host: &Host, command: &Command, matches: &ArgMatches, output: &Output) -> Result<()> {
    let _watch = host.session.interrupt().watch();
    let outcome = begin(host, command, matches, output, Origin::Process)?;
    show(output.ui, outcome, &output.format, output.quiet)
}

/// Where a command comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The words of a process.
    Process,
    /// A line of a shell.
    Line,
    /// A line of a script.
    Script,
}

/// Begins a command: its outcome is there, and not pulled yet.
pub fn begin(host: &Host, command: &Command, matches: &ArgMatches, output: &Output, origin: Origin) -> Result<Outcome> {
    let is_taken = origin != Origin::Process && !output.ui.stdin_is_terminal();
    stdin::once(matches, is_taken)?;
    let mut base = host.session.base_settings();
    base.given.endpoint_is_public = command.on_public_side;
    base.given.variable_is_public &= command.on_public_side;
    let mut settings = common::settings(matches, &base)?;
    if origin == Origin::Script {
        let names_place = settings.given.names_target() && settings.given != base.given;
        settings.assent = assent_of_script(&settings.assent, &host.session.settings().assent, names_place)?;
    }
    if host.session.is_confined() {
        let is_own = command.on_server || command.runs_dry || command.in_tests;
        if command.on_server && settings.given.names_target() && !settings.given.sandbox || !is_own {
            return Err(Error::usage("a test acts on its own sandbox, and nowhere else"));
        }
    }
    let switches_off = matches.get_flag("no-plugins") || matches.get_many::<String>("no-hook").is_some();
    if origin != Origin::Process && switches_off {
        return Err(Error::usage(
            "--no-plugins and --no-hook are for the command line of orysh, and for all that runs there",
        ));
    }
    let asker = match () {
        () if host.session.grant().is_some() => Audience::All,
        () if host.session.is_confined() => Audience::NoPlugin,
        () => Audience::People,
    };
    if command.audience > asker {
        return Err(Error::usage(format!("`{}` is for people", command.words.join(" "))));
    }
    if let Some(grant) = host.session.grant() {
        grant.command(&command.words)?;
        refuse_reaching(grant, command, matches)?;
    }
    let session = deliver::with_program(host.session.for_command(output.ui, settings), matches)?;
    let is_trial = ["dry-run", "diff"].iter().any(|flag| matches!(matches.try_get_one(flag), Ok(Some(true))));
    let session = if is_trial { session.with_hooks_dry() } else { session };
    let host = Host { session, registry: Arc::clone(&host.registry) };
    if command.on_server {
        ask_for_trust(&host.session)?;
    }
    let _watch = host.session.interrupt().watch();
    let assent = &host.session.settings().assent;
    let yes = assent.yes && !assent.by_script;
    let args = Args {
        matches: matches.clone(),
        format: output.format.clone(),
        yes,
        by_person: origin != Origin::Script && !output.quiet,
        from_argv: origin == Origin::Process,
    };
    (command.run)(&host, &args).map_err(|error| {
        // Ctrl-C at a question is no answer to it.
        if ui::is_interrupted() && error.kind() == Kind::Usage { Error::interrupted() } else { error }
    })
}

/// What reaches beyond clients: files, programs, other places, what a person agrees to.
const REACHING: [&str; 17] = [
    "file",
    "overlay",
    "input",
    "in",
    "out",
    "patch",
    "path",
    "secret-file",
    "secret-stdin",
    "secret_out",
    "secret-out",
    "stdin",
    "deliver",
    "yes",
    "confirm",
    "trust",
    "header",
];

/// Refuses what a line of a plugin names beyond clients and their fields.
fn refuse_reaching(grant: &Grant, command: &Command, matches: &ArgMatches) -> Result<()> {
    let of_target: Vec<String> = common::server_args(true).iter().map(|arg| arg.get_id().to_string()).collect();
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    // What may be read from a file is named so: `@FILE`.
    let names_file = |id: &str| {
        let values = matches.try_get_many::<String>(id).ok().flatten();
        values.into_iter().flatten().any(|value| {
            let (name, of_set) = value.split_once('=').unwrap_or(("", ""));
            let is_set = ["set", "map"].contains(&id);
            let names_key = is_set && [name, of_set].iter().any(|name| is_of_keys(name));
            // A dash is stdin, or the terminal.
            value == "-" || value.starts_with('@') || is_set && of_set.starts_with('@') || names_key
        })
    };
    let is_refused = |id: &&str| {
        is_given(id)
            && (REACHING.contains(id)
                || id.starts_with("pgp")
                || ["key", "file", "stdin"].iter().any(|part| id.contains(part))
                || names_file(id)
                || of_target.iter().any(|of| of == id))
    };
    let secrets = matches.try_get_one::<String>("secrets").ok().flatten();
    if secrets.is_some_and(|which| which == "plain") {
        grant.secret()?;
    }
    match matches.ids().map(clap::Id::as_str).find(is_refused) {
        Some(id) => Err(Error::usage(format!("`{}`: --{id} is not for plugins", command.words.join(" ")))
            .hint("a plugin names clients and their fields, and acts where the command acts")),
        None => Ok(()),
    }
}

/// Whether a column of a batch says whom secrets are encrypted for.
fn is_of_keys(column: &str) -> bool {
    column.starts_with("pgp") || column == "keybase"
}

/// What counts as agreed to in a line of a script, of what it says itself and what whoever runs it said.
fn assent_of_script(said: &Assent, person: &Assent, place_by_script: bool) -> Result<Assent> {
    if said.confirm.is_some() && said.confirm != person.confirm {
        return Err(Error::usage("--confirm in a script agrees to nothing: a person does")
            .hint("whoever runs the script gives it --confirm NAME or --yes"));
    }
    let yes = said.yes || person.yes;
    Ok(Assent { yes, confirm: person.confirm.clone(), by_script: yes && !person.yes, place_by_script })
}

/// Asks, once, whether what a repository's file adds is trusted, where a profile of it is named.
fn ask_for_trust(session: &Session) -> Result<()> {
    let ui = session.ui();
    let is_asked_for = |error: &Error| error.code() == Some(team::UNTRUSTED) && ui.can_ask(false);
    if !session.chosen().is_err_and(|error| is_asked_for(&error)) {
        return Ok(());
    }
    // It is the file that is meant, wherever one works by now.
    let given = &session.settings().given;
    let in_use = if given.profile.is_none() { profile::user()?.current_from } else { None };
    let team = match in_use {
        Some(path) => Some(team::at(&path)?),
        None => team::found()?,
    };
    let Some(team) = team else { return Ok(()) };
    ui.line(&format!("{} says:\n  {}", team.path.display(), team.described().join("\n  ")));
    if ui.agrees(&format!("Trust {}?", team.path.display()), false) { team.trust() } else { Ok(()) }
}

/// Shows an outcome on stdout. Errors are those of single rows, told one by one, and of writing.
pub fn show(ui: Ui, outcome: Outcome, format: &Format, quiet: bool) -> Result<()> {
    show_on(ui, outcome, (format, quiet), &screen(ui), &mut ui.stdout())
}

/// What stdout is.
pub fn screen(ui: Ui) -> Screen {
    Screen {
        width: ui.width(),
        color: ui.colors_stdout(),
        is_terminal: ui.stdout_is_terminal(),
        is_discarded: ui.stdout_is_discarded(),
        is_expanded: false,
        tells_ages: false,
        all_by: "--format json",
    }
}

/// The same, written to `out`, which is as `screen` says.
pub fn show_on(
    ui: Ui,
    mut outcome: Outcome,
    (format, quiet): (&Format, bool),
    screen: &Screen,
    out: &mut dyn Write,
) -> Result<()> {
    let mut told = |error: &Error| ui.error(error);
    let ended = outcome.ended.take();
    let rendered = render(outcome, format, quiet, screen, out, &mut told)?;
    tell_unseen(ui, &rendered.unseen);
    let mut failures = rendered.failures;
    match failures.len() {
        0 => ended.map_or(Ok(()), |ended| ended()),
        // One thing asked for, or all for the same reason: its own exit code.
        1 if rendered.rows == 0 => Err(failures.remove(0).already_told()),
        some => {
            let exit = failures.iter().map(Error::kind).find(|kind| matches!(kind, Kind::Exit(_)));
            let any = |kind: Kind| failures.iter().any(|error| error.kind() == kind);
            // What ended it before its end says what to do next.
            let kind = match () {
                () if let Some(exit) = exit => exit,
                () if any(Kind::Interrupted) => Kind::Interrupted,
                () if any(Kind::Denied) => Kind::Denied,
                () if failures.iter().any(|error| error.code() == Some(LATE)) => Kind::Failed,
                () if failures.iter().all(|error| error.kind() == Kind::Due) => Kind::Due,
                () => Kind::Partial,
            };
            Err(Error::new(kind, format!("{some} of {} failed", some + rendered.rows)).already_told())
        }
    }
}

/// Says where the secrets are that the output left out.
fn tell_unseen(ui: Ui, unseen: &[String]) {
    if let [first, rest @ ..] = unseen {
        let others = if rest.is_empty() { String::new() } else { format!(", and {} more beside it", rest.len()) };
        ui.warn(&format!("the output leaves a secret out: {first}{others}"));
    }
}

/// The first rows of what was shown, as they are shown.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Shown>>);

impl Memory {
    /// The same outcome, whose rows are kept as they are pulled.
    pub fn keeping(&self, outcome: Outcome) -> Outcome {
        let shown = Arc::clone(&self.0);
        outcome.through(move |rows| {
            let row = rows.next()?;
            if let Ok(row) = &row {
                let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                if shown.len() < MOST_REMEMBERED {
                    shown.push(row.body.clone());
                }
            }
            Some(row)
        })
    }

    /// The rows that were kept.
    pub fn take(&self) -> Shown {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
