//! Commands that run Rhai.

pub mod api;
pub mod check;
pub mod definitions;
pub mod eval;
pub mod new;
pub mod run;
pub mod test;

use std::time::Duration;

use clap::{Arg, ArgAction};

use crate::error::{Error, Result};
use crate::grammar::{Args, Host};
use crate::script::engine::Context;
use crate::text::safe;

/// The flags of what runs a script.
fn running_args() -> Vec<Arg> {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Script")
    };
    vec![
        switch("dry-run", "Tell what each write would do, and write nothing: no client, no file, no request but GET"),
        switch("verbose", "Tell each call of the API with its time").short('v'),
        Arg::new("deadline")
            .long("deadline")
            .value_name("TIME")
            .help("End the script once it has run for so long: 30s, 5m")
            .help_heading("Script"),
        Arg::new("memory")
            .long("memory")
            .value_name("SIZE")
            .help("End the script once it takes more than that: 512M, 2G [default: 1G]")
            .help_heading("Script"),
    ]
}

/// What scripts run in, by the flags.
fn context(host: &Host, args: &Args) -> Result<Context> {
    let mut host = host.clone();
    if args.flag("dry-run") {
        host.session = host.session.in_dry_run();
    }
    let context = Context::new(host);
    let context = if args.flag("verbose") { context.telling() } else { context };
    match args.text("memory") {
        Some(text) => Ok(context.with_memory(bytes(text)?)),
        None => Ok(context),
    }
}

fn bytes(text: &str) -> Result<usize> {
    let wrong = || Error::usage(format!("--memory: `{}` is no size", safe(text))).hint("as 512M, 2G");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" | "KB" | "KIB" => 1024,
        "M" | "MB" | "MIB" => 1024 * 1024,
        "G" | "GB" | "GIB" => 1024 * 1024 * 1024,
        _ => return Err(wrong()),
    };
    let number: usize = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

fn deadline(args: &Args) -> Result<Option<Duration>> {
    let parse = |text: &str| {
        humantime::parse_duration(text).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
            Error::usage(format!("--deadline: `{}` is no length of time", safe(text))).hint("as 30s, 5m, 1h 30m")
        })
    };
    args.text("deadline").map(parse).transpose()
}
