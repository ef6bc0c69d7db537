//! JSON and YAML taken apart into the texts of single values, one at a time, however long the whole is.

use std::io::{BufRead, ErrorKind};

use crate::error::{Error, Position, Result};

/// The most bytes of one value.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A value's text, and where it begins.
#[derive(Debug)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Where it begins in the whole.
    pub at: Position,
    /// Whether it is an entry of a list.
    pub is_listed: bool,
}

impl Piece {
    /// An error in this text, with its place in the whole.
    pub fn moved(&self, error: Error) -> Error {
        let within = error.position().unwrap_or(Position { line: 1, column: 1 });
        let column = if within.line == 1 { within.column + self.at.column - 1 } else { within.column };
        error.at(Position { line: within.line + self.at.line - 1, column })
    }
}

/// The values of JSON texts that follow each other, and of a list its entries.
pub struct Json<R> {
    bytes: Bytes<R>,
    list: List,
}

/// Where in a list the reader is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum List {
    Outside,
    /// After its bracket.
    Opened,
    AfterEntry,
    AfterComma,
}

impl<R: BufRead> Json<R> {
    /// Reads from the beginning.
    pub fn new(reader: R) -> Self {
        Json { bytes: Bytes::new(reader), list: List::Outside }
    }

    fn find(&mut self) -> Result<Option<Piece>> {
        loop {
            let at = self.bytes.at;
            let Some(byte) = self.bytes.peek()? else {
                if self.list == List::Outside {
                    return Ok(None);
                }
                return Err(Error::usage("the list does not end").at(at));
            };
            match (byte, self.list) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => {}
                (b'[', List::Outside) => self.list = List::Opened,
                (b']', List::Opened | List::AfterEntry) => self.list = List::Outside,
                (b',', List::AfterEntry) => self.list = List::AfterComma,
                (b',' | b']', _) => {
                    return Err(Error::usage(format!("a value is due here, not `{}`", char::from(byte))).at(at));
                }
                (_, List::AfterEntry) => return Err(Error::usage("a comma is due here, or the list's end").at(at)),
                (_, list) => {
                    let is_listed = list != List::Outside;
                    if is_listed {
                        self.list = List::AfterEntry;
                    }
                    return Ok(Some(Piece { text: self.value(at)?, at, is_listed }));
                }
            }
            self.bytes.next()?;
        }
    }

    /// The text of the value that begins here; whether its syntax is right is for its reader to say.
    fn value(&mut self, at: Position) -> Result<String> {
        let mut text = Vec::new();
        let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
        while let Some(byte) = self.bytes.peek()? {
            if in_text {
                in_text = byte != b'"' || is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
            } else {
                match byte {
                    b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
                    b'"' => in_text = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
            }
            self.bytes.next()?;
            text.push(byte);
            if text.len() > MOST_BYTES {
                return Err(too_large(at));
            }
            if depth == 0 && !in_text && matches!(byte, b'}' | b']' | b'"') {
                break;
            }
        }
        if text.is_empty() {
            self.bytes.next()?;
            return Err(Error::usage("a value is due here").at(at));
        }
        String::from_utf8(text).map_err(|_| Error::usage("it is not UTF-8").at(at))
    }
}

/// Errors are of usage and carry their position; after one there is no more.
impl<R: BufRead> Iterator for Json<R> {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Result<Piece>> {
        self.find().transpose()
    }
}

fn too_large(at: Position) -> Error {
    Error::usage("a value of more than 4 MiB begins here").at(at)
}

/// Bytes one by one, with the place of the next one.
struct Bytes<R> {
    reader: R,
    at: Position,
}

impl<R: BufRead> Bytes<R> {
    fn new(reader: R) -> Self {
        Bytes { reader, at: Position { line: 1, column: 1 } }
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(source) if source.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(unreadable(source)),
            }
        }
    }

    fn next(&mut self) -> Result<()> {
        let Some(byte) = self.peek()? else { return Ok(()) };
        self.reader.consume(1);
        match byte {
            b'\n' => self.at = Position { line: self.at.line + 1, column: 1 },
            // Columns count characters, of which these bytes are no beginning.
            0x80..0xc0 => {}
            _ => self.at.column += 1,
        }
        Ok(())
    }
}

fn unreadable(source: std::io::Error) -> Error {
    match source.downcast::<Error>() {
        Ok(error) => error,
        Err(source) => Error::usage("cannot be read").caused_by(source),
    }
}

/// The documents of a YAML stream.
pub struct Yaml<R> {
    reader: R,
    line: usize,
    /// A line that begins the next document.
    next: Option<String>,
}

impl<R: BufRead> Yaml<R> {
    /// Reads from the beginning.
    pub fn new(reader: R) -> Self {
        Yaml { reader, line: 0, next: None }
    }
}

/// A document may be empty. Errors are of usage and carry their position; after one there is no more.
impl<R: BufRead> Iterator for Yaml<R> {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Result<Piece>> {
        let first = self.next.take();
        let at = Position { line: self.line + usize::from(first.is_none()), column: 1 };
        let mut text = first.unwrap_or_default();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) if text.is_empty() => return None,
                Ok(0) => return Some(Ok(Piece { text, at, is_listed: false })),
                Ok(_) => self.line += 1,
                Err(source) if source.kind() == ErrorKind::InvalidData => {
                    return Some(Err(Error::usage("it is not UTF-8").at(Position { line: self.line + 1, column: 1 })));
                }
                Err(source) => return Some(Err(unreadable(source))),
            }
            // At the start of a line this is nothing else in YAML.
            if line.starts_with("---") && line[3..].starts_with([' ', '\t', '\r', '\n']) && !text.is_empty() {
                self.next = Some(line);
                return Some(Ok(Piece { text, at, is_listed: false }));
            }
            text.push_str(&line);
            if text.len() > MOST_BYTES {
                return Some(Err(too_large(at).hint("give each client a document of its own, or use JSON Lines")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Vec<std::result::Result<(String, usize, usize), String>> {
        let pieces = Json::new(text.as_bytes());
        let mut found = Vec::new();
        for piece in pieces {
            let is_wrong = piece.is_err();
            found.push(match piece {
                Ok(piece) => Ok((piece.text, piece.at.line, piece.at.column)),
                Err(error) => Err(format!("{}: {}", error.message(), error.position().unwrap())),
            });
            if is_wrong {
                break;
            }
        }
        found
    }

    #[test]
    fn json_values_come_one_by_one() {
        let found = |text: &str, line, column| Ok((text.to_owned(), line, column));
        assert_eq!(
            json("[{\"a\": \"}\\\"]\"},\n {\"b\": [1, {}]} , 3]\n{\"c\":1}{\"d\":2}"),
            [
                found("{\"a\": \"}\\\"]\"}", 1, 2),
                found("{\"b\": [1, {}]}", 2, 2),
                found("3", 2, 19),
                found("{\"c\":1}", 3, 1),
                found("{\"d\":2}", 3, 8),
            ]
        );
        assert_eq!(json("[]\n"), []);
        for (text, why) in [
            ("[{},]", "not `]`: line 1, column 5"),
            ("[{} {}]", "a comma is due here, or the list's end: line 1, column 5"),
            ("[{}\n", "does not end: line 2, column 1"),
            ("[,", "not `,`: line 1, column 2"),
            ("}", "a value is due here: line 1, column 1"),
        ] {
            let last = json(text).pop().unwrap().unwrap_err();
            assert!(last.contains(why), "{text}: {last}");
        }
    }

    #[test]
    fn yaml_documents_come_one_by_one() {
        let pieces = Yaml::new("a: 1\n---\nb: 2\n--- c\nd\n".as_bytes());
        let mut found = Vec::new();
        for piece in pieces {
            let piece = piece.unwrap();
            found.push((piece.text, piece.at.line));
        }
        assert_eq!(found, [("a: 1\n".to_owned(), 1), ("---\nb: 2\n".to_owned(), 2), ("--- c\nd\n".to_owned(), 4)]);
    }
}
