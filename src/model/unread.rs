//! An object of a JSON array as it came: a client of a long list is taken apart only where somebody looks into it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::string::FromUtf8Error;
use std::sync::Arc;

use memchr::{memchr2_iter, memmem};
use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Text with fewer brackets than this nests less deep than the parser goes.
const FEW_BRACKETS: usize = 100;

/// The text of one object, which shares its page with the others of it.
#[derive(Clone)]
pub struct Unread {
    page: Arc<String>,
    place: Range<usize>,
}

impl Unread {
    /// The objects of a JSON array, in its order. Where it is none, or one of them cannot be read, the text is given
    /// back.
    pub fn of_array(page: Vec<u8>) -> Result<Vec<Unread>, Vec<u8>> {
        let page = String::from_utf8(page).map_err(FromUtf8Error::into_bytes)?;
        let Some(places) = places(&page) else { return Err(page.into_bytes()) };
        let page = Arc::new(page);
        Ok(places.into_iter().map(|place| Unread { page: Arc::clone(&page), place }).collect())
    }

    /// An object by itself, which was read already.
    pub fn of_object(text: String) -> Self {
        let place = 0..text.len();
        Unread { page: Arc::new(text), place }
    }

    /// An object that was read already, at this place of a page.
    pub fn on_page(page: Arc<String>, place: Range<usize>) -> Self {
        Unread { page, place }
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.page[self.place.clone()]
    }

    /// Those members of the object whose names are wanted; the others are passed over.
    pub fn some(&self, is_wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
        let mut reader = serde_json::Deserializer::from_str(self.text());
        reader.deserialize_map(Wanted(is_wanted)).expect("it was looked at when it came")
    }

    /// The object.
    pub fn read(&self) -> Map<String, Value> {
        object(self.text()).expect("it was looked at when it came")
    }
}

/// Reads the members that are wanted.
struct Wanted<F>(F);

/// A member's name, which need not be copied to be looked at.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, F: Fn(&str) -> bool> Visitor<'de> for Wanted<F> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = Map::with_capacity(8);
        while let Some(Name(name)) = members.next_key()? {
            if self.0(&name) {
                found.insert(name.into_owned(), members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Where each object stands.
fn places(page: &str) -> Option<Vec<Range<usize>>> {
    let items: Vec<&RawValue> = serde_json::from_str(page).ok()?;
    // Of `\u` escapes only surrogates can be wrong.
    let may_be_wrong =
        memmem::find(page.as_bytes(), b"\\ud").or_else(|| memmem::find(page.as_bytes(), b"\\uD")).is_some();
    let place = |item: &RawValue| {
        let text = item.get();
        let is_flat = || memchr2_iter(b'{', b'[', text.as_bytes()).nth(FEW_BRACKETS).is_none();
        let is_readable = text.starts_with('{') && (!may_be_wrong && is_flat() || object(text).is_some());
        let start = text.as_ptr() as usize - page.as_ptr() as usize;
        is_readable.then_some(start..start + text.len())
    };
    items.into_iter().map(place).collect()
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_object_stands_for_itself() {
        let found = Unread::of_array(" [ {\"a\": [1, {}]} ,{\"b\":\"]}\\\"\"}]\n".into()).unwrap();
        let texts: Vec<&str> = found.iter().map(Unread::text).collect();
        assert_eq!(texts, ["{\"a\": [1, {}]}", "{\"b\":\"]}\\\"\"}"]);
        assert_eq!(Value::Object(found[0].read()), json!({"a": [1, {}]}));
        assert_eq!(found[0].some(|name| name == "a"), found[0].read());
        assert!(found[1].some(|name| name == "a").is_empty());
        assert!(Unread::of_array("[]".into()).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_told_at_once() {
        let deep = |levels: usize| format!("[{{\"a\":{}{}}}]", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(Unread::of_array(deep(120).into()).unwrap()[0].read().len(), 1);
        for text in ["", "{}", "[1]", "[{}", "[{},]", "[null]", "[{\"a\":\"\\ud800\"}]", "[{\"a\":01}]", &deep(200)] {
            assert!(Unread::of_array(text.into()).is_err(), "{text}");
        }
        let paired = Unread::of_array("[{\"a\":\"\\uD83D\\uDE00\"}]".into()).unwrap();
        assert_eq!(paired[0].read()["a"], "😀");
    }
}
