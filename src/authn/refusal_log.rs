//! One log line for a token that was not authenticated, or a caller that may not ask, sampled.
//!
//! The first lines of each issuer and reason are written at once, then one a second with the number
//! of those left out: a flood of bad tokens can neither fill a disk nor hide another issuer's
//! trouble. The number of buckets is bounded by the configuration.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{AuthnError, NO_ISSUER};

/// Lines that may come at once.
const BURST: u32 = 10;
/// How often a further line may come.
const INTERVAL: Duration = Duration::from_secs(1);
/// How much of an unverified issuer is shown, in characters.
const SHOWN: usize = 128;

/// Writes sampled refusals.
#[derive(Default)]
pub struct RefusalLog {
    buckets: Mutex<HashMap<(Arc<str>, &'static str), Bucket>>,
}

struct Bucket {
    lines_left: u32,
    filled_at: Instant,
    left_out: u64,
}

impl RefusalLog {
    /// Notes a token that an issuer refused, or could not check.
    pub fn refused(&self, error: &AuthnError) {
        let reason = error.reason();
        if let Some(left_out) = self.sample(&error.issuer, reason, Instant::now()) {
            tracing::info!(
                issuer = &*error.issuer,
                reason,
                error = %error.cause,
                left_out,
                "token not authenticated"
            );
        }
    }

    /// Notes a token that no configured issuer claims. `issuer` is what the token says of itself,
    /// unproven: it is shown escaped and cut.
    pub fn no_issuer(&self, name: &Arc<str>, issuer: Option<&str>) {
        let reason = NO_ISSUER;
        if let Some(left_out) = self.sample(name, reason, Instant::now()) {
            let unverified: String = issuer
                .unwrap_or_default()
                .chars()
                .take(SHOWN)
                .flat_map(char::escape_default)
                .collect();
            tracing::info!(
                reason,
                unverified.issuer = unverified,
                left_out,
                "no configured issuer claims this token"
            );
        }
    }

    /// Notes a caller that may not ask, and why. Nothing was said to it about any token.
    pub fn caller(&self, name: &Arc<str>, client: impl Display, error: &str) {
        if let Some(left_out) = self.sample(name, "caller", Instant::now()) {
            tracing::warn!(client.addr = %client, error, left_out, "a caller was refused");
        }
    }

    /// Whether a line may be written now, and then how many were left out before it.
    fn sample(&self, issuer: &Arc<str>, reason: &'static str, now: Instant) -> Option<u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((issuer.clone(), reason)).or_insert(Bucket {
            lines_left: BURST,
            filled_at: now,
            left_out: 0,
        });
        let refills = now.duration_since(bucket.filled_at).as_secs() / INTERVAL.as_secs();
        if refills > 0 {
            let refills = u32::try_from(refills).unwrap_or(u32::MAX);
            bucket.lines_left = bucket.lines_left.saturating_add(refills).min(BURST);
            bucket.filled_at = now;
        }
        if bucket.lines_left == 0 {
            bucket.left_out += 1;
            return None;
        }
        bucket.lines_left -= 1;
        Some(std::mem::take(&mut bucket.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_thinned_and_counted() {
        let log = RefusalLog::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let start = Instant::now();
        let written = (0..1000).filter(|_| log.sample(&a, "expired", start).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(log.sample(&b, "expired", start), Some(0), "another issuer is not hidden");
        assert_eq!(log.sample(&a, "timeout", start), Some(0), "nor another reason");
        let later = start + INTERVAL;
        assert_eq!(log.sample(&a, "expired", later), Some(990));
        assert_eq!(log.sample(&a, "expired", later), None);
    }
}
