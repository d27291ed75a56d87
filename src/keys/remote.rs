//! Public keys of a remote issuer.
//!
//! A [`RemoteKeySet`] keeps the last good set and replaces it whole. It never holds up a review that
//! can be answered with the keys it has, and it fetches at most once per cooldown, however many
//! tokens arrive that no key verifies. Its task goes on when those who waited for it have hung up,
//! and ends when nobody has the set any more.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::fetch::{Fetched, Fetcher};
use crate::lifecycle::kept_up;
use crate::live::Mark;
use crate::metrics::Metrics;
use crate::token::{self, BoxFuture, Jwks, KeySet, KeysUnavailable, Refreshed};

use super::discovery;
use super::failure::{Cause, Failure};
use super::holdings::{Holdings, Parsed, parse};
use super::progress::Step;
use super::{Health, IssuerKeys, Pace};

/// The keys of an issuer on the network.
pub struct RemoteKeySet {
    holdings: Arc<Holdings>,
    pace: Pace,
    waiters: Semaphore,
    /// Ends with the set: dropping it aborts what is in it.
    _refreshing: JoinSet<()>,
}

/// Where to begin.
pub(super) struct Address {
    pub(super) url: String,
    /// Whether a discovery document is there, or the key set itself.
    pub(super) discovers: bool,
}

impl RemoteKeySet {
    pub(super) fn open(
        issuer: &str,
        address: Address,
        fetcher: Fetcher,
        pace: Pace,
        max_waiters: usize,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let holdings = Arc::new(Holdings::new(issuer, metrics));
        let refresher = Arc::new(Refresher { holdings: holdings.clone(), address, fetcher, pace });
        let mut refreshing = JoinSet::new();
        refreshing.spawn(kept_up(move || refresher.clone().run()));
        let waiters = Semaphore::new(max_waiters.min(Semaphore::MAX_PERMITS));
        Self { holdings, pace, waiters, _refreshing: refreshing }
    }

    /// Whether any keys are held.
    pub(super) fn has_keys(&self) -> bool {
        !self.holdings.current().1.is_empty()
    }

    async fn newer_than(&self, seen: &Mark) -> Result<Refreshed, KeysUnavailable> {
        if seen.holds() {
            self.ask(seen).await?;
        }
        let cooled = self.holdings.progress.borrow().began + self.pace.cooldown;
        let retry_at = SystemTime::now() + cooled.saturating_duration_since(Instant::now());
        Ok(Refreshed { retry_at })
    }

    async fn ask(&self, seen: &Mark) -> Result<(), KeysUnavailable> {
        let mut step = Step::Done(Ok(()));
        self.holdings.progress.send_if_modified(|progress| {
            let wanted = progress.wanted;
            step = progress.ask(Instant::now(), self.pace.cooldown);
            progress.wanted != wanted
        });
        let attempts = match step {
            Step::Done(result) => return result,
            Step::Await(attempts) => attempts,
        };
        let Ok(_place) = self.waiters.try_acquire() else { return Err(KeysUnavailable::Crowded) };
        let mut progress = self.holdings.progress.subscribe();
        let ended = progress.wait_for(|progress| progress.ended >= attempts);
        match timeout(self.pace.patience, ended).await {
            Err(_) => Err(KeysUnavailable::Slow),
            Ok(Ok(progress)) if progress.failure.is_some() && seen.holds() => {
                Err(KeysUnavailable::Unreachable)
            }
            Ok(_) => Ok(()),
        }
    }
}

impl KeySet for RemoteKeySet {
    fn current(&self) -> (Mark, Arc<Jwks>) {
        self.holdings.current()
    }

    fn refresh<'a>(&'a self, seen: &'a Mark) -> BoxFuture<'a, Result<Refreshed, KeysUnavailable>> {
        Box::pin(self.newer_than(seen))
    }
}

impl IssuerKeys for RemoteKeySet {
    fn tried(&self) -> BoxFuture<'_, ()> {
        self.holdings.tried()
    }

    fn health(&self) -> Health {
        self.holdings.health()
    }
}

/// The task behind the set. It does not hold the set itself, or neither would ever end.
struct Refresher {
    holdings: Arc<Holdings>,
    address: Address,
    fetcher: Fetcher,
    pace: Pace,
}

impl Refresher {
    async fn run(self: Arc<Self>) {
        let mut failures: u32 = 0;
        loop {
            self.holdings.begin();
            match self.attempt().await {
                Ok((keys, fresh_for)) => {
                    failures = 0;
                    let pause = self.pace.refresh_after(fresh_for, dice());
                    self.holdings.end(Ok(keys), Some(pause));
                    let mut progress = self.holdings.progress.subscribe();
                    let _ = timeout(pause, progress.wait_for(|progress| progress.wanted)).await;
                }
                Err(failure) => {
                    failures = failures.saturating_add(1);
                    let pause = self.pace.retry_after(failures, dice());
                    self.holdings.end(Err(failure), Some(pause));
                    sleep(pause).await;
                }
            }
        }
    }

    /// Gets the keys, and how long they may be taken as fresh.
    async fn attempt(&self) -> Result<(Parsed, Option<Duration>), Failure> {
        let deadline = Instant::now() + self.pace.fetch_timeout;
        let mut place = self.address.url.clone();
        if self.address.discovers {
            let document = self.get(&place, deadline).await?;
            place = discovery::jwks_uri(&document.body, &self.holdings.issuer)
                .map_err(|cause| Failure { place, cause: cause.into() })?;
        }
        let fetched = self.get(&place, deadline).await?;
        let parsed = parse(fetched.body).await.map_err(|cause| Failure { place, cause })?;
        Ok((parsed, fetched.fresh_for))
    }

    async fn get(&self, url: &str, deadline: Instant) -> Result<Fetched, Failure> {
        let fetched = self.fetcher.get(url, deadline).await;
        fetched.map_err(|error| Failure { place: url.to_owned(), cause: Cause::Fetch(error) })
    }
}

/// A random number in 0..=1.
fn dice() -> f64 {
    f64::from(u32::from_ne_bytes(token::random())) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
