//! Reading a script: the one way from its text to what is run.

use rhai::{AST, Engine, Scope};

use crate::error::{Error, Position, Result};
use crate::script::errors::{self, Source};
use crate::script::lexer::{Kind, pieces};

/// So many bytes a name or a text of a script has at most: Rhai reads one of them in a time that grows with the square of its length,
/// in which nothing can stop it.
const LONGEST: usize = 128 * 1024;

/// What a script says. Errors are of usage: it cannot be read.
pub fn compiled(engine: &Engine, scope: &Scope<'_>, source: Source<'_>) -> Result<AST> {
    refuse_long(source)?;
    engine.compile_with_scope(scope, source.text).map_err(|error| errors::unreadable(&error, source))
}

/// Errors are of usage: Rhai would read it for too long.
pub fn refuse_long(source: Source<'_>) -> Result<()> {
    if source.text.len() > LONGEST
        && let Some(begin) = too_long(source.text)
    {
        let before = &source.text[..begin];
        let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let error = Error::usage(format!("a text or a name is longer than {} KiB", LONGEST >> 10)).about(source.name);
        return Err(error.at(Position { line, column }).hint("what is longer is read from a file: fs::read(\"FILE\")"));
    }
    Ok(())
}

/// Where a text or a name begins that is too long.
fn too_long(text: &str) -> Option<usize> {
    pieces(text).find(|(range, kind)| range.len() > LONGEST && *kind != Kind::Comment).map(|(range, _)| range.start)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
