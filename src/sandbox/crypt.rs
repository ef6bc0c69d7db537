//! Hashes of secrets, and the random texts that the server hands out.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// The characters of a secret that the server picks.
const ALPHABET: &[u8; 66] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|source| Error::failed("the operating system gives no random bytes").caused_by(source.to_string()))?;
    Ok(bytes)
}

/// A secret as Hydra generates one: 26 characters.
pub fn generate_secret() -> Result<String> {
    let mut secret = String::with_capacity(26);
    while secret.len() < 26 {
        for byte in random::<32>()? {
            // Three whole alphabets fit in a byte; the rest would favour its beginning.
            if byte < 198 && secret.len() < 26 {
                secret.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
            }
        }
    }
    Ok(secret)
}

/// An opaque token, shaped as Hydra's: `ory_at_<key>.<signature>`.
pub fn generate_token() -> Result<String> {
    let (key, signature) = (random::<32>()?, random::<32>()?);
    Ok(format!("ory_at_{}.{}", URL_SAFE_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(signature)))
}

/// What is kept of a token.
pub fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2) with a random salt, as text that names its own iterations.
pub fn hash(secret: &str, iterations: u32) -> Result<String> {
    let salt = random::<16>()?;
    let key = derive(secret, &salt, iterations);
    let mut text = format!("$pbkdf2-sha256$i={iterations},l=32");
    // Writing to a String cannot fail.
    let _ = write!(text, "${}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(key));
    Ok(text)
}

/// Whether a secret is the one that was hashed; in constant time. A hash that is not one of ours never is.
pub fn verify(secret: &str, hash: &str) -> bool {
    let mut parts = hash.split('$').skip(2);
    let (Some(settings), Some(salt), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let iterations = settings.split(',').find_map(|setting| setting.strip_prefix("i=")?.parse().ok());
    let (Some(iterations), Ok(salt), Ok(key)) = (iterations, STANDARD_NO_PAD.decode(salt), STANDARD_NO_PAD.decode(key))
    else {
        return false;
    };
    let derived = derive(secret, &salt, iterations);
    derived.len() == key.len() && derived.iter().zip(&key).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn derive(secret: &str, salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut key = [0; 32];
    // The derivation fails for no length of key; an HMAC takes them all.
    let _ = pbkdf2::pbkdf2::<Hmac<Sha256>>(secret.as_bytes(), salt, iterations.max(1), &mut key);
    key
}

/// A key for [`seal`]: one block of SHA-256.
pub type SealKey = [u8; 64];

/// `text` with a mark that only the holder of `key` can make, in base64url.
pub fn seal(key: &SealKey, text: &str) -> String {
    let mut sealed = mac(key, text).finalize().into_bytes().to_vec();
    sealed.extend_from_slice(text.as_bytes());
    URL_SAFE_NO_PAD.encode(sealed)
}

/// The text that [`seal`] sealed under this key.
pub fn unseal(key: &SealKey, sealed: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (mark, text) = bytes.split_at_checked(32)?;
    mac(key, std::str::from_utf8(text).ok()?).verify_slice(mark).ok()?;
    String::from_utf8(text.to_vec()).ok()
}

fn mac(key: &SealKey, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new(key.into());
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_verifies_against_its_hash_alone() {
        let hashed = hash("se:c+r%t", 100).unwrap();
        assert!(verify("se:c+r%t", &hashed));
        assert!(!verify("se:c+r%u", &hashed));
        assert!(!verify("se:c+r%t", ""));
        assert_ne!(hashed, hash("se:c+r%t", 100).unwrap());
        assert!(!hashed.contains("se:c"));
    }

    #[test]
    fn generated_secrets_have_the_servers_shape() {
        let secret = generate_secret().unwrap();
        assert_eq!(secret.len(), 26);
        assert!(secret.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(secret, generate_secret().unwrap());
    }

    #[test]
    fn a_seal_holds_under_its_key_only() {
        let sealed = seal(&[1; 64], "text");
        assert_eq!(unseal(&[1; 64], &sealed).as_deref(), Some("text"));
        assert_eq!(unseal(&[2; 64], &sealed), None);
        assert_eq!(unseal(&[1; 64], "zzz"), None);
    }
}
