//! Choosing the target: the highest layer that names one decides all of it.

use std::path::PathBuf;

use url::Url;

use crate::config::{ory, paths};
use crate::env;
use crate::error::{Error, Result};
use crate::net;
use crate::secret::Secret;

/// What the flags say of the target.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// `--endpoint`: the admin API of a server.
    pub endpoint: Option<String>,
    /// `--public-endpoint`: the public API of the same server.
    pub public_endpoint: Option<String>,
    /// Whether the address that a flag names may be that of the public API: the command asks no other.
    pub endpoint_is_public: bool,
    /// The same of the address that a variable names.
    pub variable_is_public: bool,
    /// `--sandbox`: the server inside this program.
    pub sandbox: bool,
    /// `--project`: of Ory Network.
    pub project: Option<String>,
    /// `--workspace`: of Ory Network.
    pub workspace: Option<String>,
    /// `--config`: the Ory CLI's configuration file.
    pub config: Option<PathBuf>,
}

/// Where commands act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A server at an address.
    Server {
        /// Its admin API.
        admin: Url,
        /// Its public API, if known.
        public: Option<Url>,
        /// Sent to the admin API.
        credential: Option<Secret>,
    },
    /// A project of Ory Network, whose address has to be looked up.
    Network(Network),
    /// The server inside this program.
    Sandbox,
}

/// A project of Ory Network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The console API.
    pub console: Url,
    /// Below whose host every project has its own.
    pub apis: Url,
    /// The signed-in subject's token or key.
    pub credential: Secret,
    /// Which project: id, or slug, or the beginning of either. `None`: the only one that the credential sees.
    pub project: Option<String>,
    /// Which workspace, where the project is to be looked for in one.
    pub workspace: Option<String>,
}

/// A target, and which layer named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The target.
    pub target: Target,
    /// Who named it, as a person would say it: `--endpoint`, `ORY_SDK_URL`.
    pub named_by: String,
    /// What a person should know about the choice.
    pub warnings: Vec<String>,
}

impl Chosen {
    fn new(target: Target, named_by: impl Into<String>) -> Self {
        Chosen { target, named_by: named_by.into(), warnings: Vec::new() }
    }
}

/// Chooses: flags, then the environment, then the Ory CLI's file. Errors: two targets in one layer, or none anywhere.
pub fn choose(given: &Given) -> Result<Chosen> {
    if let Some(chosen) = from_flags(given)? {
        return Ok(chosen);
    }
    if let Some(chosen) = from_environment(given)? {
        return Ok(chosen);
    }
    if let Some(path) = paths::ory_config().filter(|path| path.exists()) {
        let file = ory::read(&path)?;
        if let Some(project) = file.selected_project {
            let network = network(file.access_token, Some(project), None)?;
            return Ok(Chosen::new(Target::Network(network), path.display().to_string()));
        }
    }
    Err(no_target())
}

/// Whether nothing anywhere names a target. A target that is named wrongly is not nowhere.
pub fn is_nowhere(given: &Given) -> bool {
    choose(given).is_err_and(|error| error.code() == Some(NO_TARGET))
}

const NO_TARGET: &str = "no_target";

fn no_target() -> Error {
    Error::usage("no server is named: there is nowhere to act")
        .with_code(NO_TARGET)
        .hint("name an admin API with --endpoint http://127.0.0.1:4445, or set ORY_SDK_URL")
        .hint("or try things out on the server inside this program with --sandbox")
}

fn from_flags(given: &Given) -> Result<Option<Chosen>> {
    let is_network = given.project.is_some() || given.workspace.is_some() || given.config.is_some();
    let named: Vec<&str> = [
        (given.sandbox, "--sandbox"),
        (given.endpoint.is_some(), "--endpoint"),
        (is_network, "--project, --workspace or --config (a project of Ory Network)"),
    ]
    .into_iter()
    .filter_map(|(is_named, flag)| is_named.then_some(flag))
    .collect();
    if named.len() > 1 {
        return Err(Error::usage(format!("two targets are named: {}", named.join(" and ")))
            .hint("name one, so that it is certain where the command acts"));
    }
    if given.sandbox {
        return Ok(Some(Chosen::new(Target::Sandbox, "--sandbox")));
    }
    // A command that asks nothing but the public API needs no other address.
    if let (true, false, None, Some(public)) =
        (given.endpoint_is_public, is_network, &given.endpoint, public_flag(given)?)
    {
        let target = Target::Server { admin: public.clone(), public: Some(public), credential: None };
        return Ok(Some(Chosen::new(target, "--public-endpoint")));
    }
    if let Some(endpoint) = &given.endpoint {
        let target = server(endpoint, "--endpoint", public_flag(given)?, given.endpoint_is_public)?;
        return Ok(Some(Chosen::new(target, "--endpoint")));
    }
    if is_network {
        return from_network_flags(given).map(Some);
    }
    Ok(None)
}

fn from_network_flags(given: &Given) -> Result<Chosen> {
    let wanted = |flag: &Option<String>, var: &env::Var| flag.clone().or_else(|| var.get());
    let workspace = wanted(&given.workspace, &env::ORY_WORKSPACE);
    // A file named by a flag brings its own credential and its own selection.
    if given.config.is_none()
        && let Some(key) = env::ORY_WORKSPACE_API_KEY.get()
    {
        let network = network(Secret::new(key), wanted(&given.project, &env::ORY_PROJECT), workspace)?;
        return Ok(Chosen::new(Target::Network(network), "--project or --workspace, with ORY_WORKSPACE_API_KEY"));
    }
    if given.config.is_none() && env::ORY_PROJECT_API_KEY.get().is_some() {
        return Err(Error::usage("a project API key names its project by itself")
            .hint("leave --project and --workspace out, or unset ORY_PROJECT_API_KEY"));
    }
    let path = given.config.clone().or_else(paths::ory_config).ok_or_else(no_target)?;
    let file = ory::read(&path)?;
    let project = given.project.clone().or(file.selected_project);
    let network = network(file.access_token, project, workspace.or(file.selected_workspace))?;
    Ok(Chosen::new(Target::Network(network), path.display().to_string()))
}

fn from_environment(given: &Given) -> Result<Option<Chosen>> {
    let variables = [&env::ORY_SDK_URL, &env::HYDRA_ADMIN_URL, &env::KRATOS_ADMIN_URL];
    let address = variables.into_iter().find_map(|var| Some((var, var.get()?)));
    let key = env::ORY_PROJECT_API_KEY.get();
    match (address, key) {
        (Some((var, address)), key) => environment_server(given, var, &address, key).map(Some),
        (None, Some(key)) => {
            if env::ORY_PROJECT.get().is_some() || env::ORY_WORKSPACE.get().is_some() {
                return Err(Error::usage("ORY_PROJECT_API_KEY names its project by itself")
                    .hint("unset ORY_PROJECT and ORY_WORKSPACE"));
            }
            let network = network(Secret::new(key), None, None)?;
            Ok(Some(Chosen::new(Target::Network(network), "ORY_PROJECT_API_KEY")))
        }
        (None, None) => {
            let (project, workspace) = (env::ORY_PROJECT.get(), env::ORY_WORKSPACE.get());
            if project.is_none() && workspace.is_none() && env::ORY_WORKSPACE_API_KEY.get().is_none() {
                return Ok(None);
            }
            let given = Given { project, workspace, ..Given::default() };
            from_network_flags(&given).map(|chosen| {
                Some(Chosen { named_by: "ORY_PROJECT, ORY_WORKSPACE or ORY_WORKSPACE_API_KEY".into(), ..chosen })
            })
        }
    }
}

fn environment_server(given: &Given, var: &env::Var, address: &str, key: Option<String>) -> Result<Chosen> {
    if let Some(other) = [&env::ORY_PROJECT, &env::ORY_WORKSPACE].into_iter().find(|other| other.get().is_some()) {
        return Err(Error::usage(format!("two targets are named: {} and {}", var.name, other.name))
            .hint("unset one of them, so that it is certain where the command acts"));
    }
    let public = match public_flag(given)? {
        Some(public) => Some(public),
        None => {
            env::HYDRA_PUBLIC_URL.get().map(|text| net::server_url(&text, env::HYDRA_PUBLIC_URL.name)).transpose()?
        }
    };
    let mut target = server(address, var.name, public, given.variable_is_public)?;
    let mut warnings = Vec::new();
    if var.name == env::KRATOS_ADMIN_URL.name {
        warnings.push(format!(
            "the address {address} comes from KRATOS_ADMIN_URL, which often names Ory Kratos: ORY_SDK_URL is the better place for it"
        ));
    }
    if let (Some(key), Target::Server { admin, credential, .. }) = (key, &mut target) {
        // A key goes to Ory's own hosts only: elsewhere it is a second target, not a credential.
        if !is_below(admin, &apis()?) {
            return Err(Error::usage(format!("two targets are named: {} and ORY_PROJECT_API_KEY", var.name))
                .hint(format!("the key is for Ory Network, and {address} is not there: unset one of them")));
        }
        *credential = Some(Secret::new(key));
    }
    Ok(Chosen { target, named_by: var.name.into(), warnings })
}

fn public_flag(given: &Given) -> Result<Option<Url>> {
    given.public_endpoint.as_deref().map(|text| net::server_url(text, "--public-endpoint")).transpose()
}

/// `is_public`: the address may be that of the public API, where no other is named for it.
fn server(address: &str, what: &str, public: Option<Url>, is_public: bool) -> Result<Target> {
    let admin = net::server_url(address, what)?;
    let public = public.or_else(|| is_public.then(|| admin.clone()));
    Ok(Target::Server { admin, public, credential: None })
}

fn is_below(url: &Url, apis: &Url) -> bool {
    let (Some(host), Some(domain)) = (url.host_str(), apis.host_str()) else { return false };
    url.scheme() == apis.scheme() && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with(".projects."))
}

fn apis() -> Result<Url> {
    let text = env::ORY_ORYAPIS_URL.get().unwrap_or_else(|| "https://oryapis.com".into());
    net::server_url(&text, env::ORY_ORYAPIS_URL.name)
}

fn network(credential: Secret, project: Option<String>, workspace: Option<String>) -> Result<Network> {
    let text = env::ORY_CONSOLE_URL.get().unwrap_or_else(|| "https://console.ory.com".into());
    let console = prefixed(&net::server_url(&text, env::ORY_CONSOLE_URL.name)?, "api")?;
    Ok(Network { console, apis: apis()?, credential, project, workspace })
}

/// The address with `prefix.` before its host, as Ory Network names its hosts.
pub fn prefixed(url: &Url, prefix: &str) -> Result<Url> {
    let mut prefixed = url.clone();
    let host = format!("{prefix}.{}", url.host_str().unwrap_or_default());
    prefixed
        .set_host(Some(&host))
        .map_err(|source| Error::usage(format!("{host} is not the name of a host")).caused_by(source))?;
    Ok(prefixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_targets_among_the_flags_are_refused() {
        let given = Given { endpoint: Some("http://x".into()), sandbox: true, ..Given::default() };
        assert!(choose(&given).unwrap_err().message().contains("two targets"));
        let given = Given { endpoint: Some("http://x".into()), project: Some("p".into()), ..Given::default() };
        assert!(choose(&given).unwrap_err().message().contains("two targets"));
    }

    #[test]
    fn a_key_belongs_below_the_project_hosts_only() {
        let apis = Url::parse("https://oryapis.com").unwrap();
        for (url, expected) in [
            ("https://slug.projects.oryapis.com", true),
            ("http://slug.projects.oryapis.com", false),
            ("https://slug.projects.oryapis.com.evil.org", false),
            ("https://oryapis.com", false),
            ("https://evil.org", false),
        ] {
            assert_eq!(is_below(&Url::parse(url).unwrap(), &apis), expected, "{url}");
        }
    }
}
