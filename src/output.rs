//! From rows to text: one file a format.

pub mod outcome;
