//! Durations as Go writes them (`time.ParseDuration`): what Hydra takes for lifespans.

use crate::error::{Error, Result};
use crate::text::safe;

/// Units with their length in nanoseconds; the longer names first, so that `ms` is not taken for `m`.
const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The nanoseconds of a duration such as `1h30m`, `1.5h`, `300ms`, `-1ns` or `0`.
///
/// Refused with a hint: days and longer units, numbers without a unit, what 64 bits cannot hold.
pub fn parse(text: &str) -> Result<i64> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(refused(text));
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (amount, after) = number(rest).ok_or_else(|| refused(text))?;
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (_, length) = UNITS.iter().find(|(unit, _)| *unit == name).ok_or_else(|| bad_unit(text, name))?;
        total = amount.of(*length).and_then(|part| total.checked_add(part)).ok_or_else(|| too_long(text))?;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| too_long(text))
}

/// Whether two texts are the same length of time: a server answers `1h30m0s` to `90m`.
pub fn same(a: &str, b: &str) -> bool {
    a == b || matches!((parse(a), parse(b)), (Ok(a), Ok(b)) if a == b)
}

/// A decimal number: its digits before the point, and those after it.
struct Amount<'a> {
    whole: &'a str,
    fraction: &'a str,
}

impl Amount<'_> {
    /// The amount of a unit in nanoseconds, cut off below one as Go does; none if it is far too long.
    fn of(&self, unit: i128) -> Option<i128> {
        let whole = if self.whole.is_empty() { 0 } else { self.whole.parse::<u64>().ok()? };
        let mut part = 0;
        let mut scale = unit;
        // The longest unit has 14 digits, so later digits of a fraction weigh less than a nanosecond.
        for digit in self.fraction.bytes().take(14) {
            part = part * 10 + i128::from(digit - b'0');
            scale *= 10;
        }
        let weight = scale / unit;
        Some(i128::from(whole) * unit + part * unit / weight)
    }
}

fn number(text: &str) -> Option<(Amount<'_>, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    (!whole.is_empty() || !fraction.is_empty()).then_some((Amount { whole, fraction }, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn refused(text: &str) -> Error {
    Error::usage(format!("`{}` is not a duration", safe(text)))
        .hint("write numbers with the units h, m, s, ms, us or ns, such as `1h30m`")
}

fn too_long(text: &str) -> Error {
    Error::usage(format!("the duration `{}` is too long", safe(text))).hint("the longest is about 2562047h")
}

fn bad_unit(text: &str, name: &str) -> Error {
    let hours = match name {
        "" => return Error::usage(format!("the duration `{}` lacks a unit", safe(text))).hint(in_seconds(text)),
        "d" | "day" | "days" => 24,
        "w" | "week" | "weeks" => 7 * 24,
        _ => return refused(text),
    };
    let error = Error::usage(format!("`{}` is not a duration: the longest unit is the hour", safe(text)));
    let (count, rest) = digits(text);
    match (rest == name, count.parse::<u32>()) {
        (true, Ok(count)) => error.hint(format!("write `{}h`", u64::from(count) * hours)),
        _ => error.hint(format!("write {hours}h for each `{}`", safe(name))),
    }
}

fn in_seconds(text: &str) -> String {
    format!("write `{}s` if seconds are meant", safe(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("+0", 0),
            ("5s", 5_000_000_000),
            ("-5s", -5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("300ms", 300_000_000),
            ("12us", 12_000),
            ("12µs", 12_000),
            ("12μs", 12_000),
            ("-1ns", -1),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(parse(text).unwrap(), nanoseconds, "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused_with_a_way_out() {
        for (text, hint) in [
            ("1d", "`24h`"),
            ("2w", "`336h`"),
            ("1h1d", "24h for each"),
            ("60", "`60s`"),
            ("", "such as `1h30m`"),
            ("soon", "such as `1h30m`"),
            ("-", "such as `1h30m`"),
            (".h", "such as `1h30m`"),
            ("1h 30m", "such as `1h30m`"),
            ("1H", "such as `1h30m`"),
            ("9223372036854775808ns", "2562047h"),
            ("3000000h", "2562047h"),
            ("99999999999999999999999999h", "2562047h"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.hints()[0].contains(hint), "{text}: {:?}", error.hints());
        }
    }

    #[test]
    fn equal_lengths_are_the_same_however_written() {
        assert!(same("90m", "1h30m0s") && same("x", "x"));
        assert!(!same("90m", "91m") && !same("x", "y"));
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text in "[-+]?[0-9.]{0,30}[nuµmshd]{0,3}[0-9.]{0,5}\\PC{0,3}") {
            let _ = parse(&text);
        }
    }
}
