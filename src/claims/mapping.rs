//! From claims to a user: `claimMappings`.

mod told;

use std::collections::BTreeMap;

use crate::api::{ExtraValue, UserInfo};
use crate::transcript::Transcript;

use super::expression::{self, Budget, Expression, Input};
use super::{ClaimError, Claims, Value, reserved};

/// From claims to a user: `claimMappings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// `username`.
    pub username: PrefixedClaimOrExpression,
    /// `groups`; absent: no groups.
    pub groups: Option<PrefixedClaimOrExpression>,
    /// `uid`; absent: no uid.
    pub uid: Option<ClaimOrExpression>,
    /// `extra`, in the order written.
    pub extra: Vec<ExtraMapping>,
}

/// `claim` and `prefix`, or `expression`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum PrefixedClaimOrExpression {
    Claim(PrefixedClaim),
    Expression(Expression),
}

/// A claim and what its value is prefixed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixedClaim {
    /// The claim's name, matched exactly.
    pub claim: String,
    /// May be empty.
    pub prefix: String,
}

/// `claim`, matched exactly, or an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ClaimOrExpression {
    Claim(String),
    Expression(Expression),
}

/// What becomes `user.extra[key]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraMapping {
    /// `key`: a lowercase, domain-prefixed path.
    pub key: String,
    /// `claim`, which is ours, or `valueExpression`.
    pub value: ClaimOrExpression,
}

impl ClaimMapping {
    /// The user whom the claims name.
    ///
    /// Claims are looked at in upstream's order: username, groups, uid, extra. Distributed groups
    /// were [fetched](Claims::expand) before. A non-empty `jti` becomes the credential ID, whatever
    /// else is mapped. An empty username, which upstream accepts of a claim, is an error.
    pub fn user(
        &self,
        claims: &Claims,
        budget: &mut Budget,
        transcript: &Transcript,
    ) -> Result<UserInfo, ClaimError> {
        let username = self.username(claims, budget);
        let username = transcript.judged(username, |it| told::username(&self.username, it))?;
        let groups = match &self.groups {
            Some(mapping) => {
                let groups = mapping.groups(claims, budget);
                transcript.judged(groups, |it| told::groups(mapping, claims, it))?
            }
            None => Vec::new(),
        };
        let uid = match &self.uid {
            Some(mapping) => {
                let uid = mapping.uid(claims, budget);
                transcript.judged(uid, |it| told::uid(mapping, it))?
            }
            None => String::new(),
        };
        Ok(UserInfo { username, uid, groups, extra: self.extra(claims, budget, transcript)? })
    }

    /// The claim that has the groups: the one that may be kept elsewhere.
    pub fn groups_claim(&self) -> Option<&str> {
        match self.groups.as_ref()? {
            PrefixedClaimOrExpression::Claim(mapped) => Some(&mapped.claim),
            PrefixedClaimOrExpression::Expression(_) => None,
        }
    }

    /// Whether it may take long.
    pub fn loops(&self) -> bool {
        let prefixed = [Some(&self.username), self.groups.as_ref()].into_iter().flatten();
        let prefixed = prefixed.filter_map(|mapping| match mapping {
            PrefixedClaimOrExpression::Expression(expression) => Some(expression),
            PrefixedClaimOrExpression::Claim(_) => None,
        });
        let plain = self.uid.iter().chain(self.extra.iter().map(|extra| &extra.value));
        let plain = plain.filter_map(|mapping| match mapping {
            ClaimOrExpression::Expression(expression) => Some(expression),
            ClaimOrExpression::Claim(_) => None,
        });
        prefixed.chain(plain).any(Expression::loops)
    }

    fn username(&self, claims: &Claims, budget: &mut Budget) -> Result<String, ClaimError> {
        match &self.username {
            PrefixedClaimOrExpression::Claim(mapped) => mapped.username(claims),
            PrefixedClaimOrExpression::Expression(expression) => {
                let place = "claimMappings.username.expression";
                let username = evaluated_string(place, expression, claims, budget)?;
                if username.is_empty() {
                    return Err(ClaimError::EmptyUsername(format!("{place} returns nothing")));
                }
                Ok(username)
            }
        }
    }

    fn extra(
        &self,
        claims: &Claims,
        budget: &mut Budget,
        transcript: &Transcript,
    ) -> Result<BTreeMap<String, ExtraValue>, ClaimError> {
        let mut extra = BTreeMap::new();
        for (index, mapping) in self.extra.iter().enumerate() {
            let values = mapping.values(index, claims, budget);
            let values = transcript.judged(values, |it| told::extra(index, mapping, it))?;
            if !values.is_empty() {
                extra.insert(mapping.key.clone(), values.into());
            }
        }
        if let Some(id) = claims.id() {
            extra.insert(reserved::CREDENTIAL_ID.to_owned(), vec![["JTI=", &id].concat()].into());
        }
        Ok(extra)
    }
}

impl PrefixedClaimOrExpression {
    fn groups(&self, claims: &Claims, budget: &mut Budget) -> Result<Vec<String>, ClaimError> {
        match self {
            Self::Claim(mapped) => mapped.groups(claims),
            Self::Expression(expression) => {
                evaluated_list("claimMappings.groups.expression", expression, claims, budget)
            }
        }
    }
}

impl ClaimOrExpression {
    fn uid(&self, claims: &Claims, budget: &mut Budget) -> Result<String, ClaimError> {
        match self {
            Self::Claim(claim) => required_string(claim, claims),
            Self::Expression(expression) => {
                evaluated_string("claimMappings.uid.expression", expression, claims, budget)
            }
        }
    }
}

impl ExtraMapping {
    /// None if they are empty, or of a claim that is not there.
    fn values(
        &self,
        index: usize,
        claims: &Claims,
        budget: &mut Budget,
    ) -> Result<Vec<String>, ClaimError> {
        let mut values = match &self.value {
            ClaimOrExpression::Claim(claim) => match claims.get(claim) {
                Some(value) => list(claim, value)?,
                None => Vec::new(),
            },
            ClaimOrExpression::Expression(expression) => {
                let place = format!("claimMappings.extra[{index}].valueExpression");
                evaluated_list(&place, expression, claims, budget)?
            }
        };
        values.retain(|value| !value.is_empty());
        Ok(values)
    }
}

impl PrefixedClaim {
    fn username(&self, claims: &Claims) -> Result<String, ClaimError> {
        let Self { claim, prefix } = self;
        let username = required_string(claim, claims)?;
        if claim == EMAIL
            && let Some(verified) = claims.get(EMAIL_VERIFIED)
        {
            let verified = verified
                .boolean()
                .ok_or_else(|| ClaimError::invalid(EMAIL_VERIFIED, "true or false"))?;
            if !verified {
                return Err(ClaimError::EmailNotVerified);
            }
        }
        let username = prefixed(prefix, username);
        if username.is_empty() {
            let text = format!("the token's claim {claim:?} has no value");
            return Err(ClaimError::EmptyUsername(text));
        }
        Ok(username)
    }

    fn groups(&self, claims: &Claims) -> Result<Vec<String>, ClaimError> {
        let Some(value) = claims.get(&self.claim) else { return Ok(Vec::new()) };
        let groups = list(&self.claim, value)?;
        Ok(groups.into_iter().map(|group| prefixed(&self.prefix, group)).collect())
    }
}

impl From<PrefixedClaim> for PrefixedClaimOrExpression {
    fn from(mapped: PrefixedClaim) -> Self {
        Self::Claim(mapped)
    }
}

/// The claim for which OpenID Connect says whether it was verified (Core 1.0, section 5.1).
pub const EMAIL: &str = "email";
/// And where it says so.
pub const EMAIL_VERIFIED: &str = "email_verified";

fn required_string(claim: &str, claims: &Claims) -> Result<String, ClaimError> {
    let value = claims.get(claim).ok_or_else(|| ClaimError::Missing(claim.to_owned()))?;
    let text = value.string().ok_or_else(|| ClaimError::invalid(claim, "a string"))?;
    Ok(text.into_owned())
}

fn list(claim: &str, value: Value<'_>) -> Result<Vec<String>, ClaimError> {
    value.strings().ok_or_else(|| ClaimError::invalid(claim, "a string or a list of strings"))
}

fn evaluated(
    place: &str,
    expression: &Expression,
    claims: &Claims,
    budget: &mut Budget,
) -> Result<expression::Value, ClaimError> {
    expression
        .evaluate(Input::Claims(claims), budget)
        .map_err(|error| ClaimError::failed(place, expression, error.to_string()))
}

fn evaluated_string(
    place: &str,
    expression: &Expression,
    claims: &Claims,
    budget: &mut Budget,
) -> Result<String, ClaimError> {
    match evaluated(place, expression, claims, budget)? {
        expression::Value::String(text) => Ok(text),
        _ => Err(ClaimError::failed(place, expression, "must return a string")),
    }
}

/// A string, a list of strings or `null`, without empty strings.
fn evaluated_list(
    place: &str,
    expression: &Expression,
    claims: &Claims,
    budget: &mut Budget,
) -> Result<Vec<String>, ClaimError> {
    evaluated(place, expression, claims, budget)?.string_list().ok_or_else(|| {
        ClaimError::failed(place, expression, "must return a string or a list of strings")
    })
}

fn prefixed(prefix: &str, value: String) -> String {
    if prefix.is_empty() { value } else { [prefix, &value].concat() }
}

#[cfg(test)]
mod tests;
