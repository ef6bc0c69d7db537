//! Threads with a big stack, which scripts run on: one for the work of a process, and a few for hooks, which are made once.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;
use tokio::task::yield_now;

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
    locked(&DESK).waiting.push_back(Box::new(move || drop(tell.send(work()))));
    let waits = Waits;
    // Whoever brings work at this moment as well does so before somebody is woken for all of it.
    yield_now().await;
    std::mem::forget(waits);
    attend()?;
    let broken = || Error::failed("a hook broke down").hint("this is a fault of orysh: please report it");
    told.await.unwrap_or_else(|_| Err(broken()))
}

/// Work that nobody has been called for is done, even where whoever brought it is no more.
struct Waits;

impl Drop for Waits {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = attend();
    }
}

/// What a thread does for a hook.
type Work = Box<dyn FnOnce() + Send>;

/// So many threads are there for hooks at most: a thread with a big stack takes longer to make than most hooks take.
const MOST_THREADS: usize = 16;

/// Work that waits, and the threads that do it.
#[derive(Default)]
struct Desk {
    waiting: VecDeque<Work>,
    /// How many threads wait for some.
    idle: usize,
    /// How many of those have been called, and have not come yet.
    called: usize,
    /// How many are being made.
    coming: usize,
    threads: usize,
}

static DESK: LazyLock<Mutex<Desk>> = LazyLock::new(Mutex::default);
static CALLED: Condvar = Condvar::new();

impl Desk {
    /// Has somebody come who takes what waits. True: a thread is to be made for it. Whoever is on the way already is waited for, and
    /// has others come where there is more than they take: waking a thread takes longer than most hooks take.
    fn call(&mut self) -> bool {
        if self.called + self.coming > 0 {
            return false;
        }
        if self.idle > 0 {
            (self.idle, self.called) = (self.idle - 1, 1);
            CALLED.notify_one();
            return false;
        }
        let is_wanted = self.threads < MOST_THREADS;
        let more = usize::from(is_wanted);
        (self.threads, self.coming) = (self.threads + more, self.coming + more);
        is_wanted
    }
}

/// Has somebody do what waits. Errors: there is no thread, and none can be made.
fn attend() -> Result<()> {
    let mut desk = locked(&DESK);
    let is_wanted = !desk.waiting.is_empty() && desk.call();
    drop(desk);
    if is_wanted { one_more() } else { Ok(()) }
}

/// Makes a thread. Errors: it cannot be made, and there is no other.
fn one_more() -> Result<()> {
    let made = thread::Builder::new().name("hook".into()).stack_size(STACK_BYTES).spawn(|| {
        IS_BIG.set(true);
        let mut desk = locked(&DESK);
        desk.coming -= 1;
        loop {
            let Some(work) = desk.waiting.pop_front() else {
                desk.idle += 1;
                desk = CALLED.wait_while(desk, |desk| desk.called == 0).unwrap_or_else(PoisonError::into_inner);
                desk.called -= 1;
                continue;
            };
            let is_wanted = !desk.waiting.is_empty() && desk.call();
            drop(desk);
            if is_wanted {
                // There is this one.
                let _ = one_more();
            }
            // One that breaks down is told by whoever waits for it.
            let _ = catch_unwind(AssertUnwindSafe(work));
            desk = locked(&DESK);
        }
    });
    let Err(source) = made else { return Ok(()) };
    let mut desk = locked(&DESK);
    (desk.threads, desk.coming) = (desk.threads - 1, desk.coming - 1);
    if desk.threads > 0 {
        return Ok(());
    }
    desk.waiting.clear();
    Err(Error::failed("cannot start a thread for a hook").caused_by(source))
}
