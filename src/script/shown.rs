//! Lists, maps and blobs as text: Rhai's own take a step for each entry in which nothing else is heard of, and longer for each
//! one than for the one before.

use std::fmt::Write as _;

use rhai::{Array, Blob, Dynamic, Engine, ImmutableString, Map, NativeCallContext as Call};

use crate::script::ending;
use crate::script::value::{MOST_DEPTH, within_budget};

/// Replaces them by those that stop where the script is to end, and write the same; `most`: the bytes that it may take.
pub fn register(engine: &mut Engine, most: usize) {
    for name in ["print", "debug", "to_string", "to_debug"] {
        engine
            .register_fn(name, move |call: Call<'_>, list: &mut Array| text(most, |out| entries(&call, list, 0, out)))
            .register_fn(name, move |call: Call<'_>, map: &mut Map| text(most, |out| members(&call, map, 0, out)))
            .register_fn(name, move |blob: &mut Blob| text(most, |out| bytes(blob, out)));
    }
}

/// Nothing where the script is to end.
type Written = Option<()>;

fn text(most: usize, write: impl FnOnce(&mut String) -> Written) -> String {
    let mut out = String::new();
    if write(&mut out).is_none() {
        // An error would make Rhai write all of it by other means.
        ending::cut(most);
    }
    out
}

fn goes_on() -> Written {
    within_budget().ok()
}

fn entries(call: &Call<'_>, list: &[Dynamic], depth: usize, out: &mut String) -> Written {
    out.push('[');
    for (at, entry) in list.iter().enumerate() {
        goes_on()?;
        out.push_str(if at > 0 { ", " } else { "" });
        shown(call, entry, depth + 1, out)?;
    }
    out.push(']');
    Some(())
}

fn members(call: &Call<'_>, map: &Map, depth: usize, out: &mut String) -> Written {
    out.push_str("#{");
    for (at, (key, value)) in map.iter().enumerate() {
        goes_on()?;
        out.push_str(if at > 0 { ", " } else { "" });
        let _ = write!(out, "{key:?}: ");
        shown(call, value, depth + 1, out)?;
    }
    out.push('}');
    Some(())
}

fn bytes(blob: &Blob, out: &mut String) -> Written {
    out.push('[');
    for (at, byte) in blob.iter().enumerate() {
        if at % 65_536 == 0 {
            goes_on()?;
        }
        // In words of eight, as Rhai writes them.
        out.push_str(if at > 0 && at % 8 == 0 { " " } else { "" });
        let _ = write!(out, "{byte:02x}");
    }
    out.push(']');
    Some(())
}

/// What stands in a list or a map.
fn shown(call: &Call<'_>, value: &Dynamic, depth: usize, out: &mut String) -> Written {
    if depth > MOST_DEPTH {
        out.push('…');
        return Some(());
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
    if value.is_char() {
        let _ = write!(out, "{value}");
    } else if value.is_unit() || value.is_bool() || value.is_int() || value.is_float() || value.is_string() {
        let _ = write!(out, "{value:?}");
    } else {
        let text = call.call_native_fn::<ImmutableString>("to_debug", (value.clone(),));
        out.push_str(&text.unwrap_or_else(|_| value.type_name().into()));
    }
    Some(())
}
