//! `--format`: its names, its paths, and which of them suits which shape.

use super::outcome::Shape;
use super::path::PathQuery;
use crate::error::{Error, Result, nearest};
use crate::text;

/// How rows are printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// For people on a terminal; separated by tabs elsewhere.
    Table,
    /// An object, an array, or a list's object, on one line.
    Json,
    /// The same, indented by two spaces.
    JsonPretty,
    /// The same as YAML.
    Yaml,
    /// A header and a record for each row (RFC 4180).
    Csv,
    /// An object a line.
    Jsonl,
    /// `NAME=value` lines that a POSIX shell can read.
    Env,
    /// What a path picks out of the JSON.
    Path(PathQuery),
}

impl Format {
    /// The names that [`Format::parse`] knows; one that ends with `=` wants a path behind it.
    pub const NAMES: [&str; 10] =
        ["table", "json", "json-pretty", "yaml", "csv", "jsonl", "env", "jsonpath=", "jsonpointer=", "default"];

    /// Reads the value of `--format`.
    ///
    /// # Errors
    /// A usage error for an unknown name or a broken path, so that neither is found out after a request was sent.
    pub fn parse(given: &str) -> Result<Self> {
        if let Some(path) = given.strip_prefix("jsonpath=") {
            return PathQuery::path(path).map(Format::Path);
        }
        if let Some(pointer) = given.strip_prefix("jsonpointer=") {
            return PathQuery::pointer(pointer).map(Format::Path);
        }
        Ok(match given {
            "table" | "default" => Format::Table,
            "json" => Format::Json,
            "json-pretty" => Format::JsonPretty,
            "yaml" => Format::Yaml,
            "csv" => Format::Csv,
            "jsonl" => Format::Jsonl,
            "env" => Format::Env,
            "jsonpath" => {
                return Err(Error::usage("the format `jsonpath` needs a path")
                    .hint("for instance jsonpath=client_id, or jsonpath=$.redirect_uris[*]"));
            }
            "jsonpointer" => {
                return Err(Error::usage("the format `jsonpointer` needs a pointer")
                    .hint("for instance jsonpointer=/client_id"));
            }
            _ => return Err(unknown(given)),
        })
    }

    /// Whether the format can show this shape.
    ///
    /// # Errors
    /// A usage error for `env` and more than one row, whose variables would overwrite each other.
    pub fn fits(&self, shape: Shape) -> Result<()> {
        if *self == Format::Env && shape != Shape::One {
            return Err(Error::usage(
                "the format `env` shows one row only: several would overwrite each other's variables",
            )
            .hint("use --format jsonl or csv for several"));
        }
        Ok(())
    }
}

fn unknown(given: &str) -> Error {
    let name = given.split('=').next().unwrap_or(given);
    let near = nearest(name, Format::NAMES.iter().map(|known| known.trim_end_matches('=')));
    Error::usage(format!("unknown format `{}`", text::safe(given)))
        .did_you_mean(near)
        .hint("formats: table, json, json-pretty, yaml, csv, jsonl, env, jsonpath=PATH, jsonpointer=/POINTER")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn every_name_is_known() {
        for name in Format::NAMES {
            let example = match name {
                "jsonpath=" => "jsonpath=client_id",
                "jsonpointer=" => "jsonpointer=/client_id",
                name => name,
            };
            Format::parse(example).unwrap();
        }
        assert_eq!(Format::parse("default").unwrap(), Format::Table);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let error = Format::parse("jsno").unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.hints()[0], "did you mean `json`?");
        assert!(error.hints()[1].contains("json-pretty"));
        for bad in ["", "JSON", "jsonpath", "jsonpointer", "json=", "\u{1b}[31m"] {
            let error = Format::parse(bad).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{bad}");
            assert!(!error.full_message().contains('\u{1b}'));
        }
    }

    #[test]
    fn env_is_for_one_row() {
        assert!(Format::Env.fits(Shape::One).is_ok());
        assert_eq!(Format::Env.fits(Shape::Many).unwrap_err().kind(), Kind::Usage);
        assert!(Format::Env.fits(Shape::List).is_err());
        assert!(Format::Csv.fits(Shape::List).is_ok());
    }
}
