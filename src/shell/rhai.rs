//! Rhai at the prompt: one engine and scope for the whole session, functions that stay, `it`.

use std::collections::BTreeMap;

use rhai::{AST, Array, Dynamic, Engine, Expr, Map, ModuleResolver as _, ParseErrorType, Position, Scope, Stmt};
use serde_json::Value;

use crate::commands::client::{COLUMNS, with_members_of_clients};
use crate::error::{Error, Result};
use crate::grammar::Host;
use crate::memory;
use crate::model::client::Client;
use crate::model::fields;
use crate::output::outcome::{Body, Outcome};
use crate::script::compile::{compiled, trap};
use crate::script::engine::{Context, engine};
use crate::script::errors::{self, EXIT, Source, settled};
use crate::script::lexer::Kind;
use crate::script::resolve::Below;
use crate::script::{ending, library, run, value};
use crate::secret::Secret;
use crate::shell::complete::Known;

/// What errors call the prompt.
const NAME: &str = "shell";

/// The variable that holds the last value.
const IT: &str = "it";

/// Engine, variables and functions of a session.
pub struct Prompt {
    context: Context,
    engine: Engine,
    scope: Scope<'static>,
    functions: AST,
    /// What was imported, by the names that it has from then on.
    imports: BTreeMap<String, String>,
    files: Below,
}

impl Prompt {
    /// A fresh one; `it` is `()`.
    pub fn new(host: &Host) -> Self {
        let context = Context::new(host.clone());
        let files = Below::here();
        let engine = importing(&context, &files, &BTreeMap::new());
        let mut scope = Scope::new();
        scope.push(IT, Dynamic::UNIT);
        Prompt { context, engine, scope, functions: AST::empty(), imports: BTreeMap::new(), files }
    }

    /// Runs a line. Its value becomes `it`, unless it has none.
    ///
    /// A line that fails leaves no variables of its own behind.
    pub fn evaluate(&mut self, line: &str) -> Result<Outcome> {
        self.follow();
        self.context.begin_line();
        let before = self.scope.len();
        let result = self.evaluate_in_scope(line);
        match result {
            Ok(value) => {
                let outcome = settled(run::outcome(&value, COLUMNS), Source { name: NAME, text: "" });
                let outcome = outcome.map_err(|error| self.context.break_off(error))?;
                self.context.settle_files();
                let shown = self.context.take_shown(&value);
                let end = self.context.end();
                if !value.is_unit() {
                    self.scope.set_value(IT, value);
                }
                Ok(with_members_of_clients(run::release(outcome, shown, end)))
            }
            Err(error) => {
                self.scope.rewind(before);
                Err(self.context.break_off(error))
            }
        }
    }

    /// From now on there are other commands, and other hooks hear of what is done.
    pub fn turn_to(&mut self, host: &Host) {
        self.context = self.context.with(host.clone());
    }

    /// A line acts where the session does by now: what was bound before may have been told to use another target.
    fn follow(&mut self) {
        let before = &self.context.session();
        let now = before.unpinned().for_command(before.ui(), before.base_settings()).pinned();
        self.context = self.context.at(now);
        self.engine = importing(&self.context, &self.files, &self.imports);
    }

    /// What Tab can offer of it.
    pub fn known(&self) -> Known {
        let functions = self.functions.iter_functions().map(|function| function.name.to_owned());
        let functions = functions.filter(|name| !name.starts_with("anon$"));
        let mut known = Known { functions: functions.collect(), ..Known::default() };
        for (name, _, value) in self.scope.iter_raw() {
            known.variables.push(name.to_owned());
            if let Some(map) = value.read_lock::<Map>() {
                known.members.push((name.to_owned(), map.keys().map(ToString::to_string).collect()));
                let inner = map.iter().filter_map(|(key, value)| Some((key, value.read_lock::<Map>()?)));
                let inner =
                    inner.map(|(key, map)| (format!("{name}.{key}"), map.keys().map(ToString::to_string).collect()));
                known.members.extend(inner);
            } else if let Some(client) = value.read_lock::<Client>() {
                let fields = fields::FIELDS.iter().map(|field| field.json.to_owned());
                known.members.push((name.to_owned(), fields.collect()));
                let objects =
                    fields::FIELDS.iter().filter_map(|field| Some((field, client.get(field.json)?.as_object()?)));
                let inner =
                    objects.map(|(field, object)| (format!("{name}.{}", field.json), object.keys().cloned().collect()));
                known.members.extend(inner);
            }
        }
        known
    }

    /// Runs a file that defines functions and variables; its value is nobody's. Where it ends with an error, or by `exit`, what it has
    /// defined until then is there.
    pub fn begin(&mut self, text: &str, name: &str) -> Result<()> {
        let source = Source { name, text };
        let ast = compiled(&self.engine, &self.scope, source)?;
        let done = self.evaluate_as(source);
        if done.is_err() {
            self.functions = self.functions.merge(&ast);
            self.functions.clear_statements();
        }
        match done {
            Err(error) if error.code() != Some(EXIT) => Err(error),
            _ => Ok(()),
        }
    }

    fn evaluate_in_scope(&mut self, line: &str) -> Result<Dynamic> {
        self.evaluate_as(Source { name: NAME, text: line })
    }

    fn evaluate_as(&mut self, source: Source<'_>) -> Result<Dynamic> {
        memory::bound(memory::allocated().saturating_add(self.context.most_memory()));
        let ast = compiled(&self.engine, &self.scope, source)?;
        let imported = imports(&ast);
        if !imported.is_empty() {
            // Whoever imports again has what the file is by now.
            self.files = Below::here();
            self.engine = importing(&self.context, &self.files, &self.imports);
        }
        let merged = self.functions.merge(&ast);
        // A place may be in a function of an earlier line.
        let text = if self.functions.iter_functions().next().is_none() { source.text } else { "" };
        let source = Source { text, ..source };
        let ended = ending::to_its_end(|| self.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &merged));
        if let Some(left) = self.context.left() {
            return Err(errors::exit(left.code));
        }
        let value = settled(ended, source)?;
        self.functions = merged;
        self.functions.clear_statements();
        if !imported.is_empty() {
            self.imports.extend(imported);
            self.engine = importing(&self.context, &self.files, &self.imports);
        }
        Ok(value)
    }

    /// What `${…}` in a command stands for: of a list a word for each entry. `it` stays. Errors: what is no word.
    pub fn words(&mut self, code: &str) -> Result<Vec<String>> {
        self.follow();
        let before = self.scope.len();
        let value = self.evaluate_in_scope(code);
        self.scope.rewind(before);
        let about = |error: Error| error.about(format!("${{{code}}}"));
        let value = value.map_err(about)?;
        let rows = match value.read_lock::<Array>() {
            Some(items) => items.to_vec(),
            None => vec![value.clone()],
        };
        rows.iter().map(|value| word(value).map_err(about)).collect()
    }

    /// The value of an expression as text, a secret in clear; of nothing that of `it`. `it` stays. Errors: there is none.
    pub fn text(&mut self, code: &str) -> Result<String> {
        self.follow();
        let before = self.scope.len();
        let value = self.evaluate_in_scope(if code.is_empty() { IT } else { code });
        self.scope.rewind(before);
        let value = value?;
        if value.is_unit() {
            return Err(Error::usage("there is no value").hint("a command that shows something makes that `it`"));
        }
        match value::to_json(&value, true).map_err(|error| errors::message(&error))? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    /// Makes what a command showed the last value: one thing is itself, the rows of a list are an array, be it an empty one.
    pub fn remember(&mut self, shown: &[Body], is_list: bool) {
        let it = match shown {
            [] if !is_list => return,
            [one] if !is_list => value::from_body(one),
            several => several.iter().map(value::from_body).collect::<Array>().into(),
        };
        self.scope.set_value(IT, it);
    }

    /// Whether a text begins with a name that is known here, or with one of the API: it is Rhai rather than `sh`'s.
    pub fn knows(&self, code: &str) -> bool {
        let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
        let (name, rest) = code.split_at(end);
        let is_function = || rest.starts_with('(') && self.functions.iter_functions().any(|own| own.name == name);
        self.scope.contains(name) || rest.starts_with("::") || is_function()
    }
}

/// An engine that finds what is imported, and has what was before.
fn importing(context: &Context, files: &Below, imports: &BTreeMap<String, String>) -> Engine {
    let mut engine = engine(context);
    let files = files.with_plugins(context);
    let modules: Vec<_> = imports
        .iter()
        // What is gone by now a line misses that wants it.
        .filter_map(|(name, path)| Some((name, files.resolve(&engine, None, path, Position::NONE).ok()?)))
        .collect();
    for (name, module) in modules {
        engine.register_static_module(name, module);
    }
    engine.set_module_resolver(files);
    engine
}

/// What a line imports for those that come after it: what hides nothing that is there by itself.
fn imports(ast: &AST) -> Vec<(String, String)> {
    let of = |statement: &Stmt| match statement {
        Stmt::Import(import, _) => match &import.0 {
            Expr::StringConstant(path, _) => Some((import.1.name.to_string(), path.to_string())),
            _ => None,
        },
        _ => None,
    };
    ast.statements().iter().filter_map(of).filter(|(name, _)| !name.is_empty() && !library::has_module(name)).collect()
}

impl Drop for Prompt {
    /// However the session ends, it says where the secrets are that it made and nobody has seen.
    fn drop(&mut self) {
        self.context.tell_unseen();
    }
}

/// A value as a word of a command. Errors are of usage.
fn word(value: &Dynamic) -> Result<String> {
    if value.is::<Secret>() {
        return Err(Error::usage("it is a secret").hint("`.reveal()` behind it gives its text"));
    }
    match value::to_json(value, false).map_err(|error| errors::message(&error))? {
        Value::String(text) => Ok(text),
        Value::Null => Err(Error::usage("it is ()")),
        Value::Array(_) => Err(Error::usage("it is a list of lists")),
        Value::Object(_) => Err(Error::usage("it is a client, or a map").hint("name a field of it: ${it.client_id}")),
        other => Ok(other.to_string()),
    }
}

/// Whether a text is Rhai that has not come to its end: an open brace, bracket or string.
pub fn is_incomplete(text: &str) -> bool {
    match trap(text) {
        Some((_, Kind::Comment { .. })) => return true,
        // Rhai would read it for too long, and it is refused anyway.
        Some(_) => return false,
        None => {}
    }
    let Err(error) = Engine::new_raw().compile(text) else { return false };
    if *error.err_type() == ParseErrorType::UnexpectedEOF || is_open_text(text, error.err_type()) {
        return true;
    }
    // Where Rhai wants more at the very end, more may come.
    let lines: Vec<&str> = text.lines().collect();
    let (Some(line), Some(column)) = (error.position().line(), error.position().position()) else { return false };
    line > lines.len() || (line == lines.len() && column > lines[line - 1].chars().count())
}

/// Whether a text can be read as Rhai to its end.
pub fn is_whole(text: &str) -> bool {
    trap(text).is_none() && Engine::new_raw().compile(text).is_ok()
}

/// Only text in backticks may go over several lines.
fn is_open_text(text: &str, error: &ParseErrorType) -> bool {
    matches!(error, ParseErrorType::BadInput(rhai::LexError::UnterminatedString)) && text.contains('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_open_goes_on() {
        for (text, expected) in [
            ("fn f() {", true),
            ("let x = [1,", true),
            ("1 /* a", true),
            ("\"/*\"", false),
            ("let x = `a", true),
            ("if true {\n  1", true),
            ("1 +", true),
            ("1 + 1", false),
            ("let x = ;", false),
            ("\"open", false),
            ("fn f() { 1 }", false),
            ("}", false),
        ] {
            assert_eq!(is_incomplete(text), expected, "{text}");
        }
    }
}
