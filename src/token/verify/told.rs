//! How each check of a proof is told in a transcript.

use std::time::{Duration, SystemTime};

use crate::claims::{ClaimError, Claims, NumericDate};
use crate::transcript::{Check, Text};

use super::super::header::Header;
use super::super::{Algorithm, Jwks};
use super::{Form, Verifier, VerifyError};

pub(super) fn form(form: Result<&Form, &VerifyError>) -> Check {
    let check = Check::of("form").expected("header and signature can be read");
    match form {
        Ok(_) => check.found("header and signature can be read"),
        Err(error) => check.found(error.to_string()),
    }
}

pub(super) fn algorithm(verifier: &Verifier, header: &Header) -> Check {
    let allowed: Vec<_> = verifier.algorithms.iter().map(|it| it.as_str()).collect();
    let found = match &*header.algorithm {
        "" => "no alg".to_owned(),
        name => name.to_owned(),
    };
    Check::of("alg")
        .at("issuer.signingAlgorithms")
        .expected(format!("one of {}", allowed.join(", ")))
        .found(found)
}

pub(super) fn key(header: &Header, keys: &Jwks) -> Check {
    let name = match &header.key_id {
        Some(id) => format!("kid {id:?}"),
        None => "any kid (the token names none)".to_owned(),
    };
    // Of an algorithm that is not allowed nothing is told here.
    let kind = Algorithm::from_name(&header.algorithm).map_or("", Algorithm::as_str);
    Check::of("key").expected(format!("one for {kind}, of {name}")).found(match keys.is_empty() {
        true => "the issuer's keys are not at hand".to_owned(),
        false => format!("the issuer has {}", keys.told(header.key_id.as_deref())),
    })
}

pub(super) fn signature(verified: bool) -> Check {
    let found = match verified {
        true => "made by that key",
        false => {
            "not made by that key: the token was changed or cut on its way, or another key has that kid"
        }
    };
    Check::of("signature").expected("made by that key").found(found)
}

pub(super) fn claims(claims: Result<&Claims, &ClaimError>) -> Check {
    let check = Check::of("payload").expected("registered claims have their types");
    match claims {
        Ok(_) => check.found("registered claims have their types"),
        Err(error) => check.found(error.to_string()),
    }
}

pub(super) fn issuer(verifier: &Verifier, claims: &Claims) -> Check {
    Check::of("iss").at("issuer.url").expected(verifier.issuer.as_str()).found(claims.issuer())
}

pub(super) fn audience(audiences: &[String], claims: &Claims) -> Check {
    Check::of("aud")
        .at("issuer.audiences")
        .expected(Text::from("one of ").and(Text::list(audiences, "none")))
        .found(Text::list(claims.audiences(), "no aud"))
}

pub(super) fn expiry(verifier: &Verifier, claims: &Claims) -> Check {
    let check = Check::of("exp");
    let check = match verifier.clock_skew.is_zero() {
        true => check.expected("not passed"),
        false => check
            .at("issuer.clockSkew")
            .expected(Text::from("not passed by more than ").and(verifier.clock_skew)),
    };
    match claims.expires_at() {
        Some(at) => check.found(SystemTime::from(at)),
        None => check.found("no exp"),
    }
}

pub(super) fn begin(what: &'static str, date: NumericDate, leeway: Duration) -> Check {
    Check::of(what)
        .expected(Text::from("not ahead by more than ").and(leeway))
        .found(SystemTime::from(date))
}

pub(super) fn lifetime(verifier: &Verifier, claims: &Claims) -> Check {
    let check = Check::of("lifetime")
        .at("issuer.maxTokenLifetime")
        .expected(Text::from("at most ").and(verifier.max_token_lifetime));
    match (claims.issued_at(), claims.expires_at()) {
        (Some(issued), Some(expires)) => check.found(expires.since(issued)),
        _ => check.found("no iat"),
    }
}
