//! What became of a create whose reply was lost: made by us, made by another, or not known.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::DATE;

use crate::api::send::{Answer, exchange};
use crate::api::tokens::{self, Verdict};
use crate::api::{Remote, Side, clients, refusal, request};
use crate::error::Error;
use crate::model::client::Client;
use crate::model::compare::differences;
use crate::ops::create::Plan;
use crate::text::safe;

/// What became of a create.
#[derive(Debug)]
pub enum Fate {
    /// It is there, and it is ours. `settled`: the reply was lost, the document was fetched.
    Made {
        /// The client.
        client: Client,
        /// Whether the reply was lost.
        settled: bool,
    },
    /// Another's client has the id.
    Exists(Client),
    /// Nothing was made.
    Refused(Error),
    /// It cannot be told whether one is there, or whose it is.
    Unknown(Error),
}

/// How a client that is found afterwards can be shown to be ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proof {
    /// The id was chosen here at random.
    OwnId,
    /// The token endpoint says whether the secret is right.
    Probe,
    /// The id was free at that time, by the server's clock.
    Absence(Option<SystemTime>),
}

/// Sends the create, repeats it where that is safe, and settles what a lost reply leaves open.
///
/// `was_sent` is set just before the request may reach the server.
pub async fn create(remote: &dyn Remote, plan: &Plan, was_sent: &AtomicBool) -> Fate {
    let about = format!("cannot create client `{}`", plan.id());
    let proof = match prepare(remote, plan).await {
        Ok(Ok(proof)) => proof,
        Ok(Err(existing)) => return Fate::Exists(existing),
        Err(error) => return Fate::Refused(error.about(&about)),
    };
    was_sent.store(true, Ordering::SeqCst);
    send(remote, plan, proof, false).await
}

/// Sends a create that was prepared, and settles it. `was_sent`: it may have been sent before, by a process that ended.
pub async fn send(remote: &dyn Remote, plan: &Plan, proof: Proof, was_sent: bool) -> Fate {
    let about = format!("cannot create client `{}`", plan.id());
    let request = request::create_client(plan.spec());
    let mut sent = exchange(remote, &request).await;
    sent.unsettled |= was_sent;
    let error = match sent.result {
        Ok(answer) if answer.is_success() => match clients::client(&answer, &about) {
            Ok(client) => return made(remote, plan, client),
            // Carried out, as it seems, but the document did not come.
            Err(error) => error,
        },
        Ok(answer) if answer.status == 409 && !sent.unsettled && !plan.id_is_ours() => {
            return match clients::get_opt(remote, plan.id()).await {
                Ok(Some(client)) => Fate::Exists(client),
                _ => Fate::Refused(refusal::error(&answer, &request, &about)),
            };
        }
        Ok(answer) if answer.status == 409 => refusal::error(&answer, &request, &about),
        Ok(answer) if !sent.unsettled => return Fate::Refused(refusal::error(&answer, &request, &about)),
        Ok(answer) => refusal::error(&answer, &request, &about),
        Err(error) if !sent.unsettled => return Fate::Refused(error.about(&about)),
        Err(error) => error,
    };
    match clients::get_opt(remote, plan.id()).await {
        Ok(Some(client)) => prove(remote, plan, proof, client).await,
        // A request without an answer may be carried out yet.
        Ok(None) if sent.lost => Fate::Unknown(error),
        Ok(None) => Fate::Refused(error),
        Err(_) => Fate::Unknown(error),
    }
}

/// Finds how a lost reply could be settled. `Ok(Err(client))`: the id is taken already.
async fn prepare(remote: &dyn Remote, plan: &Plan) -> Result<Result<Proof, Client>, Error> {
    if plan.id_is_ours() {
        return Ok(Ok(Proof::OwnId));
    }
    // One request more for an id that was given: who had it before is no question afterwards.
    let looked = look_up(remote, plan).await?;
    let can_probe = plan.spec().uses_secret() && remote.door(Side::Public).await.is_ok();
    Ok(looked.map(|since| if can_probe { Proof::Probe } else { Proof::Absence(since) }))
}

/// Finds out whether the id is free, and as of when by the server's clock. `Ok(Err(client))`: it is taken.
pub async fn look_up(remote: &dyn Remote, plan: &Plan) -> Result<Result<Option<SystemTime>, Client>, Error> {
    let (client, answer) = clients::get_with_answer(remote, plan.id()).await?;
    Ok(match client {
        Some(client) => Err(client),
        None => Ok(date(&answer)),
    })
}

fn date(answer: &Answer) -> Option<SystemTime> {
    httpdate::parse_http_date(answer.header(DATE)?).ok()
}

fn made(remote: &dyn Remote, plan: &Plan, client: Client) -> Fate {
    if !client.id().is_empty() && client.id() != plan.id().as_str() {
        return Fate::Unknown(
            Error::failed(format!(
                "the server made client `{}` where `{}` was asked for",
                safe(client.id()),
                plan.id()
            ))
            .with_code(OTHER)
            .hint(
                "this server does not take the ids of its clients from their makers: no row could be told from another",
            ),
        );
    }
    if let Some(public) = client.registration_client_uri().and_then(public_address) {
        remote.learn_public(public);
    }
    Fate::Made { client, settled: false }
}

/// `http://host/base/oauth2/register/…` → `http://host/base`.
fn public_address(registration: &str) -> Option<url::Url> {
    let (base, _) = registration.split_once("/oauth2/register")?;
    url::Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

async fn prove(remote: &dyn Remote, plan: &Plan, proof: Proof, client: Client) -> Fate {
    let made = |client| Fate::Made { client, settled: true };
    match proof {
        Proof::OwnId => made(client),
        Proof::Probe => {
            let Some(secret) = plan.spec().secret() else { return unproven(plan) };
            match tokens::prove(remote, plan.id(), secret, plan.spec().auth_method()).await {
                Ok(Verdict::Right) => made(client),
                // Another's client, or the public address of another server: what may be ours is not thrown away.
                Ok(Verdict::Wrong) => disputed(plan),
                Ok(Verdict::Unknown) | Err(_) => unproven(plan),
            }
        }
        Proof::Absence(since) => {
            // created_at has whole seconds, and so has Date.
            let is_new = match (since, client.created_at()) {
                (Some(since), Some(created)) => Some(created + Duration::from_secs(1) >= since),
                _ => None,
            };
            match is_new {
                Some(false) => Fate::Exists(client),
                _ if plan.spec().uses_secret() => unproven(plan),
                Some(true) if differences(plan.spec(), &client).is_empty() => made(client),
                _ => Fate::Exists(client),
            }
        }
    }
}

fn disputed(plan: &Plan) -> Fate {
    Fate::Unknown(
        Error::failed(format!(
            "client `{}` exists already, and the token endpoint does not take our secret for it",
            plan.id()
        ))
        .with_code(DISPUTED)
        .hint("another made it at the same time, or --public-endpoint is of another server"),
    )
}

/// The code of an error that says that the server made another client than was asked for.
pub const OTHER: &str = "other_client";

/// The code of an error that says that a client is there, and its secret is not ours.
pub const DISPUTED: &str = "disputed";

/// The code of an error that says that a client is there, and not whose it is.
pub const UNPROVEN: &str = "unproven";

fn unproven(plan: &Plan) -> Fate {
    Fate::Unknown(
        Error::failed(format!("a client `{}` is there, and it could not be proved that its secret is ours", plan.id()))
            .with_code(UNPROVEN)
            .hint("where --public-endpoint is named from the start, the token endpoint can tell"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_read_off_a_registration() {
        let of = |text| public_address(text).map(|url| url.to_string());
        assert_eq!(of("http://127.0.0.1:4444/oauth2/register/a").as_deref(), Some("http://127.0.0.1:4444/"));
        assert_eq!(of("https://h/base/oauth2/register/a").as_deref(), Some("https://h/base"));
        assert_eq!(of("file:///oauth2/register/a"), None);
        assert_eq!(of("nonsense"), None);
    }
}
