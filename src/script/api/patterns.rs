//! Regular expressions, whose time is linear in the text.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use regex::{Match, Regex};
use rhai::{Array, Dynamic};

use crate::error::{Error, Result};
use crate::script::bounded::{TEXT, fits};
use crate::script::ending;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::session::interrupt::Interrupt;

/// The most bytes that a compiled pattern may take.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// So many bytes a pattern has at most: it is read as a whole, in which nothing stops that.
const LONGEST: usize = 64 * 1024;

fn compiled(pattern: &str) -> Result<Regex> {
    if pattern.len() > LONGEST {
        return Err(Error::usage(format!("the pattern is longer than {} KiB", LONGEST >> 10)));
    }
    regex::RegexBuilder::new(pattern)
        .size_limit(MOST_BYTES)
        .build()
        .map_err(|source| Error::usage("the pattern is wrong").caused_by(source.to_string().replace('\n', " ")))
}

/// A text that is no longer is looked through at once.
const SHORT: usize = 1024;

/// How often it is looked whether the script is to end.
const GLANCE: Duration = Duration::from_millis(20);

/// What comes of looking through a text. Nothing stops that: where the script is to end it is left behind on a thread of its own, which
/// ends between two matches.
fn looked_through<T: Send + 'static>(
    interrupt: &Interrupt,
    pattern: &str,
    text: &str,
    work: impl FnOnce(&Regex, &str, &AtomicBool) -> ScriptResult<T> + Send + 'static,
) -> ScriptResult<T> {
    let regex = compiled(pattern).map_err(thrown)?;
    let is_left = Arc::new(AtomicBool::new(false));
    if text.len() <= SHORT {
        return work(&regex, text, &is_left);
    }
    let (text, flag) = (text.to_owned(), Arc::clone(&is_left));
    let (tell, told) = channel();
    let started = thread::Builder::new().name("pattern".into()).spawn(move || tell.send(work(&regex, &text, &flag)));
    let failed = |source| thrown(Error::failed("cannot start a thread for the pattern").caused_by(source));
    started.map_err(failed)?;
    loop {
        match told.recv_timeout(GLANCE) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(thrown(Error::failed("the pattern cannot be looked for")));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = ending::wait(interrupt) {
                    is_left.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }
}

/// What all matches take together, each as much as `size` says.
fn sizes(regex: &Regex, text: &str, is_left: &AtomicBool, size: impl Fn(Match<'_>) -> usize) -> ScriptResult<usize> {
    let mut sum = 0_usize;
    for found in regex.find_iter(text) {
        if is_left.load(Ordering::Relaxed) {
            return Err(thrown(Error::interrupted()));
        }
        sum = sum.saturating_add(size(found));
    }
    Ok(sum)
}

/// Registers the module.
pub fn register(library: &mut Library, context: &Context) {
    let most = context.most_memory();
    let interrupt = context.session().interrupt().clone();
    let heard = interrupt.clone();
    library.add(
        ("regex", "is_match(pattern, text) -> bool"),
        ("Whether a pattern is somewhere in a text", r#"regex::is_match("^app-\\d+$", "app-12")"#),
        move |pattern: &str, text: &str| {
            looked_through(&heard, pattern, text, |regex, text, _| Ok(regex.is_match(text)))
        },
    );
    let heard = interrupt.clone();
    library.add(
        ("regex", "find_all(pattern, text) -> array"),
        ("All parts of a text that match", r#"regex::find_all("[a-z]+", "ab, cd")"#),
        move |pattern: &str, text: &str| {
            looked_through(&heard, pattern, text, move |regex, text, is_left| -> ScriptResult<Array> {
                fits(most, sizes(regex, text, is_left, |_| TEXT)?)?;
                let found = regex.find_iter(text).take_while(|_| !is_left.load(Ordering::Relaxed));
                Ok(found.map(|found| found.as_str().to_owned().into()).collect())
            })
        },
    );
    let heard = interrupt.clone();
    library.add(
        ("regex", "captures(pattern, text) -> array"),
        (
            "The first match and its groups; `()` where there is none",
            r#"regex::captures("(\\w+)@(\\w+)", "me@here")[2]"#,
        ),
        move |pattern: &str, text: &str| {
            looked_through(&heard, pattern, text, |regex, text, _| {
                let group =
                    |group: Option<Match<'_>>| group.map_or(Dynamic::UNIT, |group| group.as_str().to_owned().into());
                let found = regex.captures(text);
                Ok(found.map_or(Dynamic::UNIT, |found| found.iter().map(group).collect::<Array>().into()))
            })
        },
    );
    let heard = interrupt.clone();
    library.add(
        ("regex", "replace(pattern, text, by) -> text"),
        (
            "A text with all matches replaced; `$1` is the first group",
            r#"regex::replace("(\\w+)@\\w+", "me@here", "$1")"#,
        ),
        move |pattern: &str, text: &str, by: &str| {
            let by = by.to_owned();
            looked_through(&heard, pattern, text, move |regex, text, is_left| -> ScriptResult<String> {
                let groups = by.matches('$').count();
                let size = |found: Match<'_>| by.len() + groups.saturating_mul(found.len());
                fits(most, sizes(regex, text, is_left, size)?.saturating_add(text.len()))?;
                Ok(regex.replace_all(text, by.as_str()).into_owned())
            })
        },
    );
    library.add(
        ("regex", "split(pattern, text) -> array"),
        ("The parts of a text between matches", r#"regex::split("[,;] *", "a, b;c")"#),
        move |pattern: &str, text: &str| {
            looked_through(&interrupt, pattern, text, move |regex, text, is_left| -> ScriptResult<Array> {
                fits(most, sizes(regex, text, is_left, |_| TEXT)?.saturating_add(TEXT))?;
                let parts = regex.split(text).take_while(|_| !is_left.load(Ordering::Relaxed));
                Ok(parts.map(|part| part.to_owned().into()).collect())
            })
        },
    );
}
