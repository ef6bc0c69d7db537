//! What is asked before a production target is changed, and before what cannot be taken back anywhere.

use crate::config::profile;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::handle::Assent;
use crate::session::target::{Chosen, Layer, Target};

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
    if session.is_granted() {
        return Ok(());
    }
    let chosen = session.chosen()?;
    let Some(name) = production(&chosen)? else {
        // A command has one target: what follows in it need not be looked up again.
        session.grant();
        return Ok(());
    };
    let key = format!("{name} {}", chosen.place());
    if deed == Deed::Write && (is_plain(&chosen) || session.has_agreed(&key, false)) || has_assent(session, &name)? {
        return Ok(());
    }
    demand(session, &name, what, &session.described()?)?;
    if deed == Deed::Write {
        session.has_agreed(&key, true);
    }
    Ok(())
}

/// Asks before the whole of a command, where a person can be asked: on any target what is grave, and on a production
/// target in any case. What the command does is agreed to then.
///
/// `refused` is what did not happen, as `nothing was deleted`. Errors of usage: it was not agreed to, or nobody can be
/// asked for a production target.
pub fn ask(session: &Session, what: &str, refused: &str, stdin_is_read: bool) -> Result<()> {
    let chosen = session.chosen()?;
    let name = production(&chosen)?;
    let agreed = match &name {
        Some(name) => has_assent(session, name)?,
        None => session.settings().assent.yes,
    };
    if !agreed {
        let place = session.described()?;
        match &name {
            Some(name) if !session.ui().can_ask(stdin_is_read) => return Err(refusal(name, what, &place)),
            _ => {
                let warning = name.as_ref().map(|name| format!("{name} is production. ")).unwrap_or_default();
                if !session.ui().agrees(&format!("{warning}{} on {place}?", capital(what)), stdin_is_read) {
                    return Err(Error::usage(refused.to_owned()).hint("--yes does it without asking"));
                }
            }
        }
    }
    session.grant();
    Ok(())
}

/// Asks before a batch of changes on a production target; on others nobody is asked.
pub fn batch(session: &Session, what: &str, stdin_is_read: bool) -> Result<()> {
    if production(&session.chosen()?)?.is_some() {
        return ask(session, what, "nothing was changed", stdin_is_read);
    }
    session.grant();
    Ok(())
}

/// The name of the production profile that a target is of, or whose address it has.
pub fn production(chosen: &Chosen) -> Result<Option<String>> {
    if let Some(profile) = &chosen.profile {
        return Ok(profile.production.then(|| profile.name.clone()));
    }
    let Target::Server { admin, .. } = &chosen.target else { return Ok(None) };
    let same = |endpoint: &str| url::Url::parse(endpoint).is_ok_and(|endpoint| endpoint.origin() == admin.origin());
    let profiles = profile::user()?.all.into_iter();
    let found = profiles
        .filter(|(_, profile)| profile.production)
        .find(|(_, profile)| profile.endpoint.as_deref().is_some_and(same));
    Ok(found.map(|(name, _)| name))
}

/// Whether flags or variables name all of the target: a script that worked keeps working.
fn is_plain(chosen: &Chosen) -> bool {
    chosen.profile.is_none() && matches!(chosen.layer, Layer::Flags | Layer::Environment)
}

fn has_assent(session: &Session, name: &str) -> Result<bool> {
    match &session.settings().assent {
        Assent { confirm: Some(confirmed), .. } if confirmed != name => {
            Err(Error::usage(format!("--confirm is for `{confirmed}`, and the target is `{name}`")))
        }
        Assent { confirm: Some(_), .. } | Assent { yes: true, .. } => Ok(true),
        Assent { confirm: None, yes: false } => Ok(false),
    }
}

fn demand(session: &Session, name: &str, what: &str, place: &str) -> Result<()> {
    if !session.ui().can_ask(false) {
        return Err(refusal(name, what, place));
    }
    if session.ui().agrees(&format!("{name} is production. {} on {place}?", capital(what)), false) {
        return Ok(());
    }
    Err(Error::usage("nothing was changed").hint("--yes does it without asking"))
}

fn refusal(name: &str, what: &str, place: &str) -> Error {
    Error::usage(format!("{name} is production, and nobody can be asked whether to {what} on {place}"))
        .with_code("production")
        .hint(format!("--confirm {name} agrees to changing it, --yes to everything"))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
