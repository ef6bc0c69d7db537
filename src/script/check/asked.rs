//! Closures that are asked whether something holds, and put a value into a variable: `list.filter(|x| x = 1)`.

use std::collections::HashSet;

use rhai::{ASTNode, Expr, Position as At};

use super::body::{self, Body};
use crate::error::Error;

/// What asks a closure about each entry.
const ASKING: [&str; 7] = ["filter", "retain", "drain", "some", "all", "find", "index_of"];

/// All of them in a part of a script; `all`: all parts of it; `members`: what its maps have of their own.
pub fn wrong(body: &Body, all: &[Body], members: &HashSet<String>) -> Vec<(At, Error)> {
    let mut wrong = Vec::new();
    body.walk(&mut |node| {
        if let ASTNode::Expr(Expr::Dot(pair, ..)) = node
            && let Some((name, Some((closure, _)))) = body::calls(&pair.rhs).into_iter().next()
            && ASKING.contains(&name.as_str())
            && !members.contains(&name)
            && let Some(at) = all.iter().find(|body| body.name() == closure).and_then(Body::puts_last)
        {
            let error = Error::failed(format!("the closure of `{name}` gives nothing, neither true nor false"));
            wrong.push((at, error.hint("`==` compares, `=` puts a value into a variable")));
        }
    });
    wrong
}
