//! Profiles: named targets in the user's `config.toml`, and in the `orysh.toml` of a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};
use url::Url;

use crate::config::credentials::Place;
use crate::config::tier::TIERS;
use crate::config::{edit, paths, team};
use crate::error::{Error, Result, nearest};
use crate::net;
use crate::text::safe;
use crate::ui::PAINTS;

/// The table of profiles.
pub const PROFILES: &str = "profile";

/// Ory Network's console, where no other is named.
pub const CONSOLE: &str = "https://console.ory.com";

/// Ory Network's project APIs, where no other are named.
pub const APIS: &str = "https://oryapis.com";

/// The key that names the profile in use.
pub const CURRENT: &str = "current-profile";

/// The key that names the repository's file that it is from, where it is not the user's own.
pub const CURRENT_FROM: &str = "current-profile-from";

/// What a profile says, as it stands in the file: kebab-case, as the flags.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Profile {
    /// Address of the admin API.
    pub endpoint: Option<String>,
    /// Address of the public API.
    pub public_endpoint: Option<String>,
    /// Ory Network's console, without `api.`.
    pub console_url: Option<String>,
    /// Ory Network's project APIs.
    pub apis_url: Option<String>,
    /// Workspace of Ory Network.
    pub workspace: Option<String>,
    /// Project of Ory Network.
    pub project: Option<String>,
    /// Headers for the admin API.
    pub headers: BTreeMap<String, String>,
    /// PEM file of the authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate.
    pub client_cert: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Whether any certificate is believed.
    pub skip_tls_verify: bool,
    /// A proxy, instead of the environment's.
    pub proxy: Option<String>,
    /// Where its credential is.
    pub credential: Option<Whence>,
    /// Whether to ask before it is changed.
    pub production: bool,
    /// The colour of its prompt.
    pub color: Option<String>,
    /// Its rate limits, by Ory Network's tiers.
    pub rate_limit_tier: Option<String>,
    /// Whether its key on Ory Network is that of a workspace.
    pub key_of: Option<String>,
}

/// Where a credential is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Whence {
    /// In a variable of the environment.
    Variable(String),
    /// Kept by this program.
    Kept(Place),
    /// With the sign-in to Ory Network.
    SignIn,
}

impl Whence {
    /// `env:NAME`, `key-store`, `file`, `sign-in`.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "sign-in" => Ok(Whence::SignIn),
            "key-store" | "file" => Place::parse(text).map(Whence::Kept),
            _ => match text.strip_prefix("env:").filter(|name| is_variable(name)) {
                Some(name) => Ok(Whence::Variable(name.to_owned())),
                None => Err(Error::usage(format!("`{}` is no place for a credential", safe(text)))
                    .did_you_mean(nearest(text, ["key-store", "file", "sign-in"]))
                    .hint(
                        "a credential is in `key-store`, `file`, `sign-in` or `env:NAME`; never in the profile itself",
                    )),
            },
        }
    }

    /// As it stands in the file.
    pub fn to_text(&self) -> String {
        match self {
            Whence::Variable(name) => format!("env:{name}"),
            Whence::Kept(place) => place.name().into(),
            Whence::SignIn => "sign-in".into(),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

type Set = fn(&mut Profile, &str) -> Result<()>;
type Get = fn(&Profile) -> Option<String>;
type Switch = fn(&mut Profile) -> &mut bool;

/// A key that holds text: its name, what it says, how it is set and read.
pub struct Key {
    /// Its name, which is that of its flag as well.
    pub name: &'static str,
    /// What stands for its value in help.
    pub value: &'static str,
    /// One line of help.
    pub help: &'static str,
    set: Set,
    /// What a profile says under it.
    pub get: Get,
}

macro_rules! texts {
    ($($field:ident $name:literal $value:literal $help:literal $make:expr;)*) => {
        &[$(Key {
            name: $name,
            value: $value,
            help: $help,
            set: |profile, text| {
                let make: fn(&str) -> Result<_> = $make;
                profile.$field = Some(make(text)?);
                Ok(())
            },
            get: |profile| profile.$field.as_ref().map(|value| Shown::shown(value)),
        },)*]
    };
}

trait Shown {
    fn shown(&self) -> String;
}

impl Shown for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for Whence {
    fn shown(&self) -> String {
        self.to_text()
    }
}

fn owned(text: &str) -> Result<String> {
    if text.is_empty() { Err(Error::usage("it is empty")) } else { Ok(text.to_owned()) }
}

fn path(text: &str) -> Result<PathBuf> {
    owned(text).map(PathBuf::from)
}

fn one_of(text: &str, known: &[&'static str]) -> Result<String> {
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(Error::usage(format!("`{}` is none of {}", safe(text), known.join(", ")))
        .did_you_mean(nearest(text, known.iter().copied())))
}

/// Every key that holds text.
pub const TEXTS: &[Key] = texts! {
    endpoint "endpoint" "URL" "Address of the admin API, as http://127.0.0.1:4445" owned;
    public_endpoint "public-endpoint" "URL" "Address of the public API, as http://127.0.0.1:4444" owned;
    console_url "console-url" "URL" "Ory Network's console, without `api.`" owned;
    apis_url "apis-url" "URL" "Ory Network's project APIs, without the project" owned;
    workspace "workspace" "WORKSPACE" "Workspace of Ory Network: id, or name, or the beginning of either" owned;
    project "project" "PROJECT" "Project of Ory Network: id, or slug, or the beginning of either" owned;
    ca_file "ca-file" "FILE" "PEM file of the authorities to trust instead of the system's" path;
    client_cert "client-cert" "FILE" "PEM file of the TLS client certificate" path;
    client_key "client-key" "FILE" "PEM file of that certificate's key" path;
    proxy "proxy" "URL" "Proxy, instead of those of the environment" owned;
    credential "credential" "WHERE" "Where its credential is: env:NAME, key-store or file (see `auth key set`), or sign-in" Whence::parse;
    key_of "key-of" "WHAT" "Whose key its credential is on Ory Network: project or workspace [default: project]" |text| one_of(text, &["project", "workspace"]);
    color "prompt-color" "COLOR" "Colour of its prompt: red, yellow, green, cyan, blue, magenta" |text| one_of(text, &PAINTS.map(|(name, _)| name));
    rate_limit_tier "rate-limit-tier" "TIER" "Its rate limits: developer, dev, production, growth, enterprise" |text| one_of(text, &TIERS.map(|tier| tier.name));
};

/// The keys that hold `true` or `false`.
const SWITCHES: &[(&str, Switch)] =
    &[("skip-tls-verify", |profile| &mut profile.skip_tls_verify), ("production", |profile| &mut profile.production)];

const HEADERS: &str = "headers";

/// Whether a header of that name is likely to be a credential.
pub fn is_credential(header: &str) -> bool {
    let name = header.to_ascii_lowercase();
    ["auth", "cookie", "token", "key", "secret", "pass", "session", "jwt", "credential", "bearer"]
        .iter()
        .any(|part| name.contains(part))
}

impl Profile {
    /// What it says, key by key, as a person is shown it: no password, and no header's value.
    pub fn shown(&self) -> Vec<(String, String)> {
        let mut shown: Vec<(String, String)> = TEXTS
            .iter()
            .filter_map(|key| Some((key.name.to_owned(), net::without_password(&(key.get)(self)?))))
            .collect();
        let mut copy = self.clone();
        shown.extend(
            SWITCHES
                .iter()
                .filter(|(_, switch)| *switch(&mut copy))
                .map(|(name, _)| ((*name).to_owned(), "true".into())),
        );
        shown.extend(self.headers.iter().map(|(header, value)| ("header".to_owned(), format!("{header}: {value}"))));
        shown
    }

    /// The addresses that it names.
    fn urls(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let urls = [
            ("endpoint", &self.endpoint),
            ("public-endpoint", &self.public_endpoint),
            ("console-url", &self.console_url),
            ("apis-url", &self.apis_url),
            ("proxy", &self.proxy),
        ];
        urls.into_iter().filter_map(|(key, url)| Some((key, url.as_ref()?)))
    }

    /// The first key that is a credential or holds one: these are kept elsewhere.
    pub fn credential_in_it(&self) -> Option<String> {
        let url = self.urls().find(|(_, url)| net::without_password(url) != **url).map(|(key, _)| key.to_owned());
        url.or_else(|| self.headers.keys().find(|header| is_credential(header)).cloned())
    }

    /// Where it acts, as a person would say it.
    pub fn target(&self) -> String {
        match (&self.endpoint, &self.project) {
            (Some(endpoint), _) => safe(&net::without_password(endpoint)).into_owned(),
            (None, Some(project)) => format!("Ory Network, {}", safe(project)),
            (None, None) => "Ory Network".into(),
        }
    }

    /// Ory Network's console as it says, without `api.`. `name` is the profile's.
    pub fn console(&self, name: &str) -> Result<Url> {
        net::server_url(self.console_url.as_deref().unwrap_or(CONSOLE), &format!("profile {name}: console-url"))
    }

    /// Below whose host its projects are. `name` is the profile's.
    pub fn apis(&self, name: &str) -> Result<Url> {
        net::server_url(self.apis_url.as_deref().unwrap_or(APIS), &format!("profile {name}: apis-url"))
    }

    /// Sets what is named `name` from text.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let key = TEXTS.iter().find(|key| key.name == name).ok_or_else(|| unknown(name))?;
        (key.set)(self, text).map_err(|error| error.about(format!("`{name}`")))
    }

    /// Checks what only the whole can be wrong in. `name` is the profile's.
    pub fn check(&self, name: &str) -> Result<()> {
        let of_network = [
            ("console-url", &self.console_url),
            ("apis-url", &self.apis_url),
            ("workspace", &self.workspace),
            ("project", &self.project),
        ];
        if OWN_NAMES.contains(&name) {
            return Err(Error::usage(format!("`{name}` cannot be the name of a profile"))
                .hint("a prompt says so of the server inside this program, or of none"));
        }
        let network = of_network.into_iter().find(|(_, value)| value.is_some()).map(|(key, _)| key);
        match (&self.endpoint, network) {
            (Some(_), Some(key)) => {
                Err(Error::usage(format!("profile `{name}` names two targets: endpoint and {key}"))
                    .hint("an endpoint is of a server of your own, the others are of Ory Network"))
            }
            (None, None) => Err(Error::usage(format!("profile `{name}` names no target"))
                .hint("name an endpoint, or a project of Ory Network")),
            (None, Some(_)) if self.public_endpoint.is_some() => {
                Err(Error::usage(format!("profile `{name}`: a public-endpoint goes with an endpoint")))
            }
            _ if self.endpoint.is_some() && self.credential == Some(Whence::SignIn) => Err(Error::usage(format!(
                "profile `{name}`: the sign-in is for Ory Network, and its endpoint is not there"
            ))),
            _ => Ok(()),
        }
    }

    /// Reads the table of a profile. Gives the keys that are not known as well. `text` is the whole file's, for places.
    fn read(table: &DeTable<'_>, text: &str, file: &str) -> Result<(Self, Vec<String>)> {
        let mut profile = Profile::default();
        let mut strangers = Vec::new();
        for (name, item) in table {
            let name = name.get_ref().as_ref();
            // Only where something is wrong: to find a place is to read all that is before it.
            let at = || edit::position(text, item.span().start);
            let item = item.get_ref();
            let wrong = |why: &str| Error::usage(format!("{}, {}: `{name}` wants {why}", safe(file), at())).at(at());
            if let Some((_, switch)) = SWITCHES.iter().find(|(known, _)| *known == name) {
                *switch(&mut profile) = item.as_bool().ok_or_else(|| wrong("true or false"))?;
            } else if name == HEADERS {
                let headers = item.as_table().ok_or_else(|| wrong("a table of texts"))?;
                for (header, value) in headers {
                    let (header, value) = (header.get_ref().as_ref(), value.get_ref());
                    let value = value.as_str().ok_or_else(|| wrong("a table of texts"))?;
                    profile.headers.insert(str::to_owned(header), value.to_owned());
                }
            } else if TEXTS.iter().any(|key| key.name == name) {
                let given = item.as_str().ok_or_else(|| wrong("text"))?;
                profile.set(name, given).map_err(|error| error.about(format!("{}, {}", safe(file), at())).at(at()))?;
            } else {
                strangers.push(name.to_owned());
            }
        }
        Ok((profile, strangers))
    }

    /// Writes what it says into a table; what the table holds beside that stays.
    pub fn write(&self, table: &mut dyn TableLike) {
        for key in TEXTS {
            match (key.get)(self) {
                Some(text) => edit::set(table, key.name, text),
                None => drop(table.remove(key.name)),
            }
        }
        let mut copy = self.clone();
        for (name, switch) in SWITCHES {
            if *switch(&mut copy) {
                edit::set(table, name, true);
            } else {
                table.remove(name);
            }
        }
        if self.headers.is_empty() {
            table.remove(HEADERS);
        } else {
            let mut headers = toml_edit::InlineTable::new();
            for (name, value) in &self.headers {
                headers.insert(name, value.as_str().into());
            }
            edit::set(table, HEADERS, Value::InlineTable(headers));
        }
    }
}

fn unknown(name: &str) -> Error {
    let known = TEXTS.iter().map(|key| key.name).chain(SWITCHES.iter().map(|(name, _)| *name)).chain([HEADERS]);
    Error::usage(format!("a profile has no `{}`", safe(name))).did_you_mean(nearest(name, known))
}

/// The profiles of a file.
#[derive(Debug, Default)]
pub struct Profiles {
    /// By name.
    pub all: BTreeMap<String, Profile>,
    /// The profile in use.
    pub current: Option<String>,
    /// The file that it is from, where it is not the user's own.
    pub current_from: Option<PathBuf>,
    /// What in the file is not known.
    pub warnings: Vec<String>,
}

impl Profiles {
    /// The profile of that name. Errors: there is none, with the nearest names.
    pub fn get(&self, name: &str) -> Result<&Profile> {
        self.all.get(name).ok_or_else(|| absent(name, self.all.keys().map(String::as_str)))
    }
}

/// The error for a profile that is not there.
pub fn absent<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    Error::usage(format!("there is no profile `{}`", safe(name)))
        .did_you_mean(nearest(name, known))
        .hint("`orysh profile list` shows them, `orysh profile add NAME` makes one")
}

/// The user's own file.
pub fn user_file() -> Result<PathBuf> {
    Ok(paths::config()?.join("config.toml"))
}

/// The user's profiles; none where there is no file. Errors of usage with line and column: the file is broken.
pub fn user() -> Result<Profiles> {
    // Where there is no folder for it there is none.
    let Ok(path) = user_file() else { return Ok(Profiles::default()) };
    profiles(&edit::text(&path)?, &path)
}

/// The variables in which the user's profiles have their credentials, as far as they can be read.
pub fn credential_variables() -> Vec<String> {
    let profiles = user().unwrap_or_default();
    let whence = profiles.all.into_values().filter_map(|profile| profile.credential);
    whence.filter_map(|whence| if let Whence::Variable(name) = whence { Some(name) } else { None }).collect()
}

/// The profiles of a file's text.
pub fn profiles(text: &str, path: &Path) -> Result<Profiles> {
    let file = path.display().to_string();
    let mut found = Profiles::default();
    for (name, item) in &edit::parse(text, path)? {
        let name = name.get_ref().as_ref();
        let at = || edit::position(text, item.span().start);
        let item = item.get_ref();
        let wrong =
            |what: &str, why: &str| Error::usage(format!("{}, {}: `{what}` wants {why}", safe(&file), at())).at(at());
        match name {
            CURRENT => {
                let given = item.as_str().ok_or_else(|| wrong(name, "the name of a profile"))?;
                found.current = Some(given.to_owned()).filter(|given| !given.is_empty());
            }
            CURRENT_FROM => {
                let given = item.as_str().ok_or_else(|| wrong(name, "the path of a file"))?;
                found.current_from = Some(PathBuf::from(given)).filter(|path| !path.as_os_str().is_empty());
            }
            PROFILES => {
                let tables = item.as_table().ok_or_else(|| wrong(name, "a table a profile"))?;
                for (name, item) in tables {
                    let name: &str = name.get_ref().as_ref();
                    let table = item.get_ref().as_table().ok_or_else(|| wrong(name, "a table"))?;
                    let (profile, strangers) = Profile::read(table, text, &file)?;
                    found.warnings.extend(strangers.iter().map(|key| {
                        let near = nearest(key, TEXTS.iter().map(|key| key.name));
                        let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
                        format!("{}: profile `{}` has an unknown key `{}`{near}", safe(&file), safe(name), safe(key))
                    }));
                    found.all.insert(name.to_owned(), profile);
                }
            }
            // A repository lists plugins there; who reads those looks at them.
            "plugins" if path.ends_with(team::NAME) => {}
            other => found.warnings.push(format!("{}: unknown key `{}`", safe(&file), safe(other))),
        }
    }
    Ok(found)
}

/// Changes the user's file: `change` gets the table of profiles as well.
pub fn change<T>(change: impl FnOnce(&mut DocumentMut, &Profiles) -> Result<T>) -> Result<T> {
    let path = user_file()?;
    edit::change(&path, |document| {
        // Places are known to what was just read, not to what is changed.
        let known = profiles(&document.to_string(), &path)?;
        change(document, &known)
    })
}

/// The table of a profile, made where it is not there.
pub fn table<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut dyn TableLike> {
    let profiles = document.entry(PROFILES).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let is_inline = profiles.is_inline_table();
    let profiles = profiles.as_table_like_mut().ok_or_else(|| Error::usage(format!("`{PROFILES}` is no table")))?;
    if !profiles.contains_key(name) {
        let new = if is_inline { toml_edit::value(toml_edit::InlineTable::new()) } else { Item::Table(Table::new()) };
        profiles.insert(name, new);
    }
    profiles
        .get_mut(name)
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| Error::usage(format!("the profile `{}` is no table of its own", safe(name))))
}

/// What a prompt calls the server inside this program, and no server.
const OWN_NAMES: [&str; 2] = ["sandbox", "nowhere"];

/// Whether a text can be the name of a profile: letters, digits, dashes, underscores and dots.
pub fn check_name(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` cannot be the name of a profile", safe(name)))
        .hint("a name has letters, digits, dashes, underscores and dots"))
}
