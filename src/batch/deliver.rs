//! Handing clients over, whose rows are done and on disk.

use std::sync::atomic::Ordering;

use super::job::Job;
use super::run::{Arrival, Sender, Trip, spec, told};
use super::state::{MOST_TRIES, State, is_of_all, is_of_server};
use super::store::{self, Due};
use crate::api::clients;
use crate::api::tokens::{self, Verdict};
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId};
use crate::net;
use crate::ops::{delete, deliver, newest};
use crate::secret::Secret;
use crate::session::handle::locked;
use crate::session::hook::{self, Done, Event, Past};

/// So many deliveries that failed are told with what the program said.
const MOST_TOLD: u64 = 5;

impl Sender<'_> {
    /// Tells whoever hears of each row.
    pub(super) fn hear(&self, n: u64, result: Result<Option<&Client>>) {
        if let Some(heard) = self.how.heard {
            heard.hear(n, result);
        }
    }

    /// What was not delivered of a client before counts no more where it has another secret now, or is no more.
    pub(super) fn settle(&self, id: &str, event: Option<&Event>) {
        let session = &self.remote.session;
        match event {
            Some(event) if self.how.job == Job::Delete => {
                if self.undelivered.contains(id)
                    && let Ok(id) = event.client.client_id()
                {
                    deliver::let_go_at(session, &self.server, &id);
                }
            }
            Some(event) if self.how.job != Job::Create && event.client.secret().is_some() => {
                if let Err(error) = newest::note(&self.server, &event.client) {
                    session.ui().warn(&error.full_message());
                }
            }
            _ => {}
        }
    }

    pub(super) fn event(&self, client: Client) -> Option<Event> {
        let done = match self.how.job {
            Job::Create => Done::Created,
            Job::Update => Done::Updated,
            Job::Rotate => Done::Rotated,
            Job::Delete => return None,
        };
        Some(Event { done, client })
    }

    /// Hands a client over, whose row is done and on disk.
    pub(super) async fn deliver(&self, trip: Trip, event: Event, note: Option<&Error>) -> Arrival {
        self.deliver_as_it_is(trip, event, note, None).await
    }

    /// The same; `outdated`: why nobody is given its secret.
    async fn deliver_as_it_is(
        &self,
        trip: Trip,
        event: Event,
        note: Option<&Error>,
        outdated: Option<Error>,
    ) -> Arrival {
        self.delivering.fetch_add(1, Ordering::SeqCst);
        let arrival = self.handed_over(trip, event, note, outdated).await;
        self.delivering.fetch_sub(1, Ordering::SeqCst);
        arrival
    }

    async fn handed_over(
        &self,
        mut trip: Trip,
        event: Event,
        note: Option<&Error>,
        outdated: Option<Error>,
    ) -> Arrival {
        let permit = self.couriers.acquire().await;
        if permit.is_err() || self.remote.session.interrupt().has_arrived() {
            trip.due.state = State::Undelivered;
            return Arrival::Later(trip);
        }
        let is_delivered = hook::delivers(&self.remote.session, &event);
        let has_secret = event.client.secret().is_some();
        let shows_secret = hook::shows_secret(&self.remote.session, &event);
        // What is handed over again is as it was made.
        let made = trip.due.made.clone().or_else(|| event.client.text("updated_at").map(str::to_owned));
        let past = std::mem::take(&mut trip.due.past);
        let n = trip.due.n;
        let noted = |past: Past| async move {
            // Where it cannot be noted the end of it will say so.
            let _ = self.journal.note(move |connection| store::heard(connection, n, &past)).await;
        };
        let session = &self.remote.session;
        let is_over = || session.interrupt().has_arrived();
        let mut turn = None;
        if shows_secret {
            match newest::turn(&self.server, &trip.due.id, is_over).await {
                Ok(Some(own)) => turn = Some(own),
                Ok(None) => {
                    (trip.due.past, trip.due.state) = (past, State::Undelivered);
                    return Arrival::Later(trip);
                }
                Err(error) => {
                    trip.due.past = past;
                    return self.note_delivery(&trip.due, State::DeliveryFailed, Some(&error)).await;
                }
            }
        }
        let is_old = shows_secret && locked(&self.newest).is_set_since(&self.server, &trip.due.id, made.as_deref());
        let outdated = outdated.or_else(|| {
            is_old.then(|| Error::failed(SUPERSEDED).hint("orysh batch forget gives up what is left of a run"))
        });
        let fired = match outdated {
            Some(why) => hook::fire_without_secret(session, event, past, noted, why).await,
            None => hook::fire(session, event, past, noted).await,
        };
        // While the journal takes it down the next one is handed over.
        drop((permit, turn));
        trip.due.past = fired.past;
        match fired.error {
            None => {
                let id = ClientId::parse(&trip.due.id)
                    .ok()
                    .filter(|_| has_secret && self.undelivered.contains(&trip.due.id));
                if let Some(Err(error)) = id.map(|id| {
                    deliver::settle_older(
                        session,
                        (&self.server, &id),
                        &trip.due.past.heard,
                        (made.as_deref(), self.began),
                    )
                }) {
                    session.ui().warn(&error.full_message());
                }
                trip.due.past = Past::default();
                let arrival = self.note_delivery(&trip.due, State::Done, note).await;
                if let (Some(heard), true) = (self.how.heard, is_delivered) {
                    heard.hear_delivered(trip.due.n);
                }
                arrival
            }
            Some(error) => {
                // What a program says is for the terminal alone: it may hold what it was given, in a form of its own.
                if self.how.heard.is_none() && self.told.fetch_add(1, Ordering::Relaxed) < MOST_TOLD {
                    let told = Error::failed(format!("row {}: {}", trip.due.n, error.full_message()));
                    self.remote.session.ui().error(&error.hints().iter().fold(told, Error::hint));
                }
                let arrival = self.note_delivery(&trip.due, State::DeliveryFailed, Some(&error)).await;
                if let Some(heard) = self.how.heard {
                    heard.hear_undelivered(trip.due.n, error);
                }
                arrival
            }
        }
    }

    async fn note_delivery(&self, due: &Due, state: State, error: Option<&Error>) -> Arrival {
        let (n, past, error) = (due.n, due.past.clone(), error.map(|error| told(error, &due.id)));
        let noted =
            self.journal.note(move |connection| store::delivered(connection, n, state, &past, error.as_deref()));
        noted.await.map_or_else(|error| Arrival::Stop(error, None), |()| Arrival::Ended(state))
    }

    /// Hands a client over that was not handed over before: by another process, or as that failed.
    pub(super) async fn deliver_again(&self, trip: Trip) -> Arrival {
        // Of a client that is no more there is its id to tell of.
        if self.how.job == Job::Delete {
            return match ClientId::parse(&trip.due.id).map(|id| delete::gone(&id)) {
                Ok(event) if hook::is_wanted(&self.remote.session, &event) => self.deliver(trip, event, None).await,
                _ => self.note_delivery(&trip.due, State::Done, None).await,
            };
        }
        match self.client_of(&trip.due).await {
            Ok((client, outdated)) => match self
                .event(client)
                .filter(|event| !trip.due.past.due.is_empty() || hook::is_wanted(&self.remote.session, event))
            {
                Some(event) => self.deliver_as_it_is(trip, event, None, outdated).await,
                None => self.note_delivery(&trip.due, State::Done, None).await,
            },
            Err(error) if is_of_all(&error) => Arrival::Stop(error, None),
            Err(error) if error.kind() == Kind::Interrupted => Arrival::Again(trip, error),
            Err(error) if is_of_server(&error) && error.code() == Some(net::UNREACHABLE) => Arrival::Again(trip, error),
            Err(error) if is_of_server(&error) && trip.tries < MOST_TRIES => Arrival::Later(trip),
            Err(error) if error.status() == Some(404) => {
                let gone = Error::failed("the client is gone: there is nobody to hand it over for");
                self.note_delivery(&trip.due, State::Done, Some(&gone)).await
            }
            Err(error) => self.note_delivery(&trip.due, State::DeliveryFailed, Some(&error)).await,
        }
    }

    /// The client of a row that is done, with its secret as it is passed on, and why that is nobody's to be given: it was changed
    /// since, and the secret that is known is not its own, or not proved to be.
    async fn client_of(&self, due: &Due) -> Result<(Client, Option<Error>)> {
        let id = ClientId::parse(&due.id)?;
        let mut client = clients::get(&self.remote, &id).await?;
        let plain = self.key.secret_for(self.how.job, due.n, due.sealed.as_deref(), &spec(&due.body)?)?;
        let Some(secret) = due.secret.clone().map(Secret::new).or_else(|| plain.clone()) else {
            return Ok((client, None));
        };
        client.set_secret(secret);
        if due.made.is_some() && due.made.as_deref() == client.text("updated_at") {
            return Ok((client, None));
        }
        let verdict = match &plain {
            Some(plain) => tokens::prove(&self.remote, &id, plain, client.auth_method()).await?,
            None => Verdict::Unknown,
        };
        let why = match verdict {
            Verdict::Right => return Ok((client, None)),
            Verdict::Wrong => Error::failed(SUPERSEDED),
            // What was encrypted for others cannot be tried.
            Verdict::Unknown if plain.is_none() => Error::failed(UNPROVEN),
            Verdict::Unknown => Error::failed(UNPROVEN).hint("--public-endpoint names the server that can tell"),
        };
        let why = why.hint("orysh rotate secret ID --deliver '…' hands over a new one");
        Ok((client, Some(why.hint("orysh batch forget RUN gives up what is left"))))
    }
}

const SUPERSEDED: &str = "it has another secret by now: the one of this run is not handed over";
const UNPROVEN: &str = "it was changed since, and may have another secret by now: that is not handed over";
