//! What a profile says of its target: all of it, from one place.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Chosen, Given, NOBODY, Network, ProfileUsed, Target, console_base, flags, prefixed, two_targets};
use crate::config::profile::{self, Profile, Profiles, Whence};
use crate::config::team::{self, Team};
use crate::config::{ory, paths};
use crate::env;
use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::secret::Secret;
use crate::session::credential::Credential;

/// The target of the profile in use, if one is.
pub(super) fn in_use(given: &Given) -> Result<Option<Chosen>> {
    let profiles = profile::user()?;
    let now = || Some((profiles.current.clone()?, profiles.current_from.clone()));
    let Some((name, from)) = given.in_use.clone().or_else(now) else { return Ok(None) };
    let given = beside(given);
    match from {
        // It is that repository's, wherever one works by now.
        Some(path) => of_team(&name, &team::at(&path)?, &given).map(Some),
        None => of_own(&name, &profiles, &given).map(Some),
    }
}

/// What goes with a profile that another layer names.
pub(super) fn beside(given: &Given) -> Given {
    Given { trust: given.trust.clone(), public_endpoint: given.public_endpoint.clone(), ..Given::default() }
}

/// The target of a profile by its name: the user's own, else one of the repository's that is trusted.
pub(super) fn named(name: &str, given: &Given) -> Result<Chosen> {
    let own = profile::user()?;
    if own.all.contains_key(name) {
        return of_own(name, &own, given);
    }
    let Some(team) = team::found()? else { return Err(profile::absent(name, own.all.keys().map(String::as_str))) };
    if !team.profiles.all.contains_key(name) {
        let known = own.all.keys().chain(team.profiles.all.keys());
        return Err(profile::absent(name, known.map(String::as_str)));
    }
    of_team(name, &team, given)
}

fn of_own(name: &str, own: &Profiles, given: &Given) -> Result<Chosen> {
    let chosen = of(name, own.get(name)?, given)?;
    Ok(Chosen { warnings: [own.warnings.clone(), chosen.warnings].concat(), ..chosen })
}

fn of_team(name: &str, team: &Team, given: &Given) -> Result<Chosen> {
    let found = team.profiles.get(name)?;
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
        if given.public_endpoint.is_some() {
            return Err(Error::usage(format!(
                "profile {name} is of Ory Network, where a project's public API has the address of its admin API"
            ))
            .hint("leave --public-endpoint out"));
        }
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
    let base = profile.console(name)?;
    let (console, sign_in) = (prefixed(&base, "api")?, prefixed(&base, "project")?);
    let apis = profile.apis(name)?;
    let narrowed = |flag: &Option<String>, own: &Option<String>, what: &str| match (flag, own) {
        // A script names another place of the same console, and not a second one beside it.
        _ if given.named_by.is_some() && given.project.is_some() => Ok(flag.clone()),
        (Some(_), Some(own)) => {
            Err(two_targets(&["--profile", &format!("--{what}")], &format!("profile {name} names {own} already")))
        }
        (flag, own) => Ok(flag.clone().or_else(|| own.clone())),
    };
    let mut project = narrowed(&given.project, &profile.project, "project")?;
    let mut workspace = narrowed(&given.workspace, &profile.workspace, "workspace")?;
    let is_of_workspace = profile.key_of.as_deref() == Some("workspace");
    let (credential, subject) = match &profile.credential {
        None | Some(Whence::SignIn) => {
            // One signs in to the console that the environment names, and to no other.
            let (own, own_apis) = (console_base()?, super::apis()?);
            if own.origin() != base.origin() || own_apis.origin() != apis.origin() {
                return Err(Error::denied(format!(
                    "the sign-in is for {own} and {own_apis}, and profile {name} is at {base} and {apis}: it is sent nowhere"
                ))
                .hint("ORY_CONSOLE_URL and ORY_ORYAPIS_URL name the ones that `orysh auth login` signs in to")
                .hint(format!("or keep a key: orysh auth key set --profile {name}")));
            }
            let file = paths::ory_config()
                .ok_or_else(|| Error::usage("there is no home folder with the Ory CLI's configuration"))?;
            let kept = ory::read(&file)?;
            if project.is_none() && workspace.is_none() {
                (project, workspace) = (kept.selected_project, kept.selected_workspace);
            }
            (Credential::SignIn { file, server: sign_in.clone() }, kept.subject)
        }
        Some(whence) => match key(name, whence, &super::of_network(&console, &apis))? {
            (Credential::Key(key), subject) if is_of_workspace => (Credential::WorkspaceKey(key), subject),
            (Credential::Kept { place, profile, origin, .. }, subject) => {
                (Credential::Kept { place, profile, origin, is_of_workspace }, subject)
            }
            other => other,
        },
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
            let kept = Credential::Kept { place: *place, profile, origin, is_of_workspace: false };
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
