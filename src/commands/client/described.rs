//! The clients that files describe, as commands that take several files read them.

use std::path::{Path, PathBuf};

use crate::config::read;
use crate::error::{Error, Result};
use crate::model::input::{self, Entry};
use crate::ops::mark;
use crate::text::safe;
use crate::ui::Ui;

/// What a file of clients may be called in a folder.
const EXTENSIONS: &[&str] = &["json", "jsonl", "ndjson", "yaml", "yml", "csv"];

/// Every client of the files, in their order; `-` is stdin. What is not for files to set is left out, which is told.
pub fn described(ui: Ui, files: &[String]) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    for file in files {
        let name = read::name(file);
        found.extend(without_strange(ui, name, input::parse_documents(&read::clients(file)?, name)?));
    }
    Ok(found)
}

/// The one client of a file, likewise.
pub fn one(ui: Ui, file: &str) -> Result<Entry> {
    let name = read::name(file);
    let entry = input::parse_document(&read::text(file)?, name)?;
    let mut entries = without_strange(ui, name, vec![entry]);
    Ok(entries.remove(0))
}

/// Leaves the mark of a set out, and tells of all that was left out: of one client or of many.
fn without_strange(ui: Ui, file: &str, mut entries: Vec<Entry>) -> Vec<Entry> {
    for Entry { spec, left_out, .. } in &mut entries {
        if mark::take(spec) {
            left_out.push(format!("metadata.{}", mark::MARK));
        }
    }
    let from = entries.iter().filter(|entry| !entry.left_out.is_empty()).count();
    let mut left_out: Vec<&str> = entries.iter().flat_map(|entry| &entry.left_out).map(String::as_str).collect();
    left_out.sort_unstable();
    left_out.dedup();
    if from > 0 {
        let clients = if from == 1 { "a client".to_owned() } else { format!("{from} clients") };
        let fields = left_out.join(", ");
        ui.note(&format!("left out of {clients} in {}, as it is not for files to set: {fields}", safe(file)));
    }
    entries
}

/// The same files, with those of folders and of the folders in them in the order of their names. Hidden ones are passed
/// over; others that cannot hold clients are told.
pub fn with_folders(ui: Ui, named: &[String]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for name in named {
        if name == "-" || !Path::new(name).is_dir() {
            files.push(name.clone());
            continue;
        }
        let (mut found, mut others) = (Vec::new(), Vec::new());
        look_through(Path::new(name), &mut found, &mut others)?;
        if !others.is_empty() {
            ui.note(&format!("passed over in {}: {}", safe(name), safe(&others.join(", "))));
        }
        if found.is_empty() {
            return Err(Error::usage(format!("there is no file of clients in {}", safe(name)))
                .hint(format!("their names end with .{}", EXTENSIONS.join(", ."))));
        }
        files.extend(found);
    }
    Ok(files)
}

fn look_through(folder: &Path, found: &mut Vec<String>, others: &mut Vec<String>) -> Result<()> {
    let unreadable = |source| Error::usage(format!("cannot read the folder {}", folder.display())).caused_by(source);
    let mut entries = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(unreadable))
        .collect::<Result<Vec<PathBuf>>>()?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_link = path.is_symlink();
        match path.to_str() {
            _ if name.starts_with('.') => {}
            // A link to a folder may lead back to where it is.
            Some(_) if path.is_dir() && !is_link => look_through(&path, found, others)?,
            Some(text) if path.is_file() && EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)) => {
                found.push(text.to_owned());
            }
            _ => others.push(name),
        }
    }
    Ok(())
}
