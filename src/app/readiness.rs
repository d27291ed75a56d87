//! Whether reviews may come, and what each issuer has to say about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::keys::IssuerKeys;
use crate::lifecycle::Drain;
use crate::resources::{Check, Checks};

use super::issuer_health::{describe, urgency};

/// A configured issuer and its keys.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) keys: Arc<dyn IssuerKeys>,
}

/// Ready from when every issuer has been tried and the webhook listens, until the drain begins.
///
/// A dark issuer does not make us unready: the others' tokens are none the worse for it, and its own
/// are refused with a reason.
#[derive(Clone)]
pub(super) struct Readiness {
    issuers: Arc<[Issuer]>,
    listens: Arc<AtomicBool>,
    drain: Drain,
}

impl Readiness {
    pub(super) fn new(issuers: Vec<Issuer>, drain: Drain) -> Self {
        Self { issuers: issuers.into(), listens: Arc::default(), drain }
    }

    /// Waits until the first attempt to get each issuer's keys has ended, well or badly.
    pub(super) async fn issuers_tried(&self) {
        for issuer in &*self.issuers {
            issuer.keys.tried().await;
        }
    }

    /// How many issuers there are, and how many of them have no keys.
    pub(super) fn issuers_and_dark(&self) -> (usize, usize) {
        let dark = self.issuers.iter().filter(|issuer| issuer.keys.health().keys == 0).count();
        (self.issuers.len(), dark)
    }

    /// The webhook listens from now on.
    pub(super) fn listens(&self) {
        self.listens.store(true, Ordering::Release);
    }
}

impl Checks for Readiness {
    fn checks(&self) -> Vec<Check> {
        let (passes, detail) = match (self.drain.has_begun(), self.listens.load(Ordering::Acquire))
        {
            (true, _) => (false, "draining"),
            (false, false) => (false, "not yet: not every issuer has been tried"),
            (false, true) => (true, "ok"),
        };
        let serving = Check { name: "serving".to_owned(), passes, detail: detail.to_owned() };
        let now = SystemTime::now();
        let issuers = self.issuers.iter().map(|issuer| (issuer, issuer.keys.health()));
        let mut issuers: Vec<_> = issuers.collect();
        issuers.sort_by_key(|(_, health)| urgency(health));
        let issuers = issuers.into_iter().map(|(issuer, health)| Check {
            name: format!("jwt {}", issuer.url),
            passes: health.tried,
            detail: describe(&health, now),
        });
        std::iter::once(serving).chain(issuers).collect()
    }
}
