//! Rhai.

use std::ops::Range;

use super::{Look, Looks};
use crate::script::lexer::{Kind, pieces};
use crate::script::library;
use crate::shell::complete::Known;

/// Words of the language.
const WORDS: [&str; 26] = [
    "let", "const", "fn", "if", "else", "for", "in", "while", "loop", "do", "until", "switch", "return", "break",
    "continue", "throw", "try", "catch", "import", "export", "as", "true", "false", "this", "private", "global",
];

/// Looks at a part of a line that is Rhai, or has begun as such.
pub fn looks(line: &str, part: Range<usize>, known: &Known, looks: &mut Looks) {
    // What stands before a name: `of.`, `module::`.
    let (mut of, mut is_member, mut end) = ("", false, part.start);
    for (range, kind) in pieces(&line[part.clone()]) {
        let range = part.start + range.start..part.start + range.end;
        // A space between them parts them.
        if range.start > end {
            (of, is_member) = ("", false);
        }
        end = range.end;
        let piece = &line[range.clone()];
        let look = match kind {
            Kind::Word => {
                let behind = &line[range.end..part.end];
                let is_last = range.end == line.len();
                let look = look(piece, behind, of, is_member, is_last, known);
                looks.extend(look.map(|(more, look)| (range.start..range.end + more, look)));
                of = piece;
                continue;
            }
            Kind::Mark(c) => {
                is_member = c == '.';
                if !matches!(c, '.' | ':') {
                    of = "";
                }
                continue;
            }
            // In backticks a text goes on in the next line.
            Kind::Text { is_open: true } if !piece.starts_with(['`', '}']) => Look::Wrong,
            Kind::Text { .. } => Look::Text,
            Kind::Comment { .. } => Look::Comment,
            Kind::Number => Look::Number,
        };
        looks.push((range, look));
        (of, is_member) = ("", false);
    }
}

/// Whether something of the language or the API is called so.
pub fn is_name(name: &str) -> bool {
    WORDS.contains(&name)
        || library::known().iter().any(|of| of.module == name || of.module.is_empty() && of.short_name() == name)
}

/// Whether something of the language or the API begins so.
pub fn begins_a_name(begun: &str) -> bool {
    let of_library = |of: &library::Function| {
        of.module.starts_with(begun) || of.module.is_empty() && of.short_name().starts_with(begun)
    };
    WORDS.iter().any(|word| word.starts_with(begun)) || library::known().iter().any(of_library)
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
