//! What is called, asked for or imported and is not there: what is wrong with it, and what was meant.

use std::collections::{HashMap, HashSet};

use rhai::{AST, ASTNode, EvalAltResult, Expr, FnAccess, FnPtr, Stmt};

use crate::config::read;
use crate::error::{self, Error};
use crate::script::errors::{CLOSURE, as_map};
use crate::script::library::{self, Function};
use crate::script::standard;
use crate::text::safe;

/// The same, where a function of the script that an imported one has called is the script's own.
pub fn at_home(error: EvalAltResult, script: &AST, imports: &dyn Fn(&str) -> Option<AST>) -> EvalAltResult {
    let is_own = |name: &str, of: &str| {
        let is_theirs = || read::text(of).is_ok_and(|text| text.contains(&format!("fn {name}")));
        script.iter_functions().any(|own| own.name == name) && (name.starts_with(CLOSURE) || !is_theirs())
    };
    match error {
        EvalAltResult::ErrorInFunctionCall(name, of, inner, at) => {
            let of = if of.is_empty() || is_own(&name, &of) { String::new() } else { of };
            EvalAltResult::ErrorInFunctionCall(name, of, at_home(*inner, script, imports).into(), at)
        }
        EvalAltResult::ErrorInModule(path, inner, at) => {
            EvalAltResult::ErrorInModule(path, at_home(*inner, script, imports).into(), at)
        }
        EvalAltResult::ErrorFunctionNotFound(signature, at) => match no_function_of(script, imports, &signature, at) {
            Some(error) => EvalAltResult::ErrorRuntime(as_map(&error).into(), at),
            None => EvalAltResult::ErrorFunctionNotFound(signature, at),
        },
        // Rhai tells of the outermost call alone.
        EvalAltResult::ErrorStackOverflow(at) => match round(script) {
            Some((name, inner)) => {
                let error =
                    Error::failed("Stack overflow: the function calls itself, and never ends").with_code("depth");
                let inner = EvalAltResult::ErrorRuntime(as_map(&error).into(), inner);
                EvalAltResult::ErrorInFunctionCall(name, String::new(), inner.into(), at)
            }
            None => EvalAltResult::ErrorStackOverflow(at),
        },
        other => other,
    }
}

/// A function of a script that calls itself, by itself or by others, and where it does.
fn round(script: &AST) -> Option<(String, rhai::Position)> {
    let mut calls: HashMap<String, Vec<(String, rhai::Position)>> = HashMap::new();
    for function in script.iter_functions() {
        let (name, count) = (function.name, function.params.len());
        let mut alone = script.clone();
        alone.clear_statements().retain_functions(|_, _, other, its| other == name && its == count);
        let calls = calls.entry(name.to_owned()).or_default();
        alone.walk(&mut |path| {
            if let Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) = path.last() {
                calls.push((call.name.to_string(), *at));
            }
            true
        });
    }
    let leads_to = |from: &str, to: &str| {
        let (mut seen, mut left) = (HashSet::new(), vec![from.to_owned()]);
        while let Some(name) = left.pop() {
            if name == to {
                return true;
            }
            if seen.insert(name.clone()) {
                left.extend(calls.get(&name).into_iter().flatten().map(|(called, _)| called.clone()));
            }
        }
        false
    };
    let mut all: Vec<(&String, &(String, rhai::Position))> =
        calls.iter().flat_map(|(name, calls)| calls.iter().map(move |call| (name, call))).collect();
    all.sort_by_key(|(_, (_, at))| (at.line(), at.position()));
    let found = all.into_iter().find(|(name, (called, _))| leads_to(called, name));
    found.map(|(name, (_, at))| (name.clone(), *at))
}

/// What is wrong with a call, where a function or a closure of the script is meant.
fn no_function_of(
    script: &AST,
    imports: &dyn Fn(&str) -> Option<AST>,
    signature: &str,
    at: rhai::Position,
) -> Option<Error> {
    let (called, given) = counted_in(signature)?;
    if let Some((module, name)) = called.split_once("::") {
        return no_function_in(&imports(&imported_as(script, module)?)?, (module, name), given);
    }
    let takes: Vec<usize> =
        script.iter_functions().filter(|own| own.name == called).map(|own| own.params.len()).collect();
    let method = method_at(script, at);
    if let (true, [takes]) = (called.starts_with(CLOSURE), &takes[..]) {
        // One that is in a map has that as `this`, and what it has from around it comes before its own.
        let is_in_map = method.is_some_and(|name| standard::forms(&name).is_empty());
        let held = held_by(script, called);
        let (takes, given) = (takes.saturating_sub(held), given.saturating_sub(held + usize::from(is_in_map)));
        return Some(Error::failed(format!("a closure takes {}, and is called with {given}", counted(takes))));
    }
    if !takes.is_empty() {
        if method.is_some_and(|name| name == called) {
            return Some(on_something(called, &takes, given.saturating_sub(1)));
        }
        return wrong_count(called, &takes, given);
    }
    let mut is_variable = false;
    script.walk(&mut |path| {
        is_variable |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::Var(var, ..))) if var.0.name == called);
        true
    });
    if is_variable {
        let error = Error::failed(format!("there is no function {}", named(signature)));
        return Some(error.hint(format!("`{called}.call(…)` calls what is in the variable")));
    }
    let own = script.iter_functions().map(|own| own.name).filter(|name| !name.starts_with(CLOSURE));
    let near = error::nearest(called, own)?;
    Some(Error::failed(format!("there is no function {}", named(signature))).did_you_mean(Some(near)))
}

/// What a signature is of, and how many arguments it has.
fn counted_in(signature: &str) -> Option<(&str, usize)> {
    let (called, arguments) = signature.split_once(" (")?;
    let given = arguments.trim_end_matches(')').split(',').filter(|argument| !argument.trim().is_empty()).count();
    Some((called, given))
}

/// The name of the method that is called at a place.
fn method_at(script: &AST, place: rhai::Position) -> Option<String> {
    let mut found = None;
    script.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::MethodCall(call, at))) = path.last()
            && *at == place
        {
            found = Some(call.name.to_string());
        }
        found.is_none()
    });
    found
}

/// How many variables a closure has from around it.
fn held_by(script: &AST, closure: &str) -> usize {
    let mut held = 0;
    script.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, _))) = path.last()
            && call.name == "curry"
            && let Some(Expr::DynamicConstant(value, _)) = call.args.first()
            && value.read_lock::<FnPtr>().is_some_and(|function| function.fn_name() == closure)
        {
            held = call.args.len() - 1;
        }
        held == 0
    });
    held
}

/// What is wrong with a call of a function that is there, and takes so many arguments; `None`: there is none of that name.
pub fn wrongly_called(signature: &str, takes: &dyn Fn(&str) -> Vec<usize>) -> Option<Error> {
    let (called, given) = counted_in(signature)?;
    let takes = takes(called);
    if takes.is_empty() {
        return None;
    }
    if called.starts_with(CLOSURE) {
        return Some(Error::failed("a closure is called with another number of arguments than it takes"));
    }
    Some(wrong_count(called, &takes, given).unwrap_or_else(|| on_something(called, &takes, given.saturating_sub(1))))
}

/// A function of the script that is called as a method, with another number of arguments than it takes.
pub fn on_something(name: &str, takes: &[usize], given: usize) -> Error {
    let told = format!("`{}` takes {}, and is called on something with {given}", safe(name), all_counted(takes));
    Error::failed(told).hint("what a function is called on is `this` in it, and none of its arguments")
}

/// The path of the file that a script imports under a name.
fn imported_as(script: &AST, module: &str) -> Option<String> {
    let mut found = None;
    script.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(path, _) = &import.0
            && import.1.name == module
        {
            found = Some(path.to_string());
        }
        found.is_none()
    });
    found
}

/// What is wrong with a call of what an imported file has not, or of a function of it with another number of arguments; `None`:
/// nothing.
pub fn no_function_in(imported: &AST, (module, name): (&str, &str), given: usize) -> Option<Error> {
    let public = || imported.iter_functions().filter(|function| function.access == FnAccess::Public);
    let takes: Vec<usize> = public().filter(|of| of.name == name).map(|of| of.params.len()).collect();
    if !takes.is_empty() {
        return wrong_count(&format!("{module}::{name}"), &takes, given);
    }
    if imported.iter_functions().any(|function| function.name == name) {
        return Some(Error::failed(format!("`{}::{}` is private there", safe(module), safe(name))));
    }
    let near = error::nearest(name, public().map(|function| function.name));
    Some(Error::failed(format!("there is no function `{}::{}`", safe(module), safe(name))).did_you_mean(near))
}

/// A function that is called with another number of arguments than it takes; `None`: it takes so many.
pub fn wrong_count(name: &str, takes: &[usize], given: usize) -> Option<Error> {
    if takes.is_empty() || takes.contains(&given) {
        return None;
    }
    Some(Error::failed(format!("`{}` takes {}, and is called with {given}", safe(name), all_counted(takes))))
}

/// So many arguments, or so many, as a person says it.
fn all_counted(takes: &[usize]) -> String {
    match takes {
        [one] => counted(*one),
        several => format!("{} arguments", several.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")),
    }
}

/// So many arguments, as a person says it.
pub fn counted(count: usize) -> String {
    if count == 1 { "1 argument".into() } else { format!("{count} arguments") }
}

/// What Rhai says between a member and the type that has it not.
pub const NO_MEMBER: &str = " - a getter is not registered for type ";

/// What is wrong with a member of a map.
pub fn no_property(name: &str) -> Error {
    Error::failed(format!("the map has no `{}`", safe(name)))
        .hint(format!("`map.get(\"{0}\")` is () where it has not, `\"{0}\" in map` asks", safe(name)))
}

/// What is wrong with a member of a value that has none, as Rhai says it: `'name' - a getter is not registered for type 'kind'`.
pub fn no_member(said: &str) -> Option<Error> {
    let (name, kind) = said.split_once(NO_MEMBER)?;
    let (name, kind) = (name.rsplit_once('\'').map_or(name, |(name, _)| name), kind.trim_matches('\''));
    let name = name.rsplit('\'').next().unwrap_or(name);
    Some(Error::failed(format!("there is no `{}` in a value of the type {}", safe(name), named(kind))))
}

/// Types as Rhai and Rust tell them, and as signatures do.
const TYPES: [(&str, &str); 7] = [
    ("&str | ImmutableString | String", "string"),
    ("i64", "int"),
    ("f64", "float"),
    ("FnPtr", "Fn"),
    ("Span", "Duration"),
    ("Steps", "Progress"),
    ("Query", "clients"),
];

/// A signature or a type, with types as a person says them.
pub fn named(signature: &str) -> String {
    // Of a path of Rust its last part is the type.
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut text = String::new();
    for part in signature.split_inclusive(|c: char| !is_path(c)) {
        text.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    TYPES.iter().fold(text, |text, (theirs, ours)| text.replace(theirs, ours))
}

/// What is wrong with a call of what is not there, or not for these arguments.
pub fn no_function(signature: &str) -> Error {
    let called = signature.split(" (").next().unwrap_or(signature);
    if called.starts_with(CLOSURE) {
        return Error::failed("a closure of an imported file is called outside of it")
            .hint("let that file call it, or give a function of it by its name");
    }
    // Rhai's words for a list that it cannot sort.
    if signature.starts_with("elements of ") {
        return Error::failed(named(signature)).hint("give `sort` a closure that says which comes first");
    }
    let signature = &named(signature);
    if !called.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        let given = signature.split_once(" (").map_or("", |(_, given)| given.strip_suffix(')').unwrap_or(given));
        return Error::failed(format!("`{called}` cannot be used with {}", given.replace(", ", " and ")));
    }
    let mut alike = library::known().iter().filter(|function| function.name() == called).peekable();
    if alike.peek().is_some() {
        let error = Error::failed(format!("`{called}` does not take these arguments: {signature}"));
        return alike.fold(error, |error, function| error.hint(format!("it takes {}", function.whole_signature())));
    }
    let on = signature.split_once(" (").and_then(|(_, given)| given.split([',', ')']).next()).map(str::trim);
    let forms = standard::hints(called, on);
    if !forms.is_empty() {
        let error = Error::failed(format!("`{called}` does not take these arguments: {signature}"));
        return forms.into_iter().fold(error, Error::hint);
    }
    let standard = standard::names().map(str::to_owned);
    let names: Vec<String> = library::known().iter().map(Function::name).chain(standard).collect();
    Error::failed(format!("there is no function {signature}"))
        .did_you_mean(error::nearest(called, names.iter().map(String::as_str)))
}

/// A module that there is not.
pub fn no_module(name: &str) -> Error {
    let modules = library::known().iter().map(|function| function.module);
    Error::usage(format!("there is no module `{}`", safe(name))).did_you_mean(error::nearest(name, modules))
}
