//! The plugins that count for this process: those that the user has installed, and those of the repository that one is in. One that
//! is broken is told and left out; the others work on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::content::Content;
use super::git::Source;
use super::hooks::{PluginHooks, Refusing};
use super::loaded::Plugin;
use super::manifest::{Manifest, Setting};
use super::store::{self, Entry};
use super::team::{self, Team};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, Registry};
use crate::output::outcome::{Column, Outcome};
use crate::script::resolve::PLUGINS;
use crate::session::Session;
use crate::session::handle::locked;
use crate::text::safe;
use crate::ui::Ui;

/// The code of an error that says that a plugin of the repository is not on this machine yet.
const ABSENT: &str = "absent_plugin";

/// What is known of plugins as a process begins.
#[derive(Default)]
pub struct Known {
    /// Those that count, in the order of their hooks.
    pub plugins: Vec<Arc<Plugin>>,
    /// Those of the repository that this user has not granted anything yet: the file that lists them, and the plugin.
    pub untrusted: Vec<(String, Arc<Plugin>)>,
    /// Why others do not count, by their names; empty: it cannot be said which.
    pub refused: Vec<(String, Error)>,
}

/// Looks for them. Nothing of them is run.
pub fn load(built_in: &Registry) -> Known {
    let mut known = Known::default();
    // Where there is no folder for configuration, nothing can be installed.
    match store::own().map_or_else(|_| Ok(BTreeMap::new()), |path| store::entries(&path)) {
        Ok(entries) => {
            for (name, entry) in entries.iter().filter(|(_, entry)| entry.enabled) {
                let plugin = installed(name, entry);
                known.add(name, plugin, built_in, None);
            }
        }
        Err(error) => known.refused.push((String::new(), error)),
    }
    match team::found() {
        Ok(Some(team)) => {
            let lock = store::entries(&team.lock());
            for (name, source) in &team.plugins {
                match team.is_off(name) {
                    Ok(false) => {}
                    Ok(true) => continue,
                    Err(error) => known.refused.push((name.clone(), error)),
                }
                let plugin = lock.as_ref().map_err(again).and_then(|lock| of_team(&team, name, source, lock.get(name)));
                // What the user has installed themselves is not there twice.
                let is_same = |own: &Arc<Plugin>| {
                    own.manifest.name == *name
                        && plugin.as_ref().is_ok_and(|plugin| plugin.rules_key() == own.rules_key())
                };
                if !known.plugins.iter().any(is_same) {
                    known.add(name, plugin, built_in, Some(&team.path));
                }
            }
        }
        Ok(None) => {}
        Err(error) => known.refused.push((String::new(), error)),
    }
    known.plugins.sort_by(|a, b| (a.manifest.order, &a.manifest.name).cmp(&(b.manifest.order, &b.manifest.name)));
    known
}

fn again(error: &Error) -> Error {
    Error::usage(error.full_message())
}

/// A plugin that is installed. Errors: its content is not what was granted.
fn installed(name: &str, entry: &Entry) -> Result<Plugin> {
    let folder = store::place(&entry.hash)?;
    let content = Content::read(&folder)?;
    if content.hash() != entry.hash {
        let error = Error::usage("it is not what was granted: its files were changed");
        return Err(error.hint(format!("orysh plugin verify {}", safe(name))));
    }
    let manifest = Manifest::of(&content)?;
    let settings = store::configured(&manifest)?;
    demand_name(&manifest, name)?;
    demand_locked(&manifest, entry)?;
    Ok(Plugin::new(manifest, entry.hash.clone(), folder, entry.source.clone(), (settings, true)))
}

/// A plugin that a repository lists. Errors: it is not there yet; its lock says another content.
pub fn of_team(team: &Team, name: &str, source: &Source, locked: Option<&Entry>) -> Result<Plugin> {
    let sync = |what: &str| Error::usage(what.to_owned()).hint("orysh plugin sync");
    let (folder, hash, content) = match source {
        Source::Path(path) => {
            let folder = team.folder(path)?;
            let content = Content::read(&folder)?;
            (folder, content.hash(), content)
        }
        Source::Git { .. } => {
            let absent =
                || sync(&format!("it has not been fetched from {} yet", safe(&source.told()))).with_code(ABSENT);
            let entry = locked.ok_or_else(absent)?;
            let folder = store::place_of_team(&entry.hash)?;
            let content = Content::read(&folder).map_err(|_| absent())?;
            (folder, entry.hash.clone(), content)
        }
    };
    if locked.is_some_and(|entry| entry.source != source.told()) {
        return Err(sync("the lock is of another source"));
    }
    if content.hash() != hash {
        return Err(sync("its files are not those that were fetched"));
    }
    if locked.is_some_and(|entry| entry.hash != hash) {
        return Err(sync("its files are not those of the lock"));
    }
    if locked.is_some_and(|entry| !entry.enabled) {
        return Err(sync("the lock says that it is switched off"));
    }
    let manifest = Manifest::of(&content)?;
    demand_name(&manifest, name)?;
    let settings = team.settings(&manifest)?;
    if let Some(entry) = locked {
        demand_locked(&manifest, entry)?;
    }
    Ok(Plugin::new(manifest, hash, folder, source.told(), (settings, false)))
}

/// Errors: a lock tells of another version or grant than the content has that it names. What a repository's lock says beside the
/// grant is the configuration, by which a plugin is trusted.
pub fn demand_locked(manifest: &Manifest, entry: &Entry) -> Result<()> {
    let grant = manifest.grant.lines();
    let is_key = |line: &String| manifest.config.keys().any(|key| line.starts_with(&format!("config: {key} is ")));
    let is_same = entry.grant.strip_prefix(&grant[..]).is_some_and(|rest| rest.iter().all(is_key));
    if manifest.version == entry.version && is_same {
        return Ok(());
    }
    let what = if manifest.version == entry.version { "grant" } else { "version" };
    Err(Error::usage(format!("the lock tells of another {what} than its plugin.toml has"))
        .hint("the lock was changed by hand: orysh plugin update, or orysh plugin sync, writes it anew"))
}

fn demand_name(manifest: &Manifest, name: &str) -> Result<()> {
    if manifest.name == name {
        return Ok(());
    }
    Err(Error::usage(format!("it calls itself `{}`", safe(&manifest.name))))
}

impl Known {
    fn add(&mut self, name: &str, plugin: Result<Plugin>, built_in: &Registry, team: Option<&Path>) {
        let about = |error: Error| error.about(format!("plugin `{}` is left out", safe(name)));
        let plugin = match plugin.and_then(|plugin| self.fits(plugin, built_in)) {
            Ok(plugin) => Arc::new(plugin),
            Err(error) => return self.refused.push((name.to_owned(), about(error))),
        };
        match team.map(|path| (path, team::is_trusted(&plugin.trust_key()))) {
            None | Some((_, Ok(true))) => self.plugins.push(plugin),
            Some((path, Ok(false))) => self.untrusted.push((path.display().to_string(), plugin)),
            Some((_, Err(error))) => self.refused.push((name.to_owned(), about(error))),
        }
    }

    /// Errors: another has its name, or one of its commands.
    fn fits(&self, plugin: Plugin, built_in: &Registry) -> Result<Plugin> {
        let others = || self.plugins.iter().chain(self.untrusted.iter().map(|(_, plugin)| plugin));
        if others().any(|other| other.manifest.name == plugin.manifest.name) {
            return Err(Error::usage("another plugin has that name"));
        }
        let wrong = |name: &str, what: String| match Content::read(&plugin.folder) {
            Ok(content) => plugin.manifest.wrong_name(&content, name, what),
            Err(_) => Error::usage(what),
        };
        for command in &plugin.manifest.commands {
            if built_in.is_verb(&command.name) {
                return Err(wrong(&command.name, format!("its command `{}` would hide that of orysh", command.name)));
            }
            let has_it = |other: &&Arc<Plugin>| other.manifest.commands.iter().any(|its| its.name == command.name);
            if let Some(other) = others().find(has_it) {
                return Err(wrong(&command.name, format!("its command `{}` is one of {}", command.name, other.told())));
            }
        }
        Ok(plugin)
    }

    /// The commands of plugins.
    pub fn commands(&self) -> Vec<Command> {
        let all = self.plugins.iter().chain(self.untrusted.iter().map(|(_, plugin)| plugin));
        all.flat_map(|plugin| (0..plugin.manifest.commands.len()).map(|at| command(plugin, at))).collect()
    }

    /// Whether there is a plugin of that name, whether it counts or not.
    pub fn has(&self, name: &str) -> bool {
        self.plugins.iter().chain(self.untrusted.iter().map(|(_, plugin)| plugin)).any(|it| it.manifest.name == name)
            || self.refused.iter().any(|(refused, _)| refused == name)
    }

    /// Lets plugins know the commands, and scripts the plugins.
    pub fn introduce(&self, registry: &Arc<Registry>) {
        for plugin in self.plugins.iter().chain(self.untrusted.iter().map(|(_, plugin)| plugin)) {
            // It is told once.
            let _ = plugin.registry.set(Arc::downgrade(registry));
        }
        let plugins = self.plugins.clone();
        *locked(&PLUGINS) = Some(Arc::new(move |caller, name| {
            let none = || Error::usage(format!("there is no plugin `{}`", safe(name)));
            plugins.iter().find(|plugin| plugin.manifest.name == name).ok_or_else(none)?.stubs(caller)
        }));
    }

    /// Whether a person wants those of the repository to be fetched that are not here yet, if there are any and somebody can be
    /// asked.
    pub fn is_to_be_fetched(&self, ui: Ui) -> bool {
        let absent: Vec<&Error> =
            self.refused.iter().map(|(_, error)| error).filter(|error| error.code() == Some(ABSENT)).collect();
        if absent.is_empty() || !ui.can_ask(false) {
            return false;
        }
        for error in absent {
            ui.warn(&error.full_message());
        }
        ui.agrees("Fetch what is not here yet, to be shown what it asks for?", false)
    }

    /// Asks for each plugin of the repository that has not been granted anything yet; where nobody can be asked, or says no, it is
    /// refused. Errors: what was granted cannot be noted.
    pub fn demand_trust(&mut self, ui: Ui) -> Result<()> {
        for (path, plugin) in std::mem::take(&mut self.untrusted) {
            let name = &plugin.manifest.name;
            // Looking goes on without it; nothing is written, and nothing of it is run.
            let refused = || untrusted(&plugin, &path);
            if !ui.can_ask(false) {
                self.refused.push((name.clone(), refused()));
                continue;
            }
            ui.line(&format!(
                "{} ({}) asks to be granted:\n  {}",
                plugin.told(),
                safe(&plugin.source),
                std::iter::once(asks(&plugin.manifest))
                    .chain(configured(&plugin.settings))
                    .collect::<Vec<_>>()
                    .join("\n  ")
            ));
            if !ui.agrees(&format!("Grant that to {}?", plugin.told()), false) {
                self.refused.push((name.clone(), refused()));
                continue;
            }
            team::trust(&plugin.trust_key(), name)?;
            self.plugins.push(plugin);
        }
        self.plugins.sort_by(|a, b| (a.manifest.order, &a.manifest.name).cmp(&(b.manifest.order, &b.manifest.name)));
        Ok(())
    }

    /// The session in which their hooks are called, but for those that are switched off: names of plugins, or of hooks.
    pub fn attach(&self, mut session: Session, off: &[String]) -> Session {
        for plugin in &self.plugins {
            if off.contains(&plugin.manifest.name) {
                continue;
            }
            if let Some(hooks) = PluginHooks::of(plugin, off) {
                session = session.with_hook(Arc::new(hooks));
            }
        }
        // A rule that cannot be read is not a rule that holds: nothing is written without it, unless a person says so.
        if let Some((_, error)) = self.refused.iter().find(|(name, _)| !off.contains(name)) {
            session = session.with_hook(Arc::new(Refusing(error.full_message(), error.hints().to_vec())));
        }
        session
    }
}

fn untrusted(plugin: &Plugin, path: &str) -> Error {
    let (name, key) = (&plugin.manifest.name, plugin.trust_key());
    Error::usage(format!("{} of {} is not trusted, or has changed since it was", plugin.told(), safe(path)))
        .with_code(crate::config::team::UNTRUSTED)
        .hint(format!("orysh plugin show {name} shows what it may do; orysh plugin sync --trust {key}"))
}

/// What it means that a plugin delivers.
pub const DELIVERS: &str = "delivers: a secret that it has taken counts as handed over";

/// What a plugin asks to be granted, as a person reads it.
pub fn asks(manifest: &Manifest) -> String {
    let lines = manifest.grant.lines();
    let hooks = (!manifest.hooks.is_empty()).then(|| format!("hooks: is called at {}", manifest.hooks.join(", ")));
    let delivers = manifest.delivers.then(|| DELIVERS.to_owned());
    let lines: Vec<String> = lines.into_iter().chain(hooks).chain(delivers).collect();
    if lines.is_empty() { "nothing".into() } else { lines.join("\n  ") }
}

/// How a repository configures a plugin, a line a key, as a lock has it and a person reads it.
pub fn configured(settings: &BTreeMap<String, Setting>) -> Vec<String> {
    settings.iter().map(|(key, setting)| format!("config: {key} is {setting}")).collect()
}

/// Text that lives as long as the process, as commands have it.
fn lasting(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

const NO_COLUMNS: &[Column] = &[];

fn command(plugin: &Arc<Plugin>, at: usize) -> Command {
    let declared = &plugin.manifest.commands[at];
    let (taking, running) = (Arc::clone(plugin), Arc::clone(plugin));
    let after = format!("A command of {} {}.", plugin.told(), plugin.manifest.version);
    Command::new(
        [lasting(&declared.name)],
        lasting(&declared.about),
        move |host: &Host, args: &Args| -> Result<Outcome> {
            let declared = &running.manifest.commands[at];
            if !running.is_own && !team::is_trusted(&running.trust_key())? {
                return Err(untrusted(&running, "the orysh.toml of this repository"));
            }
            let session = if args.flag("dry-run") { host.session.clone().in_dry_run() } else { host.session.clone() };
            let values = declared.arguments.values(&args.matches);
            running.command(&session, &declared.name.replace('-', "_"), values, NO_COLUMNS)
        },
    )
    .args(move || {
        let mut args = taking.manifest.commands[at].arguments.args();
        args.push(
            clap::Arg::new("dry-run")
                .long("dry-run")
                .action(clap::ArgAction::SetTrue)
                .help("Tell what each write would do, and do none"),
        );
        args
    })
    .runs_dry()
    .after(lasting(&after))
}
