//! Handing clients over, whose rows are done and on disk.

use std::sync::PoisonError;

use tokio::sync::oneshot;

use super::job::Job;
use super::run::{Arrival, Became, Sender, Trip, spec, told};
use super::state::{State, is_of_server};
use super::store::{self, Due};
use crate::api::clients;
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId};
use crate::secret::Secret;
use crate::session::hook::{self, Done, Event};

impl Sender<'_> {
    /// Tells whoever hears of each row.
    pub(super) fn hear(&self, n: u64, result: impl FnOnce() -> Result<Option<Client>>) {
        if let Some(heard) = self.how.heard {
            let became = Became { result: result(), undelivered: None };
            heard.lock().unwrap_or_else(PoisonError::into_inner).insert(n, became);
        }
    }

    pub(super) fn event(&self, client: Client) -> Event {
        let done = match self.how.job {
            Job::Create => Done::Created,
            Job::Update | Job::Delete => Done::Updated,
            Job::Rotate => Done::Rotated,
        };
        Event { done, client }
    }

    /// Hands a client over, whose row is done and on disk.
    pub(super) async fn deliver(&self, mut trip: Trip, event: Event, note: Option<&Error>) -> Arrival {
        let permit = self.couriers.acquire().await;
        if permit.is_err() || self.remote.session.interrupt().has_arrived() {
            trip.due.state = State::Undelivered;
            return Arrival::Later(trip);
        }
        let (tell, listen) = oneshot::channel();
        let result = match hook::fire(&self.remote.session, event, |result| drop(tell.send(result))) {
            Ok(()) => listen.await.unwrap_or_else(|_| Err(hook::broken())),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => self.note_delivery(&trip.due, State::Done, note).await,
            Err(error) if error.kind() == Kind::Interrupted => {
                trip.due.state = State::Undelivered;
                Arrival::Later(trip)
            }
            Err(error) => {
                let arrival = self.note_delivery(&trip.due, State::DeliveryFailed, Some(&error)).await;
                if let Some(heard) = self.how.heard
                    && let Some(became) = heard.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&trip.due.n)
                {
                    became.undelivered = Some(error);
                }
                arrival
            }
        }
    }

    async fn note_delivery(&self, due: &Due, state: State, error: Option<&Error>) -> Arrival {
        let (n, error) = (due.n, error.map(|error| told(error, &due.id)));
        let noted = self.journal.note(move |connection| store::delivered(connection, n, state, error.as_deref()));
        noted.await.map_or_else(|error| Arrival::Stop(error, None), |()| Arrival::Ended(state))
    }

    /// Hands a client over that was not handed over before: by another process, or as that failed.
    pub(super) async fn deliver_again(&self, trip: Trip) -> Arrival {
        match self.client_of(&trip.due).await {
            Ok(client) => {
                let event = self.event(client);
                self.deliver(trip, event, None).await
            }
            Err(error) if error.kind() == Kind::Denied => Arrival::Stop(error, None),
            Err(error) if error.kind() == Kind::Interrupted || is_of_server(&error) => Arrival::Again(trip, error),
            Err(error) => self.note_delivery(&trip.due, State::DeliveryFailed, Some(&error)).await,
        }
    }

    /// The client of a row that is done, with its secret as it is passed on.
    async fn client_of(&self, due: &Due) -> Result<Client> {
        let mut client = clients::get(&self.remote, &ClientId::parse(&due.id)?).await?;
        let secret = match &due.secret {
            Some(sealed) => Some(Secret::new(sealed.clone())),
            None => self.key.secret_for(self.how.job, due.n, due.sealed.as_deref(), &spec(&due.body)?)?,
        };
        if let Some(secret) = secret {
            client.set_secret(secret);
        }
        Ok(client)
    }
}
