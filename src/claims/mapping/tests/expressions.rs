//! Mappings by expression: what each may come to, and what is said when it does not.

use super::super::super::expression::{Environment, Returns};
use super::*;

fn expression(source: &str) -> Expression {
    Expression::compile(Environment::Claims, source, Returns::Any)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A mapping of nothing but a username.
fn named(username: &str) -> ClaimMapping {
    let username = PrefixedClaimOrExpression::Expression(expression(username));
    ClaimMapping { username, groups: None, uid: None, extra: Vec::new() }
}

/// `Ok` or reason and text.
fn outcome<T>(
    mapping: &ClaimMapping,
    json: &str,
    take: impl Fn(UserInfo) -> T,
) -> Result<T, (&'static str, String)> {
    mapped(mapping, &claims(json)).map(take).map_err(|error| (error.reason(), error.to_string()))
}

#[test]
fn a_username_is_a_string_that_is_not_empty() {
    let failed = |problem: &str, source: &str| {
        let text = format!("claimMappings.username.expression failed: {problem}: {source}");
        Err(("expression_error", text))
    };
    for (source, wanted) in [
        ("claims.sub", Ok("jane".to_owned())),
        ("'idp:' + claims.sub", Ok("idp:jane".to_owned())),
        ("claims.n", failed("must return a string", "claims.n")),
        ("claims.nul", failed("must return a string", "claims.nul")),
        ("claims.l", failed("must return a string", "claims.l")),
        ("claims.?sub", failed("must return a string", "claims.?sub")),
        ("claims.missing", failed("no such key: missing", "claims.missing")),
        (
            "claims.empty",
            Err((
                "empty_username",
                "the username is empty: claimMappings.username.expression returns nothing"
                    .to_owned(),
            )),
        ),
    ] {
        let json = r#"{"sub":"jane","n":5,"nul":null,"l":["a"],"empty":""}"#;
        assert_eq!(outcome(&named(source), json, |user| user.username), wanted, "{source}");
    }
    let text = outcome(&named("claims.n +\n  '\t'\n"), r#"{"n":5}"#, |user| user.username);
    assert!(text.unwrap_err().1.ends_with(": claims.n + ' '"), "in one line");
}

#[test]
fn groups_are_a_string_or_strings() {
    let groups = |source: &str| {
        let groups = Some(PrefixedClaimOrExpression::Expression(expression(source)));
        let json = r#"{"sub":"jane","one":"a","l":["b","","a","b"],"nul":null,"empty":"","none":[],
                       "mix":["a",1],"n":1,"split":"a,b,"}"#;
        outcome(&ClaimMapping { groups, ..named("claims.sub") }, json, |user| user.groups)
    };
    for (source, wanted) in [
        ("claims.one", &["a"][..]),
        ("claims.l", &["b", "a", "b"]),
        ("claims.nul", &[]),
        ("claims.empty", &[]),
        ("claims.none", &[]),
        ("claims.?missing.orValue([])", &[]),
        // Upstream has no use for what `split` returns, though its own documentation does this.
        ("claims.split.split(',')", &["a", "b"]),
    ] {
        let wanted: Vec<String> = wanted.iter().map(|&group| group.to_owned()).collect();
        assert_eq!(groups(source), Ok(wanted), "{source}");
    }
    for source in ["claims.mix", "claims.n", "claims", "claims.?one"] {
        let (reason, text) = groups(source).unwrap_err();
        assert_eq!(reason, "expression_error");
        assert_eq!(
            text,
            format!(
                "claimMappings.groups.expression failed: must return a string or a list of strings: \
                 {source}"
            )
        );
    }
}

#[test]
fn uid_and_extra_too() {
    let uid = |source: &str| {
        let uid = Some(ClaimOrExpression::Expression(expression(source)));
        let mapping = ClaimMapping { uid, ..named("claims.sub") };
        outcome(&mapping, r#"{"sub":"jane","empty":"","n":1}"#, |user| user.uid)
    };
    assert_eq!(uid("claims.sub"), Ok("jane".to_owned()));
    assert_eq!(uid("claims.empty"), Ok(String::new()), "as upstream");
    let text = "claimMappings.uid.expression failed: must return a string: claims.n".to_owned();
    assert_eq!(uid("claims.n"), Err(("expression_error", text)));

    let extra = |sources: &[&str]| {
        let extra = sources.iter().enumerate().map(|(index, source)| ExtraMapping {
            key: format!("example.com/{index}"),
            value: ClaimOrExpression::Expression(expression(source)),
        });
        let mapping = ClaimMapping { extra: extra.collect(), ..named("claims.sub") };
        let json = r#"{"sub":"jane","l":["a",""],"empty":"","n":1,"jti":"j"}"#;
        outcome(&mapping, json, |user| user.extra.into_iter().collect::<Vec<_>>())
    };
    let values = |values: &[&str]| -> ExtraValue {
        values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>().into()
    };
    assert_eq!(
        extra(&["claims.sub", "claims.empty", "claims.l", "claims.?missing.orValue([''])"]),
        Ok(vec![
            ("authentication.kubernetes.io/credential-id".to_owned(), values(&["JTI=j"])),
            ("example.com/0".to_owned(), values(&["jane"])),
            ("example.com/2".to_owned(), values(&["a"])),
        ])
    );
    let text = "claimMappings.extra[1].valueExpression failed: must return a string or a list of \
                strings: claims.n"
        .to_owned();
    assert_eq!(extra(&["claims.sub", "claims.n"]), Err(("expression_error", text)));
}

#[test]
fn the_order_of_errors_is_that_of_claims() {
    let groups = Some(PrefixedClaimOrExpression::Expression(expression("claims.groups")));
    let uid = Some(ClaimOrExpression::Expression(expression("claims.uid")));
    let mapping = ClaimMapping { groups, uid, ..named("claims.sub") };
    for (json, place) in [
        ("{}", "claimMappings.username"),
        (r#"{"sub":"jane"}"#, "claimMappings.groups"),
        (r#"{"sub":"jane","groups":[]}"#, "claimMappings.uid"),
    ] {
        let (_, text) = outcome(&mapping, json, drop).unwrap_err();
        assert!(text.starts_with(place), "{text}");
    }
    assert!(!mapping.loops());
    let groups = expression("dyn(claims.groups).filter(g, g != 'x')");
    let groups = Some(PrefixedClaimOrExpression::Expression(groups));
    assert!(ClaimMapping { groups, ..named("claims.sub") }.loops());
}

#[test]
fn what_is_said_holds_no_value() {
    for source in [
        "claims[claims.sub]",
        "claims.l[claims.sub]",
        "string(int(claims.sub))",
        "string(timestamp(claims.sub))",
        "string(duration(claims.sub))",
        "string(double(claims.sub))",
        "string(bool(claims.sub))",
        "string(quantity(claims.sub).asInteger())",
        "string(ip(claims.sub))",
        "string(cidr(claims.sub))",
        "url(claims.sub).getHost()",
        "string(semver(claims.sub).major())",
        "claims.l.matches(claims.bad)",
        "'a'.matches(claims.bad)",
        "'a'.find(claims.bad)",
        "'%d'.format([dyn(claims.sub)])",
        "string(claims.bad).format([dyn(claims.sub)])",
        "string(claims.bad).format([1])",
        "{'a': 'b'}[claims.sub]",
        "optional.of({'a': 'b'})[?claims.sub].value()",
        "'a'.substring(int(claims.n))",
        "string([1][int(claims.n)])",
    ] {
        let Ok(username) = Expression::compile(Environment::Claims, source, Returns::Any) else {
            panic!("{source}")
        };
        let username = PrefixedClaimOrExpression::Expression(username);
        let mapping = ClaimMapping { username, ..named("claims.sub") };
        let json = r#"{"sub":"s3cr3t","l":["s3cr3t"],"bad":"s3cr3t(%s3cr3t","n":73313}"#;
        let Err((_, said)) = outcome(&mapping, json, drop) else { continue };
        assert!(!said.contains("s3cr3t") && !said.contains("73313"), "{said}");
    }
}
