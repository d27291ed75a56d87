//! Claims that are kept elsewhere (OpenID Connect Core 1.0, section 5.6.2).
//!
//! `_claim_names` says which source has a claim, `_claim_sources` where that source is. Upstream
//! reads them twice, and so does this: go-oidc, in any case of letters, to see that each source is
//! there; and kube-apiserver, by their exact names, once a claim is wanted that is not in the token.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::secret::Secret;

use super::claims::folded;
use super::{ClaimError, Value};

pub(super) const CLAIM_NAMES: &str = "_claim_names";
pub(super) const CLAIM_SOURCES: &str = "_claim_sources";

/// Where a distributed claim is to be had. Both parts are the token's: neither is ever printed.
pub struct ClaimSource {
    /// The address to get it from, as the token has it: anything.
    pub endpoint: String,
    /// What to show there (RFC 6750), if anything.
    pub access_token: Option<Secret>,
}

impl fmt::Debug for ClaimSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimSource").finish_non_exhaustive()
    }
}

/// Whether each name has its source, whoever wants them.
pub(super) fn check(
    names: Option<Value<'_>>,
    sources: Option<Value<'_>>,
) -> Result<(), ClaimError> {
    let names = names.map_or_else(|| Ok(BTreeMap::new()), read_names)?;
    let sources = sources.map_or_else(|| Ok(BTreeMap::new()), read_sources)?;
    let exists = |source: &Option<String>| {
        source.as_ref().is_some_and(|source| !source.is_empty() && sources.contains_key(source))
    };
    if names.values().all(exists) { Ok(()) } else { Err(ClaimError::NoSource) }
}

/// The source of `claim`. None if it has none; also if that has no endpoint, as that of an aggregated
/// claim, which is a token itself: upstream ignores those.
pub(super) fn find(
    claim: &str,
    names: Option<Value<'_>>,
    sources: Option<Value<'_>>,
) -> Result<Option<ClaimSource>, ClaimError> {
    let Some(names) = names else { return Ok(None) };
    let mut sources = read_sources(sources.ok_or(ClaimError::NoSource)?)?;
    if sources.values().flatten().any(|source| !source.jwt_is_text) {
        return Err(ClaimError::invalid(CLAIM_SOURCES, SOURCES));
    }
    let Some(source) = read_names(names)?.remove(claim) else { return Ok(None) };
    let source = sources.remove(&source.unwrap_or_default()).ok_or(ClaimError::NoSource)?;
    let Some(Source { endpoint: Some(endpoint), access_token, .. }) = source else {
        return Ok(None);
    };
    let access_token = access_token.filter(|token| !token.is_empty()).map(Secret::new);
    Ok(Some(endpoint)
        .filter(|endpoint| !endpoint.is_empty())
        .map(|endpoint| ClaimSource { endpoint, access_token }))
}

const NAMES: &str = "an object of strings";
const SOURCES: &str = "an object of claim sources";

fn read_names(value: Value<'_>) -> Result<BTreeMap<String, Option<String>>, ClaimError> {
    let names: Option<_> =
        serde_json::from_str(value.json()).map_err(|_| ClaimError::invalid(CLAIM_NAMES, NAMES))?;
    Ok(names.unwrap_or_default())
}

fn read_sources(value: Value<'_>) -> Result<BTreeMap<String, Option<Source>>, ClaimError> {
    let sources: Option<_> = serde_json::from_str(value.json())
        .map_err(|_| ClaimError::invalid(CLAIM_SOURCES, SOURCES))?;
    Ok(sources.unwrap_or_default())
}

/// An entry of `_claim_sources`. Its members' names match in any case, as in Go, and none may come
/// twice.
struct Source {
    endpoint: Option<String>,
    access_token: Option<String>,
    /// go-oidc does not look at `JWT`, kube-apiserver wants a string.
    jwt_is_text: bool,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Source;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim source")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source, A::Error> {
        let (mut endpoint, mut access_token, mut jwt) = (None, None, None);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let name = folded(&name).map_or(name, Cow::Owned);
            let twice = match &*name {
                "endpoint" => endpoint.replace(map.next_value::<Option<String>>()?).is_some(),
                "access_token" => {
                    access_token.replace(map.next_value::<Option<String>>()?).is_some()
                }
                "jwt" => jwt.replace(map.next_value::<&RawValue>()?).is_some(),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if twice {
                return Err(A::Error::custom("a member comes twice"));
            }
        }
        Ok(Source {
            endpoint: endpoint.flatten(),
            access_token: access_token.flatten(),
            jwt_is_text: jwt.is_none_or(|jwt| jwt.get().starts_with('"') || jwt.get() == "null"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::claims;
    use super::*;

    /// What is found for `groups`: endpoint and access token.
    fn find(json: &str) -> Result<Option<(String, Option<String>)>, ClaimError> {
        let found = claims(json).source_of("groups")?;
        Ok(found.map(|source| {
            (source.endpoint, source.access_token.map(|token| token.expose().to_owned()))
        }))
    }

    #[test]
    fn a_claim_is_where_its_source_says() {
        let names = |sources: &str| {
            format!(r#"{{"_claim_names":{{"groups":"s","x":"t"}},"_claim_sources":{sources}}}"#)
        };
        let at = |token: Option<&str>| Ok(Some(("https://x".to_owned(), token.map(str::to_owned))));
        let unreadable = || Err(ClaimError::invalid("_claim_sources", SOURCES));
        for (sources, found) in [
            (r#"{"s":{"endpoint":"https://x","access_token":"a"},"t":{}}"#, at(Some("a"))),
            (r#"{"s":{"endpoint":"https://x","access_token":""},"t":{}}"#, at(None)),
            (r#"{"s":{"endpoint":"https://x","access_token":null},"t":null}"#, at(None)),
            (r#"{"s":{"Endpoint":"https://x","ACCEſſ_TOKEN":"a","y":[1]},"t":{}}"#, at(Some("a"))),
            (r#"{"s":{"endpoint":"","JWT":"a.b.c"},"t":{}}"#, Ok(None)),
            (r#"{"s":{"JWT":null},"t":{}}"#, Ok(None)),
            (r#"{"s":null,"t":{"endpoint":"https://y"}}"#, Ok(None)),
            (r#"{"s":{"endpoint":"https://x"},"t":{"JWT":5}}"#, unreadable()),
        ] {
            assert_eq!(find(&names(sources)), found, "{sources}");
        }
        let other = r#"{"_claim_names":{"x":"s"},"_claim_sources":{"s":{"endpoint":"https://x"}}}"#;
        assert_eq!(find(other), Ok(None), "a source of other claims");
        let folded = r#"{"_CLAIM_NAMES":{"groups":"s"},"_claim_sources":{"s":{"endpoint":"e"}}}"#;
        assert_eq!(find(folded), Ok(None), "kube-apiserver reads the exact names");
        let folded = r#"{"_claim_names":{"groups":"s"},"_Claim_Sources":{"s":{"endpoint":"e"}}}"#;
        assert_eq!(find(folded), Err(ClaimError::NoSource));
    }

    #[test]
    fn neither_endpoint_nor_access_token_is_printed() {
        let json = r#"{"_claim_names":{"groups":"s"},
            "_claim_sources":{"s":{"endpoint":"https://hidden","access_token":"hidden"}}}"#;
        let source = claims(json).source_of("groups").unwrap().unwrap();
        assert!(!format!("{source:?}").contains("hidden"));
    }

    /// Each name had a copy of its source: a token of 64 KiB could ask for a hundred megabytes.
    #[test]
    fn many_names_of_one_large_source_are_not_their_product() {
        let names: Vec<_> = (0..3000).map(|n| format!(r#""{n}":"s""#)).collect();
        let json = format!(
            r#"{{"_claim_names":{{{}}},"_claim_sources":{{"s":{{"endpoint":"{}"}}}}}}"#,
            names.join(","),
            "e".repeat(32 << 10)
        );
        assert_eq!(find(&json), Ok(None));
    }
}
