//! The engine: limits, cancelling, and the modules of the API.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rhai::packages::{Package, StandardPackage};
use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, INT, Position};

use crate::grammar::Host;
use crate::ops::keep::Kept;
use crate::script::{clients, errors, value};

/// How deep an expression may be nested: Rhai's default refuses a hundred concatenations.
const EXPRESSION_DEPTH: usize = 256;

/// How deep functions may call each other.
const CALL_DEPTH: usize = 128;

/// What a script works with, shared by all functions of the API.
#[derive(Clone)]
pub struct Context {
    /// Session and commands.
    pub host: Host,
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Context {
    /// A context in which no secret is kept yet.
    pub fn new(host: Host) -> Self {
        Context { host, kept: Arc::default() }
    }

    /// Keeps a secret on disk until the script's result has been written.
    pub fn keep(&self, kept: Kept) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// The secrets that are kept by now.
    pub fn take_kept(&self) -> Vec<Kept> {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An engine with the whole API. Ctrl-C ends any script.
pub fn engine(context: &Context) -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    // In debug and release alike, so that tests see what users see.
    engine.set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    engine.set_max_call_levels(CALL_DEPTH);
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    cancel(&mut engine, context);
    value::register(&mut engine);
    clients::register(&mut engine);
    engine.register_static_module("clients", clients::module(context).into());
    let ui = context.host.session.ui();
    engine.on_print(move |text| ui.print(&format!("{text}\n")));
    engine.on_debug(move |text, _, _| ui.line(text));
    engine
}

fn cancel(engine: &mut Engine, context: &Context) {
    let interrupt = context.host.session.interrupt().clone();
    engine.on_progress(move |_| interrupt.has_arrived().then_some(Dynamic::UNIT));
    // Rhai's own sleep hears of nothing until it is over.
    let session = context.host.session.clone();
    let sleep = move |duration: Duration| {
        let slept = session.wait(async {
            tokio::time::sleep(duration).await;
            Ok(())
        });
        slept.map_err(errors::thrown)
    };
    let by_seconds = sleep.clone();
    engine
        .register_fn("sleep", move |seconds: INT| by_seconds(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))));
    engine.register_fn("sleep", move |seconds: FLOAT| sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default()));
}

/// A thrown value with a position that Rhai fills in.
pub fn runtime_error(value: Dynamic) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(value, Position::NONE).into()
}
