//! What a client is: the field table and what wraps its documents.

pub mod client;
pub mod compare;
pub mod convert;
pub mod document;
pub mod duration;
pub mod fields;
pub mod id;
pub mod input;
mod json;
pub mod lint;
mod node;
pub mod patch;
mod spec;
mod table_input;
mod uri;
mod yaml;
