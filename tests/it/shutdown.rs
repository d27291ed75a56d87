//! An end in order: not ready, then no new requests, then every answer that was begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::support::client::Protocol;
use crate::support::issuer::KEYS;
use crate::support::process::Process;
use crate::support::service::{Setup, get};
use crate::support::{API, Caller, Gate, Issuer, Manner, Service, all, until};

#[tokio::test(flavor = "multi_thread")]
async fn reviews_that_were_begun_are_answered() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let gate = Gate::closed();
    issuer.rotate();
    issuer.answers(KEYS, Manner::Held(gate.clone()));
    let mut begun = Vec::new();
    for protocol in [Protocol::Http2, Protocol::Http1] {
        let kube = service.connect(Caller::ApiServer, protocol).await.unwrap();
        let reviews = if protocol == Protocol::Http2 { 50 } else { 1 };
        for _ in 0..reviews {
            let (kube, token) = (kube.clone(), issuer.token(json!({})));
            begun.push(async move { kube.authenticate(&token).await.username().to_owned() });
        }
    }
    let begun = all(begun);
    service.until_metric("token_reviews_in_flight", &[], 51.0).await;
    service.drain();
    until("/readyz is red", async || service.admin("/readyz").await.0 == 500).await;
    assert_eq!(service.admin("/livez").await.0, 200, "it is not dead yet");
    gate.open();
    assert_eq!(begun.await, ["alice"; 51]);
    service.ended().await;
}

/// Under load, a request either gets its answer or learns that nobody began it, and then a client
/// may send it elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_under_load_loses_no_review() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let token = Arc::new(issuer.token(json!({})));
    let (answered, draining) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut callers = Vec::new();
    for _ in 0..4 {
        let kube = service.kube().await;
        for _ in 0..10 {
            let (kube, token) = (kube.clone(), token.clone());
            let (answered, draining) = (answered.clone(), draining.clone());
            callers.push(async move {
                loop {
                    match kube.send(kube.review(&token, &[API])).await {
                        Ok(response) => assert_eq!(response.status(), 200),
                        Err(error) => {
                            assert!(draining.load(Ordering::SeqCst), "too early: {error}");
                            return error;
                        }
                    }
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    }
    let callers = all(callers);
    until("there is load", async || answered.load(Ordering::SeqCst) > 400).await;
    draining.store(true, Ordering::SeqCst);
    let address = service.address();
    service.drain();
    for error in callers.await {
        let not_begun = ["NO_ERROR", "Canceled", "REFUSED_STREAM", "ChannelClosed"];
        assert!(not_begun.iter().any(|word| error.contains(word)), "{error}");
    }
    service.ended().await;
    assert!(get(address, "/").await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_is_not_waited_for() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "limits": {"shutdownTimeout": "1s", "requestTimeout": "10m"},
    }));
    let service = setup.start().await;
    let (kube, gate) = (service.kube().await, Gate::closed());
    issuer.rotate();
    issuer.answers(KEYS, Manner::Held(gate.clone()));
    let token = issuer.token(json!({}));
    let stuck = tokio::spawn(async move { kube.send(kube.review(&token, &[API])).await });
    service.until_metric("token_reviews_in_flight", &[], 1.0).await;
    service.drain();
    service.ended().await;
    assert!(stuck.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_process_well() {
    for signal in ["TERM", "INT"] {
        let process = Process::start(Setup::new(json!({}))).await;
        let kube = process.kube().await;
        assert_eq!(kube.send(kube.review("opaque", &[API])).await.unwrap().status(), 200);
        process.signal(signal);
        assert_eq!(process.ended().await.code(), Some(0), "{signal}, with an idle connection");
    }
}
