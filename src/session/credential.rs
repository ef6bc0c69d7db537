//! What a session shows on Ory Network: a key, or a sign-in that is renewed before it expires.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::api::Door;
use crate::api::console::Console;
use crate::api::sign_in::{self, Issued};
use crate::config::credentials::{self, Place, Tell};
use crate::config::edit;
use crate::config::ory::{self, OryConfig, Tokens};
use crate::env;
use crate::error::{Error, Kind, Result};
use crate::net::{self, Policy};
use crate::secret::Secret;
use crate::session::interrupt::Undisturbed;

/// A token is renewed when it has no longer than this.
const EARLY: Duration = Duration::from_secs(60);

/// What is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credential {
    /// An API key of a project.
    Key(Secret),
    /// The same, kept for a profile: fetched when it is needed.
    Kept {
        /// Where it is kept.
        place: Place,
        /// Whose it is.
        profile: String,
        /// The only place that it goes to (`https://host`).
        origin: String,
        /// Whether it is a workspace's.
        is_of_workspace: bool,
    },
    /// An API key of a workspace: for the console, which makes a key to the project for as long as the session lasts.
    WorkspaceKey(Secret),
    /// The sign-in that is kept in the Ory CLI's file.
    SignIn {
        /// The file.
        file: PathBuf,
        /// Where it is renewed.
        server: Url,
    },
}

/// The text of a credential, and until when it counts.
#[derive(Clone, Debug)]
pub struct Current {
    /// The key or token.
    pub secret: Secret,
    /// `None`: that is not known.
    pub expires: Option<SystemTime>,
    /// When the file that it is from was changed last, for a sign-in.
    pub changed: Option<SystemTime>,
}

impl Current {
    /// Whether it has to be renewed before it is used.
    pub fn is_stale(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= SystemTime::now() + EARLY)
    }
}

impl Credential {
    /// Whether it is a workspace's key, which opens no project by itself.
    pub fn is_of_workspace(&self) -> bool {
        matches!(self, Credential::WorkspaceKey(_) | Credential::Kept { is_of_workspace: true, .. })
    }

    /// Whether the sign-in in the file is another one by now: another process has renewed or ended it.
    pub fn has_changed(&self, current: &Current) -> bool {
        matches!(self, Credential::SignIn { file, .. } if changed(file) != current.changed)
    }

    /// As it is now; a sign-in that is about to expire is renewed, once, whichever process comes first.
    ///
    /// Errors: nobody is signed in; the sign-in has ended. Where it cannot be renewed for another reason it is kept, and
    /// used as long as it counts. `tell` hears what the user is waited for.
    pub async fn current(&self, policy: &Policy, tell: Tell<'_>) -> Result<Current> {
        match self {
            Credential::Key(key) | Credential::WorkspaceKey(key) => {
                Ok(Current { secret: key.clone(), expires: None, changed: None })
            }
            Credential::Kept { place, profile, origin, .. } => {
                let secret = credentials::of_profile(*place, profile, origin, tell).await?;
                Ok(Current { secret, expires: None, changed: None })
            }
            Credential::SignIn { file, server } => {
                let kept = ory::read(file)?;
                if is_fresh(&kept) { Ok(current(&kept, file)) } else { renew(file, server, policy).await }
            }
        }
    }
}

fn current(kept: &OryConfig, file: &Path) -> Current {
    Current { secret: kept.access_token.clone(), expires: kept.expires, changed: changed(file) }
}

fn changed(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|found| found.modified()).ok()
}

fn is_fresh(kept: &OryConfig) -> bool {
    kept.refresh_token.is_none() || kept.expires.is_none_or(|expires| expires > SystemTime::now() + EARLY)
}

async fn renew(file: &Path, server: &Url, policy: &Policy) -> Result<Current> {
    // Once the server has answered, the old token counts no more: the new one has to be saved whatever comes.
    let _undisturbed = Undisturbed::begin();
    // A refresh token counts once: two processes must not use the same.
    let _lock = edit::lock(file)?;
    let kept = ory::read(file)?;
    let Some(token) = kept.refresh_token.as_ref().filter(|_| !is_fresh(&kept)) else { return Ok(current(&kept, file)) };
    // That it can be saved is found out before the old one is spent.
    ory::change_locked(file, |_| ())?;
    match sign_in::refresh(&console(server, None, policy)?, token).await {
        Ok(issued) => {
            let tokens = tokens(issued);
            // Whatever comes, the new ones are all there is from here on.
            ory::change_locked(file, |members| ory::set_tokens(members, &tokens)).map_err(|error| {
                error
                    .about("the renewed sign-in could not be saved, and the old one counts no more")
                    .hint("sign in again with `orysh auth login`")
            })?;
            Ok(Current { secret: tokens.access, expires: Some(tokens.expires), changed: changed(file) })
        }
        Err(error) if error.code() == Some("invalid_grant") => {
            Err(error.of_kind(Kind::Denied).unhinted().hint("sign in again with `orysh auth login`"))
        }
        Err(_) if kept.expires.is_some_and(|expires| expires > SystemTime::now()) => Ok(current(&kept, file)),
        Err(error) => Err(error.hint("the sign-in is kept as it was: try again")),
    }
}

/// Tokens with the time at which they expire.
pub fn tokens(issued: Issued) -> Tokens {
    // No sign-in lasts for longer than a year, whatever a server says.
    let expires = SystemTime::now() + Duration::from_secs(issued.expires_in.min(365 * 24 * 3600));
    Tokens { access: issued.access, refresh: issued.refresh, expires }
}

/// A server of Ory Network, as whoever the credential is of.
pub fn console(base: &Url, credential: Option<&Secret>, policy: &Policy) -> Result<Console> {
    let mut headers = credential.map(bearer).transpose()?.unwrap_or_default();
    headers.extend(of_network()?);
    Ok(Console(Door { base: base.clone(), headers, client: net::client(policy, base)?, timeout: policy.timeout }))
}

/// What else goes to every server of Ory Network: the Ory CLI's own header.
pub fn of_network() -> Result<HeaderMap> {
    let Some(text) = env::ORY_RATE_LIMIT_HEADER.get() else { return Ok(HeaderMap::new()) };
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Error::usage("ORY_RATE_LIMIT_HEADER holds characters that no HTTP header takes"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(HeaderName::from_static("ory-ratelimit-action"), value)]))
}

/// `Authorization: Bearer …` (RFC 6750 §2.1), kept out of debug output.
pub fn bearer(credential: &Secret) -> Result<HeaderMap> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", credential.expose()))
        .map_err(|_| Error::usage("the credential holds characters that no HTTP header takes"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}
