//! Commands that run Rhai.

pub mod api;
pub mod eval;
pub mod run;
