//! What somebody asks to have patched: operations (RFC 6902), or an object to merge (RFC 7396).

use serde_json::{Map, Value};

use super::{Given, KINDS, Kind, Operation, Patch};
use crate::error::{Error, Result};
use crate::model::client::Client;
use crate::model::convert;
use crate::model::fields::{self, Field, SetBy};
use crate::secret::Secret;
use crate::text::safe;

/// What somebody asks to have patched.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Operations, as they are to be sent (RFC 6902).
    Operations(Patch),
    /// Fields to merge with what is there (RFC 7396).
    Merge(Vec<(&'static Field, Given)>),
}

impl Asked {
    /// Reads a list of operations, or an object of fields to merge.
    ///
    /// Refused: other operations than Hydra's three; paths to no field, to what the server sets, to the id in any case
    /// (Hydra would write over the client of that id), to the whole document; removing or emptying the secret.
    pub fn read(value: Value) -> Result<Self> {
        match value {
            Value::Array(operations) => {
                let read = |(at, operation): (usize, Value)| {
                    self::operation(operation).map_err(|error| error.about(format!("operation {}", at + 1)))
                };
                Ok(Asked::Operations(Patch(operations.into_iter().enumerate().map(read).collect::<Result<_>>()?)))
            }
            Value::Object(members) => members.into_iter().map(member).collect::<Result<_>>().map(Asked::Merge),
            _ => Err(Error::usage("a patch is a list of operations (RFC 6902), or an object of fields (RFC 7396)")),
        }
    }

    /// The patch of a client.
    pub fn on(self, client: &Client) -> Patch {
        let members = match self {
            Asked::Operations(patch) => return patch,
            Asked::Merge(members) => members,
        };
        let mut patch = Patch::new();
        for (field, given) in members {
            match given {
                Given::Secret(secret) => patch.set_secret(secret),
                Given::Plain(Value::Null) => patch.set(field, field.empty()),
                Given::Plain(value) => {
                    let found = client.get(field.json).cloned().unwrap_or(Value::Null);
                    patch.set(field, merged(found, value));
                }
            }
        }
        patch
    }
}

/// RFC 7396 §2: objects are merged member by member, and `null` takes a member out.
fn merged(found: Value, wanted: Value) -> Value {
    let Value::Object(wanted) = wanted else { return wanted };
    let mut members = if let Value::Object(members) = found { members } else { Map::new() };
    for (name, value) in wanted {
        if value.is_null() {
            members.shift_remove(&name);
        } else {
            let found = members.get(&name).cloned().unwrap_or(Value::Null);
            members.insert(name, merged(found, value));
        }
    }
    Value::Object(members)
}

/// A member of an object of fields to merge.
fn member((name, value): (String, Value)) -> Result<(&'static Field, Given)> {
    let field = target(&format!("/{}", name.replace('~', "~0").replace('/', "~1")))?;
    let given = match value {
        Value::Null if field.secret => return Err(Error::usage("the secret cannot be removed")),
        value if field.secret => Given::Secret(secret(value)?),
        value => Given::Plain(convert::check(field, value)?),
    };
    Ok((field, given))
}

fn secret(value: Value) -> Result<Secret> {
    match value {
        Value::String(text) if text.is_empty() => {
            Err(Error::usage("an empty secret would end those that were rotated out, and leave it as it is"))
        }
        Value::String(text) => Ok(Secret::new(text)),
        _ => Err(Error::usage("the secret is text")),
    }
}

fn operation(value: Value) -> Result<Operation> {
    let Value::Object(mut members) = value else { return Err(Error::usage("it is not an object")) };
    let text = |name: &str| {
        let member = members.get(name).ok_or_else(|| Error::usage(format!("`{name}` is missing")))?;
        member.as_str().map(str::to_owned).ok_or_else(|| Error::usage(format!("`{name}` is not text")))
    };
    let (op, path) = (text("op")?, text("path")?);
    let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == op) else {
        return Err(Error::usage(format!("`op` is `{}`: servers take add, remove and replace only", safe(&op))));
    };
    let field = target(&path)?;
    let is_whole = path[1..] == *field.json;
    let given = match (kind, members.remove("value")) {
        (Kind::Remove, None) if field.secret => {
            return Err(Error::usage(
                "removing the secret would end those that were rotated out, and leave it as it is",
            ));
        }
        (Kind::Remove, None) => None,
        (Kind::Remove, Some(_)) => return Err(Error::usage("`remove` takes no `value`")),
        (_, None) => return Err(Error::usage("`value` is missing")),
        (_, Some(value)) if field.secret => Some(Given::Secret(secret(value)?)),
        (_, Some(value)) if is_whole => Some(Given::Plain(convert::check(field, value)?)),
        (_, Some(value)) => Some(Given::Plain(value)),
    };
    Ok(Operation { kind: *kind, path, given })
}

/// The field that a path (RFC 6901) leads into, if it may be patched.
fn target(path: &str) -> Result<&'static Field> {
    if path.is_empty() {
        return Err(Error::usage("the path is empty: it would replace the whole client, its id as well"));
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(Error::usage(format!("the path `{}` does not begin with a slash", safe(path)))
            .hint(format!("write `/{}`", safe(path))));
    };
    let name = rest.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
    // Keys match in any case on the server.
    if name.eq_ignore_ascii_case("client_id") {
        return Err(Error::usage(
            "a client's id cannot be changed: the server would write over the client that has it",
        ));
    }
    let field = fields::field(&name).ok_or_else(|| {
        let lower = name.to_ascii_lowercase();
        if fields::field(&lower).is_some() {
            return Error::usage(format!("the path `{}` is of the field `{lower}` in other letters", safe(path)))
                .hint(format!("write `/{lower}`"));
        }
        let near = fields::nearest(&name).filter(|near| *near != "client_id");
        Error::usage(format!("the path `{}` leads to no field: the server would ignore it", safe(path)))
            .did_you_mean(near)
    })?;
    match field.set_by {
        SetBy::Server => Err(Error::usage(format!("only the server sets `{name}`"))),
        SetBy::Caller => Ok(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_would_harm_is_refused_with_its_reason() {
        for (patch, why) in [
            (json!([{"op": "replace", "path": "", "value": {}}]), "operation 1: the path is empty"),
            (json!([{"op": "replace", "path": "/client_id", "value": "b"}]), "write over the client"),
            (json!([{"op": "add", "path": "/CLIENT_Id", "value": "b"}]), "write over the client"),
            (json!([{"op": "replace", "path": "/client%5fid", "value": "b"}]), "leads to no field"),
            (json!([{"op": "replace", "path": "/client_nmae", "value": "b"}]), "leads to no field"),
            (json!([{"op": "replace", "path": "/Client_Name", "value": "b"}]), "`client_name` in other letters"),
            (json!([{"op": "remove", "path": "/client_secret"}]), "rotated out"),
            (json!([{"op": "test", "path": "/client_name", "value": "b"}]), "add, remove and replace only"),
            (json!([{"op": "replace", "path": "/created_at", "value": "b"}]), "only the server sets"),
            (json!([{"op": "replace", "path": "client_name", "value": "b"}]), "slash"),
            (json!([{"op": "replace", "path": "/client_name"}]), "`value` is missing"),
            (json!([{"op": "replace", "path": "/contacts", "value": "b"}]), "wants a list"),
            (json!([1]), "not an object"),
            (json!("x"), "a patch is a list"),
            (json!({"client_id": "b"}), "write over the client"),
            (json!({"client_secret": null}), "cannot be removed"),
            (json!({"client_secret": ""}), "rotated out"),
            (json!([{"op": "replace", "path": "/client_secret", "value": ""}]), "rotated out"),
            (json!({"owner": 1}), "wants text"),
        ] {
            let error = Asked::read(patch.clone()).unwrap_err();
            assert!(error.message().contains(why), "{patch}: {error}");
        }
    }

    #[test]
    fn a_patch_is_sent_as_it_was_read_and_shows_no_secret() {
        let given = json!([
            {"op": "add", "path": "/contacts/-", "value": "a"},
            {"op": "remove", "path": "/metadata/tier"},
            {"op": "replace", "path": "/client_secret", "value": "canary"},
        ]);
        let patch = Asked::read(given.clone()).unwrap().on(&Client::default());
        assert_eq!(serde_json::from_slice::<Value>(&patch.to_wire()).unwrap(), given);
        assert!(!format!("{patch:?} {}", patch.redacted()).contains("canary"));
        assert_eq!(patch.secret().unwrap().expose(), "canary");
        assert!(!patch.is_repeatable());
    }

    fn merged_into(client: &Value, asked: Value) -> Patch {
        Asked::read(asked).unwrap().on(&Client::from_server(client.as_object().unwrap().clone()))
    }

    #[test]
    fn an_object_sets_and_empties_fields() {
        let patch = merged_into(&json!({}), json!({"owner": "o", "contacts": null, "scope": ["a", "b"]}));
        assert_eq!(patch.value("owner"), Some(&json!("o")));
        assert_eq!(patch.value("contacts"), Some(&json!([])));
        assert_eq!(patch.value("scope"), Some(&json!("a b")));
        assert_eq!(patch.value("client_name"), None);
        assert!(patch.is_repeatable());
    }

    #[test]
    fn objects_are_merged_in_depth() {
        let client = json!({"metadata": {"tier": "gold", "team": "x", "in": {"a": 1, "b": 2}}});
        let patch =
            merged_into(&client, json!({"metadata": {"tier": "silver", "team": null, "in": {"b": {"c": null}}}}));
        assert_eq!(patch.value("metadata"), Some(&json!({"tier": "silver", "in": {"a": 1, "b": {}}})));
    }

    #[test]
    fn what_a_client_signs_in_with_is_known() {
        let method = |operation: Value| {
            let asked = Asked::read(json!([operation])).unwrap();
            asked.on(&Client::default()).auth_method().map(str::to_owned)
        };
        let path = "/token_endpoint_auth_method";
        assert_eq!(method(json!({"op": "replace", "path": path, "value": "none"})).as_deref(), Some("none"));
        assert_eq!(method(json!({"op": "remove", "path": path})).as_deref(), Some(""));
        assert_eq!(method(json!({"op": "remove", "path": "/owner"})), None);
    }
}
