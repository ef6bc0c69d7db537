//! What variables stand for, beside what Rhai finds for them.

use rhai::{Dynamic, Engine};

use crate::script::caught;

/// What a script was given.
pub const ARGS: &str = "args";

/// Makes an engine look them up so.
#[expect(deprecated, reason = "Rhai calls what may change so")]
pub fn register(engine: &mut Engine) {
    let complete = caught::register(engine);
    engine.on_var(move |name, _, mut context| {
        // Functions see no variable of the script. What a script was given they do, where nothing else is called so.
        if name == ARGS && !context.tag().is_unit() && !context.scope().contains(ARGS) {
            return Ok(Some(context.tag().clone()));
        }
        complete(name, &mut context);
        Ok(None)
    });
}

/// What functions find as [`ARGS`].
pub fn give(engine: &mut Engine, args: &Dynamic) {
    engine.set_default_tag(args.clone().into_read_only());
}
