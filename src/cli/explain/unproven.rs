//! What a token says of itself, before anything of it is proven.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::claims::{self, Claims, JsonObject, NumericDate};
use crate::token::UnverifiedJwt;

use super::words::{Voice, printable, rfc3339};

/// What a token says of itself. Nothing of it is proven.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    /// Why it is no JWT of anybody; absent if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_a_jwt: Option<String>,
    /// What seems to have been done to it on its way, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oddity: Option<&'static str>,
    pub(super) algorithm: Option<String>,
    #[serde(rename = "keyID")]
    pub(super) key_id: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) issued_at: Option<Instant>,
    pub(super) not_before: Option<Instant>,
    pub(super) expires_at: Option<Instant>,
    pub(super) claims: Vec<Claim>,
}

/// A point in time.
#[derive(Serialize)]
pub(super) struct Instant {
    pub(super) time: String,
    /// From now, in words.
    pub(super) distance: String,
}

/// A claim, in its place among the others.
#[derive(Serialize)]
pub(super) struct Claim {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// If it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value>,
}

impl Token {
    pub(super) fn new(token: &str, voice: &Voice) -> Self {
        let oddity = oddity(token);
        let jwt = match UnverifiedJwt::read(token) {
            Ok(jwt) => jwt,
            Err(flaw) => {
                return Self { not_a_jwt: Some(flaw.to_string()), oddity, ..Self::default() };
            }
        };
        let payload = jwt.unverified_claims();
        let instant = |what, time: Option<NumericDate>| {
            let time = time?.into();
            Some(Instant { time: rfc3339(time), distance: voice.distance(what, time) })
        };
        // They are typed as if they were proven, and nothing is concluded from them.
        let claims = Claims::parse(Arc::clone(payload)).ok();
        let claims = claims.as_ref();
        let audiences = claims.map_or(&[][..], Claims::audiences);
        let header = jwt.unverified_header();
        let of_header = |name| {
            let value = header.as_ref()?.get(name)?.string()?;
            Some(printable(&value)).filter(|value| !value.is_empty())
        };
        Self {
            not_a_jwt: None,
            oddity,
            algorithm: of_header("alg"),
            key_id: of_header("kid"),
            issuer: Some(printable(jwt.issuer())),
            audiences: audiences.iter().map(|audience| printable(audience)).collect(),
            issued_at: instant("iat", claims.and_then(Claims::issued_at)),
            not_before: instant("nbf", claims.and_then(Claims::not_before)),
            expires_at: instant("exp", claims.and_then(Claims::expires_at)),
            claims: Claim::all(payload, voice.shows_claims),
        }
    }
}

/// What people do to tokens on their way.
fn oddity(token: &str) -> Option<&'static str> {
    if token.is_empty() {
        Some("it is empty")
    } else if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        Some("it begins with \"Bearer \": the token is what comes after that")
    } else if token.contains(char::is_whitespace) {
        Some("it has white space in it, or more than one line")
    } else if token.matches('.').count() == 4 {
        Some("it has five parts: it is encrypted (a JWE), and only whom it is for can read it")
    } else {
        None
    }
}

/// Where a token may have other tokens: they are shown to nobody.
const CLAIM_SOURCES: &str = "_claim_sources";

impl Claim {
    fn all(payload: &JsonObject, show: bool) -> Vec<Self> {
        let claim = |(name, value): (&str, claims::Value<'_>)| {
            let shown = show && !name.eq_ignore_ascii_case(CLAIM_SOURCES);
            let value_of = |json| serde_json::from_str(json).ok();
            Self {
                name: printable(name),
                kind: value.kind(),
                value: if shown { value_of(value.json()) } else { None },
            }
        };
        payload.members().map(claim).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_do_to_tokens_is_seen() {
        for (token, says) in [
            ("", Some("empty")),
            ("bearer a.b.c", Some("Bearer")),
            ("a.b\n.c", Some("white space")),
            ("a.b.c.d.e", Some("encrypted")),
            ("a.b.c", None),
            ("é.opaque", None),
        ] {
            let oddity = oddity(token);
            assert_eq!(oddity.is_some(), says.is_some(), "{token}");
            assert!(oddity.unwrap_or_default().contains(says.unwrap_or_default()), "{token}");
        }
    }
}
