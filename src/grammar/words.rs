//! A line into words, quoted as a POSIX shell quotes them.

use crate::error::{Error, Result};

/// What means something at the prompt of the shell that is no command anywhere else: no plugin's command can be called so.
pub const SHELL_WORDS: [&str; 11] =
    ["it", "exit", "quit", "history", "load", "show", "set", "edit", "undo", "tour", "copy"];

/// Splits a line. `#` at the beginning of a word begins a comment. Errors: an open quote.
pub fn split(line: &str) -> Result<Vec<String>> {
    shlex::split(line).ok_or_else(|| {
        Error::usage("a quote is open, or the line ends with a backslash").hint("close it: 'a b' or \"a b\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        let words = split(r#"create oauth2-client -n "my app" --metadata '{"a": 1}' # so"#).unwrap();
        assert_eq!(words, ["create", "oauth2-client", "-n", "my app", "--metadata", r#"{"a": 1}"#]);
        assert!(split("a 'b").is_err());
    }
}
