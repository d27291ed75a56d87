//! The proof of a token.

use std::time::{Duration, SystemTime};

use crate::claims::{ClaimError, Claims, NumericDate};

use super::header::{Header, HeaderError};
use super::unverified::{GOOGLE, GOOGLE_WITHOUT_SCHEME};
use super::{Algorithm, Jwks, UnverifiedJwt, base64url};

/// What an issuer's tokens have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// `issuer.url`: the token's `iss`, byte for byte.
    pub issuer: String,
    /// `issuer.audiences`: the token's `aud` must have one of them. Absent: whoever asks looks at it.
    pub audiences: Option<Vec<String>>,
    /// `issuer.signingAlgorithms`.
    pub algorithms: Vec<Algorithm>,
    /// `issuer.clockSkew`: how long past its `exp` a token is still taken. Default: 0.
    pub clock_skew: Duration,
    /// `issuer.maxTokenLifetime`: the longest `exp - iat`; zero, the default: unlimited.
    pub max_token_lifetime: Duration,
    /// How far ahead `iat` may be. Absent, the default: it is not looked at, as upstream's JWT
    /// authenticator; its service account authenticator has 1 m.
    pub issued_at_leeway: Option<Duration>,
}

impl Verifier {
    /// Proves that `token` is the issuer's, meant for its audiences, and good at `now`.
    ///
    /// Checks in upstream's order: shape, algorithm, signature, claims, `iss`, `aud`, `exp`, `nbf`,
    /// `iat`; then the lifetime. Nothing that the payload says counts before its signature does. At most 16
    /// signatures are verified for one token.
    pub fn verify(
        &self,
        token: &UnverifiedJwt<'_>,
        keys: &Jwks,
        now: SystemTime,
    ) -> Result<Claims, VerifyError> {
        let header = Header::parse(token.header)?;
        let signature = base64url::decode(token.signature).ok_or(VerifyError::Signature)?;
        let algorithm = self.allowed(&header.algorithm)?;
        let mut failure = VerifyError::UnknownKey;
        let verified = keys
            .candidates(header.key_id.as_deref(), algorithm)
            .take(MAX_VERIFICATIONS)
            .inspect(|_| failure = VerifyError::BadSignature)
            .any(|key| key.verify(algorithm, token.signing_input.as_bytes(), &signature));
        if !verified {
            return Err(failure);
        }
        let claims = Claims::parse(token.payload.clone())?;
        self.check(&claims, now)?;
        Ok(claims)
    }

    /// The algorithm of that name, if the issuer may sign with it.
    fn allowed(&self, name: &str) -> Result<Algorithm, VerifyError> {
        let algorithm = Algorithm::from_name(name);
        algorithm.filter(|algorithm| self.algorithms.contains(algorithm)).ok_or_else(|| {
            // A name that we know: what the header says is anybody's text.
            let known = algorithm.map(Algorithm::as_str).or_else(|| {
                ["", "none", "HS256", "HS384", "HS512", "ES256K"].into_iter().find(|n| *n == name)
            });
            VerifyError::AlgorithmNotAllowed(match known {
                Some("") => "missing",
                Some(name) => name,
                None => "unknown",
            })
        })
    }

    fn check(&self, claims: &Claims, now: SystemTime) -> Result<(), VerifyError> {
        let google = self.issuer == GOOGLE && claims.issuer() == GOOGLE_WITHOUT_SCHEME;
        if claims.issuer() != self.issuer && !google {
            return Err(VerifyError::IssuerMismatch);
        }
        if let Some(audiences) = &self.audiences
            && !claims.audiences().iter().any(|audience| audiences.contains(audience))
        {
            return Err(VerifyError::AudienceMismatch);
        }
        let expires_at = claims.expires_at().ok_or(VerifyError::NoExpiry)?;
        // A sum that is beyond all times has not passed.
        let taken_until = SystemTime::from(expires_at).checked_add(self.clock_skew);
        if taken_until.is_some_and(|until| until < now) {
            return Err(VerifyError::Expired);
        }
        if let Some(not_before) = claims.not_before() {
            let valid_from = not_before.minus(NOT_BEFORE_LEEWAY);
            if now < SystemTime::from(valid_from) {
                return Err(VerifyError::NotYetValid { valid_from });
            }
        }
        if let (Some(leeway), Some(issued_at)) = (self.issued_at_leeway, claims.issued_at()) {
            let valid_from = issued_at.minus(leeway);
            if now < SystemTime::from(valid_from) {
                return Err(VerifyError::IssuedInTheFuture { valid_from });
            }
        }
        if !self.max_token_lifetime.is_zero() {
            let issued_at =
                claims.issued_at().ok_or_else(|| ClaimError::Missing("iat".to_owned()))?;
            if expires_at.since(issued_at) > self.max_token_lifetime {
                return Err(VerifyError::LifetimeTooLong);
            }
        }
        Ok(())
    }
}

/// How many keys are tried on one token.
const MAX_VERIFICATIONS: usize = 16;

/// How much before its `nbf` a token is taken, as upstream does.
const NOT_BEFORE_LEEWAY: Duration = Duration::from_secs(60);

/// Why a token was refused.
///
/// Its text is for the caller: it names what is configured, and no value of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Its header cannot be used.
    #[error("the token is malformed: {0}")]
    Header(#[from] HeaderError),
    /// Its signature is not base64url without padding.
    #[error("the token is malformed: its signature is not base64url")]
    Signature,
    /// `alg` is not one of `signingAlgorithms`. Carries its name if it is one we know.
    #[error("the token's alg ({0}) is not in signingAlgorithms")]
    AlgorithmNotAllowed(&'static str),
    /// The issuer has no key that could have signed it.
    #[error("no key of the issuer has the token's kid and fits its alg")]
    UnknownKey,
    /// Keys of the issuer could have signed it, and none did.
    #[error("the token's signature does not verify with the issuer's keys")]
    BadSignature,
    /// The payload is signed, and cannot be used.
    #[error(transparent)]
    Claims(#[from] ClaimError),
    /// Another issuer's token.
    #[error("the token's iss is not issuer.url")]
    IssuerMismatch,
    /// Meant for others (RFC 7519, section 4.1.3).
    #[error("the token's aud has none of issuer.audiences")]
    AudienceMismatch,
    /// `exp` has passed (RFC 7519, section 4.1.4).
    #[error("the token has expired: its exp has passed")]
    Expired,
    /// There is no `exp`, which upstream reads as a day long gone.
    #[error("the token has no exp, and so counts as expired")]
    NoExpiry,
    /// `nbf` has not come yet (RFC 7519, section 4.1.5).
    #[error("the token's nbf has not come yet")]
    NotYetValid {
        /// From when on it will be taken.
        valid_from: NumericDate,
    },
    /// `iat` has not come yet (RFC 7519, section 4.1.6).
    #[error("the token's iat has not come yet")]
    IssuedInTheFuture {
        /// From when on it will be taken.
        valid_from: NumericDate,
    },
    /// `exp - iat` is more than the operator allows.
    #[error("the token's lifetime (exp - iat) is longer than issuer.maxTokenLifetime")]
    LifetimeTooLong,
}

impl VerifyError {
    /// The fixed word for logs, metrics and documentation.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Header(_) | Self::Signature => "malformed",
            Self::AlgorithmNotAllowed(_) => "algorithm_not_allowed",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Claims(error) => error.reason(),
            Self::IssuerMismatch => "invalid_claim",
            Self::AudienceMismatch => "audience_mismatch",
            Self::Expired | Self::NoExpiry => "expired",
            Self::NotYetValid { .. } | Self::IssuedInTheFuture { .. } => "not_yet_valid",
            Self::LifetimeTooLong => "lifetime_too_long",
        }
    }

    /// When time alone may change the answer.
    pub fn valid_from(&self) -> Option<SystemTime> {
        match self {
            Self::NotYetValid { valid_from } | Self::IssuedInTheFuture { valid_from } => {
                Some((*valid_from).into())
            }
            _ => None,
        }
    }

    /// Whether newer keys of the issuer could change the answer.
    pub fn wants_newer_keys(&self) -> bool {
        matches!(self, Self::UnknownKey | Self::BadSignature)
    }
}

#[cfg(test)]
mod tests;
