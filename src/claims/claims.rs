//! The claims of one token.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::sources::{self, CLAIM_NAMES, CLAIM_SOURCES};
use super::{ClaimError, ClaimSource, Flaw, JsonObject, NumericDate, Value};

/// Claims of a payload whose signature was verified.
///
/// The ones that decide whether a token is taken are typed; the others are decoded when a mapping
/// or a rule asks for them. What is accepted follows go-oidc and Go's encoding/json, which
/// kube-apiserver uses, but for two members of one name: those are refused.
pub struct Claims {
    object: Arc<JsonObject>,
    issuer: String,
    audiences: Vec<String>,
    expires_at: Option<NumericDate>,
    not_before: Option<NumericDate>,
    issued_at: Option<NumericDate>,
    /// A claim that another token had, and the claims of that.
    elsewhere: Option<(String, Arc<JsonObject>)>,
}

impl Claims {
    /// Types the registered claims (RFC 7519, section 4.1).
    ///
    /// `sub`, `nonce` and `at_hash` must be strings if they are there, used or not: upstream decodes
    /// them all. Each source that `_claim_names` names must be in `_claim_sources`.
    pub fn parse(object: Arc<JsonObject>) -> Result<Self, ClaimError> {
        if let Some(flaw) = object.flaw() {
            return Err(ClaimError::Malformed(flaw));
        }
        let registered = Registered::find(&object)?;
        let issuer = string("iss", registered.iss)?.into_owned();
        for (name, value) in
            [("sub", registered.sub), ("nonce", registered.nonce), ("at_hash", registered.at_hash)]
        {
            string(name, value)?;
        }
        let audiences = match registered.aud {
            Some(value) => value
                .strings()
                .ok_or_else(|| ClaimError::invalid("aud", "a string or a list of strings"))?,
            None => Vec::new(),
        };
        let expires_at = date("exp", registered.exp)?;
        let issued_at = date("iat", registered.iat)?;
        let not_before = date("nbf", registered.nbf.filter(|value| !value.is_null()))?;
        sources::check(registered.claim_names, registered.claim_sources)?;
        let elsewhere = None;
        Ok(Self { issuer, audiences, expires_at, not_before, issued_at, elsewhere, object })
    }

    /// `iss`; empty if it is not there.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `aud`: empty if it is not there, one if it is a string.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `exp`.
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.expires_at
    }

    /// `nbf`.
    pub fn not_before(&self) -> Option<NumericDate> {
        self.not_before
    }

    /// `iat`.
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.issued_at
    }

    /// `jti`, if it is a string that is not empty.
    pub fn id(&self) -> Option<String> {
        let id = self.get("jti")?.string()?;
        Some(id.into_owned()).filter(|id| !id.is_empty())
    }

    /// The value of the claim with exactly this name: the token's own, or what
    /// [`expand`](Self::expand) has brought.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.object.get(name).or_else(|| {
            let (brought, object) = self.elsewhere.as_ref()?;
            object.get(name).filter(|_| brought == name)
        })
    }

    /// All claims, by name: the token's own, and what [`expand`](Self::expand) has brought.
    pub fn members(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let brought = self.elsewhere.iter().filter_map(|(name, object)| {
            let is_new = self.object.get(name).is_none();
            Some((name.as_str(), object.get(name).filter(|_| is_new)?))
        });
        self.object.members().chain(brought)
    }

    /// Where a claim has to be fetched from that is not in the token (OpenID Connect Core 1.0,
    /// section 5.6.2). One that is there, be it `null`, wins over one that is kept elsewhere.
    pub fn source_of(&self, name: &str) -> Result<Option<ClaimSource>, ClaimError> {
        if self.object.get(name).is_some() {
            return Ok(None);
        }
        sources::find(name, self.object.get(CLAIM_NAMES), self.object.get(CLAIM_SOURCES))
    }

    /// Takes over one claim of another token, whatever else that says; from here on it counts for
    /// mappings and rules as if it were the token's own, as upstream.
    pub fn expand(&mut self, name: &str, from: &Self) -> Result<(), ClaimError> {
        if from.object.get(name).is_none() {
            return Err(ClaimError::Missing(name.to_owned()));
        }
        self.elsewhere = Some((name.to_owned(), from.object.clone()));
        Ok(())
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// The members of go-oidc's own struct, which Go matches in any case.
#[derive(Default)]
struct Registered<'a> {
    iss: Option<Value<'a>>,
    sub: Option<Value<'a>>,
    aud: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    iat: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
    at_hash: Option<Value<'a>>,
    claim_names: Option<Value<'a>>,
    claim_sources: Option<Value<'a>>,
}

impl<'a> Registered<'a> {
    fn find(object: &'a JsonObject) -> Result<Self, ClaimError> {
        let mut found = Self::default();
        for (name, value) in object.members() {
            let Some(slot) = found.slot(name) else { continue };
            if slot.replace(value).is_some() {
                return Err(ClaimError::Malformed(Flaw::MemberTwice));
            }
        }
        Ok(found)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Value<'a>>> {
        Some(match name {
            "iss" => &mut self.iss,
            "sub" => &mut self.sub,
            "aud" => &mut self.aud,
            "exp" => &mut self.exp,
            "iat" => &mut self.iat,
            "nbf" => &mut self.nbf,
            "nonce" => &mut self.nonce,
            "at_hash" => &mut self.at_hash,
            CLAIM_NAMES => &mut self.claim_names,
            CLAIM_SOURCES => &mut self.claim_sources,
            _ => {
                let folded = folded(name)?;
                return if folded == name { None } else { self.slot(&folded) };
            }
        })
    }
}

/// The issuer that claims name before anybody has verified them: the last string that go-oidc would
/// take for `iss`.
pub fn unverified_issuer(object: &JsonObject) -> Option<Cow<'_, str>> {
    let is_issuer = |name| name == "iss" || folded(name).is_some_and(|folded| folded == "iss");
    object
        .members()
        .filter(|(name, value)| is_issuer(name) && !value.is_null())
        .filter_map(|(_, value)| value.string().map(|issuer| (value.json().as_ptr(), issuer)))
        .max_by_key(|(place, _)| *place)
        .map(|(_, issuer)| issuer)
}

/// `name` as Go's encoding/json folds it; absent if it is plainly folded already. Beside ASCII only
/// these two letters fold into names as we have them.
pub(super) fn folded(name: &str) -> Option<String> {
    let fold = |letter| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    };
    let may_fold = name.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
    may_fold.then(|| name.chars().map(fold).collect())
}

fn string<'a>(name: &str, value: Option<Value<'a>>) -> Result<Cow<'a, str>, ClaimError> {
    let Some(value) = value else { return Ok(Cow::Borrowed("")) };
    value.string().ok_or_else(|| ClaimError::invalid(name, "a string"))
}

fn date(name: &str, value: Option<Value<'_>>) -> Result<Option<NumericDate>, ClaimError> {
    let Some(value) = value else { return Ok(None) };
    let date = NumericDate::from_claim(value);
    date.map(Some).ok_or_else(|| ClaimError::invalid(name, "a number of seconds"))
}

#[cfg(test)]
mod tests;
