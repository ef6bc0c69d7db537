//! JSON, YAML and CSV: read as values, rows read one at a time, and written whole.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _};
use std::sync::{Arc, Mutex};

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext as Call};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::config::read;
use crate::error::{Error, Position, Result, nearest};
use crate::model::client::Client;
use crate::model::pieces;
use crate::model::table_input::record::Records;
use crate::model::{json, table_input, yaml};
use crate::output;
use crate::script::api;
use crate::script::clients::Query;
use crate::script::engine::Context;
use crate::script::errors::{ScriptResult, Spot, thrown, thrown_of};
use crate::script::library::Library;
use crate::script::made::{Made, made, unwritten};
use crate::script::missing::named;
use crate::script::rows::{self, Fetched};
use crate::script::value;
use crate::session::handle::locked;
use crate::text::safe;
use crate::ui::input::Input;

/// Registers the modules.
pub fn register(library: &mut Library, engine: &mut Engine, context: &Context) {
    rows::register::<Rows>(engine);
    of_json(library, context);
    of_yaml(library, context);
    of_csv(library, context);
}

fn of_json(library: &mut Library, context: &Context) {
    let (reading, lines) = (context.clone(), context.clone());
    let most = context.most_memory();
    library.add(
        ("json", "parse(text) -> value"),
        ("The value of a JSON text", r#"json::parse(`{"a": [1, 2]}`).a"#),
        move |text: &str| value::parse_json(text, most),
    );
    library.add(
        ("json", "text(value) -> text"),
        ("A value as JSON; secrets show as `[REDACTED]`", "json::text(#{a: [1, 2]})"),
        |value: Dynamic| value::json_text(&value),
    );
    library.add(
        ("json", "pretty(value) -> text"),
        ("The same over several lines", "json::pretty(#{a: [1, 2]})"),
        |value: Dynamic| made(|out| pretty(&value, out)),
    );
    library.add(
        ("json", "read(path) -> value"),
        ("The value of a JSON file", r#"json::write("x.json", [1]); json::read("x.json")"#),
        move |path: &str| file(&reading, path, |text| json::value(text).map(|value| value::from_json(&value))),
    );
    let bound = context.clone();
    library.add(
        ("json", "write(path, value)"),
        ("Writes a JSON file, whole; secrets in it as `[REDACTED]`", r#"json::write("x.json", #{a: 1})"#),
        move |path: &str, value: Dynamic| {
            let text = made(|out| {
                pretty(&value, out)?;
                out.write_char('\n').map_err(unwritten)
            });
            text.and_then(|text| written(&bound, path, &text))
        },
    );
    library.add(
        ("json", "lines(path) -> rows"),
        (
            "The values of a JSON Lines file or a JSON list, read one at a time",
            r#"json::write("x.json", [1, 2]); let n = 0; for x in json::lines("x.json") { n += x } n"#,
        ),
        move |call: Call<'_>, path: &str| {
            let rows = lines.readable(path).and_then(|path| Rows::json(&path));
            rows.map(|rows| rows.asked_for_at(Spot::of(&call))).map_err(thrown)
        },
    );
    let bound = context.clone();
    library.add(
        ("json", "write_lines(path, rows)"),
        (
            "Writes a JSON Lines file, whole; secrets in it as `[REDACTED]`",
            r#"json::write_lines("x.jsonl", [#{a: 1}, #{a: 2}])"#,
        ),
        move |path: &str, rows: Dynamic| {
            let rows = all(rows)?;
            let line = |row: &Dynamic, out: &mut Made| {
                let value = value::to_json(row, false)?;
                writeln!(out, "{value}").map_err(unwritten)
            };
            made(|out| rows.iter().try_for_each(|row| line(row, out))).and_then(|text| written(&bound, path, &text))
        },
    );
}

fn of_yaml(library: &mut Library, context: &Context) {
    let reading = context.clone();
    let most = context.most_memory();
    library.add(
        ("yaml", "parse(text) -> value"),
        ("The value of a YAML document, of several an array, of none `()`", r#"yaml::parse("a: [1, 2]").a"#),
        move |text: &str| value::fits(most, text).and_then(|()| documents(text).map_err(thrown)),
    );
    library.add(
        ("yaml", "text(value) -> text"),
        ("A value as YAML; secrets show as `[REDACTED]`", "yaml::text(#{a: [1, 2]})"),
        |value: Dynamic| in_yaml(&value),
    );
    library.add(
        ("yaml", "read(path) -> value"),
        ("The value of a YAML file", r#"yaml::write("x.yaml", #{a: 1}); yaml::read("x.yaml").a"#),
        move |path: &str| file(&reading, path, documents),
    );
    let bound = context.clone();
    library.add(
        ("yaml", "write(path, value)"),
        ("Writes a YAML file, whole; secrets in it as `[REDACTED]`", r#"yaml::write("x.yaml", #{a: 1})"#),
        move |path: &str, value: Dynamic| in_yaml(&value).and_then(|text| written(&bound, path, &text)),
    );
}

/// A value as JSON over several lines.
fn pretty(value: &Dynamic, out: &mut Made) -> ScriptResult<()> {
    let value = value::to_json(value, false)?;
    write!(out, "{value:#}").map_err(unwritten)
}

/// A value as YAML.
fn in_yaml(value: &Dynamic) -> ScriptResult<String> {
    let value = value::to_json(value, false)?;
    made(|out| output::yaml::write(&value, out).map_err(unwritten))
}

fn of_csv(library: &mut Library, context: &Context) {
    let reading = context.clone();
    library.add(
        ("csv", "read(path) -> rows"),
        (
            "The rows of a CSV file as maps of text, read one at a time",
            r#"csv::write("x.csv", [#{a: 1}]); for row in csv::read("x.csv") { print(row.a) }"#,
        ),
        move |call: Call<'_>, path: &str| {
            let rows = reading.readable(path).and_then(|path| Rows::csv(&path));
            rows.map(|rows| rows.asked_for_at(Spot::of(&call))).map_err(thrown)
        },
    );
    library.add(
        ("csv", "columns(rows) -> array"),
        (
            "The names of the columns of what `csv::read` reads, though there be no row",
            r#"csv::write("x.csv", [#{a: 1}]); csv::columns(csv::read("x.csv"))"#,
        ),
        |rows: Rows| -> Array { rows.columns().into_iter().map(Into::into).collect() },
    );
    library.add(
        ("csv", "text(rows) -> text"),
        (
            "Maps as CSV, whose columns are the keys of the first; secrets as `[REDACTED]`",
            r#"csv::text([#{a: 1, b: "x"}])"#,
        ),
        |rows: Dynamic| table(&all(rows)?),
    );
    let bound = context.clone();
    library.add(
        ("csv", "write(path, rows)"),
        ("Writes a CSV file, whole; secrets in it as `[REDACTED]`", r#"csv::write("x.csv", [#{a: 1, b: "x"}])"#),
        move |path: &str, rows: Dynamic| table(&all(rows)?).and_then(|text| written(&bound, path, &text)),
    );
    let bound = context.clone();
    library.add(
        ("csv", "append(path, rows)"),
        (
            "Puts a map, or an array of them, below the rows of a CSV file, on disk when it returns; secrets in it as `[REDACTED]`",
            r#"csv::append("log.csv", #{a: 1, b: "x"}); csv::append("log.csv", [#{a: 2}])"#,
        ),
        move |path: &str, rows: Dynamic| append(&bound, path, rows),
    );
}

fn documents(text: &str) -> Result<Dynamic> {
    let roots = yaml::parse(text)?;
    let values: Vec<Value> = roots.into_iter().map(|root| root.value(&yaml::core)).collect::<Result<_>>()?;
    Ok(match values.as_slice() {
        [] => Dynamic::UNIT,
        [one] => value::from_json(one),
        several => several.iter().map(value::from_json).collect::<Array>().into(),
    })
}

/// The same error, which says where in a file it is.
fn in_file(error: Error, path: &str) -> Error {
    let is_said = |at: &Position| error.message().contains(&format!("line {}", at.line));
    let at = error.position().filter(|at| !is_said(at)).map(|at| format!(", {at}")).unwrap_or_default();
    error.about(format!("{}{at}", safe(path)))
}

/// What is in a file. Errors name it.
fn file(context: &Context, path: &str, parse: impl Fn(&str) -> Result<Dynamic>) -> ScriptResult<Dynamic> {
    let text = context.readable(path).and_then(|path| read::within(&path, context.most_read())).map_err(thrown)?;
    value::fits(context.most_memory(), &text)?;
    parse(&text).map_err(|error| thrown(in_file(error, path)))
}

fn written(context: &Context, path: &str, text: &str) -> ScriptResult<()> {
    api::files::write(context, path, text.as_bytes()).map_err(thrown)
}

/// What can be gone through, as an array.
fn all(rows: Dynamic) -> ScriptResult<Array> {
    if let Some(query) = rows.read_lock::<Query>() {
        return rows::all(query.rows());
    }
    if let Some(rows) = rows.read_lock::<Rows>() {
        return rows::all(rows.rows());
    }
    let kind = named(rows.type_name());
    rows.try_cast::<Array>().ok_or_else(|| thrown(Error::usage(format!("rows are due: an array, not {kind}"))))
}

/// Rows as CSV under the keys of the first.
fn table(rows: &[Dynamic]) -> ScriptResult<String> {
    let columns = rows.first().map(keys).unwrap_or_default();
    lines(&columns, rows, !rows.is_empty())
}

/// The names of what is in a map or a client; of anything else none.
fn keys(row: &Dynamic) -> Vec<String> {
    if let Some(client) = row.read_lock::<Client>() {
        return client.document().redacted().keys().cloned().collect();
    }
    row.read_lock::<Map>().map(|map| map.keys().map(ToString::to_string).collect()).unwrap_or_default()
}

/// Rows as lines of CSV below these columns: maps, or arrays of cells.
fn lines(columns: &[String], rows: &[Dynamic], is_headed: bool) -> ScriptResult<String> {
    let mut writer = csv::Writer::from_writer(Made::default());
    if is_headed {
        writer.write_record(columns).map_err(unwritten)?;
    }
    for (at, row) in rows.iter().enumerate() {
        let value = value::to_json(row, false)?;
        let cells: Vec<Cow<'_, str>> = match &value {
            Value::Object(members) => {
                if let Some(stranger) = members.keys().find(|key| !columns.contains(key)) {
                    let wrong = format!("row {} has `{}`, which is no column", at + 1, safe(stranger));
                    let known: Vec<&str> = columns.iter().map(String::as_str).collect();
                    return Err(thrown(Error::usage(wrong).did_you_mean(nearest(stranger, known))));
                }
                columns.iter().map(|column| cell(members.get(column))).collect()
            }
            Value::Array(cells) if cells.len() == columns.len() => {
                cells.iter().map(|value| cell(Some(value))).collect()
            }
            _ => {
                let wrong = format!("row {}: a map is due, not {}", at + 1, named(row.type_name()));
                return Err(thrown(Error::usage(wrong)));
            }
        };
        writer.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(unwritten)?;
    }
    writer.into_inner().map(Made::text).map_err(unwritten)
}

/// What stands in a cell.
fn cell(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => Cow::Owned(other.to_string()),
    }
}

/// Puts rows below those of a file, under its own columns; without a file they are its first.
fn append(context: &Context, path: &str, rows: Dynamic) -> ScriptResult<()> {
    let rows = if rows.is_map() { vec![rows] } else { all(rows)? };
    let real = context.writable(path).map_err(thrown)?;
    api::files::append(context, path, |is_empty| {
        if is_empty { table(&rows) } else { lines(&Rows::csv(&real).map_err(thrown)?.columns(), &rows, false) }
    })
}

/// Rows that are read as a `for` gets there.
#[derive(Clone)]
pub struct Rows {
    path: String,
    source: Arc<Mutex<Source>>,
    /// Where the script asks for them.
    at: Spot,
}

enum Source {
    Csv {
        header: Vec<rhai::Identifier>,
        records: Box<Records<BufReader<Input>>>,
        row: u64,
    },
    Json {
        pieces: Box<pieces::Json<BufReader<Input>>>,
    },
    /// JSON Lines.
    Lines {
        lines: Box<BufReader<Input>>,
        line: usize,
    },
}

/// Whether a file begins with a list that ends on its line, and goes on: it is no list of values, but a value a line.
fn is_lines_of_lists(beginning: &[u8]) -> bool {
    let Some(end) = beginning.iter().position(|byte| *byte == b'\n') else { return false };
    let (first, rest) = beginning.split_at(end);
    let is_list = first.trim_ascii_start().starts_with(b"[") && serde_json::from_slice::<Vec<Value>>(first).is_ok();
    is_list && !rest.trim_ascii().is_empty()
}

/// The value that a line is.
fn value_of(text: &str, at: Position) -> Result<Value> {
    let wrong = |what: &str, offset: usize| {
        let column = text[..offset].chars().count() + 1;
        Error::usage(what).at(Position { column, ..at }).hint("JSON Lines has a value a line")
    };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let first = values.next();
    let end = values.byte_offset();
    let rest = &text[end..];
    match first {
        Some(Err(error)) if error.is_eof() => Err(wrong("the value does not end on its line", 0)),
        Some(Ok(_)) if !rest.trim_ascii().is_empty() => {
            Err(wrong("another value stands on that line", end + rest.len() - rest.trim_ascii_start().len()))
        }
        _ => json::read(text).map_err(|error| {
            let column = error.position().map_or(1, |at| at.column);
            error.at(Position { column, ..at })
        }),
    }
}

/// The value of the next line that is not empty.
fn of_line(lines: &mut impl BufRead, line: &mut usize) -> Option<Result<Dynamic>> {
    loop {
        let mut bytes = Vec::new();
        *line += 1;
        let read = lines.take(MOST_BYTES as u64 + 1).read_until(b'\n', &mut bytes);
        let at = Position { line: *line, column: 1 };
        return match read {
            Ok(0) => None,
            Err(source) => Some(Err(Error::usage("cannot be read").caused_by(source))),
            Ok(count) if count > MOST_BYTES => Some(Err(Error::usage("a line of more than 4 MiB begins here").at(at))),
            Ok(_) if bytes.trim_ascii().is_empty() => continue,
            Ok(_) => {
                let text = String::from_utf8(bytes).map_err(|_| Error::usage("it is not UTF-8").at(at));
                Some(text.and_then(|text| value_of(text.trim_end(), at)).map(|value| value::from_json(&value)))
            }
        };
    }
}

/// The byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The most bytes of a line.
const MOST_BYTES: usize = 4 * 1024 * 1024;

impl Fetched for Rows {
    const NAME: &'static str = "Rows";

    fn shown(&self) -> String {
        format!("rows of {}", safe(&self.path))
    }

    fn rows(&self) -> impl Iterator<Item = ScriptResult<Dynamic>> {
        self.clone()
    }
}

impl Rows {
    fn open(path: &str) -> Result<BufReader<Input>> {
        Ok(BufReader::with_capacity(64 * 1024, read::open(path)?))
    }

    fn of(path: &str, source: Source) -> Rows {
        Rows {
            path: path.to_owned(),
            source: Arc::new(Mutex::new(source)),
            at: Spot { at: rhai::Position::NONE, file: None, called: None },
        }
    }

    fn asked_for_at(self, at: Spot) -> Self {
        Rows { at, ..self }
    }

    fn csv(path: &str) -> Result<Rows> {
        let mut records = Records::new(Rows::open(path)?);
        let header = records.next().transpose().map_err(|error| error.about(safe(path)))?;
        let mut header = header.map(|(_, cells)| cells).unwrap_or_default();
        if let Some(first) = header.first_mut() {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        for (at, name) in header.iter().enumerate() {
            if header[..at].contains(name) {
                return Err(Error::usage(format!("{}: column `{}` is there twice", safe(path), safe(name))));
            }
        }
        let header = header.iter().map(|name| name.trim().into()).collect();
        Ok(Rows::of(path, Source::Csv { header, records: records.into(), row: 0 }))
    }

    /// The names of its columns; of a file that is no CSV none.
    fn columns(&self) -> Vec<String> {
        match &*locked(&self.source) {
            Source::Csv { header, .. } => header.iter().map(ToString::to_string).collect(),
            Source::Json { .. } | Source::Lines { .. } => Vec::new(),
        }
    }

    fn json(path: &str) -> Result<Rows> {
        let mut reader = Rows::open(path)?;
        let failed = |source| Error::usage(format!("cannot read {}", safe(path))).caused_by(source);
        if reader.fill_buf().map_err(failed)?.starts_with(MARK) {
            reader.consume(MARK.len());
        }
        let beginning = reader.fill_buf().map_err(failed)?;
        if !beginning.trim_ascii_start().starts_with(b"[") || is_lines_of_lists(beginning) {
            return Ok(Rows::of(path, Source::Lines { lines: Box::new(reader), line: 0 }));
        }
        Ok(Rows::of(path, Source::Json { pieces: pieces::Json::new(reader).into() }))
    }
}

impl Iterator for Rows {
    type Item = ScriptResult<Dynamic>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut source = locked(&self.source);
        let read = match &mut *source {
            Source::Csv { header, records, row } => records.next()?.and_then(|(line, cells)| {
                *row += 1;
                let about = |error: Error| error.about(format!("row {row} (line {line})"));
                table_input::check_width(cells.len(), header.len()).map_err(about)?;
                let map: Map = header.iter().cloned().zip(cells.into_iter().map(Dynamic::from)).collect();
                Ok(Dynamic::from(map))
            }),
            Source::Lines { lines, line } => of_line(lines, line)?,
            Source::Json { pieces } => pieces.next()?.and_then(|piece| {
                if !piece.is_listed {
                    let error = Error::usage("a value stands behind the list").at(piece.at);
                    return Err(error.hint("a file has one list of rows, or a value a line"));
                }
                let value = json::read(&piece.text).map_err(|error| piece.moved(error))?;
                Ok(value::from_json(&value))
            }),
        };
        Some(read.map_err(|error| thrown_of(in_file(error, &self.path), &self.at)))
    }
}
