//! What a word of a command line can be: commands, flags, choices, and what a script declares behind `run FILE`.

use std::borrow::Cow;

use clap::Arg;

use super::choices::{self, Wants};
use super::sources::Source;
use crate::commands::script::run as script;
use crate::env;
use crate::grammar::Registry;
use crate::grammar::help::TOPICS;
use crate::script::arguments;

/// What a word can be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// The whole word.
    pub word: String,
    /// What it is, in one line.
    pub about: String,
}

impl Candidate {
    /// One that says by itself what it is.
    pub fn plain(word: impl Into<String>) -> Self {
        Candidate { word: word.into(), about: String::new() }
    }
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
    /// What else it can be.
    pub wants: Wants,
    /// Whether what begins with a dash is a flag there.
    pub takes_flags: bool,
    /// The flags that say where the line acts, with their values.
    pub target: Vec<(String, String)>,
}

/// What the word that has begun as `current` can be, behind these words (without the program's name), whatever it has begun as;
/// all of them as they are handed over once the line is run.
pub fn offered(registry: &Registry, words: &[String], current: &str) -> Offered {
    let mut at = Place::at(Cow::Borrowed(registry.tree()));
    for word in words {
        at = at.behind(&at_home(word));
    }
    let mut offered = if at.command.get_name() == "help" { of_help(registry, &at) } else { at.candidates(current) };
    offered.words.sort_by(|a, b| a.word.cmp(&b.word));
    offered.words.dedup_by(|a, b| a.word == b.word);
    Offered { target: at.target, ..offered }
}

fn at_home(word: &str) -> Cow<'_, str> {
    match (word.strip_prefix("~/"), env::HOME.get()) {
        (Some(rest), Some(home)) => format!("{home}/{rest}").into(),
        _ => word.into(),
    }
}

/// A word as a shell hands it over once the line is run; a quote that is open ends with it.
pub fn unquoted(word: &str) -> String {
    let closed = ["", "'", "\""].iter().find_map(|end| shlex::split(&format!("{word}{end}")));
    match closed.as_deref() {
        Some([one]) => one.clone(),
        // It is no line of a shell.
        _ => word.to_owned(),
    }
}

/// What help there is behind some words: commands, and topics.
fn of_help(registry: &Registry, at: &Place<'_>) -> Offered {
    let mut of = Place::at(Cow::Borrowed(registry.tree()));
    for word in &at.behind {
        of = of.behind(word);
    }
    let mut words = if of.behind.is_empty() { of.commands() } else { Vec::new() };
    if at.behind.is_empty() {
        words.extend(TOPICS.map(|topic| Candidate { word: topic.to_owned(), about: "topic".to_owned() }));
    }
    Offered { words, ..Offered::default() }
}

/// The flags that say where a line acts.
const OF_TARGET: [&str; 6] = ["profile", "endpoint", "sandbox", "project", "workspace", "config"];

/// What stands for the arguments of a script that cannot be read: any of them may be a file.
const UNREAD: &str = "unread";

/// Where a command line has come to.
struct Place<'a> {
    command: Cow<'a, clap::Command>,
    /// What all commands take, which is known at the top only as long as nothing has been parsed.
    global: Vec<&'a Arg>,
    /// The flag whose value comes next.
    waiting: Option<Arg>,
    /// The words that came since and are no flags.
    behind: Vec<String>,
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
        Place { command, global, waiting: None, behind: Vec::new(), file: None, is_literal: false, target }
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
            let is_alone = !word.contains('=') && (word.starts_with("--") || word.chars().count() == 2);
            let takes_next = |flag: &Arg| flag.get_action().takes_values() && !flag.is_require_equals_set();
            let waiting = flag.clone().filter(|flag| is_alone && takes_next(flag));
            if let (Some(flag), None) = (&flag, &waiting) {
                self.note(flag, word.split_once('=').map_or("", |(_, value)| value));
            }
            return Place { waiting, ..self };
        }
        // A script's own words are no commands.
        if let Cow::Borrowed(command) = self.command
            && let Some(inner) = command.find_subcommand(word).filter(|_| self.behind.is_empty())
        {
            self.global.extend(command.get_arguments().filter(|arg| arg.is_global_set()));
            return Place { command: Cow::Borrowed(inner), ..self };
        }
        self.behind.push(word.to_owned());
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
            let nothing = clap::Command::new(UNREAD).disable_help_flag(true);
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

    /// What an argument can be whose value stands behind `before`.
    fn values(&self, arg: &Arg, before: &str, current: &str) -> Offered {
        let begun = current.strip_prefix(before).unwrap_or_default();
        let behind = |one: Candidate| Candidate { word: format!("{before}{}", one.word), ..one };
        Offered {
            words: choices::of(arg, begun, &self.behind).into_iter().map(behind).collect(),
            source: Source::of(arg),
            before: before.to_owned(),
            wants: choices::wanted(arg, begun),
            takes_flags: before.is_empty() && !arg.is_allow_hyphen_values_set() && !self.is_literal,
            target: Vec::new(),
        }
    }

    /// What it can be.
    fn candidates(&self, current: &str) -> Offered {
        if self.command.get_name() == UNREAD {
            return Offered { wants: Wants::File, ..Offered::default() };
        }
        if let Some(flag) = &self.waiting {
            return self.values(flag, "", current);
        }
        if !self.is_literal && current.starts_with('-') {
            return match (current.split_once('='), self.flag(current)) {
                (Some((name, _)), Some(flag)) => self.values(&flag, &format!("{name}="), current),
                _ => Offered { words: self.flags(), ..Offered::default() },
            };
        }
        let commands = if self.behind.is_empty() { self.commands() } else { Vec::new() };
        let takes_all = |arg: &&Arg| matches!(arg.get_action(), clap::ArgAction::Append);
        let positional = self.command.get_positionals().nth(self.behind.len());
        let positional = positional.or_else(|| self.command.get_positionals().last().filter(takes_all));
        let mut offered = positional.map(|arg| self.values(arg, "", current)).unwrap_or_default();
        offered.words.extend(commands);
        offered
    }

    /// The commands below it.
    fn commands(&self) -> Vec<Candidate> {
        let inner = self.command.get_subcommands().filter(|inner| !inner.is_hide_set());
        inner.map(|inner| Candidate { word: inner.get_name().to_owned(), about: line(inner.get_about()) }).collect()
    }

    fn flags(&self) -> Vec<Candidate> {
        let shown = self.arguments().filter(|arg| !arg.is_hide_set());
        let flags = shown
            .filter_map(|arg| Some(Candidate { word: format!("--{}", arg.get_long()?), about: line(arg.get_help()) }));
        let help = Candidate { word: "--help".into(), about: "Print help".into() };
        flags.chain([help]).collect()
    }
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
        let found = offered(&registry, &words, &current).words.into_iter().map(|candidate| candidate.word);
        found.filter(|word| word.starts_with(&current)).collect()
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
        assert_eq!(words("create oauth2-client --subject-type pu"), ["public"]);
        assert_eq!(
            words("create oauth2-client --response-type=code,to"),
            ["--response-type=code,token", "--response-type=code,token id_token"]
        );
        assert_eq!(words("update oauth2-client a --add-grant-type cl"), ["client_credentials"]);
        assert_eq!(words("create oauth2-client --skip-consent=f"), ["--skip-consent=false"]);
        assert!(words("create oauth2-client --skip-consent ").is_empty());
        assert_eq!(words("list clients --format js"), ["json", "json-pretty", "jsonl", "jsonpath=", "jsonpointer="]);
        assert_eq!(words("list clients --columns client_id,own"), ["client_id,owner"]);
        assert_eq!(words("list clients --sort -own"), ["-owner"]);
        assert_eq!(words("update client a --unset own"), ["owner"]);
        assert!(
            words("update client a --unset client_").iter().all(|word| word != "client_secret" && word != "client_id")
        );
        assert_eq!(words("batch update --set subject_type=pu"), ["subject_type=public"]);
        assert_eq!(words("help cre"), ["create"]);
        assert_eq!(words("help create o"), ["oauth2-client"]);
        assert_eq!(words("help exit"), ["exit-codes"]);
    }

    #[test]
    fn a_file_is_meant_where_an_argument_takes_one() {
        let registry = crate::commands::registry();
        for (line, wants) in [
            ("create oauth2-client --file ", Wants::File),
            ("create oauth2-client --format ", Wants::Nothing),
            ("create oauth2-client --name ", Wants::Nothing),
            ("create oauth2-client --pgp-key @", Wants::File),
            ("batch create ", Wants::File),
            ("run ", Wants::File),
            ("list clients --where ", Wants::Condition),
            ("version ", Wants::Nothing),
        ] {
            let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let current = words.pop().unwrap_or_default();
            assert_eq!(offered(&registry, &words, &current).wants, wants, "{line}");
        }
    }

    #[test]
    fn a_word_may_be_open() {
        let told = [r#""sh"#, "'zz t", r"zz\ t", "zz top", "a:b", "'it"].map(unquoted);
        assert_eq!(told, ["sh", "zz t", "zz t", "zz top", "a:b", "it"]);
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
