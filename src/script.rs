//! Rhai: the engine, its API, and how a script runs.

mod clients;
pub mod condition;
pub mod engine;
pub mod errors;
mod recipients;
pub mod run;
pub mod value;
