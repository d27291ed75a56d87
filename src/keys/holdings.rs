//! What is held of one issuer's keys: the last good set, and how the attempts to get it went.
//!
//! Everything that an attempt leads to happens here, in this order: the set is published, then those
//! who waited for it are woken. Metrics and log lines come with it; of an issuer that nobody
//! configured there are neither, but for lines of `debug`, since its name is no word of ours.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::live::{Live, Mark};
use crate::metrics::{IssuerMetrics, Metrics};
use crate::token::{BoxFuture, Jwks, SkippedKey};

use super::Health;
use super::failure::{Cause, Failure, cut};
use super::progress::Progress;

/// The keys of one issuer.
pub(super) struct Holdings {
    pub(super) issuer: String,
    keys: Live<Jwks>,
    pub(super) progress: watch::Sender<Progress>,
    /// Absent for an issuer that nobody configured.
    metrics: Option<Arc<IssuerMetrics>>,
}

/// A set with a usable key, and what of it is not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parsed {
    keys: Arc<Jwks>,
    skipped: Vec<SkippedKey>,
}

impl Holdings {
    /// No keys yet.
    pub(super) fn new(issuer: &str, metrics: Option<Arc<Metrics>>) -> Self {
        let metrics = metrics.map(|metrics| metrics.issuer(issuer));
        if let Some(metrics) = &metrics {
            metrics.has_keys();
        }
        let progress = watch::Sender::new(Progress::new(Instant::now()));
        Self { issuer: issuer.to_owned(), keys: Live::new(Jwks::default()), progress, metrics }
    }

    pub(super) fn current(&self) -> (Mark, Arc<Jwks>) {
        self.keys.read()
    }

    pub(super) fn tried(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // The sender is in `self`: it outlives the wait.
            let _ = self.progress.subscribe().wait_for(|progress| progress.ended > 0).await;
        })
    }

    /// Waits until there are keys.
    pub(super) fn had(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let mut keys = self.keys.get();
            while keys.is_empty() {
                keys = self.keys.changed_from(&keys).await;
            }
        })
    }

    pub(super) fn health(&self) -> Health {
        let progress = self.progress.borrow();
        Health {
            keys: self.keys.get().len(),
            tried: progress.ended > 0,
            last_success: progress.last_success,
            from_disk: progress.from_disk,
            next_attempt: progress.next,
            error: progress.failure.clone(),
        }
    }

    /// An attempt begins.
    pub(super) fn begin(&self) {
        self.progress.send_modify(|progress| progress.begin(Instant::now()));
    }

    /// It has ended so; the next one begins after `pause`, if any.
    pub(super) fn end(&self, result: Result<Parsed, &Failure>, pause: Option<Duration>) {
        let now = SystemTime::now();
        let took = self.progress.borrow().began.elapsed();
        let next = pause.and_then(|pause| now.checked_add(pause));
        match result {
            Ok(parsed) => self.succeeded(parsed, now, took, next),
            Err(failure) => self.failed(failure, took, next),
        }
    }

    /// Begins with keys from disk, which were `fetched` before this process was.
    pub(super) fn begin_with(&self, Parsed { keys, .. }: Parsed, fetched: SystemTime) {
        let count = keys.len();
        self.keys.publish(keys);
        if let Some(metrics) = &self.metrics {
            metrics.jwks_held(count, fetched);
        }
        self.progress.send_modify(|progress| {
            progress.last_success = Some(fetched);
            progress.from_disk = true;
        });
        info!(
            issuer = self.issuer,
            keys = count,
            "keys come from keys.cacheDir until they are fetched"
        );
    }

    /// How long the keys may still be used if they must not be older than `max_stale`; absent if
    /// there are none.
    pub(super) fn time_left(&self, max_stale: Duration) -> Option<Duration> {
        let fetched =
            self.progress.borrow().last_success.filter(|_| !self.keys.get().is_empty())?;
        Some(max_stale.saturating_sub(fetched.elapsed().unwrap_or_default()))
    }

    /// The keys are too old: they are not used any more, all that rests on them falls, and newer ones
    /// are wanted.
    pub(super) fn give_up_keys(&self) {
        self.keys.publish(Jwks::default());
        let mut fetched = None;
        self.progress.send_modify(|progress| {
            fetched = progress.last_success;
            // A machine that slept may not know yet that it is time.
            progress.wanted = true;
        });
        let (Some(metrics), Some(fetched)) = (&self.metrics, fetched) else { return };
        metrics.jwks_held(0, fetched);
        warn!(
            issuer = self.issuer,
            "the last good keys are older than keys.maxStale: its tokens are refused until newer ones are had"
        );
    }

    fn succeeded(
        &self,
        Parsed { keys, skipped }: Parsed,
        now: SystemTime,
        took: Duration,
        next: Option<SystemTime>,
    ) {
        let (issuer, duration_seconds, count) = (&self.issuer, took.as_secs_f64(), keys.len());
        let changed = self.keys.publish(keys);
        if let Some(metrics) = &self.metrics {
            metrics.jwks_fetched(count, took, now);
        }
        let (mut recovered, mut news) = (false, Vec::new());
        self.progress.send_modify(|progress| {
            recovered = progress.failure.take().is_some();
            news = skipped.iter().filter(|key| !progress.skipped.contains(key)).cloned().collect();
            progress.skipped = skipped;
            progress.last_success = Some(now);
            progress.from_disk = false;
            progress.end(next);
        });
        if self.metrics.is_some() && (changed || recovered) {
            info!(issuer, keys = count, changed, duration_seconds, "keys are up to date");
        } else {
            debug!(issuer, keys = count, duration_seconds, "keys are unchanged");
        }
        self.warn_of(&news);
    }

    /// Once per change of its reason a failure is a warning; its repetition is not.
    fn failed(&self, failure: &Failure, took: Duration, next: Option<SystemTime>) {
        let (issuer, duration_seconds) = (&self.issuer, took.as_secs_f64());
        if let Some(metrics) = &self.metrics {
            metrics.jwks_fetch_failed(took);
        }
        let short: Arc<str> = failure.to_string().into();
        let mut news = false;
        self.progress.send_modify(|progress| {
            news = progress.failure.as_ref() != Some(&short);
            progress.failure = Some(short);
            progress.end(next);
        });
        let (error, keys) = (failure.in_full(), self.keys.get().len());
        if !news || self.metrics.is_none() {
            debug!(issuer, error, keys, duration_seconds, "keys could still not be had");
            return;
        }
        warn!(issuer, error, keys, duration_seconds, "keys could not be had");
        if let Cause::NoUsableKey { skipped } = &failure.cause {
            self.warn_of(skipped);
        }
    }

    fn warn_of(&self, skipped: &[SkippedKey]) {
        if self.metrics.is_none() {
            return;
        }
        for SkippedKey { index, id, flaw } in skipped {
            let (kid, error) = (id.as_ref().map(|id| cut(id, 64)), cut(flaw, 256));
            warn!(issuer = self.issuer, kid, index, error, "a key of the set is not used");
        }
    }
}

/// Parses a key set where it holds up nobody, and where a bug ends nothing but this attempt.
pub(super) async fn parse(body: Bytes) -> Result<Parsed, Cause> {
    let parsing = tokio::task::spawn_blocking(move || parse_here(&body)).await;
    parsing.unwrap_or(Err(Cause::Panic))
}

/// Parses a key set; one without a usable key is as bad as none.
pub(super) fn parse_here(body: &[u8]) -> Result<Parsed, Cause> {
    let (keys, skipped) = Jwks::parse(body)?;
    if keys.is_empty() {
        Err(Cause::NoUsableKey { skipped })
    } else {
        Ok(Parsed { keys: keys.into(), skipped })
    }
}
