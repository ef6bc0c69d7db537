//! Quotes in CSV, which the reader takes as they come: one that never ends would swallow the rows below it.

use crate::error::{Error, Position, Result};

/// Errors: a quote that does not end, or text between its end and the next comma, with the line of it.
pub fn check(text: &str) -> Result<()> {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        if bytes[at] != b'"' {
            // To the end of a cell without quotes.
            let end =
                bytes[at..].iter().position(|byte| matches!(byte, b',' | b'\n')).map_or(bytes.len(), |len| at + len);
            line += usize::from(bytes.get(end) == Some(&b'\n'));
            at = end + 1;
            continue;
        }
        let opened = Position { line, column: 1 };
        at += 1;
        loop {
            match (bytes.get(at), bytes.get(at + 1)) {
                (None, _) => {
                    return Err(Error::usage(format!("line {}: a quote that begins here does not end", opened.line))
                        .hint("a quote inside quotes is written twice")
                        .at(opened));
                }
                (Some(b'"'), Some(b'"')) => at += 2,
                (Some(b'"'), _) => break,
                (Some(byte), _) => {
                    line += usize::from(*byte == b'\n');
                    at += 1;
                }
            }
        }
        at += 1;
        match bytes.get(at) {
            None | Some(b',' | b'\n' | b'\r') => {}
            Some(_) => {
                return Err(Error::usage(format!("line {line}: text follows the end of a quote"))
                    .hint("a quote inside quotes is written twice")
                    .at(Position { line, column: 1 }));
            }
        }
        at += usize::from(bytes.get(at) == Some(&b','));
    }
    Ok(())
}

/// An error of [`check`] in a part of a text that begins on this line.
pub fn moved(error: Error, line: usize) -> Error {
    let Some(Position { line: within, column }) = error.position() else { return error };
    let (told, is) = (format!("line {within}: "), format!("line {}: ", within + line - 1));
    let message = error.message().replacen(&told, &is, 1);
    let moved = error.hints().iter().fold(Error::usage(message), Error::hint);
    moved.at(Position { line: within + line - 1, column })
}

/// Whether quotes are open at the end of a line, read line by line.
#[derive(Debug, Default)]
pub struct Scan {
    is_open: bool,
    /// Whether a cell begins here.
    is_at_start: Option<bool>,
}

impl Scan {
    /// Reads one more line, with its end. True: a cell that has begun goes on in the next one.
    pub fn is_open_after(&mut self, line: &[u8]) -> bool {
        let mut at_start = self.is_at_start.unwrap_or(true);
        let mut was_quote = false;
        for byte in line {
            match byte {
                b'"' if self.is_open => self.is_open = false,
                // A quote that follows one is a quote inside.
                b'"' if at_start || was_quote => self.is_open = true,
                _ => {}
            }
            was_quote = *byte == b'"' && !self.is_open;
            at_start = matches!(byte, b',' | b'\n') && !self.is_open;
        }
        self.is_at_start = Some(at_start);
        self.is_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_end_where_a_cell_ends() {
        for text in ["", "a,b\n1,2", "a,\"b\"\r\n\"1\n,\"\"2\",\"\"\n", "a\"b,c\n", "\"a\"", "a,\n\"b\",\n"] {
            assert!(check(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("a,b\n1,\"2\n3,4\n", "line 2: a quote that begins here does not end"),
            ("a\n\"x\"y\n", "line 2: text follows"),
            ("a\n\"1\n2\" ,3\n", "line 3: text follows"),
            ("\"\"\"", "does not end"),
        ] {
            assert!(check(text).unwrap_err().message().contains(why), "{text}");
        }
    }
}
