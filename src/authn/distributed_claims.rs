//! Claims that an issuer leaves to others (OpenID Connect Core 1.0, section 5.6.2).
//!
//! Of a proven token that has no groups, but names a source for them, the source is asked
//! ([`sources`]). It answers with a JWT, whose own `iss` says whose keys prove it: those of the
//! configured issuer, or those that the discovery document there leads to. Audiences and algorithms
//! are the configured ones, as upstream; the one claim is taken from it and nothing else. One token
//! has one source here, and what that says is not followed any further.
//!
//! Who gives no proven answer gives none, whatever it says: `claims_source_unavailable`, for this
//! token alone. What a proven answer says is judged as if the token said it.

mod sources;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout_at};

use crate::claims::{ClaimSource, Claims};
use crate::fetch::{FetchError, Fetcher};
use crate::keys::ForeignKeys;
use crate::live::Marks;
use crate::token::{KeySet, KeysUnavailable, UnverifiedJwt, Verifier, VerifyError};

use super::proof::{Flaw, Proven, Unproven, prove};
use super::{Attempt, told};

use sources::Sources;

/// How much of its time a review may wait: it must end before its own deadline does, so that the
/// failure has a name.
const SHARE_OF_REVIEW: f64 = 0.75;

/// Fetches what one configured issuer leaves to others.
pub struct DistributedClaims {
    /// For tokens of the configured issuer; for others but for the name.
    verifier: Verifier,
    keys: Arc<dyn KeySet>,
    foreign: ForeignKeys,
    sources: Sources,
    review_wait: Duration,
}

/// A claim that was fetched.
pub(super) struct Found {
    /// Those of the token that has it.
    pub(super) claims: Claims,
    /// Everything this rests on.
    pub(super) marks: Marks,
}

/// One that was not.
pub(super) struct NotFound {
    pub(super) cause: ClaimsSourceError,
    /// Everything this rests on.
    pub(super) marks: Marks,
    /// When time alone may change it.
    pub(super) retry_at: Option<SystemTime>,
}

impl DistributedClaims {
    /// For tokens that `verifier` proves with `keys`. Sources are asked by `fetcher`; at most
    /// `max_waiting` reviews may wait for them at a time, each a part of `review_timeout`.
    pub fn new(
        verifier: Verifier,
        keys: Arc<dyn KeySet>,
        foreign: ForeignKeys,
        fetcher: Fetcher,
        max_waiting: usize,
        review_timeout: Duration,
    ) -> Self {
        // The limit is for what people carry about; what a source says is of this moment.
        let verifier = Verifier { max_token_lifetime: Duration::ZERO, ..verifier };
        let review_wait = review_timeout.mul_f64(SHARE_OF_REVIEW);
        let sources = Sources::new(fetcher, max_waiting, review_wait);
        Self { verifier, keys, foreign, sources, review_wait }
    }

    /// Fetches `claim` from its source, for a review that began at `began`.
    pub(super) async fn fetch(
        &self,
        claim: &str,
        source: &ClaimSource,
        attempt: &Attempt<'_>,
        began: Instant,
    ) -> Result<Found, NotFound> {
        let give_up = began + self.review_wait;
        let fetched = timeout_at(give_up, self.ask(claim, source, attempt)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(ClaimsSourceError::Slow.into()));
        attempt.transcript.judged(fetched, |it| told::claim(claim, source, it.err()))
    }

    async fn ask(
        &self,
        claim: &str,
        source: &ClaimSource,
        attempt: &Attempt<'_>,
    ) -> Result<Found, NotFound> {
        let place = self.sources.place(&source.endpoint)?;
        let answer = self.sources.ask(&place, source).await?;
        let text = str::from_utf8(&answer.body).map_err(|_| ClaimsSourceError::NoJwt)?;
        let jwt = UnverifiedJwt::parse(text.trim_ascii()).ok_or(ClaimsSourceError::NoJwt)?;

        let (mut marks, transcript) = (Marks::new(), attempt.transcript.aside());
        let proof = if jwt.issuer() == self.verifier.issuer {
            prove(&self.verifier, &jwt, &*self.keys, attempt.now, &transcript).await
        } else {
            let foreign = self.foreign.of(jwt.issuer(), place.origin());
            let (kept, keys) = foreign.map_err(|_| ClaimsSourceError::NoIssuer)?;
            marks.push(kept);
            let verifier = Verifier { issuer: jwt.issuer().to_owned(), ..self.verifier.clone() };
            prove(&verifier, &jwt, &*keys, attempt.now, &transcript).await
        };
        match proof {
            Ok(Proven { claims, mark }) => {
                marks.push(mark);
                if claims.get(claim).is_some() {
                    return Ok(Found { claims, marks });
                }
                let cause = ClaimsSourceError::Missing(claim.to_owned());
                Err(NotFound { cause, marks, retry_at: None })
            }
            Err(Unproven { cause, mark, retry_at }) => {
                marks.push(mark);
                let cause = match cause {
                    Flaw::Token(error) => ClaimsSourceError::Token(error),
                    Flaw::Keys(error) => ClaimsSourceError::Keys(error),
                };
                Err(NotFound { cause, marks, retry_at })
            }
        }
    }
}

/// Why a claim could not be had from its source.
///
/// Its text is for the caller: it names neither the source nor anything that came from there.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsSourceError {
    /// It gave no answer.
    #[error("the source of the token's groups could not be asked: {}", .0.without_names())]
    Fetch(#[source] Arc<FetchError>),
    /// Too many reviews already wait for it, or for those of the issuer together.
    #[error("the source of the token's groups could not be asked: too many reviews wait for it")]
    Crowded,
    /// It, or the issuer of its answer, takes too long.
    #[error("the source of the token's groups takes too long")]
    Slow,
    /// It says something else.
    #[error("the source of the token's groups did not answer with a JWT that has an iss")]
    NoJwt,
    /// Its answer is of nobody who could have keys.
    #[error(
        "the source of the token's groups answered with a JWT whose iss is not an https:// URL"
    )]
    NoIssuer,
    /// The keys that would prove its answer could not be had.
    #[error("the answer from the source of the token's groups could not be checked: {0}")]
    Keys(#[source] KeysUnavailable),
    /// Its answer is refused as a token would be.
    #[error("the answer from the source of the token's groups is refused: {0}")]
    Token(#[source] VerifyError),
    /// Its answer does not answer.
    #[error("the answer from the source of the token's groups has no claim {0:?}")]
    Missing(String),
}

impl ClaimsSourceError {
    /// The fixed word for logs, metrics and documentation.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Token(error) if !self.is_unavailable() => error.reason(),
            Self::Missing(_) => "missing_claim",
            _ => "claims_source_unavailable",
        }
    }

    /// Whether there was no proven answer, and so another one may come at any time.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Token(error) => matches!(
                error,
                VerifyError::Header(_)
                    | VerifyError::Signature
                    | VerifyError::AlgorithmNotAllowed(_)
                    | VerifyError::UnknownKey
                    | VerifyError::BadSignature
            ),
            Self::Missing(_) => false,
            _ => true,
        }
    }
}

impl From<ClaimsSourceError> for NotFound {
    fn from(cause: ClaimsSourceError) -> Self {
        Self { cause, marks: Marks::new(), retry_at: None }
    }
}
