//! Each refusal: what failed, and what to change where.

use serde_json::json;

use super::{Written, strict, token};
use crate::support::issuer::KEYS;
use crate::support::signing::hmac_token;
use crate::support::{API, Issuer, Key, Manner, now, pki};

/// A token that is refused, and what has to be said of it.
struct Row {
    what: &'static str,
    token: String,
    reason: &'static str,
    /// Parts of the output.
    says: Vec<String>,
}

fn row(what: &'static str, token: String, reason: &'static str, says: &[&str]) -> Row {
    let says = says.iter().map(ToString::to_string).collect();
    Row { what, token, reason, says }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_is_told_with_what_to_change_where() {
    let (first, issuer) = (Issuer::start().await, Issuer::start().await);
    let config = Written::trusting([first.entry(json!({})), strict(&issuer)]);
    let of = |over| token(&issuer, over);
    let claims = issuer.claims(json!({}));
    let stranger = Key::new("ES256");
    let cut = of(json!({}));
    let changed = {
        let (signed, _) = cut.rsplit_once('.').unwrap();
        let other = of(json!({"email": "bob@example.com"}));
        format!("{signed}.{}", other.rsplit_once('.').unwrap().1)
    };
    let secret = hmac_token(r#"{"alg":"HS256"}"#, &claims.to_string(), &[7; 32]);
    for Row { what, token, reason, says } in [
        row(
            "expired",
            of(json!({"exp": now() - 3 * 3600 - 60, "iat": now() - 4 * 3600})),
            "expired",
            &[
                "FAILED  exp",
                "expired 3 hours 1 minute ago",
                "not passed by more than 30 seconds",
                "jwt[1].issuer.clockSkew",
            ],
        ),
        row(
            "without exp",
            of(json!({"exp": null})),
            "expired",
            &["FAILED  exp              no exp"],
        ),
        row(
            "not yet valid",
            of(json!({"nbf": now() + 7300})),
            "not_yet_valid",
            &["FAILED  nbf", "in 2 hours 1 minute", "not ahead by more than 1 minute"],
        ),
        row(
            "long-lived",
            of(json!({"exp": now() + 48 * 3600})),
            "lifetime_too_long",
            &["FAILED  lifetime         2 days", "at most 1 day", "jwt[1].issuer.maxTokenLifetime"],
        ),
        row(
            "for others",
            of(json!({"aud": ["grafana", "vault"]})),
            "audience_mismatch",
            &[
                "FAILED  aud              \"grafana\", \"vault\"",
                "one of \"kubernetes\"",
                "add \"grafana\" or \"vault\" to jwt[1].issuer.audiences",
            ],
        ),
        row(
            "of an unknown key",
            stranger.token(&claims),
            "unknown_key",
            &["FAILED  key", &issuer.key().kid, &stranger.kid, "jwt[1]: issuer.url"],
        ),
        row(
            "changed on its way",
            changed,
            "bad_signature",
            &["FAILED  signature        not made by that key", "changed or cut on its way"],
        ),
        row(
            "symmetric",
            secret,
            "algorithm_not_allowed",
            &["FAILED  alg              HS256", "one of ES256", "HS256 proves nothing"],
        ),
        row(
            "of an algorithm that is not listed",
            Key::new("EdDSA").token(&claims),
            "algorithm_not_allowed",
            &["Add EdDSA to jwt[1].issuer.signingAlgorithms"],
        ),
        row(
            "with a strange header",
            issuer.key().token_of(r#"{"alg":"ES256","crit":["x"]}"#, &claims.to_string()),
            "malformed",
            &["FAILED  form", "its header has crit"],
        ),
        row(
            "without the claim of the username",
            of(json!({"email": null})),
            "missing_claim",
            &["FAILED  username", "no claim \"email\"", "jwt[1].claimMappings.username.claim"],
        ),
        row(
            "with a claim of another type",
            of(json!({"groups": {"a": 1}})),
            "invalid_claim",
            &["FAILED  groups", "is not a string or a list", "jwt[1].claimMappings.groups.claim"],
        ),
        row(
            "with an address that nobody verified",
            of(json!({"email_verified": false})),
            "email_not_verified",
            &["\"email_verified\" is not true", "jwt[1].claimMappings.username.claim"],
        ),
        row(
            "that misses a required value",
            of(json!({"hd": "elsewhere.example"})),
            "claim_rule",
            &[
                "FAILED  claim rule       another string",
                "claim \"hd\" is \"example.com\"",
                "jwt[1].claimValidationRules[0].requiredValue",
            ],
        ),
        row(
            "that a rule forbids",
            of(json!({"tenant": "closed"})),
            "claim_rule",
            &[
                "FAILED  claim rule       false",
                "claims.tenant != 'closed'",
                "jwt[1].claimValidationRules[1].expression",
                "the tenant is closed",
            ],
        ),
        row(
            "of a user whom a rule forbids",
            of(json!({"email": "admin@example.com"})),
            "user_rule",
            &["FAILED  user rule        false", "jwt[1].userValidationRules[0].expression"],
        ),
        row(
            "that an expression cannot be evaluated on",
            of(json!({"tenant": null})),
            "expression_error",
            &[
                "FAILED  extra",
                "no such key: tenant",
                "jwt[1].claimMappings.extra[0].valueExpression",
            ],
        ),
        row(
            "of an issuer that is spelt in another way",
            of(json!({"iss": format!("{}/", issuer.url)})),
            "no_issuer",
            &[
                "trailing slash: the token has one, the configuration has none",
                &format!("nearest   {}, at jwt[1].issuer.url", issuer.url),
                "make jwt[1].issuer.url exactly what the token says",
            ],
        ),
        row(
            "of a stranger",
            of(json!({"iss": "https://login.elsewhere.example"})),
            "no_issuer",
            &["Add the issuer to jwt, with issuer.url \"https://login.elsewhere.example\""],
        ),
        row("opaque", "opaque".into(), "no_issuer", &["does not have three parts", "is no JWT"]),
        row(
            "with its scheme",
            format!("Bearer {cut}"),
            "malformed",
            &["sends: it begins with \"Bearer \""],
        ),
        row("in lines", format!("{cut}\n\n"), "malformed", &["sends: it has white space in it"]),
        row("encrypted", "a.b.c.d.e".into(), "no_issuer", &["it is encrypted (a JWE)"]),
        row("empty", String::new(), "malformed", &["it is empty"]),
        row("too long", "x".repeat(70_000), "malformed", &["limits.maxTokenBytes (65536 bytes)"]),
    ] {
        let ran = config.explain(&token, &[]).await;
        assert_eq!((ran.code, &*ran.err), (Some(1), ""), "{what}\n{}", ran.out);
        assert!(ran.out.contains(&format!("({reason}), HTTP 200")), "{what}\n{}", ran.out);
        let flat = ran.flat();
        for said in says {
            assert!(
                ran.out.contains(&said) || flat.contains(&said),
                "{what}: no {said:?}\n{}",
                ran.out
            );
        }
        assert!(ran.out.contains("\nto do     "), "{what}\n{}", ran.out);
        let failed = ran.out.matches("  FAILED  ").count();
        assert!(failed <= 1, "{what}: what was judged twice is told once\n{}", ran.out);
    }
    let ran = config.explain(&of(json!({})), &["--audience", "elsewhere"]).await;
    assert_eq!(ran.code, Some(1));
    for said in ["FAILED  audiences", "(audience_mismatch)", "\"elsewhere\"", "apiAudiences"] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    assert_eq!(config.explain(&of(json!({})), &["--audience", API]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_had_are_told_with_the_reason() {
    let issuer = Issuer::start().await;
    for (what, over, says) in [
        (
            "DNS",
            json!({"issuer": {"jwksURL": "https://keys.invalid/"}}),
            "the name keys.invalid was not found in DNS",
        ),
        (
            "refused",
            json!({"issuer": {"jwksURL": "https://127.0.0.1:1/keys"}}),
            "https://127.0.0.1:1/keys: no connection to 127.0.0.1",
        ),
        (
            "TLS",
            json!({"issuer": {"certificateAuthority": pki::CLIENTS.pem}}),
            "is signed by \"CN=providers\", and not by the configured authority",
        ),
    ] {
        let config = Written::trusting([issuer.entry(over)]);
        let ran = config.explain(&issuer.token(json!({})), &[]).await;
        assert_eq!(ran.code, Some(1), "{}", ran.out);
        assert!(ran.out.contains("unavailable (keys_unavailable)"), "{what}\n{}", ran.out);
        let flat = ran.flat();
        assert!(flat.contains(says), "{what}: not {says:?}\n{}", ran.out);
        assert!(flat.contains("jwt[0]: issuer.url"), "{what}\n{}", ran.out);
    }
    issuer.answers(KEYS, Manner::Status(500));
    let config = Written::trusting([issuer.entry(json!({}))]);
    let ran = config.explain(&issuer.token(json!({})), &[]).await;
    assert!(ran.flat().contains("the answer was HTTP 500"), "{}", ran.out);
}
