//! Maps of fields that are given to functions of `clients::`.

use rhai::{ASTNode, Expr, FnCallExpr, Position as At, Stmt};

use super::body::{self, Body};
use super::chain;
use super::members;
use crate::error::{Error, nearest};
use crate::script::clients::FILTERS;
use crate::text::safe;

/// Where functions of `clients::` take fields: the number of the argument, and whether it is a list of maps.
const FIELDS: [(&str, usize, bool); 7] = [
    ("create", 0, false),
    ("create_all", 0, true),
    ("apply", 0, true),
    ("lint", 0, false),
    ("update", 1, false),
    ("replace", 1, false),
    ("list", 0, false),
];

/// Fields that clients have not, in the maps that a part of a script gives; `all`: all parts of it.
pub fn wrong(body: &Body, all: &[Body]) -> Vec<(At, Error)> {
    let mut wrong = Vec::new();
    body.walk(&mut |node| {
        if let ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) = node
            && super::root(call) == Some("clients")
        {
            wrong.extend(of_call(call, body, all));
        }
    });
    wrong
}

fn of_call(call: &FnCallExpr, body: &Body, all: &[Body]) -> Vec<(At, Error)> {
    let Some((name, number, is_list)) = FIELDS.iter().find(|(name, _, _)| *name == call.name.as_str()) else {
        return Vec::new();
    };
    let Some(given) = call.args.get(*number) else { return Vec::new() };
    let values = if *is_list { of_list(given, body, all) } else { of_value(given, body) };
    let told =
        values.iter().flat_map(|value| written(value, body, all)).chain(set(given, body)).filter_map(|(key, at)| {
            let error = if *name == "list" { no_filter(&key) } else { members::not_for_asking(&key) };
            Some((at, error?))
        });
    told.collect()
}

/// The keys of a map that is given: those that it is made with, and those that are set in it.
pub fn keys(given: &Expr, body: &Body, all: &[Body]) -> Vec<chain::Member> {
    let values = of_value(given, body);
    values.iter().flat_map(|value| written(value, body, all)).chain(set(given, body)).collect()
}

/// The keys that a value is made with.
fn written(value: &Expr, body: &Body, all: &[Body]) -> Vec<chain::Member> {
    let maps = made(value.clone(), body, all).into_iter().filter_map(|map| match map {
        Expr::Map(members, _) => Some(members),
        _ => None,
    });
    maps.flat_map(|members| members.0.iter().map(|(key, _)| (key.name.to_string(), key.pos)).collect::<Vec<_>>())
        .collect()
}

/// What is set in a variable that is a map and is given.
fn set(given: &Expr, body: &Body) -> Vec<chain::Member> {
    let is_map = |name: &String| matches!(body.put_into(name), Some(Expr::Map(..)));
    let sets = chain::variable(given).filter(is_map).and_then(|name| body.sets(&name));
    sets.unwrap_or_default().into_iter().cloned().collect()
}

fn no_filter(name: &str) -> Option<Error> {
    let error = || Error::failed(format!("a list has no filter `{}`", safe(name)));
    (!FILTERS.contains(&name)).then(|| error().did_you_mean(nearest(name, FILTERS)))
}

/// A value as it is written: by itself, or where it is put into a variable.
fn of_value(value: &Expr, body: &Body) -> Vec<Expr> {
    match chain::variable(value) {
        Some(name) => {
            let put = body.put_into(&name);
            // Setting more in a map leaves what is in it.
            let map = put.filter(|put| matches!(put, Expr::Map(..)) && body.sets(&name).is_some());
            map.or_else(|| body.untouched(&name)).cloned().into_iter().collect()
        }
        None => vec![value.clone()],
    }
}

/// What a value is made of: of maps that are added to each other each, of what a function gives that.
fn made(value: Expr, body: &Body, all: &[Body]) -> Vec<Expr> {
    let Expr::FnCall(call, _) = &value else { return vec![value] };
    if call.name == "+" && call.args.len() == 2 {
        return call.args.iter().flat_map(|part| of_value(part, body)).flat_map(|part| made(part, body, &[])).collect();
    }
    let is_it =
        |body: &&Body| call.namespace.is_empty() && !body.name().is_empty() && body.name() == call.name.as_str();
    let Some((of, last)) = all.iter().find(is_it).and_then(|of| Some((of, of.last()?))) else { return Vec::new() };
    made(last, of, &[])
}

/// What is in a list as it is written: by itself, where it is put into a variable, where it is put to the list's end, and what
/// a closure makes of others.
fn of_list(list: &Expr, body: &Body, all: &[Body]) -> Vec<Expr> {
    let mut entries = Vec::new();
    for list in of_value(list, body) {
        match &list {
            Expr::Array(items, _) => entries.extend(items.iter().cloned()),
            Expr::Dot(pair, ..) => {
                let mapped = body::calls(&pair.rhs)
                    .pop()
                    .filter(|(name, _)| name == "map")
                    .and_then(|(_, by)| by)
                    .map(|(name, _)| name);
                let by = mapped.and_then(|name| all.iter().find(|body| body.name() == name));
                entries.extend(by.and_then(Body::last));
            }
            _ => {}
        }
    }
    if let Some(name) = chain::variable(list).filter(|name| body.untouched(name).is_some()) {
        body.walk(&mut |node| {
            if let ASTNode::Expr(Expr::Dot(pair, ..)) = node
                && chain::variable(&pair.lhs).is_some_and(|of| of == name)
                && let Expr::MethodCall(call, _) = &pair.rhs
                && call.name == "push"
            {
                entries.extend(call.args.first().cloned());
            }
        });
    }
    entries
}
