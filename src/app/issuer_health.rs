//! How an issuer's keys are, in one line for a tired reader: what matters, why, what holds meanwhile,
//! and when it is tried again.

use std::time::{Duration, SystemTime};

use crate::keys::Health;

/// How urgent an issuer is; the most urgent comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// It holds up the start.
    Untried,
    /// Its tokens are refused.
    Dark,
    /// Its last good keys are used.
    Failing,
    /// Nothing is wrong.
    Well,
}

/// How urgent that is.
pub(super) fn urgency(health: &Health) -> Urgency {
    match (health.tried, health.keys, &health.error) {
        (false, ..) => Urgency::Untried,
        (true, 0, _) => Urgency::Dark,
        (true, _, Some(_)) => Urgency::Failing,
        (true, _, None) => Urgency::Well,
    }
}

/// The line, at that time.
pub(super) fn describe(health: &Health, now: SystemTime) -> String {
    let age = health.last_success.map(|at| in_words(now.duration_since(at).unwrap_or_default()));
    let age = age.as_deref();
    let keys = match health.keys {
        1 => "1 key".to_owned(),
        keys => format!("{keys} keys"),
    };
    let from = if health.from_disk { " from keys.cacheDir" } else { "" };
    let held = age.map_or(keys.clone(), |age| format!("{keys}{from}, got {age} ago"));
    let why = health.error.as_deref().unwrap_or("it is being tried");
    let mut line = match (urgency(health), age) {
        (Urgency::Untried, _) if health.keys == 0 => "not tried yet".to_owned(),
        (Urgency::Untried, _) => format!("not tried yet; {held}, used meanwhile"),
        (Urgency::Dark, None) => format!("dark, its tokens are refused: no keys yet: {why}"),
        (Urgency::Dark, Some(age)) => format!(
            "dark, its tokens are refused: its last keys, got {age} ago, are older than \
             keys.maxStale: {why}"
        ),
        (Urgency::Failing, _) => format!("failing: {why}; {held}, used meanwhile"),
        (Urgency::Well, _) => format!("ok: {held}"),
    };
    if let Some(at) = health.next_attempt {
        let wait = in_words(at.duration_since(now).unwrap_or_default());
        line.push_str("; next attempt in ");
        line.push_str(&wait);
    }
    line
}

/// One number and its unit: nobody who is woken wants more.
pub(super) fn in_words(duration: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / MINUTE),
        7200..172_800 => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_matters_comes_first_and_times_are_in_words() {
        let now = SystemTime::UNIX_EPOCH + 1_000_000 * SECOND;
        let well = Health {
            keys: 2,
            tried: true,
            last_success: Some(now - 250 * SECOND),
            from_disk: false,
            next_attempt: Some(now + 350 * SECOND),
            error: None,
        };
        let failing = Health {
            last_success: Some(now - 3 * 3600 * SECOND),
            next_attempt: Some(now + 40 * SECOND),
            error: Some("https://k/: HTTP 503".into()),
            ..well.clone()
        };
        let warm = Health { keys: 1, from_disk: true, ..failing.clone() };
        let stale = Health { keys: 0, ..failing.clone() };
        let dark = Health { last_success: None, ..stale.clone() };
        let untried = Health { tried: false, error: None, next_attempt: None, ..dark.clone() };
        let warm_untried = Health { tried: false, error: None, next_attempt: None, ..warm.clone() };
        for (health, urgency_, line) in [
            (&untried, Urgency::Untried, "not tried yet"),
            (
                &warm_untried,
                Urgency::Untried,
                "not tried yet; 1 key from keys.cacheDir, got 3 h ago, used meanwhile",
            ),
            (
                &dark,
                Urgency::Dark,
                "dark, its tokens are refused: no keys yet: https://k/: HTTP 503; next attempt in 40 s",
            ),
            (
                &stale,
                Urgency::Dark,
                "dark, its tokens are refused: its last keys, got 3 h ago, are older than \
                 keys.maxStale: https://k/: HTTP 503; next attempt in 40 s",
            ),
            (
                &failing,
                Urgency::Failing,
                "failing: https://k/: HTTP 503; 2 keys, got 3 h ago, used meanwhile; next attempt in 40 s",
            ),
            (
                &warm,
                Urgency::Failing,
                "failing: https://k/: HTTP 503; 1 key from keys.cacheDir, got 3 h ago, used meanwhile; \
                 next attempt in 40 s",
            ),
            (&well, Urgency::Well, "ok: 2 keys, got 4 min ago; next attempt in 5 min"),
        ] {
            assert_eq!((urgency(health), &*describe(health, now)), (urgency_, line));
        }
        assert!(Urgency::Untried < Urgency::Dark && Urgency::Failing < Urgency::Well);
    }

    #[test]
    fn a_duration_has_one_unit() {
        let words = |seconds| in_words(seconds * SECOND);
        let units = [0, 119, 120, 7199, 7200, 172_799, 172_800].map(words);
        assert_eq!(units, ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"]);
    }
}
