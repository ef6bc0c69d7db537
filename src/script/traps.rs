//! What Rhai does without a word, and nobody means: found before anything runs.

use rhai::{AST, ASTNode, Engine, Expr, OptimizationLevel, Position as At, Scope, Stmt};

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

/// Divisions of whole numbers that come out uneven.
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

/// The same in a script that is about to run, where it is written as it is. A script that cannot be read has none.
pub fn uneven_in(engine: &mut Engine, scope: &Scope<'_>, source: Source<'_>) -> Vec<Error> {
    let may_divide = source.text.contains('/');
    if !may_divide {
        return Vec::new();
    }
    // What is constant is worked out as it is read.
    let level = engine.optimization_level();
    engine.set_optimization_level(OptimizationLevel::None);
    let ast = engine.compile_with_scope(scope, source.text);
    engine.set_optimization_level(level);
    let found = ast.map(|ast| uneven(&ast)).unwrap_or_default();
    found.into_iter().map(|(at, error)| errors::shown(error, at, source)).collect()
}
