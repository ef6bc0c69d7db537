//! YAML text with the place of each value, and the types that YAML 1.2's core schema gives to plain text.

mod schema;

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use super::node::{Content, DEEPEST, Members, Node};
use crate::error::{Error, Position, Result};
use crate::text::safe;

pub use schema::{core, is_null};

/// How many values all aliases together may stand for, so that a short file cannot become a huge one.
const MOST_ALIASED: usize = 10_000;

/// The nodes of the documents in a YAML text; none where there is nothing but comments.
pub fn parse(text: &str) -> Result<Vec<Node>> {
    refuse_controls(text)?;
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), aliased: 0 };
    let mut documents = Vec::new();
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => documents.push(reader.node(event, span, 0)?),
        }
    }
}

/// YAML allows no control characters (YAML 1.2.2 §5.1); the parser would take a NUL for the end.
fn refuse_controls(text: &str) -> Result<()> {
    let mut position = Position { line: 1, column: 1 };
    for c in text.chars() {
        match c {
            '\n' => position = Position { line: position.line + 1, column: 0 },
            '\t' | '\r' | '\u{85}' => {}
            c if c.is_control() => {
                return Err(
                    Error::usage(format!("the control character `{}` is not YAML", c.escape_default())).at(position)
                );
            }
            _ => {}
        }
        position.column += 1;
    }
    Ok(())
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(syntax(&error)),
            None => Err(Error::usage("the YAML ends too early")),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node> {
        let at = position(span.start);
        if depth > DEEPEST {
            return Err(Error::usage(format!("nested deeper than {DEEPEST} levels")).at(at));
        }
        let (anchor, content) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, scalar(text.into_owned(), style, tag.as_deref()).map_err(|error| error.at(at))?)
            }
            Event::SequenceStart(anchor, tag) => {
                collection_tag(tag.as_deref(), "seq").map_err(|error| error.at(at))?;
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(tag.as_deref(), "map").map_err(|error| error.at(at))?;
                (anchor, self.object(depth)?)
            }
            _ => return Err(Error::usage("a value is missing").at(at)),
        };
        let node = Node { at, content };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Content> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(nodes)),
                (event, span) => nodes.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Content> {
        let mut members = Members::default();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(members.into_content());
            }
            let key = self.node(event, span, depth + 1)?;
            let at = position(span.start);
            let (Content::Plain(key) | Content::Typed(Value::String(key))) = key.content else {
                return Err(Error::usage("only text can be the name of a field").at(at));
            };
            members.claim(&key, at)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            members.push(key, at, value);
        }
    }

    /// A copy of what the alias stands for, as long as all copies together stay small.
    fn alias(&mut self, anchor: usize, at: Position) -> Result<Node> {
        let node = self
            .anchors
            .get(&anchor)
            .ok_or_else(|| Error::usage("an alias stands inside of what it stands for").at(at))?;
        self.aliased += node.size();
        if self.aliased > MOST_ALIASED {
            return Err(Error::usage(format!("the aliases stand for more than {MOST_ALIASED} values")).at(at));
        }
        Ok(Node { at, content: node.content.clone() })
    }
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Result<Content> {
    let is_plain = style == ScalarStyle::Plain;
    match tag {
        None if is_plain => Ok(Content::Plain(text)),
        None => Ok(Content::Typed(Value::String(text))),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(Content::Typed(Value::String(text))),
            "null" | "bool" | "int" | "float" => Ok(Content::Typed(core(&text)?)),
            _ => Err(unknown(tag)),
        },
        // `! text` is text (YAML 1.2.2 §6.9.1).
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Ok(Content::Typed(Value::String(text))),
        Some(tag) => Err(unknown(tag)),
    }
}

fn collection_tag(tag: Option<&Tag>, own: &str) -> Result<()> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == own) => Err(unknown(tag)),
        _ => Ok(()),
    }
}

fn unknown(tag: &Tag) -> Error {
    Error::usage(format!("the YAML tag `{}` is not known here", safe(&tag.to_string())))
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

fn syntax(error: &ScanError) -> Error {
    Error::usage(safe(error.info())).at(position(*error.marker()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value(text: &str) -> Result<Value> {
        parse(text)?.remove(0).value(&core)
    }

    #[test]
    fn yaml_becomes_json() {
        for (text, expected) in [
            (
                "a: [1, 'x', no, ~]\nb:\n  - c: |-\n      two\n      lines",
                json!({"a": [1, "x", "no", null], "b": [{"c": "two\nlines"}]}),
            ),
            ("a: &x {b: 1}\nc: *x", json!({"a": {"b": 1}, "c": {"b": 1}})),
            ("a: !!str 5\nb: !!int '5'\nc: !!map {}\nd: ! 5", json!({"a": "5", "b": 5, "c": {}, "d": "5"})),
            ("1: one\n~: nothing", json!({"1": "one", "~": "nothing"})),
            ("# only\n--- # this\nx", json!("x")),
        ] {
            assert_eq!(value(text).unwrap(), expected, "{text}");
        }
        assert!(parse("# nothing\n").unwrap().is_empty());
        assert_eq!(parse("a: 1\n---\nb: 2").unwrap().len(), 2);
    }

    #[test]
    fn what_is_refused_names_its_place() {
        for (text, message, line, column) in [
            ("a: 1\nb: 2\n a: 3", "", 3, 0),
            ("a: 1\na: 2", "`a` is given twice (first at line 1, column 1)", 2, 1),
            ("a: !secret x", "the YAML tag `!secret` is not known here", 1, 4),
            ("a: *x", "", 1, 4),
            ("a: &x [*x]", "", 1, 0),
            ("[a]: 1", "only text can be the name", 1, 1),
            ("a:\n\t- b", "", 2, 0),
            ("a: b\0c", "control character", 1, 5),
            ("a: {b: 1", "", 0, 0),
        ] {
            let error = value(text).unwrap_err();
            assert!(error.message().contains(message), "{text}: {}", error.message());
            let place = error.position().unwrap();
            assert!(line == 0 || place.line == line, "{text}: {place}");
            assert!(column == 0 || place.column == column, "{text}: {place}");
        }
    }

    #[test]
    fn a_short_file_cannot_become_a_huge_one() {
        let level = |level: usize| {
            let alias = format!("*a{}", level - 1);
            format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "))
        };
        let bomb = format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{}", (1..10).map(level).collect::<String>());
        assert!(value(&bomb).unwrap_err().message().contains("aliases"));
        for deep in ["[".repeat(300), "- ".repeat(5000) + "x", "{a: ".repeat(300)] {
            assert!(parse(&deep).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text in "[-\\[\\]{}:,?&*!|>%@'\"# \n\ta0é~]{0,30}") {
            let _ = parse(&text);
        }
    }
}
