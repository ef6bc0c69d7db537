//! `plugin sync`: makes the plugins that a repository lists ready for this user, as its lock says.

use std::collections::HashMap;

use clap::{Arg, ArgAction};
use serde_json::json;

use super::difference::{beyond, changes};
use super::{Obtained, obtain, trust_arg};
use crate::error::{Error, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::ops::guard::DECLINED;
use crate::output::outcome::{Outcome, Row};
use crate::plugin::content::Content;
use crate::plugin::git::Source;
use crate::plugin::known::{asks, configured};
use crate::plugin::loaded::trust_key;
use crate::plugin::manifest::Manifest;
use crate::plugin::store::{self, Entry};
use crate::plugin::team;
use crate::text::safe;
use crate::ui::Ui;

/// The command.
pub fn command() -> Command {
    Command::new(["plugin", "sync"], "Make the plugins of this repository ready, as its orysh.toml lists them", run)
        .offline()
        .only_for(Audience::People)
        .args(|| {
            vec![
                trust_arg(),
                Arg::new("locked")
                    .long("locked")
                    .action(ArgAction::SetTrue)
                    .help("Fail where anything differs from the repository's orysh.lock, and change nothing of that"),
                Arg::new("update")
                    .long("update")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("locked")
                    .help("Take what branches and tags are by now instead of the commits that are pinned"),
            ]
        })
        .after(
            "\
Examples:
  orysh plugin sync
  orysh plugin sync --locked --trust HASH
  orysh plugin sync --update

What each asks for is shown and asked about, once for this very content; off a terminal --trust HASH grants it (can be repeated).
orysh.lock beside orysh.toml pins what each is: put it under version control.",
        )
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    host.session.changes_plugins();
    let ui = host.session.ui();
    let Some(team) = team::found()? else {
        return Err(Error::usage("no orysh.toml in this folder or one above lists plugins")
            .hint("as [plugins.naming] with path = \"plugins/naming\""));
    };
    let lock = store::entries(&team.lock())?;
    let own = store::entries(&store::own()?)?;
    let is_locked = args.flag("locked");
    let mut rows = Vec::new();
    let (mut new, mut declined) = (Vec::new(), Vec::new());
    let mut commands = HashMap::new();
    for (name, source) in &team.plugins {
        let about = |error: Error| error.about(format!("plugin `{}`", safe(name)));
        let mut obtained = match (source, lock.get(name)) {
            (Source::Path(path), _) => obtain(&Source::Path(team.folder(path).map_err(about)?.display().to_string())),
            // What is pinned is fetched by its commit, wherever a branch is by now.
            (Source::Git { url, .. }, Some(entry))
                if entry.source == source.told() && entry.commit.is_some() && !args.flag("update") =>
            {
                obtain(&Source::Git { url: url.clone(), rev: entry.commit.clone() })
            }
            (git, _) => obtain(git),
        }
        .map_err(about)?;
        obtained.source = source.told();
        if obtained.manifest.name != *name {
            return Err(about(Error::usage(format!("it calls itself `{}`", safe(&obtained.manifest.name)))));
        }
        if let Some(own) = own.get(name) {
            let wrong = format!("you have another plugin of that name, from {}", safe(&own.source));
            return Err(about(Error::usage(wrong).hint(format!("orysh plugin remove {name} takes that out"))));
        }
        obtained.demand_place()?;
        obtained.demand_code(host).map_err(about)?;
        for command in &obtained.manifest.commands {
            if let Some(other) = commands.insert(command.name.clone(), name) {
                let wrong = format!("it has the command `{}`, which is one of plugin `{other}`", command.name);
                return Err(obtained.manifest.wrong_name(&obtained.content, &command.name, wrong));
            }
        }
        let settings = team.settings(&obtained.manifest).map_err(about)?;
        obtained.key = trust_key(&obtained.hash, &settings);
        obtained.configured = configured(&settings);
        let entry = obtained.entry();
        if is_locked && lock.get(name) != Some(&entry) {
            let other = lock.get(name).map_or("it is not in it", |before| differing(before, &entry));
            let told = format!("it differs from the lock {}: {other}", team.lock().display());
            return Err(about(
                Error::failed(told).hint("orysh plugin sync, without --locked, writes what it is by now"),
            ));
        }
        if !team::is_trusted(&obtained.key)? {
            if let Some(before) = lock.get(name).filter(|before| before.hash != obtained.hash) {
                tell_changes(ui, name, before, &obtained);
            }
            let lines: Vec<String> =
                std::iter::once(asks(&obtained.manifest)).chain(obtained.configured.iter().cloned()).collect();
            match obtained.demand_trust(ui, args, &lines.join("\n  ")) {
                // What was granted to others stays granted.
                Err(error) if error.code() == Some(DECLINED) => {
                    declined.push(error);
                    continue;
                }
                asked => asked?,
            }
        }
        rows.push(Ok(Row::value(json!({"name": name, "version": entry.version, "hash": entry.hash})).with_id(name)));
        new.push((name, obtained, entry));
    }
    if is_locked && let Some(gone) = lock.keys().find(|name| !team.plugins.contains_key(*name)) {
        return Err(Error::failed(format!(
            "plugin `{}` is in the lock {}, and orysh.toml does not list it",
            safe(gone),
            team.lock().display()
        )));
    }
    for (name, obtained, entry) in new {
        if obtained.commit.is_some() {
            store::keep_of_team(&obtained.content, &obtained.hash)?;
        }
        team::trust(&obtained.key, name)?;
        if lock.get(name) != Some(&entry) {
            store::write_shared(&team.lock(), name, Some(&entry))?;
        }
    }
    for gone in lock.keys().filter(|name| !team.plugins.contains_key(*name)) {
        store::write_shared(&team.lock(), gone, None)?;
    }
    match declined.pop() {
        Some(error) => Err(declined.iter().fold(error, |error, other| error.hint(other.message()))),
        None => Ok(Outcome::many(rows.into_iter(), &[])),
    }
}

/// Tells what is another than the lock had it: of what was fetched each line, and what is asked for beyond that.
fn tell_changes(ui: Ui, name: &str, before: &Entry, now: &Obtained) {
    let name = safe(name);
    let old = store::place_of_team(&before.hash).and_then(|place| Content::read(&place)).ok();
    let Some(old) = old.filter(|old| old.hash() == before.hash) else {
        return ui.note(&format!("plugin `{name}` is not what the lock has: its files have changed since"));
    };
    ui.note(&format!("plugin `{name}` has changed since it was {}:", safe(&before.version)));
    for line in changes(&old, &now.content) {
        ui.line(&line);
    }
    match Manifest::of(&old).map(|old| beyond(&now.manifest, &old)) {
        Ok(more) if more.is_empty() => ui.note("it asks for nothing more than before"),
        Ok(more) => ui.warn(&format!("it asks for more than before: {}", more.join("; "))),
        Err(_) => {}
    }
}

/// The first thing in which an entry of a lock is another.
fn differing(before: &Entry, now: &Entry) -> &'static str {
    let same = [
        ("its source", before.source == now.source),
        ("its commit", before.commit == now.commit),
        ("its version", before.version == now.version),
        ("its files (hash)", before.hash == now.hash),
        ("what it is granted", before.grant == now.grant),
    ];
    same.into_iter().find(|(_, is_same)| !is_same).map_or("whether it is switched on", |(what, _)| what)
}
