//! What variables stand for, beside what Rhai finds for them.

use rhai::{Dynamic, Engine};

use crate::error::Error;
use crate::script::errors::thrown;
use crate::script::{caught, ending};

/// How deep functions may call each other.
pub const MOST_CALLS: usize = 128;

/// What a script was given.
pub const ARGS: &str = "args";

/// Makes an engine look them up so.
#[expect(deprecated, reason = "Rhai calls what may change so")]
pub fn register(engine: &mut Engine) {
    let complete = caught::register(engine);
    engine.on_var(move |name, _, mut context| {
        // Here its place is known, and the calls that led there.
        ending::goes_on()?;
        if context.call_level() > MOST_CALLS {
            // Rhai tells of the outermost call alone, and of none that led there.
            let deep = Error::failed(format!("Stack overflow: functions call each other more than {MOST_CALLS} deep"));
            return Err(thrown(deep.with_code("depth")));
        }
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
