//! What of code compares a secret with a text, or searches in one by it.

use super::code::{inner, is_text, takes_name};
use super::names::secret_field;
use crate::model::fields::FIELDS;
use crate::script::lexer;

/// What searches in something, or goes through what it may be.
const SEARCHES: [&str; 13] = [
    "assert_eq",
    "contains",
    "ends_with",
    "filter",
    "find",
    "in",
    "index_of",
    "remove",
    "replace",
    "some",
    "split",
    "starts_with",
    "switch",
];

/// Whether a secret field is used where something is compared or searched for, and a text stands that it may be compared with, on
/// whatever way: on either side, in a list, in a variable.
pub(super) fn compares_secret(code: &str) -> bool {
    let pieces: Vec<&str> = lexer::pieces(code)
        .filter(|(_, kind)| !matches!(kind, lexer::Kind::Comment { .. }))
        .map(|(place, _)| &code[place])
        .collect();
    let compares = (0..pieces.len()).any(|at| SEARCHES.contains(&pieces[at]) || is_comparison(&pieces[at..]));
    compares && uses(&pieces).any(|used| !is_with_nothing(&pieces, used)) && has_text(&pieces)
}

/// Whether pieces begin with a sign that compares; `=>` of a `switch` is none.
fn is_comparison(pieces: &[&str]) -> bool {
    matches!(pieces, ["=" | "!", "=", ..] | ["<", ..]) || matches!(pieces, [before, ">", ..] if *before != "=")
}

/// Where a secret field is used: `x.client_secret`, `x["client_secret"]`, `x.get("client_secret")`; each from its first piece to the one
/// behind it.
fn uses(pieces: &[&str]) -> impl Iterator<Item = (usize, usize)> {
    (1..pieces.len()).filter_map(|at| {
        let is_named = secret_field(inner(pieces[at])).is_some();
        let end = match (pieces[at - 1], pieces.get(at + 1)) {
            (".", _) => at + 1,
            ("[" | "(", Some(&("]" | ")"))) if is_text(pieces[at]) => at + 2,
            _ => return None,
        };
        let is_of_it = |piece: &&str| !is_text(piece) && piece.chars().all(|c| lexer::is_part(c) || ".?[(".contains(c));
        let length = pieces[..at].iter().rev().take_while(|piece| is_of_it(piece)).count();
        is_named.then_some((at - length, end))
    })
}

/// Whether a field is compared with `()` or a text that holds nothing, and with no more.
fn is_with_nothing(pieces: &[&str], (begin, end): (usize, usize)) -> bool {
    let is_empty = |piece: &str| is_text(piece) && inner(piece).is_empty();
    let behind = match &pieces[end..] {
        ["=" | "!", "=", "(", ")", rest @ ..] => Some(rest),
        ["=" | "!", "=", text, rest @ ..] if is_empty(text) => Some(rest),
        _ => None,
    };
    let is_before = match &pieces[..begin] {
        [.., "(", ")", "=" | "!", "="] => true,
        [.., text, "=" | "!", "="] => is_empty(text),
        _ => false,
    };
    behind.is_some_and(|rest| !rest.first().is_some_and(|sign| ["+", "."].contains(sign)))
        || is_before && !pieces.get(end).is_some_and(|sign| ["+", "."].contains(sign))
}

/// Whether a text stands there that says something, and is neither a name nor what another field is compared with.
fn has_text(pieces: &[&str]) -> bool {
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        let name = inner(piece);
        let is_of_other = || match &pieces[..at] {
            [.., field, "=" | "!", "="] => FIELDS.iter().any(|other| !other.secret && other.json == *field),
            _ => false,
        };
        if let Some(length) = takes_name(&pieces[at..]) {
            at += length;
        } else if is_text(piece)
            && piece.contains(|c| !"\"'`#${}".contains(c))
            && secret_field(name).is_none()
            && !is_of_other()
        {
            return true;
        } else {
            at += 1;
        }
    }
    false
}
