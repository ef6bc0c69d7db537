//! What a script declares of its arguments, in the comments at its top: `//! @arg --owner: text = "ops" Owner of all`. It is read
//! without running anything, so that help and wrong arguments cost nothing.

use std::path::Path;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use rhai::{Array, Dynamic, INT, Map};

use crate::config::edit::position;
use crate::error::{Error, Position as Place, Result};
use crate::grammar::parse::plain_numbers;
use crate::script::compile::place_of;
use crate::script::lexer::{Kind, is_part, pieces};
use crate::text::safe;

/// What a script says of itself and of what it takes.
#[derive(Debug, Default)]
pub struct Declared {
    about: Vec<String>,
    arguments: Vec<Argument>,
    /// Where a comment of another kind says what would declare one.
    overlooked: Vec<Place>,
}

#[derive(Debug)]
struct Argument {
    name: String,
    is_flag: bool,
    is_several: bool,
    /// Whether it may be left out; a flag always may.
    is_optional: bool,
    kind: Type,
    default: Option<String>,
    help: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Type {
    Text,
    Number,
    Switch,
    /// A file that is there.
    File,
    /// A file that can be written.
    Output,
    OneOf(Vec<String>),
}

/// What words come to.
pub enum Read {
    /// The constant `args`: a map of what is declared.
    Values(Map),
    /// Help was asked for.
    Help(String),
}

/// Reads what stands in the comments before a script's code. Errors are of usage, with their line: one of them is one that
/// stands behind code, where it declares nothing.
pub fn declared(text: &str) -> Result<Declared> {
    let mut declared = Declared::default();
    // The first line may be for the system.
    let begin = if text.starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { 0 };
    let mut is_code = false;
    for (range, kind) in pieces(&text[begin..]) {
        is_code |= !matches!(kind, Kind::Comment { .. });
        let piece = &text[begin..][range.clone()];
        let place = |within: usize| position(text, begin + range.start + within);
        let Some(comment) = piece.strip_prefix("//!") else {
            declared.overlooked.extend(overlooked(piece).filter(|_| !is_code).map(place));
            continue;
        };
        let comment = comment.strip_prefix(' ').unwrap_or(comment).trim_end();
        let place = || place(0);
        match said(comment) {
            Some(_) if is_code => {
                let wrong = Error::usage("`@arg` declares nothing behind code").at(place());
                return Err(wrong.hint("what a script takes stands in the comments before its first statement"));
            }
            Some(said) => declared.take(said).map_err(|error| error.at(place()))?,
            None if !is_code => match misspelt(comment) {
                Some(wrong) => return Err(wrong.at(place())),
                None => declared.about.push(comment.to_owned()),
            },
            None => {}
        }
    }
    Ok(declared)
}

/// What stands behind `@arg`, where a comment begins with that.
fn said(comment: &str) -> Option<&str> {
    comment.trim_start().strip_prefix("@arg").filter(|said| !said.starts_with(is_part))
}

/// How comments begin that declare nothing.
const MARKS: [&str; 5] = ["///", "//", "/**", "/*!", "/*"];

/// Where lines of such a comment begin with `@arg`.
fn overlooked(comment: &str) -> impl Iterator<Item = usize> {
    let mut end = 0;
    comment.split_inclusive('\n').filter_map(move |line| {
        let begin = end;
        end += line.len();
        let text = match MARKS.iter().find_map(|mark| line.strip_prefix(mark)) {
            Some(text) if begin == 0 => text,
            _ => line.trim_start().trim_start_matches('*'),
        };
        said(text).map(|_| begin + line.len() - text.trim_start().len())
    })
}

/// What is wrong with a line that begins with something like `@arg`, or declares an argument by another word.
fn misspelt(comment: &str) -> Option<Error> {
    let rest = comment.trim_start().strip_prefix('@')?;
    let (word, said) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
    let is_meant = crate::error::nearest(word, ["arg", "argument"]).is_some() || argument(said).is_ok();
    is_meant.then(|| Error::usage(format!("`@{}` declares nothing", safe(word))).did_you_mean(Some("@arg")))
}

/// `NAME: TYPE [= DEFAULT] HELP`, where a name with dashes is a flag, one that ends with dots takes several, and one in brackets may
/// be left out.
fn argument(said: &str) -> Result<Argument> {
    let form = || {
        Error::usage(format!("`@arg {}` is no argument", safe(said.trim())))
            .hint("as `@arg file: file The CSV`, `@arg --count: number = 10 How many`")
    };
    let (name, rest) = said.split_once(':').ok_or_else(form)?;
    let name = name.trim();
    let optional = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let name = optional.unwrap_or(name);
    let is_flag = name.starts_with("--");
    let name = name.strip_prefix("--").unwrap_or(name);
    let is_several = name.ends_with("...");
    let name = name.trim_end_matches("...");
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_name) || name == "help" {
        return Err(form());
    }
    let rest = rest.trim_start();
    let (kind, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let kind = match kind {
        "text" => Type::Text,
        "number" => Type::Number,
        "bool" => Type::Switch,
        "file" => Type::File,
        "output" => Type::Output,
        choices if choices.contains('|') => Type::OneOf(choices.split('|').map(str::to_owned).collect()),
        other => {
            return Err(Error::usage(format!("argument `{name}` has the type `{}`", safe(other)))
                .did_you_mean(crate::error::nearest(other, ["text", "number", "bool", "file", "output"]))
                .hint("types are text, number, bool, file, output, and choices as a|b|c"));
        }
    };
    if kind == Type::Switch && rest.trim_start().starts_with('=') {
        return Err(Error::usage(format!(
            "argument `{name}` is a bool, which is false unless it is given: it has no default"
        )));
    }
    if kind == Type::Switch && (!is_flag || is_several) {
        return Err(Error::usage(format!("argument `{name}` is a bool, which only a flag can be, as --{name}: bool")));
    }
    let (default, help) = match rest.trim_start().strip_prefix('=') {
        None => (None, rest.trim()),
        Some(given) => {
            let given = given.trim_start();
            let (default, help) = match given.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(form)?,
                None => given.split_once(char::is_whitespace).unwrap_or((given, "")),
            };
            (Some(default.to_owned()), help.trim())
        }
    };
    if let Some(default) = &default {
        let wrong =
            |what: String| Error::usage(format!("argument `{name}` has the default `{}`, {what}", safe(default)));
        match &kind {
            Type::Number if default.parse::<INT>().is_err() => return Err(wrong("which is no whole number".into())),
            Type::OneOf(choices) if !choices.contains(default) => {
                let near = crate::error::nearest(default, choices.iter().map(String::as_str));
                return Err(wrong(format!("which is not one of {}", safe(&choices.join(", ")))).did_you_mean(near));
            }
            _ => {}
        }
    }
    let is_optional = is_flag || optional.is_some();
    Ok(Argument { name: name.to_owned(), is_flag, is_several, is_optional, kind, default, help: help.to_owned() })
}

impl Declared {
    /// One more argument. Errors are of usage: it is none, or does not go with those before it.
    fn take(&mut self, said: &str) -> Result<()> {
        let argument = argument(said)?;
        let wrong = |what: &str| Error::usage(format!("argument `{}` {what}", safe(&argument.name)));
        let before = self.arguments.iter().rfind(|other| !other.is_flag);
        if let Some(before) = before.filter(|_| !argument.is_flag) {
            if before.is_several {
                return Err(wrong("can never be given: the word before it takes all"));
            }
            if before.may_be_missing() && !argument.may_be_missing() {
                return Err(wrong("has to be given, and stands behind one that may be left out"));
            }
        }
        if self.arguments.iter().any(|other| other.key() == argument.key()) {
            return Err(wrong("is declared twice"));
        }
        self.arguments.push(argument);
        Ok(())
    }

    /// Whether anything is declared: else `args` is the list of the words.
    pub fn has_arguments(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// What looks as if it declared something, and does not: each with its place.
    pub fn overlooked(&self) -> impl Iterator<Item = (rhai::Position, Error)> {
        self.overlooked.iter().map(|at| {
            let error = Error::usage("`@arg` declares nothing in a comment of this kind");
            (place_of(*at), error.hint("an argument is declared by a line of its own: `//! @arg name: text`"))
        })
    }

    /// What the script calls its arguments.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.arguments.iter().map(Argument::key)
    }

    /// What words come to; help is `width` columns wide. Errors are of usage: a word that is not declared, is wrong, or is missing.
    pub fn read(&self, script: &str, words: &[String], width: usize) -> Result<Read> {
        let asks = words.iter().any(|word| word == "--help" || word == "-h");
        if asks {
            return Ok(Read::Help(self.command(script).term_width(width).render_help().to_string()));
        }
        let matches = self.command(script).try_get_matches_from(words).map_err(|error| {
            let text = error.render().to_string();
            let told: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let told = told.join(" ");
            let told = plain_numbers(told.strip_prefix("error: ").unwrap_or(&told));
            let wrong = Error::usage(told).about(safe(script));
            let word = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::String(word)) => word.trim_start_matches('-'),
                _ => "",
            };
            let flags =
                self.arguments.iter().filter(|argument| argument.is_flag).map(|argument| argument.name.as_str());
            let near = crate::error::nearest(word, flags).map(|flag| format!("--{flag}"));
            wrong.did_you_mean(near.as_deref()).hint(format!(
                "`orysh run {} --help` lists what it takes; flags of orysh stand before the file",
                safe(script)
            ))
        })?;
        Ok(Read::Values(self.arguments.iter().map(|argument| argument.value(&matches)).collect()))
    }

    /// What it takes, as arguments of a command.
    pub fn args(&self) -> Vec<Arg> {
        self.arguments.iter().map(Argument::arg).collect()
    }

    /// What was given, as the script sees it.
    pub fn values(&self, matches: &ArgMatches) -> Map {
        self.arguments.iter().map(|argument| argument.value(matches)).collect()
    }

    /// What its tests see of them: the defaults, and `()` where there is none.
    pub fn defaults(&self) -> Map {
        self.arguments.iter().map(|argument| (argument.key().into(), argument.default_value())).collect()
    }

    /// What it takes, as clap reads it.
    pub fn command(&self, script: &str) -> Command {
        let about = paragraphs(&self.about);
        Command::new(format!("orysh run {script}"))
            .about(about.trim().to_owned())
            .no_binary_name(true)
            .disable_version_flag(true)
            .args(self.arguments.iter().map(Argument::arg))
    }
}

/// Lines as paragraphs, which a terminal breaks as it is wide; what is indented stays as it is.
fn paragraphs(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        let is_plain = !line.is_empty() && !line.starts_with(' ');
        let goes_on = is_plain && !text.is_empty() && !text.ends_with('\n');
        if goes_on {
            text.push(' ');
        } else if !is_plain && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        if !is_plain {
            text.push('\n');
        }
    }
    text
}

impl Argument {
    /// What the script calls it.
    fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    fn may_be_missing(&self) -> bool {
        self.is_optional || self.default.is_some()
    }

    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name.clone()).help(self.help.clone());
        let arg = if self.is_flag { arg.long(self.name.clone()) } else { arg };
        if self.kind == Type::Switch {
            return arg.action(ArgAction::SetTrue);
        }
        let parser: ValueParser = match &self.kind {
            Type::Number => value_parser!(i64).into(),
            Type::OneOf(choices) => PossibleValuesParser::new(choices.clone()).into(),
            Type::File => ValueParser::new(file),
            Type::Output => ValueParser::new(output),
            Type::Text | Type::Switch => value_parser!(String),
        };
        let arg = arg
            .value_parser(parser)
            .value_name(self.name.to_uppercase())
            .allow_negative_numbers(self.kind == Type::Number);
        let is_file = matches!(self.kind, Type::File | Type::Output);
        let arg = if is_file { arg.value_hint(ValueHint::FilePath) } else { arg };
        let arg = if self.is_several { arg.action(ArgAction::Append) } else { arg };
        match &self.default {
            Some(default) => arg.default_value(default.clone()),
            None => arg.required(!self.is_optional),
        }
    }

    fn default_value(&self) -> Dynamic {
        let value = self.default.as_ref().map(|text| match (&self.kind, text.parse::<INT>()) {
            (Type::Number, Ok(number)) => number.into(),
            _ => Dynamic::from(text.clone()),
        });
        match (self.kind == Type::Switch, self.is_several) {
            (true, _) => false.into(),
            (false, true) => value.into_iter().collect::<Array>().into(),
            (false, false) => value.unwrap_or_default(),
        }
    }

    /// Its name in the script, and its value there; `()` where there is none.
    fn value(&self, matches: &ArgMatches) -> (rhai::Identifier, Dynamic) {
        let name = &self.name;
        let mut values: Array = match self.kind {
            Type::Switch => vec![matches.get_flag(name).into()],
            Type::Number => {
                matches.get_many::<i64>(name).into_iter().flatten().map(|value| INT::into(*value)).collect()
            }
            Type::Text | Type::File | Type::Output | Type::OneOf(_) => {
                matches.get_many::<String>(name).into_iter().flatten().map(|value| value.clone().into()).collect()
            }
        };
        let value = match (self.is_several, values.is_empty()) {
            (true, _) => values.into(),
            (false, true) => Dynamic::UNIT,
            (false, false) => values.remove(0),
        };
        (self.key().into(), value)
    }
}

fn file(path: &str) -> std::result::Result<String, String> {
    // A pipe or a device can be read as well.
    let target = Path::new(path);
    if path == "-" || target.exists() && !target.is_dir() {
        Ok(path.to_owned())
    } else {
        Err("there is no such file".into())
    }
}

/// Tried before anything runs, so that no work is done in vain.
fn output(path: &str) -> std::result::Result<String, String> {
    let target = Path::new(path);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let may_write = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    match () {
        () if path == "-" => Ok(path.to_owned()),
        () if path.is_empty() => Err("it is empty".into()),
        () if target.is_dir() => Err("it is a folder".into()),
        () if !folder.is_dir() => Err(format!("there is no folder {}", folder.display())),
        () if !(may_write(folder) || target.exists() && may_write(target)) => Err("it may not be written".into()),
        () => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_off_the_comment_at_the_top() {
        let text = "#!x\n//! What it does.\n//!\n//! @arg file: file The CSV\n//! @arg ids...: text\n//! @arg --count: number = 10 How many\n//! @arg --owner: text = \"a b\" Owner\n//! @arg --kind: web|job\n//! @arg --force: bool\nlet x = 1;\n//! more\n";
        let declared = declared(text).unwrap();
        let names: Vec<&str> = declared.arguments.iter().map(|argument| argument.name.as_str()).collect();
        assert_eq!(names, ["file", "ids", "count", "owner", "kind", "force"]);
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            match declared.read("s.rhai", &words, 80).unwrap() {
                Read::Values(map) => format!("{map:?}"),
                Read::Help(text) => text,
            }
        };
        let values = of(&["Cargo.toml", "a", "b", "--force", "--kind", "web"]);
        for part in
            ["\"count\": 10", "\"owner\": \"a b\"", "\"ids\": [\"a\", \"b\"]", "\"force\": true", "\"kind\": \"web\""]
        {
            assert!(values.contains(part), "{part} is not in {values}");
        }
        let help = of(&["--help"]);
        assert!(
            help.contains("What it does.") && help.contains("--count <COUNT>") && help.contains("How many"),
            "{help}"
        );
    }

    #[test]
    fn other_comments_and_empty_lines_end_no_declarations() {
        for before in
            ["", "#!x\n", "// a licence\n", "#!x\n// a\n\n/* b\n//! @arg no: text\n*/\n", "//! A title\n// a\n"]
        {
            let text = format!("{before}//! @arg a: text\n\n// and\n  //! @arg [b]: text\nlet x = `//! @arg c: text`;");
            assert_eq!(declared(&text).unwrap().keys().collect::<Vec<_>>(), ["a", "b"], "{before}");
        }
        assert_eq!(declared("").unwrap().keys().count() + declared("#!x").unwrap().keys().count(), 0);
    }

    #[test]
    fn what_declares_nothing_is_found_and_what_is_commented_out_is_not() {
        let places = |text: &str| -> Vec<_> {
            declared(text).unwrap().overlooked.iter().map(|at| (at.line, at.column)).collect()
        };
        assert_eq!(places("// @arg a: text"), [(1, 4)]);
        assert_eq!(places("#!x\n/// @arg a: text\n//! @arg b: text"), [(2, 5)]);
        assert_eq!(
            places("/*! @arg a: text */ /** @arg b: text\n * @arg c: text\n\n\t@arg d: text */"),
            [(1, 5), (1, 25), (2, 4), (4, 2)]
        );
        for fine in
            ["// //! @arg a: text", "/*\n//! @arg a: text\n*/", "// of @arg", "// @args", "let x = 1; // @arg a: text"]
        {
            assert_eq!(places(fine), [], "{fine}");
        }
    }

    #[test]
    fn a_word_that_is_meant_to_declare_something_is_told() {
        for wrong in ["@agr a: text", "@args a: text", "@argument", "@Arg a: text", "@param --a: bool", "@ a: text"] {
            let error = declared(&format!("//! Title\n//!  {wrong}")).unwrap_err();
            assert_eq!(error.position().map(|at| (at.line, at.column)), Some((2, 1)), "{wrong}");
            assert!(error.hints().iter().any(|hint| hint.contains("`@arg`")), "{wrong}");
        }
        for fine in ["@author Me", "@see clients: all", "me@arg.example", "@"] {
            assert!(declared(&format!("//! {fine}")).is_ok(), "{fine}");
        }
    }

    #[test]
    fn wrong_declarations_and_words_are_told() {
        let why = |text: &str| declared(text).unwrap_err().full_message();
        assert!(why("//! @arg file").contains("is no argument"));
        assert!(why("//! @arg count: nubmer").contains("the type `nubmer`"));
        assert!(why("//! @arg force: bool").contains("only a flag"));
        assert!(why("//! @arg: text Which").contains("is no argument"));
        assert!(why("//! @arg --n: number = abc").contains("the default `abc`, which is no whole number"));
        assert!(why("//! @arg --kind: web|job = wbe").contains("not one of web, job"));
        assert!(why("//! @arg a: text\n//! @arg a: text").contains("twice"));
        let late = declared("// x\nlet x = 1;\n  //! @arg late: text").unwrap_err();
        assert_eq!(late.position().map(|at| (at.line, at.column)), Some((3, 3)));
        let declared = declared("//! @arg --count: number\n//! @arg file: file").unwrap();
        let why = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            declared.read("s", &words, 80).err().map(|error| error.full_message()).unwrap_or_default()
        };
        assert!(why(&["Cargo.toml", "--cuont", "1"]).contains("--cuont"));
        assert!(why(&["Cargo.toml", "--count", "x"]).contains("'x'"));
        assert!(why(&["nowhere"]).contains("no such file"));
        assert!(why(&[]).contains("required") || why(&[]).contains("FILE"), "{}", why(&[]));
    }
}
