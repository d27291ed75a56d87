//! How far the attempts to get one issuer's keys have come, and what that means for one who wants
//! newer ones. Pure.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::token::{KeysUnavailable, SkippedKey};

/// The attempts so far.
#[derive(Debug)]
pub(super) struct Progress {
    /// How many have ended.
    pub(super) ended: u64,
    /// Whether one is under way.
    pub(super) under_way: bool,
    /// Whether the next one shall begin now: somebody waits for it.
    pub(super) wanted: bool,
    /// When the last one began.
    pub(super) began: Instant,
    /// Why the last one that ended has failed.
    pub(super) failure: Option<Arc<str>>,
    /// What the last good one had to leave out.
    pub(super) skipped: Vec<SkippedKey>,
    /// When the last good one ended, perhaps that of an earlier process.
    pub(super) last_success: Option<SystemTime>,
    /// Whether it was that of an earlier process.
    pub(super) from_disk: bool,
    /// When the next one is due.
    pub(super) next: Option<SystemTime>,
}

/// What to do for one who wants newer keys.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// There is nothing to wait for.
    Done(Result<(), KeysUnavailable>),
    /// Wait until so many attempts have ended.
    Await(u64),
}

impl Progress {
    /// Before the first attempt, which is as good as begun.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            ended: 0,
            under_way: true,
            wanted: false,
            began: now,
            failure: None,
            skipped: Vec::new(),
            last_success: None,
            from_disk: false,
            next: None,
        }
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.under_way = true;
        self.wanted = false;
        self.began = now;
        self.next = None;
    }

    /// It ends, and the caller says how.
    pub(super) fn end(&mut self, next: Option<SystemTime>) {
        self.under_way = false;
        self.ended += 1;
        self.next = next;
    }

    /// Asks for newer keys. Only the first to ask once the cooldown is over changes anything.
    pub(super) fn ask(&mut self, now: Instant, cooldown: Duration) -> Step {
        if self.under_way {
            return Step::Await(self.ended + 1);
        }
        if self.failure.is_some() {
            // The next attempt comes by itself, when it is due.
            return Step::Done(Err(KeysUnavailable::Unreachable));
        }
        if now.saturating_duration_since(self.began) < cooldown {
            return Step::Done(Ok(()));
        }
        self.wanted = true;
        Step::Await(self.ended + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(10);

    fn succeeded(now: Instant) -> Progress {
        let mut progress = Progress::new(now);
        progress.end(None);
        progress
    }

    #[test]
    fn ten_thousand_who_ask_cause_one_fetch_per_cooldown() {
        let start = Instant::now();
        let mut progress = succeeded(start);
        let mut fetches = Vec::new();
        for millisecond in 0..10_000_u64 {
            let now = start + Duration::from_millis(3 * millisecond);
            if let Step::Await(_) = progress.ask(now, COOLDOWN) {
                assert!(progress.wanted);
                progress.begin(now);
                fetches.push(now - start);
                progress.end(None);
            }
        }
        assert_eq!(fetches.len(), 2, "30 s, and the first fetch at 0: {fetches:?}");
        assert!(fetches[0] >= COOLDOWN && fetches[1] - fetches[0] >= COOLDOWN, "{fetches:?}");
    }

    #[test]
    fn whoever_asks_during_a_fetch_waits_for_that_one() {
        let now = Instant::now();
        let mut progress = Progress::new(now);
        assert_eq!(progress.ask(now, COOLDOWN), Step::Await(1), "the first fetch counts");
        assert!(!progress.wanted, "no second one is wanted");
        progress.end(None);
        progress.begin(now);
        assert_eq!(progress.ask(now + 2 * COOLDOWN, COOLDOWN), Step::Await(2));
        assert!(!progress.wanted);
    }

    #[test]
    fn after_a_failure_nobody_waits_and_nobody_hastens_the_next_attempt() {
        let now = Instant::now();
        let mut progress = succeeded(now);
        progress.failure = Some("dark".into());
        let unreachable = Step::Done(Err(KeysUnavailable::Unreachable));
        assert_eq!(progress.ask(now + 2 * COOLDOWN, COOLDOWN), unreachable);
        assert!(!progress.wanted);
        progress.begin(now);
        assert_eq!(progress.ask(now, COOLDOWN), Step::Await(2), "but one that has begun may help");
    }
}
