//! TOML files that people edit too: what a program changes leaves comments, order and unknown keys as they were.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::config::files;
use crate::error::{Error, Position, Result};
use crate::text::{safe, shell_word};
use crate::ui;

/// Reads a file; one that is not there is empty.
///
/// Errors are of usage: it cannot be read, or others can read or write it.
pub fn text(path: &Path) -> Result<String> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(source) => return Err(Error::usage(format!("cannot read {}", path.display())).caused_by(source)),
    };
    private(path)?;
    String::from_utf8(bytes).map_err(|source| {
        let valid = String::from_utf8_lossy(&source.as_bytes()[..source.utf8_error().valid_up_to()]).into_owned();
        let at = position(&valid, valid.len());
        Error::usage(format!("{}, {at}: it is not UTF-8", path.display())).at(at)
    })
}

/// Takes a text apart. Errors are of usage, with line and column.
pub fn parse<'a>(text: &'a str, path: &Path) -> Result<DeTable<'a>> {
    DeTable::parse(text).map(Spanned::into_inner).map_err(|source| {
        let at = position(text, source.span().map_or(0, |span| span.start));
        let name = path.display().to_string();
        Error::usage(format!("{}, {at}: {}", safe(&name), safe(source.message().trim()))).at(at)
    })
}

/// The text under a key, if it is one.
pub fn text_of<'a>(table: &'a DeTable<'_>, key: &str) -> Option<&'a str> {
    table.get(key).map(Spanned::get_ref).and_then(DeValue::as_str)
}

/// Where a byte of a text is.
pub fn position(text: &str, byte: usize) -> Position {
    let before = text.get(..byte.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position { line, column }
}

/// Refuses a file that others can read or write: it may hold credentials, and says where commands act.
pub fn private(path: &Path) -> Result<()> {
    let found = fs::metadata(path)
        .map_err(|source| Error::usage(format!("cannot read {}", path.display())).caused_by(source))?;
    let of_others = found.mode() & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let word = shell_word(&path.display().to_string());
    Err(Error::usage(format!("others can read or change {}", path.display()))
        .hint(format!("mend it with: chmod 600 {word}")))
}

/// Changes a file, alone: other processes wait, and whoever reads meanwhile has the old file or the new one, whole.
///
/// Errors: those of [`text`] and [`parse`], of `change` (then nothing is written), and of writing.
pub fn change<T>(path: &Path, change: impl FnOnce(&mut DocumentMut) -> Result<T>) -> Result<T> {
    let path = files::real(path);
    let _lock = lock(&path)?;
    files::sweep(&path);
    let before = text(&path)?;
    parse(&before, &path)?;
    let mut document: DocumentMut =
        before.parse().map_err(|_| Error::usage(format!("{} cannot be changed", path.display())))?;
    let unchanged = document.to_string();
    // Comments alone are at the end of nothing: what is added comes after them.
    let mut comments = if document.is_empty() { unchanged.clone() } else { String::new() };
    if !comments.is_empty() && !comments.ends_with('\n') {
        comments.push('\n');
    }
    if document.is_empty() {
        document.set_trailing("");
    }
    let result = change(&mut document)?;
    let mut after = format!("{comments}{document}");
    if after != unchanged {
        // As some editors have them.
        if before.contains("\r\n") && before.matches("\r\n").count() == before.matches('\n').count() {
            after = after.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        if before.starts_with(MARK) && !after.starts_with(MARK) {
            after.insert(0, MARK);
        }
        files::replace(&path, after.as_bytes())?;
    }
    Ok(result)
}

/// The byte order mark.
const MARK: char = '\u{feff}';

/// Sets a value; the comments around the one before it stay.
pub fn set(table: &mut dyn TableLike, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    match table.get_mut(key) {
        Some(Item::Value(before)) => {
            *value.decor_mut() = before.decor().clone();
            *before = value;
        }
        _ => drop(table.insert(key, Item::Value(value))),
    }
}

/// Removes a table of a table; the comments before it stay, with what comes after it.
pub fn remove(document: &mut DocumentMut, outer: &str, inner: &str) {
    let removed = document.get_mut(outer).and_then(Item::as_table_like_mut).and_then(|table| table.remove(inner));
    let Some(Item::Table(removed)) = removed else { return };
    let comments = removed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned();
    if !comments.contains('#') {
        return;
    }
    let after = removed.position();
    let next = document.get_mut(outer).and_then(Item::as_table_mut).and_then(|table| {
        let tables = table.iter_mut().filter_map(|(_, item)| item.as_table_mut());
        tables.filter(|table| table.position() > after).min_by_key(|table| table.position())
    });
    if let Some(next) = next {
        let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let joined = format!("{comments}{own}");
        next.decor_mut().set_prefix(joined);
    } else {
        let trailing = document.trailing().as_str().unwrap_or_default();
        let mut joined = format!("{comments}{trailing}");
        if !joined.ends_with('\n') {
            joined.push('\n');
        }
        document.set_trailing(joined);
    }
}

/// Holds a file for as long as the returned one is open; its folder is made where it is not there.
///
/// A link is held by what it leads to. Errors: Ctrl-C came while another process held it.
pub fn lock(path: &Path) -> Result<File> {
    let path = files::real(path);
    let failed = |source: std::io::Error| Error::failed(format!("cannot lock {}", path.display())).caused_by(source);
    if let Some(folder) = path.parent() {
        files::private_folder(folder)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = files::to_hold(Path::new(&name)).map_err(failed)?;
    let began = std::time::Instant::now();
    let mut is_told = false;
    loop {
        if !is_told && began.elapsed() > Duration::from_secs(1) {
            is_told = true;
            ui::Ui::default().note(&format!("waiting for another process, which works on {}", path.display()));
        }
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if ui::is_interrupted() => return Err(Error::interrupted()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BREATH),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// How long a lock that another process holds is left alone.
const BREATH: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn comments_order_and_unknown_keys_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "# mine\nlater = 1 # too\n\n[profile.b]\nx = \"y\"\n[profile.a]\n";
        files::replace(&path, text.as_bytes()).unwrap();
        change(&path, |document| {
            document["profile"]["b"]["endpoint"] = toml_edit::value("http://x");
            Ok(())
        })
        .unwrap();
        let now = fs::read_to_string(&path).unwrap();
        assert_eq!(now, text.replace("x = \"y\"\n", "x = \"y\"\nendpoint = \"http://x\"\n"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_broken_or_open_to_others_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        files::replace(&path, b"a = 1\nb = \n").unwrap();
        let error = change(&path, |_| Ok(())).unwrap_err();
        assert!(error.message().contains("config.toml, line 2, column"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a = 1\nb = \n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(text(&path).unwrap_err().hints()[0].contains("chmod 600"));
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for n in 0..5 {
                        change(path, |document| {
                            document[&format!("k{thread}x{n}")] = toml_edit::value(1);
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(parse(&text(&path).unwrap(), &path).unwrap().len(), 40);
    }
}
