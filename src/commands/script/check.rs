//! `script check FILE…`: what is wrong with scripts, without running them.

use clap::{Arg, ArgAction};

use crate::commands::script::{run as script, scripts};
use crate::config::read;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::plugin::content::MANIFEST;
use crate::plugin::loaded::PLUGIN;
use crate::script::check::check;
use crate::script::engine::Context;
use crate::script::errors::Source;

/// The command.
pub fn command() -> Command {
    Command::new(["script", "check"], "Tell what is wrong with scripts, without running them", run).runs_dry()
        .offline()
        .args(|| vec![Arg::new("file").value_name("FILE|DIR").action(ArgAction::Append).required(true).help("A script, or a folder of scripts (can be repeated)")])
        .after(
            "\
Examples:
  orysh script check fleet.rhai

Found are mistakes in the language, functions and modules that there are not, wrong numbers of arguments, and fields that
clients have not.",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let (mut wrong, mut kind) = (0, Kind::Failed);
    for file in scripts(&args.texts("file"))? {
        let name = read::name(&file);
        let text = script::read(&file, name);
        kind = if text.is_err() { Kind::Usage } else { kind };
        let beside = if is_of_plugin(&file) { &[PLUGIN][..] } else { &[] };
        let found = text.and_then(|text| check(&Context::new(host.clone()), Source { name, text: &text }, beside));
        let found = found.unwrap_or_else(|error| vec![error]);
        wrong += found.len();
        for error in &found {
            ui.error(error);
        }
    }
    if wrong == 0 {
        ui.note("nothing is wrong");
        return Ok(Outcome::nothing());
    }
    Err(Error::new(kind, format!("{wrong} mistakes")).already_told())
}

/// Whether a script is a plugin's: its manifest is in one of the folders that it is in.
fn is_of_plugin(file: &str) -> bool {
    std::fs::canonicalize(file).is_ok_and(|file| file.ancestors().skip(1).any(|folder| folder.join(MANIFEST).is_file()))
}
