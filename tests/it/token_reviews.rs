//! The TokenReview API beside the webhook: one chain, one cache, and what the two sides differ in.

use http::Method;
use serde_json::{Value, json};

use crate::support::api::{Api, TOKEN_REVIEWS, apis};
use crate::support::{API, Issuer, Verdict};

async fn review(api: &Api, spec: Value) -> Value {
    api.post(TOKEN_REVIEWS, &json!({"spec": spec})).await.created()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_answered_as_kube_apiserver_answers_it() {
    let issuer = Issuer::start().await;
    let service = apis(json!({"jwt": [issuer.entry(json!({}))]})).start().await;
    let api = Api::bearing(&service, "reviewer").await;
    let token = issuer.token(json!({}));

    let answer = review(&api, json!({"token": token})).await;
    assert_eq!(
        (&answer["kind"], &answer["apiVersion"]),
        (&json!("TokenReview"), &json!("authentication.k8s.io/v1"))
    );
    assert_eq!(answer["spec"], json!({}), "the token is not echoed");
    let status = &answer["status"];
    assert_eq!((&status["authenticated"], &status["audiences"]), (&json!(true), &json!([API])));
    let groups = status["user"]["groups"].as_array().unwrap();
    assert_eq!(groups.last().unwrap(), "system:authenticated");
    match service.kube().await.authenticate(&token).await {
        Verdict::User(user, _) => {
            assert_eq!(json!(user.username), status["user"]["username"]);
            assert!(
                !user.groups.contains(&"system:authenticated".to_owned()),
                "kube-apiserver adds it"
            );
        }
        verdict => panic!("{verdict:?}"),
    }

    let nobodys = review(&api, json!({"token": "what", "audiences": ["x"]})).await;
    assert_eq!(nobodys["status"], json!({"user": {}, "error": "invalid bearer token"}));
    assert_eq!(nobodys["spec"], json!({"audiences": ["x"]}));
    let expired = review(&api, json!({"token": issuer.token(json!({"exp": 1}))})).await;
    let error = expired["status"]["error"].as_str().unwrap().to_owned();
    assert!(error.ends_with("the token has expired: its exp has passed"), "{error}");
    assert_eq!(expired["status"]["authenticated"], Value::Null);
    let long = review(&api, json!({"token": "x".repeat(100_000)})).await;
    assert!(long["status"]["error"].as_str().unwrap().contains("limits.maxTokenBytes"));
    let spaced = review(&api, json!({"token": " nobody"})).await;
    assert_eq!(spaced["status"]["error"], "invalid bearer token", "a token is never trimmed");
    for spec in [json!({}), json!({"token": ""}), json!({"token": null}), Value::Null] {
        let reply = api.post(TOKEN_REVIEWS, &json!({"spec": spec})).await;
        let required = "token is required for TokenReview in authentication".to_owned();
        assert_eq!(reply.failure(), (400, required));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_have_one_cache_and_the_same_counts() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "reviewer").await;
    // The caller is looked up in the same cache, and so is there now.
    review(&api, json!({"token": "nobody"})).await;
    let hits = service.metric("cache_lookups_total", &[("result", "hit")]).await;
    let reviews = service.metric("token_reviews_total", &[]).await;
    assert_eq!(reviews, 1.0, "nobody asked for a review of the caller");
    review(&api, json!({"token": "nobody"})).await;
    let hits_now = service.metric("cache_lookups_total", &[("result", "hit")]).await;
    assert_eq!(hits_now, hits + 2.0, "the caller's token and the reviewed one");
    let path = [("path", TOKEN_REVIEWS), ("code", "201")];
    assert_eq!(service.metric("http_requests_total", &path).await, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_come_back_but_for_what_is_the_servers() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "reviewer").await;
    let sent = json!({
        "metadata": {
            "name": "named", "generateName": "gen-", "namespace": "x", "uid": "mine",
            "selfLink": "/x", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2020-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 5, "labels": {"l": "1"}, "finalizers": ["x.example/f"],
            "managedFields": [{"manager": "me", "fieldsV1": {"f:x": {}}}],
        },
        "spec": {"token": "nobody"},
        "status": {"authenticated": true, "error": "x", "user": {"username": "evil"}},
    });
    let path = format!("{TOKEN_REVIEWS}?fieldManager=somebody");
    let mut answer = api.post(&path, &sent).await.created();
    let entry = answer["metadata"].as_object_mut().unwrap().remove("managedFields").unwrap();
    assert_eq!(
        answer["metadata"],
        json!({
            "name": "named", "generateName": "gen-", "resourceVersion": "7", "generation": 3,
            "labels": {"l": "1"}, "finalizers": ["x.example/f"],
        })
    );
    assert_eq!(entry.as_array().unwrap().len(), 1);
    assert_eq!(entry[0]["manager"], "somebody");
    assert_eq!(
        entry[0]["fieldsV1"],
        json!({
            "f:metadata": {
                "f:finalizers": {".": {}, "v:\"x.example/f\"": {}}, "f:generateName": {},
                "f:labels": {".": {}, "f:l": {}},
            },
            "f:spec": {"f:token": {}},
        })
    );
    assert_eq!(answer["status"]["user"]["username"], "nobody");
    assert_eq!(answer["status"]["error"], Value::Null, "a sent status is ignored");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_taken_and_given() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "reviewer").await;
    let protobuf = "application/vnd.kubernetes.protobuf";
    let send = async |content: &str, accept: &str, body: &[u8]| {
        let headers = [("content-type", content), ("accept", accept)];
        api.send(Method::POST, TOKEN_REVIEWS, &headers, body.to_vec()).await
    };
    let yaml = send("application/yaml", "application/yaml", b"spec:\n  token: nobody\n").await;
    let text = String::from_utf8(yaml.body.clone()).unwrap();
    assert_eq!(yaml.headers["content-type"], "application/yaml");
    assert!(
        text.starts_with("apiVersion: authentication.k8s.io/v1\nkind: TokenReview\n"),
        "{text}"
    );
    assert!(text.contains("    username: nobody\n"), "{text}");

    // k8s\0, then {typeMeta{apiVersion, kind}, raw{spec{token: nobody}}}.
    let body = b"k8s\0\x0a\x27\x0a\x18authentication.k8s.io/v1\x12\x0bTokenReview\x12\x0a\x12\x08\x0a\x06nobody";
    let answer = send(protobuf, "application/json", body).await.created();
    assert_eq!(answer["status"]["user"]["username"], "nobody");
    let answer = send(protobuf, &format!("{protobuf},application/json"), body).await;
    assert_eq!((answer.code, &answer.headers["content-type"]), (201, &protobuf.parse().unwrap()));
    assert!(answer.body.starts_with(b"k8s\0"));
    let has = |word: &[u8]| answer.body.windows(word.len()).any(|window| window == word);
    assert!(has(b"system:authenticated"));
    let failure = send(protobuf, protobuf, b"k8s\0\xff").await;
    assert_eq!((failure.code, &failure.headers["content-type"]), (400, &protobuf.parse().unwrap()));
    assert!(failure.body.starts_with(b"k8s\0"), "also a Status");
}

/// Before the body of a create was bounded in values, 3 MiB of it could take a hundredfold.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_and_cost_nobody_else_anything() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "reviewer").await;
    let json = "application/json";
    let yaml = "application/yaml";
    for (content, body) in [
        (json, format!("{{\"x\":[{}0]}}", "0,".repeat(1_000_000))),
        (json, "[".repeat(3_000_000)),
        (yaml, "[".repeat(3_000_000)),
        (yaml, format!("x: [{}0]", "0,".repeat(1_000_000))),
        (
            yaml,
            format!(
                "a: &a [{}]\nb: &b [{}]\nc: [{}]",
                "x,".repeat(1000),
                "*a,".repeat(1000),
                "*b,".repeat(1000)
            ),
        ),
        (yaml, "- ".repeat(1_000_000)),
    ] {
        let reply = api
            .send(Method::POST, TOKEN_REVIEWS, &[("content-type", content)], body.into_bytes())
            .await;
        assert_eq!(reply.code, 400, "{}", String::from_utf8_lossy(&reply.body));
        assert!(reply.body.len() < 1000, "nothing of the body comes back");
    }
    let reply = api
        .send(Method::POST, TOKEN_REVIEWS, &[("content-type", json)], vec![b' '; (3 << 20) + 1])
        .await;
    assert_eq!(reply.failure(), (413, "Request entity too large: limit is 3145728".to_owned()));
    assert_eq!(review(&api, json!({"token": "nobody"})).await["status"]["authenticated"], true);
}
