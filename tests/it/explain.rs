//! `countersign explain`: what it says of good and bad tokens, and what it must never say.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::api::{Api, OBJECTS, apis};
use crate::support::issuer::{CLAIMS, KEYS};
use crate::support::service::{Directory, Setup};
use crate::support::signing::hmac_token;
use crate::support::{API, Issuer, Key, Manner, Service, lay, now, pki, within};

/// What a run of the command came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    /// The output as one line, with one space where there are several.
    fn flat(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The report of `--output json`.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

async fn run(config: &Path, args: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("explain")
        .arg("--config")
        .arg(config)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = within(child.wait_with_output()).await.expect("it never ended").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
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
            "signed by an unknown authority: configure certificateAuthority",
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
    assert!(ran.out.contains("the answer was HTTP 500"), "{}", ran.out);
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

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_the_api_servers_own_file_is_named_there() {
    let issuer = Issuer::start().await;
    let theirs = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [issuer.entry(json!({}))],
    });
    let setup = Setup::new(json!({"authenticationConfigurationFile": "theirs.yaml"}));
    let config = Written::of(setup.with_file("theirs.yaml", &theirs.to_string()));
    let ran = config.explain(&issuer.token(json!({"aud": "x"})), &[]).await;
    let field = "field jwt[0].issuer.audiences in authenticationConfigurationFile";
    assert!(ran.flat().contains(field), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_file_are_told() {
    let tokens = "opaque-token-of-ann,ann,1,\"system:masters\"\nother,bob,2\n";
    let setup = Setup::new(json!({"tokenFile": {"path": "tokens.csv"}}));
    let config = Written::of(setup.with_file("tokens.csv", tokens));
    let ran = config.explain("opaque-token-of-ann", &[]).await;
    assert_eq!(ran.code, Some(1));
    for said in [
        "tokenFile\n",
        "it is that of \"ann\"",
        "FAILED  reserved names",
        "(reserved_identity)",
        "a group starts with \"system:\"",
        "tokenFile.allowReserved",
    ] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    assert!(!ran.out.contains("opaque-token"), "{}", ran.out);
    let ran = config.explain("other", &[]).await;
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("\"username\":\"bob\""), "it is no claim\n{}", ran.out);
    let ran = config.explain("nobodys", &[]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("it is none of the 2 in there"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_token_is_told_with_what_it_is_bound_to() {
    let service = apis(json!({})).start().await;
    let bound = json!({"kind": "Pod", "apiVersion": "v1", "name": "pod", "uid": "pod-uid"});
    let api = Api::bearing(&service, "requester").await;
    let spec = json!({"audiences": [API], "boundObjectRef": bound});
    let token = api.token(spec).await;
    let config = service.path("countersign.yaml");
    let ran = run(&config, &["--show-claims"], &token).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    for said in [
        "serviceAccountIssuer  https://issuer.test",
        "ok      service account  it is there  (wanted: builder with uid sa-uid)",
        "ok      pod              it is there  (wanted: pod with uid pod-uid)",
        "username         x:system:serviceaccount:ci:builder",
    ] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    let quiet = run(&config, &[], &token).await.out;
    assert!(quiet.contains("x:system:serviceaccount:<namespace>:<name>"), "{quiet}");
    assert!(!quiet.contains("builder"), "{quiet}");

    service.remove("objects/pod.yaml");
    let ran = run(&config, &[], &token).await;
    assert_eq!(ran.code, Some(1));
    for said in [
        "FAILED  pod",
        "its pod was not found",
        "serviceAccountIssuer.objectsDir",
        "(bound_object_gone)",
    ] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    let named = service.path("countersign.yaml");
    let text = std::fs::read_to_string(&named).unwrap().replace("\"x:\"", "\"\"");
    service.write("countersign.yaml", &text);
    service.write("objects/pod.yaml", OBJECTS[1].1);
    let ran = run(&config, &[], &token).await;
    for said in ["(reserved_identity)", "Set serviceAccountIssuer.usernamePrefix"] {
        assert!(ran.flat().contains(said), "no {said:?}\n{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_kept_elsewhere_are_told_aside() {
    let (issuer, source) = (Issuer::start().await, Issuer::start().await);
    let groups = json!({"claimMappings": {"groups": {"claim": "groups", "prefix": "g:"}}});
    let config = Written::trusting([issuer.entry(groups)]);
    let token = issuer.token(json!({
        "_claim_names": {"groups": "src"},
        "_claim_sources": {
            "src": {"endpoint": format!("{}{CLAIMS}", source.url), "access_token": "hidden-access"},
        },
    }));
    let answer = json!({"iss": source.url, "aud": "kubernetes", "groups": ["a"]});
    for (exp, code, says) in
        [(now() + 60, 0, "> exp"), (now() - 7300, 1, "FAILED  > exp            ")]
    {
        let mut answer = answer.clone();
        answer["exp"] = json!(exp);
        source.serves("hidden-access", &source.key().token(&answer));
        let ran = config.explain(&token, &[]).await;
        assert_eq!(ran.code, Some(code), "{}", ran.out);
        assert!(ran.out.contains(says), "{}", ran.out);
        assert!(ran.out.contains("groups source"), "{}", ran.out);
        let blames_it = ran.out.contains("what its source of groups answered");
        assert_eq!(blames_it, code == 1, "{}", ran.out);
        let open = config.explain(&token, &["--show-claims"]).await;
        for ran in [ran, open] {
            assert!(!ran.out.contains("hidden-access"), "{}", ran.out);
        }
    }
}

/// A service with a webhook kubeconfig beside its configuration.
async fn served(config: Value) -> Service {
    let service = Setup::new(config).start().await;
    let client = pki::CLIENTS.client("kube-apiserver");
    service.write("ca.crt", &pki::SERVERS.pem);
    service.write("client.crt", &client.certificate);
    service.write("client.key", &client.key);
    let server = format!("https://{}/authenticate", service.address());
    let user = json!({"client-certificate": "client.crt", "client-key": "client.key"});
    let kubeconfig = json!({
        "clusters": [
            {"name": "c", "cluster": {"server": server, "certificate-authority": "ca.crt"}},
        ],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    });
    service.write("webhook.kubeconfig", &kubeconfig.to_string());
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_agrees_or_does_not() {
    let issuer = Issuer::start().await;
    let service = served(json!({"jwt": [strict(&issuer)]})).await;
    let kubeconfig = service.path("webhook.kubeconfig").display().to_string();
    let same = service.path("countersign.yaml");
    let server = ["--server", &kubeconfig];
    let good = token(&issuer, json!({}));
    let ran = run(&same, &server, &good).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("server    agrees"), "{}", ran.out);
    let closed = token(&issuer, json!({"tenant": "closed"}));
    let ran = run(&same, &server, &closed).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("server    agrees"), "{}", ran.out);

    // Another configuration says otherwise, in either way.
    let other = Written::trusting([issuer.entry(json!({}))]);
    let ran = other.explain(&closed, &server).await;
    assert_eq!(ran.code, Some(1), "it is ours who takes it\n{}", ran.out);
    for said in [
        "server    DISAGREES on authenticated, user, error",
        "claimValidationRules: <string>",
        "cache.rejectedTTL",
        "countersign_config_info",
    ] {
        assert!(ran.out.contains(said) || ran.flat().contains(said), "no {said:?}\n{}", ran.out);
    }
    let ran = other.explain(&good, &["--server", &kubeconfig, "--output", "json"]).await;
    let said = &ran.json()["server"];
    assert_eq!((ran.code, &said["agrees"]), (Some(1), &json!(false)), "{}", ran.out);
    assert_eq!(said["differences"], json!(["user"]));
    assert_eq!(said["status"]["user"]["username"], "<string>", "{}", ran.out);
    assert!(!ran.out.contains("alice@"), "{}", ran.out);

    let ran = other.explain(&good, &["--server", "/nonexistent"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.flat().contains("no answer: /nonexistent: cannot be read"), "{}", ran.out);
}
