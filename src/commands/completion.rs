//! `completion SHELL` prints what makes a shell complete; `complete WORDS…` is what that asks then.

mod choices;
pub mod listed;
pub mod sources;
mod words;

use std::os::unix::process::CommandExt as _;
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction};
use serde_json::json;

use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::session::handle::Settings;
use crate::session::target::Given;
use crate::ui::{Telling, Ui};

pub use choices::Wants;
use listed::Listed;
use sources::Source;
use words::unquoted;
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
                Arg::new("list")
                    .long("list")
                    .action(ArgAction::SetTrue)
                    .hide(true)
                    .help("Ask for the list that the words mean, however long that takes, and keep it"),
            ]
        })
        .after(
            "\
Examples:
  orysh complete -- create oauth2-client --gr
  orysh complete -- run scripts/onboard.rhai --

Where there is no row, a file is meant; where nothing is known that the word can be, the exit code is 1. Where a client, a
project or a workspace is meant, the server that the words name is asked for a list, once in a minute. An answer that takes
longer than a second is kept for the next time.",
        )
}

#[expect(clippy::unnecessary_wraps, reason = "every command may fail")]
fn script(host: &Host, args: &Args) -> Result<Outcome> {
    let wanted = args.text("shell").unwrap_or_default();
    let text = SHELLS.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| text);
    host.session.ui().print(text);
    Ok(Outcome::nothing())
}

fn shown(host: &Host, args: &Args) -> Result<Outcome> {
    let mut words: Vec<String> = args.texts("words").iter().map(|word| unquoted(word)).collect();
    let current = words.pop().unwrap_or_default();
    let mut offered = offered(&host.registry, &words, &current);
    if args.flag("list") {
        offered.source.and_then(|source| list(host, source, &offered.target));
        return Ok(Outcome::nothing());
    }
    let asks = |source: Source| source.kept().or_else(|| listed(host, source, &offered.target, &args.texts("words")));
    if let Some(listed) = offered.source.and_then(asks) {
        let begun = current.strip_prefix(&offered.before).unwrap_or_default();
        let more = sources::behind(&offered, listed.offered(begun, MOST));
        offered.words.extend(more);
    }
    // What completes goes by what a word begins with.
    offered.words.retain(|one| one.word.starts_with(&current));
    if offered.words.is_empty() && offered.wants != Wants::File {
        return Err(Error::failed("nothing is known that it can be").already_told());
    }
    let row = |candidate: Candidate| {
        let about = json!({"word": candidate.word, "about": candidate.about});
        Ok(Row::value(about).with_id(candidate.word))
    };
    Ok(Outcome::many(offered.words.into_iter().map(row), COLUMNS))
}

/// So many are shown at most.
const MOST: usize = 1_000;

/// What was listed so long ago is good enough.
const FRESH: Duration = Duration::from_secs(60);

/// What was listed longer ago is better than nothing where the server takes its time.
const USABLE: Duration = Duration::from_secs(3600);

/// A server that needs longer is not waited for: somebody has pressed a key.
const PATIENCE: Duration = Duration::from_millis(900);

/// How often is looked whether it has answered.
const GLANCE: Duration = Duration::from_millis(10);

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
    host.session.for_command(Ui { telling: Telling::Nothing, ..host.session.ui() }, settings)
}

/// What a server lists, where the words say that the line acts; as it was kept, if that is fresh. A process of its own asks for it,
/// which goes on where this one does not wait any longer: what comes then is there for the next key.
fn listed(host: &Host, source: Source, target: &[(String, String)], words: &[String]) -> Option<Listed> {
    let key = source.key(&session_of(host, target).chosen().ok()?.place());
    if let Some(listed) = Listed::read(&key, FRESH) {
        return Some(listed);
    }
    let mut asking = process::Command::new(std::env::current_exe().ok()?);
    asking.args(["complete", "--list", "--"]).args(words).process_group(0);
    asking.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut asking = asking.spawn().ok()?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && asking.try_wait().is_ok_and(|ended| ended.is_none()) {
        thread::sleep(GLANCE);
    }
    Listed::read(&key, USABLE)
}

/// Asks for it, and keeps it. None: it is not told, or another process asks.
fn list(host: &Host, source: Source, target: &[(String, String)]) -> Option<()> {
    let session = session_of(host, target);
    let key = source.key(&session.chosen().ok()?.place());
    let _turn = Listed::turn(&key)?;
    let listed = source.listed(&session, 1).ok()?;
    // It would be asked again, and no more than that.
    listed.write(&key).ok()
}
