//! Fields of clients that are read or set in a script, where it is plain that a client is meant; and arguments that are not
//! declared.

use rhai::{ASTNode, Expr, Position as At, Stmt};

use super::body::Body;
use super::chain;
use super::known::One;
use crate::error::{Error, nearest};
use crate::model::fields::{self, SetBy};
use crate::script::arguments::Declared;
use crate::script::variables::ARGS;
use crate::text::safe;

/// `client.feild`, `client["feild"]`, at their places, and fields that are set of which none can be. A variable is a client's only
/// where nothing else is ever put into it.
pub fn wrong(body: &Body) -> Vec<(At, Error)> {
    let mut wrong = Vec::new();
    body.walk(&mut |node| match node {
        ASTNode::Expr(expression) => {
            let Some((root, steps)) = chain::chain(expression) else { return };
            let mut known = body.known(root);
            for step in &steps {
                let Some(of) = known else { break };
                if let Some((name, at)) = step.member().filter(|_| !of.is_list) {
                    wrong.extend(no_member(of.one, &name).map(|error| (at, error)));
                }
                known = step.from(of);
            }
        }
        ASTNode::Stmt(Stmt::Assignment(set)) => wrong.extend(fixed(body, &set.1.lhs, &set.1.rhs)),
        _ => {}
    });
    wrong
}

/// What is wrong with a member's name.
fn no_member(of: One, name: &str) -> Option<Error> {
    let One::Map(members) = of else { return no_field(name) };
    if members.names.contains(&name) {
        return None;
    }
    let near = nearest(name, members.names.iter().copied());
    if members.is_open && near.is_none() {
        return None;
    }
    let error = Error::failed(format!("{} has no `{}`", members.of, safe(name)));
    Some(match near {
        Some(_) => error.did_you_mean(near),
        None => error.hint(format!("it has {}", members.names.join(", "))),
    })
}

/// A field of a client that is set, and cannot be.
fn fixed(body: &Body, set: &Expr, value: &Expr) -> Option<(At, Error)> {
    let (root, steps) = chain::chain(set)?;
    let [step] = &steps[..] else { return None };
    let (name, at) = step.member().filter(|_| body.is_client_value(root))?;
    // What it is already may be put there.
    let is_same = chain::member(value).is_some_and(|(_, (same, _))| same == name);
    let is_fixed = name == "client_id" || is_of_server(&name);
    (is_fixed && !is_same).then(|| (at, Error::failed(format!("`{}` cannot be changed", safe(&name)))))
}

fn is_of_server(name: &str) -> bool {
    fields::field(name).is_some_and(|field| field.set_by == SetBy::Server)
}

/// What is wrong with a field that is asked for, if anything.
pub fn not_for_asking(name: &str) -> Option<Error> {
    let of_server = || is_of_server(name).then(|| Error::failed(format!("only the server sets {}", safe(name))));
    no_field(name).or_else(of_server)
}

/// What is wrong with the name of a client's field, if anything.
pub fn no_field(name: &str) -> Option<Error> {
    if fields::field(name).is_some() {
        return None;
    }
    Some(Error::failed(format!("a client has no field `{}`", safe(name))).did_you_mean(fields::nearest(name)))
}

/// What a list of words has.
const OF_WORDS: [&str; 2] = ["len", "is_empty"];

/// `args.onwer` that the script does not declare, where nothing else is called so.
pub fn undeclared(body: &Body, declared: &Declared) -> Vec<(At, Error)> {
    let known: Vec<String> = declared.keys().collect();
    let mut wrong = Vec::new();
    if body.binds(ARGS) {
        return wrong;
    }
    body.walk(&mut |node| {
        let ASTNode::Expr(expression) = node else { return };
        let Some((_, (name, at))) = chain::member(expression).filter(|(of, _)| of == ARGS) else { return };
        if known.is_empty() && !OF_WORDS.contains(&name.as_str()) {
            let error =
                Error::failed(format!("the script declares no argument `{}`: `args` is a list of words", safe(&name)));
            wrong.push((at, error.hint("`args` is a map in a script that declares its arguments at its top")));
        } else if !known.is_empty() && !known.contains(&name) {
            let error = Error::failed(format!("the script declares no argument `{}`", safe(&name)));
            wrong.push((at, error.did_you_mean(nearest(&name, known.iter().map(String::as_str)))));
        }
    });
    wrong
}
