//! What is installed: `orysh.lock` says of each plugin where it comes from, the hash of its content and what it was granted; the
//! content lies beside, by its hash.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::content::Content;
use super::manifest::{Kind, Manifest, Setting, setting};
use crate::config::files::{private_folder, real, to_hold};
use crate::config::{edit, paths, read};
use crate::error::{Error, Result, nearest};
use crate::text::{safe, shell_word};

/// The name of a lock file, the user's own or a repository's.
pub const LOCK: &str = "orysh.lock";

/// What a lock says of a plugin.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// Its version.
    pub version: String,
    /// Where it comes from.
    pub source: String,
    /// The commit, where that is a repository.
    pub commit: Option<String>,
    /// The hash of its content.
    pub hash: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What it was granted, as a person reads it.
    pub grant: Vec<String>,
}

/// The user's own lock.
pub fn own() -> Result<PathBuf> {
    Ok(paths::config()?.join(LOCK))
}

/// Where content of that hash lies.
pub fn place(hash: &str) -> Result<PathBuf> {
    Ok(paths::data()?.join("plugins").join(hash))
}

/// Whether the content of a plugin is there, and what was granted.
pub fn is_whole(hash: &str) -> bool {
    place(hash).and_then(|folder| Content::read(&folder)).is_ok_and(|content| content.hash() == hash)
}

/// What a lock says of a plugin: the user's own has its configuration as well.
const KEYS: [&str; 7] = ["version", "source", "commit", "hash", "enabled", "grant", "config"];

/// What a lock says, by the names of plugins. Errors are of usage, with line and column.
pub fn entries(path: &Path) -> Result<BTreeMap<String, Entry>> {
    // The user's own may be a link of theirs.
    let is_own = own().is_ok_and(|own| own == path);
    let place = if is_own { real(path) } else { path.to_owned() };
    let Some(text) = read::settings(&place)? else { return Ok(BTreeMap::new()) };
    let document = edit::parse(&text, path)?;
    let each = document.iter().map(|(name, item)| {
        let name: &str = name.get_ref();
        let wrong = || {
            let at = edit::position(&text, item.span().start);
            Error::usage(format!("{}, {at}: `{}` is no plugin", path.display(), safe(name))).at(at)
        };
        let table = item.get_ref().as_table().ok_or_else(wrong)?;
        if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
            let at = edit::position(&text, key.span().start);
            let wrong = format!("{}, {at}: a lock has no `{}`", path.display(), safe(key.get_ref()));
            return Err(Error::usage(wrong).at(at).did_you_mean(nearest(key.get_ref(), KEYS)));
        }
        let locked = Locked { path, text: &text, name, item, table };
        let entry = Entry {
            version: locked.demand("version", TEXT, text_in)?,
            source: locked.demand("source", TEXT, text_in)?,
            commit: locked.find("commit", TEXT, text_in)?,
            hash: locked
                .demand("hash", "64 hexadecimal digits", |value| text_in(value).filter(|hash| is_hash(hash)))?,
            enabled: locked.demand("enabled", "true or false", bool_in)?,
            grant: locked.demand("grant", "a list of texts", |value| {
                value.as_array()?.iter().map(|line| text_in(line.get_ref())).collect()
            })?,
        };
        Ok((name.to_owned(), entry))
    });
    each.collect()
}

const TEXT: &str = "a text";

fn bool_in(value: &DeValue<'_>) -> Option<bool> {
    value.as_bool()
}

fn text_in(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// What a lock says of one plugin, and where.
struct Locked<'a> {
    path: &'a Path,
    text: &'a str,
    name: &'a str,
    item: &'a Spanned<DeValue<'a>>,
    table: &'a DeTable<'a>,
}

impl Locked<'_> {
    /// What stands under a key. Errors: it is something else than `kind`.
    fn find<T>(&self, key: &str, kind: &str, read: impl FnOnce(&DeValue<'_>) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let wrong = || self.wrong(value.span().start, &format!("`{key}` is {kind}"));
        read(value.get_ref()).map(Some).ok_or_else(wrong)
    }

    /// The same of what has to be there.
    fn demand<T>(&self, key: &str, kind: &str, read: impl FnOnce(&DeValue<'_>) -> Option<T>) -> Result<T> {
        let missing = || self.wrong(self.item.span().start, &format!("`{key}` is missing"));
        self.find(key, kind, read)?.ok_or_else(missing)
    }

    fn wrong(&self, at: usize, why: &str) -> Error {
        let at = edit::position(self.text, at);
        Error::usage(format!("{}, {at}: of plugin `{}` {why}", self.path.display(), safe(self.name))).at(at).hint(
            format!(
                "take [{}] out of the file: orysh plugin sync writes it anew, or install where it is your own",
                safe(self.name)
            ),
        )
    }
}

/// What is a file's name as well.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
}

/// Writes what a lock says of a plugin; what is configured stays.
pub fn set(path: &Path, name: &str, entry: &Entry) -> Result<()> {
    edit::change(path, |document| {
        put(document, name, entry);
        Ok(())
    })
}

fn put(document: &mut DocumentMut, name: &str, entry: &Entry) {
    let config = document.get(name).and_then(Item::as_table_like).and_then(|table| table.get("config")).cloned();
    let mut table = table(entry);
    if let Some(config) = config {
        table.insert("config", config);
    }
    document.insert(name, Item::Table(table));
}

/// Writes what a repository's lock says of a plugin, or that it says nothing: a file that others read.
pub fn write_shared(path: &Path, name: &str, entry: Option<&Entry>) -> Result<()> {
    let failed = |source: std::io::Error| Error::failed(format!("cannot write {}", path.display())).caused_by(source);
    let mut entries = entries(path)?;
    match entry {
        Some(entry) => drop(entries.insert(name.to_owned(), entry.clone())),
        None => drop(entries.remove(name)),
    }
    let mut document = DocumentMut::new();
    for (name, entry) in &entries {
        document.insert(name, Item::Table(table(entry)));
    }
    let temporary = path.with_file_name(format!(".{LOCK}.{}", uuid::Uuid::new_v4()));
    let text = format!("# What the plugins of orysh.toml are: written by `orysh plugin sync`.\n{document}");
    std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, path)).map_err(failed)
}

fn table(entry: &Entry) -> Table {
    let mut table = Table::new();
    table.insert("version", value(&entry.version));
    table.insert("source", value(&entry.source));
    if let Some(commit) = &entry.commit {
        table.insert("commit", value(commit));
    }
    table.insert("hash", value(&entry.hash));
    table.insert("enabled", value(entry.enabled));
    table.insert("grant", value(entry.grant.iter().collect::<Array>()));
    table
}

/// A folder that is being written is no older than this.
const LEFT: std::time::Duration = std::time::Duration::from_secs(600);

/// Held while content comes and goes: whoever keeps some has it in the lock before another sweeps.
fn turn() -> Result<File> {
    let folder = paths::data()?.join("plugins");
    private_folder(&folder)?;
    let path = folder.join(".turn");
    let failed = |source| Error::failed(format!("cannot hold {}", path.display())).caused_by(source);
    let file = to_hold(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

/// Takes a plugin out of the user's lock, and its content with it.
pub fn remove(name: &str) -> Result<()> {
    let _turn = turn()?;
    edit::change(&own()?, |document| Ok(document.remove(name).is_some()))?;
    sweep()
}

/// Removes content that no plugin of the user has any more.
fn sweep() -> Result<()> {
    let used: Vec<String> = entries(&own()?)?.into_values().map(|entry| entry.hash).collect();
    let folder = paths::data()?.join("plugins");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_old =
            |about: std::fs::Metadata| about.modified().is_ok_and(|at| at.elapsed().is_ok_and(|since| since > LEFT));
        // What an install that was killed has left, and no other is at.
        let is_left = name.starts_with('.') && entry.metadata().is_ok_and(|about| about.is_dir() && is_old(about));
        if is_left || is_hash(&name) && !used.contains(&name) {
            // Whoever runs it now has it in memory; the next one to sweep tries again.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Where content of that hash lies that a repository has by `git`: other repositories may have it as well, so that it stays.
pub fn place_of_team(hash: &str) -> Result<PathBuf> {
    Ok(paths::data()?.join("plugins-of-repositories").join(hash))
}

/// Keeps such content by its hash.
pub fn keep_of_team(content: &Content, hash: &str) -> Result<()> {
    let _turn = turn()?;
    put_down(content, &place_of_team(hash)?, hash)
}

/// Content in the place for it, whatever is there that is something else.
fn put_down(content: &Content, place: &Path, hash: &str) -> Result<()> {
    place.parent().map_or(Ok(()), private_folder)?;
    if place.exists() && Content::read(place).map_or(true, |there| there.hash() != hash) {
        std::fs::remove_dir_all(place)
            .map_err(|source| Error::failed(format!("cannot remove {}", place.display())).caused_by(source))?;
    }
    content.write(place)
}

/// Keeps content and says so in the user's lock, with how it is configured: the content first, so that what the lock says is there,
/// and all of the lock at once. What was configured stays, but for keys that there are no more.
pub fn install(manifest: &Manifest, content: &Content, entry: &Entry, settings: Vec<(String, Value)>) -> Result<()> {
    let _turn = turn()?;
    put_down(content, &place(&entry.hash)?, &entry.hash)?;
    let name = manifest.name.as_str();
    edit::change(&own()?, |document| {
        put(document, name, entry);
        let Some(table) = document.get_mut(name).and_then(Item::as_table_mut) else { return Ok(()) };
        let config = table.entry("config").or_insert_with(|| Item::Value(InlineTable::new().into()));
        if let Some(config) = config.as_table_like_mut() {
            let gone: Vec<String> =
                config.iter().map(|(key, _)| key.to_owned()).filter(|key| !manifest.config.contains_key(key)).collect();
            for key in gone {
                config.remove(&key);
            }
            for (key, value) in settings {
                config.insert(&key, Item::Value(value));
            }
            if config.is_empty() {
                table.remove("config");
            }
        }
        Ok(())
    })?;
    sweep()
}

/// What is configured in a table, as the manifest has it. Errors are of usage: an unknown key, a wrong type.
pub fn settings(
    table: Option<&DeTable<'_>>,
    manifest: &Manifest,
    (path, text): (&Path, &str),
) -> Result<BTreeMap<String, Setting>> {
    let each = table.into_iter().flatten().map(|(name, item): (_, &Spanned<DeValue<'_>>)| {
        let name: &str = name.get_ref();
        let at = edit::position(text, item.span().start);
        let of = format!("{}, {at}: plugin `{}`", path.display(), manifest.name);
        let wrong = |why: &str| Error::usage(format!("{of}: config `{}` {why}", safe(name))).at(at);
        let Some(key) = manifest.config.get(name) else {
            let known = manifest.config.keys().map(String::as_str);
            return Err(wrong("is unknown").did_you_mean(nearest(name, known)));
        };
        let setting = setting(key.kind, item.get_ref()).ok_or_else(|| wrong("has another type"))?;
        Ok((name.to_owned(), setting))
    });
    each.collect()
}

/// Errors of usage: what is configured of a plugin in the user's lock is of no use to what it is by now, but for the keys that are `set`.
pub fn demand_fitting(manifest: &Manifest, set: &[&str], source: &str) -> Result<()> {
    let text = read::settings(&real(&own()?))?.unwrap_or_default();
    let document = edit::parse(&text, &own()?)?;
    let table = document.get(manifest.name.as_str()).and_then(|item| item.get_ref().as_table());
    let config = table.and_then(|table| table.get("config")).and_then(|config| config.get_ref().as_table());
    for (name, item) in config.into_iter().flatten() {
        let name: &str = name.get_ref();
        let Some(key) = manifest.config.get(name).filter(|_| !set.contains(&name)) else { continue };
        if setting(key.kind, item.get_ref()).is_none() {
            let wrong = format!("`{}` of plugin `{}` is a {} by now", safe(name), manifest.name, key.kind.name());
            return Err(Error::usage(format!("{wrong}, and what is configured is none: nothing was taken over"))
                .hint(format!("orysh plugin install {} --set {}=…", shell_word(source), safe(name))));
        }
    }
    Ok(())
}

/// The configuration of a plugin in the user's lock.
pub fn configured(manifest: &Manifest) -> Result<BTreeMap<String, Setting>> {
    let path = own()?;
    let text = read::settings(&real(&path))?.unwrap_or_default();
    let document = edit::parse(&text, &path)?;
    let table = document.get(manifest.name.as_str()).and_then(|item| item.get_ref().as_table());
    let config = table.and_then(|table| table.get("config")).and_then(|config| config.get_ref().as_table());
    settings(config, manifest, (&path, &text))
}

/// A value for a key of a plugin's configuration; `text` is TOML, or a text as it stands. Errors are of usage: there is no such key; it
/// is of another type.
pub fn configured_value(manifest: &Manifest, key: &str, text: &str) -> Result<Value> {
    let Some(known) = manifest.config.get(key) else {
        let keys = manifest.config.keys().map(String::as_str);
        return Err(Error::usage(format!("plugin `{}` has no configuration `{}`", manifest.name, safe(key)))
            .did_you_mean(nearest(key, keys)));
    };
    let is_fitting = |text: &str| {
        let line = format!("v = {text}");
        let table = DeTable::parse(&line).ok().map(Spanned::into_inner);
        table.as_ref().and_then(|table| table.get("v")).and_then(|item| setting(known.kind, item.get_ref())).is_some()
    };
    let quoted = Value::from(text).to_string();
    let fitting = [text, quoted.trim()].into_iter().find(|text| is_fitting(text));
    if let Some(parsed) = fitting.and_then(|text| text.parse::<Value>().ok()) {
        return Ok(parsed);
    }
    let kind = known.kind;
    let error = Error::usage(format!("config `{}` of plugin `{}` is a {}", safe(key), manifest.name, kind.name()));
    Err(match kind {
        Kind::Secret => error.hint(format!("name where it is: --set {key}=env:NAME, or --set {key}=file:PATH")),
        Kind::List => error.hint(format!("as --set '{key}=[\"a\", \"b\"]'")),
        Kind::Text | Kind::Number | Kind::Bool => error,
    })
}
