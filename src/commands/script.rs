//! Commands that run Rhai.

pub mod api;
pub mod check;
pub mod definitions;
pub mod eval;
pub mod new;
pub mod run;
pub mod test;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction};

use crate::commands::client::{COLUMNS, with_members_of_clients};
use crate::error::{Error, Result};
use crate::grammar::{Args, Host};
use crate::output::outcome::Outcome;
use crate::script::engine::Context;
use crate::script::run::{Alarm, Script, run as run_script};
use crate::text::safe;

/// The flags of what runs a script.
fn running_args() -> Vec<Arg> {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Script")
    };
    vec![
        switch(
            "dry-run",
            "Tell what each write would do, and do none: nothing is sent that changes anything, and no file is written",
        ),
        deadline_arg().help("End the script once it has run for so long: 30s, 5m").help_heading("Script"),
        memory_arg()
            .help("End the script once it takes more than that: 512M, 2G [default: 512M]")
            .help_heading("Script"),
    ]
}

/// `--deadline`.
pub fn deadline_arg() -> Arg {
    Arg::new("deadline").long("deadline").value_name("TIME")
}

/// `--memory`.
fn memory_arg() -> Arg {
    Arg::new("memory").long("memory").value_name("SIZE")
}

/// Runs a script as the flags say.
fn carry_out(host: &Host, args: &Args, script: &Script<'_>) -> Result<Outcome> {
    run_script(&context(host, args)?.of_script(script.name, script.text), script, COLUMNS).map(with_members_of_clients)
}

/// What scripts run in, by the flags.
fn context(host: &Host, args: &Args) -> Result<Context> {
    let mut host = host.clone();
    if args.flag("dry-run") {
        host.session = host.session.in_dry_run();
    }
    let context = Context::new(host);
    let context = if args.flag("verbose") { context.telling() } else { context };
    Ok(match memory(args)? {
        Some(most) => context.with_memory(most),
        None => context,
    })
}

/// How many bytes `--memory` says.
fn memory(args: &Args) -> Result<Option<usize>> {
    args.text("memory").map(bytes).transpose()
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

/// What ends the script `name`, where `--deadline` says when.
fn alarm(host: &Host, args: &Args, name: &str) -> Result<Option<Arc<Alarm>>> {
    Ok(deadline(args)?.map(|deadline| Alarm::set(&host.session, deadline, name).into()))
}

/// What `--deadline` says.
fn deadline(args: &Args) -> Result<Option<Duration>> {
    let parse = |text: &str| {
        humantime::parse_duration(text).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
            Error::usage(format!("--deadline: `{}` is no length of time", safe(text))).hint("as 30s, 5m, 1h 30m")
        })
    };
    args.text("deadline").map(parse).transpose()
}

/// The scripts that are named, and those of folders and of the folders in them; hidden ones are passed over.
fn scripts(paths: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in paths {
        if Path::new(path).is_dir() {
            inside(Path::new(path), &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn inside(folder: &Path, found: &mut Vec<String>) -> Result<()> {
    let failed = |source: std::io::Error| {
        Error::usage(format!("cannot list {}", safe(&folder.display().to_string()))).caused_by(source)
    };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // A link to a folder may lead back to where it is.
        if path.is_dir() && !path.is_symlink() && !is_hidden {
            inside(&path, found)?;
        } else if path.is_file() && !is_hidden && path.extension().is_some_and(|extension| extension == "rhai") {
            found.push(path.display().to_string());
        }
    }
    Ok(())
}
