//! Too much at once: what is refused, what is not, and what it costs.

use http_body_util::BodyExt;
use serde_json::json;

use crate::support::client::Protocol;
use crate::support::issuer::KEYS;
use crate::support::manner::{CHUNK, Flood};
use crate::support::process::Process;
use crate::support::service::Setup;
use crate::support::{API, Caller, Gate, Issuer, Manner, Service, all, until};

/// Answering before a body is read would have the HTTP/2 library close the connection with every
/// stream on it: at one hundred streams most of the requests were lost.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_refusals_at_once_on_one_connection_none_is_lost() {
    let issuer = Issuer::start().await;
    let service = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "limits": {"maxBodyBytes": "64Ki", "maxTokenBytes": "16Ki"},
    }));
    let service = service.start().await;
    let (kube, bad) = (service.kube().await, issuer.token(json!({"exp": 1})));
    for round in 0..3 {
        let refused = (0..100).map(|number| {
            let kube = kube.clone();
            let mut request = kube.review(&bad, &[API]);
            let code = match number % 6 {
                0 => 200,
                1 => {
                    *request.method_mut() = http::Method::PUT;
                    405
                }
                2 => {
                    *request.uri_mut() = "https://webhook/elsewhere".parse().unwrap();
                    404
                }
                3 => {
                    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
                    415
                }
                4 => {
                    request = kube.post("x".repeat(60_000));
                    400
                }
                _ => {
                    request = kube.post("x".repeat(300_000));
                    413
                }
            };
            async move { (kube.send(request).await.map(|it| it.status().as_u16()), Ok(code)) }
        });
        for (got, expected) in all(refused).await {
            assert_eq!(got, expected, "in round {round}");
        }
    }
    assert_eq!(service.metric("connections", &[]).await, 1.0);
}

/// A source may hold a quarter of the places; four sources hold them all.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_in_flight_is_503_at_once() {
    let mut issuers = Vec::new();
    for _ in 0..4 {
        issuers.push(Issuer::start().await);
    }
    let entries: Vec<_> = issuers.iter().map(|issuer| issuer.entry(json!({}))).collect();
    let limits = json!({"maxRequestsInFlight": 4});
    let service = Setup::new(json!({"jwt": entries, "limits": limits})).start().await;
    let (kube, gate) = (service.kube().await, Gate::closed());
    let held: Vec<_> = issuers
        .iter()
        .map(|issuer| {
            issuer.rotate();
            issuer.answers(KEYS, Manner::Held(gate.clone()));
            let (kube, token) = (kube.clone(), issuer.token(json!({})));
            async move { kube.authenticate(&token).await.username().to_owned() }
        })
        .collect();
    let held = all(held);
    service.until_metric("token_reviews_in_flight", &[], 4.0).await;
    for _ in 0..20 {
        let response = kube.send(kube.review("opaque", &[API])).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(
            response.headers().get("retry-after"),
            None,
            "it would be called up to 55 times"
        );
        assert!(response.body().starts_with(b"{\"kind\":\"Status\""));
    }
    assert!(service.metric("requests_shed_total", &[]).await >= 20.0);
    assert_eq!(service.admin("/livez").await.0, 200);
    gate.open();
    assert_eq!(held.await, ["alice"; 4]);
    let response = kube.send(kube.review("opaque", &[API])).await.unwrap();
    assert_eq!(response.status(), 200, "the connection and the places are there again");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_of_connections_are_closed() {
    let service = Setup::new(json!({"limits": {"maxConnections": 2}})).start().await;
    let kubes = [service.kube().await, service.kube().await];
    for kube in &kubes {
        assert_eq!(kube.send(kube.review("opaque", &[API])).await.unwrap().status(), 200);
    }
    let asked = async |service: &Service| {
        let kube = service.connect(Caller::ApiServer, Protocol::Http2).await?;
        kube.send(kube.review("opaque", &[API])).await
    };
    assert!(asked(&service).await.is_err());
    assert!(service.metric("requests_shed_total", &[]).await >= 1.0);
    drop(kubes);
    until("there is room again", async || asked(&service).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_are_refused_with_flat_memory() {
    const BYTES: usize = 200 << 20;
    let process = Process::start(Setup::new(json!({}))).await;
    let kube = process.kube().await;
    assert_eq!(kube.send(kube.review("opaque", &[API])).await.unwrap().status(), 200);
    let before = process.peak_memory_mib();
    for announced in [true, false] {
        let mut request = kube.post_body(Flood { chunks: BYTES / CHUNK }.boxed());
        if announced {
            request.headers_mut().insert("content-length", BYTES.into());
        }
        // What comes after the bound need not be listened to: then the stream, and only it, ends.
        if let Ok(response) = kube.send(request).await {
            assert_eq!(response.status(), 413);
        }
    }
    let kube = process.kube().await;
    assert_eq!(kube.send(kube.review("opaque", &[API])).await.unwrap().status(), 200);
    let after = process.peak_memory_mib();
    assert!(after < before + 24, "from {before} to {after} MiB");
}
