//! Whether reviews may come, and what each issuer has to say about it.

use std::future::poll_fn;
use std::task::Poll;
use std::time::SystemTime;

use tokio::sync::watch;

use crate::config::RequireIssuers;
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::resources::{Check, Checks, State};

use super::generation::{Generation, Issuer};
use super::issuer_health::{Urgency, describe, urgency};
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
    listens: watch::Sender<bool>,
    drain: Drain,
}

impl Readiness {
    pub(super) fn new(generation: Live<Generation>, notices: Notices, drain: Drain) -> Self {
        Self { generation, notices, listens: watch::Sender::new(false), drain }
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
        self.listens.send_replace(true);
    }

    /// Whether it does.
    pub(super) fn is_serving(&self) -> bool {
        *self.listens.borrow()
    }

    /// Waits until it does.
    pub(super) async fn serves(&self) {
        // The sender is `self`: it outlives the wait.
        let _ = self.listens.subscribe().wait_for(|listens| *listens).await;
    }

    fn serving(&self, generation: &Generation) -> Check {
        let (state, detail) = match (self.drain.has_begun(), self.is_serving()) {
            (true, _) => (State::Failing, "draining".to_owned()),
            (false, true) => (State::Good, "ok".to_owned()),
            (false, false) => (State::Failing, format!("not yet: {}", awaited(generation))),
        };
        Check { name: "serving".to_owned(), state, detail }
    }
}

/// What the webhook waits for before it listens.
fn awaited(generation: &Generation) -> String {
    let Generation { issuers, config, .. } = generation;
    let (all, dark) = (issuers.len(), dark(issuers));
    let untried = issuers.iter().filter(|issuer| !issuer.keys.health().tried).count();
    match untried {
        0 if dark > may_be_dark(generation) => format!(
            "{dark} of {all} issuers have no keys, and readiness.requireIssuers is {}",
            config.require_issuers.as_str()
        ),
        0 => "about to listen; if it stays so, the log says what is in the way".to_owned(),
        untried => format!("{untried} of {all} issuers are untried"),
    }
}

/// How many issuers may have no keys when the first review is answered.
fn may_be_dark(Generation { issuers, config, .. }: &Generation) -> usize {
    match config.require_issuers {
        RequireIssuers::Tried => issuers.len(),
        RequireIssuers::Any => issuers.len().saturating_sub(1),
        RequireIssuers::All => 0,
    }
}

/// Waits until the first attempt to get each issuer's keys has ended, and until no more are dark than
/// may be.
async fn as_required(generation: &Generation) {
    tried(&generation.issuers).await;
    let mut dark: Vec<_> = generation.issuers.iter().map(|issuer| issuer.keys.had()).collect();
    poll_fn(|cx| {
        dark.retain_mut(|had| had.as_mut().poll(cx).is_pending());
        if dark.len() <= may_be_dark(generation) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Waits until the first attempt to get each issuer's keys has ended, well or badly.
pub(super) async fn tried(issuers: &[Issuer]) {
    for issuer in issuers {
        issuer.keys.tried().await;
    }
}

fn dark(issuers: &[Issuer]) -> usize {
    issuers.iter().filter(|issuer| issuer.keys.health().keys == 0).count()
}

impl Checks for Readiness {
    fn checks(&self) -> Vec<Check> {
        let (generation, now) = (self.generation.get(), SystemTime::now());
        let issuers = generation.issuers.iter().map(|issuer| (issuer, issuer.keys.health()));
        let mut issuers: Vec<_> = issuers.collect();
        issuers.sort_by_key(|(_, health)| urgency(health));
        let issuers = issuers.into_iter().map(|(issuer, health)| {
            let state = match urgency(&health) {
                // Before the first review is answered it counts; afterwards it is only worth a look.
                Urgency::Untried if !self.is_serving() => State::Failing,
                Urgency::Untried | Urgency::Well => State::Good,
                Urgency::Dark | Urgency::Failing => State::Degraded,
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
