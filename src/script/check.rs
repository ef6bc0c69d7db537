//! What is wrong with a script, found without running it: functions of the API that there are not, wrong numbers of arguments,
//! fields that clients have not.

mod asked;
mod body;
mod chain;
mod fetched;
mod given;
mod known;
mod members;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, Module, ParseError, ParseErrorType, Position as At, Scope, Stmt};

use self::body::Body;
use crate::error::{Error, Result, nearest};
use crate::grammar::common;
use crate::script::api::{http, tokens};
use crate::script::clients;
use crate::script::compile::{compiled, refuse_traps};
use crate::script::engine::{self, Context};
use crate::script::errors::{self, Source};
use crate::script::library::{self, Function};
use crate::script::missing::{self, counted};
use crate::script::resolve::{self, Below};
use crate::script::unreadable;
use crate::script::variables::ARGS;
use crate::script::{apply, arguments, create_all, recipients, standard, traps};
use crate::text::safe;

/// All that is wrong, in its order; `beside`: modules that the script has beside the API's. Errors that are returned: the script
/// cannot be read.
pub fn check(context: &Context, source: Source<'_>, beside: &[&str]) -> Result<Vec<Error>> {
    let declared = arguments::declared(source.text).map_err(|error| error.about(safe(source.name)))?;
    let mut engine = engine::engine(context);
    for module in beside {
        engine.register_static_module(*module, Module::new().into());
    }
    let mut scope = Scope::new();
    scope.push_constant(ARGS, rhai::Dynamic::UNIT);
    refuse_traps(source)?;
    let Unknown { modules: unknown, variables } = unknown(&mut engine, &mut scope, source.text);
    let ast = compiled(&engine, &scope, source)?;
    let mut found: Vec<(At, Error)> = unknown.iter().map(|(name, at)| (*at, missing::no_module(name))).collect();
    found.extend(variables.into_iter().map(|error| (error.1, unreadable::wrongly_parsed(&error, source))));
    let names = names(&ast);
    let (imported, wrong_imports) = imported(&engine, &ast, source);
    found.extend(wrong_imports);
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                match root(call).and_then(|root| imported.get(root)) {
                    Some(module) => {
                        let function = (call.namespace.root(), call.name.as_str());
                        let of = |ast| missing::no_function_in(ast, function, call.args.len());
                        let wrong = module.as_ref().and_then(of);
                        found.extend(wrong.map(|error| (*at, error)));
                    }
                    None if root(call)
                        .is_some_and(|root| beside.contains(&root) || unknown.iter().any(|(name, _)| name == root)) => {
                    }
                    None => found.extend(wrong_call(&ast, call, *at)),
                }
                found.extend(no_name(&names.plain, call, *at));
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => {
                found.extend(no_name(&names.all, call, *at).filter(|_| !names.has_unknown));
                found.extend(wrong_method(&names, call).map(|error| (*at, error)));
            }
            _ => {}
        }
        true
    });
    found.extend(declared.overlooked());
    found.extend(traps::uneven(&ast));
    found.extend(fetched::wrong(&ast, |name| names.own.contains_key(name)));
    let bodies = body::all(&ast);
    for body in &bodies {
        found.extend(members::wrong(body));
        found.extend(members::undeclared(body, &declared));
        found.extend(given::wrong(body, &bodies));
        found.extend(wrong_options(context, body, &bodies));
        found.extend(asked::wrong(body, &bodies, &names.members));
    }
    traps::refused(&ast, source)?;
    found.sort_by_key(|(at, _)| (at.line(), at.position()));
    let told = found.into_iter().map(|(at, error)| match error.position() {
        // It stands in a file that is imported there.
        Some(_) => errors::imported(error, Some(source.name), at),
        None => errors::shown(error, at, source),
    });
    Ok(told.collect())
}

/// What a script names that there is not.
#[derive(Default)]
struct Unknown {
    modules: Vec<(String, At)>,
    variables: Vec<ParseError>,
}

/// Rhai reads nothing of a script that names a module or a variable that there is not: they are there from now on, with nothing in
/// them. A function sees no variable, so that behind the first one that is missing in one no more of them are looked for.
fn unknown(engine: &mut Engine, scope: &mut Scope<'_>, text: &str) -> Unknown {
    let mut found = Unknown::default();
    while let Err(error) = engine.compile_with_scope(scope, text)
        && found.modules.len() + found.variables.len() < MOST_UNKNOWN
    {
        match error.err_type() {
            ParseErrorType::ModuleUndefined(module) => {
                engine.register_static_module(module, Module::new().into());
                found.modules.push((module.clone(), error.1));
            }
            ParseErrorType::VariableUndefined(name) => {
                if scope.contains(name) {
                    engine.set_strict_variables(false);
                } else {
                    scope.push(name.clone(), ());
                    found.variables.push(error);
                }
            }
            _ => break,
        }
    }
    found
}

/// So many of them are told.
const MOST_UNKNOWN: usize = 20;

/// The module that a function is called in, if any.
fn root(call: &FnCallExpr) -> Option<&str> {
    (!call.namespace.is_empty()).then(|| call.namespace.root())
}

/// Imported files, by the names that they are given.
type Imported = HashMap<String, Option<AST>>;

/// What is imported, by the name that it is given; `None`: it is not known what is in it. And what cannot be imported.
fn imported(engine: &Engine, ast: &AST, source: Source<'_>) -> (Imported, Vec<(At, Error)>) {
    let below = Below::of(Path::new(source.name));
    let (mut modules, mut wrong) = (HashMap::new(), Vec::new());
    let mut told = HashSet::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, at))) = path.last() {
            let module = match &import.0 {
                // What a plugin exports is known where it is installed.
                Expr::StringConstant(path, _) if path.starts_with(resolve::PLUGIN) => None,
                Expr::StringConstant(path, _) => match below.ast(engine, path) {
                    Ok(ast) => Some(ast),
                    Err(error) => {
                        wrong.extend(told.insert(path.to_string()).then_some((*at, error)));
                        None
                    }
                },
                _ => None,
            };
            modules.insert(import.1.name.to_string(), module);
        }
        true
    });
    (modules, wrong)
}

/// What can be called without a module.
struct Names {
    /// The language's, the API's and the script's own.
    plain: HashSet<String>,
    /// The same, and what stands in its maps, which are called on these.
    all: HashSet<String>,
    /// What stands in its maps, which may be a closure: it takes what it takes.
    members: HashSet<String>,
    /// Whether keys of maps are worked out as it runs.
    has_unknown: bool,
    /// The script's own functions, each with the numbers of its parameters.
    own: HashMap<String, Vec<usize>>,
}

/// What an index is: what is looked up behind it in turn stands with it, `[0].a` as `0.a`.
fn key(index: &Expr) -> &Expr {
    match index {
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => &pair.lhs,
        other => other,
    }
}

fn names(ast: &AST) -> Names {
    let mut members = HashSet::new();
    let mut has_unknown = false;
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                members.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
            }
            Some(ASTNode::Expr(Expr::Property(property, _))) => {
                members.insert(property.2.to_string());
            }
            // What it is called is known when it runs.
            Some(ASTNode::Expr(Expr::Index(pair, ..)))
                if !matches!(key(&pair.rhs), Expr::StringConstant(..) | Expr::IntegerConstant(..)) =>
            {
                has_unknown = true;
            }
            // A map's key may be named by a text as well.
            Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                members.insert(text.to_string());
            }
            _ => {}
        }
        true
    });
    let mut own: HashMap<String, Vec<usize>> = HashMap::new();
    for function in ast.iter_functions() {
        own.entry(function.name.to_owned()).or_default().push(function.params.len());
    }
    let api = library::known().iter().filter(|function| function.module.is_empty()).map(Function::name);
    let standard = standard::names().map(str::to_owned);
    let plain: HashSet<String> = standard.chain(api).chain(own.keys().cloned()).collect();
    let all = plain.iter().chain(&members).cloned().collect();
    Names { plain, all, members, has_unknown, own }
}

/// A method that is called with a number of arguments that nothing of its name takes.
fn wrong_method(names: &Names, call: &FnCallExpr) -> Option<Error> {
    let (name, count) = (call.name.as_str(), call.args.len());
    if names.members.contains(name) || !names.all.contains(name) {
        return None;
    }
    // What it is called on is the first parameter, but of the script's own functions, which have it as `this`.
    if names.own.get(name).is_some_and(|takes| takes.contains(&count)) || takes(name, count + 1) {
        return None;
    }
    if let Some(takes) = names.own.get(name).filter(|_| standard::forms(name).is_empty()) {
        return Some(missing::on_something(name, takes, count));
    }
    let error = Error::failed(format!("`{}` is called on something with {}", safe(name), counted(count)));
    Some(hinted(error, name))
}

/// Whether the language or the API has a function of that name that takes so many arguments.
fn takes(name: &str, count: usize) -> bool {
    standard::forms(name).iter().any(|form| standard::takes(form, count))
        || plain_of(name).any(|function| function.types.len() == count)
}

/// What the API has of that name, without a module.
fn plain_of(name: &str) -> impl Iterator<Item = &'static Function> {
    library::known().iter().filter(move |function| function.module.is_empty() && function.short_name() == name)
}

/// With what the functions of that name take.
fn hinted(error: Error, name: &str) -> Error {
    let of_api = plain_of(name).map(|function| format!("it takes {}", function.whole_signature()));
    of_api.chain(standard::hints(name, None)).fold(error, Error::hint)
}

/// A function without a module that there is nowhere.
fn no_name(names: &HashSet<String>, call: &FnCallExpr, at: At) -> Option<(At, Error)> {
    let name = call.name.as_str();
    let is_word = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if !call.namespace.is_empty() || call.op_token.is_some() || !is_word || names.contains(name) {
        return None;
    }
    let near = nearest(name, names.iter().map(String::as_str));
    Some((at, Error::failed(format!("there is no function `{}`", safe(name))).did_you_mean(near)))
}

fn wrong_call(ast: &AST, call: &FnCallExpr, at: At) -> Vec<(At, Error)> {
    if call.namespace.is_empty() {
        let is_own = ast.iter_functions().any(|function| function.name == call.name.as_str());
        let wrong = if is_own { own_function(ast, call) } else { plain(call) };
        return wrong.map(|error| (at, error)).into_iter().collect();
    }
    // What an imported file imports for others is not looked up.
    if call.namespace.path.len() > 1 {
        return Vec::new();
    }
    let (module, name) = (call.namespace.root(), call.name.as_str());
    let of_module: Vec<&Function> = library::known().iter().filter(|function| function.module == module).collect();
    if of_module.is_empty() {
        return vec![(at, missing::no_module(module))];
    }
    let alike: Vec<&&Function> = of_module.iter().filter(|function| function.short_name() == name).collect();
    if alike.is_empty() {
        let names = of_module.iter().map(|function| function.short_name());
        let error = Error::failed(format!("there is no function `{module}::{}`", safe(name)));
        return vec![(at, error.did_you_mean(nearest(name, names)))];
    }
    if alike.iter().all(|function| function.types.len() != call.args.len()) {
        let error = Error::failed(format!("`{module}::{name}` is called with {}", counted(call.args.len())));
        return vec![(
            at,
            alike.iter().fold(error, |error, function| error.hint(format!("it takes {}", function.whole_signature()))),
        )];
    }
    Vec::new()
}

/// A function without a module that is called with a number of arguments that it never takes.
fn plain(call: &FnCallExpr) -> Option<Error> {
    let (name, count) = (call.name.as_str(), call.args.len());
    let is_known = !standard::forms(name).is_empty() || plain_of(name).next().is_some();
    if !is_known || takes(name, count) {
        return None;
    }
    let error = Error::failed(format!("`{}` is called with {}", safe(name), counted(count)));
    Some(hinted(error, name))
}

/// A function of the script that is called with another number of arguments.
fn own_function(ast: &AST, call: &FnCallExpr) -> Option<Error> {
    let alike = ast.iter_functions().filter(|function| function.name == call.name.as_str());
    let takes: Vec<usize> = alike.map(|function| function.params.len()).collect();
    missing::wrong_count(&call.name, &takes, call.args.len())
}

/// What functions take as options: their module, their name, which argument it is, whether they say whom a secret is for, and
/// the others.
type Options = (&'static str, &'static str, usize, bool, &'static [&'static str]);

const OPTIONS: [Options; 9] = [
    ("clients", "create", 1, true, &clients::OPTIONS),
    ("clients", "create_all", 1, true, &create_all::OPTIONS),
    ("clients", "apply", 1, true, &apply::OPTIONS),
    ("clients", "rotate_secret", 1, true, &[]),
    ("tokens", "client_credentials", 2, false, &tokens::OPTIONS),
    ("http", "get", 1, false, &http::OPTIONS),
    ("http", "delete", 1, false, &http::OPTIONS),
    ("http", "post", 2, false, &http::OPTIONS),
    ("http", "put", 2, false, &http::OPTIONS),
];

/// Options that functions have not, in the maps that a part of a script gives them; `all`: all parts of it.
fn wrong_options(context: &Context, body: &Body, all: &[Body]) -> Vec<(At, Error)> {
    let mut wrong = Vec::new();
    body.walk(&mut |node| {
        if let ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) = node
            && let Some((number, known)) = root(call).and_then(|module| options(context, module, &call.name))
            && let Some(given) = call.args.get(number)
        {
            let keys = given::keys(given, body, all);
            let unknown = keys.into_iter().filter(|(key, _)| !known.iter().any(|known| known == key));
            wrong.extend(unknown.map(|(key, at)| {
                let of = format!("{}::{}", call.namespace.root(), call.name);
                let error = Error::failed(format!("`{of}` has no option `{}`", safe(&key)));
                (at, error.did_you_mean(nearest(&key, known.iter().map(String::as_str))))
            }));
        }
    });
    wrong
}

/// Which argument of a function is its options, and what those are called.
fn options(context: &Context, module: &str, name: &str) -> Option<(usize, Vec<String>)> {
    match OPTIONS.iter().find(|(of, known, ..)| *of == module && *known == name) {
        Some((_, _, number, has_recipients, own)) => {
            let recipients = has_recipients.then(recipients::names).into_iter().flatten();
            Some((*number, own.iter().copied().chain(recipients).map(str::to_owned).collect()))
        }
        None if module == "batch" => Some((1, flags(context, &["batch", name]))),
        None => None,
    }
}

/// The flags of a command, as options name them.
fn flags(context: &Context, words: &[&str]) -> Vec<String> {
    let own = context.host().registry.find(words).map(|command| (command.args)()).unwrap_or_default();
    let all = own.into_iter().chain(common::output_args()).chain(common::server_args(true));
    all.filter_map(|arg| Some(arg.get_long()?.replace('-', "_"))).collect()
}
