//! Rhai.

use std::ops::Range;

use super::{Look, Looks};
use crate::script::library;
use crate::shell::complete::Known;

/// Words of the language.
const WORDS: [&str; 26] = [
    "let", "const", "fn", "if", "else", "for", "in", "while", "loop", "do", "until", "switch", "return", "break",
    "continue", "throw", "try", "catch", "import", "export", "as", "true", "false", "this", "private", "global",
];

/// Looks at a part of a line that is Rhai, or has begun as such.
pub fn looks(line: &str, part: Range<usize>, known: &Known, looks: &mut Looks) {
    let (mut at, end) = (part.start, part.end);
    // What stands before a name: `of.`, `module::`.
    let (mut of, mut is_member) = ("", false);
    while let Some(c) = line[at..end].chars().next() {
        let rest = &line[at..end];
        if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            looks.push((at..at + length, Look::Comment));
            at += length;
        } else if rest.starts_with("/*") {
            let length = rest.find("*/").map_or(rest.len(), |length| length + 2);
            looks.push((at..at + length, Look::Comment));
            at += length;
        } else if matches!(c, '"' | '`' | '\'') {
            let length = text(rest, c);
            let look = if length.is_some() || c == '`' { Look::Text } else { Look::Wrong };
            let length = length.unwrap_or(rest.len());
            looks.push((at..at + length, look));
            at += length;
        } else if c.is_ascii_digit() {
            let length =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))).unwrap_or(rest.len());
            looks.push((at..at + length, Look::Number));
            at += length;
        } else if is_part(c) {
            let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(length);
            let is_last = at + length == line.len();
            looks.extend(
                look(name, behind, of, is_member, is_last, known).map(|(more, look)| (at..at + length + more, look)),
            );
            of = name;
            at += length;
            continue;
        } else {
            at += c.len_utf8();
            is_member = c == '.';
            if !matches!(c, '.' | ':') {
                of = "";
            }
            continue;
        }
        (of, is_member) = ("", false);
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What a name is, and how much of what stands behind it belongs to it.
fn look(name: &str, behind: &str, of: &str, is_member: bool, is_last: bool, known: &Known) -> Option<(usize, Look)> {
    if is_member {
        let members = known.members.iter().find(|(variable, _)| variable == of)?;
        let is_call = behind.trim_start().starts_with('(');
        let is_wrong = !is_call && !members.1.iter().any(|member| member == name) && members.0 == "it";
        // One that is being typed may become right.
        let may_become = is_last && members.1.iter().any(|member| member.starts_with(name));
        return (is_wrong && !may_become).then_some((0, Look::Wrong));
    }
    if WORDS.contains(&name) {
        return Some((0, Look::Word));
    }
    let functions = library::known();
    if behind.starts_with("::") {
        return functions.iter().any(|function| function.module == name).then_some((2, Look::Name));
    }
    if !of.is_empty() && functions.iter().any(|function| function.module == of) {
        let mut of_module = functions.iter().filter(|function| function.module == of);
        if of_module.clone().any(|function| function.short_name() == name) {
            return Some((0, Look::Name));
        }
        let may_become = is_last && of_module.any(|function| function.short_name().starts_with(name));
        return (!may_become).then_some((0, Look::Wrong));
    }
    let is_function = behind.starts_with('(')
        && functions.iter().any(|function| function.module.is_empty() && function.short_name() == name);
    is_function.then_some((0, Look::Name))
}

/// How long a text is, where it ends.
fn text(rest: &str, quote: char) -> Option<usize> {
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
