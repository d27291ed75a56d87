//! The proof of a token.

mod told;

use std::time::{Duration, SystemTime};

use crate::claims::{ClaimError, Claims, NumericDate};
use crate::transcript::Transcript;

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
    /// signatures are verified for one token. How each check went stands in `transcript`.
    pub fn verify(
        &self,
        token: &UnverifiedJwt<'_>,
        keys: &Jwks,
        now: SystemTime,
        transcript: &Transcript,
    ) -> Result<Claims, VerifyError> {
        let form = Form::of(token);
        let Form { header, signature } = transcript.judged(form, told::form)?;
        let algorithm = self.allowed(&header.algorithm);
        let algorithm = transcript.judged(algorithm, |_| told::algorithm(self, &header))?;
        let candidates = keys.candidates(header.key_id.as_deref(), algorithm);
        let mut candidates = candidates.take(MAX_VERIFICATIONS).peekable();
        if !transcript.holds(candidates.peek().is_some(), || told::key(&header, keys)) {
            return Err(VerifyError::UnknownKey);
        }
        let signed = token.signing_input.as_bytes();
        let verified = candidates.any(|key| key.verify(algorithm, signed, &signature));
        if !transcript.holds(verified, || told::signature(verified)) {
            return Err(VerifyError::BadSignature);
        }
        let claims = transcript.judged(Claims::parse(token.payload.clone()), told::claims)?;
        self.check(&claims, now, transcript)?;
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

    fn check(
        &self,
        claims: &Claims,
        now: SystemTime,
        transcript: &Transcript,
    ) -> Result<(), VerifyError> {
        let google = self.issuer == GOOGLE && claims.issuer() == GOOGLE_WITHOUT_SCHEME;
        let issued = claims.issuer() == self.issuer || google;
        if !transcript.holds(issued, || told::issuer(self, claims)) {
            return Err(VerifyError::IssuerMismatch);
        }
        if let Some(audiences) = &self.audiences {
            let meant = claims.audiences().iter().any(|audience| audiences.contains(audience));
            if !transcript.holds(meant, || told::audience(audiences, claims)) {
                return Err(VerifyError::AudienceMismatch);
            }
        }
        let expires_at = self.good_until(claims.expires_at(), now);
        let expires_at = transcript.judged(expires_at, |_| told::expiry(self, claims))?;
        if let Some(not_before) = claims.not_before() {
            let valid_from = not_before.minus(NOT_BEFORE_LEEWAY);
            let has_come = now >= SystemTime::from(valid_from);
            if !transcript.holds(has_come, || told::begin("nbf", not_before, NOT_BEFORE_LEEWAY)) {
                return Err(VerifyError::NotYetValid { valid_from });
            }
        }
        if let (Some(leeway), Some(issued_at)) = (self.issued_at_leeway, claims.issued_at()) {
            let valid_from = issued_at.minus(leeway);
            let has_come = now >= SystemTime::from(valid_from);
            if !transcript.holds(has_come, || told::begin("iat", issued_at, leeway)) {
                return Err(VerifyError::IssuedInTheFuture { valid_from });
            }
        }
        if !self.max_token_lifetime.is_zero() {
            let lives = self.lives_short(claims.issued_at(), expires_at);
            transcript.judged(lives, |_| told::lifetime(self, claims))?;
        }
        Ok(())
    }

    fn good_until(
        &self,
        expires_at: Option<NumericDate>,
        now: SystemTime,
    ) -> Result<NumericDate, VerifyError> {
        let expires_at = expires_at.ok_or(VerifyError::NoExpiry)?;
        // A sum that is beyond all times has not passed.
        let taken_until = SystemTime::from(expires_at).checked_add(self.clock_skew);
        let is_over = taken_until.is_some_and(|until| until < now);
        if is_over { Err(VerifyError::Expired) } else { Ok(expires_at) }
    }

    fn lives_short(
        &self,
        issued_at: Option<NumericDate>,
        expires_at: NumericDate,
    ) -> Result<(), VerifyError> {
        let issued_at = issued_at.ok_or_else(|| ClaimError::Missing("iat".to_owned()))?;
        let is_long = expires_at.since(issued_at) > self.max_token_lifetime;
        if is_long { Err(VerifyError::LifetimeTooLong) } else { Ok(()) }
    }
}

/// What has to be read of a token before anything is known about it.
struct Form {
    header: Header,
    signature: Vec<u8>,
}

impl Form {
    fn of(token: &UnverifiedJwt<'_>) -> Result<Self, VerifyError> {
        let header = Header::parse(token.header)?;
        let signature = base64url::decode(token.signature).ok_or(VerifyError::Signature)?;
        Ok(Self { header, signature })
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
