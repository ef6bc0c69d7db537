//! What the flags of a command say of the target, or what the shell was told to use.

use url::Url;

use super::{
    Chosen, Given, NOBODY, Target, network_by_sign_in, network_by_workspace_key, no_target, profile, server,
    two_targets,
};
use crate::config::{ory, paths};
use crate::env;
use crate::error::{Error, Result};
use crate::net;

/// The target that they name. Errors: they name two.
pub(super) fn says(given: &Given) -> Result<Option<Chosen>> {
    let is_network = given.project.is_some() || given.workspace.is_some() || given.config.is_some();
    // A project may be named beside a profile of Ory Network, which then names none.
    let narrows = given.profile.is_some() && given.config.is_none();
    let named: Vec<&str> = [
        (given.sandbox, "--sandbox"),
        (given.profile.is_some(), "--profile"),
        (given.endpoint.is_some(), "--endpoint"),
        (is_network && !narrows, "--project, --workspace or --config (a project of Ory Network)"),
    ]
    .into_iter()
    .filter_map(|(is_named, flag)| is_named.then_some(flag))
    .collect();
    if named.len() > 1 {
        return Err(two_targets(&named, "name one, so that it is certain where the command acts"));
    }
    if given.sandbox {
        return Ok(Some(Chosen::new(Target::Sandbox, "--sandbox", NOBODY)));
    }
    if let Some(name) = &given.profile {
        return profile::named(name, given).map(Some);
    }
    // A command that asks nothing but the public API needs no other address.
    if let (true, false, None, Some(public)) = (given.endpoint_is_public, is_network, &given.endpoint, public(given)?) {
        let target = Target::Server { admin: public.clone(), public: Some(public), credential: None };
        return Ok(Some(Chosen::new(target, "--public-endpoint", NOBODY)));
    }
    if let Some(endpoint) = &given.endpoint {
        let target = server(endpoint, "--endpoint", public(given)?, given.endpoint_is_public)?;
        return Ok(Some(Chosen::new(target, "--endpoint", NOBODY)));
    }
    if is_network { of_network(given).map(Some) } else { Ok(None) }
}

/// The address that `--public-endpoint` names.
pub(super) fn public(given: &Given) -> Result<Option<Url>> {
    given.public_endpoint.as_deref().map(|text| net::server_url(text, "--public-endpoint")).transpose()
}

/// A project of Ory Network, by what names it, and as whoever is signed in or has a workspace's key.
pub(super) fn of_network(given: &Given) -> Result<Chosen> {
    // A file named by a flag brings its own credential and its own selection.
    if given.config.is_none()
        && let Some(key) = env::ORY_WORKSPACE_API_KEY.get()
    {
        let network = network_by_workspace_key(key, given.project.clone(), given.workspace.clone())?;
        let named_by = "--project or --workspace, with ORY_WORKSPACE_API_KEY";
        return Ok(Chosen::new(
            Target::Network(network.into()),
            named_by,
            "a workspace API key (ORY_WORKSPACE_API_KEY)",
        ));
    }
    if given.config.is_none() && env::ORY_PROJECT_API_KEY.get().is_some() {
        return Err(Error::usage("a project API key names its project by itself")
            .hint("leave --project and --workspace out, or unset ORY_PROJECT_API_KEY"));
    }
    let path = given.config.clone().or_else(paths::ory_config).ok_or_else(no_target)?;
    let file = if given.config.is_some() { ory::read_named(&path)? } else { ory::read(&path)? };
    // What is selected goes together: a project that was is not looked for in another workspace.
    let is_named = given.project.is_some() || given.workspace.is_some();
    let selected = (file.selected_project, file.selected_workspace);
    let (project, workspace) = if is_named { (given.project.clone(), given.workspace.clone()) } else { selected };
    let network = network_by_sign_in(path.clone(), project, workspace)?;
    Ok(Chosen::new(Target::Network(network.into()), path.display().to_string(), file.subject))
}
