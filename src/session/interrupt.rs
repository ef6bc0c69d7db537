//! Ctrl-C and termination signals: stop what is being waited for, or the process where nothing is.

use std::ffi::c_int;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::Notify;

use crate::error::Kind;
use crate::ui;

/// Whether an interruption has arrived, and who is to hear of it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    state: Arc<State>,
    /// Whether whoever asks hears of none.
    is_deaf: bool,
}

#[derive(Debug, Default)]
struct State {
    arrived: AtomicBool,
    watchers: AtomicUsize,
    presses: AtomicUsize,
    notify: Notify,
}

/// Signals are for the first that watched in this process: sessions within it, as those of tests, hear of them from whoever runs them.
static INSTALLED: OnceLock<()> = OnceLock::new();

/// So often Ctrl-C ends even what must not be cut off.
const INSISTING: usize = 4;

/// Whether a person types one line after the other: Ctrl-C ends what runs, and never that.
static IS_SHELL: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C never ends the process, and whatever else does leaves the terminal as it is now.
pub fn keep_shell() {
    ui::keep_modes();
    IS_SHELL.store(true, Ordering::SeqCst);
}

/// Whether something other than Ctrl-C has asked the process to end.
static IS_TO_END: AtomicBool = AtomicBool::new(false);

/// Whether a termination signal has come, or the terminal was closed: a shell ends once what runs has ended.
pub fn is_to_end() -> bool {
    IS_TO_END.load(Ordering::SeqCst)
}

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
        INSTALLED.get_or_init(|| self.install());
        if self.state.watchers.fetch_add(1, Ordering::SeqCst) == 0 {
            self.forget();
        }
        Watch(self.clone())
    }

    /// Whoever is there has heard of what arrived: what follows hears of what comes from now on.
    pub fn forget(&self) {
        self.state.arrived.store(false, Ordering::SeqCst);
        self.state.presses.store(0, Ordering::SeqCst);
        ui::forget_interruption();
    }

    /// The same for what comes to its end whatever arrives: it hears of nothing. Whoever insists ends the process.
    #[must_use]
    pub fn unheard(&self) -> Self {
        Interrupt { is_deaf: true, ..self.clone() }
    }

    /// The same for what hears of it.
    #[must_use]
    pub fn heard(&self) -> Self {
        Interrupt { is_deaf: false, ..self.clone() }
    }

    /// Whether an interruption has arrived since the outermost watch began.
    pub fn has_arrived(&self) -> bool {
        !self.is_deaf && self.state.arrived.load(Ordering::SeqCst)
    }

    /// Interrupts what is waited for, as Ctrl-C does.
    pub fn raise(&self) {
        ui::interrupt();
        self.raise_here();
    }

    /// The same for what waits here only, and not for what waits for a person.
    pub fn raise_here(&self) {
        self.state.arrived.store(true, Ordering::SeqCst);
        self.state.notify.notify_waiters();
    }

    /// Returns once an interruption has arrived.
    pub async fn arrival(&self) {
        loop {
            // Registered before the flag is read, so that no signal falls in between.
            let notified = self.state.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.has_arrived() {
                return;
            }
            notified.await;
        }
    }

    fn install(&self) {
        // Without it signals do what they do to any process.
        let Ok(mut signals) = Signals::new(heeded()) else { return };
        let state = Arc::clone(&self.state);
        thread::spawn(move || signals.forever().for_each(|signal| state.hear(signal)));
    }
}

impl State {
    fn hear(&self, signal: c_int) {
        let stays = signal == SIGINT && IS_SHELL.load(Ordering::SeqCst);
        IS_TO_END.fetch_or(signal != SIGINT, Ordering::SeqCst);
        let is_first = !self.arrived.swap(true, Ordering::SeqCst);
        ui::interrupt();
        ui::input::make_stale();
        // What must not be cut off takes a moment; whoever insists has their way.
        let presses = self.presses.fetch_add(1, Ordering::SeqCst) + 1;
        let is_held = is_undisturbed() && presses < INSISTING;
        if (self.watchers.load(Ordering::SeqCst) == 0 || !is_first) && !is_held && !stays {
            last_words().iter().for_each(|words| ui::Ui::default().note(&format!("stopped at once: {words}")));
            leave();
        }
        if !last_words().is_empty() && is_first {
            let again = if stays { "" } else { "; Ctrl-C again stops at once" };
            ui::Ui::default().note(&format!("what is under way comes to its end first{again}"));
        }
        if is_held {
            ui::Ui::default().note("a sign-in is being renewed: it would be lost if this ended now");
        }
        self.notify.notify_waiters();
    }
}

/// The signals that interrupt, but for those that the process was started to ignore, as `nohup` and `&` do.
fn heeded() -> impl Iterator<Item = c_int> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Where the kernel does not tell, none is.
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(move |signal| ignored & 1 << (signal - 1) == 0)
}

#[expect(clippy::exit, reason = "nothing waits that could be told, or it has been told and did not stop")]
fn leave() {
    ui::restore_modes();
    if IS_SHELL.load(Ordering::SeqCst) {
        // The prompt stands there.
        ui::Ui::default().line("");
    }
    std::process::exit(i32::from(Kind::Interrupted.exit_code()));
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.state.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}
