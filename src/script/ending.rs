//! That a script ends, for a reason that stays.
//!
//! Not at any step: `${list}` copies the list in one step and asks for its text in another, and where that one does not begin, Rhai
//! writes the text by other means, for hours where it is long. So a script ends at a step that follows close upon another.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, Position};

use crate::script::engine::{Exhausted, TimedOut};
use crate::script::errors::ScriptResult;
use crate::script::limits;
use crate::session::interrupt::Interrupt;
use crate::ui;

thread_local! {
    /// Whether what runs on this thread is to end. Each step looks at it.
    static IS_DUE: Cell<bool> = const { Cell::new(false) };
    /// When its last step was, once it is.
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Since when it is.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// How many steps followed close upon others since.
    static STEPS: Cell<usize> = const { Cell::new(0) };
    /// Why it is.
    static WHY: RefCell<Dynamic> = const { RefCell::new(Dynamic::UNIT) };
}

/// Runs a script, or a part of one. Errors: it was to end, even where it came to its last step by then.
pub fn to_its_end<T>(work: impl FnOnce() -> ScriptResult<T>) -> ScriptResult<T> {
    let outer = (IS_DUE.take(), WHY.take());
    let result = work();
    let due = WHY.replace(outer.1);
    let is_due = IS_DUE.replace(outer.0);
    match result {
        // Whatever was thrown since, it was ended.
        Err(error) if is_due && self::due(&error).is_none() => Err(ended(due)),
        Ok(_) if is_due => Err(ended(due)),
        result => result,
    }
}

/// What a script fails with that is to end: Rhai keeps the place of such an error, and the calls that led there, which it does not
/// of what ends it at a step. Whoever catches it gets no further than the next step.
#[derive(Clone)]
pub struct Due(pub Dynamic);

/// Why the script is to end, where that is what an error says.
pub fn due(error: &EvalAltResult) -> Option<Dynamic> {
    match error {
        EvalAltResult::ErrorTerminated(why, _) => Some(why.clone()),
        EvalAltResult::ErrorRuntime(value, _) => value.clone().try_cast::<Due>().map(|due| due.0),
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => due(inner),
        _ => None,
    }
}

#[expect(clippy::unnecessary_box_returns, reason = "it is what Rhai functions fail with")]
fn ended(why: Dynamic) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(Due(why)), Position::NONE).into()
}

/// The script is to end from here on.
pub fn now(why: Dynamic) -> Box<EvalAltResult> {
    if !IS_DUE.get() {
        end_with(why.clone());
    }
    ended(why)
}

/// So many steps are borne with, and for so long.
const MOST_STEPS: usize = 8;
const LATE: Duration = Duration::from_millis(200);

/// What is copied within this time is soon made text, by whatever means.
const CLOSE: Duration = Duration::from_micros(200);

/// A step of the script: why it ends with it. `why`: a reason to end that there is now.
pub fn step(why: impl FnOnce() -> Option<Dynamic>) -> Option<Dynamic> {
    if IS_DUE.get() {
        let now = Instant::now();
        let is_close = LAST.replace(Some(now)).is_some_and(|last| now - last < CLOSE);
        // A variable that is used within the next few steps ends it where that stands.
        STEPS.set(STEPS.get() + usize::from(is_close));
        let is_late = STEPS.get() > MOST_STEPS || BEGAN.get().is_some_and(|began| now - began > LATE);
        return (is_close && is_late).then(|| WHY.with_borrow(Clone::clone));
    }
    if let Some(why) = why() {
        end_with(why);
    }
    None
}

/// Errors: the script is to end, and what it was about to use may have been cut short.
pub fn goes_on() -> ScriptResult<()> {
    if IS_DUE.get() { Err(ended(WHY.with_borrow(Clone::clone))) } else { Ok(()) }
}

/// Errors: a script that waits for something is to end, as Ctrl-C says, or the time that it may take.
pub fn wait(interrupt: &Interrupt) -> ScriptResult<()> {
    goes_on()?;
    if limits::is_over() {
        return Err(now(Dynamic::from(TimedOut(limits::may_say()))));
    }
    if interrupt.has_arrived() && !ui::is_undisturbed() { Err(now(Dynamic::UNIT)) } else { Ok(()) }
}

/// What the script asked for was cut short: it must not go on with that. `most`: the bytes that it may take.
pub fn cut(most: usize) {
    if !IS_DUE.get() {
        end_with(if ui::is_interrupted() { Dynamic::UNIT } else { Dynamic::from(Exhausted(most)) });
    }
}

fn end_with(why: Dynamic) {
    WHY.set(why);
    LAST.set(Some(Instant::now()));
    BEGAN.set(Some(Instant::now()));
    STEPS.set(0);
    IS_DUE.set(true);
}
