//! Many clients, each exactly once, and no secret lost: rows are checked and kept in a journal before anything is sent.

pub mod apply;
pub mod begin;
pub mod carry;
pub mod check;
mod deliver;
pub mod earlier;
pub mod engine;
pub mod folder;
pub mod heard;
pub mod job;
pub mod journal;
pub mod identity;
pub mod keeper;
pub mod key;
pub mod pace;
pub mod paced;
pub mod results;
pub mod rows;
pub mod run;
pub mod shape;
pub mod state;
pub mod store;
pub mod tell;
pub mod template;
pub mod trial;
pub mod undo;
pub mod work;
