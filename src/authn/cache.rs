//! The answers given before, and the one way to get a new one.
//!
//! A hit is synchronous: a keyed hash, the marks, the expiry; at the webhook the hash is that of the
//! request's body, which is then not even read. A miss is judged once for all callers with the same
//! question, by the [`Judges`] while there is room with them; a caller that hangs up cancels nothing. An answer is served only while
//! everything it rests on is as it was (its [`Marks`]) and never past the token's `exp`. Refusals live
//! in a cache of their own, so that junk never evicts the good, and what could not be checked is never
//! kept.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use moka::Expiry;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::api::webhook;
use crate::live::{Mark, Marks};
use crate::metrics::{Metrics, Outcome};
use crate::secret::Secret;
use crate::token::random;
use crate::transcript::Transcript;

use super::{
    Attempt, Authenticator, AuthnError, CacheSettings, Cause, Chain, Class, Credential, Judges,
    NO_ISSUER, Settings, Surface, Verdict,
};

/// What an entry weighs beside its status: the cache's own bookkeeping, the key and the marks.
const OVERHEAD_BYTES: usize = 600;
/// One in so many loads may be with the judges or wait for them: a quarter of `maxRequestsInFlight`.
const JUDGED: usize = 8;
/// How often a question is judged anew because what it rests on changed meanwhile.
const MAX_LOADS: usize = 3;

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
    ends: End,
    marks: Marks,
}

impl Answer {
    /// Whether everything that it rests on is as it was.
    fn holds(&self) -> bool {
        self.marks.iter().all(Mark::holds)
    }
}

/// Why there is no answer at all: neither is the token's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReviewed {
    /// Too many questions are being judged.
    #[error("too many reviews at once")]
    Overloaded,
    /// The task that judged it ended without an answer: a bug.
    #[error("authentication failed unexpectedly")]
    Panicked,
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

/// The cache before the chain.
pub struct Reviews {
    chain: Chain,
    api_audiences: Vec<String>,
    max_token_bytes: usize,
    max_loads_in_flight: usize,
    settings: CacheSettings,
    /// Random for each process: without it nobody can make two questions collide.
    key: [u8; 32],
    authenticated: Cache<Key, Arc<Answer>>,
    rejected: Cache<Key, Arc<Answer>>,
    loads: Mutex<HashMap<Key, watch::Receiver<Option<Arc<Answer>>>>>,
    judges: Arc<Judges>,
    /// Room for what the judges do, or what waits for them.
    judged: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Reviews {
    /// A cache before `chain` that lets `max_loads_in_flight` questions be judged at once, with the help
    /// of `judges`.
    pub fn new(
        chain: Chain,
        authn: &Settings,
        settings: CacheSettings,
        max_loads_in_flight: usize,
        judges: Arc<Judges>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            chain,
            api_audiences: authn.api_audiences.clone(),
            max_token_bytes: authn.max_token_bytes,
            max_loads_in_flight,
            key: random(),
            authenticated: cache(settings.max_bytes, settings.authenticated_ttl, &metrics),
            rejected: cache(settings.rejected_max_bytes, settings.rejected_ttl, &metrics),
            settings,
            loads: Mutex::default(),
            judges,
            judged: Arc::new(Semaphore::new((max_loads_in_flight / JUDGED).max(1))),
            metrics,
        }
    }

    /// Answers the API whose `token` is, for the `audiences` (none: `apiAudiences`).
    ///
    /// # Errors
    ///
    /// Only if no answer could be given at all; a refusal is an answer.
    pub async fn review(
        self: &Arc<Self>,
        token: &str,
        audiences: &[impl AsRef<str>],
    ) -> Result<Arc<Answer>, NotReviewed> {
        self.answered(&self.key_of(token, audiences), token, audiences, Surface::Api).await
    }

    /// The answer to the review that is asked for in these bytes at the webhook, if it is remembered:
    /// the same bytes ask the same. Else the key for [`review_of`](Self::review_of).
    pub fn remembered(&self, body: &[u8]) -> Result<Arc<Answer>, Key> {
        let key = self.key_of_body(body);
        let answer = self.hit(&key).ok_or(key)?;
        self.metrics.cache_hits.inc();
        Ok(answer)
    }

    /// Answers the webhook what was asked in the bytes with this key, see
    /// [`remembered`](Self::remembered).
    ///
    /// # Errors
    ///
    /// Only if no answer could be given at all; a refusal is an answer.
    pub async fn review_of(
        self: &Arc<Self>,
        key: &Key,
        question: &webhook::Question<'_>,
    ) -> Result<Arc<Answer>, NotReviewed> {
        let surface = Surface::Webhook(question.version);
        self.answered(key, &question.token, &question.audiences, surface).await
    }

    async fn answered(
        self: &Arc<Self>,
        key: &Key,
        token: &str,
        audiences: &[impl AsRef<str>],
        surface: Surface,
    ) -> Result<Arc<Answer>, NotReviewed> {
        if let Some(refused) = self.refuse(token) {
            return Ok(Arc::new(self.refusal(refused, audiences, surface)));
        }
        for _ in 1..MAX_LOADS {
            if let Some(answer) = self.hit(key) {
                self.metrics.cache_hits.inc();
                return Ok(answer);
            }
            let answer = self.load(key, token, audiences, surface).await?;
            // A load that was joined may rest on what has changed since it was asked for.
            if answer.holds() {
                return Ok(answer);
            }
        }
        self.load(key, token, audiences, surface).await
    }

    /// Judges `token` whatever is remembered, remembers nothing, and notes each check in `transcript`.
    /// Gives the reason beside the answer, unless it is authenticated.
    pub async fn examine(
        &self,
        token: Secret,
        audiences: &[impl AsRef<str>],
        surface: Surface,
        transcript: &Transcript,
    ) -> (Answer, Option<&'static str>) {
        let credential = Credential { token, audiences: self.wanted(audiences), surface };
        let verdict = match self.refuse(credential.token.expose()) {
            Some(refused) => Err(refused),
            None => {
                let attempt = Attempt::new(&credential, SystemTime::now());
                let attempt = Attempt { transcript: transcript.clone(), ..attempt };
                self.chain.authenticate(&attempt).await
            }
        };
        let reason = match &verdict {
            Ok(Verdict::Authenticated(_)) => None,
            Ok(Verdict::NoOpinion(_)) => Some(NO_ISSUER),
            Err(error) => Some(error.reason()),
        };
        (self.answer(verdict, &credential), reason)
    }

    /// Why a token is not even looked at.
    fn refuse(&self, token: &str) -> Option<AuthnError> {
        let cause = match token.len() {
            0 => Cause::Empty,
            bytes if bytes > self.max_token_bytes => Cause::TooLong,
            _ => return None,
        };
        Some(self.chain.refuse(cause))
    }

    /// Brings the gauges up to date; called before they are read.
    pub fn observe(&self) {
        for cache in [&self.authenticated, &self.rejected] {
            cache.run_pending_tasks();
        }
        let total = |of: fn(&Cache<Key, Arc<Answer>>) -> u64| {
            i64::try_from(of(&self.authenticated) + of(&self.rejected)).unwrap_or(i64::MAX)
        };
        self.metrics.cache_entries.set(total(Cache::entry_count));
        self.metrics.cache_bytes.set(total(Cache::weighted_size));
    }

    /// A hash over all that the webhook is asked: a review's answer depends on nothing else.
    fn key_of_body(&self, body: &[u8]) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"webhook");
        hasher.update(body);
        Key::of(&hasher)
    }

    /// A hash over what the API is asked: token and wanted audiences, each after its length, so that no
    /// two questions have the same bytes.
    fn key_of(&self, token: &str, audiences: &[impl AsRef<str>]) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"api");
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(token);
        if audiences.is_empty() {
            self.api_audiences.iter().for_each(|audience| add(audience));
        } else {
            audiences.iter().for_each(|audience| add(audience.as_ref()));
        }
        Key::of(&hasher)
    }

    fn hit(&self, key: &Key) -> Option<Arc<Answer>> {
        [&self.authenticated, &self.rejected].into_iter().find_map(|cache| {
            let answer = cache.get(key)?;
            let holds = answer.holds() && answer.ends.left(SystemTime::now()).is_some();
            if !holds {
                cache.invalidate(key);
            }
            holds.then_some(answer)
        })
    }

    /// Waits for the one load of this question, which it starts if there is none.
    async fn load(
        self: &Arc<Self>,
        key: &Key,
        token: &str,
        audiences: &[impl AsRef<str>],
        surface: Surface,
    ) -> Result<Arc<Answer>, NotReviewed> {
        let (mut answer, load) = {
            let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(load) = loads.get(key) {
                self.metrics.cache_joins.inc();
                (load.clone(), None)
            } else if let Some(answer) = self.hit(key) {
                // It came in between our looking and our taking the lock.
                self.metrics.cache_hits.inc();
                return Ok(answer);
            } else if loads.len() >= self.max_loads_in_flight {
                return Err(NotReviewed::Overloaded);
            } else {
                self.metrics.cache_misses.inc();
                let (sender, receiver) = watch::channel(None);
                loads.insert(*key, receiver.clone());
                let (token, audiences) = (Secret::new(token), self.wanted(audiences));
                let credential = Credential { token, audiences, surface };
                let load = Load { reviews: self.clone(), key: *key };
                let run = async move {
                    let answer = load.run(&credential).await;
                    // Before anybody has the answer: who asks again then is not to be given it again.
                    drop(load);
                    sender.send_replace(Some(answer));
                };
                (receiver, Some(run))
            }
        };
        // Not under the lock: to wake a thread takes longer than all that is done under it.
        let _place = match load {
            Some(load) => self.begin(load).await,
            None => None,
        };
        match answer.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().ok_or(NotReviewed::Panicked),
            Err(_) => Err(NotReviewed::Panicked),
        }
    }

    /// Has a load run by the judges, and gives its place with them, to be kept until the answer is
    /// there. If there is none, it is run by the thread of whoever asks: nobody then waits for it in one
    /// of the places that `maxRequestsInFlight` has for all, remembered answers among them.
    async fn begin(
        &self,
        load: impl Future<Output = ()> + Send + 'static,
    ) -> Option<Arc<OwnedSemaphorePermit>> {
        if let Ok(place) = self.judged.clone().try_acquire_owned() {
            let place = Arc::new(place);
            let held = place.clone();
            self.judges.begin(async move {
                load.await;
                drop(held);
            });
            return Some(place);
        }
        // One that has to wait after all goes on as a task of its own, which nobody's hanging up can
        // cancel.
        let mut load = Box::pin(load);
        if !poll_fn(|cx| Poll::Ready(load.as_mut().poll(cx).is_ready())).await {
            tokio::spawn(load);
        }
        None
    }

    fn wanted(&self, audiences: &[impl AsRef<str>]) -> Vec<String> {
        if audiences.is_empty() {
            return self.api_audiences.clone();
        }
        audiences.iter().map(|audience| audience.as_ref().to_owned()).collect()
    }

    /// The answer to a verdict.
    fn answer(&self, verdict: Result<Verdict, AuthnError>, credential: &Credential) -> Answer {
        let surface = credential.surface;
        match verdict {
            Ok(Verdict::Authenticated(authentication)) => Answer {
                status: webhook::Status {
                    authenticated: true,
                    user: Some(&authentication.user),
                    audiences: &authentication.audiences,
                    error: "",
                }
                .to_json(),
                surface,
                outcome: Outcome::Authenticated,
                ends: End::at(authentication.valid_until),
                marks: authentication.marks,
            },
            // kube-apiserver remembers it for us, and it costs next to nothing to say again.
            Ok(Verdict::NoOpinion(marks)) => Answer {
                status: webhook::Status::default().to_json(),
                surface,
                outcome: Outcome::NoOpinion,
                ends: End::at(None),
                marks,
            },
            Err(error) => self.refusal(error, &credential.audiences, surface),
        }
    }

    fn refusal(
        &self,
        error: AuthnError,
        audiences: &[impl AsRef<str>],
        surface: Surface,
    ) -> Answer {
        let unavailable = error.class() == Class::Unavailable;
        Answer {
            status: webhook::Status {
                error: &error.message(),
                audiences: &self.wanted(audiences),
                ..webhook::Status::default()
            }
            .to_json(),
            surface,
            outcome: if unavailable { Outcome::Unavailable } else { Outcome::Rejected },
            ends: End::at(error.retry_at),
            marks: error.marks,
        }
    }

    /// Keeps what may be kept.
    fn keep(&self, key: Key, answer: &Arc<Answer>) {
        let (cache, ttl) = match answer.outcome {
            Outcome::Authenticated => (&self.authenticated, self.settings.authenticated_ttl),
            Outcome::Rejected => (&self.rejected, self.settings.rejected_ttl),
            Outcome::NoOpinion | Outcome::Unavailable => return,
        };
        if !ttl.is_zero() {
            cache.insert(key, answer.clone());
        }
    }
}

/// One question being judged. Dropped, it makes room for the next one, also if it panicked.
struct Load {
    reviews: Arc<Reviews>,
    key: Key,
}

impl Load {
    async fn run(&self, credential: &Credential) -> Arc<Answer> {
        let reviews = &self.reviews;
        let mut loads = 1;
        loop {
            let attempt = Attempt::new(credential, SystemTime::now());
            let verdict = reviews.chain.authenticate(&attempt).await;
            let answer = Arc::new(reviews.answer(verdict, credential));
            let holds = answer.holds();
            if holds {
                reviews.keep(self.key, &answer);
            }
            if holds || loads == MAX_LOADS {
                return answer;
            }
            loads += 1;
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.reviews.loads.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
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
struct End(u64);

impl End {
    const NEVER: Self = Self(u64::MAX);

    fn at(time: Option<SystemTime>) -> Self {
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
