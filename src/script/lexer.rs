//! The pieces of a script's text, for what looks at it before it can be read, or as it is typed.
//!
//! Rhai's own lexer stops at the first mistake, and passes comments over.

use std::ops::Range;

/// What a piece is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A text, or what is one on a side of the code that stands in it.
    Text {
        /// Whether its end is missing.
        is_open: bool,
    },
    /// A comment.
    Comment {
        /// Whether its `*/` is missing.
        is_open: bool,
    },
    /// A number.
    Number,
    /// A name, or a word of the language.
    Word,
    /// A character of anything else but spaces.
    Mark(char),
}

/// The pieces of a text, each with the bytes where it stands, in their order.
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { text, at: 0, within: Vec::new() }
}

/// See [`pieces`].
#[derive(Debug)]
pub struct Pieces<'a> {
    text: &'a str,
    at: usize,
    /// How many braces are open in the code that stands in a text, the innermost last.
    within: Vec<usize>,
}

impl Iterator for Pieces<'_> {
    type Item = (Range<usize>, Kind);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        let begin = self.at + rest.find(|c: char| !c.is_whitespace())?;
        let rest = &self.text[begin..];
        let (length, kind) = self.piece(rest)?;
        self.at = begin + length;
        Some((begin..self.at, kind))
    }
}

impl Pieces<'_> {
    fn piece(&mut self, rest: &str) -> Option<(usize, Kind)> {
        let c = rest.chars().next()?;
        let until = |is_end: fn(char) -> bool| rest.find(is_end).unwrap_or(rest.len());
        Some(match c {
            '/' if rest.starts_with("//") => (until(|c| c == '\n'), Kind::Comment { is_open: false }),
            '/' if rest.starts_with("/*") => {
                let length = block(rest);
                (length.unwrap_or(rest.len()), Kind::Comment { is_open: length.is_none() })
            }
            '"' | '\'' => of_text(quoted(rest, c), rest),
            '#' if rest.trim_start_matches('#').starts_with('"') => of_text(raw(rest), rest),
            '`' => self.backticks(rest, 1),
            '}' if self.within.last() == Some(&0) => {
                self.within.pop();
                self.backticks(rest, 1)
            }
            '{' | '}' => {
                if let Some(depth) = self.within.last_mut() {
                    *depth = if c == '{' { *depth + 1 } else { *depth - 1 };
                }
                (1, Kind::Mark(c))
            }
            c if c.is_ascii_digit() => (number(rest), Kind::Number),
            c if is_part(c) => (until(|c| !is_part(c)), Kind::Word),
            c => (c.len_utf8(), Kind::Mark(c)),
        })
    }

    /// What stands in backticks from `from` on: up to their end, or to code within.
    fn backticks(&mut self, rest: &str, from: usize) -> (usize, Kind) {
        let mut at = from;
        while let Some(length) = rest[at..].find(['`', '$']) {
            at += length;
            let here = &rest[at..];
            match here.as_bytes() {
                [b'$', b'{', ..] => {
                    self.within.push(0);
                    return (at + 2, Kind::Text { is_open: false });
                }
                // Two of them are one in the text.
                [b'`', b'`', ..] => at += 2,
                [b'`', ..] => return (at + 1, Kind::Text { is_open: false }),
                _ => at += 1,
            }
        }
        (rest.len(), Kind::Text { is_open: true })
    }
}

/// Whether a character may stand in a name.
pub fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn of_text(length: Option<usize>, rest: &str) -> (usize, Kind) {
    (length.unwrap_or(rest.len()), Kind::Text { is_open: length.is_none() })
}

/// How long a text is, where it ends.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The same of `#"…"#`, in which nothing is escaped.
fn raw(rest: &str) -> Option<usize> {
    let fence = rest.len() - rest.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(fence));
    let begin = fence + 1;
    rest[begin..].find(&end).map(|length| begin + length + end.len())
}

/// How long a comment is that goes on to its `*/`; they may stand in each other.
fn block(rest: &str) -> Option<usize> {
    let (mut at, mut depth) = (2, 1_usize);
    while let Some(length) = rest[at..].find(['*', '/']) {
        at += length;
        match &rest.as_bytes()[at..] {
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// How long a number is: `1_000`, `0xff`, `1.5e-3`, and not `0..9` or `1.to_string()`.
fn number(rest: &str) -> usize {
    let mut at = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    let behind = rest[at..].strip_prefix('.');
    if let Some(fraction) = behind.filter(|behind| behind.starts_with(|c: char| c.is_ascii_digit())) {
        at += 1 + fraction.find(|c: char| !is_part(c)).unwrap_or(fraction.len());
    }
    let is_power = !rest.starts_with("0x") && rest[..at].ends_with(['e', 'E']);
    if let Some(exponent) = rest[at..].strip_prefix(['-', '+']).filter(|_| is_power) {
        at += 1 + exponent.find(|c: char| !c.is_ascii_digit()).unwrap_or(exponent.len());
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(&str, Kind)> {
        pieces(text).map(|(range, kind)| (&text[range], kind)).collect()
    }

    const TEXT: Kind = Kind::Text { is_open: false };
    const COMMENT: Kind = Kind::Comment { is_open: false };
    const OPEN: Kind = Kind::Text { is_open: true };

    #[test]
    fn a_script_comes_apart() {
        assert_eq!(
            told("let a = 1.5e-3; // \"x\"\n\"a\\\"b\" + '\\''"),
            [
                ("let", Kind::Word),
                ("a", Kind::Word),
                ("=", Kind::Mark('=')),
                ("1.5e-3", Kind::Number),
                (";", Kind::Mark(';')),
                ("// \"x\"", COMMENT),
                ("\"a\\\"b\"", TEXT),
                ("+", Kind::Mark('+')),
                ("'\\''", TEXT),
            ]
        );
        assert_eq!(told("/* a /* b */ c */1"), [("/* a /* b */ c */", COMMENT), ("1", Kind::Number)]);
        assert_eq!(told("##\"a\"#b\"##"), [("##\"a\"#b\"##", TEXT)]);
        assert_eq!(told("1.to_text()")[0], ("1", Kind::Number));
        assert_eq!(told("0..9")[0], ("0", Kind::Number));
    }

    #[test]
    fn code_in_a_text_is_code() {
        let brace = |c| (if c == '{' { "{" } else { "}" }, Kind::Mark(c));
        assert_eq!(
            told("`a``b${ if x {`c`} }d`;"),
            [
                ("`a``b${", TEXT),
                ("if", Kind::Word),
                ("x", Kind::Word),
                brace('{'),
                ("`c`", TEXT),
                brace('}'),
                ("}d`", TEXT),
                (";", Kind::Mark(';')),
            ]
        );
    }

    #[test]
    fn what_is_not_ended_goes_on_to_the_end() {
        for open in ["\"a\n b", "`a ${b} c", "'x", "#\"a\"", "`a"] {
            assert_eq!(told(open).last().map(|(_, kind)| *kind), Some(OPEN), "{open}");
        }
        assert_eq!(told("/* a"), [("/* a", Kind::Comment { is_open: true })]);
        assert_eq!(told("}"), [("}", Kind::Mark('}'))]);
    }
}
