//! `plugin install`: takes a plugin over, and grants it what it asks for. Nothing of it is run.

use clap::{Arg, ArgAction};
use serde_json::json;

use super::{obtain, trust_arg};
use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::{Outcome, Row};
use crate::plugin::git::Source;
use crate::plugin::known::asks;
use crate::plugin::store;
use crate::plugin::team;
use crate::text::safe;

/// The command.
pub fn command() -> Command {
    Command::new(["plugin", "install"], "Take a plugin over, and grant it what it asks for", run)
        .offline()
        .only_for(Audience::People)
        .args(|| {
            vec![
                trust_arg(),
                Arg::new("set")
                    .long("set")
                    .value_name("KEY=VALUE")
                    .action(ArgAction::Append)
                    .help("Set a key of its configuration (can be repeated)"),
                Arg::new("source")
                    .value_name("PATH|URL[@REV]")
                    .required(true)
                    .help("A folder, or a repository by https://, ssh:// or file://"),
            ]
        })
        .after(
            "\
Examples:
  orysh plugin install ./naming
  orysh plugin install https://git.example.org/team/naming.git@v1.2 --set pattern='^[a-z-]+$'

What it asks for is shown and asked about; off a terminal --trust HASH grants it, where HASH is what `plugin show` tells. What
runs later is what was looked at: its content is kept by its hash, and nothing of it is run now.",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    host.session.changes_plugins();
    let ui = host.session.ui();
    let obtained = obtain(&Source::parse(args.text("source").unwrap_or_default())?)?;
    let name = obtained.manifest.name.clone();
    let before = store::entries(&store::own()?)?.remove(&name);
    if let Some(before) = before.filter(|before| before.source != obtained.source) {
        return Err(Error::usage(format!("plugin `{name}` is installed already, from {}", safe(&before.source)))
            .hint(format!("orysh plugin remove {name} takes that out")));
    }
    if team::found()?.is_some_and(|team| team.plugins.contains_key(&name)) {
        return Err(Error::usage(format!(
            "the orysh.toml of this repository lists a plugin `{name}`: one of them would be left out"
        ))
        .hint("orysh plugin sync makes that one ready"));
    }
    obtained.demand_place()?;
    obtained.demand_code(host)?;
    let settings = args.texts("set").into_iter().map(|text| {
        let (key, value) =
            text.split_once('=').ok_or_else(|| Error::usage(format!("--set {}: KEY=VALUE is due", safe(&text))))?;
        Ok((key.to_owned(), store::configured_value(&obtained.manifest, key, value)?))
    });
    let settings = settings.collect::<Result<Vec<_>>>()?;
    let set: Vec<&str> = settings.iter().map(|(key, _)| key.as_str()).collect();
    store::demand_fitting(&obtained.manifest, &set, &obtained.source)?;
    obtained.demand_trust(ui, args, &asks(&obtained.manifest))?;
    store::install(&obtained.manifest, &obtained.content, &obtained.entry(), settings)?;
    ui.note(&format!("plugin `{name}` {} is installed", safe(&obtained.manifest.version)));
    let row = json!({"name": name, "version": obtained.manifest.version, "hash": obtained.hash});
    Ok(Outcome::one(Row::value(row).with_id(name), &[]))
}
