//! Which of a key's signatures count: its own, verified one by one, as others' may stand among them.

use std::time::SystemTime;

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{KeyFlags, Signature, SignatureType, SubpacketData};
use pgp::types::{SignedUser, Tag};

/// The revocation of a primary key by itself, or `None`.
pub fn revocation(key: &SignedPublicKey) -> Option<&Signature> {
    key.details.revocation_signatures.iter().find(|signature| signature.verify_key(&key.primary_key).is_ok())
}

/// Whether a key has a revocation by one that it names as its revoker: without that one's key it cannot be checked.
pub fn may_be_revoked(key: &SignedPublicKey) -> bool {
    let revokers = || {
        key.details
            .direct_signatures
            .iter()
            .filter(|signature| signature.verify_key(&key.primary_key).is_ok())
            .filter_map(Signature::revocation_key)
    };
    key.details.revocation_signatures.iter().any(|revocation| {
        let by = |fingerprint: &[u8]| {
            revocation.issuer_fingerprint().iter().any(|issuer| issuer.as_bytes() == fingerprint)
                || revocation.issuer_key_id().iter().any(|issuer| fingerprint.ends_with(issuer.as_ref()))
        };
        revokers().any(|revoker| by(&revoker.fingerprint))
    })
}

/// The newest live signature of the key over itself (RFC 9580 §5.2.1.8, type 0x1F).
pub fn over_key(key: &SignedPublicKey, now: SystemTime) -> Option<&Signature> {
    let own = key.details.direct_signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::Key) && signature.verify_key(&key.primary_key).is_ok()
    });
    newest(own, now)
}

/// The newest live signature of the key over one of its user ids, unless it was revoked later.
pub fn over_user<'a>(key: &SignedPublicKey, user: &'a SignedUser, now: SystemTime) -> Option<&'a Signature> {
    let is_own =
        |signature: &&Signature| signature.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok();
    let is_revocation = |signature: &&Signature| signature.typ() == Some(SignatureType::CertRevocation);
    // Verifying is what takes time: it is done from the newest on, until one holds.
    let mut certifications: Vec<&Signature> =
        user.signatures.iter().filter(|s| !is_revocation(s) && is_live(s, now)).collect();
    certifications.sort_by_key(|signature| std::cmp::Reverse(signature.created()));
    let certification = certifications.into_iter().find(|signature| is_own(signature))?;
    let is_revoked = user
        .signatures
        .iter()
        .filter(is_revocation)
        .any(|revocation| revocation.created() >= certification.created() && is_own(&revocation));
    (!is_revoked).then_some(certification)
}

/// The revocation of a subkey by its primary key; its date does not matter.
pub fn subkey_revocation<'a>(key: &SignedPublicKey, subkey: &'a SignedPublicSubKey) -> Option<&'a Signature> {
    let is_revocation = |signature: &&Signature| signature.typ() == Some(SignatureType::SubkeyRevocation);
    subkey.signatures.iter().filter(is_revocation).find(|signature| binds(key, subkey, signature))
}

/// The newest live signature that binds a subkey to its primary key.
pub fn binding<'a>(key: &SignedPublicKey, subkey: &'a SignedPublicSubKey, now: SystemTime) -> Option<&'a Signature> {
    let own = subkey
        .signatures
        .iter()
        .filter(|signature| signature.typ() == Some(SignatureType::SubkeyBinding) && binds(key, subkey, signature));
    newest(own, now)
}

/// When what a signature covers expires, counted from its creation. `None`: never.
pub fn expiry(signature: &Signature, created: SystemTime) -> Option<SystemTime> {
    let after = signature.key_expiration_time().filter(|after| after.as_secs() > 0)?;
    created.checked_add(after.into())
}

/// The key flags of a signature; `None` where it says nothing of them.
pub fn flags(signature: &Signature) -> Option<KeyFlags> {
    let says = signature.config()?.hashed_subpackets().any(|packet| matches!(packet.data, SubpacketData::KeyFlags(_)));
    says.then(|| signature.key_flags())
}

fn binds(key: &SignedPublicKey, subkey: &SignedPublicSubKey, signature: &Signature) -> bool {
    signature.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok()
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>, now: SystemTime) -> Option<&'a Signature> {
    signatures.filter(|signature| is_live(signature, now)).max_by_key(|signature| signature.created())
}

fn is_live(signature: &Signature, now: SystemTime) -> bool {
    let Some(created) = signature.created().map(SystemTime::from) else { return false };
    let expires = signature.signature_expiration_time().filter(|after| after.as_secs() > 0);
    created <= now && expires.is_none_or(|after| created + after.into() > now)
}
