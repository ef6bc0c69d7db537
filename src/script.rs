//! Rhai: the engine, its API, and how a script runs.

mod clients;
pub mod condition;
pub mod create_all;
pub mod engine;
pub mod errors;
pub mod held;
mod recipients;
pub mod run;
pub mod value;
