//! The modules of the API, a file each.

pub mod act;
pub mod data;
pub mod files;
pub mod small;
pub mod time;
