//! What a verified token says, and the user it names. Pure: no clock, no I/O.
//!
//! [`Claims`] are read from a payload that somebody signed, and so are whatever the signer liked:
//! nothing here may panic, recurse or guess on them. [`ClaimMapping`] makes a user of them,
//! [`ClaimRule`]s restrict which claims are taken and [`UserRule`]s which users, each by a plain
//! comparison or an [`expression`], and [`reserved`] guards the names that Kubernetes keeps for
//! itself. All follow kube-apiserver's JWT authenticator; where they do not, they say so.

#[expect(clippy::module_inception, reason = "claims are what this folder is about")]
mod claims;
mod json_object;
mod mapping;
mod numeric_date;
mod rules;
mod sources;

pub mod expression;
pub mod reserved;

pub use claims::{Claims, unverified_issuer};
pub use json_object::{Flaw, JsonObject, Value};
pub use mapping::{
    ClaimMapping, ClaimOrExpression, EMAIL, EMAIL_VERIFIED, ExtraMapping, PrefixedClaim,
    PrefixedClaimOrExpression,
};
pub use numeric_date::NumericDate;
pub use reserved::Reserved;
pub use rules::{ClaimRule, Message, RequiredClaim, UserRule, Validation};
pub use sources::ClaimSource;

use expression::Expression;

/// Why claims were refused.
///
/// Its text is for the caller: it names claims as the configuration or the specification does, and
/// never their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The payload as a whole cannot be relied on.
    #[error("the token is malformed: its payload {0}")]
    Malformed(Flaw),
    /// A claim that the configuration needs is not there.
    #[error("the token has no claim {0:?}")]
    Missing(String),
    /// A claim has the wrong type.
    #[error("the token's claim {claim:?} is not {wanted}")]
    Invalid {
        /// The claim's name.
        claim: String,
        /// What it should have been.
        wanted: &'static str,
    },
    /// `_claim_names` names a source that `_claim_sources` does not have (OpenID Connect Core 1.0,
    /// section 5.6.2).
    #[error("the token's claim \"_claim_names\" names a source that is not in \"_claim_sources\"")]
    NoSource,
    /// `username` is mapped from `email`, and the issuer does not vouch for it.
    #[error("the token's claim \"email_verified\" is not true")]
    EmailNotVerified,
    /// The mapped username would be empty, which upstream allows of a claim. Says why.
    #[error("the username is empty: {0}")]
    EmptyUsername(String),
    /// The claim of an entry of `claimValidationRules` has another value than the required one.
    #[error("the token's claim {0:?} does not have the value that claimValidationRules requires")]
    RequiredValue(String),
    /// An expression of `claimValidationRules` is false; with its message, or else itself.
    #[error("the token does not satisfy claimValidationRules: {0}")]
    ClaimRule(String),
    /// An expression of `userValidationRules` is false; with its message, or else itself.
    #[error("the user does not satisfy userValidationRules: {0}")]
    UserRule(String),
    /// An expression came to nothing, or to something that its place has no use for.
    #[error(transparent)]
    Expression(Box<ExpressionFailure>),
}

/// An expression that is no use for a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} failed: {problem}: {expression}")]
pub struct ExpressionFailure {
    /// The path of the field, without that of its issuer.
    place: String,
    /// What is wrong, without a value.
    problem: String,
    /// As it was written, in one line.
    expression: String,
}

impl ClaimError {
    /// The fixed word for logs, metrics and documentation.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Missing(_) => "missing_claim",
            Self::Invalid { .. } | Self::NoSource => "invalid_claim",
            Self::EmailNotVerified => "email_not_verified",
            Self::EmptyUsername(_) => "empty_username",
            Self::RequiredValue(_) | Self::ClaimRule(_) => "claim_rule",
            Self::UserRule(_) => "user_rule",
            Self::Expression(_) => "expression_error",
        }
    }

    /// An expression that is no use, and why.
    fn failed(
        place: impl Into<String>,
        expression: &Expression,
        problem: impl Into<String>,
    ) -> Self {
        let expression = rules::on_one_line(expression.source());
        let (place, problem) = (place.into(), problem.into());
        Self::Expression(Box::new(ExpressionFailure { place, problem, expression }))
    }

    /// A claim that is not what it should be.
    fn invalid(claim: &str, wanted: &'static str) -> Self {
        Self::Invalid { claim: claim.to_owned(), wanted }
    }
}

/// Claims as the issuer would have signed them, for the tests of this folder.
#[cfg(test)]
fn claims(json: &str) -> Claims {
    Claims::parse(JsonObject::parse(json.into()).expect("an object").into()).expect("claims")
}
