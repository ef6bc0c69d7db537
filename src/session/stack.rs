//! Threads with a big stack, which scripts run on: one for the work of a process, and a few for hooks, which are made once.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::handle::locked;
use crate::error::{Error, Result};

/// The stack of a thread that scripts run on: deeply nested values overflow that of an ordinary one.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;

thread_local! {
    static IS_BIG: Cell<bool> = const { Cell::new(false) };
}

/// Runs something on a plain thread with a big stack, where scripts may run and wait: on this one, if it is one.
pub fn on_big_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    if IS_BIG.get() {
        return work();
    }
    thread::scope(|scope| {
        thread::Builder::new()
            .name("script".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || {
                IS_BIG.set(true);
                work()
            })
            .map_err(|source| Error::failed("cannot start a thread for the script").caused_by(source))?
            .join()
            .unwrap_or_else(|_| {
                Err(Error::failed("the script's thread broke down").hint("this is a fault of orysh: please report it"))
            })
    })
}

/// The same from within the runtime, where nothing may block: on a thread that is there for that.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (tell, told) = oneshot::channel();
    // Nobody listens any more where the process ends.
    hand_over(Box::new(move || drop(tell.send(work()))))?;
    let broken = || Error::failed("a hook broke down").hint("this is a fault of orysh: please report it");
    told.await.unwrap_or_else(|_| Err(broken()))
}

/// What a thread does for a hook.
type Work = Box<dyn FnOnce() + Send>;

/// So many threads are there for hooks at most: a thread with a big stack takes longer to make than most hooks take.
const MOST_THREADS: usize = 16;

/// Work that waits, and the threads that wait for some.
#[derive(Default)]
struct Desk {
    waiting: Mutex<VecDeque<Work>>,
    arrived: Condvar,
    idle: AtomicUsize,
    threads: AtomicUsize,
}

static DESK: LazyLock<Desk> = LazyLock::new(Desk::default);

/// Gives work to a thread that has none, or to a new one. Errors: there is none, and none can be made.
fn hand_over(work: Work) -> Result<()> {
    let has_taker = {
        let mut waiting = locked(&DESK.waiting);
        waiting.push_back(work);
        DESK.idle.load(Ordering::SeqCst) >= waiting.len()
    };
    if has_taker {
        DESK.arrived.notify_one();
        return Ok(());
    }
    if DESK.threads.fetch_add(1, Ordering::SeqCst) >= MOST_THREADS {
        return Ok(());
    }
    let made = thread::Builder::new().name("hook".into()).stack_size(STACK_BYTES).spawn(|| {
        IS_BIG.set(true);
        loop {
            let mut waiting = locked(&DESK.waiting);
            while waiting.is_empty() {
                DESK.idle.fetch_add(1, Ordering::SeqCst);
                waiting = DESK.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                DESK.idle.fetch_sub(1, Ordering::SeqCst);
            }
            let work = waiting.pop_front();
            drop(waiting);
            // One that breaks down is told by whoever waits for it.
            let _ = catch_unwind(AssertUnwindSafe(|| work.map(|work| work())));
        }
    });
    match made {
        Err(source) if DESK.threads.load(Ordering::SeqCst) <= 1 => {
            Err(Error::failed("cannot start a thread for a hook").caused_by(source))
        }
        _ => Ok(()),
    }
}
