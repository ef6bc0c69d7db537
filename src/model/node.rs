//! What a JSON or YAML file holds, with the place of each value, before it is known what the values should be.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::{Error, Position, Result};
use crate::text::safe;

/// How deep lists and objects may stand in each other.
pub const DEEPEST: usize = 100;

/// A value and where it starts.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value starts.
    pub at: Position,
    /// What it holds.
    pub content: Content,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A value whose type was written: anything scalar in JSON, text in quotes in YAML.
    Typed(Value),
    /// YAML text without quotes, whose type is for its reader to say.
    Plain(String),
    /// A list.
    List(Vec<Node>),
    /// An object or mapping.
    Object(Vec<Entry>),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The member's name.
    pub key: String,
    /// Where the name starts.
    pub at: Position,
    /// The member's value.
    pub value: Node,
}

impl Node {
    /// The whole as JSON; plain text is typed by `plain`.
    pub fn value(self, plain: &dyn Fn(&str) -> Result<Value>) -> Result<Value> {
        match self.content {
            Content::Typed(value) => Ok(value),
            Content::Plain(text) => plain(&text).map_err(|error| error.at(self.at)),
            Content::List(nodes) => nodes.into_iter().map(|node| node.value(plain)).collect(),
            Content::Object(entries) => {
                let mut object = Map::new();
                for entry in entries {
                    object.insert(entry.key, entry.value.value(plain)?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// How many values there are in it, itself included.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Typed(_) | Content::Plain(_) => 1,
            Content::List(nodes) => 1 + nodes.iter().map(Node::size).sum::<usize>(),
            Content::Object(entries) => 1 + entries.iter().map(|entry| entry.value.size()).sum::<usize>(),
        }
    }
}

/// So many names are looked through one by one; of more of them an index is kept.
const FEW: usize = 64;

/// The members of one object, each name once.
#[derive(Default)]
pub struct Members {
    entries: Vec<Entry>,
    /// Of all members, once there are many.
    places: HashMap<String, Position>,
}

impl Members {
    /// Refuses a name that was there before: one of the two values would be lost without a word.
    pub fn claim(&mut self, key: &str, at: Position) -> Result<()> {
        let first = if self.entries.len() < FEW {
            self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.at)
        } else {
            if self.places.is_empty() {
                self.places = self.entries.iter().map(|entry| (entry.key.clone(), entry.at)).collect();
            }
            self.places.insert(key.to_owned(), at)
        };
        match first {
            None => Ok(()),
            Some(first) => Err(Error::usage(format!("`{}` is given twice (first at {first})", safe(key))).at(at)),
        }
    }

    /// Adds a member whose name was claimed.
    pub fn push(&mut self, key: String, at: Position, value: Node) {
        if self.entries.is_empty() {
            self.entries.reserve(16);
        }
        self.entries.push(Entry { key, at, value });
    }

    /// The object.
    pub fn into_content(self) -> Content {
        Content::Object(self.entries)
    }
}
