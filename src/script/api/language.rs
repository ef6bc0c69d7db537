//! What scripts call without a module: secrets, the end, waiting.

use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, INT, Position};

use crate::error::Error;
use crate::model::client::Client;
use crate::script::api::time;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::script::limits;
use crate::script::missing::named;
use crate::script::value;
use crate::secret::Secret;
use crate::text::brief;

/// What ends a script with an exit code, and what it shows: nothing catches it.
#[derive(Clone, Debug)]
pub struct Left {
    /// The exit code.
    pub code: u8,
    /// The script's value.
    pub value: Dynamic,
}

/// Registers them.
pub fn register(library: &mut Library, engine: &mut Engine, context: &Context) {
    let bound = context.clone();
    library.add(
        ("", "reveal(secret) -> text"),
        ("The text of a secret, which shows as `[REDACTED]` otherwise", r#""a text".to_secret().reveal().len()"#),
        move |secret: Secret| bound.reveal(&secret),
    );
    library.add(
        ("", "to_secret(text) -> Secret"),
        ("A text as a secret, which shows as `[REDACTED]`", r#"print("a text".to_secret())"#),
        |text: &str| Secret::new(text),
    );
    library.add(
        ("", "to_map(client) -> map"),
        ("The fields of a client as a map, its secrets among them", "clients::create(#{}).to_map().keys().len() > 10"),
        |client: Client| value::to_map(&client),
    );
    library.add(
        ("", "to_fields(client) -> map"),
        (
            "The fields that make the same client elsewhere: without its secret and what only a server sets",
            "clients::lint(clients::create(#{}).to_fields()).len()",
        ),
        |client: Client| value::to_fields(&client),
    );
    let bound = context.clone();
    library.add(
        ("", "sleep(time)"),
        ("Waits: seconds, or a `Duration`; Ctrl-C ends it", r#"sleep(0.01); sleep(time::duration("1ms"))"#),
        move |time: Dynamic| sleep(&bound, &time),
    );
    // Rhai's own would be closer to what they are called with, and hears of nothing until it is over.
    let bound = context.clone();
    engine.register_fn("sleep", move |seconds: INT| sleep(&bound, &seconds.into()));
    let bound = context.clone();
    engine.register_fn("sleep", move |seconds: FLOAT| sleep(&bound, &seconds.into()));
    asserting(library);
    ending(library, context);
}

fn asserting(library: &mut Library) {
    library.add(
        ("", "assert(holds)"),
        ("Ends the script, or the test, with an error unless it holds", "assert(1 < 2)"),
        |holds: bool| asserted(holds, || "it does not hold".to_owned()),
    );
    library.add(
        ("", "assert(holds, text)"),
        ("The same, and says what does not hold", r#"assert(1 < 2, "one is less than two")"#),
        |holds: bool, what: &str| asserted(holds, || what.to_owned()),
    );
    library.add(
        ("", "assert_eq(is, due)"),
        ("Ends the script, or the test, with an error unless both are the same", "assert_eq([1, 2].len(), 2)"),
        |is: Dynamic, due: Dynamic| -> ScriptResult<()> {
            if value::to_json(&is, true)? == value::to_json(&due, true)? {
                return Ok(());
            }
            // They may be as long as a script may make them.
            let (is, due) = (value::json_text(&is)?, value::json_text(&due)?);
            asserted(false, || format!("it is {}, and {} is due", brief(&is), brief(&due)))
        },
    );
}

fn asserted(holds: bool, why: impl Fn() -> String) -> ScriptResult<()> {
    if holds { Ok(()) } else { Err(thrown(Error::failed(why()).with_code("assertion"))) }
}

fn sleep(context: &Context, time: &Dynamic) -> ScriptResult<()> {
    let slept = time::length(time).and_then(|time| {
        let time = limits::left().map_or(time, |left| left.min(time));
        context.session().wait(async {
            tokio::time::sleep(time).await;
            Ok(())
        })
    });
    slept.map_err(thrown)
}

/// Rhai's own `exit` gives a value, as if the script had come to its end.
fn ending(library: &mut Library, context: &Context) {
    let (at_once, by_code, with_value) = (context.clone(), context.clone(), context.clone());
    library.add(
        ("", "exit()"),
        ("Ends the script; its exit code is 0", "if false { exit() }"),
        move || -> ScriptResult<()> { Err(left(&at_once, 0, Dynamic::UNIT)) },
    );
    library.add(
        ("", "exit(code)"),
        ("Ends the script with that exit code", "if false { exit(3) }"),
        move |code: Dynamic| -> ScriptResult<()> { Err(left(&by_code, exit_code(&code)?, Dynamic::UNIT)) },
    );
    library.add(
        ("", "exit(code, value)"),
        ("The same, and shows a value as the script's result", "if false { exit(3, #{risky: 2}) }"),
        move |code: Dynamic, value: Dynamic| -> ScriptResult<()> { Err(left(&with_value, exit_code(&code)?, value)) },
    );
}

#[expect(clippy::unnecessary_box_returns, reason = "it is what Rhai functions fail with")]
fn left(context: &Context, code: u8, value: Dynamic) -> Box<EvalAltResult> {
    // What goes on outside of a plugin is not the plugin's to end.
    if context.session().grant().is_some() {
        return thrown(Error::usage("`exit` is for scripts"));
    }
    context.leave(Left { code, value });
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into()
}

fn exit_code(code: &Dynamic) -> ScriptResult<u8> {
    let told = code.as_int().map_err(|kind| format!("an exit code is a number, not {}", named(kind)));
    let number =
        told.and_then(|code: INT| u8::try_from(code).map_err(|_| format!("an exit code is from 0 to 255, not {code}")));
    number.map_err(|wrong| thrown(Error::usage(wrong)))
}
