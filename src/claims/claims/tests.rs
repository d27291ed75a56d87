//! Typed claims, in every spelling and with every wrong type.

use super::*;

fn parse(json: &str) -> Result<Claims, ClaimError> {
    Claims::parse(JsonObject::parse(json.into()).expect(json).into())
}

#[test]
fn registered_claims_are_typed_in_any_spelling() {
    let claims = parse(
        r#"{"ISS":"i","aud":["a",null],"Exp":"5.5","iAT":-7,"nbf":null,"sub":null,"nonce":"n",
            "jti":"id","other":[{"exp":1}]}"#,
    )
    .unwrap();
    assert_eq!(claims.issuer(), "i");
    assert_eq!(claims.audiences(), ["a", ""]);
    assert_eq!(claims.expires_at(), Some(NumericDate::new(5)));
    assert_eq!(claims.issued_at(), Some(NumericDate::new(-7)));
    assert_eq!(claims.not_before(), None);
    assert_eq!(claims.id().as_deref(), Some("id"));
    assert_eq!(claims.get("iss").map(Value::json), None, "mapped claims are matched exactly");
    assert_eq!(claims.get("ISS").map(Value::json), Some(r#""i""#));
    assert_eq!(parse(r#"{"iſſ":"long s folds in Go"}"#).unwrap().issuer(), "long s folds in Go");
    assert_eq!(parse(r#"{"aud":"a"}"#).unwrap().audiences(), ["a"]);
    for json in [r#"{"aud":null}"#, r#"{"aud":[]}"#, "{}"] {
        assert!(parse(json).unwrap().audiences().is_empty(), "{json}");
    }
}

#[test]
fn only_a_string_with_letters_is_an_id() {
    for json in ["{}", r#"{"jti":""}"#, r#"{"jti":null}"#, r#"{"jti":5}"#, r#"{"JTI":"x"}"#] {
        assert_eq!(parse(json).unwrap().id(), None, "{json}");
    }
}

#[test]
fn wrong_types_are_refused_by_name() {
    for (json, claim) in [
        (r#"{"iss":5}"#, "iss"),
        (r#"{"iss":"\ud800"}"#, "iss"),
        (r#"{"sub":5}"#, "sub"),
        (r#"{"SUB":{}}"#, "sub"),
        (r#"{"nonce":[]}"#, "nonce"),
        (r#"{"at_hash":false}"#, "at_hash"),
        (r#"{"aud":5}"#, "aud"),
        (r#"{"aud":["a",5]}"#, "aud"),
        (r#"{"aud":{"a":"b"}}"#, "aud"),
        (r#"{"exp":null}"#, "exp"),
        (r#"{"exp":true}"#, "exp"),
        (r#"{"exp":"soon"}"#, "exp"),
        (r#"{"exp":1e400}"#, "exp"),
        (r#"{"iat":null}"#, "iat"),
        (r#"{"nbf":false}"#, "nbf"),
        (r#"{"_claim_names":"x"}"#, "_claim_names"),
        (r#"{"_claim_names":{"groups":5}}"#, "_claim_names"),
        (r#"{"_claim_sources":[]}"#, "_claim_sources"),
        (r#"{"_claim_sources":{"s":{"endpoint":5}}}"#, "_claim_sources"),
        (r#"{"_claim_sources":{"s":{"access_token":{}}}}"#, "_claim_sources"),
    ] {
        let error = parse(json).unwrap_err();
        assert!(matches!(&error, ClaimError::Invalid { claim: c, .. } if c == claim), "{json}");
    }
}

#[test]
fn nobody_may_choose_between_two_members() {
    let twice = ClaimError::Malformed(Flaw::MemberTwice);
    for json in [
        r#"{"sub":"a","sub":"a"}"#,
        r#"{"groups":[],"groups":["admin"]}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"exp":1,"EXP":2}"#,
        r#"{"Iss":"a","iSS":"b"}"#,
        r#"{"iss":"a","iſs":"b"}"#,
        r#"{"_claim_names":{},"_CLAIM_NAMES":{}}"#,
    ] {
        assert_eq!(parse(json).unwrap_err(), twice, "{json}");
    }
    assert!(parse(r#"{"groups":1,"Groups":2}"#).is_ok(), "not registered: two claims");
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(parse(&deep).unwrap_err(), ClaimError::Malformed(Flaw::TooDeep));
}

#[test]
fn sources_of_claims_must_exist() {
    let names = |rest: &str| format!(r#"{{"_claim_names":{{"groups":"s"}}{rest}}}"#);
    for (json, result) in [
        (names(r#","_claim_sources":{"s":{"endpoint":"https://x"}}"#), Ok(true)),
        (names(r#","_claim_sources":{"s":{"endpoint":""}}"#), Ok(false)),
        (names(r#","_claim_sources":{"s":{"JWT":"a.b.c"}}"#), Ok(false)),
        (names(r#","_claim_sources":{"s":null}"#), Ok(false)),
        (names(r#","_claim_sources":{"t":{}}"#), Err(ClaimError::NoSource)),
        (names(r#","_claim_sources":null"#), Err(ClaimError::NoSource)),
        (names(""), Err(ClaimError::NoSource)),
        (
            r#"{"_claim_names":{"groups":""},"_claim_sources":{"":{}}}"#.to_owned(),
            Err(ClaimError::NoSource),
        ),
        (
            r#"{"_claim_names":{"groups":null},"_claim_sources":{}}"#.to_owned(),
            Err(ClaimError::NoSource),
        ),
        (r#"{"_claim_names":{}}"#.to_owned(), Err(ClaimError::NoSource)),
        (r#"{"_claim_names":{},"_claim_sources":{}}"#.to_owned(), Ok(false)),
        (r#"{"_claim_sources":{"s":{"endpoint":"https://x"}}}"#.to_owned(), Ok(false)),
        ("{}".to_owned(), Ok(false)),
    ] {
        assert_eq!(
            parse(&json).and_then(|c| Ok(c.source_of("groups")?.is_some())),
            result,
            "{json}"
        );
    }
}

#[test]
fn one_claim_of_another_token_counts_as_its_own() {
    let other = parse(r#"{"groups":["a"],"sub":"mallory","exp":5,"null":null}"#).unwrap();
    let mut claims = parse(r#"{"sub":"jane"}"#).unwrap();
    assert!(claims.expand("roles", &other).is_err(), "there is none");
    assert!(claims.get("groups").is_none());
    claims.expand("groups", &other).unwrap();
    assert_eq!(claims.get("groups").unwrap().json(), r#"["a"]"#);
    assert_eq!(claims.get("sub").unwrap().json(), r#""jane""#, "and nothing else of it");
    assert!(claims.get("null").is_none() && claims.expires_at().is_none());
    claims.expand("null", &other).unwrap();
    assert!(claims.get("null").unwrap().is_null());
}
