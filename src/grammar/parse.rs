//! From words to a command and its flags, and from clap's refusals to ours.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use clap::builder::Styles;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use crate::error::{Error, Result, nearest};
use crate::grammar::command::{Command, Registry};
use crate::grammar::{common, help};

/// What the words say.
pub enum Parsed<'a> {
    /// A command with its flags.
    Command(&'a Command, ArgMatches),
    /// Help was asked for: its text.
    Help(String),
    /// No command: only flags that all of them take.
    Bare(ArgMatches),
}

/// Reads words (without the program's name). `color`: whether help is coloured.
pub fn parse<'a>(registry: &'a Registry, words: &[String], color: bool) -> Result<Parsed<'a>> {
    let words = &with_script_words(registry, words)?;
    let program = std::iter::once("orysh".to_owned()).chain(with_armor(words));
    let matches = match root(registry).try_get_matches_from(program) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let text = error.render();
            return Ok(Parsed::Help(if color { text.ansi().to_string() } else { text.to_string() }));
        }
        Err(error) => return Err(refusal(registry, words, &error)),
    };
    let of_shell = ["keep-going", "norc"].into_iter().find(|flag| matches.get_flag(flag));
    let (path, matches) = innermost(&matches);
    if path.is_empty() {
        return Ok(Parsed::Bare(matches));
    }
    if let Some(flag) = of_shell {
        return Err(Error::usage(format!("--{flag} is for the shell")).hint("leave it out beside a command"));
    }
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match registry.find(&path) {
        Some(command) => {
            refuse_server_flags(command, &matches)?;
            Ok(Parsed::Command(command, matches))
        }
        None => Err(Error::failed(format!("the command {} is not registered", path.join(" ")))),
    }
}

/// What follows the name of a script is the script's own where that declares what it takes: `run FILE --count 3`. Of one that
/// declares nothing, flags that stand right behind it are ours; one that stands further behind is neither's for certain.
fn with_script_words(registry: &Registry, words: &[String]) -> Result<Vec<String>> {
    let mut all = words.to_vec();
    let own = registry.find(&[RUN]).map(|command| (command.args)()).unwrap_or_default();
    let flags: Vec<Arg> = own.into_iter().chain(common::output_args()).chain(common::server_args(true)).collect();
    let flag = |word: &str| {
        let name = word.split('=').next().unwrap_or(word);
        let of = |arg: &&Arg| {
            let long = arg.get_long().is_some_and(|long| name == format!("--{long}"));
            long || arg.get_short().is_some_and(|short| name == format!("-{short}"))
        };
        flags.iter().find(of)
    };
    // The first word from there on that is neither a flag nor the value of one.
    let next = |mut at: usize| {
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-') && *word != "-") {
            let takes_next = !word.contains('=') && flag(word).is_some_and(|arg| arg.get_action().takes_values());
            at += if takes_next { 2 } else { 1 };
        }
        at
    };
    let run = next(0);
    if words.get(run).is_none_or(|word| word != RUN) {
        return Ok(all);
    }
    let file = next(run + 1);
    let rest = words.get(file + 1..).unwrap_or_default();
    // Whoever separates them says which are whose.
    if rest.is_empty() || rest.iter().any(|word| word == "--") {
        return Ok(all);
    }
    let is_help = |word: &String| word == "--help" || word == "-h";
    if words.get(file).is_some_and(|file| declares(file)) {
        all.insert(file + 1, "--".into());
    } else if let Some(help) = rest.iter().position(is_help) {
        all.insert(file + 1 + help, "--".into());
    } else if let Some(late) = rest.iter().skip(next(file + 1) - file - 1).find(|word| flag(word).is_some()) {
        let error = format!("`{late}` stands behind a word of the script: it is not certain whose it is");
        return Err(
            Error::usage(error).hint("flags of orysh stand before the file; behind a `--` all words are the script's")
        );
    }
    Ok(all)
}

/// Whether a script says in the comment at its top what it takes.
fn declares(file: &str) -> bool {
    // A pipe can be read but once.
    let is_file = std::fs::metadata(file).is_ok_and(|about| about.is_file());
    let lines = is_file.then(|| File::open(file).ok()).flatten().into_iter();
    let lines = lines.flat_map(|file| BufReader::new(file.take(MOST_COMMENT)).lines().map_while(Result::ok));
    let mut comment = lines.skip_while(|line| line.starts_with("#!")).map(|line| line.trim_start().to_owned());
    comment.by_ref().take_while(|line| line.is_empty() || line.starts_with("//!")).any(|line| line.contains("@arg "))
}

/// A script's first comment ends within so many bytes.
const MOST_COMMENT: u64 = 64 * 1024;

/// The command that runs a script.
const RUN: &str = "run";

/// Armored text begins with dashes and is no flag: where it stands by itself it is the value of `--pgp-key`.
fn with_armor(words: &[String]) -> impl Iterator<Item = String> {
    let is_armor = |word: &String| word.starts_with("---") && word.contains('\n');
    let is_value = move |at: usize| at > 0 && words[at - 1] == "--pgp-key";
    words
        .iter()
        .enumerate()
        .map(move |(at, word)| if is_armor(word) && !is_value(at) { format!("--pgp-key={word}") } else { word.clone() })
}

/// The whole tree, for parsing, help and reference.
pub fn root(registry: &Registry) -> clap::Command {
    let mut root = clap::Command::new("orysh")
        .about("A scriptable shell for the OAuth 2.0 clients of Ory Hydra and Ory Network")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .styles(styles())
        .max_term_width(100)
        .after_help(help::AFTER)
        .arg(
            Arg::new("version")
                .long("version")
                .short('V')
                .action(clap::ArgAction::Version)
                .help("Print the version")
                .help_heading("Output"),
        )
        .arg(
            Arg::new("keep-going")
                .long("keep-going")
                .action(clap::ArgAction::SetTrue)
                .help("Go on after lines of stdin that fail")
                .help_heading("Shell"),
        )
        .arg(
            Arg::new("norc")
                .long("norc")
                .action(clap::ArgAction::SetTrue)
                .help("Start the shell without what shell.rhai in the configuration folder defines; off a terminal it is never read")
                .help_heading("Shell"),
        )
        .args(common::output_args().into_iter().chain(common::server_args(true)).map(|arg| arg.global(true)));
    for command in registry.commands() {
        root = match command.words.as_slice() {
            [verb] => root.subcommand(leaf(command, verb)),
            [verb, noun] => {
                let group = root.find_subcommand(verb).cloned().unwrap_or_else(|| group(verb));
                let group = group.subcommand(leaf(command, noun));
                root.mut_subcommands_or_add(group)
            }
            [verb, noun, word] => {
                let above = root.find_subcommand(verb).cloned().unwrap_or_else(|| group(verb));
                let below = above.find_subcommand(noun).cloned().unwrap_or_else(|| group(noun));
                let below = below.mut_subcommands_or_add(leaf(command, word));
                root.mut_subcommands_or_add(above.mut_subcommands_or_add(below))
            }
            _ => root,
        };
    }
    root
}

trait AddSubcommand {
    fn mut_subcommands_or_add(self, group: clap::Command) -> Self;
}

impl AddSubcommand for clap::Command {
    fn mut_subcommands_or_add(self, group: clap::Command) -> Self {
        let name = group.get_name().to_owned();
        if self.find_subcommand(&name).is_some() {
            self.mut_subcommand(name, |_| group)
        } else {
            self.subcommand(group)
        }
    }
}

fn group(verb: &'static str) -> clap::Command {
    let about = help::VERBS.iter().find(|(name, _)| *name == verb).map_or("", |(_, about)| about);
    clap::Command::new(verb).about(about).subcommand_required(true).disable_help_subcommand(true)
}

fn leaf(command: &Command, name: &'static str) -> clap::Command {
    let own = (command.args)();
    let takes_dash_c = own.iter().any(|arg| arg.get_short() == Some('c'));
    let refused: Vec<Arg> = refused_args(command, &own).map(|arg| hidden(&arg)).collect();
    let mut leaf = clap::Command::new(name)
        .about(command.about)
        .visible_aliases(command.aliases.iter().copied())
        .after_help(help::paragraphs(command.after))
        .args(own);
    // An argument of the same name stands in for the global one, which has the short flag.
    if takes_dash_c {
        leaf = leaf.args(common::server_args(false).into_iter().filter(|arg| arg.get_id() == "config"));
    }
    leaf.args(refused)
}

/// The flags of a server that a command has no use for; some of them it may take by itself.
fn refused_args(command: &Command, own: &[Arg]) -> impl Iterator<Item = Arg> {
    let own: Vec<_> = own.iter().map(|arg| arg.get_id().clone()).collect();
    let all = if command.on_server { Vec::new() } else { common::server_args(false) };
    all.into_iter().filter(move |arg| !own.contains(arg.get_id()))
}

/// Stands in for a global flag that would mean nothing here, so that it is refused instead of ignored.
fn hidden(arg: &Arg) -> Arg {
    arg.clone().short(None).hide(true)
}

fn refuse_server_flags(command: &Command, matches: &ArgMatches) -> Result<()> {
    let is_given = |arg: &Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    match refused_args(command, &(command.args)()).find(is_given) {
        Some(arg) => {
            Err(Error::usage(format!("`{}` acts on no server: leave --{} out", command.words.join(" "), arg.get_id())))
        }
        None => Ok(()),
    }
}

fn styles() -> Styles {
    use clap::builder::styling::AnsiColor;
    Styles::styled()
        .header(AnsiColor::Yellow.on_default().bold())
        .usage(AnsiColor::Yellow.on_default().bold())
        .literal(AnsiColor::Green.on_default())
        .placeholder(AnsiColor::Cyan.on_default())
}

fn innermost(matches: &ArgMatches) -> (Vec<String>, ArgMatches) {
    let mut path = Vec::new();
    let mut matches = matches;
    while let Some((name, inner)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = inner;
    }
    (path, matches.clone())
}

fn refusal(registry: &Registry, words: &[String], error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or_default().trim_start_matches("error: ").replace('\'', "`");
    let path = command_path(registry, words);
    let mut refusal = match error.kind() {
        ErrorKind::InvalidSubcommand => unknown_command(registry, words, error),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Error::usage(format!("`{}` of what?", path.join(" ")))
                .hint(format!("one of: {}", nouns(registry, &path).join(", ")))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => missing.join(" "),
                _ => String::new(),
            };
            Error::usage(format!("`{}` wants {missing}", path.join(" ")))
        }
        ErrorKind::UnknownArgument => {
            let suggested = match error.get(ContextKind::SuggestedArg) {
                Some(ContextValue::String(suggested)) => Some(suggested.clone()),
                _ => None,
            };
            let message = message.trim_end_matches(" found").replacen("unexpected argument", "unknown flag or word", 1);
            let given = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::String(given)) => given.as_str(),
                _ => "",
            };
            // What is glued to it may be the secret.
            let glued = secret_glued(given).filter(|flag| suggested.as_deref().is_none_or(|it| it == *flag));
            let message = glued.map_or(message.clone(), |flag| message.replace(given, &format!("{flag}…")));
            Error::usage(message).did_you_mean(suggested.as_deref())
        }
        _ => {
            let rest: Vec<&str> =
                lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more")).collect();
            let message = if rest.is_empty() { message } else { format!("{message} {}", rest.join(" ")) };
            Error::usage(plain_numbers(&message).replace("tip: ", ""))
        }
    };
    if !matches!(error.kind(), ErrorKind::InvalidSubcommand | ErrorKind::MissingSubcommand) {
        refusal = refusal.hint(format!("`orysh {} --help` lists what it takes", path.join(" ")).replace("  ", " "));
    }
    refusal
}

/// Flags whose value is a secret.
const OF_SECRETS: [&str; 2] = ["--secret", "--client-secret"];

/// The flag of a secret that a word begins with, and has more behind it: `--secretX`.
pub fn secret_glued(word: &str) -> Option<&'static str> {
    OF_SECRETS.into_iter().find(|flag| word.len() > flag.len() && word.starts_with(flag))
}

/// What the standard library says of texts that are no whole numbers, and what a person is told.
const NO_NUMBERS: [(&str, &str); 4] = [
    ("invalid digit found in string", "it is no whole number"),
    ("cannot parse integer from empty string", "it is no whole number"),
    ("number too large to fit in target type", "it is too large"),
    ("number too small to fit in target type", "it is too small"),
];

/// The same text, as a person is told it.
pub fn plain_numbers(text: &str) -> String {
    NO_NUMBERS.iter().fold(text.to_owned(), |text, (std, plain)| text.replace(std, plain))
}

/// The code of an error that says that there is no such command.
pub const UNKNOWN: &str = "unknown_command";

fn unknown_command(registry: &Registry, words: &[String], error: &clap::Error) -> Error {
    let given = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(given)) => given.clone(),
        _ => String::new(),
    };
    // What stands behind it names nothing.
    let before = words.iter().position(|word| *word == given).map_or(words, |at| &words[..at]);
    let path = &command_path(registry, before);
    let known = nouns(registry, path);
    let place = if path.is_empty() { String::new() } else { format!(" of `{}`", path.join(" ")) };
    let unknown = Error::usage(format!("unknown command `{given}`{place}")).with_code(UNKNOWN);
    match help::OUT_OF_SCOPE.iter().find(|(words, _)| words.contains(&given.as_str())) {
        Some((_, why)) => unknown.hint(*why),
        None => match nearest(&given, known.iter().map(String::as_str)) {
            Some(near) => unknown.did_you_mean(Some(near)),
            None => unknown.hint(format!("one of: {}", known.join(", "))),
        },
    }
}

/// The words of the line that name a command, as far as they do.
fn command_path(registry: &Registry, words: &[String]) -> Vec<String> {
    let plain: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let Some(at) = plain.iter().position(|word| registry.is_verb(word)) else { return Vec::new() };
    let mut path = vec![plain[at].clone()];
    for word in &plain[at + 1..] {
        if !nouns(registry, &path).contains(word) {
            break;
        }
        path.push((*word).clone());
    }
    path
}

/// The words that can follow `path`.
fn nouns(registry: &Registry, path: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for command in registry.commands() {
        let begins = command.words.iter().zip(path).all(|(word, given)| word == given);
        if begins && command.words.len() > path.len() {
            let word = command.words[path.len()].to_owned();
            let is_last = command.words.len() == path.len() + 1;
            let aliases = command.aliases.iter().filter(|_| is_last).map(|alias| (*alias).to_owned());
            for word in std::iter::once(word).chain(aliases) {
                if !found.contains(&word) {
                    found.push(word);
                }
            }
        }
    }
    found
}
