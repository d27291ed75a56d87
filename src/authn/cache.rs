//! The answers given before, and the one way to get a new one.
//!
//! A hit is synchronous: a keyed hash, the marks, the expiry; at the webhook the hash is that of the
//! request's body, which is then not even read. A miss is judged once for all callers with the same
//! question, by the [`Judges`] while there is room with them; a caller that hangs up cancels nothing.
//! What is kept, and until when, is with the [`Answers`].

mod answers;

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::SystemTime;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::api::webhook;
use crate::metrics::{Metrics, Outcome};
use crate::secret::Secret;
use crate::transcript::Transcript;

use super::{
    Attempt, Authenticator, AuthnError, CacheSettings, Cause, Chain, Class, Credential, Judges,
    NO_ISSUER, Settings, Surface, Verdict,
};

pub use answers::{Answer, Key};

use answers::{Answers, End};

/// How often a question is judged anew because what it rests on changed meanwhile.
const MAX_LOADS: usize = 3;

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

/// The cache before the chain.
pub struct Reviews {
    chain: Chain,
    api_audiences: Vec<String>,
    max_token_bytes: usize,
    max_loads_in_flight: usize,
    answers: Answers,
    loads: Mutex<HashMap<Key, watch::Receiver<Option<Arc<Answer>>>>>,
    judges: Arc<Judges>,
    /// Room for what the judges do, or what waits for them.
    judged: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Reviews {
    /// A cache before `chain` that lets `max_loads_in_flight` questions be judged at once, `max_judged`
    /// of them by the `judges` or waiting for those.
    pub fn new(
        chain: Chain,
        authn: &Settings,
        settings: CacheSettings,
        max_loads_in_flight: usize,
        max_judged: usize,
        judges: Arc<Judges>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            chain,
            api_audiences: authn.api_audiences.clone(),
            max_token_bytes: authn.max_token_bytes,
            max_loads_in_flight,
            answers: Answers::new(settings, &metrics),
            loads: Mutex::default(),
            judges,
            judged: Arc::new(Semaphore::new(max_judged)),
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
        let wanted = self.wanted(audiences);
        let key = self.answers.key_of(token, wanted.iter().map(String::as_str));
        match self.recall(&key) {
            Some(answer) => Ok(answer),
            None => self.answered(&key, token, &wanted, Surface::Api).await,
        }
    }

    /// The answer to the review that is asked for in these bytes at the webhook, if it is remembered:
    /// the same bytes ask the same. Else the key for [`review_of`](Self::review_of).
    pub fn remembered(&self, body: &[u8]) -> Result<Arc<Answer>, Key> {
        let key = self.answers.key_of_body(body);
        self.recall(&key).ok_or(key)
    }

    fn recall(&self, key: &Key) -> Option<Arc<Answer>> {
        self.answers.get(key).inspect(|_| self.metrics.cache_hits.inc())
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
        self.answers.observe(&self.metrics);
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
            } else if let Some(answer) = self.recall(key) {
                // It came in between our looking and our taking the lock.
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
                reviews.answers.keep(self.key, &answer);
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
