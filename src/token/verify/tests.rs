//! Tokens that are taken, and one row for each way to forge one.

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::super::signing::{Signer, base64url, key_set};
use super::*;
use crate::claims::Flaw;

const NOW: i64 = 1_257_894_000;
const HEADER: &str = r#"{"alg":"ES256","kid":"k"}"#;

fn now() -> SystemTime {
    NumericDate::new(NOW).into()
}

fn verifier() -> Verifier {
    Verifier {
        issuer: "https://idp".into(),
        audiences: Some(vec!["kubernetes".into(), "other".into()]),
        algorithms: Algorithm::DEFAULT.to_vec(),
        clock_skew: Duration::ZERO,
        max_token_lifetime: Duration::ZERO,
        issued_at_leeway: None,
    }
}

/// Claims that are good, with some changed (or, if null, taken away).
fn payload(changes: Value) -> String {
    let mut claims =
        json!({"iss": "https://idp", "aud": "kubernetes", "exp": NOW + 60, "sub": "jane"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims.to_string()
}

fn keys(keys: &[Value]) -> Jwks {
    Jwks::parse(&key_set(keys)).unwrap().0
}

/// The verdict on a token that is somebody's.
fn verdict(verifier: &Verifier, keys: &Jwks, token: &str) -> Result<Claims, VerifyError> {
    verifier.verify(&UnverifiedJwt::parse(token).expect(token), keys, now(), &Transcript::off())
}

fn refusal(verifier: &Verifier, keys: &Jwks, token: &str) -> Option<VerifyError> {
    verdict(verifier, keys, token).err()
}

#[test]
fn a_good_token_of_every_algorithm_is_taken() {
    let rsa = Signer::new(Algorithm::Rs256);
    let lists_all = Verifier {
        algorithms: Algorithm::DEFAULT.into_iter().chain([Algorithm::EdDsa]).collect(),
        ..verifier()
    };
    for algorithm in lists_all.algorithms.clone() {
        let signer = match algorithm.as_str().as_bytes()[0] {
            b'R' | b'P' => rsa.with(algorithm),
            _ => Signer::new(algorithm),
        };
        let header = format!(r#"{{"typ":"at+jwt","alg":"{}","kid":"k"}}"#, algorithm.as_str());
        let token = signer.token(&header, &payload(json!({})));
        let keys = keys(&[signer.jwk("k")]);
        let claims = verdict(&lists_all, &keys, &token).unwrap();
        assert_eq!(claims.get("sub").unwrap().string().unwrap(), "jane", "{algorithm:?}");
        assert_eq!(claims.audiences(), ["kubernetes"]);
        assert_eq!(claims.expires_at(), Some(NumericDate::new(NOW + 60)));
        let unlisted = refusal(&verifier(), &keys, &token);
        let only_when_listed = algorithm == Algorithm::EdDsa;
        let expected = only_when_listed.then_some(VerifyError::AlgorithmNotAllowed("EdDSA"));
        assert_eq!(unlisted, expected);
    }
}

#[test]
fn the_payload_is_checked_once_it_is_signed() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    let invalid = |claim: &str, wanted| {
        Some(VerifyError::Claims(ClaimError::Invalid { claim: claim.into(), wanted }))
    };
    let seconds = "a number of seconds";
    let not_yet =
        |seconds| Some(VerifyError::NotYetValid { valid_from: NumericDate::new(seconds) });
    for (changes, refusal) in [
        (json!({}), None),
        (json!({"aud": ["x", "other", "y"]}), None),
        (json!({"exp": NOW}), None),
        (json!({"exp": NOW - 1}), Some(VerifyError::Expired)),
        (json!({"exp": NOW as f64 - 0.5}), Some(VerifyError::Expired)),
        (json!({"exp": (NOW + 60).to_string()}), None),
        (json!({"exp": 0}), Some(VerifyError::Expired)),
        (json!({"exp": -1e300}), Some(VerifyError::Expired)),
        (json!({"exp": i64::MIN}), Some(VerifyError::Expired)),
        (json!({"exp": 1e300}), None),
        (json!({"exp": u64::MAX}), None),
        (json!({"exp": 253_402_300_800_i64}), None),
        (json!({"exp": null}), Some(VerifyError::NoExpiry)),
        (json!({"exp": [NOW + 60]}), invalid("exp", seconds)),
        (json!({"exp": true}), invalid("exp", seconds)),
        (json!({"exp": "tomorrow"}), invalid("exp", seconds)),
        (json!({"nbf": NOW + 60}), None),
        (json!({"nbf": NOW + 61}), not_yet(NOW + 1)),
        (json!({"nbf": 1e300}), not_yet(NumericDate::MAX.seconds() - 60)),
        (json!({"nbf": 1e12}), not_yet(NumericDate::MAX.seconds() - 60)),
        (json!({"nbf": -1e300}), None),
        (json!({"nbf": "soon"}), invalid("nbf", seconds)),
        (json!({"iat": NOW + 1_000_000}), None),
        (json!({"iat": 1e300}), None),
        (json!({"iat": "now"}), invalid("iat", seconds)),
        (json!({"sub": 5}), invalid("sub", "a string")),
        (json!({"aud": "Kubernetes"}), Some(VerifyError::AudienceMismatch)),
        (json!({"aud": ["kube", ""]}), Some(VerifyError::AudienceMismatch)),
        (json!({"aud": []}), Some(VerifyError::AudienceMismatch)),
        (json!({"aud": null}), Some(VerifyError::AudienceMismatch)),
        (json!({"aud": {"kubernetes": 1}}), invalid("aud", "a string or a list of strings")),
        (json!({"iss": "https://idp/"}), Some(VerifyError::IssuerMismatch)),
        (json!({"iss": "HTTPS://idp"}), Some(VerifyError::IssuerMismatch)),
        (json!({"iss": "accounts.google.com"}), Some(VerifyError::IssuerMismatch)),
        (json!({"_claim_names": {"x": "y"}}), Some(ClaimError::NoSource.into())),
    ] {
        let token = signer.token(HEADER, &payload(changes.clone()));
        assert_eq!(self::refusal(&verifier(), &keys, &token), refusal, "{changes}");
    }
}

#[test]
fn the_first_error_is_upstreams_first() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    let mut wrong = json!({"_claim_names": {"x": "y"}, "iss": "https://other", "aud": "x",
        "exp": 5, "nbf": NOW + 5_000});
    for (right, refusal) in [
        ("_claim_names", VerifyError::from(ClaimError::NoSource)),
        ("iss", VerifyError::IssuerMismatch),
        ("aud", VerifyError::AudienceMismatch),
        ("exp", VerifyError::Expired),
        ("nbf", VerifyError::NotYetValid { valid_from: NumericDate::new(NOW + 4_940) }),
    ] {
        let token = signer.token(HEADER, &payload(wrong.clone()));
        assert_eq!(self::refusal(&verifier(), &keys, &token), Some(refusal));
        wrong.as_object_mut().unwrap().remove(right);
    }
    let forged = signer.token(HEADER, &payload(json!({"exp": 5}))) + "AAAA";
    assert_eq!(refusal(&verifier(), &keys, &forged), Some(VerifyError::BadSignature));
}

#[test]
fn skew_applies_to_exp_and_never_overflows() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    let skewed = |skew| Verifier { clock_skew: skew, ..verifier() };
    let ten = skewed(Duration::from_secs(10));
    for (verifier, changes, refusal) in [
        (&ten, json!({"exp": NOW - 10}), None),
        (&ten, json!({"exp": NOW - 11}), Some(VerifyError::Expired)),
        (&skewed(Duration::MAX), json!({"exp": 1e300}), None),
        (&skewed(Duration::MAX), json!({"exp": 5}), None),
    ] {
        let token = signer.token(HEADER, &payload(changes.clone()));
        assert_eq!(self::refusal(verifier, &keys, &token), refusal, "{changes}");
    }
    let token = signer.token(HEADER, &payload(json!({"exp": NOW})));
    let later = UNIX_EPOCH + Duration::new(NOW as u64, 1);
    let verdict =
        verifier().verify(&UnverifiedJwt::parse(&token).unwrap(), &keys, later, &Transcript::off());
    assert_eq!(verdict.unwrap_err(), VerifyError::Expired, "a nanosecond past exp");
}

#[test]
fn lifetimes_are_limited_where_configured() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    let limited = Verifier { max_token_lifetime: Duration::from_secs(3_600), ..verifier() };
    let too_long = Some(VerifyError::LifetimeTooLong);
    for (changes, refusal) in [
        (json!({"iat": NOW + 60 - 3_600}), None),
        (json!({"iat": NOW + 60 - 3_601}), too_long.clone()),
        (json!({"iat": NOW, "exp": 1e300}), too_long.clone()),
        (json!({"iat": -1e300}), too_long.clone()),
        (json!({"iat": NOW + 1_000}), None),
        (json!({}), Some(ClaimError::Missing("iat".into()).into())),
        (json!({"iat": 0, "exp": NOW - 1}), Some(VerifyError::Expired)),
    ] {
        let token = signer.token(HEADER, &payload(changes.clone()));
        assert_eq!(self::refusal(&limited, &keys, &token), refusal, "{changes}");
    }
}

#[test]
fn audiences_and_iat_are_looked_at_as_configured() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    let minute = Some(Duration::from_secs(60));
    let ours = Verifier { audiences: None, issued_at_leeway: minute, ..verifier() };
    for (changes, refusal) in [
        (json!({"aud": null}), None),
        (json!({"aud": ["elsewhere"], "iat": NOW}), None),
        (json!({"iat": NOW + 60}), None),
        (
            json!({"iat": NOW + 61}),
            Some(VerifyError::IssuedInTheFuture { valid_from: NumericDate::new(NOW + 1) }),
        ),
        (json!({"iat": NOW + 61, "exp": NOW - 1}), Some(VerifyError::Expired)),
    ] {
        let token = signer.token(HEADER, &payload(changes.clone()));
        assert_eq!(self::refusal(&ours, &keys, &token), refusal, "{changes}");
    }
}

#[test]
fn google_may_leave_out_the_scheme() {
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    let google = Verifier { issuer: "https://accounts.google.com".into(), ..verifier() };
    for (issuer, refusal) in [
        ("https://accounts.google.com", None),
        ("accounts.google.com", None),
        ("http://accounts.google.com", Some(VerifyError::IssuerMismatch)),
    ] {
        let token = signer.token(HEADER, &payload(json!({ "iss": issuer })));
        assert_eq!(self::refusal(&google, &keys, &token), refusal, "{issuer}");
    }
}

#[test]
fn keys_are_tried_by_key_id_and_at_most_sixteen() {
    let (signer, other) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let rsa = Signer::new(Algorithm::Rs256);
    let token = |header: &str| signer.token(header, &payload(json!({})));
    let refused = |set: &[Value], header| refusal(&verifier(), &keys(set), &token(header));
    let without_id = r#"{"alg":"ES256"}"#;
    assert_eq!(refused(&[signer.jwk("k")], without_id), None);
    assert_eq!(refused(&[other.jwk("k"), signer.jwk("k")], HEADER), None, "one ID, two keys");
    assert_eq!(refused(&[other.jwk("a"), signer.public_jwk()], without_id), None);
    assert_eq!(refused(&[other.jwk("k")], HEADER), Some(VerifyError::BadSignature));
    assert_eq!(refused(&[other.jwk("a")], without_id), Some(VerifyError::BadSignature));
    assert_eq!(refused(&[signer.jwk("K")], HEADER), Some(VerifyError::UnknownKey));
    assert_eq!(refused(&[signer.public_jwk()], HEADER), Some(VerifyError::UnknownKey));
    assert_eq!(refused(&[rsa.jwk("k")], HEADER), Some(VerifyError::UnknownKey), "of another kind");
    assert_eq!(refused(&[], HEADER), Some(VerifyError::UnknownKey));
    assert_eq!(refused(&[], without_id), Some(VerifyError::UnknownKey));

    // Keys are tried in the order of their IDs: the right one comes last.
    let mut set: Vec<_> = (0..15).map(|n| other.jwk(&format!("a{n}"))).collect();
    set.push(signer.jwk("z"));
    assert_eq!(refused(&set, without_id), None);
    set.push(other.jwk("b"));
    assert_eq!(refused(&set, without_id), Some(VerifyError::BadSignature));
    assert_eq!(refused(&set, r#"{"alg":"ES256","kid":"z"}"#), None);
    for (error, wants) in [
        (VerifyError::UnknownKey, true),
        (VerifyError::BadSignature, true),
        (VerifyError::Expired, false),
        (VerifyError::AlgorithmNotAllowed("none"), false),
    ] {
        assert_eq!(error.wants_newer_keys(), wants, "{error}");
    }
}

#[path = "bad_tokens.rs"]
mod bad_tokens;
