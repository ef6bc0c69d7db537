//! The words of a command, of which one may be a secret.

use clap::{Arg, ArgAction};

use super::code::{is_fit_rhai, makes_secret};
use super::compared::compares_secret;
use super::forms::is_key;
use super::names::{In, SLIPS, assigns, is_elsewhere, names_secret, secret_field, secret_fields};
use super::programs::gives_secret;
use crate::config::profile::Whence;
use crate::grammar::Registry;
use crate::grammar::parse::secret_glued;
use crate::model::fields::{FIELDS, Field, Item, Kind};
use crate::shell::parts::{Piece, Step, To};

/// Flags whose value is a secret, or may hold one.
const SECRET_FLAGS: [&str; 8] =
    ["--secret", "--client-secret", "--header", "--http-header", "--proxy", "--token", "--password", "--api-key"];

/// Flags that look like them, and name where a secret is.
const HARMLESS_FLAGS: [&str; 9] = [
    "--secrets",
    "--secret-file",
    "--secret-stdin",
    "--secret-out",
    "--client-secret-file",
    "--client-secret-stdin",
    "--page-token",
    "--next-page-token",
    "--pattern",
];

/// Flags that read a secret from stdin: what stands behind one of them was meant as the secret.
const READ_SECRETS: [&str; 2] = ["--secret-stdin", "--client-secret-stdin"];

/// Commands whose words are tokens.
const OF_TOKENS: [[&str; 2]; 2] = [["introspect", "token"], ["revoke", "token"]];

/// What commands are about for which a word too many may have been meant as a secret.
const OF_SECRETS: [&str; 9] = ["token", "secret", "key", "test", "perform", "introspect", "revoke", "auth", "rotate"];

/// Whether a word is one of them, or near one.
pub(super) fn is_of_secrets(word: &str) -> bool {
    OF_SECRETS.contains(&word) || word.len() > 3 && OF_SECRETS.iter().any(|known| is_near(word, known))
}

pub(super) fn is_near(word: &str, known: &str) -> bool {
    strsim::normalized_damerau_levenshtein(word, known) >= 0.75
}

/// Whether a word or a value of a command is a secret: by its flag, by how many words the command takes, by what it looks like.
pub(super) fn holds_secret(step: &Step, registry: &Registry) -> bool {
    if let To::Program(pieces) = &step.to {
        let line = plain(pieces);
        if assigns(&line, In::Program) || gives_secret(&line) {
            return true;
        }
    }
    let words: Vec<String> = step.words.iter().map(|word| plain(word)).collect();
    let (mut command, mut at) = (registry.tree(), 0);
    while let Some(inner) = words.get(at).and_then(|word| command.find_subcommand(word)) {
        (command, at) = (inner, at + 1);
    }
    let is_of_tokens = OF_TOKENS.iter().any(|of| words.starts_with(&of.map(str::to_owned)));
    let is_of_secrets = words.iter().take(2).any(|word| is_of_secrets(word));
    let is_code = words.first().is_some_and(|word| word == "eval");
    let is_of_keys = words.first().is_some_and(|word| ["auth", "profile"].contains(&word.as_str()));
    let most: usize = command.get_positionals().map(most_values).fold(0, usize::saturating_add);
    let mut count = 0_usize;
    let mut words = words[at..].iter().peekable();
    let (mut is_literal, mut is_named) = (false, false);
    while let Some(word) = words.next() {
        // One dash, or one that an editor has made longer.
        let bare = word.trim_start_matches(['-', '–', '—']);
        let is_dashed = bare.len() < word.len() && !word.starts_with("--") || is_literal && bare.len() < word.len();
        // `-sX` for `--secret X`.
        let is_short = word.len() > 2 && word.starts_with("-s") && known_flag(command, registry, "-s").is_none();
        if is_short && !is_literal
            || is_dashed && is_secret_flag(&format!("--{}", bare.split('=').next().unwrap_or(bare)), None)
        {
            return true;
        }
        if !is_literal && word == "--" {
            is_literal = true;
        } else if !is_literal && word.starts_with('-') && word.len() > 1 && !is_odd(command, registry, word) {
            // `--secret:x`, too.
            let (name, value) =
                word.split_once(['=', ':']).map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let flag = known_flag(command, registry, name);
            let is_behind = |next: &&String| {
                let name = next.split(['=', ':']).next().unwrap_or(next);
                next.as_str() != "-" && known_flag(command, registry, name).is_none()
            };
            if flag.is_none() && has_secret_glued(name) {
                return true;
            }
            if reads_secret(name, flag) && (value.is_some() || words.peek().is_some_and(is_behind)) {
                return true;
            }
            let takes_value = flag.is_none_or(|flag| flag.get_action().takes_values());
            // A secret may begin with a dash.
            let is_bundle = !word.starts_with("--") && word.chars().skip(1).any(|short| short == 'H');
            // What a flag gives that these have not was meant as the key.
            let is_secret = is_secret_flag(name, flag) || is_bundle || is_of_keys && flag.is_none();
            let value = value
                .or_else(|| word.split_once('H').map(|(_, rest)| rest).filter(|rest| is_bundle && !rest.is_empty()));
            let next = words.peek().filter(|next| is_secret || !next.starts_with('-') || next.len() == 1);
            let value = value.or_else(|| next.filter(|_| takes_value || is_bundle).map(|next| next.as_str()));
            if is_secret && value.is_some_and(|value| value != "-") || is_named && flag.is_none() {
                return true;
            }
            is_named = value.is_some_and(names_field);
            if value.is_some_and(|value| is_secret_value(value, flag)) {
                return true;
            }
            // A key itself, where a profile says whence it comes.
            if name == "--credential" && value.is_some_and(|value| Whence::parse(value).is_err()) {
                return true;
            }
            // What follows a flag that is misspelt is taken for its value.
            if takes_value && next.is_some() && !word.contains('=') && (word.starts_with("--") || word.len() == 2) {
                words.next();
            }
        } else {
            count += 1;
            if is_of_secrets && count > most
                || is_code && !is_fit_rhai(word, registry)
                || is_named
                || is_secret_value(word, None)
                || is_of_tokens && word != "-" && !is_elsewhere(word, In::Words)
            {
                return true;
            }
            // `client_secret x` or `secret x` for `--secret x`, `/client_secret x` in a patch that is no JSON.
            is_named = names_field(word);
        }
    }
    false
}

/// Whether a word is the name of a secret field, or its place in a document.
fn names_field(word: &str) -> bool {
    let word = word.trim_start_matches('/');
    secret_field(word).is_some() || secret_fields().any(|field| field.flag == Some(word))
}

fn is_secret_value(value: &str, flag: Option<&Arg>) -> bool {
    let field = flag.and_then(Arg::get_long).and_then(field_of);
    let is_uri = field.is_some_and(|field| matches!(field.kind, Kind::Uri | Kind::List(Item::Uri)));
    let place = match flag.and_then(Arg::get_long) {
        Some("where") => In::Rhai,
        Some("deliver") => In::Program,
        _ if is_uri => In::Uri,
        _ => In::Words,
    };
    assigns(value, place)
        || place == In::Program && gives_secret(value)
        || compares_secret(value)
        || is_key(value)
        || makes_secret(value)
}

/// The field that a flag is for, without its dashes.
fn field_of(long: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.flag == Some(long))
}

/// Whether a word with one dash is no flag at all.
fn is_odd(command: &clap::Command, registry: &Registry, word: &str) -> bool {
    if word.starts_with("--") || word.len() < 3 {
        return false;
    }
    known_flag(command, registry, &word[..word.chars().nth(1).map_or(1, |c| 1 + c.len_utf8())]).is_none()
}

/// A flag of a command, or one that all have.
fn known_flag<'a>(command: &'a clap::Command, registry: &'a Registry, name: &str) -> Option<&'a Arg> {
    flag(command, name).or_else(|| flag(registry.tree(), name))
}

fn plain(word: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Code(code) => format!("${{{code}}}"),
    };
    word.iter().map(piece).collect()
}

fn most_values(arg: &Arg) -> usize {
    let several = matches!(arg.get_action(), ArgAction::Append) || arg.is_trailing_var_arg_set();
    if several { usize::MAX } else { arg.get_num_args().map_or(1, |range| range.max_values()) }
}

fn flag<'a>(command: &'a clap::Command, name: &str) -> Option<&'a Arg> {
    let is_long = |arg: &&Arg, long: &str| {
        arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
    };
    if let Some(long) = name.strip_prefix("--") {
        return command.get_arguments().find(|arg| is_long(arg, long));
    }
    let short = name.strip_prefix('-')?.chars().next()?;
    command.get_arguments().find(|arg| arg.get_short_and_visible_aliases().is_some_and(|all| all.contains(&short)))
}

/// Whether a flag reads a secret from stdin, or one with a slip in its name would.
pub(super) fn reads_secret(name: &str, flag: Option<&Arg>) -> bool {
    READ_SECRETS.iter().any(|known| *known == name || flag.is_none() && is_near(name, known))
}

/// Whether what stands behind a flag is a secret: one of the table's, or one that is misspelt.
pub(super) fn is_secret_flag(name: &str, flag: Option<&Arg>) -> bool {
    let long = flag.and_then(Arg::get_long).map(|long| format!("--{long}"));
    let name = long.as_deref().unwrap_or(name);
    // One that the command has not was meant as another.
    if HARMLESS_FLAGS.contains(&name) && (flag.is_some() || !is_near(name, "--secret")) {
        return false;
    }
    if let Some(field) = name.strip_prefix("--").and_then(field_of) {
        return field.secret;
    }
    if flag.is_none() && name == "-s" {
        return true;
    }
    let name = name.to_lowercase().replace('_', "-");
    let is_it = |known: &str| {
        known == name || flag.is_none() && (name.len() > 4 && known.starts_with(&name) || is_near(&name, known))
    };
    SECRET_FLAGS.iter().any(|known| is_it(known)) || flag.is_none() && names_secret(&name) && !is_harmless_slip(&name)
}

/// Whether a flag that there is not is near one that holds no secret.
fn is_harmless_slip(name: &str) -> bool {
    let of_fields = FIELDS.iter().filter(|field| !field.secret).filter_map(|field| field.flag);
    let mut harmless = of_fields.map(|flag| format!("--{flag}")).chain(HARMLESS_FLAGS.map(str::to_owned));
    harmless.any(|known| is_near(name, &known))
}

/// Whether a flag that there is not is one of a secret with more behind it, and not nearly another one.
fn has_secret_glued(name: &str) -> bool {
    let name = name.replace('_', "-");
    let is_slip = |known: &&str| *known != "--secrets" && strsim::damerau_levenshtein(&name, known) <= SLIPS;
    secret_glued(&name).is_some() && !HARMLESS_FLAGS.iter().any(is_slip)
}
