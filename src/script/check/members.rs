//! Fields of clients that are read or set in a script, where it is plain that a client is meant; and arguments that are not
//! declared.

use rhai::{ASTNode, Expr, Position as At};

use super::body::{self, Body, variable};
use crate::error::{Error, nearest};
use crate::model::fields;
use crate::script::arguments::Declared;
use crate::script::variables::ARGS;
use crate::text::safe;

/// A module, functions of it, and the members that what they give has.
type Same = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Functions of the API that give lists, whose entries always have the same members.
const OF_ENTRIES: [Same; 2] = [
    ("clients", &["create_all"], &["row", "outcome", "client", "error"]),
    ("clients", &["apply"], &["client_id", "action", "fields", "changes", "client_secret", "error"]),
];

/// Functions of the API whose values always have the same members.
const SAME: [Same; 7] = [
    ("session", &["target"], &["place", "named_by", "subject", "profile", "is_production"]),
    ("session", &["project"], &["id", "slug", "name"]),
    ("session", &["workspace"], &["id", "name"]),
    ("time", &["now", "parse"], &["seconds"]),
    ("time", &["duration"], &["seconds", "days"]),
    ("url", &["parse"], &["scheme", "host", "port", "path", "segments", "query", "fragment"]),
    ("http", &["get", "delete", "post", "put"], &["status", "headers", "body", "json"]),
];

/// `client.feild`, `client["feild"]`, at their places. A variable is a client's only where nothing else is ever put into it.
pub fn wrong(body: &Body) -> Vec<(At, Error)> {
    let mut wrong = Vec::new();
    body.walk(&mut |node| {
        let ASTNode::Expr(expression) = node else { return };
        if let Some((list, (name, at))) = body.looked_in_entry(expression) {
            let error = if body.is_list(list, 0) { no_field(&name) } else { none_of(list, &OF_ENTRIES, &name) };
            wrong.extend(error.map(|error| (at, error)));
        } else if let Some((of, (name, at))) = body::looked(expression) {
            wrong.extend(no_member(body, of, &name).map(|error| (at, error)));
        }
    });
    wrong
}

/// What is wrong with a member's name, where it is plain what is looked in.
fn no_member(body: &Body, of: &Expr, name: &str) -> Option<Error> {
    let variable = variable(of);
    if body.is_client_value(of) || variable.as_deref().is_some_and(|of| body.is_client(of)) {
        return no_field(name);
    }
    let list = variable.as_deref().and_then(|of| body.each_of(of));
    let is_entry = list.is_some();
    let value = match &variable {
        // What is set there is there.
        Some(variable) if body.sets(variable)?.is_empty() => match list {
            Some(list) => self::variable(list).map_or(Some(list), |list| body.put_into(&list))?,
            None => body.put_into(variable)?,
        },
        Some(_) => return None,
        None => of,
    };
    none_of(value, if is_entry { &OF_ENTRIES } else { &SAME }, name)
}

/// What is wrong with a member of what a function of a table gives.
fn none_of(value: &Expr, table: &[Same], name: &str) -> Option<Error> {
    let Expr::FnCall(call, _) = value else { return None };
    let (module, function) = (super::root(call)?, call.name.as_str());
    let (.., members) = table.iter().find(|(of, names, _)| *of == module && names.contains(&function))?;
    if members.contains(&name) {
        return None;
    }
    let error = Error::failed(format!("`{module}::{function}` gives no `{}`", safe(name)));
    let near = nearest(name, members.iter().copied());
    Some(if near.is_some() { error.did_you_mean(near) } else { error.hint(format!("it gives {}", members.join(", "))) })
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
        let Some((_, (name, at))) = body::member(expression).filter(|(of, _)| of == ARGS) else { return };
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
