//! Commands on plugins: nothing of a plugin is run by them, but for its tests.

mod difference;
pub mod install;
pub mod look;
pub mod new;
pub mod switch;
pub mod sync;
pub mod test;
pub mod update;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use clap::{Arg, ArgAction};
use uuid::Uuid;

use crate::commands;
use crate::config::files::{self, Passing};
use crate::config::paths;
use crate::error::{Error, Kind, Result, nearest};
use crate::grammar::{Args, Host, Registry};
use crate::ops::guard::DECLINED;
use crate::plugin::content::Content;
use crate::plugin::git::{self, Source};
use crate::plugin::known::{self, Known};
use crate::plugin::loaded::Plugin;
use crate::plugin::manifest::Manifest;
use crate::plugin::store::{self, Entry};
use crate::plugin::team;
use crate::script::api::commands::is_for_plugins;
use crate::text::safe;
use crate::ui::Ui;

/// Content that was read, and the commit that it is of.
struct Obtained {
    content: Content,
    manifest: Manifest,
    hash: String,
    /// What `--trust` names: the hash, and of what a repository configures that as well.
    key: String,
    commit: Option<String>,
    source: String,
    /// How a repository configures it, a line a key.
    configured: Vec<String>,
}

/// Reads a plugin from where it comes from.
fn obtain(source: &Source) -> Result<Obtained> {
    let (content, commit, told) = match source {
        Source::Path(path) => {
            let folder = std::fs::canonicalize(path)
                .map_err(|source| Error::usage(format!("there is no folder {}", safe(path))).caused_by(source))?;
            (Content::read(&folder)?, None, folder.display().to_string())
        }
        Source::Git { url, rev } => {
            let folder = temporary()?;
            let commit = git::fetch(url, rev.as_deref(), &folder.0)?;
            (Content::read(&folder.0)?, Some(commit), source.told())
        }
    };
    let manifest = Manifest::of(&content).map_err(|error| error.about(safe(&told)))?;
    let hash = content.hash();
    Ok(Obtained { key: hash.clone(), hash, content, manifest, commit, source: told, configured: Vec::new() })
}

/// What is left of a process that was killed is removed by one that comes so much later.
const LEFT: Duration = Duration::from_secs(3600);

/// The name of a folder that is not there yet.
fn temporary() -> Result<Passing> {
    let all = paths::state()?.join("installing");
    files::private_folder(&all)?;
    for entry in std::fs::read_dir(&all).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > LEFT) {
            // Another process may be quicker.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(Passing(all.join(Uuid::new_v4().to_string())))
}

impl Obtained {
    fn entry(&self) -> Entry {
        Entry {
            version: self.manifest.version.clone(),
            source: self.source.clone(),
            commit: self.commit.clone(),
            hash: self.hash.clone(),
            enabled: true,
            grant: self.manifest.grant.lines().into_iter().chain(self.configured.iter().cloned()).collect(),
        }
    }

    /// Asks whether it is granted what it asks for, unless the flag says so of this very content. `lines`: what is asked.
    fn demand_trust(&self, ui: Ui, args: &Args, lines: &str) -> Result<()> {
        let name = &self.manifest.name;
        let given = args.texts("trust");
        if given.iter().any(|hash| hash.eq_ignore_ascii_case(&self.key)) {
            return Ok(());
        }
        ui.line(&format!(
            "plugin `{name}` {} ({}) asks to be granted:\n  {lines}",
            safe(&self.manifest.version),
            safe(&self.source)
        ));
        if let Some(other) = given.last() {
            return Err(Error::usage(format!("--trust {} is not the hash of plugin `{name}`", safe(other)))
                .hint(format!("--trust {} as well grants it what stands above", self.key)));
        }
        if !ui.can_ask(false) {
            return Err(Error::usage(format!(
                "nobody can be asked whether plugin `{name}` is granted what it asks for"
            ))
            .hint(format!("--trust {} grants it what stands above", self.key)));
        }
        if ui.agrees(&format!("Grant that to plugin `{name}`?"), false) {
            return Ok(());
        }
        Err(Error::usage(format!("plugin `{name}` was not granted what it asks for: nothing of it is taken over"))
            .with_code(DECLINED))
    }

    /// Errors: its code cannot be read, or has not what its manifest names. Nothing of it is run.
    fn demand_code(&self, host: &Host) -> Result<()> {
        let folder = temporary()?;
        self.content.write(&folder.0)?;
        let manifest = Manifest::of(&self.content)?;
        let settings = (std::collections::BTreeMap::default(), false);
        let plugin = Plugin::new(manifest, self.hash.clone(), folder.0.clone(), self.source.clone(), settings);
        plugin.check(&host.session).map_err(|error| error.of_kind(Kind::Usage))
    }

    /// Errors: it has a command that is there already, or asks for one that is not.
    fn demand_place(&self) -> Result<()> {
        let (known, registry) = everything();
        demand_no_round(&self.manifest, &self.content, &known)?;
        for asked in &self.manifest.grant.commands {
            let words: Vec<&str> = asked.split(' ').collect();
            // One word may be the command of a plugin that comes later.
            let may_be_of_plugin = words.len() == 1 && !registry.is_verb(asked);
            let found = registry.find(&words);
            if found.is_some_and(|command| !is_for_plugins(command)) {
                let wrong = format!("it asks for the command `{}`, which is for people", safe(asked));
                return Err(self.manifest.wrong_name(&self.content, asked, wrong));
            }
            if may_be_of_plugin || found.is_some() {
                continue;
            }
            let wrong = format!("it asks for the command `{}`, which is not there", safe(asked));
            let wrong = self.manifest.wrong_name(&self.content, asked, wrong);
            let names: Vec<String> = registry.commands().iter().map(|command| command.words.join(" ")).collect();
            let near = nearest(asked, names.iter().map(String::as_str));
            return Err(wrong.did_you_mean(near));
        }
        for command in &self.manifest.commands {
            let taken = registry.find(&[command.name.as_str()]);
            let own = format!("A command of plugin `{}` ", self.manifest.name);
            let is_other =
                taken.map_or_else(|| registry.is_verb(&command.name), |taken| !taken.after.starts_with(&own));
            if is_other {
                let wrong = format!("it has the command `{}`, which is there already", command.name);
                return Err(self.manifest.wrong_name(&self.content, &command.name, wrong));
            }
        }
        Ok(())
    }
}

/// The plugins and all commands, whatever this process goes without.
fn everything() -> (Known, Registry) {
    let built_in = commands::registry();
    let known = known::load(&built_in);
    let registry = built_in.with(known.commands());
    (known, registry)
}

/// Errors: it may import a plugin that may import it, by itself or by others.
fn demand_no_round(manifest: &Manifest, content: &Content, known: &Known) -> Result<()> {
    let asked_by = |name: &str| -> Vec<String> {
        let all = known.plugins.iter().chain(known.untrusted.iter().map(|(_, plugin)| plugin));
        all.filter(|plugin| plugin.manifest.name == name)
            .flat_map(|plugin| plugin.manifest.grant.plugins.clone())
            .collect()
    };
    for first in &manifest.grant.plugins {
        let (mut seen, mut left) = (HashSet::new(), vec![first.clone()]);
        while let Some(name) = left.pop() {
            if name == manifest.name {
                let wrong = format!("plugin `{}` imports it in turn, by itself or by others", safe(first));
                return Err(manifest.wrong_name(content, first, wrong));
            }
            if seen.insert(name.clone()) {
                left.extend(asked_by(&name));
            }
        }
    }
    Ok(())
}

fn name_arg(help: &'static str) -> Arg {
    Arg::new("name").value_name("PLUGIN").required(true).help(help)
}

/// `--trust HASH`, which has to do with plugins here.
fn trust_arg() -> Arg {
    Arg::new("trust")
        .long("trust")
        .value_name("HASH")
        .action(ArgAction::Append)
        .help("Grant the plugin of this hash what it asks for: see plugin show")
}

/// What the user's lock says of a plugin. Errors: it is not installed.
fn entry(name: &str) -> Result<Entry> {
    let mut entries = store::entries(&store::own()?)?;
    entries.remove(name).ok_or_else(|| {
        let error = Error::usage(format!("plugin `{}` is not installed", safe(name)));
        if is_of_team(name) {
            return error.hint(
                "the orysh.toml of this repository lists it: `orysh plugin sync --update` takes what is newer over",
            );
        }
        error.did_you_mean(nearest(name, entries.keys().map(String::as_str)))
    })
}

/// Whether the repository lists a plugin of that name.
fn is_of_team(name: &str) -> bool {
    team::found().is_ok_and(|team| team.is_some_and(|team| team.plugins.contains_key(name)))
}

/// Whether a word names a place and no installed plugin.
fn is_place(word: &str) -> bool {
    word.contains('/') || word.starts_with('.') || Path::new(word).is_dir()
}
