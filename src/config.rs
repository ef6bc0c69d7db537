//! Folders and files of this user.

pub mod files;
pub mod ory;
pub mod paths;
pub mod read;
