//! Times as a person reads them: how long ago, or how far ahead.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Members that say when something was, or will be (RFC 3339).
const DATES: &[&str] = &["created_at", "updated_at", "expires_at", "begun"];

/// How many seconds a unit has, and what it is called.
const UNITS: [(u64, &str); 6] =
    [(31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// Makes the times of a row relative to `now`; what is no time stays as it is.
pub(super) fn make_relative(row: &mut Value, now: SystemTime) {
    let Value::Object(members) = row else { return };
    for name in DATES {
        if let Some(value) = members.get_mut(*name)
            && let Some(time) = value.as_str().and_then(|text| humantime::parse_rfc3339(text).ok())
        {
            *value = relative(time, now).into();
        }
    }
}

fn relative(time: SystemTime, now: SystemTime) -> String {
    match now.duration_since(time) {
        Ok(since) => in_units(since).map_or_else(|| "just now".into(), |told| format!("{told} ago")),
        Err(ahead) => in_units(ahead.duration()).map_or_else(|| "now".into(), |told| format!("in {told}")),
    }
}

/// The largest unit of which it has one. `None`: less than a second.
fn in_units(time: Duration) -> Option<String> {
    let (seconds, name) = UNITS.iter().find(|(seconds, _)| time.as_secs() >= *seconds)?;
    let count = time.as_secs() / seconds;
    Some(format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_told_from_now() {
        let now = humantime::parse_rfc3339("2026-11-26T12:00:00Z").unwrap();
        let mut row = json!({
            "created_at": "2026-11-26T11:59:59.7Z", "updated_at": "2026-11-26T10:59:00Z", "expires_at": "2026-12-01T12:00:00Z",
            "begun": "yesterday", "name": "2026-11-26T10:59:00Z",
        });
        make_relative(&mut row, now);
        let told = json!({
            "created_at": "just now", "updated_at": "1 hour ago", "expires_at": "in 5 days",
            "begun": "yesterday", "name": "2026-11-26T10:59:00Z",
        });
        assert_eq!(row, told);
        make_relative(&mut json!([1]), now);
        for (time, told) in [
            ("2024-11-26T12:00:00Z", "2 years ago"),
            ("2026-10-01T12:00:00Z", "1 month ago"),
            ("2026-11-26T12:00:59Z", "in 59 seconds"),
        ] {
            assert_eq!(relative(humantime::parse_rfc3339(time).unwrap(), now), told);
        }
    }
}
