//! Ctrl-C and termination signals: stop what is being waited for, or the process where nothing is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::error::Kind;
use crate::ui;

/// Whether an interruption has arrived, and who is to hear of it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    arrived: AtomicBool,
    watchers: AtomicUsize,
    presses: AtomicUsize,
    notify: Notify,
    installed: OnceLock<()>,
}

/// So often Ctrl-C ends even what must not be cut off.
const INSISTING: usize = 4;

/// How much of what must not be cut off is going on in this process.
static UNDISTURBED: AtomicUsize = AtomicUsize::new(0);

/// While this lives, what is waited for comes to its end before an interruption counts.
#[derive(Debug)]
pub struct Undisturbed(());

impl Undisturbed {
    /// Begins.
    pub fn begin() -> Self {
        UNDISTURBED.fetch_add(1, Ordering::SeqCst);
        Undisturbed(())
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        UNDISTURBED.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether something goes on that must not be cut off.
pub fn is_undisturbed() -> bool {
    UNDISTURBED.load(Ordering::SeqCst) > 0
}

/// What is told where the process is made to end at once.
static LAST_WORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// While this lives, somebody who has the process end at once is told what was under way.
#[derive(Debug)]
pub struct LastWords(());

impl LastWords {
    /// These, and what to do next.
    pub fn are(text: String) -> Self {
        last_words().push(text);
        LastWords(())
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        last_words().pop();
    }
}

fn last_words() -> MutexGuard<'static, Vec<String>> {
    LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives, an interruption is told to the program and does not end the process.
#[derive(Debug)]
pub struct Watch(Interrupt);

impl Interrupt {
    /// Begins to watch. The first signal is told to whoever watches, a second one ends the process.
    pub fn watch(&self) -> Watch {
        self.0.installed.get_or_init(|| self.install());
        if self.0.watchers.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.arrived.store(false, Ordering::SeqCst);
            self.0.presses.store(0, Ordering::SeqCst);
            ui::forget_interruption();
        }
        Watch(self.clone())
    }

    /// Whether an interruption has arrived since the outermost watch began.
    pub fn has_arrived(&self) -> bool {
        self.0.arrived.load(Ordering::SeqCst)
    }

    /// Interrupts what is waited for, as Ctrl-C does.
    pub fn raise(&self) {
        ui::interrupt();
        self.raise_here();
    }

    /// The same for what waits here only, and not for what waits for a person.
    pub fn raise_here(&self) {
        self.0.arrived.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Returns once an interruption has arrived.
    pub async fn arrival(&self) {
        loop {
            // Registered before the flag is read, so that no signal falls in between.
            let notified = self.0.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.has_arrived() {
                return;
            }
            notified.await;
        }
    }

    fn install(&self) {
        let state = self.0.clone();
        // Another handler in this process (a test's) means that signals are not ours.
        let _ = ctrlc::try_set_handler(move || {
            let is_first = !state.arrived.swap(true, Ordering::SeqCst);
            ui::interrupt();
            // What must not be cut off takes a moment; whoever insists has their way.
            let presses = state.presses.fetch_add(1, Ordering::SeqCst) + 1;
            let is_held = is_undisturbed() && presses < INSISTING;
            if (state.watchers.load(Ordering::SeqCst) == 0 || !is_first) && !is_held {
                last_words().iter().for_each(|words| ui::Ui::default().note(&format!("stopped at once: {words}")));
                leave();
            }
            if !last_words().is_empty() {
                ui::Ui::default().note("what is under way comes to its end first; Ctrl-C again stops at once");
            }
            if is_held {
                ui::Ui::default().note("a sign-in is being renewed: it would be lost if this ended now");
            }
            state.notify.notify_waiters();
        });
    }
}

#[expect(clippy::exit, reason = "nothing waits that could be told, or it has been told and did not stop")]
fn leave() {
    std::process::exit(i32::from(Kind::Interrupted.exit_code()));
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.0.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}
