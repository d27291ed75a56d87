//! The fixed words for a token that is not authenticated.
//!
//! A word is a metric label, a log field and an anchor in the README at once. It is never renamed:
//! people's alerts stand on it.

use crate::claims::ClaimError;
use crate::token::VerifyError;

use super::Cause;

/// Why a token is not authenticated (design, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the README has a row for each, which a test holds to this list")]
pub enum Reason {
    NoIssuer,
    Malformed,
    AlgorithmNotAllowed,
    UnknownKey,
    BadSignature,
    Expired,
    NotYetValid,
    LifetimeTooLong,
    AudienceMismatch,
    MissingClaim,
    InvalidClaim,
    EmailNotVerified,
    EmptyUsername,
    ClaimRule,
    ReservedIdentity,
    KeysUnavailable,
    ClaimsSourceUnavailable,
    Timeout,
}

/// Whether a reason is the token's fault or the circumstances'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not ours to judge.
    NoOpinion,
    /// Ours, and bad: the same token gets the same answer for a while.
    Rejected,
    /// Ours, and could not be checked now: never remembered.
    Unavailable,
}

impl Reason {
    /// Every reason there is, in the order of the design.
    pub const ALL: [Self; 18] = [
        Self::NoIssuer,
        Self::Malformed,
        Self::AlgorithmNotAllowed,
        Self::UnknownKey,
        Self::BadSignature,
        Self::Expired,
        Self::NotYetValid,
        Self::LifetimeTooLong,
        Self::AudienceMismatch,
        Self::MissingClaim,
        Self::InvalidClaim,
        Self::EmailNotVerified,
        Self::EmptyUsername,
        Self::ClaimRule,
        Self::ReservedIdentity,
        Self::KeysUnavailable,
        Self::ClaimsSourceUnavailable,
        Self::Timeout,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoIssuer => "no_issuer",
            Self::Malformed => "malformed",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::AudienceMismatch => "audience_mismatch",
            Self::MissingClaim => "missing_claim",
            Self::InvalidClaim => "invalid_claim",
            Self::EmailNotVerified => "email_not_verified",
            Self::EmptyUsername => "empty_username",
            Self::ClaimRule => "claim_rule",
            Self::ReservedIdentity => "reserved_identity",
            Self::KeysUnavailable => "keys_unavailable",
            Self::ClaimsSourceUnavailable => "claims_source_unavailable",
            Self::Timeout => "timeout",
        }
    }

    /// Whose fault it is.
    pub fn class(self) -> Class {
        match self {
            Self::NoIssuer => Class::NoOpinion,
            Self::KeysUnavailable | Self::ClaimsSourceUnavailable | Self::Timeout => {
                Class::Unavailable
            }
            _ => Class::Rejected,
        }
    }

    pub(super) fn of(cause: &Cause) -> Self {
        match cause {
            Cause::Token(error) => Self::of_token(error),
            Cause::Claims(error) => Self::of_claims(error),
            Cause::Reserved(_) => Self::ReservedIdentity,
            Cause::Keys(_) => Self::KeysUnavailable,
            Cause::Audiences => Self::AudienceMismatch,
            Cause::Empty | Cause::TooLong => Self::Malformed,
            Cause::Timeout => Self::Timeout,
        }
    }

    fn of_token(_error: &VerifyError) -> Self {
        todo!()
    }

    fn of_claims(_error: &ClaimError) -> Self {
        todo!()
    }
}
