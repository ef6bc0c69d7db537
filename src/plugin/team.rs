//! The plugins that a repository lists in its `orysh.toml`, and which content of plugins this user trusts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use toml_edit::{Array, value};

use super::git::Source;
use super::manifest::{Manifest, Setting};
use super::store;
use crate::config::{edit, paths, team};
use crate::error::{Error, Result, nearest};
use crate::text::safe;

/// The table of plugins.
pub const PLUGINS: &str = "plugins";

/// The plugins that a repository lists.
pub struct Team {
    /// The file that lists them.
    pub path: PathBuf,
    text: String,
    /// Where each comes from.
    pub plugins: BTreeMap<String, Source>,
}

/// Those of the repository that one is in, if it lists any. Errors are of usage, with line and column.
pub fn found() -> Result<Option<Team>> {
    // Where there is no working folder, one is in no repository.
    let Ok(Some(path)) = team::path() else { return Ok(None) };
    let text = team::text(&path)?;
    if !text.contains(PLUGINS) {
        return Ok(None);
    }
    let plugins = listed(&text, &path)?;
    Ok((!plugins.is_empty()).then_some(Team { path, text, plugins }))
}

fn listed(text: &str, path: &Path) -> Result<BTreeMap<String, Source>> {
    let document = edit::parse(text, path)?;
    let Some(item) = document.get(PLUGINS) else { return Ok(BTreeMap::new()) };
    let wrong = |start: usize, why: String| {
        let at = edit::position(text, start);
        Error::usage(format!("{}, {at}: {why}", safe(&path.display().to_string()))).at(at)
    };
    let tables =
        item.get_ref().as_table().ok_or_else(|| wrong(item.span().start, "`plugins` wants a table a plugin".into()))?;
    let each = tables.iter().map(|(name, item)| {
        let name: &str = name.get_ref();
        let start = item.span().start;
        let table = item.get_ref().as_table();
        let table = table.ok_or_else(|| wrong(start, format!("plugin `{}` wants a table", safe(name))))?;
        let known = ["path", "git", "rev", "config"];
        if let Some(key) = table.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            let error = wrong(
                key.span().start,
                format!("plugin `{}` has an unknown key `{}`", safe(name), safe(key.get_ref())),
            );
            return Err(error.did_you_mean(nearest(key.get_ref(), known)));
        }
        let text_of = |key: &str| match table.get(key) {
            None => Ok(None),
            Some(item) => match item.get_ref().as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(wrong(item.span().start, format!("plugin `{}`: `{key}` wants a text", safe(name)))),
            },
        };
        if let Some(config) = table.get("config").filter(|config| config.get_ref().as_table().is_none()) {
            return Err(wrong(config.span().start, format!("plugin `{}`: `config` wants a table", safe(name))));
        }
        let source = match (text_of("path")?, text_of("git")?, text_of("rev")?) {
            (Some(path), None, None) => Source::Path(path),
            (None, Some(url), rev) => {
                // A revision has a key of its own here.
                if !url.contains("://") {
                    return Err(wrong(start, format!("`{}` is no repository", safe(&url))));
                }
                Source::git(url, rev).map_err(|error| wrong(start, error.full_message()))?
            }
            (Some(_), None, Some(_)) => {
                return Err(wrong(start, format!("plugin `{}`: `rev` is of `git`, not of `path`", safe(name))));
            }
            _ => return Err(wrong(start, format!("plugin `{}` wants `path` or `git`", safe(name)))),
        };
        Ok((name.to_owned(), source))
    });
    each.collect()
}

impl Team {
    /// The folder of a plugin that lies in the repository. Errors: it leads out of it.
    pub fn folder(&self, path: &str) -> Result<PathBuf> {
        let root = self.root();
        let folder = std::fs::canonicalize(root.join(path))
            .map_err(|source| Error::usage(format!("there is no plugin in {}", safe(path))).caused_by(source))?;
        let root = std::fs::canonicalize(root).unwrap_or_default();
        if folder.starts_with(&root) {
            return Ok(folder);
        }
        Err(Error::usage(format!("{} leads out of the folder of orysh.toml", safe(path)))
            .hint("a plugin lies beside it or below, or comes by git"))
    }

    fn root(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Whether this user has switched one of them off, here.
    pub fn is_off(&self, name: &str) -> Result<bool> {
        let path = trust_file()?;
        let text = edit::text(&path)?;
        let document = edit::parse(&text, &path)?;
        let off = document.get(OFF).and_then(|item| item.get_ref().as_array());
        let place = self.place(name);
        Ok(off.into_iter().flatten().any(|item| item.get_ref().as_str() == Some(&place)))
    }

    /// Switches one of them on or off, here, for this user.
    pub fn switch(&self, name: &str, on: bool) -> Result<()> {
        let place = self.place(name);
        edit::change(&trust_file()?, |document| {
            let off = document.entry(OFF).or_insert_with(|| value(Array::new()));
            if let Some(off) = off.as_array_mut() {
                off.retain(|other| other.as_str() != Some(&place));
                if !on {
                    off.push(place);
                }
            }
            Ok(())
        })
    }

    /// What tells a plugin from those of other repositories.
    fn place(&self, name: &str) -> String {
        let root = std::fs::canonicalize(self.root()).unwrap_or_else(|_| self.root().to_owned());
        format!("{}:{name}", root.display())
    }

    /// The repository's lock.
    pub fn lock(&self) -> PathBuf {
        self.root().join(store::LOCK)
    }

    /// What the repository says of a plugin's configuration.
    pub fn settings(&self, manifest: &Manifest) -> Result<BTreeMap<String, Setting>> {
        let document = edit::parse(&self.text, &self.path)?;
        let table = |of: Option<&DeTable<'_>>| -> Result<BTreeMap<String, Setting>> {
            store::settings(of, manifest, (&self.path, &self.text))
        };
        let plugins = document.get(PLUGINS).and_then(|item| item.get_ref().as_table());
        let own =
            plugins.and_then(|table| table.get(manifest.name.as_str())).and_then(|item| item.get_ref().as_table());
        table(own.and_then(|table| table.get("config")).and_then(|config| config.get_ref().as_table()))
    }
}

/// The plugins that are switched off, by their places.
const OFF: &str = "off";

fn trust_file() -> Result<PathBuf> {
    Ok(paths::config()?.join("plugin-trust.toml"))
}

/// Whether this user trusts content of that hash.
pub fn is_trusted(hash: &str) -> Result<bool> {
    let path = trust_file()?;
    Ok(edit::text_of(&edit::parse(&edit::text(&path)?, &path)?, hash).is_some())
}

/// Remembers that this user trusts content of that hash.
pub fn trust(hash: &str, name: &str) -> Result<()> {
    edit::change(&trust_file()?, |document| {
        document.insert(hash, value(name));
        Ok(())
    })
}
