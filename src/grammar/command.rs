//! Commands as data: what each is called, what it takes, what it returns.

use std::sync::{Arc, OnceLock};

use clap::ArgMatches;

use crate::error::Result;
use crate::grammar::parse;
use crate::output::format::Format;
use crate::output::outcome::Outcome;
use crate::session::Session;

/// What a command or a script works with.
#[derive(Clone)]
pub struct Host {
    /// Where to act and as whom.
    pub session: Session,
    /// All commands, so that help and scripts can reach them.
    pub registry: Arc<Registry>,
}

/// The parsed flags and words of one command.
#[derive(Clone)]
pub struct Args {
    /// What clap made of them.
    pub matches: ArgMatches,
    /// How the outcome will be shown; checked before the command runs.
    pub format: Format,
    /// Whether a person answers every question with yes.
    pub yes: bool,
    /// Whether a person typed them, who can be asked for more.
    pub by_person: bool,
    /// Whether they came with the process, so that others can see them in the list of processes.
    pub from_argv: bool,
}

impl Args {
    /// The values of a repeatable flag or word.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.matches.get_many::<String>(name).map(|values| values.cloned().collect()).unwrap_or_default()
    }

    /// The value of a flag, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.matches.get_one::<String>(name).map(String::as_str)
    }

    /// Whether a switch was given.
    pub fn flag(&self, name: &str) -> bool {
        self.matches.get_flag(name)
    }

    /// Whether what would be done is to be shown only: by `--dry-run`, or in a script that runs dry.
    pub fn only_shows(&self, session: &Session) -> bool {
        self.flag("dry-run") || session.dry_run().is_some()
    }
}

/// What a command does: flags in, outcome out. It prints nothing.
pub type Run = Arc<dyn Fn(&Host, &Args) -> Result<Outcome> + Send + Sync>;

/// A command.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property by itself")]
pub struct Command {
    /// Verb, or verb and noun.
    pub words: Vec<&'static str>,
    /// Other names of its last word.
    pub aliases: &'static [&'static str],
    /// One line of help, without a full stop.
    pub about: &'static str,
    /// More help, below the flags: examples.
    pub after: &'static str,
    /// Its own flags and words, on top of those that all commands take.
    pub args: Arc<dyn Fn() -> Vec<clap::Arg> + Send + Sync>,
    /// The format where none is asked for.
    pub format: &'static str,
    /// Whether it acts on a server, and takes the flags that name one.
    pub on_server: bool,
    /// Whether it asks the public API above all: the address that `hydra` is given for it is that of the public side.
    pub on_public_side: bool,
    /// Whether a dry run runs it: it changes nothing, or only through what tells instead of doing then.
    pub runs_dry: bool,
    /// Whether the test of a script may run it, which has a home of its own: what acts on a server or runs dry may be run anyway.
    pub in_tests: bool,
    /// Who may write it in a line.
    pub audience: Audience,
    /// Whether it serves others for as long as it runs, and needs threads for that.
    pub long_running: bool,
    /// What it does.
    pub run: Run,
}

/// Who may write a command in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, PartialOrd)]
pub enum Audience {
    /// Whoever can write lines: plugins as well, where they were granted it.
    All,
    /// No plugin: it reads or writes files that no capability names.
    NoPlugin,
    /// No test of a script either: it acts where its words say, or on what is trusted.
    People,
}

impl Command {
    /// A command that acts on a server.
    pub fn new<const N: usize>(
        words: [&'static str; N],
        about: &'static str,
        run: impl Fn(&Host, &Args) -> Result<Outcome> + Send + Sync + 'static,
    ) -> Self {
        Command {
            words: words.into(),
            aliases: &[],
            about,
            after: "",
            args: Arc::new(Vec::new),
            format: "table",
            on_server: true,
            on_public_side: false,
            runs_dry: false,
            in_tests: false,
            audience: Audience::All,
            long_running: false,
            run: Arc::new(run),
        }
    }

    /// Other names of its last word.
    #[must_use]
    pub fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Command { aliases, ..self }
    }

    /// Its own flags and words.
    #[must_use]
    pub fn args(self, args: impl Fn() -> Vec<clap::Arg> + Send + Sync + 'static) -> Self {
        Command { args: Arc::new(args), ..self }
    }

    /// Help below the flags.
    #[must_use]
    pub fn after(self, after: &'static str) -> Self {
        Command { after, ..self }
    }

    /// Another format than a table where none is asked for.
    #[must_use]
    pub fn format(self, format: &'static str) -> Self {
        Command { format, ..self }
    }

    /// It changes nothing, or only through what tells instead of doing in a dry run.
    #[must_use]
    pub fn runs_dry(self) -> Self {
        Command { runs_dry: true, ..self }
    }

    /// What it writes is of the home folder, or where it is told to.
    #[must_use]
    pub fn in_tests(self) -> Self {
        Command { in_tests: true, ..self }
    }

    /// Not everybody may write it in a line.
    #[must_use]
    pub fn only_for(self, audience: Audience) -> Self {
        Command { audience, ..self }
    }

    /// It serves others until it is stopped.
    #[must_use]
    pub fn long_running(self) -> Self {
        Command { long_running: true, ..self }
    }

    /// It asks the public API above all.
    #[must_use]
    pub fn public_side(self) -> Self {
        Command { on_public_side: true, ..self }
    }

    /// It acts on no server.
    #[must_use]
    pub fn offline(self) -> Self {
        Command { on_server: false, ..self }
    }
}

/// All commands.
#[derive(Default)]
pub struct Registry {
    commands: Vec<Command>,
    /// The tree of them, for whoever looks at it again and again.
    tree: OnceLock<clap::Command>,
}

impl Registry {
    /// A registry of these.
    pub fn new(commands: Vec<Command>) -> Self {
        Registry { commands, tree: OnceLock::new() }
    }

    /// The same with more behind them.
    #[must_use]
    pub fn with(mut self, more: Vec<Command>) -> Self {
        self.commands.extend(more);
        self.tree = OnceLock::new();
        self
    }

    /// The commands, in the order of the help.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The tree of them, as it is parsed by.
    pub fn tree(&self) -> &clap::Command {
        self.tree.get_or_init(|| parse::root(self))
    }

    /// The command of exactly these words.
    pub fn find(&self, words: &[&str]) -> Option<&Command> {
        self.commands.iter().find(|command| command.words == words)
    }

    /// Whether some command begins with this word.
    pub fn is_verb(&self, word: &str) -> bool {
        self.commands
            .iter()
            .any(|command| command.words[0] == word || (command.words.len() == 1 && command.aliases.contains(&word)))
    }
}
