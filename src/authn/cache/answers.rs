//! The answers that are remembered, and what ends each of them.
//!
//! An answer is given again only while everything it rests on is as it was (its [`Marks`]) and never
//! past the token's `exp`. Refusals live in a cache of their own, so that junk never evicts the good,
//! and what could not be checked is never kept.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use moka::Expiry;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::live::{Mark, Marks};
use crate::metrics::{Metrics, Outcome};
use crate::token::random;

use super::super::{CacheSettings, Surface};

/// What an entry weighs beside its status: the cache's own bookkeeping, the key and the marks.
const OVERHEAD_BYTES: usize = 600;

/// A review's answer, ready to be sent.
#[derive(Debug)]
pub struct Answer {
    /// `TokenReviewStatus` as JSON.
    pub status: Box<[u8]>,
    /// Where it was asked for.
    pub surface: Surface,
    /// Which of the four ends it is.
    pub outcome: Outcome,
    /// When time alone ends it.
    pub(super) ends: End,
    pub(super) marks: Marks,
}

impl Answer {
    /// Whether everything that it rests on is as it was.
    pub(super) fn holds(&self) -> bool {
        self.marks.iter().all(Mark::holds)
    }
}

/// By what an answer is remembered: a keyed hash of the bytes in which everything was asked. Nobody who
/// has not its key can aim at it, and 128 bits do not meet by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    fn of(hasher: &blake3::Hasher) -> Self {
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        Self(key)
    }
}

/// What is remembered.
pub(super) struct Answers {
    settings: CacheSettings,
    /// Random for each process: without it nobody can make two questions collide.
    key: [u8; 32],
    authenticated: Cache<Key, Arc<Answer>>,
    rejected: Cache<Key, Arc<Answer>>,
}

impl Answers {
    /// None yet.
    pub(super) fn new(settings: CacheSettings, metrics: &Arc<Metrics>) -> Self {
        Self {
            key: random(),
            authenticated: cache(settings.max_bytes, settings.authenticated_ttl, metrics),
            rejected: cache(settings.rejected_max_bytes, settings.rejected_ttl, metrics),
            settings,
        }
    }

    /// A hash over all that the webhook is asked: a review's answer depends on nothing else.
    pub(super) fn key_of_body(&self, body: &[u8]) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"webhook");
        hasher.update(body);
        Key::of(&hasher)
    }

    /// A hash over what the API is asked: token and wanted audiences, each after its length, so that no
    /// two questions have the same bytes.
    pub(super) fn key_of<'a>(&self, token: &str, audiences: impl Iterator<Item = &'a str>) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"api");
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(token);
        audiences.for_each(add);
        Key::of(&hasher)
    }

    /// The answer with that key, if it still holds.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Answer>> {
        [&self.authenticated, &self.rejected].into_iter().find_map(|cache| {
            let answer = cache.get(key)?;
            let holds = answer.holds() && answer.ends.left(SystemTime::now()).is_some();
            if !holds {
                cache.invalidate(key);
            }
            holds.then_some(answer)
        })
    }

    /// Keeps what may be kept.
    pub(super) fn keep(&self, key: Key, answer: &Arc<Answer>) {
        let (cache, ttl) = match answer.outcome {
            Outcome::Authenticated => (&self.authenticated, self.settings.authenticated_ttl),
            Outcome::Rejected => (&self.rejected, self.settings.rejected_ttl),
            Outcome::NoOpinion | Outcome::Unavailable => return,
        };
        if !ttl.is_zero() {
            cache.insert(key, answer.clone());
        }
    }

    /// Brings the gauges up to date.
    pub(super) fn observe(&self, metrics: &Metrics) {
        for cache in [&self.authenticated, &self.rejected] {
            cache.run_pending_tasks();
        }
        let total = |of: fn(&Cache<Key, Arc<Answer>>) -> u64| {
            i64::try_from(of(&self.authenticated) + of(&self.rejected)).unwrap_or(i64::MAX)
        };
        metrics.cache_entries.set(total(Cache::entry_count));
        metrics.cache_bytes.set(total(Cache::weighted_size));
    }
}

fn cache(max_bytes: u64, ttl: Duration, metrics: &Arc<Metrics>) -> Cache<Key, Arc<Answer>> {
    let metrics = metrics.clone();
    Cache::builder()
        .max_capacity(max_bytes)
        .weigher(|_, answer: &Arc<Answer>| {
            u32::try_from(answer.status.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
        })
        // The default refuses new keys while it is full and hot: a rotated token would be verified
        // at every request.
        .eviction_policy(EvictionPolicy::lru())
        .expire_after(UntilItEnds { ttl })
        .eviction_listener(move |_, _, cause| {
            metrics.cache_evicted(match cause {
                RemovalCause::Expired => "expired",
                RemovalCause::Size => "size",
                RemovalCause::Replaced => "replaced",
                RemovalCause::Explicit => "changed",
            });
        })
        .build()
}

/// When something ends, in milliseconds since the epoch: half of what the system needs to say it, and
/// there is one in each remembered answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct End(u64);

impl End {
    const NEVER: Self = Self(u64::MAX);

    pub(super) fn at(time: Option<SystemTime>) -> Self {
        let Some(time) = time else { return Self::NEVER };
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).map_or(Self::NEVER, Self)
    }

    /// How long it is until then; absent if it was before `now`.
    fn left(self, now: SystemTime) -> Option<Duration> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Duration::from_millis(self.0).checked_sub(now)
    }
}

/// Keeps each entry for this long, and no longer than it is valid.
struct UntilItEnds {
    ttl: Duration,
}

impl UntilItEnds {
    fn lifetime(&self, answer: &Answer) -> Duration {
        answer.ends.left(SystemTime::now()).unwrap_or(Duration::ZERO).min(self.ttl)
    }
}

impl Expiry<Key, Arc<Answer>> for UntilItEnds {
    fn expire_after_create(&self, _: &Key, answer: &Arc<Answer>, _: Instant) -> Option<Duration> {
        Some(self.lifetime(answer))
    }

    fn expire_after_update(
        &self,
        _: &Key,
        answer: &Arc<Answer>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.lifetime(answer))
    }
}
