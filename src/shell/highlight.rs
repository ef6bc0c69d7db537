//! Lines in colours as they are typed, with what is wrong with them underlined.

mod command;
mod rhai;

use std::ops::Range;

use nu_ansi_term::{Color, Style};

use crate::grammar::Registry;
use crate::shell::complete::Known;
use crate::shell::line::{Sort, misspelt, pieces, sort};
use crate::shell::tree::Node;

/// What a part of a line is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// A command's verb or noun; a word of the language.
    Word,
    /// A flag; a module or a function of one.
    Name,
    /// Text in quotes.
    Text,
    /// A number.
    Number,
    /// What stands between commands, and `${` and `}`.
    Operator,
    /// What nobody reads.
    Comment,
    /// What cannot be meant.
    Wrong,
}

impl Look {
    /// Of the sixteen colours those that can be read on a dark ground and on a light one.
    fn style(self) -> Style {
        match self {
            Look::Word => Style::new().bold(),
            Look::Name => Color::Cyan.normal(),
            Look::Text => Color::Green.normal(),
            Look::Number => Color::Magenta.normal(),
            Look::Operator => Color::Blue.bold(),
            Look::Comment => Style::new().dimmed(),
            Look::Wrong => Color::Red.underline(),
        }
    }
}

/// Parts of a line with their looks, in their order, none within another.
pub type Looks = Vec<(Range<usize>, Look)>;

/// What the parts of a line are; `is_whole`: its last word is whole, so that it can be wrong.
pub fn looks(line: &str, is_whole: bool, registry: &Registry, tree: &Node, known: &Known) -> Looks {
    let mut looks = Looks::new();
    // Of Rhai alone the parts are the same however far each statement goes, and it is not read for that with each key.
    let is_of_rhai = |line: &str| {
        let is_rhai = || sort(line, registry) == Sort::Rhai && slip(line, 0, true, registry, known).is_none();
        line.trim().is_empty() || is_rhai()
    };
    let is_one = line.contains('\n') && line.lines().all(is_of_rhai);
    let all = if is_one { std::iter::once(0..line.len()).collect() } else { pieces(line, registry) };
    for piece in all {
        let (mut from, line) = (piece.start, &line[..piece.end]);
        while from < line.len() {
            let rest = &line[from..];
            let skipped = rest.len() - rest.trim_start().len();
            from += skipped;
            match sort(&line[from..], registry) {
                Sort::Empty => {
                    looks.push((from..line.len(), Look::Comment));
                    break;
                }
                Sort::Rhai => {
                    looks.extend(slip(line, from, is_whole, registry, known).map(|range| (range, Look::Wrong)));
                    rhai::looks(line, from..line.len(), known, &mut looks);
                    break;
                }
                Sort::Command => from = command::looks(line, from, is_whole, tree, known, &mut looks),
            }
        }
    }
    looks.retain(|(range, _)| !range.is_empty());
    looks
}

/// The word at the beginning of what is left of a line that was meant for a command, unless it may become right.
fn slip(line: &str, from: usize, is_whole: bool, registry: &Registry, known: &Known) -> Option<Range<usize>> {
    let is_known =
        |name: &str| known.variables.iter().chain(&known.functions).any(|one| one == name) || rhai::is_name(name);
    let word = misspelt(&line[from..], registry, is_known)?;
    let end = from + word.len();
    let names = registry.commands().iter().map(|command| command.words[0]);
    let mut names = names.chain(known.variables.iter().chain(&known.functions).map(String::as_str));
    let mut may_become = || names.any(|name| name.starts_with(word)) || rhai::begins_a_name(word);
    (end < line.len() || is_whole || !may_become()).then_some(from..end)
}

/// A line with its looks.
pub fn painted(line: &str, looks: &Looks) -> String {
    let (mut painted, mut at) = (String::with_capacity(line.len() * 2), 0);
    for (range, look) in looks {
        if range.start < at {
            continue;
        }
        painted.push_str(&line[at..range.start]);
        painted.push_str(&look.style().paint(&line[range.clone()]).to_string());
        at = range.end;
    }
    painted.push_str(&line[at..]);
    painted
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::commands;
    use crate::commands::sandbox::starter;
    use crate::grammar::Host;
    use crate::script::engine::{Context, engine};
    use crate::session::Session;
    use crate::session::handle::Settings;
    use crate::ui::Ui;

    fn told(line: &str) -> String {
        let registry = commands::registry();
        let known = Known { members: vec![("it".into(), vec!["client_id".into()])], ..Known::default() };
        let looks = looks(line, true, &registry, &Node::of(&registry), &known);
        let each = looks.iter().map(|(range, look)| format!("{look:?}:{}", &line[range.clone()]));
        each.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parts_of_lines_are_what_they_are() {
        // The names of the API are known once an engine has them.
        let session = Session::new(Ui::default(), Settings::default(), 0, starter());
        let _ = engine(&Context::new(Host { session, registry: Arc::new(commands::registry()) }));
        for (line, due) in [
            ("list clients", "Word:list Word:clients"),
            ("list cleints", "Word:list Wrong:cleints"),
            ("get client a --format json", "Word:get Word:client Name:--format"),
            ("get client a --color bogus", "Word:get Word:client Name:--color Wrong:bogus"),
            ("get client a --color=bogus", "Word:get Word:client Wrong:--color=bogus"),
            ("get client a --color always", "Word:get Word:client Name:--color"),
            ("completion bahs", "Word:completion Wrong:bahs"),
            ("contxt", "Wrong:contxt"),
            ("lsit foo", "Wrong:lsit"),
            ("get client a --fromat json", "Word:get Word:client Wrong:--fromat"),
            ("get client a --format=json", "Word:get Word:client Name:--format=json"),
            ("version; get client 'a b'", "Word:version Operator:; Word:get Word:client Text:'a b'"),
            ("get client 'a", "Word:get Word:client Wrong:'a"),
            ("get client ${it.client_id} | wc -l", "Word:get Word:client Operator:${ Operator:} Operator:| Text:wc -l"),
            ("get client ${it.nope}", "Word:get Word:client Operator:${ Wrong:nope Operator:}"),
            ("list clients > x.csv", "Word:list Word:clients Operator:> Text:x.csv"),
            ("run a.rhai --owner x", "Word:run"),
            ("# so", "Comment:# so"),
            ("let x = \"a\" + 12; // so", "Word:let Text:\"a\" Number:12 Comment:// so"),
            ("clients::lst()", "Name:clients:: Wrong:lst"),
            ("clients::list().len()", "Name:clients:: Name:list"),
            ("it.client_id", ""),
            ("it.clientid", "Wrong:clientid"),
            ("sleep(\"a", "Name:sleep Wrong:\"a"),
        ] {
            assert_eq!(told(line), due, "{line}");
        }
    }

    #[test]
    fn what_is_painted_is_the_line() {
        for line in ["list clients --format json; it.x + `a` | b", "é 'ü", "\u{1F600} > \"", "${", "a ${b ${c}"] {
            let registry = commands::registry();
            let looks = looks(line, true, &registry, &Node::of(&registry), &Known::default());
            let painted = painted(line, &looks);
            let plain = strip_ansi_escapes(&painted);
            assert_eq!(plain, line);
        }
    }

    fn strip_ansi_escapes(text: &str) -> String {
        let (mut plain, mut is_escape) = (String::new(), false);
        for c in text.chars() {
            match (is_escape, c) {
                (false, '\u{1b}') => is_escape = true,
                (true, 'm') => is_escape = false,
                (false, c) => plain.push(c),
                _ => {}
            }
        }
        plain
    }
}
