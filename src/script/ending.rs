//! That a script ends at its next step, for a reason that stays.
//!
//! Not at the step itself: `${list}` copies the list in one step and asks for its text in another, and where that one does not
//! begin, Rhai writes the text by other means, for hours.

use std::cell::Cell;

use rhai::{Dynamic, EvalAltResult, Position};

use crate::script::engine::Exhausted;
use crate::script::errors::ScriptResult;
use crate::ui;

thread_local! {
    /// Why what runs on this thread is to end.
    static DUE: Cell<Option<Dynamic>> = const { Cell::new(None) };
}

/// Runs a script, or a part of one. Errors: it was to end, even where it came to its last step by then.
pub fn to_its_end<T>(work: impl FnOnce() -> ScriptResult<T>) -> ScriptResult<T> {
    let outer = DUE.take();
    let result = work();
    let due = DUE.replace(outer);
    result
        .and_then(|value| due.map_or(Ok(value), |why| Err(EvalAltResult::ErrorTerminated(why, Position::NONE).into())))
}

/// A step of the script: why it ends with it. `why`: a reason to end that there is now.
pub fn step(why: impl FnOnce() -> Option<Dynamic>) -> Option<Dynamic> {
    let due = DUE.take();
    DUE.set(due.clone().or_else(why));
    due
}

/// What the script asked for was cut short: it must not go on with that. `most`: the bytes that it may take.
pub fn cut(most: usize) {
    let due = DUE.take();
    let why = || if ui::is_interrupted() { Dynamic::UNIT } else { Dynamic::from(Exhausted(most)) };
    DUE.set(Some(due.unwrap_or_else(why)));
}
