//! What a client is: the field table and what wraps its documents.

pub mod document;
