//! Words of commands: verbs, nouns, flags and their values.

use super::matching;
use super::quoting::{self, Begun};
use crate::commands::completion::sources::{self, Source};
use crate::commands::completion::{Candidate, Wants, offered as offered_words};
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
    begin += line[begin..].len() - line[begin..].trim_start().len();
    // Hints and examples name the program.
    match line[begin..].strip_prefix(PROGRAM) {
        Some(rest) if rest.starts_with(' ') => line.len() - rest.trim_start().len(),
        _ => begin,
    }
}

/// What a command may begin with.
pub const PROGRAM: &str = "orysh";

/// Where the Rhai of an open `${` begins, if the cursor is in one.
pub fn code(step: &str) -> Option<usize> {
    let open = step.rfind("${")? + "${".len();
    (!step[open..].contains('}')).then_some(open)
}

/// What the last word of a command can be.
pub struct Word {
    /// The words so far.
    pub begun: Begun,
    /// Those it can be.
    pub words: Vec<Candidate>,
    /// What else it can be.
    pub wants: Wants,
    /// How much of it stands before the value of a flag: `--file=`.
    pub before: String,
}

/// Looks at a command up to the cursor; `listed`: what comes from somewhere, where a line with those flags acts, that begins so.
pub fn offered(step: &str, registry: &Registry, listed: Listed<'_>) -> Word {
    let begun = quoting::begun(step);
    if begun.is_elsewhere {
        return Word { begun, words: Vec::new(), wants: Wants::File, before: String::new() };
    }
    let mut offered = offered_words(registry, &begun.words, &begun.word);
    let mut words = matching(&begun.word, std::mem::take(&mut offered.words));
    if let (Some(source), Some(asked)) = (offered.source, begun.word.strip_prefix(&offered.before)) {
        words.extend(sources::behind(&offered, listed(source, &offered.target, asked)));
    }
    Word { begun, words, wants: offered.wants, before: offered.before }
}

/// What comes from somewhere and begins so, where a line with those flags acts.
pub type Listed<'a> = &'a dyn Fn(Source, &[(String, String)], &str) -> Vec<Candidate>;
