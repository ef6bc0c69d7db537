//! A key that a secret can be encrypted for, and the encryption.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pgp::composed::{ArmorOptions, MessageBuilder};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use rand::rngs::OsRng;
use zeroize::{Zeroize, Zeroizing};

use crate::crypt::certificate::{Certificate, day};
use crate::crypt::{Fingerprint, material};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Someone whose key was parsed, checked and chosen once, for any number of secrets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recipient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    certificate: Certificate,
    /// Which part is encrypted to: 0 is the primary key.
    part: usize,
}

impl Recipient {
    /// The one key in `bytes`, if a secret may be encrypted for it now.
    ///
    /// `from` names where it came from. Errors: no key, several (they are listed), and what
    /// [`Certificate`] finds wrong with it.
    pub fn read(bytes: &[u8], from: &str) -> Result<Self> {
        let now = SystemTime::now();
        let mut keys: Vec<Certificate> =
            material::read(bytes, from)?.into_iter().map(|key| Certificate::read(key, now)).collect();
        match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => Recipient::of(key, from),
            (last, _) => {
                keys.extend(last);
                let lines: Vec<String> = keys.iter().map(|key| format!("\n  {}", key.described())).collect();
                Err(Error::usage(format!("{from} holds {} keys where one is due:{}", keys.len(), lines.concat())).hint(
                    "export the one with `gpg --armor --export FINGERPRINT`; for several recipients repeat the flag",
                ))
            }
        }
    }

    /// A key that was looked through. Errors: why nothing can be encrypted for it.
    pub fn of(certificate: Certificate, from: &str) -> Result<Self> {
        match &certificate.choice {
            Ok(part) => Ok(Recipient(Arc::new(Inner { part: *part, certificate }))),
            Err(why) => Err(certificate.refusal(why, from)),
        }
    }

    /// The fingerprint of the primary key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.certificate.fingerprint()
    }

    /// Whether a fingerprint is that of the primary key or of the part that is encrypted to.
    pub fn has(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint() == *fingerprint || self.0.certificate.parts[self.0.part].fingerprint == *fingerprint
    }

    /// When it ends, if it does: a subkey lives no longer than its primary key.
    pub fn expires(&self) -> Option<SystemTime> {
        let Inner { certificate, part } = &*self.0;
        [certificate.parts[*part].expires, certificate.parts[0].expires].into_iter().flatten().min()
    }

    /// What is doubtful about the key, though it can be used.
    pub fn doubt(&self) -> Option<String> {
        let Inner { certificate, part } = &*self.0;
        let bits: u32 = certificate.parts[*part].algorithm.strip_prefix("RSA-")?.parse().ok()?;
        (bits < 2048).then(|| format!("key {} has {bits} bits only, which can be broken", certificate.described()))
    }

    /// Fingerprint, user id, subkey and expiry, made safe, as a person is told of it.
    pub fn described(&self) -> String {
        let Inner { certificate, part } = &*self.0;
        let used = &certificate.parts[*part];
        let subkey = if *part == 0 { String::new() } else { format!(", subkey {}", used.fingerprint) };
        let expires = match self.expires() {
            Some(expires) => format!("expires on {}", day(expires)),
            None => "does not expire".into(),
        };
        format!("{}{subkey}, {}, {expires}", certificate.described(), used.algorithm)
    }
}

/// Encrypts a secret as one message for all recipients: base64 of ASCII armor, as the Ory CLI prints it.
///
/// The message is a version 1 SEIPD packet (RFC 9580 §5.13.1) around literal data in binary mode, with AES-256 if every
/// recipient prefers it, else AES-128; `base64 -d | gpg -d` reads it. Errors: no recipient, or a key that cannot be
/// used after all.
pub fn encrypt(recipients: &[Recipient], secret: &Secret) -> Result<Secret> {
    let sealed = seal(recipients, secret);
    wipe_stack();
    sealed
}

/// Wipes what the encryption left on the stack: its hashes take the plain text by blocks.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what it is about")]
fn wipe_stack() {
    let mut used = [0_u8; 64 * 1024];
    used.zeroize();
    std::hint::black_box(&used);
}

#[inline(never)]
fn seal(recipients: &[Recipient], secret: &Secret) -> Result<Secret> {
    if recipients.is_empty() {
        return Err(Error::failed("there is nobody to encrypt the secret for"));
    }
    let prefer_aes256 = recipients.iter().all(|recipient| recipient.0.certificate.prefers_aes256);
    let cipher = if prefer_aes256 { SymmetricKeyAlgorithm::AES256 } else { SymmetricKeyAlgorithm::AES128 };
    let plain = Bytes::from_owner(Zeroizing::new(secret.expose().as_bytes().to_vec()));
    let mut message = MessageBuilder::from_bytes("", plain).seipd_v1(OsRng, cipher);
    for recipient in recipients {
        let Inner { certificate, part } = &*recipient.0;
        let added = match part.checked_sub(1) {
            None => message.encrypt_to_key(OsRng, &certificate.key.primary_key),
            Some(at) => message.encrypt_to_key(OsRng, &certificate.key.public_subkeys[at].key),
        };
        added.map_err(|source| {
            Error::usage(format!("cannot encrypt for key {}", certificate.described())).caused_by(source.to_string())
        })?;
    }
    let armored = message
        .to_armored_string(OsRng, ArmorOptions::default())
        .map_err(|source| Error::failed("cannot encrypt the secret").caused_by(source.to_string()))?;
    Ok(Secret::new(STANDARD.encode(armored)))
}
