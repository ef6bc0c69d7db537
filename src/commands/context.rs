//! `context`: where commands act, as whom, and who said so.

use clap::{Arg, ArgAction};
use serde_json::{Value, json};

use crate::error::Result;
use crate::grammar::{Args, Command, Host};
use crate::ops::guard;
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::target::{Chosen, Layer, Target};

const COLUMNS: &[Column] = &[
    Column { title: "TARGET", member: "target" },
    Column { title: "AS", member: "subject" },
    Column { title: "DECIDED BY", member: "layer" },
    Column { title: "NAMED BY", member: "named_by" },
    Column { title: "PROFILE", member: "profile" },
    Column { title: "PRODUCTION", member: "production" },
];

const EXPLAINED: &[Column] = &[
    Column { title: "LAYER", member: "layer" },
    Column { title: "TARGET", member: "target" },
    Column { title: "DECIDES", member: "decides" },
    Column { title: "NAMED BY", member: "named_by" },
    Column { title: "AS", member: "subject" },
];

const EXAMPLES: &str = "\
Examples:
  orysh context
  orysh context --explain --format jsonl

The highest layer that names a target decides all of it: flags, what the shell was told to use, the environment, the
profile in use, the Ory CLI's file. Nothing is sent.";

/// The command.
pub fn command() -> Command {
    Command::new(["context"], "Show where commands act, as whom, and who said so", run)
        .runs_dry()
        .args(|| {
            vec![
                Arg::new("explain")
                    .long("explain")
                    .action(ArgAction::SetTrue)
                    .help("Show every layer, and what it would have said"),
            ]
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let given = &session.settings().given;
    if !args.flag("explain") {
        let chosen = session.chosen()?;
        for warning in &chosen.warnings {
            session.ui().warn(warning);
        }
        return Ok(Outcome::one(Row::value(shown(&chosen)?), COLUMNS));
    }
    let mut decided = false;
    let mut rows = Vec::new();
    for layer in Layer::ALL {
        let said = layer.says(given);
        let says = said.is_err() || said.as_ref().is_ok_and(Option::is_some);
        let mut row = match said {
            Ok(Some(chosen)) => shown(&chosen).unwrap_or_else(|error| shown_as(&chosen, error.full_message().into())),
            Ok(None) => json!({"target": null}),
            // A layer that is wrong is no reason to ask the next one.
            Err(error) => json!({"target": format!("error: {}", error.full_message())}),
        };
        row["layer"] = layer.name().into();
        row["decides"] = (says && !decided).into();
        decided |= says;
        rows.push(Ok(Row::value(row).with_id(layer.name())));
    }
    Ok(Outcome::many(rows.into_iter(), EXPLAINED))
}

fn shown(chosen: &Chosen) -> Result<Value> {
    Ok(shown_as(chosen, guard::production(chosen)?.is_some().into()))
}

fn shown_as(chosen: &Chosen, production: Value) -> Value {
    let mut shown = json!({
        "target": chosen.place(),
        "subject": chosen.subject,
        "layer": chosen.layer.name(),
        "named_by": chosen.named_by,
        "profile": chosen.profile.as_ref().map(|profile| &profile.name),
        "production": production,
    });
    match &chosen.target {
        Target::Server { public: Some(public), .. } => shown["public"] = public.as_str().into(),
        Target::Network(network) => {
            shown["console"] = network.console.as_str().into();
            shown["workspace"] = network.workspace.as_deref().into();
        }
        Target::Server { .. } | Target::Sandbox => {}
    }
    shown
}
