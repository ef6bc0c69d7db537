//! What is asked before a production target is changed, and before what cannot be taken back anywhere.

use std::collections::BTreeMap;

use url::Url;

use crate::api::console::{self, Place};
use crate::config::profile::{self, Profile};
use crate::config::team;
use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::session::handle::Assent;
use crate::session::target::{Chosen, Layer, Network, Target, prefixed};
use crate::session::{Session, credential, network};

/// What is about to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// A client is made or changed: asked once a session.
    Write,
    /// Something ends, or many clients are changed: asked each time.
    Grave,
}

/// Asks before a change of a production target, unless the command as a whole was agreed to. `what` is what is to be done,
/// as `delete client a`.
///
/// Errors of usage: it was not agreed to, or nobody can be asked; nothing has been sent.
pub fn check(session: &Session, deed: Deed, what: &str) -> Result<()> {
    if session.is_agreed() {
        return Ok(());
    }
    let chosen = session.chosen()?;
    let Some(name) = production_of(session, &chosen)? else {
        refuse_other(session, None)?;
        // A command has one target: what follows in it need not be looked up again.
        session.agree();
        return Ok(());
    };
    let key = format!("{name} {}", chosen.place());
    let is_plain = is_plain(&chosen) && !session.settings().assent.place_by_script;
    // What a person did on it before says nothing of what a plugin may do there.
    let is_known = session.grant().is_none() && (is_plain || session.has_agreed(&key, false));
    if deed == Deed::Write && is_known || has_assent(session, Some(&name))? {
        return Ok(());
    }
    demand(session, &name, what, &session.described()?)?;
    if deed == Deed::Write && session.grant().is_none() {
        session.has_agreed(&key, true);
    }
    Ok(())
}

/// Asks before something is sent to an address that is a production profile's, whatever is behind it there. Errors as those of
/// [`check`].
pub fn address(session: &Session, url: &Url, what: &str) -> Result<()> {
    let mut server = url.clone();
    server.set_path("");
    let target = Target::Server { admin: server, public: None, credential: None };
    match addressed(&target, &marked()?) {
        // The script as a whole was agreed to, and acts there.
        Some(name) if session.is_agreed() && production_of(session, &session.chosen()?)?.as_ref() == Some(&name) => {
            Ok(())
        }
        Some(name) if !has_assent(session, Some(&name))? => {
            demand(session, &name, what, url.host_str().unwrap_or_default())
        }
        _ => Ok(()),
    }
}

/// Asks before the whole of a command, where a person can be asked: on any target what is grave, and on a production
/// target in any case. What the command does is agreed to then.
///
/// `refused` is what did not happen, as `nothing was deleted`. Errors of usage: it was not agreed to, or nobody can be
/// asked for a production target.
pub fn ask(session: &Session, what: &str, refused: &str, stdin_is_read: bool) -> Result<()> {
    if session.dry_run().is_some() {
        return Ok(());
    }
    let chosen = session.chosen()?;
    let name = production_of(session, &chosen)?;
    if !has_assent(session, name.as_deref())? {
        let place = session.described()?;
        match &name {
            Some(name) if !session.ui().can_ask(stdin_is_read) => return Err(refusal(name, what, &place)),
            _ => {
                let warning = name.as_ref().map(|name| format!("{name} is production. ")).unwrap_or_default();
                if !session.ui().agrees(&format!("{warning}{} on {place}?", capital(what)), stdin_is_read) {
                    let error = Error::usage(refused.to_owned()).with_code(DECLINED);
                    return Err(error.hint("--yes does it without asking"));
                }
            }
        }
    }
    session.agree();
    Ok(())
}

/// Asks before a batch of changes on a production target; on others nobody is asked.
pub fn batch(session: &Session, what: &str, stdin_is_read: bool) -> Result<()> {
    // A script may have been agreed to as a whole.
    if session.dry_run().is_some() || session.is_agreed() {
        return Ok(());
    }
    let name = production_of(session, &session.chosen()?)?;
    if name.is_some() {
        return ask(session, what, "nothing was changed", stdin_is_read);
    }
    refuse_other(session, None)?;
    session.agree();
    Ok(())
}

/// The name of the production profile that a target is of, or whose address it has, as far as that is known without
/// asking anybody.
pub fn production(chosen: &Chosen) -> Result<Option<String>> {
    match own(chosen) {
        Some(name) => Ok(Some(name)),
        None => Ok(addressed(&chosen.target, &marked()?)),
    }
}

/// The name of the profile that a target is of, where that is production.
fn own(chosen: &Chosen) -> Option<String> {
    chosen.profile.as_ref().filter(|profile| profile.production).map(|profile| profile.name.clone())
}

/// The name of the profile whose address or project a target has, as far as that is known without asking anybody.
fn addressed(target: &Target, marked: &BTreeMap<String, Profile>) -> Option<String> {
    let is_it = |name: &str, profile: &Profile| match target {
        Target::Server { admin, .. } => {
            profile.endpoint.as_deref().is_some_and(|endpoint| is_same(endpoint, admin))
                || slug_at(name, profile, admin).is_some_and(|slug| profile.project.as_deref() == Some(slug.as_str()))
        }
        Target::Network(network) => {
            is_of(name, profile, network) && profile.project.is_some() && profile.project == network.project
        }
        Target::Sandbox => false,
    };
    marked.iter().find(|(name, profile)| is_it(name, profile)).map(|(name, _)| name.clone())
}

/// The profiles that are production: the user's own, and those of a repository that is trusted.
fn marked() -> Result<BTreeMap<String, Profile>> {
    let own = profile::user()?;
    let mut all = own.all;
    // That of this folder, and that of which a profile is in use.
    let in_use = own.current_from.and_then(|path| team::at(&path).ok());
    for team in team::found().ok().flatten().into_iter().chain(in_use) {
        if team.is_trusted()? {
            for (name, profile) in team.profiles.all {
                all.entry(name).or_insert(profile);
            }
        }
    }
    all.retain(|_, profile| profile.production);
    Ok(all)
}

/// The same; on Ory Network the console is asked which project it is, where a profile names one that is production.
fn production_of(session: &Session, chosen: &Chosen) -> Result<Option<String>> {
    if let Some(name) = own(chosen) {
        return Ok(Some(name));
    }
    let marked = marked()?;
    if let Some(name) = addressed(&chosen.target, &marked) {
        return Ok(Some(name));
    }
    let policy = session.policy(chosen.profile.as_ref());
    let tell = |message: &str| session.ui().note(message);
    for (name, profile) in marked {
        let is_it = match &chosen.target {
            Target::Network(network) if profile.endpoint.is_some() || is_of(&name, &profile, network) => {
                let place = session.wait(network::known_or_found(network, &policy, &tell))?;
                match &profile.endpoint {
                    // It may be named by the address of its project.
                    Some(endpoint) => prefixed(&network.apis, &format!("{}.projects", place.name))
                        .is_ok_and(|address| is_same(endpoint, &address)),
                    None => is_meant(session, network, &profile, &place, &policy)?,
                }
            }
            // A project by its address: its id and name are not in it.
            Target::Server { admin, credential: Some(credential), .. } => match slug_at(&name, &profile, admin) {
                Some(slug) => {
                    let console = prefixed(&profile.console(&name)?, "api")?;
                    let network = Network {
                        sign_in: console.clone(),
                        console,
                        apis: profile.apis(&name)?,
                        credential: (**credential).clone(),
                        project: None,
                        workspace: None,
                    };
                    match session.wait(network::known_or_found(&network, &policy, &tell)) {
                        Ok(place) => place.name == slug && is_meant(session, &network, &profile, &place, &policy)?,
                        // What cannot be told apart is treated with the greater care.
                        Err(_) => true,
                    }
                }
                None => false,
            },
            // As whom a header signs in is not known: what may be it is taken for it.
            Target::Server { admin, credential: None, .. } => slug_at(&name, &profile, admin).is_some_and(|slug| {
                let may_be = |wanted: &str| {
                    slug.starts_with(wanted)
                        || network::is_id(wanted)
                        || wanted.chars().any(|c| c.is_uppercase() || c == ' ')
                };
                profile.project.as_deref().is_none_or(may_be)
            }),
            Target::Network(_) | Target::Sandbox => false,
        };
        if is_it {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Whether a project is the one that a profile names. One that names none means every project.
fn is_meant(session: &Session, network: &Network, profile: &Profile, place: &Place, policy: &Policy) -> Result<bool> {
    let Some(wanted) = profile.project.as_deref() else {
        let Some(workspace) = &profile.workspace else { return Ok(true) };
        let among = session.wait(async {
            let current = network.credential.current(policy, &|_| ()).await?;
            let console = credential::console(&network.console, Some(&current.secret), policy)?;
            let workspaces = console.workspaces().await?;
            console.projects_of(console::pick(&workspaces, workspace, "workspace")?).await
        });
        // What cannot be told apart is treated with the greater care.
        return Ok(among.map_or(true, |among| among.iter().any(|other| other.id == place.id)));
    };
    if place.is_named(wanted, |text, wanted| text == wanted) {
        return Ok(true);
    }
    if !place.is_named(wanted, |text, wanted| text.starts_with(wanted)) {
        return Ok(false);
    }
    // The beginning of its name may be the whole name of another.
    let all = session.wait(async {
        let current = network.credential.current(policy, &|_| ()).await?;
        credential::console(&network.console, Some(&current.secret), policy)?.projects().await
    })?;
    Ok(console::pick(&all, wanted, "project").is_ok_and(|meant| meant.id == place.id))
}

/// Whether an endpoint is the same server as an address: this machine has many names.
fn is_same(endpoint: &str, address: &Url) -> bool {
    let Ok(endpoint) = Url::parse(endpoint) else { return false };
    if endpoint.port_or_known_default() != address.port_or_known_default() {
        return false;
    }
    // Two servers may stand behind one gateway, by their paths.
    let path = |url: &Url| url.path().trim_matches('/').to_owned();
    let (one, other) = (path(&endpoint), path(address));
    if one != other && !one.is_empty() && !other.is_empty() {
        return false;
    }
    let host = |url: &Url| url.host_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
    host(&endpoint) == host(address) || net::is_this_machine(&endpoint) && net::is_this_machine(address)
}

/// The slug in an address, where that is a project's below the hosts that a profile names.
fn slug_at(name: &str, profile: &Profile, address: &Url) -> Option<String> {
    if profile.endpoint.is_some() {
        return None;
    }
    let apis = profile.apis(name).ok()?;
    let host = address.host_str()?.trim_end_matches('.');
    let slug = host.strip_suffix(apis.host_str()?)?.strip_suffix(".projects.")?;
    (address.port_or_known_default() == apis.port_or_known_default()).then(|| slug.to_owned())
}

/// Whether a profile is of the same console.
fn is_of(name: &str, profile: &Profile, network: &Network) -> bool {
    let console = profile.console(name).and_then(|base| prefixed(&base, "api"));
    profile.endpoint.is_none() && console.is_ok_and(|console| console.origin() == network.console.origin())
}

/// Refuses an agreement to changing another target than this one.
fn refuse_other(session: &Session, name: Option<&str>) -> Result<()> {
    match &session.settings().assent.confirm {
        Some(confirmed) if Some(confirmed.as_str()) != name => Err(Error::usage(match name {
            Some(name) => format!("--confirm is for `{confirmed}`, and the target is `{name}`"),
            None => format!("--confirm is for `{confirmed}`, and {} is no production target", session.described()?),
        })),
        _ => Ok(()),
    }
}

/// Whether flags or variables name all of the target: a script that worked keeps working.
fn is_plain(chosen: &Chosen) -> bool {
    chosen.profile.is_none() && matches!(chosen.layer, Layer::Flags | Layer::Environment)
}

/// Whether changing this target was agreed to on the command line. Errors: another was.
fn has_assent(session: &Session, name: Option<&str>) -> Result<bool> {
    refuse_other(session, name)?;
    let Assent { yes, confirm, by_script, .. } = &session.settings().assent;
    Ok(*yes && !(*by_script && name.is_some()) || confirm.is_some())
}

fn demand(session: &Session, name: &str, what: &str, place: &str) -> Result<()> {
    if !session.ui().can_ask(false) {
        return Err(refusal(name, what, place));
    }
    let what = match session.grant() {
        Some(grant) => format!("let plugin `{}` {what}", grant.plugin),
        None => what.to_owned(),
    };
    if session.ui().agrees(&format!("{name} is production. {} on {place}?", capital(&what)), false) {
        return Ok(());
    }
    Err(Error::usage("nothing was changed").with_code(DECLINED).hint("--yes does it without asking"))
}

/// The code of an error that says that a person did not agree.
pub const DECLINED: &str = "declined";

/// The code of an error that says that nobody could be asked whether production may be changed.
pub const REFUSED: &str = "production";

fn refusal(name: &str, what: &str, place: &str) -> Error {
    Error::usage(format!("{name} is production, and nobody can be asked whether to {what} on {place}"))
        .with_code(REFUSED)
        .hint(format!("--confirm {name} agrees to changing it, --yes to everything"))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
