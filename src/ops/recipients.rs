//! Whom a secret is encrypted for: keys are read, checked and pinned before anything is sent.

use crate::crypt::source::Material;
use crate::crypt::{Fingerprint, Recipient, Source, fetch};
use crate::error::{Error, Result};
use crate::session::Session;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// A key each.
    pub sources: Vec<Source>,
    /// Where any is given, every key must be one of these, and each of these must be met.
    pub fingerprints: Vec<Fingerprint>,
    /// Hosts that keys may be fetched from though their addresses are private.
    pub allowed_private: Vec<String>,
}

/// Reads, checks and pins the keys.
///
/// Errors are of usage: a key that cannot be had or used, a fingerprint that is not met.
pub fn load(session: &Session, wanted: &Wanted) -> Result<Vec<Recipient>> {
    Ok(load_with_material(session, wanted)?.into_iter().map(|(recipient, _)| recipient).collect())
}

/// The same, each with what it was read from, so that it can be read again later.
pub fn load_with_material(session: &Session, wanted: &Wanted) -> Result<Vec<(Recipient, Material)>> {
    if wanted.sources.is_empty() && !wanted.fingerprints.is_empty() {
        return Err(Error::usage("--pgp-fingerprint pins a key, and none is given")
            .hint("name it with --pgp-key, --pgp-key-url or --keybase"));
    }
    let mut found: Vec<(Recipient, Material)> = Vec::new();
    for source in &wanted.sources {
        let material = read(session, source, &wanted.allowed_private)?;
        let recipient = Recipient::read(&material.bytes, &material.from)?;
        if found.iter().all(|(other, _)| other.fingerprint() != recipient.fingerprint()) {
            found.push((recipient, material));
        }
    }
    let recipients: Vec<Recipient> = found.iter().map(|(recipient, _)| recipient.clone()).collect();
    pin(&recipients, &wanted.fingerprints)?;
    Ok(found)
}

/// Tells which keys are used, once something is to be encrypted for them.
pub fn tell(session: &Session, recipients: &[Recipient]) {
    for recipient in recipients {
        session.ui().note(&format!("the secret is encrypted for key {}", recipient.described()));
        if let Some(doubt) = recipient.doubt() {
            session.ui().warn(&doubt);
        }
    }
}

/// Reads the bytes of one key.
pub fn read(session: &Session, source: &Source, allowed_private: &[String]) -> Result<Material> {
    let limits = fetch::limits(&session.settings().policy, allowed_private);
    let material = session.wait(source.read(&limits))?;
    if let Some(host) = &material.unchecked_host {
        session.warn_of_unchecked(host);
    }
    Ok(material)
}

fn pin(recipients: &[Recipient], fingerprints: &[Fingerprint]) -> Result<()> {
    if fingerprints.is_empty() {
        return Ok(());
    }
    let listed = |list: Vec<String>| list.join(", ");
    for recipient in recipients {
        if !fingerprints.iter().any(|fingerprint| recipient.has(fingerprint)) {
            let pinned = listed(fingerprints.iter().map(ToString::to_string).collect());
            return Err(Error::usage(format!(
                "the key is {}, and --pgp-fingerprint is {pinned}",
                recipient.described()
            ))
            .hint("ask its owner which one is right: it may have been replaced, by them or by another"));
        }
    }
    for fingerprint in fingerprints {
        if !recipients.iter().any(|recipient| recipient.has(fingerprint)) {
            return Err(Error::usage(format!("none of the keys is {fingerprint} (--pgp-fingerprint)")));
        }
    }
    Ok(())
}
