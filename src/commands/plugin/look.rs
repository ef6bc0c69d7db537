//! `plugin list`, `show` and `verify`: read off manifests and locks; nothing of a plugin is run.

use std::collections::BTreeMap;

use clap::Arg;
use serde_json::{Map, Value, json};

use super::{entry, is_place, name_arg, obtain};
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Audience, Command, Host};
use crate::output::outcome::{Column, Outcome, Row};
use crate::plugin::content::Content;
use crate::plugin::git::Source;
use crate::plugin::known::{configured, demand_locked, of_team};
use crate::plugin::manifest::{Manifest, Setting};
use crate::plugin::store::{self, Entry};
use crate::plugin::team;
use crate::text::safe;

const COLUMNS: &[Column] = &[
    Column { title: "NAME", member: "name" },
    Column { title: "VERSION", member: "version" },
    Column { title: "STATE", member: "state" },
    Column { title: "ORDER", member: "order" },
    Column { title: "HOOKS", member: "hooks" },
    Column { title: "COMMANDS", member: "commands" },
    Column { title: "FROM", member: "source" },
];

/// `plugin list`.
pub fn list() -> Command {
    Command::new(["plugin", "list"], "Show every plugin, in the order of their hooks", run_list)
        .runs_dry()
        .offline()
        .only_for(Audience::People)
        .after("Examples:\n  orysh plugin list --format json")
}

/// `plugin show`.
pub fn show() -> Command {
    Command::new(["plugin", "show"], "Show what a plugin is, what it may do, and its hash", run_show)
        .runs_dry()
        .offline()
        .only_for(Audience::People)
        .args(|| {
            let help = "A plugin that is installed or listed by the repository, a folder, or a repository's URL";
            vec![Arg::new("name").value_name("PLUGIN|PATH|URL").required(true).help(help)]
        })
        .after("Examples:\n  orysh plugin show naming\n  orysh plugin show ./naming --format jsonpath=hash")
}

/// `plugin verify`.
pub fn verify() -> Command {
    Command::new(["plugin", "verify"], "Compare plugins with what was granted", run_verify)
        .runs_dry()
        .offline()
        .only_for(Audience::People)
        .args(|| vec![name_arg("The plugin [default: all of them]").required(false)])
        .after("Examples:\n  orysh plugin verify")
}

/// A plugin's name, its state, what it says of itself, and where it comes from.
type Listed = (String, &'static str, Result<Manifest>, String);

/// Every plugin.
fn all() -> Result<Vec<Listed>> {
    let mut all = Vec::new();
    for (name, entry) in store::entries(&store::own()?)? {
        let state = match content(&entry) {
            Ok(content) if content.hash() != entry.hash => "changed: does not run",
            _ if entry.enabled => "on",
            _ => "off",
        };
        // What it is configured with may be of no use to what it is by now.
        let manifest = manifest(&entry).and_then(|manifest| {
            store::configured(&manifest)?;
            demand_locked(&manifest, &entry).map(|()| manifest)
        });
        all.push((name, state, manifest, entry.source));
    }
    if let Some(team) = team::found()? {
        let lock = store::entries(&team.lock())?;
        for (name, source) in &team.plugins {
            let plugin = of_team(&team, name, source, lock.get(name));
            let state = match &plugin {
                _ if team.is_off(name)? => "off",
                Ok(plugin) if team::is_trusted(&plugin.trust_key())? => "on, by the repository",
                _ => "not trusted",
            };
            all.push((name.clone(), state, plugin.map(|plugin| plugin.manifest), source.told()));
        }
    }
    let order = |manifest: &Result<Manifest>| manifest.as_ref().map_or(i64::MAX, |manifest| manifest.order);
    all.sort_by(|a, b| (order(&a.2), &a.0).cmp(&(order(&b.2), &b.0)));
    Ok(all)
}

fn content(entry: &Entry) -> Result<Content> {
    Content::read(&store::place(&entry.hash)?)
}

fn manifest(entry: &Entry) -> Result<Manifest> {
    Manifest::of(&content(entry)?)
}

fn run_list(_: &Host, _: &Args) -> Result<Outcome> {
    let rows = all()?.into_iter().flat_map(|(name, state, manifest, source)| {
        let (manifest, error) = match manifest {
            Ok(manifest) => (Some(manifest), None),
            Err(error) => (None, Some(error.about(format!("plugin `{}`", safe(&name))))),
        };
        let commands =
            |manifest: &Manifest| manifest.commands.iter().map(|command| command.name.clone()).collect::<Vec<_>>();
        let row = json!({
            "name": name,
            "version": manifest.as_ref().map(|manifest| manifest.version.clone()),
            "state": if error.is_some() { "broken" } else { state },
            "order": manifest.as_ref().map(|manifest| manifest.order),
            "hooks": manifest.as_ref().map(|manifest| manifest.hooks.clone()),
            "commands": manifest.as_ref().map(commands),
            "source": source,
        });
        std::iter::once(Ok(Row::value(row).with_id(name))).chain(error.map(Err))
    });
    let rows: Vec<Result<Row>> = rows.collect();
    Ok(Outcome::many(rows.into_iter(), COLUMNS))
}

fn run_show(_: &Host, args: &Args) -> Result<Outcome> {
    let name = args.text("name").unwrap_or_default();
    let listed = team::found()?.filter(|team| team.plugins.contains_key(name));
    let installed = store::entries(&store::own()?)?.remove(name);
    let (manifest, hash, source, commit, settings) = if let Some(team) = listed {
        let source = &team.plugins[name];
        let lock = store::entries(&team.lock())?;
        let plugin = of_team(&team, name, source, lock.get(name))?;
        let key = plugin.trust_key();
        let commit = lock.get(name).and_then(|entry| entry.commit.clone());
        (plugin.manifest, key, plugin.source, commit, plugin.settings)
    } else if let Some(entry) = installed {
        if !store::is_whole(&entry.hash) {
            let changed = Error::failed(format!("plugin `{name}` is not what was granted: its files were changed"));
            return Err(changed.hint(format!("orysh plugin update {name} puts them back, or shows what is newer")));
        }
        let manifest = manifest(&entry)?;
        let settings = store::configured(&manifest)?;
        (manifest, entry.hash, entry.source, entry.commit, settings)
    } else if is_place(name) {
        let obtained = obtain(&Source::parse(name)?)?;
        (obtained.manifest, obtained.hash, obtained.source, obtained.commit, BTreeMap::new())
    } else {
        return Err(entry(name).map_or_else(|error| error, |_| Error::usage("it is not there")));
    };
    let config: Map<String, Value> = manifest
        .config
        .iter()
        .map(|(name, key)| {
            let about = json!({
                "type": key.kind.name(),
                "help": key.help,
                "default": key.default.as_ref().map(Setting::value),
                "value": settings.get(name).or(key.default.as_ref()).map(Setting::value),
            });
            (name.clone(), about)
        })
        .collect();
    let commands: Map<String, Value> =
        manifest.commands.iter().map(|command| (command.name.clone(), command.about.clone().into())).collect();
    let capabilities = manifest.grant.lines();
    let row = json!({
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "license": manifest.license,
        "source": source,
        "commit": commit,
        "hash": hash,
        "order": manifest.order,
        "hooks": manifest.hooks,
        "commands": commands,
        "exports": manifest.exports,
        "config": config,
        "capabilities": if capabilities.is_empty() { vec!["none".to_owned()] } else { capabilities },
        "delivers": manifest.delivers,
    });
    Ok(Outcome::one(Row::value(row).with_id(hash), &[]))
}

fn run_verify(host: &Host, args: &Args) -> Result<Outcome> {
    let wanted = args.text("name");
    let mut rows: Vec<Result<Row>> = Vec::new();
    let mut checked = 0;
    for (name, entry) in store::entries(&store::own()?)? {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        checked += 1;
        let read = Content::read(&store::place(&entry.hash)?);
        let same = read.and_then(|content| {
            if content.hash() == entry.hash {
                let manifest = Manifest::of(&content)?;
                demand_locked(&manifest, &entry)?;
                return store::configured(&manifest).map(drop);
            }
            Err(Error::failed("its files are not those that were granted").hint(format!(
                "it does not run: orysh plugin update {name} puts back what was granted, or shows what is newer in {}",
                safe(&entry.source)
            )))
        });
        rows.push(row(&name, same));
    }
    if let Some(team) = team::found()? {
        let lock = store::entries(&team.lock())?;
        for (name, source) in team.plugins.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)) {
            checked += 1;
            let same = of_team(&team, name, source, lock.get(name)).and_then(|plugin| {
                if !team::is_trusted(&plugin.trust_key())? {
                    return Err(Error::failed("this content was not granted anything"));
                }
                let is_other = |entry: &Entry| !entry.grant.ends_with(&configured(&plugin.settings));
                if lock.get(name).is_some_and(is_other) {
                    return Err(Error::failed("the lock tells of another configuration than orysh.toml has")
                        .hint("orysh plugin sync writes it anew"));
                }
                Ok(())
            });
            rows.push(row(name, same));
        }
    }
    if checked == 0
        && let Some(name) = wanted
    {
        entry(name)?;
    }
    host.session.ui().note(&format!("{checked} plugins were compared"));
    let failed = rows.iter().filter(|row| row.is_err()).count();
    if failed > 0 {
        rows.push(Err(Error::new(Kind::Failed, format!("{failed} plugins are not what was granted")).already_told()));
    }
    Ok(Outcome::many(rows.into_iter(), &[]))
}

fn row(name: &str, same: Result<()>) -> Result<Row> {
    same.map_err(|error| error.about(format!("plugin `{}`", safe(name))).of_kind(Kind::Failed))?;
    Ok(Row::value(json!({"name": name, "state": "as granted"})).with_id(name))
}
