//! The one reader of the environment: every variable is declared here with what it does.

/// A variable that this program reads.
#[derive(Debug)]
pub struct Var {
    /// Its name.
    pub name: &'static str,
    /// What it does, for `orysh help environment`.
    pub help: &'static str,
}

impl Var {
    /// Its value; set to nothing counts as not set. A value that is not UTF-8 is read as far as it goes.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
    pub fn get(&self) -> Option<String> {
        std::env::var_os(self.name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
    }
}

macro_rules! variables {
    ($($name:ident: $help:literal,)*) => {
        $(#[doc = $help] pub const $name: Var = Var { name: stringify!($name), help: $help };)*
        /// Every variable, in the order of the help.
        pub const ALL: &[Var] = &[$($name,)*];
    };
}

variables! {
    ORY_SDK_URL: "Address of the admin API (first choice among the variables)",
    HYDRA_ADMIN_URL: "Address of the admin API (second choice)",
    KRATOS_ADMIN_URL: "Address of the admin API (last choice: on many machines it names Ory Kratos)",
    HYDRA_PUBLIC_URL: "Address of the public API, where a secret can be proved after a lost reply",
    ORY_PROJECT_API_KEY: "API key of an Ory Network project: names the project and signs in",
    ORY_WORKSPACE_API_KEY: "API key of an Ory Network workspace: signs in to the console API",
    ORY_PROJECT: "Ory Network project: id, or slug, or the beginning of either",
    ORY_WORKSPACE: "Ory Network workspace: id, or name, or the beginning of either",
    ORY_CONFIG_PATH: "The Ory CLI's configuration file (default ~/.ory-cloud.json)",
    ORY_CONSOLE_URL: "Ory Network's console, without `api.` (default console.ory.com, by https)",
    ORY_ORYAPIS_URL: "Ory Network's project APIs (default oryapis.com, by https)",
    ORY_RATE_LIMIT_HEADER: "Sent to Ory Network as Ory-RateLimit-Action, as the Ory CLI does",
    OAUTH2_CLIENT_ID: "Id of the client that gets or revokes a token, where --client-id is not given",
    OAUTH2_CLIENT_SECRET: "Its secret, where none is given otherwise",
    ORYSH_CLIENT_ID: "Set for a program of --deliver: the client that it is given",
    ORYSH_KEYBASE_URL: "Where --keybase looks for keys (default keybase.io, by https)",
    ORYSH_HOME: "The one folder for configuration, data and state, instead of the XDG folders",
    ORYSH_PROFILE: "The profile that names the target, instead of the one in use",
    XDG_CONFIG_HOME: "Folder for configuration (default ~/.config): profiles",
    XDG_DATA_HOME: "Folder for data (default ~/.local/share): the sandbox's database",
    XDG_STATE_HOME: "Folder for state (default ~/.local/state): secrets of unsettled creates, history",
    PATH: "Where programs are looked for",
    HOME: "The user's home folder",
    HTTPS_PROXY: "Proxy for https (never used for loopback addresses)",
    HTTP_PROXY: "Proxy for http (never used for loopback addresses)",
    ALL_PROXY: "Proxy for both, where no other is named",
    NO_PROXY: "Hosts that are reached without a proxy, separated by commas",
    DISPLAY: "A screen, on which a browser can be opened to sign in",
    WAYLAND_DISPLAY: "A screen, likewise",
    DBUS_SESSION_BUS_ADDRESS: "The session bus, on which the key store is (default /run/user/UID/bus)",
    PAGER: "What shows in the shell what is longer than the screen (default less)",
    LESS: "How less does that (default SRXF: lines are not broken, colours stay, what fits is only shown)",
    VISUAL: "The editor that `edit` opens in the shell",
    EDITOR: "The same, where VISUAL is not set (default vi)",
    NO_COLOR: "When set, nothing is coloured",
    TERM: "The terminal: `dumb` means no colour",
    COLUMNS: "Width of a terminal that does not tell its own",
}

/// The value of a variable that a profile names; set to nothing counts as not set.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
pub fn named(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The names of all variables that begin so.
pub fn names_that_begin(prefix: &str) -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// The proxy variables are written in capitals or not; the small ones win, as for curl.
pub fn proxy_variable(var: &Var) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
    let small = std::env::var_os(var.name.to_lowercase()).map(|value| value.to_string_lossy().into_owned());
    small.filter(|value| !value.is_empty()).or_else(|| var.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_told_once_and_in_one_mood() {
        for (at, var) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != var.name), "{} twice", var.name);
            assert!(!var.help.ends_with('.'), "{} ends with a full stop", var.name);
        }
    }
}
