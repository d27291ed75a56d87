//! Tokens of one configured issuer.
//!
//! Signature and time (`token/`), then rules and user (`claims/`), then the reserved guard, then
//! the audiences that were asked for. If no key fits, the keys are asked for once more and the
//! token is judged a second time: that is how a rotation goes unnoticed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::claims::{ClaimRule, Claims, reserved};
use crate::live::{Mark, Marks};
use crate::token::{BoxFuture, KeySet, KeysUnavailable, UnverifiedJwt, Verifier, VerifyError};

use super::{
    Attempt, AudienceScope, Authentication, Authenticator, AuthnError, Cause, JwtSettings, Verdict,
};

/// Judges the tokens of one issuer.
pub struct JwtAuthenticator {
    issuer: Arc<str>,
    verifier: Verifier,
    settings: JwtSettings,
    keys: Arc<dyn KeySet>,
    api_audiences: Arc<[String]>,
    review_timeout: Duration,
}

impl JwtAuthenticator {
    /// An authenticator for the issuer in `settings` whose keys are `keys`.
    pub fn new(
        settings: JwtSettings,
        keys: Arc<dyn KeySet>,
        api_audiences: Arc<[String]>,
        review_timeout: Duration,
    ) -> Self {
        let verifier = Verifier {
            issuer: settings.source.issuer.clone(),
            audiences: Some(settings.audiences.clone()),
            algorithms: settings.signing_algorithms.clone(),
            clock_skew: settings.clock_skew,
            max_token_lifetime: settings.max_token_lifetime,
            issued_at_leeway: None,
        };
        let issuer = settings.source.issuer.as_str().into();
        Self { issuer, verifier, settings, keys, api_audiences, review_timeout }
    }

    /// `issuer.url`: its name in metrics and logs.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// Judges `jwt`, asking for newer keys if none fits.
    async fn judge(
        &self,
        jwt: &UnverifiedJwt<'_>,
        attempt: &Attempt<'_>,
    ) -> Result<Verdict, AuthnError> {
        let (mark, keys) = self.keys.current();
        let error = match self.verifier.verify(jwt, &keys, attempt.now) {
            Ok(claims) => return self.admit(&claims, attempt, mark),
            Err(error) if error.wants_newer_keys() => error,
            Err(error) => return Err(self.refused(error, mark)),
        };
        match self.keys.refresh(&mark).await {
            Ok(refreshed) => {
                let (mark, keys) = self.keys.current();
                match self.verifier.verify(jwt, &keys, attempt.now) {
                    Ok(claims) => self.admit(&claims, attempt, mark),
                    Err(error) => {
                        let no_key = error.wants_newer_keys();
                        let mut error = self.refused(error, mark);
                        if no_key {
                            error.retry_at = Some(refreshed.retry_at);
                        }
                        Err(error)
                    }
                }
            }
            // The key it names is here and did not sign it: an outage does not make that uncertain.
            Err(KeysUnavailable::Unreachable) if matches!(error, VerifyError::BadSignature) => {
                Err(self.refused(error, mark))
            }
            Err(unavailable) => Err(self.refused(unavailable, mark)),
        }
    }

    /// From proven claims to the user, if the rules, the guard and the audiences let it.
    fn admit(
        &self,
        claims: &Claims,
        attempt: &Attempt<'_>,
        mark: Mark,
    ) -> Result<Verdict, AuthnError> {
        let user = (|| {
            let user = self.settings.claim_mapping.user(claims)?;
            self.settings.claim_rules.iter().try_for_each(|rule: &ClaimRule| rule.check(claims))?;
            if !self.settings.allow_reserved {
                reserved::check(&user)?;
            }
            Ok::<_, Cause>(user)
        })();
        let user = match user {
            Ok(user) => user,
            Err(cause) => return Err(self.refused(cause, mark)),
        };
        // Sorted: both lists may be thousands long.
        let mut own: Vec<_> = claims.audiences().iter().map(String::as_str).collect();
        own.sort_unstable();
        let mut audiences = attempt.credential.audiences.clone();
        audiences.retain(|wanted| self.is_good_for(&own, wanted));
        if audiences.is_empty() {
            return Err(self.refused(Cause::Audiences, mark));
        }
        Ok(Verdict::Authenticated(Authentication {
            user,
            audiences,
            valid_until: claims
                .expires_at()
                .and_then(|at| SystemTime::from(at).checked_add(self.settings.clock_skew)),
            marks: vec![mark],
        }))
    }

    /// Whether a token with these audiences of its `own` is good for the audience `wanted`.
    fn is_good_for(&self, own: &[&str], wanted: &String) -> bool {
        let own = || own.binary_search(&wanted.as_str()).is_ok();
        match self.settings.audience_scope {
            AudienceScope::ApiServer => {
                self.api_audiences.contains(wanted)
                    || (self.settings.audiences.contains(wanted) && own())
            }
            AudienceScope::Token => own(),
        }
    }

    fn refused(&self, cause: impl Into<Cause>, mark: Mark) -> AuthnError {
        let cause = cause.into();
        let retry_at = match &cause {
            Cause::Token(error) => error.valid_from(),
            _ => None,
        };
        AuthnError { issuer: self.issuer.clone(), cause, marks: vec![mark], retry_at }
    }
}

impl Authenticator for JwtAuthenticator {
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>> {
        Box::pin(async move {
            let Some(jwt) = &attempt.jwt else {
                return Ok(Verdict::NoOpinion(Marks::new()));
            };
            match tokio::time::timeout(self.review_timeout, self.judge(jwt, attempt)).await {
                Ok(verdict) => verdict,
                Err(_) => Err(AuthnError::new(&self.issuer, Cause::Timeout)),
            }
        })
    }
}
