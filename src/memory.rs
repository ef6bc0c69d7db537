//! How much memory this process has, and that what is freed is wiped.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap::Cap;
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped, so that the copies of secrets that libraries make do not outlive their use; and all of it is counted.
#[global_allocator]
static ALLOCATOR: Cap<ZeroAlloc<System>> = Cap::new(ZeroAlloc(System), usize::MAX);

/// How many bytes may be allocated while a script runs; what is not looked at by its steps looks here.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// From now on so many bytes are too many.
pub fn bound(most: usize) {
    MOST.store(most, Ordering::Relaxed);
}

/// Whether so many more are not too many.
pub fn has_room(bytes: usize) -> bool {
    allocated().saturating_add(bytes) <= MOST.load(Ordering::Relaxed)
}

/// Bytes that are allocated now.
pub fn allocated() -> usize {
    ALLOCATOR.allocated()
}
