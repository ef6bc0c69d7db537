//! Where words come from that are no fixed choice: what is kept on this machine, and what a server lists.

use std::collections::BTreeMap;

use clap::Arg;

use super::Candidate;
use super::listed::Listed;
use crate::batch::folder;
use crate::commands::network;
use crate::config::{profile, team};
use crate::error::Result;
use crate::plugin::store;
use crate::session::Session;
use crate::text::safe;

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
        let name = arg.get_value_names()?.first()?;
        NAMES.iter().find(|(known, _)| known == name).map(|(_, source)| *source)
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
        let found = network::names(session, noun, name)?;
        // A person types the name, and an id where that is none.
        let pairs = found.iter().map(|(id, name)| if self == Source::Projects { (name, id) } else { (id, name) });
        Ok(Listed::of(pairs.map(|(id, name)| (id.as_str(), name.as_str()))))
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

/// Words as candidates, each behind what stands before it.
pub fn behind(before: &str, found: Vec<Candidate>) -> Vec<Candidate> {
    let candidate = |one: Candidate| Candidate { word: format!("{before}{}", safe(&one.word)), ..one };
    found.into_iter().map(candidate).collect()
}
