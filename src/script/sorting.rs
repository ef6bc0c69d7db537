//! `array.sort(closure)` and `array.dedup(closure)`: Rhai's own take an error of the closure for an answer, and the first panics
//! inside where the answers contradict each other.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, FLOAT, FnPtr, INT, ImmutableString, NativeCallContext as Call};

use crate::error::Error;
use crate::script::api::time::{Span, Time};
use crate::script::errors::{ScriptResult, Spot, thrown_at};
use crate::script::missing::named;

/// Replaces them by those that end with the closure's error.
pub fn register(engine: &mut Engine) {
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, |call: Call<'_>, items: &mut Array, closure: FnPtr| {
            *items = by(&call, items, &closure)?;
            ScriptResult::Ok(())
        });
    }
    engine.register_fn("sort", |call: Call<'_>, items: &mut Array| {
        if sort_alike(items) {
            return ScriptResult::Ok(());
        }
        let first = items.first().map_or("", |item| item.type_name());
        let is_mixed = items.iter().any(|item| item.type_name() != first);
        let of = if is_mixed { "different types".to_owned() } else { format!("the type {}", named(first)) };
        let wrong = Error::usage(format!("elements of {of} cannot be sorted"));
        Err(thrown_at(wrong.hint("give `sort` a closure that says which comes first"), &Spot::of(&call)))
    });
    engine.register_fn("order_by", |call: Call<'_>, items: &mut Array, closure: FnPtr| by(&call, items, &closure));
    engine.register_fn("dedup", |call: Call<'_>, items: &mut Array, closure: FnPtr| {
        let mut kept = Array::with_capacity(items.len());
        for item in items.iter().cloned() {
            let is_same = match kept.last() {
                Some(last) => closure.call_within_context::<bool>(&call, (item.clone(), last.clone()))?,
                None => false,
            };
            if !is_same {
                kept.push(item);
            }
        }
        *items = kept;
        ScriptResult::Ok(())
    });
}

/// Sorts what is all of one type that has an order. Whether it is.
fn sort_alike(items: &mut Array) -> bool {
    macro_rules! sorted_as {
        ($($type:ty: $order:expr),*) => { $(
            if items.iter().all(Dynamic::is::<$type>) {
                let order: fn(&$type, &$type) -> Ordering = $order;
                items.sort_by(|a, b| match (a.read_lock::<$type>(), b.read_lock::<$type>()) {
                    (Some(a), Some(b)) => order(&a, &b),
                    _ => Ordering::Equal,
                });
                return true;
            }
        )* };
    }
    sorted_as!(
        INT: Ord::cmp,
        FLOAT: FLOAT::total_cmp,
        bool: Ord::cmp,
        char: Ord::cmp,
        ImmutableString: Ord::cmp,
        Time: Ord::cmp,
        Span: Ord::cmp
    );
    false
}

/// The same in the order that a closure says.
fn by(call: &Call<'_>, items: &Array, closure: &FnPtr) -> ScriptResult<Array> {
    let is_after = |a: &Dynamic, b: &Dynamic| {
        let answer = closure.call_within_context::<Dynamic>(call, (a.clone(), b.clone()))?;
        match (answer.as_int(), answer.as_bool()) {
            (Ok(number), _) => Ok(number > 0),
            // Whether the first one comes first.
            (_, Ok(is_first)) => Ok(!is_first),
            (Err(kind), Err(_)) => {
                let wrong = format!("a closure to sort by gives a number or a bool, not {}", named(kind));
                Err(thrown_at(Error::usage(wrong), &Spot::of(call)))
            }
        }
    };
    sorted(items.clone(), &is_after)
}

/// Merges halves that are sorted; what is equal stays in its order.
fn sorted(mut items: Array, is_after: &impl Fn(&Dynamic, &Dynamic) -> ScriptResult<bool>) -> ScriptResult<Array> {
    if items.len() < 2 {
        return Ok(items);
    }
    let second = sorted(items.split_off(items.len() / 2), is_after)?;
    let first = sorted(items, is_after)?;
    let mut merged = Array::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        let next = if is_after(a, b)? { second.next() } else { first.next() };
        merged.extend(next);
    }
    merged.extend(first);
    merged.extend(second);
    Ok(merged)
}
