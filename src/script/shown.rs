//! Lists, maps and blobs as text: Rhai's own take a step for each entry in which nothing else is heard of, and longer for each
//! one than for the one before.

use std::fmt::Write as _;

use rhai::{Array, Blob, Dynamic, Engine, ImmutableString, Map, NativeCallContext as Call};

use crate::script::value::within_budget;

/// Replaces them by those that stop where the script is to end, and write the same.
pub fn register(engine: &mut Engine) {
    for name in ["print", "debug", "to_string", "to_debug"] {
        engine
            .register_fn(name, |call: Call<'_>, list: &mut Array| text(|out| entries(&call, list, out)))
            .register_fn(name, |call: Call<'_>, map: &mut Map| text(|out| members(&call, map, out)))
            .register_fn(name, |blob: &mut Blob| text(|out| bytes(blob, out)));
    }
}

fn text(write: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    write(&mut out);
    out
}

/// Whether the script is to end. An error would make Rhai write all of it by other means; it ends right behind this anyway.
fn is_over() -> bool {
    within_budget().is_err()
}

fn entries(call: &Call<'_>, list: &[Dynamic], out: &mut String) {
    out.push('[');
    for (at, entry) in list.iter().enumerate() {
        if is_over() {
            return;
        }
        out.push_str(if at > 0 { ", " } else { "" });
        shown(call, entry, out);
    }
    out.push(']');
}

fn members(call: &Call<'_>, map: &Map, out: &mut String) {
    out.push_str("#{");
    for (at, (key, value)) in map.iter().enumerate() {
        if is_over() {
            return;
        }
        out.push_str(if at > 0 { ", " } else { "" });
        let _ = write!(out, "{key:?}: ");
        shown(call, value, out);
    }
    out.push('}');
}

fn bytes(blob: &Blob, out: &mut String) {
    out.push('[');
    for (at, byte) in blob.iter().enumerate() {
        if at % 65_536 == 0 && is_over() {
            return;
        }
        // In words of eight, as Rhai writes them.
        out.push_str(if at > 0 && at % 8 == 0 { " " } else { "" });
        let _ = write!(out, "{byte:02x}");
    }
    out.push(']');
}

/// What stands in a list or a map.
fn shown(call: &Call<'_>, value: &Dynamic, out: &mut String) {
    if let Some(list) = value.read_lock::<Array>() {
        entries(call, &list, out);
    } else if let Some(map) = value.read_lock::<Map>() {
        members(call, &map, out);
    } else if let Some(blob) = value.read_lock::<Blob>() {
        bytes(&blob, out);
    } else if value.is_char() {
        let _ = write!(out, "{value}");
    } else if value.is_unit() || value.is_bool() || value.is_int() || value.is_float() || value.is_string() {
        let _ = write!(out, "{value:?}");
    } else {
        let text = call.call_native_fn::<ImmutableString>("to_debug", (value.clone(),));
        out.push_str(&text.unwrap_or_else(|_| value.type_name().into()));
    }
}
