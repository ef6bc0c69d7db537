//! The one way to write: everything that changes something on a server is here.

pub mod apply;
pub mod create;
pub mod delete;
pub mod deliver;
pub mod dry_run;
pub mod guard;
pub mod keep;
pub mod look;
pub mod mark;
pub mod newest;
pub mod recipients;
pub mod replace;
pub mod rotate;
pub mod settle;
pub mod tokens;
pub mod update;
