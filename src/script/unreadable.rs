//! Scripts that cannot be read, with hints for the classic traps of Rhai.

use rhai::{ParseError, ParseErrorType};

use crate::error::Error;
use crate::script::errors::{Source, shown};
use crate::script::library;
use crate::script::missing::no_module;

/// A script that cannot be read: nothing of it ran.
pub fn unreadable(error: &ParseError, source: Source<'_>) -> Error {
    shown(wrongly_parsed(error, source), error.position(), source)
}

/// The same without its place.
pub fn wrongly_parsed(error: &ParseError, source: Source<'_>) -> Error {
    let text = error.err_type().to_string();
    let wrong = match error.err_type() {
        ParseErrorType::ModuleUndefined(module) => no_module(module),
        _ => Error::usage(text.clone()),
    };
    let trap = TRAPS.iter().find(|(part, _)| text.contains(part)).map(|(_, hint)| *hint);
    let hint = named_wrongly(error.err_type(), source.text, error.position())
        .or_else(|| trap.map(str::to_owned))
        .or_else(|| misplaced(&text, source.text, error.position()).map(str::to_owned));
    hint.into_iter().fold(wrong, Error::hint)
}

/// What Rhai says of its classic traps, and what to do about them.
const TRAPS: [(&str, &str); 6] = [
    (
        "Undefined variable",
        "`let` makes one; a function sees none of the script's variables: hand them over as arguments",
    ),
    ("is a reserved keyword", "nothing can have that name; as the key of a map quote it: #{\"new\": 1}, map[\"new\"]"),
    ("Possibly a typo of '=='", "`=` puts a value into a variable, `==` compares"),
    ("Unexpected 'try'", TRY),
    ("Open string is not terminated", "text that goes over several lines stands between backticks"),
    ("Cannot assign to constant", "`let` makes what can be changed, `const` what cannot"),
];

const TRY: &str = "`try` is no value: put one into a variable before it, and set that inside";

/// What stands in a line from a place on.
fn rest_of_line(text: &str, position: rhai::Position) -> Option<String> {
    let line = text.lines().nth(position.line()? - 1)?;
    Some(line.chars().skip(position.position()?.saturating_sub(1)).collect())
}

/// The hint for a name that means something else than whoever wrote it meant.
fn named_wrongly(wrong: &ParseErrorType, text: &str, position: rhai::Position) -> Option<String> {
    match wrong {
        ParseErrorType::VariableUndefined(name) => {
            let rest = rest_of_line(text, position)?;
            let behind = rest.strip_prefix(name.as_str())?.trim_start();
            let is_module = library::known().iter().any(|function| function.module == name.as_str());
            if is_module && behind.starts_with('.') {
                return Some(format!("`{name}` is a module, whose functions are called as `{name}::…`"));
            }
            (behind.starts_with(':') && !behind.starts_with("::")).then(|| "a map begins with `#{`".to_owned())
        }
        ParseErrorType::Reserved(word) if word == "null" => Some("`()` is what other languages call null".to_owned()),
        _ => None,
    }
}

/// The hint for what stands where Rhai wants something else.
fn misplaced(wrong: &str, text: &str, position: rhai::Position) -> Option<&'static str> {
    let rest = rest_of_line(text, position)?;
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let wants_key = wrong.contains("object map literal") || wrong.contains("name of a property");
    if wants_key && !word.is_empty() && !rhai::is_valid_function_name(&word) {
        return Some("a word of the language as the key of a map is quoted: #{\"if\": 1}, map[\"if\"]");
    }
    if word == "try" {
        return Some(TRY);
    }
    let is_put = rest.starts_with('=') && !rest.starts_with("==");
    // Where a literal stands first, that is what Rhai takes offence at.
    let condition = rest.split('{').next().filter(|_| wrong.contains("boolean expression")).unwrap_or_default();
    (is_put || condition.contains(" = ")).then_some("`=` puts a value into a variable, `==` compares")
}
