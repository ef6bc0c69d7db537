//! Plugins: folders with a manifest and Rhai that a team shares. Each does what its manifest asks for and a person has granted.

pub mod content;
pub mod git;
pub mod hooks;
pub mod loaded;
pub mod manifest;
pub mod known;
pub mod store;
pub mod team;
