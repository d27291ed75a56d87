//! Who a token is.
//!
//! One question, [`Authenticator::authenticate`], with the three answers of Kubernetes'
//! `authenticator.Token`: it is somebody, it is not ours to judge, or it is ours and refused.
//! [`Chain`] picks who answers, [`Reviews`] remembers what was answered.

mod cache;
mod chain;
mod distributed_claims;
mod judges;
mod jwt;
mod metered;
mod proof;
mod refusal_log;
mod service_account;
mod settings;
pub mod token_file;
mod told;
mod workers;

use std::sync::Arc;
use std::time::SystemTime;

use crate::api::{UserInfo, webhook};
use crate::claims::{ClaimError, Reserved};
use crate::live::Marks;
use crate::secret::Secret;
use crate::token::{BoxFuture, KeysUnavailable, UnverifiedJwt, VerifyError};
use crate::transcript::Transcript;

pub use cache::{Answer, Key, NotReviewed, Reviews};
pub use chain::Chain;
pub use distributed_claims::{ClaimsSourceError, DistributedClaims};
pub use judges::Judges;
pub use jwt::JwtAuthenticator;
pub use proof::NEWER_KEYS;
pub use refusal_log::RefusalLog;
pub use service_account::{Gone, ServiceAccountAuthenticator};
pub use settings::{AudienceScope, CacheSettings, JwtSettings, Settings, TokenFileSettings};
pub use workers::Workers;

/// A bearer token and what it is wanted for.
pub struct Credential {
    /// The token, opaque: never trimmed, split or printed.
    pub token: Secret,
    /// The audiences it must be good for, one at least; defaults are filled in already.
    pub audiences: Vec<String>,
    /// Where it was shown.
    pub surface: Surface,
}

/// Who asks. A service account of the embedded issuer is a stranger to those who ask the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// An API server, at `/authenticate`, in this version.
    Webhook(webhook::Version),
    /// Somebody at the API endpoints.
    Api,
}

impl Surface {
    /// In which version it is answered: the API knows only one.
    pub fn version(self) -> webhook::Version {
        match self {
            Self::Webhook(version) => version,
            Self::Api => webhook::Version::V1,
        }
    }
}

/// All that an authenticator may know.
pub struct Attempt<'a> {
    /// What is to be judged.
    pub credential: &'a Credential,
    /// The token as a JWT of somebody, if it is one. Nothing about it is proven.
    pub jwt: Option<UnverifiedJwt<'a>>,
    /// When.
    pub now: SystemTime,
    /// Where every check is noted down, if anybody wants to know.
    pub transcript: Transcript,
}

impl<'a> Attempt<'a> {
    /// An attempt at `credential`, now.
    pub fn new(credential: &'a Credential, now: SystemTime) -> Self {
        let jwt = UnverifiedJwt::parse(credential.token.expose());
        Self { credential, jwt, now, transcript: Transcript::off() }
    }
}

/// Judges tokens. Asked only when no remembered answer is at hand, so that a box is cheap.
pub trait Authenticator: Send + Sync {
    /// Judges one token.
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>>;
}

impl Authenticator for Box<dyn Authenticator> {
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>> {
        (**self).authenticate(attempt)
    }
}

/// The two answers that are no error.
#[derive(Debug)]
pub enum Verdict {
    /// The token is good.
    Authenticated(Authentication),
    /// The token is nobody's here, as far as these marks hold.
    NoOpinion(Marks),
}

impl Verdict {
    /// Everything this rests on.
    fn marks_mut(&mut self) -> &mut Marks {
        match self {
            Self::Authenticated(authentication) => &mut authentication.marks,
            Self::NoOpinion(marks) => marks,
        }
    }
}

/// A good token.
#[derive(Debug)]
pub struct Authentication {
    /// Whose it is.
    pub user: UserInfo,
    /// Which of the wanted audiences it is good for: one at least.
    pub audiences: Vec<String>,
    /// When time alone ends it.
    pub valid_until: Option<SystemTime>,
    /// Everything this rests on.
    pub marks: Marks,
}

/// A token that was ours to judge and is not authenticated.
#[derive(Debug, thiserror::Error)]
#[error("{issuer}: {cause}")]
pub struct AuthnError {
    /// The configured name of whom it claims to be from.
    pub issuer: Arc<str>,
    /// What was wrong.
    #[source]
    pub cause: Cause,
    /// Everything this rests on.
    pub marks: Marks,
    /// When time alone may change it.
    pub retry_at: Option<SystemTime>,
}

/// Why a token is not authenticated. Each reads as the phrase that the caller is given.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The token's form, signature or registered claims.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// What the claims map to.
    #[error(transparent)]
    Claims(#[from] ClaimError),
    /// A claim that is kept elsewhere.
    #[error(transparent)]
    ClaimsSource(#[from] ClaimsSourceError),
    /// The user it names is reserved.
    #[error(transparent)]
    Reserved(#[from] Reserved),
    /// An object it names.
    #[error(transparent)]
    Gone(#[from] Gone),
    /// Its keys.
    #[error("the token could not be checked: {0}")]
    Keys(#[from] KeysUnavailable),
    /// It is good, but for none of the audiences that were asked for.
    #[error("the token is good for none of the audiences that were asked for")]
    Audiences,
    /// There is nothing to judge.
    #[error("the token is empty")]
    Empty,
    /// It is longer than `limits.maxTokenBytes`.
    #[error("the token is longer than limits.maxTokenBytes")]
    TooLong,
    /// The review's own deadline has passed.
    #[error("the token could not be checked in time")]
    Timeout,
}

/// Whose fault it is that a token is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The token's: the same one gets the same answer for a while.
    Rejected,
    /// The circumstances': it could not be checked now, and the answer is never remembered.
    Unavailable,
}

/// The reason of a token that no configured source claims.
pub const NO_ISSUER: &str = "no_issuer";

/// Every reason there is, in the order of the README's table. People's alerts stand on these words:
/// none is ever renamed.
pub const REASONS: [&str; 21] = [
    NO_ISSUER,
    "malformed",
    "algorithm_not_allowed",
    "unknown_key",
    "bad_signature",
    "expired",
    "not_yet_valid",
    "lifetime_too_long",
    "audience_mismatch",
    "missing_claim",
    "invalid_claim",
    "email_not_verified",
    "empty_username",
    "claim_rule",
    "user_rule",
    "expression_error",
    "reserved_identity",
    "bound_object_gone",
    "keys_unavailable",
    "claims_source_unavailable",
    "timeout",
];

/// The longest `status.error`, in bytes.
const MAX_MESSAGE_BYTES: usize = 256;

impl AuthnError {
    /// An error that rests on nothing which could change.
    pub fn new(issuer: &Arc<str>, cause: impl Into<Cause>) -> Self {
        Self { issuer: issuer.clone(), cause: cause.into(), marks: Marks::new(), retry_at: None }
    }

    /// The fixed word for it: metric label, log field and documentation anchor, one of [`REASONS`].
    pub fn reason(&self) -> &'static str {
        match &self.cause {
            Cause::Token(error) => error.reason(),
            Cause::Claims(error) => error.reason(),
            Cause::ClaimsSource(error) => error.reason(),
            Cause::Reserved(error) => error.reason(),
            Cause::Gone(_) => "bound_object_gone",
            Cause::Keys(_) => "keys_unavailable",
            Cause::Audiences => "audience_mismatch",
            Cause::Empty | Cause::TooLong => "malformed",
            Cause::Timeout => "timeout",
        }
    }

    /// Whether it is the circumstances' fault and not the token's.
    pub fn class(&self) -> Class {
        match &self.cause {
            Cause::Keys(_) | Cause::Timeout => Class::Unavailable,
            Cause::ClaimsSource(error) if error.is_unavailable() => Class::Unavailable,
            _ => Class::Rejected,
        }
    }

    /// `status.error`: at most 256 bytes, with no claim value, library error or part of the token.
    pub fn message(&self) -> String {
        let mut text = self.to_string();
        if text.len() > MAX_MESSAGE_BYTES {
            text.truncate(text.floor_char_boundary(MAX_MESSAGE_BYTES - '…'.len_utf8()));
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_issuer_and_stays_short() {
        let error = AuthnError::new(&"https://idp.example.com".into(), Cause::Empty);
        assert_eq!(error.message(), "https://idp.example.com: the token is empty");
        let long = AuthnError::new(&"ü".repeat(300).into(), Cause::Empty).message();
        assert!(long.len() <= 256 && long.ends_with('…'), "{long}");
    }
}
