//! Regular expressions, whose time is linear in the text.

use regex::{Match, Regex};
use rhai::{Array, Dynamic};

use crate::error::{Error, Result};
use crate::script::bounded::{TEXT, fits};
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::Library;
use crate::session::interrupt::Interrupt;

/// The most bytes that a compiled pattern may take.
const MOST_BYTES: usize = 4 * 1024 * 1024;

fn compiled(pattern: &str) -> Result<Regex> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MOST_BYTES)
        .build()
        .map_err(|source| Error::usage("the pattern is wrong").caused_by(source.to_string().replace('\n', " ")))
}

/// What all matches take together, each as much as `size` says. Looking for the next may take as long as the text is, so that
/// Ctrl-C is heard between them.
fn sizes(interrupt: &Interrupt, regex: &Regex, text: &str, size: impl Fn(Match<'_>) -> usize) -> ScriptResult<usize> {
    let mut sum = 0_usize;
    for found in regex.find_iter(text) {
        if interrupt.has_arrived() {
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
    let (found_in, replaced_in) = (interrupt.clone(), interrupt.clone());
    library.add(
        ("regex", "is_match(pattern, text) -> bool"),
        ("Whether a pattern is somewhere in a text", r#"regex::is_match("^app-\\d+$", "app-12")"#),
        |pattern: &str, text: &str| compiled(pattern).map(|regex| regex.is_match(text)).map_err(thrown),
    );
    library.add(
        ("regex", "find_all(pattern, text) -> array"),
        ("All parts of a text that match", r#"regex::find_all("[a-z]+", "ab, cd")"#),
        move |pattern: &str, text: &str| -> ScriptResult<Array> {
            let regex = compiled(pattern).map_err(thrown)?;
            fits(most, sizes(&found_in, &regex, text, |_| TEXT)?)?;
            Ok(regex.find_iter(text).map(|found| found.as_str().to_owned().into()).collect())
        },
    );
    library.add(
        ("regex", "captures(pattern, text) -> array"),
        (
            "The first match and its groups; `()` where there is none",
            r#"regex::captures("(\\w+)@(\\w+)", "me@here")[2]"#,
        ),
        |pattern: &str, text: &str| {
            let groups = |regex: Regex| {
                let group =
                    |group: Option<Match<'_>>| group.map_or(Dynamic::UNIT, |group| group.as_str().to_owned().into());
                regex.captures(text).map_or(Dynamic::UNIT, |found| found.iter().map(group).collect::<Array>().into())
            };
            compiled(pattern).map(groups).map_err(thrown)
        },
    );
    library.add(
        ("regex", "replace(pattern, text, by) -> text"),
        (
            "A text with all matches replaced; `$1` is the first group",
            r#"regex::replace("(\\w+)@\\w+", "me@here", "$1")"#,
        ),
        move |pattern: &str, text: &str, by: &str| -> ScriptResult<String> {
            let regex = compiled(pattern).map_err(thrown)?;
            let groups = by.matches('$').count();
            let size = |found: Match<'_>| by.len() + groups.saturating_mul(found.len());
            fits(most, sizes(&replaced_in, &regex, text, size)?.saturating_add(text.len()))?;
            Ok(regex.replace_all(text, by).into_owned())
        },
    );
    library.add(
        ("regex", "split(pattern, text) -> array"),
        ("The parts of a text between matches", r#"regex::split("[,;] *", "a, b;c")"#),
        move |pattern: &str, text: &str| -> ScriptResult<Array> {
            let regex = compiled(pattern).map_err(thrown)?;
            fits(most, sizes(&interrupt, &regex, text, |_| TEXT)?.saturating_add(TEXT))?;
            Ok(regex.split(text).map(|part| part.to_owned().into()).collect())
        },
    );
}
