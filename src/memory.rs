//! How much memory this process has, and that what is freed is wiped.

use std::alloc::System;

use cap::Cap;
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped, so that the copies of secrets that libraries make do not outlive their use; and all of it is counted.
#[global_allocator]
static ALLOCATOR: Cap<ZeroAlloc<System>> = Cap::new(ZeroAlloc(System), usize::MAX);

/// Bytes that are allocated now.
pub fn allocated() -> usize {
    ALLOCATOR.allocated()
}
