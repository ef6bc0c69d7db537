//! The modules of the API, a file each.

pub mod commands;
pub mod data;
pub mod files;
pub mod http;
pub mod language;
pub mod patterns;
pub mod session;
pub mod small;
pub mod tell;
pub mod time;
pub mod tokens;
pub mod ui;
