//! Untrusted text (from a server, a file, a plugin) made safe to show on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Whether a character may move the cursor, colour, reorder or hide what is around it.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// So much of a text is shown in a message: nobody reads more, and a script may have made it as long as it likes.
const MOST_TOLD: usize = 64 * 1024;

/// One line of text in a message, as a person may see it: unsafe characters as `\n`, `\t`, `\u{9b}`, and no more than is read.
pub fn safe(text: &str) -> Cow<'_, str> {
    match brief(text) {
        Cow::Borrowed(text) => escaped(text),
        Cow::Owned(text) => escaped(&text).into_owned().into(),
    }
}

/// As much of a text as is read.
pub fn brief(text: &str) -> Cow<'_, str> {
    cut(text, MOST_TOLD).map_or(Cow::Borrowed(text), |begun| format!("{begun}…").into())
}

/// The beginning of a text that has more bytes than that.
pub fn cut(text: &str, most: usize) -> Option<&str> {
    if text.len() <= most {
        return None;
    }
    (0..=most).rev().find(|at| text.is_char_boundary(*at)).map(|end| &text[..end])
}

/// The same as [`safe`] of a whole text.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + growth(text));
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// How many bytes more a text has as [`escaped`].
pub fn growth(text: &str) -> usize {
    text.chars().filter(|c| is_unsafe(*c)).map(|c| c.escape_default().len() - c.len_utf8()).sum()
}

/// A text as one line of a list that [`from_line`] reads back: as it is, or as JSON where it could be misread.
pub fn to_line(text: &str) -> Cow<'_, str> {
    let is_plain = !text.contains(is_unsafe) && !text.starts_with('"') && text.trim() == text && !text.is_empty();
    if is_plain { text.into() } else { safe_json(&Value::from(text).to_string()).into_owned().into() }
}

/// The text of such a line. `None`: it begins with a quote and is no JSON text, or with a space, or ends with one.
pub fn from_line(line: &str) -> Option<String> {
    match line {
        line if line.starts_with('"') => serde_json::from_str(line).ok(),
        line if line.trim() == line => Some(line.to_owned()),
        _ => None,
    }
}

/// Text of several lines as a person may see it: line ends stay, the rest as [`safe`].
pub fn safe_lines(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c != '\n' && is_unsafe(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(escaped).collect::<Vec<_>>().join("\n"))
}

/// The numbers of colours and styles that do no more than that: none that hides text.
const PAINT: &[&str] = &["0", "1", "2", "3", "4", "31", "32", "33", "34", "35", "36"];

/// The same, where colours stay; what they colour ends with the text.
pub fn safe_painted(text: &str) -> Cow<'_, str> {
    let mut parts = text.split("\u{1b}[");
    let mut out = safe_lines(parts.next().unwrap_or_default());
    let mut is_painted = false;
    for part in parts {
        let paint = part.split_once('m').filter(|(codes, _)| codes.split(';').all(|code| PAINT.contains(&code)));
        let out = out.to_mut();
        if let Some((codes, rest)) = paint {
            // Writing to a String cannot fail.
            let _ = write!(out, "\u{1b}[{codes}m");
            out.push_str(&safe_lines(rest));
            is_painted = true;
        } else {
            out.push_str(&safe("\u{1b}["));
            out.push_str(&safe_lines(part));
        }
    }
    if is_painted && !out.ends_with("\u{1b}[0m") {
        out.to_mut().push_str("\u{1b}[0m");
    }
    out
}

/// How many columns of a terminal a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text in lines of at most so many columns where its words allow it, each behind `indent`.
pub fn wrapped(text: &str, columns: usize, indent: &str) -> String {
    let (mut out, mut used) = (indent.to_owned(), indent.width());
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_first = used == indent.width();
        if !is_first && used + 1 + word.width() > columns {
            out.push('\n');
            out.push_str(indent);
            used = indent.width();
        } else if !is_first {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += word.width();
    }
    out
}

/// A text cut to so many columns of a terminal; where something is missing it ends with `…`.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return text.into();
    }
    let (mut cut, mut width) = (String::new(), 1);
    for c in text.chars() {
        width += c.width().unwrap_or_default();
        if width > columns {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut.into()
}

/// A word as a POSIX shell takes it, for hints that can be copied.
pub fn shell_word(word: &str) -> String {
    // Only a NUL cannot be quoted, and no shell takes one.
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), Cow::into_owned)
}

/// So many bytes, as a person says it.
pub fn size(bytes: usize) -> String {
    let unit = [(30, "GiB"), (20, "MiB"), (10, "KiB")].into_iter().find(|(shift, _)| bytes >> shift << shift == bytes);
    match unit {
        Some((shift, name)) if bytes > 0 => format!("{} {name}", bytes >> shift),
        _ => format!("{bytes} bytes"),
    }
}

/// Bytes as small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// JSON text for a terminal: what JSON leaves raw (DEL, C1, bidirectional marks) as `\u00XX`.
///
/// The result is JSON of the same meaning.
pub fn safe_json(json: &str) -> Cow<'_, str> {
    let is_raw = |c: char| c != '\n' && is_unsafe(c);
    if !json.contains(is_raw) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_raw(c) {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_marks_lose_their_power() {
        assert_eq!(safe("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(safe("x\r\ny\u{202e}z\u{9b}"), "x\\r\\ny\\u{202e}z\\u{9b}");
        assert_eq!(safe("grün 日本 🙂"), "grün 日本 🙂");
        assert_eq!(safe_lines("a\nb\u{7f}"), "a\nb\\u{7f}");
    }

    #[test]
    fn only_colours_stay() {
        assert_eq!(safe_painted("\u{1b}[1;31mred\u{1b}[0m"), "\u{1b}[1;31mred\u{1b}[0m");
        assert_eq!(safe_painted("\u{1b}[32mopen"), "\u{1b}[32mopen\u{1b}[0m");
        for hostile in ["\u{1b}[8mhidden", "\u{1b}[2J", "\u{1b}]0;x\u{7}", "\u{1b}[31;8mx", "\u{9b}2J", "\r"] {
            assert!(!safe_painted(hostile).contains(['\u{1b}', '\u{9b}', '\r']), "{hostile:?}");
        }
    }

    #[test]
    fn a_line_is_read_back_as_it_was() {
        for text in ["app-1", " lead", "trail ", "\"quoted\"", "a\nb", "zw\u{200b}x", "é #/", "", "\\u{200b}"] {
            let line = to_line(text);
            assert!(!line.contains(is_unsafe));
            assert_eq!(from_line(&line).as_deref(), Some(text));
        }
        for line in [" lead", "trail\t", "\"open"] {
            assert_eq!(from_line(line), None);
        }
    }

    #[test]
    fn safe_json_means_the_same() {
        let value = serde_json::json!({"name": "a\u{7f}\u{9b}\u{202e}\u{e0041}b"});
        let shown = safe_json(&value.to_string()).into_owned();
        assert!(!shown.contains(is_unsafe));
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
