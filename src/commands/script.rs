//! Commands that run Rhai.

pub mod api;
pub mod check;
pub mod eval;
pub mod run;
pub mod test;

use std::time::Duration;

use clap::Arg;

use crate::error::{Error, Result};
use crate::grammar::Args;
use crate::text::safe;

/// The flags of what runs a script.
fn running_args() -> Vec<Arg> {
    vec![
        Arg::new("deadline")
            .long("deadline")
            .value_name("TIME")
            .help("End the script once it has run for so long: 30s, 5m")
            .help_heading("Script"),
    ]
}

fn deadline(args: &Args) -> Result<Option<Duration>> {
    let parse = |text: &str| {
        humantime::parse_duration(text).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
            Error::usage(format!("--deadline: `{}` is no length of time", safe(text))).hint("as 30s, 5m, 1h 30m")
        })
    };
    args.text("deadline").map(parse).transpose()
}
