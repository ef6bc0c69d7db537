//! The commands that only a shell has: its lines, and files of lines.

use std::sync::{Arc, Mutex};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};
use serde_json::json;

use crate::config::shell::{self, SETTINGS, Setting, Settings};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::ops::guard;
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::handle::locked;
use crate::shell::typed::Typed;
use crate::shell::undo;

/// The lines that were typed.
pub type Lines = Arc<Mutex<Typed>>;

/// What a command asks of the shell that runs it.
#[derive(Debug)]
pub enum Request {
    /// The shell is left, with this exit code.
    Leave(u8),
    /// The lines of a file are done.
    Load(String),
    /// The tour is gone on.
    Tour,
    /// What is set was changed.
    Settings,
    /// A client is edited; of nothing the last line.
    Edit(Option<String>),
    /// A line takes a run back.
    Undo(String),
    /// The value of an expression goes to the clipboard.
    Copy(String),
}

/// What has been asked for.
pub type Requests = Arc<Mutex<Vec<Request>>>;

const COLUMNS: &[Column] = &[Column { title: "LINE", member: "number" }, Column { title: "TEXT", member: "text" }];

/// All of them, for a shell with these lines, which does what is asked for.
pub fn commands(lines: &Lines, requests: &Requests) -> Vec<Command> {
    let lines = Arc::clone(lines);
    let asks = |request: fn(&Args) -> Request| {
        let requests = Arc::clone(requests);
        move |_: &Host, args: &Args| {
            locked(&requests).push(request(args));
            Ok(Outcome::nothing())
        }
    };
    vec![
        Command::new(["history"], "Show the lines that were typed here, or forget them", move |host, args| {
            history(host, args, &lines)
        })
        .offline()
        .args(|| {
            let clear = PossibleValuesParser::new(["clear"]);
            vec![
                Arg::new("what")
                    .value_name("clear")
                    .value_parser(clear)
                    .help("Forget all of them, in the file as well"),
            ]
        })
        .after("Examples:\n  history | grep rotate\n  history clear"),
        Command::new(
            ["load"],
            "Do the lines of a file, as if they were typed",
            asks(|args| Request::Load(args.text("file").unwrap_or_default().to_owned())),
        )
        .offline()
        .args(|| {
            vec![Arg::new("file").value_name("FILE").required(true).help("A file of lines; the first error ends it")]
        })
        .after("Examples:\n  load evening.txt"),
        Command::new(["show", "settings"], "Show what is set of the shell", |_, _| settings())
            .runs_dry()
            .offline()
            .after("Examples:\n  show settings"),
        Command::new(["set", "setting"], "Set something of the shell, from now on", {
            let asks = asks(|_| Request::Settings);
            move |host, args| {
                shell::set(args.text("name").unwrap_or_default(), args.text("value"))?;
                asks(host, args)
            }
        })
        .offline()
        .args(|| {
            let names = PossibleValuesParser::new(SETTINGS.map(|setting| setting.name));
            vec![
                Arg::new("name").value_name("NAME").required(true).value_parser(names).help("Which: see `show settings`"),
                Arg::new("value").value_name("VALUE").help("What it is; without it as where nobody says"),
            ]
        })
        .after("Examples:\n  set setting edit-mode vi\n  set setting prompt '{place}> '\n  set setting prompt"),
        Command::new(
            ["edit"],
            "Edit the last line, or a client, in an editor",
            asks(|args| Request::Edit(args.text("id").map(str::to_owned))),
        )
        .args(|| vec![Arg::new("id").value_name("ID").help("Client id [default: the last line is edited, and done]")])
        .after(
            "Examples:\n  edit\n  edit app-1\n\nThe editor is that of VISUAL or EDITOR. A client is shown as YAML; what was changed is looked at, and sent as a change of these fields.",
        ),
        Command::new(["undo"], "Take back what the last line wrote, where that can be done", {
            let requests = Arc::clone(requests);
            move |host, _| undo::run(host, &requests)
        })
        .after(
            "Examples:\n  undo\n\nClients that it made are deleted, and fields that it changed are put back, where nobody has changed them since. A deletion and a new secret are for good. Once more, it takes back what the line before that wrote.",
        ),
        exit(asks(|args| Request::Leave(args.text("code").and_then(|code| code.parse().ok()).unwrap_or_default()))),
        Command::new(["tour"], "See what this does in two minutes, on the sandbox", asks(|_| Request::Tour))
            .offline()
            .after("Examples:\n  tour"),
        Command::new(
            ["copy"],
            "Give a value to the terminal for its clipboard",
            asks(|args| Request::Copy(args.texts("value").join(" "))),
        )
        .offline()
        .args(|| {
            vec![
                Arg::new("value")
                    .value_name("EXPR")
                    .action(ArgAction::Append)
                    .trailing_var_arg(true)
                    .allow_hyphen_values(true)
                    .help("Rhai, as it.client_id [default: it]"),
            ]
        })
        .after("Examples:\n  copy it.client_id\n  copy it.client_secret\n\nThe terminal has to know OSC 52; tmux does with `set -g set-clipboard on`."),
    ]
}

fn exit(run: impl Fn(&Host, &Args) -> Result<Outcome> + Send + Sync + 'static) -> Command {
    Command::new(["exit"], "Leave the shell, as Ctrl-D does", run)
        .offline()
        .aliases(&["quit"])
        .args(|| {
            vec![
                Arg::new("code")
                    .value_name("CODE")
                    .value_parser(|text: &str| text.parse::<u8>().map(|_| text.to_owned()))
                    .help("The exit code, up to 255 [default: 0]"),
            ]
        })
        .after("Examples:\n  exit\n  exit 3")
}

fn history(host: &Host, args: &Args, lines: &Lines) -> Result<Outcome> {
    let mut lines = locked(lines);
    let none = || Error::usage("there is no history here").hint("lines are kept where they are typed, on a terminal");
    let history = lines.history.as_mut().ok_or_else(none)?;
    if args.text("what").is_some() {
        guard::ask(&host.session, "forget the lines that were typed here", "nothing was forgotten", false)?;
        history.clear()?;
        lines.clear();
        return Ok(Outcome::nothing());
    }
    let row = |(at, text): (usize, &str)| Ok(Row::value(json!({"number": at + 1, "text": text})));
    let rows: Vec<Result<Row>> = history.lines().enumerate().map(row).collect();
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}

const OF_SETTINGS: &[Column] = &[
    Column { title: "SETTING", member: "name" },
    Column { title: "VALUE", member: "value" },
    Column { title: "CAN BE", member: "choices" },
    Column { title: "WHAT IT DOES", member: "help" },
];

fn settings() -> Result<Outcome> {
    let set = Settings::read()?;
    let row = move |setting: &'static Setting| {
        let Setting { name, choices, help, .. } = setting;
        Ok(Row::value(json!({"name": name, "value": set.get(name), "choices": choices, "help": help})))
    };
    Ok(Outcome::many(SETTINGS.iter().map(row), OF_SETTINGS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::words::SHELL_WORDS;

    #[test]
    fn no_plugin_can_take_their_place() {
        for command in commands(&Lines::default(), &Requests::default()) {
            assert!(SHELL_WORDS.contains(&command.words[0]), "{}", command.words[0]);
        }
    }
}
