//! The contract with kube-apiserver on the wire: what is read, what is written, and with what code.

use http::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client::{Protocol, handshake, question};
use crate::support::service::Setup;
use crate::support::{API, Caller, Issuer, Kube, Service, Verdict, within};

/// A service that trusts one provider, and a connection to it.
async fn one() -> (Issuer, Service, Kube) {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube = service.kube().await;
    (issuer, service, kube)
}

fn body(response: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Asserts that an answer is a `metav1.Status` with this code, which nobody retries.
#[track_caller]
fn assert_status(what: &str, response: &Response<bytes::Bytes>, code: u16) -> String {
    assert_eq!(response.status().as_u16(), code, "{what}: {:?}", response.body());
    assert_eq!(response.headers().get("retry-after"), None, "{what}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{what}");
    let body = body(response);
    assert_eq!((&body["kind"], &body["apiVersion"]), (&json!("Status"), &json!("v1")), "{what}");
    assert_eq!((&body["status"], &body["code"]), (&json!("Failure"), &json!(code)), "{what}");
    body["message"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_are_answered_in_kind_over_both_protocols() {
    let (issuer, service, _) = one().await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for version in ["v1", "v1beta1"] {
            let kube = service.connect(Caller::ApiServer, protocol).await.unwrap();
            let kube = kube.speaking(version);
            let verdict = kube.authenticate(&issuer.token(json!({}))).await;
            assert_eq!(verdict.username(), "alice", "{protocol:?} {version}");
            let refused = kube.authenticate(&issuer.token(json!({"exp": 1}))).await;
            assert!(refused.error().starts_with(&issuer.url), "{protocol:?} {version}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_holds_the_status_and_nothing_that_was_sent() {
    let (issuer, _service, kube) = one().await;
    let token = issuer.token(json!({"jti": null}));
    let response = kube.send(kube.review(&token, &[API])).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(
        body(&response),
        json!({
            "kind": "TokenReview",
            "apiVersion": "authentication.k8s.io/v1",
            "status": {
                "authenticated": true,
                "user": {"username": "alice"},
                "audiences": [API],
            },
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_nobodys_gets_no_error() {
    let (issuer, service, kube) = one().await;
    let elsewhere = issuer.token(json!({"iss": "https://elsewhere.test"}));
    for token in ["abcdef.0123456789abcdef", "opaque", &elsewhere] {
        let response = kube.send(kube.review(token, &[API])).await.unwrap();
        assert_eq!(body(&response)["status"], json!({"authenticated": false}), "{token}");
    }
    let counted = service.metric("rejections_total", &[("reason", "no_issuer")]).await;
    assert_eq!(counted, 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn audiences_stand_beside_an_error() {
    let (issuer, _service, kube) = one().await;
    let token = issuer.token(json!({"exp": 1}));
    for audiences in [&["elsewhere"][..], &["b", API, "a"], &[]] {
        let response = kube.send(kube.review(&token, audiences)).await.unwrap();
        let wanted = if audiences.is_empty() { &[API] } else { audiences };
        assert_eq!(body(&response)["status"]["audiences"], json!(wanted));
        let verdict = kube.authenticate_for(&token, audiences).await;
        assert!(verdict.error().len() <= 256, "{verdict:?}");
    }
}

/// Both what older and newer API servers send and what they may send one day.
#[tokio::test(flavor = "multi_thread")]
async fn reading_is_as_lenient_as_upstreams() {
    let (issuer, _service, kube) = one().await;
    let token = issuer.token(json!({}));
    let api = "authentication.k8s.io/v1";
    for (what, sent, answered) in [
        ("no kind, no version", json!({"spec": {"token": token}}), api),
        ("no kind", json!({"apiVersion": api, "spec": {"token": token}}), api),
        ("no version", json!({"kind": "TokenReview", "spec": {"token": token}}), api),
        (
            "a client of 1.33",
            json!({
                "kind": "TokenReview",
                "apiVersion": "authentication.k8s.io/v1beta1",
                "metadata": {"creationTimestamp": null},
                "spec": {"token": token, "audiences": [API]},
                "status": {"user": {}},
            }),
            "authentication.k8s.io/v1beta1",
        ),
        (
            "a client of tomorrow",
            json!({
                "future": [1, {"spec": 2}],
                "metadata": {"name": "x", "labels": {"a": "b"}},
                "spec": {"attestations": [{"token": "x"}], "token": token},
            }),
            api,
        ),
        (
            "a status that was sent",
            json!({
                "spec": {"token": token},
                "status": {"authenticated": true, "user": {"username": "mallory"}, "error": "x"},
            }),
            api,
        ),
        (
            "nulls",
            json!({"kind": null, "metadata": null, "spec": {"token": token, "audiences": null}}),
            api,
        ),
    ] {
        let response = kube.send(kube.post(sent.to_string())).await.unwrap();
        let body = body(&response);
        assert_eq!(body["apiVersion"], answered, "{what}");
        assert_eq!(body["status"]["user"]["username"], "alice", "{what}");
        assert_eq!(body["status"]["error"], Value::Null, "{what}");
    }
    for query in ["", "?timeout=30s", "?pretty=true&timeout=1s&nobody=knows", "?"] {
        let mut request = kube.review(&token, &[API]);
        *request.uri_mut() = format!("https://webhook/authenticate{query}").parse().unwrap();
        assert_eq!(kube.send(request).await.unwrap().status(), 200, "{query}");
    }
    let mut request = kube.review(&token, &[API]);
    request.headers_mut().clear();
    assert_eq!(kube.send(request).await.unwrap().status(), 200, "no headers at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_400_and_never_quoted() {
    let (_issuer, _service, kube) = one().await;
    for (what, sent) in [
        ("nothing", ""),
        ("no JSON", "hunter2"),
        ("not an object", r#"["hunter2"]"#),
        ("cut off", r#"{"spec":{"token":"hunter2""#),
        ("two values", r#"{"spec":{"token":"hunter2"}}{}"#),
        ("another kind", r#"{"kind":"Pod","spec":{"token":"hunter2"}}"#),
        (
            "another version",
            r#"{"apiVersion":"authentication.k8s.io/v2","spec":{"token":"hunter2"}}"#,
        ),
        ("another group", r#"{"apiVersion":"v1","spec":{"token":"hunter2"}}"#),
        ("a number as token", r#"{"spec":{"token":1}}"#),
        ("a list as token", r#"{"spec":{"token":["hunter2"]}}"#),
        ("a string as audiences", r#"{"spec":{"token":"hunter2","audiences":"x"}}"#),
        ("a string as spec", r#"{"spec":"hunter2"}"#),
        ("two tokens", r#"{"spec":{"token":"hunter2","token":"hunter3"}}"#),
        ("two tokens, one escaped", r#"{"spec":{"token":"hunter2","tok\u0065n":"hunter3"}}"#),
        ("two audiences", r#"{"spec":{"audiences":["a"],"token":"hunter2","audiences":["b"]}}"#),
        ("two specs", r#"{"spec":{"token":"hunter2"},"spec":{"token":"hunter3"}}"#),
        (
            "two versions",
            r#"{"apiVersion":"authentication.k8s.io/v1","apiVersion":"authentication.k8s.io/v1"}"#,
        ),
        ("two kinds", r#"{"kind":"TokenReview","kind":"TokenReview"}"#),
    ] {
        let response = kube.send(kube.post(sent)).await.unwrap();
        let message = assert_status(what, &response, 400);
        assert!(!message.contains("hunter"), "{what}: {message}");
    }
    let response = kube.send(kube.post(&b"{\"spec\":{\"token\":\"\xff\"}}"[..])).await.unwrap();
    assert_status("not UTF-8", &response, 400);
    let deep = "[".repeat(100_000);
    let response = kube.send(kube.post(format!(r#"{{"future":{deep}"#))).await.unwrap();
    assert_status("deep", &response, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_requests_get_their_code_and_leave_the_connection_alive() {
    let (issuer, service, kube) = one().await;
    let token = issuer.token(json!({}));
    let request = |change: &dyn Fn(&mut http::Request<_>)| {
        let mut request = kube.review(&token, &[API]);
        change(&mut request);
        request
    };
    let header = |name: &'static str, value: &'static str| {
        move |request: &mut http::Request<_>| {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
    };
    let path = |path: &'static str| {
        move |request: &mut http::Request<_>| *request.uri_mut() = path.parse().unwrap()
    };
    let cases = [
        ("GET", request(&|it| *it.method_mut() = Method::GET), 405),
        ("PUT", request(&|it| *it.method_mut() = Method::PUT), 405),
        ("another path", request(&path("https://w/elsewhere")), 404),
        ("a path below", request(&path("https://w/authenticate/")), 404),
        ("the root", request(&path("https://w/")), 404),
        ("metrics are elsewhere", request(&path("https://w/metrics")), 404),
        ("plain text", request(&header("content-type", "text/plain")), 415),
        ("YAML", request(&header("content-type", "application/yaml")), 415),
        ("protobuf", request(&header("content-type", "application/vnd.kubernetes.protobuf")), 415),
        ("HTML back", request(&header("accept", "text/html")), 406),
    ];
    for (what, request, code) in cases {
        let response = kube.send(request).await.unwrap();
        let message = assert_status(what, &response, code);
        assert!(!message.contains(&token), "{what}");
        assert_eq!(kube.authenticate(&token).await.username(), "alice", "after {what}");
    }
    assert_eq!(service.metric("connections", &[]).await, 1.0, "it is still the first connection");
    let labels = [("path", "other"), ("code", "404")];
    assert_eq!(service.metric("http_requests_total", &labels).await, 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_and_oversized_tokens_are_malformed_and_not_remembered() {
    let issuer = Issuer::start().await;
    let service = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "limits": {"maxTokenBytes": "1Ki"},
    }));
    let service = service.start().await;
    let kube = service.kube().await;
    let long = issuer.token(json!({"padding": "x".repeat(2000)}));
    for token in ["", &long, &"x".repeat(1025)] {
        for _ in 0..2 {
            let verdict = kube.authenticate_for(token, &["elsewhere"]).await;
            assert!(!verdict.error().is_empty());
        }
    }
    let metrics = service.metrics().await;
    assert_eq!(metrics.sum("rejections_total", &[("reason", "malformed")]), 6.0);
    assert_eq!(metrics.sum("cache_entries", &[]), 0.0);
    assert_eq!(metrics.sum("cache_lookups_total", &[]), 0.0);
    let fits = kube.authenticate(&"x".repeat(1024)).await;
    assert_eq!(fits, Verdict::Nobody, "the limit is the last good length");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_body_is_413_and_ends_no_connection_that_others_share() {
    let issuer = Issuer::start().await;
    let service = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "limits": {"maxBodyBytes": "16Ki", "maxTokenBytes": "8Ki"},
    }));
    let service = service.start().await;
    let kube = service.kube().await;
    let mut fitting = question("v1", &issuer.token(json!({})), &[API]);
    fitting.extend(std::iter::repeat_n(' ', (16 << 10) - fitting.len()));
    for body in [format!("{fitting} "), " ".repeat(100_000)] {
        let response = kube.send(kube.post(body.clone())).await.unwrap();
        assert_status("HTTP/2", &response, 413);
        let old = service.connect(Caller::ApiServer, Protocol::Http1).await.unwrap();
        let response = old.send(old.post(body)).await.unwrap();
        assert_status("HTTP/1.1", &response, 413);
    }
    for protocol in [Protocol::Http2, Protocol::Http1] {
        let kube = service.connect(Caller::ApiServer, protocol).await.unwrap();
        let response = kube.send(kube.post(fitting.clone())).await.unwrap();
        assert_eq!(body(&response)["status"]["authenticated"], true, "the limit itself is good");
    }
    let response = kube.send(kube.post(fitting)).await.unwrap();
    assert_eq!(response.status(), 200, "over the connection of the large ones");
}

/// It is bytes: what a bearer header would cut off belongs to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_never_trimmed_or_split() {
    let (issuer, _service, kube) = one().await;
    let token = issuer.token(json!({}));
    for changed in [
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("Bearer {token}"),
        format!("{token} x"),
        format!("\u{feff}{token}"),
        format!("{token}\0"),
    ] {
        let verdict = kube.authenticate(&changed).await;
        assert!(!matches!(verdict, Verdict::User(..)), "{changed:?}: {verdict:?}");
    }
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_api_servers_certificate_may_ask() {
    let (issuer, service, _) = one().await;
    let token = issuer.token(json!({}));
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (caller, code) in [(Caller::Nobody, 401), (Caller::Named("kubelet"), 403)] {
            let kube = service.connect(caller, protocol).await.unwrap();
            let response = kube.send(kube.review(&token, &[API])).await.unwrap();
            assert_status("a caller", &response, code);
        }
        // With TLS 1.3 the client learns only afterwards that its certificate was refused.
        if let Ok(kube) = service.connect(Caller::Impostor, protocol).await {
            assert!(kube.send(kube.review(&token, &[API])).await.is_err(), "{protocol:?}");
        }
    }
    assert_eq!(service.metric("token_reviews_total", &[]).await, 0.0);
}

/// It was a race: kube-apiserver's log said `broken pipe`, since its client had written before it read
/// the alert, and the socket was closed.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_for_its_certificate_can_still_write_when_it_is_told() {
    let (_issuer, service, _) = one().await;
    let caller = handshake(service.address(), Caller::Impostor, Protocol::Http2).await.unwrap();
    let (mut socket, _) = caller.into_inner();
    let mut alert = Vec::new();
    within(socket.read_to_end(&mut alert)).await.unwrap().unwrap();
    assert!(!alert.is_empty(), "why it is refused");
    for _ in 0..3 {
        socket.write_all(b"the preface, the settings, the request").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_names_say_who_may_ask() {
    let issuer = Issuer::start().await;
    let jwt = [issuer.entry(json!({}))];
    let names = json!(["front-proxy", "other"]);
    let service = Setup::new(json!({"jwt": jwt, "listen": {"clientNames": names}})).start().await;
    let token = issuer.token(json!({}));
    for (caller, code) in [(Caller::Named("other"), 200), (Caller::ApiServer, 403)] {
        let kube = service.connect(caller, Protocol::Http2).await.unwrap();
        let response = kube.send(kube.review(&token, &[API])).await.unwrap();
        assert_eq!(response.status().as_u16(), code, "{caller:?}");
    }
    let open = Setup::new(json!({"jwt": jwt, "listen": {"clientCAFile": null}})).start().await;
    let kube = open.connect(Caller::Nobody, Protocol::Http2).await.unwrap();
    assert_eq!(kube.authenticate(&token).await.username(), "alice", "on loopback, without a CA");
}
