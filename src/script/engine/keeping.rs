//! What a script has made and nobody has taken yet: secrets until they were shown or written, runs until it has come to its end.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rhai::Dynamic;
use zeroize::Zeroizing;

use super::Context;
use crate::batch::again::Whose;
use crate::batch::carry::{self, Spent};
use crate::batch::keeper::kept_in;
use crate::error::{Error, Result};
use crate::model::client::ClientId;
use crate::output::outcome::Ended;
use crate::script::held::{self, Held};
use crate::script::{limits, value};
use crate::secret::Secret;
use crate::session::handle::locked;

/// What is left to be done once whoever has made a call has come to their end.
#[derive(Default)]
pub struct End {
    /// Runs that are over then.
    pub over: Vec<Spent>,
    /// What commands would do that were called.
    pub commands: Vec<Ended>,
}

impl End {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.over.is_empty() && self.commands.is_empty()
    }

    /// It has come to that.
    pub fn come(self) -> Result<()> {
        carry::end_all(&self.over)?;
        self.commands.into_iter().try_for_each(|ended| ended())
    }
}

/// Takes what is of this call.
pub(super) fn take_own<T>(all: &Mutex<Vec<(u64, T)>>) -> Vec<T> {
    let id = limits::id();
    locked(all).extract_if(.., |(of, _)| *of == id).map(|(_, one)| one).collect()
}

impl Context {
    /// Keeps secrets on disk until they have been printed, written, sent, or shown in the script's result.
    pub fn hold(&self, held: Held) {
        locked(&self.held).push((limits::id(), held));
    }

    /// Nobody waits for these secrets any longer; a run stays until the script has come to its end.
    pub fn let_go(&self, held: Held) -> Result<()> {
        locked(&self.spent).extend(held.let_go()?.map(|spent| (limits::id(), spent)));
        Ok(())
    }

    /// What a command would do at its end waits for that of the script which has called it.
    pub fn end_with(&self, ended: Ended) {
        locked(&self.ends).push((limits::id(), ended));
    }

    /// So does what a plugin has left that the script has called.
    pub fn adopt(&self, end: End) {
        let id = limits::id();
        locked(&self.spent).extend(end.over.into_iter().map(|spent| (id, spent)));
        locked(&self.ends).extend(end.commands.into_iter().map(|ended| (id, ended)));
    }

    /// The call has come to its end: what is to be done once its result has been shown.
    pub fn end(&self) -> End {
        let (over, lost): (Vec<Spent>, Vec<Spent>) =
            take_own(&self.spent).into_iter().partition(|spent| spent.in_files.is_empty());
        if !lost.is_empty() {
            let count = lost.iter().map(|spent| spent.in_files.len()).sum();
            let places: Vec<String> = lost.iter().map(|spent| kept_in(&spent.name)).collect();
            self.warn_unseen(count, &places.join(", "));
        }
        End { over, commands: take_own(&self.ends) }
    }

    /// The call has not come to its end: the error says what is there for the next one.
    pub fn break_off(&self, error: Error) -> Error {
        // Those of commands and plugins that it has called are the script's as well.
        let mut names = if limits::id() == 0 { carry::spent_here() } else { Vec::new() };
        drop(take_own(&self.ends));
        names.extend(take_own(&self.spent).iter().map(|spent| spent.name.clone()));
        // Those of earlier lines have variables still that may show them.
        let (id, earlier) = (limits::id(), locked(&self.earlier));
        let is_new = |(of, held): &mut (u64, Held)| {
            *of == id && held.run().is_some_and(|run| !earlier.iter().any(|before| before == run))
        };
        names.extend(locked(&self.held).extract_if(.., is_new).filter_map(|(_, held)| held.run().map(str::to_owned)));
        if names.is_empty() {
            return error;
        }
        names.sort();
        names.dedup();
        let told = format!("the same script, run again, gets what it has made by now (run {})", names.join(", "));
        error.hint(format!("{told}; orysh batch forget gives that up"))
    }

    /// Whose rows are those of this call. Of the same rows it asks for other clients than it has, unless an earlier line has them.
    pub fn whose(&self) -> Whose {
        let earlier = locked(&self.earlier);
        let mut whose = carry::whose(&self.session());
        whose.done.extend(self.runs().into_iter().filter(|run| !earlier.contains(run)));
        whose
    }

    fn runs(&self) -> Vec<String> {
        let (id, held) = (limits::id(), locked(&self.held));
        let own = held.iter().filter(|(of, _)| *of == id);
        own.filter_map(|(_, held)| held.whole_run().map(str::to_owned)).collect()
    }

    /// Another line begins: what was made until here is not asked for once more without a word.
    pub fn begin_line(&self) {
        let (id, held) = (limits::id(), locked(&self.held));
        let all = held.iter().filter(|(of, _)| *of == id).filter_map(|(_, held)| held.run().map(str::to_owned));
        *locked(&self.earlier) = all.collect();
    }

    /// What is kept by now.
    pub fn take_held(&self) -> Vec<Held> {
        take_own(&self.held)
    }

    /// What is kept of which all secrets are in `value`, a row of it each, which is to be shown.
    pub fn take_shown(&self, value: &Dynamic) -> Vec<Held> {
        let id = limits::id();
        let mut held = locked(&self.held);
        let unseen = held::unseen(own(&held, id));
        if unseen.is_empty() {
            return Vec::new();
        }
        let wanted: HashMap<&str, &Secret> = unseen.iter().map(|secret| (secret.expose(), secret)).collect();
        let shown = value::secrets(value, &wanted);
        let is_shown = |held: &Held| held.secrets().iter().all(|(_, secret)| shown.contains(secret.expose()));
        held.extract_if(.., |(of, held)| *of == id && is_shown(held)).map(|(_, held)| held).collect()
    }

    /// A secret is in this ciphertext: whoever writes that has handed it over.
    pub fn seal(&self, ciphertext: &str, secret: &Secret) {
        if self.has_held() {
            locked(&self.sealed).insert(ciphertext.to_owned(), secret.clone());
        }
    }

    /// These bytes are where they stay: the secrets in them need not be kept any longer.
    pub fn has_written(&self, bytes: &[u8]) -> Result<()> {
        let id = limits::id();
        let mut held = locked(&self.held);
        let unseen = held::unseen(own(&held, id));
        if unseen.is_empty() {
            return Ok(());
        }
        let seen = self.found(bytes, &unseen);
        for (_, held) in held.iter_mut().filter(|(of, _)| *of == id) {
            held.see(|secret| seen.contains(secret.expose()));
        }
        let is_seen = |(of, held): &mut (u64, Held)| *of == id && held.secrets().is_empty();
        let gone: Vec<(u64, Held)> = held.extract_if(.., is_seen).collect();
        gone.into_iter().try_for_each(|(_, held)| self.let_go(held))
    }

    /// Those of the secrets that are in some bytes, as they are or as ciphertexts.
    fn found(&self, bytes: &[u8], unseen: &[Secret]) -> HashSet<String> {
        let sealed = locked(&self.sealed);
        let ciphertexts = sealed.iter().map(|(ciphertext, secret)| (ciphertext.as_str(), secret));
        let wanted: HashMap<&str, &Secret> =
            unseen.iter().map(|secret| (secret.expose(), secret)).chain(ciphertexts).collect();
        held::found(bytes, &wanted).into_iter().map(|secret| secret.expose().to_owned()).collect()
    }

    /// Runs whose secrets are in files by now are no longer in the way of other rows; whether they are there still is looked at as the
    /// script ends.
    pub fn look_at_files(&self) -> Result<()> {
        let id = limits::id();
        let unseen = held::unseen(own(&locked(&self.held), id));
        if unseen.is_empty() {
            return Ok(());
        }
        let files: Vec<PathBuf> =
            locked(&self.files).iter().filter(|(of, _)| *of == id).map(|(_, path)| path.clone()).collect();
        let bytes = files.iter().filter_map(|path| std::fs::read(path).ok().map(Zeroizing::new));
        let seen: HashSet<String> = bytes.flat_map(|bytes| self.found(&bytes, &unseen)).collect();
        let is_there = |(of, held): &mut (u64, Held)| *of == id && held.is_run_of(&seen);
        let there: Vec<(u64, Held)> = locked(&self.held).extract_if(.., is_there).collect();
        for (_, held) in there {
            let in_files = held.secrets().to_vec();
            if let Some(mut spent) = held.let_go()? {
                spent.in_files = in_files;
                locked(&self.spent).push((id, spent));
            }
        }
        Ok(())
    }

    /// Whether something is kept still.
    pub fn has_held(&self) -> bool {
        let id = limits::id();
        own(&locked(&self.held), id).next().is_some()
            || locked(&self.spent).iter().any(|(of, spent)| *of == id && !spent.in_files.is_empty())
    }

    /// A file was written. What is in it as the script ends need not be kept any longer.
    pub fn note_file(&self, path: &Path) {
        if self.has_held() && !self.is_temporary(path) && path.is_file() {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            locked(&self.files).insert((limits::id(), path));
        }
    }

    /// Lets go of the secrets that are in files that were written, and are there still.
    pub fn settle_files(&self) {
        let id = limits::id();
        let files: Vec<PathBuf> = {
            let mut all = locked(&self.files);
            let own = all.iter().filter(|(of, _)| *of == id).map(|(_, path)| path.clone()).collect();
            all.retain(|(of, _)| *of != id);
            own
        };
        for path in files {
            let Ok(bytes) = std::fs::read(&path).map(Zeroizing::new) else { continue };
            if let Err(error) = self.has_written(&bytes) {
                self.host.session.ui().warn(&error.full_message());
            }
            for (_, spent) in
                locked(&self.spent).iter_mut().filter(|(of, spent)| *of == id && !spent.in_files.is_empty())
            {
                let secrets: Vec<Secret> = spent.in_files.iter().map(|(_, secret)| secret.clone()).collect();
                let seen = self.found(&bytes, &secrets);
                spent.in_files.retain(|(_, secret)| !seen.contains(secret.expose()));
            }
        }
    }

    /// Lets go of the secret of a client that is no more.
    pub fn forget(&self, server: &str, id: &ClientId) -> Result<()> {
        let gone: Vec<(u64, Held)> = locked(&self.held).extract_if(.., |(_, held)| held.forget(server, id)).collect();
        gone.into_iter().try_for_each(|(_, held)| self.let_go(held))
    }

    /// Says where the secrets are that nobody has seen; they stay.
    pub fn tell_unseen(&self) {
        let (unseen, seen): (Vec<Held>, Vec<Held>) =
            self.take_held().into_iter().partition(|held| !held.secrets().is_empty());
        // Who named a secret has it.
        for error in seen.into_iter().filter_map(|held| self.let_go(held).err()) {
            self.host.session.ui().warn(&error.full_message());
        }
        if !unseen.is_empty() {
            self.warn_unseen(held::count(&unseen), &held::places(&unseen));
        }
    }

    fn warn_unseen(&self, count: usize, places: &str) {
        let told = format!("secrets of new clients that were neither shown nor written ({count}) are kept in {places}");
        self.host.session.ui().warn(&told);
    }
}

/// What a call keeps.
fn own(held: &[(u64, Held)], id: u64) -> impl Iterator<Item = &Held> {
    held.iter().filter(move |(of, _)| *of == id).map(|(_, held)| held)
}
