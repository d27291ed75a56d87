//! Each mapping with each form of value.

mod expressions;

use super::super::claims;
use super::*;

fn mapping() -> ClaimMapping {
    let prefixed =
        |claim: &str, prefix: &str| PrefixedClaim { claim: claim.into(), prefix: prefix.into() };
    let team = ClaimOrExpression::Claim("team".into());
    ClaimMapping {
        username: prefixed("name", "u:").into(),
        groups: Some(prefixed("groups", "g:").into()),
        uid: None,
        extra: vec![ExtraMapping { key: "example.com/team".into(), value: team }],
    }
}

fn user(json: &str) -> Result<UserInfo, ClaimError> {
    mapped(&mapping(), &claims(json))
}

fn mapped(mapping: &ClaimMapping, claims: &Claims) -> Result<UserInfo, ClaimError> {
    mapping.user(claims, &mut Budget::new(), &Transcript::off())
}

#[test]
fn username_is_a_string_that_is_there() {
    assert_eq!(user(r#"{"name":"jane"}"#).unwrap().username, "u:jane");
    assert_eq!(user(r#"{"name":null}"#).unwrap().username, "u:", "as upstream");
    assert_eq!(user(r#"{"Name":"jane"}"#), Err(ClaimError::Missing("name".into())));
    assert_eq!(user(r#"{"name":5}"#), Err(ClaimError::invalid("name", "a string")));
    let bare = PrefixedClaim { claim: "name".into(), prefix: String::new() };
    let bare = ClaimMapping { username: bare.into(), ..mapping() };
    for json in [r#"{"name":null}"#, r#"{"name":""}"#] {
        let error = mapped(&bare, &claims(json)).unwrap_err();
        assert_eq!(error.reason(), "empty_username");
        let text = "the username is empty: the token's claim \"name\" has no value";
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn an_email_that_the_issuer_does_not_vouch_for_is_nobody() {
    let username = PrefixedClaim { claim: "email".into(), prefix: String::new() };
    let by_email = ClaimMapping { username: username.into(), ..mapping() };
    let unreadable = ClaimError::invalid("email_verified", "true or false");
    for (verified, refusal) in [
        ("", None),
        (r#","email_verified":true"#, None),
        (r#","Email_verified":false"#, None),
        (r#","email_verified":false"#, Some(ClaimError::EmailNotVerified)),
        (r#","email_verified":null"#, Some(ClaimError::EmailNotVerified)),
        (r#","email_verified":"true""#, Some(unreadable.clone())),
        (r#","email_verified":1"#, Some(unreadable.clone())),
    ] {
        let claims = claims(&format!(r#"{{"email":"jane@x","name":"jane"{verified}}}"#));
        assert_eq!(mapped(&by_email, &claims).err(), refusal, "{verified}");
        assert!(mapped(&mapping(), &claims).is_ok(), "another claim asks for no email");
    }
    let numeric = claims(r#"{"email":5,"email_verified":false}"#);
    assert_eq!(mapped(&by_email, &numeric), Err(ClaimError::invalid("email", "a string")));
}

#[test]
fn groups_are_prefixed_and_kept_as_they_are() {
    for (value, groups) in [
        (r#""a""#, vec!["g:a"]),
        (r#""""#, vec!["g:"]),
        ("null", vec![]),
        ("[]", vec![]),
        (r#"["b","a","b",null]"#, vec!["g:b", "g:a", "g:b", "g:"]),
    ] {
        let user = user(&format!(r#"{{"name":"jane","groups":{value}}}"#)).unwrap();
        assert_eq!(user.groups, groups, "{value}");
    }
    assert!(user(r#"{"name":"jane"}"#).unwrap().groups.is_empty());
    let wrong = ClaimError::invalid("groups", "a string or a list of strings");
    for value in ["5", "true", "{}", r#"["a",5]"#, r#"[["a"]]"#] {
        let json = format!(r#"{{"name":"jane","groups":{value}}}"#);
        assert_eq!(user(&json), Err(wrong.clone()), "{value}");
    }
    let none = ClaimMapping { groups: None, ..mapping() };
    assert!(mapped(&none, &claims(r#"{"name":"jane","groups":5}"#)).unwrap().groups.is_empty());
}

#[test]
fn uid_is_required_once_it_is_mapped() {
    let mapping = ClaimMapping { uid: Some(ClaimOrExpression::Claim("id".into())), ..mapping() };
    let uid = |json| mapped(&mapping, &claims(json)).map(|user| user.uid);
    assert_eq!(uid(r#"{"name":"jane","id":"1"}"#).unwrap(), "1");
    assert_eq!(uid(r#"{"name":"jane","id":null}"#).unwrap(), "");
    assert_eq!(uid(r#"{"name":"jane"}"#), Err(ClaimError::Missing("id".into())));
    assert_eq!(uid(r#"{"name":"jane","id":1}"#), Err(ClaimError::invalid("id", "a string")));
}

#[test]
fn extra_has_what_has_values() {
    let extra = |rest: &str| {
        user(&format!(r#"{{"name":"jane"{rest}}}"#)).map(|user| user.extra.into_iter().collect())
    };
    let team = |values: &[&str]| {
        let values: Vec<_> = values.iter().map(|&value| value.to_owned()).collect();
        Ok(vec![("example.com/team".to_owned(), values.into())])
    };
    assert_eq!(extra(r#","team":"a""#), team(&["a"]));
    assert_eq!(extra(r#","team":["b","","a",null]"#), team(&["b", "a"]));
    for value in ["", r#","team":"""#, r#","team":null"#, r#","team":[]"#, r#","team":[""]"#] {
        assert_eq!(extra(value), Ok(vec![]), "{value}");
    }
    let wrong = ClaimError::invalid("team", "a string or a list of strings");
    assert_eq!(extra(r#","team":{}"#), Err(wrong));
    let id = "authentication.kubernetes.io/credential-id".to_owned();
    assert_eq!(extra(r#","jti":"x""#), Ok(vec![(id, vec!["JTI=x".to_owned()].into())]));
    assert_eq!(extra(r#","jti":5"#), Ok(vec![]));
}

#[test]
fn groups_of_another_token_are_groups() {
    let mut jane = claims(r#"{"name":"jane"}"#);
    jane.expand("groups", &claims(r#"{"groups":["a"],"name":"mallory","team":"b"}"#)).unwrap();
    let jane = mapped(&mapping(), &jane).unwrap();
    assert_eq!((jane.groups, jane.extra.len()), (vec!["g:a".to_owned()], 0));
    assert!(jane.username.ends_with("jane"));
}

#[test]
fn the_first_error_is_upstreams_first() {
    let mapping = ClaimMapping { uid: Some(ClaimOrExpression::Claim("id".into())), ..mapping() };
    let first = |json| mapped(&mapping, &claims(json)).unwrap_err();
    let all = r#"{"name":5,"groups":5,"id":5,"team":5}"#;
    assert_eq!(first(all), ClaimError::invalid("name", "a string"));
    let list = "a string or a list of strings";
    let named = r#"{"name":"j","groups":5,"id":5,"team":5}"#;
    assert_eq!(first(named), ClaimError::invalid("groups", list));
    assert_eq!(first(r#"{"name":"j","id":5,"team":5}"#), ClaimError::invalid("id", "a string"));
    assert_eq!(first(r#"{"name":"j","id":"5","team":5}"#), ClaimError::invalid("team", list));
}
