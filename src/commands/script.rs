//! Commands that run Rhai.

pub mod eval;
pub mod run;
