//! The whole input is checked and spooled before anything is sent; nothing of it is read again.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::job::Job;
use super::journal::Journal;
use super::key::RunKey;
use super::rows::{Place, Raw, Rows};
use super::shape::{Asked, Shape};
use super::store::{self, New};
use crate::crypt::source::Material;
use crate::crypt::{Recipient, Source, certificate, recipient};
use crate::error::{Error, Kind, Position, Result};
use crate::model::client::{ClientId, ClientSpec};
use crate::model::{fields, lint};
use crate::ops::mark;
use crate::ops::recipients::{self, Wanted};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::hook::{self, Planned};
use crate::text::{hex, safe};

/// So many rows are written at once.
const CHUNK: usize = 1_000;

/// So many rows that are wrong are told in full.
pub const MOST_TOLD: usize = 50;

/// So many sources of keys are remembered with their numbers; others are looked up in the journal.
const MOST_SOURCES: usize = 1_000;

/// How an input is to be read.
#[derive(Debug)]
pub struct How {
    /// What the rows are for.
    pub job: Job,
    /// Take what lint finds wrong, too.
    pub no_lint: bool,
    /// Go on with the good rows where some are wrong.
    pub skip_invalid: bool,
    /// Whom every secret is for whose row names nobody.
    pub recipients: Recipients,
}

impl How {
    /// As rows of that kind are read where nothing else is said.
    pub fn of(job: Job) -> Self {
        How { job, no_lint: false, skip_invalid: false, recipients: Recipients::default() }
    }
}

/// Whom secrets are for.
#[derive(Debug)]
pub enum Recipients {
    /// Keys that are to be read.
    Wanted(Wanted),
    /// Keys that were read, and told of.
    Read(Vec<(Recipient, Material)>),
}

impl Recipients {
    /// Whom they are for, so that it can be compared.
    pub fn told(&self) -> String {
        match self {
            Recipients::Wanted(wanted) => format!("{wanted:?}"),
            Recipients::Read(found) => {
                let each = found.iter().map(|(recipient, _)| recipient.fingerprint().as_str().to_owned());
                each.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl Default for Recipients {
    fn default() -> Self {
        Recipients::Read(Vec::new())
    }
}

/// The code of an error that says that no client is meant.
pub const NOBODY: &str = "no_client";

/// Where rows come from.
pub enum Input<'a> {
    /// A file, or stdin.
    Rows(Box<Rows>),
    /// Ids, which may come from a server: what is asked for is the same for all of them.
    Ids(Box<dyn Iterator<Item = Result<ClientId>>>),
    /// Clients that a command checks itself as they are taken, under a name for them all.
    Ready(&'static str, Box<dyn Iterator<Item = Result<Ready>> + 'a>),
}

/// A client that was checked already, with all that it needs.
#[derive(Debug)]
pub struct Ready {
    /// Its id.
    pub id: ClientId,
    /// Whether that was chosen here.
    pub id_is_ours: bool,
    /// What is asked for. A secret in it was given by a person; one that is made here is the run's to choose.
    pub spec: ClientSpec,
    /// Whether its secret is encrypted.
    pub is_sealed: bool,
    /// When the client was changed last as this was planned: another change that came between is not to be undone.
    pub planned: Option<String>,
}

/// What an input came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Rows that can be sent.
    pub good: u64,
    /// Rows that are passed over.
    pub skipped: u64,
    /// Rows that name their id themselves.
    pub given: u64,
    /// Rows with a secret that is encrypted for nobody.
    pub plain: u64,
    /// The SHA-256 of the input.
    pub hash: String,
    /// Whether the run is one of before, which is gone on with.
    pub is_resumed: bool,
}

/// Checks and spools.
pub struct Checker<'a> {
    session: &'a Session,
    journal: &'a Journal,
    key: &'a RunKey,
    shape: Shape,
    how: How,
    /// The number of the keys that every secret is for.
    default_keys: Option<i64>,
    /// The hosts with private addresses from which keys of rows may be fetched.
    allowed_private: Vec<String>,
    sources: HashMap<String, i64>,
    waiting: Vec<New>,
    wrong: Vec<(u64, usize, String)>,
    told: usize,
    wrong_count: u64,
    /// Whether one of them is wrong by itself, and not only by what a plugin says of it.
    is_misused: bool,
    warnings: Vec<(String, u64, u64)>,
    checked: Checked,
}

impl<'a> Checker<'a> {
    /// Begins. Errors are of usage: a key for every row that cannot be had or used.
    pub fn new(session: &'a Session, journal: &'a Journal, key: &'a RunKey, shape: Shape, how: How) -> Result<Self> {
        let mut checker = Checker {
            session,
            journal,
            key,
            shape,
            how,
            default_keys: None,
            allowed_private: Vec::new(),
            sources: HashMap::new(),
            waiting: Vec::with_capacity(CHUNK),
            wrong: Vec::new(),
            told: 0,
            wrong_count: 0,
            is_misused: false,
            warnings: Vec::new(),
            checked: Checked::default(),
        };
        let found = match std::mem::take(&mut checker.how.recipients) {
            Recipients::Wanted(wanted) => {
                let found = recipients::load_with_material(session, &wanted)?;
                recipients::tell(session, &found.iter().map(|(recipient, _)| recipient.clone()).collect::<Vec<_>>());
                checker.allowed_private = wanted.allowed_private;
                found
            }
            Recipients::Read(found) => found,
        };
        if !found.is_empty() {
            checker.default_keys = Some(checker.keep("flags", &found)?);
        }
        Ok(checker)
    }

    /// Reads the input to its end. Errors are of usage: rows are wrong, which are told, and nothing is to be sent.
    pub fn run(self, input: Input<'_>) -> Result<Checked> {
        match input {
            Input::Rows(rows) => self.run_rows(*rows),
            Input::Ids(ids) => self.run_ids(ids),
            Input::Ready(name, clients) => self.run_ready(name, clients),
        }
    }

    fn run_ids(mut self, ids: impl Iterator<Item = Result<ClientId>>) -> Result<Checked> {
        let (name, mut hash) = ("the ids", Sha256::new());
        for (at, id) in ids.enumerate() {
            if self.session.interrupt().has_arrived() {
                return Err(Error::interrupted());
            }
            let id = id?;
            hash.update(format!("{}\n", id.as_str()));
            let place = Place::of_line(at + 1);
            let asked = self.shape.asked(&mut Raw::bare(place.clone()), &[]);
            // What is wrong with one is wrong with all of them.
            let mut asked = asked.map_err(|mut errors| errors.remove(0))?;
            asked.spec.set_id(&id);
            let new = self.row_of_client(&place, asked.spec, &asked.keys)?;
            self.push(new, name)?;
        }
        self.flush(name)?;
        self.demand_right()?;
        if self.checked.good == 0 {
            return Err(Error::usage("no client is meant: there is nothing to send").with_code(NOBODY));
        }
        self.checked.hash = hex(&hash.finalize());
        Ok(self.checked)
    }

    fn run_ready(mut self, name: &str, clients: impl Iterator<Item = Result<Ready>>) -> Result<Checked> {
        let mut hash = Sha256::new();
        for (at, ready) in clients.enumerate() {
            let new = self.ready(&Place::of_line(at + 1), ready?, &mut hash)?;
            self.push(new, name)?;
        }
        self.flush(name)?;
        self.demand_right()?;
        self.checked.hash = hex(&hash.finalize());
        Ok(self.checked)
    }

    fn push(&mut self, new: New, name: &str) -> Result<()> {
        self.waiting.push(new);
        if self.waiting.len() >= CHUNK { self.flush(name) } else { Ok(()) }
    }

    /// Errors: rows are wrong, and are not to be passed over.
    fn demand_right(&self) -> Result<()> {
        if self.wrong_count == 0 || self.how.skip_invalid {
            return Ok(());
        }
        let total = self.checked.good + self.wrong_count;
        let more = self.wrong_count.saturating_sub(MOST_TOLD as u64);
        let more = if more > 0 { format!(" ({more} more were not told)") } else { String::new() };
        let error = format!("{} of {total} rows are wrong{more}: nothing was sent", self.wrong_count);
        Err(Error::new(self.kind(), error).hint("--skip-invalid goes on with the good ones"))
    }

    /// Of what sort it is that rows are wrong.
    fn kind(&self) -> Kind {
        if self.is_misused { Kind::Usage } else { Kind::Failed }
    }

    /// A client that was checked already. What tells it from others goes into `hash`.
    fn ready(&mut self, place: &Place, ready: Ready, hash: &mut Sha256) -> Result<New> {
        let Ready { id, id_is_ours, spec, is_sealed, planned } = ready;
        let keys = self.default_keys.filter(|_| is_sealed);
        let is_create = self.how.job == Job::Create;
        let has_secret = spec.secret().is_some() || is_create && spec.uses_secret();
        let secret = spec.secret().map(|secret| Sha256::digest(secret.expose())).unwrap_or_default();
        let new = self.spooled(place, spec, &id, id_is_ours, keys, has_secret && keys.is_none())?;
        hash.update(if id_is_ours { "" } else { id.as_str() });
        hash.update(" ");
        hash.update(&new.body);
        hash.update(secret);
        Ok(New { planned, ..new })
    }

    /// A row as the journal has it, its id beside what is asked for. `is_plain`: it has a secret that is encrypted for nobody.
    fn spooled(
        &mut self,
        place: &Place,
        mut spec: ClientSpec,
        id: &ClientId,
        id_is_ours: bool,
        keys: Option<i64>,
        is_plain: bool,
    ) -> Result<New> {
        let sealed = spec.secret().map(|secret| self.key.seal(place.row, secret)).transpose()?;
        spec.remove_secret();
        if let Some(field) = fields::field("client_id") {
            spec.remove(field);
        }
        self.checked.given += u64::from(!id_is_ours);
        self.checked.plain += u64::from(is_plain);
        let (n, line) = (place.row, place.at.line);
        let (id, body) = (id.as_str().to_owned(), Value::Object(spec.body()).to_string());
        Ok(New { n, line, id, given: !id_is_ours, body, sealed, keys, planned: None })
    }

    fn run_rows(mut self, mut rows: Rows) -> Result<Checked> {
        let is_wide = rows.has_columns();
        let located = |error: Error, name: &str| error.about(safe(name));
        if is_wide {
            self.shape.check_columns(rows.names()).map_err(|error| located(error, &rows.name))?;
        }
        self.shape.learn(rows.names(), is_wide).map_err(|error| located(error, &rows.name))?;
        while let Some(raw) = rows.read() {
            if self.session.interrupt().has_arrived() {
                return Err(Error::interrupted());
            }
            match raw {
                Ok(raw) => self.row(raw, &rows, is_wide)?,
                Err(wrong) => match wrong.place {
                    Some(place) => self.refuse(&rows.name, &place, vec![wrong.error])?,
                    None => return Err(place_in(&rows.name, wrong.error).hint("nothing was sent")),
                },
            }
        }
        self.flush(&rows.name)?;
        if !is_wide {
            self.shape.check_columns(rows.names()).map_err(|error| located(error, &rows.name))?;
        }
        self.checked.hash = rows.hash();
        for (warning, count, first) in &self.warnings {
            let rows = if *count == 1 { format!("row {first}") } else { format!("{count} rows, the first is {first}") };
            self.session.ui().warn(&format!("{rows}: {warning}"));
        }
        let total = self.checked.good + self.wrong_count;
        if total == 0 {
            return Err(Error::usage(format!("there is no row in {}", safe(&rows.name))));
        }
        self.demand_right()?;
        if self.checked.good == 0 {
            return Err(Error::new(self.kind(), "no row is right: there is nothing to send"));
        }
        Ok(self.checked)
    }

    fn row(&mut self, mut raw: Raw, rows: &Rows, is_wide: bool) -> Result<()> {
        if !is_wide && let Err(error) = self.shape.learn(rows.names(), false) {
            // It is not known what the rows after it are to do with such a name.
            return Err(
                place_in(&rows.name, raw.moved(error.at(rows.named_at(self.shape.known())))).hint("nothing was sent")
            );
        }
        let place = raw.place.clone();
        let read = self.shape.asked(&mut raw, rows.names());
        match read.and_then(|asked| self.new_row(&place, asked).map_err(|error| vec![raw.moved(error)])) {
            Ok(new) => self.push(new, &rows.name),
            Err(errors) => self.refuse(&rows.name, &place, errors),
        }
    }

    fn new_row(&mut self, place: &Place, asked: Asked) -> Result<New> {
        let Asked { mut spec, keys, .. } = asked;
        mark::take(&mut spec);
        if self.how.job != Job::Create {
            return self.row_of_client(place, spec, &keys);
        }
        let mut whole = spec.with_defaults();
        for changed in hook::before_heard(self.session, Planned::Create(&mut whole))? {
            self.warn(&changed, place.row);
        }
        let spec = whole;
        if !self.how.no_lint {
            let findings = lint::lint(&spec).into_iter().chain(hook::lint(self.session, &spec)?).collect();
            for finding in hook::judged(self.session, spec.id().unwrap_or_default(), findings)? {
                self.warn(&finding.told(), place.row);
            }
        }
        let given = spec.client_id()?;
        let is_given = given.is_some();
        let id = given.unwrap_or_else(ClientId::generate);
        let has_secret = spec.uses_secret() || spec.secret().is_some();
        let keys = match (keys.is_empty(), has_secret) {
            (true, true) => self.default_keys,
            (true, false) => None,
            (false, true) => Some(self.keys(&keys)?),
            (false, false) => {
                return Err(Error::usage(format!(
                    "a client with `{}` has no secret, and there is nothing to encrypt",
                    spec.auth_method()
                )));
            }
        };
        self.spooled(place, spec, &id, !is_given, keys, has_secret && keys.is_none())
    }

    /// A row that names a client that is there.
    fn row_of_client(&mut self, place: &Place, mut spec: ClientSpec, keys: &[Source]) -> Result<New> {
        let id = spec.client_id()?.ok_or_else(|| Error::usage("the row names no client: it has no client_id"))?;
        if let Some(field) = fields::field("client_id") {
            spec.remove(field);
        }
        if self.how.job == Job::Update && spec.is_empty() {
            return Err(Error::usage("the row changes nothing").hint("name fields, as columns or by --set"));
        }
        let keys = match (self.how.job, keys.is_empty()) {
            (Job::Delete, _) => None,
            (_, true) => self.default_keys,
            (_, false) => Some(self.keys(keys)?),
        };
        let gets_secret = self.how.job == Job::Rotate || spec.secret().is_some();
        self.spooled(place, spec, &id, false, keys, gets_secret && keys.is_none())
    }

    /// The number of the keys that a row names: read once, however many rows name them.
    fn keys(&mut self, sources: &[Source]) -> Result<i64> {
        let name = format!("{sources:?}");
        if let Some(number) = self.sources.get(&name) {
            return Ok(*number);
        }
        let journal = self.journal;
        let wanted = name.clone();
        let known = self.session.wait(journal.write(move |connection| store::keys_of(connection, &wanted)))?;
        let number = if let Some(number) = known {
            number
        } else {
            let allowed_private = self.allowed_private.clone();
            let wanted = Wanted { sources: sources.to_vec(), fingerprints: Vec::new(), allowed_private };
            self.keep(&name, &recipients::load_with_material(self.session, &wanted)?)?
        };
        if self.sources.len() >= MOST_SOURCES {
            self.sources.clear();
        }
        self.sources.insert(name, number);
        Ok(number)
    }

    /// Keeps keys in the journal, after a trial of them.
    fn keep(&mut self, name: &str, found: &[(Recipient, Material)]) -> Result<i64> {
        let all: Vec<Recipient> = found.iter().map(|(recipient, _)| recipient.clone()).collect();
        recipient::encrypt(&all, &Secret::new("trial"))?;
        let material =
            found.iter().map(|(_, read)| json!({"from": read.from, "bytes": STANDARD.encode(&read.bytes)})).collect();
        let expires = all.iter().filter_map(Recipient::expires).min().map(store::seconds);
        let (name, material) = (name.to_owned(), Value::Array(material).to_string());
        let journal = self.journal;
        self.session.wait(journal.write(move |connection| store::keep_keys(connection, &name, &material, expires)))
    }

    fn flush(&mut self, name: &str) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let count = rows.len() as u64;
        let journal = self.journal;
        let twice = self.session.wait(journal.write(move |connection| store::add(connection, rows)))?;
        self.checked.good += count - twice.len() as u64;
        for (new, first) in twice {
            let place = Place { row: new.n, at: Position { line: new.line, column: 1 } };
            let error = Error::usage(format!("client `{}` is in row {first} already", safe(&new.id)));
            self.refuse(name, &place, vec![error.at(place.at)])?;
        }
        let wrong = std::mem::take(&mut self.wrong);
        self.session.wait(journal.write(move |connection| store::skip(connection, wrong)))
    }

    /// Notes a row that is wrong, and tells of the first ones.
    fn refuse(&mut self, name: &str, place: &Place, errors: Vec<Error>) -> Result<()> {
        self.wrong_count += 1;
        self.is_misused |= errors.iter().any(|error| error.kind() == Kind::Usage);
        self.checked.skipped += u64::from(self.how.skip_invalid);
        let messages: Vec<String> = errors.iter().map(Error::full_message).collect();
        if self.told < MOST_TOLD {
            self.told += 1;
            for error in errors {
                let at = format!("{}, row {} (line {})", safe(name), place.row, place.at.line);
                self.session.ui().error(&error.about(at));
            }
        }
        self.wrong.push((place.row, place.at.line, messages.join("; ")));
        if self.wrong.len() >= CHUNK { self.flush(name) } else { Ok(()) }
    }

    fn warn(&mut self, told: &str, row: u64) {
        if let Some((_, count, _)) = self.warnings.iter_mut().find(|(warning, _, _)| warning == told) {
            *count += 1;
        } else if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push((told.to_owned(), 1, row));
        }
    }
}

/// So many different warnings are told.
const MOST_WARNINGS: usize = 20;

fn place_in(name: &str, error: Error) -> Error {
    let at = error.position().map(|at| format!(", {at}")).unwrap_or_default();
    error.about(format!("{}{at}", safe(name)))
}

/// Refuses a run in which a key would end before it is used.
pub fn check_keys(session: &Session, journal: &Journal, lasts: Duration) -> Result<()> {
    let end = SystemTime::now() + lasts;
    let found = session.wait(journal.write(move |connection| store::expiring(connection, store::seconds(end))))?;
    match found {
        None => Ok(()),
        Some((row, line, expires)) => {
            let when = UNIX_EPOCH + Duration::from_secs(u64::try_from(expires).unwrap_or_default());
            Err(Error::usage(format!(
                "row {row} (line {line}): the key that its secret is for ends on {}, before the run does",
                certificate::day(when)
            ))
            .hint("ask its owner for a newer one, or let the row wait"))
        }
    }
}
