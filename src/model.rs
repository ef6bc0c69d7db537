//! What a client is: the field table and what wraps its documents.

pub mod client;
pub mod compare;
pub mod convert;
pub mod document;
pub mod duration;
pub mod fields;
pub mod id;
pub mod input;
pub mod json;
pub mod lint;
pub mod node;
pub mod patch;
pub mod pieces;
pub mod spec;
pub mod table_input;
pub mod unread;
mod uri;
pub mod yaml;
