//! `clients::create_all(rows, options)`: a client for each row, through the engine of batches.

use std::cell::RefCell;
use std::collections::HashMap;

use rhai::{Array, Dynamic, INT, Map};

use crate::batch::again::Again;
use crate::batch::carry::{self, Carried, Clients, SCRIPT};
use crate::batch::check::{How, MOST_TOLD, Ready, Recipients};
use crate::batch::engine::Going;
use crate::batch::heard::Became;
use crate::batch::job::Job;
use crate::batch::pace;
use crate::batch::state::State;
use crate::crypt::Recipient;
use crate::crypt::source::Material;
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId};
use crate::ops::create::{self, Checked};
use crate::ops::{guard, recipients};
use crate::script::clients::spec_of_row;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, as_map, thrown};
use crate::script::held::Held;
use crate::script::missing::named;
use crate::script::{recipients as recipient_options, value};
use crate::session::Session;
use crate::session::hook::Done;

/// The options beside those that say whom secrets are for.
pub const OPTIONS: [&str; 3] = ["concurrency", "rate", "no_lint"];

/// `[#{row, outcome, client, error}]`, in the order of the rows. All rows are checked before anything is sent.
///
/// Throws where a row is wrong, and where the run was stopped: the same script goes on then, as `batch resume` does.
pub fn create_all(context: &Context, rows: &Array, options: &Map) -> ScriptResult<Array> {
    let session = &context.session();
    let asked = Asked::read(context, options).map_err(thrown)?;
    let planning = Planning::new(session, rows, &asked);
    if session.dry_run().is_some() {
        carry::tell_unfinished(session, &session.script()).map_err(thrown)?;
        return planning.collect::<Result<Vec<_>>>().and_then(|all| would_be(session, all, &asked)).map_err(thrown);
    }
    let total = rows.len() as u64;
    let about = RefCell::new(Vec::with_capacity(rows.len()));
    let each = planning.map(|checked| {
        let checked = checked?;
        about.borrow_mut().push((checked.id().clone(), checked.secret_is_ours()));
        let is_sealed = !asked.found.is_empty() && checked.has_secret();
        let (spec, id, id_is_ours) = checked.into_parts();
        Ok(Ready { id, id_is_ours, is_sealed, planned: None, spec })
    });
    // A sandbox of its own knows nothing of what was made before.
    let again = if session.is_confined() { Again::Allowed } else { Again::GoneOn };
    context.look_at_files().map_err(thrown)?;
    let clients = Clients { name: (SCRIPT, again), whose: context.whose(), total, each };
    let ask = || guard::batch(session, &Job::Create.deed(total), false);
    let mut carried = carry::carry_out(session, clients, asked.how(), &asked.going, ask).map_err(thrown)?;
    let earlier = carried.earlier.take();
    let is_new = earlier.is_none();
    let about = earlier.unwrap_or(about.into_inner());
    let stopped = carried.stopped.take();
    let wrote = |id: &ClientId, client: &Client| {
        if is_new {
            session.wrote_one(Done::Created, id, None, Some(client));
        }
    };
    let (told, secrets) = told(&mut carried, &about, session.sees_secrets(), wrote);
    match stopped {
        // Its secrets are in the journal, and whoever asks for the same rows again goes on with it.
        Some(error) if !secrets.is_empty() => Err(thrown(error.hint("the same script goes on with it as well"))),
        Some(error) => {
            carried.close(session).map_err(thrown)?;
            Err(thrown(error))
        }
        None => {
            let is_made = |row: &Dynamic| row.read_lock::<Map>().is_some_and(|row| row["error"].is_unit());
            let held = Held::of_run(session, carried, secrets, told.iter().all(is_made));
            if held.secrets().is_empty() {
                context.let_go(held).map_err(thrown)?;
            } else {
                context.hold(held);
            }
            Ok(told)
        }
    }
}

/// What the options ask for.
struct Asked {
    going: Going,
    found: Vec<(Recipient, Material)>,
    no_lint: bool,
}

impl Asked {
    fn read(context: &Context, options: &Map) -> Result<Asked> {
        let session = &context.session();
        let going = going(options)?;
        let wanted = recipient_options::wanted(context, options, "clients::create_all", &OPTIONS)?;
        let found = recipients::load_with_material(session, &wanted)?;
        let no_lint = value::switch(options, "no_lint")?;
        recipients::tell(session, &found.iter().map(|(recipient, _)| recipient.clone()).collect::<Vec<_>>());
        Ok(Asked { going, found, no_lint })
    }

    fn how(&self) -> How {
        How { no_lint: self.no_lint, recipients: Recipients::Read(self.found.clone()), ..How::of(Job::Create) }
    }
}

/// Rows as they are planned, one at a time. After the last one it is told which were wrong.
struct Planning<'a> {
    session: &'a Session,
    rows: std::iter::Enumerate<std::slice::Iter<'a, Dynamic>>,
    how: create::How,
    /// The rows that name their id themselves.
    given: HashMap<ClientId, usize>,
    wrong: Vec<String>,
    wrong_count: usize,
    total: usize,
}

impl<'a> Planning<'a> {
    fn new(session: &'a Session, rows: &'a Array, asked: &Asked) -> Self {
        let how = create::How { no_lint: asked.no_lint, ..create::How::default() };
        Planning {
            session,
            rows: rows.iter().enumerate(),
            how,
            given: HashMap::new(),
            wrong: Vec::new(),
            wrong_count: 0,
            total: rows.len(),
        }
    }

    fn check(&mut self, at: usize, row: &Dynamic) -> Result<Checked> {
        let checked = create::check(self.session, spec_of_row(row)?, &self.how)?;
        if checked.id_is_ours() {
            return Ok(checked);
        }
        match self.given.insert(checked.id().clone(), at + 1) {
            Some(first) => Err(Error::usage(format!("client `{}` is in row {first} already", checked.id()))),
            None => Ok(checked),
        }
    }
}

impl Iterator for Planning<'_> {
    type Item = Result<Checked>;

    fn next(&mut self) -> Option<Result<Checked>> {
        while let Some((at, row)) = self.rows.next() {
            match self.check(at, row) {
                Ok(checked) if self.wrong_count == 0 => return Some(Ok(checked)),
                // The others are looked at, and not used any more.
                Ok(_) => {}
                Err(error) => {
                    self.wrong_count += 1;
                    if self.wrong.len() < MOST_TOLD {
                        let hints = error.hints().iter().fold(String::new(), |told, hint| format!("{told}; {hint}"));
                        self.wrong.push(format!("row {}: {}{hints}", at + 1, error.full_message()));
                    }
                }
            }
        }
        let wrong = std::mem::take(&mut self.wrong_count);
        (wrong > 0).then(|| {
            let error = Error::usage(format!("{wrong} of {} rows are wrong: nothing was sent", self.total));
            Err(std::mem::take(&mut self.wrong).into_iter().fold(error, Error::hint))
        })
    }
}

/// What would become of each, where nothing is written.
fn would_be(session: &Session, checked: Vec<Checked>, asked: &Asked) -> Result<Array> {
    let recipients: Vec<Recipient> = asked.found.iter().map(|(recipient, _)| recipient.clone()).collect();
    let mut rows = Array::new();
    for (at, checked) in checked.into_iter().enumerate() {
        let how = create::How { recipients: checked.recipients_of(&recipients), ..create::How::default() };
        match create::create(session, checked.plan(&how)?, &how) {
            Ok(created) => rows.push(told_row(at, Job::Create.done(), Some(created.client), None)),
            Err(error) if error.code() == Some(create::CONFLICT) => {
                rows.push(told_row(at, State::Conflict.name(), None, Some(error)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

fn told_row(at: usize, outcome: &'static str, client: Option<Client>, error: Option<Error>) -> Dynamic {
    let mut row = Map::new();
    row.insert("row".into(), INT::try_from(at + 1).unwrap_or(INT::MAX).into());
    row.insert("outcome".into(), outcome.into());
    row.insert("client".into(), client.map_or(Dynamic::UNIT, Dynamic::from));
    row.insert("error".into(), error.map_or(Dynamic::UNIT, |error| as_map(&error).into()));
    row.into()
}

fn going(options: &Map) -> Result<Going> {
    let concurrency = options.get("concurrency").map(|value| {
        let number = value.as_int().ok().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
        number.ok_or_else(|| Error::usage("`concurrency` wants a number from 1"))
    });
    let rate = options.get("rate").map(|value| {
        let text = value.clone().into_string();
        text.map_err(|kind| Error::usage(format!("`rate` wants text as \"300/min\", not {}", named(kind))))
            .and_then(|text| pace::parse(&text))
    });
    Ok(Going { concurrency: concurrency.transpose()?, rate: rate.transpose()?, ..Going::default() })
}

/// What each row came to, and the secrets that were made.
fn told(
    carried: &mut Carried,
    about: &[(ClientId, bool)],
    sees_secrets: bool,
    wrote: impl Fn(&ClientId, &Client),
) -> (Array, Vec<(ClientId, crate::secret::Secret)>) {
    let mut secrets = Vec::new();
    let mut rows = Array::new();
    for (at, (id, is_new)) in about.iter().enumerate() {
        let Some(Became { result, secret, is_delivered, undelivered }) = carried.became.take(at as u64 + 1) else {
            continue;
        };
        let (outcome, client, error) = match (result, undelivered) {
            (Ok(client), None) => (Job::Create.done(), client, None),
            (Ok(client), Some(error)) => (State::DeliveryFailed.name(), client, Some(error)),
            (Err(error), _) if error.code() == Some(create::CONFLICT) => (State::Conflict.name(), None, Some(error)),
            (Err(error), _) => (State::Failed.name(), None, Some(error)),
        };
        if let Some(client) = &client {
            wrote(id, client);
        }
        secrets.extend(secret.filter(|_| *is_new && !is_delivered).map(|secret| (id.clone(), secret)));
        let client = if sees_secrets { client } else { client.map(Client::without_secrets) };
        rows.push(told_row(at, outcome, client, error));
    }
    (rows, secrets)
}
