//! Methods that rows have not which are fetched one at a time: `clients::list().len()`.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position as At};

use crate::error::{Error, nearest};
use crate::text::safe;

/// What gives such rows.
const GIVING: [(&str, &str); 3] = [("clients", "list"), ("csv", "read"), ("json", "lines")];

/// What they have.
const METHODS: [&str; 11] =
    ["filter", "map", "to_array", "to_debug", "to_string", "type_of", "is_shared", "tag", "set_tag", "print", "debug"];

/// All of them in a script; `own`: its own functions, which can be called on anything.
pub fn wrong(ast: &AST, own: impl Fn(&str) -> bool) -> Vec<(At, Error)> {
    let mut wrong = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::Dot(pair, ..))) = path.last()
            && let Expr::FnCall(giving, _) = &pair.lhs
            && gives(giving)
            && let Some((name, at)) = method(&pair.rhs)
            && !METHODS.contains(&name)
            && !own(name)
        {
            let of = format!("{}::{}", giving.namespace.root(), giving.name);
            let error = Error::failed(format!("the rows of `{of}` have no function `{}`", safe(name)));
            let near = nearest(name, METHODS);
            let hint = format!("{of}(…).to_array().{name}: all of them as an array");
            wrong.push((at, error.did_you_mean(near).hint(hint)));
        }
        true
    });
    wrong
}

fn gives(call: &FnCallExpr) -> bool {
    let is = |(module, name): &(&str, &str)| call.namespace.root() == *module && call.name == *name;
    !call.namespace.is_empty() && GIVING.iter().any(is)
}

/// The first call behind a dot.
fn method(chain: &Expr) -> Option<(&str, At)> {
    match chain {
        Expr::MethodCall(call, at) => Some((call.name.as_str(), *at)),
        Expr::Dot(pair, ..) => method(&pair.lhs),
        _ => None,
    }
}
