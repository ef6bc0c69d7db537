//! Words of commands: verbs, nouns, flags and their values.

use super::matching;
use crate::commands::completion::sources::{self, Source};
use crate::commands::completion::{Candidate, offered as offered_words};
use crate::grammar::Registry;

/// Where the last command of a line begins: behind the last `;` or `&&` that no quote holds.
pub fn last_step(line: &str) -> usize {
    let (mut begin, mut quote) = (0, None);
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '\\') => drop(characters.next()),
            (None, ';') => begin = at + 1,
            (None, '&') if characters.peek().is_some_and(|(_, next)| *next == '&') => {
                characters.next();
                begin = at + 2;
            }
            _ => {}
        }
    }
    begin + (line[begin..].len() - line[begin..].trim_start().len())
}

/// Where the Rhai of an open `${` begins, if the cursor is in one.
pub fn code(step: &str) -> Option<usize> {
    let open = step.rfind("${")? + "${".len();
    (!step[open..].contains('}')).then_some(open)
}

/// What its last word can be; `listed`: what comes from somewhere, where a line with those flags acts, that begins so.
pub fn offered(line: &str, from: usize, registry: &Registry, listed: Listed<'_>) -> (usize, Vec<Candidate>) {
    let step = &line[from..];
    let start = step.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let current = &step[start..];
    let words: Vec<String> = step[..start].split_whitespace().map(str::to_owned).collect();
    // What begins otherwise is asked for by its first letters only.
    let asked = if current.starts_with('-') && !current.contains('=') { "--" } else { "" };
    let asked = if current.contains('=') { current } else { asked };
    let offered = offered_words(registry, &words, asked);
    let mut found = matching(current, offered.words);
    if let (Some(source), Some(begun)) = (offered.source, current.strip_prefix(&offered.before)) {
        found.extend(sources::behind(&offered.before, listed(source, &offered.target, begun)));
    }
    (from + start, found)
}

/// What comes from somewhere and begins so, where a line with those flags acts.
pub type Listed<'a> = &'a dyn Fn(Source, &[(String, String)], &str) -> Vec<Candidate>;
