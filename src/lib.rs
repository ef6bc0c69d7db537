//! orysh: a scriptable shell for the OAuth 2.0 clients of Ory Hydra and Ory Network.
//!
//! The modules, in reading order. Imports point upwards only, but for `sandbox`, which stands
//! beside the others: it sees nothing above `ui`, and only `commands` see it (`tests/layers.rs`).

pub mod memory;
pub mod error;
pub mod env;
pub mod secret;
pub mod text;
pub mod ui;
pub mod net;
pub mod model;
pub mod api;
pub mod crypt;
pub mod config;
pub mod output;
pub mod session;
pub mod ops;
pub mod grammar;
pub mod batch;
pub mod script;
pub mod plugin;
pub mod sandbox;
pub mod commands;
pub mod shell;
pub mod app;
