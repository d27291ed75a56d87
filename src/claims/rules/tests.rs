//! What rules take, and what they say.

use super::super::claims;
use super::super::expression::{Environment, Returns};
use super::*;

#[test]
fn the_claim_must_be_the_required_string() {
    let check = |json: &str, value: &str| {
        let required = RequiredClaim { claim: "hd".into(), required_value: value.into() };
        ClaimRule::check_all(
            &[ClaimRule::Required(required)],
            &claims(json),
            &mut Budget::new(),
            &Transcript::off(),
        )
    };
    for (json, required, result) in [
        (r#"{"hd":"example.com"}"#, "example.com", Ok(())),
        (r#"{"hd":"Example.com"}"#, "example.com", Err(ClaimError::RequiredValue("hd".into()))),
        (r#"{"hd":""}"#, "", Ok(())),
        (r#"{"hd":null}"#, "", Ok(())),
        (r#"{"HD":"example.com"}"#, "example.com", Err(ClaimError::Missing("hd".into()))),
        ("{}", "", Err(ClaimError::Missing("hd".into()))),
        (r#"{"hd":true}"#, "true", Err(ClaimError::invalid("hd", "a string"))),
        (r#"{"hd":["a"]}"#, "a", Err(ClaimError::invalid("hd", "a string"))),
    ] {
        assert_eq!(check(json, required), result, "{json}");
    }
}

fn compile(environment: Environment, source: &str, returns: Returns) -> Expression {
    Expression::compile(environment, source, returns).unwrap_or_else(|error| panic!("{error}"))
}

fn validation(environment: Environment, source: &str, message: Message) -> Validation {
    Validation { expression: compile(environment, source, Returns::Bool), message }
}

/// What rules of these expressions say of the claims.
fn check_claims(rules: &[(&str, Message)], json: &str) -> Result<(), ClaimError> {
    let rules: Vec<_> = rules
        .iter()
        .map(|(source, message)| validation(Environment::Claims, source, message.clone()))
        .map(ClaimRule::Expression)
        .collect();
    ClaimRule::check_all(&rules, &claims(json), &mut Budget::new(), &Transcript::off())
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

#[test]
fn expressions_must_be_true() {
    let hd = "claims.hd == 'example.com'";
    let one = |message: Message| check_claims(&[(hd, message)], r#"{"hd":"secret"}"#).unwrap_err();
    assert_eq!(check_claims(&[(hd, Message::Expression)], r#"{"hd":"example.com"}"#), Ok(()));
    let refused = one(text("the wrong domain"));
    assert_eq!(refused.reason(), "claim_rule");
    let wanted = "the token does not satisfy claimValidationRules: the wrong domain";
    assert_eq!(refused.to_string(), wanted);
    let wanted = format!("the token does not satisfy claimValidationRules: {hd}");
    assert_eq!(one(Message::Expression).to_string(), wanted);
}

#[test]
fn an_expression_that_fails_is_neither_true_nor_false() {
    let failing = ("claims.missing == 'x'", text("a message"));
    let refused = check_claims(std::slice::from_ref(&failing), r#"{"hd":"secret"}"#).unwrap_err();
    assert_eq!(refused.reason(), "expression_error");
    assert_eq!(
        refused.to_string(),
        "claimValidationRules[0].expression failed: no such key: missing: claims.missing == 'x'"
    );
    // All are evaluated before one is looked at: the failure outweighs what is false before it.
    let is_false = ("claims.hd == 'x'", Message::Expression);
    let refused = check_claims(&[is_false, failing], r#"{"hd":"secret"}"#).unwrap_err();
    assert!(refused.to_string().starts_with("claimValidationRules[1].expression failed"));
}

#[test]
fn the_first_that_is_false_says_so_and_required_values_come_first() {
    let rules = [("claims.a == 1.0", text("one")), ("claims.a == 2.0", text("two"))];
    let refused = check_claims(&rules, r#"{"a":3}"#).unwrap_err();
    assert_eq!(refused, ClaimError::ClaimRule("one".to_owned()));
    let required = RequiredClaim { claim: "hd".to_owned(), required_value: "x".to_owned() };
    let rules = [
        ClaimRule::Expression(validation(
            Environment::Claims,
            "claims.missing == 'x'",
            Message::Expression,
        )),
        ClaimRule::Required(required),
    ];
    let refused = ClaimRule::check_all(
        &rules,
        &claims(r#"{"hd":"y"}"#),
        &mut Budget::new(),
        &Transcript::off(),
    );
    assert_eq!(refused, Err(ClaimError::RequiredValue("hd".to_owned())));
}

#[test]
fn a_message_may_be_an_expression() {
    let says = |source: &str, text: Option<&str>| {
        let source = compile(Environment::Claims, source, Returns::String);
        let message = Message::Evaluated(source, text.map(str::to_owned));
        match check_claims(&[("claims.hd == 'x'", message)], r#"{"hd":"y","n":null}"#) {
            Err(ClaimError::ClaimRule(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(says("'domain ' + string(claims.hd)", Some("plain")), "domain y");
    assert_eq!(says("string(claims.missing)", Some("plain")), "plain");
    assert_eq!(says("''", Some("plain")), "plain");
    assert_eq!(says("string(claims.missing)", None), "claims.hd == 'x'");
    assert_eq!(says("' two\\n\\tlines\\u0007 '", None), "two lines");
    let huge = "[[0,1,2,3,4,5,6,7,8,9].map(x, 'äääääääää').join()].map(x, x.replace('', x))[0]";
    assert_eq!(says(huge, None).len(), 1_024, "what a message comes to is cut");
}

#[test]
fn users_have_rules_of_their_own() {
    let check = |sources: &[&str]| {
        let rules: Vec<_> = sources
            .iter()
            .map(|source| UserRule(validation(Environment::User, source, Message::Expression)))
            .collect();
        let user = UserInfo {
            username: "jane".into(),
            groups: vec!["team".into()],
            extra: [("example.com/x".to_owned(), vec!["1".to_owned()].into())].into(),
            ..UserInfo::default()
        };
        UserRule::check_all(&rules, &user, &mut Budget::new(), &Transcript::off())
    };
    assert_eq!(check(&[]), Ok(()));
    let all = ["user.username == 'jane'", "'team' in user.groups", "user.uid == ''"];
    assert_eq!(check(&all), Ok(()));
    assert_eq!(check(&["user.extra['example.com/x'] == ['1']"]), Ok(()));
    let refused = check(&["user.username != 'jane'"]).unwrap_err();
    assert_eq!(refused.reason(), "user_rule");
    assert_eq!(
        refused.to_string(),
        "the user does not satisfy userValidationRules: user.username != 'jane'"
    );
    let refused = check(&["user.username != 'jane'", "user.extra['y'] == []"]).unwrap_err();
    assert_eq!(refused.reason(), "expression_error");
    assert!(refused.to_string().starts_with("userValidationRules[1].expression failed"));
}

#[test]
fn what_loops_is_known_beforehand() {
    let rule = |source: &str, message: Message| {
        UserRule(validation(Environment::User, source, message)).loops()
    };
    assert!(!rule("user.username == 'jane'", Message::Expression));
    assert!(rule("user.groups.all(g, g != 'x')", Message::Expression));
    let says = compile(Environment::User, "user.groups.map(g, g + '!').join(',')", Returns::String);
    assert!(rule("user.username == 'jane'", Message::Evaluated(says, None)));
}
