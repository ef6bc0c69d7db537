//! `array.filter(closure)` and whatever else asks a closure about each entry: Rhai's own take an answer that is neither true nor
//! false for false.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, Map, NativeCallContext as Call};

use crate::error::Error;
use crate::script::errors::{ScriptResult, Spot, thrown_at};
use crate::script::missing::named;

/// What is done with a list as a closure says.
type Of = fn(&mut Asked<'_>, &mut Array) -> ScriptResult<Dynamic>;

const OF_LISTS: [(&str, Of); 7] = [
    ("filter", |asked, items| {
        let answers = asked.all(items)?;
        Ok(chosen(items, &answers).into())
    }),
    ("retain", |asked, items| {
        let answers = asked.all(items)?;
        Ok(taken(items, &answers, false).into())
    }),
    ("drain", |asked, items| {
        let answers = asked.all(items)?;
        Ok(taken(items, &answers, true).into())
    }),
    ("some", |asked, items| Ok(asked.first(items, 0, true)?.is_some().into())),
    ("all", |asked, items| Ok(asked.first(items, 0, false)?.is_none().into())),
    ("find", |asked, items| find(asked, items, 0)),
    ("index_of", |asked, items| index_of(asked, items, 0)),
];

/// The same from a place on.
type From = fn(&mut Asked<'_>, &mut Array, INT) -> ScriptResult<Dynamic>;

const FROM_A_PLACE: [(&str, From); 2] = [("find", find), ("index_of", index_of)];

/// Replaces them by those that end there.
pub fn register(engine: &mut Engine) {
    for (name, of) in OF_LISTS {
        engine.register_fn(name, move |call: Call<'_>, items: &mut Array, closure: FnPtr| {
            of(&mut Asked::of(&call, &closure), items)
        });
    }
    // A function may be named. A list is looked through for a text as for any other value.
    for (name, of) in OF_LISTS.into_iter().filter(|(name, _)| *name != "index_of") {
        engine.register_fn(name, move |call: Call<'_>, items: &mut Array, function: &str| {
            of(&mut Asked::of(&call, &FnPtr::new(function)?), items)
        });
    }
    for (name, from) in FROM_A_PLACE {
        engine.register_fn(name, move |call: Call<'_>, items: &mut Array, closure: FnPtr, start: INT| {
            from(&mut Asked::of(&call, &closure), items, start)
        });
    }
    engine
        .register_fn("filter", |call: Call<'_>, map: &mut Map, closure: FnPtr| -> ScriptResult<Map> {
            let mut kept = map.clone();
            split(&call, &mut kept, &closure, true)?;
            Ok(kept)
        })
        .register_fn("retain", |call: Call<'_>, map: &mut Map, closure: FnPtr| split(&call, map, &closure, true))
        .register_fn("drain", |call: Call<'_>, map: &mut Map, closure: FnPtr| split(&call, map, &closure, false));
}

/// A closure that is asked about one entry after the other.
pub struct Asked<'a> {
    call: &'a Call<'a>,
    closure: &'a FnPtr,
    /// Which of the ways to call it was the right one.
    way: usize,
}

impl<'a> Asked<'a> {
    /// Of a call that was given the closure.
    pub fn of(call: &'a Call<'a>, closure: &'a FnPtr) -> Self {
        Asked { call, closure, way: 0 }
    }

    /// What it says of an entry, as the first of these arguments that it takes; `this` is the entry.
    fn answer(&mut self, entry: &mut Dynamic, ways: &[Vec<Dynamic>]) -> ScriptResult<bool> {
        loop {
            let arguments = ways.get(self.way).cloned().unwrap_or_default();
            match self.closure.call_raw(self.call, Some(&mut *entry), arguments) {
                Ok(answer) => return self.bool(&answer),
                Err(error) if self.way + 1 < ways.len() && self.is_not_found(&error) => self.way += 1,
                Err(error) if self.is_not_found(&error) => return Err(self.takes_others()),
                Err(error) => return Err(error),
            }
        }
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it is what Rhai functions fail with")]
    fn takes_others(&self) -> Box<EvalAltResult> {
        let name = self.call.fn_name();
        let wrong = format!("the closure of `{name}` takes other arguments than it is called with");
        thrown_at(
            Error::failed(wrong)
                .hint(format!("as {name}(|entry| …), or {name}(|entry, index| …); of a map |key, value|")),
            &Spot::of(self.call),
        )
    }

    fn is_not_found(&self, error: &EvalAltResult) -> bool {
        matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(self.closure.fn_name()))
    }

    fn bool(&self, answer: &Dynamic) -> ScriptResult<bool> {
        answer.as_bool().map_err(|kind| {
            let kind = if answer.is_unit() { "nothing".to_owned() } else { named(kind) };
            let error =
                Error::failed(format!("the closure of `{}` gives {kind}, neither true nor false", self.call.fn_name()));
            let hint = "`==` compares, `=` puts a value into a variable; what is asked is the closure's last value";
            thrown_at(error.hint(hint), &Spot::of(self.call))
        })
    }

    /// What it says of an entry at a place.
    pub fn about(&mut self, entry: &mut Dynamic, at: usize) -> ScriptResult<bool> {
        let place = INT::try_from(at).unwrap_or(INT::MAX);
        let ways = [vec![], vec![entry.clone()], vec![entry.clone(), place.into()]];
        self.answer(entry, &ways)
    }

    fn all(&mut self, items: &mut Array) -> ScriptResult<Vec<bool>> {
        items.iter_mut().enumerate().map(|(at, item)| self.about(item, at)).collect()
    }

    /// Where it first gives that answer.
    fn first(&mut self, items: &mut Array, from: usize, wanted: bool) -> ScriptResult<Option<usize>> {
        for (at, item) in items.iter_mut().enumerate().skip(from) {
            if self.about(item, at)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

fn chosen(items: &Array, answers: &[bool]) -> Array {
    items.iter().zip(answers).filter(|(_, is)| **is).map(|(item, _)| item.clone()).collect()
}

/// Takes those out of which it says that.
fn taken(items: &mut Array, answers: &[bool], wanted: bool) -> Array {
    let mut answers = answers.iter();
    items.extract_if(.., |_| answers.next() == Some(&wanted)).collect()
}

/// A place that is counted from the end where it is negative.
fn start(items: &Array, start: INT) -> usize {
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    if start < 0 { items.len().saturating_sub(distance) } else { distance }
}

fn find(asked: &mut Asked<'_>, items: &mut Array, from: INT) -> ScriptResult<Dynamic> {
    let from = start(items, from);
    let found = asked.first(items, from, true)?;
    Ok(found.and_then(|at| items.get(at).cloned()).unwrap_or_default())
}

fn index_of(asked: &mut Asked<'_>, items: &mut Array, from: INT) -> ScriptResult<Dynamic> {
    let from = start(items, from);
    let found = asked.first(items, from, true)?;
    Ok(found.and_then(|at| INT::try_from(at).ok()).unwrap_or(-1).into())
}

/// Keeps the members of a map of which a closure says so; gives the others.
fn split(call: &Call<'_>, map: &mut Map, closure: &FnPtr, keeps: bool) -> ScriptResult<Map> {
    let mut asked = Asked::of(call, closure);
    let mut gone = Map::new();
    for (key, value) in map.iter_mut() {
        let ways = [vec![key.clone().into()], vec![key.clone().into(), value.clone()]];
        if asked.answer(value, &ways)? != keeps {
            gone.insert(key.clone(), value.clone());
        }
    }
    map.retain(|key, _| !gone.contains_key(key));
    Ok(gone)
}
