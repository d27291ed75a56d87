//! Tokens are issued, bound, reviewed and revoked, on one machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::api::{Api, ISSUER, OBJECTS, TOKEN, TOKEN_REVIEWS, apis, signing_key};
use crate::support::signing::Key;
use crate::support::{API, Service, Verdict, all, logs, until};

/// The header and the claims of a token, unproven.
fn parts(token: &str) -> (String, Value) {
    let part =
        |text: &str| String::from_utf8(URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()).unwrap();
    let mut parts = token.split('.');
    let header = part(parts.next().unwrap());
    (header, serde_json::from_str(&part(parts.next().unwrap())).unwrap())
}

async fn status(service: &Service, token: &str) -> Value {
    let reviewer = Api::bearing(service, "reviewer").await;
    let review = json!({"spec": {"token": token}});
    reviewer.post(TOKEN_REVIEWS, &review).await.created()["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_says_what_kubernetes_would_say() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let reply = api
        .post(TOKEN, &json!({"spec": {"audiences": ["b", "a", "b"], "expirationSeconds": 600}}))
        .await;
    let answer = reply.created();
    let (header, claims) = parts(answer["status"]["token"].as_str().unwrap());
    assert!(header.starts_with("{\"alg\":\"ES256\",\"kid\":\""), "{header}");
    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "kubernetes.io", "nbf", "sub"]);
    assert_eq!(claims["aud"], json!(["b", "a", "b"]));
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!(ISSUER), &json!("system:serviceaccount:ci:builder"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert_eq!(claims["nbf"], claims["iat"]);
    assert_eq!(
        claims["kubernetes.io"],
        json!({"namespace": "ci", "serviceaccount": {"name": "builder", "uid": "sa-uid"}})
    );
    let expires =
        time::OffsetDateTime::from_unix_timestamp(claims["exp"].as_i64().unwrap()).unwrap();
    let expires = expires.format(&time::format_description::well_known::Rfc3339).unwrap();
    assert_eq!(answer["status"]["expirationTimestamp"], expires, "the end that it says is its end");
    for (seconds, warns) in [(3607, false), (7200, false), (7201, true)] {
        let reply = api.post(TOKEN, &json!({"spec": {"expirationSeconds": seconds}})).await;
        let (_, claims) = parts(reply.created()["status"]["token"].as_str().unwrap());
        let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(
            (lasts, claims["aud"].clone()),
            (seconds.min(7200), json!([API])),
            "no silent year"
        );
        assert_eq!(!reply.warnings().is_empty(), warns, "{seconds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_token_is_somebody_on_both_sides() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let token = api
        .token(json!({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "pod"}}))
        .await;
    let (_, claims) = parts(&token);
    assert_eq!(
        claims["kubernetes.io"],
        json!({
            "namespace": "ci", "node": {"name": "node", "uid": "node-uid"},
            "pod": {"name": "pod", "uid": "pod-uid"}, "serviceaccount": {"name": "builder", "uid": "sa-uid"},
        })
    );
    let jti = format!("JTI={}", claims["jti"].as_str().unwrap());
    let plain = status(&service, &token).await;
    assert_eq!(
        plain["user"],
        json!({
            "username": "system:serviceaccount:ci:builder", "uid": "sa-uid",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"],
            "extra": {
                "authentication.kubernetes.io/credential-id": [jti],
                "authentication.kubernetes.io/node-name": ["node"],
                "authentication.kubernetes.io/node-uid": ["node-uid"],
                "authentication.kubernetes.io/pod-name": ["pod"],
                "authentication.kubernetes.io/pod-uid": ["pod-uid"],
            },
        })
    );
    match service.kube().await.authenticate(&token).await {
        Verdict::User(user, audiences) => {
            assert_eq!(user.username, "x:system:serviceaccount:ci:builder");
            assert_eq!(user.groups, ["x:system:serviceaccounts", "x:system:serviceaccounts:ci"]);
            assert_eq!(
                user.extra.into_keys().collect::<Vec<_>>(),
                ["authentication.kubernetes.io/credential-id"]
            );
            assert_eq!(audiences, [API]);
        }
        verdict => panic!("{verdict:?}"),
    }
    let vault = api.token(json!({"audiences": ["vault"]})).await;
    let error = status(&service, &vault).await;
    assert!(error["error"].as_str().unwrap().contains("none of the audiences"), "{error}");
}

/// Within a second of the change, also what the cache remembers.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_dies_with_what_it_is_bound_to() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let kube = service.kube().await;
    for (kind, name, file) in [
        ("Pod", "pod", "pod.yaml"),
        ("Secret", "secret", "secret.yaml"),
        ("Node", "node", "node.yaml"),
    ] {
        let bound = json!({"boundObjectRef": {"kind": kind, "apiVersion": "v1", "name": name}});
        let token = api.token(bound.clone()).await;
        let unbound = api.token(json!({})).await;
        assert!(matches!(kube.authenticate(&token).await, Verdict::User(..)), "{kind}");
        assert_eq!(status(&service, &token).await["authenticated"], true);

        service.remove(&format!("objects/{file}"));
        until("the token is dead", async || {
            matches!(kube.authenticate(&token).await, Verdict::Error(_))
        })
        .await;
        let error = kube.authenticate(&token).await.error().to_owned();
        assert!(error.contains("service account token has been invalidated"), "{error}");
        assert_eq!(status(&service, &token).await["authenticated"], Value::Null);
        assert!(matches!(kube.authenticate(&unbound).await, Verdict::User(..)), "others live on");
        let reply = api.post(TOKEN, &json!({"spec": bound})).await;
        let plural = format!("{}s \"{name}\" not found", kind.to_lowercase());
        assert_eq!(reply.failure(), (404, plural));

        // Another object of that name is another object.
        let (_, text) = OBJECTS.iter().find(|(name, _)| name == &file).unwrap();
        service.write(&format!("objects/{file}"), &text.replace("-uid", "-other"));
        until("it is there again", async || {
            api.post(TOKEN, &json!({"spec": bound})).await.code == 201
        })
        .await;
        let error = kube.authenticate(&token).await.error().to_owned();
        assert!(error.contains("UID does not match"), "{error}");
    }
}

/// What production waits for: half a second between two looks.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_pod_is_noticed_within_a_second() {
    let looks = countersign::app::Pace::default().objects;
    assert!(looks * 2 <= Duration::from_secs(1), "{looks:?}");
    let service = apis(json!({})).with_pace(|pace| pace.objects = looks).start().await;
    let api = Api::bearing(&service, "requester").await;
    let token = api
        .token(json!({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "pod"}}))
        .await;
    let kube = service.kube().await;
    assert!(matches!(kube.authenticate(&token).await, Verdict::User(..)));
    let removed = Instant::now();
    service.remove("objects/pod.yaml");
    until("the token is dead", async || {
        matches!(kube.authenticate(&token).await, Verdict::Error(_))
    })
    .await;
    eprintln!("dead after {:?}", removed.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_without_anyone_noticing() {
    let service = apis(json!({"serviceAccountIssuer": {"signingKeyFiles": ["sa.key", "old.key"]}}))
        .with_file("old.key", &signing_key())
        .start()
        .await;
    let api = Api::bearing(&service, "requester").await;
    let kube = service.kube().await;
    let kid = |token: &str| {
        let header: Value = serde_json::from_str(&parts(token).0).unwrap();
        header["kid"].as_str().unwrap().to_owned()
    };
    let kids = async || {
        let keys = api.get("/openid/v1/jwks").await.json()["keys"].clone();
        let keys =
            keys.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };
    let token = api.token(json!({})).await;
    assert!(matches!(kube.authenticate(&token).await, Verdict::User(..)));
    let before = kids().await;
    assert_eq!((before.len(), &before[0]), (2, &kid(&token)), "the first one signs");

    // The new key stands second until everybody has it, then first.
    let (current, next) = (std::fs::read_to_string(service.path("sa.key")).unwrap(), signing_key());
    service.write("old.key", &next);
    until("the new key is published", async || kids().await[1] != before[1]).await;
    service.write("sa.key", &next);
    service.write("old.key", &current);
    until("the new key signs", async || kid(&api.token(json!({})).await) != kid(&token)).await;
    assert!(matches!(kube.authenticate(&token).await, Verdict::User(..)), "the old one verifies");

    service.write("old.key", "no key");
    service.until_metric("config_reloads_total", &[("result", "failure")], 1.0).await;
    assert!(matches!(kube.authenticate(&token).await, Verdict::User(..)), "the last good stays");

    service.write("old.key", &signing_key());
    until("a withdrawn key takes its answers with it", async || {
        matches!(kube.authenticate(&token).await, Verdict::Error(_))
    })
    .await;
    let error = kube.authenticate(&token).await.error().to_owned();
    assert!(error.contains("no key of the issuer"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_checks_everything_and_signs_nothing() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let dry = format!("{TOKEN}?dryRun=All");
    let answer = api.post(&dry, &json!({"spec": {"expirationSeconds": 600}})).await.created();
    assert_eq!(answer["status"]["token"], "");
    assert!(answer["status"]["expirationTimestamp"].is_string());
    assert_eq!(
        (&answer["metadata"]["uid"], &answer["spec"]["audiences"]),
        (&json!("sa-uid"), &json!([API]))
    );
    let missing = json!({"spec": {"boundObjectRef": {"kind": "Pod", "name": "none"}}});
    assert_eq!(api.post(&dry, &missing).await.code, 404);
    assert_eq!(api.post(&dry, &json!({"spec": {"expirationSeconds": 1}})).await.code, 422);
    let issued = async |result| service.metric("tokens_issued_total", &[("result", result)]).await;
    assert_eq!(
        (issued("dry_run").await, issued("refused").await, issued("issued").await),
        (1.0, 2.0, 0.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_a_line_in_the_log_and_no_token_is() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let audience = "audience-of-the-audit-line";
    let token = api
        .token(json!({"audiences": [audience], "boundObjectRef": {"kind": "Pod", "name": "pod"}}))
        .await;
    let (_, claims) = parts(&token);
    let lines = logs::with(claims["jti"].as_str().unwrap());
    assert_eq!(lines.len(), 1, "{lines:?}");
    for word in
        ["token issued", "requester", "ci/builder", audience, "Pod/pod", "127.0.0.1", "expires_at"]
    {
        assert!(lines[0].contains(word), "{word}: {}", lines[0]);
    }
    assert_eq!(logs::with(&token), Vec::<String>::new());
    let signature = token.rsplit('.').next().unwrap();
    assert_eq!(logs::with(signature), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_token_that_would_be_refused_for_its_length() {
    let service = apis(json!({"limits": {"maxTokenBytes": "2Ki"}})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let reply = api.post(TOKEN, &json!({"spec": {"audiences": ["a".repeat(2000)]}})).await;
    let (code, message) = reply.failure();
    assert_eq!(code, 422);
    assert!(
        message.contains("spec.audiences") && message.contains("limits.maxTokenBytes"),
        "{message}"
    );
}

/// A signature of a large key takes long; those who wait for one leave room for all others.
#[tokio::test(flavor = "multi_thread")]
async fn signing_takes_a_share_of_the_requests_and_no_more() {
    // A quarter of it is one.
    let limits = json!({"limits": {"maxRequestsInFlight": 7}});
    let service = apis(limits).with_file("sa.key", &Key::rsa(0).rsa_pem()).start().await;
    let requester = Arc::new(Api::bearing(&service, "requester").await);
    until("two ask at once, and one is shed", async || {
        let asking = (0..6).map(|_| {
            let requester = requester.clone();
            async move { requester.post(TOKEN, &json!({})).await.code }
        });
        let codes = all(asking).await;
        assert!(codes.contains(&201), "{codes:?}");
        codes.contains(&503)
    })
    .await;
    assert_eq!(requester.post(TOKEN, &json!({})).await.code, 201, "and the next one after it");
}
