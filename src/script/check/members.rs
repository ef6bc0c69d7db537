//! Fields of clients that are read or set in a script, where it is plain that a variable holds a client.

use std::sync::LazyLock;

use regex::Regex;
use rhai::{AST, ASTNode, Expr, Position as At, Stmt};

use crate::error::Error;
use crate::model::fields;
use crate::text::safe;

/// What gives a client, of the functions of `clients::`.
const GIVING: [&str; 6] = ["create", "get", "find", "update", "replace", "rotate_secret"];

/// What comes to be in a variable, and where.
struct Bound {
    name: String,
    at: At,
    is_client: bool,
}

/// `client.feild`, at its place. A variable holds what the line above it said last; of one that a function or closure is
/// given nothing is known.
pub fn wrong(ast: &AST, text: &str) -> Vec<(At, Error)> {
    let mut bound = parameters(text);
    let mut read: Vec<(String, String, At)> = Vec::new();
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(var, _, at))) => {
                bound.push(Bound { name: var.0.name.to_string(), at: *at, is_client: gives(&var.1, &GIVING) });
            }
            Some(ASTNode::Stmt(Stmt::For(each, at))) => {
                bound.push(Bound { name: each.0.name.to_string(), at: *at, is_client: gives(&each.2.expr, &["list"]) });
            }
            Some(ASTNode::Stmt(Stmt::Assignment(set))) => {
                if let Expr::Variable(variable, _, at) = &set.1.lhs {
                    bound.push(Bound { name: variable.1.to_string(), at: *at, is_client: gives(&set.1.rhs, &GIVING) });
                }
            }
            Some(ASTNode::Expr(Expr::Dot(pair, _, _))) => {
                let first = match &pair.rhs {
                    Expr::Dot(inner, _, _) | Expr::Index(inner, _, _) => &inner.lhs,
                    other => other,
                };
                if let (Expr::Variable(variable, _, _), Expr::Property(property, at)) = (&pair.lhs, first) {
                    read.push((variable.1.to_string(), property.2.to_string(), *at));
                }
            }
            _ => {}
        }
        true
    });
    let place = |at: At| (at.line(), at.position());
    bound.sort_by_key(|bound| place(bound.at));
    let is_client = |name: &str, at: At| {
        let before = bound.iter().take_while(|bound| place(bound.at) < place(at));
        before.filter(|bound| bound.name == name).last().is_some_and(|bound| bound.is_client)
    };
    read.into_iter()
        .filter(|(name, property, at)| fields::field(property).is_none() && is_client(name, *at))
        .map(|(_, property, at)| {
            let error = Error::failed(format!("a client has no field `{}`", safe(&property)));
            (at, error.did_you_mean(fields::nearest(&property)))
        })
        .collect()
}

/// Whether an expression is a call of one of these of `clients::`.
fn gives(expression: &Expr, names: &[&str]) -> bool {
    let Expr::FnCall(call, _) = expression else { return false };
    !call.namespace.is_empty() && call.namespace.root() == "clients" && names.contains(&call.name.as_str())
}

/// What functions and closures are given.
fn parameters(text: &str) -> Vec<Bound> {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    static GIVEN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bfn\s+\w+\s*\(([^)]*)\)|\|([\w\s,]+)\|").expect("a pattern"));
    let mut bound = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for found in GIVEN.captures_iter(line) {
            let Some(names) = found.get(1).or(found.get(2)) else { continue };
            let column = line[..names.start()].chars().count() + 1;
            let (Ok(line), Ok(column)) = (u16::try_from(at + 1), u16::try_from(column)) else { continue };
            let names = names.as_str().split(',').map(|name| name.trim().to_owned());
            bound.extend(names.map(|name| Bound { name, at: At::new(line, column), is_client: false }));
        }
    }
    bound
}
