//! Counts and logs what an authenticator answers, so that none of them has to.

use std::sync::Arc;
use std::time::Instant;

use crate::metrics::{Metrics, Outcome};
use crate::token::BoxFuture;

use super::{Attempt, Authenticator, AuthnError, Class, RefusalLog, Verdict};

/// An authenticator under its configured name, measured.
pub struct Metered<A> {
    name: Arc<str>,
    inner: A,
    metrics: Arc<Metrics>,
    log: Arc<RefusalLog>,
}

impl<A: Authenticator> Metered<A> {
    /// Measures `inner` as `name`.
    pub fn new(name: Arc<str>, inner: A, metrics: Arc<Metrics>, log: Arc<RefusalLog>) -> Self {
        Self { name, inner, metrics, log }
    }
}

impl<A: Authenticator> Authenticator for Metered<A> {
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>> {
        Box::pin(async move {
            let start = Instant::now();
            let verdict = self.inner.authenticate(attempt).await;
            let outcome = match &verdict {
                Ok(Verdict::Authenticated(_)) => Outcome::Authenticated,
                // Not its token: nothing was judged.
                Ok(Verdict::NoOpinion(_)) => return verdict,
                Err(error) => {
                    self.metrics.rejected(&self.name, error.reason());
                    self.log.refused(error);
                    match error.class() {
                        Class::Unavailable => Outcome::Unavailable,
                        Class::Rejected => Outcome::Rejected,
                    }
                }
            };
            self.metrics.authenticated(&self.name, outcome, start.elapsed());
            verdict
        })
    }
}
