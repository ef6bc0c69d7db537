//! What is wrong with a script, found without running it: functions of the API that there are not, wrong numbers of arguments,
//! fields that clients have not.

use rhai::{AST, ASTNode, Expr, FnCallExpr, OptimizationLevel, Position as At, Scope, Stmt};

use crate::error::{Error, Result, nearest};
use crate::model::fields;
use crate::script::arguments;
use crate::script::clients::FILTERS;
use crate::script::engine::{self, Context};
use crate::script::errors::{self, Source};
use crate::script::library::{self, Function};
use crate::text::safe;

/// Where functions of `clients::` take fields: the number of the argument, and whether it is a list of maps.
const FIELDS: [(&str, usize, bool); 6] = [
    ("create", 0, false),
    ("create_all", 0, true),
    ("lint", 0, false),
    ("update", 1, false),
    ("replace", 1, false),
    ("list", 0, false),
];

/// All that is wrong, in its order. Errors that are returned: the script cannot be read.
pub fn check(context: &Context, source: Source<'_>) -> Result<Vec<Error>> {
    arguments::declared(source.text).map_err(|error| error.about(safe(source.name)))?;
    let mut engine = engine::engine(context);
    // As it is written: what is constant stays what it was.
    engine.set_optimization_level(OptimizationLevel::None);
    let mut scope = Scope::new();
    scope.push_constant("args", rhai::Dynamic::UNIT);
    let ast = engine.compile_with_scope(&scope, source.text).map_err(|error| errors::unreadable(&error, source))?;
    let mut found: Vec<(At, Error)> = Vec::new();
    ast.walk(&mut |path| {
        let call = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => Some((call, *at)),
            _ => None,
        };
        found.extend(call.into_iter().flat_map(|(call, at)| wrong_call(&ast, call, at)));
        true
    });
    found.sort_by_key(|(at, _)| (at.line(), at.position()));
    Ok(found.into_iter().map(|(at, error)| errors::shown(error, at, source)).collect())
}

fn wrong_call(ast: &AST, call: &FnCallExpr, at: At) -> Vec<(At, Error)> {
    if call.namespace.is_empty() {
        return own_function(ast, call).map(|error| (at, error)).into_iter().collect();
    }
    let (module, name) = (call.namespace.root(), call.name.as_str());
    let of_module: Vec<&Function> = library::known().iter().filter(|function| function.module == module).collect();
    if of_module.is_empty() {
        let modules = library::known().iter().map(|function| function.module);
        return vec![(
            at,
            Error::failed(format!("there is no module `{}`", safe(module))).did_you_mean(nearest(module, modules)),
        )];
    }
    let alike: Vec<&&Function> = of_module.iter().filter(|function| function.short_name() == name).collect();
    if alike.is_empty() {
        let names = of_module.iter().map(|function| function.short_name());
        let error = Error::failed(format!("there is no function `{module}::{}`", safe(name)));
        return vec![(at, error.did_you_mean(nearest(name, names)))];
    }
    if alike.iter().all(|function| function.parameters() != call.args.len()) {
        let error = Error::failed(format!("`{module}::{name}` is called with {} arguments", call.args.len()));
        return vec![(
            at,
            alike.iter().fold(error, |error, function| error.hint(format!("it takes {}", function.whole_signature()))),
        )];
    }
    if module == "clients" { wrong_fields(call) } else { Vec::new() }
}

/// A function of the script that is called with another number of arguments.
fn own_function(ast: &AST, call: &FnCallExpr) -> Option<Error> {
    let mut alike = ast.iter_functions().filter(|function| function.name == call.name.as_str()).peekable();
    alike.peek()?;
    let takes: Vec<usize> = alike.map(|function| function.params.len()).collect();
    if takes.contains(&call.args.len()) {
        return None;
    }
    let takes: Vec<String> = takes.iter().map(ToString::to_string).collect();
    Some(Error::failed(format!(
        "`{}` takes {} arguments, and is called with {}",
        call.name,
        takes.join(" or "),
        call.args.len()
    )))
}

fn wrong_fields(call: &FnCallExpr) -> Vec<(At, Error)> {
    let Some((name, number, is_list)) = FIELDS.iter().find(|(name, _, _)| *name == call.name.as_str()) else {
        return Vec::new();
    };
    let maps: Vec<&Expr> = match call.args.get(*number) {
        Some(Expr::Array(items, _)) if *is_list => items.iter().collect(),
        Some(map) => vec![map],
        None => Vec::new(),
    };
    let mut wrong = Vec::new();
    for map in maps {
        let Expr::Map(members, _) = map else { continue };
        for (key, _) in &members.0 {
            let key_name = key.name.as_str();
            let error = if *name == "list" {
                (!FILTERS.contains(&key_name)).then(|| {
                    Error::failed(format!("a list has no filter `{}`", safe(key_name)))
                        .did_you_mean(nearest(key_name, FILTERS))
                })
            } else {
                fields::field(key_name).is_none().then(|| {
                    Error::failed(format!("a client has no field `{}`", safe(key_name)))
                        .did_you_mean(fields::nearest(key_name))
                })
            };
            wrong.extend(error.map(|error| (key.pos, error)));
        }
    }
    wrong
}
