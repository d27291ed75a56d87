//! One issuer's trouble stays its own.

use serde_json::json;

use crate::support::issuer::KEYS;
use crate::support::service::Setup;
use crate::support::{Gate, Issuer, Key, Manner, Service, all};

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_tokens_of_a_stalled_issuer_hold_up_nobody_else() {
    let (stalled, well) = (Issuer::start().await, Issuer::start().await);
    let service = Service::trusting([stalled.entry(json!({})), well.entry(json!({}))]).await;
    let gate = Gate::closed();
    stalled.answers(KEYS, Manner::Held(gate.clone()));

    // Four connections have a thousand requests in flight, which is what the limit lets through.
    let stranger = Key::new("ES256");
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let kube = service.kube().await;
        for _ in 0..500 {
            let (kube, token) = (kube.clone(), stranger.token(&stalled.claims(json!({}))));
            waiting.push(async move { kube.authenticate(&token).await });
        }
    }
    let flood = all(waiting);
    let labels = [("issuer", &*stalled.url), ("reason", "keys_unavailable")];
    service.until_metric("rejections_total", &labels, 1000.0).await;

    let kube = service.kube().await;
    for _ in 0..50 {
        assert_eq!(kube.authenticate(&well.token(json!({}))).await.username(), "alice");
    }
    let known = kube.authenticate(&stalled.token(json!({}))).await;
    assert_eq!(known.username(), "alice", "its own cached keys keep verifying");
    let metrics = service.metrics().await;
    assert!(metrics.sum("token_reviews_in_flight", &[]) > 0.0, "the others waited meanwhile");
    assert_eq!(stalled.asked(KEYS), 2, "all of them for one fetch");

    gate.open();
    let verdicts = flood.await;
    assert_eq!(verdicts.len(), 2000);
    for verdict in &verdicts {
        verdict.error();
    }
    let metrics = service.metrics().await;
    assert_eq!(metrics.sum("requests_shed_total", &[]), 0.0);
    assert_eq!(
        metrics.sum("token_reviews_total", &[("result", "unavailable")])
            + metrics.sum("token_reviews_total", &[("result", "rejected")]),
        2000.0
    );
}

/// kube-apiserver asks again five times after a 5xx, and never after an answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_takes_too_long_is_an_answer_all_the_same() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "limits": {"requestTimeout": "1s"},
    }));
    let service = setup.start().await;
    issuer.answers(KEYS, Manner::Stalls);
    let kube = service.kube().await;
    kube.authenticate(&Key::new("ES256").token(&issuer.claims(json!({})))).await.error();
    let labels = [("issuer", &*issuer.url), ("reason", "timeout")];
    assert_eq!(service.metric("rejections_total", &labels).await, 1.0);
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
}
