//! Folders and files of this user.

pub mod credentials;
pub mod edit;
pub mod files;
pub mod key_store;
pub mod ory;
pub mod paths;
pub mod profile;
pub mod read;
pub mod shell;
pub mod team;
pub mod tier;
