//! The modules of the API, a file each.

pub mod act;
pub mod data;
pub mod files;
pub mod http;
pub mod patterns;
pub mod small;
pub mod tell;
pub mod time;
