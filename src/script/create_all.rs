//! `clients::create_all(rows, options)`: a client for each row, through the engine of batches.

use rhai::{Array, Dynamic, INT, Map};

use crate::batch::begin::Again;
use crate::batch::carry::{self, Carried};
use crate::batch::check::{How, MOST_TOLD, Ready, Recipients};
use crate::batch::engine::Going;
use crate::batch::job::Job;
use crate::batch::pace;
use crate::batch::run::Became;
use crate::batch::state::State;
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId};
use crate::ops::create::{self, Plan};
use crate::ops::{guard, recipients};
use crate::script::clients::spec_of;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, as_map, thrown};
use crate::script::held::Held;
use crate::script::{recipients as recipient_options, value};
use crate::session::Session;

/// The options beside those that say whom secrets are for.
const OPTIONS: [&str; 3] = ["concurrency", "rate", "no_lint"];

/// `[#{row, outcome, client, error}]`, in the order of the rows. All rows are checked before anything is sent.
///
/// Throws where a row is wrong, and where the run was stopped: `batch resume` goes on then.
pub fn create_all(context: &Context, rows: &Array, options: &Map) -> ScriptResult<Array> {
    let session = &context.session();
    let (plans, how, going) = prepared(session, rows, options).map_err(thrown)?;
    if session.dry_run().is_some() {
        return would_be(session, plans).map_err(thrown);
    }
    let about: Vec<(ClientId, bool)> = plans.iter().map(|plan| (plan.id().clone(), plan.secret_is_ours())).collect();
    let ready = plans.into_iter().map(Ready::from).collect();
    let mut carried = carry::carry_out(session, ("script", Again::Ended), ready, how, &going).map_err(thrown)?;
    let stopped = carried.stopped.take();
    let (told, secrets) = told(&mut carried, &about);
    if secrets.is_empty() {
        carried.close(session).map_err(thrown)?;
    } else {
        context.hold(Held::run(session, carried, secrets));
    }
    match stopped {
        Some(error) => {
            if error.kind() == Kind::Interrupted {
                // A script ends by it without a word.
                error.hints().iter().for_each(|hint| session.ui().note(hint));
            }
            Err(thrown(error))
        }
        None => Ok(told),
    }
}

fn prepared(session: &Session, rows: &Array, options: &Map) -> Result<(Vec<Plan>, How, Going)> {
    let going = going(options)?;
    let wanted = recipient_options::wanted(options, "clients::create_all", &OPTIONS)?;
    let found = recipients::load_with_material(session, &wanted)?;
    let no_lint = value::switch(options, "no_lint")?;
    let recipients: Vec<_> = found.iter().map(|(recipient, _)| recipient.clone()).collect();
    recipients::tell(session, &recipients);
    let mut plans = Vec::with_capacity(rows.len());
    let mut wrong = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let how = create::How { no_lint, recipients: recipients.clone(), ..create::How::default() };
        match planned(session, row, how) {
            Ok(plan) => plans.push(plan),
            Err(error) => wrong.push(format!("row {}: {}", at + 1, error.full_message())),
        }
    }
    if !wrong.is_empty() {
        let error = Error::usage(format!("{} of {} rows are wrong: nothing was sent", wrong.len(), rows.len()));
        return Err(wrong.into_iter().take(MOST_TOLD).fold(error, Error::hint));
    }
    let mut ids = std::collections::HashMap::new();
    for (at, plan) in plans.iter().enumerate() {
        if let Some(first) = ids.insert(plan.id().as_str(), at + 1) {
            return Err(Error::usage(format!("client `{}` is in row {first} and in row {}", plan.id(), at + 1)));
        }
    }
    if plans.is_empty() {
        return Ok((plans, How::of(Job::Create), going));
    }
    guard::batch(session, &Job::Create.deed(plans.len() as u64), false)?;
    Ok((plans, How { no_lint, recipients: Recipients::Read(found), ..How::of(Job::Create) }, going))
}

/// What would become of each, where nothing is written.
fn would_be(session: &Session, plans: Vec<Plan>) -> Result<Array> {
    let how = create::How::default();
    let mut rows = Array::new();
    for (at, plan) in plans.into_iter().enumerate() {
        match create::create(session, plan, &how) {
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

fn planned(session: &Session, row: &Dynamic, how: create::How) -> Result<Plan> {
    let Some(map) = row.read_lock::<Map>() else {
        return Err(Error::usage(format!("a map of fields is due, not {}", row.type_name())));
    };
    let fields = value::fields_of(&map).map_err(|error| Error::usage(error.to_string()))?;
    let spec = spec_of(fields)?;
    let recipients = create::recipients_of(&spec, &how.recipients);
    create::plan(session, spec, &create::How { recipients, ..how })
}

fn going(options: &Map) -> Result<Going> {
    let concurrency = options.get("concurrency").map(|value| {
        let number = value.as_int().ok().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
        number.ok_or_else(|| Error::usage("`concurrency` wants a number from 1"))
    });
    let rate = options.get("rate").map(|value| {
        let text = value.clone().into_string();
        text.map_err(|kind| Error::usage(format!("`rate` wants text as \"300/min\", not {kind}")))
            .and_then(|text| pace::parse(&text))
    });
    Ok(Going { concurrency: concurrency.transpose()?, rate: rate.transpose()?, ..Going::default() })
}

/// What each row came to, and the secrets that were made.
fn told(carried: &mut Carried, about: &[(ClientId, bool)]) -> (Array, Vec<(ClientId, crate::secret::Secret)>) {
    let mut secrets = Vec::new();
    let mut rows = Array::new();
    for (at, (id, is_new)) in about.iter().enumerate() {
        let Some(Became { result, is_delivered, undelivered }) = carried.became.remove(&(at as u64 + 1)) else {
            continue;
        };
        let (outcome, client, error) = match (result, undelivered) {
            (Ok(client), None) => (Job::Create.done(), client, None),
            (Ok(client), Some(error)) => (State::DeliveryFailed.name(), client, Some(error)),
            (Err(error), _) if error.code() == Some(create::CONFLICT) => (State::Conflict.name(), None, Some(error)),
            (Err(error), _) => (State::Failed.name(), None, Some(error)),
        };
        if let Some(secret) = client.as_ref().and_then(|client| client.secret()).filter(|_| *is_new && !is_delivered) {
            secrets.push((id.clone(), secret.clone()));
        }
        rows.push(told_row(at, outcome, client, error));
    }
    (rows, secrets)
}
