//! Reading a script: the one way from its text to what is run.

use rhai::{AST, Engine, Position, Scope};

use crate::config::edit::position;
use crate::error::{Error, Position as Place, Result};
use crate::script::errors::{self, Source};
use crate::script::lexer::{Kind, pieces};
use crate::script::unreadable;

/// So many bytes a name or a text of a script has at most: Rhai reads one of them in a time that grows with the square of its length,
/// in which nothing can stop it.
const LONGEST: usize = 128 * 1024;

/// What a script says. Errors are of usage: it cannot be read.
pub fn compiled(engine: &Engine, scope: &Scope<'_>, source: Source<'_>) -> Result<AST> {
    refuse_traps(source)?;
    engine.compile_with_scope(scope, source.text).map_err(|error| unreadable::unreadable(&error, source))
}

/// Errors are of usage: what Rhai would read for too long, or pass over to the end.
pub fn refuse_traps(source: Source<'_>) -> Result<()> {
    let text = source.text;
    if text.len() <= LONGEST && !text.contains("/*") {
        return Ok(());
    }
    let Some((begin, kind)) = trap(text) else { return Ok(()) };
    let error = match kind {
        Kind::Comment { .. } => Error::usage("the comment that begins here is not ended").hint("`*/` ends it"),
        _ => Error::usage(format!("a text or a name is longer than {} KiB", LONGEST >> 10))
            .hint("what is longer is read from a file: fs::read(\"FILE\")"),
    };
    Err(errors::shown(error, place_of(position(text, begin)), source))
}

/// A place as Rhai has it.
pub fn place_of(at: Place) -> Position {
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    Position::new(short(at.line), short(at.column))
}

/// Where a text or a name begins that is too long, or a comment that is not ended.
pub fn trap(text: &str) -> Option<(usize, Kind)> {
    let is_trap = |length: usize, kind: Kind| match kind {
        Kind::Comment { is_open } => is_open,
        _ => length > LONGEST,
    };
    pieces(text).find(|(range, kind)| is_trap(range.len(), *kind)).map(|(range, kind)| (range.start, kind))
}

/// Where a function begins.
pub fn begin_of(text: &str, name: &str) -> Position {
    let mut words = pieces(text).filter(|(_, kind)| *kind == Kind::Word).map(|(range, _)| range).peekable();
    while let Some(word) = words.next() {
        if &text[word] == "fn"
            && let Some(next) = words.peek().filter(|next| &text[(*next).clone()] == name)
        {
            return place_of(position(text, next.start));
        }
    }
    Position::NONE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_long(text: &str) -> Option<usize> {
        trap(text).map(|(begin, _)| begin)
    }

    #[test]
    fn what_is_too_long_is_found_where_it_begins() {
        let long = "x ".repeat(LONGEST);
        assert_eq!(too_long(&format!("let s = \"{long}\";")), Some(8));
        assert_eq!(too_long(&format!("let s = `a\\`{long}")), None, "a backslash is one in backticks");
        assert_eq!(too_long(&format!("let s = `a{long}")), Some(8));
        assert_eq!(too_long(&format!("let {}", long.replace(' ', ""))), None);
        assert_eq!(too_long(&format!("let {}", long.replace(' ', "x"))), Some(4));
        for fine in [
            format!("// {long}\n1"),
            format!("/* {long} */ 1"),
            format!("[{}]", "\"ab\", ".repeat(LONGEST)),
            "1; ".repeat(LONGEST),
        ] {
            assert_eq!(too_long(&fine), None);
        }
    }

    #[test]
    fn a_comment_that_is_not_ended_is_found_and_none_in_a_text() {
        assert_eq!(trap("1; /* a /* b */").map(|(begin, _)| begin), Some(3));
        for fine in ["\"/*\"", "`/*`", "// /*", "/* a /* b */ */ 1", "'/' /* */"] {
            assert_eq!(trap(fine), None, "{fine}");
        }
    }
}
