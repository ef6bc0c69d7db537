//! How far a run is, for people and for machines.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::pace::{self, Pace};
use super::run::Tally;
use crate::session::Session;
use crate::ui::progress::Progress;

/// Tells it again and again.
pub async fn watch(
    session: &Session,
    progress: &mut Progress,
    tally: &Tally,
    pace: &Pace,
    total: u64,
    began: Instant,
) -> std::convert::Infallible {
    let mut windows = pace.going().windows;
    loop {
        tokio::time::sleep(progress.interval()).await;
        let going = pace.going();
        let done = tally.ended.load(Ordering::Relaxed);
        if going.windows != windows {
            windows.clone_from(&going.windows);
            let left = total.saturating_sub(done);
            session.ui().note(&format!(
                "the server allows {}: {} for the {left} rows that are left",
                pace::described(&windows),
                about(pace::time_for(&windows, left))
            ));
        }
        let message = message(tally, &going, total, began);
        progress.at(done, total, &message, || state_of(tally, pace, total, began));
    }
}

fn message(tally: &Tally, going: &pace::Going, total: u64, began: Instant) -> String {
    let (done, failed) = (tally.ended.load(Ordering::Relaxed), tally.failed.load(Ordering::Relaxed));
    let rate = rate(done, began);
    let mut parts = vec![if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if let Some(blocked) = going.blocked {
        parts.push(format!("waiting {} s for the server's limit", blocked.as_secs() + 1));
    }
    #[expect(clippy::cast_precision_loss, reason = "it is told to the minute")]
    let measured = Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / rate).unwrap_or_default();
    // Where limits decide, they decided from the beginning.
    let limited = pace::time_for(&going.windows, total).saturating_sub(began.elapsed());
    let left = if limited.is_zero() { measured } else { limited };
    if done > 0 {
        parts.push(format!("{} left", about(left)));
    }
    parts.join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "it is told to a tenth")]
fn rate(done: u64, began: Instant) -> f64 {
    done as f64 / began.elapsed().as_secs_f64().max(0.001)
}

/// The same for machines.
pub fn state_of(tally: &Tally, pace: &Pace, total: u64, began: Instant) -> Value {
    let going = pace.going();
    let (done, failed) = (tally.ended.load(Ordering::Relaxed), tally.failed.load(Ordering::Relaxed));
    json!({
        "done": done, "failed": failed, "total": total, "seconds": began.elapsed().as_secs(),
        "per_second": (rate(done, began) * 10.0).round() / 10.0, "at_once": going.at_once, "limited": going.limited,
        "waiting_seconds": going.blocked.map(|blocked| blocked.as_secs()),
    })
}

/// A length of time as people say it: `14 min`, `3 h 5 min`.
pub fn about(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".into(),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
