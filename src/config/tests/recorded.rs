//! What kube-apiserver's own validation was recorded to say. Both kinds have to say the same, since
//! they are read and checked by the same code.

use super::*;

/// An entry of `jwt` in JSON: `mappings` beside a username if there is none in it, and `rules`.
fn jwt(issuer: &str, mappings: &str, rules: &str) -> String {
    let issuer =
        if issuer.contains("audiences") { issuer } else { &format!("{issuer}{AUDIENCES}") };
    format!("{{\"issuer\": {{{issuer}}}, \"claimMappings\": {{{mappings}}}{rules}}}")
}

const AUDIENCES: &str = r#", "audiences": ["audience"]"#;
const ISSUER: &str = r#""url": "https://issuer-url""#;
const USERNAME: &str = r#""username": {"claim": "sub", "prefix": ""}"#;

fn both_say(entries: &str, wanted: &[&str]) {
    let folder = Folder::new();
    let ours = with(&format!("jwt: [{entries}]"));
    assert_eq!(folder.problems(&ours), wanted, "{ours}");
    let theirs = format!(
        "{{\"apiVersion\": \"apiserver.config.k8s.io/v1\", \"kind\": \"AuthenticationConfiguration\", \
         \"jwt\": [{entries}]}}"
    );
    folder.write("authentication.json", &theirs);
    let said = check(&folder.0.join("authentication.json"));
    assert_eq!(said.map_or_else(Problems::texts, |_| Vec::new()), wanted, "{theirs}");
}

#[test]
fn issuers() {
    let url = |url: &str| jwt(&format!("\"url\": \"{url}\""), USERNAME, "");
    let discovery =
        |url: &str| jwt(&format!("{ISSUER}, \"discoveryURL\": \"{url}\""), USERNAME, "");
    let issuer = |more: &str| jwt(&format!("{ISSUER}, {more}"), USERNAME, "");
    let both = |a: &str, b: &str| format!("{a}, {b}");
    for (entries, wanted) in [
        (url("https://issuer-url"), &[][..]),
        (url(""), &["jwt[0].issuer.url: Required value"]),
        (
            url("invalid-url"),
            &["jwt[0].issuer.url: Invalid value: \"invalid-url\": URL scheme must be https"],
        ),
        (
            url("https://issuer-url?query"),
            &[
                "jwt[0].issuer.url: Invalid value: \"https://issuer-url?query\": URL must not contain a \
               query",
            ],
        ),
        (
            url("https://issuer-url#fragment"),
            &[
                "jwt[0].issuer.url: Invalid value: \"https://issuer-url#fragment\": URL must not contain a \
               fragment",
            ],
        ),
        (discovery("https://oidc.oidc-namespace.svc/path"), &[]),
        (
            discovery("https://oidc.oidc-namespace.svc:invalid-port"),
            &["jwt[0].issuer.discoveryURL: Invalid value: \
               \"https://oidc.oidc-namespace.svc:invalid-port\": parse \
               \"https://oidc.oidc-namespace.svc:invalid-port\": invalid port \":invalid-port\" after \
               host"],
        ),
        (
            discovery("https://issuer-url/"),
            &[
                "jwt[0].issuer.discoveryURL: Invalid value: \"https://issuer-url/\": discoveryURL must be \
               different from URL",
            ],
        ),
        (
            issuer(r#""audiences": []"#),
            &["jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is \
               required"],
        ),
        (issuer(r#""audiences": [""]"#), &["jwt[0].issuer.audiences[0]: Required value"]),
        (
            issuer(r#""audiences": ["a", "a"], "audienceMatchPolicy": "MatchAny""#),
            &["jwt[0].issuer.audiences[1]: Duplicate value: \"a\""],
        ),
        (
            issuer(r#""audiences": ["a", "b"]"#),
            &[
                "jwt[0].issuer.audienceMatchPolicy: Invalid value: \"\": audienceMatchPolicy must be \
               MatchAny for multiple audiences",
            ],
        ),
        (
            issuer(r#""certificateAuthority": "invalid""#),
            &[
                "jwt[0].issuer.certificateAuthority: Invalid value: \"<omitted>\": data does not contain \
               any valid RSA or ECDSA certificates",
            ],
        ),
        (issuer(r#""certificateAuthority": """#), &[]),
        (
            issuer(r#""egressSelectorType": "panda""#),
            &[
                "jwt[0].issuer.egressSelectorType: Invalid value: \"panda\": egress selector must be \
               either controlplane or cluster",
            ],
        ),
        (issuer(r#""egressSelectorType": "cluster""#), &[]),
        (
            both(&url("https://issuer-url"), &url("https://issuer-url")),
            &["jwt[1].issuer.url: Duplicate value: \"https://issuer-url\""],
        ),
        (
            both(
                &discovery("https://d/x"),
                &discovery("https://d/x").replace("issuer-url", "different-issuer-url"),
            ),
            &["jwt[1].issuer.discoveryURL: Duplicate value: \"https://d/x\""],
        ),
    ] {
        both_say(&entries, wanted);
    }
}

/// What is said of `foo.bar`.
const UNDECLARED: &str = "Invalid value: \"foo.bar\": compilation failed: ERROR: <input>:1:1: undeclared \
    reference to 'foo' (in container '')\n | foo.bar\n | ^";

#[test]
fn mappings() {
    let mapped = |mappings: &str| jwt(ISSUER, mappings, "");
    let more = |more: &str| jwt(ISSUER, &format!("{USERNAME}, {more}"), "");
    let undeclared = |field: &str| format!("jwt[0].claimMappings.{field}xpression: {UNDECLARED}");
    for (entries, wanted) in [
        (
            mapped(""),
            vec!["jwt[0].claimMappings.username: Required value: claim or expression is required"],
        ),
        (
            mapped(r#""username": {"claim": "claim", "expression": "claims.username"}"#),
            vec![
                "jwt[0].claimMappings.username: Invalid value: \"\": claim and expression can't both be set",
            ],
        ),
        (
            mapped(r#""username": {"prefix": "prefix", "expression": "claims.username"}"#),
            vec![
                "jwt[0].claimMappings.username.prefix: Invalid value: \"prefix\": may not be specified \
                 when expression is set",
            ],
        ),
        (
            mapped(r#""username": {"claim": "claim"}"#),
            vec![
                "jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is \
                 set. It can be set to an empty string to disable prefixing",
            ],
        ),
        (mapped(r#""username": {"expression": "foo.bar"}"#), vec![&undeclared("username.e")]),
        (
            more(r#""groups": {"claim": "claim", "expression": "claims.groups"}"#),
            vec![
                "jwt[0].claimMappings.groups: Invalid value: \"\": claim and expression can't both be set",
            ],
        ),
        (more(r#""groups": {"expression": "foo.bar"}"#), vec![&undeclared("groups.e")]),
        (
            more(r#""uid": {"claim": "claim", "expression": "claims.uid"}"#),
            vec![
                "jwt[0].claimMappings.uid: Invalid value: \"\": claim and expression can't both be set",
            ],
        ),
        (more(r#""uid": {"expression": "foo.bar"}"#), vec![&undeclared("uid.e")]),
        (
            more(r#""extra": [{"key": "example.org/foo", "valueExpression": "foo.bar"}]"#),
            vec![&undeclared("extra[0].valueE")],
        ),
        (
            more(r#""extra": [{"valueExpression": "claims.extra"}]"#),
            vec!["jwt[0].claimMappings.extra[0].key: Required value"],
        ),
        (
            more(
                r#""extra": [{"key": "example.org/foo", "valueExpression": "claims.extra"},
                             {"key": "example.org/foo", "valueExpression": "claims.extras"}]"#,
            ),
            vec!["jwt[0].claimMappings.extra[1].key: Duplicate value: \"example.org/foo\""],
        ),
        (
            more(r#""extra": [{"key": "example.org/Foo", "valueExpression": "claims.extra"}]"#),
            vec![
                "jwt[0].claimMappings.extra[0].key: Invalid value: \"example.org/Foo\": must be lowercase",
            ],
        ),
        (
            more(r#""extra": [{"key": "kubernetes.io/foo", "valueExpression": "claims.extra"}]"#),
            vec![
                "jwt[0].claimMappings.extra[0].key: Invalid value: \"kubernetes.io/foo\": k8s.io, \
                 kubernetes.io and their subdomains are reserved for Kubernetes use",
            ],
        ),
        (
            more(
                r#""extra": [{"key": "ak8s.io/foo", "valueExpression": "claims.extra"},
                             {"key": "example.bkubernetes.io/foo", "valueExpression": "claims.extra"}]"#,
            ),
            vec![],
        ),
        // Neither a host without a path nor a path without a host.
        (
            more(r#""extra": [{"key": "k8s.io", "valueExpression": "claims.extra"}]"#),
            vec![
                "jwt[0].claimMappings.extra[0].key: Invalid value: \"k8s.io\": must be a domain-prefixed \
                 path (such as \"acme.io/foo\")",
            ],
        ),
    ] {
        both_say(&entries, &wanted);
    }
}

#[test]
fn an_email_address_has_to_be_verified() {
    let by = |expression: &str, extra: &str, rules: &str| {
        let expression = serde_json::to_string(expression).unwrap();
        let extra = match extra {
            "" => String::new(),
            _ => format!(
                r#", "extra": [{{"key": "panda.io/foo", "valueExpression": {}}}]"#,
                serde_json::to_string(extra).unwrap()
            ),
        };
        let rules = match rules {
            "" => String::new(),
            _ => format!(
                r#", "claimValidationRules": [{{"expression": {}}}]"#,
                serde_json::to_string(rules).unwrap()
            ),
        };
        jwt(ISSUER, &format!(r#""username": {{"expression": {expression}}}{extra}"#), &rules)
    };
    let join = "['yay', string(claims.email), 'panda'].join(' ')";
    for (username, extra, rules, is_verified) in [
        ("claims.email", "", "", false),
        (join, "", "", false),
        ("claims.?email", "", "", false),
        ("{claims.?email: \"panda\"}", "", "", false),
        ("{\"fancy\": claims.?email}", "", "", false),
        ("[\"a\"].map(i, i + claims.email)", "", "", false),
        ("has(claims.email) ? claims.email : claims.sub", "", "", false),
        ("claims.email.trim()", "", "", false),
        ("claims.email", "has(claims.email_verified_) ? 'a' : 'b'", "", false),
        ("claims.email_", "", "", true),
        ("claims.other.claims.email", "", "", true),
        // Upstream does not see these two.
        ("claims['email']", "", "", true),
        ("claims[?'email'].orValue('')", "", "", true),
        ("claims.email", "", "claims['email_verified'] == true", false),
        ("claims.?email_verified.orValue(true) ? claims.email : claims.sub", "", "", true),
        (join, "claims.email_verified.upperAscii()", "", true),
        (join, "claims.?email_verified", "", true),
        (join, "", "string(claims.email_verified) == \"panda\"", true),
        ("{claims.?email: \"panda\"}", "", "claims.?email_verified.orValue(true) == true", true),
    ] {
        let text = format!(
            "jwt[0].claimMappings.username.expression: Invalid value: {username:?}: \
             claims.email_verified must be used in claimMappings.username.expression or \
             claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when \
             claims.email is used in claimMappings.username.expression"
        );
        let wanted = if is_verified { &[][..] } else { &[text.as_str()][..] };
        both_say(&by(username, extra, rules), wanted);
    }
    // A rule that is wrong verifies nothing.
    let rule = "claims.?email_verified.orValue(true)";
    let text = "jwt[0].claimMappings.username.expression: Invalid value: \"claims.email\": \
        claims.email_verified must be used in claimMappings.username.expression or \
        claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is \
        used in claimMappings.username.expression";
    let not_bool = format!(
        "jwt[0].claimValidationRules[0].expression: Invalid value: {rule:?}: must evaluate to bool"
    );
    both_say(&by("claims.email", "", rule), &[text, &not_bool]);
    // And a username that is wrong asks for nothing.
    let prefixed = r#""username": {"expression": "claims.email", "prefix": "p"}"#;
    let misplaced = "jwt[0].claimMappings.username.prefix: Invalid value: \"p\": may not be specified when \
        expression is set";
    both_say(&jwt(ISSUER, prefixed, ""), &[misplaced]);
}

#[test]
fn rules() {
    let claim =
        |rules: &str| jwt(ISSUER, USERNAME, &format!(r#", "claimValidationRules": [{rules}]"#));
    let user =
        |rules: &str| jwt(ISSUER, USERNAME, &format!(r#", "userValidationRules": [{rules}]"#));
    let undeclared = |field: &str| format!("jwt[0].{field}[0].expression: {UNDECLARED}");
    let (of_claims, of_users) =
        (undeclared("claimValidationRules"), undeclared("userValidationRules"));
    for (entries, wanted) in [
        (
            claim("{}"),
            &["jwt[0].claimValidationRules[0]: Required value: claim or expression is required"][..],
        ),
        (
            claim(r#"{"claim": "claim", "expression": "expression"}"#),
            &[
                "jwt[0].claimValidationRules[0]: Invalid value: \"claim\": claim and expression can't both \
               be set",
            ],
        ),
        (
            claim(r#"{"claim": "claim", "message": "message"}"#),
            &[
                "jwt[0].claimValidationRules[0].message: Invalid value: \"message\": may not be specified \
               when claim is set",
            ],
        ),
        (
            claim(r#"{"requiredValue": "value", "expression": "claims.foo == 'bar'"}"#),
            &[
                "jwt[0].claimValidationRules[0].requiredValue: Invalid value: \"value\": may not be \
               specified when expression is set",
            ],
        ),
        (
            claim(r#"{"claim": "claim"}, {"claim": "claim"}"#),
            &["jwt[0].claimValidationRules[1].claim: Duplicate value: \"claim\""],
        ),
        (
            claim(
                r#"{"expression": "claims.foo == 'bar'"}, {"expression": "claims.foo == 'bar'"}"#,
            ),
            &[
                "jwt[0].claimValidationRules[1].expression: Duplicate value: \"claims.foo == 'bar'\"",
            ],
        ),
        (claim(r#"{"expression": "foo.bar"}"#), &[&of_claims]),
        (
            claim(r#"{"expression": "claims.foo"}"#),
            &[
                "jwt[0].claimValidationRules[0].expression: Invalid value: \"claims.foo\": must evaluate to \
               bool",
            ],
        ),
        (
            claim(
                r#"{"claim": "a", "requiredValue": "b"}, {"expression": "has(claims.email_verified)"}"#,
            ),
            &[],
        ),
        (user("{}"), &["jwt[0].userValidationRules[0].expression: Required value"]),
        (
            user(
                r#"{"expression": "user.username == 'foo'"}, {"expression": "user.username == 'foo'"}"#,
            ),
            &[
                "jwt[0].userValidationRules[1].expression: Duplicate value: \"user.username == 'foo'\"",
            ],
        ),
        (user(r#"{"expression": "foo.bar"}"#), &[&of_users]),
        (
            user(r#"{"expression": "user.username"}"#),
            &[
                "jwt[0].userValidationRules[0].expression: Invalid value: \"user.username\": must evaluate \
               to bool",
            ],
        ),
        (
            user(
                r#"{"expression": "user.username == 'foo'"},
                   {"expression": "!user.username.startsWith('system:')", "message": "reserved"}"#,
            ),
            &[],
        ),
    ] {
        both_say(&entries, wanted);
    }
}
