//! Whether reviews may come, and what each issuer has to say about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::config::RequireIssuers;
use crate::keys::Health;
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::resources::{Check, Checks, State};

use super::generation::{Generation, Issuer};
use super::notices::Notices;

/// Ready from when the issuers are as `readiness.requireIssuers` wants them and the webhook listens,
/// until the drain begins.
///
/// From then on no issuer can make us unready: the others' tokens are none the worse for a dark one,
/// and its own are refused with a reason. Where all replicas share a configuration, a new issuer that
/// is dark would otherwise take all of them away at once.
#[derive(Clone)]
pub(super) struct Readiness {
    generation: Live<Generation>,
    notices: Notices,
    listens: Arc<AtomicBool>,
    drain: Drain,
}

impl Readiness {
    pub(super) fn new(generation: Live<Generation>, notices: Notices, drain: Drain) -> Self {
        Self { generation, notices, listens: Arc::default(), drain }
    }

    /// Waits until the issuers are as the configuration in force wants them.
    pub(super) async fn issuers_are_as_required(&self) {
        let mut generation = self.generation.get();
        loop {
            tokio::select! {
                () = as_required(&generation) => return,
                next = self.generation.changed_from(&generation) => generation = next,
            }
        }
    }

    /// How many issuers there are, and how many of them have no keys.
    pub(super) fn issuers_and_dark(&self) -> (usize, usize) {
        let generation = self.generation.get();
        (generation.issuers.len(), dark(&generation.issuers))
    }

    /// The webhook listens from now on.
    pub(super) fn listens(&self) {
        self.listens.store(true, Ordering::Release);
    }

    fn serving(&self, generation: &Generation) -> Check {
        let (issuers, dark) = (generation.issuers.len(), dark(&generation.issuers));
        let untried =
            generation.issuers.iter().filter(|issuer| !issuer.keys.health().tried).count();
        let (state, detail) = match self.drain.has_begun() {
            true => (State::Failing, "draining".to_owned()),
            false if self.listens.load(Ordering::Acquire) => (State::Good, "ok".to_owned()),
            false if untried > 0 => {
                (State::Failing, format!("not yet: {untried} of {issuers} issuers are untried"))
            }
            false => {
                let require = generation.config.require_issuers.as_str();
                let text = format!(
                    "not yet: {dark} of {issuers} issuers have no keys, and \
                     readiness.requireIssuers is {require}"
                );
                (State::Failing, text)
            }
        };
        Check { name: "serving".to_owned(), state, detail }
    }
}

/// Waits until the first attempt to get each issuer's keys has ended, and until as many have keys as
/// are wanted.
async fn as_required(generation: &Generation) {
    let issuers = &generation.issuers;
    tried(issuers).await;
    match generation.config.require_issuers {
        RequireIssuers::Tried => {}
        RequireIssuers::Any => any_has_keys(issuers).await,
        RequireIssuers::All => {
            for issuer in issuers {
                issuer.keys.had().await;
            }
        }
    }
}

/// Waits until the first attempt to get each issuer's keys has ended, well or badly.
pub(super) async fn tried(issuers: &[Issuer]) {
    for issuer in issuers {
        issuer.keys.tried().await;
    }
}

async fn any_has_keys(issuers: &[Issuer]) {
    let mut waiting: Vec<_> = issuers.iter().map(|issuer| issuer.keys.had()).collect();
    std::future::poll_fn(|cx| {
        let ready =
            waiting.is_empty() || waiting.iter_mut().any(|had| had.as_mut().poll(cx).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn dark(issuers: &[Issuer]) -> usize {
    issuers.iter().filter(|issuer| issuer.keys.health().keys == 0).count()
}

impl Checks for Readiness {
    fn checks(&self) -> Vec<Check> {
        let (generation, now) = (self.generation.get(), SystemTime::now());
        let issuers = generation.issuers.iter().map(|issuer| {
            let health = issuer.keys.health();
            let state = match &health {
                // Before the first review is answered it counts; afterwards it is only worth a look.
                Health { tried: false, .. } if !self.listens.load(Ordering::Acquire) => {
                    State::Failing
                }
                Health { keys: 0, .. } | Health { error: Some(_), .. } => State::Degraded,
                _ => State::Good,
            };
            let name = format!("jwt {}", issuer.source.issuer);
            Check { name, state, detail: describe(&health, now) }
        });
        let mut checks = vec![self.serving(&generation)];
        checks.extend(issuers);
        checks.extend(self.notices.checks(now));
        checks
    }

    fn observe(&self) {
        self.generation.get().reviews.observe();
    }
}

/// How an issuer's keys are, in one line.
fn describe(health: &Health, now: SystemTime) -> String {
    let mut parts = Vec::new();
    parts.push(match (health.tried, health.keys) {
        (false, _) => "not tried yet".to_owned(),
        (true, 0) => "dark: no keys".to_owned(),
        (true, 1) => "ok: 1 key".to_owned(),
        (true, keys) => format!("ok: {keys} keys"),
    });
    if let Some(at) = health.last_success {
        parts.push(format!("got {}", ago(at, now)));
    }
    if let Some(at) = health.next_attempt {
        parts.push(format!("next attempt in {}", whole_seconds(at.duration_since(now))));
    }
    if let Some(error) = &health.error {
        parts.push(format!("last attempt failed: {error}"));
    }
    parts.join(", ")
}

/// How long before `now` something was.
pub(super) fn ago(then: SystemTime, now: SystemTime) -> String {
    format!("{} ago", whole_seconds(now.duration_since(then)))
}

fn whole_seconds<E>(duration: Result<Duration, E>) -> String {
    format!("{:?}", Duration::from_secs(duration.map_or(0, |duration| duration.as_secs())))
}
