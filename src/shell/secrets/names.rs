//! What is called as a secret is, and given a value.

use std::ops::Range;

use super::programs::is_read;
use crate::model::fields::{FIELDS, Field};
use crate::script::lexer;

/// What the name of a flag ends with that says where a secret is, or something about it.
const ABOUT: [&str; 10] = ["file", "path", "stdin", "fd", "name", "id", "type", "url", "uri", "endpoint"];

/// Whether a flag is called as a secret is.
pub(super) fn names_secret(flag: &str) -> bool {
    let name = flag.trim_start_matches('-').to_lowercase().replace('-', "_");
    is_of_secret(&name) && !ABOUT.iter().any(|end| name.ends_with(end))
}

/// Words that names of secrets have in them.
pub(super) const NAMES: [&str; 12] = [
    "passphrase",
    "secret",
    "token",
    "passw",
    "pwd",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "credential",
    "private_key",
    "bearer",
];

/// The fields of a client that are secret.
pub(super) fn secret_fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| field.secret)
}

/// So many letters may be wrong in the name of a field or a flag.
pub(super) const SLIPS: usize = 2;

/// The secret field that a name is of, be it with a slip.
pub(super) fn secret_field(name: &str) -> Option<&'static Field> {
    let name = name.rsplit('.').next().unwrap_or(name);
    let is_slip = |field: &&Field| strsim::damerau_levenshtein(name, field.json) <= SLIPS;
    match FIELDS.iter().find(|field| field.json == name) {
        Some(field) => Some(field).filter(|field| field.secret),
        None => secret_fields().find(is_slip),
    }
}

/// Names with such a word that are of no secret.
const HARMLESS: [&str; 6] =
    ["authorization_code", "authorization_endpoint", "page_token", "token_endpoint", "token_type", "token_url"];

/// What the names of passwords end with, as a word of its own.
const PASSWORDS: [&str; 2] = ["pass", "pw"];

/// Whether something that is called so is a secret.
pub(super) fn is_of_secret(name: &str) -> bool {
    let is_password = || name.rsplit(['_', '-', '.']).next().is_some_and(|word| PASSWORDS.contains(&word));
    (NAMES.iter().any(|part| name.contains(part)) || is_password() || secret_field(name).is_some())
        && !is_harmless(name)
}

/// Where a text stands.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum In {
    /// In the words of a command.
    Words,
    /// In the address of a client, which no key opens.
    Uri,
    /// In a line of a program, which can be told where a value is.
    Program,
    /// In code: what a value is called or counted there is no secret itself.
    Rhai,
}

/// Texts that hold nothing.
const EMPTY: [&str; 3] = ["\"\"", "''", "``"];

/// What a value begins with that is one of several.
const CHOICES: [&str; 3] = ["if ", "if(", "switch "];

/// Whether something with the name of a secret is given a value, or compared with one: `let api_key = "x"`, `{"apikey": "x"}`, `TOKEN=x`, `?key=x`, `-H "X-Token: x"`.
pub(super) fn assigns(text: &str, place: In) -> bool {
    let is_rhai = place == In::Rhai;
    let quotes = ['"', '\'', '`', '\\'];
    let lower = text.to_lowercase();
    let texts: Vec<Range<usize>> = if is_rhai { texts_of(&lower).collect() } else { Vec::new() };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (at, sign) in lower.match_indices([':', '=', ',']) {
        // A value ends with the text that it stands in, or is another one behind it.
        let next = texts.partition_point(|text| text.end <= at);
        let within = texts.get(next).filter(|text| text.start <= at);
        let (before, behind) = (&lower[..at], &lower[at + sign.len()..within.map_or(lower.len(), |text| text.end)]);
        // `set("client_secret", "x")`.
        if sign == "," && !(before.trim_end().ends_with(['"', '`']) && behind.trim_start().starts_with(['"', '`'])) {
            continue;
        }
        let compared = behind.strip_prefix('=').filter(|_| sign == "=").or(before.ends_with('!').then_some(behind));
        // A path (`client_secret::x`), an address, an arm of a `switch`; the rest of one, or of a comparison.
        let is_sign = match sign {
            ":" => !before.ends_with(quotes) && (behind.starts_with(':') || behind.starts_with("//")),
            _ => is_rhai && behind.starts_with('>'),
        };
        if compared.is_none() && is_sign || before.ends_with([':', '=', '<', '>']) {
            continue;
        }
        let behind = compared.filter(|_| is_rhai).unwrap_or(behind).trim_start();
        let behind = if is_rhai { behind.trim_start_matches(['(', '[', ' ', '#']) } else { behind };
        let before = before.trim_end_matches('!').trim_end().trim_end_matches(['"', '\'', '`', '\\', ']']);
        let name = &before[before
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
        let value = behind.trim_start_matches(quotes);
        let stands = before[..before.len() - name.len()].trim_end();
        // The name of a host; a scope as `token:read`.
        let is_glued = !is_rhai && sign == ":" && !lower[at + 1..].starts_with([' ', '=']);
        let is_plain = is_glued && !stands.ends_with(['{', ',', '"', '\'', '`', '#', '\\']);
        let is_plain = is_plain && !secret_fields().any(|field| field.json == name);
        if is_plain || sign == "," && !stands.trim_end_matches(['"', '`']).ends_with('(') {
            continue;
        }
        let is_query = stands.ends_with(['?', '&']);
        let is_secret = name == "auth" && !is_rhai
            || is_of_secret(name)
            || is_query && place != In::Uri && ["key", "sig"].contains(&name);
        let mut others = texts.iter().skip(next + 1);
        let mut is_joined =
            || within.is_some() && behind.is_empty() && others.any(|text| !lower[text.clone()].trim().is_empty());
        let is_given = !value.is_empty()
            && !is_empty(behind, place)
            && !(if place == In::Program {
                is_read(&lower, lower.len() - value.len())
            } else {
                is_elsewhere(value, place)
            })
            && (!is_rhai || behind.starts_with(quotes));
        let is_chosen = is_rhai
            && CHOICES.iter().any(|choice| behind.starts_with(choice))
            && behind.split([',', ';']).next().is_some_and(|first| first.contains(quotes));
        if is_secret && (is_given || is_chosen || is_joined()) {
            return true;
        }
    }
    false
}

/// Where the texts stand in some code, without their quotes, and without the signs of code within them.
fn texts_of(code: &str) -> impl Iterator<Item = Range<usize>> {
    let texts = lexer::pieces(code).filter(|(_, kind)| matches!(kind, lexer::Kind::Text { .. }));
    texts.map(|(place, _)| {
        let piece = &code[place.clone()];
        let begin = piece.len() - piece.trim_start_matches('#').len() + 1;
        let end = piece.strip_suffix("${").unwrap_or(piece).trim_end_matches('#');
        let end = end.strip_suffix(['"', '\'', '`']).unwrap_or(end).len();
        place.start + begin..place.start + begin.max(end)
    })
}

/// Whether a value is a text that holds nothing.
fn is_empty(value: &str, place: In) -> bool {
    let rest = EMPTY.iter().find_map(|empty| value.strip_prefix(empty));
    rest.is_some_and(|rest| if place == In::Rhai { !rest.trim_start().starts_with('+') } else { is_end(rest) })
}

/// Whether what is asked for elsewhere stands for a value: `${code}` in the words of a command.
pub(super) fn is_elsewhere(value: &str, place: In) -> bool {
    let code = value.strip_prefix("${").and_then(|code| code.split_once('}'));
    place != In::Rhai && code.is_some_and(|(code, rest)| is_end(rest) && !code.contains(['"', '\'', '`']))
}

/// Whether a value ends where a text begins.
pub(super) fn is_end(text: &str) -> bool {
    text.chars().next().is_none_or(|c| c.is_whitespace() || "\"'`\\,;&|)}]".contains(c))
}

/// Whether a name that looks like a secret's is that of a field which is none, or of something else.
pub(super) fn is_harmless(name: &str) -> bool {
    let is_field = FIELDS.iter().any(|field| {
        !field.secret && (name == field.json || field.flag.is_some_and(|flag| name.trim_start_matches('-') == flag))
    });
    is_field || HARMLESS.iter().any(|part| name.contains(part))
}
