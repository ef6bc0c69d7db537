//! `array.filter(closure)` and whatever else asks a closure about each entry: Rhai's own take an answer that is neither true nor
//! false for false.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, Map, NativeCallContext as Call};

use crate::error::Error;
use crate::script::errors::{ScriptResult, named, thrown};

/// Replaces them by those that end there.
pub fn register(engine: &mut Engine) {
    engine
        .register_fn("filter", |call: Call<'_>, items: &mut Array, closure: FnPtr| -> ScriptResult<Array> {
            let answers = Asked::of(&call, &closure).all(items)?;
            Ok(chosen(items, &answers))
        })
        .register_fn("retain", |call: Call<'_>, items: &mut Array, closure: FnPtr| -> ScriptResult<Array> {
            let answers = Asked::of(&call, &closure).all(items)?;
            Ok(parted(items, &answers))
        })
        .register_fn("drain", |call: Call<'_>, items: &mut Array, closure: FnPtr| -> ScriptResult<Array> {
            let answers = Asked::of(&call, &closure).all(items)?;
            let drained = chosen(items, &answers);
            parted(items, &answers.iter().map(|answer| !answer).collect::<Vec<_>>());
            Ok(drained)
        })
        .register_fn("some", |call: Call<'_>, items: &mut Array, closure: FnPtr| -> ScriptResult<bool> {
            Ok(Asked::of(&call, &closure).first(items, 0, true)?.is_some())
        })
        .register_fn("all", |call: Call<'_>, items: &mut Array, closure: FnPtr| -> ScriptResult<bool> {
            Ok(Asked::of(&call, &closure).first(items, 0, false)?.is_none())
        });
    engine
        .register_fn("find", |call: Call<'_>, items: &mut Array, closure: FnPtr| find(&call, items, &closure, 0))
        .register_fn("find", |call: Call<'_>, items: &mut Array, closure: FnPtr, start: INT| {
            find(&call, items, &closure, start)
        })
        .register_fn("index_of", |call: Call<'_>, items: &mut Array, closure: FnPtr| {
            index_of(&call, items, &closure, 0)
        })
        .register_fn("index_of", |call: Call<'_>, items: &mut Array, closure: FnPtr, start: INT| {
            index_of(&call, items, &closure, start)
        });
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
struct Asked<'a> {
    call: &'a Call<'a>,
    closure: &'a FnPtr,
    /// Which of the ways to call it was the right one.
    way: usize,
}

impl<'a> Asked<'a> {
    fn of(call: &'a Call<'a>, closure: &'a FnPtr) -> Self {
        Asked { call, closure, way: 0 }
    }

    /// What it says of an entry, as the first of these arguments that it takes; `this` is the entry.
    fn answer(&mut self, entry: &mut Dynamic, ways: &[Vec<Dynamic>]) -> ScriptResult<bool> {
        loop {
            let arguments = ways.get(self.way).cloned().unwrap_or_default();
            match self.closure.call_raw(self.call, Some(&mut *entry), arguments) {
                Ok(answer) => return self.bool(&answer),
                Err(error) if self.way + 1 < ways.len() && self.is_not_found(&error) => self.way += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn is_not_found(&self, error: &EvalAltResult) -> bool {
        matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(self.closure.fn_name()))
    }

    fn bool(&self, answer: &Dynamic) -> ScriptResult<bool> {
        answer.as_bool().map_err(|kind| {
            let kind = if answer.is_unit() { "nothing".to_owned() } else { named(kind) };
            let error =
                Error::failed(format!("the closure of `{}` gives {kind}, neither true nor false", self.call.fn_name()));
            thrown(
                error
                    .hint("`==` compares, `=` puts a value into a variable; what is asked is the closure's last value"),
            )
        })
    }

    fn about(&mut self, items: &mut Array, at: usize) -> ScriptResult<bool> {
        let ways = match items.get(at) {
            Some(item) => {
                [vec![], vec![item.clone()], vec![item.clone(), INT::try_from(at).unwrap_or(INT::MAX).into()]]
            }
            None => return Ok(false),
        };
        self.answer(&mut items[at], &ways)
    }

    fn all(&mut self, items: &mut Array) -> ScriptResult<Vec<bool>> {
        (0..items.len()).map(|at| self.about(items, at)).collect()
    }

    /// Where it first gives that answer.
    fn first(&mut self, items: &mut Array, from: usize, wanted: bool) -> ScriptResult<Option<usize>> {
        for at in from..items.len() {
            if self.about(items, at)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

fn chosen(items: &Array, answers: &[bool]) -> Array {
    items.iter().zip(answers).filter(|(_, is)| **is).map(|(item, _)| item.clone()).collect()
}

/// Keeps those for which it says true; gives the others.
fn parted(items: &mut Array, answers: &[bool]) -> Array {
    let mut answers = answers.iter();
    items.extract_if(.., |_| answers.next() == Some(&false)).collect()
}

/// A place that is counted from the end where it is negative.
fn start(items: &Array, start: INT) -> usize {
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    if start < 0 { items.len().saturating_sub(distance) } else { distance }
}

fn find(call: &Call<'_>, items: &mut Array, closure: &FnPtr, from: INT) -> ScriptResult<Dynamic> {
    let from = start(items, from);
    let found = Asked::of(call, closure).first(items, from, true)?;
    Ok(found.and_then(|at| items.get(at).cloned()).unwrap_or_default())
}

fn index_of(call: &Call<'_>, items: &mut Array, closure: &FnPtr, from: INT) -> ScriptResult<INT> {
    let from = start(items, from);
    let found = Asked::of(call, closure).first(items, from, true)?;
    Ok(found.and_then(|at| INT::try_from(at).ok()).unwrap_or(-1))
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
