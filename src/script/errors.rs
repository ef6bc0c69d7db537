//! Errors into a script and out of it.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use rhai::{Dynamic, EvalAltResult, INT, Map, NativeCallContext};

use serde_json::Value;

use crate::error::{Error, Kind, Position, Result};
use crate::model::fields;
use crate::ops::guard;
use crate::output::outcome::LATE;
use crate::script::ending::{self, Due};
use crate::script::engine::{Exhausted, TimedOut, runtime_error};
use crate::script::excerpt::excerpt;
use crate::script::lexer::is_part;
use crate::script::{caught, missing, value};
use crate::text::{safe, size};
use crate::ui;

/// Where a script is given more.
pub const MORE_MEMORY: &str = "`orysh run` and `orysh eval` give a script more by --memory";

/// What a function of the API returns.
pub type ScriptResult<T> = std::result::Result<T, Box<EvalAltResult>>;

/// An error as a script catches it: `#{status, code, message, hint, position}`. An interruption cannot be caught.
pub fn thrown(error: Error) -> Box<EvalAltResult> {
    let is_interruption = error.kind() == Kind::Interrupted;
    if is_interruption || ui::is_interrupted() {
        // What was cut off by it tells of other things.
        let told = if is_interruption { as_map(&error).into() } else { Dynamic::UNIT };
        return ending::now(told);
    }
    runtime_error(as_map(&error).into())
}

/// A place of a script, or of a file that it imports.
#[derive(Clone, Debug)]
pub struct Spot {
    /// Line and column.
    pub at: rhai::Position,
    /// The file; `None`: it is the script itself.
    pub file: Option<String>,
    /// What is called there by its name.
    pub called: Option<String>,
}

impl Spot {
    /// Where a function is called.
    pub fn of(call: &NativeCallContext<'_>) -> Self {
        let file = call.call_source().map(str::to_owned);
        let called = file.as_ref().map(|_| call.fn_name().to_owned());
        Spot { at: call.call_position(), file, called }
    }

    /// The file, where it may be that: of what a closure does Rhai tells the file that calls it.
    fn file(&self) -> Option<&str> {
        let called = self.called.as_deref().unwrap_or_default();
        self.file.as_deref().filter(|file| may_stand_in(file, self.at, called))
    }
}

/// Whether a file has such a place, and this name there; what is no name may stand anywhere.
pub fn may_stand_in(file: &str, at: rhai::Position, name: &str) -> bool {
    // Not by what reads for scripts, which reads nothing any more where this one is to end.
    let Ok(text) = std::fs::read_to_string(file) else { return true };
    let (Some(line), Some(column)) = (at.line(), at.position()) else { return true };
    let is_name = !name.is_empty() && name.chars().all(is_part);
    text.lines().nth(line - 1).is_some_and(|line| {
        let mut rest = line.chars().skip(column - 1).peekable();
        if is_name { rest.take(name.chars().count()).eq(name.chars()) } else { rest.peek().is_some() }
    })
}

/// The same at a place.
pub fn thrown_at(error: Error, spot: &Spot) -> Box<EvalAltResult> {
    placed_at(thrown(error), spot)
}

/// The same of what was asked for at a place, and is fetched at another: whoever catches it is told the first.
pub fn thrown_of(error: Error, spot: &Spot) -> Box<EvalAltResult> {
    let mut error = thrown(error);
    place_in(&mut error, spot);
    error
}

fn place_in(error: &mut EvalAltResult, spot: &Spot) {
    if let EvalAltResult::ErrorRuntime(value, _) = error
        && let (Some(mut map), Some(line)) = (value.write_lock::<Map>(), spot.at.line())
    {
        let mut position = position_map(line, spot.at.position().unwrap_or(1));
        if let Some(file) = spot.file() {
            position.insert("file".into(), name_of(file).into());
        }
        map.insert("position".into(), position.into());
    }
}

/// An error without a place has this one.
pub fn placed_at(mut error: Box<EvalAltResult>, spot: &Spot) -> Box<EvalAltResult> {
    if !error.position().is_none() {
        return error;
    }
    place_in(&mut error, spot);
    error.set_position(spot.at);
    error
}

/// What a thrown error says, as one of ours.
pub fn message(error: &EvalAltResult) -> Error {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => from_value(value.clone()).of_kind(Kind::Usage),
        other => Error::usage(other.to_string()),
    }
}

/// An error as a script sees it.
pub fn as_map(error: &Error) -> Map {
    let mut map = Map::new();
    map.insert("message".into(), error.full_message().into());
    map.insert("status".into(), error.status().map_or(Dynamic::UNIT, |status| INT::from(status).into()));
    map.insert("code".into(), error.code().map_or(Dynamic::UNIT, |code| code.to_owned().into()));
    let hint = error.hints().join("\n");
    map.insert("hint".into(), if hint.is_empty() { Dynamic::UNIT } else { hint.into() });
    map.insert("position".into(), Dynamic::UNIT);
    map
}

/// A place as a script gets it: `#{line, column}`, both from 1.
pub fn position_map(line: usize, column: usize) -> Map {
    let number = |number: usize| Dynamic::from(INT::try_from(number).unwrap_or_default());
    Map::from_iter([("line".into(), number(line)), ("column".into(), number(column))])
}

/// What errors are of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its text; empty: it cannot be shown.
    pub text: &'a str,
}

/// An error in a file that is imported at this place: it is told where it stands.
pub fn in_import(error: Error, by: Option<&str>, at: rhai::Position) -> Box<EvalAltResult> {
    // What is before the import has been run by then.
    let error = if error.kind() == Kind::Usage { error.of_kind(Kind::Failed) } else { error };
    let error = imported(error, by, at);
    let mut map = as_map(&error);
    if let Some(at) = error.position() {
        map.insert("position".into(), position_map(at.line, at.column).into());
    }
    let mut thrown = Dynamic::from(map);
    let number = IMPORTS.replace(IMPORTS.get().wrapping_add(1));
    thrown.set_tag(number.into());
    IMPORTED.set(Some((number, error)));
    EvalAltResult::ErrorRuntime(thrown, at).into()
}

/// An error that stands in another file, with the place that imports that; `by` is the file that does, if it is one.
pub fn imported(error: Error, by: Option<&str>, at: rhai::Position) -> Error {
    let by = by.map_or(String::new(), |by| format!("{}, ", name_of(by)));
    let imported = format!("imported at {by}{}", place(at));
    let excerpt = error.excerpt().map_or(imported.clone(), |excerpt| format!("{excerpt}\n{imported}"));
    error.showing(excerpt)
}

thread_local! {
    /// The last error of a file that was imported, with the tag of what was thrown for it: that has no room for its lines.
    static IMPORTED: Cell<Option<(i16, Error)>> = const { Cell::new(None) };
    static IMPORTS: Cell<i16> = const { Cell::new(1) };
}

/// So many of the calls that led to an error are told, beside the outermost one.
const MOST_SHOWN: usize = 8;

/// How Rhai names closures.
pub const CLOSURE: &str = "anon$";

/// An error that no script caught, as this program tells it: at the place that matters, with the calls that led there.
pub fn uncaught(mut error: EvalAltResult, source: Source<'_>) -> Error {
    let mut calls: Vec<(String, String, rhai::Position)> = Vec::new();
    // The file that a function is in, where that was imported.
    let mut file = String::new();
    loop {
        error = match error {
            EvalAltResult::ErrorInFunctionCall(function, of, inner, position) => {
                calls.push((function, std::mem::replace(&mut file, of), position));
                *inner
            }
            EvalAltResult::ErrorInModule(_, inner, _) => *inner,
            other => {
                error = other;
                break;
            }
        };
    }
    if let EvalAltResult::ErrorRuntime(value, _) = &error
        && let Some((_, imported)) = IMPORTED.take().filter(|(number, _)| INT::from(value.tag()) == INT::from(*number))
    {
        return imported;
    }
    let (first, met) = (first_thrown(&error), error.position());
    // Line and column are of the file that is told with them.
    let position = match &first {
        Some((None, at)) if file.is_empty() => *at,
        _ => met,
    };
    let told = match error {
        EvalAltResult::ErrorTerminated(why, _) => ended(why),
        EvalAltResult::ErrorRuntime(value, _) if value.is::<Due>() => ended(value.cast::<Due>().0),
        EvalAltResult::ErrorRuntime(mut value, _) => {
            // What was caught is thrown on as Rhai tells it, where nothing has looked at it.
            if let Some(mut map) = value.write_lock::<Map>() {
                caught::complete(&mut map, &|_| Vec::new());
            }
            from_value(value)
        }
        EvalAltResult::ErrorParsing(parsing, _) => Error::usage(parsing.to_string()),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => missing::no_function(&signature),
        EvalAltResult::ErrorVariableNotFound(name, _) if !calls.is_empty() => {
            Error::failed(format!("there is no variable `{name}` in this function"))
                .hint("a function sees none of the script's variables: hand them over as arguments")
        }
        EvalAltResult::ErrorPropertyNotFound(name, _) => missing::no_property(&name),
        EvalAltResult::ErrorDotExpr(said, _) if said.contains(missing::NO_MEMBER) => {
            missing::no_member(&said).unwrap_or_else(|| Error::failed(said))
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            Error::failed(format!("there is no variable `{name}`")).hint("`let` makes one")
        }
        mut other => {
            other.clear_position();
            let said = other.to_string();
            let is_of_types =
                matches!(other, EvalAltResult::ErrorMismatchDataType(..) | EvalAltResult::ErrorMismatchOutputType(..));
            let error = Error::failed(if is_of_types { missing::named(&said) } else { said });
            if matches!(other, EvalAltResult::ErrorDataRace(..)) {
                error.hint("a closure uses the variable that it is called on: give that one another name, as `let all = list; all.filter(|x| list.contains(x))`")
            } else {
                error
            }
        }
    };
    let position = if position.is_none() { of_race(source.text, told.message()).unwrap_or(position) } else { position };
    let is_of_imports = !file.is_empty() || calls.iter().any(|(_, file, _)| !file.is_empty());
    let is_shown = |number: usize| number <= MOST_SHOWN || number + 1 == calls.len();
    // Not by what reads for scripts, which reads nothing any more where this one is to end.
    let imported = (!file.is_empty()).then(|| std::fs::read_to_string(&file).unwrap_or_default());
    let text = imported.as_deref().unwrap_or(source.text);
    let shown_at = position;
    let position = pointed(text, position, told.message());
    let led =
        calls.iter().rev().enumerate().filter(|(number, _)| is_shown(*number)).map(|(number, (function, file, at))| {
            if number == MOST_SHOWN && calls.len() > MOST_SHOWN + 2 {
                return format!("… {} calls more", calls.len() - MOST_SHOWN - 1);
            }
            let of = match file.is_empty() {
                false => format!("{}, ", name_of(file)),
                true if is_of_imports => format!("{}, ", source.name),
                true => String::new(),
            };
            let function = if function.starts_with(CLOSURE) { "a closure".into() } else { format!("`{function}`") };
            format!("called as {function} at {of}{}", place(*at))
        });
    let name = if file.is_empty() { source.name.to_owned() } else { name_of(&file) };
    let elsewhere = first.map(|(file, at)| (file.unwrap_or_else(|| source.name.to_owned()), at));
    let elsewhere = elsewhere.filter(|(file, at)| *at != met && (file, at) != (&name, &shown_at));
    let elsewhere = elsewhere.map(|(file, at)| format!("it comes from {}, {}", safe(&file), place(at)));
    let excerpt: Vec<String> = excerpt(text, position).into_iter().chain(led).chain(elsewhere).collect();
    let is_interruption = told.kind() == Kind::Interrupted;
    let told = at(told, position);
    let told = match () {
        () if !is_interruption => told.about(name),
        () if told.message() == Error::interrupted().message() => told.about(name).with_code(PLACED),
        // It says more, which is not about a script.
        () => told,
    };
    if excerpt.is_empty() { told } else { told.showing(excerpt.join("\n")) }
}

/// What an interruption is told as that came of Ctrl-C: where that met a script says nothing about it.
pub fn interrupted(error: Error) -> Error {
    if error.code() == Some(PLACED) {
        return error.hints().iter().fold(Error::interrupted(), Error::hint);
    }
    error.unplaced()
}

/// The code of an interruption whose message begins with the file that it met.
const PLACED: &str = "placed";

/// What an interruption is told as that came of a deadline, at the place where it met the script; `name`: that of the script, where
/// it is not known which of its files that is in.
pub fn too_late(error: Error, deadline: Duration, name: &str) -> Error {
    let file = error.message().strip_suffix(Error::interrupted().message()).and_then(|file| file.strip_suffix(": "));
    let file = file.filter(|_| error.code() == Some(PLACED)).unwrap_or(name).to_owned();
    let deadline = humantime::format_duration(deadline);
    let late = error.of_kind(Kind::Failed).saying(format!("the script was ended: it took more than {deadline}"));
    late.with_code(LATE).about(file)
}

/// How Rhai says that a closure uses the variable that it is called on; behind it stands the function's name.
const RACE: &str = "Data race detected on argument #";

/// Where a function is called that a closure was given to in vain, of which Rhai keeps no place: where only one is.
fn of_race(text: &str, message: &str) -> Option<rhai::Position> {
    let called = format!(".{}(", message.strip_prefix(RACE)?.split('\'').nth(1)?);
    let mut found = text.match_indices(&called);
    let (at, _) = found.next().filter(|_| found.next().is_none())?;
    let before = &text[..=at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Some(rhai::Position::new(u16::try_from(line).ok()?, u16::try_from(column).ok()?))
}

/// Why a script was ended.
fn ended(why: Dynamic) -> Error {
    if why.is_map() {
        return from_value(why).of_kind(Kind::Interrupted);
    }
    if let Some(TimedOut(is_time)) = why.clone().try_cast::<TimedOut>() {
        let much = if is_time { "took longer" } else { "said more" };
        return Error::failed(format!("it {much} than it may")).with_code("deadline");
    }
    match why.try_cast::<Exhausted>() {
        Some(Exhausted(most)) => {
            Error::failed(format!("the script was ended: it took more than {} of memory", size(most)))
                .with_code("memory")
                .hint(MORE_MEMORY)
        }
        None => Error::interrupted(),
    }
}

/// What an imported file is called: its path from where one is, where it is below that.
pub fn name_of(file: &str) -> String {
    let here = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
    safe(&Path::new(file).strip_prefix(here).unwrap_or(Path::new(file)).display().to_string()).into_owned()
}

/// The place of a field that is wrong, where it stands behind the call that refuses it; else the call's own.
fn pointed(text: &str, position: rhai::Position, message: &str) -> rhai::Position {
    let key = || {
        let is_value = |name: &&str| fields::field(name).is_some();
        let name = match message.strip_prefix(WRONG_FIELD) {
            Some(rest) => rest.split('`').next().filter(|name| !name.is_empty())?,
            None => message.strip_prefix('`')?.split('`').next().filter(is_value)?,
        };
        let (line, column) = (position.line()?, position.position()?);
        let behind = |(number, text): (usize, &str)| {
            let from = if number == line { column } else { 1 };
            let characters: Vec<char> = text.chars().collect();
            let is_word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric() || *c == '_');
            let name: Vec<char> = name.chars().collect();
            (from..=characters.len()).find(|at| {
                let (start, end) = (at - 1, at - 1 + name.len());
                characters[start..].starts_with(&name)
                    && !is_word(characters.get(end))
                    && !is_word(start.checked_sub(1).and_then(|before| characters.get(before)))
            })
        };
        let mut lines = text.lines().enumerate().map(|(at, text)| (at + 1, text)).skip(line - 1).take(MOST_LINES);
        let (line, column) = lines.find_map(|line| Some((line.0, behind(line)?)))?;
        Some(rhai::Position::new(u16::try_from(line).ok()?, u16::try_from(column).ok()?))
    };
    key().unwrap_or(position)
}

/// How errors of a wrong field begin.
const WRONG_FIELD: &str = "unknown field `";

/// How far behind a call its fields are looked for, in lines.
const MOST_LINES: usize = 40;

/// Where an error was thrown first that a script has caught and throws on, be it with more in it; and the file, if that is an
/// imported one.
fn first_thrown(error: &EvalAltResult) -> Option<(Option<String>, rhai::Position)> {
    let EvalAltResult::ErrorRuntime(value, _) = error else { return None };
    let map = value.read_lock::<Map>()?;
    let is_ours = ["status", "code", "message", "hint"].iter().all(|key| map.contains_key(*key));
    let at = map.get("position").filter(|_| is_ours)?.read_lock::<Map>()?;
    let number = |key: &str| at.get(key).and_then(|number| u16::try_from(number.as_int().ok()?).ok());
    let file = at.get("file").map(|file| file.clone().into_string().ok());
    let position = rhai::Position::new(number("line").filter(|line| *line > 0)?, number("column")?);
    Some((file.map_or(Some(None), |file| file.map(Some))?, position))
}

/// An error at a place of a script, with the line of it.
pub fn shown(error: Error, position: rhai::Position, source: Source<'_>) -> Error {
    at_place(error.about(source.name), position, source)
}

/// The same with its place, where its message says all.
pub fn at_place(error: Error, position: rhai::Position, source: Source<'_>) -> Error {
    let error = at(error, position);
    match excerpt(source.text, position) {
        Some(excerpt) => error.showing(excerpt),
        None => error,
    }
}

/// A place as a person reads it.
pub fn place(position: rhai::Position) -> String {
    match (position.line(), position.position()) {
        (Some(line), column) => Position { line, column: column.unwrap_or(1) }.to_string(),
        (None, _) => "an unknown place".into(),
    }
}

/// Reads a script's value from what a thrown value holds.
fn from_value(value: Dynamic) -> Error {
    let Some(map) = value.read_lock::<Map>().map(|map| map.clone()) else {
        if value.is_unit() {
            return Error::failed("the script throws ()");
        }
        return Error::failed(shortened(plain(&value)));
    };
    let text = |key: &str| map.get(key).and_then(|value| value.clone().into_string().ok()).map(shortened);
    let mut error = Error::failed(text("message").unwrap_or_else(|| shortened(plain(&value))));
    if let Some(status) = map.get("status").and_then(|status| status.as_int().ok()) {
        error = error.with_status(u16::try_from(status).unwrap_or_default());
    }
    if let Some(code) = text("code") {
        // Nothing was sent, as nobody could be asked.
        let is_refused = [guard::REFUSED, guard::DECLINED].contains(&code.as_str());
        error = error.with_code(code);
        if is_refused {
            error = error.of_kind(Kind::Usage);
        }
    }
    text("hint").iter().flat_map(|hint| hint.lines()).fold(error, Error::hint)
}

/// A thrown value as text, in which secrets do not show.
fn plain(value: &Dynamic) -> String {
    match value::to_json(value, false) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => missing::named(value.type_name()),
    }
}

/// The most characters of a message.
const LONGEST: usize = 1000;

/// What is thrown may be of any length.
fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} characters in all)", &text[..end], text.chars().count()),
        None => text,
    }
}

fn at(error: Error, position: rhai::Position) -> Error {
    match (position.line(), position.position()) {
        (Some(line), column) => error.at(Position { line, column: column.unwrap_or(1) }),
        (None, _) => error,
    }
}

/// A script ended itself with this exit code.
pub fn exit(code: u8) -> Error {
    Error::new(Kind::Exit(code), format!("exit({code})")).with_code(EXIT).already_told()
}

/// The code of the error that stands for such an end.
pub const EXIT: &str = "exit";

/// What a script's run came to, in this program's terms.
pub fn settled<T>(result: ScriptResult<T>, source: Source<'_>) -> Result<T> {
    result.map_err(|error| uncaught(*error, source))
}
