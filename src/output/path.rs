//! `jsonpath=` and `jsonpointer=`: what a path picks out of the JSON that `--format json` would print.

use serde_json::Value;
use serde_json_path::JsonPath;
use zeroize::Zeroizing;

use super::json::Json;
use super::outcome::{Body, Id, Outcome, Shape, Trailer};
use super::render::{Clear, Formatter, Progress};
use crate::error::{Error, Result, nearest};
use crate::model::fields::{self, Kind};
use crate::text;

mod check;

/// A path that was read and found sound.
#[derive(Clone, Debug, PartialEq)]
pub enum PathQuery {
    /// The Ory CLI's syntax (gjson): `client_id`, `redirect_uris.0`, `items.#.client_id`.
    Gjson(String),
    /// RFC 9535: `$.redirect_uris[*]`.
    JsonPath(JsonPath),
    /// RFC 6901: `/redirect_uris/0`.
    Pointer(String),
    /// One of these, whose texts keep their quotes.
    Quoted(Box<PathQuery>),
}

impl PathQuery {
    /// Reads what stands behind `jsonpath=`: RFC 9535 if it begins with `$`, else gjson.
    ///
    /// # Errors
    /// A usage error that tells what is wrong with the path, and where.
    pub fn path(path: &str) -> Result<Self> {
        if path.starts_with('$') {
            return JsonPath::parse(path)
                .map(PathQuery::JsonPath)
                .map_err(|error| broken(path, &format!("{} at character {}", error.message(), error.position())));
        }
        match check::gjson(path) {
            Ok(()) => Ok(PathQuery::Gjson(path.to_owned())),
            Err(why) => Err(broken(path, &why)),
        }
    }

    /// Reads what stands behind `jsonpointer=`.
    ///
    /// # Errors
    /// A usage error for a pointer that is empty, does not begin with `/`, or has a `~` that is neither `~0` nor `~1`.
    pub fn pointer(pointer: &str) -> Result<Self> {
        match check::pointer(pointer) {
            Ok(()) => Ok(PathQuery::Pointer(pointer.to_owned())),
            Err(why) => Err(broken(pointer, &why)),
        }
    }

    /// The same, with what it picks as JSON even if it is text.
    #[must_use]
    pub fn quoted(self) -> Self {
        PathQuery::Quoted(Box::new(self))
    }

    /// The path as it was given, nearly.
    fn shown(&self) -> String {
        match self {
            PathQuery::Gjson(path) | PathQuery::Pointer(path) => text::safe(path).into_owned(),
            PathQuery::JsonPath(path) => text::safe(&path.to_string()).into_owned(),
            PathQuery::Quoted(query) => query.shown(),
        }
    }

    /// What the path picks out of a JSON text, a line each: a string as it is, anything else as JSON.
    fn pick(&self, json: &str, on_screen: bool) -> Vec<Zeroizing<String>> {
        match self {
            PathQuery::Quoted(query) => query.pick_json(json, on_screen),
            PathQuery::Gjson(path) => {
                let found = gjson::get(json, path);
                if !found.exists() {
                    return Vec::new();
                }
                // gjson's own unescaping knows no surrogate pairs; and `@pretty` stays pretty.
                let line = match serde_json::from_str::<String>(found.json()) {
                    Ok(text) => line(&Clear(Value::String(text)).0, on_screen),
                    Err(_) if on_screen => Zeroizing::new(text::safe_json(found.json().trim_end()).into_owned()),
                    Err(_) => Zeroizing::new(found.json().trim_end().to_owned()),
                };
                vec![line]
            }
            PathQuery::JsonPath(path) => path.query(&read(json).0).iter().map(|found| line(found, on_screen)).collect(),
            PathQuery::Pointer(pointer) => {
                read(json).0.pointer(pointer).map(|found| line(found, on_screen)).into_iter().collect()
            }
        }
    }
}

impl PathQuery {
    /// Whether the path can match anything in an outcome whose rows are not there yet.
    ///
    /// # Errors
    /// A usage error where it begins with a name that the rows do not have.
    pub fn reaches(&self, outcome: &Outcome) -> Result<()> {
        // The Ory CLI prints `null` for what is not there.
        if matches!(self, PathQuery::Quoted(_)) {
            return Ok(());
        }
        let Some(name) = self.first_name() else { return Ok(()) };
        let refused = |why: &str| Error::usage(format!("the path `{}` matches nothing: {why}", self.shown()));
        if outcome.columns.first().is_some_and(|column| column.member.is_empty()) {
            return Err(refused("the result is an id by itself").hint("--quiet prints ids, one a line"));
        }
        if outcome.shape != Shape::One {
            let each = match self {
                PathQuery::Pointer(_) => format!("/0/{name}"),
                PathQuery::JsonPath(_) => format!("$[*].{name}"),
                _ => format!("#.{name}"),
            };
            let is_index = name.chars().all(|c| c.is_ascii_digit());
            let list = || refused("the result is a list").hint(format!("did you mean `{}`?", text::safe(&each)));
            return if is_index { Ok(()) } else { Err(list()) };
        }
        if outcome.members.is_empty() {
            return Ok(());
        }
        if outcome.members.iter().any(|member| *member == name) {
            let is_whole = fields::field(&name).is_some_and(|field| !matches!(field.kind, Kind::List(_) | Kind::Json));
            if is_whole && self.goes_below() {
                return Err(refused(&format!("there is nothing below `{name}`")));
            }
            return Ok(());
        }
        Err(refused(&format!("a client has no `{}`", text::safe(&name)))
            .did_you_mean(nearest(&name, outcome.members.iter().map(AsRef::as_ref))))
    }

    /// The name that the path begins with, where it begins with one.
    fn first_name(&self) -> Option<String> {
        match self {
            PathQuery::Gjson(path) => check::first_name(path),
            PathQuery::Pointer(pointer) => {
                let first = pointer.strip_prefix('/')?.split('/').next()?;
                Some(first.replace("~1", "/").replace("~0", "~"))
            }
            PathQuery::JsonPath(path) => {
                let text = path.to_string();
                // Several names may stand in one bracket.
                let quoted = text
                    .strip_prefix("$['")
                    .and_then(|rest| rest.split_once('\''))
                    .filter(|(_, rest)| rest.starts_with(']'));
                let plain = text.strip_prefix("$.").filter(|rest| !rest.starts_with(['.', '*']));
                let name = quoted.map(|(name, _)| name).or(plain.and_then(|rest| rest.split(['.', '[']).next()));
                name.filter(|name| !name.is_empty() && !name.contains('\\')).map(str::to_owned)
            }
            PathQuery::Quoted(_) => None,
        }
    }

    /// Whether it goes below the name that it begins with.
    fn goes_below(&self) -> bool {
        match self {
            PathQuery::Gjson(path) => check::goes_below(path),
            PathQuery::Pointer(pointer) => pointer.matches('/').count() > 1,
            // As it is written out, each step is in brackets.
            PathQuery::JsonPath(path) => path.to_string().matches(['[', '.']).count() > 1,
            PathQuery::Quoted(_) => false,
        }
    }

    /// What the path picks as JSON, a line each; `null` for what is not there, as the Ory CLI does.
    fn pick_json(&self, json: &str, on_screen: bool) -> Vec<Zeroizing<String>> {
        let shown = |json: &str| {
            let json = json.trim_end();
            Zeroizing::new(if on_screen { text::safe_json(json).into_owned() } else { json.to_owned() })
        };
        let mut found = match self {
            PathQuery::Gjson(path) => {
                let found = gjson::get(json, path);
                if found.exists() { vec![shown(found.json())] } else { Vec::new() }
            }
            PathQuery::JsonPath(path) => {
                path.query(&read(json).0).iter().map(|found| shown(&found.to_string())).collect()
            }
            PathQuery::Pointer(pointer) => {
                read(json).0.pointer(pointer).map(|found| shown(&found.to_string())).into_iter().collect()
            }
            PathQuery::Quoted(query) => query.pick_json(json, on_screen),
        };
        if found.is_empty() {
            found.push(shown("null"));
        }
        found
    }
}

/// The value of a JSON text that was written here.
fn read(json: &str) -> Clear {
    Clear(serde_json::from_str(json).unwrap_or_default())
}

fn line(found: &Value, on_screen: bool) -> Zeroizing<String> {
    Zeroizing::new(match found {
        Value::String(text) if on_screen => text::safe_lines(text).into_owned(),
        Value::String(text) => text.clone(),
        other if on_screen => text::safe_json(&other.to_string()).into_owned(),
        other => other.to_string(),
    })
}

fn broken(path: &str, why: &str) -> Error {
    Error::usage(format!("the path `{}` is broken: {}", text::safe(path), text::safe(why)))
}

/// The formatter: a path looks at the whole, so it collects what `--format json` would print.
pub(super) struct Picked {
    query: PathQuery,
    json: Json,
    whole: Zeroizing<String>,
    on_screen: bool,
    /// Whether there may be nothing at all to look at.
    is_one: bool,
}

impl Picked {
    pub(super) fn new(query: PathQuery, shape: Shape, on_screen: bool) -> Self {
        let json = Json::new(shape, false, false);
        Picked { query, json, whole: Zeroizing::default(), on_screen, is_one: shape == Shape::One }
    }
}

impl Formatter for Picked {
    fn row(&mut self, body: Body, id: &Id, _: &mut String) -> Result<Progress> {
        self.json.row(body, id, &mut self.whole)?;
        Ok(Progress::Held)
    }

    fn end(&mut self, trailer: Option<Trailer>, text: &mut String) -> Result<()> {
        if self.whole.is_empty() && self.is_one {
            return Ok(());
        }
        self.json.end(trailer, &mut self.whole)?;
        let lines = self.query.pick(&self.whole, self.on_screen);
        if lines.is_empty() {
            return Err(Error::failed(format!("the path `{}` matches nothing in the result", self.query.shown()))
                .hint("--format json shows all there is"));
        }
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn picked(format: &str, value: &Value) -> Vec<String> {
        let query = if format.starts_with('/') { PathQuery::pointer(format) } else { PathQuery::path(format) };
        query.unwrap().pick(&value.to_string(), false).iter().map(|line| line.to_string()).collect()
    }

    #[test]
    fn each_syntax_picks() {
        let client = json!({
            "client_id": "g-1", "redirect_uris": ["http://a/1", "http://a/2"], "a/b": 1, "m": {"x.y": null},
            "jwks": {"keys": [{"kid": "k1", "use": "sig"}, {"kid": "k2", "use": "enc"}]},
        });
        for (path, lines) in [
            ("client_id", &["g-1"][..]),
            ("redirect_uris.0", &["http://a/1"]),
            ("redirect_uris.#", &["2"]),
            ("redirect_uris", &[r#"["http://a/1","http://a/2"]"#]),
            ("redirect_uris|@reverse|0", &["http://a/2"]),
            (r#"jwks.keys.#(use=="enc").kid"#, &["k2"]),
            ("jwks.keys.#.kid", &[r#"["k1","k2"]"#]),
            ("{client_id,n:redirect_uris.#}", &[r#"{"client_id":"g-1","n":2}"#]),
            (r"m.x\.y", &["null"]),
            ("nothing", &[]),
            ("$.redirect_uris[*]", &["http://a/1", "http://a/2"]),
            ("$.jwks.keys[?@.use=='sig'].kid", &["k1"]),
            ("$.nothing", &[]),
            ("/redirect_uris/1", &["http://a/2"]),
            ("/a~1b", &["1"]),
            ("/nothing", &[]),
        ] {
            assert_eq!(picked(path, &client), lines, "{path}");
        }
        assert_eq!(picked("#", &json!([1, 2, 3])), ["3"]);
    }

    #[test]
    fn big_numbers_and_rare_characters_stay() {
        let value: Value =
            serde_json::from_str(r#"{"n":123456789012345678901234567890,"s":"\ud83d\ude00\n\"\u0000é"}"#).unwrap();
        for path in ["n", "$.n", "/n"] {
            assert_eq!(picked(path, &value), ["123456789012345678901234567890"], "{path}");
        }
        for path in ["s", "$.s", "/s"] {
            assert_eq!(picked(path, &value), ["😀\n\"\u{0}é"], "{path}");
        }
    }

    #[test]
    fn on_a_terminal_nothing_moves_the_cursor() {
        let value = json!({"s": "a\u{1b}[2J", "o": {"x": "\u{9b}"}});
        for path in ["s", "o", "$.s", "$.o", "/o"] {
            let query = if path.starts_with('/') { PathQuery::pointer(path) } else { PathQuery::path(path) };
            let lines = query.unwrap().pick(&value.to_string(), true);
            assert!(!lines[0].contains(text::is_unsafe), "{path}");
        }
    }
}
