//! JSON Patch (RFC 6902) as Hydra applies it: `add`, `remove` and `replace` only, and lenient about both.

use serde_json::{Map, Value};

/// Paths that may not be patched. `/client_id` is not among them, which is the danger of this route.
const DENIED: [&str; 3] = ["/id", "/rotatedsecrets", "rotated_secrets"];

/// Why a patch was refused; the server tells nobody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refused;

/// Applies a patch. A `replace` of what is not there adds it, and missing parents are made.
pub fn apply(body: &[u8], mut document: Value) -> Result<Value, Refused> {
    let operations: Vec<Map<String, Value>> = serde_json::from_slice(body).map_err(|_| Refused)?;
    let mut asked = Vec::new();
    for fields in &operations {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).ok_or(Refused);
        let (kind, path) = (text("op")?, text("path")?);
        if !["add", "remove", "replace"].contains(&kind) || DENIED.contains(&path.to_lowercase().as_str()) {
            return Err(Refused);
        }
        asked.push((kind, path, fields.get("value").cloned().unwrap_or_default()));
    }
    for (kind, path, value) in asked {
        if path.is_empty() {
            if kind == "remove" {
                return Err(Refused);
            }
            document = value;
            continue;
        }
        let tokens: Vec<String> = path
            .strip_prefix('/')
            .ok_or(Refused)?
            .split('/')
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
            .collect();
        step(&mut document, kind, &tokens, value)?;
    }
    Ok(document)
}

fn step(target: &mut Value, kind: &str, tokens: &[String], value: Value) -> Result<(), Refused> {
    let (token, rest) = tokens.split_first().ok_or(Refused)?;
    let Some(next) = rest.first() else {
        return last(target, kind, token, value);
    };
    let empty = || if is_element(next) { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    let child = match target {
        Value::Object(object) => {
            if kind != "remove" && object.get(token).is_none_or(Value::is_null) {
                object.insert(token.clone(), empty());
            }
            object.get_mut(token)
        }
        Value::Array(array) => {
            let at = index(token, array.len())?;
            array.get_mut(at)
        }
        _ => None,
    };
    step(child.ok_or(Refused)?, kind, rest, value)
}

fn last(target: &mut Value, kind: &str, token: &str, value: Value) -> Result<(), Refused> {
    match target {
        Value::Object(object) => {
            if kind == "remove" {
                object.shift_remove(token).ok_or(Refused)?;
            } else {
                object.insert(token.to_owned(), value);
            }
        }
        Value::Array(array) if kind == "add" && token == "-" => array.push(value),
        Value::Array(array) => {
            let at = index(token, array.len())?;
            match kind {
                "add" if at <= array.len() => array.insert(at, value),
                "replace" if at < array.len() => array[at] = value,
                "remove" if at < array.len() => {
                    array.remove(at);
                }
                _ => return Err(Refused),
            }
        }
        _ => return Err(Refused),
    }
    Ok(())
}

/// Whether a token means a place in a list.
fn is_element(token: &str) -> bool {
    token == "-" || token.parse::<i64>().is_ok()
}

/// A place in a list of `length`; negative ones count from its end.
fn index(token: &str, length: usize) -> Result<usize, Refused> {
    let at: i64 = token.parse().map_err(|_| Refused)?;
    let length = i64::try_from(length).map_err(|_| Refused)?;
    usize::try_from(if at < 0 { length + at } else { at }).map_err(|_| Refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(patch: Value, document: Value) -> Result<Value, Refused> {
        apply(patch.to_string().as_bytes(), document)
    }

    #[test]
    fn lists_grow_and_shrink() {
        let document = json!({"contacts": ["a"]});
        let patch = json!([
            {"op": "add", "path": "/contacts/-", "value": "b"},
            {"op": "add", "path": "/contacts/0", "value": "c"},
            {"op": "remove", "path": "/contacts/-1"},
            {"op": "replace", "path": "/contacts/1", "value": "d"},
            {"op": "add", "path": "/request_uris/-", "value": "e"},
        ]);
        assert_eq!(patched(patch, document).unwrap(), json!({"contacts": ["c", "d"], "request_uris": ["e"]}));
    }

    #[test]
    fn what_is_not_there_can_be_replaced_and_not_removed() {
        let patch = json!([{"op": "replace", "path": "/metadata/a~1b", "value": 1}]);
        assert_eq!(patched(patch, json!({})).unwrap(), json!({"metadata": {"a/b": 1}}));
        assert!(patched(json!([{"op": "remove", "path": "/x"}]), json!({})).is_err());
    }

    #[test]
    fn the_empty_path_is_the_whole_document() {
        assert_eq!(patched(json!([{"op": "add", "path": "", "value": {"a": 1}}]), json!({})).unwrap(), json!({"a": 1}));
    }

    #[test]
    fn the_rest_is_refused() {
        for patch in [
            json!({}),
            json!([{"op": "test", "path": "/a", "value": 1}]),
            json!([{"op": "move", "path": "/a", "from": "/b"}]),
            json!([{"op": "add", "value": 1}]),
            json!([{"op": "add", "path": "a", "value": 1}]),
            json!([{"op": "add", "path": "/RotatedSecrets", "value": []}]),
            json!([{"op": "replace", "path": "/a/7", "value": 1}]),
        ] {
            assert!(patched(patch.clone(), json!({"a": [1]})).is_err(), "{patch}");
        }
    }
}
