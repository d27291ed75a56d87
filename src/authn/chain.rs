//! Picks who judges a token: one dispatch, no walk.
//!
//! The token file is looked into first; then the token's own, *unverified* `iss` names the issuer
//! whose authenticator decides, be it configured or embedded. What none of them claims is nobody's.

use std::collections::HashMap;
use std::sync::Arc;

use crate::live::Marks;
use crate::metrics::{IssuerMetrics, Metrics};
use crate::token::{BoxFuture, UnverifiedJwt};

use super::metered::Metered;
use super::token_file::{self, TokenFileAuthenticator};
use super::{Attempt, Authenticator, AuthnError, Cause, NO_ISSUER, RefusalLog, Verdict};

/// The `issuer` label of a token that no configured source claims.
const NOBODY: &str = "none";

/// Every configured source of users.
pub struct Chain {
    token_file: Option<Metered<TokenFileAuthenticator>>,
    /// By `iss`, so that ten thousand issuers cost what one does.
    issuers: HashMap<Arc<str>, Metered<Box<dyn Authenticator>>>,
    /// Those of tokens that nobody claims.
    metrics: Arc<IssuerMetrics>,
    log: Arc<RefusalLog>,
    nobody: Arc<str>,
}

impl Chain {
    /// A chain of the given sources; each issuer with what judges its tokens.
    pub fn new(
        token_file: Option<TokenFileAuthenticator>,
        issuers: Vec<(Arc<str>, Box<dyn Authenticator>)>,
        metrics: &Metrics,
    ) -> Self {
        let log = Arc::new(RefusalLog::default());
        let metered = |(name, inner): (Arc<str>, Box<dyn Authenticator>)| {
            let metered = Metered::new(&name, inner, metrics, log.clone());
            (name, metered)
        };
        Self {
            token_file: token_file.map(|inner| {
                let name = inner.name().clone();
                Metered::new(&name, inner, metrics, log.clone())
            }),
            issuers: issuers.into_iter().map(metered).collect(),
            metrics: metrics.issuer(NOBODY),
            log,
            nobody: NOBODY.into(),
        }
    }

    /// Counts and logs a token that was refused before it could be anybody's.
    pub fn refuse(&self, cause: Cause) -> AuthnError {
        let error = AuthnError::new(&self.nobody, cause);
        self.metrics.rejected(error.reason());
        self.log.refused(&error);
        error
    }

    fn no_issuer(&self, unverified_issuer: Option<&str>) {
        self.metrics.rejected(NO_ISSUER);
        self.log.no_issuer(&self.nobody, unverified_issuer);
    }
}

impl Authenticator for Chain {
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>> {
        Box::pin(async move {
            let mut consulted = Marks::new();
            if let Some(token_file) = &self.token_file {
                attempt.transcript.source(token_file::NAME);
                match token_file.authenticate(attempt).await {
                    Ok(Verdict::NoOpinion(marks)) => consulted = marks,
                    verdict => return verdict,
                }
            }
            let unverified_issuer = attempt.jwt.as_ref().map(UnverifiedJwt::issuer);
            match unverified_issuer.and_then(|issuer| self.issuers.get_key_value(issuer)) {
                // The file was asked too: what it says of the token may change.
                Some((name, issuer)) => {
                    attempt.transcript.source(name);
                    match issuer.authenticate(attempt).await {
                        Ok(mut verdict) => {
                            verdict.marks_mut().append(&mut consulted);
                            Ok(verdict)
                        }
                        Err(mut error) => {
                            error.marks.append(&mut consulted);
                            Err(error)
                        }
                    }
                }
                None => {
                    self.no_issuer(unverified_issuer);
                    Ok(Verdict::NoOpinion(consulted))
                }
            }
        })
    }
}
