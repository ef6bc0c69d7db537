//! Ids and names as a server listed them last: what Tab offers where a client, a project or a workspace is meant.

use std::borrow::Cow;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Candidate;
use crate::api::clients;
use crate::api::request::ListQuery;
use crate::batch::pace::Pace;
use crate::batch::paced::Paced;
use crate::config::{files, paths, tier};
use crate::error::Result;
use crate::session::Session;
use crate::text::{hex, safe};

/// So many clients are known at most.
const MOST: usize = 1_000_000;

/// So many clients a page.
const PAGE: u32 = 500;

/// Into how many parts the server's limit for lists is cut, of which this takes one.
const PARTS: u32 = 5;

/// What a server lists, in the order of the ids.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// All ids and names, behind each other.
    text: String,
    /// In the order of their ids.
    clients: Vec<Entry>,
    /// Numbers of those that have names, in the order of these.
    by_name: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    begin: u32,
    id: u16,
    name: u16,
}

impl Listed {
    /// Takes pairs of id and name.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut listed = Listed::default();
        for (id, name) in pairs.into_iter().take(MOST) {
            listed.push(id, name);
        }
        listed.sort();
        listed
    }

    /// What cannot be typed as one word, or is longer than anybody would read, is left out.
    fn push(&mut self, id: &str, name: &str) {
        let (Ok(begin), Ok(length)) = (u32::try_from(self.text.len()), u16::try_from(id.len())) else { return };
        if id.is_empty() || id.contains(['\n', '\t']) {
            return;
        }
        let name: Cow<'_, str> =
            if name.contains(['\n', '\t']) { name.replace(['\n', '\t'], " ").into() } else { name.into() };
        let name = u16::try_from(name.len()).map_or("", |_| &name);
        self.text.push_str(id);
        self.text.push_str(name);
        let name = u16::try_from(name.len()).unwrap_or_default();
        self.clients.push(Entry { begin, id: length, name });
    }

    fn sort(&mut self) {
        let text = &self.text;
        self.clients.sort_unstable_by(|a, b| id(text, *a).cmp(id(text, *b)));
        self.clients.dedup_by(|a, b| id(text, *a) == id(text, *b));
        let named = (0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX)).zip(&self.clients);
        let mut by_name: Vec<u32> = named.filter(|(_, entry)| entry.name > 0).map(|(at, _)| at).collect();
        by_name.sort_by(|a, b| name(text, self.clients[*a as usize]).cmp(name(text, self.clients[*b as usize])));
        self.by_name = by_name;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// At most `most` of them: those whose ids begin so, then those whose names do, then those that have its letters in that order.
    pub fn offered(&self, begun: &str, most: usize) -> Vec<Candidate> {
        let text = &self.text;
        let from = self.clients.partition_point(|entry| id(text, *entry) < begun);
        let by_id = self.clients[from..].iter().copied().take_while(|entry| id(text, *entry).starts_with(begun));
        let mut found: Vec<Entry> = by_id.take(most).collect();
        if found.len() < most && !begun.is_empty() {
            let of = |at: &u32| self.clients[*at as usize];
            let from = self.by_name.partition_point(|at| name(text, of(at)) < begun);
            let named = self.by_name[from..].iter().map(of).take_while(|entry| name(text, *entry).starts_with(begun));
            let more = named.filter(|entry| !id(text, *entry).starts_with(begun));
            let left = most - found.len();
            found.extend(more.take(left));
        }
        if found.is_empty() {
            let letters = begun.to_lowercase();
            let has =
                |entry: &&Entry| has_letters(id(text, **entry), &letters) || has_letters(name(text, **entry), &letters);
            found.extend(self.clients.iter().take(MOST_SEARCHED).filter(has).take(most));
        }
        let candidate =
            |entry: Entry| Candidate { word: id(text, entry).to_owned(), about: safe(name(text, entry)).into_owned() };
        found.into_iter().map(candidate).collect()
    }

    /// Reads what was written of a place, unless that is older. None: nothing is listed.
    pub fn read(place: &str, oldest: Duration) -> Option<Self> {
        let path = path(place).ok()?;
        let age = fs::metadata(&path).ok()?.modified().ok()?.elapsed().unwrap_or_default();
        let text = fs::read_to_string(path).ok().filter(|_| age <= oldest)?;
        Some(Listed::of(text.lines().filter_map(|line| line.split_once('\t'))))
    }

    /// Takes the right to ask for what is listed at a place, for as long as the file is held. None: somebody else asks.
    pub fn turn(place: &str) -> Option<File> {
        let path = path(place).ok()?.with_extension("lock");
        files::private_folder(path.parent()?).ok()?;
        let file = files::to_hold(&path).ok()?;
        file.try_lock().ok().map(|()| file)
    }

    /// Writes it, for whoever completes a word next. Errors: it cannot be written.
    pub fn write(&self, place: &str) -> Result<()> {
        let mut lines = String::with_capacity(self.text.len() + 2 * self.clients.len());
        for entry in &self.clients {
            lines.push_str(id(&self.text, *entry));
            lines.push('\t');
            lines.push_str(name(&self.text, *entry));
            lines.push('\n');
        }
        let path = path(place)?;
        if let Some(folder) = path.parent() {
            files::private_folder(folder)?;
        }
        files::replace(&path, lines.as_bytes())
    }

    /// Lists the clients where a session acts, so many pages of them, beside what a person asks for.
    pub fn of_clients(session: &Session, most_pages: usize) -> Result<Self> {
        let tier = session.chosen()?.profile.and_then(|profile| profile.rate_limit_tier);
        let pace = Pace::beside(PARTS, tier.and_then(|name| tier::named(&name)));
        let remote = Paced::new(session.clone(), Arc::new(pace));
        let (mut listed, mut query) = (Listed::default(), ListQuery { page_size: Some(PAGE), ..ListQuery::default() });
        for _ in 0..most_pages {
            let told = session.wait(clients::list(&remote, &query))?;
            let next = told.next.clone();
            for client in &told.clients()? {
                listed.push(&client.peek_id(), &client.document().peek("client_name"));
            }
            if next.is_none() || next == query.page_token || listed.len() >= MOST {
                break;
            }
            query.page_token = next;
        }
        listed.sort();
        Ok(listed)
    }
}

/// So many are looked through where none begins as a word does.
const MOST_SEARCHED: usize = 10_000;

/// All pages there are.
pub const ALL: usize = usize::MAX;

fn id(text: &str, entry: Entry) -> &str {
    let begin = entry.begin as usize;
    &text[begin..begin + usize::from(entry.id)]
}

fn name(text: &str, entry: Entry) -> &str {
    let begin = entry.begin as usize + usize::from(entry.id);
    &text[begin..begin + usize::from(entry.name)]
}

/// Whether a word has these letters, small ones, in their order.
pub fn has_letters(word: &str, letters: &str) -> bool {
    // Nearly all words, and what is typed of them, are of ASCII.
    if word.is_ascii() {
        let mut bytes = word.bytes();
        return letters.bytes().all(|letter| bytes.any(|byte| byte.to_ascii_lowercase() == letter));
    }
    let mut characters = word.chars().flat_map(char::to_lowercase);
    letters.chars().all(|letter| characters.any(|c| c == letter))
}

fn path(place: &str) -> Result<PathBuf> {
    let name = hex(&Sha256::digest(place))[..16].to_owned();
    Ok(paths::state()?.join("clients").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_before_names_and_names_before_letters() {
        let listed = Listed::of([("b", "alpha"), ("a-1", "zeta"), ("a-2", ""), ("c", "a\tb"), ("b", "again")]);
        let words = |begun: &str| listed.offered(begun, 9).into_iter().map(|one| one.word).collect::<Vec<_>>();
        assert_eq!(words("a"), ["a-1", "a-2", "c", "b"]);
        assert_eq!(
            (words("a-"), words("al"), words("zt")),
            (vec!["a-1".into(), "a-2".into()], vec!["b".into()], vec!["a-1".into()])
        );
        assert_eq!((words("").len(), words("qq").len()), (4, 0));
        assert_eq!(listed.offered("a", 1).len(), 1);
        assert_eq!(listed.offered("c", 9)[0].about, "a b");
    }
}
