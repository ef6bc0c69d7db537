//! What a call into a plugin may take: time and memory, counted on the thread that it runs on.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::memory;

#[derive(Clone, Copy)]
struct Call {
    ends: Instant,
    allocated: usize,
    is_hook: bool,
    said: usize,
    depth: usize,
}

/// So many bytes a call into a plugin may take.
pub const MOST_MEMORY: usize = 256 * 1024 * 1024;

/// So many bytes a call may print or tell.
const MOST_SAID: usize = 1024 * 1024;

/// The numbers of calls: what is kept of one is told from what is kept of others.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static ID: Cell<u64> = const { Cell::new(0) };
    static CALL: Cell<Option<Call>> = const { Cell::new(None) };
}

/// A number for a call that is to come.
pub fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The number of the call that works here; 0: it is none of a plugin.
pub fn id() -> u64 {
    ID.get()
}

/// Does something as a part of a call, whose time may be over by then.
pub fn of<T>(id: u64, work: impl FnOnce() -> T) -> T {
    let outer = ID.replace(id);
    let result = work();
    ID.set(outer);
    result
}

/// What bounds the call that works here, for a thread that works for it.
pub fn bounds() -> Bounds {
    Bounds(CALL.get())
}

/// See [`bounds`].
#[derive(Clone, Copy)]
pub struct Bounds(Option<Call>);

impl Bounds {
    /// Does something within them.
    pub fn within<T>(self, work: impl FnOnce() -> T) -> T {
        let outer = CALL.replace(self.0);
        let result = work();
        CALL.set(outer);
        result
    }
}

/// Does something within a time; what it allocates and says is counted from here on. `is_hook`: stdout is another's. Within another
/// call it is a part of that: of its time, of what it may take and say, and of what it is.
pub fn within<T>(time: Duration, is_hook: bool, work: impl FnOnce() -> T) -> T {
    let outer = CALL.get();
    let ends = Instant::now() + time;
    let call = Call { ends, allocated: memory::allocated(), is_hook, said: 0, depth: depth() + 1 };
    let call = outer.map_or(call, |outer| Call {
        ends: ends.min(outer.ends),
        is_hook: is_hook || outer.is_hook,
        depth: call.depth,
        ..outer
    });
    CALL.set(Some(call));
    let result = work();
    let said = CALL.get().map_or(0, |call| call.said);
    CALL.set(outer.map(|outer| Call { said, ..outer }));
    result
}

/// How many calls into plugins are within each other here.
pub fn depth() -> usize {
    CALL.get().map_or(0, |call| call.depth)
}

/// How much time is left, where it is limited.
pub fn left() -> Option<Duration> {
    CALL.get().map(|call| call.ends.saturating_duration_since(Instant::now()))
}

/// Whether the time is up, or too much was said.
pub fn is_over() -> bool {
    CALL.get().is_some_and(|call| call.said > MOST_SAID || call.ends <= Instant::now())
}

/// Whether more may be printed.
pub fn may_say() -> bool {
    CALL.get().is_none_or(|call| call.said <= MOST_SAID)
}

/// So many bytes were printed.
pub fn say(bytes: usize) {
    if let Some(call) = CALL.get() {
        CALL.set(Some(Call { said: call.said.saturating_add(bytes), ..call }));
    }
}

/// Whether it is a hook that works here.
pub fn is_hook() -> bool {
    CALL.get().is_some_and(|call| call.is_hook)
}

/// Whether the call may take so many bytes more.
pub fn has_room(bytes: usize) -> bool {
    let taken = |call: Call| memory::allocated().saturating_sub(call.allocated);
    CALL.get().is_none_or(|call| taken(call).saturating_add(bytes) <= MOST_MEMORY)
}

/// What was allocated as the call began, where there is one.
pub fn allocated() -> Option<usize> {
    CALL.get().map(|call| call.allocated)
}
