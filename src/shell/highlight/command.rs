//! A command of a line.

use super::{Look, Looks, rhai};
use crate::shell::complete::Known;
use crate::shell::tree::{Flag, Node};

/// Looks at the command that begins there, and gives where the next one does; `is_whole`: the last word of the line can be wrong.
pub fn looks(line: &str, from: usize, is_whole: bool, tree: &Node, known: &Known, looks: &mut Looks) -> usize {
    let mut node = tree;
    let (mut at, mut is_file, mut is_literal, mut words) = (from, false, false, 0);
    // The flag whose value comes next.
    let mut flag: Option<&Flag> = None;
    loop {
        at += line[at..].len() - line[at..].trim_start().len();
        let rest = &line[at..];
        let Some(first) = rest.chars().next() else { return at };
        if first == '#' {
            looks.push((at..line.len(), Look::Comment));
            return line.len();
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            let end = at + operator.len();
            looks.push((at..end, Look::Operator));
            match *operator {
                ";" | "&&" => return end,
                "|" => {
                    looks.push((end + spaces(&line[end..])..line.len(), Look::Text));
                    return line.len();
                }
                _ => is_file = true,
            }
            at = end;
            continue;
        }
        let begun = looks.len();
        let end = word(line, at, known, looks);
        let text = &line[at..end];
        let is_plain = looks.len() == begun;
        let can_be_wrong = end < line.len() || is_whole;
        let wrong = |is_wrong: bool| (is_wrong && can_be_wrong).then_some(Look::Wrong);
        let look = if is_file || flag.is_some() || !is_plain {
            let is_refused = flag.take().is_some_and(|flag| flag.refuses(text));
            if is_file { is_plain.then_some(Look::Text) } else { wrong(is_plain && is_refused) }
        } else if text.starts_with('-') && text.len() > 1 && !is_literal && (words == 0 || !node.takes_all()) {
            is_literal = text == "--";
            match node.flag(text).or_else(|| tree.flag(text)) {
                Some(found) => {
                    let (value, is_long) = (text.split_once('=').map(|(_, value)| value), text.starts_with("--"));
                    let is_alone = value.is_none() && (is_long || text.len() == 2);
                    flag = Some(found).filter(|found| is_alone && found.takes_value);
                    wrong(value.is_some_and(|value| found.refuses(value))).or(Some(Look::Name))
                }
                None if is_literal => Some(Look::Name),
                None => wrong(true),
            }
        } else if let Some(inner) = node.word(text).filter(|_| words == 0) {
            node = inner;
            Some(Look::Word)
        } else if node.is_group() && words == 0 {
            words += 1;
            wrong(true)
        } else {
            words += 1;
            wrong(node.refuses(words - 1, text))
        };
        is_file = is_file && end == at;
        looks.extend(look.map(|look| (at..end, look)));
        at = end;
    }
}

/// Operators, the longer ones first.
const OPERATORS: [&str; 6] = [">>", ">|", "&&", ">", "|", ";"];

fn spaces(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Where a word ends; what is quoted or Rhai in it is looked at.
fn word(line: &str, from: usize, known: &Known, looks: &mut Looks) -> usize {
    let mut at = from;
    while let Some(c) = line[at..].chars().next() {
        match c {
            c if c.is_whitespace() || matches!(c, ';' | '|' | '>') => break,
            '&' if line[at..].starts_with("&&") => break,
            '\\' => {
                at += c.len_utf8();
                at += line[at..].chars().next().map_or(0, char::len_utf8);
            }
            '\'' | '"' => {
                let end = quoted(&line[at..], c).map(|length| at + length);
                let look = if end.is_some() { Look::Text } else { Look::Wrong };
                let end = end.unwrap_or(line.len());
                looks.push((at..end, look));
                at = end;
            }
            '$' if line[at..].starts_with("${") => {
                looks.push((at..at + 2, Look::Operator));
                let end = line[at..].find('}').map(|length| at + length);
                rhai::looks(line, at + 2..end.unwrap_or(line.len()), known, looks);
                at = match end {
                    Some(end) => {
                        looks.push((end..end + 1, Look::Operator));
                        end + 1
                    }
                    None => line.len(),
                };
            }
            c => at += c.len_utf8(),
        }
    }
    at
}

/// How long a text in quotes is, where it ends.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if quote == '"' => drop(characters.next()),
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
