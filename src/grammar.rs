//! The command grammar: what a command is, which flags it takes, how a line becomes one.

pub mod args;
pub mod changes;
pub mod command;
pub mod common;
pub mod deliver;
pub mod execute;
pub mod help;
pub mod parse;
pub mod persona;
pub mod recipients;
pub mod reference;
pub mod stdin;
pub mod words;

pub use command::{Args, Audience, Command, Host, Registry};
