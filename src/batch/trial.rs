//! What the hooks say of the rows of a run of which nothing is sent.

use super::engine::Run;
use super::job::Job;
use super::run::spec;
use super::state::State;
use super::store::{self, Told};
use crate::api::clients;
use crate::error::Result;
use crate::model::client::ClientId;
use crate::session::{Session, hook};

/// So many rows that are changed or refused are told.
const MOST_TOLD: u64 = 20;

/// Asks the hooks of each client that would be changed or deleted, and tells what they say. Gives how many they refuse.
pub fn ask_hooks(session: &Session, run: &Run) -> Result<u64> {
    let moment = match run.job()? {
        Job::Update => hook::Moment::BeforeUpdate,
        Job::Delete => hook::Moment::BeforeDelete,
        // The rows of new clients have been asked about; a rotation asks nobody.
        Job::Create | Job::Rotate => return Ok(0),
    };
    if !hook::is_at(session, moment) {
        return Ok(0);
    }
    session.wait(asked(session, run))
}

async fn asked(session: &Session, run: &Run) -> Result<u64> {
    let (mut refused, mut changed, mut cursor) = (0, 0, 0);
    loop {
        let rows = run.journal.write(move |connection| store::told(connection, cursor, 500)).await?;
        let Some(last) = rows.last() else { return Ok(refused) };
        cursor = last.n;
        for row in rows.iter().filter(|row| row.state == State::Planned) {
            match of_row(session, run, row).await {
                Ok(told) => {
                    changed += told.len() as u64;
                    if changed <= MOST_TOLD {
                        for what in told {
                            session.ui().note(&format!("row {}: {what}", row.n));
                        }
                    }
                }
                Err(error) => {
                    refused += 1;
                    if refused <= MOST_TOLD {
                        session.ui().error(&error.about(format!("row {}", row.n)));
                    }
                }
            }
        }
    }
}

/// What they change of a row.
async fn of_row(session: &Session, run: &Run, row: &Told) -> Result<Vec<String>> {
    let id = ClientId::parse(&row.id)?;
    if run.job()? == Job::Delete {
        return hook::before_delete(session, &id).await.map(|()| Vec::new());
    }
    let client = clients::get(session, &id).await?;
    let set = spec(row.body.as_deref().unwrap_or("{}"))?;
    hook::before_update(session, &client, set).await.map(|(_, changed)| changed)
}
