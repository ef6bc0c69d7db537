//! What is a secret by what it looks like: keys, tokens, patches, addresses.

use super::names::{is_of_secret, secret_field};
use crate::model::lint::PRIVATE;

/// Whether a text is a JWK with its private part (RFC 7517 §4, RFC 7518 §6).
pub(super) fn is_key(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !['"', '\\', '#'].contains(c)).collect();
    text.contains("kty:") && ["{k:", ",k:", "{d:", ",d:"].iter().any(|member| text.contains(member))
}

/// Whether a text is a JSON Patch with the value of a secret (RFC 6902 §4), be it written in JSON or in Rhai.
pub(super) fn patches_secret(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"\"'`\\#".contains(*c)).collect();
    let bare = bare.to_lowercase();
    let is_secret = |path: &str| {
        let member = path.rsplit('/').next().unwrap_or(path);
        let is_of_key = path.starts_with("/jwks/") && PRIVATE.contains(&member);
        is_of_key || is_of_secret(member)
    };
    let paths = || bare.match_indices("path:").map(|(at, found)| &bare[at + found.len()..]);
    let mut names = bare.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut is_named = || names.any(|name| secret_field(name).is_some());
    // What it writes may be called otherwise by a slip; a letter may be written as its number, and a path may stand in a variable.
    ["value:", "op:add", "op:replace", "op:test"].iter().any(|part| bare.contains(part))
        && bare.contains("path:")
        && (text.contains("\\u")
            || is_named()
            || paths().any(|path| is_secret(path.split([',', '}', ']']).next().unwrap_or(path))))
}

/// How the tokens and keys of Ory begin.
const BEGINNINGS: [&str; 6] = ["ory_at_", "ory_rt_", "ory_ac_", "ory_pat_", "ory_wak_", "ory_apikey_"];

/// Whether something in a text is a secret by what it looks like: a token, a private key, a password in an address.
pub(super) fn looks_secret(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut words = text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    let is_token = |word: &str| {
        let is_jwt = word.starts_with("eyJ") && word.len() >= 20;
        is_jwt || BEGINNINGS.iter().any(|begin| word.starts_with(begin) && word.len() > begin.len())
    };
    if text.contains("PRIVATE KEY") || names_a_user(text) || words.clone().any(is_token) {
        return true;
    }
    // `Bearer x`, `Basic x` (RFC 6750, RFC 7617).
    while let Some(word) = words.next() {
        if ["bearer", "basic"].contains(&word.to_lowercase().as_str())
            && words.clone().next().is_some_and(|next| {
                next.len() >= 12 && next.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            })
        {
            return true;
        }
    }
    false
}

/// Whether an address in the line holds a user name or password.
fn names_a_user(line: &str) -> bool {
    line.split("://").skip(1).any(|rest| rest.split(['/', ' ', '?', '#']).next().is_some_and(|host| host.contains('@')))
}
