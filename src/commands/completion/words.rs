//! What a word of a command line can be: commands, flags, choices, and what a script declares behind `run FILE`.

use std::borrow::Cow;

use clap::Arg;

use super::sources::Source;
use crate::commands::script::run as script;
use crate::env;
use crate::grammar::Registry;
use crate::script::arguments;

/// What a word can be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// The whole word.
    pub word: String,
    /// What it is, in one line.
    pub about: String,
}

/// What a word can be, as far as the words before it tell.
#[derive(Debug, Default)]
pub struct Offered {
    /// Words that are known beforehand.
    pub words: Vec<Candidate>,
    /// Where others come from.
    pub source: Option<Source>,
    /// How much of the word stands before what comes from there: `--profile=`.
    pub before: String,
    /// The flags that say where the line acts, with their values.
    pub target: Vec<(String, String)>,
}

/// What the word that has begun as `current` can be, behind these words (without the program's name). None at all: a file, or
/// something that only a person knows.
pub fn offered(registry: &Registry, words: &[String], current: &str) -> Offered {
    let mut at = Place::at(Cow::Borrowed(registry.tree()));
    for word in words {
        at = at.behind(&unquoted(word));
    }
    let (mut found, source, before) = at.candidates(current);
    found.retain(|candidate| candidate.word.starts_with(current));
    found.sort_by(|a, b| a.word.cmp(&b.word));
    found.dedup_by(|a, b| a.word == b.word);
    Offered { words: found, source, before, target: at.target }
}

/// A word as the shell hands it over once the line is run.
fn unquoted(word: &str) -> String {
    let word = shlex::split(word).and_then(|words| words.into_iter().next()).unwrap_or_else(|| word.to_owned());
    match (word.strip_prefix("~/"), env::HOME.get()) {
        (Some(rest), Some(home)) => format!("{home}/{rest}"),
        _ => word,
    }
}

/// The flags that say where a line acts.
const OF_TARGET: [&str; 6] = ["profile", "endpoint", "sandbox", "project", "workspace", "config"];

/// Where a command line has come to.
struct Place<'a> {
    command: Cow<'a, clap::Command>,
    /// What all commands take, which is known at the top only as long as nothing has been parsed.
    global: Vec<&'a Arg>,
    /// The flag whose value comes next.
    waiting: Option<Arg>,
    /// How many words came that are no flags.
    positionals: usize,
    /// The script that is run.
    file: Option<String>,
    /// Whether no word is a flag any more.
    is_literal: bool,
    /// The flags that say where the line acts.
    target: Vec<(String, String)>,
}

impl<'a> Place<'a> {
    fn at(command: Cow<'a, clap::Command>) -> Self {
        let (global, target) = (Vec::new(), Vec::new());
        Place { command, global, waiting: None, positionals: 0, file: None, is_literal: false, target }
    }

    /// The flags that it takes.
    fn arguments(&self) -> impl Iterator<Item = &Arg> {
        let own = || self.command.get_arguments();
        let is_own = move |arg: &Arg| own().any(|its| its.get_id() == arg.get_id());
        own().chain(self.global.iter().copied().filter(move |arg| !is_own(arg)))
    }

    fn behind(mut self, word: &str) -> Place<'a> {
        if let Some(flag) = self.waiting.take() {
            self.note(&flag, word);
            return self;
        }
        if !self.is_literal && word == "--" {
            return Place { is_literal: true, ..self };
        }
        if !self.is_literal && word.starts_with('-') && word.len() > 1 {
            let flag = self.flag(word);
            let waiting = flag.clone().filter(|flag| flag.get_action().takes_values() && !word.contains('='));
            if let (Some(flag), None) = (&flag, &waiting) {
                self.note(flag, word.split_once('=').map_or("", |(_, value)| value));
            }
            return Place { waiting, ..self };
        }
        // A script's own words are no commands.
        if let Cow::Borrowed(command) = self.command
            && let Some(inner) = command.find_subcommand(word).filter(|_| self.positionals == 0)
        {
            self.global.extend(command.get_arguments().filter(|arg| arg.is_global_set()));
            return Place { command: Cow::Borrowed(inner), ..self };
        }
        self.positionals += 1;
        if self.file.is_none() && self.command.get_name() == "run" {
            return self.in_script(word);
        }
        self
    }

    /// Behind the name of a script stands what that declares.
    fn in_script(self, file: &str) -> Place<'a> {
        let file = file.to_owned();
        // What is no file is not read: it may be what somebody types.
        if !std::path::Path::new(&file).is_file() {
            let nothing = clap::Command::new("nothing").disable_help_flag(true);
            let at = Place::at(Cow::Owned(nothing));
            return Place { file: Some(file), is_literal: true, target: self.target, ..at };
        }
        let declared = script::read(&file, &file).ok().and_then(|text| arguments::declared(&text).ok());
        let command = declared.filter(arguments::Declared::has_arguments).map(|declared| declared.command(&file));
        match command {
            Some(command) => Place {
                file: Some(file),
                is_literal: self.is_literal,
                target: self.target,
                ..Place::at(Cow::Owned(command))
            },
            None => Place { file: Some(file), ..self },
        }
    }

    fn note(&mut self, flag: &Arg, value: &str) {
        if let Some(name) = flag.get_long().filter(|name| OF_TARGET.contains(name)) {
            self.target.push((name.to_owned(), value.to_owned()));
        }
    }

    fn flag(&self, word: &str) -> Option<Arg> {
        let name = word.split('=').next().unwrap_or(word);
        let is_it = |arg: &&Arg| {
            let is_long = arg.get_long().is_some_and(|long| name.strip_prefix("--") == Some(long));
            let short = name.strip_prefix('-').and_then(|rest| rest.chars().next());
            is_long || !name.starts_with("--") && short.is_some() && arg.get_short() == short
        };
        self.arguments().find(is_it).cloned()
    }

    /// What it can be, where others come from, and what stands before those.
    fn candidates(&self, current: &str) -> (Vec<Candidate>, Option<Source>, String) {
        let of = |arg: &Arg, before: &str| (values(arg, before), Source::of(arg), before.to_owned());
        if let Some(flag) = &self.waiting {
            return of(flag, "");
        }
        if !self.is_literal && current.starts_with('-') {
            return match (current.split_once('='), self.flag(current)) {
                (Some((name, _)), Some(flag)) => of(&flag, &format!("{name}=")),
                _ => (self.flags(), None, String::new()),
            };
        }
        let inner =
            self.command.get_subcommands().filter(|_| self.positionals == 0).filter(|inner| !inner.is_hide_set());
        let named = inner.map(|inner| Candidate { word: inner.get_name().to_owned(), about: line(inner.get_about()) });
        let mut named: Vec<Candidate> = named.collect();
        let takes_all = |arg: &&Arg| matches!(arg.get_action(), clap::ArgAction::Append);
        let positional = self.command.get_positionals().nth(self.positionals);
        match positional.or_else(|| self.command.get_positionals().last().filter(takes_all)) {
            Some(arg) => {
                named.extend(values(arg, ""));
                (named, Source::of(arg), String::new())
            }
            None => (named, None, String::new()),
        }
    }

    fn flags(&self) -> Vec<Candidate> {
        let shown = self.arguments().filter(|arg| !arg.is_hide_set());
        let flags = shown
            .filter_map(|arg| Some(Candidate { word: format!("--{}", arg.get_long()?), about: line(arg.get_help()) }));
        let help = Candidate { word: "--help".into(), about: "Print help".into() };
        flags.chain([help]).collect()
    }
}

fn values(arg: &Arg, before: &str) -> Vec<Candidate> {
    let of = |value: clap::builder::PossibleValue| Candidate {
        word: format!("{before}{}", value.get_name()),
        about: line(value.get_help()),
    };
    if arg.get_action().takes_values() { arg.get_possible_values().into_iter().map(of).collect() } else { Vec::new() }
}

fn line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(|text| text.to_string().lines().next().unwrap_or_default().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let registry = crate::commands::registry();
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let current = words.pop().unwrap_or_default();
        offered(&registry, &words, &current).words.into_iter().map(|candidate| candidate.word).collect()
    }

    #[test]
    fn commands_flags_and_choices_are_completed() {
        assert_eq!(words("create oauth2-cl"), ["oauth2-client"]);
        assert!(words("").contains(&"batch".to_owned()) && words("batch re").contains(&"resume".to_owned()));
        assert_eq!(words("create oauth2-client --grant"), ["--grant-type"]);
        assert_eq!(words("--color a"), ["always", "auto"]);
        assert_eq!(words("list clients --color=al"), ["--color=always"]);
        assert!(words("list clients --pro").contains(&"--profile".to_owned()));
        assert_eq!(words("list clients --profile x --page-s"), ["--page-size"]);
        assert!(words("get client ").is_empty() && words("version --endp").is_empty());
        assert_eq!(words("completion z"), ["zsh"]);
    }

    #[test]
    fn behind_a_script_stands_what_it_declares() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.rhai");
        std::fs::write(&path, "//! @arg kind: web|job\n//! @arg --count: number = 1\n//! @arg --as: a|b\n").unwrap();
        let run = format!("run {}", path.display());
        assert_eq!(words(&format!("{run} ")), ["job", "web"]);
        assert_eq!(words(&format!("{run} web --")), ["--as", "--count", "--help"]);
        assert_eq!(words(&format!("{run} web --as ")), ["a", "b"]);
        assert_eq!(words(&format!("--sandbox {run} web --as=b")), ["--as=b"]);
        assert!(words("run --dead").contains(&"--deadline".to_owned()));
        assert!(words("run no-such-file.rhai ").is_empty());
    }
}
