//! Taking a run back: exactly the clients that it made are deleted, each verified first, and what it changed is put back.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use super::engine::Run;
use super::job::Job;
use super::pace::Pace;
use super::paced::Paced;
use super::run::spec;
use super::state::{State, is_of_all};
use super::store::{self, End, Told};
use crate::api::clients;
use crate::api::tokens::{self, Verdict};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId};
use crate::model::{compare, fields};
use crate::ops::delete;
use crate::ops::deliver;
use crate::ops::keep::Untold;
use crate::ops::update::{self, Change};
use crate::session::hook::{Batch, Done, Event, Moment, Past};
use crate::session::{Session, hook};

/// So many clients are looked at at once.
const AT_ONCE: usize = 16;

/// What became of a row.
enum Taken {
    /// It is as it was before; and why somebody does not know.
    Undone(Option<Error>),
    /// By its id.
    Kept(String, Error),
}

/// What undoing came to.
#[derive(Debug, Default)]
pub struct Undone {
    /// Clients that were deleted, or were gone already.
    pub deleted: u64,
    /// Why others were left alone, each with its row, by their ids.
    pub kept: Vec<(String, Error)>,
    /// Who does not know of what was undone, each with its row.
    pub untold: Vec<Error>,
    /// What ended it before its end.
    pub stopped: Option<Error>,
}

/// Deletes the clients that a run made, or puts the fields back that it changed.
/// Whoever hears of batches is asked before, and told after it.
pub fn undo(session: &Session, run: &Run, total: u64) -> Result<Undone> {
    let mut batch = Batch { job: "undo", total, outcomes: Vec::new() };
    hook::batch(session, Moment::BeforeBatch, &batch)?;
    let mut undone = session.finish(all(session, run))?;
    let kept = std::mem::take(&mut undone.kept).into_iter();
    undone.kept = kept.map(|(id, error)| (id.clone(), hook::failed(session, &id, error))).collect();
    batch.outcomes = vec![("undone".into(), undone.deleted), ("kept".into(), undone.kept.len() as u64)];
    // All of it is done by then.
    if let Err(error) = hook::batch(session, Moment::AfterBatch, &batch) {
        session.ui().warn(&error.full_message());
    }
    Ok(undone)
}

async fn all(session: &Session, run: &Run) -> Undone {
    let pace = Arc::new(Pace::new(AT_ONCE, Vec::new(), None));
    let remote = Paced::new(session.clone(), Arc::clone(&pace));
    let interrupt = session.interrupt().clone();
    let mut interrupted = std::pin::pin!(interrupt.arrival());
    let mut undone = Undone::default();
    let mut cursor = 0;
    loop {
        let rows = match run.journal.write(move |connection| store::told(connection, cursor, 500)).await {
            Ok(rows) => rows,
            Err(error) => return Undone { stopped: Some(error), ..undone },
        };
        let Some(last) = rows.last() else { return undone };
        cursor = last.n;
        // What may have been sent may be there.
        let done =
            rows.into_iter().filter(|row| row.state.is_made() || matches!(row.state, State::Sent | State::Unproven));
        let mut under_way = stream::iter(done).map(|row| take(&remote, run, row)).buffer_unordered(AT_ONCE);
        let mut is_interrupted = false;
        loop {
            let taken = tokio::select! {
                biased;
                () = &mut interrupted, if !is_interrupted => {
                    is_interrupted = true;
                    pace.close();
                    continue;
                }
                taken = under_way.next() => taken,
            };
            match taken {
                None => break,
                Some(Ok(Taken::Undone(untold))) => {
                    undone.deleted += 1;
                    undone.untold.extend(untold);
                }
                Some(Ok(Taken::Kept(..)) | Err(_)) if is_interrupted => {}
                Some(Ok(Taken::Kept(id, error))) => undone.kept.push((id, error)),
                Some(Err(error)) => return Undone { stopped: Some(error), ..undone },
            }
        }
        if is_interrupted {
            return Undone { stopped: Some(Error::interrupted()), ..undone };
        }
    }
}

/// Errors are of the journal, and those after which no other row would fare better.
async fn take(remote: &Paced, run: &Run, row: Told) -> Result<Taken> {
    let n = row.n;
    let undone = match run.job()? {
        Job::Create => deleted(remote, run, &row).await,
        _ => put_back(remote, &row).await,
    };
    match undone {
        Ok(event) => {
            let end = End { state: State::Undone, secret: None, made: None, is_disputed: false, error: None };
            run.journal.write(move |connection| store::end(connection, n, &end)).await?;
            let event = event.filter(|event| hook::is_wanted(&remote.session, event));
            let untold = match event {
                Some(event) => told(remote, event).await,
                None => None,
            };
            Ok(Taken::Undone(
                untold.map(|error| error.about(format!("row {n}: it was undone, and not everybody was told"))),
            ))
        }
        Err(error) if is_of_all(&error) => Err(error),
        Err(error) => Ok(Taken::Kept(row.id.clone(), error.about(format!("row {n}")))),
    }
}

/// Tells the hooks; who has not heard of it can be told by `deliver`. Gives what went wrong.
async fn told(remote: &Paced, event: Event) -> Option<Error> {
    let (id, done) = (ClientId::parse(event.client.id()).ok()?, event.done);
    let past = Past::of(&remote.session, &event);
    let fired = hook::fire(&remote.session, event, past, |_| std::future::ready(())).await;
    let error = fired.error?;
    let kept = remote.session.server().and_then(|server| Untold::write(&id, done, fired.past, &server));
    Some(match kept {
        Ok(_) => error.hint(deliver::again_by(&remote.session, id.as_str())),
        Err(failed) => error.hint(failed.full_message()),
    })
}

/// Puts the old fields back, where they are as the run left them. Gives what there is to tell of it.
async fn put_back(remote: &Paced, row: &Told) -> Result<Option<Event>> {
    let id = ClientId::parse(&row.id)?;
    let note: Value = serde_json::from_str(row.before.as_deref().unwrap_or("{}")).unwrap_or_default();
    let client = clients::get(remote, &id).await?;
    let changed = note["old"].as_object().into_iter().flatten();
    let set =
        update::back(&client, changed.filter_map(|(name, old)| Some((fields::field(name)?, old, &note["new"][name]))))?;
    let mut event = None;
    if !set.is_empty() {
        let (set, _) = hook::before_update(&remote.session, &client, set).await?;
        let how = update::How { no_lint: true, ..update::How::default() };
        let (update, _) = update::plan_quietly(client, Change { set, ..Change::default() }, &how)?;
        if !update.is_empty() {
            let mut client = update::send(remote, &update).await?;
            // What the server tells of it is not the secret that it has.
            client.remove_secret();
            event = Some(Event { done: Done::Updated, client });
        }
    }
    if note["sets_secret"] == true {
        return Err(Error::failed(format!(
            "the fields of client `{id}` are as they were, and its secret stays the new one: the old one is not known"
        )));
    }
    Ok(event)
}

/// Whether a client was made since the run was begun.
fn is_of_run(run: &Run, client: &Client) -> bool {
    let begun = run.facts.get("begun").and_then(|text| humantime::parse_rfc3339(text).ok());
    // The clocks of two machines differ.
    let early = std::time::Duration::from_secs(60);
    begun.zip(client.created_at()).is_some_and(|(begun, created)| created + early >= begun)
}

/// Deletes the client, if it is the run's. Gives what there is to tell of it.
async fn deleted(remote: &Paced, run: &Run, row: &Told) -> Result<Option<Event>> {
    let key = run.key.as_ref();
    let id = ClientId::parse(&row.id)?;
    let Some(client) = clients::get_opt(remote, &id).await? else { return Ok(None) };
    // An id that was chosen at random is ours, and a client that nobody has changed since; of another, its secret tells.
    let is_untouched = row.made.is_some() && row.made.as_deref() == client.text("updated_at");
    if row.given && !is_untouched {
        let spec = spec(row.body.as_deref().unwrap_or("{}"))?;
        let secret = match key {
            Some(key) => key.secret_for(Job::Create, row.n, row.sealed.as_deref(), &spec)?,
            None => None,
        };
        let is_ours = match secret {
            Some(secret) => {
                matches!(tokens::prove(remote, &id, &secret, client.auth_method()).await, Ok(Verdict::Right))
            }
            // Without the key it cannot be told whose a client is that has a secret.
            None if spec.uses_secret() => false,
            None => is_of_run(run, &client) && compare::differences(&spec, &client).is_empty(),
        };
        if !is_ours {
            return Err(Error::failed(format!(
                "client `{id}` is not as the run made it, or it cannot be told: it is kept"
            ))
            .hint("its secret may have been changed; --public-endpoint names the address that can tell"));
        }
    }
    hook::before_delete(&remote.session, &id).await?;
    // Somebody may have been quicker.
    delete::send(remote, &id, true).await?;
    Ok(Some(delete::gone(&id)))
}
