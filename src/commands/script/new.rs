//! `script new NAME`: a commented start of a script, with an argument and a test.

use std::path::PathBuf;

use clap::Arg;

use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::Outcome;
use crate::text::{safe, shell_word};

/// What a new script says.
const START: &str = include_str!("new.rhai");

/// The command.
pub fn command() -> Command {
    Command::new(["script", "new"], "Begin a script: commented, with an argument and a test", run)
        .offline()
        .only_for(Audience::NoPlugin)
        .in_tests()
        .args(|| {
            vec![
                Arg::new("name").value_name("NAME").required(true).help("Its file; .rhai is added where it is missing"),
            ]
        })
        .after(
            "\
Examples:
  orysh script new owners && orysh script test owners.rhai",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let mut path = PathBuf::from(args.text("name").unwrap_or_default());
    if path.file_name().is_none() {
        return Err(Error::usage("the script has no name"));
    }
    if path.extension().is_none_or(|extension| extension != "rhai") {
        path.as_mut_os_string().push(".rhai");
    }
    let shown = path.display().to_string();
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    written
        .and_then(|mut file| std::io::Write::write_all(&mut file, START.as_bytes()))
        .map_err(|source| Error::usage(format!("cannot write {}", safe(&shown))).caused_by(source))?;
    let word = shell_word(&shown);
    host.session.ui().note(&format!("{}: orysh run {word} --help, orysh script test {word}", safe(&shown)));
    Ok(Outcome::nothing())
}
