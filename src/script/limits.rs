//! What a call into a plugin may take: time and memory, counted on the thread that it runs on.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::memory;

#[derive(Clone, Copy)]
struct Call {
    ends: Instant,
    allocated: usize,
}

thread_local! {
    static CALL: Cell<Option<Call>> = const { Cell::new(None) };
}

/// Does something within a time; what it allocates is counted from here on.
pub fn within<T>(time: Duration, work: impl FnOnce() -> T) -> T {
    let outer = CALL.get();
    let ends = Instant::now() + time;
    let ends = outer.map_or(ends, |outer| ends.min(outer.ends));
    CALL.set(Some(Call { ends, allocated: memory::allocated() }));
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

/// What was allocated as the call began, where there is one.
pub fn allocated() -> Option<usize> {
    CALL.get().map(|call| call.allocated)
}
