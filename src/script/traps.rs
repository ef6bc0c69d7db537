//! What Rhai does without a word, and nobody means: found before anything runs.

use rhai::{AST, ASTNode, Expr, Position as At, Stmt};

use crate::error::{Error, Result};
use crate::script::errors::{self, Source};

/// A `for` with an empty body: it hides the errors of what it goes through.
pub fn empty_for(ast: &AST, source: Source<'_>) -> Result<()> {
    let mut found = None;
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::For(each, at))) = path.last()
            && each.2.body.is_empty()
            && !cannot_fail(&each.2.expr)
        {
            found = Some(*at);
        }
        found.is_none()
    });
    match found {
        Some(at) => Err(errors::shown(empty(), at, source)),
        None => Ok(()),
    }
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
            && b != 0
            && a % b != 0
        {
            let error = Error::failed(format!("{a}/{b} is {}: whole numbers are divided into whole numbers", a / b));
            found.push((*at, error.hint(format!("{a}.0/{b} is a fraction"))));
        }
        true
    });
    found
}
