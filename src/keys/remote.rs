//! Public keys of a remote issuer.
//!
//! A [`RemoteKeySet`] keeps the last good set and replaces it whole. It never holds up a review that
//! can be answered with the keys it has, and it fetches at most once per cooldown, however many
//! tokens arrive that no key verifies. It begins with the set that lies on disk, if there is one, and
//! gives up a set that is too old (`keys.maxStale`). Its task goes on when those who waited for it have hung up,
//! and ends when nobody has the set any more.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use crate::fetch::{Fetched, Fetcher};
use crate::lifecycle::kept_up;
use crate::live::Mark;
use crate::metrics::Metrics;
use crate::token::{self, BoxFuture, Jwks, KeySet, KeysUnavailable, Refreshed};

use super::cache_dir::CacheFile;
use super::discovery;
use super::failure::{Cause, Failure, is_web_page};
use super::holdings::{Holdings, Parsed, parse};
use super::progress::{Progress, Step};
use super::{Health, IssuerKeys, Pace, Shared};

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
    /// Where its last good keys lie in `keys.cacheDir`.
    pub(super) cache_file: Option<CacheFile>,
}

/// How to get there.
pub(super) struct Way {
    pub(super) address: Address,
    pub(super) fetcher: Fetcher,
    pub(super) pace: Pace,
    pub(super) shared: Shared,
}

impl RemoteKeySet {
    pub(super) fn open(
        issuer: &str,
        way: Way,
        max_waiters: usize,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let (holdings, pace) = (Arc::new(Holdings::new(issuer, metrics)), way.pace);
        let refresher = Arc::new(Refresher { holdings: holdings.clone(), way });
        let mut refreshing = JoinSet::new();
        // Boxed: what keeps it up would hold it twice.
        refreshing.spawn(kept_up(move || Box::pin(refresher.clone().run())));
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

    fn had(&self) -> BoxFuture<'_, ()> {
        self.holdings.had()
    }

    fn health(&self) -> Health {
        self.holdings.health()
    }
}

/// The task behind the set. It does not hold the set itself, or neither would ever end.
struct Refresher {
    holdings: Arc<Holdings>,
    way: Way,
}

impl Refresher {
    async fn run(self: Arc<Self>) {
        self.begin_with_the_disk().await;
        // None of them ever ends, and none waits for another.
        tokio::join!(self.refresh(), self.grow_stale(), self.keep_on_disk());
    }

    async fn refresh(&self) {
        let pace = self.way.pace;
        let mut failures: u32 = 0;
        loop {
            self.holdings.begin();
            // Boxed: it is large, and there for a moment only. The task of each issuer is there always.
            match Box::pin(self.attempt()).await {
                Ok((keys, fresh_for)) => {
                    failures = 0;
                    let pause = pace.refresh_after(fresh_for, dice());
                    // Nobody's keys grow too old because nobody asked.
                    let settings = self.way.shared.settings();
                    let pause = settings.max_stale.map_or(pause, |age| pause.min(age / 2));
                    self.holdings.end(Ok(keys), Some(pause));
                    let mut progress = self.holdings.progress.subscribe();
                    tokio::select! {
                        _ = progress.wait_for(|progress| progress.wanted) => {}
                        () = self.way.shared.changed_from(&settings) => {}
                        () = sleep(pause) => {}
                    }
                }
                Err(failure) => {
                    failures = failures.saturating_add(1);
                    let pause = pace.retry_after(failures, dice());
                    self.holdings.end(Err(&failure), Some(pause));
                    sleep(pause).await;
                }
            }
        }
    }

    /// Gives up keys that are older than `keys.maxStale`.
    async fn grow_stale(&self) {
        // The wall clock may be set, or the machine sleep.
        const LOOK_AGAIN: Duration = Duration::from_mins(1);
        let mut progress = self.holdings.progress.subscribe();
        loop {
            let settings = self.way.shared.settings();
            let left = settings.max_stale.and_then(|max| self.holdings.time_left(max));
            let too_old = async {
                match left {
                    Some(left) => sleep(left.min(LOOK_AGAIN)).await,
                    None => std::future::pending().await,
                }
            };
            if left == Some(Duration::ZERO) {
                self.holdings.give_up_keys();
                continue;
            }
            tokio::select! {
                _ = progress.changed() => {}
                () = self.way.shared.changed_from(&settings) => {}
                () = too_old => {}
            }
        }
    }

    /// Begins with the keys on disk, unless that takes longer than a review would wait for them.
    async fn begin_with_the_disk(&self) {
        let settings = self.way.shared.settings();
        let (Some(file), Some(folder)) = (&self.way.address.cache_file, &settings.cache_dir) else {
            return;
        };
        let (file, folder, now) = (file.clone(), folder.clone(), SystemTime::now());
        let reading = self.way.shared.on_disk(move || file.read(&folder, now));
        let error = match timeout(self.way.pace.patience, reading).await {
            Ok(Some(Ok(None))) => return,
            Ok(Some(Ok(Some((keys, fetched))))) => {
                let age = now.duration_since(fetched).unwrap_or_default();
                if settings.max_stale.is_none_or(|max_stale| age < max_stale) {
                    return self.holdings.begin_with(keys, fetched);
                }
                "they are older than keys.maxStale".to_owned()
            }
            Ok(Some(Err(error))) => error.to_string(),
            Ok(None) => "reading them made us panic: please report this".to_owned(),
            Err(_) => "the disk takes too long".to_owned(),
        };
        let issuer = &self.holdings.issuer;
        warn!(issuer, error, "keys from keys.cacheDir are not used");
    }

    /// Writes every set that was fetched to `keys.cacheDir`. A disk that hangs holds up nothing else.
    async fn keep_on_disk(&self) {
        let Some(file) = &self.way.address.cache_file else { return };
        let mut progress = self.holdings.progress.subscribe();
        let (mut kept, mut trouble) = (None, None);
        loop {
            let is_new = |progress: &Progress| {
                !progress.from_disk && progress.last_success.is_some_and(|at| Some(at) != kept)
            };
            // The sender is in `self`: it outlives the wait.
            let _ = progress.wait_for(is_new).await;
            let (keys, fetched) = (self.holdings.current().1, progress.borrow().last_success);
            kept = fetched;
            let folder = self.way.shared.settings().cache_dir.clone();
            let (Some(folder), Some(fetched)) = (folder, fetched) else { continue };
            if keys.is_empty() {
                // They have grown too old before it was their turn.
                continue;
            }
            let file = file.clone();
            let writing = self.way.shared.on_disk(move || file.write(&folder, &keys, fetched));
            let error = writing.await.and_then(Result::err).map(|error| error.to_string());
            if let Some(error) = error.as_ref().filter(|error| trouble.as_ref() != Some(*error)) {
                let issuer = &self.holdings.issuer;
                warn!(
                    issuer,
                    error,
                    "keys could not be kept in keys.cacheDir: the folder has to exist and be writable"
                );
            }
            trouble = error;
        }
    }

    /// Gets the keys, and how long they may be taken as fresh.
    async fn attempt(&self) -> Result<(Parsed, Option<Duration>), Failure> {
        let deadline = Instant::now() + self.way.pace.fetch_timeout;
        let mut place = self.way.address.url.clone();
        if self.way.address.discovers {
            let document = self.get(&place, deadline).await?;
            place = discovery::jwks_uri(&document.body, &self.holdings.issuer)
                .map_err(|cause| Failure { place, cause: cause.into() })?;
        }
        let fetched = self.get(&place, deadline).await.map_err(|failure| self.at_keys(failure))?;
        let parsed = parse(fetched.body).await;
        let parsed = parsed.map_err(|cause| self.at_keys(Failure { place, cause }))?;
        Ok((parsed, fetched.fresh_for))
    }

    async fn get(&self, url: &str, deadline: Instant) -> Result<Fetched, Failure> {
        let fetched = self.way.fetcher.get(url, deadline).await.map_err(Cause::Fetch);
        let document = fetched.and_then(|fetched| match is_web_page(&fetched.body) {
            true => Err(Cause::WebPage),
            false => Ok(fetched),
        });
        document.map_err(|cause| Failure { place: url.to_owned(), cause })
    }

    /// Says whose address that of the keys is, if it stands in no configuration.
    fn at_keys(&self, failure: Failure) -> Failure {
        match self.way.address.discovers {
            true => Failure { place: format!("{} (jwks_uri)", failure.place), ..failure },
            false => failure,
        }
    }
}

/// A random number in 0..=1.
fn dice() -> f64 {
    f64::from(u32::from_ne_bytes(token::random())) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
