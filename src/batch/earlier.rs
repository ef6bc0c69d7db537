//! What the rows of a run came to before it is gone on with, for whoever tells of all of them.

use std::sync::Arc;

use futures_util::stream;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::engine::Run;
use super::heard::Became;
use super::job::Job;
use super::pace::Pace;
use super::paced::Paced;
use super::run::spec;
use super::state::State;
use super::store::{self, Told};
use crate::api::clients;
use crate::api::tokens::{self, Verdict};
use crate::error::{Error, Result};
use crate::model::client::ClientId;
use crate::ops::create;
use crate::secret::Secret;
use crate::session::Session;
use crate::session::hook::{self, Done, Event};
use crate::text::safe;

/// So many clients are looked at at once.
const AT_ONCE: usize = 16;

/// What is known of the rows of a run that makes clients.
#[derive(Default)]
pub struct Earlier {
    /// The id of each, and whether its secret is made here.
    pub about: Vec<(ClientId, bool)>,
    /// What those came to that came to an end, by their places from 1.
    pub became: Vec<(u64, Became)>,
}

/// Looks them up: the clients at the server, the rest in the journal.
pub fn of(session: &Session, run: &Run) -> Result<Earlier> {
    let pace = Arc::new(Pace::new(AT_ONCE, Vec::new(), None));
    session.wait(looked_up(&Paced::new(session.clone(), pace), run))
}

async fn looked_up(remote: &Paced, run: &Run) -> Result<Earlier> {
    let (mut earlier, mut cursor) = (Earlier::default(), 0);
    loop {
        let rows = run.journal.write(move |connection| store::told(connection, cursor, 500)).await?;
        let Some(last) = rows.last() else { return Ok(earlier) };
        cursor = last.n;
        for row in &rows {
            let asked = spec(row.body.as_deref().unwrap_or("{}"))?;
            earlier.about.push((ClientId::parse(&row.id)?, row.sealed.is_none() && asked.uses_secret()));
        }
        let ended = rows.iter().filter(|row| !State::DUE.contains(&row.state));
        let became = stream::iter(ended).map(|row| async move { Ok((row.n, became(remote, run, row).await?)) });
        let became: Vec<(u64, Became)> = became.buffer_unordered(AT_ONCE).try_collect().await?;
        earlier.became.extend(became);
    }
}

/// Errors: it cannot be told.
async fn became(remote: &Paced, run: &Run, row: &Told) -> Result<Became> {
    let wrong = || Error::failed(row.error.clone().unwrap_or_else(|| row.state.name().to_owned()));
    let of = |result, secret| Became { result, secret, is_delivered: false, undelivered: None };
    if !row.state.is_made() {
        let error = if row.state == State::Conflict { wrong().with_code(create::CONFLICT) } else { wrong() };
        return Ok(of(Err(error), None));
    }
    let id = ClientId::parse(&row.id)?;
    let Some(mut client) = clients::get_opt(remote, &id).await? else {
        return Ok(of(Err(Error::failed("it was made, and is gone since")), None));
    };
    let asked = spec(row.body.as_deref().unwrap_or("{}"))?;
    let secret = match &row.secret {
        Some(sealed) => Some(Secret::new(sealed.clone())),
        None => run.key()?.secret_for(Job::Create, row.n, row.sealed.as_deref(), &asked)?,
    };
    let is_untouched = row.made.is_some() && row.made.as_deref() == client.text("updated_at");
    if let Some(secret) = &secret {
        // Somebody may have given it another one meanwhile.
        if !is_untouched && row.secret.is_none() {
            match tokens::prove(remote, &id, secret, client.auth_method()).await {
                Ok(Verdict::Right) => {}
                Ok(Verdict::Wrong) => {
                    let error = "it was made, and has another secret by now than the one that it was made with";
                    return Ok(of(Err(Error::failed(error)), None));
                }
                Ok(Verdict::Unknown) | Err(_) => remote.session.ui().warn(&format!(
                    "client {} was changed since it was made, and its secret could not be proved: it may have another",
                    safe(id.as_str())
                )),
            }
        }
        client.set_secret(secret.clone());
    }
    let event = Event { done: Done::Created, client };
    let is_delivered = row.state == State::Done && hook::delivers(&remote.session, &event);
    let undelivered = (row.state == State::DeliveryFailed).then(wrong);
    Ok(Became { result: Ok(Some(event.client)), secret, is_delivered, undelivered })
}
