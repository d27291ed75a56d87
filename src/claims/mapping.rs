//! From claims to a user: `claimMappings`.

use std::collections::BTreeMap;

use crate::api::{ExtraValue, UserInfo};

use super::{ClaimError, Claims, Value, reserved};

/// From claims to a user: `claimMappings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// `username`.
    pub username: PrefixedClaim,
    /// `groups`; absent: no groups.
    pub groups: Option<PrefixedClaim>,
    /// `uid.claim`; absent: no uid.
    pub uid: Option<String>,
    /// `extra`, in the order written.
    pub extra: Vec<ExtraClaim>,
}

/// A claim and what its value is prefixed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixedClaim {
    /// The claim's name, matched exactly.
    pub claim: String,
    /// May be empty.
    pub prefix: String,
}

/// A claim that becomes `user.extra[key]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraClaim {
    /// `key`: a lowercase, domain-prefixed path.
    pub key: String,
    /// The claim's name, matched exactly.
    pub claim: String,
}

impl ClaimMapping {
    /// The user whom the claims name.
    ///
    /// Claims are looked at in upstream's order: username, groups, uid, extra. Distributed groups
    /// were [fetched](Claims::expand) before. A non-empty `jti` becomes the credential ID, whatever
    /// else is mapped. An empty username, which upstream accepts, is an error.
    pub fn user(&self, claims: &Claims) -> Result<UserInfo, ClaimError> {
        let username = self.username(claims)?;
        let groups = match &self.groups {
            Some(mapped) => mapped.groups(claims)?,
            None => Vec::new(),
        };
        let uid = match &self.uid {
            Some(claim) => required_string(claim, claims)?,
            None => String::new(),
        };
        Ok(UserInfo { username, uid, groups, extra: self.extra(claims)? })
    }

    fn username(&self, claims: &Claims) -> Result<String, ClaimError> {
        let PrefixedClaim { claim, prefix } = &self.username;
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
            return Err(ClaimError::EmptyUsername(claim.clone()));
        }
        Ok(username)
    }

    fn extra(&self, claims: &Claims) -> Result<BTreeMap<String, ExtraValue>, ClaimError> {
        let mut extra = BTreeMap::new();
        for ExtraClaim { key, claim } in &self.extra {
            let Some(value) = claims.get(claim) else { continue };
            let mut values = list(claim, value)?;
            values.retain(|value| !value.is_empty());
            if !values.is_empty() {
                extra.insert(key.clone(), values.into());
            }
        }
        if let Some(id) = claims.id() {
            extra.insert(reserved::CREDENTIAL_ID.to_owned(), vec![["JTI=", &id].concat()].into());
        }
        Ok(extra)
    }
}

impl PrefixedClaim {
    fn groups(&self, claims: &Claims) -> Result<Vec<String>, ClaimError> {
        let Some(value) = claims.get(&self.claim) else { return Ok(Vec::new()) };
        let groups = list(&self.claim, value)?;
        Ok(groups.into_iter().map(|group| prefixed(&self.prefix, group)).collect())
    }
}

/// The claim for which OpenID Connect says whether it was verified (Core 1.0, section 5.1).
const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";

fn required_string(claim: &str, claims: &Claims) -> Result<String, ClaimError> {
    let value = claims.get(claim).ok_or_else(|| ClaimError::Missing(claim.to_owned()))?;
    let text = value.string().ok_or_else(|| ClaimError::invalid(claim, "a string"))?;
    Ok(text.into_owned())
}

fn list(claim: &str, value: Value<'_>) -> Result<Vec<String>, ClaimError> {
    value.strings().ok_or_else(|| ClaimError::invalid(claim, "a string or a list of strings"))
}

fn prefixed(prefix: &str, value: String) -> String {
    if prefix.is_empty() { value } else { [prefix, &value].concat() }
}

#[cfg(test)]
mod tests;
