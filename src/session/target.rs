//! Choosing the target: the highest layer that names one decides all of it.

mod environment;
mod flags;
mod profile;

use std::path::PathBuf;

use reqwest::header::HeaderMap;
use url::Url;

use crate::config::profile::{self as profiles, APIS, CONSOLE};
use crate::config::{ory, paths};
use crate::env;
use crate::error::{Error, Result};
use crate::net::{self, Policy};
use crate::secret::Secret;
use crate::session::credential::Credential;

/// What the flags say of the target, or what the shell was told to use.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// `--profile`: a named target.
    pub profile: Option<String>,
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
    /// `--trust`: the hash of a repository's `orysh.toml` that is trusted.
    pub trust: Option<String>,
    /// The profile that was in use as the shell began, and the file that it is from where that is not the user's own: whoever uses
    /// another one meanwhile does not move the shell.
    pub in_use: Option<(String, Option<PathBuf>)>,
    /// What the shell or a script was told to use, which counts where no flag names a target.
    pub used: Option<Box<Given>>,
    /// Who says so, as a person would say it, where that is no flag.
    pub named_by: Option<String>,
}

impl Given {
    /// Whether it names a project or a workspace of Ory Network and nothing else.
    pub fn is_of_network(&self) -> bool {
        (self.project.is_some() || self.workspace.is_some()) && self.endpoint.is_none() && !self.sandbox
    }

    /// The one of the two that counts where both are given: what flags name, before what was used.
    pub fn counting(&self) -> &Given {
        self.used.as_deref().filter(|_| !self.names_target()).unwrap_or(self)
    }

    /// The flags that name a target, as `--flag value`, so that a later command can be given the same.
    pub fn names(&self) -> Vec<(&'static str, String)> {
        if let (false, Some(used)) = (self.names_target(), &self.used) {
            return used.names();
        }
        let text = |flag: &'static str, value: &Option<String>| value.clone().map(|value| (flag, value));
        let config = self.config.as_ref().map(|path| ("config", path.display().to_string()));
        let sandbox = self.sandbox.then(|| ("sandbox", String::new()));
        [
            text("profile", &self.profile),
            text("endpoint", &self.endpoint),
            text("public-endpoint", &self.public_endpoint),
            text("project", &self.project),
            text("workspace", &self.workspace),
            config,
            sandbox,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The same from [`Given::names`].
    pub fn from_names(names: &[(String, String)]) -> Self {
        let mut given = Given::default();
        for (flag, value) in names {
            let value = value.clone();
            match flag.as_str() {
                "profile" => given.profile = Some(value),
                "endpoint" => given.endpoint = Some(value),
                "public-endpoint" => given.public_endpoint = Some(value),
                "project" => given.project = Some(value),
                "workspace" => given.workspace = Some(value),
                "config" => given.config = Some(PathBuf::from(value)),
                "sandbox" => given.sandbox = true,
                _ => {}
            }
        }
        given
    }

    /// Whether it names a target, rather than something about one.
    pub fn names_target(&self) -> bool {
        self.profile.is_some()
            || self.endpoint.is_some()
            || self.sandbox
            || self.project.is_some()
            || self.workspace.is_some()
            || self.config.is_some()
    }
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
        credential: Option<Box<Credential>>,
    },
    /// A project of Ory Network, whose address has to be looked up.
    Network(Box<Network>),
    /// The server inside this program.
    Sandbox,
}

/// A project of Ory Network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The console API.
    pub console: Url,
    /// Where people sign in.
    pub sign_in: Url,
    /// Below whose host every project has its own.
    pub apis: Url,
    /// The signed-in subject's token or key.
    pub credential: Credential,
    /// Which project: id, or slug, or the beginning of either. `None`: the only one that the credential sees.
    pub project: Option<String>,
    /// Which workspace, where the project is to be looked for in one.
    pub workspace: Option<String>,
}

/// Who says where to act, the highest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// The flags of the command.
    Flags,
    /// What the shell, or a script, was told to use.
    Shell,
    /// Variables of the environment.
    Environment,
    /// The profile in use.
    Profile,
    /// The Ory CLI's configuration file.
    OryCli,
}

impl Layer {
    /// All of them, the highest first.
    pub const ALL: [Layer; 5] = [Layer::Flags, Layer::Shell, Layer::Environment, Layer::Profile, Layer::OryCli];

    /// As a person would say it.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Flags => "flags",
            Layer::Shell => "use (in the shell)",
            Layer::Environment => "environment",
            Layer::Profile => "profile in use",
            Layer::OryCli => "the Ory CLI's file",
        }
    }

    /// What this layer says of the target; `None` where it says nothing.
    pub fn says(self, given: &Given) -> Result<Option<Chosen>> {
        let chosen = match self {
            Layer::Flags => flags::says(given),
            Layer::Shell => given.used.as_ref().map_or(Ok(None), |used| {
                let named = |chosen: Chosen| match &used.named_by {
                    Some(by) => Chosen { named_by: by.clone(), ..chosen },
                    None => chosen,
                };
                Ok(flags::says(used)?.map(named))
            }),
            Layer::Environment => environment::says(given),
            Layer::Profile => profile::in_use(given),
            Layer::OryCli => ory_cli(),
        };
        Ok(chosen?.map(|chosen| Chosen { layer: self, ..chosen }))
    }
}

/// A target, and which layer named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The target.
    pub target: Target,
    /// Which layer it comes from.
    pub layer: Layer,
    /// Who named it, as a person would say it: `--endpoint`, `ORY_SDK_URL`.
    pub named_by: String,
    /// As whom commands act there, without any secret.
    pub subject: String,
    /// The profile that it comes from, if one does.
    pub profile: Option<ProfileUsed>,
    /// What a person should know about the choice.
    pub warnings: Vec<String>,
}

/// What else a profile says of its target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileUsed {
    /// Its name.
    pub name: String,
    /// Whether to ask before it is changed.
    pub production: bool,
    /// The colour of its prompt.
    pub color: Option<String>,
    /// Its rate limits, by the name of a tier.
    pub rate_limit_tier: Option<String>,
    /// Headers for the admin API.
    pub headers: HeaderMap,
    /// Its authorities, certificates and proxy.
    pub policy: Policy,
}

impl Chosen {
    fn new(target: Target, named_by: impl Into<String>, subject: impl Into<String>) -> Self {
        Chosen {
            target,
            layer: Layer::Flags,
            named_by: named_by.into(),
            subject: subject.into(),
            profile: None,
            warnings: Vec::new(),
        }
    }
}

impl Chosen {
    /// Whether it is acted on with a key that is kept for its profile.
    pub fn has_kept_key(&self) -> bool {
        let is_kept = |credential: &Credential| matches!(credential, Credential::Kept { .. });
        match &self.target {
            Target::Server { credential, .. } => credential.as_deref().is_some_and(is_kept),
            Target::Network(network) => is_kept(&network.credential),
            Target::Sandbox => false,
        }
    }

    /// The target as a person would say it: an address, or what is to be looked up.
    pub fn place(&self) -> String {
        match &self.target {
            Target::Server { admin, .. } => admin.to_string(),
            Target::Network(network) => {
                let none = match network.credential {
                    Credential::Key(_) | Credential::Kept { .. } => "the key's own project",
                    Credential::SignIn { .. } | Credential::WorkspaceKey(_) => NO_PROJECT,
                };
                of_project(network.project.as_deref().unwrap_or(none))
            }
            Target::Sandbox => "the sandbox".into(),
        }
    }
}

/// What stands for a project where none is named.
pub const NO_PROJECT: &str = "no project in use";

/// A project of Ory Network, as a person would say it.
pub fn of_project(project: &str) -> String {
    format!("Ory Network, {project}")
}

/// Who acts where no credential is sent.
const NOBODY: &str = "nobody: no credential is sent";

/// Chooses: the highest layer that names a target. Errors: two targets in one layer, or none anywhere.
pub fn choose(given: &Given) -> Result<Chosen> {
    for layer in Layer::ALL {
        if let Some(chosen) = layer.says(given)? {
            return Ok(chosen);
        }
    }
    Err(no_target())
}

/// Which project and workspace of Ory Network it would be where nobody is signed in, or not any more; `None`: a profile says so.
pub fn once_signed_in(given: &Given) -> Option<(Option<String>, Option<String>)> {
    let named = match Layer::ALL.into_iter().find(|layer| !matches!(layer.says(given), Ok(None)))? {
        Layer::Flags | Layer::Shell => given.counting().clone(),
        Layer::Environment => {
            let (profile, project) = (env::ORYSH_PROFILE.get(), env::ORY_PROJECT.get());
            Given { profile, project, workspace: env::ORY_WORKSPACE.get(), ..Given::default() }
        }
        Layer::Profile => return None,
        Layer::OryCli => Given::default(),
    };
    match named {
        Given { profile: Some(_), .. } => None,
        Given { project: None, workspace: None, config, .. } => ory::selected(&config.or_else(paths::ory_config)?).ok(),
        Given { project, workspace, .. } => Some((project, workspace)),
    }
}

/// The same as [`choose`], which stays with the profile that is in use by now, if that is what counts.
pub fn pinned(given: Given) -> Given {
    let counts = choose(&given).is_ok_and(|chosen| chosen.layer == Layer::Profile);
    let in_use = profiles::user().ok().filter(|_| counts).and_then(|own| Some((own.current?, own.current_from)));
    Given { in_use, ..given }
}

/// Whether nothing anywhere names a target. A target that is named wrongly is not nowhere.
pub fn is_nowhere(given: &Given) -> bool {
    choose(given).is_err_and(|error| error.code() == Some(NO_TARGET))
}

const NO_TARGET: &str = "no_target";

fn no_target() -> Error {
    Error::usage("no server is named: there is nowhere to act")
        .with_code(NO_TARGET)
        .hint("name an admin API with --endpoint http://127.0.0.1:4445, set ORY_SDK_URL, or add a profile")
        .hint("or try things out on the server inside this program with --sandbox")
}

/// The error for a layer that names two targets.
fn two_targets(named: &[&str], hint: &str) -> Error {
    Error::usage(format!("two targets are named: {}", named.join(" and "))).hint(hint)
}

fn ory_cli() -> Result<Option<Chosen>> {
    let Some(path) = paths::ory_config().filter(|path| path.exists()) else { return Ok(None) };
    let file = match ory::read(&path) {
        Ok(file) => file,
        Err(error) if error.code() == Some(ory::SIGNED_OUT) => return Ok(None),
        Err(error) => return Err(error),
    };
    let network = network_by_sign_in(path.clone(), file.selected_project, file.selected_workspace)?;
    Ok(Some(Chosen::new(Target::Network(network.into()), path.display().to_string(), file.subject)))
}

/// `is_public`: the address may be that of the public API, where no other is named for it.
fn server(address: &str, what: &str, public: Option<Url>, is_public: bool) -> Result<Target> {
    let admin = net::server_url(address, what)?;
    let public = public.or_else(|| is_public.then(|| admin.clone()));
    Ok(Target::Server { admin, public, credential: None })
}

fn is_below(url: &Url, apis: &Url) -> bool {
    let (Some(host), Some(domain)) = (url.host_str(), apis.host_str()) else { return false };
    let slug = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix(".projects."));
    let is_same = url.scheme() == apis.scheme() && url.port_or_known_default() == apis.port_or_known_default();
    is_same && slug.is_some_and(|slug| !slug.is_empty() && !slug.contains('.'))
}

fn apis() -> Result<Url> {
    let text = env::ORY_ORYAPIS_URL.get().unwrap_or_else(|| APIS.into());
    net::server_url(&text, env::ORY_ORYAPIS_URL.name)
}

/// Ory Network's console and where people sign in to it, without `api.` and `project.`.
pub fn console_base() -> Result<Url> {
    let text = env::ORY_CONSOLE_URL.get().unwrap_or_else(|| CONSOLE.into());
    net::server_url(&text, env::ORY_CONSOLE_URL.name)
}

fn network_by_key(key: String, project: Option<String>, workspace: Option<String>) -> Result<Network> {
    network(|_| Credential::Key(Secret::new(key)), project, workspace)
}

fn network_by_workspace_key(key: String, project: Option<String>, workspace: Option<String>) -> Result<Network> {
    network(|_| Credential::WorkspaceKey(Secret::new(key)), project, workspace)
}

fn network_by_sign_in(file: PathBuf, project: Option<String>, workspace: Option<String>) -> Result<Network> {
    network(|server| Credential::SignIn { file, server: server.clone() }, project, workspace)
}

fn network(
    credential: impl FnOnce(&Url) -> Credential,
    project: Option<String>,
    workspace: Option<String>,
) -> Result<Network> {
    let base = console_base()?;
    let sign_in = prefixed(&base, "project")?;
    let credential = credential(&sign_in);
    Ok(Network { console: prefixed(&base, "api")?, sign_in, apis: apis()?, credential, project, workspace })
}

/// What the key of a profile of Ory Network is for: the console and the projects, and nothing else.
pub fn of_network(console: &Url, apis: &Url) -> String {
    format!("{} {}", console.origin().ascii_serialization(), apis.origin().ascii_serialization())
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
        let given = Given { profile: Some("p".into()), sandbox: true, ..Given::default() };
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
            ("https://slug.projects.oryapis.com:8443", false),
            ("https://a.slug.projects.oryapis.com", false),
            ("https://.projects.oryapis.com", false),
            ("https://evil.org", false),
        ] {
            assert_eq!(is_below(&Url::parse(url).unwrap(), &apis), expected, "{url}");
        }
    }
}
