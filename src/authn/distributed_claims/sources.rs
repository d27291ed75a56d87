//! Asks the sources of claims, within limits.
//!
//! One question, the same endpoint and access token, is asked once for all who wait for its answer.
//! Reviews that wait have places: so many in all, and half of those for one origin, so that a source
//! that does not answer holds up nobody who needs another. An answer has its origin's turn for as long
//! as anybody looks at it, which bounds how many are held. A question that failed is not asked again
//! for a second. Nothing is kept longer, and no access token even that long: questions are told apart
//! by a keyed hash.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::claims::ClaimSource;
use crate::fetch::{FetchError, Fetcher, origin_of};
use crate::token::random;

use super::ClaimsSourceError;

/// How many questions one origin is asked at a time, and answers of it are held; others wait their
/// turn.
const MAX_AT_ONCE: usize = 16;
/// How many origins are asked at a time.
const MAX_ORIGINS: usize = 4;
/// The longest that a source may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a question that failed is left alone: nobody else remembers that it did, and whoever
/// shows such a token may show it many times a second.
const REST: Duration = Duration::from_secs(1);
/// How many questions may rest at a time.
const MAX_RESTING: usize = 1024;

pub(super) struct Sources {
    fetcher: Fetcher,
    /// Random for each process: without it nobody can make two questions collide.
    key: [u8; 32],
    patience: Duration,
    waiting: Arc<Semaphore>,
    max_waiting_for_one: usize,
    origins: Mutex<HashMap<String, Weak<Origin>>>,
    questions: Questions,
}

/// What is being asked, and where the answer will be.
type Questions = Arc<Mutex<HashMap<blake3::Hash, watch::Receiver<Option<Reply>>>>>;
type Reply = Result<Arc<Answer>, Arc<FetchError>>;

/// What a source said, and its turn.
pub(super) struct Answer {
    pub(super) body: Bytes,
    _turn: Option<OwnedSemaphorePermit>,
}

struct Origin {
    name: String,
    waiting: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
}

/// A review's leave to wait for a source, and for whatever has to be had to believe it.
pub(super) struct Place {
    origin: Arc<Origin>,
    _among_all: OwnedSemaphorePermit,
    _among_its_own: OwnedSemaphorePermit,
}

impl Place {
    /// Where the source is: host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin.name
    }
}

impl Sources {
    pub(super) fn new(fetcher: Fetcher, max_waiting: usize, review_wait: Duration) -> Self {
        let max_waiting = max_waiting.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            fetcher,
            key: random(),
            patience: PATIENCE.min(review_wait),
            waiting: Arc::new(Semaphore::new(max_waiting)),
            max_waiting_for_one: max_waiting.div_ceil(2),
            origins: Mutex::default(),
            questions: Arc::default(),
        }
    }

    /// A place to wait for the source at `endpoint`, if one is free. Nobody waits for a place.
    pub(super) fn place(&self, endpoint: &str) -> Result<Place, ClaimsSourceError> {
        let name = origin_of(endpoint).map_err(|error| ClaimsSourceError::Fetch(error.into()))?;
        let origin = self.origin(name).ok_or(ClaimsSourceError::Crowded)?;
        let permit = |of: &Arc<Semaphore>| {
            of.clone().try_acquire_owned().map_err(|_| ClaimsSourceError::Crowded)
        };
        let (own, all) = (permit(&origin.waiting)?, permit(&self.waiting)?);
        Ok(Place { origin, _among_all: all, _among_its_own: own })
    }

    fn origin(&self, name: String) -> Option<Arc<Origin>> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = origins.get(&name).and_then(Weak::upgrade) {
            return Some(origin);
        }
        origins.retain(|_, origin| origin.strong_count() > 0);
        if origins.len() >= MAX_ORIGINS {
            return None;
        }
        let origin = Arc::new(Origin {
            name: name.clone(),
            waiting: Arc::new(Semaphore::new(self.max_waiting_for_one)),
            at_once: Arc::new(Semaphore::new(MAX_AT_ONCE)),
        });
        origins.insert(name, Arc::downgrade(&origin));
        Some(origin)
    }

    /// What `source` answers.
    pub(super) async fn ask(
        &self,
        place: &Place,
        source: &ClaimSource,
    ) -> Result<Arc<Answer>, ClaimsSourceError> {
        let mut reply = self.question(place, source)?;
        match reply.wait_for(Option::is_some).await.map(|reply| reply.clone()) {
            Ok(Some(reply)) => reply.map_err(ClaimsSourceError::Fetch),
            // Its task has ended without a word: it panicked, or the runtime is ending.
            Ok(None) | Err(_) => Err(ClaimsSourceError::Slow),
        }
    }

    /// Where the answer will be. A question that nobody has asked yet becomes a task of its own with
    /// a time of its own, so that whoever asked first cancels nothing by leaving.
    fn question(
        &self,
        place: &Place,
        source: &ClaimSource,
    ) -> Result<watch::Receiver<Option<Reply>>, ClaimsSourceError> {
        let hash = self.hash_of(source);
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = questions.get(&hash) {
            return Ok(reply.clone());
        }
        let authorization = authorization(source)?;
        let (sender, reply) = watch::channel(None);
        questions.insert(hash, reply.clone());
        let asked = Asked { questions: self.questions.clone(), hash };
        let (fetcher, origin) = (self.fetcher.clone(), place.origin.clone());
        let (endpoint, deadline) = (source.endpoint.clone(), Instant::now() + self.patience);
        tokio::spawn(async move {
            let asking = async {
                // Never closed, and so never absent.
                let turn = origin.at_once.clone().acquire_owned().await.ok();
                let body = fetcher.get_jwt(&endpoint, authorization, deadline).await?;
                Ok(Arc::new(Answer { body, _turn: turn }))
            };
            let answer = timeout_at(deadline, asking).await.unwrap_or(Err(FetchError::TimedOut));
            let failed = answer.is_err();
            sender.send_replace(Some(answer.map_err(Arc::new)));
            drop(origin);
            if failed && asked.may_rest() {
                sleep(REST).await;
            }
        });
        Ok(reply)
    }

    /// A keyed hash over endpoint and access token, each after its length.
    fn hash_of(&self, source: &ClaimSource) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let token = source.access_token.as_ref().map_or("", |token| token.expose());
        for text in [&*source.endpoint, token] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize()
    }
}

/// `Bearer` and the access token (RFC 6750, section 2.1). HTTP/2 compresses it with nothing else,
/// and nobody prints it.
fn authorization(source: &ClaimSource) -> Result<Option<HeaderValue>, ClaimsSourceError> {
    let Some(token) = &source.access_token else { return Ok(None) };
    let value = ["Bearer ", token.expose()].concat();
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| ClaimsSourceError::Fetch(FetchError::BadAuthorization.into()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// A question that is being asked. Dropped, it may be asked again, also if its task panicked.
struct Asked {
    questions: Questions,
    hash: blake3::Hash,
}

impl Asked {
    fn may_rest(&self) -> bool {
        let questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.len() <= MAX_RESTING
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.hash);
    }
}
