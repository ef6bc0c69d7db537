//! CSV read one record at a time, however long the text is.

use std::io::{BufRead, Read as _};

use csv_core::ReadRecordResult;

use super::quotes;
use crate::error::{Error, Position, Result};

/// The most bytes of one record.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The records of a text, each with the line that it begins on.
pub struct Records<R> {
    reader: R,
    parser: csv_core::Reader,
    line: usize,
    raw: Vec<u8>,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: BufRead> Records<R> {
    /// Reads from there, which is the beginning of the first line.
    pub fn new(reader: R) -> Self {
        Records {
            reader,
            parser: csv_core::Reader::new(),
            line: 1,
            raw: Vec::new(),
            cells: vec![0; 1024],
            ends: vec![0; 32],
        }
    }

    /// Reads lines up to the end of a record. False: there is none any more.
    fn fill(&mut self) -> Result<bool> {
        self.raw.clear();
        let mut quotes = quotes::Scan::default();
        let begun = self.line;
        loop {
            let from = self.raw.len();
            let room = (MOST_BYTES + 1).saturating_sub(from) as u64;
            let read =
                self.reader.by_ref().take(room).read_until(b'\n', &mut self.raw).map_err(|source| {
                    match source.downcast::<Error>() {
                        Ok(error) => error,
                        Err(source) => Error::usage("cannot be read").caused_by(source),
                    }
                })?;
            if read == 0 {
                return Ok(!self.raw.is_empty());
            }
            self.line += usize::from(self.raw.last() == Some(&b'\n'));
            if self.raw.len() > MOST_BYTES {
                return Err(Error::usage(format!("line {begun}: a record of more than 4 MiB begins here"))
                    .hint("does a quote not end?")
                    .at(Position { line: begun, column: 1 }));
            }
            if !quotes.is_open_after(&self.raw[from..]) {
                return Ok(true);
            }
        }
    }

    fn parsed(&mut self, line: usize) -> Result<Vec<String>> {
        let at = Position { line, column: 1 };
        let text =
            std::str::from_utf8(&self.raw).map_err(|_| Error::usage(format!("line {line}: it is not UTF-8")).at(at))?;
        quotes::check(text).map_err(|error| quotes::moved(error, line))?;
        self.parser.reset();
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (result, input, output, ends) =
                self.parser.read_record(&self.raw[read..], &mut self.cells[written..], &mut self.ends[ended..]);
            (read, written, ended) = (read + input, written + output, ended + ends);
            match result {
                ReadRecordResult::InputEmpty if read == self.raw.len() => {
                    // The end of the input is told by one more reading of nothing.
                    self.raw.clear();
                    read = 0;
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        // Nothing of a file is passed over without a word.
        if self.raw[read.min(self.raw.len())..].iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            return Err(Error::usage(format!("line {line}: a carriage return alone ends a row there"))
                .hint("rows end with a line feed, or with both (RFC 4180 §2)")
                .at(at));
        }
        let mut begin = 0;
        let mut cells = Vec::with_capacity(ended);
        for end in &self.ends[..ended] {
            // What was valid as a whole is so in its parts, as they end at ASCII characters.
            cells.push(String::from_utf8_lossy(&self.cells[begin..*end]).into_owned());
            begin = *end;
        }
        Ok(cells)
    }
}

/// The records that are no empty lines, and the line each begins on.
///
/// Errors are of usage, with the line: quotes that do not end, text that is not UTF-8, a record that is too large.
impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<(usize, Vec<String>)>;

    fn next(&mut self) -> Option<Result<(usize, Vec<String>)>> {
        loop {
            let line = self.line;
            match self.fill() {
                Ok(false) => return None,
                Ok(true) if self.raw.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => {}
                Ok(true) => return Some(self.parsed(line).map(|cells| (line, cells))),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_one_by_one_with_their_lines() {
        let text = "a,b\r\n\r\n\"1\n\"\"2\",\nx,\"\"\r\nlast";
        let records = Records::new(text.as_bytes());
        let mut found = Vec::new();
        for record in records {
            found.push(record.unwrap());
        }
        let cells = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [(1, cells(&["a", "b"])), (3, cells(&["1\n\"2", ""])), (5, cells(&["x", ""])), (6, cells(&["last"]))]
        );
        let long = format!("{}\n{}\n", vec!["x"; 100].join(","), "y".repeat(5_000));
        let mut records = Records::new(long.as_bytes());
        assert_eq!(records.next().unwrap().unwrap().1.len(), 100);
        assert_eq!(records.next().unwrap().unwrap().1[0].len(), 5_000);
        for (text, why) in
            [("a\n\"b\nc\n", "line 2: a quote that begins here"), ("a\n\"b\"c\n", "line 2: text follows")]
        {
            let mut records = Records::new(text.as_bytes());
            records.next().unwrap().unwrap();
            let error = records.next().unwrap().unwrap_err();
            assert!(error.message().contains(why), "{error}");
        }
    }
}
