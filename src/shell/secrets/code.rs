//! What of Rhai may hold a secret.

use super::compared::compares_secret;
use super::forms::is_key;
use super::is_fit_piece;
use super::names::{In, NAMES, assigns, is_of_secret, secret_field, secret_fields};
use super::programs::gives_secret;
use crate::grammar::Registry;
use crate::model::fields::{FIELDS, Field};
use crate::script::lexer;
use crate::shell::rhai::is_whole;

pub(super) fn is_fit_rhai(code: &str, registry: &Registry) -> bool {
    // What cannot be read may have been meant as anything.
    let is_named = || NAMES.iter().any(|name| code.to_lowercase().contains(name));
    let lines = code.match_indices("sh(").filter_map(|(at, call)| literal(code[at + call.len()..].trim_start()));
    let is_said = IN_RHAI.iter().any(|part| code.contains(part)) && code.contains(['"', '`', '\'']);
    !makes_secret(code)
        && !is_said
        && !is_key(code)
        && !takes_secret(code)
        && !assigns(code, In::Rhai)
        && !assigns(&without_comments(code), In::Rhai)
        && !comments(code).any(|comment| assigns(comment, In::Words))
        && !sets_variable(code)
        && !sets_field(code)
        && !compares_secret(code)
        && !texts(code).any(|text| tells_field(&text))
        && !tells_field(&texts(code).collect::<String>())
        // As if a program came first, or a value could be handed to one.
        && !code.split('|').any(gives_secret)
        && (is_whole(code) || !is_named())
        && lines.into_iter().all(|line| is_fit_piece(line, registry))
}

fn comments(code: &str) -> impl Iterator<Item = &str> {
    lexer::pieces(code).filter(|(_, kind)| matches!(kind, lexer::Kind::Comment { .. })).map(|(place, _)| &code[place])
}

/// Whether a variable for programs is set, as in other shells: `API_KEY=x`.
fn sets_variable(code: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    code.split_once('=').is_some_and(|(name, value)| {
        name.chars().all(is_part) && is_of_secret(&name.to_lowercase()) && value.starts_with(|c| !" =$".contains(c))
    })
}

/// What in Rhai is given a secret as text, or a line with one.
const IN_RHAI: [&str; 10] = [
    "--secret",
    "--client-secret",
    "--header",
    "-H ",
    "introspect token ",
    "revoke token ",
    "auth key ",
    "tokens::",
    "hmac_",
    "${\"",
];

/// Functions whose first argument is a secret.
const TAKE_SECRETS: [&str; 1] = ["pgp::encrypt("];

/// Whether one of them is given a text that stands there.
fn takes_secret(code: &str) -> bool {
    let mut behind = TAKE_SECRETS.iter().flat_map(|call| code.split(call).skip(1));
    behind.any(|arguments| literal(arguments.trim_start()).is_some_and(|text| !text.is_empty()))
}

/// Functions whose first text is a name, a path or a question, and no value.
const TAKE_NAMES: [&str; 12] = [
    "clients::delete",
    "clients::find",
    "clients::get",
    "clients::rotate_secret",
    "clients::update",
    "csv::read",
    "env::get",
    "fs::read",
    "json::read",
    "ui::password",
    "ui::prompt",
    "yaml::read",
];

/// Whether a secret field is set where a text stands that may come to be in it, on whatever way: as `"" + "x"`, `f("x")`, or in a
/// variable. A text that names one sets it, as may one with letters that are written as their numbers.
fn sets_field(code: &str) -> bool {
    let pieces: Vec<&str> = lexer::pieces(code)
        .filter(|(_, kind)| !matches!(kind, lexer::Kind::Comment { .. }))
        .map(|(place, _)| &code[place])
        .collect();
    let names: Vec<&str> = pieces.iter().filter(|piece| is_text(piece)).map(|piece| inner(piece)).collect();
    let mut is_set = secret_fields().any(|field| is_made_of(field.json, &names));
    let (mut has_text, mut escaped, mut at) = (false, 0, 0);
    while let Some(piece) = pieces.get(at) {
        let rest = &pieces[at..];
        let before = at.checked_sub(1).map(|at| pieces[at]);
        // A name that is declared, or one of several: what stands behind it is not what that field is set to.
        let is_bare = ["let", "const"].map(Some).contains(&before) || rest.get(1) == Some(&",") && before != Some("(");
        if let Some((field, sign)) = set_field(rest).filter(|(field, _)| !is_bare || field.secret) {
            is_set |= field.secret;
            // What another field is set to is no secret.
            at += if field.secret { sign } else { sign + value(&rest[sign..]) };
        } else if let Some(length) = takes_name(rest) {
            at += length;
        } else {
            match is_text(piece) {
                true if ["\\x", "\\u", "\\U"].iter().any(|escape| piece.contains(escape)) => escaped += 1,
                true if ends_with_name(&unescaped(piece)) => is_set = true,
                is_text => has_text |= is_text && piece.contains(|c| !"\"'`#${}".contains(c)),
            }
            at += 1;
        }
    }
    is_set && (has_text || escaped > 0) || escaped > 0 && (has_text || escaped > 1)
}

/// Whether a name is put together of texts, each as often as it takes.
fn is_made_of(name: &str, texts: &[&str]) -> bool {
    let parts: Vec<&str> = texts.iter().copied().filter(|text| name.contains(text)).collect();
    let mut reached = vec![true];
    for end in 1..=name.len() {
        let is_part = |begin: usize| reached[begin] && parts.contains(&&name[begin..end]);
        reached.push((0..end).any(is_part));
    }
    reached[name.len()]
}

/// Whether a text ends with the name of a secret field, and has what sets it at most behind.
fn ends_with_name(text: &str) -> bool {
    let name = text.trim_end_matches(|c: char| c.is_whitespace() || "\"'`\\:=".contains(c));
    secret_field(name).is_some() || secret_fields().any(|field| name.ends_with(field.json))
}

/// What stands between the quotes of a text, or of a part of one.
pub(super) fn inner(piece: &str) -> &str {
    piece.trim_start_matches('#').trim_end_matches('#').trim_matches(['"', '\'', '`', '{', '}', '$'])
}

/// The texts in some code.
fn texts(code: &str) -> impl Iterator<Item = String> {
    let pieces = lexer::pieces(code).map(|(place, _)| &code[place]);
    pieces.filter(|piece| is_text(piece)).map(unescaped)
}

/// What a text says, but for its letters that are written as numbers.
fn unescaped(piece: &str) -> String {
    inner(piece).replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").to_lowercase()
}

/// Whether a text gives a secret field a value, as YAML, a form, or a query does, or names it in a head with lines below.
fn tells_field(text: &str) -> bool {
    let quotes = |c: char| c.is_whitespace() || "\"'\\".contains(c);
    secret_fields().any(|field| {
        text.match_indices(field.json).any(|(at, name)| {
            let behind = &text[at + name.len()..];
            let value = behind.trim_start_matches(quotes).strip_prefix([':', '=']);
            let is_whole = !behind.starts_with(lexer::is_part);
            let below = behind.split_once('\n').filter(|_| is_whole).map(|(_, below)| below);
            [value, below].into_iter().flatten().any(|rest| !rest.trim().is_empty())
        })
    })
}

/// Whether a piece is a text, or what is one behind code that stands in it.
pub(super) fn is_text(piece: &str) -> bool {
    piece.contains(['"', '\'', '`']) || piece.starts_with('}') && piece.len() > 1
}

/// The field that pieces begin with where it is set, and how many of them come before its value.
fn set_field(pieces: &[&str]) -> Option<(&'static Field, usize)> {
    let name = pieces.first()?.trim_matches(['"', '\'', '`']);
    let field = FIELDS.iter().find(|field| field.json == name).or_else(|| secret_field(name))?;
    let is_quoted = name.len() < pieces[0].len();
    let end = 1 + usize::from(is_quoted && pieces.get(1) == Some(&"]"));
    let sign = |at: usize| pieces.get(at).copied().unwrap_or_default();
    let length = match (sign(end), sign(end + 1)) {
        (":", ":") | ("=", "=" | ">") => return None,
        (":" | "=", _) => 1,
        // `set("client_secret", x)`.
        (",", _) if is_quoted => 1,
        ("+", "=") => 2,
        _ => return None,
    };
    Some((field, end + length))
}

/// How many pieces the value has that they begin with.
fn value(pieces: &[&str]) -> usize {
    let mut depth = 0_usize;
    let is_end = |piece: &&str| {
        match *piece {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth > 0 => depth -= 1,
            "," | ";" | ")" | "]" | "}" => return depth == 0,
            _ => {}
        }
        false
    };
    pieces.iter().position(is_end).unwrap_or(pieces.len())
}

/// How many pieces such a call has: `env`, `:`, `:`, `get`, `(`, and the text.
const NAMING: usize = 6;

/// How many pieces one of those functions and its text have that pieces begin with.
pub(super) fn takes_name(pieces: &[&str]) -> Option<usize> {
    let call = pieces.get(..4)?.concat();
    let is_it = TAKE_NAMES.contains(&call.as_str())
        && pieces.get(4) == Some(&"(")
        && pieces.get(6).is_some_and(|behind| [",", ")"].contains(behind));
    is_it.then_some(NAMING)
}

fn without_comments(code: &str) -> String {
    let (mut bare, mut at) = (String::new(), 0);
    for (place, kind) in lexer::pieces(code) {
        if matches!(kind, lexer::Kind::Comment { .. }) {
            bare.push_str(&code[at..place.start]);
            at = place.end;
        }
    }
    bare + &code[at..]
}

/// The text in quotes that a text begins with.
fn literal(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| ['"', '`'].contains(c))?;
    let inner = &text[1..];
    Some(&inner[..inner.find(quote).unwrap_or(inner.len())])
}

/// Whether a text that stands in a line is made a secret.
pub(super) fn makes_secret(code: &str) -> bool {
    code.contains("to_secret") && code.contains(['"', '`', '\''])
}
