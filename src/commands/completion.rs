//! `completion SHELL` prints what makes a shell complete; `complete WORDS…` is what that asks then.

pub mod listed;
pub mod sources;
mod words;

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use clap::{Arg, ArgAction};
use serde_json::json;

use crate::error::Result;
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::session::handle::Settings;
use crate::session::target::Given;
use crate::ui::Ui;

use listed::Listed;
use sources::Source;
pub use words::{Candidate, Offered, offered};

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
        .only_for(Audience::People)
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

Where there is no row, a file is meant. Where a client, a project or a workspace is meant, the server that the words name is
asked for a list, once in a minute, and left alone where it does not answer within a second.",
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
    let offered = offered(&host.registry, &words, &current);
    let more = offered.source.and_then(|source| {
        let listed = source.kept().or_else(|| listed(host, source, &offered.target))?;
        let begun = current.strip_prefix(&offered.before).unwrap_or_default();
        // What completes goes by what a word begins with.
        let found = listed.offered(begun, MOST).into_iter().filter(|one| one.word.starts_with(begun)).collect();
        Some(sources::behind(&offered.before, found))
    });
    let found = offered.words.into_iter().chain(more.into_iter().flatten());
    Ok(Outcome::many(found.map(row), COLUMNS))
}

/// So many are shown at most.
const MOST: usize = 1_000;

/// What was listed so long ago is good enough.
const FRESH: Duration = Duration::from_secs(60);

/// A server that needs longer is not waited for: somebody has pressed a key.
const PATIENCE: Duration = Duration::from_millis(900);

/// The session in which a line with these flags acts.
pub fn session_of(host: &Host, target: &[(String, String)]) -> Session {
    let text = |name: &str| target.iter().rev().find(|(flag, _)| flag == name).map(|(_, value)| value.clone());
    let given = Given {
        profile: text("profile"),
        endpoint: text("endpoint"),
        sandbox: text("sandbox").is_some(),
        project: text("project"),
        workspace: text("workspace"),
        config: text("config").map(Into::into),
        ..Given::default()
    };
    let base = host.session.base_settings();
    let settings = if target.is_empty() { base } else { Settings { given, ..base } };
    host.session.for_command(Ui { silent: true, ..host.session.ui() }, settings)
}

/// What a server lists, where the words say that the line acts; as it was kept, if that is fresh.
fn listed(host: &Host, source: Source, target: &[(String, String)]) -> Option<Listed> {
    let session = session_of(host, target);
    let key = source.key(&session.chosen().ok()?.place());
    if let Some(listed) = Listed::read(&key, FRESH) {
        return Some(listed);
    }
    let (tell, told) = channel();
    // The process does not wait for it.
    thread::spawn(move || tell.send(source.listed(&session, 1)));
    let listed = told.recv_timeout(PATIENCE).ok()?.ok()?;
    // It would be asked again, and no more than that.
    let _ = listed.write(&key);
    Some(listed)
}
