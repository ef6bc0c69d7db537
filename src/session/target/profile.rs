//! What a profile says of its target: all of it, from one place.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Chosen, Given, NOBODY, Network, ProfileUsed, Target, flags, prefixed, two_targets};
use crate::config::profile::{self, Profile, Whence};
use crate::config::{ory, paths, team};
use crate::env;
use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::secret::Secret;
use crate::session::credential::Credential;

/// The target of the profile in use, if one is.
pub(super) fn in_use() -> Result<Option<Chosen>> {
    let Some(name) = profile::user()?.current else { return Ok(None) };
    named(&name, &Given::default()).map(Some)
}

/// The target of a profile by its name: the user's own, else one of the repository's that is trusted.
pub(super) fn named(name: &str, given: &Given) -> Result<Chosen> {
    let own = profile::user()?;
    if let Some(found) = own.all.get(name) {
        let chosen = of(name, found, given)?;
        return Ok(Chosen { warnings: [own.warnings, chosen.warnings].concat(), ..chosen });
    }
    let Some(team) = team::found()? else { return Err(profile::absent(name, own.all.keys().map(String::as_str))) };
    let Some(found) = team.profiles.all.get(name) else {
        let known = own.all.keys().chain(team.profiles.all.keys());
        return Err(profile::absent(name, known.map(String::as_str)));
    };
    team.demand_trust(given.trust.as_deref())?;
    let chosen = of(name, found, given)?;
    Ok(Chosen { named_by: format!("profile {name} of {}", team.path.display()), ..chosen })
}

fn of(name: &str, profile: &Profile, given: &Given) -> Result<Chosen> {
    profile.check(name)?;
    let (target, subject) = if let Some(endpoint) = &profile.endpoint {
        if given.project.is_some() || given.workspace.is_some() {
            let hint = format!("profile {name} is of a server of its own, at {endpoint}");
            return Err(two_targets(&["--profile", "--project or --workspace"], &hint));
        }
        let what = |key: &str| format!("profile {name}: {key}");
        let admin = net::server_url(endpoint, &what("endpoint"))?;
        let named = profile.public_endpoint.as_deref();
        let named = named.map(|text| net::server_url(text, &what("public-endpoint"))).transpose()?;
        let public = flags::public(given)?.or(named);
        let (credential, subject) = match &profile.credential {
            None => (None, NOBODY.to_owned()),
            Some(whence) => {
                let (credential, subject) = key(name, whence, &admin.origin().ascii_serialization())?;
                (Some(credential.into()), subject)
            }
        };
        (Target::Server { admin, public, credential }, subject)
    } else {
        let (network, subject) = of_network(name, profile, given)?;
        (Target::Network(network.into()), subject)
    };
    let used = ProfileUsed {
        name: name.to_owned(),
        production: profile.production,
        color: profile.color.clone(),
        rate_limit_tier: profile.rate_limit_tier.clone(),
        headers: headers(name, profile)?,
        policy: Policy {
            ca_file: profile.ca_file.clone(),
            client_cert: profile.client_cert.clone(),
            client_key: profile.client_key.clone(),
            proxy: profile.proxy.clone(),
            skip_tls_verify: profile.skip_tls_verify,
            ..Policy::default()
        },
    };
    let mut chosen = Chosen::new(target, format!("profile {name}"), subject);
    chosen.profile = Some(used);
    Ok(chosen)
}

fn of_network(name: &str, profile: &Profile, given: &Given) -> Result<(Network, String)> {
    let url = |value: &Option<String>, default: &str, key: &str| {
        net::server_url(value.as_deref().unwrap_or(default), &format!("profile {name}: {key}"))
    };
    let base = profile.console(name)?;
    let (console, sign_in) = (prefixed(&base, "api")?, prefixed(&base, "project")?);
    let apis = url(&profile.apis_url, "https://oryapis.com", "apis-url")?;
    let narrowed = |flag: &Option<String>, own: &Option<String>, what: &str| match (flag, own) {
        (Some(_), Some(own)) => {
            Err(two_targets(&["--profile", &format!("--{what}")], &format!("profile {name} names {own} already")))
        }
        (flag, own) => Ok(flag.clone().or_else(|| own.clone())),
    };
    let project = narrowed(&given.project, &profile.project, "project")?;
    let workspace = narrowed(&given.workspace, &profile.workspace, "workspace")?;
    let (credential, subject) = match &profile.credential {
        None | Some(Whence::SignIn) => {
            let file = paths::ory_config()
                .ok_or_else(|| Error::usage("there is no home folder with the Ory CLI's configuration"))?;
            let subject = ory::read(&file)?.subject;
            (Credential::SignIn { file, server: sign_in.clone() }, subject)
        }
        Some(whence) => key(name, whence, &console.origin().ascii_serialization())?,
    };
    Ok((Network { console, sign_in, apis, credential, project, workspace }, subject))
}

/// The key of a profile, for the origin that it was stored for, and whose it is.
fn key(name: &str, whence: &Whence, origin: &str) -> Result<(Credential, String)> {
    match whence {
        Whence::Variable(variable) => {
            let value = env::named(variable).ok_or_else(|| {
                Error::denied(format!("profile {name} has its credential in {variable}, which is not set"))
            })?;
            Ok((Credential::Key(Secret::new(value)), format!("the key in {variable}")))
        }
        Whence::Kept(place) => {
            let (profile, origin) = (name.to_owned(), origin.to_owned());
            let kept = Credential::Kept { place: *place, profile, origin };
            Ok((kept, format!("the key that is kept for profile {name}")))
        }
        Whence::SignIn => Err(Error::usage(format!("profile {name}: the sign-in is for Ory Network only"))),
    }
}

fn headers(name: &str, profile: &Profile) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (header, value) in &profile.headers {
        let wrong = |what: &str| Error::usage(format!("profile {name}: the header `{header}` {what}"));
        let key = HeaderName::try_from(header).map_err(|_| wrong("has no possible name"))?;
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong("holds characters that no header takes"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}
