//! `jwt[].issuer`: upstream's rules in upstream's words, and our own.

use super::*;
use crate::authn::AudienceScope;
use crate::claims::{
    ClaimOrExpression, ClaimRule, ExtraMapping, Message, PrefixedClaim, PrefixedClaimOrExpression,
    RequiredClaim, UserRule, Validation,
};
use crate::keys::Location;
use crate::token::Algorithm;

pub const USERNAME: &str = "username: {claim: sub, prefix: ''}";

/// An entry with these fields beside `url` and `audiences`.
fn issuer(more: &str) -> String {
    entry(&format!("url: 'https://issuer-url', audiences: [a], {more}"), USERNAME, "")
}

pub fn entry(issuer: &str, mappings: &str, more: &str) -> String {
    format!("- issuer: {{{issuer}}}\n  claimMappings: {{{mappings}}}\n  {more}\n")
}

pub fn check(rows: &[(String, &[&str])]) {
    let folder = Folder::new();
    folder.write("rubbish", "rubbish");
    for (entries, wanted) in rows {
        let text = with(&format!("jwt:\n{entries}"));
        assert_eq!(&folder.problems(&text), wanted, "{text}");
    }
}

#[test]
fn issuers_have_upstreams_rules() {
    let bare = |issuer: &str| entry(issuer, USERNAME, "");
    let url = |url: &str| bare(&format!("audiences: [a], url: '{url}'"));
    let discovery = |url: &str| issuer(&format!("discoveryURL: '{url}'"));
    let audiences = |more: &str| bare(&format!("url: 'https://i', {more}"));
    check(&[
        (bare("audiences: [a]"), &["jwt[0].issuer.url: Required value"]),
        (url(""), &["jwt[0].issuer.url: Required value"]),
        (
            url("http://issuer-url"),
            &["jwt[0].issuer.url: Invalid value: \"http://issuer-url\": URL scheme must be https"],
        ),
        (
            url("https://issuer-url:invalid-port"),
            &["jwt[0].issuer.url: Invalid value: \"https://issuer-url:invalid-port\": parse \
             \"https://issuer-url:invalid-port\": invalid port \":invalid-port\" after host"],
        ),
        (
            url("https://ïssuer"),
            &[
                "jwt[0].issuer.url: Invalid value: \"https://ïssuer/.well-known/openid-configuration\": \
             invalid uri character",
            ],
        ),
        (url("https://accounts.google.com"), &[]),
        (discovery(""), &[]),
        (discovery("https://idp/.well-known/x"), &[]),
        (
            discovery("https://issuer-url///"),
            &[
                "jwt[0].issuer.discoveryURL: Invalid value: \"https://issuer-url///\": discoveryURL must \
             be different from URL",
            ],
        ),
        (
            discovery("https://idp?q#f"),
            &[
                "jwt[0].issuer.discoveryURL: Invalid value: \"https://idp?q#f\": URL must not contain a \
             query",
                "jwt[0].issuer.discoveryURL: Invalid value: \"https://idp?q#f\": URL must not contain a \
             fragment",
            ],
        ),
        (
            bare("url: 'https://i'"),
            &[
                "jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required",
            ],
        ),
        (
            audiences("audiences: []"),
            &[
                "jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required",
            ],
        ),
        (audiences("audiences: ['']"), &["jwt[0].issuer.audiences[0]: Required value"]),
        (
            audiences("audiences: [a, a], audienceMatchPolicy: MatchAny"),
            &["jwt[0].issuer.audiences[1]: Duplicate value: \"a\""],
        ),
        (
            audiences("audiences: [a, b]"),
            &[
                "jwt[0].issuer.audienceMatchPolicy: Invalid value: \"\": audienceMatchPolicy must be \
             MatchAny for multiple audiences",
            ],
        ),
        (
            issuer("audienceMatchPolicy: MatchExact"),
            &[
                "jwt[0].issuer.audienceMatchPolicy: Invalid value: \"MatchExact\": audienceMatchPolicy \
             must be empty or MatchAny for single audience",
            ],
        ),
        (issuer("audienceMatchPolicy: MatchAny"), &[]),
        (issuer("certificateAuthority: ''"), &[]),
        (
            issuer("certificateAuthority: rubbish"),
            &[
                "jwt[0].issuer.certificateAuthority: Invalid value: \"<omitted>\": data does not contain \
             any valid RSA or ECDSA certificates",
            ],
        ),
        (
            issuer("egressSelectorType: panda"),
            &[
                "jwt[0].issuer.egressSelectorType: Invalid value: \"panda\": egress selector must be either \
             controlplane or cluster",
            ],
        ),
        (
            format!("{}{}", url("https://i"), url("https://i")),
            &["jwt[1].issuer.url: Duplicate value: \"https://i\""],
        ),
        (format!("{}{}", url("https://i"), url("https://i/")), &[]),
        (
            format!(
                "{}{}",
                bare("url: 'https://i', audiences: [a], discoveryURL: 'https://d/x'"),
                bare("url: 'https://j', audiences: [a], discoveryURL: 'https://d/x'"),
            ),
            &["jwt[1].issuer.discoveryURL: Duplicate value: \"https://d/x\""],
        ),
    ]);
}

#[test]
fn issuers_have_rules_of_ours() {
    check(&[
        (issuer("jwksURL: 'https://b/keys?p=x'"), &[]),
        (
            issuer("jwksURL: 'http://b/keys'"),
            &["jwt[0].issuer.jwksURL: Invalid value: \"http://b/keys\": URL scheme must be https"],
        ),
        (issuer("jwksFile: keys.json"), &[]),
        (issuer("jwksFile: keys.json, discoveryURL: ''"), &[]),
        (
            issuer("jwksURL: 'https://b', jwksFile: keys.json, discoveryURL: 'https://c'"),
            &[
                "jwt[0].issuer.jwksURL: may not be specified when discoveryURL is set",
                "jwt[0].issuer.jwksFile: may not be specified when discoveryURL is set",
            ],
        ),
        (
            issuer("jwksURL: 5, jwksFile: [a]"),
            &[
                "jwt[0].issuer.jwksURL: wanted a string, found the number 5: put it in quotes",
                "jwt[0].issuer.jwksFile: wanted a string, found a list",
            ],
        ),
        (issuer("certificateAuthorityFile: ca.crt"), &[]),
        (
            issuer("certificateAuthorityFile: rubbish"),
            &[
                "jwt[0].issuer.certificateAuthorityFile: Invalid value: \"<omitted>\": data does not contain \
             any valid RSA or ECDSA certificates",
            ],
        ),
        (
            issuer("certificateAuthority: x, certificateAuthorityFile: ca.crt"),
            &[
                "jwt[0].issuer.certificateAuthorityFile: may not be specified when certificateAuthority is \
             set",
            ],
        ),
        (issuer("audienceScope: Token"), &[]),
        (
            issuer("audienceScope: token"),
            &["jwt[0].issuer.audienceScope: Unsupported value: \"token\": supported values: \
             \"APIServer\", \"Token\""],
        ),
        (issuer("signingAlgorithms: [RS256, EdDSA]"), &[]),
        (
            issuer("signingAlgorithms: []"),
            &[
                "jwt[0].issuer.signingAlgorithms: Required value: at least one; leave the field out for \
             upstream's nine",
            ],
        ),
        (
            issuer("signingAlgorithms: [HS256, none, RS256, RS256, ES-256]"),
            &[
                "jwt[0].issuer.signingAlgorithms[0]: unsupported signing algorithm \"HS256\"; did you mean \
             ES256?",
                "jwt[0].issuer.signingAlgorithms[1]: unsupported signing algorithm \"none\"; supported: \
             ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384, RS512, EdDSA",
                "jwt[0].issuer.signingAlgorithms[3]: Duplicate value: \"RS256\"",
                "jwt[0].issuer.signingAlgorithms[4]: unsupported signing algorithm \"ES-256\"; did you mean \
             ES256?",
            ],
        ),
        (issuer("clockSkew: 10m, maxTokenLifetime: 8760h"), &[]),
        (
            issuer("clockSkew: 601s"),
            &["jwt[0].issuer.clockSkew: Invalid value: 601s: must be from 0s to 10m"],
        ),
        (
            issuer("allowReserved: 'yes'"),
            &["jwt[0].issuer.allowReserved: wanted true or false, found the string \"yes\""],
        ),
        (
            issuer("isuer: x"),
            &["jwt[0].issuer.isuer: unknown field; known here: url, discoveryURL, \
            certificateAuthority, certificateAuthorityFile, audiences, audienceMatchPolicy, \
            egressSelectorType, audienceScope, jwksURL, jwksFile, signingAlgorithms, clockSkew, \
            maxTokenLifetime, allowReserved"],
        ),
        ("- null\n".to_owned(), &["jwt[0]: wanted an object, found nothing"]),
        (
            "- issuer: []\n".to_owned(),
            &[
                "jwt[0].issuer: wanted an object, found a list",
                "jwt[0].claimMappings.username: Required value: claim or expression is required",
            ],
        ),
    ]);
}

#[test]
fn what_is_right_becomes_settings() {
    let folder = Folder::new();
    folder.write("client-ca.crt", &std::fs::read_to_string(folder.0.join("ca.crt")).unwrap());
    let (config, _) = folder.good(include_str!("example.yaml"));
    let [a, b, c, d] = &config.authn.jwt[..] else { panic!() };
    assert_eq!(a.source.issuer, "https://idp.example.com/realms/a");
    let url = "https://idp.internal/.well-known/openid-configuration".to_owned();
    assert_eq!(a.source.location, Location::Discovery { url });
    let ca = std::fs::read_to_string(folder.0.join("ca.crt")).unwrap();
    assert_eq!(a.source.certificate_authority.as_ref().unwrap().pem(), ca);
    assert_eq!(a.audiences, ["kubernetes", "kubectl"]);
    assert_eq!(a.audience_scope, AudienceScope::Token);
    assert_eq!(a.signing_algorithms, [Algorithm::Es256, Algorithm::EdDsa]);
    assert_eq!(a.clock_skew, Duration::from_secs(10));
    assert_eq!(a.max_token_lifetime, Duration::from_secs(86_400));
    assert!(a.allow_reserved);
    let claim = |claim: &str, prefix: &str| -> PrefixedClaimOrExpression {
        PrefixedClaim { claim: claim.to_owned(), prefix: prefix.to_owned() }.into()
    };
    let plain = |claim: &str| ClaimOrExpression::Claim(claim.to_owned());
    assert_eq!(a.claim_mapping.username, claim("sub", "system:"));
    assert_eq!(a.claim_mapping.groups, Some(claim("groups", "idp:")));
    assert_eq!(a.claim_mapping.uid, Some(plain("oid")));
    let extra = |key: &str| ExtraMapping { key: key.to_owned(), value: plain("tid") };
    assert_eq!(a.claim_mapping.extra, [extra("example.com/tenant"), extra("idp.k8s.io/tenant")]);
    let rule = RequiredClaim { claim: "hd".to_owned(), required_value: "example.com".to_owned() };
    assert_eq!(a.claim_rules, [ClaimRule::Required(rule)]);

    let PrefixedClaimOrExpression::Expression(username) = &b.claim_mapping.username else {
        panic!()
    };
    assert_eq!(username.source(), "'b:' + claims.sub");
    let message = |rule: &Validation| rule.message.clone();
    let [ClaimRule::Expression(rule)] = &b.claim_rules[..] else { panic!() };
    assert_eq!(message(rule), Message::Text("the wrong domain".to_owned()));
    let [UserRule(rule)] = &b.user_rules[..] else { panic!() };
    let Message::Evaluated(says, text) = message(rule) else { panic!() };
    assert_eq!(
        (says.source(), text.as_deref()),
        ("\"not \" + user.username", Some("not this one"))
    );
    assert_eq!(d.source.issuer, "https://d");

    assert_eq!(b.source.location, Location::Jwks { url: "https://b/keys?p=x".to_owned() });
    assert_eq!(b.audience_scope, AudienceScope::ApiServer);
    assert_eq!(b.signing_algorithms, Algorithm::DEFAULT);
    assert_eq!(b.source.certificate_authority, None);
    assert_eq!(c.source.location, Location::File { path: folder.0.join("keys.json") });
    assert_eq!((&c.claim_mapping.groups, &c.claim_mapping.uid), (&None, &None));
}

#[test]
fn a_key_set_in_a_file_has_a_key() {
    let folder = Folder::new();
    let text = with(&format!("jwt:\n{}", issuer("jwksFile: mine.json")));
    for (keys, wanted) in [
        (
            "{",
            "the document is not a JSON Web Key Set: EOF while parsing an object at line 1 column 1",
        ),
        ("{\"keys\": []}", "the key set is empty"),
    ] {
        folder.write("mine.json", keys);
        assert_eq!(folder.problems(&text), [format!("jwt[0].issuer.jwksFile: {wanted}")]);
    }
    let odd = "{\"kty\": \"oct\", \"kid\": \"odd\", \"k\": \"c2VjcmV0\"}";
    let remark = "jwt[0].issuer.jwksFile: keys[0] (kid \"odd\") is not used: ";
    folder.write("mine.json", &format!("{{\"keys\": [{odd}]}}"));
    let [problem] = &folder.problems(&text)[..] else { panic!() };
    assert!(problem.starts_with(remark), "{problem}");
    assert!(!problem.contains("c2VjcmV0"), "{problem}");
    folder.write("mine.json", &KEYS.replace("[{", &format!("[{odd},{{")));
    let (_, warnings) = folder.good(&text);
    assert!(warnings.iter().any(|warning| warning.starts_with(remark)), "{warnings:?}");
}

#[test]
fn discovery_begins_at_the_issuer() {
    let folder = Folder::new();
    for (url, wanted) in [
        ("https://i", "https://i/.well-known/openid-configuration"),
        ("https://i/", "https://i/.well-known/openid-configuration"),
        ("https://i/a//", "https://i/a//.well-known/openid-configuration"),
    ] {
        let jwt = entry(&format!("url: '{url}', audiences: [a]"), USERNAME, "");
        let (config, _) = folder.good(&with(&format!("jwt:\n{jwt}")));
        let source = &config.authn.jwt[0].source;
        assert_eq!(source.issuer, url);
        assert_eq!(source.location, Location::Discovery { url: wanted.to_owned() });
    }
}

#[test]
fn there_may_be_more_issuers_than_upstreams_64() {
    let mut entries = String::new();
    for number in 0..1000 {
        entries += &entry(&format!("url: 'https://i{number}', audiences: [a]"), USERNAME, "");
    }
    let (config, _) = Folder::new().good(&with(&format!("jwt:\n{entries}")));
    assert_eq!(config.authn.jwt.len(), 1000);
}
