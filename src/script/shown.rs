//! Texts, lists, maps and blobs as Rhai writes them: its own take a step for each entry in which nothing else is heard of, and longer
//! for each one, or each character that is escaped, than for the one before.

use std::fmt::{self, Write as _};

use rhai::{Array, Blob, Dynamic, Engine, ImmutableString, Map, NativeCallContext as Call};

use crate::script::ending;
use crate::script::made::Made;
use crate::script::value::{MOST_DEPTH, within_budget};
use crate::text::cut;

/// Replaces them by those that stop where the script is to end, and write the same; `most`: the bytes that it may take.
pub fn register(engine: &mut Engine, most: usize) {
    for name in ["print", "debug", "to_string", "to_debug"] {
        engine
            .register_fn(name, move |call: Call<'_>, list: &mut Array| text(most, |out| entries(&call, list, 0, out)))
            .register_fn(name, move |call: Call<'_>, map: &mut Map| text(most, |out| members(&call, map, 0, out)))
            .register_fn(name, move |blob: &mut Blob| text(most, |out| bytes(blob, out)));
    }
    for name in ["debug", "to_debug"] {
        engine.register_fn(name, move |given: &str| text(most, |out| quoted(given, out)));
    }
}

fn text(most: usize, write: impl FnOnce(&mut Made) -> fmt::Result) -> String {
    let mut out = Made::default();
    if write(&mut out).is_err() {
        // An error would make Rhai write all of it by other means.
        ending::cut(most);
        return String::new();
    }
    out.text()
}

fn goes_on() -> fmt::Result {
    within_budget().map_err(|_| fmt::Error)
}

/// So many bytes are escaped at once.
const PART: usize = 16 * 1024;

/// A text in quotes: each character is escaped by itself, and so is each part.
fn quoted(text: &str, out: &mut Made) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text;
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(cut(rest, PART).unwrap_or(rest).len());
        let part = format!("{part:?}");
        out.write_str(&part[1..part.len() - 1])?;
        rest = behind;
    }
    out.write_char('"')
}

fn entries(call: &Call<'_>, list: &[Dynamic], depth: usize, out: &mut Made) -> fmt::Result {
    out.write_char('[')?;
    for (at, entry) in list.iter().enumerate() {
        goes_on()?;
        out.write_str(if at > 0 { ", " } else { "" })?;
        shown(call, entry, depth + 1, out)?;
    }
    out.write_char(']')
}

fn members(call: &Call<'_>, map: &Map, depth: usize, out: &mut Made) -> fmt::Result {
    out.write_str("#{")?;
    for (at, (key, value)) in map.iter().enumerate() {
        goes_on()?;
        out.write_str(if at > 0 { ", " } else { "" })?;
        quoted(key, out)?;
        out.write_str(": ")?;
        shown(call, value, depth + 1, out)?;
    }
    out.write_char('}')
}

fn bytes(blob: &Blob, out: &mut Made) -> fmt::Result {
    out.write_char('[')?;
    for (at, byte) in blob.iter().enumerate() {
        // In words of eight, as Rhai writes them.
        out.write_str(if at > 0 && at % 8 == 0 { " " } else { "" })?;
        write!(out, "{byte:02x}")?;
    }
    out.write_char(']')
}

/// What stands in a list or a map.
fn shown(call: &Call<'_>, value: &Dynamic, depth: usize, out: &mut Made) -> fmt::Result {
    if depth > MOST_DEPTH {
        return out.write_char('…');
    }
    if let Some(list) = value.read_lock::<Array>() {
        return entries(call, &list, depth, out);
    }
    if let Some(map) = value.read_lock::<Map>() {
        return members(call, &map, depth, out);
    }
    if let Some(blob) = value.read_lock::<Blob>() {
        return bytes(&blob, out);
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return quoted(&text, out);
    }
    if value.is_char() {
        return write!(out, "{value}");
    }
    if value.is_unit() || value.is_bool() || value.is_int() || value.is_float() {
        return write!(out, "{value:?}");
    }
    let text = call.call_native_fn::<ImmutableString>("to_debug", (value.clone(),));
    out.write_str(&text.unwrap_or_else(|_| value.type_name().into()))
}
