//! A session: where commands act and as whom, and the one place that waits.

pub mod callback;
pub mod chosen;
pub mod credential;
pub mod dry_run;
pub mod grant;
pub mod handle;
pub mod hook;
pub mod interrupt;
pub mod network;
pub mod pages;
pub mod stack;
pub mod target;
pub mod written;

pub use handle::Session;
