//! A public key with its subkeys: what each is good for, until when, and which one a secret is encrypted to.
//!
//! The choice is gpg's: of the live subkeys that may encrypt the one that was made last, else the primary key.

use std::time::SystemTime;

use pgp::composed::SignedPublicKey;
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{KeyFlags, RevocationCode, Signature};
use pgp::ser::Serialize as _;
use pgp::types::{EcdhPublicParams, EcdsaPublicParams, KeyDetails, KeyVersion, PublicParams};

use crate::crypt::{Fingerprint, signatures};
use crate::error::Error;
use crate::text;

/// A key with its subkeys (a Transferable Public Key, RFC 9580 §10.1), looked through at one moment.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The key as it came.
    pub key: SignedPublicKey,
    /// Its live user ids, the primary one first.
    pub user_ids: Vec<String>,
    /// The primary key, then its subkeys in their order.
    pub parts: Vec<Part>,
    /// Whether it prefers AES-256.
    pub prefers_aes256: bool,
    /// Which part a secret is encrypted to, or why none can be.
    pub choice: Result<usize, String>,
}

/// The primary key or a subkey.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Its algorithm and size, as people say it: `RSA-3072`, `Curve25519`.
    pub algorithm: String,
    /// When it was made.
    pub created: SystemTime,
    /// When it expires, if ever.
    pub expires: Option<SystemTime>,
    /// What it may be used for: `certify`, `sign`, `encrypt`, `authenticate`.
    pub uses: Vec<&'static str>,
    /// Why it cannot be used at all.
    pub trouble: Option<String>,
}

impl Part {
    fn can_encrypt(&self) -> bool {
        self.uses.contains(&"encrypt")
    }
}

impl Certificate {
    /// Looks a key through as of `now`: verifies its own signatures one by one, and chooses.
    pub fn read(key: SignedPublicKey, now: SystemTime) -> Self {
        let over_key = signatures::over_key(&key, now);
        let users = live_users(&key, now);
        // What is said of the key itself wins over what is said of a user id (RFC 9580 §5.2.3.10, and gpg).
        let mut over_users: Vec<&Signature> = users.iter().map(|(_, signature)| *signature).collect();
        over_users.sort_by_key(|signature| std::cmp::Reverse(signature.created()));
        let newest_user = over_users.first().copied();
        let primary = primary(&key, over_key, &over_users, now);
        let mut parts = vec![primary];
        parts.extend((0..key.public_subkeys.len()).map(|at| subkey(&key, at, now)));
        let prefers_aes256 = [over_key, newest_user]
            .into_iter()
            .flatten()
            .any(|signature| signature.preferred_symmetric_algs().contains(&SymmetricKeyAlgorithm::AES256));
        let choice = choose(&parts);
        let user_ids = users.into_iter().map(|(name, _)| name).collect();
        Certificate { key, user_ids, parts, prefers_aes256, choice }
    }

    /// The fingerprint of the primary key, which is the key's name.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.key)
    }

    /// Fingerprint and first user id, made safe: `2F0B… (Alice <alice@example.org>)`.
    pub fn described(&self) -> String {
        match self.user_ids.first() {
            Some(user) => format!("{} ({})", self.fingerprint(), text::safe(user)),
            None => self.fingerprint().to_string(),
        }
    }

    /// The refusal of a key that no secret can be encrypted for; `from` names where it came from.
    pub fn refusal(&self, why: &str, from: &str) -> Error {
        Error::usage(format!("key {} from {from} cannot be used: {why}", self.described()))
            .hint("`orysh inspect key` shows what a key is good for")
    }
}

fn live_users(key: &SignedPublicKey, now: SystemTime) -> Vec<(String, &Signature)> {
    let mut users: Vec<(String, &Signature)> = key
        .details
        .users
        .iter()
        .filter_map(|user| {
            let signature = signatures::over_user(key, user, now)?;
            Some((String::from_utf8_lossy(user.id.id()).into_owned(), signature))
        })
        .collect();
    users.sort_by_key(|(_, signature)| std::cmp::Reverse((signature.is_primary(), signature.created())));
    users
}

fn primary(key: &SignedPublicKey, over_key: Option<&Signature>, over_users: &[&Signature], now: SystemTime) -> Part {
    // Of the user ids the newest that says something of it counts, as for gpg.
    let said = || over_key.into_iter().chain(over_users.iter().copied());
    let created = SystemTime::from(key.created_at());
    let expires = said().find_map(|signature| signatures::expiry(signature, created));
    let trouble = if key.version() < KeyVersion::V4 {
        Some(format!("it is of version {}, whose fingerprints can be forged", u8::from(key.version())))
    } else if created > now {
        Some(format!("it is from the future: it was made on {}", day(created)))
    } else if let Some(revocation) = signatures::revocation(key) {
        Some(revoked(revocation))
    } else if signatures::may_be_revoked(key) {
        Some("another key, which it names as its revoker, has revoked it".into())
    } else if said().next().is_none() {
        Some(unsigned(key, now))
    } else {
        expired(expires, now)
    };
    let flags = said().find_map(signatures::flags);
    part(&key.primary_key, created, expires, flags, trouble, &["certify", "sign", "encrypt", "authenticate"])
}

/// Why a key has no live signature of its own.
fn unsigned(key: &SignedPublicKey, now: SystemTime) -> String {
    if let Some(unsupported) = unsupported(key.public_params(), key.algorithm()) {
        return unsupported;
    }
    let of_users = key.details.users.iter().flat_map(|user| &user.signatures);
    let signatures: Vec<SystemTime> = of_users
        .chain(&key.details.direct_signatures)
        .filter_map(|signature| signature.created().map(SystemTime::from))
        .collect();
    match signatures.iter().min() {
        Some(first) if *first > now => format!("it is from the future: it was signed on {}", day(*first)),
        Some(_) => "none of its own signatures is valid now: its user ids are revoked, or it was damaged".into(),
        None => "it is not signed by itself".into(),
    }
}

fn subkey(key: &SignedPublicKey, at: usize, now: SystemTime) -> Part {
    let subkey = &key.public_subkeys[at];
    let created = SystemTime::from(subkey.created_at());
    let binding = signatures::binding(key, subkey, now);
    let expires = binding.and_then(|binding| signatures::expiry(binding, created));
    let trouble = if created > now {
        Some(format!("it is from the future: it was made on {}", day(created)))
    } else if let Some(revocation) = signatures::subkey_revocation(key, subkey) {
        Some(revoked(revocation))
    } else if binding.is_none() && unsupported(key.public_params(), key.algorithm()).is_some() {
        Some("what binds it cannot be checked, as its primary key is not supported".into())
    } else if binding.is_none() {
        Some("no valid signature binds it to its primary key".into())
    } else {
        expired(expires, now)
    };
    // What a subkey that is not bound was for stands in its signatures all the same.
    let says = binding.or_else(|| subkey.signatures.first());
    let flags = says.and_then(signatures::flags);
    let trouble = trouble.or_else(|| {
        let encrypts = subkey.algorithm().can_encrypt();
        unsupported(subkey.public_params(), subkey.algorithm()).filter(|_| encrypts)
    });
    part(&subkey.key, created, expires, flags, trouble, &["sign", "encrypt", "authenticate"])
}

fn part(
    key: &impl KeyDetails,
    created: SystemTime,
    expires: Option<SystemTime>,
    flags: Option<KeyFlags>,
    trouble: Option<String>,
    unflagged: &[&'static str],
) -> Part {
    let uses = match flags {
        Some(flags) => [
            (flags.certify(), "certify"),
            (flags.sign(), "sign"),
            (flags.encrypt_comms() || flags.encrypt_storage(), "encrypt"),
            (flags.authentication(), "authenticate"),
        ]
        .into_iter()
        .filter_map(|(may, used)| may.then_some(used))
        .collect(),
        // Without flags a key is for whatever its algorithm can do, as for gpg.
        None => unflagged.to_vec(),
    };
    let uses = uses.into_iter().filter(|used| can(key.algorithm(), used)).collect();
    Part { fingerprint: Fingerprint::of(key), algorithm: algorithm(key), created, expires, uses, trouble }
}

fn can(algorithm: PublicKeyAlgorithm, used: &str) -> bool {
    if used == "encrypt" { algorithm.can_encrypt() } else { algorithm.can_sign() }
}

fn choose(parts: &[Part]) -> Result<usize, String> {
    let (primary, subkeys) = parts.split_first().ok_or("it has no primary key")?;
    if let Some(trouble) = &primary.trouble {
        return Err(trouble.clone());
    }
    let candidates = || subkeys.iter().enumerate().filter(|(_, part)| part.can_encrypt());
    // Of several that were made in the same second the first, as gpg does.
    let usable = candidates().filter(|(_, part)| part.trouble.is_none());
    if let Some((at, _)) = usable.min_by_key(|(_, part)| std::cmp::Reverse(part.created)) {
        return Ok(at + 1);
    }
    let troubles: Vec<String> = candidates()
        .filter_map(|(_, part)| Some(format!("its subkey {}: {}", part.fingerprint, part.trouble.as_deref()?)))
        .collect();
    if primary.can_encrypt() {
        return Ok(0);
    }
    if troubles.is_empty() {
        return Err("it is for signing only: it has no key that may encrypt".into());
    }
    Err(format!("none of its subkeys can encrypt now: {}", troubles.join("; ")))
}

fn revoked(revocation: &Signature) -> String {
    let when = revocation.created().map(|created| format!(" on {}", day(created.into()))).unwrap_or_default();
    let why = match revocation.revocation_reason_code() {
        Some(RevocationCode::KeySuperseded) => ", superseded by another",
        Some(RevocationCode::KeyCompromised) => ", as it was compromised",
        Some(RevocationCode::KeyRetired) => ", as it is no longer used",
        _ => "",
    };
    format!("it was revoked{when}{why}")
}

fn expired(expires: Option<SystemTime>, now: SystemTime) -> Option<String> {
    expires.filter(|expires| *expires <= now).map(|expires| format!("it expired on {}", day(expires)))
}

/// A date as people write it, in UTC.
pub fn day(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().chars().take(10).collect()
}

fn unsupported(params: &PublicParams, algorithm: PublicKeyAlgorithm) -> Option<String> {
    let curve = match params {
        PublicParams::ECDH(EcdhPublicParams::Unsupported { curve, .. })
        | PublicParams::ECDSA(EcdsaPublicParams::Unsupported { curve, .. }) => curve.clone(),
        PublicParams::ECDH(
            ecdh @ (EcdhPublicParams::Brainpool256 { .. }
            | EcdhPublicParams::Brainpool384 { .. }
            | EcdhPublicParams::Brainpool512 { .. }),
        ) => ecdh.curve(),
        PublicParams::Elgamal(_) => return Some("it is an ElGamal key, which is not supported".into()),
        PublicParams::Unknown { .. } => return Some(format!("its algorithm ({algorithm:?}) is not supported")),
        _ => return None,
    };
    Some(format!("its curve, {}, is not supported", curve_name(&curve)))
}

fn curve_name(curve: &ECCCurve) -> String {
    match curve {
        ECCCurve::Curve25519Legacy => "Curve25519".into(),
        ECCCurve::Ed25519Legacy => "Ed25519".into(),
        ECCCurve::Unknown(_) => format!("of OID {}", curve.oid_str()),
        curve => curve.name().into(),
    }
}

fn algorithm(key: &impl KeyDetails) -> String {
    // An integer is written with its length in bits before it (RFC 9580 §3.2): a modulus is told by that.
    let bits = |name: &str, params: &dyn Fn() -> pgp::errors::Result<Vec<u8>>| match params().as_deref() {
        Ok([high, low, ..]) => format!("{name}-{}", u16::from_be_bytes([*high, *low])),
        _ => name.to_owned(),
    };
    match key.public_params() {
        PublicParams::RSA(params) => bits("RSA", &|| params.to_bytes()),
        PublicParams::DSA(params) => bits("DSA", &|| params.to_bytes()),
        PublicParams::Elgamal(params) => bits("ElGamal", &|| params.to_bytes()),
        PublicParams::ECDH(params) => curve_name(&params.curve()),
        PublicParams::ECDSA(params) => curve_name(&params.curve()),
        PublicParams::EdDSALegacy(_) => "Ed25519".into(),
        _ => format!("{:?}", key.algorithm()),
    }
}
