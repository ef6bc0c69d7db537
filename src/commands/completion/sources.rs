//! Where words come from that are no fixed choice: what is kept on this machine, and what a server lists.

use std::collections::BTreeMap;

use clap::Arg;

use super::listed::Listed;
use super::{Candidate, Offered};
use crate::batch::folder;
use crate::commands::network;
use crate::config::{profile, team};
use crate::error::Result;
use crate::plugin::store;
use crate::session::Session;
use crate::text::is_unsafe;

/// Where words come from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Source {
    /// The clients where the line acts.
    Clients,
    /// The projects of Ory Network.
    Projects,
    /// Its workspaces.
    Workspaces,
    /// The user's profiles, and those of the repository.
    Profiles,
    /// The runs of batches.
    Runs,
    /// The plugins that are installed.
    Plugins,
}

/// What arguments are called whose words come from somewhere.
const NAMES: [(&str, Source); 9] = [
    ("ID", Source::Clients),
    ("CLIENT_ID", Source::Clients),
    ("PROJECT", Source::Projects),
    ("WORKSPACE", Source::Workspaces),
    ("PROFILE", Source::Profiles),
    ("RUN", Source::Runs),
    ("PLUGIN", Source::Plugins),
    ("PLUGIN|PATH|URL", Source::Plugins),
    ("PATH|PLUGIN", Source::Plugins),
];

impl Source {
    /// Where the words of an argument come from, if from anywhere.
    pub fn of(arg: &Arg) -> Option<Self> {
        // The id of a client that is made is nobody's yet.
        let name = arg.get_value_names().filter(|_| arg.get_id() != "client_id")?.first()?;
        NAMES.iter().find(|(known, _)| known == name).map(|(_, source)| *source)
    }

    /// Whether it is on this machine.
    pub fn is_kept(self) -> bool {
        !matches!(self, Source::Clients | Source::Projects | Source::Workspaces)
    }

    /// What is on this machine of it; `None`: a server has to be asked. What cannot be read offers nothing.
    pub fn kept(self) -> Option<Listed> {
        match self {
            Source::Clients | Source::Projects | Source::Workspaces => None,
            Source::Profiles => Some(profiles().unwrap_or_default()),
            Source::Runs => {
                let names = folder::names().unwrap_or_default();
                Some(Listed::of(names.iter().map(|name| (name.as_str(), ""))))
            }
            Source::Plugins => {
                let entries = store::own().and_then(|path| store::entries(&path)).unwrap_or_default();
                Some(Listed::of(entries.iter().map(|(name, entry)| (name.as_str(), entry.version.as_str()))))
            }
        }
    }

    /// What tells the same of another place from it.
    pub fn key(self, place: &str) -> String {
        format!("{self:?} of {place}")
    }

    /// Asks the server; of clients for so many pages. Errors: it does not tell.
    pub fn listed(self, session: &Session, most_pages: usize) -> Result<Listed> {
        let (noun, name) = match self {
            Source::Projects => ("projects", "slug"),
            Source::Workspaces => ("workspaces", "name"),
            _ => return Listed::of_clients(session, most_pages),
        };
        let found = network::places(session, noun, name)?;
        // A person types the slug of a project, and the id of what has none.
        let pairs = found.iter().map(|place| match (self, &place.title) {
            (Source::Projects, title) => (place.name.as_str(), title.as_deref().unwrap_or_default()),
            _ => (place.id.as_str(), place.name.as_str()),
        });
        Ok(Listed::of(pairs))
    }
}

fn profiles() -> Result<Listed> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    if let Some(team) = team::found()? {
        all.extend(team.profiles.all.iter().map(|(name, profile)| (name.clone(), profile.target())));
    }
    all.extend(profile::user()?.all.iter().map(|(name, profile)| (name.clone(), profile.target())));
    Ok(Listed::of(all.iter().map(|(name, target)| (name.as_str(), target.as_str()))))
}

/// Words as candidates for what is offered, each behind what stands before it there. What no terminal shows as it is, or what would
/// be a flag, is left out.
pub fn behind(offered: &Offered, found: Vec<Candidate>) -> Vec<Candidate> {
    let is_flag = |word: &str| offered.takes_flags && word.starts_with('-') && word.len() > 1;
    let is_typed = |one: &Candidate| !one.word.contains(is_unsafe) && !is_flag(&one.word);
    let candidate = |one: Candidate| Candidate { word: format!("{}{}", offered.before, one.word), ..one };
    found.into_iter().filter(is_typed).map(candidate).collect()
}
