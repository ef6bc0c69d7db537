//! The rows of an input, one at a time: CSV, a JSON list, JSON Lines, YAML documents, from a file or stdin.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::config::read;
use crate::error::{Error, Position, Result};
use crate::model::node::{Content, Node};
use crate::model::pieces::{self, Piece};
use crate::model::table_input::record::Records;
use crate::model::{input, json, table_input, yaml};
use crate::text::{hex, safe};

/// Where a row is, for messages.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its number, from 1.
    pub row: u64,
    /// Where it begins.
    pub at: Position,
}

impl Place {
    /// Of the only thing on a line.
    pub fn of_line(line: usize) -> Self {
        Place { row: line as u64, at: Position { line, column: 1 } }
    }
}

/// What a row has under a name.
#[derive(Debug)]
pub enum Given {
    /// The text of a cell.
    Text(String),
    /// A value with its place in the row.
    Node(Node),
}

/// A row as it stands there.
#[derive(Debug)]
pub struct Raw {
    /// Where it is.
    pub place: Place,
    /// What it has, by the number of the name in [`Rows::names`]; a cell that is empty is left out.
    pub cells: Vec<(usize, Given)>,
    /// What the places of its nodes are relative to.
    piece: Option<Piece>,
}

impl Raw {
    /// A row of which nothing is given but where it is.
    pub fn bare(place: Place) -> Self {
        Raw { place, cells: Vec::new(), piece: None }
    }

    /// An error in the row, with its place in the input.
    pub fn moved(&self, error: Error) -> Error {
        match &self.piece {
            // It stands in another text: a plugin's.
            _ if error.excerpt().is_some() => error,
            Some(piece) if error.position().is_some() => piece.moved(error),
            _ => error.at(self.place.at),
        }
    }
}

type Source = BufReader<Hashing<Box<dyn Read + Send>>>;

enum Reader {
    Csv { records: Box<Records<Source>>, width: usize },
    Json(pieces::Json<Source>),
    Yaml(pieces::Yaml<Source>),
}

/// The rows of an input.
pub struct Rows {
    /// What the input is called in messages.
    pub name: String,
    reader: Reader,
    names: Vec<String>,
    /// Where each name came up, in the row in which it did first.
    named_at: Vec<Position>,
    numbers: HashMap<String, usize>,
    row: u64,
    /// Entries of a list that was one document.
    waiting: std::vec::IntoIter<Node>,
    waiting_in: Option<(String, Position)>,
    hash: Arc<Mutex<Sha256>>,
}

impl Rows {
    /// Opens a file, or stdin for `-`. What it is is told by its name, else by how it begins.
    ///
    /// Errors are of usage: it cannot be opened; a header with a name that is there twice.
    pub fn open(file: &str) -> Result<Rows> {
        let name = read::name(file).to_owned();
        Rows::of(Box::new(read::open(file)?), name)
    }

    /// The rows of a text that is read from there.
    pub fn of(reader: Box<dyn Read + Send>, name: String) -> Result<Rows> {
        let hash = Arc::new(Mutex::new(Sha256::new()));
        let mut source = BufReader::with_capacity(64 * 1024, Hashing { reader, hash: Arc::clone(&hash) });
        let unreadable = |source| Error::usage(format!("cannot read {}", safe(&name))).caused_by(source);
        let mark = "\u{feff}".as_bytes();
        if source.fill_buf().map_err(unreadable)?.starts_with(mark) {
            source.consume(mark.len());
        }
        let begin = String::from_utf8_lossy(source.fill_buf().map_err(unreadable)?).into_owned();
        let mut rows = Rows {
            reader: Reader::Yaml(pieces::Yaml::new(BufReader::new(Hashing::empty()))),
            names: Vec::new(),
            named_at: Vec::new(),
            numbers: HashMap::new(),
            row: 0,
            waiting: Vec::new().into_iter(),
            waiting_in: None,
            hash,
            name,
        };
        if input::has_extension(&rows.name, &["csv"]) || input::is_csv(&begin, &rows.name) {
            let mut records = Records::new(source);
            let header = records.next().transpose().map_err(|error| error.about(safe(&rows.name)))?;
            let header = header.map(|(_, cells)| cells).unwrap_or_default();
            rows.take_header(&header)?;
            rows.reader = Reader::Csv { records: records.into(), width: header.len() };
        } else if input::is_json(&begin, &rows.name) {
            rows.reader = Reader::Json(pieces::Json::new(source));
        } else {
            rows.reader = Reader::Yaml(pieces::Yaml::new(source));
        }
        Ok(rows)
    }

    fn take_header(&mut self, header: &[String]) -> Result<()> {
        for (at, given) in header.iter().enumerate() {
            let name = given.trim().to_owned();
            if let Some(first) = self.numbers.insert(name.clone(), at) {
                return Err(Error::usage(format!(
                    "{}: column {}: `{}` is there twice (first as column {})",
                    safe(&self.name),
                    at + 1,
                    safe(&name),
                    first + 1
                )));
            }
            self.names.push(name);
        }
        Ok(())
    }

    /// The names so far: columns, or keys in the order of their first row.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where the name of that number came up, in its row.
    pub fn named_at(&self, number: usize) -> Position {
        self.named_at.get(number).copied().unwrap_or(Position { line: 1, column: 1 })
    }

    /// Whether names are those of columns.
    pub fn has_columns(&self) -> bool {
        matches!(self.reader, Reader::Csv { .. })
    }

    /// The SHA-256 of all that was read, in hex.
    pub fn hash(&self) -> String {
        hex(&self.hash.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize())
    }

    /// Reads the next row; `None` at the end.
    pub fn read(&mut self) -> Option<std::result::Result<Raw, Wrong>> {
        loop {
            if let Some(node) = self.waiting.next() {
                let piece = self.waiting_in.clone().map(|(text, at)| Piece { text, at, is_listed: true });
                return Some(self.row_of(node, piece));
            }
            match &mut self.reader {
                Reader::Csv { records, width } => {
                    let width = *width;
                    return match records.next()? {
                        Ok((line, cells)) => Some(self.row_of_cells(line, cells, width)),
                        Err(error) => Some(Err(Wrong::last(error))),
                    };
                }
                Reader::Json(pieces) => {
                    let piece = match pieces.next()? {
                        Ok(piece) => piece,
                        Err(error) => return Some(Err(Wrong::last(error))),
                    };
                    let node = match json::parse(&piece.text) {
                        Ok(node) => node,
                        Err(error) => return Some(Err(Wrong::last(piece.moved(error)))),
                    };
                    if piece.is_listed {
                        return Some(self.row_of(node, Some(Piece { text: String::new(), ..piece })));
                    }
                    match input::items(node) {
                        Ok(nodes) => self.wait(nodes, piece.at),
                        Err(error) => return Some(Err(Wrong::last(piece.moved(error)))),
                    }
                }
                Reader::Yaml(pieces) => {
                    let piece = match pieces.next()? {
                        Ok(piece) => piece,
                        Err(error) => return Some(Err(Wrong::last(error))),
                    };
                    let items = yaml::parse(&piece.text).and_then(|roots| {
                        roots.into_iter().try_fold(Vec::new(), |mut all, root| {
                            all.extend(input::items(root)?);
                            Ok(all)
                        })
                    });
                    match items {
                        Ok(nodes) => self.wait(nodes, piece.at),
                        Err(error) => return Some(Err(Wrong::last(piece.moved(error)))),
                    }
                }
            }
        }
    }

    fn wait(&mut self, nodes: Vec<Node>, at: Position) {
        self.waiting = nodes.into_iter();
        self.waiting_in = Some((String::new(), at));
    }

    fn row_of_cells(&mut self, line: usize, cells: Vec<String>, width: usize) -> std::result::Result<Raw, Wrong> {
        self.row += 1;
        let place = Place { row: self.row, at: Position { line, column: 1 } };
        table_input::check_width(cells.len(), width).map_err(|error| Wrong::row(place.clone(), error.at(place.at)))?;
        let cells = cells.into_iter().enumerate().filter(|(_, cell)| !cell.is_empty());
        Ok(Raw { place, cells: cells.map(|(at, cell)| (at, Given::Text(cell))).collect(), piece: None })
    }

    fn row_of(&mut self, node: Node, piece: Option<Piece>) -> std::result::Result<Raw, Wrong> {
        self.row += 1;
        let within = Error::usage("").at(node.at);
        let at = piece.as_ref().and_then(|piece| piece.moved(within).position()).unwrap_or(node.at);
        let place = Place { row: self.row, at };
        let Content::Object(entries) = node.content else {
            let error = Error::usage("a client's fields are due here").at(at);
            return Err(Wrong::row(place, error));
        };
        let mut cells = Vec::with_capacity(entries.len());
        for entry in entries {
            let next = self.names.len();
            let number = *self.numbers.entry(entry.key).or_insert_with_key(|key| {
                self.names.push(key.clone());
                self.named_at.push(entry.at);
                next
            });
            cells.push((number, Given::Node(entry.value)));
        }
        Ok(Raw { place, cells, piece })
    }
}

/// What is wrong with a row, or with the input from there on.
#[derive(Debug)]
pub struct Wrong {
    /// Which row it is; `None`: what comes after cannot be told apart any more.
    pub place: Option<Place>,
    /// What is wrong.
    pub error: Error,
}

impl Wrong {
    fn last(error: Error) -> Self {
        Wrong { place: None, error }
    }

    fn row(place: Place, error: Error) -> Self {
        Wrong { place: Some(place), error }
    }
}

/// A reader that hashes what it passes on.
struct Hashing<R> {
    reader: R,
    hash: Arc<Mutex<Sha256>>,
}

impl Hashing<Box<dyn Read + Send>> {
    fn empty() -> Self {
        Hashing { reader: Box::new(std::io::empty()), hash: Arc::default() }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.hash.lock().unwrap_or_else(PoisonError::into_inner).update(&buffer[..read]);
        Ok(read)
    }
}
