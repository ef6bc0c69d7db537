//! What may follow a line, shown behind it as it is typed: the rest of a line of before, or what a flag is for.

use rustyline::hint::Hint as Shown;

use crate::grammar::Registry;
use crate::shell::line::{Sort, sort};
use crate::shell::tree::Node;
use crate::text;

/// A hint.
#[derive(Debug, Eq, PartialEq)]
pub struct Hint {
    text: String,
    /// How much of it can be taken over.
    taken: usize,
}

impl Hint {
    /// The same in so many columns, unless that says nothing any more.
    pub fn within(self, columns: usize) -> Option<Self> {
        let text = text::fit(&self.text, columns).into_owned();
        let taken = if text == self.text { self.taken } else { 0 };
        (columns > LEAST).then_some(Hint { text, taken })
    }
}

impl Shown for Hint {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        (self.taken > 0).then(|| &self.text[..self.taken])
    }
}

/// In fewer columns a hint says nothing.
const LEAST: usize = 3;

/// What may follow; `before`: the lines of before, the newest first.
pub fn hint<'a>(
    line: &str,
    registry: &Registry,
    tree: &Node,
    mut before: impl Iterator<Item = &'a str>,
) -> Option<Hint> {
    if line.trim().is_empty() {
        return None;
    }
    if let Some(rest) = before.find_map(|other| other.strip_prefix(line).filter(|rest| !rest.is_empty())) {
        // Of several lines the first.
        let rest = rest.lines().next().filter(|rest| !rest.is_empty())?;
        return Some(Hint { text: rest.to_owned(), taken: rest.len() });
    }
    if sort(line, registry) != Sort::Command {
        return None;
    }
    of_flag(line, tree)
}

/// What the flag at the end of a line is for.
fn of_flag(line: &str, tree: &Node) -> Option<Hint> {
    let last = line.rsplit(char::is_whitespace).next()?;
    if !last.starts_with("--") || last.len() < 3 || last.contains('=') {
        return None;
    }
    let mut node = tree;
    for word in line.split_whitespace() {
        match node.word(word) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    let exact = node.flag(last).or_else(|| tree.flag(last)).map(|flag| ("", flag));
    let (rest, flag) = exact.or_else(|| node.only_flag(last)).or_else(|| tree.only_flag(last))?;
    Some(Hint { text: format!("{rest}  {}", flag.about), taken: rest.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    #[test]
    fn a_line_of_before_goes_first() {
        let registry = commands::registry();
        let tree = Node::of(&registry);
        let before = ["get client b", "get client a --format json", "let x = [\n1]"];
        let told = |line: &str| {
            let hint = hint(line, &registry, &tree, before.into_iter())?;
            Some((hint.completion().unwrap_or_default().to_owned(), hint.display().to_owned()))
        };
        assert_eq!(told("get cl"), Some(("ient b".into(), "ient b".into())));
        assert_eq!(told("get client a").unwrap().0, " --format json");
        assert_eq!(told("let x").unwrap().0, " = [");
        assert_eq!((told(""), told("nothing")), (None, None));
        let (taken, shown) = told("create oauth2-client --audi").unwrap();
        assert!(taken == "ence" && shown.starts_with("ence  "), "{shown}");
        let (taken, shown) = told("create oauth2-client --grant-type").unwrap();
        assert!(taken.is_empty() && shown.starts_with("  "), "{shown}");
        assert!(told("list clients --profile").unwrap().1.contains("profile"));
    }
}
