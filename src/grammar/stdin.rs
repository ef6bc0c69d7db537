//! Stdin is read once: what a command would read from it twice is refused before it runs.

use clap::ArgMatches;

use crate::error::{Error, Result};

/// An argument, the value by which it reads stdin, and how a person is told of it.
const WORDS: &[(&str, &str, &str)] = &[
    ("file", "-", "the file `-`"),
    ("overlay", "-", "--overlay -"),
    ("id", "-", "the ids (-)"),
    ("patch", "-", "the patch (-)"),
    ("token", "-", "the token (-)"),
    ("key", "@-", "the key @-"),
    ("pgp-key", "@-", "--pgp-key @-"),
];

const SWITCHES: &[(&str, &str)] =
    &[("secret-stdin", "--secret-stdin"), ("client-secret-stdin", "--client-secret-stdin")];

/// Errors: two of the arguments read stdin, or one where it `is_taken` by the shell.
pub fn once(matches: &ArgMatches, is_taken: bool) -> Result<()> {
    let words = WORDS.iter().flat_map(|(name, value, told)| {
        // Not every command takes all of them.
        let given = matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten();
        given.filter(move |given| given == value).map(move |_| *told)
    });
    let is_on = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false);
    let switches = SWITCHES.iter().filter(|(name, _)| is_on(name)).map(|(_, told)| *told);
    let readers: Vec<&str> = words.chain(switches).collect();
    if let (true, Some(reader)) = (is_taken, readers.first()) {
        return Err(Error::usage(format!("stdin holds the lines of the shell: {reader} cannot be read from it"))
            .hint("give it a file"));
    }
    if readers.len() < 2 {
        return Ok(());
    }
    let both = if readers.len() == 2 { "both" } else { "all" };
    Err(Error::usage(format!("{} {both} read stdin", readers.join(" and "))).hint("give all but one a file"))
}
