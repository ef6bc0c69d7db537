//! What is another in a plugin than it was: its files, and what it asks for.

use std::collections::{BTreeMap, BTreeSet};

use crate::plugin::content::Content;
use crate::plugin::known::DELIVERS;
use crate::plugin::manifest::Manifest;
use crate::text::safe;

/// What a plugin asks for beyond what it did before.
pub fn beyond(new: &Manifest, old: &Manifest) -> Vec<String> {
    let mut more = new.grant.beyond(&old.grant);
    let hooks: Vec<&str> = new.hooks.iter().filter(|hook| !old.hooks.contains(hook)).copied().collect();
    if !hooks.is_empty() {
        more.push(format!("hooks: is called at {}", hooks.join(", ")));
    }
    if new.delivers && !old.delivers {
        more.push(DELIVERS.to_owned());
    }
    more
}

/// What is another in two contents, a line a file.
pub fn changes(old: &Content, new: &Content) -> Vec<String> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (old.files().collect(), new.files().collect());
    let lines = |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect() };
    let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let told = paths.into_iter().filter_map(|path| match (old.get(path), new.get(path)) {
        (Some(a), Some(b)) if a == b => None,
        (Some(a), Some(b)) => {
            let (a, b) = (lines(a), lines(b));
            // What is the same before and behind is left out; what lies between is shown as it stands.
            let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            let left = |lines: &[String]| lines[same..].to_vec();
            let (a, b) = (left(&a), left(&b));
            let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
            let gone = a[..a.len() - end].iter().map(|line| format!("  - {}", safe(line)));
            let added = b[..b.len() - end].iter().map(|line| format!("  + {}", safe(line)));
            let all: Vec<String> = gone.chain(added).collect();
            Some(format!("changed {}, from line {}:\n{}", safe(path), same + 1, all.join("\n")))
        }
        (None, Some(_)) => Some(format!("added {}", safe(path))),
        (Some(_), None) => Some(format!("removed {}", safe(path))),
        (None, None) => None,
    });
    told.collect()
}
