//! `completion SHELL` prints what makes a shell complete; `complete WORDS…` is what that asks then.

mod words;

use clap::{Arg, ArgAction};
use serde_json::json;

use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};

pub use words::{Candidate, candidates};

/// What each shell reads.
const SHELLS: [(&str, &str); 4] = [
    ("bash", include_str!("completion/orysh.bash")),
    ("zsh", include_str!("completion/orysh.zsh")),
    ("fish", include_str!("completion/orysh.fish")),
    ("powershell", include_str!("completion/orysh.ps1")),
];

const COLUMNS: &[Column] = &[Column { title: "WORD", member: "word" }, Column { title: "WHAT IT IS", member: "about" }];

/// `completion SHELL`.
pub fn command() -> Command {
    Command::new(["completion"], "Print what makes a shell complete the words of orysh", script)
        .runs_dry()
        .offline()
        .args(|| {
            let names = SHELLS.map(|(name, _)| name);
            vec![Arg::new("shell").value_name("SHELL").required(true).value_parser(names).help("Which shell")]
        })
        .after(
            "\
Examples:
  orysh completion bash > orysh
  orysh completion fish > orysh.fish

bash looks for it in ~/.local/share/bash-completion/completions, fish in ~/.config/fish/completions, zsh in its fpath, as
_orysh. Behind `run FILE` it completes what the script declares.",
        )
}

/// `complete WORDS…`.
pub fn complete() -> Command {
    Command::new(["complete"], "Show what the last of some words can be", shown)
        .runs_dry()
        .offline()
        .args(|| {
            vec![
                Arg::new("words")
                    .value_name("WORDS")
                    .action(ArgAction::Append)
                    .trailing_var_arg(true)
                    .allow_hyphen_values(true)
                    .help("A command line; its last word is completed"),
            ]
        })
        .after(
            "\
Examples:
  orysh complete -- create oauth2-client --gr
  orysh complete -- run scripts/onboard.rhai --

Nothing is sent. Where there is no row, a file is meant.",
        )
}

#[expect(clippy::unnecessary_wraps, reason = "every command may fail")]
fn script(host: &Host, args: &Args) -> Result<Outcome> {
    let wanted = args.text("shell").unwrap_or_default();
    let text = SHELLS.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| text);
    host.session.ui().print(text);
    Ok(Outcome::nothing())
}

#[expect(clippy::unnecessary_wraps, reason = "every command may fail")]
fn shown(host: &Host, args: &Args) -> Result<Outcome> {
    let mut words = args.texts("words");
    let current = words.pop().unwrap_or_default();
    let row = |candidate: Candidate| {
        let about = json!({"word": candidate.word, "about": candidate.about});
        Ok(Row::value(about).with_id(candidate.word))
    };
    let found = candidates(&host.registry, &words, &current);
    Ok(Outcome::many(found.into_iter().map(row), COLUMNS))
}
