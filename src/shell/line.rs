//! What a line is: a command, or Rhai.

use std::ops::Range;

use crate::error::nearest;
use crate::grammar::Registry;
use crate::shell::parts;
use crate::shell::rhai::{is_incomplete, is_whole as is_whole_rhai};

/// Words that statements of Rhai begin with: a variable may have the name of anything.
const STATEMENTS: [&str; 13] =
    ["let", "const", "fn", "private", "if", "for", "while", "loop", "do", "switch", "return", "throw", "try"];

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sort {
    /// Nothing: blank, or a comment.
    Empty,
    /// A command of the registry.
    Command,
    /// Anything else.
    Rhai,
}

/// A line whose first word is a command's verb is a command, unless an operator, `.`, `(` or `[` follows it.
pub fn sort(line: &str, registry: &Registry) -> Sort {
    let line = line.trim();
    // A map is no comment.
    let is_comment = line.starts_with('#') && !line.starts_with("#{");
    if line.is_empty() || is_comment || (line.starts_with("//") && !line.contains('\n')) {
        return Sort::Empty;
    }
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(line.len());
    let (verb, rest) = line.split_at(end);
    // A misspelt verb before a known noun was meant for a command, and gets its did-you-mean.
    let is_command = registry.is_verb(verb) || !STATEMENTS.contains(&verb) && names_a_noun(rest, registry);
    let is_statement = ["import", "export"].contains(&verb) && names_a_module(rest.trim_start());
    // What a word does that is a command by itself can go to a file or a program, and another one can stand behind it.
    let behind = rest.trim_start();
    let is_operator = behind.starts_with(['>', '|']) && !behind.starts_with("||") || behind.starts_with("&&");
    let is_expression = continues_an_expression(rest) && !(is_operator && is_whole(verb, registry));
    if is_command && !is_statement && !is_expression { Sort::Command } else { Sort::Rhai }
}

/// Whether a word is a command by itself.
fn is_whole(verb: &str, registry: &Registry) -> bool {
    let mut commands = registry.commands().iter();
    commands.any(|command| command.words.len() == 1 && (command.words[0] == verb || command.aliases.contains(&verb)))
}

/// So many lines of Rhai are looked at together where commands follow them.
const MOST_TOGETHER: usize = 200;

/// The lines of a text that was pasted or edited as a whole, each with what belongs to it. Rhai that can be read to the end is one.
pub fn pieces(text: &str, registry: &Registry) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    starts.push(text.len() + 1);
    if starts.len() == 2 {
        return std::iter::once(0..text.len()).collect();
    }
    let lines: Vec<Range<usize>> = starts.windows(2).map(|pair| pair[0]..pair[1] - 1).collect();
    let is_command = |line: &Range<usize>| sort(&text[line.clone()], registry) == Sort::Command;
    let (mut found, mut at) = (Vec::new(), 0);
    while at < lines.len() {
        let from = lines[at].start;
        let line = &text[lines[at].clone()];
        if sort(line, registry) == Sort::Empty {
            found.extend((!line.trim().is_empty()).then(|| lines[at].clone()));
            at += 1;
            continue;
        }
        let is_of_commands = is_command(&lines[at]);
        // Rhai goes over as many lines as can be read together, up to the next command.
        if !is_of_commands {
            let end = lines[at..].iter().position(is_command).map_or(lines.len(), |count| at + count);
            let most = end.min(at + MOST_TOGETHER);
            let all = (most < end && end == lines.len()).then_some(end);
            let mut ends = all.into_iter().chain((at + 1..=most).rev());
            if let Some(end) = ends.find(|end| is_whole_rhai(&text[from..lines[*end - 1].end])) {
                found.push(from..lines[end - 1].end);
                at = end;
                continue;
            }
        }
        let goes_on = |end: usize| {
            let begun = &text[from..end];
            if is_of_commands { parts::goes_on(begun) || parts::is_open(begun) } else { is_incomplete(begun) }
        };
        while at + 1 < lines.len() && goes_on(lines[at].end) {
            at += 1;
        }
        found.push(from..lines[at].end);
        at += 1;
    }
    found
}

/// The first word of a line that is nothing but words, where it is near a command's and would be no variable's name: that was meant.
pub fn misspelt<'a>(line: &'a str, registry: &Registry, is_variable: impl Fn(&str) -> bool) -> Option<&'a str> {
    let line = line.trim();
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let word = line.split(' ').next().filter(|_| line.chars().all(is_part))?;
    let is_name = word.starts_with(char::is_alphabetic) && !STATEMENTS.contains(&word);
    let verbs = || registry.commands().iter().map(|command| command.words[0]);
    (is_name && nearest(word, verbs()).is_some() && !is_variable(word)).then_some(word)
}

fn names_a_noun(rest: &str, registry: &Registry) -> bool {
    rest.starts_with(' ')
        && rest.split_whitespace().next().is_some_and(|noun| {
            registry.commands().iter().any(|command| {
                command.words.get(1) == Some(&noun) || (command.words.len() == 2 && command.aliases.contains(&noun))
            })
        })
}

/// Whether what follows `import` or `export` makes it a statement of Rhai.
fn names_a_module(rest: &str) -> bool {
    rest.starts_with(['"', '`']) || ["let ", "const "].iter().any(|word| rest.starts_with(word))
}

/// Whether what follows a word makes it a variable or a function.
fn continues_an_expression(rest: &str) -> bool {
    if rest.starts_with(['.', '(', '[', ':']) {
        return true;
    }
    let rest = rest.trim_start();
    let operators = [
        "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "=", "+ ", "* ", "/ ", "% ", "- ", "< ", "> ", "(",
        "[",
    ];
    operators.iter().any(|operator| rest.starts_with(operator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    #[test]
    fn the_first_word_decides() {
        let registry = commands::registry();
        for (line, expected) in [
            ("", Sort::Empty),
            ("# so", Sort::Empty),
            ("#{a: 1}.a", Sort::Rhai),
            ("create oauth2-client --name x", Sort::Command),
            ("list clients", Sort::Command),
            ("craete oauth2-client", Sort::Command),
            ("import clients --file x", Sort::Command),
            ("import \"x\" as y", Sort::Rhai),
            ("export const x = 1", Sort::Rhai),
            ("list = 3", Sort::Rhai),
            ("get(1)", Sort::Rhai),
            ("list.len()", Sort::Rhai),
            ("list[0]", Sort::Rhai),
            ("list + 1", Sort::Rhai),
            ("list > 1", Sort::Rhai),
            ("version > x.txt", Sort::Command),
            ("version >> x.txt", Sort::Command),
            ("version|cat", Sort::Command),
            ("version && list clients", Sort::Command),
            ("version || x", Sort::Rhai),
            ("let x = 1;", Sort::Rhai),
            ("let secret = 1;", Sort::Rhai),
            ("const clients = 1;", Sort::Rhai),
            ("it.client_id", Sort::Rhai),
            ("clients::list()", Sort::Rhai),
            ("version", Sort::Command),
            ("version; list clients", Sort::Command),
        ] {
            assert_eq!(sort(line, &registry), expected, "{line}");
        }
    }

    #[test]
    fn a_text_of_several_lines_is_taken_apart() {
        let registry = commands::registry();
        for (text, expected) in [
            ("version", vec!["version"]),
            ("get client a\nget client b", vec!["get client a", "get client b"]),
            ("# so\n\nget client a # b \\\nversion", vec!["# so", "get client a # b \\", "version"]),
            ("get client \\\n  a\nversion", vec!["get client \\\n  a", "version"]),
            ("create client --name 'a\nb'\nversion", vec!["create client --name 'a\nb'", "version"]),
            ("let z = 1\nversion", vec!["let z = 1", "version"]),
            ("if true {\n  1\n}\nelse {\n  2\n}", vec!["if true {\n  1\n}\nelse {\n  2\n}"]),
            ("fn f() {\n  1\n}\nversion\nf()", vec!["fn f() {\n  1\n}", "version", "f()"]),
            ("let a = [1,\n2]\n", vec!["let a = [1,\n2]\n"]),
            ("if true {\n1\n}\nelse {\n2\n}\nversion", vec!["if true {\n1\n}\nelse {\n2\n}", "version"]),
            ("#{a: 1,\nb: 2}\nversion", vec!["#{a: 1,\nb: 2}", "version"]),
        ] {
            let found: Vec<&str> = pieces(text, &registry).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_near_a_command_and_no_variable_was_meant_for_one() {
        let registry = commands::registry();
        let told = |line| misspelt(line, &registry, |name| name == "verzion");
        assert_eq!(told("contxt"), Some("contxt"));
        assert_eq!(told(" lsit these"), Some("lsit"));
        for other in ["verzion", "team", "contxt + 1", "contxt.a", "let lst", "7", "\"list\"", ""] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
