//! Times and lengths of time, as values of their own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhai::{Dynamic, Engine, FLOAT, INT};

use crate::error::{Error, Result};
use crate::script::errors::{ScriptResult, thrown};
use crate::script::library::{Library, Placing as _};
use crate::script::missing::named;
use crate::text::safe;

/// A moment.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time(SystemTime);

/// A length of time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(pub Duration);

/// The first second that RFC 3339 cannot write.
const END: u64 = 253_402_300_800;

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", humantime::format_rfc3339_seconds(self.0))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Months and years are of different lengths.
        let (days, rest) = (self.0.as_secs() / 86_400, self.0.as_secs() % 86_400);
        let rest = Duration::new(rest, self.0.subsec_nanos());
        match (days, rest.is_zero()) {
            (0, _) => write!(f, "{}", humantime::format_duration(rest)),
            (_, true) => write!(f, "{days}d"),
            _ => write!(f, "{days}d {}", humantime::format_duration(rest)),
        }
    }
}

impl Time {
    /// How long it is after another. What lies ahead is no time away.
    fn since(self, before: Time) -> Span {
        Span(self.0.duration_since(before.0).unwrap_or_default())
    }

    fn of(time: Option<SystemTime>) -> Result<Time> {
        let is_written = |time: &SystemTime| time.duration_since(UNIX_EPOCH).is_ok_and(|since| since.as_secs() < END);
        time.filter(is_written).map(Time).ok_or_else(|| Error::usage("times are from 1970 to 9999"))
    }

    fn parse(text: &str) -> Result<Time> {
        let (local, behind) = offset(text);
        let read = humantime::parse_rfc3339(&local).or_else(|_| humantime::parse_rfc3339_weak(&local));
        let wrong = || Error::usage(format!("`{}` is no time", safe(text))).hint("as 2026-11-25T12:00:00Z");
        let read = read.map_err(|_| wrong())?;
        let seconds = Duration::from_secs(behind.unsigned_abs());
        Time::of(if behind < 0 { read.checked_add(seconds) } else { read.checked_sub(seconds) })
    }
}

/// A time as in UTC, and by how many seconds it is ahead of that (RFC 3339 §4.2).
fn offset(text: &str) -> (String, i64) {
    let ahead = || {
        let at = text.len().checked_sub(6)?;
        let (local, offset) = (text.get(..at)?, text.get(at..)?);
        let sign = match offset.get(..1)? {
            "+" => 1,
            "-" => -1,
            _ => return None,
        };
        let (hours, minutes) = offset.get(1..)?.split_once(':')?;
        let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        local.contains(['T', 't', ' ']).then(|| (format!("{local}Z"), sign * seconds))
    };
    ahead().unwrap_or_else(|| (text.to_owned(), 0))
}

/// Registers the module, and what can be done with its values.
pub fn register(library: &mut Library, engine: &mut Engine) {
    library.add(
        ("time", "now() -> Time"),
        ("The time now", r#"time::now() > time::parse("2026-01-01T00:00:00Z")"#),
        || Time(SystemTime::now()),
    );
    library.add(
        ("time", "parse(text) -> Time"),
        (
            "A time, as a client's `created_at` has it (RFC 3339)",
            r#"time::now() - time::parse("2026-01-01T00:00:00Z")"#,
        ),
        |text: &str| Time::parse(text).map_err(thrown),
    );
    library.add(
        ("time", "duration(text) -> Duration"),
        ("A length of time: `90d`, `1h 30m`", r#"time::now() + time::duration("90d") > time::now()"#),
        |text: &str| Span::parse(text).map_err(thrown),
    );
    operators(engine);
}

impl Span {
    /// As `1h 30m`. Errors are of usage.
    fn parse(text: &str) -> Result<Span> {
        let wrong = || Error::usage(format!("`{}` is no length of time", safe(text))).hint("as 90s, 1h 30m, 7d");
        humantime::parse_duration(text).map(Span).map_err(|_| wrong())
    }
}

fn none(seconds: &impl std::fmt::Display) -> Error {
    Error::usage(format!("{seconds} seconds are no length of time"))
}

/// The length of time that a script says: a `Duration`, text as `30s`, or a number of seconds.
pub fn length(value: &Dynamic) -> Result<Duration> {
    if let Some(span) = value.read_lock::<Span>() {
        return Ok(span.0);
    }
    if let Ok(seconds) = value.as_int() {
        return u64::try_from(seconds).map(Duration::from_secs).map_err(|_| none(&seconds));
    }
    if let Ok(seconds) = value.as_float() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| none(&seconds));
    }
    if !value.is_string() {
        return Err(Error::usage(format!("a length of time is due, not {}", named(value.type_name()))));
    }
    Span::parse(&value.to_string()).map(|span| span.0)
}

/// The same for a limit. Errors: none at all.
pub fn duration(value: &Dynamic) -> Result<Duration> {
    let duration = length(value)?;
    if duration.is_zero() { Err(Error::usage("no length of time is left")) } else { Ok(duration) }
}

fn operators(engine: &mut Engine) {
    engine
        .register_type_with_name::<Time>("Time")
        .register_fn("to_string", |time: &mut Time| time.to_string())
        .register_fn("to_debug", |time: &mut Time| time.to_string())
        .register_get("seconds", |time: &mut Time| seconds(time.0.duration_since(UNIX_EPOCH).unwrap_or_default()))
        .register_placed("+", |time: Time, by: Span| moved(time.0.checked_add(by.0)))
        .register_placed("+", |time: Time, by: &str| {
            let by = Span::parse(by).map_err(thrown)?;
            moved(time.0.checked_add(by.0))
        })
        .register_placed("-", |time: Time, by: Span| moved(time.0.checked_sub(by.0)))
        .register_placed("-", |time: Time, before: Time| time.since(before))
        .register_placed("-", |time: Time, before: &str| {
            Time::parse(before).map(|before| time.since(before)).map_err(thrown)
        })
        .register_placed("-", |time: &str, before: Time| {
            Time::parse(time).map(|time| time.since(before)).map_err(thrown)
        });
    engine
        .register_type_with_name::<Span>("Duration")
        .register_fn("to_string", |span: &mut Span| span.to_string())
        .register_fn("to_debug", |span: &mut Span| span.to_string())
        .register_get("seconds", |span: &mut Span| seconds(span.0))
        .register_get("days", |span: &mut Span| seconds(span.0) / 86_400);
    macro_rules! compared {
        ($($type:ty),*) => { $(
            engine
                .register_fn("==", |a: $type, b: $type| a == b)
                .register_fn("!=", |a: $type, b: $type| a != b)
                .register_fn("<", |a: $type, b: $type| a < b)
                .register_fn("<=", |a: $type, b: $type| a <= b)
                .register_fn(">", |a: $type, b: $type| a > b)
                .register_fn(">=", |a: $type, b: $type| a >= b);
        )* };
    }
    compared!(Time, Span);
    // A client's own times and lengths of time are texts: what is compared with one is read, and what is none is told.
    macro_rules! compared_with_text {
        ($type:ty: $($operator:tt),*) => { $(
            engine
                .register_placed(stringify!($operator), |a: &str, b: $type| -> ScriptResult<bool> {
                    Ok(<$type>::parse(a).map_err(thrown)? $operator b)
                })
                .register_placed(stringify!($operator), |a: $type, b: &str| -> ScriptResult<bool> {
                    Ok(a $operator <$type>::parse(b).map_err(thrown)?)
                });
        )* };
    }
    compared_with_text!(Time: <, <=, >, >=);
    compared_with_text!(Span: <, <=, >, >=);
    macro_rules! equal_to_text {
        ($type:ty) => {
            engine
                .register_fn("==", |a: &str, b: $type| <$type>::parse(a).is_ok_and(|a| a == b))
                .register_fn("==", |a: $type, b: &str| <$type>::parse(b).is_ok_and(|b| a == b))
                .register_fn("!=", |a: &str, b: $type| !<$type>::parse(a).is_ok_and(|a| a == b))
                .register_fn("!=", |a: $type, b: &str| !<$type>::parse(b).is_ok_and(|b| a == b));
        };
    }
    equal_to_text!(Time);
    equal_to_text!(Span);
    // Rhai takes what it cannot compare for neither more nor less.
    macro_rules! not_compared {
        ($type:ty, $wrong:ident: $($operator:tt),*) => { $(
            engine
                .register_placed(stringify!($operator), |_: $type, _: Dynamic| $wrong())
                .register_placed(stringify!($operator), |_: Dynamic, _: $type| $wrong());
        )* };
    }
    not_compared!(Time, no_time: <, <=, >, >=);
    not_compared!(Span, no_length: <, <=, >, >=);
    // Whether two things are equal can be asked of any, but a number is meant as a length of time.
    macro_rules! no_numbers {
        ($($operator:tt),*) => { $(
            engine
                .register_placed(stringify!($operator), |_: Span, _: INT| no_length())
                .register_placed(stringify!($operator), |_: INT, _: Span| no_length())
                .register_placed(stringify!($operator), |_: Span, _: FLOAT| no_length())
                .register_placed(stringify!($operator), |_: FLOAT, _: Span| no_length());
        )* };
    }
    no_numbers!(==, !=);
    engine
        .register_placed("+", |a: Span, b: Span| Span(a.0.saturating_add(b.0)))
        .register_placed("-", |a: Span, b: Span| {
            let left = a.0.checked_sub(b.0).map(Span);
            left.ok_or_else(|| thrown(Error::usage(format!("{a} less {b} is no length of time"))))
        })
        .register_placed("*", |a: Span, by: INT| times(a, by))
        .register_placed("*", |by: INT, a: Span| times(a, by));
}

fn no_time() -> ScriptResult<bool> {
    let wrong = Error::usage("a time is compared with what is none");
    Err(thrown(wrong.hint("compare it with another: time::now(), time::parse(\"2026-11-26T12:00:00Z\")")))
}

fn no_length() -> ScriptResult<bool> {
    let wrong = Error::usage("a length of time is compared with what is none");
    Err(thrown(wrong.hint("compare it with another: time::duration(\"5m\"), or its `seconds` with the number")))
}

/// Nanoseconds of a second.
const NANOS: u128 = 1_000_000_000;

/// Errors: a length of time that there is not. As none at all it would make everything older.
fn times(span: Span, by: INT) -> ScriptResult<Span> {
    let nanos = u128::try_from(by).ok().and_then(|by| span.0.as_nanos().checked_mul(by));
    let length = nanos.and_then(|nanos| {
        let part = u32::try_from(nanos % NANOS).ok()?;
        u64::try_from(nanos / NANOS).ok().map(|seconds| Span(Duration::new(seconds, part)))
    });
    length.ok_or_else(|| thrown(Error::usage(format!("{by} times {span} is no length of time"))))
}

fn moved(time: Option<SystemTime>) -> ScriptResult<Time> {
    Time::of(time).map_err(thrown)
}

fn seconds(time: Duration) -> INT {
    INT::try_from(time.as_secs()).unwrap_or(INT::MAX)
}
