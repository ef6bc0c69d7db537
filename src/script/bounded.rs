//! Rhai's functions that make much of little in one step, where no budget is looked at: these look first. Rhai's own limits
//! would go through every list at every step.

use std::fmt::Write as _;

use rhai::{Array, Blob, Dynamic, Engine, INT, ImmutableString};

use crate::error::Error;
use crate::script::errors::{MORE_MEMORY, ScriptResult, thrown};
use crate::script::library::Placing as _;
use crate::script::made::{made, unwritten};

/// What an entry of a list takes, in bytes.
const ENTRY: usize = size_of::<Dynamic>();

/// What a text takes beside its characters, in bytes.
pub const TEXT: usize = ENTRY + 64;

/// What one step may make at most, in bytes, whatever a script may take as a whole.
const AT_ONCE: usize = 256 * 1024 * 1024;

/// Replaces them by those that make nothing of more than so many bytes.
pub fn register(engine: &mut Engine, most: usize) {
    padding(engine, most);
    replacing(engine, most);
    splitting(engine, most);
}

/// Errors: it would take more than a script may.
pub fn fits(most: usize, bytes: usize) -> ScriptResult<()> {
    if bytes <= most {
        return Ok(());
    }
    let wrong = Error::failed(format!("it would take {} MiB of memory, more than a script may", mebibytes(bytes)));
    Err(thrown(wrong.with_code("memory").hint(MORE_MEMORY)))
}

/// The same of what nothing ends before it is there. Errors: it would take more than one step may, besides.
fn fits_at_once(most: usize, bytes: usize) -> ScriptResult<()> {
    fits(most, bytes)?;
    if bytes <= AT_ONCE {
        return Ok(());
    }
    let (bytes, at_once) = (mebibytes(bytes), mebibytes(AT_ONCE));
    let wrong = format!("it would take {bytes} MiB of memory, more than the {at_once} MiB of one call");
    Err(thrown(Error::failed(wrong).with_code("memory").hint("several calls may make more")))
}

fn mebibytes(bytes: usize) -> usize {
    bytes.div_ceil(1024 * 1024)
}

fn count(number: INT) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// So many bytes are put below a text before it is looked whether the script goes on.
const PART: usize = 64 * 1024;

fn padding(engine: &mut Engine, most: usize) {
    let pad = move |text: &mut ImmutableString, length: INT, with: &str| -> ScriptResult<()> {
        let (length, is) = (count(length), text.chars().count());
        if with.is_empty() || is >= length {
            return Ok(());
        }
        let (missing, each) = (length - is, with.chars().count());
        let rest: &str = with.char_indices().nth(missing % each).map_or("", |(end, _)| &with[..end]);
        let more = (missing / each).saturating_mul(with.len()).saturating_add(rest.len());
        // Rhai copies what it is given.
        fits(most, text.len().saturating_add(more).saturating_mul(2))?;
        let part = (PART / with.len()).clamp(1, missing / each + 1);
        let parts = with.repeat(part);
        let padded = made(|out| {
            out.reserve(text.len() + more).and_then(|()| out.write_str(text)).map_err(unwritten)?;
            for _ in 0..missing / each / part {
                out.write_str(&parts).map_err(unwritten)?;
            }
            out.write_str(&parts[..missing / each % part * with.len()]).map_err(unwritten)?;
            out.write_str(rest).map_err(unwritten)
        })?;
        *text = padded.into();
        Ok(())
    };
    engine
        .register_placed("pad", move |text: &mut ImmutableString, length: INT, with: &str| pad(text, length, with))
        .register_placed("pad", move |text: &mut ImmutableString, length: INT, with: char| {
            pad(text, length, with.encode_utf8(&mut [0; 4]))
        })
        .register_placed("pad", move |list: &mut Array, length: INT, with: Dynamic| -> ScriptResult<()> {
            let length = count(length);
            if length > list.len() {
                let each = ENTRY + super::value::size(&with);
                fits_at_once(most, length.saturating_mul(each))?;
                list.resize(length, with);
            }
            Ok(())
        })
        .register_placed("pad", move |bytes: &mut Blob, length: INT, with: INT| -> ScriptResult<()> {
            fits_at_once(most, count(length))?;
            bytes.resize(count(length).max(bytes.len()), byte(with));
            Ok(())
        })
        .register_placed("blob", move |length: INT| blob(most, length, 0))
        .register_placed("blob", move |length: INT, with: INT| blob(most, length, with));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its lowest byte is meant, as in Rhai")]
fn byte(number: INT) -> u8 {
    number as u8
}

fn blob(most: usize, length: INT, with: INT) -> ScriptResult<Blob> {
    fits_at_once(most, count(length))?;
    Ok(vec![byte(with); count(length)])
}

fn replacing(engine: &mut Engine, most: usize) {
    let replace = move |text: &mut ImmutableString, from: &str, to: &str| -> ScriptResult<()> {
        if !text.is_empty() {
            let more = text.matches(from).count().saturating_mul(to.len().saturating_sub(from.len()));
            fits_at_once(most, text.len().saturating_add(more))?;
            *text = text.replace(from, to).into();
        }
        Ok(())
    };
    engine
        .register_placed("replace", move |text: &mut ImmutableString, from: &str, to: &str| replace(text, from, to))
        .register_placed("replace", move |text: &mut ImmutableString, from: &str, to: char| {
            replace(text, from, to.encode_utf8(&mut [0; 4]))
        })
        .register_placed("replace", move |text: &mut ImmutableString, from: char, to: &str| {
            replace(text, from.encode_utf8(&mut [0; 4]), to)
        })
        .register_placed("replace", move |text: &mut ImmutableString, from: char, to: char| {
            replace(text, from.encode_utf8(&mut [0; 4]), to.encode_utf8(&mut [0; 4]))
        });
}

fn splitting(engine: &mut Engine, most: usize) {
    // A number of parts that is not positive gives the text as a whole.
    let split = move |text: &str, at: &str, parts: INT, is_from_end: bool| -> ScriptResult<Array> {
        let parts = count(parts).max(1);
        fits_at_once(most, parts.min(text.matches(at).count() + 1).saturating_mul(TEXT))?;
        if text.is_empty() {
            return Ok(vec![text.into()]);
        }
        Ok(if is_from_end {
            text.rsplitn(parts, at).map(Into::into).collect()
        } else {
            text.splitn(parts, at).map(Into::into).collect()
        })
    };
    for (name, is_from_end) in [("split", false), ("split_rev", true)] {
        engine
            .register_placed(name, move |text: &mut ImmutableString, at: &str| split(text, at, INT::MAX, is_from_end))
            .register_placed(name, move |text: &mut ImmutableString, at: char| {
                split(text, at.encode_utf8(&mut [0; 4]), INT::MAX, is_from_end)
            })
            .register_placed(name, move |text: &mut ImmutableString, at: &str, parts: INT| {
                split(text, at, parts, is_from_end)
            })
            .register_placed(name, move |text: &mut ImmutableString, at: char, parts: INT| {
                split(text, at.encode_utf8(&mut [0; 4]), parts, is_from_end)
            });
    }
    engine
        .register_placed("split", move |text: &mut ImmutableString| -> ScriptResult<Array> {
            fits_at_once(most, text.split_whitespace().count().saturating_mul(TEXT))?;
            Ok(text.split_whitespace().map(Into::into).collect())
        })
        .register_placed("to_chars", move |text: &str| -> ScriptResult<Array> {
            fits_at_once(most, text.len().saturating_mul(ENTRY))?;
            Ok(text.chars().map(Into::into).collect())
        });
}
