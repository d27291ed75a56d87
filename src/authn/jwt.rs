//! Tokens of one configured issuer.
//!
//! Signature and time ([`prove`]), then groups that are kept elsewhere, then user and rules
//! (`claims/`), then the reserved guard, then the audiences that were asked for. What is made of the
//! claims is one synchronous call: here, or with the [`Workers`] where the issuer's expressions loop.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::api::UserInfo;
use crate::claims::expression::Budget;
use crate::claims::{ClaimMapping, ClaimRule, Claims, UserRule, reserved};
use crate::live::Marks;
use crate::token::{BoxFuture, KeySet, UnverifiedJwt, Verifier};
use crate::transcript::Transcript;

use super::distributed_claims::{Found, NotFound};
use super::proof::{Flaw, Proven, Unproven, prove};
use super::workers::{Share, Workers};
use super::{
    Attempt, AudienceScope, Authentication, Authenticator, AuthnError, Cause, DistributedClaims,
    JwtSettings, Verdict, told,
};

/// Judges the tokens of one issuer.
pub struct JwtAuthenticator {
    issuer: Arc<str>,
    verifier: Verifier,
    admission: Arc<Admission>,
    /// Who works out the user, if that may take long.
    workers: Option<Share>,
    audiences: Vec<String>,
    audience_scope: AudienceScope,
    clock_skew: Duration,
    keys: Arc<dyn KeySet>,
    distributed: Option<DistributedClaims>,
    api_audiences: Arc<[String]>,
    review_timeout: Duration,
}

/// Whom proven claims name, and whether he is let in.
struct Admission {
    mapping: ClaimMapping,
    claim_rules: Vec<ClaimRule>,
    user_rules: Vec<UserRule>,
    allow_reserved: bool,
}

impl Admission {
    /// The user, in upstream's order: mapped, then the rules on claims, then those on users; and
    /// behind them the guard that upstream has not.
    fn user(&self, claims: &Claims, transcript: &Transcript) -> Result<UserInfo, Cause> {
        let mut budget = Budget::new();
        let user = self.mapping.user(claims, &mut budget, transcript)?;
        ClaimRule::check_all(&self.claim_rules, claims, &mut budget, transcript)?;
        UserRule::check_all(&self.user_rules, &user, &mut budget, transcript)?;
        if !self.allow_reserved {
            transcript.judged(reserved::check(&user), told::reserved)?;
        }
        Ok(user)
    }
}

impl JwtAuthenticator {
    /// An authenticator for the issuer in `settings` whose keys are `keys`. Groups that are kept
    /// elsewhere are fetched by `distributed`; without it nobody looks for them.
    pub fn new(
        settings: JwtSettings,
        keys: Arc<dyn KeySet>,
        distributed: Option<DistributedClaims>,
        api_audiences: Arc<[String]>,
        review_timeout: Duration,
        workers: &Workers,
    ) -> Self {
        Self {
            issuer: settings.source.issuer.as_str().into(),
            verifier: settings.verifier(),
            workers: settings.loops().then(|| workers.share()),
            admission: Arc::new(Admission {
                mapping: settings.claim_mapping,
                claim_rules: settings.claim_rules,
                user_rules: settings.user_rules,
                allow_reserved: settings.allow_reserved,
            }),
            audiences: settings.audiences,
            audience_scope: settings.audience_scope,
            clock_skew: settings.clock_skew,
            keys,
            distributed,
            api_audiences,
            review_timeout,
        }
    }

    /// `issuer.url`: its name in metrics and logs.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// Judges `jwt`.
    async fn judge(
        &self,
        jwt: &UnverifiedJwt<'_>,
        attempt: &Attempt<'_>,
    ) -> Result<Verdict, AuthnError> {
        let began = Instant::now();
        let transcript = &attempt.transcript;
        let proof = prove(&self.verifier, jwt, &*self.keys, attempt.now, transcript).await;
        let Proven { mut claims, mark } = proof.map_err(|unproven| self.unproven(unproven))?;
        let mut marks = Marks::from_iter([mark]);
        let valid_until =
            claims.expires_at().and_then(|at| SystemTime::from(at).checked_add(self.clock_skew));
        let elsewhere = self.expand(&mut claims, attempt, began, &mut marks).await?;
        let valid_until = [valid_until, elsewhere].into_iter().flatten().min();
        // What was fetched may be another once it has ended, and so may a refusal that rests on it.
        let admitted = self.admit(claims, attempt, valid_until, marks).await;
        admitted.map_err(|refused| AuthnError { retry_at: elsewhere, ..refused })
    }

    /// Fetches the groups if they are kept elsewhere, and gives the time until which they are good.
    async fn expand(
        &self,
        claims: &mut Claims,
        attempt: &Attempt<'_>,
        began: Instant,
        marks: &mut Marks,
    ) -> Result<Option<SystemTime>, AuthnError> {
        let (Some(distributed), Some(groups)) =
            (&self.distributed, self.admission.mapping.groups_claim())
        else {
            return Ok(None);
        };
        let source = attempt.transcript.unless(claims.source_of(groups), told::no_source);
        let source = source.map_err(|error| self.refused(error, marks.clone()))?;
        let Some(source) = source else { return Ok(None) };
        match distributed.fetch(groups, &source, attempt, began).await {
            Ok(Found { claims: brought, marks: consulted }) => {
                marks.extend(consulted);
                let expanded = claims.expand(groups, &brought);
                expanded.map_err(|error| self.refused(error, marks.clone()))?;
                Ok(brought.expires_at().map(SystemTime::from))
            }
            Err(NotFound { cause, marks: consulted, retry_at }) => {
                marks.extend(consulted);
                let refused = self.refused(cause, std::mem::take(marks));
                Err(AuthnError { retry_at, ..refused })
            }
        }
    }

    /// From proven claims to the user, if the rules, the guard and the audiences let it.
    async fn admit(
        &self,
        claims: Claims,
        attempt: &Attempt<'_>,
        valid_until: Option<SystemTime>,
        marks: Marks,
    ) -> Result<Verdict, AuthnError> {
        let (user, claims) = match &self.workers {
            None => (self.admission.user(&claims, &attempt.transcript), claims),
            Some(workers) => {
                let (admission, transcript) = (self.admission.clone(), attempt.transcript.clone());
                workers.run(move || (admission.user(&claims, &transcript), claims)).await
            }
        };
        let user = match user {
            Ok(user) => user,
            Err(cause) => return Err(self.refused(cause, marks)),
        };
        // Sorted: both lists may be thousands long.
        let mut own: Vec<_> = claims.audiences().iter().map(String::as_str).collect();
        own.sort_unstable();
        let mut audiences = attempt.credential.audiences.clone();
        audiences.retain(|wanted| self.is_good_for(&own, wanted));
        if !attempt.transcript.holds(!audiences.is_empty(), || {
            told::audiences(attempt, "issuer.audienceScope").found(match self.audience_scope {
                AudienceScope::ApiServer => told::good_for(&self.api_audiences, "apiAudiences"),
                AudienceScope::Token => told::good_for(claims.audiences(), "its own aud"),
            })
        }) {
            return Err(self.refused(Cause::Audiences, marks));
        }
        Ok(Verdict::Authenticated(Authentication { user, audiences, valid_until, marks }))
    }

    /// Whether a token with these audiences of its `own` is good for the audience `wanted`.
    fn is_good_for(&self, own: &[&str], wanted: &String) -> bool {
        let own = || own.binary_search(&wanted.as_str()).is_ok();
        match self.audience_scope {
            AudienceScope::ApiServer => {
                self.api_audiences.contains(wanted) || (self.audiences.contains(wanted) && own())
            }
            AudienceScope::Token => own(),
        }
    }

    fn unproven(&self, Unproven { cause, mark, retry_at }: Unproven) -> AuthnError {
        let cause = match cause {
            Flaw::Token(error) => error.into(),
            Flaw::Keys(error) => error.into(),
        };
        AuthnError { issuer: self.issuer.clone(), cause, marks: Marks::from_iter([mark]), retry_at }
    }

    fn refused(&self, cause: impl Into<Cause>, marks: Marks) -> AuthnError {
        AuthnError { issuer: self.issuer.clone(), cause: cause.into(), marks, retry_at: None }
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
