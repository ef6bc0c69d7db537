//! `NAME=value` lines for a POSIX shell; of a client its id and secret.

use serde_json::Value;
use zeroize::Zeroizing;

use super::outcome::{Body, Id, Trailer};
use super::render::{Clear, Formatter, Progress};
use crate::error::Result;
use crate::text;

/// What is printed of a document that has the first of them.
const OF_A_CLIENT: [&str; 2] = ["client_id", "client_secret"];

pub(super) struct Env {
    on_screen: bool,
}

impl Env {
    pub(super) fn new(on_screen: bool) -> Self {
        Env { on_screen }
    }

    fn line(&self, name: &str, value: &Value, text: &mut String) {
        let value = Zeroizing::new(match value {
            Value::Array(_) | Value::Object(_) => return,
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let shown = if self.on_screen { text::escaped(&value) } else { value.as_str().into() };
        text.push_str(&variable(name));
        text.push('=');
        quoted(&shown, text);
        text.push('\n');
    }
}

impl Formatter for Env {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        let value = Clear::of(&body);
        match &value.0 {
            Value::Object(row) if matches!(body, Body::Document(_)) && row.contains_key(OF_A_CLIENT[0]) => {
                for name in OF_A_CLIENT {
                    if let Some(value) = row.get(name) {
                        self.line(name, value, text);
                    }
                }
            }
            Value::Object(row) => row.iter().for_each(|(name, value)| self.line(name, value, text)),
            other => self.line("id", other, text),
        }
        Ok(Progress::Written)
    }

    fn end(&mut self, _: Option<Trailer>, _: &mut String) -> Result<()> {
        Ok(())
    }
}

/// A member's name as that of a variable: no other character may reach a shell.
fn variable(name: &str) -> String {
    let mut variable: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if !variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        variable.insert(0, '_');
    }
    variable
}

fn quoted(value: &str, text: &mut String) {
    if value.chars().all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c)) {
        text.push_str(value);
    } else {
        text.push('\'');
        text.push_str(&value.replace('\'', "'\\''"));
        text.push('\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_back_what_was_written() {
        for value in ["plain-1_~", "", "a b", "it's", "$(exit 1)`x`", "two\nlines", "\"\\"] {
            let mut script = String::new();
            Env::new(false).line("client_secret", &value.into(), &mut script);
            script.push_str("printf %s \"$CLIENT_SECRET\"");
            let printed = Command::new("sh").args(["-c", &script]).output().unwrap().stdout;
            assert_eq!(String::from_utf8(printed).unwrap(), value);
        }
    }

    #[test]
    fn a_name_is_a_variable_s() {
        assert_eq!(variable("client_id"), "CLIENT_ID");
        assert_eq!(variable("a;rm -x"), "A_RM__X");
        assert_eq!(variable("1st"), "_1ST");
        assert_eq!(variable(""), "_");
    }
}
