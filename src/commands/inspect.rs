//! `inspect`: looks at things without changing any.

pub mod key;
