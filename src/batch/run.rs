//! Sending the rows of a run: each exactly once, as fast as the server takes them, and each step in the journal first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::heard::Heard;
use super::job::Job;
use super::journal::{self, Journal};
use super::key::RunKey;
use super::pace::Pace;
use super::paced::Paced;
use super::state::{MOST_TRIES, Next, State, after, is_of_server};
use super::store::{self, Due, End};
use super::work::{self, Bench, Got, Worked};
use crate::api::clients;
use crate::api::{Remote, Side};
use crate::crypt::Recipient;
use crate::error::{Error, Result};
use crate::model::client::{ClientId, ClientSpec};
use crate::model::patch::Patch;
use crate::net;
use crate::ops::create::Plan;
use crate::ops::keep::Kept;
use crate::ops::newest::Known;
use crate::ops::settle::{self, Fate, Proof};
use crate::ops::{delete, update};
use crate::secret::concealed;
use crate::session::Session;
use crate::session::hook;

/// So many rows are read from the journal at once.
const CHUNK: usize = 128;

/// So many rows are under way beside those that are being sent: they wait for the journal.
const SPARE: usize = 64;

/// How long nothing is sent after a row found no server that serves, the first time; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(125);
const MOST_DOUBLINGS: u32 = 7;

/// How long a server may be away before a run stops that nobody waits for.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long requests that are under way are waited for, once somebody has interrupted the run.
const GRACE: Duration = Duration::from_millis(600);

/// How often it is looked whether the time is up.
const GLANCE: Duration = Duration::from_millis(50);

/// What a run has come to so far, for whoever shows it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Rows that came to an end.
    pub ended: AtomicU64,
    /// Those of them that came to another end than was wanted.
    pub failed: AtomicU64,
}

/// How sending ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// What stopped it before its end.
    pub stopped: Option<Error>,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
}

/// How rows are sent.
#[derive(Clone, Copy)]
pub struct Sending<'a> {
    /// What is done with the clients.
    pub job: Job,
    /// Whether what lint finds wrong is sent, too.
    pub no_lint: bool,
    /// Whether a client of which it cannot be told whose it is gets the row's secret.
    pub claims: bool,
    /// How long a server may be away before the run stops, as long as it was never there.
    pub patience: Duration,
    /// Who hears of each row.
    pub heard: Option<&'a Heard>,
}

/// Sends what is due.
pub struct Sender<'a> {
    pub(super) remote: Paced,
    pub(super) journal: &'a Journal,
    pub(super) key: &'a RunKey,
    pace: Arc<Pace>,
    tally: &'a Tally,
    /// The keys of recipients that were read of late.
    recipients: Mutex<HashMap<i64, Vec<Recipient>>>,
    pub(super) how: Sending<'a>,
    can_probe: bool,
    served: AtomicU64,
    /// Rows that are being sent now.
    sending: AtomicU64,
    /// Rows whose clients are being handed over.
    pub(super) delivering: AtomicU64,
    /// Who hands clients over.
    pub(super) couriers: Semaphore,
    /// Deliveries that failed and were told.
    pub(super) told: AtomicU64,
    changes_told: AtomicU64,
    /// The server as files name it, and its clients of which something was not delivered before.
    pub(super) server: String,
    pub(super) undelivered: HashSet<String>,
    /// When it began.
    pub(super) began: SystemTime,
    /// Which clients have got newer secrets.
    pub(super) newest: Mutex<Known>,
}

/// So many clients are handed over at once.
const MOST_COURIERS: usize = 8;

/// So many rows' recipients are kept parsed.
const MOST_RECIPIENTS: usize = 256;

/// A row on its way.
pub struct Trip {
    /// The row.
    pub due: Due,
    /// How often it was tried.
    pub tries: u32,
    /// Whether it may have been carried out already.
    pub was_sent: bool,
}

/// What became of a trip.
pub(super) enum Arrival {
    Ended(State),
    Again(Trip, Error),
    Later(Trip),
    /// The whole run stops; the row of it stays to be done.
    Stop(Error, Option<Trip>),
}

impl<'a> Sender<'a> {
    /// Sends with this.
    pub fn new(
        session: &Session,
        journal: &'a Journal,
        key: &'a RunKey,
        how: Sending<'a>,
        pace: Arc<Pace>,
        tally: &'a Tally,
    ) -> Self {
        // Where the server cannot be told nothing is sent either.
        let server = session.server().unwrap_or_default();
        Sender {
            began: SystemTime::now(),
            undelivered: Kept::undelivered_of(&server),
            newest: Mutex::default(),
            server,
            how,
            couriers: Semaphore::new(MOST_COURIERS),
            told: AtomicU64::new(0),
            changes_told: AtomicU64::new(0),
            remote: Paced::new(session.clone(), Arc::clone(&pace)),
            journal,
            key,
            pace,
            tally,
            recipients: Mutex::default(),
            can_probe: false,
            served: AtomicU64::new(0),
            sending: AtomicU64::new(0),
            delivering: AtomicU64::new(0),
        }
    }

    /// Sends all that is due. Ctrl-C ends it once what is under way has come to its end.
    pub async fn send(mut self) -> Ended {
        self.can_probe = self.remote.door(Side::Public).await.is_ok();
        let interrupt = self.remote.session.interrupt().clone();
        // A row that is handed over waits for the journal twice.
        let spare = if self.remote.session.hooks().is_empty() { SPARE } else { SPARE * 8 };
        let mut under_way = FuturesUnordered::new();
        let (mut waiting, mut again): (VecDeque<Trip>, VecDeque<Trip>) = Default::default();
        let (mut cursor, mut is_read) = (0, false);
        // Until when what is under way is waited for, once somebody has interrupted it.
        let (mut ended, mut last_call) = (Ended::default(), None::<Instant>);
        let (mut last_served, mut is_there) = (Instant::now(), false);
        // While the server is away, one row at a time finds out when it is back.
        let (mut trouble, mut pause) = (0_u32, None::<Instant>);
        loop {
            let is_stopping = ended.interrupted || ended.stopped.is_some();
            let room = (self.pace.going().at_once * 2 + spare).saturating_sub(under_way.len());
            if !is_stopping {
                if waiting.is_empty() && !is_read && room > 0 {
                    match self.next_chunk(cursor).await {
                        Ok(trips) => {
                            is_read = trips.is_empty();
                            cursor = trips.last().map_or(cursor, |trip| trip.due.n);
                            waiting.extend(trips);
                        }
                        Err(error) => {
                            ended.stopped = Some(error);
                            continue;
                        }
                    }
                }
                pause = pause.filter(|until| *until > Instant::now());
                let most = match (pause, trouble) {
                    (Some(_), _) => 0,
                    (None, 0) => room,
                    (None, _) => usize::from(under_way.is_empty()),
                };
                for _ in 0..most {
                    match waiting.pop_front().or_else(|| again.pop_front()) {
                        Some(trip) => under_way.push(self.travel(trip)),
                        None => break,
                    }
                }
            }
            let is_all = is_stopping || is_read && waiting.is_empty() && again.is_empty();
            if under_way.is_empty() && is_all || self.gives_up(last_call) {
                waiting.append(&mut again);
                if let Err(error) = self.give_back(&waiting).await {
                    ended.stopped = ended.stopped.or(Some(error));
                }
                return ended;
            }
            let until = pause.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                () = interrupt.arrival(), if !ended.interrupted => {
                    ended.interrupted = true;
                    last_call = Some(Instant::now() + GRACE);
                    self.pace.close();
                }
                () = tokio::time::sleep(GLANCE), if last_call.is_some() => {}
                () = tokio::time::sleep_until(until.into()), if pause.is_some() || under_way.is_empty() => {}
                Some(arrival) = under_way.next(), if !under_way.is_empty() => match arrival {
                    Arrival::Ended(state) => {
                        is_there = true;
                        self.tally.ended.fetch_add(1, Ordering::Relaxed);
                        if state.is_made() {
                            (last_served, trouble) = (Instant::now(), 0);
                        }
                        if state != State::Done {
                            self.tally.failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    Arrival::Stop(error, trip) => {
                        again.extend(trip);
                        ended.stopped = ended.stopped.or(Some(error));
                        self.pace.close();
                    }
                    Arrival::Again(trip, _) | Arrival::Later(trip) if is_stopping => again.push_back(trip),
                    Arrival::Later(trip) => {
                        again.push_back(trip);
                        if last_served.elapsed() > PATIENCE {
                            ended.stopped = Some(nothing_served(last_served));
                            self.pace.close();
                        }
                    }
                    Arrival::Again(trip, error) => {
                        again.push_back(trip);
                        let patience = if is_there { PATIENCE } else { self.how.patience };
                        if last_served.elapsed() > patience {
                            ended.stopped = Some(match patience {
                                Duration::ZERO => error,
                                _ => error.about(nothing_served(last_served).message()),
                            });
                            self.pace.close();
                        } else {
                            trouble += 1;
                            pause = Some(Instant::now() + FIRST_PAUSE * 2_u32.pow(trouble.min(MOST_DOUBLINGS)));
                        }
                    }
                },
            }
        }
    }

    /// Whether what is under way is left as it is: that is settled as the run is gone on with. Who is told of a client hears it to
    /// the end.
    fn gives_up(&self, last_call: Option<Instant>) -> bool {
        last_call.is_some_and(|until| until <= Instant::now()) && self.delivering.load(Ordering::SeqCst) == 0
    }

    /// Notes of what was noted as sent and never was, or was not carried out, that it is planned.
    async fn give_back(&self, waiting: &VecDeque<Trip>) -> Result<()> {
        let never: Vec<u64> = waiting.iter().filter(|trip| !trip.was_sent).map(|trip| trip.due.n).collect();
        self.journal.write(move |connection| store::unsent(connection, &never)).await
    }

    async fn next_chunk(&self, cursor: u64) -> Result<Vec<Trip>> {
        let can_probe = self.can_probe;
        // What is changed has its client looked at first, and is noted then.
        let job = self.how.job;
        let begins = move |due: &Due| match job {
            Job::Create => !due.given || can_probe && has_secret(due),
            Job::Delete | Job::Update | Job::Rotate => false,
        };
        let rows = self.journal.write(move |connection| store::due(connection, cursor, CHUNK, begins)).await?;
        Ok(rows.into_iter().map(|due| Trip { was_sent: due.state == State::Sent, due, tries: 0 }).collect())
    }

    async fn travel(&self, mut trip: Trip) -> Arrival {
        trip.tries += 1;
        if trip.due.state == State::Undelivered {
            return self.deliver_again(trip).await;
        }
        self.sending.fetch_add(1, Ordering::Relaxed);
        let worked = match self.how.job {
            Job::Create => self.make(&mut trip).await,
            Job::Update | Job::Delete | Job::Rotate => self.work(&mut trip).await,
        };
        let is_last = self.sending.fetch_sub(1, Ordering::Relaxed) == 1;
        match worked {
            Ok(worked) => self.arrive(trip, worked, is_last).await,
            Err(error) => Arrival::Stop(error, None),
        }
    }

    /// Makes the client of a row. Errors are those of the journal.
    async fn make(&self, trip: &mut Trip) -> Result<Worked> {
        let served = self.served.load(Ordering::Relaxed);
        let plan = match self.ready(&trip.due).await {
            Ok(plan) => plan,
            Err(error) if error.code() == Some(journal::BROKEN) => return Err(error),
            Err(error) => return Ok(Worked::of(Next::End(State::Failed, error))),
        };
        let fate = self.create(&plan, trip).await?;
        let was_served = self.served.load(Ordering::Relaxed) > served;
        let fate = match fate {
            Fate::Unknown(error) if self.how.claims && error.code() == Some(settle::UNPROVEN) => {
                self.claim(&plan).await
            }
            fate => fate,
        };
        let mut next = match after(fate, was_served, trip.tries) {
            Next::End(state, error) => Next::End(state, concealed(error, plan.spec().secret())),
            next => next,
        };
        if let Next::Done(Some(client)) = &mut next {
            match plan.passed_on() {
                // Mostly the server tells it, too, and its answer stays as it is.
                Some(secret) if client.secret() == Some(secret) => {}
                Some(secret) => client.set_secret(secret.clone()),
                // One that the server made is of no use.
                None => client.remove_secret(),
            }
        }
        Ok(Worked { next, secret: plan.sealed().cloned().map(Got::For), note: None })
    }

    /// What a try came to, noted where it ends the row. A secret and a note count where it is done.
    async fn arrive(&self, trip: Trip, Worked { next, secret, note }: Worked, is_last: bool) -> Arrival {
        match next {
            Next::Done(client) => {
                self.served.fetch_add(1, Ordering::Relaxed);
                let event = match (self.how.job, client) {
                    (Job::Delete, _) => ClientId::parse(&trip.due.id).ok().map(|id| delete::gone(&id)),
                    (_, client) => client.and_then(|client| self.event(*client)),
                };
                let wanted = event.as_ref().is_some_and(|event| hook::is_wanted(&self.remote.session, event));
                let state = if wanted { State::Undelivered } else { State::Done };
                let made = event.as_ref().and_then(|event| event.client.text("updated_at")).map(str::to_owned);
                let error = note.as_ref().map(|error| told(error, &trip.due.id));
                let end = End { state, secret: None, made, is_disputed: false, error };
                if let Err(error) = self.end(trip.due.n, secret, end, is_last).await {
                    return Arrival::Stop(error, None);
                }
                self.hear(trip.due.n, Ok(event.as_ref().map(|event| &event.client)));
                self.settle(&trip.due.id, event.as_ref());
                match event {
                    Some(event) if wanted => self.deliver(trip, event, note.as_ref()).await,
                    _ => Arrival::Ended(state),
                }
            }
            Next::End(state, error) => {
                let error = hook::row_failed(&self.remote.session, &trip.due.id, error).await;
                let is_disputed = error.code() == Some(settle::DISPUTED);
                let end = End { state, secret: None, made: None, is_disputed, error: Some(told(&error, &trip.due.id)) };
                if let Err(error) = self.end(trip.due.n, None, end, is_last).await {
                    return Arrival::Stop(error, None);
                }
                self.hear(trip.due.n, Err(error));
                Arrival::Ended(state)
            }
            Next::Again(error) => Arrival::Again(trip, error),
            Next::Later(_) => Arrival::Later(trip),
            Next::Stop(error) => Arrival::Stop(error, Some(trip)),
        }
    }

    /// Gives the client the row's secret, as its owner has said that it is theirs.
    async fn claim(&self, plan: &Plan) -> Fate {
        let Some(secret) = plan.spec().secret() else { return Fate::Refused(Error::failed("the row has no secret")) };
        let mut patch = Patch::new();
        patch.set_secret(secret.clone());
        let claimed = async {
            let before = clients::get(&self.remote, plan.id()).await?;
            update::send(&self.remote, &update::plan_secret(before, patch, &[])?).await
        };
        match claimed.await {
            Ok(client) => Fate::Made { client, settled: true },
            Err(error) => Fate::Unknown(error),
        }
    }

    /// Changes the client of a row, deletes it or rotates its secret. Errors are those of the journal.
    async fn work(&self, trip: &mut Trip) -> Result<Worked> {
        let served = self.served.load(Ordering::Relaxed);
        let worked = match self.recipients_of(&trip.due).await {
            Ok(recipients) => {
                let bench = Bench {
                    remote: &self.remote,
                    session: &self.remote.session,
                    journal: self.journal,
                    key: self.key,
                    recipients,
                    no_lint: self.how.no_lint,
                    told: &self.changes_told,
                };
                match self.how.job {
                    Job::Delete => work::delete(&bench, trip).await,
                    Job::Rotate => work::rotate(&bench, trip).await,
                    Job::Update | Job::Create => work::update(&bench, trip).await,
                }
            }
            Err(error) => Err(error),
        };
        let worked = match worked {
            Err(error) if error.code() != Some(journal::BROKEN) => Worked::of(Next::End(State::Failed, error)),
            worked => worked?,
        };
        let was_served = self.served.load(Ordering::Relaxed) > served;
        let worked = self.without_secret(&trip.due, worked);
        Ok(match worked.next {
            // It is not known whether it was carried out: it stays to be settled.
            Next::Again(error) if was_served && trip.tries >= MOST_TRIES => {
                let state = if trip.due.state == State::Sent { State::Sent } else { State::Failed };
                Worked { next: Next::End(state, error), ..worked }
            }
            next => Worked { next, ..worked },
        })
    }

    /// What a server or a plugin says may hold the secret that the row sets.
    fn without_secret(&self, due: &Due, worked: Worked) -> Worked {
        let given = due.sealed.as_deref().and_then(|sealed| self.key.open(due.n, sealed).ok());
        let hide = |error: Error| {
            let error = concealed(error, given.as_ref());
            if self.how.job == Job::Update { concealed(error, Some(&self.key.secret_of(due.n))) } else { error }
        };
        let next = match worked.next {
            Next::End(state, error) => Next::End(state, hide(error)),
            Next::Again(error) => Next::Again(hide(error)),
            Next::Later(error) => Next::Later(hide(error)),
            Next::Stop(error) => Next::Stop(hide(error)),
            done @ Next::Done(_) => done,
        };
        Worked { next, ..worked }
    }

    /// Notes what a row came to, on disk before it is told. Behind the last one there is nothing to wait for.
    async fn end(&self, n: u64, secret: Option<Got>, mut end: End, is_last: bool) -> Result<()> {
        let sealed = match secret {
            Some(Got::For(secret)) => {
                end.secret = Some(secret.expose().to_owned());
                None
            }
            Some(Got::Sealed(sealed)) => Some(sealed),
            None => None,
        };
        let noted = self.journal.change(is_last, move |connection| {
            if let Some(sealed) = &sealed {
                store::keep_secret(connection, n, sealed)?;
            }
            store::end(connection, n, &end)
        });
        noted.await
    }

    /// Sends a row and settles what became of it. Errors are those of the journal.
    async fn create(&self, plan: &Plan, trip: &mut Trip) -> Result<Fate> {
        let due = &mut trip.due;
        let proof = if !due.given {
            Proof::OwnId
        } else if self.can_probe && has_secret(due) {
            Proof::Probe
        } else if due.state == State::Sent {
            Proof::Absence(due.absent.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())))
        } else {
            match settle::look_up(&self.remote, plan).await {
                Ok(Ok(since)) => {
                    let (n, absent) = (due.n, since.map(store::seconds));
                    self.journal.write(move |connection| store::looked_up(connection, n, absent)).await?;
                    (due.state, due.absent) = (State::Sent, absent);
                    Proof::Absence(since)
                }
                Ok(Err(client)) => return Ok(Fate::Exists(client)),
                // Nothing was sent: the server is not there, or not itself.
                Err(error) if is_of_server(&error) => {
                    return Ok(Fate::Refused(error.with_code(net::UNREACHABLE)));
                }
                Err(error) => return Ok(Fate::Refused(error)),
            }
        };
        let fate = settle::send(&self.remote, plan, proof, trip.was_sent).await;
        trip.was_sent |= match &fate {
            // What stands before the server may have given up on it too early.
            Fate::Refused(error) => error.status().is_some_and(|status| status >= 500),
            Fate::Exists(_) => false,
            Fate::Made { .. } | Fate::Unknown(_) => true,
        };
        Ok(fate)
    }

    /// The client as it is to be sent.
    async fn ready(&self, due: &Due) -> Result<Plan> {
        let recipients = self.recipients_of(due).await?;
        let mut spec = spec(&due.body)?;
        spec.set_id(&ClientId::parse(&due.id)?);
        if let Some(sealed) = &due.sealed {
            spec.set_secret(self.key.open(due.n, sealed)?);
        } else if spec.uses_secret() {
            spec.set_secret(self.key.secret_of(due.n));
        }
        Plan::ready(spec, !due.given, recipients)
    }

    /// Whom a row's secret is for; keys that are not at hand are read from the journal.
    async fn recipients_of(&self, due: &Due) -> Result<Vec<Recipient>> {
        if let Some(number) = due.keys
            && !self.known().contains_key(&number)
        {
            let material = self.journal.write(move |connection| store::keys(connection, number)).await?;
            let recipients = read_keys(&material)?;
            let mut known = self.known();
            if known.len() >= MOST_RECIPIENTS {
                known.clear();
            }
            known.insert(number, recipients);
        }
        Ok(due.keys.and_then(|number| self.known().get(&number).cloned()).unwrap_or_default())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Vec<Recipient>>> {
        self.recipients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_served(since: Instant) -> Error {
    Error::failed(format!("the server has served nothing for {} s", since.elapsed().as_secs()))
}

/// What a row asks for, from the journal.
pub fn spec(body: &str) -> Result<ClientSpec> {
    let body: Map<String, Value> =
        serde_json::from_str(body).map_err(|_| Error::failed("a row is broken in the journal"))?;
    Ok(ClientSpec::from_object(body)?.0)
}

/// Whether the token endpoint could tell whether the row's secret is right.
fn has_secret(due: &Due) -> bool {
    spec(&due.body).is_ok_and(|spec| spec.uses_secret())
}

fn read_keys(material: &str) -> Result<Vec<Recipient>> {
    let broken = || Error::failed("the keys of a row are broken in the journal");
    let list: Vec<Value> = serde_json::from_str(material).map_err(|_| broken())?;
    let one = |entry: &Value| {
        let bytes = STANDARD.decode(entry["bytes"].as_str().ok_or_else(broken)?).map_err(|_| broken())?;
        Recipient::read(&bytes, entry["from"].as_str().unwrap_or("the journal"))
    };
    list.iter().map(one).collect()
}

/// An error as results tell it: without the row's id, so that errors of one kind are the same text.
pub(super) fn told(error: &Error, id: &str) -> String {
    error.full_message().replace(&format!("cannot create client `{id}`: "), "").trim().to_owned()
}
