//! `ui::`: showing things to a person, and asking.

use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, INT};
use serde_json::json;

use crate::error::{Error, Result, nearest};
use crate::grammar::execute;
use crate::output::Screen;
use crate::output::format::Format;
use crate::output::outcome::{Outcome, Row};
use crate::script::engine::Context;
use crate::script::errors::{self, thrown};
use crate::script::library::Library;
use crate::script::{limits, run, value};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::handle::locked;
use crate::text::safe;
use crate::ui::Ui;
use crate::ui::progress::Progress;

/// Registers the module.
pub fn register(library: &mut Library, engine: &mut Engine, context: &Context) {
    let bound = context.clone();
    library.add(
        ("ui", "confirm(question) -> bool"),
        (
            "Whether a person agrees; --yes does, and it is an error where nobody can be asked",
            r#"try { ui::confirm("Go on?") } catch (e) { print(e.message) }"#,
        ),
        move |question: &str| confirm(&bound.session(), question).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("ui", "prompt(question) -> text"),
        (
            "A line that a person types; it is an error where nobody can be asked",
            r#"try { ui::prompt("Whose is it?") } catch (e) { print(e.message) }"#,
        ),
        move |question: &str| {
            let session = bound.session();
            asked(session.ui(), &format!("{} ", by(&session, question)), question).map_err(thrown)
        },
    );
    let bound = context.clone();
    library.add(
        ("ui", "prompt(question, otherwise) -> text"),
        (
            "The same; what stands for an empty line, and counts where nobody can be asked",
            r#"ui::prompt("Whose is it?", "ops")"#,
        ),
        move |question: &str, otherwise: &str| {
            let session = bound.session();
            let shown = by(&session, &format!("{question} [{otherwise}]"));
            let typed = session.ui().asked(&format!("{shown} ")).transpose();
            let typed = typed.map(|typed| typed.filter(|typed| !typed.is_empty()));
            typed.map(|typed| typed.unwrap_or_else(|| otherwise.to_owned())).map_err(thrown)
        },
    );
    let bound = context.clone();
    library.add(
        ("ui", "password(what) -> Secret"),
        (
            "What a person types unseen; it is an error where nobody can be asked",
            r#"try { ui::password("the secret") } catch (e) { print(e.message) }"#,
        ),
        move |what: &str| password(&bound.session(), what).map_err(thrown),
    );
    let bound = context.clone();
    library.add(
        ("ui", "select(question, choices) -> text"),
        (
            "The one of several that a person picks, by its number or its name; it is an error where nobody can be asked",
            r#"try { ui::select("Which?", ["web", "job"]) } catch (e) { print(e.message) }"#,
        ),
        move |question: &str, choices: Array| select(&bound.session(), question, &choices).map_err(thrown),
    );
    showing(library, engine, context);
}

fn showing(library: &mut Library, engine: &mut Engine, context: &Context) {
    let ui = context.session().ui();
    let bound = context.clone();
    library.add(
        ("ui", "table(rows)"),
        ("Prints maps as a table", r#"ui::table([#{name: "a", count: 1}])"#),
        move |rows: Array| table(&bound, &rows).map_err(thrown),
    );
    library.add(
        ("ui", "style(text, style) -> text"),
        (
            "A text as it is printed in colour, where there is any: bold, dim, italic, underline; red, yellow, green, cyan, blue, magenta",
            r#"print(ui::style("gone", "bold red"))"#,
        ),
        move |text: &str, style: &str| ui.painted(text, style).map_err(thrown),
    );
    library.add(
        ("ui", "progress(total) -> Progress"),
        (
            "Tells how far long work is, as `advance()` or `advance(n)` says, until `end()`",
            "let p = ui::progress(2); for n in 0..2 { p.advance(); } p.end()",
        ),
        move |total: INT| Steps::begin(ui, total).map_err(thrown),
    );
    engine
        .register_type_with_name::<Steps>("Progress")
        .register_fn("advance", |steps: &mut Steps| steps.advance(1))
        .register_fn("advance", |steps: &mut Steps, by: INT| steps.advance(by))
        .register_fn("end", |steps: &mut Steps| steps.end())
        .register_fn("to_string", |steps: &mut Steps| steps.to_string())
        .register_fn("to_debug", |steps: &mut Steps| steps.to_string());
}

/// A question as it is asked: one of a plugin says so, in one line, so that nothing passes for a question of this program.
fn by(session: &Session, question: &str) -> String {
    match session.grant() {
        Some(grant) => format!("plugin {} asks: {}", safe(&grant.plugin), safe(question)),
        None => question.to_owned(),
    }
}

fn confirm(session: &Session, question: &str) -> Result<bool> {
    if session.settings().assent.yes || session.dry_run().is_some() {
        return Ok(true);
    }
    if !session.ui().can_ask(false) {
        let hint =
            if limits::is_hook() { "a hook asks a person, and --yes does not answer it" } else { "--yes agrees" };
        return Err(nobody(&by(session, question)).hint(hint));
    }
    let agrees = session.ui().agrees(&by(session, question), false);
    if session.interrupt().has_arrived() { Err(Error::interrupted()) } else { Ok(agrees) }
}

fn nobody(question: &str) -> Error {
    Error::usage(format!("nobody can be asked: {}", safe(question)))
}

fn asked(ui: Ui, shown: &str, question: &str) -> Result<String> {
    ui.asked(shown).ok_or_else(|| nobody(question))?
}

fn password(session: &Session, what: &str) -> Result<Secret> {
    let ui = session.ui();
    if !ui.can_ask(false) {
        return Err(nobody(what));
    }
    ui.typed_unseen(&by(session, what)).ok_or_else(|| nobody(what))?
}

fn select(session: &Session, question: &str, choices: &Array) -> Result<String> {
    let ui = session.ui();
    let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
    if choices.is_empty() {
        return Err(Error::usage("there is nothing to choose from"));
    }
    if !ui.can_ask(false) {
        return Err(nobody(question));
    }
    for (at, choice) in choices.iter().enumerate() {
        ui.line(&by(session, &format!("{:>4}  {}", at + 1, safe(choice))));
    }
    loop {
        let shown = by(session, &format!("{question} [1-{}]", choices.len()));
        let typed = asked(ui, &format!("{shown} "), question)?;
        let by_number = typed.trim().parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
        if let Some(choice) = choices.iter().find(|choice| choice.as_str() == typed.trim()).or(by_number) {
            return Ok(choice.clone());
        }
        let near = nearest(typed.trim(), choices.iter().map(String::as_str));
        let near = near.map(|near| format!(": did you mean {}?", safe(near))).unwrap_or_default();
        ui.line(&format!("`{}` is none of them{near}", safe(&typed)));
    }
}

fn table(context: &Context, rows: &Array) -> Result<()> {
    let row = |row: &Dynamic| value::displayed(row).map(Row::value).map_err(|error| errors::message(&error));
    let rows = rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    let ui = context.session().ui();
    let members = run::members(&rows);
    let outcome = Outcome::many(rows.into_iter().map(Ok), &[]).with_members(members);
    let mut text = Vec::new();
    // What is printed is the same in any format.
    let screen = if limits::is_hook() { Screen::default() } else { Screen { all_by: "", ..execute::screen(ui) } };
    execute::show_on(ui, outcome, (&Format::Table, false), &screen, &mut text)?;
    context.print(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Long work of a script, as it goes on.
#[derive(Clone)]
struct Steps(Arc<Mutex<Going>>);

struct Going {
    progress: Option<Progress>,
    done: u64,
    total: u64,
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let going = locked(&self.0);
        write!(f, "{} of {}", going.done, going.total)
    }
}

impl Steps {
    /// Errors are of usage: there are less than none.
    fn begin(ui: Ui, total: INT) -> Result<Self> {
        let total = u64::try_from(total).map_err(|_| Error::usage(format!("a progress has no {total} steps")))?;
        Ok(Steps(Arc::new(Mutex::new(Going { progress: Some(Progress::begin(ui, total, false)), done: 0, total }))))
    }

    fn advance(&self, by: INT) {
        let mut going = locked(&self.0);
        let (done, total) = (going.done.saturating_add_signed(by), going.total);
        going.done = done;
        if let Some(progress) = &mut going.progress {
            progress.at(done, total, "", || json!({"done": done, "total": total}));
        }
    }

    fn end(&self) {
        let mut going = locked(&self.0);
        if let Some(progress) = going.progress.take() {
            progress.end(|| json!(null));
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if let Some(progress) = self.progress.take() {
            progress.end(|| json!(null));
        }
    }
}
