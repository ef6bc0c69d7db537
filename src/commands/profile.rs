//! Commands on profiles: named targets, and which of them is in use.

pub mod add;
pub mod list;
pub mod remove;
pub mod show;
pub mod trust;
pub mod switch;

use clap::Arg;

/// The name of a profile, as a word.
fn name_arg(help: &'static str) -> Arg {
    Arg::new("name").value_name("PROFILE").required(true).help(help)
}
