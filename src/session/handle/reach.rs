//! The server that a session has reached: its addresses, the credential that counts, the connections.

use std::sync::{Arc, Mutex};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::sync::OnceCell;
use url::{Origin, Url};

use super::{Assent, Session, Settings, locked};
use crate::api::request::Request;
use crate::api::{Door, Remote, Seen, Side, Wait};
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId};
use crate::net::{self, Policy};
use crate::session::credential::{self, Credential, Current};
use crate::session::network::{self, Resolved};
use crate::session::target::{Chosen, Target};
use crate::text::safe;
use crate::ui::Telling;

/// A place, and what it was reached for.
pub(super) struct Reached {
    settings: Settings,
    chosen: Chosen,
    place: Arc<OnceCell<Place>>,
}

/// How many places are remembered: each has connections, and maybe a key of its own.
const MOST_REACHED: usize = 8;

/// The target with its addresses known.
pub(super) struct Place {
    pub(super) admin: Url,
    headers: HeaderMap,
    client: reqwest::Client,
    policy: Policy,
    /// A sign-in, which may expire in the middle of a batch.
    sign_in: Option<(Credential, tokio::sync::Mutex<Current>)>,
    public: Mutex<Option<Url>>,
    /// The public side's own client, made when first needed.
    public_client: OnceCell<(Origin, reqwest::Client)>,
}

impl Session {
    async fn resolve(&self) -> Result<Place> {
        let Chosen { target, warnings, profile, .. } = self.chosen()?;
        for warning in warnings {
            self.ui.warn(&warning);
        }
        let policy = &self.policy(profile.as_ref());
        let tell = &|message: &str| self.ui.note(message);
        let mut renewed = None;
        let (admin, public, mut headers) = match target {
            Target::Server { admin, public, credential } => {
                let headers = match credential {
                    Some(credential) => credential::bearer(&credential.current(policy, tell).await?.secret)?,
                    None => HeaderMap::new(),
                };
                (admin, public, headers)
            }
            Target::Network(network) => {
                let Resolved { address, current, minted } = network::resolve(&network, policy, tell).await?;
                locked(&self.shared.minted).extend(minted);
                let mut headers = credential::bearer(&current.secret)?;
                headers.extend(credential::of_network()?);
                renewed = Some((network.credential, current));
                (address.clone(), Some(address), headers)
            }
            Target::Sandbox => {
                let local = self.shared.sandbox.get_or_try_init(|| (self.shared.starter)()).await?;
                (local.admin.clone(), Some(local.public.clone()), HeaderMap::new())
            }
        };
        for added in profile.iter().map(|profile| &profile.headers).chain([&self.settings.headers]) {
            for name in added.keys() {
                headers.remove(name);
            }
            // One name may come several times.
            for (name, value) in added {
                headers.append(name, value.clone());
            }
        }
        self.warn_of_risks(policy, &admin);
        let client = net::client(policy, &admin)?;
        // A header that a flag names stays, whatever becomes of the sign-in.
        let own = self.settings.headers.contains_key(AUTHORIZATION);
        let sign_in = renewed.filter(|(credential, _)| !own && matches!(credential, Credential::SignIn { .. }));
        let sign_in = sign_in.map(|(credential, current)| (credential, tokio::sync::Mutex::new(current)));
        let public = Mutex::new(public);
        Ok(Place { admin, headers, client, policy: policy.clone(), sign_in, public, public_client: OnceCell::new() })
    }

    async fn place(&self) -> Result<&Place> {
        let place = if let Some(place) = self.known_place() {
            place
        } else {
            let place = self.reached(self.chosen()?);
            self.place.get_or_init(|| place)
        };
        place.get_or_try_init(|| self.resolve()).await
    }

    pub(super) fn known_place(&self) -> Option<&Arc<OnceCell<Place>>> {
        self.place.get()
    }

    /// The place of a target, the same as for the command before where that acted there as well.
    fn reached(&self, chosen: Chosen) -> Arc<OnceCell<Place>> {
        // A key that is kept is fetched by each command: it may have been changed or forgotten meanwhile.
        if chosen.has_kept_key() {
            return Arc::default();
        }
        let settings = Settings { assent: Assent::default(), ..(*self.settings).clone() };
        let mut reached = locked(&self.shared.reached);
        if let Some(same) = reached.iter().find(|reached| reached.settings == settings && reached.chosen == chosen) {
            return Arc::clone(&same.place);
        }
        if reached.len() >= MOST_REACHED {
            reached.remove(0);
        }
        let place = Arc::default();
        reached.push(Reached { settings, chosen, place: Arc::clone(&place) });
        place
    }

    async fn public_door(&self, place: &Place) -> Result<Door> {
        let url = place.public().ok_or_else(|| {
            Error::usage("the server's public address is not known").hint("name it with --public-endpoint")
        })?;
        let policy = &place.policy;
        self.warn_of_risks(policy, &url);
        let (origin, client) = place
            .public_client
            .get_or_try_init(async || Ok::<_, Error>((url.origin(), net::client(policy, &url)?)))
            .await?;
        let client = if *origin == url.origin() { client.clone() } else { net::client(policy, &url)? };
        // A credential goes to its own origin only, and at the token endpoint the client signs in as itself.
        let mut headers = if url.origin() == place.admin.origin() { place.headers.clone() } else { HeaderMap::new() };
        headers.remove(AUTHORIZATION);
        Ok(Door { base: url, headers, client, timeout: policy.timeout })
    }
}

impl Place {
    /// The headers for the admin API, with a credential that counts.
    async fn headers(&self) -> Result<HeaderMap> {
        let Some((credential, current)) = &self.sign_in else { return Ok(self.headers.clone()) };
        let mut current = current.lock().await;
        if current.is_stale() || credential.has_changed(&current) {
            // A sign-in needs nobody to be waited for.
            *current = credential.current(&self.policy, &|_| ()).await?;
        }
        let mut headers = self.headers.clone();
        headers.extend(credential::bearer(&current.secret)?);
        Ok(headers)
    }

    pub(super) fn public(&self) -> Option<Url> {
        locked(&self.public).clone()
    }
}

impl Remote for Session {
    fn door(&self, side: Side) -> Wait<'_, Result<Door>> {
        Box::pin(async move {
            let place = self.place().await?;
            match side {
                Side::Admin => Ok(Door {
                    base: place.admin.clone(),
                    headers: place.headers().await?,
                    client: place.client.clone(),
                    timeout: self.settings.policy.timeout,
                }),
                Side::Public => self.public_door(place).await,
            }
        })
    }

    fn learn_public(&self, url: Url) {
        if let Some(place) = self.known_place().and_then(|place| place.get()) {
            // Where the admin API is spoken to by TLS, no secret goes anywhere in the clear.
            if place.admin.scheme() == "https" && url.scheme() != "https" {
                return;
            }
            locked(&place.public).get_or_insert(url);
        }
    }

    fn observe(&self, request: &Request, seen: &Seen<'_>) {
        if self.ui.telling == Telling::Requests {
            let status = seen.answer.map_or_else(|| "no answer".into(), |(status, _)| format!("HTTP {status}"));
            let path = request.path.join("/");
            self.ui.note(&format!("{} /{}: {status} in {:.1?}", request.method, safe(&path), seen.took));
        }
    }

    fn tell(&self, message: &str) {
        self.ui.note(message);
    }

    fn admit<'a>(&'a self, request: &'a Request) -> Wait<'a, Result<()>> {
        Box::pin(std::future::ready(self.permits(request)))
    }

    fn would_be(&self, id: &ClientId) -> Option<Option<Client>> {
        let dry_run = self.dry_run()?;
        dry_run.client(&self.chosen().ok()?.place(), id)
    }
}
