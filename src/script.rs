//! Rhai: the engine, its API, and how a script runs.

mod clients;
pub mod engine;
mod errors;
pub mod run;
pub mod value;
