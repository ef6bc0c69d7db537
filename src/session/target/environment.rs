//! What the variables of the environment say of the target.

use super::{Chosen, Given, NOBODY, Target, apis, flags, is_below, network_by_key, profile, server, two_targets};
use crate::env;
use crate::error::{Error, Result};
use crate::net;
use crate::secret::Secret;
use crate::session::credential::Credential;

const UNSET: &str = "unset one of them, so that it is certain where the command acts";

/// The target that they name. Errors: they name two.
pub(super) fn says(given: &Given) -> Result<Option<Chosen>> {
    let variables = [&env::ORY_SDK_URL, &env::HYDRA_ADMIN_URL, &env::KRATOS_ADMIN_URL];
    let address: Option<(&env::Var, String)> = variables.into_iter().find_map(|var| Some((var, var.get()?)));
    let key = env::ORY_PROJECT_API_KEY.get();
    if let Some(name) = env::ORYSH_PROFILE.get() {
        let others = [&env::ORY_PROJECT_API_KEY, &env::ORY_WORKSPACE_API_KEY, &env::ORY_PROJECT, &env::ORY_WORKSPACE];
        let other =
            address.as_ref().map(|(var, _)| *var).or_else(|| others.into_iter().find(|var| var.get().is_some()));
        if let Some(other) = other {
            return Err(two_targets(&[env::ORYSH_PROFILE.name, other.name], UNSET));
        }
        let chosen = profile::named(&name, &profile::beside(given))?;
        return Ok(Some(Chosen { named_by: format!("ORYSH_PROFILE, profile {name}"), ..chosen }));
    }
    if let Some(other) = env::ORY_WORKSPACE_API_KEY
        .get()
        .and_then(|_| address.as_ref().map(|(var, _)| var.name).or(key.as_ref().map(|_| env::ORY_PROJECT_API_KEY.name)))
    {
        return Err(two_targets(&[env::ORY_WORKSPACE_API_KEY.name, other], UNSET));
    }
    match (&address, key) {
        (Some((var, address)), key) => at_address(given, var, address, key).map(Some),
        (None, Some(key)) => {
            if env::ORY_PROJECT.get().is_some() || env::ORY_WORKSPACE.get().is_some() {
                return Err(Error::usage("ORY_PROJECT_API_KEY names its project by itself")
                    .hint("unset ORY_PROJECT and ORY_WORKSPACE"));
            }
            let network = network_by_key(key, None, None)?;
            let subject = "a project API key (ORY_PROJECT_API_KEY)";
            Ok(Some(Chosen::new(Target::Network(network.into()), "ORY_PROJECT_API_KEY", subject)))
        }
        (None, None) => {
            // A command that asks nothing but the public API needs no other address.
            if let (true, Some(address)) = (given.endpoint_is_public, env::HYDRA_PUBLIC_URL.get()) {
                let target = server(&address, env::HYDRA_PUBLIC_URL.name, None, true)?;
                return Ok(Some(Chosen::new(target, env::HYDRA_PUBLIC_URL.name, NOBODY)));
            }
            let (project, workspace) = (env::ORY_PROJECT.get(), env::ORY_WORKSPACE.get());
            if project.is_none() && workspace.is_none() && env::ORY_WORKSPACE_API_KEY.get().is_none() {
                return Ok(None);
            }
            let given = Given { project, workspace, ..Given::default() };
            flags::of_network(&given).map(|chosen| {
                Some(Chosen { named_by: "ORY_PROJECT, ORY_WORKSPACE or ORY_WORKSPACE_API_KEY".into(), ..chosen })
            })
        }
    }
}

fn at_address(given: &Given, var: &env::Var, address: &str, key: Option<String>) -> Result<Chosen> {
    if let Some(other) = [&env::ORY_PROJECT, &env::ORY_WORKSPACE].into_iter().find(|other| other.get().is_some()) {
        return Err(two_targets(&[var.name, other.name], UNSET));
    }
    let public = match flags::public(given)? {
        Some(public) => Some(public),
        None => {
            env::HYDRA_PUBLIC_URL.get().map(|text| net::server_url(&text, env::HYDRA_PUBLIC_URL.name)).transpose()?
        }
    };
    let mut chosen = Chosen::new(server(address, var.name, public, given.variable_is_public)?, var.name, NOBODY);
    if var.name == env::KRATOS_ADMIN_URL.name {
        chosen.warnings.push(format!(
            "the address {address} comes from KRATOS_ADMIN_URL, which often names Ory Kratos: ORY_SDK_URL is the better place for it"
        ));
    }
    if let (Some(key), Target::Server { admin, credential, .. }) = (key, &mut chosen.target) {
        // A key goes to Ory's own hosts only: elsewhere it is a second target, not a credential.
        if !is_below(admin, &apis()?) {
            return Err(two_targets(
                &[var.name, env::ORY_PROJECT_API_KEY.name],
                &format!("the key is for Ory Network, and {address} is not there: unset one of them"),
            ));
        }
        *credential = Some(Credential::Key(Secret::new(key)).into());
        chosen.subject = "a project API key (ORY_PROJECT_API_KEY)".into();
    }
    Ok(chosen)
}
