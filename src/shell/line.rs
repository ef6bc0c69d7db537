//! What a line is: a command, or Rhai.

use crate::grammar::Registry;

/// Words that lead back out of the shell.
const LEAVE: [&str; 2] = ["exit", "quit"];

/// Words that statements of Rhai begin with: a variable may have the name of anything.
const STATEMENTS: [&str; 13] =
    ["let", "const", "fn", "private", "if", "for", "while", "loop", "do", "switch", "return", "throw", "try"];

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sort {
    /// Nothing: blank, or a comment.
    Empty,
    /// Leave the shell.
    Leave,
    /// A command of the registry.
    Command,
    /// Anything else.
    Rhai,
}

/// A line whose first word is a command's verb is a command, unless an operator, `.`, `(` or `[` follows it.
pub fn sort(line: &str, registry: &Registry) -> Sort {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || (line.starts_with("//") && !line.contains('\n')) {
        return Sort::Empty;
    }
    if LEAVE.contains(&line) {
        return Sort::Leave;
    }
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(line.len());
    let (verb, rest) = line.split_at(end);
    // A misspelt verb before a known noun was meant for a command, and gets its did-you-mean.
    let is_command = registry.is_verb(verb) || !STATEMENTS.contains(&verb) && names_a_noun(rest, registry);
    let is_statement = ["import", "export"].contains(&verb) && names_a_module(rest.trim_start());
    // What a word does that is a command by itself can go to a file.
    let goes_to_file = rest.trim_start().starts_with('>') && registry.find(&[verb]).is_some();
    let is_expression = continues_an_expression(rest) && !goes_to_file;
    if is_command && !is_statement && !is_expression { Sort::Command } else { Sort::Rhai }
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
            ("exit", Sort::Leave),
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
}
