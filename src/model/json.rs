//! JSON text with the place of each value; numbers keep all their digits.
//!
//! `serde_json` says whether the syntax is right, so what walks the text afterwards can be simple.

use memchr::memchr2;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::node::{Content, DEEPEST, Members, Node};
use crate::error::{Error, Position, Result};

/// The value of a JSON text. Errors tell the line and column in their message.
pub fn value(text: &str) -> Result<Value> {
    let place = |error: Error| match error.position() {
        Some(position) => {
            let message = format!("{} at {position}", error.message());
            error.hints().iter().fold(Error::usage(message).at(position), Error::hint)
        }
        None => error,
    };
    read(text).map_err(place)
}

/// The same. Errors carry their position.
pub fn read(text: &str) -> Result<Value> {
    parse(text).and_then(|node| node.value(&|text| Ok(Value::from(text))))
}

/// The nodes of a JSON text. Errors carry their position.
pub fn parse(text: &str) -> Result<Node> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| syntax(text, &error))?;
    Walk::new(text).node(0)
}

/// Whether a node stands by itself, or is one of a list that does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// By itself.
    Alone,
    /// In a list.
    Listed,
}

/// Hands over the nodes of JSON texts that follow each other, with or without space between them, and of a list its
/// entries, each before the next one is read. Errors carry their position.
pub fn each(text: &str, mut take: impl FnMut(Node, Standing) -> Result<()>) -> Result<()> {
    let texts = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let count = texts.map(|read| read.map_err(|error| syntax(text, &error))).try_fold(0, |count, read| {
        read?;
        Ok(count + 1)
    })?;
    let mut walk = Walk::new(text);
    for _ in 0..count {
        walk.skip_space();
        if walk.peek() == b'[' {
            while walk.enter_or_next(b']') {
                take(walk.node(1)?, Standing::Listed)?;
            }
        } else {
            take(walk.node(0)?, Standing::Alone)?;
        }
    }
    Ok(())
}

/// A syntax error with its column counted in characters, as `serde_json` counts bytes.
fn syntax(text: &str, error: &serde_json::Error) -> Error {
    let (line, bytes) = (error.line(), error.column());
    let whole = text.split('\n').nth(line.saturating_sub(1)).unwrap_or("");
    let column = whole.char_indices().take_while(|(at, _)| *at < bytes).count().max(1);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    Error::usage(message).at(Position { line: line.max(1), column })
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// The place up to which lines and columns were counted, and what they were there.
    counted: usize,
    position: Position,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Walk { text, at: 0, counted: 0, position: Position { line: 1, column: 1 } }
    }

    fn node(&mut self, depth: usize) -> Result<Node> {
        self.skip_space();
        let at = self.position();
        if depth > DEEPEST {
            return Err(Error::usage(format!("nested deeper than {DEEPEST} levels")).at(at));
        }
        let content = match self.peek() {
            b'{' => self.object(depth)?,
            b'[' => self.list(depth)?,
            b'"' => Content::Typed(Value::String(self.string(at)?)),
            _ => Content::Typed(self.word(at)?),
        };
        Ok(Node { at, content })
    }

    fn object(&mut self, depth: usize) -> Result<Content> {
        let mut members = Members::default();
        while self.enter_or_next(b'}') {
            let at = self.position();
            let key = self.string(at)?;
            members.claim(&key, at)?;
            self.skip_space();
            self.at += 1; // the colon
            let value = self.node(depth + 1)?;
            members.push(key, at, value);
        }
        Ok(members.into_content())
    }

    fn list(&mut self, depth: usize) -> Result<Content> {
        let mut nodes = Vec::new();
        while self.enter_or_next(b']') {
            nodes.push(self.node(depth + 1)?);
        }
        Ok(Content::List(nodes))
    }

    /// Steps over the opening bracket or a comma to the next entry, or over the closing bracket.
    fn enter_or_next(&mut self, close: u8) -> bool {
        self.skip_space();
        if self.peek() == close {
            self.at += 1;
            return false;
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == close {
            self.at += 1;
            return false;
        }
        true
    }

    fn string(&mut self, at: Position) -> Result<String> {
        let start = self.at;
        let text = self.text.get(start + 1..).unwrap_or_default();
        // Most have no escapes, and are what stands there.
        match memchr2(b'"', b'\\', text.as_bytes()) {
            Some(end) if text.as_bytes()[end] == b'"' => {
                self.at = start + end + 2;
                return Ok(text[..end].to_owned());
            }
            found => self.at += 1 + found.unwrap_or(text.len()),
        }
        while self.peek() != b'"' && self.at < self.text.len() {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        self.read(start, at)
    }

    fn word(&mut self, at: Position) -> Result<Value> {
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        self.read(start, at)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, start: usize, at: Position) -> Result<T> {
        let slice = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(slice).map_err(|error| {
            let message = error.to_string();
            Error::usage(message.split(" at line ").next().unwrap_or_default().to_owned()).at(at)
        })
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// The next byte; 0 at the end, which stands nowhere else outside of strings.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn position(&mut self) -> Position {
        for c in self.text.get(self.counted..self.at).unwrap_or_default().chars() {
            if c == '\n' {
                self.position = Position { line: self.position.line + 1, column: 1 };
            } else {
                self.position.column += 1;
            }
        }
        self.counted = self.at;
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_digits_and_a_reserved_key_stays_a_key() {
        let text = r#"{"big":123456789012345678901234567890,"exact":1.10,"$serde_json::private::Number":"7"}"#;
        assert_eq!(value(text).unwrap().to_string(), text);
    }

    #[test]
    fn errors_name_the_place_in_characters() {
        for (text, message) in [
            ("{\"é\":,}", "expected value at line 1, column 6"),
            ("{\n \"a\": 1,\n  \"a\": 2}", "`a` is given twice (first at line 2, column 2) at line 3, column 3"),
            ("{\"a\": \"\\ud800\"}", "at line 1, column 7"),
            ("", "EOF while parsing a value at line 1, column 1"),
        ] {
            let error = value(text).unwrap_err();
            assert!(error.message().contains(message), "{text}: {}", error.message());
        }
        assert!(value(&"[".repeat(100_000)).is_err());
        assert!(value(&format!("{}{}", "[".repeat(102), "]".repeat(102))).is_err());
        assert!(value(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map(".*", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_as_serde_json_reads_it(value in any_json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(super::value(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
            }
        }

        #[test]
        fn no_text_brings_it_down(text in "[\\[\\]{},:\"\\\\ \na0é]{0,20}") {
            let _ = value(&text);
        }
    }
}
