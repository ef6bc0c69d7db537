//! The mark by which a set of files knows the clients that it made: a member of their metadata.

use serde_json::Value;

use crate::model::client::{Client, ClientSpec};
use crate::model::fields;

/// The member that holds the name of the set.
pub const MARK: &str = "orysh_set";

const METADATA: &str = "metadata";

/// The set that made a client.
pub fn of(client: &Client) -> Option<String> {
    // Of a client in a long list nothing else is read for it.
    let metadata = client.document().some(|name| name == METADATA).shift_remove(METADATA)?;
    metadata.get(MARK)?.as_str().map(str::to_owned)
}

/// The same with the mark of a set in its metadata, where those are not named or an object.
pub fn put(mut spec: ClientSpec, set: Option<&str>) -> ClientSpec {
    if let (Some(set), Some(field)) = (set, fields::field(METADATA)) {
        let mut metadata = spec.get(METADATA).cloned().unwrap_or_else(|| field.empty());
        if let Some(members) = metadata.as_object_mut() {
            members.insert(MARK.into(), set.into());
            spec.set(field, metadata);
        }
    }
    spec
}

/// The same with the mark that a client has, where other metadata is asked for.
pub fn keep(spec: ClientSpec, before: &Client) -> ClientSpec {
    if spec.document().contains(METADATA) { put(spec, of(before).as_deref()) } else { spec }
}

/// Takes the mark out of what a file asks for: which set made a client on this server is not for files to say.
pub fn take(spec: &mut ClientSpec) -> bool {
    let (Some(field), Some(Value::Object(metadata))) = (fields::field(METADATA), spec.get(METADATA)) else {
        return false;
    };
    let mut metadata = metadata.clone();
    let was_there = metadata.shift_remove(MARK).is_some();
    if was_there {
        spec.set(field, Value::Object(metadata));
    }
    was_there
}
