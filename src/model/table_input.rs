//! Clients from CSV (RFC 4180): a header of field names or flags, and a client a row.

mod quotes;
pub mod record;

use std::collections::HashMap;

use serde_json::Value;

use self::record::Records;
use super::convert;
use super::fields::{self, Field, Kind, SetBy};
use super::input::Entry;
use super::json;
use super::spec::ClientSpec;
use crate::error::{Error, Position, Result};
use crate::text::safe;

/// The clients of a text; a cell that is empty asks for nothing. A list in a cell is JSON, or separated by spaces or
/// semicolons.
///
/// Errors name row and column: a header that is no field or is there twice, a row with more or fewer cells than the
/// header, a value of another kind. Rows count from 1 below the header.
pub fn parse(text: &str, name: &str) -> Result<Vec<Entry>> {
    let located = |error: Error| error.about(safe(name));
    let mut records = Records::new(text.as_bytes());
    let header = match records.next() {
        Some(header) => header.map_err(located)?.1,
        None => Vec::new(),
    };
    let columns = columns(&header).map_err(located)?;
    let mut entries = Vec::new();
    for record in records {
        let (line, cells) = record.map_err(located)?;
        let place = Position { line, column: 1 };
        let described = format!("{}, row {} (line {line})", safe(name), entries.len() + 1);
        let read = entry(&columns, &cells).map_err(|error| error.about(&described).at(place))?;
        entries.push(Entry { at: place, place: described, ..read });
    }
    if entries.is_empty() {
        return Err(Error::usage(format!("{} has no row below its header", safe(name))));
    }
    Ok(entries)
}

fn columns(header: &[String]) -> Result<Vec<&'static Field>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut columns = Vec::new();
    for (at, given) in header.iter().enumerate() {
        let name = given.trim();
        let field = fields::field(name).or_else(|| fields::by_flag(name)).ok_or_else(|| {
            Error::usage(format!("column {}: unknown field `{}`", at + 1, safe(name)))
                .did_you_mean(fields::nearest(name))
        })?;
        if let Some(first) = seen.insert(field.json, at + 1) {
            return Err(Error::usage(format!(
                "column {}: `{}` is there twice (first as column {first})",
                at + 1,
                field.json
            )));
        }
        columns.push(field);
    }
    Ok(columns)
}

/// Refuses a row of more or fewer cells than the header has.
pub fn check_width(cells: usize, due: usize) -> Result<()> {
    if cells != due {
        let error = Error::usage(if cells > due {
            format!("column {}: the header has {due} columns, and this row {cells}", due + 1)
        } else {
            format!("column {}: the header has {due} columns, and this row only {cells}", cells + 1)
        });
        return Err(error.hint("a comma inside a cell wants quotes around it"));
    }
    Ok(())
}

fn entry(columns: &[&'static Field], cells: &[String]) -> Result<Entry> {
    check_width(cells.len(), columns.len())?;
    let mut spec = ClientSpec::new();
    let mut left_out = Vec::new();
    for (number, (field, cell)) in columns.iter().zip(cells).enumerate() {
        if cell.is_empty() {
            continue;
        }
        if field.set_by == SetBy::Server {
            left_out.push(field.json.to_owned());
            continue;
        }
        let value =
            value(field, cell).map_err(|error| error.about(format!("column {} (`{}`)", number + 1, field.json)))?;
        spec.set(field, value);
    }
    Ok(Entry { spec, left_out, at: Position { line: 1, column: 1 }, place: String::new() })
}

/// The value of a cell: a list is JSON, or separated by spaces or semicolons.
pub fn value(field: &Field, cell: &str) -> Result<Value> {
    match field.kind {
        Kind::List(_) if cell.trim_start().starts_with('[') => convert::check(field, json::value(cell)?),
        Kind::List(_) => convert::from_text(field, &entries(field, cell)?),
        Kind::Words => convert::from_text(field, &[cell.replace(';', " ")]),
        _ => convert::from_text(field, &[cell.to_owned()]),
    }
}

/// The entries of a list in a cell: between semicolons or on lines of their own, else between spaces.
///
/// Errors: words that can be one entry as well as several (`code id_token`, `Alice <alice@example.org>`).
fn entries(field: &Field, cell: &str) -> Result<Vec<String>> {
    let split = |at: &[char]| -> Vec<String> {
        cell.split(at).map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    };
    if cell.contains([';', '\n']) {
        return Ok(split(&[';', '\n']));
    }
    let words = split(&[' ', '\t']);
    let is_one_choice = field.kind.choices().iter().any(|choice| {
        let mut parts: Vec<&str> = choice.split(' ').collect();
        parts.len() > 1 && parts.len() == words.len() && {
            parts.retain(|part| !words.iter().any(|word| word == part));
            parts.is_empty()
        }
    });
    let with_at = words.iter().filter(|word| word.contains('@')).count();
    if is_one_choice || (with_at > 0 && with_at < words.len()) {
        let one = serde_json::json!([cell.trim()]);
        return Err(Error::usage(format!("`{}` may be one entry or {}", safe(cell.trim()), words.len()))
            .hint(format!("write `{one}` for one, `{}` for several", safe(&words.join(";")))));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_become_fields() {
        let text = "\u{feff}client_id,name,redirect-uri,scope,metadata,skip_consent,created_at\r\n\
            a,\"x, \"\"y\"\"\nz\",https://a.example/1;https://a.example/2,read;write,\"{\"\"tier\"\": 1}\",true,2026\r\n\
            b,,\"[\"\"https://b.example/?a=1;b\"\"]\",,,,\r\n";
        let entries = parse(text, "c.csv").unwrap();
        let bodies: Vec<Value> = entries.iter().map(|entry| Value::Object(entry.spec.body())).collect();
        assert_eq!(
            bodies,
            [
                json!({"client_id": "a", "client_name": "x, \"y\"\nz", "scope": "read write", "metadata": {"tier": 1},
                    "redirect_uris": ["https://a.example/1", "https://a.example/2"], "skip_consent": true}),
                json!({"client_id": "b", "redirect_uris": ["https://b.example/?a=1;b"]}),
            ]
        );
        assert_eq!((entries[0].left_out.as_slice(), entries[1].at.line), (&["created_at".to_owned()][..], 4));
    }

    #[test]
    fn lists_split_where_several_entries_stand() {
        for (column, cell, list) in [
            ("response_types", "code id_token;code", json!(["code id_token", "code"])),
            ("response_types", "code token", json!("refused")),
            ("response_types", "code none", json!(["code", "none"])),
            ("contacts", "Alice <a@x.example>;b@x.example", json!(["Alice <a@x.example>", "b@x.example"])),
            ("contacts", "a@x.example b@x.example", json!(["a@x.example", "b@x.example"])),
            ("grant_types", "\"authorization_code,refresh_token\"", json!(["authorization_code", "refresh_token"])),
            (
                "redirect_uris",
                "\"https://a.example/1,2,https://b.example/\"",
                json!(["https://a.example/1,2", "https://b.example/"]),
            ),
        ] {
            let found = parse(&format!("client_id,{column}\na,{cell}\n"), "c.csv");
            let found = found.map_or(json!("refused"), |entries| entries[0].spec.get(column).cloned().unwrap());
            assert_eq!(found, list, "{cell}");
        }
    }

    #[test]
    fn mistakes_name_row_and_column() {
        for (text, why) in [
            ("client_id,client_nmae\na,b\n", "c.csv: column 2: unknown field `client_nmae`"),
            ("client_id,id\na,b\n", "column 2: `client_id` is there twice (first as column 1)"),
            ("client_id,owner\na,b\nc,d,e\n", "row 2 (line 3): column 3: the header has 2 columns, and this row 3"),
            ("client_id,owner\na\n", "row 1 (line 2): column 2: the header has 2 columns, and this row only 1"),
            ("client_id,skip_consent\na,perhaps\n", "row 1 (line 2): column 2 (`skip_consent`)"),
            ("client_id,contacts\na,[1]\n", "column 2 (`contacts`)"),
            ("client_id\n", "no row"),
            ("client_id,response_types\na,id_token code\n", "`id_token code` may be one entry or 2"),
            ("client_id,contacts\na,Alice <a@x.example>\n", "may be one entry or 2"),
            ("client_id,owner\na,\"b\nc,d\n", "c.csv: line 2: a quote that begins here does not end"),
        ] {
            let error = parse(text, "c.csv").unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
        }
    }
}
