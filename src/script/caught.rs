//! What a script catches of Rhai's own errors, as what it catches of the API's: `#{status, code, message, hint, position}`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::{Dynamic, Engine, EvalContext, INT, Map, Position, Token};

use crate::error::Error;
use crate::script::errors;
use crate::script::missing;
use crate::session::handle::locked;

/// Names behind `catch`, as they are read.
#[derive(Debug, Default)]
struct Names {
    /// Whether there is one at all: each use of a variable asks that.
    is_some: AtomicBool,
    all: Mutex<HashSet<String>>,
    /// How far the words `catch (name` have been read.
    words: Mutex<usize>,
}

/// Makes an engine give them so; what is given is asked about each variable that is used. Rhai has no other place at which what is
/// caught could be looked at.
#[expect(deprecated, reason = "Rhai calls what may change so")]
pub fn register(engine: &mut Engine) -> impl Fn(&str, &mut EvalContext<'_, '_, '_, '_, '_, '_>) + use<> {
    let names = Arc::new(Names::default());
    let read = Arc::clone(&names);
    engine.on_parse_token(move |token, _, _| {
        read.read(&token);
        token
    });
    move |name, context| {
        if names.is_some.load(Ordering::Relaxed) && locked(&names.all).contains(name) {
            let modules = context.namespaces().to_vec();
            let is_one = |name: &str, count: &usize| modules.iter().any(|of| of.get_script_fn(name, *count).is_some());
            let takes = |name: &str| (0..=MOST_PARAMETERS).filter(|count| is_one(name, count)).collect();
            let value = context.scope_mut().get_mut(name);
            if let Some(mut map) = value.and_then(Dynamic::write_lock::<Map>) {
                complete(&mut map, &takes);
            }
        }
    }
}

impl Names {
    fn read(&self, token: &Token) {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        *words = match (&*words, token) {
            (_, Token::Catch) => 1,
            (1, Token::LeftParen) => 2,
            (2, Token::Identifier(name)) => {
                locked(&self.all).insert(name.to_string());
                self.is_some.store(true, Ordering::Relaxed);
                0
            }
            _ => 0,
        };
    }
}

/// So many parameters a function is thought to have.
const MOST_PARAMETERS: usize = 16;

/// What Rhai's own errors begin with, of which another thing is told, as where nobody catches them.
const NO_PROPERTY: &str = "Property not found: ";
const NO_FUNCTION: &str = "Function not found: ";

/// How Rhai tells that a closure was called, and of the file of what was.
const IN_CLOSURE: &str = "in closure call";
const IN_FILE: &str = " (from '";

/// Rhai's own error has its kind, its place and whatever it is about; `takes`: how many arguments functions of that name take that
/// can be called there.
pub fn complete(map: &mut Map, takes: &dyn Fn(&str) -> Vec<usize>) {
    let text = |key: &str| map.get(key).and_then(|text| text.clone().into_string().ok());
    let at = |key: &str| map.get(key).and_then(|number| number.as_int().ok());
    // As Rhai names its kinds of errors: another's map has no such name, or no place of that form.
    let is_kind = |kind: &str| kind.strip_prefix("Error").is_some_and(|kind| kind.starts_with(char::is_uppercase));
    let (Some(message), Some(line), Some(column)) = (text("message"), at("line"), at("position")) else { return };
    if !text("error").is_some_and(|kind| is_kind(&kind)) || map.contains_key("status") {
        return;
    }
    // Of one that came through calls the first line says what is wrong, and where.
    let (first, behind) = match message.split_once('\n') {
        Some((first, behind)) => (first, Some(behind)),
        None => (message.as_str(), None),
    };
    let inner = first.rsplit_once(" (line ").filter(|_| behind.is_some()).and_then(|(first, place)| {
        let (line, column) = place.trim_end_matches(')').split_once(", position ")?;
        Some((first.to_owned(), line.parse().ok()?, column.parse().ok()?))
    });
    let (message, line, column) = inner.unwrap_or((first.to_owned(), line, column));
    // Of one in another file Rhai tells the whole path.
    let message = message.split_once(" @ '").map_or(message.clone(), |(message, _)| message.to_owned());
    let mut position: Map =
        [("line", line), ("column", column)].map(|(key, number): (_, INT)| (key.into(), number.into())).into();
    let file = match behind {
        Some(behind) => of_call(behind),
        None => text("source").map(|file| (true, file)),
    };
    // A closure may be another file's than the one that calls it.
    let at = Position::new(u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(u16::MAX));
    let name = [NO_PROPERTY, NO_FUNCTION].iter().find_map(|words| message.strip_prefix(words)?.split(' ').next());
    let is_there = |file: &str| errors::may_stand_in(file, at, name.unwrap_or_default());
    if let Some((_, file)) = file.filter(|(is_closure, file)| !file.is_empty() && (!is_closure || is_there(file))) {
        position.insert("file".into(), errors::name_of(&file).into());
    }
    // It says the same as where nobody catches it.
    let error = match (message.strip_prefix(NO_PROPERTY), message.strip_prefix(NO_FUNCTION)) {
        (Some(name), _) => missing::no_property(name),
        (_, Some(signature)) => {
            missing::wrongly_called(signature, takes).unwrap_or_else(|| missing::no_function(signature))
        }
        _ => missing::no_member(&message).unwrap_or_else(|| Error::failed(message)),
    };
    *map = errors::as_map(&error);
    map.insert("position".into(), position.into());
}

/// Whether a closure was called, and the file that the innermost call is told to be in.
fn of_call(told: &str) -> Option<(bool, String)> {
    let (function, file) = told.lines().next()?.split_once(IN_FILE)?;
    Some((function.starts_with(IN_CLOSURE), file.split("')").next()?.to_owned()))
}
