//! What a call into a plugin may take: time and memory, counted on the thread that it runs on.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::memory;

#[derive(Clone, Copy)]
struct Call {
    ends: Instant,
    allocated: usize,
    is_hook: bool,
}

thread_local! {
    static CALL: Cell<Option<Call>> = const { Cell::new(None) };
}

/// Does something within a time; what it allocates is counted from here on. `is_hook`: stdout is another's.
pub fn within<T>(time: Duration, is_hook: bool, work: impl FnOnce() -> T) -> T {
    let outer = CALL.get();
    let ends = Instant::now() + time;
    let ends = outer.map_or(ends, |outer| ends.min(outer.ends));
    CALL.set(Some(Call { ends, allocated: memory::allocated(), is_hook }));
    let result = work();
    CALL.set(outer);
    result
}

/// How much time is left, where it is limited.
pub fn left() -> Option<Duration> {
    CALL.get().map(|call| call.ends.saturating_duration_since(Instant::now()))
}

/// Whether the time is up.
pub fn is_over() -> bool {
    left().is_some_and(|left| left.is_zero())
}

/// Whether it is a hook that works here.
pub fn is_hook() -> bool {
    CALL.get().is_some_and(|call| call.is_hook)
}

/// What was allocated as the call began, where there is one.
pub fn allocated() -> Option<usize> {
    CALL.get().map(|call| call.allocated)
}
