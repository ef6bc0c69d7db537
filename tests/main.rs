//! One test binary: a file a subject.

mod contract;
