//! The series of one issuer: there with its first holder, gone with its last.
//!
//! A configuration that no longer has the issuer leaves none of its series behind, and one that still
//! has it interrupts none of them: whoever judges its tokens or gets its keys holds them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec};

use super::{Outcome, Registering, seconds};

/// Every family with an `issuer` label.
pub(super) struct ByIssuer {
    authentications: IntCounterVec,
    authentication_duration_seconds: HistogramVec,
    rejections: IntCounterVec,
    jwks_fetches: IntCounterVec,
    jwks_fetch_duration_seconds: HistogramVec,
    jwks_last_success_timestamp_seconds: GaugeVec,
    jwks_keys: IntGaugeVec,
    held: Mutex<HashMap<Arc<str>, Weak<IssuerMetrics>>>,
}

/// How an attempt to get keys ends: the `result` label.
const FETCHED: [&str; 2] = ["success", "failure"];

impl ByIssuer {
    pub(super) fn register(at: &Registering) -> Result<Self, prometheus::Error> {
        Ok(Self {
            authentications: at.counters(
                "authentications_total",
                "Tokens judged (not answered from the cache), by issuer and result.",
                &["issuer", "result"],
            )?,
            authentication_duration_seconds: at.histograms(
                "authentication_duration_seconds",
                "Time to judge a token, waits for keys included, by issuer.",
                &["issuer"],
            )?,
            rejections: at.counters(
                "rejections_total",
                "Tokens not authenticated, cached refusals not counted again, by issuer and reason.",
                &["issuer", "reason"],
            )?,
            jwks_fetches: at.counters(
                "jwks_fetches_total",
                "Attempts to get an issuer's keys, by result (success or failure).",
                &["issuer", "result"],
            )?,
            jwks_fetch_duration_seconds: at.histograms(
                "jwks_fetch_duration_seconds",
                "Time to get an issuer's keys, discovery included.",
                &["issuer"],
            )?,
            jwks_last_success_timestamp_seconds: at.times(
                "jwks_last_success_timestamp_seconds",
                "When an issuer's keys were last got, in seconds since the epoch.",
                &["issuer"],
            )?,
            jwks_keys: at.gauges("jwks_keys", "Usable keys held of an issuer.", &["issuer"])?,
            held: Mutex::default(),
        })
    }

    /// Those of `issuer`, which is a name from the configuration or a fixed word.
    pub(super) fn of(self: &Arc<Self>, issuer: &str) -> Arc<IssuerMetrics> {
        let mut held = self.held();
        if let Some(series) = held.get(issuer).and_then(Weak::upgrade) {
            return series;
        }
        let issuer: Arc<str> = issuer.into();
        let series = Arc::new(IssuerMetrics {
            issuer: issuer.clone(),
            families: self.clone(),
            reasons: Mutex::default(),
        });
        held.insert(issuer, Arc::downgrade(&series));
        series
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Arc<str>, Weak<IssuerMetrics>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The series of one issuer.
pub struct IssuerMetrics {
    issuer: Arc<str>,
    families: Arc<ByIssuer>,
    /// For which reasons there is a series of rejections.
    reasons: Mutex<BTreeSet<&'static str>>,
}

impl IssuerMetrics {
    /// Counts a token that it judged.
    pub fn authenticated(&self, outcome: Outcome, took: Duration) {
        let Self { issuer, families, .. } = self;
        families.authentications.with_label_values(&[issuer, outcome.as_str()]).inc();
        let duration = &families.authentication_duration_seconds;
        duration.with_label_values(&[issuer]).observe(took.as_secs_f64());
    }

    /// Counts a token that was not authenticated.
    pub fn rejected(&self, reason: &'static str) {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).insert(reason);
        self.families.rejections.with_label_values(&[&*self.issuer, reason]).inc();
    }

    /// Shows what concerns its keys before anything has happened to them.
    pub fn has_keys(&self) {
        for result in FETCHED {
            self.families.jwks_fetches.with_label_values(&[&*self.issuer, result]);
        }
        self.families.jwks_keys.with_label_values(&[&self.issuer]).set(0);
    }

    /// Counts a fetch that brought `keys` usable keys.
    pub fn jwks_fetched(&self, keys: usize, took: Duration, now: SystemTime) {
        self.jwks_held(keys, now);
        self.count_fetch("success", took);
    }

    /// Shows how many keys are held, and when they were fetched.
    pub fn jwks_held(&self, keys: usize, fetched: SystemTime) {
        let Self { issuer, families, .. } = self;
        let at = &families.jwks_last_success_timestamp_seconds;
        at.with_label_values(&[issuer]).set(seconds(fetched));
        let keys = i64::try_from(keys).unwrap_or(i64::MAX);
        families.jwks_keys.with_label_values(&[issuer]).set(keys);
    }

    /// Counts a fetch that failed.
    pub fn jwks_fetch_failed(&self, took: Duration) {
        self.count_fetch("failure", took);
    }

    fn count_fetch(&self, result: &str, took: Duration) {
        let Self { issuer, families, .. } = self;
        families.jwks_fetches.with_label_values(&[issuer, result]).inc();
        let duration = &families.jwks_fetch_duration_seconds;
        duration.with_label_values(&[issuer]).observe(took.as_secs_f64());
    }
}

impl Drop for IssuerMetrics {
    fn drop(&mut self) {
        let Self { issuer, families, reasons } = self;
        let issuer = &**issuer;
        let mut held = families.held();
        // Somebody may have asked for them again, after the last holder had let go.
        if held.get(issuer).is_some_and(|series| series.strong_count() > 0) {
            return;
        }
        held.remove(issuer);
        // One that never was there cannot be removed, and need not be.
        for outcome in Outcome::ALL {
            let _ = families.authentications.remove_label_values(&[issuer, outcome.as_str()]);
        }
        for reason in reasons.get_mut().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = families.rejections.remove_label_values(&[issuer, reason]);
        }
        for result in FETCHED {
            let _ = families.jwks_fetches.remove_label_values(&[issuer, result]);
        }
        let _ = families.authentication_duration_seconds.remove_label_values(&[issuer]);
        let _ = families.jwks_fetch_duration_seconds.remove_label_values(&[issuer]);
        let _ = families.jwks_last_success_timestamp_seconds.remove_label_values(&[issuer]);
        let _ = families.jwks_keys.remove_label_values(&[issuer]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn the_series_of_an_issuer_live_as_long_as_somebody_holds_them() {
        let metrics = Metrics::new().unwrap();
        let lines = |issuer: &str| {
            let text = String::from_utf8(metrics.to_text()).unwrap();
            text.lines().filter(|line| line.contains(&format!("issuer=\"{issuer}\""))).count()
        };
        let fill = |series: &IssuerMetrics| {
            series.has_keys();
            series.authenticated(Outcome::Rejected, Duration::ZERO);
            series.rejected("expired");
            series.jwks_fetched(1, Duration::ZERO, SystemTime::now());
            series.jwks_fetch_failed(Duration::ZERO);
        };
        let (old, stays) = (metrics.issuer("old"), metrics.issuer("stays"));
        fill(&old);
        fill(&stays);
        let each = lines("old");
        assert_eq!((each > 7, lines("stays")), (true, each));
        drop(metrics.issuer("stays"));
        drop(old);
        assert_eq!((lines("old"), lines("stays")), (0, each));
        metrics.issuer("old").rejected("expired");
        assert_eq!(lines("old"), 0, "whoever comes back holds them for himself");
    }
}
