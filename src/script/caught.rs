//! What a script catches of Rhai's own errors, as what it catches of the API's: `#{status, code, message, hint, position}`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::{Dynamic, Engine, EvalContext, INT, Map, Token};

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
            let value = context.scope_mut().get_mut(name);
            if let Some(mut map) = value.and_then(Dynamic::write_lock::<Map>) {
                complete(&mut map);
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

/// What is told of what stands behind.
type Meant = fn(&str) -> Error;

/// What Rhai's own errors begin with, and what is told instead as where nobody catches them.
const SAID: [(&str, Meant); 2] =
    [("Property not found: ", missing::no_property), ("Function not found: ", missing::no_function)];

/// Rhai's own error has its kind, its place and whatever it is about.
pub fn complete(map: &mut Map) {
    let text = |key: &str| map.get(key).and_then(|text| text.clone().into_string().ok());
    let at = |key: &str| map.get(key).and_then(|number| number.as_int().ok());
    // As Rhai names its kinds of errors: another's map has no such name, or no place of that form.
    let is_kind = |kind: &str| kind.strip_prefix("Error").is_some_and(|kind| kind.starts_with(char::is_uppercase));
    let (Some(message), Some(line), Some(column)) = (text("message"), at("line"), at("position")) else { return };
    if !text("error").is_some_and(|kind| is_kind(&kind)) || map.contains_key("status") {
        return;
    }
    // Of one that came through calls the first line says what is wrong, and where.
    let (first, is_called) = match message.split_once('\n') {
        Some((first, _)) => (first, true),
        None => (message.as_str(), false),
    };
    let inner = first.rsplit_once(" (line ").filter(|_| is_called).and_then(|(first, place)| {
        let (line, column) = place.trim_end_matches(')').split_once(", position ")?;
        Some((first.to_owned(), line.parse().ok()?, column.parse().ok()?))
    });
    let (message, line, column) = inner.unwrap_or((first.to_owned(), line, column));
    // Of one in another file Rhai tells the whole path.
    let message = message.split_once(" @ '").map_or(message.clone(), |(message, _)| message.to_owned());
    let position =
        Some([("line", line), ("column", column)].map(|(key, number): (_, INT)| (key.into(), number.into())));
    let position = position.map_or(Dynamic::UNIT, |members| Map::from(members).into());
    // It says the same as where nobody catches it.
    let error = SAID
        .iter()
        .find_map(|(words, meant)| Some(meant(message.strip_prefix(words)?)))
        .or_else(|| missing::no_member(&message))
        .unwrap_or_else(|| Error::failed(message));
    *map = errors::as_map(&error);
    map.insert("position".into(), position);
}
