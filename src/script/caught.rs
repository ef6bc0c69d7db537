//! What a script catches of Rhai's own errors, as what it catches of the API's: `#{status, code, message, hint, position}`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::{Dynamic, Engine, INT, Map, Token};

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

/// Makes an engine give them so. Rhai has no other place at which what is caught could be looked at.
#[expect(deprecated, reason = "Rhai calls what may change so")]
pub fn register(engine: &mut Engine) {
    let names = Arc::new(Names::default());
    let read = Arc::clone(&names);
    engine.on_parse_token(move |token, _, _| {
        read.read(&token);
        token
    });
    engine.on_var(move |name, _, mut context| {
        if names.is_some.load(Ordering::Relaxed) && locked(&names.all).contains(name) {
            let value = context.scope_mut().get_mut(name);
            if let Some(mut map) = value.and_then(Dynamic::write_lock::<Map>) {
                complete(&mut map);
            }
        }
        Ok(None)
    });
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

/// Rhai's own error has its kind, its place and whatever it is about.
fn complete(map: &mut Map) {
    if !map.contains_key("error") || !map.contains_key("message") || map.contains_key("status") {
        return;
    }
    let at = |key: &str| map.get(key).and_then(|number| number.as_int().ok());
    let position = at("line").map(|line| {
        let column = at("position").unwrap_or(1);
        [("line", line), ("column", column)].map(|(key, number): (_, INT)| (key.into(), number.into()))
    });
    let position = position.map_or(Dynamic::UNIT, |members| Map::from(members).into());
    map.retain(|key, _| key == "message");
    map.insert("position".into(), position);
    for key in ["status", "code", "hint"] {
        map.insert(key.into(), Dynamic::UNIT);
    }
}
