//! From rows to text: one file a format.

pub mod csv;
pub mod env;
pub mod format;
pub mod json;
pub mod outcome;
pub mod path;
pub mod quiet;
pub mod render;
pub mod table;
pub mod yaml;

pub use format::Format;
pub use path::PathQuery;
pub use render::{Screen, render};
