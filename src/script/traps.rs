//! What Rhai does without a word, and nobody means: found before anything runs.

use rhai::{AST, ASTNode, Expr, Position as At, Stmt};

use crate::error::{Error, Result};
use crate::script::errors::{self, Source};

/// What a script is refused for: a `for` with an empty body, which hides the errors of what it goes through, and a whole number
/// that is rounded as it is read.
pub fn refused(ast: &AST, source: Source<'_>) -> Result<()> {
    let mut found = None;
    ast.walk(&mut |path| {
        found = match path.last() {
            Some(ASTNode::Stmt(Stmt::For(each, at))) if each.2.body.is_empty() && !cannot_fail(&each.2.expr) => {
                Some((empty(), *at))
            }
            Some(ASTNode::Expr(Expr::FloatConstant(_, at))) => whole(source.text, *at).map(|wrong| (wrong, *at)),
            _ => None,
        };
        found.is_none()
    });
    match found {
        Some((wrong, at)) => Err(errors::shown(wrong, at, source)),
        None => Ok(()),
    }
}

/// A number that is written as a whole one, and is none of 64 bits.
fn whole(text: &str, at: At) -> Option<Error> {
    let line = text.lines().nth(at.line()? - 1)?;
    let number = line.chars().skip(at.position()?.saturating_sub(1)).skip_while(|c| *c == '-');
    let number: String = number.take_while(|c| c.is_alphanumeric() || "_.".contains(*c)).collect();
    let number = number.split("..").next()?;
    let is_whole =
        number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || c == '_');
    is_whole.then(|| {
        Error::usage(format!("{number} has more than 64 bits, and would be rounded"))
            .hint(format!("json::parse(\"{}\") keeps it as it is", number.replace('_', "")))
    })
}

/// Whether nothing goes wrong in going through it.
fn cannot_fail(expression: &Expr) -> bool {
    match expression {
        Expr::FnCall(call, _) => ["..", "..=", "range"].contains(&call.name.as_str()),
        Expr::Array(..) | Expr::StringConstant(..) | Expr::DynamicConstant(..) => true,
        _ => false,
    }
}

fn empty() -> Error {
    Error::usage("a `for` with an empty body hides what goes wrong")
        .hint("put something into it: `for row in rows { count += 1 }`")
}

/// Divisions of whole numbers that come out uneven, in a script as it is written: what is constant is not worked out yet.
pub fn uneven(ast: &AST) -> Vec<(At, Error)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, at))) = path.last()
            && call.namespace.is_empty()
            && call.name == "/"
            && let [Expr::IntegerConstant(a, _), Expr::IntegerConstant(b, _)] = call.args[..]
            // What Rhai cannot divide either is told as it runs.
            && let (Some(result), Some(rest)) = (a.checked_div(b), a.checked_rem(b))
            && rest != 0
        {
            let error = Error::failed(format!("{a}/{b} is {result}: whole numbers are divided into whole numbers"));
            found.push((*at, error.hint(format!("{a}.0/{b} is a fraction"))));
        }
        true
    });
    found
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, INT, OptimizationLevel};

    use super::*;

    #[test]
    fn divisions_of_any_whole_numbers_are_looked_at() {
        let mut engine = Engine::new();
        engine.set_optimization_level(OptimizationLevel::None);
        for a in [INT::MIN, -7, -1, 0, 1, 7, INT::MAX] {
            for b in [INT::MIN, -7, -1, 0, 1, 7, INT::MAX] {
                let told = uneven(&engine.compile(format!("{a} / {b}")).unwrap()).len();
                let is_uneven = b != 0 && i128::from(a) % i128::from(b) != 0;
                assert_eq!(told, usize::from(is_uneven), "{a} / {b}");
            }
        }
    }
}
