//! Fields of clients that are read or set in a script, where it is plain that a client is meant; and arguments that are not
//! declared.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;
use rhai::{AST, ASTNode, Expr, Position as At, Stmt};

use crate::error::{Error, nearest};
use crate::model::fields;
use crate::script::arguments::Declared;
use crate::text::safe;

/// What gives a client, of the functions of `clients::`.
const GIVING: [&str; 6] = ["create", "get", "find", "update", "replace", "rotate_secret"];

/// A member that is looked for.
struct Looked {
    /// In what: a variable, or what a call gives.
    of: Option<String>,
    name: String,
    at: At,
}

/// `client.feild`, `client["feild"]`, at their places. A variable is a client's only where nothing else is ever put into one of
/// that name.
pub fn wrong(ast: &AST, text: &str) -> Vec<(At, Error)> {
    let mut clients: HashMap<String, bool> = HashMap::new();
    let others = parameters(text);
    let mut looked = Vec::new();
    ast.walk(&mut |path| {
        let bound = match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(var, _, _))) => Some((var.0.name.to_string(), gives(&var.1, &GIVING))),
            Some(ASTNode::Stmt(Stmt::For(each, _))) => {
                let counter = each.1.iter().map(|counter| (counter.name.to_string(), false));
                clients.extend(counter);
                Some((each.0.name.to_string(), gives(&each.2.expr, &["list"])))
            }
            Some(ASTNode::Stmt(Stmt::TryCatch(caught, _))) => variable(&caught.expr).map(|name| (name, false)),
            Some(ASTNode::Stmt(Stmt::Assignment(set))) => {
                variable(&set.1.lhs).map(|name| (name, gives(&set.1.rhs, &GIVING)))
            }
            Some(ASTNode::Expr(expression)) => {
                looked.extend(member(expression));
                None
            }
            _ => None,
        };
        if let Some((name, is_client)) = bound {
            clients.entry(name).and_modify(|always| *always &= is_client).or_insert(is_client);
        }
        true
    });
    let is_client = |name: &String| clients.get(name) == Some(&true) && !others.contains(name);
    looked
        .into_iter()
        .filter(|looked| looked.of.as_ref().is_none_or(is_client))
        .filter_map(|looked| Some((looked.at, no_field(&looked.name)?)))
        .collect()
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

fn variable(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Variable(variable, _, _) => Some(variable.1.to_string()),
        _ => None,
    }
}

/// Whether an expression is a call of one of these of `clients::`.
fn gives(expression: &Expr, names: &[&str]) -> bool {
    let Expr::FnCall(call, _) = expression else { return false };
    super::root(call) == Some("clients") && names.contains(&call.name.as_str())
}

/// What functions and closures are given, of which nothing is known.
fn parameters(text: &str) -> HashSet<String> {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    static GIVEN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bfn\s+\w+\s*\(([^)]*)\)|\|([\w\s,]+)\|").expect("a pattern"));
    let all = GIVEN.captures_iter(text).filter_map(|found| found.get(1).or(found.get(2)));
    all.flat_map(|names| names.as_str().split(',')).map(|name| name.trim().to_owned()).collect()
}
