//! The core schema: which type a plain text has (YAML 1.2.2 §10.3.2).

use std::str::FromStr;

use serde_json::{Number, Value};

use crate::error::{Error, Result};
use crate::text::safe;

/// The JSON value of a plain text. `yes`, `no` and dates are text; numbers keep all their digits.
///
/// Refused is what JSON has no number for: `.inf` and `.nan`.
pub fn core(text: &str) -> Result<Value> {
    Ok(match text {
        _ if is_null(text) => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_beyond_json(text) => {
            let error = Error::usage(format!("`{}` is a number that JSON does not have", safe(text)));
            return Err(error.hint("put it in quotes if text is meant"));
        }
        _ => number(text).map_or_else(|| Value::from(text), Value::Number),
    })
}

/// Whether a plain text stands for nothing.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn is_beyond_json(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn number(text: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let is_digits = digits.chars().all(|c| c.is_digit(radix));
            let value = is_digits.then(|| u128::from_str_radix(digits, radix).ok())??;
            return Number::from_str(&value.to_string()).ok();
        }
    }
    decimal(text).and_then(|text| Number::from_str(&text).ok())
}

/// A decimal number as JSON writes it: YAML also allows `+1`, `007`, `.5` and `1.`.
fn decimal(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let exponent = match exponent {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if digits.is_empty() || !is_digits(digits) {
                return None;
            }
            format!("e{exponent}")
        }
        None => String::new(),
    };
    Some(format!("{sign}{whole}{point}{fraction}{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_the_type_of_the_core_schema() {
        for (text, json) in [
            ("", "null"),
            ("~", "null"),
            ("True", "true"),
            ("no", r#""no""#),
            ("yes", r#""yes""#),
            ("on", r#""on""#),
            ("2026-01-01", r#""2026-01-01""#),
            ("1_000", r#""1_000""#),
            ("12:30", r#""12:30""#),
            ("007", "7"),
            ("+1", "1"),
            ("-0", "-0"),
            (".5", "0.5"),
            ("1.", "1"),
            ("1.10", "1.10"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0x", r#""0x""#),
            ("0x+1", r#""0x+1""#),
            (".", r#"".""#),
            ("1e3x", r#""1e3x""#),
            ("e5", r#""e5""#),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(core(text).unwrap().to_string(), json, "{text}");
        }
        assert!(core("1e3").unwrap().is_number());
        for text in [".inf", "-.Inf", ".NaN"] {
            assert!(core(text).is_err());
        }
    }
}
