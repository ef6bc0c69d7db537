//! What a plugin may do, as its manifest asks for it and a person has granted it: whoever does something for a plugin asks here.

use std::path::{Component, Path, PathBuf};

use url::{Host, Url};

use crate::api::Side;
use crate::api::request::Request;
use crate::config::paths;
use crate::error::{Error, Result};
use crate::text::safe;

/// What can be done with clients.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Op {
    /// Looking at them.
    Read,
    /// Making them.
    Create,
    /// Changing them.
    Update,
    /// Deleting them.
    Delete,
    /// Rotating their secrets.
    Rotate,
}

impl Op {
    /// All of them, by the names that manifests give them.
    pub const ALL: [(&'static str, Op); 5] = [
        ("read", Op::Read),
        ("create", Op::Create),
        ("update", Op::Update),
        ("delete", Op::Delete),
        ("rotate", Op::Rotate),
    ];

    /// As a manifest names it.
    pub fn name(self) -> &'static str {
        Op::ALL.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}

/// What one plugin may do; by default nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Grant {
    /// The plugin.
    pub plugin: String,
    /// What it may do with clients.
    pub clients: Vec<Op>,
    /// Whether it may get, look at and revoke tokens.
    pub tokens: bool,
    /// Whether it gets to see secrets.
    pub secrets: bool,
    /// Hosts that it may talk to, with their ports: `vault.example.org:8200`.
    pub network: Vec<String>,
    /// The same, where the names may stand for private addresses.
    pub private_network: Vec<String>,
    /// Folders whose files it may read.
    pub read: Vec<String>,
    /// Folders in which it may read and write files.
    pub write: Vec<String>,
    /// Variables of the environment that it may read.
    pub environment: Vec<String>,
    /// Commands that it may give to `sh`.
    pub commands: Vec<String>,
    /// Other plugins whose functions it may call, which do what those were granted.
    pub plugins: Vec<String>,
    /// Whether it may ask a person.
    pub prompts: bool,
    /// The keys of its configuration that say where a secret is, which it reads.
    pub configured: Vec<String>,
}

/// The files of a repository that plugins leave alone.
const OF_PLUGINS: [&str; 2] = ["orysh.toml", "orysh.lock"];

/// Where the system tells of processes, this one among them.
const OF_PROCESSES: &str = "/proc";

/// What commands do with clients, by that: it has to be granted before they begin, as they look first, and may find nothing to send.
const ON_CLIENTS: &[(Op, &[&str])] = &[
    (Op::Read, &["get oauth2-client", "list oauth2-clients", "export oauth2-clients", "diff oauth2-client", "apply"]),
    (Op::Create, &["create oauth2-client", "import oauth2-clients", "batch create", "apply"]),
    (
        Op::Update,
        &[
            "update oauth2-client",
            "set lifespans",
            "patch oauth2-client",
            "replace oauth2-client",
            "batch update",
            "apply",
        ],
    ),
    (Op::Rotate, &["rotate secret", "batch rotate"]),
    (Op::Delete, &["delete oauth2-client", "batch delete"]),
];

/// The commands that are about tokens, or try secrets where tokens are given out.
const ON_TOKENS: [&str; 6] = [
    "perform client-credentials",
    "introspect token",
    "revoke token",
    "revoke consent",
    "delete access-tokens",
    "test oauth2-client",
];

/// The code of an error that says that a plugin lacks a capability.
pub const CAPABILITY: &str = "capability";

impl Grant {
    /// What of it stays within a sandbox and folders that go with a script.
    #[must_use]
    pub fn in_sandbox(&self) -> Grant {
        let Grant { plugin, clients, tokens, secrets, commands, .. } = self.clone();
        Grant { plugin, clients, tokens, secrets, commands, ..Grant::default() }
    }

    /// Whether it asks for nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Grant { plugin: self.plugin.clone(), ..Grant::default() }
    }

    /// What it may do, a line each, as a person is asked: the capability and what of it.
    pub fn lines(&self) -> Vec<String> {
        let ops: Vec<String> = self.clients.iter().map(|op| op.name().to_owned()).collect();
        let listed = [
            ("clients", "do with clients", &ops),
            ("network", "talk to", &self.network),
            ("private-network", "talk to, at private addresses", &self.private_network),
            ("read", "read files in", &self.read),
            ("write", "read and write files in", &self.write),
            ("environment", "read from the environment", &self.environment),
            ("commands", "run commands", &self.commands),
            ("plugins", "call what these plugins export", &self.plugins),
            ("config", "read the secrets that are configured as", &self.configured),
        ];
        let switched = [
            ("tokens", "get, look at and revoke tokens", self.tokens),
            ("secrets", "see secrets of clients", self.secrets),
            ("prompts", "ask you questions", self.prompts),
        ];
        let listed = listed.iter().filter(|(_, _, of)| !of.is_empty());
        let listed = listed.map(|(key, does, of)| format!("{key}: {does}: {}", safe(&of.join(", "))));
        let switched = switched.iter().filter(|(_, _, is)| *is).map(|(key, does, _)| format!("{key}: {does}"));
        listed.chain(switched).collect()
    }

    /// What it may do beyond another grant.
    pub fn beyond(&self, other: &Grant) -> Vec<String> {
        fn more<T: Clone + PartialEq>(own: &[T], known: &[T]) -> Vec<T> {
            own.iter().filter(|one| !known.contains(one)).cloned().collect()
        }
        Grant {
            plugin: self.plugin.clone(),
            clients: more(&self.clients, &other.clients),
            tokens: self.tokens && !other.tokens,
            secrets: self.secrets && !other.secrets,
            network: more(&self.network, &other.network),
            private_network: more(&self.private_network, &other.private_network),
            read: more(&self.read, &other.read),
            write: more(&self.write, &other.write),
            environment: more(&self.environment, &other.environment),
            commands: more(&self.commands, &other.commands),
            plugins: more(&self.plugins, &other.plugins),
            prompts: self.prompts && !other.prompts,
            configured: more(&self.configured, &other.configured),
        }
        .lines()
    }

    fn lacks(&self, what: &str, line: &str) -> Error {
        let name = safe(&self.plugin);
        let key = line.split(" = ").next().unwrap_or_default();
        Error::failed(format!("plugin `{name}` may not {what}: it has not the capability `{key}`"))
            .with_code(CAPABILITY)
            .hint(format!("its plugin.toml would ask for it below [capabilities]: {line}"))
    }

    /// Errors: it may not do that with clients.
    pub fn client_op(&self, op: Op) -> Result<()> {
        if self.clients.contains(&op) {
            return Ok(());
        }
        let name = op.name();
        Err(self.lacks(&format!("{name} clients"), &format!("clients = [\"{name}\"]")))
    }

    /// Errors: it may have nothing to do with tokens.
    pub fn token(&self) -> Result<()> {
        if self.tokens { Ok(()) } else { Err(self.lacks("have to do with tokens", "tokens = true")) }
    }

    /// Errors: it gets no secrets.
    pub fn secret(&self) -> Result<()> {
        if self.secrets { Ok(()) } else { Err(self.lacks("see secrets", "secrets = true")) }
    }

    /// Errors: it may ask nobody.
    pub fn prompt(&self) -> Result<()> {
        if self.prompts { Ok(()) } else { Err(self.lacks("ask anybody", "prompts = true")) }
    }

    /// Errors: it may not read that variable.
    pub fn variable(&self, name: &str) -> Result<()> {
        if self.environment.iter().any(|granted| granted == name) {
            return Ok(());
        }
        let name = safe(name);
        Err(self.lacks(&format!("read the variable {name}"), &format!("environment = [\"{name}\"]")))
    }

    /// Errors: it may not give that command to `sh`.
    pub fn command(&self, words: &[&str]) -> Result<()> {
        let name = words.join(" ");
        if !self.commands.contains(&name) {
            return Err(self.lacks(&format!("run `{name}`"), &format!("commands = [\"{name}\"]")));
        }
        let ops = ON_CLIENTS.iter().filter(|(_, commands)| commands.contains(&name.as_str()));
        ops.map(|(op, _)| *op).try_for_each(|op| self.client_op(op))?;
        if ON_TOKENS.contains(&name.as_str()) { self.token() } else { Ok(()) }
    }

    /// Errors: it may not call that plugin.
    pub fn plugin_of(&self, name: &str) -> Result<()> {
        if self.plugins.iter().any(|granted| granted == name) {
            return Ok(());
        }
        let name = safe(name);
        Err(self.lacks(&format!("call plugin `{name}`"), &format!("plugins = [\"{name}\"]")))
    }

    /// Whether the host of an address may stand for a private one. Errors: it may not talk to it at all.
    pub fn host(&self, url: &Url) -> Result<bool> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or_default();
        let is_named = |granted: &String| {
            let (name, number) = granted.rsplit_once(':').unwrap_or((granted, ""));
            name.trim_matches(['[', ']']).eq_ignore_ascii_case(host) && number == port.to_string()
        };
        if self.private_network.iter().any(is_named) {
            return Ok(true);
        }
        if self.network.iter().any(is_named) {
            // An address that is written as one, and this machine by its name, is meant as it stands.
            let is_written = !matches!(url.host(), Some(Host::Domain(_))) || host.eq_ignore_ascii_case("localhost");
            return Ok(is_written);
        }
        let (host, named) = (safe(host), if host.contains(':') { format!("[{host}]") } else { host.to_owned() });
        Err(self.lacks(&format!("talk to {host}:{port}"), &format!("network = [\"{}:{port}\"]", safe(&named))))
    }

    /// The error that says that a host is at a private address; `why` says that of it.
    pub fn private_host(&self, url: &Url, why: &str) -> Error {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let place = safe(host);
        self.lacks(&format!("talk to {place}:{port}, as {why}"), &format!("private-network = [\"{place}:{port}\"]"))
    }

    /// Where a file that may be read really is. Errors: it may not be.
    pub fn readable(&self, path: &str) -> Result<PathBuf> {
        self.place(path, "read", self.read.iter().chain(&self.write))
    }

    /// Where a file that may be written really is. Errors: it may not be.
    pub fn writable(&self, path: &str) -> Result<PathBuf> {
        self.place(path, "write", self.write.iter())
    }

    fn place<'a>(&self, path: &str, key: &str, folders: impl Iterator<Item = &'a String>) -> Result<PathBuf> {
        let folders: Vec<&String> = folders.collect();
        let refused = |why: &str| {
            let what = format!("plugin `{}` may not {key} {}: {why}", safe(&self.plugin), safe(path));
            Err(Error::failed(what).with_code(CAPABILITY))
        };
        let real = real(Path::new(path));
        // A folder that is granted may be made yet.
        let is_within = |folder: &&String| {
            let folder = Some(Path::new(folder)).filter(|folder| !is_linked(folder)).and_then(self::real);
            folder.zip(real.as_ref()).is_some_and(|(folder, real)| real.starts_with(folder))
        };
        let Some(real) = real.as_ref().filter(|_| folders.iter().any(is_within)) else {
            let seems = |folder: &&String| Path::new(path).starts_with(folder);
            if folders.iter().any(|folder| seems(folder) && is_linked(Path::new(folder))) {
                return refused("the folder that was granted is a link, and nobody was shown where it leads");
            }
            if folders.iter().any(seems) {
                return refused("it leads out of what was granted");
            }
            let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).display().to_string();
            return Err(self.lacks(&format!("{key} {}", safe(path)), &format!("{key} = [\"{}\"]", safe(&folder))));
        };
        // What this program keeps is no plugin's business, wherever it lies; nor is what a repository says of plugins.
        let folders = [paths::config(), paths::data(), paths::state()].map(Result::ok);
        let own = folders.into_iter().flatten().chain(paths::ory_config());
        let is_own = own.into_iter().any(|own| self::real(&own).is_some_and(|own| real.starts_with(own)));
        let says = real.file_name().is_some_and(|name| OF_PLUGINS.iter().any(|own| name == *own));
        match () {
            () if is_own => refused("it is what orysh keeps for itself"),
            () if real.starts_with(OF_PROCESSES) => refused("it tells of processes and their environment"),
            () if says && key == "write" => refused("it says what plugins there are, and what they may do"),
            () => Ok(real.clone()),
        }
    }

    /// Errors: it may not have that sent.
    pub fn request(&self, request: &Request) -> Result<()> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        let op = match (request.side, path.as_slice(), method) {
            // Whoever writes looks first, at that client.
            (Side::Admin, ["admin", "clients", _, ..], "GET") if !self.clients.is_empty() => return Ok(()),
            (Side::Admin, ["admin", "clients", ..], "GET") => Op::Read,
            (Side::Admin, ["admin", "clients", _, "secrets", "rotate"], _) => Op::Rotate,
            (Side::Admin, ["admin", "clients"], "POST") => Op::Create,
            (Side::Admin, ["admin", "clients", ..], "DELETE") => Op::Delete,
            (Side::Admin, ["admin", "clients", ..], _) => Op::Update,
            (Side::Public, [".well-known", ..], "GET") => return Ok(()),
            // A create whose reply was lost is settled there.
            (Side::Public, ["oauth2", "token"], _) if request.is_probe() && self.clients.contains(&Op::Create) => {
                return Ok(());
            }
            _ => return self.token(),
        };
        if op == Op::Update && request.sets_secret() {
            self.client_op(Op::Rotate)?;
        }
        self.client_op(op)
    }
}

/// Whether a part of a relative path is a link: whoever made the folder that one is in says where it leads, and not who granted it.
fn is_linked(path: &Path) -> bool {
    path.is_relative() && path.ancestors().any(|part| !part.as_os_str().is_empty() && part.is_symlink())
}

/// Where a path leads to: of what is not there yet its folder tells. Links to nowhere lead nowhere.
fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = std::fs::canonicalize(path) {
        return Some(real);
    }
    // A link that leads to nothing would be written through.
    if path.is_symlink() {
        return None;
    }
    let name = path.file_name()?;
    let mut missing = vec![name.to_owned()];
    let mut folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    loop {
        if let Ok(real) = std::fs::canonicalize(folder) {
            return Some(missing.iter().rev().fold(real, |path, name| path.join(name)));
        }
        if folder.is_symlink() || !matches!(folder.components().next_back(), Some(Component::Normal(_))) {
            return None;
        }
        missing.push(folder.file_name()?.to_owned());
        folder = folder.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        Grant { plugin: "p".into(), network: vec!["a.example:443".into(), "127.0.0.1:80".into()], ..Grant::default() }
    }

    #[test]
    fn hosts_are_those_that_are_named_with_their_ports() {
        let host = |text: &str| grant().host(&Url::parse(text).unwrap());
        assert_eq!(host("https://a.example/x").ok(), Some(false));
        assert_eq!(host("http://127.0.0.1/").ok(), Some(true));
        for other in ["http://a.example/", "https://a.example:444/", "https://b.a.example/", "https://a.example.b/"] {
            let error = host(other).unwrap_err();
            assert!(error.code() == Some(CAPABILITY) && error.hints()[0].contains("network = ["), "{other}: {error}");
        }
    }

    #[test]
    fn files_are_those_in_a_folder_wherever_links_lead() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("x"), "").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("nothing"), inside.join("dangling")).unwrap();
        let grant = Grant { write: vec![inside.display().to_string()], ..grant() };
        let at = |name: &str| inside.join(name).display().to_string();
        for good in ["a", "b/c/d", "../in/a"] {
            assert!(grant.writable(&at(good)).is_ok() && grant.readable(&at(good)).is_ok(), "{good}");
        }
        for bad in ["../out/x", "link/x", "link/new", "dangling", "b/../../out/x", "no/../../out/y", ".."] {
            assert!(grant.writable(&at(bad)).is_err(), "{bad}");
        }
        assert!(grant.readable("/etc/passwd").is_err());
    }
}
