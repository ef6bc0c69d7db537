//! Rhai: the engine, its API, and how a script runs.

mod clients;
pub mod engine;
pub mod errors;
pub mod run;
pub mod value;
