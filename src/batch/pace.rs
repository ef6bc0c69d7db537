//! How fast and how many at once: what the server says of its limits, and what it sustains.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::sync::Notify;

use crate::api::request::Request;
use crate::api::{Seen, Side};
use crate::config::tier::Tier;
use crate::error::{Error, Result};

/// So many requests in so long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// How many.
    pub limit: u32,
    /// In how long.
    pub span: Duration,
}

impl Window {
    /// One of so many parts of it, from 1.
    fn part(self, parts: u32) -> Self {
        match self.limit / parts {
            0 => Window { limit: 1, span: self.span * parts / self.limit },
            limit => Window { limit, ..self },
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Reads a rate: `300/min`, `15/s`, several separated by commas.
pub fn parse(text: &str) -> Result<Vec<Window>> {
    let wrong = || {
        Error::usage(format!("`{}` is no rate", crate::text::safe(text)))
            .hint("a rate is a number a second, minute or hour: 300/min, or 300/min,15/s")
    };
    let one = |part: &str| {
        let (limit, span) = part.trim().split_once('/').ok_or_else(wrong)?;
        let span = match span {
            "s" | "sec" | "second" => SECOND,
            "m" | "min" | "minute" => MINUTE,
            "h" | "hour" => Duration::from_secs(3600),
            _ => return Err(wrong()),
        };
        let limit = limit.parse().ok().filter(|limit| *limit > 0).ok_or_else(wrong)?;
        Ok(Window { limit, span })
    };
    text.split(',').map(one).collect()
}

/// The windows of a tier for writes.
pub fn of_tier(tier: Tier) -> Vec<Window> {
    vec![Window { limit: tier.burst, span: SECOND }, Window { limit: tier.writes, span: MINUTE }]
}

/// The windows as a person reads them: `15 a minute, 5 a second`.
pub fn described(windows: &[Window]) -> String {
    let mut windows = windows.to_vec();
    windows.sort_by_key(|window| std::cmp::Reverse(window.span));
    let each = windows.iter().map(|Window { limit, span }| match span.as_secs() {
        1 => format!("{limit} a second"),
        60 => format!("{limit} a minute"),
        3600 => format!("{limit} an hour"),
        seconds => format!("{limit} in {seconds} s"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// How long so many requests take at the least within these windows.
pub fn time_for(windows: &[Window], count: u64) -> Duration {
    let Some(longest) = windows.iter().max_by_key(|window| window.span) else { return Duration::ZERO };
    let shorter: Vec<Window> = windows.iter().filter(|window| window.span < longest.span).copied().collect();
    let (limit, before) = (u64::from(longest.limit), count.saturating_sub(1));
    // A window's worth at once, and as many again each time that it has passed; within one the shorter ones count.
    let waits = u32::try_from(before / limit).unwrap_or(u32::MAX);
    let whole = longest.span.saturating_mul(waits) + time_for(&shorter, before % limit + 1);
    whole.max(time_for(&shorter, count))
}

/// The buckets that a server counts in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bucket {
    Writes,
    Lists,
    Gets,
}

impl Bucket {
    fn of(request: &Request) -> Option<Self> {
        let is_of_clients =
            request.side == Side::Admin && request.path.starts_with(&["admin".into(), "clients".into()]);
        match (is_of_clients, request.path.len(), &request.method) {
            (false, _, _) => None,
            (_, 2, &Method::GET) => Some(Bucket::Lists),
            (_, _, &Method::GET) => Some(Bucket::Gets),
            _ => Some(Bucket::Writes),
        }
    }
}

/// When requests were sent of late, for the windows of a bucket.
#[derive(Debug, Default)]
struct Sent {
    windows: Vec<Window>,
    /// Whether they were given, so that the server's word does not count.
    is_given: bool,
    /// Into how many parts what the server grants is cut, of which one is used; 0: it is not.
    parts: u32,
    times: VecDeque<Instant>,
    /// Nothing is sent before.
    blocked: Option<Instant>,
}

/// What a window is longer than it says: requests may come closer together than they were sent.
const fn margin(span: Duration) -> Duration {
    if span.as_secs() > 1 { Duration::from_millis(250) } else { Duration::from_millis(50) }
}

impl Sent {
    /// How long the next request has to wait; none: it may go now, and is counted.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        if let Some(left) =
            self.blocked.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
        {
            return Some(left);
        }
        let mut longest = Duration::ZERO;
        for Window { limit, span } in &self.windows {
            let limit = *limit as usize;
            if self.times.len() >= limit {
                let free = self.times[self.times.len() - limit] + *span + margin(*span);
                longest = longest.max(free.saturating_duration_since(now));
            }
        }
        if !longest.is_zero() {
            return Some(longest);
        }
        if let Some(most) = self.windows.iter().map(|window| window.limit as usize).max() {
            self.times.push_back(now);
            while self.times.len() > most {
                self.times.pop_front();
            }
        }
        None
    }
}

/// What is known of how it goes.
#[derive(Clone, Debug, Default)]
pub struct Going {
    /// How many requests are allowed at once by now.
    pub at_once: usize,
    /// The windows for writes.
    pub windows: Vec<Window>,
    /// Until when the server wants to be left alone.
    pub blocked: Option<Duration>,
    /// How often it said that it was too much.
    pub limited: u64,
}

struct Inner {
    limit: f64,
    most: f64,
    in_flight: usize,
    /// The quickest answer of late, in seconds.
    quickest: Option<f64>,
    reduced: Option<Instant>,
    limited: u64,
    writes: Sent,
    lists: Sent,
    gets: Sent,
}

/// The pace of a run.
pub struct Pace {
    inner: Mutex<Inner>,
    /// Tells one that waits for room.
    freed: Notify,
    closed: AtomicBool,
    /// Tells all that wait for a time.
    closing: Notify,
}

impl Pace {
    /// A pace of at most so many requests at once; `windows` for writes, where a flag or a profile names some.
    pub fn new(most: usize, windows: Vec<Window>, tier: Option<Tier>) -> Self {
        let minute = |limit: u32| vec![Window { limit, span: MINUTE }];
        let reads = |limit: Option<u32>| Sent {
            is_given: limit.is_some(),
            windows: limit.map(minute).unwrap_or_default(),
            ..Sent::default()
        };
        #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
        let most = most as f64;
        Pace {
            inner: Mutex::new(Inner {
                limit: most.min(4.0),
                most,
                in_flight: 0,
                quickest: None,
                reduced: None,
                limited: 0,
                writes: Sent { is_given: !windows.is_empty(), windows, ..Sent::default() },
                lists: reads(tier.map(|tier| tier.lists)),
                gets: reads(tier.map(|tier| tier.gets)),
            }),
            freed: Notify::new(),
            closed: AtomicBool::new(false),
            closing: Notify::new(),
        }
    }

    /// The pace of whoever lists clients beside what a person asks for: one request at a time, and one of so many parts of what is
    /// granted.
    pub fn beside(parts: u32, tier: Option<Tier>) -> Self {
        let pace = Pace::new(1, Vec::new(), tier);
        {
            let lists = &mut pace.inner().lists;
            lists.parts = parts;
            lists.windows = lists.windows.iter().map(|window| window.part(parts)).collect();
        }
        pace
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is sent any more: what waits is told so, and what is under way comes to its end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.freed.notify_waiters();
        self.closing.notify_waiters();
    }

    /// Returns once the request may be sent. Errors: nothing is sent any more.
    pub async fn admit(&self, request: &Request) -> Result<()> {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let closing = self.closing.notified();
            tokio::pin!(closing);
            closing.as_mut().enable();
            if self.closed.load(Ordering::SeqCst) {
                return Err(Error::interrupted());
            }
            let wait = {
                let mut inner = self.inner();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 up")]
                if inner.in_flight < inner.limit as usize {
                    let now = Instant::now();
                    let wait = inner.bucket(Bucket::of(request)).and_then(|sent| sent.wait(now));
                    if wait.is_none() {
                        inner.in_flight += 1;
                        if inner.in_flight < inner.limit as usize {
                            self.freed.notify_one();
                        }
                        return Ok(());
                    }
                    wait
                } else {
                    None
                }
            };
            match wait {
                Some(wait) => {
                    // Of another bucket there may be room for one.
                    self.freed.notify_one();
                    drop(tokio::time::timeout(wait, closing).await);
                }
                None => freed.await,
            }
        }
    }

    /// Hears what became of a request that was admitted.
    pub fn observe(&self, request: &Request, seen: &Seen<'_>) {
        let mut inner = self.inner();
        inner.in_flight = inner.in_flight.saturating_sub(1);
        let now = Instant::now();
        let took = seen.took.as_secs_f64();
        match seen.answer {
            Some((429, headers)) => {
                inner.limited += 1;
                inner.reduce(now);
                let wait = asked_for(headers).unwrap_or(SECOND);
                if let Some(sent) = inner.bucket(Bucket::of(request)) {
                    sent.blocked = Some(now + wait);
                }
            }
            None | Some((500.., _)) => inner.reduce(now),
            Some((_, headers)) => {
                let quickest = inner.quickest.map_or(took, |quickest| took.min(quickest * 1.002));
                inner.quickest = Some(quickest);
                // Answers that come ever later say that there are enough of them under way.
                if took > quickest * MOST_SLOWER && inner.limit > 2.0 {
                    inner.limit -= 1.0 / inner.limit;
                } else {
                    inner.limit = (inner.limit + 1.0 / inner.limit).min(inner.most);
                }
                if let Some(sent) = inner.bucket(Bucket::of(request)) {
                    sent.learn(headers, now);
                }
            }
        }
        drop(inner);
        self.freed.notify_one();
    }

    /// How it goes.
    pub fn going(&self) -> Going {
        let inner = self.inner();
        let blocked = inner.writes.blocked.and_then(|until| until.checked_duration_since(Instant::now()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 up")]
        let at_once = inner.limit as usize;
        Going { at_once, windows: inner.writes.windows.clone(), blocked, limited: inner.limited }
    }
}

/// How many times longer than the quickest an answer may take before fewer are asked for at once.
const MOST_SLOWER: f64 = 8.0;

impl Inner {
    fn bucket(&mut self, bucket: Option<Bucket>) -> Option<&mut Sent> {
        Some(match bucket? {
            Bucket::Writes => &mut self.writes,
            Bucket::Lists => &mut self.lists,
            Bucket::Gets => &mut self.gets,
        })
    }

    /// Halves what is sent at once; what goes wrong together counts once.
    fn reduce(&mut self, now: Instant) {
        let is_new = self.reduced.is_none_or(|reduced| now.duration_since(reduced) > Duration::from_millis(500));
        if is_new {
            self.limit = (self.limit / 2.0).max(1.0);
            self.reduced = Some(now);
        }
    }
}

impl Sent {
    /// Takes in what the server says of its limits (`x-ratelimit-limit: 10, 10;w=1, 300;w=60`).
    fn learn(&mut self, headers: &HeaderMap, now: Instant) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if !self.is_given
            && let Some(limits) = text("x-ratelimit-limit")
        {
            let window = |part: &str| {
                let (limit, span) = part.trim().split_once(";w=")?;
                let (limit, span) = (limit.parse().ok()?, span.parse().ok()?);
                (limit > 0 && (1..=LONGEST_SPAN).contains(&span))
                    .then(|| Window { limit, span: Duration::from_secs(span) }.part(self.parts.max(1)))
            };
            let windows: Vec<Window> = limits.split(',').filter_map(window).collect();
            if windows != self.windows && !windows.is_empty() {
                // This very request was the first that is counted.
                if self.times.is_empty() {
                    self.times.push_back(now);
                }
                self.windows = windows;
            }
        }
        let number = |name: &str| text(name).and_then(|text| text.trim().parse::<u64>().ok());
        if number("x-ratelimit-remaining") == Some(0)
            && let Some(reset) = number("x-ratelimit-reset").filter(|reset| *reset > 0)
        {
            self.blocked = Some(now + Duration::from_secs(reset).min(LONGEST_WAIT));
        }
    }
}

/// The longest that a server asks to be left alone for, in whole seconds.
fn asked_for(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let longest = seconds(RETRY_AFTER.as_str()).max(seconds("x-ratelimit-reset"))?;
    Some(Duration::from_secs(longest).min(LONGEST_WAIT))
}

/// The longest window that is believed: a month, in seconds.
const LONGEST_SPAN: u64 = 31 * 24 * 3600;

/// The longest that a server is left alone at its word.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_told() {
        let windows = parse("15/s, 300/min").unwrap();
        assert_eq!(described(&windows), "300 a minute, 15 a second");
        assert!(parse("0/s").is_err() && parse("3").is_err() && parse("3/day").is_err());
    }

    #[test]
    fn no_window_is_ever_overdrawn() {
        let windows = vec![Window { limit: 3, span: SECOND }, Window { limit: 10, span: MINUTE }];
        let mut sent = Sent { windows: windows.clone(), ..Sent::default() };
        let start = Instant::now();
        let mut now = start;
        let mut times = Vec::new();
        while times.len() < 35 {
            match sent.wait(now) {
                Some(wait) => now += wait,
                None => times.push(now),
            }
        }
        for Window { limit, span } in &windows {
            for group in times.windows(*limit as usize + 1) {
                assert!(group[*limit as usize].duration_since(group[0]) > *span, "{limit} in {span:?}");
            }
        }
        // The estimate is what it comes to, within a tenth.
        let took = times.last().unwrap().duration_since(start).as_secs_f64();
        let estimate = time_for(&windows, 35).as_secs_f64();
        assert!((took - estimate).abs() <= took / 10.0, "{took} {estimate}");
    }

    #[test]
    fn whoever_lists_beside_takes_a_part_only() {
        let pace = Pace::beside(5, crate::config::tier::named("developer"));
        assert!(pace.inner().lists.windows.iter().all(|window| window.span >= MINUTE), "{:?}", pace.inner().lists);
        let mut lists = Sent { parts: 5, ..Sent::default() };
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit", "10, 2;w=1, 300;w=60".parse().unwrap());
        lists.learn(&headers, Instant::now());
        let seconds = |window: &Window| (window.limit, window.span.as_secs_f64());
        assert_eq!(lists.windows.iter().map(seconds).collect::<Vec<_>>(), [(1, 2.5), (60, 60.0)]);
    }

    #[test]
    fn estimates_follow_the_narrowest_window() {
        let developer = of_tier(crate::config::tier::named("developer").unwrap());
        assert_eq!(time_for(&developer, 10_000).as_secs() / 60, 666);
        assert!((178..=184).contains(&time_for(&developer, 60).as_secs()));
        assert_eq!(time_for(&developer, 1), Duration::ZERO);
        assert_eq!(time_for(&[], 1_000), Duration::ZERO);
        assert_eq!(time_for(&parse("10/s,120/min").unwrap(), 50).as_secs(), 4);
    }
}
