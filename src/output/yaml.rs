//! YAML 1.2 in block style, written row by row, in the shapes of JSON.
//!
//! Written by hand for three reasons: numbers keep every digit, a list streams, and no character that could move a
//! terminal's cursor is ever left bare. A string that any YAML version could read as something else is quoted.

use std::fmt::{self, Write};

use serde_json::Value;

use super::outcome::{Body, Id, Shape, Trailer};
use super::render::{Clear, Formatter, Progress};
use crate::error::Result;
use crate::text::is_unsafe;

pub(super) struct Yaml {
    shape: Shape,
    started: bool,
}

impl Yaml {
    pub(super) fn new(shape: Shape) -> Self {
        Yaml { shape, started: false }
    }
}

impl Formatter for Yaml {
    fn row(&mut self, body: Body, _: &Id, text: &mut String) -> Result<Progress> {
        if self.shape == Shape::List && !self.started {
            text.push_str("items:\n");
        }
        self.started = true;
        let value = Clear::of(&body);
        if self.shape == Shape::One {
            put(&value.0, 0, text);
        } else {
            text.push_str("- ");
            put(&value.0, 2, text);
        }
        Ok(Progress::Written)
    }

    fn end(&mut self, trailer: Option<Trailer>, text: &mut String) -> Result<()> {
        if !self.started {
            match self.shape {
                Shape::One => return Ok(()),
                Shape::Many => text.push_str("[]\n"),
                Shape::List => text.push_str("items: []\n"),
            }
        }
        if self.shape == Shape::List {
            put(&Value::Object(trailer.unwrap_or_else(Trailer::last_page).members()), 0, text);
        }
        Ok(())
    }
}

/// A value as a document.
pub fn text(value: &Value) -> String {
    let mut text = String::new();
    put(value, 0, &mut text);
    text
}

fn put(value: &Value, indent: usize, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = block(value, indent, text);
}

/// Writes a value as a document.
pub fn write(value: &Value, out: &mut impl Write) -> fmt::Result {
    block(value, 0, out)
}

/// Writes a value and a line end; the first line is indented already.
fn block(value: &Value, indent: usize, out: &mut impl Write) -> fmt::Result {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    spaces(indent, out)?;
                }
                string(name, out)?;
                out.write_char(':')?;
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.write_char('\n')?;
                        spaces(indent + 2, out)?;
                        block(value, indent + 2, out)?;
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        out.write_char('\n')?;
                        spaces(indent, out)?;
                        block(value, indent, out)?;
                    }
                    _ => {
                        out.write_char(' ')?;
                        block(value, indent, out)?;
                    }
                }
            }
            Ok(())
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    spaces(indent, out)?;
                }
                out.write_str("- ")?;
                block(item, indent + 2, out)?;
            }
            Ok(())
        }
        scalar => {
            match scalar {
                Value::String(given) => string(given, out)?,
                // `null`, `true`, `[]`, `{}` and numbers are the same in both languages.
                other => write!(out, "{other}")?,
            }
            out.write_char('\n')
        }
    }
}

fn spaces(count: usize, out: &mut impl Write) -> fmt::Result {
    write!(out, "{:count$}", "")
}

fn string(given: &str, out: &mut impl Write) -> fmt::Result {
    if is_plain(given) {
        return out.write_str(given);
    }
    out.write_char('"')?;
    for c in given.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            '\n' => out.write_str("\\n")?,
            '\t' => out.write_str("\\t")?,
            '\r' => out.write_str("\\r")?,
            c if !is_unsafe(c) && !is_noncharacter(c) => out.write_char(c)?,
            c => write!(out, "\\U{:08x}", u32::from(c))?,
        }
    }
    out.write_char('"')
}

/// What the YAML specification does not count among printable characters, beyond controls.
fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xfffe == 0xfffe
}

/// Whether a string needs no quotes: on the safe side, since quotes never harm.
fn is_plain(given: &str) -> bool {
    const WORDS: [&str; 12] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_-./+@ ,:=?&%~()".contains(c) || is_letter(c);
    given.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/' || is_letter(c))
        && given.chars().all(is_inner)
        && !given.contains(": ")
        && !given.ends_with([':', ' '])
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(given))
}

fn is_letter(c: char) -> bool {
    !c.is_ascii() && c.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn shown(value: &Value) -> String {
        let mut text = String::new();
        put(value, 0, &mut text);
        text
    }

    #[test]
    fn what_another_reader_could_take_for_something_else_is_quoted() {
        for text in ["no", "1.10", "null", "~", "", "0x1f", "1e3", "2026-01-01", "a: b", "a #b", "- x", "Yes", "a:"] {
            assert!(shown(&json!(text)).starts_with('"'), "{text}");
        }
        for text in ["https://a.example/cb", "openid offline", "authorization_code", "grün"] {
            assert_eq!(shown(&json!(text)), format!("{text}\n"));
        }
    }

    #[test]
    fn nesting() {
        let value = json!({"a": [], "b": {}, "c": ["x", {"d": [1, [2, 3]], "e": {"f": null}}], "g": {"h": true}});
        insta::assert_snapshot!(shown(&value), @"
        a: []
        b: {}
        c:
        - x
        - d:
          - 1
          - - 2
            - 3
          e:
            f: null
        g:
          h: true
        ");
        assert_eq!(serde_saphyr::from_str::<Value>(&shown(&value)).unwrap(), value);
    }

    #[test]
    fn every_digit_of_a_number_stays() {
        let text =
            r#"{"big":123456789012345678901234567890,"exact":0.10000000000000000000001,"small":-9223372036854775808}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        insta::assert_snapshot!(shown(&value), @"
        big: 123456789012345678901234567890
        exact: 0.10000000000000000000001
        small: -9223372036854775808
        ");
    }

    #[test]
    fn no_bare_character_moves_the_cursor() {
        let text = shown(&json!({"a\u{1b}": "\u{9b}31m\u{202e}\u{e0041}\u{feff}\u{ffff}"}));
        assert!(!text.contains(|c| c != '\n' && is_unsafe(c)), "{text}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![any::<String>(), "[a-z:# ~,-]{0,6}", "[0-9.eE+_-]{1,6}", Just("No".to_owned())];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_back_as_it_was(value in any_value()) {
            let text = shown(&value);
            prop_assert_eq!(serde_saphyr::from_str::<Value>(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?, value);
        }
    }
}
