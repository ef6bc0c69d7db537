//! `plugin enable`, `disable` and `remove`.

use super::{demand_no_round, entry, everything, is_of_team, name_arg};
use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::Outcome;
use crate::plugin::content::Content;
use crate::plugin::manifest::Manifest;
use crate::plugin::store::{self, Entry};
use crate::plugin::team;

/// `plugin enable`.
pub fn enable() -> Command {
    Command::new(["plugin", "enable"], "Switch a plugin on", |host, args| switch(host, args, true))
        .offline()
        .only_for(Audience::People)
        .args(|| vec![name_arg("The plugin")])
        .after("Examples:\n  orysh plugin enable naming")
}

/// `plugin disable`.
pub fn disable() -> Command {
    Command::new(["plugin", "disable"], "Switch a plugin off, and keep it", |host, args| switch(host, args, false))
        .offline()
        .only_for(Audience::People)
        .args(|| vec![name_arg("The plugin")])
        .after("Examples:\n  orysh plugin disable naming")
}

/// `plugin remove`.
pub fn remove() -> Command {
    Command::new(["plugin", "remove"], "Take a plugin out, with what is configured of it", run_remove)
        .offline()
        .only_for(Audience::People)
        .args(|| vec![name_arg("The plugin")])
        .after("Examples:\n  orysh plugin remove naming")
}

fn switch(host: &Host, args: &Args, enabled: bool) -> Result<Outcome> {
    host.session.changes_plugins();
    let name = args.text("name").unwrap_or_default();
    // One that a repository lists is switched for this user, in this repository.
    if let Some(team) = team::found()?.filter(|team| team.plugins.contains_key(name)) {
        team.switch(name, enabled)?;
    } else {
        let before = entry(name)?;
        if enabled && !before.enabled {
            demand_room(&before)?;
        }
        store::set(&store::own()?, name, &Entry { enabled, ..before })?;
    }
    host.session.ui().note(&format!("plugin `{name}` is {}", if enabled { "on" } else { "off" }));
    Ok(Outcome::nothing())
}

fn run_remove(host: &Host, args: &Args) -> Result<Outcome> {
    host.session.changes_plugins();
    let name = args.text("name").unwrap_or_default();
    if !store::entries(&store::own()?)?.contains_key(name) && is_of_team(name) {
        return Err(Error::usage(format!("plugin `{name}` is of this repository: its orysh.toml lists it"))
            .hint(format!("orysh plugin disable {name} switches it off for you, here")));
    }
    entry(name)?;
    store::remove(name)?;
    host.session.ui().note(&format!("plugin `{name}` is removed"));
    Ok(Outcome::nothing())
}

/// Errors: another plugin has a command of it by now.
fn demand_room(entry: &Entry) -> Result<()> {
    let (known, registry) = everything();
    let content = Content::read(&store::place(&entry.hash)?)?;
    let manifest = Manifest::of(&content)?;
    demand_no_round(&manifest, &content, &known)?;
    match manifest.commands.iter().find(|command| registry.is_verb(&command.name)) {
        Some(command) => {
            let wrong = format!("it has the command `{}`, which is there already", command.name);
            Err(manifest.wrong_name(&content, &command.name, wrong))
        }
        None => Ok(()),
    }
}
