//! What a run came to, row by row: a file that is written whole, from the journal.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::job::Job;
use super::journal::Journal;
use super::key::RunKey;
use super::run::spec;
use super::state::State;
use super::store::{self, Told};
use crate::config::files;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::text::{hex, safe};

/// Which secrets results hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Secrets {
    /// None.
    None,
    /// Those that are encrypted for their owners.
    Pgp,
    /// Those, and all others in clear.
    Plain,
}

impl Secrets {
    /// Their names.
    pub const NAMES: [&str; 3] = ["none", "pgp", "plain"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Secrets::None => "none",
            Secrets::Pgp => "pgp",
            Secrets::Plain => "plain",
        }
    }

    /// By name.
    pub fn parse(name: &str) -> Self {
        match name {
            "none" => Secrets::None,
            "plain" => Secrets::Plain,
            _ => Secrets::Pgp,
        }
    }
}

/// The form of a results file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Csv,
    JsonLines,
    /// A folder, with a file an owner.
    Folder,
}

fn form(path: &Path) -> Result<Form> {
    match path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok(Form::Csv),
        Some("jsonl" | "ndjson") => Ok(Form::JsonLines),
        None => Ok(Form::Folder),
        Some(_) => {
            Err(Error::usage(format!("results are written as .csv, .jsonl or into a folder, not {}", path.display())))
        }
    }
}

/// Finds out before anything is sent whether results could be written there.
pub fn rehearse(path: &Path) -> Result<()> {
    form(path)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trial = folder.join(format!(".orysh-{}", Uuid::new_v4()));
    let failed = |source| Error::usage(format!("results cannot be written to {}", path.display())).caused_by(source);
    let is_wrong = form(path)? != Form::Folder && path.is_dir() || form(path)? == Form::Folder && path.is_file();
    if is_wrong {
        return Err(Error::usage(format!("{} is there already, and is of another kind", path.display())));
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&trial).map_err(failed)?;
    fs::remove_file(&trial).map_err(failed)
}

/// Refuses a path at which there is something: it may be the only place of another run's secrets.
pub fn refuse_others(path: &Path) -> Result<()> {
    let is_free = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !path.exists(),
    };
    if is_free {
        return Ok(());
    }
    Err(Error::usage(format!("{} is there already, and may hold the secrets of another run", path.display()))
        .hint("name another, or move it away"))
}

/// The columns.
const COLUMNS: [&str; 5] = ["row", "outcome", "client_id", "client_secret", "error"];

/// A row of results.
pub struct Line {
    values: [Value; 5],
    owner: String,
}

/// Takes rows as results show them.
pub struct Reader<'a> {
    session: &'a Session,
    journal: &'a Journal,
    key: Option<&'a RunKey>,
    secrets: Secrets,
    job: Job,
}

impl<'a> Reader<'a> {
    /// Reads with these secrets; the key is needed for those in clear.
    pub fn new(
        session: &'a Session,
        journal: &'a Journal,
        job: Job,
        key: Option<&'a RunKey>,
        secrets: Secrets,
    ) -> Result<Self> {
        if secrets == Secrets::Plain && key.is_none() {
            return Err(Error::usage("the run's key is gone: its secrets cannot be told in clear any more")
                .hint("they were written when the run ended; a client can get another by `orysh rotate secret`"));
        }
        Ok(Reader { session, journal, key, secrets, job })
    }

    /// Hands over every row.
    pub fn each(&self, mut take: impl FnMut(Line) -> Result<()>) -> Result<()> {
        let mut cursor = 0;
        loop {
            let journal = self.journal;
            let rows = self.session.finish(journal.write(move |connection| store::told(connection, cursor, 500)))??;
            let Some(last) = rows.last() else { return Ok(()) };
            cursor = last.n;
            for told in rows {
                take(self.row(told)?)?;
            }
        }
    }

    fn row(&self, told: Told) -> Result<Line> {
        let spec = told.body.as_deref().map(spec).transpose()?;
        let secret = match (&told.secret, self.key, self.secrets) {
            (_, _, Secrets::None) => None,
            (Some(sealed), _, _) => Some(sealed.clone()),
            (None, Some(key), Secrets::Plain) if told.may_have_secret() => match &spec {
                Some(spec) => key.secret_for(self.job, told.n, told.sealed.as_deref(), spec)?,
                None => None,
            }
            .map(|secret| secret.expose().to_owned()),
            _ => None,
        };
        let owner = spec.as_ref().and_then(|spec| spec.text("owner")).unwrap_or_default().to_owned();
        let outcome = if told.state == State::Done { self.job.done() } else { told.state.name() };
        let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
        let id = Some(told.id).filter(|id| !id.is_empty());
        Ok(Line { values: [told.n.into(), outcome.into(), text(id), text(secret), text(told.error)], owner })
    }
}

/// Writes results, whole, in the place of what was there.
pub fn write(reader: &Reader<'_>, path: &Path) -> Result<()> {
    match form(path)? {
        Form::Folder => write_folder(reader, path),
        form => {
            let temporary = path.with_file_name(format!(".orysh-{}", Uuid::new_v4()));
            let written = write_file(reader, &temporary, form).and_then(|()| rename(&temporary, path));
            if written.is_err() {
                // Nobody else knows its name.
                let _ = fs::remove_file(&temporary);
            }
            written
        }
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    |source| Error::failed(format!("results cannot be written to {}", path.display())).caused_by(source)
}

fn write_file(reader: &Reader<'_>, path: &Path, form: Form) -> Result<()> {
    let mut out = Out::create(path, form)?;
    reader.each(|row| out.row(&row).map_err(failed(path)))?;
    out.end().map_err(failed(path))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(failed(to))?;
    let folder = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(to))
}

/// So many files of a folder are open at once.
const MOST_OPEN: usize = 128;

fn write_folder(reader: &Reader<'_>, path: &Path) -> Result<()> {
    let temporary = path.with_file_name(format!(".orysh-{}", Uuid::new_v4()));
    files::private_folder(&temporary)?;
    let written = fill_folder(reader, &temporary, path);
    // What was not moved from there is of no use.
    let _ = fs::remove_dir_all(&temporary);
    written
}

fn fill_folder(reader: &Reader<'_>, temporary: &Path, path: &Path) -> Result<()> {
    let mut open: HashMap<PathBuf, Out> = HashMap::new();
    let close =
        |open: &mut HashMap<PathBuf, Out>| open.drain().try_for_each(|(path, out)| out.end().map_err(failed(&path)));
    reader.each(|row| {
        let file = temporary.join(format!("{}.csv", file_name(&row.owner)));
        if !open.contains_key(&file) {
            if open.len() >= MOST_OPEN {
                close(&mut open)?;
            }
            open.insert(file.clone(), Out::create(&file, Form::Csv)?);
        }
        open.get_mut(&file).map_or(Ok(()), |out| out.row(&row)).map_err(failed(&file))
    })?;
    close(&mut open)?;
    files::private_folder(path)?;
    for entry in fs::read_dir(temporary).map_err(failed(path))? {
        let entry = entry.map_err(failed(path))?;
        rename(&entry.path(), &path.join(entry.file_name()))?;
    }
    Ok(())
}

/// An owner as the name of a file: one that is changed or cut for that has a name of its own by its hash.
fn file_name(owner: &str) -> String {
    const LONGEST: usize = 100;
    if owner.is_empty() {
        return "_no-owner".into();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '@' | '+') { c } else { '_' };
    let name: String = owner.chars().map(plain).take(LONGEST).collect();
    if name == owner && !name.starts_with('.') {
        return name;
    }
    format!("{}-{}", name.trim_start_matches('.'), &hex(&Sha256::digest(owner.as_bytes()))[..8])
}

/// A file of results while it is written; one that is there is gone on with.
struct Out {
    form: Form,
    file: BufWriter<File>,
}

impl Out {
    fn create(path: &Path, form: Form) -> Result<Self> {
        let is_new = !path.exists();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed(path))?;
        let mut out = Out { form, file: BufWriter::new(file) };
        if is_new && form == Form::Csv {
            out.csv(&COLUMNS.map(str::to_owned)).map_err(failed(path))?;
        }
        Ok(out)
    }

    fn row(&mut self, row: &Line) -> std::io::Result<()> {
        match self.form {
            Form::JsonLines => {
                let members: serde_json::Map<String, Value> =
                    COLUMNS.iter().map(|name| (*name).to_owned()).zip(row.values.iter().cloned()).collect();
                writeln!(self.file, "{}", json!(members))
            }
            Form::Csv | Form::Folder => {
                let cells = row.values.each_ref().map(|value| match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                self.csv(&cells)
            }
        }
    }

    fn csv(&mut self, cells: &[String]) -> std::io::Result<()> {
        let mut writer = csv::WriterBuilder::new().from_writer(&mut self.file);
        writer.write_record(cells)?;
        writer.flush()
    }

    fn end(mut self) -> std::io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

/// Results as rows of the output.
pub fn value(row: Line) -> Value {
    Value::Object(COLUMNS.iter().map(|name| (*name).to_owned()).zip(row.values).collect())
}

/// How a path of results is told.
pub fn shown(path: &Path) -> String {
    safe(&path.display().to_string()).into_owned()
}
