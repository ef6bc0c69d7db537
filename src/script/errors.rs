//! Errors into a script and out of it.

use rhai::{Array, Dynamic, EvalAltResult, INT, Map, ParseError, ParseErrorType};

use crate::error::{self, Error, Kind, Position, Result};
use crate::ops::guard;
use crate::script::engine::runtime_error;
use crate::script::library::{self, Function};

/// What a function of the API returns.
pub type ScriptResult<T> = std::result::Result<T, Box<EvalAltResult>>;

/// An error as a script catches it: `#{message, status, code, hints}`. An interruption cannot be caught.
pub fn thrown(error: Error) -> Box<EvalAltResult> {
    if error.kind() == Kind::Interrupted {
        return EvalAltResult::ErrorTerminated(Dynamic::UNIT, rhai::Position::NONE).into();
    }
    runtime_error(as_map(&error).into())
}

/// An error as a script sees it.
pub fn as_map(error: &Error) -> Map {
    let mut map = Map::new();
    map.insert("message".into(), error.full_message().into());
    map.insert("status".into(), error.status().map_or(Dynamic::UNIT, |status| INT::from(status).into()));
    map.insert("code".into(), error.code().map_or(Dynamic::UNIT, |code| code.to_owned().into()));
    let hints: Array = error.hints().iter().map(|hint| hint.clone().into()).collect();
    map.insert("hints".into(), hints.into());
    map
}

/// An error that no script caught, as this program tells it. `name` is the script's.
pub fn uncaught(error: EvalAltResult, name: &str) -> Error {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            uncaught(*inner, name)
        }
        EvalAltResult::ErrorTerminated(..) => Error::interrupted(),
        EvalAltResult::ErrorRuntime(value, position) => at(from_value(value), position).about(name),
        EvalAltResult::ErrorParsing(parsing, position) => at(Error::usage(parsing.to_string()), position).about(name),
        EvalAltResult::ErrorFunctionNotFound(signature, position) => {
            let called = signature.split(" (").next().unwrap_or(&signature);
            let names: Vec<String> = library::known().iter().map(Function::name).collect();
            let mut alike = library::known().iter().filter(|function| function.name() == called).peekable();
            let error = if alike.peek().is_some() {
                let error = Error::failed(format!("`{called}` does not take these arguments: {signature}"));
                alike.fold(error, |error, function| error.hint(format!("{}::{}", function.module, function.signature)))
            } else {
                let error = Error::failed(format!("there is no function {signature}"));
                error.did_you_mean(error::nearest(called, names.iter().map(String::as_str)))
            };
            at(error, position).about(name)
        }
        other => {
            let position = other.position();
            let mut other = other;
            other.clear_position();
            at(Error::failed(other.to_string()), position).about(name)
        }
    }
}

/// A script that cannot be read: nothing of it ran.
pub fn unreadable(error: &ParseError, name: &str) -> Error {
    let wrong = match error.err_type() {
        ParseErrorType::ModuleUndefined(module) => Error::usage(format!("there is no module `{module}`"))
            .did_you_mean(error::nearest(module, library::known().iter().map(|function| function.module))),
        other => Error::usage(other.to_string()),
    };
    at(wrong, error.position()).about(name)
}

/// Reads a script's value from what a thrown value holds.
fn from_value(value: Dynamic) -> Error {
    let Some(map) = value.read_lock::<Map>().map(|map| map.clone()) else {
        return Error::failed(value.to_string());
    };
    let text = |key: &str| map.get(key).and_then(|value| value.clone().into_string().ok());
    let mut error = Error::failed(text("message").unwrap_or_else(|| value.to_string()));
    if let Some(status) = map.get("status").and_then(|status| status.as_int().ok()) {
        error = error.with_status(u16::try_from(status).unwrap_or_default());
    }
    if let Some(code) = text("code") {
        // Nothing was sent, as nobody could be asked.
        let is_refused = code == guard::REFUSED;
        error = error.with_code(code);
        if is_refused {
            error = error.of_kind(Kind::Usage);
        }
    }
    let hints = map.get("hints").and_then(|hints| hints.clone().into_typed_array::<String>().ok());
    hints.into_iter().flatten().fold(error, Error::hint)
}

fn at(error: Error, position: rhai::Position) -> Error {
    match (position.line(), position.position()) {
        (Some(line), column) => error.at(Position { line, column: column.unwrap_or(1) }),
        (None, _) => error,
    }
}

/// What a script's run came to, in this program's terms.
pub fn settled<T>(result: ScriptResult<T>, name: &str) -> Result<T> {
    result.map_err(|error| uncaught(*error, name))
}
