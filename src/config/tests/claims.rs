//! `claimMappings` and the rules: upstream's rules in upstream's words.

use super::issuer::{USERNAME, check, entry};

/// An entry with this `claimMappings`.
fn mapped(mappings: &str) -> String {
    entry("url: 'https://issuer-url', audiences: [a]", mappings, "")
}

/// An entry with these rules.
fn ruled(rules: &str) -> String {
    entry("url: 'https://issuer-url', audiences: [a]", USERNAME, rules)
}

#[test]
fn mappings_have_upstreams_rules() {
    let extra = |extra: &str| mapped(&format!("{USERNAME}, extra: [{extra}]"));
    check(&[
        (
            mapped(""),
            &["jwt[0].claimMappings.username: Required value: claim or expression is required"],
        ),
        (
            mapped("username: {prefix: ''}"),
            &["jwt[0].claimMappings.username: Required value: claim or expression is required"],
        ),
        (
            mapped("username: {claim: sub}"),
            &[
                "jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is \
             set. It can be set to an empty string to disable prefixing",
            ],
        ),
        (mapped("username: {expression: claims.sub}"), &[]),
        (
            mapped("username: {claim: sub, expression: claims.sub}"),
            &[
                "jwt[0].claimMappings.username: Invalid value: \"\": claim and expression can't both be set",
            ],
        ),
        (
            mapped("username: {expression: claims.sub, prefix: p}"),
            &[
                "jwt[0].claimMappings.username.prefix: Invalid value: \"p\": may not be specified when \
             expression is set",
            ],
        ),
        (
            mapped("username: {claim: sub, prefix: 'system:x:'}"),
            &[
                "jwt[0].claimMappings.username.prefix: Invalid value: \"system:x:\": names that start with \
             system: are reserved for Kubernetes, every token would be refused; issuer.allowReserved: \
             true allows them",
            ],
        ),
        (mapped(&format!("{USERNAME}, groups: {{}}, uid: {{}}")), &[]),
        (
            mapped(&format!("{USERNAME}, groups: {{claim: g}}")),
            &[
                "jwt[0].claimMappings.groups.prefix: Required value: prefix is required when claim is set. \
             It can be set to an empty string to disable prefixing",
            ],
        ),
        (mapped(&format!("{USERNAME}, groups: {{expression: claims.g}}")), &[]),
        (
            mapped(&format!("{USERNAME}, uid: {{claim: u, prefix: p}}")),
            &["jwt[0].claimMappings.uid.prefix: unknown field; known here: claim, expression"],
        ),
        (mapped(&format!("{USERNAME}, uid: {{expression: claims.u}}")), &[]),
        (extra("{key: example.org/foo, claim: a}, {key: ak8s.io/f, claim: a}"), &[]),
        (extra("{claim: a}"), &["jwt[0].claimMappings.extra[0].key: Required value"]),
        (
            extra("{key: example.org/foo}"),
            &["jwt[0].claimMappings.extra[0].valueExpression: Required value: or claim"],
        ),
        (extra("{key: example.org/foo, valueExpression: claims.x}"), &[]),
        (
            extra("{key: example.org/foo, claim: a, valueExpression: claims.x}"),
            &[
                "jwt[0].claimMappings.extra[0].valueExpression: claim and valueExpression can't both be set",
            ],
        ),
        (
            extra("{key: foo, claim: a}"),
            &[
                "jwt[0].claimMappings.extra[0].key: Invalid value: \"foo\": must be a domain-prefixed path \
             (such as \"acme.io/foo\")",
            ],
        ),
        (
            extra("{key: example.org/Foo, claim: a}"),
            &[
                "jwt[0].claimMappings.extra[0].key: Invalid value: \"example.org/Foo\": must be lowercase",
            ],
        ),
        (
            extra("{key: 'example.org/k k', claim: a}"),
            &["jwt[0].claimMappings.extra[0].key: Invalid value: \"k k\": Invalid path (regex \
             used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"],
        ),
        (
            extra("{key: -example.org/k, claim: a}"),
            &[
                "jwt[0].claimMappings.extra[0].key: Invalid value: \"-example.org\": a lowercase RFC 1123 \
             subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
             and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            ],
        ),
        (
            extra("{key: example.k8s.io/foo, claim: a}"),
            &["jwt[0].claimMappings.extra[0].key: Invalid value: \"example.k8s.io/foo\": k8s.io, \
             kubernetes.io and their subdomains are reserved for Kubernetes use"],
        ),
        (
            extra("{key: example.org/foo, claim: a}, {key: example.org/foo, claim: b}"),
            &["jwt[0].claimMappings.extra[1].key: Duplicate value: \"example.org/foo\""],
        ),
    ]);
    let credential = "{key: authentication.kubernetes.io/credential-id, claim: a}";
    let mappings = format!("{USERNAME}, extra: [{credential}]");
    let reserved = "url: 'https://i', audiences: [a], allowReserved: true";
    check(&[(
        entry(reserved, &mappings, ""),
        &["jwt[0].claimMappings.extra[0].key: Invalid value: \
         \"authentication.kubernetes.io/credential-id\": k8s.io, kubernetes.io and their subdomains are \
         reserved for Kubernetes use"],
    )]);
}

#[test]
fn rules_have_upstreams_rules() {
    let claim = |rules: &str| ruled(&format!("claimValidationRules: [{rules}]"));
    let user = |rules: &str| ruled(&format!("userValidationRules: [{rules}]"));
    check(&[
        (claim("{claim: hd, requiredValue: x}, {claim: other}"), &[]),
        (
            claim("{}"),
            &["jwt[0].claimValidationRules[0]: Required value: claim or expression is required"],
        ),
        (
            claim("{claim: c, expression: e}"),
            &[
                "jwt[0].claimValidationRules[0]: Invalid value: \"c\": claim and expression can't both be set",
            ],
        ),
        (
            claim("{claim: c, message: m}"),
            &[
                "jwt[0].claimValidationRules[0].message: Invalid value: \"m\": may not be specified when \
             claim is set",
            ],
        ),
        (
            claim("{expression: 'true', requiredValue: v}"),
            &[
                "jwt[0].claimValidationRules[0].requiredValue: Invalid value: \"v\": may not be specified \
             when expression is set",
            ],
        ),
        (
            claim("{claim: foo}, {claim: foo}"),
            &["jwt[0].claimValidationRules[1].claim: Duplicate value: \"foo\""],
        ),
        (
            claim("{claim: foo, requiredValue: true}"),
            &[
                "jwt[0].claimValidationRules[0].requiredValue: wanted a string, found true: put it in quotes",
            ],
        ),
        (user("{expression: user.username != '', message: m}"), &[]),
        (
            claim("{claim: c, messageExpression: m}"),
            &[
                "jwt[0].claimValidationRules[0].messageExpression: Invalid value: \"m\": may not be \
             specified when claim is set",
            ],
        ),
        (
            claim("{expression: 'true', messageExpression: claims.sub, message: m}"),
            &[
                "jwt[0].claimValidationRules[0].messageExpression: Invalid value: \"claims.sub\": must \
             evaluate to string",
            ],
        ),
        (user("{expression: 'true', messageExpression: '\"not \" + user.username'}"), &[]),
        (user("{message: m}"), &["jwt[0].userValidationRules[0].expression: Required value"]),
        (
            user("{expression: 'true'}, {expression: 'true'}"),
            &["jwt[0].userValidationRules[1].expression: Duplicate value: \"true\""],
        ),
    ]);
}
