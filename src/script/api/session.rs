//! Where a script acts, and acting elsewhere for a while.

use rhai::{Dynamic, FnPtr, Map, NativeCallContext as Call};

use crate::api::console;
use crate::error::Result;
use crate::ops::guard;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::session::target::{Given, Network, Target};
use crate::session::{Session, credential, network};

/// Registers the module.
pub fn register(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("session", "target() -> map"),
        ("Where the script acts: `#{place, named_by, subject, profile, is_production}`", "session::target().place"),
        move || target(&bound.session()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("session", "server() -> text"),
        ("The server itself, as `batch::list()` names that of a run", "session::server()"),
        move || bound.session().server().map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("session", "project() -> map"),
        (
            "The project of Ory Network that it acts on: `#{id, slug, name}`; `()` on any other server",
            "session::project()",
        ),
        move || project(&bound.session()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("session", "workspace() -> map"),
        ("The workspace of Ory Network that is named: `#{id, name}`; `()` where none is", "session::workspace()"),
        move || workspace(&bound.session()).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("session", "is_dry_run() -> bool"),
        ("Whether nothing is written, and what would be is told", "session::is_dry_run()"),
        move || bound.session().dry_run().is_some(),
    );
    let bound = context.clone();
    library.add(
        ("session", "agree(deed)"),
        (
            "Asks once whether something may be done here as a whole, as `rotate 12 secrets`, and not for each client then; it is an error where that is not agreed to",
            r#"session::agree("rotate 12 secrets")"#,
        ),
        move |deed: &str| guard::ask(&bound.session(), deed, "nothing was done", false).map_err(thrown),
    );
    elsewhere(library, context);
}

fn elsewhere(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("session", "with_project(project, closure) -> value"),
        (
            "What a closure gives that acts on another project of Ory Network, by id, slug, or the beginning of either",
            r#"try { session::with_project("staging", || clients::list()) } catch (e) { print(e.message) }"#,
        ),
        move |call: Call<'_>, name: &str, closure: FnPtr| {
            let session = bound.session();
            let there = beside(&session, name)
                .and_then(|given| session.elsewhere(given, format!("session::with_project(\"{name}\")")));
            within(&bound, there, &call, &closure)
        },
    );
    let bound = context.clone();
    library.add(
        ("session", "with_profile(profile, closure) -> value"),
        (
            "What a closure gives that acts where a profile says; one that is production asks before it is changed",
            r#"try { session::with_profile("local", || clients::list()) } catch (e) { print(e.message) }"#,
        ),
        move |call: Call<'_>, name: &str, closure: FnPtr| {
            let given = Given { profile: Some(name.to_owned()), ..Given::default() };
            let there = bound.session().elsewhere(given, format!("session::with_profile(\"{name}\")"));
            within(&bound, there, &call, &closure)
        },
    );
}

/// What names another project, as the same subject where the session acts on Ory Network already.
fn beside(session: &Session, name: &str) -> Result<Given> {
    let project = Some(name.to_owned());
    let chosen = session.chosen()?;
    Ok(match (&chosen.target, &chosen.profile) {
        (Target::Network(_), Some(profile)) => {
            Given { profile: Some(profile.name.clone()), project, ..Given::default() }
        }
        (Target::Network(_), None) => {
            Given { project, config: session.settings().given.config.clone(), ..Given::default() }
        }
        _ => Given { project, ..Given::default() },
    })
}

fn within(context: &Context, there: Result<Session>, call: &Call<'_>, closure: &FnPtr) -> ScriptResult<Dynamic> {
    context.within(there.map_err(thrown)?, || closure.call_within_context(call, ()))
}

fn target(session: &Session) -> Result<Map> {
    let chosen = session.chosen()?;
    let profile = chosen.profile.as_ref();
    Ok(map([
        ("place", chosen.place().into()),
        ("named_by", chosen.named_by.clone().into()),
        ("subject", chosen.subject.clone().into()),
        ("profile", profile.map_or(Dynamic::UNIT, |profile| profile.name.clone().into())),
        ("is_production", profile.is_some_and(|profile| profile.production).into()),
    ]))
}

fn project(session: &Session) -> Result<Dynamic> {
    let Some(network) = on_network(session)? else { return Ok(Dynamic::UNIT) };
    let policy = session.policy(session.chosen()?.profile.as_ref());
    let place = session.wait(network::known_or_found(&network, &policy, &|message| session.ui().note(message)))?;
    let title = place.title.map_or(Dynamic::UNIT, Dynamic::from);
    Ok(map([("id", place.id.into()), ("slug", place.name.into()), ("name", title)]).into())
}

fn workspace(session: &Session) -> Result<Dynamic> {
    let Some(network) = on_network(session)? else { return Ok(Dynamic::UNIT) };
    let Some(wanted) = network.workspace.clone() else { return Ok(Dynamic::UNIT) };
    let policy = session.policy(session.chosen()?.profile.as_ref());
    session.wait(async {
        let current = network.credential.current(&policy, &|message| session.ui().note(message)).await?;
        let all = credential::console(&network.console, Some(&current.secret), &policy)?.workspaces().await?;
        let place = console::pick(&all, &wanted, "workspace")?;
        Ok(map([("id", place.id.clone().into()), ("name", place.name.clone().into())]).into())
    })
}

fn on_network(session: &Session) -> Result<Option<Box<Network>>> {
    match session.chosen()?.target {
        Target::Network(network) => Ok(Some(network)),
        Target::Server { .. } | Target::Sandbox => Ok(None),
    }
}

fn map<const N: usize>(members: [(&str, Dynamic); N]) -> Map {
    members.into_iter().map(|(name, value)| (name.into(), value)).collect()
}
