//! orysh: a scriptable shell for the OAuth 2.0 clients of Ory Hydra and Ory Network.
//!
//! The modules, in reading order; imports point upwards only (`tests/layers.rs` holds it).

pub mod error;
pub mod model;
pub mod output;
pub mod sandbox;
pub mod secret;
pub mod text;
