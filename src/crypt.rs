//! OpenPGP (RFC 9580): whose key it is, whether a secret may be encrypted for it, and the encryption.

pub mod armor;
pub mod certificate;
pub mod fetch;
pub mod fingerprint;
pub mod material;
pub mod recipient;
mod signatures;
pub mod source;

pub use certificate::Certificate;
pub use fingerprint::Fingerprint;
pub use recipient::Recipient;
pub use source::Source;

/// The most bytes that a key may have, in whichever form it comes.
pub const MOST_BYTES: usize = 256 * 1024;
