//! Which lines may be written down, and shown again: those without a secret, as far as that can be told.

mod code;
mod compared;
mod forms;
mod names;
mod programs;
mod words;
#[cfg(test)]
mod tests;

use crate::grammar::Registry;
use crate::model::lint::PRIVATE;
use crate::script::lexer;
use crate::shell::line::{Sort, pieces, sort};
use crate::shell::parts;
use code::{is_fit_rhai, makes_secret};
use forms::{is_key, looks_secret, patches_secret};
use names::{In, assigns, is_harmless, secret_fields};
use words::{holds_secret, is_near, is_of_secrets, is_secret_flag, reads_secret};

/// Whether a line may be: it holds no secret, and does not begin with a space.
pub fn may_be_kept(line: &str, registry: &Registry) -> bool {
    !line.starts_with(char::is_whitespace) && is_fit(line, registry)
}

/// Whether a line holds no secret.
pub fn is_fit(line: &str, registry: &Registry) -> bool {
    !looks_secret(line)
        && !patches_secret(line)
        && !answers_unseen(line, registry)
        && pieces(line, registry).into_iter().all(|piece| is_fit_piece(&line[piece], registry))
}

fn is_fit_piece(line: &str, registry: &Registry) -> bool {
    let mut rest = line.trim();
    loop {
        rest = rest.strip_prefix("orysh ").map_or(rest, str::trim);
        if sort(rest, registry) != Sort::Command {
            return is_fit_rhai(rest, registry);
        }
        if parts::comment(rest).is_some_and(|comment| assigns(comment, In::Words)) {
            return false;
        }
        // What quotes stand there is not seen in its words.
        if rest.starts_with("copy ") && makes_secret(rest) {
            return false;
        }
        let Ok((step, next)) = parts::first(rest) else {
            // What cannot be read is not told apart.
            let words = || rest.split_whitespace();
            let is_flag = |word: &str| {
                let name = word.split('=').next().unwrap_or(word);
                word.starts_with("-H")
                    || word.starts_with('-') && (is_secret_flag(name, None) || reads_secret(name, None))
            };
            return !assigns(rest, In::Words) && !words().take(2).any(is_of_secrets) && !words().any(is_flag);
        };
        if holds_secret(&step, registry) {
            return false;
        }
        match next {
            Some((_, next)) => rest = next,
            None => return true,
        }
    }
}

/// Whether a text of several lines is a secret as a whole, or none of it can be told from one.
pub fn is_one(text: &str, registry: &Registry) -> bool {
    text.contains("PRIVATE KEY") || is_key(text) || answers_unseen(text, registry)
}

/// Whether a line of a document may set a secret, or a part of a private key: by a name that is one's, or near one's.
pub fn may_set_one(line: &str) -> bool {
    let is_quote = |c: char| c.is_whitespace() || "\"'".contains(c);
    let is_near_one = |name: &str| {
        let mut fields = secret_fields().map(|field| field.json).chain(["jwks"]);
        fields.any(|field| is_near(name, field)) && !is_harmless(name) || PRIVATE.contains(&name) || name == "jwks"
    };
    let mut names = line.match_indices([':', '=']).map(|(at, _)| {
        let before = line[..at].trim_end_matches(is_quote);
        before.rsplit(|c| !lexer::is_part(c)).next().unwrap_or(before)
    });
    // `? client_secret`, whose value stands in the next line.
    let asked = line.trim_start_matches([' ', '-']).strip_prefix('?').map(|name| name.trim_matches(is_quote));
    assigns(line, In::Words)
        || looks_secret(line)
        || is_key(line)
        || names.any(is_near_one)
        || asked.is_some_and(|name| assigns(&format!("{name}: it"), In::Words) || is_near_one(name))
}

/// The command that reads a key unseen without being told to.
const OF_KEYS: [&str; 3] = ["auth", "key", "set"];

/// Whether a line reads a secret unseen, or was to with a slip in what it is called.
pub fn reads_unseen(line: &str, registry: &Registry) -> bool {
    let has = |is_it: &dyn Fn(&str) -> bool| line.split_whitespace().any(is_it);
    let is_flag = |word: &str| word.starts_with("--") && (word.ends_with("stdin") || reads_secret(word, None));
    let reads_stdin = has(&|word| word == "-" || is_flag(word.split('=').next().unwrap_or(word)));
    let sets_key = OF_KEYS.iter().all(|part| has(&|word| is_near(word.trim_end_matches(';'), part)));
    asks_password(line) || (reads_stdin || sets_key) && sort(line, registry) == Sort::Command
}

/// Whether code calls what asks for a password, or something near it.
fn asks_password(line: &str) -> bool {
    let mut called = line.match_indices('(').map(|(at, _)| line[..at].trim_end());
    called.any(|before| is_near(before.rsplit(|c| !lexer::is_part(c)).next().unwrap_or(before), "password"))
}

/// Commands that do what stands in a file, which may ask for a secret.
const OF_FILES: [&str; 2] = ["load", "run"];

/// Whether lines follow one that reads a secret unseen, or a word one that may: they may have been meant for it.
fn answers_unseen(text: &str, registry: &Registry) -> bool {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let is_word = |line: &str| line.split_whitespace().count() == 1 && sort(line, registry) != Sort::Command;
    let may_read = |line: &str| {
        let words = line.trim().trim_start_matches("orysh ").split_whitespace().next();
        words.is_some_and(|word| OF_FILES.contains(&word)) && sort(line, registry) == Sort::Command
    };
    lines.windows(2).any(|pair| reads_unseen(pair[0], registry) || may_read(pair[0]) && is_word(pair[1]))
}
