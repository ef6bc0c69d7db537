//! Telling people, and asking them; and what only they may read.

use rhai::{Array, NativeCallContext as Call};

use crate::crypt::{Source, recipient};
use crate::error::{Error, Result};
use crate::grammar::execute;
use crate::ops::recipients::{self, Wanted};
use crate::output::format::Format;
use crate::output::outcome::{Outcome, Row};
use crate::script::engine::Context;
use crate::script::errors::thrown;
use crate::script::library::{Library, placed};
use crate::script::value;
use crate::secret::Secret;
use crate::session::Session;

/// Registers the modules.
pub fn register(library: &mut Library, context: &Context) {
    let ui = context.host.session.ui();
    library.add(
        ("log", "info(text)"),
        ("Tells something on stderr, unless --quiet is given", "log::info(\"on we go\")"),
        move |text: &str| ui.note(text),
    );
    library.add(("log", "warn(text)"), ("Warns on stderr", "log::warn(\"mind the gap\")"), move |text: &str| {
        ui.warn(text);
    });
    library.add(
        ("log", "error(text)"),
        ("Tells on stderr what went wrong, and goes on", "log::error(\"it is gone\")"),
        move |text: &str| ui.error(&Error::failed(text)),
    );
    let session = context.host.session.clone();
    library.add(
        ("ui", "confirm(question) -> bool"),
        (
            "Whether a person agrees; --yes does, and it is an error where nobody can be asked",
            "try { ui::confirm(\"Go on?\") } catch (e) { print(e.message) }",
        ),
        move |call: Call<'_>, question: &str| placed(&call, confirmed(&session, question).map_err(thrown)),
    );
    library.add(
        ("ui", "table(rows)"),
        ("Prints maps as a table", "ui::table([#{name: \"a\", count: 1}])"),
        move |call: Call<'_>, rows: Array| {
            let shown = || -> Result<()> {
                let row = |row: &rhai::Dynamic| {
                    value::to_json(row, false).map(Row::value).map_err(|error| Error::usage(error.to_string()))
                };
                let rows = rows.iter().map(row).collect::<Vec<_>>();
                execute::show(ui, Outcome::many(rows.into_iter(), &[]), &Format::parse("table")?, false)
            };
            placed(&call, shown().map_err(thrown))
        },
    );
    let session = context.host.session.clone();
    library.add(
        ("pgp", "encrypt(secret, key) -> text"),
        (
            "A secret encrypted for a key: a file as `@FILE`, armored text, or base64",
            "try { pgp::encrypt(clients::create(#{}).client_secret, \"@none.asc\") } catch (e) { print(e.message) }",
        ),
        move |call: Call<'_>, secret: Secret, key: &str| {
            placed(&call, encrypted(&session, &secret, key).map_err(thrown))
        },
    );
    let session = context.host.session.clone();
    library.add(
        ("pgp", "encrypt(text, key) -> text"),
        (
            "A text encrypted for a key",
            "try { pgp::encrypt(\"a text\", \"@none.asc\") } catch (e) { print(e.message) }",
        ),
        move |call: Call<'_>, text: &str, key: &str| {
            placed(&call, encrypted(&session, &Secret::new(text), key).map_err(thrown))
        },
    );
}

fn confirmed(session: &Session, question: &str) -> Result<bool> {
    if session.settings().assent.yes {
        return Ok(true);
    }
    if !session.ui().can_ask(false) {
        return Err(Error::usage(format!("nobody can be asked: {question}")).hint("--yes agrees"));
    }
    Ok(session.ui().agrees(question, false))
}

/// Base64 of an armored message, as `--pgp-key` makes it.
fn encrypted(session: &Session, secret: &Secret, key: &str) -> Result<String> {
    let wanted = Wanted { sources: vec![Source::Word(key.to_owned())], ..Wanted::default() };
    let found = recipients::load(session, &wanted)?;
    recipient::encrypt(&found, secret).map(|sealed| sealed.expose().to_owned())
}
