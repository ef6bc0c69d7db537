//! Commands from a script: `sh` for any of them, `batch::` for runs.

use std::path::Path;

use rhai::{Array, Dynamic, Map};

use crate::error::{Error, Result};
use crate::grammar::execute::{self, Origin};
use crate::grammar::{Audience, Command, common, parse, words};
use crate::ops::dry_run::would;
use crate::output::outcome::Shape;
use crate::script::engine::Context;
use crate::script::errors::thrown;
use crate::script::held::Held;
use crate::script::library::Library;
use crate::script::missing::named;
use crate::script::value;
use crate::text::{safe, shell_word};
use crate::ui::Mark;

/// Registers them.
pub fn register(library: &mut Library, context: &Context) {
    let bound = context.clone();
    library.add(
        ("", "sh(line) -> value"),
        (
            "What a command returns: one value, or an array; a line has 1 MiB at most",
            r#"sh("list clients --page-size 2").len() >= 0"#,
        ),
        move |line: &str| {
            short(line.len()).and_then(|()| words::split(line)).and_then(|words| run(&bound, &words)).map_err(thrown)
        },
    );
    for (verb, signature, about, example) in WITH_OPTIONS {
        let bound = context.clone();
        library.add(("batch", signature), (about, example), move |word: &str, options: Map| {
            batch(&bound, verb, &[word], &options).map_err(thrown)
        });
    }
    for (verb, signature, about, example) in OF_A_RUN {
        let bound = context.clone();
        library.add(("batch", signature), (about, example), move |word: &str| {
            batch(&bound, verb, &[word], &Map::new()).map_err(thrown)
        });
    }
    let bound = context.clone();
    library.add(("batch", "list() -> array"), ("All runs, and what they came to", "batch::list().len()"), move || {
        batch(&bound, "list", &[], &Map::new()).map_err(thrown)
    });
}

/// What an entry of the tables below is: the command's own verb, signature, what it does, example.
type Entry = (&'static str, &'static str, &'static str, &'static str);

const WITH_OPTIONS: [Entry; 4] = [
    (
        "create",
        "create(input, options) -> map",
        "A client for each row of a file, in a run; options are the flags of `batch create`: `#{out, secrets, rate, set, …}`",
        r#"csv::write("s.csv", [#{client_name: "a"}]); batch::create("s.csv", #{again: true, out: uuid::v4() + ".csv"}).done"#,
    ),
    (
        "resume",
        "resume(run, options) -> map",
        "Goes on with a run; options are the flags of `batch resume`",
        r#"try { batch::resume("none", #{rate: "300/min"}) } catch (e) { print(e.message) }"#,
    ),
    (
        "retry",
        "retry(run, options) -> map",
        "Tries the rows of a run again that failed",
        r#"try { batch::retry("none", #{}) } catch (e) { print(e.message) }"#,
    ),
    (
        "results",
        "results(run, options) -> value",
        "What each row came to; with `#{out, secrets}` into a file",
        r#"try { batch::results("none", #{secrets: "none"}) } catch (e) { print(e.message) }"#,
    ),
];

const OF_A_RUN: [Entry; 7] = [
    (
        "create",
        "create(input) -> map",
        "A client for each row of a file, in a run with a journal: `#{run, done, failed, …}`",
        r#"csv::write("s.csv", [#{client_id: uuid::v4()}]); batch::create("s.csv").done"#,
    ),
    (
        "status",
        "status(run) -> map",
        "What a run came to so far: `#{run, rows, done, failed, planned, …}`",
        r#"try { batch::status("none") } catch (e) { print(e.message) }"#,
    ),
    (
        "resume",
        "resume(run) -> map",
        "Goes on with a run",
        r#"try { batch::resume("none") } catch (e) { print(e.message) }"#,
    ),
    (
        "retry",
        "retry(run) -> map",
        "Tries the rows of a run again that failed",
        r#"try { batch::retry("none") } catch (e) { print(e.message) }"#,
    ),
    (
        "results",
        "results(run) -> value",
        "What each row came to",
        r#"try { batch::results("none") } catch (e) { print(e.message) }"#,
    ),
    (
        "undo",
        "undo(run) -> map",
        "Takes back what a run did; it asks, unless --yes is given",
        r#"try { batch::undo("none") } catch (e) { print(e.message) }"#,
    ),
    (
        "forget",
        "forget(run)",
        "Deletes the journal and the key of a run; it asks, unless --yes is given",
        r#"try { batch::forget("none") } catch (e) { print(e.message) }"#,
    ),
];

/// `batch VERB WORD… --option value`: what follows is thin over the command, its options are its flags.
fn batch(context: &Context, verb: &str, words: &[&str], options: &Map) -> Result<Dynamic> {
    let mut all = vec!["batch".to_owned(), verb.to_owned()];
    for (name, value) in options {
        if name == "out" && context.is_temporary(Path::new(&value.to_string())) {
            return Err(Error::usage("the results would go with the folder, which the script does not leave behind"));
        }
        let flag = format!("--{}", name.replace('_', "-"));
        let values = value.clone().try_cast::<Array>().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            match value.as_bool() {
                Ok(true) => all.push(flag.clone()),
                Ok(false) => {}
                // In one word, so that no value is read as another flag.
                Err(_) if value.is_string() || value.is_int() => all.push(format!("{flag}={value}")),
                Err(kind) => {
                    return Err(Error::usage(format!("option `{name}` wants text or a number, not {}", named(kind))));
                }
            }
        }
    }
    all.push("--".into());
    all.extend(words.iter().map(|word| (*word).to_owned()));
    short(all.iter().map(String::len).sum())?;
    run(context, &all)
}

/// So many bytes a line has at most: it is read as a whole, in which nothing stops that.
const LONGEST: usize = 1024 * 1024;

/// Errors: a line is longer.
fn short(length: usize) -> Result<()> {
    if length > LONGEST {
        return Err(Error::usage(format!("the line is longer than {} MiB", LONGEST >> 20)));
    }
    Ok(())
}

/// Whether what a command comes to is no value: it is printed, or done to the end of the script.
fn is_no_value(command: &Command) -> bool {
    let is_printed = ["run", "eval", "help", "completion"].contains(&command.words[0]);
    is_printed || command.words == ["script", "definitions"] || command.long_running
}

/// Where commands act, as whom, and what is asked before that is for whoever runs the script to say.
fn is_of_person(command: &Command) -> bool {
    ["use", "profile", "auth", "plugin"].contains(&command.words[0]) && !command.runs_dry
}

/// Whether a plugin could ever give a command to `sh`.
pub fn is_for_plugins(command: &Command) -> bool {
    !is_no_value(command) && !is_of_person(command) && command.audience == Audience::All
}

/// Runs a command. Errors: its own; the first of several that failed.
fn run(context: &Context, words: &[String]) -> Result<Dynamic> {
    let host = &context.host();
    let (command, matches) = match parse::parse(&host.registry, words, false)? {
        parse::Parsed::Command(command, matches) => (command, matches),
        parse::Parsed::Help(text) => return Ok(text.into()),
        parse::Parsed::Bare(_) => return Err(Error::usage("the line names no command")),
    };
    let name = command.words.join(" ");
    if is_no_value(command) {
        return Err(Error::usage(format!("`{name}` is not for scripts")));
    }
    if is_of_person(command) && !(host.session.is_confined() && command.words == ["profile", "add"]) {
        let wrong = Error::usage(format!("`{name}` is not for scripts"));
        return Err(wrong.hint("session::with_project and session::with_profile act elsewhere for a while"));
    }
    let told = || format!("`{}` is run", safe(&shown(&name, words)));
    if !command.runs_dry && would(&host.session, Mark::Changed, &told())? {
        return Ok(Dynamic::UNIT);
    }
    let mut output = common::output(&matches, command.format)?;
    // Whoever wants to read no notes of the script wants none of what it calls.
    output.ui.quiet |= host.session.ui().quiet;
    let mut outcome = execute::begin(host, command, &matches, &output, Origin::Script)?;
    let is_one = outcome.shape == Shape::One;
    let mut values = Array::new();
    let mut failed = None;
    while let Some(row) = outcome.rows.next() {
        let row = match row {
            Ok(row) => row,
            // The others have their turn all the same.
            Err(error) => {
                failed = failed.or(Some(error));
                continue;
            }
        };
        let is_its = MAKING.contains(&command.words[0]);
        let body = row.body.seen(|document| host.session.seen(document, is_its));
        values.push(value::from_body(&body));
        if let Some(pending) = row.pending {
            context.hold(Held::pending(pending));
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some(ended) = outcome.ended.take() {
        context.end_with(ended);
    }
    Ok(match values.len() {
        0 if is_one => Dynamic::UNIT,
        1 if is_one => values.remove(0),
        _ => values.into(),
    })
}

/// What the commands begin with that give what they have made.
const MAKING: [&str; 2] = ["create", "import"];

/// What a command line that holds a secret may hold beside it.
const TELLING: [&str; 4] = ["secret", "header", "key", "token"];

/// A command line as it may be seen: of one that could hold a secret its name only.
fn shown(name: &str, words: &[String]) -> String {
    if words.iter().any(|word| TELLING.iter().any(|part| word.contains(part))) {
        return format!("{name} …");
    }
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}
