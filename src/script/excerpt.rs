//! The line of a script that an error is about, without what may be a secret in it.

use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use crate::model::fields;
use crate::script::lexer::{Kind, pieces};
use crate::ui;

/// The widest part of a line that is shown.
const WIDEST: usize = 120;

/// In fewer columns nothing can be recognised.
const NARROWEST: usize = 20;

/// The line of a place with a caret under it.
pub fn excerpt(text: &str, position: rhai::Position) -> Option<String> {
    let (line, column) = (position.line()?, position.position().unwrap_or(1));
    let begin = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let whole = text[begin..].lines().next()?;
    if whole.trim().is_empty() {
        return None;
    }
    let place = whole.char_indices().nth(column.saturating_sub(1)).map_or(whole.len(), |(at, _)| at);
    let parts: Vec<(Range<usize>, Kind)> = pieces(text).collect();
    // What stands there may be a secret.
    let may_be_said =
        is_telling(whole) || around(text, &parts, begin + place).into_iter().any(|part| is_telling(&text[part]));
    let (shown, column) = if may_be_said {
        without_texts(text, &parts, begin..begin + whole.len(), begin + place)
    } else {
        (whole.to_owned(), column)
    };
    // Of a line that is too long the part around the place.
    let shown = shown.replace('\t', " ");
    let number = line.to_string();
    let gutter = number.len() + " | ".len() + 1;
    let widest = ui::columns().map_or(WIDEST, |columns| columns.saturating_sub(gutter).clamp(NARROWEST, WIDEST));
    let from = column.saturating_sub(widest / 2).min(shown.chars().count().saturating_sub(widest));
    let part: String = shown.chars().skip(from).take(widest).collect();
    let before: String = part.chars().take(column.saturating_sub(from + 1)).collect();
    let (gap, caret) = (" ".repeat(number.len()), " ".repeat(before.width()));
    Some(format!(" {number} | {}\n {gap} | {caret}^", part.trim_end()))
}

/// What a name or a text has in it that goes with a secret.
const TELLING: [&str; 11] = [
    "secret",
    "encrypt",
    "token",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "credential",
    "apikey",
    "cookie",
    "bearer",
];

/// The words, each by itself in a name or a text, that go with one.
const TELLING_WORDS: [&str; 11] = ["key", "keys", "pwd", "pass", "pw", "pin", "otp", "auth", "hmac", "jwk", "jwks"];

/// Whether a part of a script may hold a secret: it names one, or has somebody's name and password in an address.
fn is_telling(part: &str) -> bool {
    let lower = part.to_lowercase();
    let has_user = || {
        lower.match_indices("://").any(|(at, _)| {
            let authority = lower[at + 3..].split(['/', '"', '`', ' ']).next().unwrap_or_default();
            authority.contains('@')
        })
    };
    TELLING.iter().any(|word| lower.contains(word))
        || fields::FIELDS.iter().any(|field| field.secret && part.contains(field.json))
        || words(part).any(|word| TELLING_WORDS.contains(&word.as_str()))
        || has_user()
}

/// The words of names and texts, in lower case: `privateKey` and `PRIVATE_KEY` are two each.
fn words(part: &str) -> impl Iterator<Item = String> {
    let (mut spaced, mut was_lower) = (String::with_capacity(part.len()), false);
    for c in part.chars() {
        if c.is_uppercase() && was_lower {
            spaced.push(' ');
        }
        was_lower = c.is_lowercase();
        spaced.extend(c.to_lowercase());
    }
    let words: Vec<String> = spaced.split(|c: char| !c.is_alphabetic()).map(str::to_owned).collect();
    words.into_iter()
}

/// What is open at a place.
struct Open {
    /// Where the statement in it begins that goes on there.
    begin: usize,
    /// Where what opens it stands.
    at: usize,
    /// Whether statements stand in it.
    is_block: bool,
    /// Whether a block within it has just ended, and perhaps the statement with it.
    may_end: Option<usize>,
}

impl Open {
    fn new(at: usize, begin: usize, is_block: bool) -> Self {
        Open { begin, at, is_block, may_end: None }
    }
}

/// What a block is followed by where the statement goes on behind it.
const GOES_ON: [&str; 4] = ["else", "catch", "until", "while"];

/// The parts of a script that say what stands at a place: the statement there, and of those around it what leads to the block
/// in which it stands, and what stands behind that.
fn around(text: &str, parts: &[(Range<usize>, Kind)], place: usize) -> Vec<Range<usize>> {
    let mut open = vec![Open::new(0, 0, true)];
    let mut last = Kind::Mark(';');
    let mut parts = parts.iter().filter(|(_, kind)| !matches!(kind, Kind::Comment { .. })).peekable();
    while let Some((range, kind)) = parts.next_if(|(range, _)| range.start < place) {
        step(text, &mut open, range, *kind, last);
        last = *kind;
    }
    // A place at the end of a block is in it, and one at the begin of a statement in that.
    if let Some((range, Kind::Word | Kind::Text { .. } | Kind::Number)) = parts.peek() {
        begin_anew(text, &mut open, range);
    }
    let within = open.iter().rposition(|open| open.is_block).unwrap_or_default();
    let leading = open.windows(2).take(within).map(|pair| pair[0].begin..pair[1].at);
    let mut around: Vec<Range<usize>> = leading.collect();
    let (begin, mut depth) = (open[within].begin, open.len());
    let mut end = None;
    for (range, kind) in parts {
        match kind {
            Kind::Mark('{' | '(' | '[') => depth += 1,
            Kind::Mark('}' | ')' | ']') => {
                depth = depth.saturating_sub(1);
                if depth <= within {
                    end.get_or_insert(range.start);
                    let behind = &text[range.end..];
                    around.push(range.end..range.end + behind.find('\n').unwrap_or(behind.len()));
                }
                if depth == 0 {
                    break;
                }
            }
            Kind::Mark(';') if depth == within + 1 && end.is_none() => {
                end = Some(range.start);
            }
            _ => {}
        }
    }
    around.push(begin..end.unwrap_or(text.len()));
    around
}

fn step(text: &str, open: &mut Vec<Open>, range: &Range<usize>, kind: Kind, last: Kind) {
    begin_anew(text, open, range);
    match kind {
        Kind::Mark(c @ ('{' | '(' | '[')) => {
            open.push(Open::new(range.start, range.end, c == '{' && last != Kind::Mark('#')));
        }
        Kind::Mark('}' | ')' | ']') if open.len() > 1 => {
            let was_block = open.pop().is_some_and(|open| open.is_block);
            if let Some(open) = open.last_mut() {
                open.may_end = was_block.then_some(range.end);
            }
        }
        Kind::Mark(';') => {
            if let Some(open) = open.last_mut() {
                open.begin = range.end;
            }
        }
        _ => {}
    }
}

/// Behind a block the next line is another statement, unless it says otherwise.
fn begin_anew(text: &str, open: &mut [Open], range: &Range<usize>) {
    let Some(open) = open.last_mut() else { return };
    let Some(ended) = open.may_end.take() else { return };
    let goes_on = GOES_ON.contains(&&text[range.clone()]) || text[range.clone()].starts_with(['.', '-', '+', ')', ',']);
    if !goes_on && text[ended..range.start].contains('\n') {
        open.begin = range.start;
    }
}

/// A line with nothing in its texts, numbers and comments, and the column, from 1, of a place in it.
fn without_texts(text: &str, parts: &[(Range<usize>, Kind)], line: Range<usize>, place: usize) -> (String, usize) {
    let (mut shown, mut at, mut column) = (String::new(), line.start, None);
    let mut copy = |shown: &mut String, range: Range<usize>, instead: Option<&str>| {
        if range.contains(&place) {
            let before = if instead.is_some() { 0 } else { text[range.start..place].chars().count() };
            column = Some(shown.chars().count() + before + 1);
        }
        shown.push_str(instead.unwrap_or(&text[range]));
    };
    for (range, kind) in parts.iter().filter(|(range, _)| range.end > line.start && range.start < line.end) {
        let part = range.start.max(line.start)..range.end.min(line.end);
        copy(&mut shown, at..part.start.max(at), None);
        at = part.end;
        let is_whole = |is_begin: bool| if is_begin { part.start == range.start } else { part.end == range.end };
        match kind {
            Kind::Word | Kind::Mark(_) => copy(&mut shown, part, None),
            Kind::Number => copy(&mut shown, part, Some("…")),
            Kind::Comment { .. } => copy(&mut shown, part.clone(), Some(if is_whole(true) { "// …" } else { "…" })),
            Kind::Text { is_open } => {
                let (before, behind) = ends(&text[range.clone()], *is_open);
                let before = if is_whole(true) { before } else { 0 };
                let behind = if is_whole(false) { behind } else { 0 };
                let inner = (part.start + before).min(part.end)..(part.end - behind).max(part.start + before);
                copy(&mut shown, part.start..inner.start, None);
                copy(&mut shown, inner.clone(), Some(if inner.is_empty() { "" } else { "…" }));
                copy(&mut shown, inner.end..part.end.max(inner.end), None);
            }
        }
    }
    copy(&mut shown, at..line.end, None);
    let end = shown.chars().count() + 1;
    (shown, column.unwrap_or(end))
}

/// How many bytes of a text only begin it, and only end it.
fn ends(text: &str, is_open: bool) -> (usize, usize) {
    let fence = text.len() - text.trim_start_matches('#').len();
    let behind = match () {
        () if is_open => 0,
        () if text.ends_with("${") => 2,
        () => fence + 1,
    };
    (fence + 1, behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: u16, column: u16) -> String {
        excerpt(text, rhai::Position::new(line, column)).unwrap()
    }

    #[test]
    fn what_names_no_secret_is_shown_as_it_is() {
        assert_eq!(shown("let a = 1;\nlet b = \"x\" - 1;", 2, 13), " 2 | let b = \"x\" - 1;\n   |             ^");
        let before = "let secret = \"s\";\nlet b = \"x\" - 1;";
        assert!(shown(before, 2, 13).contains("\"x\" - 1"), "another statement names it");
        let block = "if secret == 1 { nothing() }\nlet b = \"x\" - 1;";
        assert!(shown(block, 2, 13).contains("\"x\" - 1"), "a block ends a statement");
    }

    #[test]
    fn a_text_that_may_be_a_secret_is_left_out() {
        for (code, line, column) in [
            ("let client_secret = if true {\n let n = 1;\n \"hunter2\" - n\n};", 3, 12),
            ("let client_secret = if n { 1 } else {\n \"hunter2\" - n\n};", 2, 12),
            ("let client_secret = // as it is;\n \"hunter2\" - n;", 2, 12),
            ("let client_secret = /* { */\n \"hunter2\" - n;", 2, 12),
            ("let x = \"hunter2\"\n - n\n .to_secret();", 1, 9),
            ("let x = { \"hunter2\" - n\n}.to_secret();", 1, 11),
            ("let x = (\"hunter2\"\n - n\n).to_secret();", 1, 10),
            ("let privateKey = \"hunter2\" - n;", 1, 28),
            ("let PIN = 2 - \"hunter2\";", 1, 11),
            ("let keys = [\"hunter2\" - n];", 1, 22),
            ("f(#{pwd: \"hunter2\" - n});", 1, 20),
            ("f(#{headers: #{\"Cookie\": \"hunter2\" - n}});", 1, 36),
            ("let secret = `x\nhunter2` - nope;", 2, 10),
            ("let secret = `x${a}hunter2${nope}`;", 1, 29),
            ("let secret = #\"hunter2\"# - nope;", 1, 26),
            ("let secret = \"hunter2", 1, 14),
            ("let a = 1; let secret = 'hunter2", 1, 9999),
            ("let secret = nope; // hunter2", 1, 14),
        ] {
            let shown = shown(code, line, column);
            assert!(!shown.contains("hunter2") && shown.contains('…'), "{code}\n{shown}");
        }
    }

    #[test]
    fn the_caret_stays_at_its_place() {
        let text = "let secret = \"hunter2\" + nope;";
        assert_eq!(shown(text, 1, 26), " 1 | let secret = \"…\" + nope;\n   |                    ^");
        let text = "let secret = `a ${nope} b`;";
        assert_eq!(shown(text, 1, 19), " 1 | let secret = `…${nope}…`;\n   |                  ^");
    }
}
