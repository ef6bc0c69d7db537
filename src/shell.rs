//! The shell: lines from a terminal or from stdin, each a command or Rhai, in one session.

mod complete;
mod edit;
mod highlight;
mod hint;
mod history;
mod interpreter;
mod line;
mod own;
mod pager;
mod parts;
mod pipe;
mod place;
mod repl;
mod rhai;
mod secrets;
mod tour;
mod tree;
mod typed;
mod undo;

pub use repl::{from_stdin, interactive};
