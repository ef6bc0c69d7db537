//! `import "lib/names" as names`: files of the script's own folder, by relative paths, and none outside of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rhai::{AST, ASTNode, Engine, EvalAltResult, Expr, Module, ModuleResolver, Position, Scope, Shared, Stmt};

use crate::config::read;
use crate::error::{Error, Result};
use crate::script::compile::compiled;
use crate::script::ending;
use crate::script::engine::Context;
use crate::script::errors::{self, Source, Spot, thrown, thrown_at};
use crate::script::run::for_rhai;
use crate::session::handle::locked;
use crate::text::safe;

/// What scripts are called that can be imported.
const EXTENSION: &str = "rhai";

/// Finds modules below a folder.
pub struct Below {
    root: PathBuf,
    /// What the script itself is called, of which Rhai keeps no name; `None`: it is a line.
    script: Option<String>,
    /// Those that are there; `None`: one that is being read.
    known: Arc<Mutex<HashMap<PathBuf, Option<Shared<Module>>>>>,
    /// Whose session calls into plugins act in.
    caller: Option<Context>,
}

/// What gives the functions of a plugin, as stubs that call it: set by whoever knows the plugins.
pub static PLUGINS: Mutex<Option<Plugins>> = Mutex::new(None);

/// The functions of the plugin of that name, for a caller.
pub type Plugins = Arc<dyn Fn(&Context, &str) -> Result<Module> + Send + Sync>;

/// How an import names a plugin.
pub const PLUGIN: &str = "plugin:";

/// The functions of a plugin. Errors: there is none of that name, or nobody to call it for.
pub fn plugin(caller: Option<&Context>, path: &str) -> Option<Result<Shared<Module>>> {
    let name = path.strip_prefix(PLUGIN)?;
    let none = || Error::usage(format!("there is no plugin `{}`", safe(name)));
    let plugins = locked(&PLUGINS).clone();
    Some(caller.zip(plugins).ok_or_else(none).and_then(|(caller, plugins)| plugins(caller, name)).map(Into::into))
}

impl Below {
    /// Below the folder that a script is in.
    pub fn of(script: &Path) -> Self {
        let name = script.display().to_string();
        // A script that is started by a link has its files where it is itself.
        let script = &std::fs::canonicalize(script).unwrap_or_else(|_| script.to_owned());
        let folder = script.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Below {
            root: std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
            script: Some(name),
            known: Arc::default(),
            caller: None,
        }
    }

    /// Below the working folder.
    pub fn here() -> Self {
        let root = std::fs::canonicalize(".").unwrap_or_default();
        Below { root, script: None, known: Arc::default(), caller: None }
    }

    /// The same, where plugins can be imported, too.
    #[must_use]
    pub fn with_plugins(&self, caller: &Context) -> Self {
        Below {
            root: self.root.clone(),
            script: self.script.clone(),
            known: Arc::clone(&self.known),
            caller: Some(caller.clone()),
        }
    }

    /// The file that a path names, seen from the script that imports it. Errors are of usage: it leads out of the folder.
    fn find(&self, from: Option<&str>, path: &str) -> Result<PathBuf> {
        let outside = || {
            Error::usage(format!("`{}` is outside of the script's folder", safe(path)))
                .hint("import what is beside the script or below it, by a relative path")
        };
        if Path::new(path).is_absolute() {
            return Err(outside());
        }
        let from = from.map(Path::new).and_then(Path::parent).filter(|folder| folder.is_absolute());
        let mut file = from.unwrap_or(&self.root).join(path);
        if file.extension().is_none_or(|extension| extension != EXTENSION) {
            file.as_mut_os_string().push(format!(".{EXTENSION}"));
        }
        let real = std::fs::canonicalize(&file)
            .map_err(|source| Error::usage(format!("cannot import `{}`", safe(path))).caused_by(source))?;
        // A pipe would be waited for.
        if !real.is_file() {
            return Err(Error::usage(format!("cannot import `{}`: it is no file", safe(path))));
        }
        // Where a link leads counts, not where it stands.
        if real.starts_with(&self.root) { Ok(real) } else { Err(outside()) }
    }

    /// What stands in a file that is imported; nothing of it is run. Errors: it cannot be imported, or what it imports.
    pub fn ast(&self, engine: &Engine, path: &str) -> Result<AST> {
        self.ast_within(engine, None, path, &mut Vec::new())
    }

    fn ast_within(&self, engine: &Engine, from: Option<&str>, path: &str, within: &mut Vec<PathBuf>) -> Result<AST> {
        let file = self.find(from, path)?;
        if within.contains(&file) {
            return Err(round(path));
        }
        let shown = file.display().to_string();
        let text = for_rhai(read::text(&shown)?);
        let name = errors::name_of(&shown);
        let source = Source { name: &name, text: &text };
        let ast = compiled(engine, &Scope::new(), source)?;
        within.push(file);
        let mut wrong = None;
        ast.walk(&mut |nodes| {
            if let Some(ASTNode::Stmt(Stmt::Import(import, at))) = nodes.last()
                && let Expr::StringConstant(path, _) = &import.0
                && !path.starts_with(PLUGIN)
            {
                wrong = self.ast_within(engine, Some(&shown), path, within).err().map(|error| match error.position() {
                    Some(_) => error,
                    None => errors::shown(error, *at, source),
                });
            }
            wrong.is_none()
        });
        within.pop();
        wrong.map_or(Ok(ast), Err)
    }

    fn module(
        engine: &Engine,
        file: &Path,
        by: Option<&str>,
        at: Position,
    ) -> std::result::Result<Shared<Module>, Box<EvalAltResult>> {
        let shown = file.display().to_string();
        let name = errors::name_of(&shown);
        let text = for_rhai(read::text(&shown).map_err(thrown)?);
        let source = Source { name: &name, text: &text };
        let ast = compiled(engine, &Scope::new(), source);
        let mut ast = ast.map_err(|error| errors::in_import(error, by, at))?;
        ast.set_source(shown.as_str());
        Module::eval_ast_as_new(Scope::new(), &ast, engine).map(Into::into).map_err(|error| match *error {
            terminated if ending::due(&terminated).is_some() => terminated.into(),
            other => errors::in_import(errors::uncaught(other, source), by, at),
        })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, Option<Shared<Module>>>> {
        locked(&self.known)
    }
}

fn round(path: &str) -> Error {
    Error::usage(format!("`{}` imports itself, by itself or by others", safe(path)))
}

impl ModuleResolver for Below {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        at: Position,
    ) -> std::result::Result<Shared<Module>, Box<EvalAltResult>> {
        let spot = Spot { at, file: source.filter(|source| !source.is_empty()).map(str::to_owned), called: None };
        if let Some(module) = plugin(self.caller.as_ref(), path) {
            return module.map_err(|error| thrown_at(error, &spot));
        }
        let file = self.find(source, path).map_err(|error| thrown_at(error, &spot))?;
        match self.known().get(&file).cloned() {
            Some(Some(module)) => return Ok(module),
            Some(None) => {
                return Err(thrown_at(round(path), &spot));
            }
            None => {}
        }
        self.known().insert(file.clone(), None);
        let by = spot.file.as_deref().or(self.script.as_deref());
        let module = Below::module(engine, &file, by, at);
        match &module {
            Ok(module) => self.known().insert(file, Some(module.clone())),
            Err(_) => self.known().remove(&file),
        };
        module.map_err(|mut error| {
            error.set_position(at);
            error
        })
    }
}
