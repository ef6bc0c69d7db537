//! The sandbox held to what a live Hydra does: recorded exchanges, dangers, paging, tokens and trouble.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "tests have no session, and fail by panicking"
)]

use orysh::sandbox::{self, Options, Running};
use tokio::runtime::Runtime;

mod dangers;
mod lifecycle;
mod lists;
mod replay;
mod tokens;
mod trouble;
pub mod wire;

/// A sandbox on a runtime of its own.
struct Sandbox {
    admin: String,
    public: String,
    running: Option<Running>,
    runtime: Option<Runtime>,
}

impl Sandbox {
    fn start() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let running = runtime.block_on(sandbox::start(options)).unwrap();
        Sandbox {
            admin: running.admin_url(),
            public: running.public_url(),
            running: Some(running),
            runtime: Some(runtime),
        }
    }

    fn stop(mut self) {
        self.runtime.as_ref().unwrap().block_on(self.running.take().unwrap().stop());
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
