//! `countersign explain`: what it says of good and bad tokens, and what it must never say.

mod refusals; // one row for each reason
mod server; // beside a running one
mod sources; // token file, service accounts, groups that are kept elsewhere

use std::path::Path;

use serde_json::{Value, json};

use crate::support::command::{Ran, countersign};
use crate::support::service::{Directory, Setup};
use crate::support::{Issuer, lay, now};

async fn run(config: &Path, args: &[&str], input: &str) -> Ran {
    let before = ["explain".as_ref(), "--config".as_ref(), config.as_os_str()];
    countersign(before.into_iter().chain(args.iter().map(AsRef::as_ref)), input).await
}

/// A configuration on disk.
struct Written {
    _directory: Directory,
    file: std::path::PathBuf,
}

impl Written {
    fn of(setup: Setup) -> Self {
        let (directory, file) = setup.write();
        Self { _directory: directory, file }
    }

    fn trusting(jwt: impl IntoIterator<Item = Value>) -> Self {
        Self::of(Setup::new(json!({"jwt": jwt.into_iter().collect::<Vec<_>>()})))
    }

    /// Explains `token`, given on standard input, and never says any part of it.
    async fn explain(&self, token: &str, args: &[&str]) -> Ran {
        let ran = run(&self.file, args, token).await;
        let said = format!("{}{}", ran.out, ran.err);
        for part in token.split('.').filter(|part| part.len() > 16) {
            assert!(!said.contains(part), "{said}");
        }
        ran
    }
}

/// An issuer's entry with everything that can be checked.
fn strict(issuer: &Issuer) -> Value {
    issuer.entry(json!({
        "issuer": {"maxTokenLifetime": "24h", "clockSkew": "30s"},
        "claimMappings": {
            "username": {"claim": "email", "prefix": "idp:"},
            "groups": {"claim": "groups", "prefix": "idp:"},
            "extra": [{"key": "example.com/tenant", "valueExpression": "claims.tenant"}],
        },
        "claimValidationRules": [
            {"claim": "hd", "requiredValue": "example.com"},
            {"expression": "claims.tenant != 'closed'", "message": "the tenant is closed"},
        ],
        "userValidationRules": [{"expression": "!user.username.startsWith('idp:admin')"}],
    }))
}

/// A token that a [`strict`] issuer takes, with `over` laid over its claims.
fn token(issuer: &Issuer, over: Value) -> String {
    let mut claims = json!({
        "email": "alice@example.com", "groups": ["dev-team", "ops-team"], "hd": "example.com",
        "tenant": "blue-tenant",
    });
    lay(&mut claims, issuer.claims(json!({})));
    lay(&mut claims, over);
    issuer.key().token(&claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_is_told_check_by_check() {
    let issuer = Issuer::start().await;
    let config = Written::trusting([strict(&issuer)]);
    let token = token(&issuer, json!({"nbf": now()}));
    let ran = config.explain(&token, &["-"]).await;
    assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{}", ran.out);
    let mut lines = ran.out.lines();
    for check in [
        "form",
        "alg",
        "key",
        "signature",
        "payload",
        "iss",
        "aud",
        "exp",
        "nbf",
        "lifetime",
        "username",
        "groups",
        "extra",
        "claim rule",
        "claim rule",
        "user rule",
        "reserved names",
        "audiences",
    ] {
        let line = lines.by_ref().find(|line| line.starts_with(&format!("  ok      {check}")));
        assert!(line.is_some(), "{check} is not in its place:\n{}", ran.out);
    }
    assert!(ran.out.contains("valid for another 59 minutes"), "{}", ran.out);
    assert!(ran.out.contains("answer    authenticated, HTTP 200"), "{}", ran.out);
    assert!(!ran.out.contains("to do"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "colour is for terminals");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_claims_say_is_told_to_those_who_ask() {
    let issuer = Issuer::start().await;
    let mut entry = strict(&issuer);
    let message = "'tenant ' + claims.tenant + ' is not wanted'";
    entry["claimValidationRules"][1] =
        json!({"expression": "claims.tenant != 'closed-tenant'", "messageExpression": message});
    let config = Written::trusting([entry]);
    let secrets = ["alice", "dev-team", "ops-team", "-tenant", "example.com\"", "hidden-jti"];
    let over = json!({"jti": "hidden-jti", "_claim_names": {}, "_claim_sources": {
        "s": {"endpoint": "https://x", "access_token": "hidden-access-token"},
    }});
    for (tenant, code) in [("blue-tenant", 0), ("closed-tenant", 1)] {
        let mut over = over.clone();
        over["tenant"] = json!(tenant);
        let token = token(&issuer, over);
        for output in ["text", "json"] {
            let quiet = config.explain(&token, &["--output", output]).await;
            let open = config.explain(&token, &["--output", output, "--show-claims"]).await;
            assert_eq!((quiet.code, open.code), (Some(code), Some(code)), "{}", quiet.out);
            for secret in secrets {
                // The configuration has these two itself.
                let quiet =
                    quiet.out.replace("'closed-tenant'", "").replace("is \\\"example.com\\\"", "");
                let quiet = quiet.replace("is \"example.com\"", "");
                assert!(!quiet.contains(secret), "{secret} in {output}:\n{quiet}");
                assert!(open.out.contains(secret), "{secret} not in {output}:\n{}", open.out);
            }
            for ran in [&quiet, &open] {
                assert!(!ran.out.contains("hidden-access-token"), "{}", ran.out);
            }
            if code == 1 {
                assert!(quiet.out.contains("claimValidationRules: <string>"), "{}", quiet.out);
                assert!(open.out.contains("tenant closed-tenant is not wanted"), "{}", open.out);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_from_a_file_or_standard_input_and_never_as_an_argument() {
    let issuer = Issuer::start().await;
    let config = Written::trusting([issuer.entry(json!({}))]);
    let token = issuer.token(json!({}));
    let file = config.file.with_file_name("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let file = file.to_str().unwrap();
    for (args, input) in [(&[][..], &*token), (&["-"], &token), (&[file], "")] {
        assert_eq!(run(&config.file, args, input).await.code, Some(0), "{args:?}");
    }
    let bearer = format!("Bearer {token}");
    let option = format!("--token={token}");
    for args in [
        &[&*token][..],
        &["--", &token],
        &[&bearer],
        &["Bearer", &token],
        &[&option],
        &["--output", &token],
        &["--no-such-option", &token],
    ] {
        let ran = run(&config.file, args, "").await;
        assert_eq!((ran.code, &*ran.out), (Some(64), ""), "{args:?}");
        assert!(ran.err.contains("looks like a token"), "{}", ran.err);
        assert!(!ran.err.contains(&token[..20]), "{}", ran.err);
    }
    let ran = run(&config.file, &["opaque-secret"], "").await;
    assert_eq!(ran.code, Some(64));
    assert!(ran.err.contains("No such file") && !ran.err.contains("opaque"), "{}", ran.err);
    assert_eq!(run(&config.file, &["--output", "xml"], &token).await.code, Some(64));
    std::fs::write(&config.file, "kind: Configuration\n").unwrap();
    assert_eq!(run(&config.file, &[], &token).await.code, Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_there_for_machines() {
    let issuer = Issuer::start().await;
    let config = Written::trusting([strict(&issuer)]);
    let expired = token(&issuer, json!({"exp": now() - 7200, "iat": now() - 9000}));
    let ran = config.explain(&expired, &["--output", "json"]).await;
    let report = ran.json();
    assert_eq!(ran.code, Some(1));
    assert_eq!(report["token"]["issuer"], issuer.url);
    assert_eq!(report["token"]["keyID"], issuer.key().kid);
    assert_eq!(report["token"]["expiresAt"]["distance"], "expired 2 hours ago");
    let claims = report["token"]["claims"].as_array().unwrap();
    assert!(claims.contains(&json!({"name": "groups", "type": "list"})), "{claims:?}");
    let source = &report["sources"][0];
    assert_eq!((&source["name"], &source["place"]), (&json!(issuer.url), &json!("jwt[0]")));
    assert_eq!(source["keys"], json!({"held": 1}));
    let checks = source["checks"].as_array().unwrap();
    assert_eq!(
        checks.first().unwrap(),
        &json!({
            "check": "form", "field": "", "outcome": "passed", "of": "token",
            "expected": "header and signature can be read",
            "found": "header and signature can be read",
        })
    );
    let last = checks.last().unwrap();
    assert_eq!((&last["check"], &last["outcome"]), (&json!("exp"), &json!("failed")));
    assert_eq!(last["field"], "jwt[0].issuer.clockSkew");
    let answer = &report["answer"];
    assert_eq!(
        (&answer["result"], &answer["reason"], &answer["http"]),
        (&json!("rejected"), &json!("expired"), &json!(200))
    );
    assert_eq!(
        answer["status"]["error"],
        format!("{}: the token has expired: its exp has passed", issuer.url)
    );
    assert!(report["remedy"].as_str().unwrap().contains("jwt[0].issuer.clockSkew"));

    let good = config.explain(&token(&issuer, json!({})), &["--output", "json"]).await.json();
    assert_eq!(good["answer"]["result"], "authenticated");
    assert_eq!(good["answer"]["reason"], Value::Null);
    assert_eq!(good["answer"]["status"]["user"]["username"], "idp:<email>");
    assert_eq!(good.get("remedy"), None);

    let elsewhere = token(&issuer, json!({"iss": issuer.url.replace("https", "http")}));
    let nobody = config.explain(&elsewhere, &["--output", "json"]).await.json();
    assert_eq!(nobody["answer"]["result"], "no_opinion");
    assert_eq!(nobody["nearest"]["issuer"], issuer.url);
    assert_eq!(nobody["nearest"]["field"], "jwt[0].issuer.url");
    let differences = ["scheme: the token has \"http\", the configuration \"https\""];
    assert_eq!(nobody["nearest"]["differences"], json!(differences));
}
