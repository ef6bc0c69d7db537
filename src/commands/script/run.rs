//! `run FILE [ARGS…]`, and `-`, which reads the script from stdin.

use std::io::Read;

use clap::{Arg, ArgAction};

use crate::commands::client::{COLUMNS, with_members};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::script::engine::Context;
use crate::script::run::{self, Script};

/// The most bytes of a script.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  orysh run scripts/onboard.rhai services.csv
  echo 'clients::list()' | orysh run - --format jsonl";

/// The command.
pub fn command() -> Command {
    let args = || {
        vec![
            Arg::new("file").value_name("FILE").required(true).help("The script, - for stdin"),
            Arg::new("args")
                .value_name("ARGS")
                .action(ArgAction::Append)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .help("What the script reads as `args`"),
        ]
    };
    Command::new(["run"], "Run a Rhai script and show its value", run).args(args).after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let file = args.text("file").unwrap_or_default();
    let name = if file == "-" { "stdin" } else { file };
    let source = read(file, name)?;
    let script = Script { source: &source, name, args: &args.texts("args") };
    Ok(with_members(run::run(&Context::new(host.clone()), &script, COLUMNS)?))
}

fn read(file: &str, name: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|source| Error::usage(format!("cannot read the script {name}")).caused_by(source))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::usage(format!("{name} is too large for a script (4 MiB)")));
    }
    let text = String::from_utf8(bytes).map_err(|source| {
        Error::usage(format!("{name} is not UTF-8: byte {}", source.utf8_error().valid_up_to() + 1))
    })?;
    // `#!/usr/bin/env -S orysh run` is for the system, not for Rhai; the line stays, so that positions do.
    Ok(match text.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => text,
    })
}
