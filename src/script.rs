//! Rhai: the engine, its API, and how a script runs.

pub mod api;
mod apply;
pub mod arguments;
pub mod bounded;
mod caught;
pub mod check;
mod clients;
pub mod condition;
pub mod create_all;
pub mod ending;
pub mod engine;
pub mod errors;
pub mod held;
pub mod library;
pub mod limits;
mod needs;
mod recipients;
pub mod resolve;
mod rows;
pub mod run;
mod shown;
mod sorting;
pub mod testing;
pub mod traps;
pub mod value;
mod variables;
