//! The API as data: every function is registered with its signature, what it does and an example. The reference, the nearest
//! names and the test of all examples are read off that.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rhai::{Engine, FuncRegistration, Module, NativeCallContext as Call, RhaiNativeFunc, Variant};

use crate::script::errors::ScriptResult;

/// A function of the API.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The module that it is in; empty: it is called without one.
    pub module: &'static str,
    /// Its name and parameters, and what it gives: `parse(text) -> value`.
    pub signature: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// A call that runs.
    pub example: &'static str,
}

impl Function {
    /// Its name within its module.
    pub fn short_name(&self) -> &'static str {
        self.signature.split(['(', ' ']).next().unwrap_or(self.signature)
    }

    /// Its signature as it is called: `json::parse(text) -> value`.
    pub fn whole_signature(&self) -> String {
        if self.module.is_empty() { self.signature.to_owned() } else { format!("{}::{}", self.module, self.signature) }
    }

    /// How many arguments it takes.
    pub fn parameters(&self) -> usize {
        let inner =
            self.signature.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inner, _)| inner);
        if inner.is_empty() { 0 } else { inner.split(',').count() }
    }

    /// As it is called: `json::parse`.
    pub fn name(&self) -> String {
        if self.module.is_empty() {
            self.short_name().to_owned()
        } else {
            format!("{}::{}", self.module, self.short_name())
        }
    }
}

/// Collects functions by module.
#[derive(Default)]
pub struct Library {
    modules: BTreeMap<&'static str, Module>,
    functions: Vec<Function>,
}

impl Library {
    /// Adds a function. `of`: the module and the signature; `text`: what it does, and an example.
    pub fn add<A, const N: usize, const X: bool, R, const E: bool, F>(
        &mut self,
        of: (&'static str, &'static str),
        text: (&'static str, &'static str),
        native: F,
    ) where
        A: 'static,
        R: Variant + Clone,
        F: RhaiNativeFunc<A, N, X, R, E> + Send + Sync + 'static,
    {
        let function = Function { module: of.0, signature: of.1, about: text.0, example: text.1 };
        let module = self.modules.entry(of.0).or_default();
        // What it gives is another each time it is called.
        FuncRegistration::new(function.short_name()).with_volatility(true).set_into_module(module, native);
        self.functions.push(function);
    }

    /// Hands the modules to an engine.
    pub fn register(self, engine: &mut Engine) {
        for (name, module) in self.modules {
            if name.is_empty() {
                engine.register_global_module(module.into());
            } else {
                engine.register_static_module(name, module.into());
            }
        }
        KNOWN.get_or_init(|| self.functions);
    }
}

/// What engines of this process have.
static KNOWN: OnceLock<Vec<Function>> = OnceLock::new();

/// All functions of the API; none before there was an engine.
pub fn known() -> &'static [Function] {
    KNOWN.get().map_or(&[], Vec::as_slice)
}

/// Rhai leaves the errors of a module's functions without a place: it is that of the call.
pub fn placed<T>(call: &Call<'_>, result: ScriptResult<T>) -> ScriptResult<T> {
    result.map_err(|mut error| {
        if error.position().is_none() {
            error.set_position(call.call_position());
        }
        error
    })
}
