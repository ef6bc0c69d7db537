//! Running the tests of a script: each `fn test_…` with `assert`, in an engine of its own.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rhai::{AST, ASTFlags, Dynamic, Engine, Map, Scope, Stmt};

use crate::error::{Error, Kind, Result};
use crate::script::compile::begin_of;
use crate::script::ending;
use crate::script::engine::{Context, engine};
use crate::script::errors::{self, Source};
use crate::script::held::Held;
use crate::script::missing;
use crate::script::resolve::Below;
use crate::script::variables::{self, ARGS};
use crate::script::{arguments, compile};
use crate::session::handle::locked;

/// Gives an engine what the tests need beside the API.
pub type Prepare<'a> = &'a dyn Fn(&mut Engine) -> Result<()>;

/// The names of the tests in a script. Errors: it cannot be read.
pub fn names(context: &Context, source: Source<'_>, prepare: Prepare<'_>) -> Result<Vec<String>> {
    let mut engine = engine(context);
    prepare(&mut engine)?;
    let ast = compiled(&mut engine, source)?;
    let is_test = |name: &&str| name.starts_with("test_");
    let mut names: Vec<String> =
        ast.iter_functions().map(|function| function.name).filter(is_test).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Runs one test, where `context` acts. Of the script its imports and constants are there. Gives what it printed.
pub fn run(context: &Context, source: Source<'_>, name: &str, prepare: Prepare<'_>) -> (Result<()>, Vec<String>) {
    let printed: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut engine = engine(context);
    let lines = Arc::clone(&printed);
    engine.on_print(move |text| locked(&lines).push(text.to_owned()));
    engine.set_module_resolver(Below::of(Path::new(source.name)).with_plugins(context));
    // One whose declarations are wrong is told so as it is run.
    let defaults = arguments::declared(source.text).map(|declared| declared.defaults()).unwrap_or_default();
    variables::give(&mut engine, &defaults.into());
    let result = prepare(&mut engine).and_then(|()| compiled(&mut engine, source)).and_then(|ast| {
        if ast.iter_functions().any(|function| function.name == name && !function.params.is_empty()) {
            return Err(Error::usage("a test takes no arguments").about(source.name));
        }
        let called = ending::to_its_end(|| engine.call_fn::<Dynamic>(&mut Scope::new(), &standing(&ast), name, ()));
        let imports = |path: &str| Below::of(Path::new(source.name)).ast(&engine, path).ok();
        let called = called.map_err(|error| missing::at_home(*error, &ast, &imports).into());
        let settled = errors::settled(called, source).map(drop);
        // Of a loop in which there is nothing Rhai tells no place.
        let settled = settled.map_err(|error| match error.position() {
            Some(_) => error,
            None => errors::at_place(error, begin_of(source.text, name), source),
        });
        match context.left() {
            // What should have been looked at behind it was not.
            Some(left) => {
                let ended = format!("it ended with exit({})", left.code);
                Err(settled
                    .err()
                    .unwrap_or_else(Error::interrupted)
                    .of_kind(Kind::Failed)
                    .saying(ended)
                    .about(source.name))
            }
            None => settled,
        }
    });
    // They are of a server that is no more.
    let let_go = context.take_held().into_iter().try_for_each(Held::close);
    let lines = std::mem::take(&mut *locked(&printed));
    (result.and(let_go), lines)
}

/// What a script's functions find of it: what it imports, and its constants.
fn standing(ast: &AST) -> AST {
    let stands = |statement: &&Stmt| match statement {
        Stmt::Import(..) => true,
        Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
        _ => false,
    };
    AST::new(ast.statements().iter().filter(stands).cloned(), ast.shared_lib().clone())
}

fn compiled(engine: &mut Engine, source: Source<'_>) -> Result<AST> {
    let mut scope = Scope::new();
    scope.push_constant(ARGS, Map::new());
    compile::compiled(engine, &scope, source)
}
