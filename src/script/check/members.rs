//! Fields of clients that are read or set in a script, where it is plain that a client is meant; and arguments that are not
//! declared.

use rhai::{AST, ASTNode, Expr, Position as At};

use super::body::{Body, GIVING, gives, variable};
use crate::error::{Error, nearest};
use crate::model::fields;
use crate::script::arguments::Declared;
use crate::text::safe;

/// A member that is looked for.
struct Looked {
    /// In what: a variable, or what a call gives.
    of: Option<String>,
    name: String,
    at: At,
}

/// `client.feild`, `client["feild"]`, at their places. A variable is a client's only where nothing else is ever put into it.
pub fn wrong(body: &Body) -> Vec<(At, Error)> {
    let mut looked = Vec::new();
    body.walk(&mut |node| {
        if let ASTNode::Expr(expression) = node {
            looked.extend(member(expression));
        }
    });
    let of_client = looked.into_iter().filter(|looked| looked.of.as_ref().is_none_or(|name| body.is_client(name)));
    of_client.filter_map(|looked| Some((looked.at, no_field(&looked.name)?))).collect()
}

/// What is wrong with the name of a client's field, if anything.
pub fn no_field(name: &str) -> Option<Error> {
    if fields::field(name).is_some() {
        return None;
    }
    Some(Error::failed(format!("a client has no field `{}`", safe(name))).did_you_mean(fields::nearest(name)))
}

/// `args.onwer`, where the script declares what it takes.
pub fn undeclared(ast: &AST, declared: &Declared) -> Vec<(At, Error)> {
    let known: Vec<String> = declared.keys().collect();
    let mut wrong = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(expression)) = path.last()
            && let Some(Looked { of: Some(of), name, at }) = member(expression)
            && of == "args"
            && !known.is_empty()
            && !known.contains(&name)
        {
            let error = Error::failed(format!("the script declares no argument `{}`", safe(&name)));
            wrong.push((at, error.did_you_mean(nearest(&name, known.iter().map(String::as_str)))));
        }
        true
    });
    wrong
}

/// The member that an expression looks for in a variable, or in what a call of `clients::` gives.
fn member(expression: &Expr) -> Option<Looked> {
    let (pair, is_index) = match expression {
        Expr::Dot(pair, _, _) => (pair, false),
        Expr::Index(pair, _, _) => (pair, true),
        _ => return None,
    };
    let of = match variable(&pair.lhs) {
        Some(name) => Some(name),
        None if gives(&pair.lhs, &GIVING) => None,
        None => return None,
    };
    let first = match &pair.rhs {
        Expr::Dot(inner, _, _) | Expr::Index(inner, _, _) => &inner.lhs,
        other => other,
    };
    match first {
        Expr::Property(property, at) if !is_index => Some(Looked { of, name: property.2.to_string(), at: *at }),
        Expr::StringConstant(text, at) if is_index => Some(Looked { of, name: text.to_string(), at: *at }),
        _ => None,
    }
}
