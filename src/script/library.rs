//! The API as data: every function is registered with its signature, what it does and an example. The reference, the nearest
//! names, the definitions for editors and the test of all examples are read off that.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rhai::{
    Array, Dynamic, Engine, FLOAT, FnPtr, FuncRegistration, INT, ImmutableString, Map, Module,
    NativeCallContext as Call, Position, RhaiFunc, RhaiNativeFunc, Variant,
};

use crate::model::client::Client;
use crate::script::api::time::{Span, Time};
use crate::script::ending;
use crate::script::errors::{ScriptResult, Spot, place, placed_at, thrown};
use crate::script::needs::{self, Need};
use crate::secret::Secret;
use crate::session::grant::Grant;
use crate::ui::Ui;

/// A function of the API.
#[derive(Clone, Debug)]
pub struct Function {
    /// The module that it is in; empty: it is called without one.
    pub module: &'static str,
    /// Its name and parameters, and what it gives: `parse(text) -> value`.
    pub signature: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// A call that runs.
    pub example: &'static str,
    /// The types of its parameters.
    pub types: Vec<&'static str>,
}

impl Function {
    /// Its name within its module.
    pub fn short_name(&self) -> &'static str {
        self.signature.split(['(', ' ']).next().unwrap_or(self.signature)
    }

    /// Its parameters, each with its type.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let inner = self.signature.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(it, _)| it);
        inner.split(',').map(str::trim).zip(self.types.iter().copied())
    }

    /// What it gives, as its signature says; empty: nothing.
    pub fn gives(&self) -> &'static str {
        self.signature.split_once(" -> ").map_or("", |(_, gives)| gives)
    }

    /// Its signature as it is called: `json::parse(text: string) -> value`.
    pub fn whole_signature(&self) -> String {
        let parameters: Vec<String> = self.parameters().map(|(name, of)| format!("{name}: {of}")).collect();
        let gives = if self.gives().is_empty() { String::new() } else { format!(" -> {}", self.gives()) };
        format!("{}({}){gives}", self.name(), parameters.join(", "))
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
pub struct Library {
    modules: BTreeMap<&'static str, Module>,
    functions: Vec<Function>,
    /// Whom each call is told to, with its time.
    listener: Option<Ui>,
    /// What the plugin may do that calls them, where one does.
    grant: Option<Arc<Grant>>,
}

impl Library {
    /// An empty one. Each call is told to the listener, if there is one; a plugin calls what it was granted.
    pub fn new(listener: Option<Ui>, grant: Option<Arc<Grant>>) -> Self {
        Library { modules: BTreeMap::new(), functions: Vec::new(), listener, grant }
    }

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
        let types = F::param_types();
        let names = types.iter().map(type_name).collect();
        let function = Function { module: of.0, signature: of.1, about: text.0, example: text.1, types: names };
        let module = self.modules.entry(of.0).or_default();
        // What it gives is another each time it is called.
        let need = self.grant.clone().zip(needs::of(function.module, function.short_name()));
        let native = around(native.into_rhai_function(true, true), function.name(), self.listener, need);
        FuncRegistration::new(function.short_name()).set_into_module_raw(module, types, native);
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

/// Whether the API has a module of that name.
pub fn has_module(name: &str) -> bool {
    known().iter().any(|function| function.module == name)
}

/// All functions of the API; none before there was an engine.
pub fn known() -> &'static [Function] {
    KNOWN.get().map_or(&[], Vec::as_slice)
}

/// The names of types, as a person says them.
fn type_name(of: &TypeId) -> &'static str {
    let names = [
        (TypeId::of::<ImmutableString>(), "string"),
        (TypeId::of::<String>(), "string"),
        (TypeId::of::<&str>(), "string"),
        (TypeId::of::<INT>(), "int"),
        (TypeId::of::<FLOAT>(), "float"),
        (TypeId::of::<bool>(), "bool"),
        (TypeId::of::<Array>(), "array"),
        (TypeId::of::<Map>(), "map"),
        (TypeId::of::<FnPtr>(), "Fn"),
        (TypeId::of::<Client>(), "Client"),
        (TypeId::of::<Secret>(), "Secret"),
        (TypeId::of::<Time>(), "Time"),
        (TypeId::of::<Span>(), "Duration"),
    ];
    names.iter().find(|(id, _)| id == of).map_or("any", |(_, name)| name)
}

/// What all functions have in common: Rhai leaves the errors of a module's functions without a place, which is that of the
/// call; and a call may be told with its time.
fn around(native: RhaiFunc, name: String, listener: Option<Ui>, need: Option<(Arc<Grant>, Need)>) -> RhaiFunc {
    let RhaiFunc::Pure { func, has_context, is_pure, is_volatile } = native else { return native };
    let around = move |call: Option<Call<'_>>, arguments: &mut [&mut Dynamic]| {
        let spot = call.as_ref().map_or(Spot { at: Position::NONE, file: None, called: None }, Spot::of);
        placed(ending::goes_on(), &spot)?;
        if let Some((grant, need)) = &need {
            placed(need(grant).map_err(thrown), &spot)?;
        }
        let began = listener.map(|_| Instant::now());
        let result = func(call.filter(|_| has_context), arguments);
        if let (Some(ui), Some(began)) = (listener, began) {
            let failed = if result.is_err() { " and failed" } else { "" };
            ui.note(&format!("{name} at {} took {:.1?}{failed}", place(spot.at), began.elapsed()));
        }
        placed(result, &spot)
    };
    RhaiFunc::Pure { func: Arc::new(around), has_context: true, is_pure, is_volatile }
}

/// Functions whose errors have the place of the call.
pub trait Placing {
    /// Registers one beside those of the language: operators, methods.
    fn register_placed<A, const N: usize, const X: bool, R, const E: bool, F>(
        &mut self,
        name: &str,
        native: F,
    ) -> &mut Self
    where
        A: 'static,
        R: Variant + Clone,
        F: RhaiNativeFunc<A, N, X, R, E> + Send + Sync + 'static;
}

impl Placing for Engine {
    fn register_placed<A, const N: usize, const X: bool, R, const E: bool, F>(
        &mut self,
        name: &str,
        native: F,
    ) -> &mut Self
    where
        A: 'static,
        R: Variant + Clone,
        F: RhaiNativeFunc<A, N, X, R, E> + Send + Sync + 'static,
    {
        match native.into_rhai_function(true, true) {
            RhaiFunc::Pure { func, has_context, .. } | RhaiFunc::Method { func, has_context, .. } => {
                // Rhai finds a text that is called something on by its own type only.
                let types = F::param_types()
                    .map(|of| if of == TypeId::of::<&str>() { TypeId::of::<ImmutableString>() } else { of });
                self.register_raw_fn(name, types, move |call: Call<'_>, arguments: &mut [&mut Dynamic]| {
                    let spot = Spot::of(&call);
                    placed(func(has_context.then_some(call), arguments), &spot)
                })
            }
            // There is no other kind of what Rust has.
            _ => self,
        }
    }
}

/// An error without a place has this one.
pub fn placed<T>(result: ScriptResult<T>, spot: &Spot) -> ScriptResult<T> {
    result.map_err(|error| placed_at(error, spot))
}
